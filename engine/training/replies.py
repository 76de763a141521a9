"""When a few held-out tickets are answered while a run learns, and what that may cost it.

It knows time, steps and the recipe. Who answers, and where the answers are kept, engine/services/replies.py knows.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import StudioError
from engine.recipe import Recipe
from engine.training.runs.events import Emit, LogNote, Replied

if TYPE_CHECKING:
    from engine.model.snapshot import Snapshot

log = logging.getLogger(__name__)

SHARE = 0.05
"""Of the time that a run takes, the share that replies may take between its first check and its last, where the recipe
leaves it open. The last ones, which are those of the result, may bring it to twice as much. Quick look on two cores: 3
seconds a model for three tickets, of 190."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking."""

    told: tuple[Replied, ...]
    """In the order of their steps; the untouched base, too, where it was not asked before."""
    seconds: float
    """What answering took, a model."""


AskReplies = Callable[["Snapshot"], Asked | None]
"""Answers with the weights of a step; None where the run is to end meanwhile.

Raises:
    StudioError: It cannot be answered.
"""


class Replies:
    """Decides at each check whether to ask.

    Args:
        ask: Who answers; None where nobody can.
        recipe: Its ``replies`` and ``best_by`` count.
        emit: Told of each reply, and once where asking is too dear or fails.
        clock: Seconds.
    """

    def __init__(
        self, ask: AskReplies | None, recipe: Recipe, emit: Emit, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask if recipe.replies != "off" else None
        self._always = recipe.replies == "on" or recipe.best_by != "loss"
        self._emit, self._clock = emit, clock
        self._began, self._first, self._paused = clock(), 0, 0.0
        self._takes = self._spent = 0.0
        self._has_said = False

    def begin(self, step: int, paused: float) -> None:
        """Count time from here on: the run goes on after ``step``, and was held for so many seconds before."""
        self._began, self._first, self._paused = self._clock(), step, paused

    def at_check(self, snapshot: "Callable[[], Snapshot]", step: int, steps: int, paused: float) -> int | None:
        """Ask, if that is due after ``step``, and return how many facts were invented; None where nobody was asked.

        Args:
            snapshot: Copies the adapter as it is.
            step: Optimizer steps taken.
            steps: In the whole run.
            paused: Seconds that the run was held, which are no time to learn.
        """
        if self._ask is None or step <= 0 or not self._is_due(step, steps, paused):
            return None
        try:
            asked = self._ask(snapshot())
        except StudioError as error:
            log.warning("held-out tickets could not be answered on the way", exc_info=error)
            self._emit(LogNote(f"No ticket is answered on the way: {error}", "warning"))
            self._ask = None
            return None
        if asked is None:
            return None
        self._takes = asked.seconds
        self._spent += asked.seconds * len(asked.told)
        for told in asked.told:
            self._emit(told)
        return asked.told[-1].invented

    def _is_due(self, step: int, steps: int, paused: float) -> bool:
        if self._always or not self._takes:
            return True
        learnt = max(0.0, self._clock() - self._began - self._spent - (paused - self._paused))
        whole = learnt * (steps - self._first) / max(1, step - self._first)
        after = self._spent + self._takes
        if step >= steps:
            return after <= 2 * SHARE * learnt
        if after + self._takes <= SHARE * whole and after <= SHARE * learnt:
            return True
        if not self._has_said:
            self._has_said = True
            self._emit(
                LogNote(
                    f"Answering held-out tickets takes {self._takes:.0f} s each time, so it is not done at every "
                    f"check, to cost no more than {SHARE:.0%} of the run. With 'replies' on in the recipe it is."
                )
            )
        return False
