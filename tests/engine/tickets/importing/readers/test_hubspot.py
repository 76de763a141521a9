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
