import os

import pytest

from engine.errors import ResourceError, StudioError
from engine.workspace import (
    Workspace,
    explain_disk_error,
    private_file,
    read_json,
    slug,
    write_atomically,
    write_json,
)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("March tickets", "march-tickets"),
        ("../../etc/passwd", "etc-passwd"),
        ("Zürich / 日本", "zurich"),
        ("日本", "untitled"),
        ("", "untitled"),
        ("a" * 100, "a" * 40),
        ("-x-", "x"),
    ],
)
def test_any_name_becomes_a_safe_folder_name(text, safe):
    assert slug(text) == safe


@pytest.fixture
def open_umask():
    """Files are made for everybody, unless somebody sees to it."""
    before = os.umask(0)
    yield
    os.umask(before)


def readable(root):
    """What others may look into, the folder itself among it."""
    return [path for path in (root, *root.rglob("*")) if not path.is_symlink() and path.stat().st_mode & 0o077]


def test_an_id_from_outside_never_becomes_another_path(tmp_path):
    workspace = Workspace(tmp_path)
    (tmp_path / "secret").mkdir()
    made = workspace.new_folder(workspace.runs, "One")
    assert workspace.child(workspace.runs, made.name) == made
    for identifier in ("../secret", "..", ".", "", "/etc", f"../runs/{made.name}", "nothing"):
        with pytest.raises(StudioError):
            workspace.child(workspace.runs, identifier)


def test_two_folders_of_one_second_get_two_names(tmp_path):
    workspace = Workspace(tmp_path)
    names = {workspace.new_folder(workspace.runs, "same").name for _ in range(5)}
    assert len(names) == 5


def test_what_is_discarded_comes_back(tmp_path):
    workspace = Workspace(tmp_path)
    folder = workspace.new_folder(workspace.runs, "x")
    (folder / "file").write_text("kept")
    deleted = workspace.discard(folder, "x")
    assert not folder.exists()
    workspace.restore(deleted)
    assert (folder / "file").read_text() == "kept"
    with pytest.raises(StudioError, match="no longer"):
        workspace.restore(deleted)


def test_old_trash_goes_and_fresh_trash_stays(tmp_path):
    workspace = Workspace(tmp_path)
    (workspace.trash / "1000000000000000000-old").mkdir()
    fresh = workspace.discard(workspace.new_folder(workspace.runs, "x"), "x")
    workspace.empty_old_trash()
    assert list(workspace.trash.iterdir()) == [fresh.trashed]


def test_a_write_is_whole_or_not_at_all(tmp_path, monkeypatch):
    file = tmp_path / "status.json"
    write_json(file, {"state": "running"})

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match="full"):
        write_atomically(file, "half")
    assert read_json(file) == {"state": "running"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["status.json"]


def test_a_file_is_for_the_owner_alone_even_when_it_replaces_an_open_one(tmp_path, open_umask):
    file = tmp_path / "origin.json"
    file.write_text("old")
    assert file.stat().st_mode & 0o077
    write_json(file, {"new": 1})
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o666)
    private_file(file).close()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_workspace_is_for_its_owner_alone_and_an_older_one_is_closed(tmp_path, open_umask):
    made = Workspace(tmp_path / "new")
    made.new_folder(made.runs, "Run 1")
    assert readable(made.root) == []
    old = tmp_path / "old" / "datasets" / "march"
    old.mkdir(parents=True)
    (old / "train.jsonl").write_text("a ticket")
    (old / "script.sh").touch(0o755)
    outside = tmp_path / "outside.txt"
    outside.write_text("not ours")
    (old / "link").symlink_to(outside)
    Workspace(tmp_path / "old")
    assert readable(tmp_path / "old") == []
    assert (old / "train.jsonl").read_text() == "a ticket"
    assert outside.stat().st_mode & 0o777 == 0o666


def test_a_folder_that_cannot_be_made_is_said_in_words(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="could not be used"):
        Workspace(tmp_path / "file" / "deeper")
    assert "--workspace" in str(explain_disk_error(PermissionError(13, "denied"), tmp_path))


def test_a_damaged_file_is_said_in_words(tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(StudioError, match=r"x\.json"):
        read_json(tmp_path / "x.json")
