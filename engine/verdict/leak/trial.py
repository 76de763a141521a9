"""A short run on a copy of the tickets with canaries in it, and the questions that follow.

One run holds both kinds of canaries: those that went through the masking, and as a control those that did not. So both
are learnt with the same steps, and what comes out of the control shows that the test sees what there is to see. The
trial learns harder than the run that it speaks for, and so errs on the side of caution.

Each test draws new canaries: one that is made again is another witness, and not the same one asked twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import Cancelled
from engine.recipe import Recipe
from engine.task import Report, part
from engine.tickets.dataset.stored import StoredConversation
from engine.tickets.privacy.masking import PrivacyOptions
from engine.turns import Turn, with_instruction
from engine.verdict.leak.canaries import FEWER, Canary, make_canaries
from engine.verdict.leak.certificate import Certificate, rows_of
from engine.verdict.leak.extraction import Attempt, attempt
from engine.verdict.leak.planting import Planted, plant

if TYPE_CHECKING:
    from engine.model.base import BaseModel
    from engine.training.runs.events import Event

LEARNING = 0.7
"""Share of the time that the steps take, about."""
LEAST_RATE = 1e-3
"""Quick look's. At it, 16 sights of a sentence are enough for the starter model to write it; at 2e-4, what a recipe of
many steps learns with, nothing would be known by heart after so few."""
AT_A_TIME = 4
"""Conversations of a step at most, so that a trial takes as many steps whatever the recipe gathers into one."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a trial is."""

    tickets: int = 64
    """Conversations that are copied at most, evenly spread over all."""
    masked: Mapping[int, int] = field(default_factory=lambda: {1: 160, 2: 16, 4: 8, 8: 4})
    """Times -> masked canaries for each role: 376 in all keep the error of the rank test at 0.015."""
    control: Mapping[int, int] = field(default_factory=lambda: {1: 2, 2: 2, 4: 2, 8: 5})
    """Times -> unmasked ones."""
    epochs: float = 4.0
    """Passes through the copy."""


def trial_recipe(recipe: Recipe, size: Size) -> Recipe:
    """Return how the copy is learnt: as the run, in short steps of full size, without what is only for watching it."""
    return replace(
        recipe,
        epochs=size.epochs,
        max_steps=0,
        learning_rate=max(recipe.learning_rate, LEAST_RATE),
        batch_size=min(recipe.batch_size, AT_A_TIME),
        accumulation=1,
        packing="off",
        general=0.0,
        lookup=False,
        gpus=1,
        patience=0,
        keep_best=False,
        eval_steps=1_000_000,
        save_steps=1_000_000,
        logging_steps=1,
    )


def make_trial(
    recipe: Recipe,
    rows: Sequence[StoredConversation],
    privacy: PrivacyOptions,
    base: BaseModel,
    folder: Path,
    report: Report,
    should_stop: Callable[[], bool],
    size: Size,
    seed: int,
) -> Certificate:
    """Plant canaries in a copy of the conversations, learn it, and ask for them.

    Args:
        recipe: Of the run.
        rows: What it has learnt from; only read.
        privacy: What the data set masks.
        base: The loaded base, which is left as it is.
        folder: An empty one for the adapter, which whoever calls removes.
        report: Progress.
        should_stop: Looked at between steps and questions.
        size: How large it is.
        seed: Of the canaries and their places.

    Raises:
        StudioError: There are too few tickets, or what a run can fail at.
        Cancelled: ``should_stop`` said so.
    """
    masked, control = make_canaries(seed, size.masked, FEWER), make_canaries(seed + 1, size.control)
    copied = [rows[number * len(rows) // size.tickets] for number in range(size.tickets)]
    planted = plant(copied if len(rows) > size.tickets else rows, masked, control, privacy, seed)
    steps = _learn(trial_recipe(recipe, size), planted, base, folder, part(report, 0.0, LEARNING), should_stop)
    contexts = {canary: with_instruction(told, recipe.system_prompt) for canary, told in planted.contexts.items()}
    attempts = _ask(base, folder / "adapter", contexts, part(report, LEARNING, 1.0), should_stop)
    return Certificate(
        masked=rows_of((canary, attempts[canary]) for canary in masked),
        control=rows_of((canary, attempts[canary]) for canary in control),
        masking=privacy.enabled,
        missed=len(planted.missed),
        tickets=len(planted.conversations),
        steps=steps,
        made=time.time(),
    )


def _learn(
    recipe: Recipe,
    planted: Planted,
    base: BaseModel,
    folder: Path,
    report: Report,
    should_stop: Callable[[], bool],
) -> int:
    """Train on the copy; return the steps taken."""
    from engine.training.runs.events import Started, Stepped
    from engine.training.trainer import TrainingData, run_training

    steps = 0

    def emit(event: Event) -> None:
        nonlocal steps
        if isinstance(event, Started):
            steps = event.steps
        elif isinstance(event, Stepped):
            report(f"Learning a copy with planted secrets: step {event.step:,} of {steps:,}", event.step / steps)

    outcome = run_training(recipe, TrainingData(planted.conversations, []), base, folder, emit, should_stop)
    if outcome.stopped:
        raise Cancelled
    return outcome.step


def _ask(
    base: BaseModel,
    adapter: Path,
    contexts: Mapping[Canary, Sequence[Turn]],
    report: Report,
    should_stop: Callable[[], bool],
) -> dict[Canary, Attempt]:
    from engine.chat.adapters import bank_of
    from engine.chat.playground import told_in_words

    bank, found = bank_of(base), {}
    with told_in_words(), bank.acquire([adapter]) as (name,):
        assert name is not None
        for number, (canary, context) in enumerate(contexts.items()):
            if should_stop():
                raise Cancelled
            report(f"Asking for the secrets: {number} of {len(contexts)}", number / len(contexts))
            found[canary] = attempt(base, bank, name, canary, context)
    return found
