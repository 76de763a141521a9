"""However an export ends before its end, nothing of it stays: wherever it is called off, whatever fails."""

import errno
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.base_holder import BaseHolder
from engine.errors import Cancelled, ResourceError, StudioError
from engine.export.format import Choices
from engine.export.making import make
from engine.export.registry import FORMATS
from engine.export.source import ExportSource
from engine.task import Report, Task

CHOICES = {"gguf-adapter": {"quantisation": "with-base-q8_0"}}
"""So that it writes its base too."""


@pytest.fixture
def exporting(run):
    """Exports a run over one loaded base: (format, out, report)."""
    bases = BaseHolder(run.path / "cache")

    def export(key: str, out: Path, report: Report) -> Path:
        source = ExportSource.of_run(run, bases, run.path / "cache")
        return make(source, FORMATS[key], out, Choices(**CHOICES.get(key, {})), report)

    yield export
    bases.close()


def stages_of(export: Callable[..., Path], key: str, out: Path) -> list[str]:
    """What an export in a format says that it is doing once its base is loaded, in order, without the numbers in it."""
    export("gguf", out.with_name("loads.zip"), lambda *_: None)
    told: list[str] = []
    export(key, out, lambda stage, _: told.append(plain(stage)))
    return list(dict.fromkeys(told))


def plain(stage: str) -> str:
    return re.sub(r"\d+", "#", stage)


def everything(home: Path) -> list[Path]:
    return sorted(home.rglob("*"))


@pytest.mark.parametrize("key", FORMATS)
def test_it_ends_at_once_wherever_it_is_called_off(key, exporting, tmp_path):
    """It stands at each stage in turn until somebody has pressed Cancel, and says nothing more after that."""
    home = tmp_path / "home"
    home.mkdir()
    stages = stages_of(exporting, key, tmp_path / "whole.zip")
    assert len(stages) >= 5, stages
    for wanted in stages:
        there, go = threading.Event(), threading.Event()
        after: list[str] = []

        def action(task: Task[Any], wanted=wanted, there=there, go=go, after=after) -> Path:
            def report(stage: str, fraction: float | None) -> None:
                if there.is_set():
                    after.append(stage)
                elif plain(stage) == wanted:
                    there.set()
                    assert go.wait(60)
                task.report(stage, fraction)

            return exporting(key, home / "mine.zip", report)

        task = Task("Exporting", action)
        assert there.wait(60), f"it never comes to '{wanted}', and is {task.snapshot()}"
        task.cancel()
        go.set()
        with pytest.raises(StudioError, match="cancelled"):
            task.wait(60)
        # tidying may look at what is asked of it once more, and must not go on to the next stage
        assert len(after) <= 1, f"called off at '{wanted}', it went on to {after}"
        assert everything(home) == [], f"called off at '{wanted}', it leaves {everything(home)}"


def test_what_is_deleted_while_it_is_exported_takes_nothing_half_made_along(run, exporting, tmp_path):
    """Into the trash, as the window does it; the export goes into the run's own folder."""
    trash, runs = tmp_path / "trash", run.path.parent
    for wanted in stages_of(exporting, "merged", tmp_path / "whole.zip"):
        before = everything(runs)

        def report(stage: str, _: float | None, wanted=wanted) -> None:
            if plain(stage) == wanted and run.path.is_dir():
                run.path.rename(trash)

        with pytest.raises(StudioError, match="was deleted while it was exported"):
            exporting("merged", run.path / "exports" / "mine.zip", report)
        assert not run.path.exists()
        trash.rename(run.path)
        assert [path for path in everything(runs) if path not in before and path.name != "exports"] == []


def test_what_a_killed_export_has_left_is_swept_by_the_next_one_there(exporting, tmp_path):
    home, program = tmp_path / "home", subprocess.Popen([sys.executable, "-c", ""])
    begun = psutil.Process(program.pid).create_time()
    program.wait()
    left = home / f".export.{program.pid}-{begun:.2f}.x.scratch"
    (left / "files").mkdir(parents=True)
    exporting("adapter", home / "mine.zip", lambda *_: None)
    assert [path.name for path in home.iterdir()] == ["mine.zip"]


@pytest.mark.parametrize("key", FORMATS)
def test_a_disk_that_fills_up_at_any_stage_is_told_in_words(key, exporting, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    for wanted in stages_of(exporting, key, tmp_path / "whole.zip"):

        def report(stage: str, _: float | None, wanted=wanted) -> None:
            if plain(stage) == wanted:
                raise OSError(errno.ENOSPC, "No space left on device")

        with pytest.raises(ResourceError, match=r"The disk that holds .*mine\.zip is full"):
            exporting(key, home / "mine.zip", report)
        assert everything(home) == [], f"full at '{wanted}', it leaves {everything(home)}"


@pytest.mark.parametrize("key", FORMATS)
def test_a_folder_that_nobody_may_write_is_named(key, exporting, tmp_path, monkeypatch):
    """As for somebody who is not root: a folder without the right to write is no hindrance for root."""
    home = tmp_path / "home"
    home.mkdir()

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(home))

    monkeypatch.setattr("engine.scratch.tempfile.mkdtemp", refuse)
    with pytest.raises(ResourceError, match=r"mine\.zip cannot be written"):
        exporting(key, home / "mine.zip", lambda *_: None)
    assert everything(home) == []


def test_what_is_called_off_twice_is_called_off_once(exporting, tmp_path):
    def report(*_: object) -> None:
        raise Cancelled

    for _ in range(2):
        with pytest.raises(Cancelled):
            exporting("adapter", tmp_path / "home" / "mine.zip", report)
    assert everything(tmp_path / "home") == []
