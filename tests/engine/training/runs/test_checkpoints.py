"""Which checkpoints are there, and which of them can be trusted."""

import json

import pytest
import torch
from safetensors.torch import save_file

from engine.errors import ResourceError
from engine.training.runs.checkpoints import MAKING, is_sound, newest_sound, remove_older, steps, written_aside


def write(folder, step):
    """A small checkpoint of the shape that the Trainer writes."""
    folder.mkdir(parents=True)
    save_file({"a": torch.ones(3), "b": torch.zeros(2, 2)}, folder / "adapter_model.safetensors")
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth"):
        torch.save({"x": torch.ones(4)}, folder / name)
    (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    return folder


@pytest.fixture
def checkpoints(tmp_path):
    for step in (5, 10, 15):
        write(tmp_path / f"checkpoint-{step}", step)
    return tmp_path


def test_complete_checkpoints_are_found_in_order(checkpoints):
    (checkpoints / "checkpoint-20").mkdir()
    (checkpoints / "checkpoint-x").mkdir()
    assert steps(checkpoints) == [5, 10, 15]
    assert steps(checkpoints / "missing") == []


@pytest.mark.parametrize(
    "name", ["adapter_model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json"]
)
@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "noise"])
def test_a_damaged_file_makes_the_one_before_it_the_newest_sound_one(checkpoints, name, damage):
    assert newest_sound(checkpoints) == 15
    file = checkpoints / "checkpoint-15" / name
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes({"cut": content[: len(content) * 2 // 3], "empty": b"", "noise": b"\xff" * 90}[damage])
    assert not is_sound(checkpoints / "checkpoint-15")
    assert newest_sound(checkpoints) == 10


def test_without_a_sound_one_it_begins_again(checkpoints):
    for step in (5, 10, 15):
        (checkpoints / f"checkpoint-{step}" / "optimizer.pt").write_bytes(b"")
    assert newest_sound(checkpoints) == 0


def test_what_is_written_aside_appears_at_once_and_whole(tmp_path):
    with written_aside(tmp_path, 7) as side:
        write(side / "checkpoint-7", 7)
        assert steps(tmp_path) == []
    assert steps(tmp_path) == [7]
    assert is_sound(tmp_path / "checkpoint-7")
    assert [entry.name for entry in tmp_path.iterdir()] == ["checkpoint-7"]


def test_a_failure_while_writing_leaves_the_earlier_ones_alone(checkpoints):
    with pytest.raises(ResourceError, match="full"), written_aside(checkpoints, 20) as side:
        write(side / "checkpoint-20", 20)
        raise OSError(28, "No space left on device")
    assert steps(checkpoints) == [5, 10, 15]
    assert not (checkpoints / MAKING).exists()


def test_a_step_that_is_written_again_replaces_the_old_one(checkpoints):
    with written_aside(checkpoints, 15) as side:
        write(side / "checkpoint-15", 15)
        (side / "checkpoint-15" / "new").write_text("")
    assert (checkpoints / "checkpoint-15" / "new").exists()


def test_older_ones_go_and_the_best_stays(checkpoints):
    remove_older(checkpoints, 1, {5, None})
    assert steps(checkpoints) == [5, 15]
    assert {entry.name for entry in checkpoints.iterdir()} == {"checkpoint-5", "checkpoint-15"}
