"""Kayako: cases with their posts from the API, and the posts of Kayako Classic from its API or database.

Traps: posts of the API name no case, so that those of a file without one are taken for one case; whoever is not the
requester may be another customer in copy, whom only the role or a team tells from an agent. Field names:
https://developer.kayako.com/api/v1/cases/cases/ and the REST documentation of Kayako Classic (TicketPost).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message, Role
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.ratings import rating_of
from engine.tickets.importing.readers.fields import (
    Json,
    asker,
    body,
    first,
    first_of,
    flag,
    looks_like_html,
    object_at,
    objects,
    oldest_first,
    people,
    words,
)
from engine.tickets.importing.readers.joining import Joined, by_file, join

FORMAT = "kayako"
LABEL = "Kayako export"
GUIDE = (
    "API: cases and their posts; Classic: the API's ticket posts, or the table swticketposts",
    "JSON, XML, CSV",
    "posts joined by their case; notes, third parties and survey comments are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = True
NO_ANSWERS = (
    "This Kayako file lists cases without their posts, so there are no answers in it.",
    "Fetch the posts of each case too (GET /api/v1/cases/{id}/posts) and drop all files together.",
)
_CLASSIC = {"ticketid", "dateline", "creator", "contents"}
_STAFF, _CUSTOMER = "1", "2"
"""Who wrote a post of Kayako Classic; 3 to 5 are people in copy and third parties."""
_TEAM = frozenset(("agent", "admin", "owner", "collaborator"))
"""Types of roles of those who answer; a CUSTOMER asks."""


def evidence(record: Json) -> str:
    """Say what in a record is Kayako's; empty when it is not."""
    if record.keys() >= _CLASSIC:
        return "ticketid, dateline, creator and contents (Classic)"
    if _is_post(record):
        return "posts with contents and source_channel"
    case = first(record, "resource_type") == "case" and {"source_channel", "requester"} & record.keys()
    return "resource_type case" if case or any(map(_is_post, _posts(record)[:1])) else ""


def has_messages(record: Json) -> bool:
    """Tell posts, and cases with theirs, from cases without."""
    return _is_post(record) or record.keys() >= _CLASSIC or bool(_posts(record))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a case."""
    for joined in join(by_file(records, _is_loose), _parent, lambda value: bool(_posts(value)), ("id", "ticketid")):
        yield _conversation(joined)


def _posts(record: Json) -> list[Json]:
    return [row for name in ("posts", "messages") for row in objects(record.get(name)) if _is_post(row)]


def _is_post(record: Json) -> bool:
    told = first(record, "resource_type") in ("post", "case_message", "note") or "is_requester" in record
    return "contents" in record and (told or "source_channel" in record) and isinstance(record.get("creator"), dict)


def _case_of(record: Json) -> str:
    if first(record, "resource_type") == "case":
        return first(record, "id")  # a post around its case: what wraps one record is taken off, and its id stays
    return first(object_at(record, "case"), "id") or first(record, "case_id", "caseid")


def _is_loose(record: Json) -> bool:
    return _is_post(record) and not _case_of(record)


def _parent(record: Json) -> str:
    if record.keys() >= _CLASSIC:
        return first(record, "ticketid")
    return (_case_of(record) or first(record, "file")) if _is_post(record) else ""


def _conversation(joined: Joined) -> Conversation:
    case = joined.ticket
    rows = [*_posts(case), *joined.messages]
    requester = object_at(case, "requester")
    ordered = oldest_first(
        _classic(row) if row.keys() >= _CLASSIC else _message(row, requester, first(case, "state")) for row in rows
    )
    found = [(row, row.get("creator"), row.get("identity"), object_at(row, "original")) for row in rows]
    return Conversation(
        id=joined.id,
        messages=ordered,
        subject=first(case, "subject") or first_of(rows, "subject"),
        tags=words(case.get("tags")),
        created_at=first(case, "created_at", "dateline") or (ordered[0].at if ordered else ""),
        status=first(object_at(case, "status"), "type", "label") or first(case, "status"),
        customer=first(requester, "id") or asker(ordered),
        people=people(requester, object_at(case, "identity"), *(person for persons in found for person in persons))
        + tuple(dict.fromkeys(name for row in rows if (name := first(row, "fullname")))),
        source=joined.source,
        rating=rating_of(first(case, "rating")),
    )


def _message(post: Json, requester: Json, state: str) -> Message:
    creator, original = object_at(post, "creator"), object_at(post, "original")
    # The text of a post has lost its markup, which stands in what it was made of.
    content, html = body(original, ("body_html",), ("body_text",))
    content, html = (content, html) if content.strip() else _seen(first(post, "contents"))
    kind: Kind = "public"
    made_of = (first(object_at(post, "source_channel"), "type"), first(original, "resource_type"))
    if "note" in (first(post, "resource_type"), *(word.lower() for word in made_of)):
        kind = "note"
    elif state in ("TRASH", "SUSPENDED"):
        kind = "spam" if state == "SUSPENDED" else "hidden"
    files = ", ".join(name for file in objects(post.get("attachments")) if (name := first(file, "name")))
    if kind == "public" and not content.strip() and files:
        content, kind = files, "attachment"
    role = _role(post, creator, requester)
    return Message(role, content, first(creator, "id", "full_name"), first(post, "created_at"), html, kind)


def _role(post: Json, creator: Json, requester: Json) -> Role:
    if told := first(object_at(creator, "role"), "type", "title").lower():
        return "assistant" if told in _TEAM else "user"
    if "is_requester" in post:
        return "user" if flag(post["is_requester"]) else "assistant"
    return "user" if first(creator, "id") == first(requester, "id") else "assistant"


def _classic(post: Json) -> Message:
    creator = first(post, "creator")
    kind: Kind = "public"
    if flag(post.get("isprivate")):
        kind = "note"
    elif flag(post.get("issurveycomment")):
        kind = "system"
    elif flag(post.get("isthirdparty")) or creator not in (_STAFF, _CUSTOMER):
        kind = "unknown"
    content, html = _seen(first(post, "contents"))
    role: Role = "assistant" if creator == _STAFF else "user"
    author = first(post, "email", "fullname", "staffid" if role == "assistant" else "userid")
    return Message(role, content, author, first(post, "dateline"), html or flag(post.get("ishtml")), kind)


def _seen(content: str) -> tuple[str, bool]:
    return content, looks_like_html(content)
