"""Held-out tickets are held out from everybody who answers."""

import json

import pytest

from engine.chat.heldout import heldout_tickets
from engine.errors import TicketsError


def folder(path, train=(), heldout=()):
    """A data folder with a ticket for each question."""
    path.mkdir()
    for name, questions in (("train", train), ("heldout", heldout)):
        rows = [
            {
                "ticket": f"{name}-{question}",
                "messages": [
                    {"role": "user", "content": question},
                    {"role": "assistant", "content": f"Answer to {question}."},
                ],
            }
            for question in questions
        ]
        (path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_ticket_comes_with_its_question_and_what_the_agent_wrote(tmp_path):
    found = heldout_tickets([folder(tmp_path / "a", heldout=["one", "two"])])[1]
    assert found.ticket == "heldout-two"
    assert found.messages == ({"role": "user", "content": "two"},)
    assert found.answer == "Answer to two."


def test_all_of_them_come_in_their_order(tmp_path):
    data = folder(tmp_path / "a", heldout=["one", "two", "three"])
    assert [ticket.ticket for ticket in heldout_tickets([data])] == [
        f"heldout-{number}" for number in ("one", "two", "three")
    ]


def test_what_another_adapter_has_learnt_is_never_asked(tmp_path):
    first = folder(tmp_path / "a", heldout=["one", "two", "three"])
    second = folder(tmp_path / "b", train=["one", "three"], heldout=["four"])
    assert {ticket.ticket for ticket in heldout_tickets([first, second])} == {"heldout-two"}


def test_nothing_left_is_said_with_a_remedy(tmp_path):
    first = folder(tmp_path / "a", heldout=["one"])
    second = folder(tmp_path / "b", train=["one"])
    with pytest.raises(TicketsError, match="held out from everybody") as seen:
        heldout_tickets([first, second])
    assert seen.value.remedy == "Compare fewer adapters."
    with pytest.raises(TicketsError, match="No tickets were held out"):
        heldout_tickets([folder(tmp_path / "c", train=["one"])])


def test_a_damaged_line_is_named(tmp_path):
    data = folder(tmp_path / "a", heldout=["one"])
    (data / "heldout.jsonl").write_text('{"ticket": \n')
    with pytest.raises(TicketsError, match=r"Line 1 of heldout\.jsonl"):
        heldout_tickets([data])
