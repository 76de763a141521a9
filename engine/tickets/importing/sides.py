"""Who 'we' are, where an export names its writers and not their sides: guessed by who answers, or told by a person.

Knows conversations only. Such readers yield every message as a customer's unless the vendor calls its writer staff,
with a name as its author that a person can recognise; machines keep their kind.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise
from unicodedata import normalize

from engine.errors import TicketsError
from engine.tickets.conversation import Conversation, LeftOut, Message
from engine.tickets.importing.parties import is_machine_name
from engine.tickets.importing.words import words

LOOKED_AT = 2_000
"""So many conversations are looked at before the sides are guessed."""
_SHARE = 20
"""Whoever answers less than a twentieth of what the busiest does is no colleague, but a customer who once helped."""
_DIRECTIONS = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_CROWD, _REACH = 6, 5
"""With more writers than these in one conversation, who answers fewer than a fifth of the people whom the busiest does
is taken for a customer."""
_SPOKEN: frozenset[str] = frozenset(("public", "note", "draft"))


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody who writes in an export."""

    name: str
    messages: int
    """Among those that were looked at."""
    ours: bool
    """Whether his messages are taken as the support's."""


def sided(items: Iterable[Conversation | LeftOut], agents: Collection[str] = ()) -> Iterator[Conversation | LeftOut]:
    """Give every message its side.

    Args:
        items: What a reader yields that cannot tell the sides.
        agents: Names of the support, in any case; empty to guess.

    Raises:
        TicketsError: None of the agents that were named has written anything.
    """
    ahead = iter(items)
    begun = list(islice(ahead, LOOKED_AT))
    ours = {_key(agent) for agent in agents}
    if ours:
        begun = _until_met(begun, ahead, agents)
    else:
        ours = guess(item for item in begun if isinstance(item, Conversation))
    for item in chain(begun, ahead):
        yield take_sides(item, ours) if isinstance(item, Conversation) else item


def take_sides(conversation: Conversation, ours: Collection[str]) -> Conversation:
    """Make the messages of some writers the support's, and those of all others the customers'.

    Args:
        conversation: With any roles.
        ours: Names as :func:`guess` returns them.
    """
    messages = tuple(_with_side(message, ours) for message in conversation.messages)
    asking = next((message.author for message in messages if message.role == "user"), "")
    return replace(conversation, messages=messages, customer=asking)


def _with_side(message: Message, ours: Collection[str]) -> Message:
    ours_it_is = _key(message.author) in ours or message.kind in ("bot", "system")
    return replace(message, role="assistant" if ours_it_is else "user")


def guess(conversations: Iterable[Conversation]) -> set[str]:
    """Guess who the support is: who answers what others have begun, more often than he begins himself.

    Whose messages a reader has made the support's already, by a field of the vendor's, need no guess.

    Returns:
        Names, casefolded; empty where nobody answers anybody.
    """
    answered, opened, told = Counter[str](), Counter[str](), set[str]()
    for conversation in conversations:
        said = (message for message in conversation.messages if message.role == "assistant")
        told.update(_key(message.author) for message in said if message.kind in _SPOKEN and message.author.strip())
        called = conversation.source.casefold()
        names = list(dict.fromkeys(_key(name) for name in _authors(conversation) if not is_machine_name(name)))
        if len(names) == 2 and names[1] in called and names[0] not in called:
            names.reverse()  # a file with a chat is called after whom we talk with, whoever began
        answering = names[1:] if len(names) <= _CROWD else _answering(conversation)
        opened.update(name for name in names if name not in answering)
        answered.update(answering)
    if told or not answered:
        return told
    (best, most), *_ = answered.most_common(1)
    usual = {name for name, times in answered.items() if times > opened[name] and times * _SHARE >= most}
    ours = usual | {name for name in answered if _is_called_support(name)}
    return ours if 0 < len(ours) < len(answered | opened) else {best}


def _answering(conversation: Conversation) -> set[str]:
    """Tell who answers where a crowd talks in one place: who writes after many different people.

    Those who ask follow the support alone, and now and then each other.
    """
    follows: dict[str, set[str]] = defaultdict(set)
    names = [_key(name) for name in _authors(conversation) if not is_machine_name(name)]
    for before, name in pairwise(names):
        if name != before:
            follows[name].add(before)
    most = max(map(len, follows.values()), default=0)
    return {name for name, others in follows.items() if len(others) * _REACH >= most}


def writers(conversations: Iterable[Conversation]) -> tuple[Writer, ...]:
    """Say who writes how often, and whose side each is on: the one that most of his messages have.

    Returns:
        The support first, then who writes most.
    """
    times, ours, shown = Counter[str](), Counter[str](), dict[str, str]()
    for conversation in conversations:
        for message in conversation.messages:
            if message.author.strip() and message.kind in _SPOKEN:
                key = _key(message.author)
                shown.setdefault(key, " ".join(message.author.split()))
                times[key] += 1
                ours[key] += message.role == "assistant"
    found = [Writer(shown[key], count, ours[key] * 2 > count) for key, count in times.most_common()]
    return tuple(sorted(found, key=lambda writer: not writer.ours))


def _until_met(
    begun: list[Conversation | LeftOut], ahead: Iterator[Conversation | LeftOut], agents: Collection[str]
) -> list[Conversation | LeftOut]:
    """Read on until one of the agents writes.

    Raises:
        TicketsError: None of them does.
    """
    seen, ours = dict[str, str](), set(map(_key, agents))
    unread = 0
    while unread < len(begun):
        for item in begun[unread:]:
            names = _authors(item) if isinstance(item, Conversation) else ()
            seen.update((_key(name), name) for name in names)
        if ours & seen.keys():
            return begun
        unread = len(begun)
        begun.extend(islice(ahead, LOOKED_AT))
    listed = ", ".join(list(seen.values())[:20])
    raise TicketsError(
        f"Nobody called {', '.join(agents)} writes in these files.",
        f"Those who do: {listed}." if listed else "Check that the export finished.",
    )


def _authors(conversation: Conversation) -> list[str]:
    return [message.author for message in conversation.messages if message.author.strip() and message.kind in _SPOKEN]


def _is_called_support(name: str) -> bool:
    return any(word in words("support_names") for word in name.replace("-", " ").replace("_", " ").split())


def _key(name: str) -> str:
    """Bring a name to one form: letters composed, without the marks of direction that chats put around names."""
    return " ".join(_DIRECTIONS.sub("", normalize("NFKC", name)).split()).casefold()
