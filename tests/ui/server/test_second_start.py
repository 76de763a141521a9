"""Two real starts of the program on one workspace."""

import http.server
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.workspace_lock import WorkspaceLock, WorkspaceTakenError, check_free
from tests.engine.test_workspace_lock import HAS_IT
from tests.program import free_port
from ui.server import second_start

pytestmark = pytest.mark.ui

ROOT = Path(__file__).parents[3]
DEADLINE = 120


def start(*words):
    """Start the program; what it says goes to one pipe."""
    command = [sys.executable, "app.py", "--no-browser", *map(str, words)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def test_a_second_start_shows_the_first_window_and_harms_nothing_of_it(tmp_path):
    port = free_port()
    first = start("--port", port, "--workspace", tmp_path)
    try:
        said = ""
        while "is open at" not in said:
            said = first.stderr.readline()
            assert said, "the first start has ended"
        upload = tmp_path / "cache" / "window" / "export.csv"
        upload.write_text("an export that is being read")
        second = start("--port", port, "--workspace", tmp_path)
        told = second.communicate(timeout=DEADLINE)[1]
        assert second.returncode == 0, told
        assert f"is open already, at http://127.0.0.1:{port}/?token=" in told
        assert upload.exists()
        assert first.poll() is None
    finally:
        first.kill()
        first.communicate()
    check_free(tmp_path)


def test_a_window_that_does_not_answer_is_named(tmp_path):
    command = [sys.executable, "-c", HAS_IT, str(tmp_path), f"http://127.0.0.1:{free_port()}"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "ready\n"
        second = start("--port", free_port(), "--workspace", tmp_path)
        told = second.communicate(timeout=DEADLINE)[1]
        other.stdin.close()
    assert second.returncode == 1
    assert told.strip().count("\n") == 0
    assert f"Another Ticket Tuner has {tmp_path} open (process {other.pid}, since " in told


class Quiet(http.server.BaseHTTPRequestHandler):
    """Answers as a window does that asks for its key."""

    def do_GET(self):
        self.send_error(401)

    def log_message(self, *_):
        pass


@pytest.fixture
def page():
    """The address of a page that answers."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_start_in_the_moment_of_another_waits_until_that_has_its_page(tmp_path, page, capsys):
    lock = WorkspaceLock(tmp_path)
    lock.take()
    shown = []
    thread = threading.Thread(target=lambda: shown.append(second_start.shows_the_first(tmp_path, browser=False)))
    thread.start()
    assert shown == []
    lock.announce(page)
    thread.join(DEADLINE)
    assert shown == [True]
    assert f"open already, at {page};" in capsys.readouterr().err
    lock.give_back()


def test_a_start_goes_on_when_the_other_one_has_ended_before_its_page_was_there(tmp_path):
    lock = WorkspaceLock(tmp_path)
    lock.take()
    shown = []
    thread = threading.Thread(target=lambda: shown.append(second_start.shows_the_first(tmp_path, browser=False)))
    thread.start()
    lock.give_back()
    thread.join(DEADLINE)
    assert shown == [False]


def test_a_start_does_not_wait_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(second_start, "PATIENCE", 0.0)
    lock = WorkspaceLock(tmp_path)
    lock.take()
    with pytest.raises(WorkspaceTakenError, match=f"process {os.getpid()}"):
        second_start.shows_the_first(tmp_path, browser=False)
    lock.give_back()


def test_a_page_answers_whatever_it_says(page):
    assert second_start.answers(page)
    assert not second_start.answers(f"http://127.0.0.1:{free_port()}")
    assert not second_start.answers("nonsense")
