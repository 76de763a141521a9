"""Question sets: a team's favourite questions, kept under a name; and the answers of several voices as a table.

questions/<slug>.json    {"name", "questions": [text]}
"""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.chat.records import Answer
from engine.errors import StudioError, TicketsError
from engine.turns import Turn
from engine.verdict.facts.fact import Fact
from engine.workspace import read_object

MOST_QUESTIONS = 1000
"""Of a set; more are an export, and belong on the tab Tickets."""
MOST_CHARS = 20_000
"""Of a question."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes a cell that begins with it for, https://owasp.org/www-community/attacks/CSV_Injection."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something that is asked of all voices."""

    messages: tuple[Turn, ...]
    """Up to and with the customer's question."""
    reference: str = ""
    """What the agent really answered, where that is known."""
    ticket: str = ""

    @property
    def text(self) -> str:
        """What the customer asks last."""
        return self.messages[-1]["content"]


@dataclass(frozen=True, slots=True)
class Row:
    """A question with the answers of all voices."""

    question: Question
    answers: Mapping[str, Answer]
    """Voice -> its answer."""
    inventions: Mapping[str, tuple[Fact, ...]] | None = None
    """Voice -> the facts that its answer has from nowhere; None where there was nothing to compare with."""


@dataclass(frozen=True, slots=True)
class AnswerTable:
    """The answers to many questions."""

    voices: Mapping[str, str]
    """Voice -> what it is called, in the order of the columns."""
    rows: tuple[Row, ...]
    asked: int
    """How many questions there are; more than rows where it was ended early."""


def plain_questions(text: str) -> tuple[Question, ...]:
    """Return the questions of a text, one a line; empty lines are nothing.

    Raises:
        StudioError: There is none, there are too many, or one is too long.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise StudioError("There is no question yet.", "Write one a line.")
    if len(lines) > MOST_QUESTIONS:
        raise StudioError(f"These are {len(lines):,} questions.", f"A set takes {MOST_QUESTIONS:,}; make two of it.")
    if longest := next((line for line in lines if len(line) > MOST_CHARS), ""):
        raise StudioError(f"A question has {len(longest):,} characters.", f"At most {MOST_CHARS:,} are taken.")
    return tuple(map(plain_question, lines))


def plain_question(text: str) -> Question:
    """Return a question that is nothing but its words."""
    return Question(({"role": "user", "content": text},))


def read_question_set(file: Path) -> tuple[str, tuple[str, ...]]:
    """Read a saved set: its name and its questions.

    Raises:
        StudioError: It is damaged.
    """
    saved = read_object(file)
    name, questions = saved.get("name"), saved.get("questions")
    if not isinstance(name, str) or not isinstance(questions, list) or not all(isinstance(q, str) for q in questions):
        raise StudioError(f"{file.name} is no set of questions.")
    return name, tuple(questions)


def read_questions(file: Path) -> tuple[Question, ...]:
    """Read conversations that wait for an answer.

    Args:
        file: JSON lines: {"prompt": text}, {"messages": [...]} (a last answer is left off), or a plain text.

    Raises:
        TicketsError: It is missing or empty, or a line is damaged; the line is named.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TicketsError(f"{file} cannot be read as text.", "Name a file of JSON lines.") from error
    questions = [Question(_question(line, number, file)) for number, line in enumerate(lines, 1) if line.strip()]
    if not questions:
        raise TicketsError(f"{file} holds no questions.", 'Write lines such as {"prompt": "Where is my parcel?"}.')
    return tuple(questions)


def _question(line: str, number: int, file: Path) -> tuple[Turn, ...]:
    try:
        value = json.loads(line)
        if isinstance(value, str):
            return ({"role": "user", "content": value},)
        if "prompt" in value:
            return ({"role": "user", "content": str(value["prompt"])},)
        turns = [{"role": str(turn["role"]), "content": str(turn["content"])} for turn in value["messages"]]
        while turns and turns[-1]["role"] == "assistant":
            turns.pop()
        if turns:
            return tuple(turns)
    except (ValueError, KeyError, TypeError) as error:
        raise TicketsError(
            f"Line {number} of {file.name} is not a question.", 'Write {"prompt": "..."} or {"messages": [...]}.'
        ) from error
    raise TicketsError(
        f"Line {number} of {file.name} holds no question.", "Its messages must have one of the customer."
    )


def as_csv(table: AnswerTable) -> str:
    """Write a table for a spreadsheet, which takes none of its cells for a formula.

    Beside each voice stands how many facts its answer has from nowhere, and which.
    """
    written = io.StringIO()
    out = csv.writer(written, lineterminator="\r\n")
    has_reference = any(row.question.reference for row in table.rows)
    judged = any(row.inventions is not None for row in table.rows)
    heads = ["ticket"] * has_reference + ["question"]
    for name in table.voices.values():
        heads += [name, *[f"{name}: facts from nowhere", f"{name}: which"] * judged]
    out.writerow(map(_cell, [*heads, *["the agent"] * has_reference]))
    for row in table.rows:
        cells = [cell for voice in table.voices for cell in _answer_cells(row, voice, judged)]
        ticket, reference = [row.question.ticket] * has_reference, [row.question.reference] * has_reference
        out.writerow(map(_cell, [*ticket, row.question.text, *cells, *reference]))
    return written.getvalue()


def as_comparison(row: Row, base: str, tuned: str) -> dict[str, Any]:
    """Return a row as ``python -m engine ask`` writes it.

    Args:
        row: With the answers of both.
        base: The voice of the base model.
        tuned: The voice beside it.

    Returns:
        {"prompt", "base", "tuned", "base_stopped_by", "tuned_stopped_by"}; with look-up "looked_up", the tickets; and a
        "note" where the oldest messages did not fit.
    """
    plain, learnt = row.answers[base], row.answers[tuned]
    told: dict[str, Any] = {
        "prompt": row.question.text,
        "base": plain.text,
        "tuned": learnt.text,
        "base_stopped_by": plain.stopped_by,
        "tuned_stopped_by": learnt.stopped_by,
    }
    if learnt.lookup is not None:
        told["looked_up"] = [near.ticket for near in learnt.lookup.tickets[: learnt.lookup.used]]
    return told | ({"note": learnt.note} if learnt.note else {})


def _answer_cells(row: Row, voice: str, judged: bool) -> list[str]:
    text = row.answers[voice].text if voice in row.answers else ""
    if not judged:
        return [text]
    if row.inventions is None:
        return [text, "", ""]
    facts = row.inventions.get(voice, ())
    return [text, str(len(facts)), "; ".join(text[fact.start : fact.end] for fact in facts)]


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
