"""What `python app.py` refuses, in one sentence."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import app
from engine.errors import ResourceError
from tests.program import Program, free_port

ROOT = Path(__file__).parents[2]


def run(*words):
    return subprocess.run(
        [sys.executable, "app.py", "--no-browser", *words], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_the_network_demands_a_password():
    done = run("--host", "0.0.0.0")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.strip().count("\n") == 0
    assert "--auth-file" in done.stderr


def test_a_taken_port_is_told_with_the_option(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("--port", str(port), "--workspace", str(tmp_path / "w"))
    assert done.returncode == 1
    assert done.stderr.strip().count("\n") == 0
    assert f"Port {port}" in done.stderr
    assert "--port" in done.stderr
    assert not (tmp_path / "w").exists()


def test_an_address_of_another_computer_is_refused():
    with pytest.raises(ResourceError, match="cannot be used"):
        app.check_port("203.0.113.7", 7860)


def test_the_folder_for_uploads_begins_empty_and_private(tmp_path):
    folder = tmp_path / "window"
    folder.mkdir()
    (folder / "old-export.csv").write_text("secret")
    assert list(app.fresh_folder(folder).iterdir()) == []
    assert folder.stat().st_mode & 0o077 == 0


def test_a_workspace_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    done = run("--port", str(free_port()), "--workspace", str(tmp_path / "file"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().count("\n") == 0


def test_many_requests_to_end_end_the_program_as_one_does(tmp_path):
    program = Program(tmp_path / "workspace", anew=True)
    program.start()
    while program.process.poll() is None:
        program.process.send_signal(signal.SIGTERM)
    assert program.process.returncode == 0, program.log()
    assert not program.complaints()
