"""What the APIs answer when they are asked for the messages of one ticket: a file a ticket, and it is named nowhere."""

from pathlib import Path
from typing import Any

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import detect
from tests.engine.tickets.exports import only, read, said, write

ASKED, ANSWERED = ("user", "public"), ("assistant", "public")
NOTED = ("assistant", "note")


def zendesk_comment(author: int, hour: int, public: bool = True) -> dict[str, Any]:
    base = {"id": hour, "type": "Comment", "author_id": author, "body": f"Words {hour}", "public": public}
    return {**base, "created_at": f"2026-01-02T{hour}:00:00Z"}


def reply(user: int, hour: int, **more: Any) -> dict[str, Any]:
    base = {"id": hour, "ticket_id": 20, "user_id": user, "incoming": user == 5, "private": False, "source": 0}
    return {**base, "body_text": f"Words {hour}", "created_at": f"2026-01-02T{hour}:00:00Z", **more}


def thread(kind: str, hour: int) -> dict[str, Any]:
    author = {"id": 1 if kind == "customer" else 9, "type": "customer" if kind == "customer" else "user"}
    base = {"id": hour, "type": kind, "state": "published", "createdBy": author, "body": f"Words {hour}"}
    return {**base, "createdAt": f"2026-01-02T{hour}:00:00Z"}


def front_message(inbound: bool, hour: int) -> dict[str, Any]:
    return {"id": f"msg_{hour}", "is_inbound": inbound, "created_at": 1767348000 + hour, "text": f"Words {hour}"}


def zoho_thread(direction: str, hour: int) -> dict[str, Any]:
    base = {"id": str(hour), "direction": direction, "visibility": "public", "content": f"Words {hour}"}
    return {**base, "createdTime": f"2026-01-02T{hour}:00:00.000Z", "author": {"id": direction, "name": "Ada"}}


def hubspot_message(actor: str, hour: int) -> dict[str, Any]:
    base = {"type": "MESSAGE", "id": str(hour), "createdBy": actor, "text": f"Words {hour}"}
    direction = "INCOMING" if actor[0] == "V" else "OUTGOING"
    more = {"createdAt": f"2026-01-02T{hour}:00:00Z", "truncationStatus": "NOT_TRUNCATED"}
    return {**base, "direction": direction, **more}


ANSWERS: dict[str, Any] = {
    "zendesk": {"comments": [zendesk_comment(9, 12, public=False), zendesk_comment(9, 11), zendesk_comment(7, 10)]},
    "freshdesk": [reply(5, 10), reply(9, 11), reply(9, 12, private=True)],
    "helpscout": {"_embedded": {"threads": [thread("note", 12), thread("message", 11), thread("customer", 10)]}},
    "front": {"_results": [front_message(True, 10), front_message(False, 11)]},
    "zoho": {"data": [zoho_thread("out", 11), zoho_thread("in", 10)]},
    "hubspot": {"results": [hubspot_message("A-2", 11), hubspot_message("V-1", 10)]},
}


@pytest.mark.parametrize("vendor", ANSWERS)
def test_a_file_of_one_tickets_messages_is_that_ticket(tmp_path: Path, vendor: str) -> None:
    one, two = (write(tmp_path / name, ANSWERS[vendor]) for name in ("one.json", "two.json"))
    assert detect([one]).format == vendor
    talk = [(*ASKED, "Words 10"), (*ANSWERED, "Words 11"), (*NOTED, "Words 12")]
    talk = talk[: len(said(only(one)))]
    assert said(only(one)) == talk and len(talk) >= 2
    if vendor != "freshdesk":  # its replies name their ticket
        assert [said(conversation) for conversation in read(one, two)] == [talk, talk]


def test_freshdesks_tickets_and_their_replies_may_come_apart(tmp_path: Path) -> None:
    ticket = {"id": 20, "subject": "Lamp", "description_text": "Dark?", "requester_id": 5, "responder_id": 9}
    replies = write(tmp_path / "replies.json", [reply(9, 11), reply(5, 12)])
    talk = only(replies, write(tmp_path / "tickets.json", [{**ticket, "created_at": "2026-01-02T10:00:00Z"}]))
    assert (talk.id, talk.subject) == ("20", "Lamp")
    assert [turn[2] for turn in said(talk)] == ["Dark?", "Words 11", "Words 12"]


def test_users_of_zendesk_alone_hold_no_answers(tmp_path: Path) -> None:
    with pytest.raises(TicketsError, match="tickets or users without their comments"):
        detect([write(tmp_path / "users.json", {"users": [{"id": 9, "name": "Ben", "role": "agent"}]})])


def test_yes_and_no_of_unknown_json_count_like_those_of_a_table(tmp_path: Path) -> None:
    rows = [
        {"ticket": 1, "text": "Is it dark in there?", "from_customer": True, "private": False},
        {"ticket": 1, "text": "Press the switch, please.", "from_customer": False, "private": False},
        {"ticket": 1, "text": "He sounds angry to me.", "from_customer": False, "private": True},
    ]
    assert [turn[:2] for turn in said(only(write(tmp_path / "t.json", rows)))] == [ASKED, ANSWERED, NOTED]
