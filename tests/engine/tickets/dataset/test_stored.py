"""A conversation as it lies on disk, and as a record."""

import json
from dataclasses import replace

import pytest

from engine.errors import TicketsError
from engine.tickets.conversation import Message
from engine.tickets.dataset.files import DROPPED, HELDOUT, TRAIN
from engine.tickets.dataset.stored import StoredConversation, conversations

WHOLE = StoredConversation(
    "7",
    (
        Message("user", "Where?"),
        Message("assistant", "Here.", learnt=False),
        Message("user", "?"),
        Message("assistant", "!"),
    ),
    subject="A parcel",
    tags=("post", "late"),
    created_at="2025-01-02",
    key="00ff",
)


def test_what_is_written_is_what_is_read():
    for entry in (WHOLE, replace(WHOLE, originals={1: "There."}), StoredConversation("é\n", WHOLE.messages)):
        assert StoredConversation.of_line(entry.line(), TRAIN) == entry


def test_a_line_holds_what_the_format_says_and_nothing_else():
    assert WHOLE.line() == (
        b'{"ticket":"7","messages":[{"role":"user","content":"Where?"},'
        b'{"role":"assistant","content":"Here.","weight":0},{"role":"user","content":"?"},'
        b'{"role":"assistant","content":"!"}],"subject":"A parcel","tags":["post","late"],'
        b'"created_at":"2025-01-02","key":"00ff"}\n'
    )


def test_the_side_comes_from_the_file_and_of_what_is_left_out_from_the_line(tmp_path):
    held = replace(WHOLE, split="heldout")
    out = replace(held, reason="dropped by you")
    for name, entry in ((TRAIN, WHOLE), (HELDOUT, held), (DROPPED, out)):
        (tmp_path / name).write_bytes(entry.line())
        assert list(conversations(tmp_path / name)) == [entry]


def test_words_as_imported_are_found_whether_rewritten_or_not():
    entry = replace(WHOLE, originals={1: "There."})
    assert (entry.original(1), entry.original(3)) == ("There.", "!")


def test_lone_surrogates_which_no_file_can_hold_are_replaced():
    assert json.loads(StoredConversation("7", (Message("user", "a\ud800b"),)).line())["messages"][0]["content"] == "a?b"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"ticket": 7, "messages": [{"role": "user", "content": "a"}]}',
        b'{"ticket": "7"}',
        b'{"ticket": "7", "messages": []}',
        b'{"ticket": "7", "messages": ["a"]}',
        b'{"ticket": "7", "messages": [{"role": "user"}]}',
        b'{"ticket": "7", "messages": [{"role": "user", "content": 5}]}',
        b'{"ticket": "7", "messages": [{"role": "user", "content": "a"}], "tags": 5}',
        b'{"ticket": "7", "messages": [{"role": "user", "content": "a"}], "originals": {"x": "a"}}',
        b'{"ticket": "7", "messages": [{"role": "user", "content": "a"}], "side": "left"}',
    ],
)
def test_a_damaged_line_is_named_by_its_number(line):
    with pytest.raises(TicketsError, match=r"Line 3 of train.jsonl is damaged"):
        StoredConversation.of_line(line, TRAIN, 3)
