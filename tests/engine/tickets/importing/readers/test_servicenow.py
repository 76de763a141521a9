from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import detect
from tests.engine.tickets.exports import lines, only, read, said, write

HEADER = '"number","caller_id","short_description","description","state","sys_created_on","comments"\n'
JOURNAL = (
    "2019-10-15 03:31:23 - Cleo Agent (Additional comments)\nPlease retry\n\nand wait\n\n"
    "2019-10-15 03:00:00 - Cleo Agent (Work notes)\nHe again\n\n"
    "2019-10-15 02:25:50 - Ada Lane (Additional comments)\nStill down"
)
ROW = f'"INC1","Ada Lane","VPN","VPN is down","Closed","2019-10-15 02:00:00","{JOURNAL}"\n'
EXPECTED = [
    ("user", "public", "VPN is down"),
    ("user", "public", "Still down"),
    ("assistant", "note", "He again"),
    ("assistant", "public", "Please retry\n\nand wait"),
]


def test_the_journal_is_turned_to_oldest_first(tmp_path: Path) -> None:
    found = only(write(tmp_path / "t.csv", HEADER + ROW))
    assert said(found) == EXPECTED
    assert found.people == ("Ada Lane", "Cleo Agent")


def test_breaks_and_other_dates_are_read(tmp_path: Path) -> None:
    journal = JOURNAL.replace("\n", "<br/>").replace("2019-10-15", "15-Oct-2019")
    row = f'"INC1","Ada Lane","VPN","VPN is down","Closed","2019-10-15 02:00:00","{journal}"\n'
    assert said(only(write(tmp_path / "t.csv", HEADER + row))) == EXPECTED


def test_windows_1252_is_found_out(tmp_path: Path) -> None:
    row = ROW.replace("VPN is down", "Café – “down” für über 5 €").encode("cp1252")
    path = write(tmp_path / "t.csv", HEADER.encode() + row * 3)
    assert detect([path]).encoding == "cp1252"
    assert read(path)[0].messages[0].content == "Café – “down” für über 5 €"


def test_labels_instead_of_field_names_are_known(tmp_path: Path) -> None:
    header = '"Number","Caller","Short description","Description","State","Created","Comments and Work notes"\n'
    assert said(only(write(tmp_path / "t.csv", header + ROW))) == EXPECTED


def test_journal_rows_join_their_incident(tmp_path: Path) -> None:
    incident = {"sys_id": "abc", "number": "INC1", "caller_id": {"display_value": "ada"}, "short_description": "VPN"}
    rows = [
        {
            "element": "work_notes",
            "element_id": "abc",
            "value": "He again",
            "sys_created_by": "cleo",
            "sys_created_on": "2019-10-15 03:00:00",
        },
        {
            "element": "comments",
            "element_id": "abc",
            "value": "Retry",
            "sys_created_by": "cleo",
            "sys_created_on": "2019-10-15 03:01:00",
        },
        {
            "element": "comments",
            "element_id": "abc",
            "value": "Down",
            "sys_created_by": "ada",
            "sys_created_on": "2019-10-15 02:00:00",
        },
    ]
    incident["sys_created_on"] = "2019-10-15 01:00:00"
    files = write(tmp_path / "j.json", lines(*rows)), write(tmp_path / "i.json", {"result": [incident]})
    found = only(*files)
    assert said(found) == [
        ("user", "public", "VPN"),
        ("user", "public", "Down"),
        ("assistant", "note", "He again"),
        ("assistant", "public", "Retry"),
    ]
    assert found.id == "INC1"


def test_a_list_without_journal_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "number,caller_id,short_description,state\nINC1,Ada,VPN,Closed\n")
    with pytest.raises(TicketsError, match=r"without their comments.*Additional comments"):
        detect([path])


@pytest.mark.parametrize(("author", "kind"), [("Virtual Agent", "bot"), ("System", "system"), ("Cleo", "public")])
def test_what_a_machine_wrote_into_the_journal_is_told_by_its_name(tmp_path: Path, author: str, kind: str) -> None:
    journal = f"2019-10-15 03:01:00 - {author} (Additional comments)\nRetry"
    row = {"number": "INC1", "short_description": "VPN", "comments": journal, "caller_id": "Ada"}
    assert said(only(write(tmp_path / "i.json", {"result": [row]})))[1] == ("assistant", kind, "Retry")


@pytest.mark.parametrize("caller", ["Ada Lane", "u1"])
def test_rows_of_a_user_are_the_callers_by_his_name_or_through_sys_user(tmp_path: Path, caller: str) -> None:
    incident = (
        "sys_id,number,caller_id,short_description,sys_created_on\ni1,INC1," + caller + ",VPN,2019-10-15 01:00:00\n"
    )
    rows = "element,element_id,value,sys_created_by,sys_created_on\n"
    rows += "comments,i1,Down,ada.lane,2019-10-15 02:00:00\ncomments,i1,Retry,cleo,2019-10-15 03:00:00\n"
    users = "sys_id,user_name,name\nu1,ada.lane,Ada Lane\nu2,cleo,Cleo Agent\n"
    files = [write(tmp_path / "i.csv", incident), write(tmp_path / "j.csv", rows), write(tmp_path / "u.csv", users)]
    assert detect(files).format == "servicenow"
    found = only(*files)
    assert said(found) == [("user", "public", "VPN"), ("user", "public", "Down"), ("assistant", "public", "Retry")]
    assert found.people == ("Ada Lane", "Cleo Agent")
