"""Exports that are known to hold no conversation: told by their header, refused with the way to the right one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.tickets.importing.columns import plain
from engine.tickets.importing.words import words


@dataclass(frozen=True, slots=True)
class MetadataOnly:
    """A list of tickets without what was said in them."""

    format: str
    label: str
    headers: tuple[str, ...]
    """All of these, in any order, tell it."""
    message: str
    remedy: str


_ZENDESK_REMEDY = (
    "In Zendesk's Admin Center choose Account > Tools > Reports > Export, 'Full JSON export', and drop that file here."
)
_FRESHDESK_REMEDY = (
    "In Freshdesk choose Admin > Account > Account Export, tick the tickets, and drop the file that you get by e-mail."
)
_KNOWN: tuple[MetadataOnly, ...] = (
    MetadataOnly(
        "zendesk",
        "Zendesk view",
        ("requester", "subject", "ticket type", "satisfaction score"),
        "This is the CSV of a Zendesk view: it lists tickets, and the conversations are not in it.",
        _ZENDESK_REMEDY,
    ),
    MetadataOnly(
        "zendesk",
        "Zendesk view",
        ("summation column", "id", "requester", "subject"),
        "This is the CSV of a Zendesk view: it lists tickets, and the conversations are not in it.",
        _ZENDESK_REMEDY,
    ),
    MetadataOnly(
        "freshdesk",
        "Freshdesk ticket list",
        ("ticket id", "subject", "status", "agent", "group"),
        "This is Freshdesk's ticket list as CSV: the conversations are not in it.",
        _FRESHDESK_REMEDY,
    ),
    MetadataOnly(
        "freshdesk",
        "Freshdesk ticket list",
        ("ticket id", "subject", "due by time", "resolved time"),
        "This is Freshdesk's ticket list as CSV: the conversations are not in it.",
        _FRESHDESK_REMEDY,
    ),
    MetadataOnly(
        "hubspot",
        "HubSpot tickets",
        ("ticket name", "ticket status", "pipeline"),
        "This is HubSpot's list of tickets as CSV: the conversations are not in it.",
        "Fetch the messages by HubSpot's API (GET /conversations/v3/conversations/threads/{id}/messages) as JSON.",
    ),
    MetadataOnly(
        "hubspot",
        "HubSpot tickets",
        ("ticket id", "ticket name", "create date"),
        "This is HubSpot's list of tickets as CSV: the conversations are not in it.",
        "Fetch the messages by HubSpot's API (GET /conversations/v3/conversations/threads/{id}/messages) as JSON.",
    ),
    MetadataOnly(
        "osticket",
        "osTicket ticket list",
        ("ticket number", "subject", "from", "department"),
        "This is osTicket's ticket list as CSV: the conversations are not in it.",
        "Export the table ost_thread_entry instead (phpMyAdmin > Export > JSON or CSV).",
    ),
    MetadataOnly(
        "osticket",
        "osTicket ticket list",
        ("ticket number", "help topic", "current status"),
        "This is osTicket's ticket list as CSV: the conversations are not in it.",
        "Export the table ost_thread_entry instead (phpMyAdmin > Export > JSON or CSV).",
    ),
    MetadataOnly(
        "zoho",
        "Zoho Desk ticket list",
        ("ticket reference id", "subject", "ticket owner"),
        "This is Zoho Desk's ticket list as CSV: the conversations are not in it.",
        "In Zoho Desk choose Setup > Data Administration > Data Backup, which includes threads, or use its API.",
    ),
    *(
        MetadataOnly(
            "gorgias",
            "Gorgias ticket list",
            headers,
            "This is Gorgias' ticket list as CSV: the conversations are not in it.",
            "Fetch the messages by Gorgias' API (GET /api/messages) as JSON.",
        )
        for headers in (
            ("ticket id", "initial channel", "assignee name"),
            ("ticket id", "number of agent messages"),
            ("ticket id", "assignee", "messages count"),
        )
    ),
    MetadataOnly(
        "table",
        "Salesforce cases",
        ("case number", "contact id", "status", "origin"),
        "These are Salesforce's cases: the conversations are not in them.",
        "Export the objects EmailMessage and CaseComment as well (Setup > Data Export), and drop each of these here.",
    ),
    MetadataOnly(
        "intercom",
        "Intercom data export",
        ("conversation id", "conversation started at", "first response time"),
        "This is Intercom's data export: it holds statistics, and the conversations are not in it.",
        "Fetch each conversation by Intercom's API (GET /conversations/{id}) as JSON.",
    ),
)


def metadata_only(columns: Sequence[str]) -> MetadataOnly | None:
    """Tell a table of mere metadata by its header.

    Args:
        columns: The headers as the file has them.

    Returns:
        What it is and where the right export is; None when the header is not one of these.
    """
    names = {plain(column) for column in columns}
    if names & words("spoken_columns"):
        return None
    return next((known for known in _KNOWN if names.issuperset(known.headers)), None)
