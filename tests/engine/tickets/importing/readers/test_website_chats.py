"""Crisp, Tidio, Freshchat, LiveChat, tawk.to, Drift and Zendesk Chat: who speaks, notes, machines, files."""

from pathlib import Path
from typing import Any

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import detect
from tests.engine.tickets.exports import only, prepared, read, said, write

ASKED, ANSWERED = ("user", "public"), ("assistant", "public")
NOTE, BOT, EVENT, FILE = (("assistant", kind) for kind in ("note", "bot", "system", "attachment"))


def crisp(number: int, sender: str, kind: str = "text", content: Any = "", **more: Any) -> dict[str, Any]:
    user = {"nickname": "Ada Lane" if sender == "user" else "Ben", "user_id": sender}
    base = {"session_id": "session_1", "website_id": "w", "from": sender, "type": kind, "user": user}
    return {**base, "content": content or f"Words {number}", "timestamp": 1767348000000 + number, **more}


CRISP = [
    crisp(2, "operator", automated=True),
    crisp(1, "user"),
    crisp(3, "operator"),
    crisp(4, "operator", "note"),
    crisp(5, "operator", "event", {"namespace": "state:resolved"}),
    crisp(6, "operator", "file", {"name": "plan.pdf", "url": "https://x.example/p"}),
]


def freshchat(number: int, actor: str, kind: str = "normal", **part: Any) -> dict[str, Any]:
    base = {"conversation_id": "c1", "actor_type": actor, "actor_id": actor, "message_type": kind}
    parts = [part or {"text": {"content": f"Words {number}"}}]
    return {**base, "message_parts": parts, "created_time": f"2026-01-02T10:00:0{number}Z"}


FRESHCHAT = [
    freshchat(1, "user"),
    freshchat(2, "bot"),
    freshchat(3, "agent"),
    freshchat(4, "agent", "private"),
    freshchat(5, "system", "system"),
    freshchat(6, "agent", file={"name": "plan.pdf"}),
]


def event(number: int, author: str, kind: str = "message", **more: Any) -> dict[str, Any]:
    at = f"2026-01-02T10:00:0{number}.000000Z"
    return {"id": str(number), "type": kind, "author_id": author, "text": f"Words {number}", "created_at": at, **more}


LIVECHAT: dict[str, Any] = {
    "id": "PJ0",
    "users": [
        {"id": "u1", "type": "customer", "name": "Ada Lane", "email": "ada@c.example"},
        {"id": "ben@shop.example", "type": "agent", "name": "Ben"},
        {"id": "5c98", "type": "agent", "name": "Robo"},
    ],
    "thread": {
        "id": "T1",
        "tags": ["lamp"],
        "events": [
            event(1, "u1"),
            event(2, "5c98"),
            event(3, "ben@shop.example"),
            event(4, "ben@shop.example", visibility="agents"),
            event(5, "", "system_message"),
            event(6, "ben@shop.example", "file", text="", name="plan.pdf"),
        ],
    },
}
OLD_LIVECHAT = {
    "type": "chat",
    "id": "O1",
    "visitor": {"id": "v", "name": "Ada Lane"},
    "messages": [
        {"author_name": "Ada Lane", "text": "Dark?", "timestamp": 1, "user_type": "visitor", "type": "message"},
        {"author_name": "B", "text": "Hi!", "timestamp": 2, "user_type": "agent", "welcome_message": True},
        {"author_name": "B", "text": "Press it.", "timestamp": 3, "user_type": "agent", "agent_id": "b@shop.example"},
        {"author_name": "C", "text": "Be nicer.", "timestamp": 4, "user_type": "supervisor"},
    ],
}


def tawk(number: int, sender: str, name: str, **more: Any) -> dict[str, Any]:
    base = {"sender": {"t": sender, "n": name}, "type": "msg", "msg": f"Words {number}"}
    return {**base, "time": f"2026-01-02T10:00:0{number}.000Z", **more}


TAWK: dict[str, Any] = {
    "id": "t1",
    "visitor": {"name": "Ada Lane", "email": "ada@c.example"},
    "messages": [
        tawk(1, "v", "Ada Lane"),
        tawk(2, "a", "Help Bot"),
        tawk(3, "a", "Ben"),
        tawk(4, "s", ""),
        tawk(5, "a", "Ben", type="file", msg="", attchs=[{"type": "file", "content": {"file": {"name": "plan.pdf"}}}]),
    ],
}


def drift(number: int, author: str, kind: str = "chat", bot: bool = False, **more: Any) -> dict[str, Any]:
    base = {"id": f"m{number}", "conversationId": 7, "author": {"id": number % 2, "type": author, "bot": bot}}
    return {**base, "type": kind, "body": f"<p>Words {number}</p>", "createdAt": 1767348000000 + number, **more}


DRIFT = [
    drift(1, "contact"),
    drift(2, "user", bot=True),
    drift(3, "user"),
    drift(4, "user", "private_note"),
    drift(6, "user", body="", attachments=[{"fileName": "plan.pdf"}]),
]


def spoken(number: int, nick: str, name: str, kind: str = "chat.msg", **more: Any) -> dict[str, Any]:
    at = f"2026-01-02T10:00:0{number}Z"
    return {"type": kind, "nick": nick, "name": name, "msg": f"Words {number}", "timestamp": at, **more}


ZOPIM: dict[str, Any] = {
    "id": "z1",
    "type": "chat",
    "session": {"id": "s"},
    "visitor": {"id": "1.2", "name": "Ada Lane", "email": "ada@c.example"},
    "agent_names": ["Ben"],
    "history": [
        spoken(1, "visitor:1", "Visitor 77"),
        spoken(2, "agent:trigger", "Shop"),
        spoken(3, "agent:9", "Ben"),
        spoken(4, "agent:9", "Ben", "chat.memberjoin"),
        spoken(5, "agent:9", "Ben", "chat.file", msg="", attachment={"name": "plan.pdf"}),
    ],
}
TIDIO = (
    "CONVERSATION_ID,CONTACT_EMAIL,SENDER,OPERATOR_NAME,MESSAGE_CONTENT,MESSAGE_DATE\n"
    "1,ada@c.example,visitor,,Words 1,2026-01-02 10:00:01\n"
    "1,ada@c.example,automation,,Words 2,2026-01-02 10:00:02\n"
    "1,ada@c.example,operator,Ben,Words 3,2026-01-02 10:00:03\n"
)
EXPORTS: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "crisp": ({"error": False, "data": CRISP}, [ASKED, BOT, ANSWERED, NOTE, EVENT, FILE]),
    "freshchat": ({"messages": FRESHCHAT, "link": {}}, [ASKED, BOT, ANSWERED, NOTE, EVENT, FILE]),
    "livechat": ({"chats": [LIVECHAT], "found_chats": 1}, [ASKED, BOT, ANSWERED, NOTE, EVENT, FILE]),
    "tawk": (TAWK, [ASKED, BOT, ANSWERED, EVENT, FILE]),
    "drift": ({"data": {"messages": DRIFT}}, [ASKED, BOT, ANSWERED, NOTE, FILE]),
    "zendesk_chat": ({"chats": [ZOPIM], "count": 1}, [ASKED, BOT, ANSWERED, EVENT, FILE]),
    "tidio": (TIDIO, [ASKED, BOT, ANSWERED]),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_a_chat_is_recognised_and_each_of_its_messages_taken_for_what_it_is(tmp_path: Path, name: str) -> None:
    export, expected = EXPORTS[name]
    path = write(tmp_path / "export", export)
    found = detect([path])
    assert (found.format, found.writers) == (name, ())
    talk = only(path)
    assert [(role, kind) for role, kind, _ in said(talk)] == expected
    assert [content for _, kind, content in said(talk) if kind == "attachment"] == ["plan.pdf"] * (FILE in expected)
    report, data = prepared([path], tmp_path / "out", mask=False, heldout=0.0)
    (learnt,) = data.conversations("train")
    assert [message.content for message in learnt.messages] == ["Words 1", "Words 3"]
    assert report.messages_left_out["bot or AI answer"] == 1


@pytest.mark.parametrize("name", ["crisp", "livechat", "tawk", "zendesk_chat"])
def test_names_and_addresses_of_a_chat_feed_the_masking(tmp_path: Path, name: str) -> None:
    talk = only(write(tmp_path / "export", EXPORTS[name][0]))
    assert {"Ada Lane", "Ben"} <= set(talk.people)
    assert not any(person.startswith("Visitor") for person in talk.people)


def test_a_chat_that_goes_on_in_another_thread_is_another_conversation(tmp_path: Path) -> None:
    again = {**LIVECHAT["thread"], "id": "T2"}
    path = write(tmp_path / "l.json", {"chats": [{**LIVECHAT, "threads": [again]}]})
    assert [talk.id for talk in read(path)] == ["T1", "T2"]


def test_the_older_archive_of_livechat_is_read_too(tmp_path: Path) -> None:
    path = write(tmp_path / "l.json", {"chats": [OLD_LIVECHAT], "total": 1})
    assert detect([path]).format == "livechat"
    assert [(role, kind) for role, kind, _ in said(only(path))] == [ASKED, BOT, ANSWERED, NOTE]


def test_a_transcript_that_a_webhook_sent_is_a_chat(tmp_path: Path) -> None:
    path = write(tmp_path / "t.json", [{"event": "chat:transcript_created", "chat": TAWK, "property": {"id": "p"}}])
    assert (detect([path]).format, only(path).id) == ("tawk", "t1")


def test_conversations_and_their_messages_may_come_in_two_files(tmp_path: Path) -> None:
    session = {"session_id": "session_1", "website_id": "w", "state": "resolved"}
    listed = write(tmp_path / "c.json", {"data": [{**session, "meta": {"email": "ada@c.example", "subject": "Lamp"}}]})
    talk = only(listed, write(tmp_path / "m.json", {"data": CRISP}))
    assert (talk.id, talk.subject, talk.status, talk.customer) == ("session_1", "Lamp", "closed", "ada@c.example")
    with pytest.raises(TicketsError, match="This Crisp file lists conversations"):
        detect([listed])
