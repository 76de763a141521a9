"""Programs that end while a thread of theirs computes in native code."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.program import Program

ROOT = Path(__file__).parents[2]
COMPUTES = """
import atexit, sys, threading, torch
entered = threading.Event()
def work():
    numbers = torch.randn(256, 256)
    entered.set()
    while True:
        numbers = torch.tanh(numbers @ numbers)
threading.Thread(target=work, daemon=True).start()
entered.wait()
"""
ENDS = """
from engine.leaving import leaving_at_the_end
atexit.register(print, "tidied up")
with leaving_at_the_end():
    print("said")
    sys.exit({code!r})
"""


@pytest.mark.parametrize(("code", "left"), [(None, 0), (3, 3), (143, 143), ("in words", 1)])
def test_a_program_ends_with_its_code_though_a_thread_computes(code, left):
    program = COMPUTES + ENDS.format(code=code)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (left, "said\ntidied up\n"), done.stderr
    assert done.stderr == ("in words\n" if code == "in words" else "")


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_the_window_ends_cleanly_though_a_thread_computes(tmp_path, sign):
    """As one does that converts the starter model, and looks at no request to end before it is done."""
    program = Program(tmp_path / "workspace", anew=True)
    program.command = [sys.executable, "-c", f"{COMPUTES}\nimport app\napp.start()"]
    program.start()
    program.end(sign)
    assert program.process.returncode == 0, program.log()
    assert program.log().count("\n") == 1, "where it is open, and no more"
