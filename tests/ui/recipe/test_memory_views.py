import dataclasses
import re

from engine.recipe import Recipe
from engine.training.memory.fit import Remedy
from tests.ui.fake_studio import FakeStudio
from tests.ui.fake_tickets import HOSTILE
from ui.recipe import memory_views


def cost(tmp_path, **changes):
    return FakeStudio(tmp_path).recipes.estimates({"": Recipe(**changes)}, "set-1")[""]


def test_the_panel_says_what_the_memory_is_for_and_how_much(tmp_path):
    seen = cost(tmp_path)
    shown = memory_views.memory_panel(seen)
    assert shown.count('<th scope="row">') == 5
    for word in ("weights", "adapter and optimizer", "activations", "logits", "fits"):
        assert word in shown
    rows = memory_views.part_rows(seen.parts)
    assert sum(size for _, _, size in rows) == seen.parts.total
    widths = [float(width) for width in re.findall(r"width:([\d.]+)%", shown)]
    assert sum(widths) < 100
    assert 'class="limit"' not in shown


def test_what_does_not_fit_goes_beyond_the_mark_and_names_a_remedy(tmp_path):
    seen = cost(tmp_path, model="Qwen/Qwen3-32B")
    shown = memory_views.memory_panel(seen)
    assert "does not fit" in shown
    assert seen.remedy.sentence in shown
    assert 'data-do="advise"' in shown
    assert float(re.search(r'class="limit" style="left:([\d.]+)%', shown)[1]) < 100
    assert sum(float(width) for width in re.findall(r"width:([\d.]+)%", shown)) > 99.9


def test_a_model_of_unknown_size_has_no_bar(tmp_path):
    assert memory_views.memory_panel(cost(tmp_path, model="somebody/something")) == ""


def test_words_in_a_remedy_are_escaped(tmp_path):
    hostile = Remedy(HOSTILE, {"model": HOSTILE})
    assert "<img" not in memory_views.memory_panel(dataclasses.replace(cost(tmp_path), remedy=hostile))


def test_a_small_part_is_not_nothing():
    assert memory_views.amount(40 * 2**20) == "40 MB"
    assert memory_views.amount(3 * 2**30 // 2) == "1.5 GB"


def test_every_card_has_its_verdict_in_words_and_its_numbers(tmp_path):
    fits = FakeStudio(tmp_path).recipes.on_cards(Recipe(model="Qwen/Qwen3-14B"), "set-1")
    shown = memory_views.cards_table(fits)
    assert shown.count('<th scope="row">') == len(fits)
    for verdict in {seen.verdict for seen in fits}:
        assert verdict in shown
    assert {"fits", "does not fit"} <= {seen.verdict for seen in fits}
    assert "GeForce RTX 4060" in shown
    assert "8 GB" in shown
    assert "fastest (spacious)" in shown
    assert "layer by layer, about as fast as saving (streamed)" in shown
    assert 'scope="col"' in shown


def test_an_unknown_model_has_a_sentence_in_place_of_the_table(tmp_path):
    shown = memory_views.cards_table(FakeStudio(tmp_path).recipes.on_cards(Recipe(model="somebody/something"), None))
    assert "not known" in shown
    assert "<table" not in shown
