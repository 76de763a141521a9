import zipfile
from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import detect
from engine.tickets.importing.files.other_kinds import binary_kind
from engine.tickets.importing.files.sources import find_sources
from tests.engine.tickets.exports import prepared, write
from tests.engine.tickets.outlook import compound_file

FILES = {
    "photo.heic": (b"\0\0\0\x18ftypheic\0\0", "an image", "picture"),
    "call.mp3": (b"ID3\x04\0\0\0\0", "a recording", "written down"),
    "call.mp4": (b"\0\0\0\x20ftypisom\0\0\x02\0", "a film", "written down"),
    "t.tar": (b"t.csv".ljust(257, b"\0") + b"ustar\x0000", "a tar archive", "Unpack"),
    "t.rar": (b"Rar!\x1a\x07\x01\0", "a RAR archive", "Unpack"),
    "t.db": (b"SQLite format 3\0", "an SQLite database", "table of the messages"),
    "t.mdb": (b"\0\x01\0\0Standard Jet DB\0", "an Access database", "table of the messages"),
    "setup.exe": (b"MZ\x90\0\x03\0\0\0", "a program", "export"),
    "model.gguf": (b"GGUF\x03\0\0\0", "a model", "Recipe"),
    "mail.pst": (b"!BDN\0\0\0\0", "Outlook data file", "Thunderbird"),
    "letter.doc": (compound_file({"WordDocument": b"Dear team"}), "a Word document", "help desk"),
    "locked.xlsx": (
        compound_file({"EncryptedPackage": b"x", "EncryptionInfo": b"y"}),
        "locked with a password",
        "copy",
    ),
}
ARCHIVES = {
    "letter.docx": ({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"}, "a Word document", "help desk"),
    "talk.pptx": ({"[Content_Types].xml": "<Types/>", "ppt/presentation.xml": "<p/>"}, "a presentation", "help desk"),
    "letter.odt": (
        {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<office/>"},
        "a document",
        "help desk",
    ),
    "t.numbers": ({"Index/Document.iwa": "x", "Metadata/DocumentIdentifier": "A"}, "Numbers", "Export To"),
    "shop.jar": ({"META-INF/MANIFEST.MF": "Manifest-Version: 1.0", "a.txt": "x"}, "a program", "export"),
    "mail.olm": ({"Accounts/a/com.microsoft.__Messages/Inbox/1.xml": "<a/>"}, "Outlook for Mac", "mbox"),
    "papers.zip": ({"a.pdf": "%PDF-1.7", "b.pdf": "%PDF-1.7"}, "only .pdf", "JSON"),
    "all.zip": ({"inner.zip": b"PK\x03\x04\0\0"}, "only .zip", "Unpack it"),
    "none.zip": ({}, "nothing in it", "again"),
}


def refusal(path: Path) -> TicketsError:
    with pytest.raises(TicketsError) as caught:
        find_sources([path])
    return caught.value


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_text_is_named_with_what_helps(tmp_path: Path, name: str) -> None:
    content, called, helps = FILES[name]
    told = refusal(write(tmp_path / name, content))
    assert called in told.message and helps in told.remedy


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_without_an_export_says_what_it_is(tmp_path: Path, name: str) -> None:
    members, called, helps = ARCHIVES[name]
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    told = refusal(tmp_path / name)
    assert called in told.message and helps in told.remedy


@pytest.mark.parametrize(
    "head", [b"ID3,question,answer\n", b"MZ,ORC\n1,2\n", b"Rar! What now?,x\n", "Über,ÄÖ\n".encode()]
)
def test_a_text_that_begins_like_something_else_is_text(head: bytes) -> None:
    assert binary_kind(head) is None


def test_pictures_that_were_chosen_with_an_export_are_passed_over_and_named(tmp_path: Path) -> None:
    photo = write(tmp_path / "lamp.jpg", b"\xff\xd8\xff\xe0\0")
    table = write(tmp_path / "t.csv", "question,answer\nDark?,Press the switch please.\n")
    found = detect([photo, table])
    assert found.cautions == ("lamp.jpg (an image): no ticket export; passed over.",)
    assert prepared([table, photo], tmp_path / "out")[0].conversations_kept == 1
    with pytest.raises(TicketsError, match="is an image"):
        detect([photo, photo])
