"""The strip of held-out tickets that are answered on the way of a run."""

import re
from dataclasses import replace

from engine.recipe import Recipe
from engine.verdict.replies import RepliesAt
from tests.ui.fake_tickets import HOSTILE
from ui.training.live import live
from ui.training.replies import CHECKS, replies, spread


def shown(studio, run):
    return str(replies(studio.runs.info(run), studio.replies.strip(run)))


def test_it_shows_the_newest_check_with_what_is_new_and_what_is_from_nowhere(studio):
    run = studio.add_run("Run 1")
    studio.replies.add(run, {0: "I do not know.", 15: "Hello, it comes.", 30: f"Hello, it comes in 7 days {HOSTILE}."})
    page = shown(studio, run)
    assert HOSTILE not in page, "what a model says is text"
    assert page.count('<div data-at="2">') == 3 and page.count("hidden>") == 6, "one check of three is seen"
    newest = page.split('<div data-at="2">')[1].split("</div>")[0]
    assert newest.startswith('<p class="said">Hello, it comes<mark class="new"> in </mark><mark class="invented"')
    assert [re.sub("<.*?>", "", mark) for mark in re.findall(r"<button.*?</button>", page)] == ["00", "150", "303"]
    assert 'value="2"' in page and "step 30: 3 facts from nowhere" in page
    assert "Before training" in page and page.count("It is on its way.") == 3


def test_one_check_is_nothing_to_move_through(studio):
    run = studio.add_run("Run 1")
    studio.replies.add(run, {15: "Hello."})
    page = shown(studio, run)
    assert " disabled" in page and "Before training" not in page


def test_a_long_run_shows_checks_of_all_of_it(studio):
    checks = [RepliesAt(step, ()) for step in range(500)]
    steps = [check.step for check in spread(checks)]
    assert len(set(steps)) == CHECKS and (steps[0], steps[-1]) == (0, 499)
    run = studio.add_run("Run 1")
    studio.replies.add(run, dict.fromkeys(range(500), "Hello, dear customer, it comes."), tickets=12)
    page = shown(studio, run)
    assert len(page) < 60_000 and "counted over 12 tickets, of which 3 are shown" in page


def test_before_the_first_reply_a_run_in_progress_says_that_it_comes_and_another_says_nothing(studio):
    run = studio.add_run("Run 1", "running", 12)
    assert "At the first check" in shown(studio, run)
    info = studio.run_infos[run]
    assert replies(replace(info, recipe=Recipe(replies="off")), None) == ""
    started = replace(info.history.started, heldout_examples=0)
    assert replies(replace(info, history=replace(info.history, started=started)), None) == ""
    assert shown(studio, studio.add_run("Run 2")) == ""


def test_an_open_page_is_told_when_a_reply_has_come(studio):
    run = studio.add_run("Run 1", "running", 12)
    before = live(studio.snapshot(), studio.runs.all(), run, [], studio.replies.strip)["run-replies"]
    studio.replies.add(run, {0: "I do not know.", 5: "Hello."})
    after = live(studio.snapshot(), studio.runs.all(), run, [], studio.replies.strip)["run-replies"]
    assert before != after and "step 5: no fact from nowhere" in after
