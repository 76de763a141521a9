"""What a run has cost the model of what it knew before: a line, or an alarm with its remedies a click away."""

from dataclasses import replace

from markupsafe import Markup

from engine.recipe import FIELDS, Recipe
from engine.studio import RunInfo
from engine.training.forgetting.alarm import MIXED_IN, Alarm, alarm, rises
from engine.training.runs.events import GeneralChecked
from engine.typed_numbers import short, signed
from ui import icons
from ui.parts import NOTHING, join

NOTHING_LOST = 0.02
"""Nats a token that are no rise."""
MOST_MIXED = FIELDS["general"].high or 0.0
SLOWER = 5
"""By what the learning rate is divided; as where a loss did not fall."""


def forgetting(run: RunInfo) -> Markup:
    """Say what has been forgotten; nothing before there is something to compare."""
    checks = run.history.general
    rings = rings_for(run)
    if rings is not None:
        return Markup(
            '<div class="banner banner-warn forgetting" role="alert">{}<div><span>{}</span>'
            '<div class="buttons">{}</div></div></div>'
        ).format(icons.WARN, rings.sentence, join([_button(what, words) for what, words in _remedies(run, rings)]))
    if len(checks) < 2:
        return NOTHING
    return Markup('<p class="quiet forgetting">{}</p>').format(_calm(checks[0], checks[-1]))


def rings_for(run: RunInfo) -> Alarm | None:
    """The alarm of the weights that a run gives: of those that are kept once it has ended, else of the newest."""
    finished = run.history.finished
    return alarm(run.history.general, finished.step if finished and finished.step else None)


def _calm(before: GeneralChecked, now: GeneralChecked) -> str:
    found = rises(before, now)
    if all(rise.nats <= NOTHING_LOST for rise in found):
        return (
            "What it knew before: it has forgotten nothing, by its loss on general texts in six languages and on plain "
            "instructions."
        )
    told = ", ".join(f"{signed(rise.nats, 2)} on {rise.on} ({rise.allowed:g} are allowed)" for rise in found)
    return f"What it knew before: it has forgotten little, by its loss in nats a token: {told}."


def _remedies(run: RunInfo, rings: Alarm) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if rings.earlier and run.history.finished and rings.earlier in run.history.checkpoints:
        found.append(("checkpoint", f"Take the checkpoint of step {rings.earlier:,}"))
    if run.recipe is not None:
        found.append(("rate", f"Start again with learning rate {short(remedied(run.recipe, 'rate').learning_rate)}  →"))
        found.append(("epochs", "Start again with half the passes  →"))
        if run.recipe.general < MOST_MIXED:
            share = remedied(run.recipe, "mix").general
            found.append(("mix", f"Start again with {share:.0%} general examples mixed in  →"))
    return found


def _button(what: str, words: str) -> Markup:
    return Markup('<button type="button" class="button" data-do="remedy" data-what="{}">{}</button>').format(
        what, words
    )


def remedied(recipe: Recipe, what: str) -> Recipe:
    """Return the recipe with which a run forgets less.

    Args:
        recipe: That of the run.
        what: 'rate' for smaller steps, 'epochs' for half of the passes, 'mix' for general examples beside the tickets.
    """
    if what == "mix":
        return replace(recipe, general=min(MOST_MIXED, max(MIXED_IN, 2 * recipe.general)))
    if what == "rate":
        lowest = FIELDS["learning_rate"].low or 0.0
        return replace(recipe, learning_rate=max(lowest, float(f"{recipe.learning_rate / SLOWER:.2g}")))
    lowest = FIELDS["epochs"].low or 0.0
    return replace(recipe, epochs=max(lowest, round(recipe.epochs / 2, 2)), max_steps=(recipe.max_steps + 1) // 2)
