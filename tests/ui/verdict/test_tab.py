"""The tab 'Verdict': a run is judged in the background, its figures open tickets, another run stands beside it."""

from dataclasses import replace

import pytest

from engine.errors import StudioError
from tests.ui.fake_tickets import HOSTILE
from tests.ui.fake_verdict import made_verdict
from tests.ui.handlers import by_id, calls, until
from ui.verdict.components import first_look


@pytest.fixture
def judged(studio):
    """A run with a verdict; its id."""
    run = studio.add_run("Run 1")
    studio.verdict.kept[run] = made_verdict(run, "Run 1")
    return run


def shown(wired, run, **look):
    return by_id(wired.handler("verdict.tab.show")(run, {**first_look(), "run": run, **look}))


def test_without_a_run_it_says_where_to_begin(wired):
    there = shown(wired, "")
    assert there["no-verdict"].visible and not there["judgement"].visible


def test_a_run_that_was_not_judged_offers_it(wired, studio):
    there = shown(wired, studio.add_run("Run 1"))
    assert "was not judged yet" in there["verdict-sentence"]
    assert there["judge"].interactive
    assert not there["verdict-figures"].visible


def test_a_run_that_has_learnt_nothing_cannot_be_judged(wired, studio):
    there = shown(wired, studio.add_run("Run 1", "running", 0, 30))
    assert "learnt nothing yet" in there["verdict-sentence"]
    assert not there["judge"].interactive


def test_judging_shows_its_progress_and_then_the_verdict(wired, studio):
    run = studio.add_run("Run 1")
    studio.go.clear()
    began = by_id(wired.handler("verdict.tab.judge")(run, first_look()))
    assert not began["judge"].interactive
    until(lambda: True if "3 of 95 answers" in shown(wired, run)["judge-progress"] else None)
    studio.go.set()
    watch = wired.handler("verdict.tab.watch")
    ended = until(lambda: seen if "verdict-table" in (seen := by_id(watch(run, first_look()))) else None)
    assert "better than your best alternative" in ended["verdict-sentence"]
    assert ended["judge"].interactive
    assert calls(studio, "judge") == [("judge", run)]


def test_a_judgement_that_fails_says_why_and_can_begin_again(wired, studio):
    run = studio.add_run("Run 1")
    studio.verdict.failure = StudioError("No ticket was held out.", "Prepare the tickets again.")
    wired.handler("verdict.tab.judge")(run, first_look())
    watch = wired.handler("verdict.tab.watch")
    ended = until(
        lambda: seen if "judge" in (seen := by_id(watch(run, first_look()))) and seen["judge"].interactive else None
    )
    assert "No ticket was held out." in ended["judge-progress"]


def test_the_coach_says_what_to_do_next_and_of_what_figure_that_comes(wired, judged):
    there = shown(wired, judged)["coach"]
    assert there.index("Train longer.") < there.index("12 of 19 end") < there.index("does not end")
    assert HOSTILE not in there


def test_the_runs_own_page_says_it_too(wired, judged, studio):
    show = wired.handler("training.tab.show")
    assert "better than your best alternative" in by_id(show(judged, []))["run-verdict"]
    other = studio.add_run("Run 2")
    assert "Was it worth it?" in by_id(show(other, []))["run-verdict"]
    assert by_id(show(studio.add_run("Run 3", "running", 3, 30), []))["run-verdict"] == ""


def test_a_figure_opens_its_tickets_and_closes_again(wired, judged, raised):
    opened = by_id(
        wired.handler("verdict.tab.open_figure")(
            raised(voice="base", measure="ends"), judged, {**first_look(), "run": judged}
        )
    )
    assert "Ends by itself: the base model (19 tickets)" in opened["verdict-tickets"]
    assert opened["verdict-tickets"].count("list-row") == 19
    again = by_id(wired.handler("verdict.tab.close_figure")(judged, {**first_look(), "run": judged}))
    assert "Where it does worst" in again["verdict-tickets"]


def test_a_ticket_is_read_side_by_side_with_all_text_as_text(wired, judged, raised):
    read = by_id(wired.handler("verdict.tab.pick")(raised(id="1003"), judged, {**first_look(), "run": judged}))[
        "verdict-ticket"
    ]
    assert "Ticket 1003" in read
    assert read.count("<section") == 6
    assert read.index("The agent") < read.index("Tuned model") < read.index("Base model with three near tickets")
    assert HOSTILE not in read and "&lt;img" in read


def test_a_ticket_that_a_figure_of_inventions_opens_has_them_marked(wired, judged, studio, raised):
    said = {"voice": f"run:{judged}", "measure": "inventions", "run": judged}
    look = {**first_look(), **said}
    read = by_id(wired.handler("verdict.tab.pick")(raised(id="1003"), judged, look))["verdict-ticket"]
    assert read.count('<mark class="invented"') == 0 and read.count("no fact from nowhere") == 5
    asked, answers = studio.verdict.answers(judged)["1003"]
    answers = {voice: replace(answer, text="Kestrel Post brings it.") for voice, answer in answers.items()}
    studio.verdict.answers = lambda run: {"1003": (asked, answers)}
    read = by_id(wired.handler("verdict.tab.pick")(raised(id="1003"), judged, look))["verdict-ticket"]
    assert read.count('<mark class="invented"') == 5 == read.count("1 fact from nowhere")


def test_what_was_looked_at_of_one_run_is_not_looked_at_of_another(wired, judged, studio):
    other = studio.add_run("Run 2")
    studio.verdict.kept[other] = made_verdict(other, "Run 2", seed=3)
    look = {**first_look(), "run": judged, "voice": f"run:{judged}", "measure": "ends", "ticket": "1003"}
    there = by_id(wired.handler("verdict.tab.show")(other, look))
    assert "Where it does best" in there["verdict-tickets"]


def test_another_judged_run_is_compared(wired, judged, studio):
    assert "No other run was judged yet" in shown(wired, judged)["verdict-compared"]
    other = studio.add_run("Run 2")
    studio.verdict.kept[other] = made_verdict(other, "Run 2", tuned=20.0, seed=3)
    compared = by_id(wired.handler("verdict.tab.compare")(other, judged, {**first_look(), "run": judged}))
    assert "‘Run 1’ is better than ‘Run 2’" in compared["verdict-compared"]
    assert "Tickets" not in compared["verdict-compared"]
    info = studio.run_infos[other]
    studio.run_infos[other] = replace(info, status=replace(info.status, dataset_name="March"))
    compared = by_id(wired.handler("verdict.tab.compare")(other, judged, {**first_look(), "run": judged}))
    assert '<th scope="row">Tickets</th><td>Sample shop</td><td>March</td>' in compared["verdict-compared"]


def test_a_run_that_has_learnt_on_since_is_to_be_judged_again(wired, judged, studio):
    assert "said of other weights" not in shown(wired, judged)["verdict-sentence"]
    studio.verdict.outdated.add(judged)
    assert "said of other weights" in shown(wired, judged)["verdict-sentence"]
    assert "Was it worth it?" in by_id(wired.handler("training.tab.show")(judged, []))["run-verdict"]
