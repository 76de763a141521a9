"""HubSpot's CRM objects -> records as its conversations API gives them, for the reader of these.

Tickets, mails and notes come from the objects API, each with its properties and, where they were asked for, the
tickets that it is associated with.
"""

from __future__ import annotations

from typing import Any

from engine.tickets.importing.readers.fields import Json, first, object_at, objects

_UNSENT = frozenset(("SCHEDULED", "SENDING", "DRAFT", "FAILED", "BOUNCED"))


def crm_evidence(record: Json) -> str:
    """Say which object of the CRM a record is; empty when it is none."""
    properties = object_at(record, "properties")
    if "hs_email_direction" in properties:
        return "hs_email_direction (a mail of the CRM)"
    if "hs_note_body" in properties:
        return "hs_note_body (a note of the CRM)"
    return "hs_pipeline_stage (a ticket of the CRM)" if "hs_pipeline_stage" in properties else ""


def crm_has_messages(record: Json) -> bool:
    """Tell mails from tickets and notes."""
    return "hs_email_direction" in object_at(record, "properties")


def as_conversations_api(record: Json) -> dict[str, Any]:
    """Return an object of the CRM as a thread or a message; any other record comes back as it is."""
    properties = object_at(record, "properties")
    if "hs_email_direction" in properties:
        return _mail(record, properties)
    if "hs_note_body" in properties:
        note = {"type": "COMMENT", "direction": "OUTGOING", "richText": first(properties, "hs_note_body")}
        return {**_where(record, properties), **note, "createdBy": first(properties, "hubspot_owner_id")}
    if "hs_pipeline_stage" in properties:
        return {
            "id": first(record, "id"),
            "subject": first(properties, "subject"),
            "content": first(properties, "content"),
            "createdAt": first(properties, "createdate") or first(record, "createdAt"),
            "status": first(properties, "hs_pipeline_stage"),
        }
    return dict(record)


def _mail(record: Json, properties: Json) -> dict[str, Any]:
    address = first(properties, "hs_email_from_email")
    halves = (first(properties, "hs_email_from_firstname"), first(properties, "hs_email_from_lastname"))
    sent = first(properties, "hs_email_status").upper() not in _UNSENT
    return {
        **_where(record, properties),
        "type": "MESSAGE" if sent else "DRAFT",
        "direction": "INCOMING" if first(properties, "hs_email_direction").startswith("INCOMING") else "OUTGOING",
        "text": first(properties, "hs_email_text"),
        "richText": first(properties, "hs_email_html"),
        "subject": first(properties, "hs_email_subject"),
        "createdBy": address,
        "senders": [{"name": " ".join(half for half in halves if half), "email": address}],
    }


def _where(record: Json, properties: Json) -> dict[str, Any]:
    """Return the ticket that an object belongs to, else the thread of a mail, else itself; and its date."""
    tickets = objects(object_at(record, "associations", "tickets").get("results"))
    parent = next((first(ticket, "id", "toObjectId") for ticket in tickets), "")
    return {
        "conversationsThreadId": parent or first(properties, "hs_email_thread_id") or first(record, "id"),
        "createdAt": first(properties, "hs_timestamp", "hs_createdate") or first(record, "createdAt"),
    }
