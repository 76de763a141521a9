"""What voices have invented, against real data sets: which tickets count, and what happens without any."""

import json

import pytest

from engine.chat.records import Voice
from engine.question_sets import plain_questions
from engine.recipe import Recipe
from engine.studio import Studio
from engine.workspace import Workspace
from tests.engine.test_two_bases import DEADLINE, SHORT
from tests.engine.tickets.exports import comment, lines, write, zendesk

BASE = Voice("base", "Base model", "", None)
ASKED = [{"role": "user", "content": "How long is the kettle of order 5260 at the tinsmith?"}]


@pytest.fixture
def studio(tmp_path):
    made = Studio(Workspace(tmp_path / "workspace"))
    yield made
    made.close()


@pytest.fixture
def dataset(studio, tmp_path):
    """Ten tickets; two agents promise 31 days, one names 9 days."""
    talks = [f"Send your {thing} back within 31 days." for thing in ("carpet", "sofa")]
    talks += ["The kettle takes 9 days at the tinsmith's.", *(f"Wash the {n} curtains cold." for n in "abcdefg")]
    rows = [
        zendesk(n, comment(100 + n, f"Question {n} about {told}"), comment(9, told), requester_id=100 + n)
        for n, told in enumerate(talks, 1)
    ]
    return studio.tickets.prepare([write(tmp_path / "export.json", lines(*rows))], "Shop").wait(DEADLINE)


def found(studio, answer, dataset, **more):
    facts = studio.facts.inventions([BASE], ASKED, {"base": answer}, dataset, patience=DEADLINE, **more)
    return None if facts is None else [answer[fact.start : fact.end] for fact in facts["base"]]


def test_what_agents_the_ticket_or_a_near_one_say_is_no_invention(studio, dataset):
    answer = "Order 5260: you have 31 days, the tinsmith needs 9 days, and 12 days for the post."
    assert found(studio, answer, dataset) == ["12 days"]
    assert found(studio, answer, dataset, reference="It is 12 days by post.") == []


def test_without_a_data_set_nobody_says_what_is_invented(studio):
    assert found(studio, "It takes 12 days.", "") is None


def test_tickets_that_change_are_read_anew(studio, dataset):
    assert found(studio, "Within 44 days.", dataset) == ["44 days"]
    train = studio.tickets.get(dataset).folder / "train.jsonl"
    row = json.loads(train.read_text().splitlines()[0])
    row["messages"][-1]["content"] = "Within 44 days."
    train.write_text(train.read_text() + (json.dumps(row) + "\n") * 2)
    assert found(studio, "Within 44 days.", dataset) == []


def test_many_questions_say_what_each_voice_has_invented(studio, dataset, tiny_model):
    with studio.bases.use(Recipe(model=str(tiny_model))):
        pass
    table = studio.questions.answer(plain_questions("my kettle drips"), ["base"], SHORT, "", dataset).wait(DEADLINE)
    [row] = table.rows
    text = row.answers["base"].text
    assert row.inventions is not None
    assert [text[f.start : f.end] for f in row.inventions["base"]] == (found(studio, text, dataset) or [])
