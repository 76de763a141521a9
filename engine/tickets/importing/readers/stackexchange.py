"""Stack Exchange: the data dump (Posts.xml, with Users.xml where it is there) and the API's questions with answers.

Of the answers to a question one is learnt: the one that the asker accepted, else the one with most votes. Comments are
not read; most are asides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import Json, first, flag, object_at, objects, text
from engine.tickets.importing.readers.joining import Joined, join

FORMAT = "stackexchange"
LABEL = "Stack Exchange dump"
GUIDE = (
    "The data dump's Posts.xml (and Users.xml), or the API with answers",
    "XML, JSON",
    "questions with the accepted answer, else the one with most votes",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This file of Stack Exchange holds questions without any answers.",
    "Choose Posts.xml of the data dump, or ask the API for questions with filter=withbody and their answers.",
)
_QUESTION, _ANSWER = "1", "2"
_TAG = re.compile(r"[<|]([^<>|]{1,60})(?=[>|])")


def evidence(record: Json) -> str:
    """Say what in a record is Stack Exchange's; empty when it is not."""
    if "PostTypeId" in record and "Id" in record:
        return "PostTypeId (Posts.xml)"
    if _is_user(record):
        return "DisplayName and Reputation (Users.xml)"
    return "question_id and answers" if "question_id" in record and "answers" in record else ""


def has_messages(record: Json) -> bool:
    """Tell answers, and questions with theirs, from questions alone."""
    return text(record.get("PostTypeId")) == _ANSWER or bool(record.get("answers"))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a question; answers may come before and behind it."""
    names: dict[str, str] = {}
    posts = _without_users(records, names)
    parent = lambda value: first(value, "ParentId") if first(value, "PostTypeId") == _ANSWER else ""  # noqa: E731
    for question in join(posts, parent, lambda value: "answers" in value, ("Id", "question_id")):
        if question.ticket:
            yield _conversation(question, names)


def _is_user(record: Json) -> bool:
    return "DisplayName" in record and "Reputation" in record


def _without_users(records: Iterable[Record], names: dict[str, str]) -> Iterator[Record]:
    for record in records:
        if _is_user(record.value):
            names[first(record.value, "Id")] = first(record.value, "DisplayName")
        elif "answers" in record.value or first(record.value, "PostTypeId") in (_QUESTION, _ANSWER):
            yield record


def _conversation(joined: Joined, names: dict[str, str]) -> Conversation:
    question = joined.ticket
    answers = [*objects(question.get("answers")), *joined.messages]
    asker = _author(question)
    best = _best(question, answers)
    messages = [Message("user", _said(question), asker, _written(question), html=True)]
    for answer in answers:
        kind: Kind = "public" if answer is best else "outvoted"
        messages.append(Message("assistant", _said(answer), _author(answer), _written(answer), html=True, kind=kind))
    told = [_name(post, names) for post in (question, *answers)]
    return Conversation(
        id=joined.id,
        messages=tuple(messages),
        subject=first(question, "Title", "title"),
        tags=_tags(question),
        created_at=_written(question),
        customer=asker,
        people=tuple(dict.fromkeys(name for name in told if len(name) > 2)),
        source=joined.source,
    )


def _best(question: Json, answers: Sequence[Json]) -> Json | None:
    """Return the accepted answer, else the one with most votes; None where every answer was voted down."""
    accepted = first(question, "AcceptedAnswerId", "accepted_answer_id")
    for answer in answers:
        if flag(answer.get("is_accepted")) or (accepted and first(answer, "Id", "answer_id") == accepted):
            return answer
    best = max(answers, key=_votes, default=None)
    return best if best is not None and _votes(best) >= 0 else None


def _votes(post: Json) -> int:
    written = first(post, "Score", "score").strip()
    return int(written) if re.fullmatch(r"-?\d{1,9}", written) else 0


def _said(post: Json) -> str:
    return first(post, "Body", "body")


def _written(post: Json) -> str:
    return first(post, "CreationDate", "creation_date")


def _author(post: Json) -> str:
    owner = object_at(post, "owner")
    return first(post, "OwnerUserId", "OwnerDisplayName") or first(owner, "user_id", "display_name")


def _name(post: Json, names: dict[str, str]) -> str:
    own = first(post, "OwnerDisplayName") or first(object_at(post, "owner"), "display_name")
    return own or names.get(first(post, "OwnerUserId"), "")


def _tags(question: Json) -> tuple[str, ...]:
    listed = question.get("tags")
    if isinstance(listed, list):
        return tuple(tag for tag in listed if isinstance(tag, str))
    return tuple(_TAG.findall(first(question, "Tags")))
