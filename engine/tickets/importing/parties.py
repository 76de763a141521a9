"""Who wrote a message, and whether a customer saw it: by the words and the yes and no that tables hold.

The words are tables of :mod:`engine.tickets.importing.words`. Which column they stand in is decided in
:mod:`engine.tickets.importing.columns`; what true means follows from its header, never from the cell alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import cast

from engine.tickets.conversation import Kind, Role
from engine.tickets.importing.words import groups, words

_KINDS: dict[str, Kind] = {word: cast(Kind, kind) for kind, names in groups("message_kinds").items() for word in names}
_CUSTOMERS, _AGENTS = words("customers"), words("agents")

_MACHINE_NAME = re.compile(
    r"\b(?:bot|(?:answer|chat|help|support|auto)[ -]?bot|ai (?:agent|assistant)|automation"
    r"|(?:virtual|virtuelle[rs]?|automated) \w+)\b|\[bot\]|^zd:|^system$",
    re.IGNORECASE,
)


@lru_cache(1024)
def is_machine_name(name: str) -> bool:
    """Tell a name that no person goes by, such as ``Answer Bot`` or ``dependabot[bot]``."""
    return _MACHINE_NAME.search(name) is not None


@lru_cache(1024)
def yes_no(cell: str) -> bool | None:
    """Read a cell that says yes or no, in the words of several languages; None for any other."""
    word = cell.strip().casefold()
    return True if word in words("yes") else False if word in words("no") else None


def all_yes_no(cells: Iterable[str]) -> bool:
    """Tell a column of yes and no, blank cells aside; an empty column is none."""
    answers = [yes_no(cell) for cell in cells if cell.strip()]
    return bool(answers) and None not in answers


@lru_cache(1024)
def who(cell: str) -> tuple[Role | None, Kind]:
    """Read who wrote a message from a word such as ``end-user``, ``Agent`` or ``internal note``.

    Returns:
        The role, or None where the word does not tell; and what the message is to the customer.
    """
    word = " ".join(cell.casefold().replace("_", " ").replace("-", " ").replace("/", " ").split())
    if word in _KINDS:
        return "assistant", _KINDS[word]
    if word in _CUSTOMERS:
        return "user", "public"
    if word in _AGENTS:
        return "assistant", "public"
    for part in word.split():
        if part in _CUSTOMERS:
            return "user", "public"
        if part in _AGENTS:
            return "assistant", "public"
    return None, "public"


def is_internal(cell: str, means_internal: bool) -> bool:
    """Tell whether only staff saw a message.

    Args:
        cell: Yes or no, or a word such as ``private`` or ``public``.
        means_internal: Whether yes means internal, as under a header ``private``; else it means public.
    """
    said = yes_no(cell)
    if said is not None:
        return said is means_internal
    return who(cell)[1] == "note"
