"""Column headers -> roles: which column is the customer's question, which the agent's answer.

Guesses in English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Swedish, Danish, Norwegian, Finnish,
Czech, Turkish, Russian, Japanese and Chinese. The person may overrule every guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from engine.errors import TicketsError
from engine.tickets.importing.header_parts import composed_role, plain
from engine.tickets.importing.parties import all_yes_no, who
from engine.tickets.importing.ratings import rating_of
from engine.tickets.importing.words import groups

ROLES: Final = (
    *("question", "answer", "ticket", "author", "role", "incoming", "outgoing", "internal", "public", "bot"),
    *("text", "subject", "date", "customer", "tags", "reply", "rating", "reopened"),
)
"""What a column can be.

``question`` and ``answer`` make a wide table (a row a ticket); ``text`` makes a long one (a row a message), with
``ticket`` and one of ``role``, ``author``, ``incoming``, ``outgoing``. The columns of yes and no say what yes means:
``incoming`` the customer wrote, ``outgoing`` the support, ``internal`` only staff saw it, ``public`` the customer
did, ``bot`` a machine wrote. ``reply`` names the message that a row replies to: then ``ticket`` is the row's own
number, and replies make the conversations. ``rating`` says what the customer thought of the help, ``reopened``
whether the ticket was opened again.
"""
WRITERS: Final = ("role", "author", "incoming", "outgoing")
"""Roles of columns that tell who wrote a message."""
OF_MESSAGES: Final = ("text", *WRITERS, "internal", "public", "bot", "reply")
"""Roles of columns that only a row a message has."""
_YES_NO_ROLES: Final = ("bot", "incoming", "outgoing", "internal", "public")
_FEWEST_ROWS = 8
"""Different rows below this number are too few to call a column a category."""
_CATEGORY_CHARS = 80
_CATEGORY_REPEATS = 4
"""A category has at least so many rows a value: Gorgias' Resolution has 3 values in 60 rows."""


def _table() -> dict[str, dict[str, int]]:
    return {
        role: {plain(header): rank for rank, header in enumerate(headers)}
        for role, headers in groups("columns").items()
    }


_RANKS: Final = _table()
_KNOWN: Final = frozenset(word for words in _RANKS.values() for word in words)
_LEADING: Final = frozenset(("ticket", "case", "issue", "message", "comment", "conversation", "email", "chat", "post"))
_AFTER_LEADING: Final = ("question", "answer", "text", "subject", "date", "author", "tags")
"""Roles that a header keeps behind such a word; a ``ticket type`` is nobody's role, a ``message id`` no ticket's."""
_OTHERWISE: Final = frozenset(
    word for role in ("author", "customer", "text", "question", "answer", "tags") for word in _RANKS[role]
)
"""Headers that usually name or quote somebody, and are a column of yes and no only where its cells are."""


def known_headers(cells: Sequence[str]) -> int:
    """Count the cells that are known column names."""
    names = (plain(cell) for cell in cells if 0 < len(cell) <= 60)
    return sum(_known_name(name) in _KNOWN or bool(composed_role(name)) for name in names)


def guess_columns(columns: Sequence[str], rows: Sequence[Sequence[str]] = ()) -> dict[str, str]:
    """Guess which column has which role.

    Args:
        columns: The headers as the file has them.
        rows: The first rows. What is in a column can rule a role out: yes and no, or a category, is nobody's answer.

    Returns:
        Role -> header, for the roles that were found. A table with question and answer is taken as wide; else one with
        a text column as long. Empty when neither can be made of it.
    """
    roles = likely_columns(columns, rows)
    if "question" in roles and "answer" in roles:
        return {role: column for role, column in roles.items() if role not in OF_MESSAGES}
    if "text" in roles and "ticket" in roles and roles.keys() & set(WRITERS):
        return {role: column for role, column in roles.items() if role not in ("question", "answer")}
    return {}


def likely_columns(columns: Sequence[str], rows: Sequence[Sequence[str]] = ()) -> dict[str, str]:
    """Guess which columns may have a role, whether or not they suffice; see :func:`guess_columns`."""
    roles: dict[str, str] = {}
    taken: set[str] = set()
    names = {column: _known_name(plain(column)) for column in columns if column.strip()}
    composed = {column: "" if name in _KNOWN else composed_role(name) for column, name in names.items()}
    values = _values(columns, rows)
    order = (
        "reply",
        "answer",
        "question",
        "text",
        "subject",
        "ticket",
        *_YES_NO_ROLES,
        "role",
        "author",
        "date",
        "customer",
    )
    for role in (*order, "tags", "rating", "reopened"):
        ranks = _RANKS[role]
        fitting = [
            (ranks.get(name, len(ranks)), column)
            for column, name in names.items()
            if column not in taken
            and (name in ranks or _names_roles(role, name, values[column]) or role == composed[column])
            and _can_be(role, name, values[column], len(set(map(tuple, rows))))
        ]
        if fitting:
            roles[role] = min(fitting, key=lambda pair: pair[0])[1]
            taken.add(roles[role])
    if "reply" in roles and not _are_own_numbers(values.get(roles.get("ticket", ""), ()), len(set(map(tuple, rows)))):
        del roles["reply"]
    if "answer" in roles and "question" not in roles:
        for other in ("text", "subject"):
            if other in roles:
                roles["question"] = roles.pop(other)
                break
    if "answer" not in roles and "text" not in roles and "question" in roles and roles.keys() & set(WRITERS):
        roles["text"] = roles.pop("question")
    return roles


def _known_name(name: str) -> str:
    """Return a header without the word before it where only the rest is known, as in ``ticket description``."""
    first, _, rest = name.partition(" ")
    if name in _KNOWN or first not in _LEADING:
        return name
    return rest if any(rest in _RANKS[role] for role in _AFTER_LEADING) else name


def _values(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    """Return the filled cells of each column, equal rows counted once."""
    different = list(dict.fromkeys(tuple(row) for row in rows))
    values: dict[str, list[str]] = {}
    for index, column in enumerate(columns):
        cells = [row[index] for row in different if index < len(row) and row[index].strip()]
        values.setdefault(column, cells)
    return values


def _can_be(role: str, name: str, cells: Sequence[str], rows: int) -> bool:
    """Tell whether what is in a column allows it that role; without any rows, its header decides."""
    if role == "ticket" and name == "parent id":
        # Salesforce's messages all have one; elsewhere it is the rare ticket's that belongs to another.
        return len(cells) == rows
    if role in _YES_NO_ROLES:
        if cells:
            return all_yes_no(cells) or (role == "internal" and name == "visibility")
        return name not in _OTHERWISE
    if role == "rating":
        return bool(cells) and any(rating_of(cell) for cell in cells)
    if role in ("role", "author", "customer"):
        return not all_yes_no(cells)
    if role == "reply":
        return not all_yes_no(cells)
    return role not in ("question", "answer") or not (is_category(cells) or all_yes_no(cells))


def _are_own_numbers(cells: Sequence[str], rows: int) -> bool:
    """Tell a column in which every row has a number of its own from one in which a ticket's messages share theirs."""
    return rows > 1 and len(set(cells)) == rows


def _names_roles(role: str, name: str, cells: Sequence[str]) -> bool:
    """Tell a column of senders that holds words such as visitor and operator in place of names."""
    return role == "role" and name in _RANKS["author"] and bool(cells) and all(who(cell)[0] for cell in cells)


def is_category(cells: Sequence[str]) -> bool:
    """Tell a column whose few short values repeat, such as 'Refunded in full', from one in which somebody writes."""
    if len(cells) < _FEWEST_ROWS or max(map(len, cells)) > _CATEGORY_CHARS:
        return False
    return len(set(cells)) * _CATEGORY_REPEATS <= len(cells)


def doubts(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Say in sentences why columns that are called like a role were not given it."""
    sentences = []
    for column, cells in _values(columns, rows).items():
        name = plain(column)
        called = [role for role in ("answer", "question") if name in _RANKS[role] or composed_role(name) == role]
        if called and is_category(cells):
            sentences.append(
                f"The column {column!r} repeats {len(set(cells))} short values in {len(cells)} rows: it is a category, "
                f"not the {called[0]}."
            )
        elif name in _RANKS["role"] and all_yes_no(cells):
            sentences.append(
                f"The column {column!r} holds only yes and no, and which of them is the customer is not clear: map it "
                "as incoming where yes means the customer wrote, as outgoing where it means the support."
            )
    return sentences


def holds_text(column: str) -> bool:
    """Tell a header under which people write: a question, an answer or a message."""
    name = plain(column)
    return any(name in _RANKS[role] for role in ("question", "answer", "text")) or bool(composed_role(name))


def yes_means(column: str) -> str:
    """Return ``incoming`` or ``outgoing`` where the header says whom yes means; else an empty text."""
    return next((role for role in ("incoming", "outgoing") if plain(column) in _RANKS[role]), "")


def check_mapping(mapping: Mapping[str, str], columns: Sequence[str]) -> dict[str, str]:
    """Check a mapping that the person gave, against the columns there are.

    Args:
        mapping: Role -> column; a column is its header (case and spaces do not matter) or its number, from 1.
        columns: The headers of the table.

    Returns:
        Role -> header exactly as the table has it.

    Raises:
        TicketsError: A role is unknown, or there is no such column; the message lists the columns there are.
    """
    by_name = {plain(column): column for column in reversed(columns)}
    listed = ", ".join(repr(column) for column in columns[:30]) + (" and more" if len(columns) > 30 else "")
    checked: dict[str, str] = {}
    for role, wanted in mapping.items():
        if role not in ROLES:
            raise TicketsError(f"There is no role {role!r} for a column.", f"The roles are {', '.join(ROLES)}.")
        if not wanted:
            continue
        if wanted in columns:
            checked[role] = wanted
        elif plain(wanted) in by_name and plain(wanted):
            checked[role] = by_name[plain(wanted)]
        elif wanted.isdecimal() and 1 <= int(wanted) <= len(columns):
            checked[role] = columns[int(wanted) - 1]
        else:
            raise TicketsError(f"The table has no column {wanted!r} for {role}.", f"Its columns are {listed}.")
    return checked
