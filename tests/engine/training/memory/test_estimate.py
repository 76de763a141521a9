"""What is shown before a run, against what the run then takes."""

import dataclasses
import random
from types import SimpleNamespace

import psutil
import pytest

from engine.hardware import GIB, DeviceReport
from engine.model.size import size_of
from engine.presets import presets
from engine.recipe import Recipe
from engine.tickets.library import DataSets
from engine.training.data.lengths import counted
from engine.training.data.token_view import Tokens
from engine.training.memory.estimate import estimate, has_to_stream
from engine.training.memory.fit import Place, fit, remedy, roomier
from engine.training.runs.events import LogNote, Started, Stepped
from engine.training.runs.history import History
from engine.training.trainer import TrainingData, run_training
from engine.workspace import Workspace
from tests.engine.training.data.test_lengths import data_set
from tests.tiny import WORDS, conversations, stored

PROCESSOR = DeviceReport("cpu", "Processor, 2 cores", 4.0, 24.0, 1.0)
SMALL_GPU = DeviceReport("cuda", "A card", 0.5, 8.0)
LARGE_GPU = DeviceReport("cuda", "A card", 0.5, 140.0)


def long_and_short(count):
    """Conversations of very different lengths."""
    draw = random.Random(3)
    return [
        stored(
            str(number),
            [
                {"role": "user", "content": " ".join(draw.choices(WORDS, k=draw.choice([1, 1, 2, 8])))},
                {"role": "assistant", "content": f"{draw.choice(WORDS)} {number}"},
            ],
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("packing", ["on", "off"])
@pytest.mark.parametrize("made", [conversations(60), long_and_short(150)], ids=["alike", "long and short"])
def test_the_steps_shown_are_the_steps_taken(made, packing, tiny_model, tiny_base, tmp_path):
    export = tmp_path / "chat.jsonl"
    export.write_bytes(b"".join(row.line() for row in made))
    library = DataSets(Workspace(tmp_path / "workspace"))
    dataset = library.prepare([export], "Chat").wait(60)
    recipe = Recipe(model=str(tiny_model), packing=packing, max_length=128, batch_size=2, accumulation=1)
    tokens, data = Tokens(library, tmp_path), library.get(dataset)
    assert tokens.lengths(data, recipe) is None
    tokens.count(dataset, recipe).wait(60)

    shown = estimate(recipe, data, PROCESSOR, [], tokens.lengths(data, recipe))
    events = []
    (tmp_path / "run").mkdir()
    run_training(
        recipe,
        TrainingData.load(data.folder, recipe),
        tiny_base,
        tmp_path / "run",
        events.append,
        should_stop=lambda: True,
    )
    taken = next(event.steps for event in events if isinstance(event, Started))
    assert any(("packed rows" in event.text) == (packing == "on") for event in events if isinstance(event, LogNote))
    assert shown.steps == pytest.approx(taken, rel=0.03)


def test_on_a_gpu_short_conversations_share_rows_and_steps_are_fewer(tmp_path):
    many, few = counted([100] * 20_000), counted([100] * 200)
    data = data_set(tmp_path / "set", ["a"])
    apart = estimate(Recipe(packing="off"), data, LARGE_GPU, [], many)
    packed = estimate(Recipe(), data, LARGE_GPU, [], many)
    assert apart.steps == 7500
    assert packed.steps == 750
    assert packed.seconds == pytest.approx(apart.seconds, rel=0.02)
    assert estimate(Recipe(), data, LARGE_GPU, [], few).steps == 75
    assert estimate(Recipe(), data, PROCESSOR, [], many).steps == 7500
    older = dataclasses.replace(LARGE_GPU, packs=False)
    assert estimate(Recipe(), data, older, [], many).steps == 7500
    assert estimate(Recipe(packing="on"), data, older, [], many).steps == 750


@pytest.mark.parametrize(
    ("changes", "gib"),
    [({}, 2.96), ({"memory": "saving"}, 1.89), ({"batch_size": 12}, 6.49), ({"batch_size": 16}, 9.53)],
)
def test_memory_on_the_processor_is_what_was_measured(changes, gib):
    """Peak resident memory of `python -m engine train`: sample shop, starter model, Quick look, torch 2.13, AVX2."""
    recipe = dataclasses.replace(presets()["quick"].recipe, **changes)
    shown = fit(recipe, size_of("starter"), counted([181] * 169), Place(False, 20.0))
    assert shown.gib == pytest.approx(gib, rel=0.15)


def test_the_parts_of_the_peak_add_up_to_what_is_shown():
    for device in (PROCESSOR, LARGE_GPU):
        shown = estimate(Recipe(model="Qwen/Qwen3-1.7B"), None, device, [])
        assert shown.parts.total / GIB == pytest.approx(shown.memory_gib)
        assert min(shown.parts.weights, shown.parts.adapter, shown.parts.activations, shown.parts.logits) > 0


def test_short_conversations_need_less_memory_than_the_longest_allowed(tmp_path):
    data = data_set(tmp_path / "set", ["a"])
    short = estimate(Recipe(), data, PROCESSOR, [], counted([120] * 300))
    longest = estimate(Recipe(), data, PROCESSOR, [], counted([5000] * 300))
    assert short.memory_gib < 0.6 * longest.memory_gib
    assert longest.memory_gib == pytest.approx(estimate(Recipe(), None, PROCESSOR, []).memory_gib)


def test_a_batch_larger_than_the_data_set_needs_no_more_than_the_data_set():
    size, place = size_of("starter"), Place(False, 20.0)
    whole, larger = (fit(Recipe(batch_size=batch), size, counted([100] * 20), place) for batch in (20, 500))
    assert larger.gib == whole.gib


def test_what_this_program_holds_is_not_taken_by_others():
    assert estimate(Recipe(), None, PROCESSOR, []).available_gib == pytest.approx(21.0)


@pytest.mark.parametrize(
    ("changes", "gpu", "gib", "words"),
    [
        ({"model": "Qwen/Qwen3-0.6B", "batch_size": 2}, False, 8.0, "saving"),
        ({"model": "Qwen/Qwen3-0.6B", "memory": "saving", "batch_size": 16}, False, 10.0, "batch size of"),
        ({"memory": "saving", "batch_size": 1, "max_length": 65536}, False, 6.0, "shorter conversations"),
        ({"model": "mistralai/Mistral-7B-Instruct-v0.3", "memory": "spacious"}, True, 16.0, "saving"),
        ({"model": "Qwen/Qwen3-32B", "memory": "saving"}, True, 12.0, "streamed"),
        ({"model": "Qwen/Qwen3-32B"}, True, 4.0, "smaller model, such as"),
    ],
)
def test_a_run_that_does_not_fit_names_the_one_change_that_helps(changes, gpu, gib, words):
    recipe, place = Recipe(**changes), Place(gpu, gib)
    size = size_of(recipe.model)
    assert fit(recipe, size, None, place).verdict == "does not fit"
    found = remedy(recipe, size, None, place)
    assert words in found.sentence
    changed = dataclasses.replace(recipe, **found.changes)
    assert fit(changed, size_of(changed.model), None, place).verdict != "does not fit"


def test_a_model_too_large_for_one_gpu_is_to_be_split_among_several():
    recipe = Recipe(model="Qwen/Qwen3-32B", memory="saving")
    size, place = size_of(recipe.model), Place(True, 16.0, gpus=2)
    words = remedy(recipe, size, None, place).sentence
    assert "split among 2 GPUs" in words
    split = dataclasses.replace(recipe, gpus=0, spread="shards")
    assert fit(split, size, None, place).verdict != "does not fit"
    assert "split" not in remedy(recipe, size, None, Place(True, 16.0)).sentence


def test_where_nothing_helps_alone_it_says_so():
    recipe = Recipe(model="Qwen/Qwen3-32B")
    found = remedy(recipe, size_of(recipe.model), None, Place(True, 0.5))
    assert "No single change" in found.sentence
    assert not found.changes


def test_a_tight_run_names_a_change_that_learns_the_same_and_leaves_room():
    recipe = Recipe(memory="spacious", batch_size=8, accumulation=1, max_length=2048)
    size = size_of(recipe.model)
    needed = fit(recipe, size, None, Place(False, 1000.0)).gib
    place = Place(False, 1.1 * needed)
    assert fit(recipe, size, None, place).verdict == "tight"
    found = roomier(recipe, size, None, place)
    changed = dataclasses.replace(recipe, **found.changes)
    assert fit(changed, size, None, place).verdict == "fits"
    assert (changed.model, changed.max_length) == (recipe.model, recipe.max_length)
    assert changed.batch_size * changed.accumulation == 8


def test_a_tight_run_that_has_nothing_left_to_give_up_has_no_remedy():
    recipe = Recipe(memory="saving", batch_size=1, accumulation=8)
    size = size_of(recipe.model)
    place = Place(False, 1.1 * fit(recipe, size, None, Place(False, 1000.0)).gib)
    assert fit(recipe, size, None, place).verdict == "tight"
    assert roomier(recipe, size, None, place) is None


def test_the_length_at_which_nothing_is_lost_is_told(tmp_path):
    data = data_set(tmp_path / "set", ["a"])
    seen = estimate(Recipe(max_length=512), data, PROCESSOR, [], counted([300, 700, 1500]))
    assert (seen.longer, seen.whole_at) == (2, 1536)
    assert estimate(Recipe(max_length=seen.whole_at), data, PROCESSOR, [], counted([300, 700, 1500])).longer == 0


def test_a_run_that_fits_has_no_remedy_and_one_that_does_not_has():
    assert estimate(Recipe(), None, PROCESSOR, []).remedy is None
    large = estimate(Recipe(model="Qwen/Qwen3-32B", memory="saving"), None, SMALL_GPU, [])
    assert (large.verdict, large.remedy.sentence[:18]) == ("does not fit", "It would fit with ")


def test_a_model_is_streamed_where_nothing_faster_fits_and_the_estimate_says_how_fast_that_is():
    recipe, place = Recipe(model="Qwen/Qwen3-32B"), Place(True, 12.0)
    size = size_of(recipe.model)
    seen = fit(recipe, size, None, place)
    assert (seen.verdict, seen.settings.mode) == ("fits", "streamed")
    assert 0 < seen.settings.resident < size.layers
    assert fit(recipe, size, None, Place(True, 80.0)).settings.mode != "streamed"
    assert not seen.from_disk
    from_disk = fit(recipe, size, None, dataclasses.replace(place, memory_gib=8.0))
    assert (from_disk.verdict, from_disk.settings.mode, from_disk.from_disk) == ("fits", "streamed", True)
    small = estimate(Recipe(model="Qwen/Qwen3-1.7B", memory="streamed"), None, SMALL_GPU, [])
    assert small.mode == "streamed"
    assert "about as fast as with the whole model on the GPU, because" in small.sentence


@pytest.mark.parametrize(
    ("free", "told"),
    [
        (64, "come from the computer's memory for each batch, while others compute (calculated for a PCIe 4 slot"),
        (
            8,
            "come from a file on the disk for each batch, which takes longer than computing (calculated for an NVMe",
        ),
    ],
)
def test_a_run_that_has_to_stream_says_so_before_its_base_is_loaded(free, told, monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=free * GIB))
    assert has_to_stream(Recipe(model="Qwen/Qwen3-32B"), SMALL_GPU)
    shown = estimate(Recipe(model="Qwen/Qwen3-32B", batch_size=2, accumulation=1), None, SMALL_GPU, [])
    assert shown.mode == "streamed"
    assert told in shown.sentence
    assert ("are more than is free of the computer's memory" in shown.sentence) is (free == 8)
    assert not has_to_stream(Recipe(model="Qwen/Qwen3-32B"), LARGE_GPU)
    assert not has_to_stream(Recipe(model="Qwen/Qwen3-32B", memory="saving"), SMALL_GPU)
    assert not has_to_stream(Recipe(), PROCESSOR)
    assert has_to_stream(Recipe(memory="streamed"), PROCESSOR)


def test_several_gpus_share_the_work_and_shards_the_weights(tmp_path):
    data, lengths = data_set(tmp_path / "set", ["a"]), counted([300] * 5000)

    def seen(gpus, **changes):
        recipe = Recipe(model="Qwen/Qwen3-14B", memory="saving", gpus=0, **changes)
        return estimate(recipe, data, LARGE_GPU, [], lengths, gpus)

    one, four, shards = seen(1), seen(4), seen(4, spread="shards")
    assert four.steps == one.steps
    assert four.seconds == pytest.approx(one.seconds / 4)
    assert one.parts.weights / 4 < shards.parts.weights < 0.6 * one.parts.weights  # embeddings stay whole
    assert seen(3).seconds == pytest.approx(one.seconds / 2)  # a step's 8 rows are shared evenly by 2, not by 3


def test_auto_shows_the_mode_that_the_memory_allows():
    recipe = Recipe(model="mistralai/Mistral-7B-Instruct-v0.3")
    assert estimate(recipe, None, LARGE_GPU, []).mode == "spacious"
    assert estimate(recipe, None, SMALL_GPU, []).mode == "balanced"


def test_time_comes_from_earlier_runs_where_there_are_any(tmp_path):
    data = data_set(tmp_path / "set", ["word " * 100] * 40)
    told = [Stepped(n, n / 10, 1.0, 1e-4, 0.3, 500.0, 1.0, n * 2.0) for n in range(1, 6)]
    guess = estimate(Recipe(), data, PROCESSOR, [])
    known = estimate(Recipe(), data, PROCESSOR, [History(steps=tuple(told))])
    assert "rough guess" in guess.sentence
    assert "earlier runs" in known.sentence
    assert guess.seconds == pytest.approx(5 * known.seconds)


def test_a_model_of_unknown_size_is_called_unknown():
    shown = estimate(Recipe(model="somebody/something"), None, PROCESSOR, [])
    assert (shown.verdict, shown.memory_gib, shown.parts) == ("unknown", None, None)
    assert "not known" in shown.sentence


def test_what_the_playground_holds_counts_beside_the_run():
    for device in (PROCESSOR, SMALL_GPU):
        alone, beside = (estimate(Recipe(model="Qwen/Qwen3-1.7B"), None, device, [], None, 1, n) for n in (0, GIB))
        assert beside.parts.answers == GIB and alone.parts.answers == 0
        assert beside.memory_gib <= alone.memory_gib + 1 + 1e-9
    roomy, full = (estimate(Recipe(model="starter"), None, PROCESSOR, [], None, 1, n * GIB) for n in (0, 30))
    assert (roomy.verdict, full.verdict) == ("fits", "does not fit")
