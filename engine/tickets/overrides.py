"""What a person knows better than the detection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FORMATS = (
    *("zendesk", "freshdesk", "intercom", "hubspot", "helpscout", "jira", "servicenow", "gorgias", "front", "zammad"),
    *("salesforce", "slack", "teams", "whatsapp", "messenger"),
    *("zendesk_chat", "crisp", "tidio", "freshchat", "livechat", "tawk", "drift"),
    *(
        "zoho",
        "osticket",
        "chatwoot",
        "otrs",
        "stackexchange",
        "telegram",
        "discord",
        "github",
        "discourse",
        "whmcs",
        "groove",
        "kayako",
        "liveagent",
        "outlook",
        "chat",
        "table",
        "mail",
    ),
)
"""The formats that a person may choose: the name of every reader."""


@dataclass(frozen=True, slots=True)
class SourceOverrides:
    """What the person knows better than the guess; empty fields are guessed."""

    format: str = ""
    """One of :data:`FORMATS`."""
    encoding: str = ""
    """A Python codec name such as ``cp1252``."""
    delimiter: str = ""
    """One character; ``tab`` for a tab."""
    mapping: Mapping[str, str] = field(default_factory=dict)
    """Role -> column (header or number from 1), for tables; see :data:`engine.tickets.importing.columns.ROLES`."""
    agents: tuple[str, ...] = ()
    """Names of the support where a file names writers and not their sides; addresses or domains in mailboxes."""
    sheet: str = ""
    """The sheet of a workbook that is to be read, or a table in it as ``sheet!A14``, by its first cell."""
