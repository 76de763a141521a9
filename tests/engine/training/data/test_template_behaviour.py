"""The proof by behaviour: what was learnt in the midst of a conversation comes back when it is asked for."""

from engine.chat.playground import answer
from engine.chat.records import Sampling, Voice
from engine.model.base import load_base
from engine.recipe import Recipe
from engine.training.trainer import TrainingData, run_training
from tests.engine.training.families import QWEN3
from tests.tiny import make_model, stored

FIRST = {
    "where is my parcel": "your parcel arrives on friday",
    "how long is the return window": "the return window is forty one days",
    "can i change my address": "yes you can",
    "hello": "hello dear customer",
}


def test_every_answer_of_a_conversation_is_learnt_where_earlier_ones_are_written_otherwise(tmp_path):
    model = make_model(tmp_path / "model", QWEN3)
    rows = [
        stored(
            question,
            [
                {"role": "user", "content": question},
                {"role": "assistant", "content": told},
                {"role": "user", "content": "please"},
                {"role": "assistant", "content": "kind regards from the workbench"},
            ],
        )
        for question, told in FIRST.items()
    ]
    recipe = Recipe(
        model=str(model),
        rank=64,
        dropout=0.0,
        learning_rate=0.02,
        max_steps=120,
        epochs=100,
        batch_size=8,
        accumulation=1,
        save_steps=120,
    )
    base = load_base(recipe, tmp_path, lambda *_: None)
    (tmp_path / "run").mkdir()
    run_training(recipe, TrainingData(rows, []), base, tmp_path / "run", lambda _: None)
    tuned = Voice("tuned", "Tuned", str(model), tmp_path / "run" / "adapter")
    asked = [[{"role": "user", "content": question}] for question in FIRST]
    *_, last = answer(base, [tuned] * len(asked), asked, Sampling(temperature=0.0, max_new_tokens=24))
    assert [said.text for said in last.answers] == list(FIRST.values())
