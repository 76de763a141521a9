"""Several computers: the README's own command, started twice here, once for each of two that share a folder."""

import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import Finished
from tests.forked import run as run_program
from tests.program import free_port
from tests.tiny import write_data

ROOT = Path(__file__).parents[4]
DEADLINE = 240.0


def nodes_command() -> list[str]:
    """Return what the README says to start on each computer, in words."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```\n(accelerate launch .*?)```", readme, re.DOTALL)
    return shlex.split(block.replace("\\\n", " "))


@pytest.fixture
def run(tmp_path, tiny_model):
    """A run's folder, made as the README says."""
    data = write_data(tmp_path / "data")
    changes = {"max_steps": 6, "epochs": 10, "batch_size": 2, "accumulation": 2, "max_length": 64, "gpus": 0}
    words = ["-m", "engine", "train", "--data", data, "--model", tiny_model, "--run", tmp_path / "run"]
    for name, value in changes.items():
        words += ["--set", f"{name}={value}"]
    run_program(*words, "--no-start").check_returncode()
    return RunDirectory(tmp_path / "run")


def test_the_command_for_several_computers_trains_one_run_on_all_of_them(run, tmp_path):
    port = free_port()
    filled = {"16": "2", "FIRST_NODE": "127.0.0.1", "29500": str(port), "run": str(run.path), "cache": str(tmp_path)}
    words = [filled.get(word, word) for word in nodes_command()]
    assert words[0] == "accelerate"
    words = [sys.executable, "-m", "accelerate.commands.accelerate_cli", *words[1:]]
    logs = [tmp_path / f"node-{node}.log" for node in range(2)]
    nodes = []
    for node, log in enumerate(logs):
        own = [str(node) if word == "$SLURM_NODEID" else word for word in words]
        with log.open("wb") as out:
            nodes.append(subprocess.Popen(own, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT))
    try:
        end = time.monotonic() + DEADLINE
        while any(node.poll() is None for node in nodes) and time.monotonic() < end:
            time.sleep(0.1)
        told = "\n".join(log.read_text(errors="replace")[-3000:] for log in logs)
        assert [node.poll() for node in nodes] == [0, 0], told
    finally:
        for node in nodes:
            node.kill()
    history = run.history.read()
    assert history.started.device.startswith("2 x ")
    assert len(history.steps) == 6
    assert isinstance(history.finished, Finished)
    assert run.status.state == "finished"
    assert (run.path / "adapter" / "adapter_model.safetensors").exists()
