"""What goes wrong around a run, as the window meets it: the program starts, the run is there, Resume works or says why.

One run of the tiny model is stopped in the middle; every test damages a copy of it and opens it in a fresh Studio.
"""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch

from engine.errors import LostGpuError, ResourceError, StudioError
from engine.recipe import Recipe
from engine.studio import Studio
from engine.training.qlora_trainer import QLoRATrainer
from engine.training.runs import checkpoints
from engine.training.runs import directory as runs
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import LogNote, Stepped
from engine.training.runs.history_reader import HistoryReader
from engine.workspace import Workspace
from tests.tiny import write_data

DEADLINE = 120.0
STEPS = 9
CUDA = "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be asynchronously reported"


def new_run(studio, tiny_model, data, name="one", **changes):
    values = {"max_steps": STEPS, "epochs": 50.0, "batch_size": 2, "accumulation": 1, "max_length": 64, "eval_steps": 3}
    recipe = Recipe(**{"model": str(tiny_model), **values, **changes})
    run = RunDirectory.create(studio.workspace, recipe, data, name)
    return studio.runs.get(run.id)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("tickets") / "data")


@pytest.fixture
def open_studio(tiny_base):
    """Open a workspace as the program does."""
    opened = []

    def opening(root):
        opened.append(Studio(Workspace(root)))
        return opened[-1]

    yield opening
    for studio in opened:
        studio.close()


@pytest.fixture(scope="module")
def broken_off(tiny_model, tiny_base, data, tmp_path_factory):
    """A workspace with a run that failed after step 7, with checkpoints at 3 and 6."""
    root = tmp_path_factory.mktemp("broken off")
    with pytest.MonkeyPatch.context() as patch:
        fail_after(patch, 7, ValueError("surprise"))
        studio = Studio(Workspace(root))
        run = new_run(studio, tiny_model, data)
        studio.runs.queue.add(run)
        assert studio.runs.queue.wait(run.id, DEADLINE)
        studio.close()
    assert run.status.state == "failed"
    assert run.checkpoint_steps() == [3, 6]
    return root


@pytest.fixture
def workspace(broken_off, tmp_path):
    return shutil.copytree(broken_off, tmp_path / "workspace")


def fail_after(patch, step, error):
    real = QLoRATrainer.training_step

    def failing(self, *args, **kwargs):
        if self.state.global_step == step:
            raise error
        return real(self, *args, **kwargs)

    patch.setattr(QLoRATrainer, "training_step", failing)


def only_run(root):
    [folder] = (root / "runs").iterdir()
    return folder


def resumed(studio):
    """Press Resume on the only run of the list; return it when it has ended."""
    [info] = studio.runs.all()
    studio.runs.resume(info.id)
    assert studio.runs.queue.wait(info.id, DEADLINE)
    return studio.runs.info(info.id)


def notes(info):
    return [note.text for _, note in info.history.notes]


def is_whole(info):
    return info.status.state == "finished" and [seen.step for seen in info.history.steps] == [*range(1, STEPS + 1)]


def test_a_gpu_that_stops_answering_fails_one_run_and_spares_those_behind_it(
    open_studio, tiny_model, data, tmp_path, monkeypatch
):
    studio = open_studio(tmp_path)
    first, second = (new_run(studio, tiny_model, data, name) for name in ("first", "second"))
    with monkeypatch.context() as patch:
        fail_after(patch, 5, RuntimeError(CUDA))
        for run in (first, second):
            studio.runs.queue.add(run)
        for run in (first, second):
            assert studio.runs.queue.wait(run.id, DEADLINE)
    assert [run.status.state for run in (first, second)] == ["failed", "interrupted"]
    for run in (first, second):
        assert "Restart the program, then press Resume." in run.status.message
    assert checkpoints.newest_sound(first.checkpoints) == 3
    assert first.has_adapter()
    assert not second.events_file.exists(), "nothing was tried on the lost GPU"
    with pytest.raises(LostGpuError, match="Restart the program"):
        studio.runs.resume(first.id)
    assert first.status.state == "failed"
    again = open_studio(tmp_path)
    for run in (first, second):
        again.runs.resume(run.id)
    for run in (first, second):
        assert again.runs.queue.wait(run.id, DEADLINE)
        assert is_whole(again.runs.info(run.id))


def test_a_run_started_on_a_lost_gpu_waits_for_the_next_start(open_studio, tiny_model, data, tmp_path, monkeypatch):
    studio = open_studio(tmp_path)
    run = new_run(studio, tiny_model, data)
    with monkeypatch.context() as patch:
        fail_after(patch, 0, RuntimeError(CUDA))
        studio.runs.queue.add(run)
        assert studio.runs.queue.wait(run.id, DEADLINE)
    monkeypatch.setattr(studio.tickets, "get", lambda _: _data(data))
    monkeypatch.setattr(studio.tickets, "info", lambda _: _info)
    with pytest.raises(LostGpuError):
        studio.runs.start(run.recipe, "set", "late")
    [late] = [info for info in studio.runs.all() if info.status.name == "late"]
    assert late.status.state == "interrupted"
    assert late.resumable
    assert "Restart the program" in late.status.message


def _data(folder):
    return type("Data", (), {"folder": folder})


_info = type("Info", (), {"name": "the tickets"})


def damage_newest_optimizer(run):
    file = run / "checkpoints" / "checkpoint-6" / "optimizer.pt"
    file.write_bytes(file.read_bytes()[:5000])


def flip_a_bit_in_the_newest_optimizer(run):
    file = run / "checkpoints" / "checkpoint-6" / "optimizer.pt"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)


def delete_the_newest(run):
    shutil.rmtree(run / "checkpoints" / "checkpoint-6")


def delete_all(run):
    shutil.rmtree(run / "checkpoints")


def damage_all(run):
    for folder in (run / "checkpoints").glob("checkpoint-*"):
        (folder / "trainer_state.json").write_bytes(b"\x00\xff" * 50)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (damage_newest_optimizer, "The checkpoint of step 6 is damaged; the run goes on from step 3."),
        (flip_a_bit_in_the_newest_optimizer, "The checkpoint of step 6 is damaged; the run goes on from step 3."),
        (delete_the_newest, "The checkpoint of step 6 is gone; the run goes on from step 3."),
        (delete_all, "The checkpoint of step 6 is gone; the run goes on from the beginning."),
        (damage_all, "The checkpoint of step 3, 6 is damaged; the run goes on from the beginning."),
    ],
)
def test_a_lost_checkpoint_costs_the_steps_since_the_one_before_it(damage, sentence, workspace, open_studio):
    damage(only_run(workspace))
    ended = resumed(open_studio(workspace))
    assert is_whole(ended), ended.status.message
    assert sentence in notes(ended)
    assert checkpoints.newest_sound(only_run(workspace) / "checkpoints") == STEPS


def test_a_damaged_checkpoint_does_not_push_out_sound_ones(workspace, open_studio):
    """They would be the newest for good: 6 and a later 8, where only one is to be kept and none is known to be best."""
    file = only_run(workspace) / "recipe.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "keep_checkpoints": 1}))
    (only_run(workspace) / "data" / "heldout.jsonl").unlink()
    damage_newest_optimizer(only_run(workspace))
    folder = only_run(workspace) / "checkpoints"
    shutil.copytree(folder / "checkpoint-6", folder / "checkpoint-8")
    with pytest.MonkeyPatch.context() as patch:
        fail_after(patch, 7, ValueError("again"))
        assert resumed(open_studio(workspace)).status.state == "failed"
    assert checkpoints.newest_sound(folder) == 6


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\xff\x00 no json",
        b"[]",
        b"null",
        b'{"name": 5, "state": "finished", "created_at": 0}',
        b'{"name": "x", "state": "dancing", "created_at": 0}',
        b'{"name": "x", "state": "running", "created_at": NaN, "process": "1"}',
        b'{"name": "x", "state": "running", "created_at": 1, "process": 99999999999999999999}',
        None,
    ],
)
def test_a_damaged_status_is_rebuilt_and_the_run_resumes(content, workspace, open_studio):
    file = only_run(workspace) / "status.json"
    file.unlink()
    if content is None:
        file.mkdir()
        (file / "something").touch()
    else:
        file.write_bytes(content)
    shutil.rmtree(only_run(workspace) / "adapter")
    studio = open_studio(workspace)
    [info] = studio.runs.all()
    assert info.status.state == "interrupted"
    assert info.resumable
    studio.runs.rename(info.id, "found again")
    studio.runs.get(info.id).update(state="interrupted")
    assert Studio(Workspace(workspace)).runs.all()[0].status.name == "found again"


def test_a_run_whose_status_became_a_folder_can_be_finished(workspace, open_studio):
    file = only_run(workspace) / "status.json"
    file.unlink()
    file.mkdir()
    shutil.rmtree(only_run(workspace) / "adapter")
    assert is_whole(resumed(open_studio(workspace)))


@pytest.mark.parametrize(
    "content", [b"", b"\x80\xff\x00", b"[]", b"null", b"5", b'{"rank": "many"}', b'{"nonsense": 1}', b'{"alpha": NaN}']
)
def test_a_damaged_recipe_is_said_at_once_and_the_run_stays_in_the_list(content, workspace, open_studio):
    (only_run(workspace) / "recipe.json").write_bytes(content)
    studio = open_studio(workspace)
    [info] = studio.runs.all()
    assert info.recipe is None
    assert not info.resumable
    assert info.status.name == "one"
    assert len(info.history.steps) == 7
    if content != b"":
        assert studio.playground.voices()
    with pytest.raises(StudioError):
        studio.runs.resume(info.id)
    assert not studio.runs.queue.knows(info.id)


def test_garbage_in_the_events_costs_the_lines_that_it_hit(workspace, open_studio):
    file = only_run(workspace) / "events.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    garbage = [
        os.urandom(3000).replace(b"\n", b" ") + b"\n",
        b'{"at": 1, "kind": "step", "text": "' + b"x" * 10_000_000 + b'"}\n',
        b"[" * 100_000 + b"\n",
        b'{"at": 1, "kind": "step", "step": null, "loss": "low"}\n',
        b'{"at": "now", "kind": "note", "text": "x"}\n',
        b'{"at": 1, "kind": "note", "text": 5}\n',
        b"\n\n\r\n\x00\n",
    ]
    middle = len(lines) // 2
    file.write_bytes(b"".join(lines[:middle] + garbage + lines[middle:]) + b'{"at": 1, "kind": "no')
    studio = open_studio(workspace)
    [info] = studio.runs.all()
    assert [seen.step for seen in info.history.steps] == [*range(1, 8)]
    assert is_whole(resumed(studio))


@pytest.mark.parametrize("kind", ["folder", "gone"])
def test_events_that_cannot_be_read_leave_the_run_in_the_list(kind, workspace, open_studio):
    file = only_run(workspace) / "events.jsonl"
    file.unlink()
    if kind == "folder":
        file.mkdir()
    studio = open_studio(workspace)
    [info] = studio.runs.all()
    assert info.history.steps == ()
    ended = resumed(studio)
    if kind == "folder":
        assert ended.status.state == "failed"
        assert "events.jsonl could not be used" in ended.status.message
    else:
        assert ended.status.state == "finished"
        assert [seen.step for seen in ended.history.steps] == [7, 8, 9]


def test_a_reader_looks_again_only_when_something_is_new_and_begins_again_with_another_file(tmp_path):
    run = RunDirectory(tmp_path)
    for step in (1, 2):
        run.emit(Stepped(step, 0.1, 1.0, 1e-4, 1.0, 10.0, 1.0, float(step)))
    run.emit(LogNote("a line\u2028with a break of another alphabet \x85"))
    with run.events_file.open("ab") as file:
        file.write(b"x" * 1000)
    reader = HistoryReader(run.events_file)
    assert len(reader.read().steps) == 2
    assert len(reader.read().notes) == 1
    first = reader.read()
    assert reader.read() is first
    run.events_file.unlink()
    assert reader.read() is first
    run.emit(Stepped(1, 0.1, 1.0, 1e-4, 1.0, 10.0, 1.0, 1.0))
    assert [seen.step for seen in reader.read().steps] == [1]


@pytest.mark.parametrize("damage", ["gone", "binary", "folder"])
def test_a_run_whose_tickets_are_lost_says_so_and_keeps_what_it_has_learnt(damage, workspace, open_studio):
    folder = only_run(workspace) / "data"
    if damage == "gone":
        shutil.rmtree(folder)
    else:
        (folder / "train.jsonl").unlink()
        if damage == "binary":
            (folder / "train.jsonl").write_bytes(b"\x80\xff\n" * 10)
        else:
            (folder / "train.jsonl").mkdir()
    studio = open_studio(workspace)
    ended = resumed(studio)
    assert ended.status.state == "failed"
    assert "unexpectedly" not in ended.status.message
    said = {"gone": "no conversations", "binary": "Line 1 of train.jsonl", "folder": "cannot be read: Is a directory"}
    assert said[damage] in ended.status.message
    assert ended.has_adapter
    assert studio.runs.get(ended.id).checkpoint_steps() == [3, 6]


def test_a_disk_that_fills_up_in_a_checkpoint_keeps_the_one_before_and_resume_works(
    open_studio, tiny_model, data, tmp_path, monkeypatch
):
    studio = open_studio(tmp_path)
    run = new_run(studio, tiny_model, data)
    real, saves = torch.save, iter(range(1, 1000))

    def filling(value, file, *args, **kwargs):
        if next(saves) > 4 and "optimizer" in str(file):
            Path(file).write_bytes(b"PK")
            raise OSError(28, "No space left on device")
        return real(value, file, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", filling)
        studio.runs.queue.add(run)
        assert studio.runs.queue.wait(run.id, DEADLINE)
    assert run.status.state == "failed"
    assert "is full" in run.status.message
    assert run.checkpoint_steps() == [3]
    assert not (run.checkpoints / checkpoints.MAKING).exists()
    assert is_whole(resumed(studio))


def test_a_run_that_cannot_even_write_its_end_can_be_resumed_when_there_is_room(
    open_studio, tiny_model, data, tmp_path, monkeypatch
):
    """Else it would read 'running' for as long as the program lives."""
    studio = open_studio(tmp_path)
    run = new_run(studio, tiny_model, data)
    with monkeypatch.context() as patch:
        real = QLoRATrainer.training_step

        def filling(self, *args, **kwargs):
            if self.state.global_step == 4:
                patch.setattr(runs, "write_json", no_room)
                patch.setattr(runs, "append", no_room)
                raise OSError(28, "No space left on device")
            return real(self, *args, **kwargs)

        patch.setattr(QLoRATrainer, "training_step", filling)
        studio.runs.queue.add(run)
        assert studio.runs.queue.wait(run.id, DEADLINE)
        assert run.status.state == "failed"
        with pytest.raises(ResourceError, match="full"):
            studio.runs.resume(run.id)
        assert run.status.state == "failed"
    assert is_whole(resumed(studio))


def no_room(*_, **__):
    raise ResourceError("The disk is full.", "Free some space.")


def test_a_broken_loss_proposes_a_rate_to_start_again_with(open_studio, tiny_model, data, tmp_path, monkeypatch):
    studio = open_studio(tmp_path)
    run = new_run(studio, tiny_model, data, learning_rate=3e-3)
    real = QLoRATrainer.training_step
    with monkeypatch.context() as patch:
        patch.setattr(
            QLoRATrainer,
            "training_step",
            lambda self, *args, **kwargs: (
                real(self, *args, **kwargs) * (float("nan") if self.state.global_step == 5 else 1.0)
            ),
        )
        studio.runs.queue.add(run)
        assert studio.runs.queue.wait(run.id, DEADLINE)
    status = Studio(Workspace(tmp_path)).runs.all()[0].status
    assert status.state == "failed"
    assert status.lower_rate == 6e-4
    assert "0.0006 instead of 0.003" in status.message
    assert run.has_adapter()
    assert checkpoints.best_step(run.checkpoints) == 3
    assert resumed(studio).status.lower_rate == 0.0


def test_the_clock_may_jump_without_a_live_run_looking_dead(open_studio, tiny_model, data, tmp_path, monkeypatch):
    """psutil counts a process's start from the computer's clock."""
    import psutil

    run = new_run(open_studio(tmp_path), tiny_model, data)
    run.update(state="queued")
    assert run.status.state == "queued"
    real = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: real(self) + 3600)
    assert run.status.state == "queued"
