"""Who may own a run in tests: another program, or a queue whose base model does what the test says."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from engine.errors import ResourceError

ROOT = Path(__file__).parents[4]
DEADLINE = 120.0
TURNS = 60


class Bases:
    """In place of the holder of the base model: what it does when a run asks for one, the test says."""

    def __init__(self, ask):
        self.ask = ask

    @contextmanager
    def use(self, *args, **kwargs):
        self.ask()
        yield None


def in_state(run, state):
    """Bring a run that is queued into a state."""
    for step in {"queued": (), "preparing": ("preparing",), "running": ("running",)}.get(state, ("running", state)):
        run.update(state=step)
    return run


def program(code, *words):
    """Start another program that imports the engine; it prints a line when it is ready and ends with its stdin."""
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextmanager
def another(code, run):
    """Another program that does something to a run, and lives on."""
    process = program(code, run.path)
    assert process.stdout.readline() == "ready\n"
    try:
        yield process
    finally:
        process.communicate("")


OWNS = """
import sys
from pathlib import Path
from engine.training.runs.directory import RunDirectory
run = RunDirectory(Path(sys.argv[1]))
run.update(state="running")
print("ready", flush=True)
sys.stdin.read()
"""


def no_room(*_, **__):
    raise ResourceError("The disk is full.", "Free some space.")
