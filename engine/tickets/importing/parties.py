"""Who wrote a message, and whether a customer saw it: by the words and the yes and no that tables hold.

Owns those words. Which column they stand in is decided in :mod:`engine.tickets.importing.columns`; what true means
follows from its header, never from the cell alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from engine.tickets.conversation import Kind, Role


def _word_set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_YES = _word_set("true 1 yes y t x on wahr ja j vrai oui o verdadero si sí vero verdadeiro sim tak да истина はい 是")
_NO = _word_set("false 0 no n f off falsch nein faux non falso não nao nee nie нет ложь いいえ 否")
_CUSTOMER_WORDS = _word_set(
    """
    customer user end-user enduser end_user requester client contact visitor lead guest human incoming
    inbound in received q question kunde kundin eingehend cliente usuario usuaria entrante
    recibido utilisateur entrant reçu utente entrata usuário recebido klant gebruiker klient użytkownik
    kund bruger bruker asiakas zákazník müşteri клиент 顧客 客户
    """
)
_AGENT_WORDS = _word_set(
    """
    agent assistant support staff admin operator rep teammate employee outgoing outbound out sent
    a answer reply helpdesk service mitarbeiter mitarbeiterin bearbeiter ausgehend agente soporte
    saliente enviado conseiller sortant envoyé operatore uscita atendente saída enviado medewerker
    uitgaand pracownik konsultant handläggare medarbejder asiakaspalvelija operátor temsilci оператор
    агент поддержка 担当者 客服
    """
)
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("note", "internal", "private", "notiz", "interne notiz", "intern", "comment internal"), "note"),
    **dict.fromkeys(("internal note", "private note", "internal comment", "work note", "work notes"), "note"),
    **dict.fromkeys(("draft", "entwurf"), "draft"),
    **dict.fromkeys(("system", "event", "automation", "activity", "trigger", "rule", "workflow"), "system"),
    **dict.fromkeys(("bot", "chatbot", "ai", "agentbot", "agent bot", "answerbot", "answer bot", "ai agent"), "bot"),
    **dict.fromkeys(("virtual agent", "virtual assistant", "system user", "ai assistant", "voicebot"), "bot"),
    "spam": "spam",
}

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
    return True if word in _YES else False if word in _NO else None


def all_yes_no(cells: Iterable[str]) -> bool:
    """Tell a column of yes and no, blank cells aside; an empty column is none."""
    found = [yes_no(cell) for cell in cells if cell.strip()]
    return bool(found) and None not in found


@lru_cache(1024)
def who(cell: str) -> tuple[Role | None, Kind]:
    """Read who wrote a message from a word such as ``end-user``, ``Agent`` or ``internal note``.

    Returns:
        The role, or None where the word does not tell; and what the message is to the customer.
    """
    word = " ".join(cell.casefold().replace("_", " ").replace("-", " ").replace("/", " ").split())
    if word in _KINDS:
        return "assistant", _KINDS[word]
    if word in _CUSTOMER_WORDS:
        return "user", "public"
    if word in _AGENT_WORDS:
        return "assistant", "public"
    for part in word.split():
        if part in _CUSTOMER_WORDS:
            return "user", "public"
        if part in _AGENT_WORDS:
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
