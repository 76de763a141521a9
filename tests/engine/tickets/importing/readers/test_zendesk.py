from pathlib import Path
from typing import Any

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import detect
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


def test_people_as_objects_are_known_as_well(tmp_path: Path) -> None:
    bare = {key: value for key, value in zendesk(1).items() if key not in ("requester_id", "submitter_id")}
    ada = {"id": 7, "name": "Ada Lane", "email": "ada@example.com"}
    found = only(write(tmp_path / "t.json", {**bare, "requester": ada, "submitter": ada, "assignee": {"id": 9}}))
    assert [message.role for message in found.messages] == ["user", "assistant"]
    assert (found.customer, found.people) == ("7", ("Ada Lane", "ada@example.com"))


def test_the_role_of_an_author_given_as_an_object_counts(tmp_path: Path) -> None:
    talk = [comment(7, "Q"), {**comment(8, "Me too"), "author": {"id": 8, "role": "end-user"}}, comment(9, "A")]
    found = only(write(tmp_path / "t.json", lines(zendesk(1, *talk))))
    assert [message.role for message in found.messages] == ["user", "user", "assistant"]


@pytest.mark.parametrize(
    "mark",
    [
        {"via": {"channel": "answer_bot_for_web_widget"}},
        {"via": {"channel": "answer_bot_api"}},
        {"via": {"channel": "api", "source": {"rel": "answer_bot_answer"}}},
        {"author": {"type": "bot", "id": 9}},
        {"author_id": "zd:answerBot"},
    ],
)
def test_what_the_answer_bot_wrote_is_a_bots(tmp_path: Path, mark: dict[str, Any]) -> None:
    talk = [comment(7, "Q"), {**comment(9, "These articles may help."), **mark}, comment(9, "A")]
    found = only(write(tmp_path / "t.json", lines(zendesk(1, *talk))))
    assert [message.kind for message in found.messages] == ["public", "bot", "public"]


@pytest.mark.parametrize("relation", ["trigger", "automation"])
def test_what_a_rule_sent_is_the_systems(tmp_path: Path, relation: str) -> None:
    sent = comment(9, "We got your request.", via={"channel": "web", "source": {"rel": relation}})
    found = only(write(tmp_path / "t.json", lines(zendesk(1, comment(7, "Q"), sent, comment(9, "A")))))
    assert [message.kind for message in found.messages] == ["public", "system", "public"]


CHAT = (
    "(10:00:01) Web User 6a0f: is the lamp\nin stock?\n(10:00:02) Tilda: Hi, I am Tilda, your virtual assistant.\n"
    "(10:00:30) *** Ben joined the chat ***\n(10:01:15) Ben: Yes: seven of them.\n(10:02:00) Web User 6a0f: thanks"
)
TURNS = [
    ("user", "public", "is the lamp\nin stock?"),
    ("assistant", "bot", "Hi, I am Tilda, your virtual assistant."),
    ("assistant", "public", "Yes: seven of them."),
    ("user", "public", "thanks"),
]


@pytest.mark.parametrize("author", [7, 9])
@pytest.mark.parametrize("html", [False, True])
def test_a_chat_in_one_comment_becomes_its_turns_whoever_saved_it(tmp_path: Path, author: int, html: bool) -> None:
    body = "<br>".join(f"<span>{line}</span>" for line in CHAT.split("\n")) if html else CHAT
    saved = {**comment(author, body), "via": {"channel": "chat_transcript"}}
    if html:
        saved["html_body"] = saved.pop("body")
    found = only(write(tmp_path / "t.json", lines(zendesk(1, saved, subject="Conversation with Web User 6a0f"))))
    assert said(found) == TURNS
    assert found.subject == ""
    assert "Ben" in found.people
    assert "Web User 6a0f" not in found.people


def test_what_stands_over_a_chat_is_no_turn_and_files_in_it_are_named(tmp_path: Path) -> None:
    over = "Chat started: 2025-01-02 10:00 AM UTC\nServed by: Ben\n\n"
    file = "\n(10:03:00) Web User 6a0f uploaded: lamp.jpg\nURL: https://x.example/lamp.jpg\nType: image/jpeg\nSize: 9\n"
    found = only(write(tmp_path / "t.json", lines(zendesk(1, comment(9, over + CHAT + file)))))
    assert said(found) == [*TURNS, ("user", "attachment", "lamp.jpg")]
    assert "Web User 6a0f" not in found.people


def test_ids_of_those_who_wrote_beside_a_chat_are_nobodys_names(tmp_path: Path) -> None:
    found = only(
        write(tmp_path / "t.json", lines(zendesk(1, comment(7, "Mail me that chat please."), comment(9, CHAT))))
    )
    assert found.people == ("Tilda", "Ben")


def chat(*turns: tuple[str, str]) -> dict[str, Any]:
    return comment(9, "\n".join(f"(9:0{minute}:00) {name}: {words}" for minute, (name, words) in enumerate(turns)))


def sides(path: Path, *users: Path) -> list[tuple[str, str]]:
    return [(role, kind) for role, kind, _ in said(only(*users, path))]


def test_the_customer_of_a_chat_is_told_by_name_subject_or_by_beginning_it(tmp_path: Path) -> None:
    talk = chat(("Ben", "Hello, how can I help?"), ("Ada Lane", "Is it dark?"), ("Ben", "Press it."))
    expected = [("assistant", "public"), ("user", "public"), ("assistant", "public")]
    requester = {"id": 7, "name": "Ada Lane"}
    named = write(tmp_path / "a.json", lines(zendesk(1, talk, requester=requester)))
    titled = write(tmp_path / "b.json", lines(zendesk(1, talk, subject="Chat with Ada Lane")))
    assert sides(named) == sides(titled) == expected
    begun = chat(("Ada", "Is it dark?"), ("Ben", "Press it."))
    assert sides(write(tmp_path / "c.json", lines(zendesk(1, begun)))) == [("user", "public"), ("assistant", "public")]


def test_where_the_agents_are_known_another_name_in_a_chat_is_a_bots(tmp_path: Path) -> None:
    users = write(tmp_path / "users.json", lines({"id": 9, "name": "Ben Hill", "role": "agent"}))
    talk = chat(("Visitor 12", "Is it dark?"), ("Tilda", "Choose a topic."), ("Ben", "Press it."))
    path = write(tmp_path / "t.json", lines(zendesk(1, talk)))
    assert sides(path, users) == [("user", "public"), ("assistant", "bot"), ("assistant", "public")]


@pytest.mark.parametrize(
    "words", ["(10:00) is when I called.", "(see 10:00:00) Ben: hello", "Ben (10:00:01): hello\nAda: (10:02:00) there"]
)
def test_a_message_that_only_mentions_a_time_is_no_chat(tmp_path: Path, words: str) -> None:
    found = only(write(tmp_path / "t.json", lines(zendesk(1, comment(7, words), comment(9, "A")))))
    assert [content for _, _, content in said(found)] == [words, "A"]


@pytest.mark.parametrize(
    "mark",
    [
        {"public": False, "via": {"channel": "chat_transcript"}},
        {"author_id": -1, "via": {"channel": "native_messaging"}},
    ],
)
def test_the_transcript_of_a_chat_counts_where_the_admin_keeps_it_as_a_note(
    tmp_path: Path, mark: dict[str, Any]
) -> None:
    ticket = zendesk(1, {**comment(9, CHAT), **mark}, subject="Conversation with Ada")
    assert said(only(write(tmp_path / "t.jsonl", lines(ticket)))) == TURNS


def test_a_note_that_looks_like_a_chat_stays_a_note(tmp_path: Path) -> None:
    ticket = zendesk(1, comment(7, "Dark?"), {**comment(9, CHAT), "public": False})
    assert [message.kind for message in only(write(tmp_path / "t.jsonl", lines(ticket))).messages] == ["public", "note"]


@pytest.mark.parametrize(
    "chat",
    [
        "Conversation with Ada\n[10:00:01] Ada: Dark?\n[10:00:30] Ben: Press it.",
        "(2025-01-02 10:00:01) Ada: Dark?\n(2025-01-02 10:00:30) Ben: Press it.",
        "(02.01.2025, 10:00) Ada: Dark?\n(02.01.2025, 10:01) Ben: Press it.",
    ],
)
def test_chats_are_written_in_several_ways(tmp_path: Path, chat: str) -> None:
    said_there = {**comment(7, chat), "via": {"channel": "native_messaging"}}
    heading = {**comment(7, "Conversation with Ada\n\nURL: https://shop.example/lamps\n"), "via": said_there["via"]}
    talk = only(write(tmp_path / "t.jsonl", lines(zendesk(1, heading, said_there, subject="Conversation with Ada"))))
    assert [(turn[0], turn[2]) for turn in said(talk)[1:]] == [("user", "Dark?"), ("assistant", "Press it.")]
    assert talk.messages[0].kind == "system"


def test_a_log_that_a_customer_pasted_is_no_chat(tmp_path: Path) -> None:
    pasted = "[10:00:01] ERROR: no lamp\n[10:00:02] INFO: end"
    talk = only(write(tmp_path / "t.jsonl", lines(zendesk(1, comment(7, pasted), comment(9, "Press it.")))))
    assert said(talk)[0] == ("user", "public", pasted)


def test_what_agents_write_to_other_teams_is_a_note(tmp_path: Path) -> None:
    aside = zendesk(
        1, comment(9, "Where are the bulbs?"), comment(7, "On Monday."), via={"channel": "side_conversation"}
    )
    assert {message.kind for message in only(write(tmp_path / "t.jsonl", lines(aside))).messages} == {"note"}


def test_several_tickets_merged_into_one_leave_a_notice(tmp_path: Path) -> None:
    notice = 'Requests #5 "Lamp", #6 "Bulb" were closed and merged into this request. Last comment: Dark'
    talk = only(write(tmp_path / "t.jsonl", lines(zendesk(1, comment(7, "Dark?"), comment(9, notice)))))
    assert talk.messages[1].kind == "system"
