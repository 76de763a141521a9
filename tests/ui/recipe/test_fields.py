from engine.recipe import FIELDS
from ui.recipe import fields


def test_what_is_typed_comes_into_the_type_of_its_field():
    assert fields.read("rank", "16") == 16
    assert fields.read("learning_rate", "0,0002") == 2e-4
    assert fields.read("max_length", "2,048 tokens") == 2048
    assert fields.read("system_prompt", " Be kind. ") == " Be kind. "
    assert fields.read("keep_best", True) is True
    assert fields.read("schedule", "linear") == "linear"


def test_what_cannot_be_read_stays_as_it_was_typed():
    for text in ("", "many", "16.5"):
        assert fields.read("rank", text) == text


def test_every_number_is_typed_and_its_step_keeps_within_its_range():
    typed = fields.typed_into()
    assert {name for name, setting in FIELDS.items() if setting.kind in (int, float)} - {"gpus"} <= set(typed)
    for name, number in fields._keyed().items():
        if number:
            assert number["step"] == "double" or 0 < number["step"] < typed[name].high
