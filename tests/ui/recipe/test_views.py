import html
from dataclasses import replace

from engine.presets import presets
from engine.recipe import FIELDS, Recipe
from tests.ui.fake_studio import FakeStudio
from tests.ui.fake_tickets import HOSTILE
from ui.recipe import views


def costs(studio, models):
    return studio.recipes.estimates({model: Recipe(model=model) for model in models}, "set-1")


def test_each_card_says_time_memory_and_purpose(tmp_path):
    studio = FakeStudio(tmp_path)
    known = presets()
    shown = views.preset_cards(
        known, studio.recipes.estimates({name: preset.recipe for name, preset in known.items()}, "set-1"), "quick", 2
    )
    for preset in known.values():
        assert preset.title in shown
    assert shown.count('aria-checked="true"') == 1
    assert "2 changed" in shown
    assert "about" in shown
    assert "GB memory" in shown


def test_a_model_says_its_size_its_licence_and_whether_it_fits(tmp_path):
    studio = FakeStudio(tmp_path)
    entries = studio.recipes.catalogue()
    shown = views.model_list(entries, costs(studio, [entry.id for entry in entries]), "starter", {})
    assert "Apache-2.0" in shown
    assert "does not fit" in shown
    assert "tight" in shown
    assert "ask first" in shown


def test_a_model_that_was_typed_stands_at_the_top_and_is_escaped(tmp_path):
    entries = FakeStudio(tmp_path).recipes.catalogue()
    shown = views.model_list(entries, costs(FakeStudio(tmp_path), [entry.id for entry in entries]), HOSTILE, {})
    assert shown.index("&lt;img") < shown.index("Starter (SmolLM2 135M)")
    assert "<img" not in shown


def test_a_changed_field_says_what_it_was():
    rank = FIELDS["rank"]
    assert "Changed from 16." in views.help_of(rank, 64, 16)
    assert "Changed" not in views.help_of(rank, 16, 16)
    assert "1 to 512." in views.help_of(rank, 16, 16)
    assert "0 to 1,000,000 steps." in views.help_of(FIELDS["max_steps"], 0, 0)


def test_a_value_is_written_as_one_would_type_it():
    assert views.as_typed(2e-4) == "0.0002"
    assert views.as_typed(131_072) == "131072"
    assert views.as_typed(3.0) == "3"
    assert views.as_typed("0,00o2") == "0,00o2"
    assert views.as_typed("") == ""


def test_only_what_differs_from_the_preset_counts_as_changed():
    start = presets()["quick"].recipe
    assert views.changes(start.to_dict(), start) == {}
    assert views.changes({**start.to_dict(), "rank": 8, "model": "other"}, start) == {"rank": 8}


def test_the_panel_shows_what_the_run_takes(tmp_path):
    cost = FakeStudio(tmp_path).recipes.estimates({"": Recipe()}, "set-1")[""]
    shown = views.cost_panel(Recipe(), cost, 54)
    assert "54 conversations" in shown
    assert cost.sentence in shown
    assert "badge-fits" in shown
    assert "You get the checkpoint with the lowest one." in shown


def test_the_panel_says_before_start_how_many_conversations_lose_turns(tmp_path):
    cost = FakeStudio(tmp_path).recipes.estimates({"": Recipe()}, "set-1")[""]
    assert "Lose turns" not in views.cost_panel(Recipe(), cost, 54)
    guessed = views.cost_panel(Recipe(), replace(cost, longer=7, counted=False), 54)
    assert "about 7 longer than 1,024 tokens" in guessed
    assert "about 7" not in views.cost_panel(Recipe(), replace(cost, longer=7, counted=True), 54)


def test_conversations_that_lose_turns_have_a_button_where_one_setting_lets_them_in(tmp_path):
    cost = replace(costs(FakeStudio(tmp_path), ["starter"])["starter"], longer=7, whole_at=2048)
    shown = views.cost_panel(Recipe(), cost, 54)
    assert "Raise it to 2,048</button>" in shown
    assert views.advice_in({"changes": html.unescape(shown.split('data-changes="')[1].split('"')[0])}) == {
        "max_length": 2048
    }
    beyond = views.cost_panel(Recipe(), replace(cost, whole_at=200_000), 54)
    assert "7 longer than" in beyond
    assert "Raise it" not in beyond


def test_a_choice_of_gpus_made_on_another_computer_stays_among_what_is_offered():
    assert views.gpu_choices(1, 1) == [("1 GPU", 1)]
    assert views.gpu_choices(2, 1) == [("1 GPU", 1), ("2 GPUs", 2), ("all of them", 0)]
    assert ("8 GPUs", 8) in views.gpu_choices(1, 8)
    assert ("all of them", 0) in views.gpu_choices(1, 0)
