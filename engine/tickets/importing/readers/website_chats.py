"""What the readers of chat windows on websites share: the record of a chat and its messages -> a conversation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.tickets.conversation import Conversation, Kind, Message, Role
from engine.tickets.importing.readers.fields import Json, asker, first, looks_like_html, objects, oldest_first
from engine.tickets.importing.readers.joining import Joined


def chat(
    joined: Joined,
    messages: Iterable[Message],
    people: Sequence[str],
    subject: str = "",
    tags: tuple[str, ...] = (),
    status: str = "",
    customer: str = "",
) -> Conversation:
    """Build a conversation of a chat.

    Args:
        joined: Where it comes from.
        messages: In any order.
        people: Names and addresses, for masking.
        subject: Its subject, where there is one.
        tags: Its tags.
        status: Its state.
        customer: Who asks; empty for the author of the first question.
    """
    ordered = oldest_first(messages)
    return Conversation(
        id=joined.id,
        messages=ordered,
        subject=subject,
        tags=tags,
        created_at=ordered[0].at if ordered else "",
        status=status,
        customer=customer or asker(ordered),
        people=tuple(dict.fromkeys(name for name in people if len(name) > 1)),
        source=joined.source,
    )


def said(role: Role, content: str, author: str, at: str, kind: Kind, files: object = ()) -> Message:
    """Make a message; one that only brings files is named after them.

    Args:
        role: Its side.
        content: Text or HTML; which of them is seen.
        author: Who wrote it.
        at: The raw date.
        kind: What it is to the customer.
        files: A list of objects with a name, if any.
    """
    if kind == "public" and not content.strip() and (names := file_names(files)):
        return Message(role, names, author, at, kind="attachment")
    return Message(role, content, author, at, looks_like_html(content), kind)


def file_names(files: object) -> str:
    """Return the names of files, one after the other; their addresses where they have no names."""
    listed: list[Json] = objects(files)
    return ", ".join(name for file in listed if (name := first(file, "name", "fileName", "file_name", "url")))
