"""Salesforce Service Cloud: Case, EmailMessage, CaseComment, FeedItem, FeedComment, User, Contact, together or alone.

Traps: each object is a file of its own, joined by ids of 15 or 18 characters; a case made of a mail repeats it as its
description, and agents paste their mails as comments; who is a customer among the writers of comments only User tells;
drafts and unpublished comments are rows like others; a reply in the feed says nothing of who may see its post.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from engine.tickets.cleaning.message import clean_message
from engine.tickets.conversation import Conversation, Kind, Message, Role
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import (
    Json,
    first,
    first_of,
    flag,
    looks_like_html,
    object_at,
    oldest_first,
)
from engine.tickets.importing.readers.joining import Joined, join

FORMAT = "salesforce"
LABEL = "Salesforce export"
GUIDE = (
    "Setup > Data Export: Case, EmailMessage, CaseComment, FeedItem, FeedComment, User",
    "CSV, together or .zip",
    "cases with mails, comments and posts of the feed; unpublished comments, internal posts and drafts are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = True
NO_ANSWERS = (
    "These are Salesforce's cases, users or contacts: the conversations are not in them.",
    "Export the objects EmailMessage and CaseComment as well (Setup > Data Export), and drop them here together with "
    "Case.",
)
CAUTION = (
    "Who wrote a comment or a post, only the object User tells: without it all count as the support's. Drop User "
    "as well where customers comment on their cases."
)
_MAIL, _COMMENT, _POST, _REPLY = "EmailMessage", "CaseComment", "FeedItem", "FeedComment"
_DRAFT = "5"
"""EmailMessage.Status: 0 new, 1 read, 2 replied, 3 sent, 4 forwarded, 5 draft (Object Reference)."""
_ALL = "AllUsers"
"""FeedItem.Visibility of what customers see; InternalUsers is the other one."""
_MACHINES = frozenset(("automatedprocess", "platformintegration", "cloudintegrationuser"))
_STAFF = frozenset(("standard", "partner", "powerpartner", "csnonly", ""))
"""User.UserType of people who work here; the others are customers and guests of a portal."""
_OF_CASES = frozenset(("ContactId", "SuppliedEmail", "OwnerId", "Contact"))
_SAME_CHARS = 200


def evidence(record: Json) -> str:
    """Say what in a record is Salesforce's; empty when it is not."""
    if kind := _kind_of(record):
        told = {_MAIL: "Incoming and a body", _COMMENT: "CommentBody and IsPublished", _POST: "Visibility and Body"}
        told[_REPLY] = "CommentBody and FeedItemId"
        return f"{told[kind]} ({kind})"
    if {"Id", "CaseNumber"} <= record.keys() and _OF_CASES & record.keys():
        return "CaseNumber and whose case it is (Case)"
    if _is_person(record):
        return "a Salesforce user or contact"
    return ""


def has_messages(record: Json) -> bool:
    """Tell mails, comments and posts from cases and people."""
    return bool(_kind_of(record))


def cautions(sample: Sequence[Json]) -> tuple[str, ...]:
    """Say that comments and posts do not tell who wrote them."""
    return (CAUTION,) if any(_kind_of(record) not in (_MAIL, "") for record in sample) else ()


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a case, and one a mail without a case."""
    people = _People()
    for case in join(people.without(records), _parent, lambda value: False, ("Id", "CaseNumber")):
        yield _conversation(case, people)


def _kind_of(record: Json) -> str:
    """Name the object of a record that holds something said; empty for others."""
    if "Incoming" in record and ("TextBody" in record or "HtmlBody" in record):
        return _MAIL
    if "CommentBody" in record and "ParentId" in record:
        return _REPLY if "FeedItemId" in record else _COMMENT
    return _POST if {"ParentId", "Body", "Visibility", "Type"} <= record.keys() else ""


def _is_person(record: Json) -> bool:
    if "LastName" not in record:
        return False
    key = first(record, "Id")
    return ("Username" in record and key.startswith("005")) or ("AccountId" in record and key.startswith("003"))


def _id(value: str) -> str:
    """Bring an id to the 15 characters that its longer form begins with."""
    return value[:15] if len(value) == 18 else value


def _parent(record: Json) -> str:
    if not _kind_of(record):
        return ""
    return _id(first(record, "ParentId", "RelatedToId", "Id"))


@dataclass(slots=True)
class _People:
    """The users and contacts of an export, wherever they stand in it."""

    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    customers: set[str] = field(default_factory=set)
    machines: set[str] = field(default_factory=set)

    def without(self, records: Iterable[Record]) -> Iterator[Record]:
        """Take people in, and pass everything else on, with its id in short form."""
        for record in records:
            value = record.value
            if _is_person(value):
                self._add(value)
            elif key := first(value, "Id"):
                yield Record({**value, "Id": _id(key)}, record.source, record.place)
            else:
                yield record

    def _add(self, person: Json) -> None:
        key, kind = _id(first(person, "Id")), first(person, "UserType").casefold()
        halves = f"{first(person, 'FirstName')} {first(person, 'LastName')}".strip()
        named = (first(person, "Name"), halves, first(person, "Email"), first(person, "Phone", "MobilePhone"))
        self.names[key] = tuple(dict.fromkeys(name for name in named if len(name) > 1))
        if kind in _MACHINES:
            self.machines.add(key)
        elif "Username" not in person or first(person, "ContactId") or kind not in _STAFF:
            self.customers.add(key)


def _conversation(joined: Joined, people: _People) -> Conversation:
    case = joined.ticket
    rows = sorted(joined.messages, key=lambda row: _kind_of(row) != _MAIL)
    seen = {first(row, "Id")[:15] for row in rows if _kind_of(row) == _POST and first(row, "Visibility") == _ALL}
    messages, said = list[Message](), set[tuple[Role, str]]()
    names: dict[str, None] = {}
    for row in rows:
        message = _message(row, people)
        if _kind_of(row) == _REPLY and message.kind == "public" and _id(first(row, "FeedItemId"))[:15] not in seen:
            message = replace(message, kind="note")
        # An agent's mail that he pasted as a comment, too.
        if _kind_of(row) != _MAIL and (message.role, _plain(message)) in said:
            continue
        said.add((message.role, _plain(message)))
        messages.append(message)
        writer = people.names.get(_id(first(row, "CreatedById")), ())
        named = (first(row, "FromName"), first(row, "FromAddress"), *first(row, "ToAddress").split(";"), *writer)
        names.update((name.strip(), None) for name in named)
    contact = _id(first(case, "ContactId"))
    owner = people.names.get(_id(first(case, "OwnerId")), ())
    asking = (first(case, "SuppliedName"), first(case, "SuppliedEmail"), first(case, "ContactEmail"))
    names.update((name, None) for name in (*asking, *people.names.get(contact, ()), *owner))
    names.update((first(object_at(case, key), "Name"), None) for key in ("Contact", "Owner", "Account"))
    opening = _opening(case, contact)
    if opening and not any(role == "user" and _begins_alike(_plain(opening), words) for role, words in said):
        messages.insert(0, opening)
    ordered = oldest_first(messages)
    from_mail = (first(row, "FromAddress") for row in rows if _kind_of(row) == _MAIL and flag(row.get("Incoming")))
    return Conversation(
        id=first(case, "CaseNumber") or joined.id,
        messages=ordered,
        subject=first(case, "Subject") or first_of(rows, "Subject"),
        created_at=first(case, "CreatedDate") or (ordered[0].at if ordered else ""),
        status=first(case, "Status"),
        customer=contact or first(case, "SuppliedEmail") or next(from_mail, ""),
        people=tuple(name for name in names if len(name) > 1),
        source=joined.source,
    )


def _opening(case: Json, contact: str) -> Message | None:
    asked = first(case, "Description")
    if not asked:
        return None
    kind: Kind = "hidden" if flag(case.get("IsDeleted")) else "public"
    return Message("user", asked, contact, first(case, "CreatedDate"), looks_like_html(asked), kind)


def _begins_alike(one: str, other: str) -> bool:
    """Tell a mail and its copy, which may be cut."""
    shorter, longer = sorted((one, other), key=len)
    return bool(shorter) and longer.startswith(shorter[:_SAME_CHARS])


def _plain(message: Message) -> str:
    said = clean_message(message.content[:20_000], html=True) if message.html else message.content
    return "".join(said.casefold().split())


def _message(row: Json, people: _People) -> Message:
    writer, which = _id(first(row, "CreatedById")), _kind_of(row)
    if which == _MAIL:
        content, html = first(row, "HtmlBody"), True
        if not content:
            content, html = first(row, "TextBody"), False
        role: Role = "user" if flag(row.get("Incoming")) else "assistant"
        author = first(row, "FromAddress") or writer
    else:
        content = first(row, "CommentBody", "Body")
        html = which in (_POST, _REPLY) or looks_like_html(content)
        role = "user" if writer in people.customers else "assistant"
        author = writer
    at = first(row, "MessageDate", "CreatedDate")
    return Message(role, content, author, at, html, _kind(row, which, role, writer in people.machines))


def _kind(row: Json, which: str, role: Role, machine: bool) -> Kind:
    if flag(row.get("IsDeleted")):
        return "hidden"
    if which == _MAIL and (first(row, "Status") in (_DRAFT, "Draft") or flag(row.get("IsPrivateDraft"))):
        return "draft"
    if which == _COMMENT and "IsPublished" in row and not flag(row.get("IsPublished")):
        return "note"
    if which == _POST and first(row, "Visibility") != _ALL:
        return "note"
    if which == _POST and first(row, "Type") not in ("TextPost", "ContentPost", "LinkPost", "QuestionPost"):
        return "system"
    headers = first(row, "Headers").casefold()
    if "auto-submitted: auto-" in headers or "x-autoreply:" in headers:
        return "auto_reply"
    return "bot" if machine and role == "assistant" else "public"
