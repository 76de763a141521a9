"""Zendesk's and Jira's XML -> records as the JSON of the same vendor holds them, for the vendor's own reader.

Zendesk's XML export (accounts of old have it) names fields otherwise and gives numbers for words; Jira's is an RSS feed
whose texts are HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.tickets.importing.files.xml_records import VALUE
from engine.tickets.importing.readers.fields import Json, first, flag, objects, text

_STATES = {"0": "new", "1": "open", "2": "pending", "3": "solved", "4": "closed", "5": "deleted", "6": "hold"}
_ROLES = {"0": "end-user", "2": "admin", "4": "agent"}
_VIA = {"8": {"channel": "rule"}, "19": {"channel": "system", "source": {"rel": "merge"}}}
"""Numbers of Zendesk's first API for what a rule wrote, and for the note of a merge."""


def as_json(record: Json) -> dict[str, Any]:
    """Return a record of XML as its vendor's JSON has it; of other vendors it comes back as it is."""
    if "nice_id" in record:
        return _zendesk_ticket(record)
    if "roles" in record and "is_active" in record and ("email" in record or "name" in record):
        role = _ROLES.get(text(record["roles"]), "end-user")
        return {**{key: text(record.get(key)) for key in ("id", "name", "email")}, "role": role}
    if isinstance(record.get("key"), Mapping) and "summary" in record and "reporter" in record:
        return _jira_issue(record)
    return dict(record)


def _zendesk_ticket(record: Json) -> dict[str, Any]:
    state = text(record.get("status_id"))
    ticket = {
        "id": text(record["nice_id"]),
        "subject": text(record.get("subject")),
        "description": text(record.get("description")),
        "status": _STATES.get(state, state),
        "requester_id": text(record.get("requester_id")),
        "submitter_id": text(record.get("submitter_id")),
        "assignee_id": text(record.get("assignee_id")),
        "created_at": text(record.get("created_at")),
        "tags": text(record.get("current_tags")).split(),
    }
    comments = [
        {
            "author_id": text(comment.get("author_id")),
            "body": text(comment.get("value")),
            "public": flag(comment.get("is_public", "true")),
            "created_at": text(comment.get("created_at")),
            "via": _VIA.get(text(comment.get("via_id")), {}),
        }
        for comment in objects(record.get("comments"))
    ]
    return {**ticket, "comments": comments}


def _jira_issue(record: Json) -> dict[str, Any]:
    labels = record.get("labels")
    fields = {
        "summary": _word(record.get("summary")),
        "reporter": _person(record.get("reporter")),
        "assignee": _person(record.get("assignee")),
        "created": _word(record.get("created")),
        "status": {"name": _word(record.get("status"))},
        "labels": [_word(label) for label in (labels if isinstance(labels, list) else [])],
        "comment": {
            "comments": [
                {
                    "author": {"name": first(comment, "author")},
                    "renderedBody": first(comment, VALUE),
                    "created": first(comment, "created"),
                    "visibility": first(comment, "grouplevel", "rolelevel"),
                }
                for comment in objects(record.get("comments"))
            ]
        },
    }
    return {
        "key": _word(record.get("key")),
        "fields": fields,
        "renderedFields": {"description": _word(record.get("description"))},
    }


def _person(value: object) -> dict[str, str]:
    """Read ``<reporter username="ada">Ada Lane</reporter>``; the cloud has ``accountid`` in place of a user's name."""
    if not isinstance(value, dict):
        return {"name": text(value), "displayName": text(value)} if value else {}
    return {"name": first(value, "accountid", "username", VALUE), "displayName": first(value, VALUE)}


def _word(value: object) -> str:
    return first(value, VALUE) if isinstance(value, dict) else text(value)
