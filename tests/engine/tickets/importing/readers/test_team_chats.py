"""Slack, Microsoft Teams and Messenger: threads, names that come apart, and who is a guest."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import detect
from engine.tickets.overrides import SourceOverrides
from tests.engine.tickets.exports import prepared, read, said, write

USERS: list[dict[str, Any]] = [
    {"id": "U1", "name": "ada", "profile": {"real_name": "Ada Lane", "email": "ada@c.example"}},
    {"id": "U2", "name": "ben", "profile": {"real_name": "Ben Holt"}},
    {"id": "U3", "name": "deploy", "is_bot": True},
]


def post(user: str, text: str, ts: int, thread: int = 0, **more: Any) -> dict[str, Any]:
    base = {"type": "message", "user": user, "text": text, "ts": f"{1767348000 + ts}.000100", **more}
    return {**base, "thread_ts": f"{1767348000 + thread}.000100"} if thread else base


HELP = [
    post("U1", "Is the lamp &lt;tall&gt; in <https://shop.example/l|your shop>?", 1, thread=1),
    post("U1", "Which bulb fits, <@U2>?", 5),
    post("U2", "Yes, see <https://shop.example/m>.", 60, thread=1),
    post("U2", "Any of the size E14.", 90),
    post("U3", "Deployed.", 91),
    post("U1", "<@U1> has joined", 92, subtype="channel_join"),
    post("U1", "", 93, files=[{"name": "photo.jpg"}]),
]
NEXT_DAY = [post("U2", "And the small one too.", 90_000, thread=1), post("U1", "How do I pay?", 90_100)]
OTHER = [post("U2", "By card please.", 90_200)]


def slack(path: Path, users: list[dict[str, Any]], **days: list[dict[str, Any]]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("channels.json", json.dumps([{"id": "C1", "name": "help"}]))
        archive.writestr("integration_logs.json", json.dumps([{"service_type": "x", "date": "1"}]))
        for name, posts in days.items():
            channel, day = name.split("_")
            archive.writestr(f"{channel}/2026-01-{day}.json", json.dumps(posts))
        archive.writestr("users.json", json.dumps(users))
    return path


def test_slack_threads_are_conversations_and_the_rest_of_a_channel_is_parted_by_its_pauses(tmp_path: Path) -> None:
    export = slack(tmp_path / "slack.zip", USERS, help_02=HELP, help_03=NEXT_DAY, pay_03=OTHER)
    found = detect([export])
    assert (found.format, found.evidence.split(" in ")[0]) == ("slack", "messages with ts and user")
    assert [(writer.name, writer.ours) for writer in found.writers] == [("Ben Holt", True), ("Ada Lane", False)]
    assert found.cautions[0].startswith("slack.zip: integration_logs.json")
    talks = {talk.id.split(".")[0]: talk for talk in read(export)}
    assert list(talks) == ["1767348001", "1767348005", "1767438100", "1767438200"]
    lamp, bulb, *_ = talks.values()
    assert said(lamp) == [
        ("user", "public", "Is the lamp <tall> in your shop (https://shop.example/l)?"),
        ("assistant", "public", "Yes, see https://shop.example/m."),
        ("assistant", "public", "And the small one too."),
    ]
    assert set(lamp.people) == {"Ada Lane", "ada", "ada@c.example", "Ben Holt", "ben"}
    assert said(bulb) == [
        ("user", "public", "Which bulb fits, @Ben Holt?"),
        ("assistant", "public", "Any of the size E14."),
        ("assistant", "bot", "Deployed."),
        ("assistant", "system", "@Ada Lane has joined"),
        ("user", "attachment", "photo.jpg"),
    ]


def test_guests_of_a_workspace_are_the_customers_whoever_answers_more(tmp_path: Path) -> None:
    ben = {**USERS[1], "is_ultra_restricted": True}
    export = slack(tmp_path / "slack.zip", [USERS[0], ben, USERS[2]], help_02=HELP)
    assert [writer.name for writer in detect([export]).writers if writer.ours] == ["Ada Lane"]
    teams = [{**user, "team_id": "T1" if user["id"] != "U2" else "T2"} for user in USERS]
    elsewhere = slack(tmp_path / "other.zip", teams, help_02=HELP)
    assert [writer.name for writer in detect([elsewhere]).writers if writer.ours] == ["Ada Lane"]
    named = detect([elsewhere], SourceOverrides(agents=("Ben Holt",)))
    assert [writer.name for writer in named.writers if writer.ours] == ["Ben Holt"]


def test_a_workspace_without_messages_is_refused_as_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(TicketsError, match="This Slack export lists channels and people") as caught:
        detect([slack(tmp_path / "slack.zip", USERS)])
    assert "Import/Export data" in caught.value.remedy


def teams(number: int, name: str, content: str, **more: Any) -> dict[str, Any]:
    user = {"id": name, "displayName": name, "userIdentityType": more.pop("identity", "aadUser")}
    return {
        "id": str(number),
        "replyToId": None,
        "messageType": "message",
        "createdDateTime": f"2026-01-02T10:{number:02}:00Z",
        "from": {"application": None, "user": user},
        "body": {"contentType": "html", "content": content},
        "channelIdentity": {"teamId": "t", "channelId": "c"},
        **more,
    }


UNDER = teams(2, "Ben", "<p>Press it.</p>", replyToId="1")
PAGE: dict[str, Any] = {
    "@odata.context": "https://graph.microsoft.com/v1.0/$metadata",
    "value": [
        teams(1, "Ada", "<p>Is it dark?</p>", subject="Lamp", replies=[UNDER]),
        teams(4, "Ada", "", deletedDateTime="2026-01-02T11:00:00Z", replyToId="1"),
        teams(3, "Ben", "The small one.", replyToId="1", body={"contentType": "text", "content": "The small one."}),
        teams(5, "Bot", "Rated", replyToId="1", **{"from": {"application": {"displayName": "Forms"}, "user": None}}),
        teams(6, "Ben", '<attachment id="1"></attachment>', replyToId="1", attachments=[{"name": "plan.pdf"}]),
        teams(7, "Ada", "", replyToId="1", messageType="systemEventMessage"),
    ],
}


def test_replies_of_teams_belong_to_their_message_whether_under_it_or_beside_it(tmp_path: Path) -> None:
    path = write(tmp_path / "m.json", PAGE)
    assert detect([path]).format == "teams"
    (talk,) = read(path)
    assert [(role, kind) for role, kind, _ in said(talk)] == [
        ("user", "public"),
        ("assistant", "public"),
        ("assistant", "public"),
        ("user", "hidden"),
        ("assistant", "bot"),
        ("assistant", "attachment"),
        ("assistant", "system"),
    ]
    assert (talk.subject, talk.messages[0].html, talk.messages[2].html) == ("Lamp", True, False)
    assert talk.messages[5].content == "plan.pdf"
    assert prepared([path], tmp_path / "out", mask=False)[0].conversations_kept == 1


def test_a_guest_in_teams_is_the_customer_and_chats_are_parted_by_pauses(tmp_path: Path) -> None:
    asked = [teams(number, "Ben", "We write first.", chatId="x") for number in (1, 2)]
    guest = teams(3, "Gil", "Is it dark?", chatId="x", identity="federatedUser")
    later = {
        **teams(4, "Gil", "Still dark?", chatId="x", identity="federatedUser"),
        "createdDateTime": "2026-03-01T10:00:00Z",
    }
    first, second = read(write(tmp_path / "m.json", {"value": [later, *asked, guest]}))
    assert [role for role, _, _ in said(first)] == ["assistant", "assistant", "user"]
    assert [role for role, _, _ in said(second)] == ["user"]


def test_the_export_of_ones_own_chats_is_read_too(tmp_path: Path) -> None:
    rows = [
        {"id": "2", "displayName": "Ben", "from": "8:ben", "originalarrivaltime": "2026-01-02T10:02:00Z"},
        {"id": "1", "displayName": "Ada", "from": "8:ada", "originalarrivaltime": "2026-01-02T10:01:00Z"},
        {"id": "3", "displayName": "Ben", "from": "8:ben", "originalarrivaltime": "2026-01-02T10:03:00Z"},
    ]
    kinds = ("RichText", "Text", "RichText/UriObject")
    listed = [{**row, "messagetype": kind, "content": "Words"} for row, kind in zip(rows, kinds, strict=True)]
    export = {"userId": "8:ben", "conversations": [{"id": "19:x", "displayName": "x", "MessageList": listed}]}
    (talk,) = read(write(tmp_path / "messages.json", export))
    assert said(talk) == [
        ("user", "public", "Words"),
        ("assistant", "public", "Words"),
        ("assistant", "attachment", "UriObject"),
    ]


def sent(name: str, words: str, minute: int, **more: Any) -> dict[str, Any]:
    """A message as Messenger exports it: the bytes of its letters stand as letters."""
    wrong = {"sender_name": name.encode().decode("latin-1"), "content": words.encode().decode("latin-1")}
    return {**wrong, "timestamp_ms": 1767348000000 + minute * 60_000, **more}


MESSENGER = [
    sent("Lamp Shop", "Gern, sie kostet 20 €.", 3),
    sent("Käthe Öz", "Reacted 😀 to your message", 2),
    sent("Käthe Öz", "", 2, photos=[{"uri": "inbox/kathe_1/photos/lamp.jpg"}]),
    sent("Lamp Shop", "You missed a call from Käthe.", 2, call_duration=0),
    sent("Lamp Shop", "", 2, is_unsent=True),
    sent("Käthe Öz", "Habt ihr die grüne Lampe?", 1),
]
ENCRYPTED = [
    {"senderName": "Käthe Öz", "text": "Wo ist sie?", "timestamp": 1767348000000, "type": "text", "isUnsent": False},
    {"senderName": "Lamp Shop", "text": "Im Lager.", "timestamp": 1767348060000, "type": "text", "isUnsent": False},
]


def test_messengers_letters_are_mended_and_a_folder_is_a_chat(tmp_path: Path) -> None:
    chat = {
        "participants": [{"name": "x"}, {"name": "y"}],
        "messages": MESSENGER,
        "title": "x",
        "thread_path": "inbox/k",
    }
    other = [sent("Dora", "Is it dark?", 1), sent("Lamp Shop", "Press the switch.", 2)]
    with zipfile.ZipFile(tmp_path / "facebook.zip", "w") as archive:
        archive.writestr("messages/inbox/kathe_1/message_1.json", json.dumps(chat))
        archive.writestr("messages/inbox/dora_2/message_1.json", json.dumps({**chat, "messages": other}))
        archive.writestr("messages/inbox/kathe_1/photos/lamp.jpg", b"\xff\xd8\xff\xe0")
    found = detect([tmp_path / "facebook.zip"])
    assert found.format == "messenger" and [writer.name for writer in found.writers if writer.ours] == ["Lamp Shop"]
    dora, kathe = sorted(read(tmp_path / "facebook.zip"), key=lambda talk: len(talk.messages))
    assert [turn[2] for turn in said(dora)] == ["Is it dark?", "Press the switch."]
    assert sorted(turn[1:] for turn in said(kathe)) == sorted(
        [
            ("public", "Habt ihr die grüne Lampe?"),
            ("hidden", ""),
            ("system", "You missed a call from Käthe."),
            ("attachment", "lamp.jpg"),
            ("system", "Reacted 😀 to your message"),
            ("public", "Gern, sie kostet 20 €."),
        ]
    )
    assert (kathe.customer, kathe.people) == ("Käthe Öz", ("Käthe Öz", "Lamp Shop"))


def test_messengers_encrypted_chats_are_written_otherwise(tmp_path: Path) -> None:
    path = write(
        tmp_path / "Käthe_1.json", {"participants": ["a", "b"], "threadName": "Käthe_1", "messages": ENCRYPTED}
    )
    assert [(turn[0], turn[2]) for turn in said(read(path)[0])] == [("user", "Wo ist sie?"), ("assistant", "Im Lager.")]


def test_a_thread_of_slack_goes_over_days_where_the_files_are_dropped_by_themselves(tmp_path: Path) -> None:
    days = [write(tmp_path / "2026-01-02.json", HELP[:1]), write(tmp_path / "2026-01-03.json", NEXT_DAY[:1])]
    assert [[turn[2] for turn in said(talk)] for talk in read(*days)] == [
        ["Is the lamp <tall> in your shop (https://shop.example/l)?", "And the small one too."]
    ]
