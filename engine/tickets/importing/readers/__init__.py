"""One file a source: each turns records into conversations.

A reader is a module with ``FORMAT``, ``LABEL``, ``GUIDE``, ``IN_TABLES``, ``NO_ANSWERS``, ``evidence``,
``has_messages`` and ``read``. Records are JSON objects, XML elements, or rows of a table as ``{header: cell}`` (a
repeated header holds a list). :data:`READERS` lists them; the order decides where two recognise the same record.
:mod:`.table` reads what none knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, cast

from engine.tickets.conversation import Conversation
from engine.tickets.importing.files.records import Record
from engine.tickets.importing.readers import (
    chat,
    chatwoot,
    crisp,
    discord,
    discourse,
    drift,
    freshchat,
    freshdesk,
    front,
    github,
    gorgias,
    groove,
    helpscout,
    hubspot,
    intercom,
    jira,
    kayako,
    liveagent,
    livechat,
    messenger,
    osticket,
    otrs,
    outlook_table,
    salesforce,
    servicenow,
    slack,
    stackexchange,
    tawk,
    teams,
    telegram,
    tidio,
    whatsapp,
    whmcs,
    zammad,
    zendesk,
    zendesk_chat,
    zoho,
)
from engine.tickets.importing.readers.fields import Json


class Reader(Protocol):
    """What a module in this folder offers."""

    FORMAT: str
    LABEL: str
    GUIDE: tuple[str, str, str]
    """How to export it there, the file, and what is read of it: the README's table is made of them."""
    IN_TABLES: bool
    """Whether rows of a table are offered to it as well."""
    NO_ANSWERS: tuple[str, str]
    """Message and remedy for an export of this vendor without any messages in it."""

    def evidence(self, record: Json) -> str:
        """Say what in a record is this vendor's; empty when it is not."""
        ...

    def has_messages(self, record: Json) -> bool:
        """Tell a record that can lead to an answer from mere metadata."""
        ...

    def read(self, records: Iterable[Record]) -> Iterator[Conversation]:
        """Turn the records of all files of this vendor into conversations."""
        ...


READERS: tuple[Reader, ...] = cast(
    tuple[Reader, ...],
    (
        zendesk,
        freshdesk,
        intercom,
        hubspot,
        helpscout,
        jira,
        servicenow,
        gorgias,
        front,
        zammad,
        salesforce,
        slack,
        teams,
        whatsapp,
        messenger,
        zendesk_chat,
        crisp,
        tidio,
        freshchat,
        livechat,
        tawk,
        drift,
        zoho,
        osticket,
        chatwoot,
        otrs,
        stackexchange,
        telegram,
        discord,
        github,
        discourse,
        whmcs,
        groove,
        kayako,
        liveagent,
        outlook_table,
        chat,
    ),
)
WITHOUT_SIDES: frozenset[str] = frozenset(
    (discord.FORMAT, messenger.FORMAT, slack.FORMAT, teams.FORMAT, telegram.FORMAT, whatsapp.FORMAT)
)
"""Formats that name who writes, and not whether he is the support: see :mod:`engine.tickets.importing.sides`."""
IN_FOLDERS: frozenset[str] = frozenset((messenger.FORMAT, slack.FORMAT))
"""Formats of archives in which a folder is a chat: their records are told its name."""
_CAUTIONS: dict[str, Callable[[Sequence[Json], bool], Iterable[str]]] = {
    freshdesk.FORMAT: lambda sample, in_table: (freshdesk.CAUTION,),
    gorgias.FORMAT: lambda sample, in_table: (gorgias.CAUTION,),
    zoho.FORMAT: lambda sample, in_table: (zoho.CAUTION,),
    chat.FORMAT: lambda sample, in_table: chat.cautions(sample),
    helpscout.FORMAT: lambda sample, in_table: helpscout.cautions(sample),
    discourse.FORMAT: lambda sample, in_table: discourse.cautions(sample),
    freshchat.FORMAT: lambda sample, in_table: (freshchat.CAUTION,),
    salesforce.FORMAT: lambda sample, in_table: salesforce.cautions(sample),
    outlook_table.FORMAT: lambda sample, in_table: (outlook_table.CAUTION,),
    jira.FORMAT: lambda sample, in_table: (jira.CAUTION,) if in_table else (),
}


def cautions(format: str, sample: Sequence[Json], in_table: bool) -> tuple[str, ...]:
    """Say in sentences what an export cannot tell, so that a person looks.

    Args:
        format: A reader's.
        sample: The first records.
        in_table: Whether they are rows of a table.
    """
    told = _CAUTIONS.get(format)
    return tuple(told(sample, in_table)) if told else ()
