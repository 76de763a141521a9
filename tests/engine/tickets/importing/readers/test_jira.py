import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import detect
from engine.tickets.importing.readers.adf import adf_to_text, wiki_to_text
from engine.tickets.preparing.pipeline import prepare
from tests.engine.tickets.exports import only, read, said, write

HEADER = "Summary,Issue key,Issue id,Status,Reporter,Created,Description,Comment,Comment,Comment\n"
ROW = (
    'Lamp,SUP-1,1,Done,qm:7,02/Jan/25 10:00 AM,"It is dark; very, dark",'
    '"02/Jan/25 10:05 AM;557058:9;Try; this.\n{code}on{code}",'
    '"02/Jan/25 10:09 AM;qm:7;Thanks!",\n'
)


def test_repeated_comment_columns_are_all_read(tmp_path: Path) -> None:
    found = only(write(tmp_path / "t.csv", HEADER + ROW))
    assert said(found) == [
        ("user", "public", "It is dark; very, dark"),
        ("assistant", "public", "Try; this.\n```on```"),
        ("user", "public", "Thanks!"),
    ]
    assert (found.id, found.status, found.customer) == ("SUP-1", "Done", "qm:7")


def test_german_headers_are_known(tmp_path: Path) -> None:
    header = "Zusammenfassung;Vorgangsschlüssel;Status;Autor;Erstellt;Beschreibung;Kommentar;Kommentar\n"
    row = "Lampe;SUP-1;Fertig;qm:7;02.01.2025 10:00;Es ist dunkel.;02.01.2025 10:05;\n".replace(
        ";02.01.2025 10:05;\n", ';"02.01.2025 10:05;557058:9;Bitte einschalten.";\n'
    )
    found = only(write(tmp_path / "t.csv", header + row))
    assert [role for role, _, _ in said(found)] == ["user", "assistant"]


def test_the_csv_warns_that_internal_comments_are_not_marked(tmp_path: Path) -> None:
    report = prepare([write(tmp_path / "t.csv", HEADER + ROW)], tmp_path / "out")
    assert any("internal" in warning for warning in report.warnings)


def test_issues_without_comments_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TicketsError, match=r"without their comments.*all fields"):
        detect([write(tmp_path / "t.csv", "Summary,Issue key,Status\nLamp,SUP-1,Done\n")])


def doc(*content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "doc", "version": 1, "content": list(content)}


def paragraph(*content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "paragraph", "content": list(content)}


def text(words: str, *marks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": words, "marks": list(marks)}


def comment(account: str, body: Any, kind: str = "atlassian", **more: Any) -> dict[str, Any]:
    return {"author": {"accountId": account, "accountType": kind, "displayName": account}, "body": body, **more}


def test_json_of_version_three_with_internal_comments(tmp_path: Path) -> None:
    issue = {
        "key": "SUP-2",
        "fields": {
            "summary": "Lamp",
            "description": doc(paragraph(text("It is dark."))),
            "reporter": {"accountId": "c7", "accountType": "customer", "displayName": "Ada Lane"},
            "created": "2025-01-02T10:00:00.000+0000",
            "labels": ["lamp"],
            "comment": {
                "comments": [
                    comment(
                        "a9", doc(paragraph(text("Press it."))), created="2025-01-02T10:01:00.000+0000", jsdPublic=True
                    ),
                    comment("a9", "He again", created="2025-01-02T10:02:00.000+0000", jsdPublic=False),
                    comment("x1", "Automated", "app", created="2025-01-02T10:03:00.000+0000"),
                    comment("c8", "Same here", "customer", created="2025-01-02T10:04:00.000+0000"),
                ]
            },
        },
    }
    found = only(write(tmp_path / "t.json", {"issues": [issue], "total": 1}))
    assert said(found) == [
        ("user", "public", "It is dark."),
        ("assistant", "public", "Press it."),
        ("assistant", "note", "He again"),
        ("assistant", "bot", "Automated"),
        ("user", "public", "Same here"),
    ]
    assert len(read(write(tmp_path / "l.json", json.dumps(issue) + "\n"))) == 1


def test_adf_keeps_lists_links_and_code() -> None:
    link = {"type": "link", "attrs": {"href": "https://example.com/a"}}
    item = {"type": "listItem", "content": [paragraph(text("one"))]}
    tree = doc(
        paragraph(text("See "), text("this", link), {"type": "hardBreak"}, text("x", {"type": "code"})),
        {"type": "orderedList", "content": [item, item]},
        {"type": "codeBlock", "content": [text("a = 1")]},
        {"type": "panel", "content": [paragraph({"type": "mention", "attrs": {"text": "@Ada"}}, text("mind"))]},
        {"type": "mediaSingle", "content": [{"type": "media", "attrs": {"id": "1"}}]},
    )
    assert adf_to_text(tree) == "See [this](https://example.com/a)\n`x`\n\n1. one\n2. one\n\n```\na = 1\n```\n\nmind"


def test_adf_that_never_ends_is_cut() -> None:
    tree: dict[str, Any] = paragraph(text("deep"))
    for _ in range(5000):
        tree = {"type": "panel", "content": [tree]}
    assert adf_to_text(tree) == ""


def test_wiki_markup_becomes_markdown() -> None:
    link = "[here|https://example.com/a]"
    markup = f"h2. Steps\n{{color:red}}Press{{color}} {link} [~ada]!shot.png|thumbnail!\n{{noformat}}x{{noformat}}"
    assert wiki_to_text(markup) == "## Steps\nPress [here](https://example.com/a) \n```x```"
    assert wiki_to_text("{quote}all{quote}") == "{quote}all{quote}"


def test_what_automation_wrote_is_a_bots_in_both_shapes(tmp_path: Path) -> None:
    row = ROW.replace("557058:9;Try; this.\n{code}on{code}", "Automation for Jira;We got it.")
    assert said(only(write(tmp_path / "t.csv", HEADER + row)))[1] == ("assistant", "bot", "We got it.")
    comment = {"author": {"accountId": "9", "displayName": "Automation for Jira"}, "body": "We got it.", "created": "x"}
    fields = {"summary": "Lamp", "description": "Dark?", "comment": {"comments": [comment]}}
    assert said(only(write(tmp_path / "t.json", {"key": "SUP-1", "fields": fields})))[1][1] == "bot"


def test_whose_columns_are_known_is_not_asked_which_is_what(tmp_path: Path) -> None:
    found = detect([write(tmp_path / "t.csv", HEADER + ROW)])
    assert (found.unclear, found.likely, found.doubts) == (False, {}, ())
