"""One window a workspace: who has it is told in words, and kill -9 gives it back."""

import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine import workspace_lock
from engine.errors import ResourceError
from engine.workspace_lock import LOCK, TENANT, Tenant, WorkspaceLock, WorkspaceTakenError, check_free, tenant_of

ROOT = Path(__file__).parents[2]
HAS_IT = """
import sys
from pathlib import Path
from engine.workspace_lock import WorkspaceLock
lock = WorkspaceLock(Path(sys.argv[1]))
lock.take()
lock.announce(sys.argv[2])
print("ready", flush=True)
sys.stdin.read()
lock.give_back()
"""


@pytest.fixture
def other(tmp_path, monkeypatch):
    """Another program that has the workspace."""
    monkeypatch.setattr(workspace_lock, "PATIENCE", 0.05)
    command = [sys.executable, "-c", HAS_IT, str(tmp_path), "http://127.0.0.1:9"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


def test_a_workspace_that_another_program_has_is_refused_with_its_name(tmp_path, other):
    since = time.strftime("%Y-%m-%d")
    for ask in (WorkspaceLock(tmp_path).take, lambda: check_free(tmp_path)):
        with pytest.raises(
            WorkspaceTakenError, match=f"process {other.pid}, since {since}.*at http://127.0.0.1:9"
        ) as told:
            ask()
        assert "--workspace" in told.value.remedy
        assert told.value.tenant.process == other.pid
    assert tenant_of(tmp_path).process == other.pid


def test_kill_9_gives_the_workspace_back_at_once(tmp_path, other):
    other.kill()
    other.wait()
    assert tenant_of(tmp_path) is not None
    check_free(tmp_path)
    lock = WorkspaceLock(tmp_path)
    lock.take()
    assert tenant_of(tmp_path) == Tenant(os.getpid(), tenant_of(tmp_path).since)
    lock.give_back()


def test_a_program_that_ends_in_order_leaves_no_address_behind(tmp_path, other):
    other.communicate("")
    assert tenant_of(tmp_path) is None
    check_free(tmp_path)


def test_whether_a_workspace_is_free_is_found_out_without_making_one(tmp_path):
    check_free(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_looking_whether_it_is_free_leaves_it_free_and_its_tenant_alone(tmp_path):
    lock = WorkspaceLock(tmp_path)
    lock.take()
    lock.announce("http://127.0.0.1:1", has_key=True)
    with pytest.raises(WorkspaceTakenError):
        check_free(tmp_path)
    assert tenant_of(tmp_path).address == "http://127.0.0.1:1"
    assert tenant_of(tmp_path).has_key
    lock.give_back()
    check_free(tmp_path)
    check_free(tmp_path)


def test_giving_back_what_was_not_taken_leaves_the_others_address(tmp_path, other):
    lock = WorkspaceLock(tmp_path)
    with pytest.raises(WorkspaceTakenError):
        lock.take()
    lock.give_back()
    assert tenant_of(tmp_path).process == other.pid


@pytest.mark.parametrize("content", ["", "[]", "null", "{", '{"process": 1}', '{"process": "x", "since": 1}', "\x00"])
def test_a_damaged_note_does_not_hide_that_the_workspace_is_taken(content, tmp_path, other):
    (tmp_path / TENANT).write_text(content)
    with pytest.raises(WorkspaceTakenError, match="does not say which"):
        WorkspaceLock(tmp_path).take()


def test_what_says_who_has_it_is_for_the_owner_alone(tmp_path):
    lock = WorkspaceLock(tmp_path)
    lock.take()
    for name in (LOCK, TENANT):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
    assert json.loads((tmp_path / TENANT).read_text())["process"] == os.getpid()
    lock.give_back()


def test_a_folder_in_the_place_of_the_lock_is_put_out_of_the_way(tmp_path):
    (tmp_path / LOCK).mkdir()
    (tmp_path / LOCK / "something").touch()
    lock = WorkspaceLock(tmp_path)
    lock.take()
    assert (tmp_path / LOCK).is_file()
    lock.give_back()


def test_a_lock_that_cannot_be_made_is_said_in_words(tmp_path):
    (tmp_path / LOCK).symlink_to("nowhere/at/all")
    with pytest.raises(ResourceError, match="could not be used"):
        WorkspaceLock(tmp_path).take()


def test_a_file_system_without_locks_is_done_without(tmp_path, monkeypatch):
    def none(*_, **__):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("filelock.FileLock.acquire", none)
    lock = WorkspaceLock(tmp_path)
    lock.take()
    assert tenant_of(tmp_path).process == os.getpid()
    lock.give_back()
    assert tenant_of(tmp_path) is None
