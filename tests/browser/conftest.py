"""The program as a person starts it, and a page in a real Chromium."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.browser.chromium import FLAGS, find
from tests.browser.toasts import Toasts

ROOT = Path(__file__).parents[2]


class Program:
    """`python app.py` with a workspace of its own; may be killed and started again."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [
            sys.executable,
            "app.py",
            "--no-browser",
            "--port",
            str(self.port),
            "--workspace",
            str(self.workspace),
        ]
        log = self.workspace.with_suffix(".log").open("ab")
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        end = time.monotonic() + 90
        while time.monotonic() < end:
            assert self.process.poll() is None, self.workspace.with_suffix(".log").read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("the program does not answer")

    def complaints(self) -> str:
        """What went wrong inside, as its log tells; empty where nothing did."""
        text = self.workspace.with_suffix(".log").read_text(errors="replace")
        return text[text.find("Traceback") - 200 :][:3000] if "Traceback" in text else ""

    def end(self, sign: int = signal.SIGTERM) -> None:
        """End it."""
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, sign)
            self.process.wait(60)


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests."""
    from playwright.sync_api import sync_playwright

    path = find()
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield made
        made.close()


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A started program in an empty workspace."""
    made = Program(tmp_path_factory.mktemp("program") / "workspace")
    made.start()
    yield made
    made.end()


@pytest.fixture
def context(browser):
    """A fresh profile of the browser."""
    made = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    yield made
    made.close()


@pytest.fixture
def toasts(context):
    """The messages at the corner of the window; one that the test has not read lets it fail."""
    made = Toasts(context)
    yield made
    assert made.unread == []


@pytest.fixture
def page(context, program, toasts):
    """A fresh tab of a fresh profile, with a watch over its errors, its messages and requests to the outside."""
    made = context.new_page()
    made.set_default_timeout(60_000)
    complaints: list[str] = []
    made.on("pageerror", lambda error: complaints.append(str(error)))
    outside: list[str] = []
    made.on("request", lambda seen: outside.append(seen.url) if not _local(seen.url, program) else None)
    open_window(made, program)
    yield made
    assert complaints == []
    assert outside == []
    assert not program.complaints()


def _local(url: str, program: Program) -> bool:
    return url.startswith((program.address, "data:", "blob:")) or url.replace("ws://", "http://").startswith(
        program.address
    )


def open_window(page, program) -> None:
    """Open the page and wait until it can be used."""
    page.goto(program.address)
    page.wait_for_selector("html[data-ready]", state="attached")
