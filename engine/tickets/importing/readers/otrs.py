"""OTRS, Znuny and OTOBO: tickets with their articles, from the generic interface (TicketGet with AllArticles).

Traps: numbers stand for yes and no; ``IsVisibleForCustomer`` 0 is a note; the system acknowledges mails.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.tickets.conversation import Conversation, Kind, Message
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers.fields import Json, first, flag, objects, oldest_first

FORMAT = "otrs"
LABEL = "OTRS or Znuny export"
GUIDE = (
    "Generic interface: TicketGet with AllArticles=1",
    "JSON",
    "tickets with their articles; internal ones and the system's are left out",
)
"""For the README: how to export it there, the file, what is read of it."""
IN_TABLES = False
NO_ANSWERS = (
    "This OTRS file lists tickets without their articles, so there are no answers in it.",
    "Fetch them with their articles: TicketGet with AllArticles=1 of the generic interface.",
)


def evidence(record: Json) -> str:
    """Say what in a record is OTRS'; empty when it is not."""
    articles = objects(record.get("Article"))
    if articles and "SenderType" in articles[0]:
        return "Article with SenderType"
    return "TicketID and TicketNumber" if {"TicketID", "TicketNumber", "QueueID"} <= record.keys() else ""


def has_messages(record: Json) -> bool:
    """Tell a ticket with its articles from one without."""
    return bool(objects(record.get("Article")))


def read(records: Iterable[Record]) -> Iterator[Conversation]:
    """Yield a conversation a ticket."""
    for record in records:
        yield _conversation(record)


def _conversation(record: Record) -> Conversation:
    ticket = record.value
    customer = first(ticket, "CustomerUserID", "CustomerID")
    names: dict[str, None] = dict.fromkeys((customer, first(ticket, "Owner"), first(ticket, "Responsible")))
    messages = []
    for article in objects(ticket.get("Article")):
        author = first(article, "From", "CreateBy")
        names[author] = names[first(article, "FromRealname")] = None
        messages.append(
            Message(
                "user" if first(article, "SenderType").lower() == "customer" else "assistant",
                first(article, "Body"),
                author,
                first(article, "CreateTime", "Created"),
                "html" in first(article, "ContentType", "MimeType").lower(),
                _kind(article),
            )
        )
    return Conversation(
        id=first(ticket, "TicketNumber", "TicketID") or record.place,
        messages=oldest_first(messages),
        subject=first(ticket, "Title"),
        created_at=first(ticket, "Created"),
        status=first(ticket, "StateType") or first(ticket, "State").split(" ")[0],
        customer=customer,
        people=tuple(name for name in names if len(name) > 2),
        source=record.source,
    )


def _kind(article: Json) -> Kind:
    if first(article, "SenderType").lower() == "system":
        return "system"
    if "IsVisibleForCustomer" in article:
        return "public" if flag(article.get("IsVisibleForCustomer")) else "note"
    # OTRS up to 5 names it: note-internal, email-internal ...
    return "note" if first(article, "ArticleType").endswith("internal") else "public"
