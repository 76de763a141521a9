import json

import pytest

from engine.errors import RecipeError
from ui.state import page


def test_a_new_browser_begins_with_the_quick_look_and_a_name_of_its_own():
    first, second = page.read_memory(""), page.read_memory("")
    assert first["draft"] == page.first_draft()
    assert first["session"] != second["session"]


def test_what_was_remembered_comes_back():
    kept = {**page.first_page(), "dataset": "set-1", "run": "run-2", "voices": ["run:run-2"]}
    assert page.read_memory(json.dumps(kept)) == kept


@pytest.mark.parametrize("text", ["{", "null", '{"dataset": 7, "look": [], "draft": "x", "nobody": 1}', "[]"])
def test_damaged_memory_is_passed_over(text):
    found = page.read_memory(text)
    assert found["dataset"] == ""
    assert found["look"] == page.first_look()
    assert "nobody" not in found


def test_memory_of_an_older_version_gets_what_is_new():
    found = page.read_memory(json.dumps({"look": {"ticket": "7"}}))
    assert found["look"] == {**page.first_look(), "ticket": "7"}


def test_a_draft_is_a_recipe_of_its_preset_model_and_changes():
    recipe = page.recipe_of({"preset": "thorough", "model": "Qwen/Qwen3-4B", "values": {"rank": 8}})
    assert (recipe.rank, recipe.alpha, recipe.model) == (8, 128, "Qwen/Qwen3-4B")


def test_a_wrong_value_is_named_and_what_is_shown_falls_back_to_the_preset():
    draft = {"preset": "quick", "model": "starter", "values": {"dropout": 3.0}}
    with pytest.raises(RecipeError) as caught:
        page.recipe_of(draft)
    assert caught.value.field == "dropout"
    assert page.sound_recipe_of(draft) == page.recipe_of({**draft, "values": {}})
