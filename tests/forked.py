"""Programs in processes of their own that need not import the libraries anew.

One process of this session has imported all that ``python app.py`` and ``python -m engine`` import, and is forked for
each program that a test starts: it has its own arguments, environment, working folder, files and signals, and is there
at once instead of after ten seconds of a core. What is *about* starting (the imports, their order, their locks, the
interpreter's end) is tested with programs that are started as a person does it.
"""

import faulthandler
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
CAN_FORK = "forkserver" in multiprocessing.get_all_start_methods()
PRELOADED = "tests.preloaded"


class Forked:
    """A program under way; what of subprocess.Popen the tests use.

    Args:
        words: ``app.py`` or ``-m engine``, and the options.
        stdout: The file that its output is appended to.
        stderr: The file that its errors are appended to.
        environment: All of it.
    """

    def __init__(self, words: Sequence[str], stdout: Path, stderr: Path, environment: Mapping[str, str]) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([PRELOADED])
        self._process = context.Process(
            target=_become, args=([str(word) for word in words], str(stdout), str(stderr), dict(environment))
        )
        self._process.start()
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """As of subprocess: None while it runs, negative for a signal."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return its exit code.

        Raises:
            TimeoutExpired: It has not ended in so many seconds.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("a forked program", timeout or 0.0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()


def run(*words: object, timeout: float = 240.0, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end, where files are made for everybody; return its exit code and what it has said.

    Args:
        words: ``app.py`` or ``-m engine``, and the options.
        timeout: Seconds.
        settings: More of its environment.
    """
    with tempfile.TemporaryDirectory() as temporary:
        out, err = Path(temporary) / "out", Path(temporary) / "err"
        process = Forked([str(word) for word in words], out, err, {**os.environ, **settings})
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        return subprocess.CompletedProcess(words, code, out.read_text(), err.read_text())


def _become(words: list[str], stdout: str, stderr: str, environment: dict[str, str]) -> None:
    """Be, in a fork, the program of these words."""
    assert PRELOADED in sys.modules, "the fork server could not import it, and passes that over"
    for number, path in ((1, stdout), (2, stderr)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.umask(0)
    os.chdir(ROOT)
    if environment.get("PYTHONFAULTHANDLER"):
        faulthandler.enable()
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(str(ROOT / words[0]), run_name="__main__")
