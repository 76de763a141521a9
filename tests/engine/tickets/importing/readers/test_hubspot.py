from pathlib import Path
from typing import Any

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import detect
from tests.engine.tickets.exports import only, read, said, write


def message(thread: str, kind: str, direction: str, words: str, second: int, actor: str, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "id": f"m{second}",
        "conversationsThreadId": thread,
        "createdAt": f"2025-01-02T10:00:{second:02d}Z",
        "createdBy": actor,
        "direction": direction,
        "text": words,
        "truncationStatus": "NOT_TRUNCATED",
        **more,
    }


MESSAGES = [
    message("9", "MESSAGE", "OUTGOING", "Turn it on.", 3, "A-1", richText="<p>Turn it on.</p>"),
    message("9", "MESSAGE", "INCOMING", "It is dark.", 1, "V-5", senders=[{"name": "Ada Lane"}], subject="Lamp"),
    message("9", "WELCOME_MESSAGE", "OUTGOING", "Hello!", 0, "B-1"),
    message("9", "COMMENT", "OUTGOING", "Again he", 4, "A-1"),
    message("8", "MESSAGE", "INCOMING", "Where?", 1, "V-6"),
    message("9", "THREAD_STATUS_CHANGE", "OUTGOING", "", 5, "S-1"),
    message("9", "MESSAGE", "OUTGOING", "A very long", 6, "A-1", truncationStatus="TRUNCATED_TO_MOST_RECENT_REPLY"),
    message("8", "MESSAGE", "OUTGOING", "Here.", 2, "A-1"),
    message("9", "MESSAGE", "OUTGOING", "I, a model", 7, "L-1"),
]


def test_messages_are_put_to_their_threads_in_order(tmp_path: Path) -> None:
    first, second = read(write(tmp_path / "m.json", {"results": MESSAGES}))
    assert said(first) == [
        ("assistant", "bot", "Hello!"),
        ("user", "public", "It is dark."),
        ("assistant", "public", "<p>Turn it on.</p>"),
        ("assistant", "note", "Again he"),
        ("assistant", "system", ""),
        ("assistant", "truncated", "A very long"),
        ("assistant", "bot", "I, a model"),
    ]
    assert (first.id, first.subject, first.people) == ("9", "Lamp", ("Ada Lane",))
    assert [role for role, _, _ in said(second)] == ["user", "assistant"]


def test_threads_in_another_file_bring_spam_flag_and_customer(tmp_path: Path) -> None:
    threads = [{"id": "9", "associatedContactId": "55", "status": "CLOSED", "spam": True, "inboxId": "1"}]
    conversations = read(
        write(tmp_path / "a.json", {"results": threads}), write(tmp_path / "b.json", {"results": MESSAGES})
    )
    spam = next(conversation for conversation in conversations if conversation.id == "9")
    assert {entry.kind for entry in spam.messages} == {"spam"}
    assert (spam.customer, spam.status) == ("55", "CLOSED")


def test_threads_alone_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", {"results": [{"id": "9", "associatedContactId": "55", "inboxId": "1"}]})
    with pytest.raises(TicketsError, match="without their messages"):
        detect([path])


def test_a_thread_with_its_messages_inside_is_read(tmp_path: Path) -> None:
    found = only(write(tmp_path / "t.json", {"id": "9", "messages": MESSAGES[:2]}))
    assert [role for role, _, _ in said(found)] == ["user", "assistant"]


@pytest.mark.parametrize("actor", ["B-1", "L-1", "I-1"])
def test_what_a_machine_sent_is_a_bots_and_what_came_in_through_it_is_not(tmp_path: Path, actor: str) -> None:
    talk = [
        message("9", "MESSAGE", "INCOMING", "It is dark.", 1, actor),
        message("9", "MESSAGE", "OUTGOING", "Here are articles.", 2, actor),
        message("9", "MESSAGE", "OUTGOING", "Turn it on.", 3, "A-1"),
    ]
    found = only(write(tmp_path / "m.json", {"results": talk}))
    assert [(role, kind) for role, kind, _ in said(found)] == [
        ("user", "public"),
        ("assistant", "bot"),
        ("assistant", "public"),
    ]


def crm(number: int, associated: str = "", **properties: str) -> dict[str, Any]:
    linked = {"tickets": {"results": [{"id": associated, "type": "email_to_ticket"}]}}
    return {"id": str(number), "properties": properties, **({"associations": linked} if associated else {})}


CRM = [
    crm(
        *(2, "9"),
        hs_email_direction="EMAIL",
        hs_email_text="Turn it on.",
        hs_email_from_email="ben@shop.example",
        hs_timestamp="2025-01-02T11:00:00Z",
    ),
    crm(
        *(1, "9"),
        hs_email_direction="INCOMING_EMAIL",
        hs_email_html="<p>It is&nbsp;dark.</p><p>Ada</p>",
        hs_email_from_email="ada@c.example",
        hs_email_from_firstname="Ada",
        hs_email_from_lastname="Lane",
        hs_timestamp="2025-01-02T10:00:00Z",
    ),
    crm(3, "9", hs_note_body="Again he", hs_timestamp="2025-01-02T12:00:00Z"),
    crm(4, "9", hs_email_direction="EMAIL", hs_email_status="SCHEDULED", hs_timestamp="2025-01-02T13:00:00Z"),
]
TICKET = crm(9, hs_pipeline_stage="4", subject="Lamp", content="It is dark.", createdate="2025-01-02T09:59:00Z")


def test_mails_and_notes_of_the_crm_join_their_ticket_whose_content_is_not_learnt_twice(tmp_path: Path) -> None:
    files = write(tmp_path / "emails.json", {"results": CRM}), write(tmp_path / "t.json", {"results": [TICKET]})
    assert detect(files).format == "hubspot"
    found = only(*files)
    assert [(role, kind) for role, kind, _ in said(found)] == [
        ("user", "public"),
        ("assistant", "public"),
        ("assistant", "note"),
        ("assistant", "draft"),
    ]
    assert (found.subject, set(found.people)) == ("Lamp", {"Ada Lane", "ada@c.example", "ben@shop.example"})
    with pytest.raises(TicketsError, match="without their messages"):
        detect(files[1:])


def test_a_ticket_of_the_crm_asks_where_no_mail_repeats_it(tmp_path: Path) -> None:
    asked = {**TICKET, "properties": {**TICKET["properties"], "content": "Which bulb fits?"}}
    found = only(write(tmp_path / "all.json", {"results": [*CRM[:1], asked]}))
    assert [(role, content) for role, _, content in said(found)] == [
        ("user", "Which bulb fits?"),
        ("assistant", "Turn it on."),
    ]


def test_actors_of_another_file_name_the_people(tmp_path: Path) -> None:
    actors = [{"id": "A-1", "type": "AGENT", "name": "Ben Holt", "email": "ben@shop.example"}]
    files = write(tmp_path / "m.json", {"results": MESSAGES}), write(tmp_path / "a.json", {"results": actors})
    assert read(*files)[0].people == ("Ada Lane", "Ben Holt", "ben@shop.example")
