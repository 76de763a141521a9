from pathlib import Path
from typing import Any

import pytest

from engine.tickets.detect import detect
from tests.engine.tickets.exports import lines, only, read, said, write

PAIR = [("user", "public", "Dark?"), ("assistant", "public", "Press it.")]


@pytest.mark.parametrize(
    "record",
    [
        {"messages": [{"role": "user", "content": "Dark?"}, {"role": "assistant", "content": "Press it."}]},
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Dark?"}]},
                {"role": "assistant", "content": "Press it."},
            ]
        },
        {"conversations": [{"from": "human", "value": "Dark?"}, {"from": "gpt", "value": "Press it."}]},
        {"conversation": [{"role": "customer", "content": "Dark?"}, {"role": "agent", "content": "Press it."}]},
        {"instruction": "Dark?", "input": "", "output": "Press it."},
        {"prompt": "Dark?", "completion": "Press it."},
        {
            "prompt": [{"role": "user", "content": "Dark?"}],
            "completion": [{"role": "assistant", "content": "Press it."}],
        },
        {"question": "Dark?", "answer": "Press it."},
    ],
)
def test_every_chat_shape_is_read_as_lines_and_as_an_array(tmp_path: Path, record: dict[str, Any]) -> None:
    assert said(only(write(tmp_path / "t.jsonl", lines(record)))) == PAIR
    assert [said(found) for found in read(write(tmp_path / "t.json", [record, record]))] == [PAIR, PAIR]
    assert said(only(write(tmp_path / "one.json", record))) == PAIR
    assert detect([tmp_path / "t.jsonl"]).format == "chat"


def test_system_prompts_and_alpaca_inputs_are_kept(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.jsonl",
        lines(
            {"system": "Be kind.", "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
            {"instruction": "Translate", "input": "Lampe", "output": "Lamp", "history": [["x", "y"]]},
        ),
    )
    first, second = read(path)
    assert said(first)[0] == ("system", "public", "Be kind.")
    assert [content for _, _, content in said(second)] == ["x", "y", "Translate\n\nLampe", "Lamp"]


def test_tool_calls_are_not_learnt(tmp_path: Path) -> None:
    turns = [
        {"role": "user", "content": "Dark?"},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "content": "42"},
        {"role": "assistant", "content": "Press it."},
    ]
    kinds = [kind for _, kind, _ in said(only(write(tmp_path / "t.jsonl", lines({"messages": turns}))))]
    assert kinds == ["public", "system", "system", "public"]


def test_its_own_output_can_be_read_again(tmp_path: Path) -> None:
    row = {
        "ticket": "12",
        "subject": "Lamp",
        "messages": [{"role": "user", "content": "Lamp\n\nDark?"}, {"role": "assistant", "content": "Press it."}],
    }
    found = only(write(tmp_path / "train.jsonl", lines(row)))
    assert (found.id, found.subject, found.messages[0].content) == ("12", "", "Lamp\n\nDark?")
