"""Discourse: topics with their posts (``/t/7.json``), or posts with their topic's id.

Post 1 asks; staff answers, and so does whoever wrote what was marked as the solution. Whispers are seen by staff alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import Json, first, object_at, objects, oldest_first, people, text, words
from engine.tickets.importing.readers.joining import Joined, join

FORMAT = "discourse"
LABEL = "Discourse topics"
GUIDE = (
    "/t/NUMBER.json?print=true",
    "JSON",
    "topics; staff and accepted solutions answer; whispers are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This Discourse file lists topics without their posts, so there are no answers in it.",
    "Fetch each topic as JSON: /t/NUMBER.json?print=true on the forum's address, and drop all files together.",
)
_SMALL_ACTION, _WHISPER, _MODERATOR_ACTION = "3", "4", "2"
_STAFF = ("staff", "moderator", "admin")


def evidence(record: Json) -> str:
    """Say what in a record is Discourse's; empty when it is not."""
    if _posts(record):
        return "post_stream with posts"
    if _is_post(record):
        return "posts with topic_id, post_number and cooked"
    return "posts_count and fancy_title (a list of topics)" if {"posts_count", "fancy_title"} <= record.keys() else ""


def has_messages(record: Json) -> bool:
    """Tell posts, and topics with theirs, from a list of topics."""
    return bool(_posts(record)) or _is_post(record)


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a topic."""
    parent = lambda value: first(value, "topic_id") if _is_post(value) else ""  # noqa: E731
    for topic in join(records, parent, lambda value: bool(_posts(value))):
        yield _conversation(topic)


def cautions(sample: Sequence[Json]) -> Iterator[str]:
    """Say where a topic was fetched without its later posts."""
    short = sum(len(_list(object_at(topic, "post_stream").get("stream"))) > len(_posts(topic)) for topic in sample)
    if short:
        yield (
            f"{short} of the first topics hold only their first posts: fetch them with ?print=true behind the address."
        )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _posts(record: Json) -> list[Json]:
    return objects(object_at(record, "post_stream").get("posts"))


def _is_post(record: Json) -> bool:
    return {"topic_id", "post_number"} <= record.keys() and ("cooked" in record or "raw" in record)


def _conversation(joined: Joined) -> Conversation:
    topic = joined.ticket
    posts = [*_posts(topic), *joined.messages]
    opening = next((post for post in posts if first(post, "post_number") == "1"), posts[0] if posts else {})
    asker = first(opening, "username", "user_id")
    solving = {first(post, "username", "user_id") for post in posts if post.get("accepted_answer") is True}
    messages = []
    for post in posts:
        author = first(post, "username", "user_id")
        ours = author != asker and (author in solving or any(post.get(key) is True for key in _STAFF))
        raw = first(post, "raw")
        content = raw or first(post, "cooked")
        messages.append(
            Message(
                "assistant" if ours else "user",
                content,
                author,
                first(post, "created_at"),
                html=not raw,
                kind=_kind(post),
            )
        )
    return Conversation(
        id=joined.id,
        messages=oldest_first(messages),
        subject=first(topic, "title") or first(opening, "topic_title"),
        tags=words(topic.get("tags")),
        created_at=first(opening, "created_at"),
        customer=asker,
        people=people(*({**post, "address": ""} for post in posts)),
        source=joined.source,
    )


def _kind(post: Json) -> Kind:
    written = text(post.get("post_type"))
    if written in (_SMALL_ACTION, _MODERATOR_ACTION):
        return "system"
    if written == _WHISPER:
        return "note"
    if first(post, "user_id").startswith("-") or first(post, "username") in ("system", "discobot"):
        return "bot"
    gone = any(post.get(key) for key in ("hidden", "user_deleted", "deleted_at"))
    return "hidden" if gone else "public"
