"""Tables of any origin with the columns mapped to roles.

Wide: a row a ticket, with a question and an answer. Long: a row a message, with the ticket's id and who wrote it; the
rows of one ticket need not stand together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.tickets.conversation import Conversation, Kind, Message, Role
from engine.tickets.files.grouping import Groups
from engine.tickets.files.rows import Row
from engine.tickets.files.workbooks import EXCEL_CELL_CHARS
from engine.tickets.readers.fields import looks_like_html, oldest_first, words

FORMAT = "table"
LABEL = "Table"


def _word_set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_CUSTOMER_WORDS = _word_set(
    """
    customer user end-user enduser end_user requester client contact visitor lead guest human incoming
    inbound in received false 0 no q question kunde kundin eingehend cliente usuario usuaria entrante
    recibido utilisateur entrant reçu utente entrata usuário recebido klant gebruiker klient użytkownik
    kund bruger bruker asiakas zákazník müşteri клиент 顧客 客户
    """
)
_AGENT_WORDS = _word_set(
    """
    agent assistant support staff admin operator rep teammate employee outgoing outbound out sent true 1
    yes a answer reply helpdesk service mitarbeiter mitarbeiterin bearbeiter ausgehend agente soporte
    saliente enviado conseiller sortant envoyé operatore uscita atendente saída enviado medewerker
    uitgaand pracownik konsultant handläggare medarbejder asiakaspalvelija operátor temsilci оператор
    агент поддержка 担当者 客服
    """
)
_KINDS: dict[str, Kind] = {
    "note": "note",
    "internal": "note",
    "private": "note",
    "internal note": "note",
    "private note": "note",
    "notiz": "note",
    "interne notiz": "note",
    "draft": "draft",
    "entwurf": "draft",
    "system": "system",
    "event": "system",
    "automation": "system",
    "bot": "bot",
    "chatbot": "bot",
    "ai": "bot",
    "spam": "spam",
}


@dataclass(frozen=True, slots=True)
class _Cells:
    """One row by its roles."""

    row: Row
    at: Mapping[str, int]

    def __call__(self, role: str) -> str:
        index = self.at.get(role)
        return self.row.cells[index] if index is not None else ""


def is_wide(mapping: Mapping[str, str]) -> bool:
    """Tell a mapping for a row a ticket from one for a row a message."""
    return "question" in mapping and "answer" in mapping


def read(
    rows: Iterable[Row], columns: Sequence[str], mapping: Mapping[str, str], source: str, workbook: bool = False
) -> Iterator[Conversation]:
    """Yield the conversations of a table.

    Args:
        rows: The rows under the header.
        columns: The header.
        mapping: Role -> header, checked.
        source: The file's name.
        workbook: Cells of exactly Excel's limit are then taken as cut off.
    """
    at = {role: columns.index(column) for role, column in mapping.items() if column in columns}
    message = _message_maker(workbook)
    if is_wide(mapping):
        for row in rows:
            yield _wide(_Cells(row, at), message, source)
    else:
        yield from _long(rows, at, message, source)


def _message_maker(workbook: bool) -> Callable[[Role, str, str, str, Kind], Message]:
    def make(role: Role, content: str, author: str, at: str, kind: Kind) -> Message:
        if workbook and len(content) >= EXCEL_CELL_CHARS and kind == "public":
            kind = "truncated"
        return Message(role, content, author, at, looks_like_html(content), kind)

    return make


def _wide(cells: _Cells, message: Callable[[Role, str, str, str, Kind], Message], source: str) -> Conversation:
    date = cells("date")
    return Conversation(
        id=cells("ticket").strip() or f"row {cells.row.number}",
        messages=(
            message("user", cells("question"), cells("customer"), date, "public"),
            message("assistant", cells("answer"), cells("author") or "agent", date, "public"),
        ),
        subject=cells("subject").strip(),
        tags=words(cells("tags")),
        created_at=date,
        customer=cells("customer").strip(),
        people=tuple(name for name in (cells("customer").strip(), cells("author").strip()) if len(name) > 1),
        source=source,
    )


def _long(
    rows: Iterable[Row], at: Mapping[str, int], message: Callable[[Role, str, str, str, Kind], Message], source: str
) -> Iterator[Conversation]:
    with Groups[Row]() as groups:
        writers: Counter[str] = Counter()
        for row in rows:
            cells = _Cells(row, at)
            groups.add(cells("ticket").strip() or f"row {row.number}", row)
            writers[cells("author").strip()] += 1
        for ticket, members in groups:
            listed = [_Cells(row, at) for row in members]
            yield _thread(ticket, listed, message, writers, source)


def _thread(
    ticket: str,
    rows: Sequence[_Cells],
    message: Callable[[Role, str, str, str, Kind], Message],
    writers: Counter[str],
    source: str,
) -> Conversation:
    customer = next((cells("customer").strip() for cells in rows if cells("customer").strip()), "")
    asker = _asker(rows, customer, writers)
    messages = []
    for cells in rows:
        role, kind = _role_of(cells("role"))
        author = cells("author").strip()
        if role is None:
            role = "user" if author == asker else "assistant"
        messages.append(message(role, cells("text"), author, cells("date"), kind))
    first = rows[0]
    names = dict.fromkeys(
        name for cells in rows for name in (cells("author").strip(), cells("customer").strip()) if len(name) > 1
    )
    return Conversation(
        id=ticket,
        messages=oldest_first(messages),
        subject=next((cells("subject").strip() for cells in rows if cells("subject").strip()), ""),
        tags=words(first("tags")),
        created_at=first("date"),
        customer=customer or asker,
        people=tuple(names),
        source=source,
    )


def _asker(rows: Sequence[_Cells], customer: str, writers: Counter[str]) -> str:
    """Tell who of the writers is the customer: the one named so, else the first to write.

    When the first writer has written far more over the whole table than the second, the second is taken: agents write
    many tickets, a customer few.
    """
    authors = list(dict.fromkeys(cells("author").strip() for cells in rows))
    if customer in authors:
        return customer
    if len(authors) >= 2 and writers[authors[0]] >= 5 and writers[authors[0]] > writers[authors[1]] * 3:
        return authors[1]
    return authors[0] if authors else ""


def _role_of(cell: str) -> tuple[Role | None, Kind]:
    word = " ".join(cell.lower().split())
    if word in _KINDS:
        return "assistant", _KINDS[word]
    if word in _CUSTOMER_WORDS:
        return "user", "public"
    if word in _AGENT_WORDS:
        return "assistant", "public"
    for part in word.replace("_", " ").replace("-", " ").replace("/", " ").split():
        if part in _CUSTOMER_WORDS:
            return "user", "public"
        if part in _AGENT_WORDS:
            return "assistant", "public"
    return None, "public"
