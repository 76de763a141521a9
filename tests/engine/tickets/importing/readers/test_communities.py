"""Where many people talk in one place: Telegram, Discord, GitHub, Discourse."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import detect
from engine.tickets.importing.files import records, splitter
from engine.tickets.importing.readers.reply_threads import SILENCE, Post, reply_threads
from tests.engine.tickets.exports import only, read, said, write


def telegram(number: int, name: str, words: Any, minute: int, **more: Any) -> dict[str, Any]:
    base = {"id": number, "type": "message", "date": f"2025-01-02T10:{minute:02d}:00", "from": name, "text": words}
    return {**base, "date_unixtime": str(1735812000 + 60 * minute), "from_id": f"user{len(name)}", **more}


LINKED = ["Turn it, see ", {"type": "link", "text": "https://kettles.example/lid"}, "."]
CHAT_EXPORT: dict[str, Any] = {
    "name": "Kettle help",
    "type": "private_supergroup",
    "id": 77,
    "messages": [
        {
            "id": 1,
            "type": "service",
            "actor": "Ada",
            "actor_id": "user3",
            "date_unixtime": "1",
            "action": "join",
            "text": "",
        },
        telegram(2, "Ada", "Does the lid leak?", 1),
        telegram(3, "Dora Wu", "Which colours are there?", 2),
        telegram(4, "Ben Holt", LINKED, 3, reply_to_message_id=2),
        telegram(5, "Ada", "It is dry now.", 4),
        telegram(6, "Kettle help", "Red and blue.", 5, reply_to_message_id=3, from_id="channel77"),
    ],
}


@pytest.mark.parametrize(
    "wrap", [lambda chat: chat, lambda chat: {"about": "x", "chats": {"list": [CHAT_EXPORT, chat]}}]
)
def test_a_chat_larger_than_any_ticket_comes_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrap: Callable[[Any], Any]
) -> None:
    monkeypatch.setattr(splitter, "RECORD_BYTES", 20_000)
    monkeypatch.setattr(splitter, "CHUNK_BYTES", 3_000)
    monkeypatch.setattr(records, "HEAD_BYTES", 3_000)
    talk = [telegram(2 * n, "Ada", f"Is lid {n} tight?", n % 60, reply_to_message_id=None) for n in range(1, 200)]
    talk += [telegram(2 * n + 1, "Ben Holt", f"Lid {n} is.", n % 60, reply_to_message_id=2 * n) for n in range(1, 200)]
    talk.sort(key=lambda message: message["id"])
    chat = {"name": "Lids", "type": "private_supergroup", "id": 78, "messages": talk}
    found = [one for one in read(write(tmp_path / "result.json", wrap(chat))) if one.id.startswith("78-")]
    assert len({one.id for one in found}) == len(found)
    assert sorted(message.content for one in found for message in one.messages) == sorted(m["text"] for m in talk)
    pairs = sum(len(one.messages) > 1 for one in found)
    assert pairs > 190, "threads are torn where parts meet, and nowhere else"


def discord(number: int, name: str, words: str, role: str = "", parent: str = "", **more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {"id": str(number), "type": "Reply" if parent else "Default", "content": words}
    base["timestamp"] = f"2025-01-02T10:{number:02d}:00+00:00"
    base["author"] = {"id": name, "name": name, "isBot": False, "roles": [{"name": role}] if role else [], **more}
    return {**base, "reference": {"messageId": parent}} if parent else base


def remark(login: str, standing: str, words: str, hour: int) -> dict[str, Any]:
    written = f"2025-01-02T{hour}:00:00Z"
    return {"author": {"login": login}, "authorAssociation": standing, "body": words, "createdAt": written}


ISSUE: dict[str, Any] = {
    "number": 7,
    "title": "Lid leaks",
    "body": "Since version 2 the lid leaks.",
    "state": "CLOSED",
    "author": {"login": "ada-l"},
    "createdAt": "2025-01-02T10:00:00Z",
    "labels": [{"name": "lid"}],
    "comments": [
        {
            "author": {"login": "stale[bot]"},
            "authorAssociation": "NONE",
            "body": "Stale.",
            "createdAt": "2025-01-02T11:00:00Z",
        },
        {
            "author": {"login": "ben-m"},
            "authorAssociation": "MEMBER",
            "body": "Set lid=1.",
            "createdAt": "2025-01-02T12:00:00Z",
        },
        {
            "author": {"login": "cara"},
            "authorAssociation": "NONE",
            "body": "Same here.",
            "createdAt": "2025-01-02T13:00:00Z",
        },
    ],
}
REST_ISSUE = {
    "number": 7,
    "title": "Lid leaks",
    "body": "It leaks.",
    "user": {"login": "ada-l", "type": "User"},
    "author_association": "NONE",
    "comments": 1,
    "comments_url": "https://api.github.com/repos/k/k/issues/7/comments",
    "created_at": "2025-01-02T10:00:00Z",
}
REST_COMMENT = {
    "id": 1,
    "issue_url": "https://api.github.com/repos/k/k/issues/7",
    "user": {"login": "ben-m"},
    "author_association": "OWNER",
    "body": "Set lid=1.",
    "created_at": "2025-01-02T11:00:00Z",
}


def post(number: int, user: str, words: str, **more: Any) -> dict[str, Any]:
    base = {"id": 100 + number, "topic_id": 9, "post_number": number, "username": user, "cooked": f"<p>{words}</p>"}
    return {**base, "created_at": f"2025-01-02T10:0{number}:00Z", "post_type": 1, "staff": False, **more}


TOPIC: dict[str, Any] = {
    "id": 9,
    "title": "Lid",
    "tags": ["lid"],
    "post_stream": {
        "stream": [101, 102, 103, 104, 105, 106],
        "posts": [
            post(1, "ada", "Does it leak?"),
            post(2, "ben", "Turn it.", staff=True),
            post(3, "ben", "Rude one.", staff=True, post_type=4),
            post(4, "dora", "I bought the blue one.", accepted_answer=True, name="Dora Wu"),
            post(5, "system", "Closed.", post_type=3),
        ],
    },
}


def test_telegram_groups_part_into_threads_of_replies(tmp_path: Path) -> None:
    path = write(tmp_path / "result.json", CHAT_EXPORT)
    assert detect([path]).format == "telegram"
    joined, leak, colours = read(path)
    assert said(joined)[0][1] == "system"
    assert [(message.author, message.content) for message in leak.messages] == [
        ("Ada", "Does the lid leak?"),
        ("Ben Holt", "Turn it, see https://kettles.example/lid."),
        ("Ada", "It is dry now."),
    ]
    assert said(colours)[1] == ("assistant", "public", "Red and blue.")
    assert leak.id == "77-2" and {"Ada", "Ben Holt"} <= set(leak.people)


def test_a_personal_chat_parts_where_it_was_silent(tmp_path: Path) -> None:
    late = {**telegram(4, "Ada", "Another thing?", 9), "date_unixtime": str(1735812000 + int(SILENCE) * 2)}
    messages = [telegram(1, "Ada", "Leaks?", 1), telegram(2, "Ben Holt", "Turn it.", 2), late]
    chat = {"name": "Ada", "type": "personal_chat", "id": 5, "messages": messages}
    whole = {"about": "x", "contacts": {"about": "y", "list": [{"first_name": "Ada"}]}, "chats": {"list": [chat]}}
    assert [len(found.messages) for found in read(write(tmp_path / "result.json", whole))] == [2, 1]
    pretty = write(tmp_path / "pretty.json", json.dumps(whole, indent=1))
    assert [len(found.messages) for found in read(pretty)] == [2, 1]


def test_a_reply_to_what_is_not_there_goes_by_its_author() -> None:
    posts = [
        Post("1", "", "ada", 0.0),
        Post("2", "", "dora", 60.0),
        Post("3", "99", "ada", 120.0),
        Post("4", "", "", None),
    ]
    assert reply_threads(posts) == [[0, 2, 3], [1]] or reply_threads(posts) == [[0, 1, 2, 3]]


def test_discord_threads_by_reference_and_knows_staff_by_its_roles(tmp_path: Path) -> None:
    messages = [
        discord(1, "ada", "Leaks?"),
        discord(2, "dora", "Which colours?"),
        discord(3, "ben", "Turn it.", role="Support Team", parent="1"),
        discord(4, "helper", "Read the rules.", isBot=True),
        discord(5, "ben", "Blue.", role="Support Team", parent="2"),
        {**discord(6, "ada", "Pinned a message."), "type": "ChannelPinnedMessage"},
    ]
    path = write(tmp_path / "c.json", {"guild": {"id": "1"}, "channel": {"id": "2"}, "messages": messages})
    leak = next(found for found in read(path) if found.id == "1")
    assert said(leak)[:2] == [("user", "public", "Leaks?"), ("assistant", "public", "Turn it.")]
    kinds = {message.content: message.kind for found in read(path) for message in found.messages}
    assert (kinds["Read the rules."], kinds["Pinned a message."]) == ("bot", "system")


def test_github_maintainers_answer(tmp_path: Path) -> None:
    found = only(write(tmp_path / "issues.json", [ISSUE]))
    assert said(found) == [
        ("user", "public", "Since version 2 the lid leaks."),
        ("user", "bot", "Stale."),
        ("assistant", "public", "Set lid=1."),
        ("user", "public", "Same here."),
    ]
    assert (found.id, found.tags, found.customer) == ("7", ("lid",), "ada-l")
    assert {"ada-l", "ben-m", "cara"} <= set(found.people)


def test_githubs_comments_may_come_apart(tmp_path: Path) -> None:
    issues, comments = write(tmp_path / "i.json", [REST_ISSUE]), write(tmp_path / "c.json", [REST_COMMENT])
    assert said(only(issues, comments)) == [("user", "public", "It leaks."), ("assistant", "public", "Set lid=1.")]
    with pytest.raises(TicketsError, match="without their comments") as caught:
        detect([issues])
    assert "gh issue list" in caught.value.remedy


def test_githubs_pull_requests_are_no_questions(tmp_path: Path) -> None:
    pull = {**REST_ISSUE, "pull_request": {"url": "x"}}
    found = only(write(tmp_path / "i.json", [pull]), write(tmp_path / "c.json", [REST_COMMENT]))
    assert said(found)[0][1] == "system"


def test_discourse_staff_and_solutions_answer(tmp_path: Path) -> None:
    path = write(tmp_path / "9.json", TOPIC)
    assert said(only(path)) == [
        ("user", "public", "<p>Does it leak?</p>"),
        ("assistant", "public", "<p>Turn it.</p>"),
        ("assistant", "note", "<p>Rude one.</p>"),
        ("assistant", "public", "<p>I bought the blue one.</p>"),
        ("user", "system", "<p>Closed.</p>"),
    ]
    assert "Dora Wu" in only(path).people
    assert any("print=true" in caution for caution in detect([path]).cautions)


def test_posts_of_discourse_that_came_apart_are_joined_by_their_topic(tmp_path: Path) -> None:
    posts = write(tmp_path / "posts.json", TOPIC["post_stream"]["posts"])
    listed = {"id": 9, "title": "Lid", "fancy_title": "Lid", "posts_count": 5}
    topics = write(tmp_path / "latest.json", [listed])
    found = only(topics, posts)
    assert (found.subject, len(found.messages)) == ("Lid", 5)
    with pytest.raises(TicketsError, match="without their posts"):
        detect([topics])


def test_posts_of_discourses_own_list_are_read(tmp_path: Path) -> None:
    post = {"id": 1, "topic_id": 7, "post_number": 1, "username": "ada", "cooked": "<p>Leaks?</p>", "raw": "Leaks?"}
    answer = {**post, "id": 2, "post_number": 2, "username": "ben", "raw": "Turn it.", "staff": True}
    talk = only(write(tmp_path / "posts.json", {"latest_posts": [answer, post]}))
    assert [(turn[0], turn[2]) for turn in said(talk)] == [("assistant", "Turn it."), ("user", "Leaks?")]


def test_an_issue_whose_writer_has_left_github_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "issues.json", [{**ISSUE, "author": None}])
    assert detect([path]).format == "github"
    assert ("assistant", "public", "Set lid=1.") in said(only(path))


TABLE = (
    "AuthorID,Author,Date,Content,Attachments,Reactions\n"
    '1,ada#0,2025-01-02T10:00:00.0000000+00:00,Does <:lid:123456789> leak?,"",""\n'
    '2,ben#0,2025-01-02T10:01:00.0000000+00:00,Turn it.,"",""\n'
    '1,ada#0,2025-01-02T10:02:00.0000000+00:00,"",https://cdn.example/wet.png,""\n'
    '3,dora#0,2025-01-03T10:00:00.0000000+00:00,Which colours?,"",""\n'
    '2,ben#0,2025-01-03T10:09:00.0000000+00:00,Red and blue.,"",""\n'
)


def test_discords_table_is_parted_by_its_pauses(tmp_path: Path) -> None:
    path = write(tmp_path / "help.csv", TABLE)
    assert detect([path]).format == "discord"
    assert [said(talk) for talk in read(path)] == [
        [
            ("user", "public", "Does :lid: leak?"),
            ("assistant", "public", "Turn it."),
            ("user", "attachment", "wet.png"),
        ],
        [("user", "public", "Which colours?"), ("assistant", "public", "Red and blue.")],
    ]


def test_whoever_was_long_silent_takes_part_in_the_talk_before_him() -> None:
    times = (("ben", 0.0), ("ada", 60.0), ("dora", 3 * SILENCE), ("ben", 3 * SILENCE + 60))
    posts = [Post(str(place), "", author, at) for place, (author, at) in enumerate(times)]
    assert reply_threads(posts) == [[0, 1], [2, 3]]


def test_a_picture_without_words_is_an_attachment(tmp_path: Path) -> None:
    pictured = telegram(7, "Ada", "", 6, photo="photos/1.jpg")
    export = {**CHAT_EXPORT, "messages": [*CHAT_EXPORT["messages"], pictured]}
    talks = read(write(tmp_path / "result.json", export))
    assert [message.content for talk in talks for message in talk.messages if message.kind == "attachment"] == [
        "photos/1.jpg"
    ]
