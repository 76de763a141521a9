"""What the tab 'Verdict' shows of a verdict: sentence, figures, tickets, two runs."""

import re
from dataclasses import replace

import pytest

from engine.recipe import Recipe
from engine.verdict.comparing import beside
from engine.verdict.intervals import Interval
from tests.ui.fake_verdict import made_verdict
from ui.verdict import ticket_views, two_runs, views


@pytest.fixture(scope="module")
def found():
    return made_verdict("r1", "Run 1")


def test_the_sentence_stands_first_and_says_how_sure_it_is(found):
    shown = views.sentence(found, found.made)
    assert found.sentence in shown
    assert "Worth it" in shown
    assert shown.index(found.sentence) < shown.index("Your best alternative")
    assert "19 held-out tickets" in shown and "12 groups" in shown


def test_a_range_that_is_wider_than_the_tables_says_why(found):
    assert found.headline.difference.low < found.differences[found.headline.alternative]["chrf"].low
    assert "Wider than in the table" in views.sentence(found, found.made)


@pytest.mark.parametrize("kind", views.KINDS)
def test_every_kind_of_verdict_has_a_word_and_a_sign_beside_its_colour(found, kind):
    shown = views.sentence(replace(found, kind=kind), found.made)
    assert views.KINDS[kind] in shown and "<svg" in shown


def test_every_voice_is_a_column_and_every_figure_a_button_that_names_itself(found):
    shown = views.table(found)
    assert shown.count('scope="col"') == 6
    buttons = re.findall(r'data-voice="([^"]+)" data-measure="([^"]+)"', shown)
    assert len(buttons) == len(set(buttons)) == 5 * 7 - 1  # the nearest answer has no loss; no language was told
    assert 'aria-label="Ends by itself, the base model: show the tickets' in shown


def test_the_figure_whose_tickets_are_shown_is_pressed(found):
    shown = views.table(found, ("base", "ends"))
    assert shown.count('aria-pressed="true"') == 1


def test_a_clear_difference_is_bold_and_has_its_range(found):
    apart = found.differences["base"]["chrf"]
    assert apart.is_clear
    told = (
        f'<strong>{views.difference(apart.mean, "chrf")}</strong><span class="range">{views.span(apart, "chrf")}</span>'
    )
    assert told in views.table(found)


@pytest.mark.parametrize(
    ("value", "measure", "told"),
    [
        (12.4, "chrf", "+12"),
        (-0.3, "chrf", "0"),
        (-0.25, "ends", "−25"),
        (-1.234, "loss", "−1.23"),
    ],
)
def test_a_difference_has_a_sign_unless_it_is_none(value, measure, told):
    assert views.difference(value, measure) == told


def test_a_range_without_end_is_said_in_words():
    assert views.span(Interval(-60, -130, 10, 30, 4, 3), "chrf") == "−100 to +10"
    assert views.span(Interval(0.5, -0.2, 1.2, 0.3, 4, 3), "ends") == "−20 to +100"
    assert views.span(Interval(1, -float("inf"), float("inf"), float("inf"), 3, 1), "chrf") == "cannot be told"


def test_no_ticket_is_in_two_groups_and_the_best_gains_most(found):
    groups = ticket_views.groups(found)
    shown = [ticket.ticket for tickets in groups.values() for ticket in tickets]
    assert list(groups) == ["Where it does best", "Typical", "Where it does worst"]
    assert len(shown) == len(set(shown)) == 9
    gains = [ticket_views.gain(found, ticket) for ticket in found.tickets]
    assert ticket_views.gain(found, groups["Where it does best"][0]) == max(gains)
    assert ticket_views.gain(found, groups["Where it does worst"][0]) == min(gains)


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_few_tickets_are_shown_without_a_gap(count):
    found = made_verdict("r1", "Run 1", tickets=count)
    shown = [ticket for tickets in ticket_views.groups(found).values() for ticket in tickets]
    assert len(shown) == min(count, 9)
    sizes = {name: len(tickets) for name, tickets in ticket_views.groups(found).items()}
    assert count == 1 or sizes["Where it does best"] == sizes["Where it does worst"]
    assert ticket_views.first(found) in {ticket.ticket for ticket in shown}


def test_two_runs_are_told_apart_by_tickets_and_recipes(found):
    other = made_verdict("r2", "Run 2", tuned=30.0, seed=2)
    seen = beside(found, other, Recipe(), Recipe(rank=32))
    assert seen.differences["chrf"].is_clear
    shown = two_runs.told(seen, "Run 1", "Run 2")
    assert "‘Run 1’ is better than ‘Run 2’, by " in shown
    assert "32" in shown and "(rank)" in shown


def test_runs_that_sat_other_tickets_are_not_compared(found):
    other = replace(found, tickets=tuple(replace(t, ticket=f"x{t.ticket}") for t in found.tickets))
    seen = beside(found, other, Recipe(), Recipe())
    assert "cannot be compared" in two_runs.sentence(seen, "a", "b")


def test_tickets_of_the_same_number_that_say_something_else_are_not_compared(found):
    """Two exports may both have a ticket 1001."""
    other = replace(found, tickets=tuple(replace(t, mark="another text") for t in found.tickets))
    assert beside(found, other, Recipe(), Recipe()).differences == {}


def test_the_tickets_that_a_figure_opens_have_its_mean(found):
    for voice, figures in found.figures.items():
        for measure, seen in figures.items():
            values = [ticket.scores[voice][measure] for ticket in found.tickets if measure in ticket.scores[voice]]
            assert seen.mean == pytest.approx(sum(values) / len(values))
            listed = ticket_views.listed(found, {}, voice, measure, "")
            assert listed.count("list-row") == len(values)


@pytest.mark.parametrize(("measure", "worst"), [("inventions", max), ("chrf", min), ("length", None)])
def test_the_tickets_that_a_figure_opens_begin_with_the_worst(found, measure, worst):
    voice = found.headline.tuned
    values = {ticket.ticket: ticket.scores[voice][measure] for ticket in found.tickets}
    listed = str(ticket_views.listed(found, {}, voice, measure, ""))
    first = values[listed.split('data-id="')[1].split('"')[0]]
    assert first == (worst(values.values()) if worst else max(values.values(), key=lambda value: abs(value - 1)))


def test_what_passing_strange_questions_on_would_bring_is_shown_and_nothing_where_coverage_is_not_known():
    found = made_verdict("run-1", "Run 1")
    shown = views.strange(found)
    assert "90 % (17)" in shown and "79 times of 100" in shown
    unknown = replace(found, tickets=tuple(replace(one, coverage=None) for one in found.tickets))
    assert views.strange(unknown) == ""
