from engine.chat.cuda_graphs.captured_step import row_bucket
from engine.chat.cuda_graphs.recordings import grouped
from engine.chat.decoding import Row, decode
from engine.chat.records import Sampling


def test_layers_that_read_the_same_input_are_computed_together():
    names = [f"model.layers.{n}.{part}" for n in range(2) for part in ("self_attn.q_proj", "self_attn.k_proj")]
    names += ["model.layers.0.mlp.gate_proj", "model.layers.0.mlp.up_proj", "model.layers.0.mlp.down_proj", "q_proj"]
    assert grouped(names) == [
        ["model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.k_proj"],
        ["model.layers.1.self_attn.q_proj", "model.layers.1.self_attn.k_proj"],
        ["model.layers.0.mlp.gate_proj", "model.layers.0.mlp.up_proj"],
        ["model.layers.0.mlp.down_proj"],
        ["q_proj"],
    ]


def test_rows_are_recorded_in_powers_of_two():
    assert [row_bucket(rows) for rows in (1, 2, 3, 4, 5, 31, 32)] == [1, 2, 4, 4, 8, 32, 32]


def test_without_a_gpu_nothing_is_recorded_and_answers_are_what_they_were(bank, friendly, prompt):
    name = bank.load(friendly)
    assert bank.recordings.acquire([None, name], 64) is None
    rows = [Row(prompt, None), Row(prompt, name)]
    *_, before = decode(bank, rows, Sampling(temperature=0.0, max_new_tokens=8), frozenset(), 0)
    bank.recordings.refuse(RuntimeError("no compiler"))
    *_, after = decode(bank, rows, Sampling(temperature=0.0, max_new_tokens=8), frozenset(), 0)
    assert before == after
