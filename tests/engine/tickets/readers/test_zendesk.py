from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.detect import detect
from tests.engine.tickets.exports import comment, lines, only, read, said, write, zendesk


def test_description_is_not_repeated_and_notes_are_marked(tmp_path: Path) -> None:
    ticket = zendesk(
        1,
        comment(7, "Where is it?"),
        comment(9, "Customer seems angry.", public=False),
        comment(9, "On its way."),
        description="Where is it?",
    )
    assert said(only(write(tmp_path / "t.json", lines(ticket)))) == [
        ("user", "public", "Where is it?"),
        ("assistant", "note", "Customer seems angry."),
        ("assistant", "public", "On its way."),
    ]


def test_html_is_preferred_to_the_plain_body(tmp_path: Path) -> None:
    ticket = zendesk(1, comment(7, "a", html_body="<p>a</p>"), comment(9, "b", html_body="", plain_body="b&nbsp;"))
    found = only(write(tmp_path / "t.json", lines(ticket))).messages
    assert [(message.content, message.html) for message in found] == [("<p>a</p>", True), ("b", False)]


def test_a_users_export_tells_agents_from_customers(tmp_path: Path) -> None:
    users = write(
        tmp_path / "users.json",
        lines(
            {"id": 7, "name": "Ada Lane", "email": "ada@example.com", "role": "end-user"},
            {"id": 8, "name": "Ben Lane", "email": "ben@example.com", "role": "end-user"},
            {"id": 9, "name": "Cleo Agent", "email": "cleo@example.com", "role": "agent"},
        ),
    )
    tickets = write(tmp_path / "t.json", lines(zendesk(1, comment(7, "Q"), comment(8, "Me too"), comment(9, "A"))))
    conversation = only(users, tickets)
    assert [message.role for message in conversation.messages] == ["user", "user", "assistant"]
    assert {"Ada Lane", "Ben Lane", "Cleo Agent", "ada@example.com"} <= set(conversation.people)


def test_an_api_page_with_side_loaded_users_is_unwrapped(tmp_path: Path) -> None:
    page = {
        "users": [{"id": 8, "name": "B", "role": "end-user"}],
        "tickets": [zendesk(1, comment(8, "Q"), comment(9, "A"))],
    }
    for content in (page, [page["tickets"][0]]):
        assert read(write(tmp_path / "t.json", content))[0].messages[-1].role == "assistant"
    assert read(write(tmp_path / "t.json", page))[0].messages[0].role == "user"


def test_merge_notices_deleted_and_suspended_tickets_are_marked(tmp_path: Path) -> None:
    merged = zendesk(1, comment(7, "Q"), comment(9, 'This request was closed and merged into request #12 "Q".'))
    deleted = zendesk(2, status="deleted")
    suspended = zendesk(3, cause="Detected as spam")
    kinds = [
        {message.kind for message in conversation.messages}
        for conversation in read(write(tmp_path / "t.json", lines(merged, deleted, suspended)))
    ]
    assert kinds == [{"public", "system"}, {"hidden"}, {"spam"}]


def test_the_incremental_api_without_comments_is_refused_with_the_way_out(tmp_path: Path) -> None:
    bare = [{key: value for key, value in zendesk(n).items() if key != "comments"} for n in range(3)]
    path = write(tmp_path / "t.json", {"tickets": bare, "end_time": 1_700_000_000})
    with pytest.raises(TicketsError, match=r"without their comments.*Full JSON export"):
        detect([path])


def test_comments_that_start_late_in_the_export_are_not_overlooked(tmp_path: Path) -> None:
    bare = [zendesk(n, comments=[]) for n in range(80)]
    path = write(tmp_path / "t.json", lines(*bare, zendesk(99)))
    assert detect([path]).format == "zendesk"


def test_evidence_says_what_was_seen(tmp_path: Path) -> None:
    found = detect([write(tmp_path / "t.json", lines(*map(zendesk, range(5))))])
    assert found.evidence == "requester_id and submitter_id in every record"
    assert found.label == "Zendesk export"
