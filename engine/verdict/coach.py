"""The coach: what a run's own figures say to do next.

Every rule is a function that reads the figures and either keeps silent or says one thing: what was seen, with its
figure, and what to do. No language model writes it. To add a rule, write it and put it into :data:`RULES`; its tests
are a case that makes it speak and one that keeps it silent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from engine.chat.records import LOOKUP, NEAREST
from engine.recipe import Recipe
from engine.training.forgetting.alarm import alarm
from engine.training.runs.history import History
from engine.typed_numbers import short, signed
from engine.verdict.intervals import rounded
from engine.verdict.records import Verdict

NEAR = 0.02
"""Nats a token; held-out losses closer than this are taken for equal."""
FLAT = 0.05
"""Share of its loss below which training loss has not fallen."""
STILL_FALLING = 0.03
"""Share of its loss that a run must still lose between its last two checks to be told to go on."""
FEW = 50
"""Conversations below which an adapter sees too few different answers to learn more than a greeting."""
SHARE = 0.2
"""Share of the answers from which on a fault is more than chance."""
MORE_INVENTED = 1.0
"""Facts an answer that replies on the way invent more at the end than at their best: fewer are chance."""
LONG, SHORT = 1.5, 0.6
"""Lengths, beside the agents', that a customer notices."""


@dataclass(frozen=True, slots=True)
class RunFigures:
    """All that the coach looks at."""

    recipe: Recipe
    history: History
    verdict: Verdict | None
    """None while the run was not judged."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do."""

    saw: str
    """What the figures say, in a sentence with the figure in it."""
    do: str
    """What to do next, in a sentence."""
    rule: str
    """The name of the rule that it comes from."""


def learnt_by_heart(run: RunFigures) -> tuple[str, str] | None:
    """Held-out loss rises while training loss falls."""
    checks, best = [check for check in run.history.evaluations if check.step > 0], run.history.best
    if best is None or not checks or checks[-1].loss <= best.loss + NEAR:
        return None
    after = [step.loss for step in run.history.steps if step.step > best.step]
    before = [step.loss for step in run.history.steps if step.step <= best.step]
    if not after or not before or after[-1] >= before[-1]:
        return None
    finished = run.history.finished
    has_best = finished is not None and finished.step == best.step
    take = (
        "That checkpoint is the one you have; next time train"
        if has_best
        else (f"Take the checkpoint of step {best.step:,}, or train")
    )
    return (
        f"Held-out loss rose from step {best.step:,} ({best.loss:.2f} to {checks[-1].loss:.2f}) while training loss "
        f"fell ({before[-1]:.2f} to {after[-1]:.2f}): it began to learn tickets by heart.",
        f"{take} {_shorter(run.recipe)}.",
    )


def ended_too_early(run: RunFigures) -> tuple[str, str] | None:
    """Held-out loss was still falling at the end."""
    checks = [check for check in run.history.evaluations if check.step > 0]
    if run.history.finished is None or len(checks) < 2:
        return None
    earlier, last = checks[-2].loss, checks[-1].loss
    if earlier - last < STILL_FALLING * earlier:
        return None
    return (
        f"Held-out loss was still falling when the run ended ({earlier:.2f} to {last:.2f} in its last check).",
        f"Train longer: {_longer(run)}.",
    )


def learnt_nothing(run: RunFigures) -> tuple[str, str] | None:
    """Held-out loss never fell below that of the base."""
    before, best = run.history.before, run.history.best
    if before is None or best is None or best.loss < before.loss - NEAR:
        return None
    saw = f"Held-out loss did not fall: {before.loss:.2f} before training, {best.loss:.2f} at best"
    rate = run.recipe.learning_rate
    if best.loss > before.loss + NEAR:
        return f"{saw}.", f"Take smaller steps: a learning rate of {short(rate / 5)} instead of {short(rate)}."
    first, last = _ends(run.history)
    if last < first * (1 - FLAT):
        return (
            f"{saw}, though training loss fell ({first:.2f} to {last:.2f}).",
            "What it learns of some tickets does not help with others: bring more of them, and see on the tab Tickets "
            "whether those held out are of the same kind.",
        )
    return (
        f"{saw}, and neither did training loss ({first:.2f} to {last:.2f}).",
        f"Take larger steps: a learning rate of {short(rate * 5)} instead of {short(rate)}.",
    )


def forgets(run: RunFigures) -> tuple[str, str] | None:
    """The weights that are kept have lost too much of what the base knew."""
    finished = run.history.finished
    rings = alarm(run.history.general, finished.step if finished and finished.step else None)
    if rings is None:
        return None
    rise, rate = rings.rise, run.recipe.learning_rate
    return (
        f"Its loss on {rise.on} has risen from {rise.before:.2f} to {rise.now:.2f}, by more than the {rise.allowed:g} "
        "that are allowed: it forgets what it knew.",
        f"Take smaller steps (a learning rate of {short(rate / 5)} instead of {short(rate)}), or mix in general "
        "examples (general).",
    )


def too_few_tickets(run: RunFigures) -> tuple[str, str] | None:
    """There is little to learn from."""
    started = run.history.started
    if started is None or started.train_examples >= FEW:
        return None
    return (
        f"It learnt from {started.train_examples:,} conversations.",
        f"Bring more tickets: from about {FEW} on it sees enough different answers to learn a manner.",
    )


def retrieval_is_enough(run: RunFigures) -> tuple[str, str] | None:
    """Near tickets do as well as tuning, or better."""
    verdict = run.verdict
    if verdict is None or verdict.kind not in ("as good", "worse"):
        return None
    other = verdict.headline.alternative
    if other != NEAREST and not other.endswith(LOOKUP):
        return None
    points = signed(-verdict.headline.difference.mean)
    told = f"Beside the tuned model, {verdict.voice(other).label} has {points} points of chrF"
    if other == NEAREST:
        do = "Your answers repeat: texts that agents can insert in your help desk may be all that you need"
    else:
        do = "Answer with look-up over the base model"
    more = "" if run.recipe.lookup else "; or train with look-up (lookup): then manner and facts come together"
    return f"{told}.", f"{do}{more}."


def invents_more(run: RunFigures) -> tuple[str, str] | None:
    """Tuning has made it state more facts from nowhere."""
    apart = _beside_the_base(run, "inventions")
    if apart is None or apart <= 0:
        return None
    assert run.verdict is not None
    now = run.verdict.figures[run.verdict.headline.tuned]["inventions"].mean
    return (
        f"It invents {now:.1f} facts an answer, {apart:.1f} more than the base model (clear).",
        f"{'Take' if run.recipe.lookup else 'Train with look-up (lookup), take'} a larger model, or fewer passes: "
        "facts learnt late are made up most.",
    )


def invents_as_it_learns(run: RunFigures) -> tuple[str, str] | None:
    """Replies on the way invent more and more while held-out loss falls, and the loss alone has chosen."""
    asked = [reply for reply in run.history.replies if reply.step > 0]
    if run.recipe.best_by != "loss" or run.history.finished is None or len(asked) < 2:
        return None
    least, last = min(asked, key=lambda reply: (reply.invented, -reply.step)), asked[-1]
    if last.invented < least.invented + last.answers * MORE_INVENTED:
        return None
    return (
        f"Its answers to {last.answers} held-out tickets had {least.invented} facts from nowhere at step "
        f"{least.step:,} and {last.invented} at step {last.step:,}: manner is learnt early, facts learnt late are made "
        "up.",
        "Train again with the best checkpoint chosen by both (best_by)"
        + ("." if run.recipe.lookup else ", or with look-up (lookup), which brings facts."),
    )


def does_not_end(run: RunFigures) -> tuple[str, str] | None:
    """Many answers run into the longest answer allowed."""
    ends = _mean(run, "ends")
    if ends is None or 1 - ends < SHARE:
        return None
    return (
        f"{1 - ends:.0%} of its answers do not end by themselves.",
        "See on the tab Tickets how many answers are cut off, and raise the longest conversation (max_length, now "
        f"{run.recipe.max_length:,} tokens): what is cut has no end mark to learn from. If none is, train longer: "
        f"{_longer(run)}.",
    )


def breaks(run: RunFigures) -> tuple[str, str] | None:
    """Answers are empty or go in circles."""
    broken = _mean(run, "broken")
    if broken is None or broken < SHARE:
        return None
    assert run.verdict is not None
    base = run.verdict.figures.get("base", {}).get("broken")
    if base is not None and base.mean >= broken:
        return (
            f"{broken:.0%} of its answers are empty or go in circles, and {base.mean:.0%} of the base model's.",
            "Take a larger base model, or a repetition penalty of 1.1 in the playground.",
        )
    return (
        f"{broken:.0%} of its answers are empty or go in circles.",
        f"Take smaller steps (learning_rate, now {short(run.recipe.learning_rate)}), or a repetition penalty of 1.1 "
        "in the playground.",
    )


def wrong_length(run: RunFigures) -> tuple[str, str] | None:
    """Answers are much longer or shorter than the agents'."""
    length = _mean(run, "length")
    if length is None or SHORT <= length <= LONG:
        return None
    return (
        f"Its answers are {length:.1f} times as long as the agents'.",
        "Train one pass more, or say in the standing instruction (system_prompt) how long an answer should be.",
    )


def other_language(run: RunFigures) -> tuple[str, str] | None:
    """Answers are in another language than the agents'."""
    same = _mean(run, "language")
    if same is None or 1 - same < SHARE:
        return None
    return (
        f"{1 - same:.0%} of its answers are in another language than the agents'.",
        "Take a base model that knows the language, or leave the tickets of rare languages out.",
    )


def too_few_to_tell(run: RunFigures) -> tuple[str, str] | None:
    """The held-out tickets cannot decide."""
    verdict = run.verdict
    if verdict is None or verdict.kind != "no difference" or not verdict.headline.needed:
        return None
    return (
        f"{len(verdict.tickets):,} held-out tickets leave it open whether it is better.",
        f"Bring more tickets or hold out more: about {rounded(verdict.headline.needed):,} would tell; or let people "
        "decide in the blind test.",
    )


RULES: tuple[Callable[[RunFigures], tuple[str, str] | None], ...] = (
    learnt_nothing,
    forgets,
    learnt_by_heart,
    ended_too_early,
    too_few_tickets,
    retrieval_is_enough,
    invents_more,
    invents_as_it_learns,
    breaks,
    does_not_end,
    other_language,
    wrong_length,
    too_few_to_tell,
)
"""The most urgent first."""


def advice(run: RunFigures) -> tuple[Advice, ...]:
    """Return what the rules have to say of a run, the most urgent first; nothing where all is well."""
    told = ((rule.__name__, rule(run)) for rule in RULES)
    return tuple(Advice(*words, rule=name.replace("_", " ")) for name, words in told if words)


def _shorter(recipe: Recipe) -> str:
    """Say how to train less than a recipe does."""
    if recipe.max_steps:
        return f"fewer steps (max_steps, now {recipe.max_steps:,})"
    less = "one pass less" if recipe.epochs > 1 else "half as long"
    return f"{less} (epochs, now {recipe.epochs:g})"


def _longer(run: RunFigures) -> str:
    """Say how to train twice as long as a run has."""
    recipe, last, started = run.recipe, run.history.last, run.history.started
    passes = f"{2 * recipe.epochs:g} passes (epochs) instead of {recipe.epochs:g}"
    if not recipe.max_steps or (started and started.steps < recipe.max_steps):
        return passes
    steps = f"{2 * recipe.max_steps:,} steps (max_steps) instead of {recipe.max_steps:,}"
    taken = 2 * recipe.max_steps * last.epoch / last.step if last and last.step else 0.0
    return steps if taken <= recipe.epochs else f"{steps}, and {passes}"


def _ends(history: History) -> tuple[float, float]:
    """The usual training loss of the first and of the last quarter of a run's steps."""
    losses = [step.loss for step in history.steps] or [0.0]
    few = max(1, len(losses) // 4)
    return median(losses[:few]), median(losses[-few:])


def _mean(run: RunFigures, measure: str) -> float | None:
    """What the tuned voice has of a measure; None where that is not known."""
    if run.verdict is None:
        return None
    interval = run.verdict.figures[run.verdict.headline.tuned].get(measure)
    return interval.mean if interval else None


def _beside_the_base(run: RunFigures, measure: str) -> float | None:
    """How much more the tuned voice has of a measure than the base; None where that is not known or not clear."""
    if run.verdict is None:
        return None
    apart = run.verdict.differences.get("base", {}).get(measure)
    return apart.mean if apart and apart.is_clear else None
