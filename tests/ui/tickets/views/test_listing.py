from dataclasses import replace

import pytest

from engine.tickets.dataset.stored import StoredConversation
from engine.tickets.importing.detect import Detection
from tests.ui.fake_tickets import HOSTILE, FakeDataSet
from ui.tickets.views import listing


def test_the_numbers_lead_from_tickets_to_the_two_parts():
    shown = listing.summary(FakeDataSet().report)
    for text in ("65", "tickets read", "54", "to learn from", "held out to measure", "3 × no agent answer"):
        assert text in shown
    assert "7 e-mail addresses · 1 phone number" in shown
    assert 'data-mode="left_out"' in shown
    assert 'data-mode="masked"' in shown


def test_what_the_person_left_out_is_told_apart_and_leads_to_the_changes():
    report = replace(FakeDataSet().report, dropped={"no agent answer": 3, "dropped by you": 2})
    shown = listing.summary(report)
    assert shown.index("3 × no agent answer") < shown.index("Changed by you") < shown.index("2 × dropped by you")
    assert 'data-mode="changed"' in shown


@pytest.mark.parametrize(
    "draw",
    [
        lambda data: listing.conversation_list(data.page(0, 20)[0], "1000"),
        lambda data: listing.left_out_list(data.left_out(0, 20)[0]),
        lambda data: listing.title(HOSTILE, data.report, "today"),
        lambda _: listing.detection(Detection("table", HOSTILE, HOSTILE, "utf-8", files=((HOSTILE, "table"),) * 2)),
        lambda _: listing.sample_table(Detection("table", "", "", "", columns=(HOSTILE,), sample=((HOSTILE,),))),
    ],
)
def test_text_from_outside_is_never_a_part_of_the_page(draw):
    shown = draw(FakeDataSet())
    assert "<img" not in shown


def test_the_selected_conversation_is_marked_for_eyes_and_for_screen_readers():
    rows, _ = FakeDataSet().page(0, 3)
    shown = listing.conversation_list(rows, "1001")
    assert shown.count('aria-current="true"') == 1
    assert "list-row selected" in shown


def test_a_conversation_without_subject_is_called_by_its_question():
    rows, _ = FakeDataSet().page(1, 1)
    assert listing.title_of(rows[0]).startswith("Where is parcel 1?")
    assert listing.title_of(StoredConversation("7", ())) == "(no text)"


def test_an_unknown_kind_of_personal_data_has_a_name():
    assert listing.kind_name("EMAIL", 2) == "e-mail addresses"
    assert listing.kind_name("TAX_NUMBER", 2) == "tax number"


def test_the_first_rows_show_which_column_is_what():
    found = Detection(
        "table", "Table", "", "", columns=("Frage", "Antwort"), mapping={"question": "Frage"}, sample=(("a", "b"),)
    )
    assert "<b>question</b>" in listing.sample_table(found)


def test_a_file_that_breaks_off_is_said_in_the_first_line_and_once() -> None:
    said = "t.json: 18 of an unknown number of tickets; the file breaks off at byte 4,711."
    report = replace(FakeDataSet().report, broken_off=[said], warnings=[said, "Look through the masked list."])
    shown = listing.summary(report)
    assert shown.count(said) == 1
    assert shown.index(said) < shown.index("tickets read") < shown.index("Look through the masked list.")
