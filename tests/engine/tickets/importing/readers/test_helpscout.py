from pathlib import Path
from typing import Any

import pytest

from engine.tickets.importing.detect import detect
from tests.engine.tickets.exports import only, said, write

CUSTOMER = {
    "id": 150,
    "type": "customer",
    "firstName": "Ada",
    "first": "Ada",
    "lastName": "Lane",
    "email": "ada@example.com",
}
USER = {"id": 4, "type": "user", "firstName": "Cleo", "first": "Cleo"}


def thread(kind: str, body: str, second: int, **more: Any) -> dict[str, Any]:
    who = CUSTOMER if kind == "customer" else USER
    at = f"2025-01-02T10:00:{second:02d}Z"
    return {"id": second, "type": kind, "state": "published", "createdBy": who, "body": body, "createdAt": at, **more}


THREADS = [
    thread("message", "<p>Try this.</p>", 5, savedReplyId=77),
    thread("note", "Sigh", 4),
    thread("lineitem", "assigned", 3),
    thread("customer", "<div>Hello</div>", 1),
    thread("message", "<p>Half a", 6, state="draft"),
    thread("message", "<p>Gone</p>", 7, state="hidden"),
    thread("forwardparent", "Fwd", 8),
    thread("customer", "<div>It works</div>", 9),
]
BASE = {
    "id": 10,
    "number": 123,
    "status": "closed",
    "state": "published",
    "subject": "Lamp",
    "createdAt": "2025-01-02T10:00:00Z",
}
V1 = {**BASE, "customer": CUSTOMER, "threads": THREADS, "tags": ["lamp"]}
V2 = {
    **BASE,
    "mailboxId": 8,
    "primaryCustomer": CUSTOMER,
    "threads": 8,
    "tags": [{"id": 1, "tag": "lamp"}],
    "_embedded": {"threads": THREADS},
}


@pytest.mark.parametrize("value", [V1, {"item": V1}, V2, {"_embedded": {"conversations": [V2]}, "page": {"size": 1}}])
def test_both_versions_give_the_same_conversation(tmp_path: Path, value: dict[str, Any]) -> None:
    if "item" in value:
        value = {"items": [value["item"]], "page": 1}
    found = only(write(tmp_path / "t.json", value))
    assert said(found) == [
        ("user", "public", "<div>Hello</div>"),
        ("assistant", "system", "assigned"),
        ("assistant", "note", "Sigh"),
        ("assistant", "public", "<p>Try this.</p>"),
        ("assistant", "draft", "<p>Half a"),
        ("assistant", "hidden", "<p>Gone</p>"),
        ("assistant", "system", "Fwd"),
        ("user", "public", "<div>It works</div>"),
    ]
    assert (found.id, found.tags, found.customer) == ("123", ("lamp",), "150")
    assert {"Ada Lane", "Cleo"} <= set(found.people)


def test_spam_is_marked_as_a_whole(tmp_path: Path) -> None:
    found = only(write(tmp_path / "t.json", {**V1, "status": "spam"}))
    assert {kind for _, kind, _ in said(found)} == {"spam"}


@pytest.mark.parametrize(
    "mark",
    [
        {"createdBy": {"id": 1, "type": "system_user"}},
        {"action": {"type": "automatic-workflow"}},
        {"action": {"type": "manual-workflow"}},
        {"source": {"type": "workflows"}},
    ],
)
def test_what_the_ai_or_a_workflow_wrote_is_a_bots(tmp_path: Path, mark: dict[str, Any]) -> None:
    threads = [thread("customer", "Hello", 1), thread("message", "See article 7.", 2, **mark), THREADS[0]]
    found = only(write(tmp_path / "c.json", {**BASE, "_embedded": {"threads": threads}}))
    assert [kind for _, kind, _ in said(found)] == ["public", "bot", "public"]


def test_an_export_that_marks_no_ai_is_said_to_be_unable_to(tmp_path: Path) -> None:
    by_ai = thread("message", "See article 7.", 2, createdBy={"id": 1, "type": "system_user"})
    silent = write(tmp_path / "v2.json", {**BASE, "threads": THREADS})
    marking = write(tmp_path / "v3.json", {**BASE, "_embedded": {"threads": [*THREADS, by_ai]}})
    assert "cannot be told" in detect([silent]).cautions[0]
    assert detect([marking]).cautions == ()
