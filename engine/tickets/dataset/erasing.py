"""Deletes a customer from a folder of conversations, so that nothing of that person is left in it.

Works on any folder with train.jsonl or heldout.jsonl: a data set, the copy of a run, the tickets that travel with an
adapter, and what of these lies in the trash. Knows nothing of where such folders are.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from engine.errors import StudioError, TicketsError
from engine.scratch import scratch
from engine.tickets.conversation import excerpt, is_learnt_answer
from engine.tickets.dataset.edits import Edits
from engine.tickets.dataset.files import (
    ANSWERED,
    COVERAGE,
    CUSTOMERS,
    DROPPED,
    EDITS,
    FACTS,
    HELDOUT,
    LEFT_OUT,
    LOOKUP,
    ORIGIN,
    PREFERENCES,
    REDACTIONS,
    REPORT,
    SOURCES,
    TRAIN,
    numbered_lines,
)
from engine.tickets.dataset.provenance import Origin
from engine.tickets.dataset.stored import StoredConversation, conversations, json_line
from engine.tickets.options import PrepareOptions
from engine.tickets.preparing.report import Report
from engine.workspace import disk_errors, private_file, read_object, write_atomically, write_json

DELETED = "deleted with its customer"
"""The reason under which the report counts them."""
_SIDES = (TRAIN, HELDOUT, DROPPED)


@dataclass(frozen=True, slots=True)
class Person:
    """A customer, by the conversations: who it is, a data set does not say."""

    keys: frozenset[str]
    """Of the conversations, by their words."""
    tickets: frozenset[str]
    """Their ids, of a help desk that keeps them."""


def person_of(folder: Path, ticket: str) -> Person:
    """Return the customer of a ticket: all conversations of a data set that are known to be theirs.

    Raises:
        TicketsError: There is no such ticket.
    """
    entries = [entry for name in _SIDES for entry in conversations(folder / name)]
    named = next((entry for entry in entries if entry.ticket == ticket), None)
    if named is None:
        raise TicketsError(f"There is no ticket {ticket} here any more.", "Look at the list once more.")
    customers = _customers(folder)
    number = customers.get(named.key)
    theirs = [entry for entry in entries if number is not None and customers.get(entry.key) == number] or [named]
    stable = Report.load(folder).stable_ids
    ids = frozenset(entry.ticket for entry in theirs) if stable else frozenset[str]()
    return Person(frozenset(entry.key for entry in theirs if entry.key), ids)


def theirs_in(folder: Path, person: Person) -> list[StoredConversation]:
    """Return the conversations of a customer in a folder, on either side or left out."""
    ids = person.tickets if _ids_hold(folder) else frozenset[str]()
    return [
        entry
        for name in _SIDES
        for entry in conversations(folder / name)
        if entry.key in person.keys or entry.ticket in ids
    ]


def erase(folder: Path, person: Person) -> int:
    """Delete a customer's conversations, and all that was written down because of them.

    The private copy of the export goes as a whole: it holds what the person wrote, in a form that only its help desk
    can change.

    Returns:
        How many conversations were deleted.

    Raises:
        ResourceError: The disk is full or cannot be written.
    """
    theirs = theirs_in(folder, person)
    if not theirs:
        return 0
    keys = frozenset(entry.key for entry in theirs if entry.key)
    tickets = frozenset(entry.ticket for entry in theirs)
    originals = originals_in(folder, tickets)
    with disk_errors(folder):
        for name in _SIDES:
            _rewrite(folder, name, lambda line: line["ticket"] in tickets and line.get("key", "") in (*keys, ""))
        for name in (LEFT_OUT, REDACTIONS):
            _rewrite(folder, name, lambda line: line["ticket"] in tickets)
        for name in (ANSWERED, PREFERENCES):
            _rewrite(folder, name, lambda line: line["key"] in keys)
        _forget_choices(folder, keys, tickets, originals)
        for name in (LOOKUP, FACTS, COVERAGE):
            (folder / name).unlink(missing_ok=True)
        if (folder / REPORT).exists():
            _recount(folder, theirs, tickets)
    return len(theirs)


def _customers(folder: Path) -> dict[str, Any]:
    return read_object(folder / CUSTOMERS) if (folder / CUSTOMERS).exists() else {}


def _ids_hold(folder: Path) -> bool:
    try:
        return Report.load(folder).stable_ids
    except StudioError:
        return False


def originals_in(folder: Path, tickets: frozenset[str]) -> frozenset[str]:
    """Return what was masked in a customer's tickets, in small letters."""
    return frozenset(
        str(line.get("original", "")).casefold() for line in _lines(folder / REDACTIONS) if line["ticket"] in tickets
    )


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    for _, line in numbered_lines(file):
        yield orjson.loads(line)


def _rewrite(folder: Path, name: str, goes: Callable[[dict[str, Any]], bool]) -> None:
    """Write a file of records anew without some of them; what cannot be read may be anybody's, and goes too."""
    if not (folder / name).exists():
        return
    with scratch(folder, "deleting") as aside:
        with private_file(aside / name) as output:
            for _, line in numbered_lines(folder / name):
                try:
                    if not goes(orjson.loads(line)):
                        output.write(line)
                except (ValueError, KeyError, TypeError, AttributeError):
                    continue
        (aside / name).replace(folder / name)


def _forget_choices(folder: Path, keys: frozenset[str], tickets: frozenset[str], originals: frozenset[str]) -> None:
    """Delete edits of their conversations, terms that were theirs, and the copy of the export."""
    if (folder / CUSTOMERS).exists():
        remaining = {key: number for key, number in _customers(folder).items() if key not in keys}
        write_atomically(folder / CUSTOMERS, json_line(remaining))
    if (folder / EDITS).exists():
        edits = Edits.load(folder / EDITS)
        dropped = {key: ticket for key, ticket in edits.dropped.items() if key not in keys and ticket not in tickets}
        answers = tuple(one for one in edits.answers if one.key not in keys and one.ticket not in tickets)
        replace(edits, dropped=dropped, answers=answers).save(folder / EDITS)
    shutil.rmtree(folder / SOURCES, ignore_errors=True)
    if (folder / ORIGIN).exists():
        origin = Origin.load(folder)
        without = (_without(options, originals) for options in (origin.used, origin.wanted))
        used, wanted = without
        replace(origin, kept=False, used=used, wanted=wanted).save(folder)


def _without(options: PrepareOptions, originals: frozenset[str]) -> PrepareOptions:
    def others(terms: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(term for term in terms if term.casefold() not in originals)

    return replace(options, allow=others(options.allow), extra_terms=others(options.extra_terms))


def _recount(folder: Path, theirs: list[StoredConversation], tickets: frozenset[str]) -> None:
    """Count anew, and take what they said out of the report."""
    report = Report.load(folder)
    sides = [sum(1 for _ in numbered_lines(folder / name)) for name in (TRAIN, HELDOUT)]
    answers = {excerpt(message.content) for entry in theirs for message in entry.messages if is_learnt_answer(message)}
    quality = {
        **report.quality,
        "canned": [one for one in report.quality.get("canned", ()) if one["answer"] not in answers],
        "contradictions": [
            one for one in report.quality.get("contradictions", ()) if tickets.isdisjoint(one["tickets"])
        ],
    }
    gone = report.conversations_kept - sum(sides)
    dropped = {**report.dropped, DELETED: report.dropped.get(DELETED, 0) + max(0, gone)}
    changed = replace(
        report,
        train=sides[0],
        heldout=sides[1],
        conversations_kept=sum(sides),
        dropped=dropped,
        preferences=sum(1 for _ in numbered_lines(folder / PREFERENCES)),
        quality=quality,
    )
    write_json(folder / REPORT, changed.to_json())
