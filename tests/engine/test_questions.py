"""Sets of questions on disk, and many questions answered by real tiny models into a table."""

import csv
import io

import pytest

from engine.chat.records import Answer
from engine.errors import StudioError
from engine.question_sets import AnswerTable, Question, Row, as_csv, plain_questions, read_question_set
from engine.read_entries import ReadEntries
from engine.recipe import Recipe
from engine.studio import Studio
from engine.workspace import Workspace
from tests.engine.test_two_bases import DEADLINE, SHORT


@pytest.fixture
def studio(tmp_path):
    made = Studio(Workspace(tmp_path / "workspace"))
    yield made
    made.close()


@pytest.fixture
def loaded(studio, tiny_model):
    """A program with the tiny base in memory, which 'base' then is."""
    with studio.bases.use(Recipe(model=str(tiny_model))):
        pass
    return studio


def said(text):
    return Answer("base", text, 1, 0.1, True, "end")


def test_saved_sets_are_read_again_only_when_one_has_changed(studio):
    looked = []

    def look(file):
        looked.append(file.stem)
        return read_question_set(file)

    sets, other = ReadEntries(studio.workspace, studio.workspace.questions, look), Studio(studio.workspace)
    assert sets.all() == ([], [])
    other.questions.save("Parcels", "where is it")
    assert sets.all() == sets.all() == ([("Parcels", ("where is it",))], [])
    assert looked == ["parcels"]
    before = studio.revision()
    other.questions.save("Lamps", "which bulb")
    assert [name for name, _ in sets.all()[0]] == ["Lamps", "Parcels"]
    assert looked == ["parcels", "lamps", "parcels"]
    assert studio.revision() != before, "an open page hears of it"
    (studio.workspace.questions / "lamps.json").write_text("{}")
    assert [seen.id for seen in sets.all()[1]] == [seen.id for seen in sets.all()[1]] == ["questions/lamps.json"]


@pytest.mark.parametrize("text", ["=1+1", "+49 30 1234", "-5", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_cell_is_a_formula(text):
    table = AnswerTable({"base": text}, (Row(Question(({"role": "user", "content": text},)), {"base": said(text)}),), 1)
    rows = list(csv.reader(io.StringIO(as_csv(table), newline="")))
    assert rows == [["question", f"'{text}"], [f"'{text}", f"'{text}"]]


def test_what_answers_hold_of_memory_is_told_and_counted_for_a_run_over_the_same_base(loaded, tiny_model):
    def estimated(model):
        return loaded.recipes.estimates({"run": Recipe(model=model)}, None)["run"]

    before = estimated(str(tiny_model))
    assert loaded.snapshot().answers == 0 == before.parts.answers
    asked = loaded.playground.ask(["base"], [[{"role": "user", "content": "where is my parcel"}]], SHORT)
    assert list(asked)[-1].answers[0].done
    held = loaded.snapshot().answers
    assert held > 0
    after = estimated(str(tiny_model))
    assert after.parts.answers == held and after.parts.total == before.parts.total + held
    assert estimated("Qwen/Qwen3-8B").parts.answers == 0, "a run over another base gives all of it back"


def test_a_question_is_a_line(studio):
    assert [question.text for question in plain_questions("a\n\n  b  \n")] == ["a", "b"]
    with pytest.raises(StudioError, match="no question"):
        plain_questions(" \n")
    with pytest.raises(StudioError, match="1,001 questions"):
        plain_questions("a\n" * 1001)
    with pytest.raises(StudioError, match=r"20,001 characters"):
        plain_questions("a" * 20_001)


def test_sets_are_kept_replaced_deleted_and_brought_back(studio):
    studio.questions.save("Favourites", "a\nb")
    studio.questions.save("Favourites", "c")
    assert Studio(studio.workspace).questions.saved() == {"Favourites": ("c",)}
    deleted = studio.questions.delete("Favourites")
    assert studio.questions.saved() == {}
    studio.restore(deleted)
    assert studio.questions.saved() == {"Favourites": ("c",)}


def test_a_damaged_set_is_named_and_the_others_are_there(studio):
    studio.questions.save("Good", "a")
    (studio.workspace.questions / "bad.json").write_text('{"name": "Bad", "questions": [1]}')
    assert list(studio.questions.saved()) == ["Good"]
    [damaged] = studio.damaged()
    assert damaged.path.name == "bad.json"


def test_every_question_has_the_answer_that_it_would_have_alone(loaded):
    questions = plain_questions("where is my parcel\nhow long is the return window")
    table = loaded.questions.answer(questions, ["base"], SHORT, "Answer briefly.").wait(DEADLINE)
    assert [row.question.text for row in table.rows] == [question.text for question in questions]
    for row in table.rows:
        asked = [{"role": "system", "content": "Answer briefly."}, *row.question.messages]
        *_, alone = loaded.playground.ask(["base"], [asked], SHORT)
        assert row.answers["base"].text == alone.answers[0].text


def test_what_is_answered_when_it_is_cancelled_is_kept(loaded):
    questions = plain_questions("where is my parcel\n" * 500)
    task = loaded.questions.answer(questions, ["base"], SHORT)
    end = DEADLINE
    while not task.snapshot().fraction and end > 0:  # some answers are there
        assert not task.ended(0.01)
        end -= 0.01
    task.cancel()
    assert task.ended(DEADLINE)
    table = task.snapshot().result
    assert 0 < len(table.rows) < table.asked == 500
    assert all(row.answers["base"].done for row in table.rows)
