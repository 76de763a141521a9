"""Salesforce's objects, each a file of its own, together and alone."""

import zipfile
from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import detect
from tests.engine.tickets.exports import only, prepared, read, said, write

ADA, BEN = "Ada Lane,ada@c.example,help@shop.example", "Ben Holt,help@shop.example,ada@c.example"
CASE = "500A0000001abcd"
CASES = (
    "Id,CaseNumber,ContactId,OwnerId,Status,Origin,Subject,Description,CreatedDate\n"
    f"{CASE}IAA,00001,003X,005B,Closed,Email,Lamp,Is the lamp meant for outside?,2026-01-02T10:00:00.000Z\n"
    "500A0000001zzzzIAA,00002,003X,005B,Closed,Web,Bulb,Which bulb fits?,2026-01-03T10:00:00.000Z\n"
)
MAILS = (
    "Id,ParentId,CreatedDate,Subject,TextBody,HtmlBody,FromName,FromAddress,ToAddress,Incoming,Status,Headers\n"
    f"02s1,{CASE},2026-01-02T10:00:01.000Z,Lamp,,<p>Is the lamp meant for outside?</p><p>Ada</p>,{ADA},1,1,\n"
    f"02s2,{CASE},2026-01-02T11:00:00.000Z,Re: Lamp,It is for rooms alone.,,{BEN},0,3,\n"
    f"02s3,{CASE},2026-01-02T11:30:00.000Z,Re: Lamp,A draft,,{BEN},0,5,\n"
    f"02s4,{CASE},2026-01-02T11:31:00.000Z,Away,I am away,,{ADA},1,1,Auto-Submitted: auto-replied\n"
)
COMMENTS = (
    "Id,ParentId,IsPublished,CommentBody,CreatedById,CreatedDate,IsDeleted\n"
    f"00a1,{CASE}IAA,1,It is for rooms alone.,005B,2026-01-02T11:00:05.000Z,0\n"
    f"00a2,{CASE}IAA,0,He has asked before.,005B,2026-01-02T11:01:00.000Z,0\n"
    f"00a3,{CASE}IAA,1,And under a roof?,005P,2026-01-02T12:00:00.000Z,0\n"
    f"00a4,{CASE}IAA,1,Yes if it stays dry.,005B,2026-01-02T13:00:00.000Z,0\n"
    "00a5,500A0000001zzzz,1,Any bulb of the size E14.,005B,2026-01-03T11:00:00.000Z,0\n"
    "00a6,500A0000001zzzz,1,Gone,005B,2026-01-03T11:01:00.000Z,1\n"
)
USERS = (
    "Id,Username,FirstName,LastName,Email,ContactId,UserType\n"
    "005B,ben@shop.example,Ben,Holt,ben@shop.example,,Standard\n"
    "005P,ada@c.example,Ada,Lane,ada@c.example,003X,CspLitePortal\n"
)
CONTACTS = "Id,AccountId,FirstName,LastName,Email,Phone\n003X,001,Ada,Lane,ada@c.example,+49 170 1234567\n"
ACCOUNTS = "Id,Name,Industry,BillingCity\n001,Lane and sons,Trade,Bonn\n"
FILES = {"Case": CASES, "EmailMessage": MAILS, "CaseComment": COMMENTS, "User": USERS, "Contact": CONTACTS}


def files(folder: Path, *names: str) -> list[Path]:
    return [write(folder / f"{name}.csv", {**FILES, "Account": ACCOUNTS}[name]) for name in names]


@pytest.mark.parametrize("order", [tuple(FILES), tuple(reversed(FILES))])
def test_the_objects_are_joined_in_whatever_order_they_come(tmp_path: Path, order: tuple[str, ...]) -> None:
    lamp, bulb = sorted(read(*files(tmp_path, *order)), key=lambda conversation: conversation.id)
    assert said(lamp) == [
        ("user", "public", "<p>Is the lamp meant for outside?</p><p>Ada</p>"),
        ("assistant", "public", "It is for rooms alone."),
        ("assistant", "note", "He has asked before."),
        ("assistant", "draft", "A draft"),
        ("user", "auto_reply", "I am away"),
        ("user", "public", "And under a roof?"),
        ("assistant", "public", "Yes if it stays dry."),
    ]
    assert (lamp.id, lamp.subject, lamp.status, lamp.customer) == ("00001", "Lamp", "Closed", "003X")
    assert {"Ada Lane", "ada@c.example", "+49 170 1234567", "Ben Holt", "help@shop.example"} <= set(lamp.people)
    assert said(bulb) == [
        ("user", "public", "Which bulb fits?"),
        ("assistant", "public", "Any bulb of the size E14."),
        ("assistant", "hidden", "Gone"),
    ]


def test_mails_alone_are_a_conversation_a_case_and_comments_warn_that_they_name_no_sides(tmp_path: Path) -> None:
    found = only(*files(tmp_path, "EmailMessage"))
    assert (found.id, found.customer) == (CASE, "ada@c.example")
    assert detect(files(tmp_path, "EmailMessage")).cautions == ()
    (caution,) = detect(files(tmp_path, "CaseComment", "Case")).cautions
    assert "Drop User as well" in caution


@pytest.mark.parametrize("names", [("Case",), ("Case", "User", "Contact")])
def test_cases_without_what_was_said_are_refused_with_the_objects_to_export(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    with pytest.raises(TicketsError) as caught:
        detect(files(tmp_path, *names))
    assert "EmailMessage and CaseComment" in caught.value.remedy


def test_the_whole_archive_is_read_and_what_holds_no_conversation_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "WE_1.zip", "w") as archive:
        for name in (*FILES, "Account"):
            archive.writestr(f"{name}.csv", {**FILES, "Account": ACCOUNTS}[name])
    report, _ = prepared([tmp_path / "WE_1.zip"], tmp_path / "out")
    assert (report.conversations_kept, report.format) == (2, "salesforce")
    assert "WE_1.zip: Account.csv: no conversation could be made out in it; passed over." in report.warnings


def test_records_of_the_api_are_read_as_well(tmp_path: Path) -> None:
    mail = {
        "attributes": {"type": "EmailMessage"},
        "Id": "02s1",
        "ParentId": CASE,
        "TextBody": "Dark",
        "HtmlBody": None,
    }
    page = {"totalSize": 2, "done": True, "records": [{**mail, "Incoming": True}, {**mail, "Incoming": False}]}
    assert [role for role, _, _ in said(only(write(tmp_path / "m.json", page)))] == ["user", "assistant"]


POSTS = (
    "Id,ParentId,Type,Visibility,Body,CreatedById,CreatedDate,IsDeleted\n"
    f"0D51,{CASE}IAA,TextPost,AllUsers,<p>It is for rooms alone.</p>,005B,2026-01-02T11:00:05.000Z,0\n"
    f"0D52,{CASE},TextPost,InternalUsers,He has asked before.,005B,2026-01-02T11:01:00.000Z,0\n"
    f"0D53,{CASE},TextPost,AllUsers,And under a roof?,005P,2026-01-02T12:00:00.000Z,0\n"
    f"0D54,{CASE},ChangeStatusPost,AllUsers,Closed,005B,2026-01-02T13:00:00.000Z,0\n"
    f"0D55,{CASE},CaseCommentPost,AllUsers,Yes if it stays dry.,005B,2026-01-02T13:00:01.000Z,0\n"
)
REPLIES = (
    "Id,FeedItemId,ParentId,CommentBody,CommentType,CreatedById,CreatedDate,IsDeleted\n"
    f"0D71,0D53,{CASE}IAA,Yes under a wide one.,TextComment,005B,2026-01-02T12:30:00.000Z,0\n"
    f"0D72,0D52,{CASE}IAA,I know him too.,TextComment,005B,2026-01-02T12:31:00.000Z,0\n"
    f"0D73,0D5X,{CASE}IAA,Whatever that was about.,TextComment,005B,2026-01-02T12:32:00.000Z,0\n"
)


def test_posts_of_the_feed_are_said_where_the_customer_sees_them(tmp_path: Path) -> None:
    feed = write(tmp_path / "FeedItem.csv", POSTS)
    lamp = next(found for found in read(feed, *files(tmp_path, "Case", "User")) if found.id == "00001")
    assert said(lamp) == [
        ("user", "public", "Is the lamp meant for outside?"),
        ("assistant", "public", "<p>It is for rooms alone.</p>"),
        ("assistant", "note", "He has asked before."),
        ("user", "public", "And under a roof?"),
        ("assistant", "system", "Closed"),
        ("assistant", "system", "Yes if it stays dry."),
    ]


def test_posts_alone_are_a_conversation_and_warn_that_they_name_no_sides(tmp_path: Path) -> None:
    feed = write(tmp_path / "FeedItem.csv", POSTS)
    assert "FeedItem" in detect([feed]).evidence
    assert "Drop User as well" in detect([feed]).cautions[0]
    found = only(feed, *files(tmp_path, "User"))
    assert [(role, kind) for role, kind, _ in said(found)][:3] == [
        ("assistant", "public"),
        ("assistant", "note"),
        ("user", "public"),
    ]


def test_a_reply_to_a_post_is_as_internal_as_the_post(tmp_path: Path) -> None:
    feed, replies = write(tmp_path / "FeedItem.csv", POSTS), write(tmp_path / "FeedComment.csv", REPLIES)
    found = only(feed, replies, *files(tmp_path, "User"))
    kinds = {content: kind for _, kind, content in said(found)}
    assert kinds["Yes under a wide one."] == "public"
    assert kinds["I know him too."] == kinds["Whatever that was about."] == "note"
