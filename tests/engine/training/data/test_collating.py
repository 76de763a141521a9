import torch

from engine.training.data.collating import FlatBatches
from engine.training.data.examples import IGNORED

ROWS = [
    {"input_ids": [5, 6, 7, 8, 9], "labels": [5, IGNORED, 7, 8, 9], "seq_lengths": [3, 2]},
    {"input_ids": [1, 2], "labels": [IGNORED, 2]},
]


def test_conversations_lie_end_to_end_and_each_begins_without_a_label():
    made = FlatBatches(pad_token=0)(ROWS)
    assert made["input_ids"].tolist() == [[5, 6, 7, 8, 9, 1, 2]]
    assert made["labels"].tolist() == [[IGNORED, IGNORED, 7, IGNORED, 9, IGNORED, 2]]
    assert made["position_ids"].tolist() == [[0, 1, 2, 0, 1, 0, 1]]
    assert made["cu_seq_lens_q"].tolist() == [0, 3, 5, 7]
    assert (made["max_length_q"], made["real_tokens"]) == (3, 7)


def test_a_fixed_length_is_filled_up_with_what_is_not_learnt_and_not_counted():
    made = FlatBatches(pad_token=0, tokens=20, longest=6)(ROWS)
    assert made["input_ids"].shape == made["labels"].shape == made["position_ids"].shape == (1, 20)
    assert made["real_tokens"] == 7
    assert (made["labels"][0, 7:] == IGNORED).all()
    assert made["cu_seq_lens_q"].tolist() == [0, 3, 5, 7, 13, 19, 20]
    assert made["max_length_q"] == 6
    assert made["cu_seq_lens_q"].dtype == torch.int32
