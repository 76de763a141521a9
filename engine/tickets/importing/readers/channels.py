"""The messages of channels, in whatever order they come -> conversations: by threads, else by pauses.

Shared by what teams chat with. Waits, on disk where it is much, until everything has been read: names may come last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from engine.tickets.conversation import Conversation, Message
from engine.tickets.importing.files.grouping import Groups
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import asker, first, oldest_first
from engine.tickets.importing.readers.pauses import split_at_pauses


@dataclass(frozen=True, slots=True)
class Post:
    """A message of a channel, before its writer's name is known."""

    channel: str
    thread: str
    """The id of the message that its thread begins with; empty for one outside of any thread."""
    record: Record


@dataclass(frozen=True, slots=True)
class Named:
    """A message with the names that it brings along."""

    message: Message
    people: tuple[str, ...] = ()


def conversations(
    posts: Iterable[Post], named: Callable[[Record], Named], ids: tuple[str, ...], subject: str = ""
) -> Iterator[Conversation]:
    """Yield a conversation a thread; what stands outside of threads is parted by the pauses of its channel.

    Args:
        posts: All messages; read to the end before the first conversation comes.
        named: Turns one into a message; called once all have been read.
        ids: The keys of a message's id, the first that is filled counts.
        subject: The key of the subject of a thread's first message, where there are subjects.
    """
    with Groups[Post]() as groups:
        for post in posts:
            groups.add(f"{post.channel}\0{post.thread}", post)
        for _, members in groups:
            said = [(post.record, named(post.record)) for post in members]
            talks = [said] if members[0].thread else _parted(said)
            for talk in talks:
                yield _conversation(talk, ids, subject)


def _parted(said: list[tuple[Record, Named]]) -> Iterator[list[tuple[Record, Named]]]:
    order = {id(message): place for place, message in enumerate(oldest_first(named.message for _, named in said))}
    ordered = sorted(said, key=lambda item: order[id(item[1].message)])
    for talk in split_at_pauses((item, item[1].message) for item in ordered):
        yield [item for item, _ in talk]


def _conversation(talk: list[tuple[Record, Named]], ids: tuple[str, ...], subject: str) -> Conversation:
    ordered = oldest_first(named.message for _, named in talk)
    opening = next(record for record, named in talk if named.message is ordered[0])
    return Conversation(
        id=first(opening.value, *ids) or opening.place,
        messages=ordered,
        subject=first(opening.value, subject) if subject else "",
        created_at=ordered[0].at,
        customer=asker(ordered),
        people=tuple(dict.fromkeys(name for _, named in talk for name in named.people if len(name) > 1)),
        source=opening.source,
    )
