"""The index: what is in it, when it counts, and what becomes of it when the conversations change."""

import json
import os
import stat

import pytest

from engine.tickets.dataset.dataset import DataSet
from engine.tickets.dataset.editing import apply_edits
from engine.tickets.dataset.edits import Edits
from engine.tickets.dataset.files import CUSTOMERS, LOOKUP
from engine.tickets.lookup.building import build_index, index_of
from engine.tickets.lookup.index import OutdatedError, open_index
from engine.tickets.lookup.question import asked
from engine.tickets.lookup.ranking import nearest
from tests.engine.tickets.lookup.shop import TALKS, prepared, ticket


def found(index, words):
    return [near.entry.ticket for near in nearest(index, asked([{"role": "user", "content": words}]))]


def test_preparing_makes_an_index_that_only_its_owner_may_read(folder):
    index = open_index(folder)
    assert index is not None and len(index) == len(TALKS)
    assert found(index, "my kettle drips")[0] == "1"
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in (LOOKUP, CUSTOMERS)} == {0o600}


def test_what_is_held_out_is_never_in_it(tmp_path):
    folder = prepared(tmp_path, heldout=0.3)
    held = {entry.ticket for entry in DataSet(folder).conversations("heldout")}
    index = open_index(folder)
    assert held and index is not None
    assert not held & {entry.ticket for entry in index.entries(range(len(index)))}
    for asked_, _ in TALKS:
        assert not held & set(found(index, asked_))


def test_it_holds_masked_text_alone(tmp_path):
    folder = prepared(tmp_path, ticket(50, "Write to zelda.quux@example.com please", "We have written to you today."))
    assert b"quux" not in (folder / LOOKUP).read_bytes()
    assert found(open_index(folder), "zelda.quux@example.com") == []


def test_a_data_set_from_before_gets_one_on_first_use(folder):
    was = (folder / LOOKUP).read_bytes()
    (folder / LOOKUP).unlink()
    assert open_index(folder) is None
    assert found(index_of(folder), "my kettle drips")[0] == "1"
    assert (folder / LOOKUP).read_bytes()[:100] == was[:100] and open_index(folder) is not None


def test_a_conversation_that_is_left_out_is_not_found_any_more(folder):
    before = open_index(folder)
    (entry,) = (row for row in DataSet(folder).conversations("train") if row.ticket == "1")
    apply_edits(folder, Edits().drop(entry))
    assert open_index(folder) is None and not before.is_current
    with pytest.raises(OutdatedError):
        found(before, "my kettle drips")
    assert "1" not in found(index_of(folder), "my kettle drips")


def test_a_rewritten_answer_is_what_is_found(folder):
    (entry,) = (row for row in DataSet(folder).conversations("train") if row.ticket == "1")
    apply_edits(folder, Edits().rewrite(entry, 1, "Send the kettle to the tinsmith."))
    (near, *_) = nearest(index_of(folder), asked([{"role": "user", "content": "tinsmith"}]))
    assert near.entry.messages[1].content == "Send the kettle to the tinsmith."


@pytest.mark.parametrize("harm", [b"", b"PK\x03\x04 not an archive", None])
def test_a_damaged_index_is_made_again(folder, harm):
    whole = (folder / LOOKUP).read_bytes()
    (folder / LOOKUP).write_bytes(whole[: len(whole) // 2] if harm is None else harm)
    assert open_index(folder) is None
    assert found(index_of(folder), "my kettle drips")[0] == "1"


def test_conversations_without_a_word_make_an_index_that_finds_nothing(tmp_path):
    row = {"ticket": "1", "messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "!"}]}
    (tmp_path / "train.jsonl").write_text(json.dumps(row) + "\n")
    build_index(tmp_path)
    assert found(open_index(tmp_path), "anything at all") == []


def test_the_library_that_searches_takes_no_gpu_for_itself():
    assert os.environ["JAX_PLATFORMS"] == "cpu"  # read by JAX, which bm25s starts where it is installed
