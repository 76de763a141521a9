import json
import random

import pytest

from engine.tickets.dataset.dataset import DataSet
from engine.tickets.preparing.report import Report
from engine.training.data import lengths
from engine.training.data.lengths import counted, epoch_of, guessed, longer_than, packed_rows


def data_set(folder, texts):
    """A data set whose conversations say the given texts, one message each."""
    folder.mkdir(exist_ok=True)
    rows = [{"ticket": str(n), "messages": [{"role": "assistant", "content": text}]} for n, text in enumerate(texts)]
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = Report("chat", len(rows), len(rows), train=len(rows))
    (folder / "report.json").write_text(json.dumps(report.to_json()))
    return DataSet(folder)


@pytest.mark.parametrize(
    ("count", "low", "high"), [(1, 5, 5), (40, 1, 200), (300, 20, 90), (2500, 3, 128), (60, 64, 128)]
)
def test_rows_are_as_many_as_trl_packs(count, low, high):
    from datasets import Dataset
    from trl.data_utils import pack_dataset

    drawn = [min(128, random.Random(n).randint(low, high)) for n in range(count)]
    packed = pack_dataset(Dataset.from_dict({"input_ids": [[0] * length for length in drawn]}), 128, strategy="bfd")
    assert packed_rows(drawn, 128) == len(packed)


def test_a_guess_counts_what_is_said_and_what_the_template_adds(tmp_path):
    found = guessed(data_set(tmp_path / "set", ["a" * 360, "b" * 36]))
    around = lengths.MESSAGE_TOKENS + lengths.SYSTEM_TOKENS
    assert found.tokens == (100 + around, 10 + around)
    assert not found.counted


def test_a_guess_follows_the_standing_instruction_and_a_changed_file(tmp_path):
    data = data_set(tmp_path / "set", ["a" * 400])
    plain = guessed(data)
    assert guessed(data) is plain
    assert guessed(data, "Be brief. " * 40).tokens[0] > plain.tokens[0]
    assert guessed(data_set(tmp_path / "set", ["a" * 800])).tokens[0] > plain.tokens[0]


def test_of_a_large_file_pieces_stand_for_all(tmp_path, monkeypatch):
    draw = random.Random(7)
    data = data_set(tmp_path / "set", ["word " * draw.randint(10, 300) for _ in range(3000)])
    whole = epoch_of(guessed(data), 512)
    lengths._guessed.cache_clear()
    monkeypatch.setattr(lengths, "SAMPLED_BYTES", 400_000)
    sampled = guessed(data)
    assert len(sampled.tokens) < 1000
    assert epoch_of(sampled, 512).conversations == 3000
    assert epoch_of(sampled, 512).packed_rows == pytest.approx(whole.packed_rows, rel=0.08)
    assert epoch_of(sampled, 512).tokens == pytest.approx(whole.tokens, rel=0.08)


def test_an_epoch_is_cut_at_the_longest_allowed():
    epoch = epoch_of(counted([50, 200, 1000]), 100)
    assert (epoch.conversations, epoch.tokens, epoch.longest, epoch.packed_rows) == (3, 250, 100, 3)


def test_a_data_set_without_conversations_is_an_epoch_too(tmp_path):
    assert epoch_of(guessed(data_set(tmp_path / "set", [])), 100).packed_rows == 1


def test_what_is_longer_than_allowed_is_counted_over_all_of_a_large_set():
    assert longer_than(counted([5, 100, 101, 300]), 100) == 2
    assert longer_than(counted([50] * lengths.SAMPLE + [200] * lengths.SAMPLE), 100) == lengths.SAMPLE
