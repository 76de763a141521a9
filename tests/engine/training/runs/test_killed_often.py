"""kill -9 at random moments costs the steps since the last checkpoint and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]


def test_a_run_killed_again_and_again_has_the_losses_of_one_left_alone():
    options = ["--kills", "5", "--steps", "100", "--seed", "3"]
    command = [sys.executable, "-m", "tests.engine.training.runs.killed_often", *options]
    seen = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=280
    )
    assert seen.returncode == 0, seen.stderr
    told = json.loads(seen.stdout.splitlines()[-1])
    assert told["kills"] > 1
    assert told["state"] == "finished", told["message"]
    assert told["same_losses"]
    assert told["left_behind"] == []
