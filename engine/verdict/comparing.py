"""Two judged runs: what their recipes differ in, and which one's answers are better on the tickets that both sat."""

from __future__ import annotations

from dataclasses import replace

from engine.recipe import Recipe
from engine.verdict.judging import difference
from engine.verdict.records import MEASURES, TwoRuns, Verdict


def beside(this: Verdict, other: Verdict, recipe: Recipe, other_recipe: Recipe) -> TwoRuns:
    """Compare the tuned voices of two runs on the tickets that both were judged by, ticket by ticket."""
    others = {ticket.ticket: ticket for ticket in other.tickets}
    ours, theirs = "this", "other"
    both = [
        replace(
            ticket,
            scores={
                ours: ticket.scores[this.headline.tuned],
                theirs: others[ticket.ticket].scores[other.headline.tuned],
            },
        )
        for ticket in this.tickets
        if ticket.ticket in others and others[ticket.ticket].mark == ticket.mark
    ]
    differences = {measure: difference(both, ours, theirs, measure) for measure in MEASURES} if both else {}
    changed = recipe.changed_from(other_recipe)
    return TwoRuns(
        {measure: apart for measure, apart in differences.items() if apart is not None},
        {name: (value, getattr(other_recipe, name)) for name, value in changed.items()},
    )
