"""What is streamed and what stays, from two speeds and the memory there is."""

import pytest
import torch

from engine.hardware import GIB
from engine.model.size import ModelSize
from engine.recipe import Recipe
from engine.training.memory.bus import Bus, in_words, measured, pace, seconds_a_token, share_of_resident_speed
from engine.training.memory.modes import Epoch, Machine, choose, expected, places, smaller

LARGE = ModelSize(80, 8192, 22_016, 32_000, 64_760_053_760, 2 * 32_000 * 8192)
"""A 65B."""
MANY = Epoch(conversations=20_000, packed_rows=5_000, tokens=5_000_000, longest=1024)
QUICK = Bus(copies=50e9, products=700e12)
SLOW = Bus(copies=6e9, products=100e12)


def chosen(gib, bus, **changes):
    machine = Machine(True, round(gib * GIB), "varlen", packs=True, compiles=True, recomputes=True, bus=bus)
    return choose(Recipe(memory="streamed", **changes), machine, LARGE, MANY)


@pytest.mark.parametrize("bus", [QUICK, SLOW])
@pytest.mark.parametrize("gib", [5, 10, 20, 30, 60])
def test_what_is_chosen_fits_and_the_step_stays_the_recipes(gib, bus):
    made = chosen(gib, bus)
    assert made.mode == "streamed"
    assert made.micro_batch * made.accumulation == 8
    assert made.recompute
    assert made.offload
    assert not made.unpack
    memory = expected(made, Recipe(), LARGE, 1024)
    assert memory.allocated < (gib + 1) * GIB, "with the 1 GiB of embeddings that are loaded already"
    assert places(made, LARGE) <= LARGE.layers


def test_more_memory_leaves_more_layers_where_they_compute():
    stay = [chosen(gib, QUICK).resident for gib in (5, 10, 20, 60)]
    assert stay == sorted(stay)
    assert stay[0] == 0
    assert stay[-1] == LARGE.layers


def test_a_slow_bus_asks_for_more_tokens_at_a_time():
    assert chosen(12, SLOW).micro_batch > 1
    whole = [share_of_resident_speed(LARGE, SLOW, tokens, 0) for tokens in (512, 1024, 2048, 4096, 8192)]
    assert whole == sorted(whole)
    assert whole[0] < 0.4 < whole[-1]
    assert share_of_resident_speed(LARGE, QUICK, 4096, 0) == pytest.approx(1.0)


def test_resident_layers_take_copies_off_the_bus():
    taken = [seconds_a_token(LARGE, SLOW, 256, stay) for stay in (0, 20, 40, 80)]
    assert taken == sorted(taken, reverse=True)
    assert taken[2] == pytest.approx(taken[0] / 2, rel=0.01)


def test_memory_that_runs_out_moves_layers_to_the_computer_first():
    made, steps = chosen(20, QUICK), []
    while made is not None:
        steps.append((made.resident, made.micro_batch, made.ahead))
        made = smaller(made)
    assert steps == sorted(steps, key=lambda step: (-step[0], -step[1], -step[2]))
    assert steps[-1] == (0, 1, 0)
    assert len({step[0] for step in steps}) > 5


def test_shares_are_said_in_words():
    assert [in_words(share) for share in (1.0, 0.5, 0.23)] == [
        "about as fast",
        "about half as fast",
        "about 23% as fast",
    ]


def test_a_run_is_told_how_fast_it_will_be_and_why():
    assert pace(LARGE, QUICK, 4096, 38, on_disk=False) == (
        "It will be about as fast as with the whole model on the GPU, because 42 of its 80 layers come from the "
        "computer's memory for each batch, while others compute"
    )
    slow = pace(LARGE, Bus(copies=1e9, products=100e12), 2048, 0, on_disk=True)
    assert slow.startswith("It will be about ")
    assert slow.endswith(
        "80 of its 80 layers come from a file on the disk for each batch, which takes longer than computing"
    )


def test_speeds_are_measured_on_this_computer(streamed_base):
    seen = measured(streamed_base.arena, streamed_base.device, torch.float32)
    assert seen.copies > 0
    assert seen.products > 0
