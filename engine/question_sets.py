"""Question sets: a team's favourite questions, kept under a name; and the answers of several voices as a table.

questions/<slug>.json    {"name", "questions": [text]}
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.chat.records import Answer
from engine.errors import StudioError
from engine.turns import Turn
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
    return tuple(Question(({"role": "user", "content": line},)) for line in lines)


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


def as_csv(table: AnswerTable) -> str:
    """Write a table for a spreadsheet, which takes none of its cells for a formula."""
    written = io.StringIO()
    out = csv.writer(written, lineterminator="\r\n")
    has_reference = any(row.question.reference for row in table.rows)
    heads = ["ticket"] * has_reference + ["question", *table.voices.values()] + ["the agent"] * has_reference
    out.writerow(map(_cell, heads))
    for row in table.rows:
        answers = [row.answers[voice].text if voice in row.answers else "" for voice in table.voices]
        ticket, reference = [row.question.ticket] * has_reference, [row.question.reference] * has_reference
        out.writerow(map(_cell, [*ticket, row.question.text, *answers, *reference]))
    return written.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
