import subprocess
import sys
from pathlib import Path

import pytest

from engine.model.catalogue import catalogue
from engine.recipe import Recipe
from engine.training.data.lengths import counted
from engine.training.memory.cards import cards, on_cards, processor

ORDER = ["does not fit", "tight", "fits"]


def test_the_named_cards_go_from_little_memory_to_much():
    sizes = [card.gib for card in cards()]
    assert sizes == sorted(sizes)
    assert sizes[0] < 8 < 130 < sizes[-1]
    assert len({card.name for card in cards()}) == len(cards())


def test_no_card_offers_more_than_its_box_says():
    for card in (*cards(), processor()):
        assert 0 < card.usable_gib <= card.gib <= card.box_gb + 0.5


@pytest.mark.parametrize("model", [entry.id for entry in catalogue()])
def test_more_memory_never_makes_a_verdict_worse(model):
    found = [seen for seen in on_cards(Recipe(model=model), None) if seen.card.kind != "processor"]
    assert [seen.card for seen in found] == list(cards())
    runs = [seen.verdict != "does not fit" for seen in found]
    assert runs == sorted(runs)
    whole = [ORDER.index(seen.verdict) for seen in found if seen.mode != "streamed"]
    assert whole == sorted(whole)
    assert "fits" in [seen.verdict for seen in found]


def test_the_largest_model_needs_the_largest_cards():
    whole = Recipe(model="meta-llama/Llama-3.3-70B-Instruct", memory="saving")
    found = {seen.card.name: seen.verdict for seen in on_cards(whole, None)}
    assert found["GeForce RTX 4060"] == found["GeForce RTX 3090, 4090"] == "does not fit"
    assert found["H200"] == "fits"


def test_where_a_model_does_not_fit_its_layers_are_streamed():
    found = {seen.card.name: seen for seen in on_cards(Recipe(model="meta-llama/Llama-3.3-70B-Instruct"), None)}
    small, large = found["GeForce RTX 3090, 4090"], found["H200"]
    assert (small.verdict, small.mode) == ("fits", "streamed")
    assert small.gib < small.card.usable_gib
    assert large.mode != "streamed"
    assert (small.pace, large.pace) == ("about as fast", "")


def test_auto_takes_a_faster_mode_where_there_is_more_memory():
    recipe = Recipe(model="Qwen/Qwen3-8B")
    found = {seen.card.name: seen.mode for seen in on_cards(recipe, counted([300] * 5000))}
    assert found["GeForce RTX 4060"] == "streamed"
    assert found["H200"] == "spacious"
    assert {seen.mode for seen in on_cards(Recipe(model=recipe.model, memory="balanced"), None)} == {"balanced"}


def test_the_processor_of_this_computer_stands_first():
    assert on_cards(Recipe(), None)[0].card.kind == "processor"


def test_a_model_of_unknown_size_is_tried_on_no_card():
    assert on_cards(Recipe(model="somebody/something"), None) == ()


def test_the_table_needs_no_torch():
    code = (
        "import sys; from engine.training.memory.cards import on_cards; from engine.recipe import Recipe\n"
        "assert on_cards(Recipe(), None); print('torch' in sys.modules)"
    )
    root = Path(__file__).parents[4]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
