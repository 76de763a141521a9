from pathlib import Path
from typing import Any

from tests.engine.tickets.exports import only, read, said, write


def author(kind: str, number: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "id": str(number), "name": f"Name {number}", "email": f"n{number}@example.com", **more}


def part(kind: str, body: str | None, who: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"part_type": kind, "body": body, "author": who, "created_at": 1_663_597_223, **more}


def conversation(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    source = {"type": "email", "subject": "<p>Broken</p>", "body": "<p>Hi</p>", "author": author("user", 6)}
    return {
        "type": "conversation",
        "id": "1",
        "created_at": 1_663_597_000,
        "state": "closed",
        "source": source,
        "conversation_parts": {"conversation_parts": list(parts)},
        "tags": {"tags": [{"name": "lamp"}]},
        **more,
    }


def test_question_is_in_the_source_and_parts_have_kinds(tmp_path: Path) -> None:
    value = conversation(
        part("comment", "<p>Ok</p>", author("admin", 2)),
        part("note", "<p>Secret</p>", author("admin", 2)),
        part("assignment", None, author("bot", 3)),
        part("close", None, author("admin", 2)),
        part("comment", "<p>I am a robot</p>", author("bot", 3)),
        part("comment", "<p>AI says</p>", author("admin", 2, from_ai_agent=True)),
        part("comment", "<p>AI answer</p>", author("admin", 2, is_ai_answer=True)),
        part("comment", "<p>gone</p>", author("admin", 2), redacted=True),
        part("assignment", "<p>Please take over</p>", author("admin", 2)),
    )
    found = only(write(tmp_path / "t.json", value))
    assert said(found)[:3] == [
        ("user", "public", "<p>Hi</p>"),
        ("assistant", "public", "<p>Ok</p>"),
        ("assistant", "note", "<p>Secret</p>"),
    ]
    assert [kind for _, kind, _ in said(found)[3:]] == ["system", "system", "bot", "bot", "bot", "redacted", "note"]
    assert (found.subject, found.tags, found.customer) == ("Broken", ("lamp",), "6")
    assert "Name 6" in found.people and "n2@example.com" in found.people


def test_messages_that_the_company_began_by_robot_are_no_question(tmp_path: Path) -> None:
    value = conversation(part("comment", "<p>Yes?</p>", author("user", 6)))
    value["source"] = {"delivered_as": "automated", "body": "<p>Buy now</p>", "author": author("admin", 2)}
    assert [kind for _, kind, _ in said(only(write(tmp_path / "t.json", value)))] == ["bot", "public"]


def test_list_pages_and_single_conversations_are_the_same(tmp_path: Path) -> None:
    value = conversation(part("comment", "<p>Ok</p>", author("admin", 2)))
    page = write(tmp_path / "page.json", {"type": "conversation.list", "pages": {}, "conversations": [value]})
    assert said(only(page)) == said(only(write(tmp_path / "one.json", value)))
    assert len(read(page, tmp_path / "one.json")) == 2
