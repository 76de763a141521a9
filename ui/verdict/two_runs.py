"""Two judged runs beside each other: what their recipes differ in, and what came of it."""

from collections.abc import Sequence

from markupsafe import Markup

from engine.recipe import FIELDS
from engine.verdict.records import DECIDES, MEASURES, TwoRuns
from ui import words
from ui.parts import join
from ui.verdict.views import difference, span


def told(runs: TwoRuns, name: str, other: str, tickets: Sequence[str] = ("", "")) -> Markup:
    """Show how one run differs from another, in a sentence and two tables.

    Args:
        runs: The two beside each other.
        name: What the one is called.
        other: What the other one is called.
        tickets: The names of the data sets that they learnt from.
    """
    return Markup('<p class="sentence">{}</p><div class="two-tables">{}{}</div>').format(
        sentence(runs, name, other), _settings(runs, name, other, tickets), _differences(runs)
    )


def sentence(runs: TwoRuns, name: str, other: str) -> str:
    """Say which of two runs answers better, where that can be seen."""
    apart = runs.differences.get(DECIDES)
    if apart is None:
        return "They were judged by different tickets, so that they cannot be compared."
    tickets = words.count(apart.count, "ticket")
    if not apart.is_clear:
        return f"No difference between the two can be seen with {tickets}."
    better = f"‘{name}’ is better than ‘{other}’" if apart.mean > 0 else f"‘{other}’ is better than ‘{name}’"
    return f"{better}, by {abs(apart.mean):.0f} points on {tickets} (clear)."


def _settings(runs: TwoRuns, name: str, other: str, tickets: Sequence[str]) -> Markup:
    row = Markup('<tr><th scope="row">{}</th><td>{}</td><td>{}</td></tr>')
    learnt = [row.format("Tickets", *tickets)] if len(set(tickets)) > 1 else []
    if not runs.settings and not learnt:
        return Markup('<p class="quiet">Their recipes are the same.</p>')
    rows = learnt + [
        row.format(FIELDS[field].label, *(_value(value, FIELDS[field].unit) for value in values))
        for field, values in runs.settings.items()
    ]
    return Markup(
        '<table class="table"><thead><tr><th scope="col">Recipe</th><th scope="col">{}</th><th scope="col">{}</th></tr>'
        "</thead><tbody>{}</tbody></table>"
    ).format(name, other, join(rows))


def _value(value: object, unit: str) -> str:
    return f"{'–' if value == '' else value} {unit}".strip()


def _differences(runs: TwoRuns) -> Markup:
    rows = [
        Markup('<tr><th scope="row">{}</th><td class="number">{}</td><td class="number">{}</td></tr>').format(
            MEASURES[measure].label, difference(apart.mean, measure), span(apart, measure)
        )
        for measure, apart in runs.differences.items()
    ]
    if not rows:
        return Markup("")
    return Markup(
        '<table class="table"><thead><tr><th scope="col">First less second</th><th scope="col">Difference</th>'
        '<th scope="col">Range</th></tr></thead><tbody>{}</tbody></table>'
    ).format(join(rows))
