import zipfile
from pathlib import Path

import pytest

from engine.errors import TicketsError
from tests.engine.tickets.exports import read, said, write
from tests.engine.tickets.outlook import compound_file, outlook_message

ADA, SHOP = ("Ada Lane", "ada@customer.example"), ("Cléo Desk", "support@shop.example")
QUESTION = outlook_message(
    ADA, SHOP, "Lampe", "The lamp is dark.", headers="Message-ID: <1@c>\nDate: Mon, 3 Mar 2025 09:00:00 +0000\n"
)
ANSWER = outlook_message(
    SHOP,
    ADA,
    "AW: Lampe",
    "ignored where there is a page",
    page="<p>Drücken Sie €</p>".encode("cp1252"),
    code_page=1252,
)


def test_saved_messages_are_read_as_the_mails_they_were(tmp_path: Path) -> None:
    files = [write(tmp_path / "q.msg", QUESTION), write(tmp_path / "a.msg", ANSWER)]
    (found,) = read(*files)
    assert [(role, kind, text.strip()) for role, kind, text in said(found)] == [
        ("user", "public", "The lamp is dark."),
        ("assistant", "public", "<p>Drücken Sie €</p>"),
    ]
    assert found.people == ("Ada Lane", "Cléo Desk")
    assert found.customer == "ada@customer.example"
    assert found.created_at.startswith("2025-03-03T09:00")


def test_messages_in_an_archive_are_found(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "mails.zip", "w") as archive:
        archive.writestr("q.msg", QUESTION)
        archive.writestr("a.msg", ANSWER)
    (found,) = read(tmp_path / "mails.zip")
    assert len(found.messages) == 2


@pytest.mark.parametrize("cut", [40, 700, 1500])
def test_a_damaged_message_is_told_with_what_helps(tmp_path: Path, cut: int) -> None:
    with pytest.raises(TicketsError, match=r"Outlook message \(\.msg\) that is damaged.*Save it again"):
        read(write(tmp_path / "a.msg", QUESTION[:cut]))


def test_another_compound_file_is_no_message(tmp_path: Path) -> None:
    with pytest.raises(TicketsError, match="workbook"):
        read(write(tmp_path / "a.xls", compound_file({"Something": b"else"})))


def test_a_data_file_of_outlook_is_told_how_to_open(tmp_path: Path) -> None:
    with pytest.raises(TicketsError, match=r"\.pst.*Thunderbird"):
        read(write(tmp_path / "all.pst", b"!BDN" + bytes(2000)))
