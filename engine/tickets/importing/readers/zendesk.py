"""Zendesk: the full JSON export (a ticket a line), and tickets of the API with their comments put in.

Traps: ``description`` repeats the first comment; ``plain_body`` carries entities; the incremental API has no comments;
a chat stands whole in one comment; the answer bot writes comments like an agent. A users export in the same import
tells end users and agents apart; without it the requester is the customer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from engine.tickets.cleaning.message import clean_message
from engine.tickets.conversation import Conversation, Kind, Message, Role
from engine.tickets.dates import seconds
from engine.tickets.importing.files.grouping import Groups
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.ratings import rating_of, reopened
from engine.tickets.importing.readers.fields import (
    NAME_KEYS,
    Json,
    body,
    first,
    object_at,
    objects,
    oldest_first,
    people,
    text,
    words,
)
from engine.tickets.importing.readers.transcripts import (
    is_heading,
    is_transcript,
    is_visitor,
    named_in,
    split_transcript,
)

FORMAT = "zendesk"
LABEL = "Zendesk export"
GUIDE = (
    "Admin Center > Account > Tools > Reports > Export, JSON (Zendesk's support enables it), or the API",
    "NDJSON, JSON, XML",
    "comments, chats and messaging in one comment; internal notes, triggers, bots and merges are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This Zendesk file lists tickets or users without their comments, so there are no answers in it.",
    "In Zendesk's Admin Center choose Account > Tools > Reports > Export, 'Full JSON export', and drop that file here.",
)
_AUTHOR_IS_SYSTEM = ("-1", "0")
_SPOKEN = frozenset(("comments", "subject", "body", "text", "content", "message"))
"""What a person's record has none of, whatever role it names."""
_ROLES = frozenset(("submitter", "assignee", "submitter_id", "assignee_id"))
_MERGED = re.compile(
    r"^\s*(?:<[^>]+>\s*)*(?:This request was closed and merged into request"
    r"|Requests? #\d+.{0,300} (?:was|were) closed and merged into this request)",
    re.DOTALL,
)
_SYSTEM_CHANNELS = frozenset(("rule", "system", "follow_up", "sample_ticket"))
_SYSTEM_RELATIONS = frozenset(("trigger", "automation"))
_BOT = "answer_bot"
"""How the channels and the relations of Zendesk's answer bot begin: answer_bot_for_web_widget, answer_bot_answer ..."""
_CHATS = frozenset(("chat", "chat_transcript", "native_messaging", "sunshine_conversations_api", "line", "whatsapp"))
"""Channels of talks in which the customer sees every word, even where an admin has their transcripts kept as notes."""
_ASIDE = "side_conversation"
"""The channel of what agents write to suppliers and other teams."""
_CLOCK = re.compile(r"[(\[](?:\d[\d./-]{5,9},?[ T])?\d{1,2}:\d{2}")
_NO_PERSON = "zd:"
"""How the ids of Zendesk's own actors begin: zd:answerBot."""


def evidence(record: Json) -> str:
    """Say what in a record is Zendesk's; empty when it is not."""
    if "requester_id" in record and "submitter_id" in record:
        return "requester_id and submitter_id"
    if _is_user(record):
        return "a Zendesk user's role"
    if _is_comment(record):
        return "comments with author_id and public"
    if "comments" in record and "requester_id" in record and "responder_id" not in record:
        return "requester_id and comments"
    if objects(record.get("comments")) and isinstance(record.get("requester"), dict) and _ROLES & record.keys():
        return "requester and comments"
    return ""


def has_messages(record: Json) -> bool:
    """Tell a ticket with its comments from one without."""
    return bool(record.get("comments")) or _is_comment(record)


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a ticket, and one a file of comments alone.

    Args:
        records: Tickets and, wherever known, users; users count for the tickets that come after them.
    """
    directory = _Directory()
    with Groups[Json]() as loose:
        for record in records:
            if _is_user(record.value):
                directory.add(record.value)
            elif _is_comment(record.value):
                loose.add(record.source, record.value)
            else:
                yield _conversation(record, directory)
        for source, comments in loose:
            yield _conversation(Record(_ticket_of(comments), source, source), directory)


def _is_comment(record: Json) -> bool:
    """Tell a comment of the API (GET /api/v2/tickets/{id}/comments), which names no ticket."""
    return {"author_id", "public", "body"} <= record.keys() and first(record, "type") in ("Comment", "VoiceComment")


def _ticket_of(comments: Sequence[Json]) -> dict[str, object]:
    """Return the ticket of comments that came without one: whoever began it asks."""
    oldest = min(comments, key=lambda comment: seconds(first(comment, "created_at")) or 0.0)
    return {"comments": list(comments), "requester_id": first(oldest, "author_id")}


@dataclass(slots=True)
class _Directory:
    """The users that came before a ticket."""

    agents: set[str] = field(default_factory=set)
    customers: set[str] = field(default_factory=set)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add(self, user: Json) -> None:
        """Take in a record of a users export."""
        key = text(user.get("id"))
        (self.customers if user.get("role") == "end-user" else self.agents).add(key)
        self.names[key] = people(user)

    def is_customer(self, author: str, person: Json, requester: str) -> bool:
        """Tell who asks: by the role of a user, else by being the requester."""
        if person and (role := first(person, "role")):
            return role == "end-user"
        return author in self.customers or (author == requester and author not in self.agents)


def _is_user(record: Json) -> bool:
    if record.get("role") not in ("end-user", "agent", "admin") or not ("name" in record or "email" in record):
        return False
    return not _SPOKEN & record.keys()


def _conversation(record: Record, directory: _Directory) -> Conversation:
    ticket = record.value
    requester = first(ticket, "requester_id") or text(object_at(ticket, "requester").get("id"))
    deleted = ticket.get("status") == "deleted"
    aside = text(object_at(ticket, "via").get("channel")) == _ASIDE
    suspended = bool(ticket.get("suspended")) or ticket.get("cause") is not None
    subject = first(ticket, "subject", "raw_subject")
    messages: list[Message] = []
    names: dict[str, None] = {}
    chatted = False
    for comment in objects(ticket.get("comments")):
        person = object_at(comment, "author")
        author = text(comment.get("author_id")) or text(person.get("id"))
        content, html = body(comment, ("html_body",), ("body", "plain_body", "value"))
        kind: Kind = "hidden" if deleted else "spam" if suspended else _kind(comment, author, content)
        if kind == "public" and aside:
            kind = "note"
        role: Role = "user" if directory.is_customer(author, person, requester) else "assistant"
        message = Message(role, content, author, first(comment, "created_at"), html, kind)
        chat = _chat(comment, content, ticket) if kind == "public" or _is_kept_aside(comment, kind) else ""
        turns = _turns(chat, message, ticket, directory) if chat else [message]
        messages.extend(turns)
        names.update(dict.fromkeys(directory.names.get(author, ())))
        names.update(dict.fromkeys(people(_sender(comment), comment.get("author"))))
        chatted = chatted or bool(chat)
        if chat:
            names.update((said.author, None) for said in turns if said.author and not is_visitor(said.author))
    parties = (ticket.get("requester"), ticket.get("assignee"), ticket.get("submitter"))
    names.update(dict.fromkeys((*people(_sender(ticket), *parties), *directory.names.get(requester, ()))))
    return Conversation(
        id=first(ticket, "id") or record.place,
        messages=oldest_first(messages),
        subject="" if chatted and named_in(subject) else subject,
        tags=words(ticket.get("tags")),
        created_at=first(ticket, "created_at"),
        status=first(ticket, "status"),
        customer=requester,
        people=tuple(names),
        source=record.source,
        rating=rating_of(first(object_at(ticket, "satisfaction_rating"), "score")),
        reopened=reopened(first(object_at(ticket, "metric_set"), "reopens")),
    )


def _is_kept_aside(comment: Json, kind: Kind) -> bool:
    """Tell a note, or a message of the system's, in which the transcript of a chat may be kept."""
    return kind in ("note", "system") and _is_of_a_chat(comment)


def _chat(comment: Json, content: str, ticket: Json) -> str:
    """Return the lines of a comment that holds a whole chat; empty for any other comment."""
    if not _CLOCK.search(content, 0, 400):
        return ""
    said = first(comment, "body", "plain_body", "value") or clean_message(content, html=True)
    return said if is_transcript(said, _is_of_a_chat(comment) or _is_of_a_chat(ticket)) else ""


def _is_of_a_chat(record: Json) -> bool:
    return text(object_at(record, "via").get("channel")) in _CHATS


def _turns(chat: str, whole: Message, ticket: Json, directory: _Directory) -> list[Message]:
    """Split the comment of a chat into what each side said in it."""
    requester = object_at(ticket, "requester")
    asking = (*_names(requester), *_names(_sender(ticket)), *directory.names.get(first(ticket, "requester_id"), ()))
    staff = (name for agent in directory.agents for name in directory.names.get(agent, ()))
    turns = split_transcript(chat, first(ticket, "subject", "raw_subject"), asking, staff)
    return [Message(turn.role, turn.said, turn.name, whole.at, kind=turn.kind) for turn in turns]


def _names(person: object) -> tuple[str, ...]:
    return tuple(name for key in NAME_KEYS if isinstance(person, dict) and (name := text(person.get(key))))


def _sender(record: Json) -> object:
    """Return who a ticket or comment came from by e-mail: ``via.source.from``."""
    source = object_at(record, "via").get("source")
    return source.get("from") if isinstance(source, dict) else None


def _kind(comment: Json, author: str, content: str) -> Kind:
    if comment.get("public") is False:
        return "note"
    via = object_at(comment, "via")
    channel, relation = text(via.get("channel")), text(object_at(via, "source").get("rel"))
    if channel.startswith(_BOT) or relation.startswith(_BOT) or author.startswith(_NO_PERSON):
        return "bot"
    if object_at(comment, "author").get("type") == "bot":
        return "bot"
    merged = "merged into" in content[:600] and _MERGED.match(content)
    if author in _AUTHOR_IS_SYSTEM or channel in _SYSTEM_CHANNELS or relation in _SYSTEM_RELATIONS or merged:
        return "system"
    if comment.get("type") == "VoiceComment" or (_is_of_a_chat(comment) and is_heading(content)):
        return "system"
    return "public"
