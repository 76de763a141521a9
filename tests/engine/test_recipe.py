import pytest

from engine.errors import RecipeError
from engine.presets import presets
from engine.recipe import FIELDS, Recipe


def test_every_field_has_a_label_a_sentence_and_a_range_or_choices_where_it_is_a_number():
    for field in FIELDS.values():
        assert field.label
        assert field.help.endswith(".")
        if field.kind in (int, float):
            assert field.low is not None
            assert field.high is not None


def test_the_defaults_are_the_tutorials():
    recipe = Recipe()
    assert (recipe.rank, recipe.alpha, recipe.dropout, recipe.learning_rate) == (16, 32, 0.05, 2e-4)
    assert (recipe.batch_size, recipe.accumulation, recipe.optimizer) == (4, 2, "paged_adamw_8bit")
    assert (recipe.schedule, recipe.warmup, recipe.max_grad_norm, recipe.epochs) == ("cosine", 0.03, 0.3, 3.0)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("rank", 0, "0 is outside 1 to 512"),
        ("dropout", 1.5, "1.5 is outside 0 to 0.9"),
        ("learning_rate", float("nan"), "nan is outside"),
        ("quant_type", "int4", "'int4' is not one of nf4, fp4"),
        ("double_quant", 1, "1 is not yes or no"),
        ("rank", True, "True is not a whole number"),
        ("rank", None, "there is no value. Write a whole number from 1 to 512"),
        ("learning_rate", "", "there is no value. Write a number from 0.0000001 to 0.1"),
        ("learning_rate", "abc", "'abc' is not a number. Write a number from 0.0000001 to 0.1"),
        ("max_length", "1.024", "'1.024' may be 1.024 and may be 1024"),
        ("rank", "8", "'8' is not a whole number"),
        ("model", " ", "No base model"),
        ("target_modules", "", "No target modules"),
        ("target_modules", " , ", "No target modules"),
        ("target_modules", "q_proj,lm_head", "lm_head is a table of the model's words"),
        ("target_modules", "model.embed_tokens", "model.embed_tokens is a table"),
    ],
)
def test_a_wrong_value_is_named_at_its_field(field, value, words):
    with pytest.raises(RecipeError, match=words) as caught:
        Recipe(**{field: value})
    assert caught.value.field == field


def test_text_becomes_values_and_back():
    recipe = Recipe().with_text({"rank": "8", "packing": "on", "learning_rate": "1e-3", "schedule": "linear"})
    assert (recipe.rank, recipe.packing, recipe.learning_rate, recipe.schedule) == (8, "on", 1e-3, "linear")
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert recipe.changed_from(Recipe()) == {"rank": 8, "packing": "on", "learning_rate": 1e-3, "schedule": "linear"}
    with pytest.raises(RecipeError, match="'many' is not a whole number"):
        Recipe().with_text({"rank": "many"})
    with pytest.raises(RecipeError, match="no setting called 'rnak'"):
        Recipe().with_text({"rnak": "8"})


def test_settings_are_read_with_a_comma_too():
    recipe = Recipe().with_text({"learning_rate": "0,0002", "max_length": "2,048 tokens", "epochs": "1,5"})
    assert (recipe.learning_rate, recipe.max_length, recipe.epochs) == (2e-4, 2048, 1.5)
    with pytest.raises(RecipeError, match=r"'1,000' may be 1\.000 and may be 1000\. Write it without the mark"):
        Recipe().with_text({"epochs": "1,000"})


def test_a_whole_number_is_accepted_where_a_fraction_is_meant():
    assert Recipe(epochs=2).epochs == 2.0
    assert isinstance(Recipe(epochs=2).epochs, float)


def test_the_presets_are_the_three_a_person_sees():
    found = presets()
    assert list(found) == ["quick", "balanced", "thorough"]
    assert found["balanced"].recipe == Recipe()
    assert all(preset.title and preset.sentence for preset in found.values())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"checkpointing": "auto", "packing": False}, {"memory": "auto", "packing": "off"}),
        ({"checkpointing": "on", "packing": True}, {"memory": "balanced", "packing": "on"}),
        ({"checkpointing": "off"}, {"memory": "spacious", "packing": "auto"}),
    ],
)
def test_a_recipe_from_before_there_were_memory_modes_is_still_read(old, new):
    recipe = Recipe.from_dict({"rank": 8, **old})
    assert {name: getattr(recipe, name) for name in new} == new
    assert recipe.rank == 8
    assert "checkpointing" not in recipe.to_dict()


def test_a_split_base_with_trained_biases_is_refused():
    with pytest.raises(RecipeError, match="keeps its biases") as seen:
        Recipe(spread="shards", bias="all")
    assert seen.value.field == "spread"


def test_a_split_base_whose_layers_are_streamed_is_refused():
    with pytest.raises(RecipeError, match=r"split among GPUs is on them; its layers are not brought in") as seen:
        Recipe(spread="shards", memory="streamed")
    assert seen.value.field == "memory"
