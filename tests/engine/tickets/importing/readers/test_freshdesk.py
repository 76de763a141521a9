from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.conversation import LeftOut
from engine.tickets.importing.detect import detect
from tests.engine.tickets.exports import only, read, read_all, said, write

TICKET = {
    "id": 5,
    "subject": "Lamp flickers",
    "description": "<div>The lamp flickers.</div>",
    "description_text": "The lamp flickers.",
    "status": 5,
    "spam": False,
    "requester_id": 1,
    "responder_id": 2,
    "tags": ["lamp"],
    "created_at": "2025-01-02T10:00:00Z",
    "conversations": [
        {
            "id": 11,
            "body": "<div>Try the other socket.</div>",
            "incoming": False,
            "private": False,
            "user_id": 2,
            "source": 0,
        },
        {
            "id": 12,
            "body": "<div>He called twice.</div>",
            "incoming": False,
            "private": True,
            "user_id": 2,
            "source": 2,
        },
        {"id": 13, "body_text": "That helped.", "incoming": True, "private": False, "user_id": 1, "source": 0},
        {"id": 14, "body_text": "Fwd to the maker", "incoming": False, "private": False, "user_id": 2, "source": 8},
    ],
}
XML = """<?xml version="1.0" encoding="UTF-8"?>
<helpdesk-tickets type="array">
  <helpdesk-ticket>
    <display-id type="integer">7</display-id><subject>Lamp</subject><description>It is dark.</description>
    <description-html>&lt;p&gt;It is dark.&lt;/p&gt;</description-html>
    <requester-id type="integer">1</requester-id><requester-name>Ada Lane</requester-name>
    <responder-name>Cleo Agent</responder-name><status-name>Closed</status-name><spam type="boolean">false</spam>
    <helpdesk-notes type="array">
      <helpdesk-note><body>Press the switch.</body><user-id type="integer">2</user-id>
        <incoming type="boolean">false</incoming><private type="boolean">false</private></helpdesk-note>
      <helpdesk-note><body>Rude fellow.</body><user-id type="integer">2</user-id>
        <incoming type="boolean">false</incoming><private type="boolean">true</private></helpdesk-note>
      <helpdesk-note><body>Light!</body><user-id type="integer">1</user-id>
        <incoming type="boolean">true</incoming><private type="boolean">false</private></helpdesk-note>
    </helpdesk-notes>
  </helpdesk-ticket>
  <helpdesk-ticket><display-id>8</display-id><subject>Spam</subject><description>Buy!</description><spam>true</spam>
    <responder-name nil="true"/></helpdesk-ticket>
</helpdesk-tickets>
"""


def test_the_first_message_comes_from_the_description(tmp_path: Path) -> None:
    conversation = only(write(tmp_path / "t.json", [TICKET]))
    assert said(conversation) == [
        ("user", "public", "<div>The lamp flickers.</div>"),
        ("assistant", "public", "<div>Try the other socket.</div>"),
        ("assistant", "note", "<div>He called twice.</div>"),
        ("user", "public", "That helped."),
        ("assistant", "note", "Fwd to the maker"),
    ]
    assert (conversation.subject, conversation.tags, conversation.customer) == ("Lamp flickers", ("lamp",), "1")


def test_spam_is_marked_as_a_whole(tmp_path: Path) -> None:
    conversation = only(write(tmp_path / "t.json", [{**TICKET, "spam": True}]))
    assert {message.kind for message in conversation.messages} == {"spam"}


def test_the_account_export_as_json_is_unwrapped(tmp_path: Path) -> None:
    ticket = {
        "display_id": 3,
        "subject": "Lamp",
        "description_html": "<p>Dark.</p>",
        "requester_id": 1,
        "responder_id": 2,
        "requester_name": "Ada Lane",
        "notes": [{"helpdesk_note": {"body_html": "<p>Press.</p>", "incoming": False, "private": False, "user_id": 2}}],
    }
    conversation = only(write(tmp_path / "Tickets0.json", [{"helpdesk_ticket": ticket}]))
    assert [role for role, _, _ in said(conversation)] == ["user", "assistant"]
    assert "Ada Lane" in conversation.people


def test_the_account_export_as_xml_is_read(tmp_path: Path) -> None:
    first, second = read(write(tmp_path / "Tickets.xml", XML))
    assert said(first) == [
        ("user", "public", "<p>It is dark.</p>"),
        ("assistant", "public", "Press the switch."),
        ("assistant", "note", "Rude fellow."),
        ("user", "public", "Light!"),
    ]
    assert (first.id, first.people[:2], first.status) == ("7", ("Ada Lane", "Cleo Agent"), "Closed")
    assert {message.kind for message in second.messages} == {"spam"}
    assert detect([tmp_path / "Tickets.xml"]).format == "freshdesk"


def test_xml_that_ends_early_gives_the_tickets_before_the_cut(tmp_path: Path) -> None:
    cut = XML[: XML.index("<helpdesk-ticket><display-id>8") + 60]
    found = read_all(write(tmp_path / "Tickets.xml", cut))
    assert [type(item).__name__ for item in found] == ["Conversation", "LeftOut"]
    assert isinstance(found[1], LeftOut)
    assert found[1].excerpt.startswith("Tickets.xml: 1 of an unknown number of tickets; the file breaks off at byte ")


def test_tickets_without_conversations_are_refused(tmp_path: Path) -> None:
    bare = {key: value for key, value in TICKET.items() if key != "conversations"}
    with pytest.raises(TicketsError, match=r"without their conversations.*Account Export"):
        detect([write(tmp_path / "t.json", [bare])])
