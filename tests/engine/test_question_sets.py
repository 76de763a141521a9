"""Questions from a file, as ``python -m engine ask --file`` takes them."""

import json

import pytest

from engine.errors import TicketsError
from engine.question_sets import read_questions

ASKED = {"role": "user", "content": "where is my parcel"}


def written(tmp_path, *lines):
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return file


def test_a_line_is_a_prompt_a_conversation_or_plain_text(tmp_path):
    turns = [{"role": "system", "content": "Be brief."}, ASKED]
    file = written(tmp_path, {"prompt": "where is my parcel"}, "", {"messages": turns}, '"where is my parcel"')
    asked = read_questions(file)
    assert [list(question.messages) for question in asked] == [[ASKED], turns, [ASKED]]
    assert {question.text for question in asked} == {"where is my parcel"}


def test_the_answer_at_the_end_of_a_conversation_is_left_off(tmp_path):
    answered = [ASKED, {"role": "assistant", "content": "here"}]
    (question,) = read_questions(written(tmp_path, {"messages": answered}))
    assert question.messages == (ASKED,)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "Line 2 of questions.jsonl is not a question"),
        ({"other": 1}, "Line 2 of questions.jsonl is not a question"),
        ({"messages": []}, "Line 2 of questions.jsonl holds no question"),
        ({"messages": [{"role": "assistant", "content": "here"}]}, "Line 2 of questions.jsonl holds no question"),
    ],
)
def test_a_damaged_line_is_named(tmp_path, line, said):
    with pytest.raises(TicketsError, match=said):
        read_questions(written(tmp_path, {"prompt": "hello"}, line))


def test_a_file_without_questions_is_refused(tmp_path):
    with pytest.raises(TicketsError, match="holds no questions"):
        read_questions(written(tmp_path, "", " "))
    with pytest.raises(TicketsError, match="cannot be read"):
        read_questions(tmp_path / "missing.jsonl")
