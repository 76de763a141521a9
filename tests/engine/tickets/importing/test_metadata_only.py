from pathlib import Path

import pytest

from engine.errors import TicketsError
from engine.tickets.importing.detect import detect
from engine.tickets.importing.metadata_only import metadata_only
from tests.engine.tickets.exports import prepared, write

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
