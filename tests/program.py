"""The program as a person starts it: `python app.py` in a process of its own."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.forked import CAN_FORK, Forked
from tests.starter import lay_into

ROOT = Path(__file__).parents[1]
LATE_STREAM = re.compile(
    r"ERROR: +Exception in ASGI application\n(?:(?!ERROR: )[\s\S])*?in sse_stream\n(?:(?!ERROR: )[\s\S])*?"
    r"HTTPException: 404: Not Found\n(?:(?!ERROR: )[\s\S])*?RuntimeError: Caught handled exception[^\n]*\n"
)
"""What Gradio 6.31 says when a page asks for its messages in the moment in which the last of them has been sent: the
page asks again by itself, and nothing is lost."""
PORTS = (20_000, 30_000)
"""Below those from which connections get theirs: from 32,768 on with Linux, from 49,152 on elsewhere."""


def free_port() -> int:
    """Return a port that nobody listens on; no system gives it to a connection before the program has it."""
    while True:
        port = random.SystemRandom().randrange(*PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


START = 180.0
"""Seconds in which a program is there, on a computer that does many things at once."""


class Program:
    """`python app.py` with a workspace of its own; may be killed and started again.

    Args:
        workspace: Its folder; its log lies beside it.
        words: More options.
        anew: Whether a new interpreter is started for it, as a person does, which then has all to import; otherwise it
            is forked from one that has (tests/forked.py).
    """

    def __init__(self, workspace: Path, *words: str, anew: bool = False) -> None:
        self.workspace = workspace
        self.words = words
        self.anew = anew or not CAN_FORK
        self.port = free_port()
        self.address = f"{'https' if '--ssl-certfile' in words else 'http'}://127.0.0.1:{self.port}"
        self.command = [sys.executable, "app.py"]
        self.process: subprocess.Popen | Forked | None = None
        self.ends = {0}

    def start(self, **settings: str) -> None:
        """Start it, with settings in its environment, where files are made for everybody; wait until it answers."""
        options = ["--no-browser", "--port", str(self.port), "--workspace", str(self.workspace), *self.words]
        log = self.workspace.with_suffix(".log")
        environment = {**os.environ, "PYTHONFAULTHANDLER": "1", **settings}
        if self.anew:
            with log.open("ab") as out:
                self.process = subprocess.Popen(
                    [*self.command, *options], cwd=ROOT, stdout=out, stderr=out, env=environment, umask=0
                )
        else:
            self.process = Forked(["app.py", *options], log, log, environment)
        end = time.monotonic() + START
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("the program does not answer")

    @property
    def key(self) -> str:
        """The start token."""
        return (self.workspace / "key").read_text().strip()

    @property
    def entrance(self) -> str:
        """The address that lets a browser in, as the terminal shows it."""
        return f"{self.address}/?token={self.key}"

    def log(self) -> str:
        """What it has written."""
        return self.workspace.with_suffix(".log").read_text(errors="replace")

    def complaints(self) -> str:
        """What went wrong inside, as its log tells, or that it has died of itself; empty where nothing did."""
        text = LATE_STREAM.sub("", self.log())
        if self.process and self.process.poll() not in (None, *self.ends):
            return f"ended with {self.process.returncode}: {text[text.find('Fatal Python') - 600 :][:6000]}"
        return text[text.find("Traceback") - 200 :][:3000] if "Traceback" in text else ""

    def end(self, sign: int = signal.SIGTERM) -> None:
        """End it."""
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, sign)
            self.ends.add(self.process.wait(60))


@contextmanager
def running(
    folder: Path, *words: str, anew: bool = False, starter: Path | None = None, **settings: str
) -> Iterator[Program]:
    """A started program with a workspace in a folder, in whose log nothing has gone wrong at its end.

    Args:
        folder: Where its workspace and its log lie.
        words: Options.
        anew: As of :class:`Program`.
        starter: The starter model, if the program is to find it in its cache instead of fetching and converting it.
        settings: More of its environment.
    """
    program = Program(folder / "workspace", *words, anew=anew)
    if starter:
        lay_into(program.workspace, starter)
    try:
        program.start(**settings)
        yield program
    finally:
        program.end()
    assert not program.complaints()
