"""Finished runs as training leaves them, over the tiny model."""

import json
import shutil
from pathlib import Path

import pytest

from engine.base_holder import BaseHolder
from engine.export.format import Choices
from engine.export.making import make_newest
from engine.export.registry import format_of
from engine.export.source import ExportSource
from engine.model.adapter_files import write_mark
from engine.recipe import Recipe
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import Evaluated, Finished, Started, Stepped
from engine.workspace import Workspace, write_json
from tests.engine.chat.lora import make_lora

TICKET = "the walrus parcel of Mrs Findling"


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def dataset(tmp_path) -> Path:
    folder = tmp_path / "dataset"
    folder.mkdir()
    line = {"ticket": "1", "messages": [{"role": "user", "content": TICKET}, {"role": "assistant", "content": "hello"}]}
    (folder / "train.jsonl").write_text(json.dumps(line) + "\n")
    (folder / "heldout.jsonl").write_text(json.dumps(line) + "\n")
    report = {"format": "zendesk", "tickets_read": 240, "conversations_kept": 199, "dropped": {"no answer": 41}}
    (folder / "report.json").write_text(json.dumps(report | {"redactions": {"email": 30, "phone": 4}}))
    return folder


def finished_run(workspace: Workspace, dataset: Path, base, **settings) -> RunDirectory:
    """A run with an adapter, a curve and versions, as trainer.py leaves one."""
    recipe = Recipe(**{"model": base.ref, **settings})
    run = RunDirectory.create(workspace, recipe, dataset, "Spring | <b>sale</b>", "Zendesk")
    run.emit(Started(9216, 1_000_000, 12, 0, 180, 19, "CPU, 2 threads"))
    run.emit(Evaluated(0, 4.0))
    for step in range(1, 13):
        run.emit(Stepped(step, step / 6, 4.0 - step / 5, 1e-4, 0.5, 100.0, 1.5, 7.0 * step))
    run.emit(Evaluated(6, 1.5))
    run.emit(Evaluated(12, 1.7))
    run.emit(Finished(6, 84.0))
    run.update(state="running")
    run.update(state="finished")
    versions = {"torch": "2.13.0+cpu", "transformers": "5.23.0", "peft": "0.21.2", "bitsandbytes": "0.50.2"}
    write_json(run.path / "environment.json", {"device": "CPU, 2 threads", "compute_type": "float32", **versions})
    make_lora(base, run.adapter, seed=1)
    base.chat.save(run.adapter)
    write_mark(run.adapter, base.mark)
    return run


def export(run: RunDirectory, out: Path, format_: str = "adapter", report=lambda *_: None, **choices) -> Path:
    """Export a run as the program does."""
    cache = run.path / "cache"
    bases = BaseHolder(cache)
    try:
        return make_newest(
            lambda: ExportSource.of_run(run, bases, cache), format_of(format_), out, Choices(**choices), report
        )
    finally:
        bases.close()


def to_checkpoints(run: RunDirectory, *steps: int) -> None:
    """Leave a run as it is in the middle: without a result, with checkpoints that hold its weights."""
    for step in steps:
        made = Path(shutil.copytree(run.adapter, run.checkpoint(step)))
        write_json(made / "trainer_state.json", {"global_step": step})
        (made / "base_weights.json").unlink()
        (made / "optimizer.pt").write_bytes(b"not for export")
    shutil.rmtree(run.adapter)


@pytest.fixture
def run(workspace, dataset, tiny_base) -> RunDirectory:
    return finished_run(workspace, dataset, tiny_base)
