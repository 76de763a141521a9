"""A checkpoint goes into an arena weight by weight, and is the model that it is anywhere else."""

import errno
import mmap
import os
from types import SimpleNamespace

import psutil
import pytest
import torch

from engine.errors import ResourceError
from engine.model.base import load_base
from engine.model.streaming import disk, loading
from engine.model.unpacking import linear_4bit_layers
from engine.recipe import Recipe

IDS = torch.arange(20)[None]


def loaded(ref, folder):
    return load_base(Recipe(model=str(ref)), folder, lambda *_: None, streamed=True)


@pytest.fixture(scope="module")
def packed_checkpoint(packed_base, tmp_path_factory):
    """A checkpoint that is in 4 bit already."""
    folder = tmp_path_factory.mktemp("packed") / "model"
    packed_base.model.save_pretrained(folder)
    packed_base.chat.tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["16 bit", "4 bit"])
def test_a_streamed_base_is_loaded_bit_for_bit(kind, packed_base, packed_checkpoint, tmp_path):
    base = loaded(packed_base.ref if kind == "16 bit" else packed_checkpoint, tmp_path)
    assert base.is_streamed
    pieces = [range(piece.data_ptr(), piece.data_ptr() + piece.nbytes) for piece in base.arena.pieces]
    layers = zip(linear_4bit_layers(base.model), linear_4bit_layers(packed_base.model), strict=True)
    for number, (own, other) in enumerate(layers):
        assert own.weight.data_ptr() in pieces[number // 7]
        assert own.quant_state is own.weight.quant_state
        assert torch.equal(own.weight, other.weight)
    with torch.no_grad():
        assert torch.equal(base.copy()(IDS).logits, packed_base.model(IDS).logits)
    assert loading.AUTO_QUANTIZER_MAPPING[loading.METHOD] is loading.Bnb4BitHfQuantizer


def test_no_more_than_one_weight_is_there_in_16_bit(packed_base, tmp_path, monkeypatch):
    alive, real = [], loading._Packed.convert

    def convert(self, input_dict, full_layer_name=None, model=None, **options):
        there = [layer.weight for layer in linear_4bit_layers(model) if layer.weight.device.type != "meta"]
        alive.append((len(there), any(weight.is_floating_point() for weight in there)))
        return real(self, input_dict, full_layer_name=full_layer_name, model=model, **options)

    monkeypatch.setattr(loading._Packed, "convert", convert)
    loaded(packed_base.ref, tmp_path)
    assert alive == [(number, False) for number in range(35)]


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_where_memory_is_short_the_arena_is_a_file_that_no_end_of_the_program_leaves_behind(
    packed_base, tmp_path, monkeypatch
):
    monkeypatch.setattr(loading, "ARENA_SHARE", 0.0)
    made, real = [], disk._reserve
    monkeypatch.setattr(
        disk, "_reserve", lambda *a: (real(*a), made.append([file.stat() for file in files_in(tmp_path)]))
    )
    bases = [loaded(packed_base.ref, tmp_path) for _ in range(2)]
    assert [seen.st_size > bases[0].arena.bytes for (seen,) in made] == [True, True], "each has a file of its own"
    assert not list(tmp_path.iterdir()), "it has no name any more: kill -9 gives its room back too"
    for base in bases:
        assert base.arena.disk is not None
        assert not base.arena.is_pinned
        with torch.no_grad():
            assert torch.equal(base.copy()(IDS).logits, packed_base.model(IDS).logits)


def test_reading_from_a_file_is_timed_without_what_the_system_keeps_of_it(tmp_path, monkeypatch):
    memory, read = disk.DiskMemory(3 * mmap.PAGESIZE + 5, tmp_path), []
    memory.bytes.fill_(7)
    real = os.pread
    monkeypatch.setattr(os, "pread", lambda *a: (read.append(a[1]), real(*a))[1])
    assert memory.read_speed() > 0
    assert sum(read) >= 3 * mmap.PAGESIZE
    assert bool((memory.bytes == 7).all())
    memory.soon(mmap.PAGESIZE + 17, 100)


def test_a_disk_without_room_for_the_layers_is_told_before_anything_is_read(packed_base, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(loading, "ARENA_SHARE", 0.0)
    monkeypatch.setattr(disk, "_reserve", full)
    with pytest.raises(ResourceError, match=r"disk that holds .* is full"):
        loaded(packed_base.ref, tmp_path)
    assert not list(tmp_path.iterdir())


def test_processes_that_share_a_run_need_room_for_their_layers_each(streamed_base, monkeypatch):
    layouts, size = streamed_base.arena.layouts, streamed_base.arena.bytes
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1.5 * size))
    assert not loading.is_short_for(layouts)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert loading.is_short_for(layouts)
