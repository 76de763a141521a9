"""The answers of a run's voices to its held-out tickets, kept as they come, so that a judgement goes on where it was.

    runs/<id>/verdict/answers.jsonl   what is asked, in the first line; then {"answers": {voice: {...}}, "number"} and
                                      {"losses": {voice: nats}, "number"}, a line a ticket; masked text; mode 0600

Answers of other weights, other tickets or another longest answer do not belong together: then it begins anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import orjson

from engine.chat.records import Answer, StoppedBy
from engine.tickets.dataset.stored import json_line
from engine.workspace import disk_errors, write_atomically

FOLDER = "verdict"
FILE = "answers.jsonl"


@dataclass(frozen=True, slots=True)
class SaidAnswer:
    """An answer as it is kept."""

    text: str
    stopped_by: StoppedBy | None
    tokens: int
    near: tuple[str, ...] = ()
    """The tickets that were looked up for it and stood before the question, the nearest first."""

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """Keep of an answer what is judged."""
        lookup = answer.lookup
        near = tuple(ticket.ticket for ticket in lookup.tickets[: lookup.used]) if lookup else ()
        return cls(answer.text, answer.stopped_by, answer.tokens, near)


@dataclass(slots=True)
class Transcript:
    """What has been answered so far; :meth:`opened` reads it."""

    file: Path
    about: Mapping[str, Any]
    answers: dict[int, dict[str, SaidAnswer]] = field(default_factory=dict)
    """Number of a ticket -> voice -> its answer."""
    losses: dict[int, dict[str, float]] = field(default_factory=dict)
    """Number of a ticket -> voice -> nats a token of what the agent really wrote."""

    @classmethod
    def opened(cls, run: Path, about: Mapping[str, Any]) -> Self:
        """Read what there is; begin anew where it is about something else.

        Args:
            run: The run's folder.
            about: All that answers depend on, as plain values.

        Raises:
            ResourceError: The disk is full or cannot be read.
        """
        file = run / FOLDER / FILE
        made = cls(file, about)
        lines = made._read()
        with disk_errors(file):
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Written anew, so that a line that was cut off by a crash does not swallow the next one.
        write_atomically(file, b"".join(json_line(line) for line in [{"about": dict(about)}, *lines]))
        return made

    @classmethod
    def last(cls, run: Path) -> Self | None:
        """Return what was answered last, whatever it is about; None where nothing was."""
        file = run / FOLDER / FILE
        lines = list(_lines(file))
        if not lines or "about" not in lines[0]:
            return None
        made = cls(file, lines[0]["about"])
        made._read()
        return made

    def _read(self) -> list[dict[str, Any]]:
        """Take in what the file holds about the same, and return those lines."""
        lines = list(_lines(self.file))
        if not lines or lines[0].get("about") != _plain(self.about):
            return []
        for line in lines[1:]:
            if "answers" in line:
                self.answers[line["number"]] = {
                    voice: SaidAnswer(**{**said, "near": tuple(said["near"])})
                    for voice, said in line["answers"].items()
                }
            elif "losses" in line:
                self.losses[line["number"]] = line["losses"]
        return lines[1:]

    def add_answers(self, number: int, answers: Mapping[str, SaidAnswer]) -> None:
        """Keep the answers to a ticket.

        Raises:
            ResourceError: The disk is full.
        """
        self.answers[number] = dict(answers)
        said = {
            voice: {"text": answer.text, "stopped_by": answer.stopped_by, "tokens": answer.tokens, "near": answer.near}
            for voice, answer in answers.items()
        }
        self._append({"number": number, "answers": said})

    def add_losses(self, number: int, losses: Mapping[str, float]) -> None:
        """Keep the losses on a ticket.

        Raises:
            ResourceError: The disk is full.
        """
        self.losses[number] = dict(losses)
        self._append({"number": number, "losses": dict(losses)})

    def _append(self, line: Mapping[str, Any]) -> None:
        with disk_errors(self.file), self.file.open("ab") as stream:
            stream.write(json_line(line))
            stream.flush()
            os.fsync(stream.fileno())


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the whole lines of a file; none where there is no such file."""
    try:
        content = file.read_bytes()
    except OSError:
        return
    for line in content.splitlines():
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(value, dict):
            yield value


def _plain(value: Mapping[str, Any]) -> Any:
    return orjson.loads(json_line(dict(value)))
