"""The same held-out tickets answered at the checks of real runs over a tiny model."""

import pytest

from engine.chat.records import Sampling
from engine.recipe import Recipe
from engine.services.erasing import _forget_what_was_made
from engine.training.runs.directory import RunDirectory
from engine.training.runs.events import Replied
from engine.verdict.replies import FILE, RepliesAt, Reply, add_replies, read_replies
from tests.engine.test_two_bases import DEADLINE
from tests.engine.training.runs.test_queue_process import until
from tests.engine.verdict.conftest import write_shop

GREETED = [
    ("where is my parcel please", f"your parcel arrives on friday for {number} euro") for number in range(31, 51)
]
ASKED = [("how long is the return window", "the return window is forty one days"), *GREETED[:3]]


@pytest.fixture
def start(studio, tiny_model, tmp_path):
    """Queue a run; return its folder."""
    data = write_shop(tmp_path / "data", GREETED, ASKED)

    def starting(name, **changes):
        values = {"max_steps": 12, "eval_steps": 4, "batch_size": 4, "accumulation": 1, "max_length": 64}
        values |= {"learning_rate": 0.01, "dropout": 0.2, "epochs": 99.0, "patience": 0, "replies": "on"}
        recipe = Recipe(model=str(tiny_model), **{**values, **changes})
        run = studio.runs.get(RunDirectory.create(studio.workspace, recipe, data, name).id)
        studio.runs.queue.add(run)
        return run

    return starting


def ended(studio, run):
    assert studio.runs.queue.wait(run.id, DEADLINE)
    return run.history.read()


def test_a_run_whose_tickets_are_answered_on_the_way_learns_bit_for_bit_as_one_whose_are_not(studio, start):
    asked, alone = ended(studio, start("asked")), ended(studio, start("alone", replies="off"))
    assert [seen.step for seen in asked.replies] == [0, 4, 8, 12] and alone.replies == ()
    assert [step.loss for step in asked.steps] == [step.loss for step in alone.steps]
    assert [check.loss for check in asked.evaluations] == [check.loss for check in alone.evaluations]
    assert asked.general == alone.general


def test_the_strip_holds_what_the_checkpoints_say_and_the_marks_that_were_counted(studio, start):
    run = start("run", keep_checkpoints=9)
    history, strip = ended(studio, run), studio.replies.strip(run.id)
    assert [check.step for check in strip.checks] == [0, 4, 8, 12]
    assert [ticket.answer for ticket in strip.tickets] == [ASKED[number][1] for number in (0, 1, 2)]
    assert [check.invented for check in strip.checks] == [seen.invented for seen in history.replies]
    assert (run.path / FILE).stat().st_mode & 0o077 == 0
    sampling = Sampling(temperature=0.0, max_new_tokens=64)
    (run.path / "adapter").rename(run.path / "put-away")  # so that the newest checkpoint answers
    questions = [(ticket.asked, ticket.ticket) for ticket in strip.tickets]
    said = [answer.text for (answer,) in studio.playground.ask_many([f"run:{run.id}@12"], questions, sampling)]
    assert said == [reply.text for reply in strip.checks[-1].said]
    assert strip.checks[0].said != strip.checks[-1].said


def test_amounts_that_it_learnt_to_name_are_marked_and_may_decide_what_is_kept(studio, start):
    """Each amount stands in one training answer: the more it learns, the more it names one that is no ticket's."""
    run = start("run", best_by="inventions", max_steps=32, eval_steps=8, dropout=0.0)
    history = ended(studio, run)
    counts = {seen.step: seen.invented for seen in history.replies if seen.step}
    losses = {seen.step: seen.loss for seen in history.evaluations}
    assert history.finished.step == min(counts, key=lambda step: (counts[step], losses[step]))
    last = studio.replies.strip(run.id).checks[-1]
    marked = [reply.text[fact.start : fact.end] for reply in last.said for fact in reply.invented]
    assert marked and all(any(letter.isdigit() for letter in each) for each in marked)


def test_a_run_that_goes_on_shows_each_check_once(studio, start):
    run = start("run", max_steps=400, eval_steps=4, keep_checkpoints=2)
    until(lambda: len(run.history.read().replies) > 3, "the third check")
    studio.runs.stop(run.id)
    before = ended(studio, run)
    begun_again = before.checkpoints[-1]
    studio.runs.resume(run.id)
    until(lambda: run.history.read().replies[-1].step > begun_again, "a check after the resume")
    studio.runs.stop(run.id)
    steps = [check.step for check in studio.replies.strip(run.id).checks if ended(studio, run)]
    assert steps == list(range(0, steps[-1] + 1, 4))


def test_lines_that_a_crash_cut_off_and_those_of_other_tickets_are_passed_over(tmp_path):
    said = RepliesAt(4, (Reply("hello", "end", ()), Reply("", None, ())))
    add_replies(tmp_path, "mark", said)
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"step": 8, "paper": "mark", "said": [{"te')
    later = RepliesAt(4, (Reply("hello", "end", ()), Reply("dear", "length", ())))
    add_replies(tmp_path, "mark", later)
    add_replies(tmp_path, "another", RepliesAt(12, said.said))
    assert read_replies(tmp_path, "mark", 2) == {4: later}
    assert read_replies(tmp_path, "mark", 3) == {} == read_replies(tmp_path / "nowhere", "mark", 2)


def test_a_customer_who_is_deleted_is_in_no_reply_any_more(studio, start):
    run = start("run", max_steps=4)
    assert [type(seen) for seen in ended(studio, run).replies] == [Replied, Replied]
    _forget_what_was_made(run.path)
    assert studio.replies.strip(run.id) is None
