"""Two judged runs: what their recipes differ in, and which one's answers are better on the tickets that both sat."""

from __future__ import annotations

from dataclasses import replace

from engine.recipe import Recipe
from engine.verdict.judging import difference
from engine.verdict.records import MEASURES, TwoRuns, Verdict


def beside(this: Verdict, other: Verdict, recipe: Recipe, other_recipe: Recipe) -> TwoRuns:
    """Compare the tuned voices of two runs on the tickets that both were judged by, ticket by ticket."""
    known = {ticket.ticket: ticket for ticket in other.tickets}
    ours, theirs = "this", "other"
    both = [
        replace(
            ticket,
            scores={
                ours: ticket.scores[this.headline.tuned],
                theirs: known[ticket.ticket].scores[other.headline.tuned],
            },
        )
        for ticket in this.tickets
        if ticket.ticket in known and known[ticket.ticket].mark == ticket.mark
    ]
    found = {measure: difference(both, ours, theirs, measure) for measure in MEASURES} if both else {}
    changed = recipe.changed_from(other_recipe)
    return TwoRuns(
        {measure: seen for measure, seen in found.items() if seen is not None},
        {name: (value, getattr(other_recipe, name)) for name, value in changed.items()},
    )
