"""Groove, Kayako and LiveAgent."""

from pathlib import Path
from typing import Any

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import detect
from tests.engine.tickets.exports import lines, only, prepared, read, said, write

PARTS = [("user", "public"), ("assistant", "public"), ("assistant", "note")]


def sides(path: Path, *more: Path) -> list[tuple[str, str]]:
    return [(role, kind) for role, kind, _ in said(only(path, *more))]


def groove(number: int, who: str, body: str, ticket: int = 4, **more: Any) -> dict[str, Any]:
    links = {
        "author": {"href": f"https://api.groovehq.com/v1/{who}"},
        "recipient": {"href": "https://api.groovehq.com/v1/agents/cleo@shop.example"},
        "ticket": {"href": f"https://api.groovehq.com/v1/tickets/{ticket}"},
    }
    text = {"body": f"<p>{body}</p>", "plain_text_body": body, "note": False}
    return {
        "created_at": f"2025-01-02T10:00:{number:02d}Z",
        "href": f"/messages/{number}",
        **text,
        "links": links,
        **more,
    }


GROOVE = [
    groove(2, "agents/cleo@shop.example", "Press the knob."),
    groove(1, "customers/ada%2Blamp@example.com", "The lamp is dark."),
    groove(3, "agents/cleo@shop.example", "Sigh.", note=True),
]
GROOVE_TICKET = {
    "number": 4,
    "title": "Lamp",
    "state": "closed",
    "tags": ["lamps"],
    "href": "https://api.groovehq.com/v1/tickets/4",
    "links": {"customer": {"href": "https://api.groovehq.com/v1/customers/ada%2Blamp@example.com"}},
}


def test_groove_messages_join_their_ticket_and_people_are_read_off_links(tmp_path: Path) -> None:
    pages = {"messages": GROOVE, "meta": {"pagination": {"current_page": 1}}}
    talk = write(tmp_path / "messages.json", pages)
    assert "plain_text_body" in detect([talk]).evidence
    assert sides(talk) == PARTS
    found = only(talk, write(tmp_path / "tickets.json", {"tickets": [GROOVE_TICKET], "meta": {}}))
    assert (found.id, found.subject, found.tags, found.customer) == ("4", "Lamp", ("lamps",), "ada+lamp@example.com")
    assert {"ada+lamp@example.com", "cleo@shop.example"} <= set(found.people)
    assert said(found)[0] == ("user", "public", "<p>The lamp is dark.</p>")


def test_groove_spam_and_writers_without_a_side_are_not_learnt(tmp_path: Path) -> None:
    spam = {**GROOVE_TICKET, "state": "spam", "messages": GROOVE[:2]}
    assert {kind for _, kind in sides(write(tmp_path / "a.json", [spam]))} == {"spam"}
    odd = groove(3, "robots/7", "Beep.")
    assert sides(write(tmp_path / "b.json", {"messages": [*GROOVE[:2], odd]}))[-1] == ("assistant", "unknown")


def post(number: int, who: int, text: str, asks: bool, **more: Any) -> dict[str, Any]:
    channel = {"type": more.pop("channel", "MAIL"), "resource_type": "channel"}
    original = {"body_html": f"<div>{text}</div>", "resource_type": more.pop("made_of", "case_message")}
    creator = {"id": who, "full_name": f"Person {who}", "resource_type": "user", **more.pop("creator", {})}
    base = {"id": number, "subject": "Lamp", "contents": text, "creator": creator, "source_channel": channel}
    stamp = {"created_at": f"2025-01-02T10:00:{number:02d}+00:00", "resource_type": "post"}
    return {**base, "original": original, "attachments": [], "is_requester": asks, **stamp, **more}


POSTS = [
    post(3, 9, "Sigh.", asks=False, channel="NOTE", made_of="note"),
    post(2, 9, "Press the knob.", asks=False),
    post(1, 5, "The lamp is dark.", asks=True),
]
CASE = {
    "id": 44,
    "subject": "Lamp",
    "state": "ACTIVE",
    "rating": "GOOD",
    "tags": [{"id": 1, "name": "lamps"}],
    "source_channel": {"type": "MAIL"},
    "requester": {"id": 5, "full_name": "Ada Lane"},
    "resource_type": "case",
    "status": {"label": "Closed", "type": "CLOSED"},
}


def test_kayako_cases_bring_their_posts_or_get_them_from_beside(tmp_path: Path) -> None:
    whole = only(write(tmp_path / "whole.json", [{**CASE, "posts": POSTS}]))
    apart = [{**row, "case": {"id": 44, "resource_type": "case"}} for row in POSTS]
    beside = only(
        write(tmp_path / "posts.json", apart), write(tmp_path / "cases.json", {"status": 200, "data": [CASE]})
    )
    for found in (whole, beside):
        assert [(role, kind) for role, kind, _ in said(found)] == PARTS
        assert (found.id, found.subject, found.tags, found.rating) == ("44", "Lamp", ("lamps",), "good")
        assert "Ada Lane" in found.people and "Person 9" in found.people
        assert said(found)[1][2] == "<div>Press the knob.</div>"


def test_kayako_posts_of_a_file_without_a_case_are_one(tmp_path: Path) -> None:
    answers = [write(tmp_path / f"{n}.json", {"status": 200, "data": POSTS, "resource": "post"}) for n in (1, 2)]
    assert [len(found.messages) for found in read(*answers)] == [3, 3]
    assert detect(answers).format == "kayako"


def test_kayako_roles_tell_a_customer_in_copy_from_an_agent(tmp_path: Path) -> None:
    copied = post(4, 6, "I have that too.", asks=False, creator={"role": {"type": "CUSTOMER"}})
    trashed = {**CASE, "state": "TRASH", "posts": POSTS[1:]}
    assert sides(write(tmp_path / "a.json", [{**CASE, "posts": [*POSTS[1:], copied]}]))[-1] == ("user", "public")
    assert {kind for _, kind in sides(write(tmp_path / "b.json", [trashed]))} == {"hidden"}


CLASSIC = (
    "ticketpostid,ticketid,dateline,userid,fullname,email,subject,creator,isthirdparty,ishtml,staffid,contents,"
    "issurveycomment,isprivate\n"
    "2,7,1735812060,0,Cleo Agent,,Lamp,1,0,0,3,Press the knob.,0,0\n"
    "1,7,1735812000,5,Ada Lane,ada@example.com,Lamp,2,0,0,0,The lamp is dark.,0,0\n"
    "3,7,1735812120,0,Cleo Agent,,Lamp,1,0,0,3,Sigh.,0,1\n"
    "4,7,1735812180,0,Lamp Maker,m@example.com,Lamp,5,1,0,0,We sent one.,0,0\n"
)


def test_kayako_classic_posts_come_as_a_table_or_as_xml(tmp_path: Path) -> None:
    expected = [*PARTS, ("user", "unknown")]
    assert sides(write(tmp_path / "swticketposts.csv", CLASSIC)) == expected
    names, *rows = (line.split(",") for line in CLASSIC.splitlines())
    posts = "".join(
        f"<post>{''.join(f'<{name}>{cell}</{name}>' for name, cell in zip(names, row, strict=True))}</post>"
        for row in rows
    )
    found = only(write(tmp_path / "posts.xml", f"<?xml version='1.0'?><posts>{posts}</posts>"))
    assert [(role, kind) for role, kind, _ in said(found)] == expected
    assert {"Ada Lane", "Cleo Agent"} <= set(found.people)


def group(number: int, kind: str, user: str, *messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    stamped = {"datecreated": f"2025-01-02 10:00:{number:02d}", "userid": user}
    inner = [{"id": f"m{number}{at}", **stamped, "format": "T", **row} for at, row in enumerate(messages)]
    base = {"id": f"g{number}", "type": kind, "status": "V", "user_full_name": f"Person {user}"}
    return {**base, **stamped, "messages": inner, **more}


def words(text: str, kind: str = "M", **more: Any) -> dict[str, Any]:
    return {"type": kind, "message": text, **more}


LIVEAGENT = {
    "id": "t1",
    "code": "ABC-123",
    "subject": "Lamp",
    "status": "R",
    "departmentid": "d",
    "agentid": "a9",
    "owner_contactid": "c5",
    "owner_email": "ada@example.com",
    "owner_name": "Ada Lane",
    "tags": ["lamps"],
}
MAILS = [
    group(1, "3", "c5", words("From: ada", "H"), words("Lamp", "T"), words("The lamp is dark."), words("> Hi", "Q")),
    group(2, "4", "a9", words("<p>Press the knob.</p>", format="H")),
    group(3, "I", "a9", words("Sigh.", "N")),
    group(4, "R", "a9", words("resolved", "S")),
]


def test_of_liveagents_mails_what_is_said_is_read_and_nothing_around_it(tmp_path: Path) -> None:
    found = only(write(tmp_path / "a.json", [{**LIVEAGENT, "messages": MAILS}]))
    assert said(found) == [
        ("user", "public", "The lamp is dark."),
        ("assistant", "public", "<p>Press the knob.</p>"),
        ("assistant", "note", "Sigh."),
        ("assistant", "system", "resolved"),
    ]
    assert (found.id, found.subject, found.customer, found.status) == ("ABC-123", "Lamp", "ada@example.com", "resolved")
    assert {"Ada Lane", "Person a9"} <= set(found.people)
    assert [message.html for message in found.messages] == [False, True, False, False]


def test_both_sides_of_a_liveagent_chat_are_told_by_their_users(tmp_path: Path) -> None:
    talk = group(1, "C", "c5", words("Dark!"), words("Press.", userid="a9"), words("joined", "K", userid="a9"))
    answer = write(tmp_path / "t1.json", [talk])  # what GET /tickets/t1/messages gives: no ticket is named
    whole = write(tmp_path / "whole.json", [{**LIVEAGENT, "messages": [talk]}])
    assert sides(whole) == [("user", "public"), ("assistant", "public"), ("assistant", "system")]
    assert [kind for _, kind in sides(answer)] == ["unknown", "unknown", "system"]
    mailed = write(tmp_path / "t2.json", [group(2, "3", "c5", words("Dark?")), talk])
    assert [role for role, _ in sides(mailed)] == ["user", "assistant", "assistant", "user"]


@pytest.mark.parametrize(
    ("records", "label"),
    [([GROOVE_TICKET], "Groove"), ([CASE], "Kayako"), ([LIVEAGENT], "LiveAgent")],
)
def test_lists_of_tickets_without_messages_say_where_the_messages_are(tmp_path, records, label) -> None:
    with pytest.raises(TicketsError, match=f"This {label} file lists .* without their .*Fetch the"):
        prepared([write(tmp_path / "list.json", lines(*records))], tmp_path / "out")
