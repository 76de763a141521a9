"""kill -9 at random moments costs the steps since the last checkpoint and nothing else."""

import json

from tests.forked import run


def test_a_run_killed_again_and_again_has_the_losses_of_one_left_alone():
    options = ["--kills", "5", "--steps", "100", "--seed", "3"]
    seen = run("-m", "tests.engine.training.runs.killed_often", *options, timeout=280)
    assert seen.returncode == 0, seen.stderr
    told = json.loads(seen.stdout.splitlines()[-1])
    assert told["kills"] > 1
    assert told["state"] == "finished", told["message"]
    assert told["same_losses"]
    assert told["left_behind"] == []
