from pathlib import Path

import pytest

from engine.tickets.importing.readers.mailing_lists import list_mark, shown_address, without_scrubbed
from tests.engine.tickets.exports import read, write

FOOTER = "_" * 47 + "\nLamps mailing list\nLamps at lists.example\nhttps://lists.example/lamps\n"
SCRUBBED = (
    "-------------- next part --------------\nAn HTML attachment was scrubbed...\n"
    "URL: <http://lists.example/pipermail/lamps/attachments/20260105/abc/attachment.html>\n"
)
IMAGE = (
    "-------------- next part --------------\nA non-text attachment was scrubbed...\nName: dark.png\n"
    "Type: image/png\nSize: 1234 bytes\nDesc: not available\nURL: <http://lists.example/a/dark.png>\n"
)


def archived(number: int, name: str, domain: str, subject: str, body: str, answers: int | None = None) -> str:
    refers = f"In-Reply-To: <{answers}@lists.example>\nReferences: <{answers}@lists.example>\n" if answers else ""
    return (
        f"From {name} at {domain}  Mon Jan  5 1{number}:00:00 2026\nFrom: {name} at {domain} ({name.title()} Lane)\n"
        f"Date: Mon, 05 Jan 2026 1{number}:00:00 +0000\nSubject: {subject}\n{refers}"
        f"Message-ID: <{number}@lists.example>\n\n{body}\n\n"
    )


ARCHIVE = (
    archived(1, "zoe", "example.org", "[Lamps] It is dark", "My lamp is dark, what can I do?")
    + archived(2, "ben", "lamps.example", "[Lamps] It is dark", f"Turn the bulb.\n{SCRUBBED}", 1)
    + archived(3, "zoe", "example.org", "[Lamps] Re: It is dark", f"Thanks, and now?\n{FOOTER}", 2)
    + archived(4, "ben", "lamps.example", "Re: [Lamps] It is dark", f"See the picture.\n{IMAGE}{FOOTER}", 3)
)


def test_an_archive_of_mailman_is_read_as_what_was_sent(tmp_path: Path) -> None:
    (found,) = read(write(tmp_path / "2026-January.txt", ARCHIVE))
    assert [(message.role, message.content.strip()) for message in found.messages] == [
        ("user", "My lamp is dark, what can I do?"),
        ("assistant", "Turn the bulb."),
        ("user", "Thanks, and now?"),
        ("assistant", "See the picture."),
    ]
    assert (found.subject, found.customer) == ("It is dark", "zoe@example.org")
    assert set(found.people) >= {"Zoe Lane", "Ben Lane"}


def test_replies_without_references_are_found_by_the_subject_without_the_mark(tmp_path: Path) -> None:
    plain = ARCHIVE.replace("In-Reply-To", "X-Was").replace("References", "X-Were")
    assert len(read(write(tmp_path / "list.txt", plain))[0].messages) == 2


@pytest.mark.parametrize(
    "hidden",
    [
        *("ada at example.org", "ada AT example DOT org", "ada(at)example.org", "ada [at] example [dot] org"),
        *("ada(a)example.org", "ada＠example.org"),
    ],
)
def test_hidden_addresses_are_written_out(hidden: str) -> None:
    assert shown_address(f"{hidden} (Ada Lane)") == "ada@example.org (Ada Lane)"


@pytest.mark.parametrize("plain", ["Ada at work <ada@example.org>", "Team at night", "undisclosed recipients"])
def test_what_is_no_hidden_address_stays(plain: str) -> None:
    assert shown_address(plain) == plain


def test_only_a_mark_that_most_subjects_share_is_the_lists() -> None:
    assert list_mark(["[Lamps] a", "Re: [Lamps] b", "c"]) == "[Lamps]"
    assert list_mark(["[Urgent] a", "b", "c"]) == ""
    assert list_mark(["[#123] a", "[#124] b"]) == ""


def test_words_behind_a_part_that_was_text_stay() -> None:
    part = "-------------- next part --------------\n"
    assert without_scrubbed(f"One.\n{part}Two, and no scrubbing.\n") == "One.\nTwo, and no scrubbing.\n"
