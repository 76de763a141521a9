"""Mode -> settings: a table, without a model."""

import dataclasses

import pytest

from engine.errors import RecipeError
from engine.hardware import GIB, RUN_SHARE
from engine.model.size import ModelSize
from engine.recipe import Recipe
from engine.training.memory import modes
from engine.training.memory.modes import Epoch, Machine, choose, expected, split, steps

SEVEN_B = ModelSize(32, 4096, 11_008, 32_000, 6_476_005_376, 2 * 32_000 * 4096)
GPU = Machine(gpu=True, free_bytes=130 * GIB, kernel="varlen", packs=True, compiles=True, recomputes=True)
PROCESSOR = Machine(gpu=False, free_bytes=0, kernel="sdpa", packs=True, compiles=False, recomputes=True)
LARGE = Epoch(conversations=20_000, packed_rows=5_000, tokens=5_000_000, longest=1024)
SMALL = Epoch(conversations=200, packed_rows=50, tokens=50_000, longest=700)


@pytest.mark.parametrize(
    ("memory", "recompute", "offload", "unpack", "micro_batch", "accumulation"),
    [
        ("saving", True, True, False, 4, 2),
        ("balanced", True, True, False, 8, 1),
        ("spacious", False, False, True, 8, 1),
    ],
)
def test_each_mode_pulls_its_levers(memory, recompute, offload, unpack, micro_batch, accumulation):
    made = choose(Recipe(memory=memory), GPU, SEVEN_B, LARGE)
    assert (made.mode, made.recompute, made.offload, made.unpack) == (memory, recompute, offload, unpack)
    assert (made.micro_batch, made.accumulation) == (micro_batch, accumulation)
    assert made.packing
    assert made.flat
    assert made.compiled
    assert made.batch_tokens == micro_batch * 1024


@pytest.mark.parametrize("memory", ["saving", "balanced", "spacious"])
@pytest.mark.parametrize(("batch_size", "accumulation"), [(4, 2), (1, 1), (3, 5), (16, 4), (7, 1)])
def test_a_step_holds_what_the_recipe_says_in_every_mode(memory, batch_size, accumulation):
    recipe = Recipe(memory=memory, batch_size=batch_size, accumulation=accumulation)
    for machine in (GPU, PROCESSOR):
        made = choose(recipe, machine, SEVEN_B, LARGE)
        assert made.micro_batch * made.accumulation == batch_size * accumulation


def test_auto_takes_the_fastest_way_that_fits():
    def way(gib):
        made = choose(Recipe(), dataclasses.replace(GPU, free_bytes=gib * GIB), SEVEN_B, LARGE)
        return made.mode, made.unpack, made.micro_batch

    assert {gib: way(gib) for gib in (130, 40, 24, 10, 6, 1.6, 1.1, 0.5)} == {
        130: ("spacious", True, 8),
        40: ("spacious", True, 8),
        24: ("spacious", False, 4),
        10: ("spacious", False, 2),
        6: ("balanced", False, 8),
        1.6: ("balanced", False, 4),
        1.1: ("saving", False, 2),
        0.5: ("saving", False, 1),
    }


@pytest.mark.parametrize("memory", ["auto", "saving", "balanced", "spacious"])
@pytest.mark.parametrize("gib", [1, 3, 10, 30, 130])
def test_what_is_chosen_is_expected_to_fit_where_anything_does(memory, gib):
    recipe, machine = Recipe(memory=memory), dataclasses.replace(GPU, free_bytes=gib * GIB)
    made = choose(recipe, machine, SEVEN_B, LARGE)
    least = choose(recipe, dataclasses.replace(GPU, free_bytes=0), SEVEN_B, LARGE)
    room = RUN_SHARE * machine.free_bytes
    assert modes.beyond_base(made, recipe, machine, SEVEN_B, 1024) <= room or made == least
    if memory != "auto":
        assert made.mode == memory


def test_a_long_step_is_taken_in_one_pass_where_there_is_room():
    recipe = Recipe(memory="spacious", batch_size=16, accumulation=1)
    assert choose(recipe, GPU, SEVEN_B, LARGE).micro_batch == 16
    assert choose(recipe, dataclasses.replace(GPU, free_bytes=50 * GIB), SEVEN_B, LARGE).micro_batch == 8
    assert expected(choose(recipe, GPU, SEVEN_B, LARGE), recipe, SEVEN_B, 1024).total < 130 * GIB


def test_packing_is_left_where_it_would_leave_too_few_steps():
    assert steps(Recipe(), SMALL.packed_rows) < modes.PACKED_STEPS <= steps(Recipe(), LARGE.packed_rows)
    made = choose(Recipe(), GPU, SEVEN_B, SMALL)
    assert not made.packing
    assert made.flat
    assert not made.compiled
    assert choose(Recipe(packing="on"), GPU, SEVEN_B, SMALL).packing
    assert not choose(Recipe(packing="off"), GPU, SEVEN_B, LARGE).packing


def test_a_model_that_mixes_packed_texts_is_never_packed():
    machine = dataclasses.replace(GPU, kernel="sdpa", packs=False)
    made = choose(Recipe(packing="on"), machine, SEVEN_B, LARGE)
    assert not made.packing
    assert not made.flat


def test_compiling_waits_for_a_run_that_is_long_enough():
    assert not choose(Recipe(max_steps=20), GPU, SEVEN_B, LARGE).compiled
    assert choose(Recipe(max_steps=300), GPU, SEVEN_B, LARGE).compiled
    assert not choose(Recipe(), dataclasses.replace(GPU, compiles=False), SEVEN_B, LARGE).compiled


def test_without_a_gpu_only_saving_recomputes_and_the_batch_is_the_recipes():
    assert not choose(Recipe(), PROCESSOR, SEVEN_B, LARGE).recompute
    made = choose(Recipe(memory="saving", batch_size=3, accumulation=4), PROCESSOR, SEVEN_B, LARGE)
    assert (made.recompute, made.offload, made.unpack, made.compiled) == (True, False, False, False)
    assert (made.micro_batch, made.accumulation) == (3, 4)
    assert not choose(Recipe(), PROCESSOR, SEVEN_B, LARGE).packing


def test_a_micro_batch_divides_the_rows_of_a_step():
    assert split(8, 4) == (4, 2)
    assert split(7, 4) == (1, 7)
    assert split(12, 5) == (4, 3)
    assert split(8, 0) == (1, 8)


def test_steps_follow_from_epochs_rows_and_the_limit():
    assert steps(Recipe(epochs=2, batch_size=1, accumulation=2), 10) == 10
    assert steps(Recipe(epochs=1, batch_size=1, accumulation=4), 10) == 3
    assert steps(Recipe(epochs=2, batch_size=1, accumulation=2, max_steps=7), 10) == 7
    assert steps(Recipe(epochs=0.01), 1) == 1


@pytest.mark.parametrize("memory", ["saving", "balanced", "spacious"])
@pytest.mark.parametrize("ranks", [1, 2, 4, 8])
def test_a_step_holds_what_the_recipe_says_on_any_number_of_gpus(memory, ranks):
    recipe = Recipe(memory=memory, batch_size=4, accumulation=2)
    for machine in (GPU, PROCESSOR):
        made = choose(recipe, dataclasses.replace(machine, ranks=ranks), SEVEN_B, LARGE)
        assert made.micro_batch * made.accumulation * ranks == 8


def test_gpus_that_cannot_share_a_step_evenly_are_refused_in_words():
    with pytest.raises(RecipeError, match=r"8 rows .* which 3 GPUs cannot share evenly") as seen:
        choose(Recipe(), dataclasses.replace(GPU, ranks=3), SEVEN_B, LARGE)
    assert "Use 2" in seen.value.remedy


def test_a_split_base_is_neither_unpacked_nor_are_its_layers_compiled():
    made = choose(Recipe(memory="spacious"), dataclasses.replace(GPU, ranks=2, sharded=True), SEVEN_B, LARGE)
    assert (made.mode, made.unpack, made.compiled, made.recompute) == ("spacious", False, False, False)
