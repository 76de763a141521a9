import tomllib
import zipfile
from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.importing import words
from engine.tickets.importing.detect import detect
from engine.tickets.importing.metadata_only import metadata_only
from engine.tickets.importing.readers import READERS
from tests.engine.tickets.exports import prepared, read, write
from tests.engine.tickets.importing.readers.test_mail import ANSWER, QUESTION, mbox

EXPORTS = {
    "Summation column,Id,Requester,Requester id,Requester email,Subject,Tags,Status,Priority,Via": "Full JSON export",
    "Id,Requester,Subject,Tags,Status,Ticket type,Created at,Satisfaction Score": "Full JSON export",
    "Ticket ID,Subject,Status,Priority,Source,Type,Agent,Group,Created time,Due by Time": "Account Export",
    "Ticket ID,Ticket name,Ticket status,Pipeline,Create date,Ticket owner": "HubSpot's API",
    "Ticket Number,Date Created,Subject,From,From Email,Priority,Department,Help Topic": "ost_thread_entry",
    "Ticket Reference Id,Subject,Ticket Owner,Status": "Data Backup",
    "Ticket id,Initial channel,Subject,Creation date,Assignee name,Contact reason,Resolution": "GET /api/messages",
    "Ticket id,Subject,Number of agent messages,Number of customer messages,Resolution": "GET /api/messages",
    "Id,CaseNumber,ContactId,Type,Status,Origin,Subject,Description": "EmailMessage",
    "Issue key,Summary,Status": "all fields",
}


@pytest.mark.parametrize("header", EXPORTS)
def test_a_list_of_tickets_is_refused_with_where_to_click(tmp_path: Path, header: str) -> None:
    row = ",".join("x" for _ in header.split(","))
    path = write(tmp_path / "list.csv", f"{header}\n{row}\n{row}\n")
    with pytest.raises(TicketsError) as caught:
        detect([path])
    assert EXPORTS[header] in caught.value.remedy


def test_a_table_with_an_answer_is_no_mere_list() -> None:
    assert metadata_only(["Ticket ID", "Subject", "Status", "Agent", "Group", "Reply"]) is None


def test_the_list_beside_the_real_export_is_passed_over(tmp_path: Path) -> None:
    listed = write(tmp_path / "list.csv", "Ticket Number,Subject,From,Department\n1,Lamp,Ada,Sales\n")
    table = write(tmp_path / "t.csv", "question,answer\nDark?,Press the switch please.\n")
    assert prepared([listed, table], tmp_path / "out")[0].conversations_kept == 1


OTHERS = {
    "rasa.json": ('{"rasa_nlu_data": {"common_examples": [{"text": "hi", "intent": "greet"}]}}', "Rasa"),
    "nlu.yml": ('version: "3.1"\nnlu:\n- intent: greet\n  examples: |\n    - hi\n', "Rasa"),
    "usersays.json": (
        '[{"id": "1", "data": [{"text": "hi"}], "isTemplate": false}]',
        "Dialogflow",
    ),
    "fetched.har": ('{"log": {"version": "1.2", "entries": []}}', "HAR"),
    "a.ipynb": ('{"cells": [{"cell_type": "code"}], "metadata": {}, "nbformat": 4}', "Jupyter"),
    "dump.sql": ("-- MySQL dump 10.13\n\nCREATE TABLE `tickets` (`id` int);\n", "SQL"),
    "letter.rtf": (r"{\rtf1\ansi Dear team}", "rich-text"),
    "contacts.vcf": ("BEGIN:VCARD\nFN:Ada\nEND:VCARD\n", "address book"),
    "messages.html": ('<!DOCTYPE html><html><body><div class="page_wrap">x</div></body></html>', "Telegram"),
    "help.html": ('<!DOCTYPE html><html><body><div class="chatlog"></div></body></html>', "Discord"),
    "message_1.html": ('<html><body><div class="pam _a6-g">hi</div></body></html>', "Facebook"),
    "thread.html": (
        "<HTML><HEAD><title>The lamps January 2026 Archive by thread</title></HEAD></HTML>",
        "mailing list",
    ),
    "t.xls": ("<html><table><tr><th>question</th></tr><tr><td>Dark?</td></tr></table></html>", "table as a web page"),
    "t.xml": ('<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook></Workbook>', "Excel's XML"),
    "sms.xml": ('<?xml version="1.0"?><smses count="1"><sms address="1" body="Dark?"/></smses>', "text messages"),
    "feed.xml": ('<?xml version="1.0"?><rss><channel><item><title>a</title></item></channel></rss>', "news feed"),
    "logo.svg": ("<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0'/></svg>", "drawing"),
    "a.plist": ('<?xml version="1.0"?>\n<!DOCTYPE plist><plist><dict/></plist>', "settings file"),
    "app.log": ("2026-01-02 10:00:00,1 INFO a: begun\n2026-01-02 10:00:01,2 ERROR a: lost, gone\n" * 3, "log"),
    "access.log": ('127.0.0.1 - - [02/Jan/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 12\n', "log"),
    "film.srt": ("1\n00:00:01,000 --> 00:00:02,000\nHello there, my friend\n", "subtitles"),
    "a.py": ("import os\n\nprint(os.name, 1)\n", "source text"),
    "package.json": ('{"name": "x", "version": "1.0.0", "dependencies": {"y": "1"}}', "settings file"),
    "net.har": ('{"log": {"version": "1.2", "entries": []}}', "browser fetched"),
    "map.json": ('{"type": "FeatureCollection", "features": [{"type": "Feature"}]}', "map"),
    "refused.json": ('{"error": {"message": "Invalid credentials", "code": 401}}', "API answers where it refuses"),
    "comments.json": (
        '{"comments": [{"author": {"name": "a"}, "body": "b", "updateAuthor": {}, "created": "2026"}]}',
        "comments of Jira without their issues",
    ),
    "zendesk.json": ('{"error": "Couldn\'t authenticate you"}', "Couldn't authenticate you"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_something_else_is_called_by_its_name(tmp_path: Path, name: str) -> None:
    content, called = OTHERS[name]
    with pytest.raises(TicketsError, match=called) as caught:
        detect([write(tmp_path / name, content)])
    assert "column" not in caught.value.remedy


@pytest.mark.parametrize(
    "content",
    [
        "import id;question;answer\n1;Dark?;Press it.\n",
        "package id,question,answer\n1,Dark?,Press it.\n",
        "variable,question,answer\n=x,Dark?,Press it.\n",
        '[{"log": "x", "question": "Dark?", "answer": "Press it."}]',
        '[{"type": "a", "features": [], "question": "Dark?", "answer": "Press it."}]',
        '[{"error": "E17", "question": "It shows E17?", "answer": "Hold it."}]',
        "2026-01-02 10:00:00;ERROR on the lamp, what now?;Press it.\nquestion;answer;x\nDark?;Press it.;\n",
    ],
)
def test_exports_that_begin_like_something_else_are_read(tmp_path: Path, content: str) -> None:
    assert read(write(tmp_path / "t", content))


def test_an_archive_of_something_else_is_called_by_its_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "agent.zip", "w") as archive:
        archive.writestr("agent.json", '{"description": "", "language": "en", "disableInteractionLogs": false}')
        archive.writestr("package.json", '{"version": "1.0.0"}')
    with pytest.raises(TicketsError, match="Dialogflow"):
        detect([tmp_path / "agent.zip"])


def test_what_lies_beside_a_mailbox_in_its_archive_is_passed_over(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "takeout.zip", "w") as archive:
        archive.writestr("Takeout/archive_browser.html", "<!DOCTYPE html><html><body>Archive</body></html>")
        archive.writestr("Takeout/Mail/All mail.mbox", mbox(QUESTION, ANSWER))
        archive.writestr("Takeout/Mail/Blocked Addresses.json", '{"blocked_email": ["a@b.example"]}')
    assert prepared([tmp_path / "takeout.zip"], tmp_path / "out")[0].conversations_kept == 1
    assert "Blocked Addresses.json" in detect([tmp_path / "takeout.zip"]).cautions[-1]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("question\nIs it dark in there?\nWhere is my parcel?\n", "one column, 'question'"),
        ("id,question\n1,Is it dark in there?\n2,Where is my parcel?\n", "the answers are in another export"),
        ("Dear team,\nplease call Ada, she waits.\nThanks\nBen\n", "a text goes into a table first"),
    ],
)
def test_questions_alone_and_mere_text_are_told(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(TicketsError) as caught:
        prepared([write(tmp_path / "t.csv", content)], tmp_path / "out")
    assert told in str(caught.value)


def test_a_list_of_invoices_is_refused_before_its_columns_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(TicketsError, match="nobody wrote anything"):
        detect([write(tmp_path / "t.csv", "Number;Customer;Sum\n1;Ada Ltd;3,50\n2;Ben Ltd;4,50\n3;Ada Ltd;9,00\n")])


def test_json_that_nests_what_is_said_is_not_asked_for_columns(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.json", [{"id": 1, "talk": {"lines": [{"by": "a", "says": "Hello there, how are you?"}]}}]
    )
    with pytest.raises(TicketsError, match="inside of 'talk'") as caught:
        prepared([path], tmp_path / "out")
    assert "--map" not in caught.value.remedy


def test_a_list_in_which_nobody_wrote_is_not_asked_for_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "id,opened,group,minutes\n1,2025-01-02,Sales,5\n2,2025-01-03,Sales,9\n")
    with pytest.raises(TicketsError, match="nobody wrote anything") as caught:
        prepared([path], tmp_path / "out")
    assert "--map" not in caught.value.remedy


def test_every_refusal_fits_its_kind() -> None:
    """The sentence names whose file it is; the remedy is about that vendor, and about columns only where there are."""
    folder = Path(words.__file__).parent
    listed = tomllib.loads((folder / "metadata_only.toml").read_text(encoding="utf-8"))["table"]
    other = tomllib.loads((folder / "not_tickets.toml").read_text(encoding="utf-8"))["file"]
    told = [(entry["message"], entry["remedy"], entry["label"].split()[0]) for entry in listed]
    told += [(entry["message"], entry["remedy"], "") for entry in other]
    told += [(*reader.NO_ANSWERS, reader.LABEL.split()[0]) for reader in READERS]
    for message, remedy, owner in told:
        assert message.endswith(".") and remedy.rstrip(")").endswith((".", "createdAt")), remedy
        assert owner.casefold() in message.casefold().replace("stack exchange", "stack"), message
        assert "Check which columns" not in remedy and len(remedy.split()) >= 4, remedy
        others = {other for _, _, other in told if other not in (owner, "", "Chat", "Table", "Front", "Teams")}
        assert not [other for other in others if other in remedy and other not in message], remedy


@pytest.mark.parametrize(
    ("content", "helps"),
    [
        ([{"messages": [{"role": "user", "content": "Is it dark in there?"}]}], "assistant's turn"),
        ("question,answer\nIs it dark?,\nWhere is it?,\n", "which columns"),
        ("From a@b.co Mon Jan  5 10:00:00 2026\nFrom: a@b.co\nTo: help@c.co\nSubject: x\n\nDark?\n", "Sent"),
        ([{"number": 1, "title": "a", "body": "It leaks.", "state": "OPEN", "author": {"login": "ada"},
           "comments": [{"author": {"login": "ada"}, "body": "Still.", "createdAt": "2025-01-02"}]}], "gh issue list"),
    ],
)  # fmt: skip
def test_where_nothing_is_left_the_advice_is_for_that_file(tmp_path: Path, content: object, helps: str) -> None:
    with pytest.raises(TicketsError) as caught:
        prepared([write(tmp_path / "t", content)], tmp_path / "out")  # type: ignore[arg-type]
    assert helps in caught.value.remedy
