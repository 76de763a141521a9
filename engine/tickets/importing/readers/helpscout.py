"""Help Scout: conversations of the Mailbox API, version 1 (``threads``) and 2 (``_embedded.threads``).

Traps: drafts and hidden threads; answers by its AI, which version 2 calls a user's; line items say who was assigned;
forwarded threads repeat what was said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from engine.tickets.conversation import Conversation, Kind, Message, Role
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import Json, first, nested, object_at, objects, oldest_first, people, words
from engine.tickets.importing.readers.joining import by_file, join

FORMAT = "helpscout"
LABEL = "Help Scout export"
GUIDE = (
    "API: GET /v2/conversations?embed=threads",
    "JSON",
    "conversations with their threads; notes, drafts, workflows and the AI are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This Help Scout file lists conversations without their threads, so there are no answers in it.",
    "Fetch the conversations with their threads (GET /v2/conversations?embed=threads).",
)
_TYPES = frozenset(
    ("customer", "message", "reply", "note", "lineitem", "forwardparent", "forwardchild", "chat", "beaconchat", "phone")
)


_AI = "system_user"
"""createdBy.type of Help Scout's AI in version 3; version 2 turns it into ``user``."""
_WORKFLOWS = frozenset(("manual-workflow", "automatic-workflow"))
CAUTION = (
    "Version 2 of Help Scout's API gives the answers of its AI out as a user's: they cannot be told from your team's. "
    "If you use AI Answers, look through the answers, or export by version 3, which marks them."
)


def cautions(sample: Sequence[Json]) -> Iterator[str]:
    """Say that bots cannot be told, unless an export marks one."""
    authors = (object_at(thread, "createdBy") for record in sample for thread in _threads(record))
    if all(first(author, "type") != _AI for author in authors):
        yield CAUTION


def evidence(record: Json) -> str:
    """Say what in a record is Help Scout's; empty when it is not."""
    if _is_thread(record):
        return "a thread of Help Scout's types"
    threads = _threads(record)
    if threads and all(first(thread, "type") in _TYPES for thread in threads[:5]) and "state" in threads[0]:
        return "threads of Help Scout's types"
    if "mailboxId" in record and "number" in record and ("primaryCustomer" in record or "preview" in record):
        return "mailboxId and primaryCustomer"
    return ""


def has_messages(record: Json) -> bool:
    """Tell a conversation with its threads from one without."""
    return _is_thread(record) or bool(_threads(record))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a record, and one a file of threads alone (GET /v2/conversations/{id}/threads)."""
    whole = by_file(records, _is_thread)
    for joined in join(whole, lambda value: first(value, "file") if _is_thread(value) else "", has_messages):
        value = dict(joined.ticket)
        if joined.messages:
            asking = next((thread for thread in joined.messages if first(thread, "type") == "customer"), {})
            value = {"id": joined.id, "threads": list(joined.messages), "customer": object_at(asking, "createdBy")}
        yield _conversation(Record(value, joined.source, joined.id))


def _is_thread(record: Json) -> bool:
    return first(record, "type") in _TYPES and "state" in record and "createdBy" in record and "body" in record


def _threads(record: Json) -> list[Json]:
    embedded = nested(record, "_embedded", "threads")
    threads = embedded if embedded else record.get("threads")
    return objects(threads) if isinstance(threads, list) else []


def _conversation(record: Record) -> Conversation:
    value = record.value
    whole: Kind = "public"
    if first(value, "status") == "spam":
        whole = "spam"
    elif first(value, "state") in ("deleted", "draft"):
        whole = "hidden"
    messages, found = [], []
    for thread in _threads(value):
        author = object_at(thread, "createdBy") or object_at(thread, "author") or object_at(thread, "customer")
        found.append(author)
        kind = whole if whole != "public" else _kind(thread)
        content = first(thread, "body") or first(thread, "text")
        is_customer = first(thread, "type") == "customer" or first(author, "type") == "customer"
        role: Role = (
            "user" if is_customer and first(thread, "type") not in ("message", "reply", "note") else "assistant"
        )
        messages.append(
            Message(
                role,
                content,
                first(author, "id", "email"),
                first(thread, "createdAt"),
                bool(thread.get("body")),
                kind,
            )
        )
    customer = object_at(value, "primaryCustomer") or object_at(value, "customer")
    return Conversation(
        id=first(value, "number", "id") or record.place,
        messages=oldest_first(messages),
        subject=first(value, "subject"),
        tags=words(value.get("tags")),
        created_at=first(value, "createdAt"),
        status=first(value, "status"),
        customer=first(customer, "id", "email"),
        people=people(customer, value.get("createdBy"), value.get("assignee"), value.get("owner"), *found),
        source=record.source,
    )


def _kind(thread: Json) -> Kind:
    state, kind = first(thread, "state"), first(thread, "type")
    if kind == "note":
        return "note"
    if state == "draft":
        return "draft"
    if state in ("hidden", "underreview", "deleted"):
        return "hidden"
    if _AI in (first(object_at(thread, "createdBy"), "type"), first(object_at(thread, "author"), "type")):
        return "bot"
    if (
        first(object_at(thread, "action"), "type") in _WORKFLOWS
        or first(object_at(thread, "source"), "type") == "workflows"
    ):
        return "bot"
    return "system" if kind in ("lineitem", "forwardparent", "forwardchild", "phone") else "public"
