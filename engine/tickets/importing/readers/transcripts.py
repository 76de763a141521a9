"""A whole chat in one text, a line a turn such as ``(10:23:45) Ben: Hello`` -> its turns.

Zendesk writes chats and messaging so into one comment of the ticket. Owns the lines and what a speaker's name tells of
him; who the requester and the agents are, the reader knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.tickets.conversation import Kind, Role
from engine.tickets.importing.parties import is_machine_name

_LINE = re.compile(
    r"[(\[](?:\d[\d./-]{5,9},?[ T])?\d{1,2}:\d{2}(?::\d{2})?(?: ?[AaPp][Mm])?[)\]]\s+"
    r"(?:(?P<event>\*{3}.*)|(?P<name>[^:\n]{1,80}?):(?:\s+|$)(?P<said>.*))"
)
_VISITOR = re.compile(
    r"(?:visitor|web user|guest|anonymous|end[- ]?user|customer|client|(?:ios|android|unity) (?:sdk )?user|user"
    r"|besucher|visiteur|visitante|visitatore|bezoeker|gast|kunde)\b[ #]?[\w-]{0,40}",
    re.IGNORECASE,
)
_WITH = re.compile(
    r"\s*(?:conversation|chat|messaging|unterhaltung|gespräch)\s+(?:with|mit|from|von)\s+(.{1,80})", re.I
)
_MACHINE_SAYS = re.compile(
    r"\b(?:(?:virtual|automated|digital|ai)[ -](?:assistant|agent)|chat ?bot"
    r"|(?:am|bin|soy|suis|sono|sou) (?:a|an|ein|un|um) (?:ro)?bot|virtuelle[rn]? assistent(?:in)?|asistente virtual"
    r"|assistante? virtuel(?:le)?|assistente virtuale?|virtuele assistent)\b",
    re.IGNORECASE,
)
_HEADING = re.compile(
    r"(?:chat|conversation|served|visitor|agents?|department|duration|started|ended|url)\b[^:\n]{0,30}:.{0,120}",
    re.IGNORECASE,
)
"""What may stand over a chat: 'Chat started: 2025-01-02 10:00 AM UTC', 'Served by: Ben'."""
_UPLOADED = re.compile(r"(.{1,70}) uploaded")
_OF_FILES = re.compile(r"(?:URL|Type|Size): .{1,500}", re.IGNORECASE)
"""The lines under a file that was uploaded."""
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one speaker said at once."""

    name: str
    said: str
    role: Role
    kind: Kind


def is_transcript(text: str, of_a_chat: bool) -> bool:
    """Tell a chat in lines from a message that only mentions a time.

    Args:
        text: Any comment.
        of_a_chat: Whether its ticket is that of a chat. Elsewhere times in square brackets are those of a log, and
            what stands over the lines is the writer's own.
    """
    lines = [line.strip() for line in text.strip().splitlines()[:40] if line.strip()]
    while lines and (_HEADING.fullmatch(lines[0]) or (of_a_chat and _WITH.fullmatch(lines[0]))):
        lines.pop(0)
    if not lines or not lines[0].startswith(("(", "[") if of_a_chat else "("):
        return False
    timed = sum(_LINE.match(line.lstrip()) is not None for line in lines)
    return _LINE.match(lines[0].lstrip()) is not None and timed >= min(_FEWEST, len(lines))


def is_heading(text: str) -> bool:
    """Tell what is only said over a chat, such as 'Conversation with Ada' and the address of the page."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return bool(lines) and _WITH.fullmatch(lines[0]) is not None and all(map(_HEADING.fullmatch, lines[1:]))


def split_transcript(text: str, subject: str, customers: Iterable[str], agents: Iterable[str]) -> list[Utterance]:
    """Split a chat into its turns.

    Args:
        text: The chat; a line without a time goes on with the turn before it. Joining and leaving are passed over.
        subject: The ticket's; 'Conversation with Ada' names the customer.
        customers: Names of the requester.
        agents: Names of people known to work for the help desk, possibly none; where one of them speaks, an unknown
            name is a bot's.
    """
    spoken: list[tuple[str, str]] = []
    for line in text.strip().splitlines():
        match = _LINE.match(line.lstrip())
        if match and match["event"] is None:
            spoken.append((" ".join(match["name"].split()), match["said"]))
        elif (
            not match
            and spoken
            and line.strip()
            and not (_UPLOADED.fullmatch(spoken[-1][0]) and _OF_FILES.fullmatch(line.strip()))
        ):
            spoken[-1] = (spoken[-1][0], f"{spoken[-1][1]}\n{line.rstrip()}")
    asking = {name.casefold() for name in (*customers, named_in(subject)) if name}
    employed = {name.casefold() for name in agents if name}
    files = [_UPLOADED.fullmatch(name) for name, _ in spoken]
    spoken = [(file[1] if file else name, said) for file, (name, said) in zip(files, spoken, strict=True)]
    names = list(dict.fromkeys(name for name, _ in spoken))
    askers = {name for name in names if _VISITOR.fullmatch(name) or _is_one_of(name, asking)}
    machines = {name for name in names if name not in askers and _is_machine(name, spoken)}
    staff = {name for name in names if _is_one_of(name, employed)} - askers - machines
    if not askers:
        # Customers begin a chat.
        askers = set([name for name in names if name not in machines | staff][:1])
    if staff:
        machines.update(name for name in names if name not in askers and name not in staff)
    return [
        Utterance(
            name,
            said,
            "user" if name in askers else "assistant",
            "attachment" if file else "bot" if name in machines else "public",
        )
        for file, (name, said) in zip(files, spoken, strict=True)
    ]


def named_in(subject: str) -> str:
    """Return whom a subject such as 'Conversation with Ada Byron' names; empty for any other subject."""
    match = _WITH.fullmatch(subject)
    return match[1].strip() if match else ""


def is_visitor(name: str) -> bool:
    """Tell a name that the chat window gave, such as ``Visitor 1234``: it is nobody's."""
    return _VISITOR.fullmatch(name) is not None


def _is_one_of(name: str, people: set[str]) -> bool:
    """Tell whether a name is one of these, or the first name of one."""
    lowered = name.casefold()
    return lowered in people or any(person.split(" ", 1)[0] == lowered for person in people)


def _is_machine(name: str, spoken: Sequence[tuple[str, str]]) -> bool:
    """Tell a bot by its name, or by how it introduces itself in its first words."""
    if is_machine_name(name):
        return True
    first = next(said for speaker, said in spoken if speaker == name)
    return _MACHINE_SAYS.search(first[:300]) is not None
