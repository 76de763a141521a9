"""Masking and look-up on the way through: in requests of programs, and in an agent's drafts."""

import pytest

from engine.chat.passing_on import PASS_ON
from engine.errors import StudioError
from tests.engine.serving.test_openai_client import chat, long_answer

TICKET = "where is my parcel please? my mail is ada@shop.example"


def test_a_masked_request_is_read_with_placeholders(client):
    asked = [{"role": "user", "content": TICKET}]
    masked = [{"role": "user", "content": TICKET.replace("ada@shop.example", "[EMAIL_1]")}]
    settings = long_answer(client, 8)
    said = chat(client, messages=asked, extra_body={"mask": True}, **settings)
    assert said.metadata["masked_values"] == 1
    assert said.usage.prompt_tokens == chat(client, messages=masked, **settings).usage.prompt_tokens
    assert chat(client, messages=asked, **settings).metadata["masked_values"] == 0


def test_the_tickets_that_were_looked_up_are_told(client, studio, tmp_path):
    folder = studio.workspace.datasets / "20260101-000000-shop"
    _make_data_set(folder)
    studio.endpoint.look_up_in(folder.name)
    try:
        said = chat(client, extra_body={"lookup": True}, max_tokens=4)
        found = said.metadata["tickets"]
        assert found
        assert set(found[0]) == {"ticket", "nearness"}
        assert said.usage.prompt_tokens > chat(client, max_tokens=4).usage.prompt_tokens
        assert "tickets" not in chat(client, max_tokens=4).metadata
        *_, last = chat(client, extra_body={"lookup": True}, max_tokens=4, stream=True)
        assert last.metadata["tickets"] == found
    finally:
        studio.endpoint.look_up_in("")


def test_a_strange_question_is_passed_to_a_person_where_a_program_wants_that(client, studio):
    import openai

    folder = studio.workspace.datasets / "20260102-000000-shop"
    _make_data_set(folder)
    studio.endpoint.look_up_in(folder.name)
    strange = [{"role": "user", "content": "Do you hire quantum plumbers?"}]
    try:
        said = chat(client, messages=strange, extra_body={"least_coverage": 0.5}, max_tokens=4)
        assert said.choices[0].message.content == PASS_ON and "Of 100 questions" in said.metadata["note"]
        assert chat(client, messages=strange, max_tokens=4).choices[0].message.content != PASS_ON
        with pytest.raises(openai.BadRequestError, match="least_coverage"):
            chat(client, messages=strange, extra_body={"least_coverage": 2})
    finally:
        studio.endpoint.look_up_in("")


def _make_data_set(folder):
    from engine.tickets.dataset.files import REPORT
    from engine.tickets.preparing.report import Report
    from engine.workspace import write_json
    from tests.tiny import write_data

    write_data(folder)
    write_json(folder / REPORT, Report("json", 24, 24, train=20, heldout=4).to_json())


def test_look_up_without_tickets_is_refused_in_words(client):
    import openai

    with pytest.raises(openai.BadRequestError, match="no tickets to look up"):
        chat(client, extra_body={"lookup": True})


def test_a_draft_grows_and_says_what_the_model_did_not_read(studio):
    voice = studio.endpoint.endpoint.model("friendly").voice.id
    drafts = list(studio.endpoint.draft(TICKET, voice, lookup=False))
    assert drafts[0].stage == "Reading the ticket"
    assert all(draft.hidden == (("[EMAIL_1]", "ada@shop.example"),) for draft in drafts)
    assert [draft.done for draft in drafts] == [False] * (len(drafts) - 1) + [True]
    assert drafts[-1].stage == ""
    assert drafts[-1].stopped_by in {"end", "length"}


def test_a_draft_is_stopped_by_whoever_asked(studio):
    voice = studio.endpoint.endpoint.model("friendly").voice.id
    drafting = studio.endpoint.draft(TICKET, voice, lookup=False, session="agent")
    next(drafting)
    next(drafting)
    studio.playground.stop("agent")
    *_, last = drafting
    assert last.stopped_by == "cancelled"


def test_there_is_no_draft_without_a_ticket(studio):
    with pytest.raises(StudioError, match="no ticket yet"):
        list(studio.endpoint.draft("  \n", "base", lookup=False))
