"""WhatsApp: a chat exported as text (``_chat.txt``, ``WhatsApp Chat with ....txt``), from iOS and Android.

Traps: dates are written as the phone's language has it, with the day or the month first; a message goes on over several
lines; iOS marks what nobody typed by an invisible character; the names are those of the phone's address book, and which
of them is the shop's is not said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from engine.tickets.conversation import DAMAGED, Conversation, Kind, LeftOut, Message, excerpt
from engine.tickets.dates import day_order
from engine.tickets.importing.files.encodings import open_text
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.files.sources import Source
from engine.tickets.importing.readers.fields import Json, asker, first
from engine.tickets.importing.readers.pauses import split_at_pauses
from engine.tickets.importing.words import groups, words

FORMAT = "whatsapp"
LABEL = "WhatsApp chat"
GUIDE = (
    "Open the chat > More > Export chat",
    "TXT, .zip",
    "conversations, parted where it was silent; iOS and Android, many languages' dates",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This WhatsApp chat holds no messages.",
    "Open the chat in WhatsApp, choose Export chat (under More), and drop the file that you get.",
)
MESSAGE_CHARS = 1_000_000
_BUDDHIST = 2_400
"""A year beyond it is counted from Buddha's death, as in Thailand: 543 years more."""
_UNTYPED = "\u200e"
"""The left-to-right mark that WhatsApp puts before what it wrote itself."""
_HALVES = {word: half for half, names in groups("day_halves").items() for word in names}
_BLANK = r"[ \u00a0\u202f]"
_HALF = "|".join(re.escape(word).replace(r"\ ", _BLANK) for word in sorted(_HALVES, key=len, reverse=True))
_PART = rf"[\u200e\u200f]?{_BLANK}?[./-]{_BLANK}?"
"""Between the numbers of a day; Arabic writes a mark of direction before it."""
_DAY = (
    rf"(?P<one>\d{{1,4}})(?:{_PART}|년{_BLANK}?|年)(?P<two>\d{{1,2}})(?:{_PART}|월{_BLANK}?|月)"
    rf"(?P<three>\d{{1,4}})(?:\.|일|日|{_BLANK}?г\.)?"
)
_SECONDS = r"(?P<seconds>[:.]\d{2})?"
_CLOCK = (
    rf"(?:(?P<early>{_HALF}){_BLANK}?)?(?P<hour>\d{{1,2}})[:.](?P<minute>\d{{2}}){_SECONDS}"
    rf"(?:{_BLANK}?(?P<late>{_HALF}))?"
)
_BETWEEN = rf"[,،]?[\u200e\u200f]?{_BLANK}(?:[^\W\d]{{1,5}}\.?{_BLANK})??"
"""Between day and time: 'à', 'klo', 'kl.' and the like."""
_MINUTES = _CLOCK.replace(_SECONDS, "")
_HEAD = re.compile(
    rf"[\u200e\u200f\ufeff]*(?:(?P<ios>\[){_DAY}{_BETWEEN}{_CLOCK}\]{_BLANK}"
    rf"|(?P<copied>\[){_MINUTES.replace('?P<', '?P<c_')},{_BLANK}{_DAY.replace('?P<', '?P<c_')}\]{_BLANK}"
    rf"|{_DAY.replace('?P<', '?P<a_')}{_BETWEEN}{_MINUTES.replace('?P<', '?P<a_')}{_BLANK}[-–]{_BLANK})",
    re.IGNORECASE,
)
"""What iOS writes, what is copied out of WhatsApp Web, and what Android writes.

Seconds are only ever written by iOS; with them and a dash, it is some program's log.
"""
_NAMED = re.compile(r"(?P<name>[^:\n\"“”„«»]{1,60}?): ?(?P<said>.*)", re.DOTALL)
_FILE = re.compile(
    r"<[^<>:\n]{1,20}: ?(?P<tagged>[^<>\n]{3,120})>|(?P<plain>[^\n<>]{1,120}\.\w{2,5}) \([^()\n]{3,60}\)"
)
_DOCUMENT = re.compile(r"[^\n<>]{1,120}\.\w{2,5} • ")
"""How iOS begins to name a document, before its pages and that it was left out."""
_BRACKETED = re.compile(r"<[^<>\n]{3,60}>")
_EDITED = re.compile(r"(?:\u200e<[^<>\n]{5,60}>|<\w{1,20}(?: \w{1,20}){2,6}\.?>)$")
_OF_LOGS = frozenset(("error", "info", "debug", "warning", "warn", "fatal", "trace"))


def evidence_in(head: str) -> str:
    """Say how a text is a WhatsApp chat; empty when it is none.

    Args:
        head: The beginning of the file.
    """
    lines = [line for line in head[:60_000].splitlines()[:200] if line.strip()]
    if not lines or not _HEAD.match(lines[0]):
        return ""
    begun = [line[match.end() :] for line in lines if (match := _HEAD.match(line))]
    names = [match["name"].strip().casefold() for rest in begun if (match := _NAMED.fullmatch(rest))]
    if len(begun) < 2 or not names or _OF_LOGS.issuperset(names):
        return ""
    return f"{len(begun)} of the first {len(lines)} lines begin with a date, a time and mostly a name"


def evidence(record: Json) -> str:
    """Records never tell: a chat is text."""
    return ""


def has_messages(record: Json) -> bool:
    """Tell a message from anything else."""
    return bool(first(record, "said"))


def messages_of(source: Source, encoding: str) -> Iterator[Record | LeftOut]:
    """Yield a record a message.

    Yields:
        ``at`` (ISO 8601, as the phone's clock was), ``name`` (empty for a notice), ``said``.
    """
    month_first = _month_first(source, encoding)
    message: _Line | None = None
    for number, line in enumerate(_lines(source, encoding), start=1):
        if head := _HEAD.match(line):
            if message:
                yield message.record(source.name)
            message = _Line(number, _at(head, month_first), [line[head.end() :]])
        elif message:
            message.go_on(line)
        elif line.strip():
            yield LeftOut(f"line {number} of {source.name}", DAMAGED, excerpt(line))
    if message:
        yield message.record(source.name)


@dataclass(slots=True)
class _Line:
    """A message in the making: where it began, when it was written, what follows the date."""

    number: int
    at: str
    lines: list[str]
    chars: int = 0

    def go_on(self, line: str) -> None:
        """Take in one more line; beyond a million characters it is passed over."""
        self.chars += len(line) + 1
        if self.chars < MESSAGE_CHARS:
            self.lines.append(line)

    def record(self, source: str) -> Record:
        text = "\n".join(self.lines).rstrip()
        named = _NAMED.fullmatch(text)
        name, said = (named["name"], named["said"]) if named else ("", text)
        return Record(
            {"at": self.at, "name": name.strip(" ~\u200e\u202a\u202c\u202f\u00a0"), "said": said},
            source,
            f"line {self.number}",
        )


def _lines(source: Source, encoding: str) -> Iterator[str]:
    with open_text(source, encoding) as stream:
        while line := stream.readline(MESSAGE_CHARS):
            yield line.rstrip("\r\n")


def _month_first(source: Source, encoding: str) -> bool:
    """Tell which number of a date is the month: of the two ways to read it, the one in which time never runs back."""
    written: list[str] = []
    back = {True: 0, False: 0}
    before = {True: "", False: ""}
    for line in _lines(source, encoding):
        if head := _HEAD.match(line):
            if len(written) < 5_000:
                written.append(head.group())
            for order in (True, False):
                at = _at(head, order)
                back[order] += not at or at < before[order]
                before[order] = at
    if back[True] != back[False]:
        return back[True] < back[False]
    # Where the clock has no 24 hours, only capital letters are American: 'am' is written in India and Australia.
    return day_order(written) == "month" and any("AM" in line or "PM" in line for line in written)


def _at(head: re.Match[str], month_first: bool) -> str:
    """Read the date of a message as ISO 8601; empty where there is no such day."""
    part = "" if head["ios"] else "c_" if head["copied"] else "a_"
    one, two, three = (int(head[part + name]) for name in ("one", "two", "three"))
    if one > 999:
        year, month, day = one, two, three
    else:
        year, month, day = (three, one, two) if month_first else (three, two, one)
    hour, minute = int(head[part + "hour"]), int(head[part + "minute"])
    if year > _BUDDHIST:
        year -= 543
    half = _HALVES.get(" ".join((head[part + "early"] or head[part + "late"] or "").casefold().split()), "")
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    second = int((head["seconds"] or ":0")[1:])
    try:
        return datetime(year + 2000 if year < 100 else year, month, day, hour, minute, second).isoformat()
    except ValueError:
        return ""


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield the conversations of each chat, parted by its pauses; who is the support is found out later."""
    for source, chat in groupby(records, key=lambda record: record.source):
        for talk in split_at_pauses((record, _message(record.value)) for record in chat):
            said = tuple(message for _, message in talk)
            yield Conversation(
                id=talk[0][0].place,
                messages=said,
                created_at=said[0].at,
                customer=asker(said),
                people=tuple(dict.fromkeys(message.author for message in said if len(message.author) > 1)),
                source=source,
            )


def _message(record: Json) -> Message:
    name, said = first(record, "name"), first(record, "said")
    untyped = said.startswith(_UNTYPED)
    said = _EDITED.sub("", said.rstrip()) if not _BRACKETED.fullmatch(said.strip(" \u200e")) else said
    said = said.replace(_UNTYPED, "").strip()
    kind: Kind = "public"
    if not name or said.rstrip(".").casefold() in words("phone_notices"):
        kind = "system"
    elif said.rstrip(".").casefold() in words("deleted_messages") or said == "null":
        kind = "hidden"
    else:
        said, kind = _without_file(said, untyped)
    return Message("user", said, name, first(record, "at"), kind=kind)


def _without_file(said: str, untyped: bool) -> tuple[str, Kind]:
    """Take a picture or file off a message: what is written under it stays; one alone is named."""
    top, _, caption = said.partition("\n")
    file = _FILE.fullmatch(top.strip())
    if file or _BRACKETED.fullmatch(top.strip()) or ((untyped or _DOCUMENT.match(top)) and _is_left_out(top)):
        name = (file["tagged"] or file["plain"]) if file else top
        return (caption.strip(), "public") if caption.strip() else (name, "attachment")
    return said, "system" if untyped else "public"


def _is_left_out(line: str) -> bool:
    lowered = line.casefold()
    return any(word in words("left_out_media") for word in lowered.split()) or any(
        word in lowered for word in ("省略", "略去", "忽略", "생략", "含まれて")
    )
