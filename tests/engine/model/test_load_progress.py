import threading

import pytest

from engine.errors import Cancelled
from engine.model.base import load_base
from engine.model.load_progress import told_how_far
from engine.recipe import Recipe


def test_loading_tells_how_far_it_is_and_can_be_called_off_in_the_middle(tiny_model, tmp_path):
    recipe, told = Recipe(model=str(tiny_model)), []
    load_base(recipe, tmp_path, lambda stage, done: told.append((stage, done)))
    assert any(stage.startswith("Loading") and done is not None for stage, done in told)

    def call_off(_, done):
        if done is not None:
            raise Cancelled

    with pytest.raises(Cancelled):
        load_base(recipe, tmp_path, call_off)
    assert load_base(recipe, tmp_path, lambda *_: None).model is not None


def test_another_thread_that_loads_meanwhile_is_not_told_of(tiny_model):
    from transformers import AutoModelForCausalLM

    told = []
    with told_how_far("Loading it", lambda *seen: told.append(seen)):
        loads = threading.Thread(target=AutoModelForCausalLM.from_pretrained, args=(tiny_model,))
        loads.start()
        loads.join(120)
    assert told == []
