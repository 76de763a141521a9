"""What customers thought of the help, as exports write it."""

import pytest

from engine.tickets.importing.columns import guess_columns
from engine.tickets.importing.ratings import rating_of, reopened
from tests.engine.tickets.exports import comment, only, read, write, zendesk


@pytest.mark.parametrize(
    ("said", "rating"),
    [
        *[(said, "good") for said in ("good", "goodwithcomment", "Very satisfied", "5", "4", "103", "9/10", "80 %")],
        *[(said, "bad") for said in ("bad", "BadWithComment", "not-good", "2", "1", "-101", "2 of 5", "10%")],
        *[(said, "") for said in ("", "offered", "unoffered", "3", "100", "0", "7", "4711", "5/0", "later")],
    ],
)
def test_words_stars_shares_and_freshdesks_numbers_are_read(said, rating):
    assert rating_of(said) == rating


@pytest.mark.parametrize(
    ("said", "again"),
    [("2", True), ("0", False), ("", False), ("yes", True), ("no", False), ("2026-01-02T03:04Z", True)],
)
def test_reopened_is_a_count_a_yes_or_a_date(said, again):
    assert reopened(said) is again


PARTS = {"conversation_parts": []}
AT = "2026-01-02T10:00:00Z"
EXPORTS = {
    "zendesk": zendesk(
        1,
        comment(7, "Where is it?"),
        comment(9, "Here."),
        satisfaction_rating={"score": "badwithcomment"},
        metric_set={"reopens": 2},
    ),
    "intercom": {
        "type": "conversation",
        "id": "1",
        "source": {"body": "Hi", "author": {"type": "user", "id": "6"}},
        "conversation_parts": PARTS,
        "conversation_rating": {"rating": 1},
        "statistics": {"count_reopens": 1},
    },
    "freshdesk": {
        "id": 5,
        "requester_id": 1,
        "responder_id": 2,
        "description_text": "Hi",
        "description": "Hi",
        "conversations": [
            {"id": 9, "body_text": "Ok", "body": "Ok", "incoming": False, "private": False, "user_id": 2}
        ],
        "satisfaction_rating": {"ratings": {"default_question": -103}},
        "stats": {"reopened_at": AT},
    },
}


GORGIAS = {
    "id": 7,
    "created_datetime": AT,
    "messages_count": 2,
    "messages": [
        {"id": 1, "from_agent": False, "body_text": "Where is it?", "created_datetime": AT},
        {"id": 2, "from_agent": True, "body_text": "Here.", "created_datetime": AT},
    ],
    "satisfaction_survey": {"id": 3, "score": 1},
}


def chatwoot(*answers, **more):
    """A conversation whose last message, a survey, was answered so."""
    said = [
        {"id": 1, "message_type": 0, "sender_type": "Contact", "private": False, "content": "Where is it?"},
        {"id": 2, "message_type": 1, "sender_type": "User", "private": False, "content": "Here."},
    ]
    surveys = [
        {
            "id": 3 + number,
            "message_type": 3,
            "content_type": "input_csat",
            "private": False,
            "content": "How was it?",
            "content_attributes": {"submitted_values": {"csat_survey_response": {"rating": rating}}},
        }
        for number, rating in enumerate(answers)
    ]
    return {"id": 9, "messages": [*said, *surveys], **more}


@pytest.mark.parametrize(
    ("export", "rating"),
    [
        (GORGIAS, "bad"),
        ({**GORGIAS, "satisfaction_survey": {"score": 5}}, "good"),
        ({**GORGIAS, "satisfaction_survey": None}, ""),
        (chatwoot(2), "bad"),
        (chatwoot(1, 5), "good"),
        (chatwoot(3), ""),
        (chatwoot(csat_survey_response={"rating": 1}), "bad"),
        (chatwoot(), ""),
    ],
)
def test_what_was_said_in_a_survey_of_gorgias_and_of_chatwoot_is_read(export, rating, tmp_path):
    assert only(write(tmp_path / "export.json", export)).rating == rating


@pytest.mark.parametrize(("count", "again"), [("2", True), ("0", False), ({"display_value": "1", "value": "1"}, True)])
def test_a_reopened_incident_of_servicenow_is_known(count, again, tmp_path):
    incident = {
        "number": "INC0010001",
        "caller_id": "Ann Example",
        "opened_at": "2026-01-02 10:00:00",
        "description": "Where is it?",
        "short_description": "Parcel",
        "sys_id": "1",
        "reopen_count": count,
        "comments": "2026-01-02 11:00:00 - Bob Agent (Additional comments)\nHere.\n",
    }
    assert only(write(tmp_path / "export.json", {"records": [incident]})).reopened is again


@pytest.mark.parametrize("vendor", EXPORTS)
def test_readers_keep_what_the_customer_thought_and_that_it_was_opened_again(vendor, tmp_path):
    found = only(write(tmp_path / "export.json", EXPORTS[vendor]))
    assert (found.rating, found.reopened) == ("bad", True)


def test_a_tables_columns_of_ratings_are_found_by_header_and_cells(tmp_path):
    table = "id,question,answer,CSAT,Reopen count\n1,Where is it?,Here it is.,5,0\n2,And mine?,There it is.,1,3\n"
    first, second = read(write(tmp_path / "t.csv", table))
    assert (first.rating, first.reopened, second.rating, second.reopened) == ("good", False, "bad", True)
    columns, row = ("question", "answer", "rating"), ("Where?", "Here.", "front row")
    assert "rating" not in guess_columns(columns, [row])
