"""Zammad, Gorgias, Front, Zoho Desk, osTicket, Chatwoot, OTRS and WHMCS."""

from pathlib import Path
from typing import Any

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import detect
from tests.engine.tickets.exports import lines, only, prepared, read, said, write


def article(number: int, sender: Any, body: str, internal: bool = False, **more: Any) -> dict[str, Any]:
    key = "sender_id" if isinstance(sender, int) else "sender"
    base = {"id": number, "ticket_id": 3, key: sender, "internal": internal, "body": body, "content_type": "text/html"}
    return {**base, "created_at": f"2025-01-02T10:00:{number:02d}Z", "from": f"Person {number} <p@example.com>", **more}


ZAMMAD = {"id": 3, "number": "22003", "title": "Lamp", "group_id": 1, "customer_id": 5, "state": "closed"}
ARTICLES = [
    article(1, "Customer", "<p>Dark</p>"),
    article(2, "Agent", "<p>Press</p>"),
    article(3, "Agent", "Sigh", internal=True),
    article(4, "System", "Closed"),
]
KINDS = [("user", "public"), ("assistant", "public"), ("assistant", "note"), ("assistant", "system")]


def kinds(path: Path, *more: Path) -> list[tuple[str, str]]:
    return [(role, kind) for role, kind, _ in said(only(path, *more))]


def test_zammad_articles_inside_and_apart(tmp_path: Path) -> None:
    inside = write(tmp_path / "a.json", [{**ZAMMAD, "articles": ARTICLES}])
    ids = [{**entry, "sender_id": number} for entry, number in zip(ARTICLES, (2, 1, 1, 3), strict=True)]
    apart = (
        write(tmp_path / "t.json", [ZAMMAD]),
        write(tmp_path / "b.json", [{k: v for k, v in e.items() if k != "sender"} for e in ids]),
    )
    assert kinds(inside) == kinds(*apart) == KINDS
    assert only(*apart).id == "22003"
    with pytest.raises(TicketsError, match="without their articles"):
        detect([tmp_path / "t.json"])


def gorgias(number: int, from_agent: bool, public: bool = True, **more: Any) -> dict[str, Any]:
    sender = {"id": 9 if from_agent else 5, "name": "Cleo" if from_agent else "Ada Lane", "email": "x@example.com"}
    base = {
        "id": number,
        "ticket_id": 3,
        "from_agent": from_agent,
        "public": public,
        "sender": sender,
        "body_text": f"Words {number}",
    }
    return {**base, "created_datetime": f"2025-01-02T10:00:{number:02d}+00:00", **more}


def test_gorgias_messages_inside_and_apart(tmp_path: Path) -> None:
    messages = [
        gorgias(1, False),
        gorgias(2, True, body_html="<p>Hi</p>"),
        gorgias(3, True, public=False),
        gorgias(4, True, via="rule"),
    ]
    ticket = {
        "id": 3,
        "subject": "Lamp",
        "status": "closed",
        "customer": {"id": 5, "name": "Ada Lane"},
        "tags": [{"name": "lamp"}],
    }
    inside = write(tmp_path / "a.json", {"data": [{**ticket, "messages": messages}]})
    apart = write(tmp_path / "m.json", {"data": messages})
    expected = [("user", "public"), ("assistant", "public"), ("assistant", "note"), ("assistant", "bot")]
    assert kinds(inside) == kinds(apart) == expected
    found = only(inside)
    assert (found.tags, found.customer, found.messages[1].html) == (("lamp",), "5", True)
    assert "Ada Lane" in found.people


def front(number: int, inbound: bool, **more: Any) -> dict[str, Any]:
    author = None if inbound else {"id": "tea_1", "first_name": "Cleo", "email": "cleo@example.com"}
    base = {
        "id": f"msg_{number}",
        "is_inbound": inbound,
        "created_at": 1_700_000_000.5 + number,
        "author": author,
        "recipients": [{"handle": "ada@example.com", "role": "from" if inbound else "to", "name": "Ada Lane"}],
        "body": f"<p>Words {number}</p>",
        "_links": {"related": {"conversation": "https://api.example.com/conversations/cnv_1"}},
    }
    return {**base, **more}


def test_front_messages_inside_and_apart(tmp_path: Path) -> None:
    messages = [front(2, False), front(1, True), front(3, False, draft_mode="shared")]
    expected = [("user", "public"), ("assistant", "public"), ("assistant", "draft")]
    conversation = {"id": "cnv_1", "subject": "Lamp", "status": "archived", "tags": [{"name": "lamp"}]}
    inside = write(tmp_path / "a.json", {"_results": [{**conversation, "messages": messages}]})
    apart = write(tmp_path / "m.json", {"_results": messages})
    assert kinds(inside) == kinds(apart) == expected
    both = only(write(tmp_path / "c.json", {"_results": [conversation]}), apart)
    assert (both.id, both.subject, both.status) == ("cnv_1", "Lamp", "closed")
    assert "Ada Lane" in both.people


def zoho(number: int, direction: str, **more: Any) -> dict[str, Any]:
    base = {"id": str(number), "direction": direction, "visibility": "public", "content": f"<p>Words {number}</p>"}
    author = {
        "type": "END_USER" if direction == "in" else "AGENT",
        "name": f"Name {direction}",
        "email": f"{direction}@example.com",
    }
    return {**base, "author": author, "createdTime": f"2025-01-02T10:00:{number:02d}.000Z", "ticketId": "77", **more}


def test_zoho_threads_newest_first_and_cut_summaries(tmp_path: Path) -> None:
    cut = {key: value for key, value in zoho(4, "out").items() if key != "content"} | {"summary": "Words 4 and"}
    remark = {
        "commenter": {"type": "AGENT", "name": "Cleo"},
        "commentedTime": "2025-01-02T10:00:03.000Z",
        "content": "Sigh",
        "isPublic": False,
    }
    rows = [cut, {**remark, "ticketId": "77"}, zoho(2, "out"), zoho(1, "in"), zoho(5, "out", visibility="private")]
    expected = [
        ("user", "public"),
        ("assistant", "public"),
        ("assistant", "note"),
        ("assistant", "truncated"),
        ("assistant", "note"),
    ]
    ticket = {"id": "77", "ticketNumber": "101", "subject": "Lamp", "contactId": "5", "status": "Closed"}
    inside = write(
        tmp_path / "a.json", [{**ticket, "threads": [row for row in rows if "direction" in row], "comments": [remark]}]
    )
    apart = write(tmp_path / "t.json", {"data": [ticket]}), write(tmp_path / "r.json", {"data": rows})
    assert kinds(inside) == kinds(*apart) == expected
    assert (only(*apart).id, only(*apart).customer) == ("101", "5")


def osticket(number: int, kind: str, poster: str, **more: Any) -> dict[str, Any]:
    base = {
        "id": number,
        "thread_id": 4,
        "staff_id": 0 if kind == "M" else 2,
        "user_id": 5 if kind == "M" else 0,
        "type": kind,
    }
    return {
        **base,
        "poster": poster,
        "title": "Lamp",
        "body": f"<p>Words {number}</p>",
        "format": "html",
        "created": f"2025-01-02 10:00:{number:02d}",
        **more,
    }


def test_osticket_entries_as_json_and_csv(tmp_path: Path) -> None:
    entries = [
        osticket(1, "M", "Ada Lane"),
        osticket(2, "R", "Cleo Agent"),
        osticket(3, "N", "Cleo Agent"),
        osticket(4, "N", "SYSTEM"),
    ]
    hidden = osticket(5, "R", "Cleo Agent", flags=4)
    path = write(tmp_path / "entries.json", lines(*entries, hidden))
    expected = [
        ("user", "public"),
        ("assistant", "public"),
        ("assistant", "note"),
        ("assistant", "note"),
        ("assistant", "hidden"),
    ]
    assert kinds(path) == expected
    keys = list(hidden)
    table = [",".join(keys), *(",".join(f'"{entry.get(key, 0)}"' for key in keys) for entry in (*entries, hidden))]
    csv = write(tmp_path / "entries.csv", "\n".join(table))
    assert kinds(csv) == expected
    assert detect([csv]).format == "osticket"
    assert read(csv)[0].people == ("Ada Lane", "Cleo Agent")


MACHINES = ("ai", "api", "application", "bulk_reply", "integration", "macro", "rule")


@pytest.mark.parametrize(
    ("author", "kind"),
    [*((machine, "bot") for machine in MACHINES), ("csat", "system"), ("smart_csat", "system"), ("user", "public")],
)
def test_front_tells_machines_by_the_type_of_the_author(tmp_path: Path, author: str, kind: str) -> None:
    rows = [front(1, True), front(2, False, author={"id": "x", "type": author}), front(3, False)]
    path = write(tmp_path / "a.json", {"id": "cnv_1", "subject": "Lamp", "messages": rows})
    assert kinds(path) == [("user", "public"), ("assistant", kind), ("assistant", "public")]


def test_gorgias_answers_by_a_rule_are_a_bots(tmp_path: Path) -> None:
    rows = [gorgias(1, False), gorgias(2, True, rule_id=7), gorgias(3, True)]
    path = write(tmp_path / "m.json", {"data": rows})
    assert kinds(path) == [("user", "public"), ("assistant", "bot"), ("assistant", "public")]


def test_zoho_messages_of_the_system_are_no_answers(tmp_path: Path) -> None:
    rows = [zoho(1, "in"), zoho(2, "out", author={"type": "SYSTEM", "name": "Desk"}), zoho(3, "out")]
    path = write(tmp_path / "m.json", {"data": rows})
    assert kinds(path) == [("user", "public"), ("assistant", "system"), ("assistant", "public")]


def test_where_a_desk_marks_no_bots_the_person_is_told_so(tmp_path: Path) -> None:
    freshdesk = {
        "id": 5,
        "requester_id": 1,
        "responder_id": 2,
        "description_text": "Is it dark at home?",
        "conversations": [
            {"body_text": "Press the switch please.", "user_id": 2, "created_at": "2025-01-02T10:00:00Z"}
        ],
    }
    for name, records in (("Freddy", [freshdesk]), ("Zia", [zoho(1, "in"), zoho(2, "out")])):
        path = write(tmp_path / f"{name}.json", records)
        assert [name in caution for caution in detect([path]).cautions] == [True]
        report, _ = prepared([path], tmp_path / name, heldout=0.0)
        assert any(name in warning for warning in report.warnings)


def test_a_ticket_begins_when_its_oldest_message_was_written_wherever_that_stands(tmp_path: Path) -> None:
    files = {
        "gorgias": {"data": [gorgias(2, True), gorgias(1, False)]},
        "front": {"_results": [front(2, False), front(1, True)]},
        "osticket": [osticket(2, "R", "Cleo Agent"), osticket(1, "M", "Ada Lane")],
    }
    for name, content in files.items():
        found = only(write(tmp_path / f"{name}.json", content))
        assert found.created_at == found.messages[0].at, name
        assert found.messages[0].role == "user"


def test_zammad_articles_that_a_trigger_sent_are_the_systems(tmp_path: Path) -> None:
    sent = article(2, "Agent", "We got it.", preferences={"perform_origin": "trigger"})
    path = write(tmp_path / "a.json", [{**ZAMMAD, "articles": [ARTICLES[0], sent, article(3, "Agent", "Press")]}])
    assert kinds(path) == [("user", "public"), ("assistant", "system"), ("assistant", "public")]


def chatwoot(number: int, kind: int | str, sent_by: str, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "conversation_id": 4,
        "content": f"Words {number}",
        "message_type": kind,
        "private": False,
        "created_at": 1_700_000_000 + number,
        "sender_type": sent_by,
        "sender": {"id": number, "name": f"Name {sent_by}"},
        **more,
    }


CHATWOOT = [
    chatwoot(3, 1, "User"),
    chatwoot(1, 0, "Contact"),
    chatwoot(2, 1, "AgentBot"),
    chatwoot(4, 1, "User", private=True),
    chatwoot(5, 2, "User"),
    chatwoot(6, 3, "User"),
    chatwoot(7, "outgoing", "User", sender={"type": "agent_bot"}),
    chatwoot(8, "incoming", "Contact"),
]


def test_chatwoot_messages_inside_and_apart(tmp_path: Path) -> None:
    expected = [
        *(("user", "public"), ("assistant", "bot"), ("assistant", "public"), ("assistant", "note")),
        *(("assistant", "system"), ("assistant", "bot"), ("assistant", "bot"), ("user", "public")),
    ]
    contact = {"sender": {"id": 9, "name": "Ada Lane"}}
    conversation = {"id": 4, "status": "resolved", "labels": ["lamp"], "meta": contact}
    apart = write(tmp_path / "m.json", {"payload": CHATWOOT})
    inside = write(tmp_path / "c.json", {"data": {"meta": {}, "payload": [{**conversation, "messages": CHATWOOT}]}})
    assert kinds(inside) == kinds(apart) == expected
    found = only(inside)
    assert (found.tags, found.customer, found.status) == (("lamp",), "9", "resolved")
    assert "Ada Lane" in found.people
    bare = write(tmp_path / "bare.json", {"payload": [{**conversation, "messages": []}]})
    assert detect([inside]).format == "chatwoot"
    with pytest.raises(TicketsError):
        read(bare)


def test_chatwoot_messages_as_a_table(tmp_path: Path) -> None:
    header = "id,conversation_id,content,message_type,private,created_at,sender_type"
    rows = ["1,4,Dark?,0,false,1700000001,Contact", "2,4,Press it.,1,false,1700000002,User"]
    assert kinds(write(tmp_path / "t.csv", "\n".join([header, *rows]))) == [("user", "public"), ("assistant", "public")]


def test_otrs_articles_of_both_ages(tmp_path: Path) -> None:
    def article(number: int, sender: str, **more: Any) -> dict[str, Any]:
        return {"SenderType": sender, "Body": f"Words {number}", "CreateTime": f"2026-01-02 10:00:{number:02d}", **more}

    new = [
        article(1, "customer", IsVisibleForCustomer="1", From="Ada Lane <ada@example.org>"),
        article(2, "system", IsVisibleForCustomer="1"),
        article(4, "agent", IsVisibleForCustomer="0"),
        article(3, "agent", IsVisibleForCustomer=1, ContentType="text/html; charset=utf-8"),
    ]
    old = [
        article(1, "customer", ArticleType="email-external"),
        article(2, "system", ArticleType="email-notification-ext"),
        article(3, "agent", ArticleType="phone"),
        article(4, "agent", ArticleType="note-internal"),
    ]
    ticket = {"TicketID": "7", "TicketNumber": "2026007", "QueueID": "1", "Title": "Lamp", "State": "closed successful"}
    expected = [("user", "public"), ("assistant", "system"), ("assistant", "public"), ("assistant", "note")]
    for articles in (new, old):
        assert kinds(write(tmp_path / "t.json", {"Ticket": [{**ticket, "Article": articles}]})) == expected
    found = only(write(tmp_path / "t.json", {"Ticket": [{**ticket, "Article": new}]}))
    assert (found.id, found.subject, found.status, found.messages[2].html) == ("2026007", "Lamp", "closed", True)
    assert kinds(write(tmp_path / "one.json", {"Ticket": {**ticket, "Article": old}})) == expected
    with pytest.raises(TicketsError, match="without their articles"):
        detect([write(tmp_path / "bare.json", {"Ticket": [ticket]})])


WHMCS = {
    "ticketid": "7",
    "tid": "ABC-1",
    "deptid": "1",
    "name": "Ada Lane",
    "email": "ada@example.com",
    "date": "2025-01-02 10:00:00",
    "subject": "Lamp",
    "status": "Closed",
    "replies": {
        "reply": [
            {"name": "Ada Lane", "requestor_type": "Owner", "date": "2025-01-02 10:00:00", "message": "Dark"},
            {"replyid": "1", "admin": "Cleo Ng", "date": "2025-01-02 11:00:00", "message": "Press"},
            {"replyid": "2", "requestor_type": "Operator", "date": "2025-01-02 12:00:00", "message": "Well?"},
        ]
    },
    "notes": {"note": [{"noteid": "1", "admin": "Cleo Ng", "date": "2025-01-02 11:30:00", "message": "Sigh"}]},
}


def test_whmcs_replies_and_notes(tmp_path: Path) -> None:
    path = write(tmp_path / "t.json", WHMCS)
    assert kinds(path) == [("user", "public"), ("assistant", "public"), ("assistant", "note"), ("assistant", "public")]
    assert (only(path).id, only(path).customer) == ("ABC-1", "ada@example.com")
    assert {"Ada Lane", "Cleo Ng"} <= set(only(path).people)
    bare = {key: value for key, value in WHMCS.items() if key not in ("replies", "notes")}
    with pytest.raises(TicketsError, match="without their replies"):
        detect([write(tmp_path / "l.json", {"tickets": {"ticket": [bare]}})])
