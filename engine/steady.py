"""Steady: a figure that swings from look to look, held still for whoever reads it."""

import math
import time
from collections.abc import Callable


class Steady:
    """Follows what lasts, such as memory that other programs keep, and lets pass what is gone after a moment.

    Args:
        settles: Seconds after which a change counts by two thirds.
        grain: The least change that is worth another figure, in the figure's own unit.
        clock: Gives seconds.
    """

    def __init__(self, settles: float, grain: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._settles = settles
        self._grain = grain
        self._clock = clock
        self._mean: float | None = None
        self._told = 0.0
        self._seen_at = 0.0

    def of(self, value: float) -> float:
        """Return the figure to show, now that it was seen to be ``value``."""
        now = self._clock()
        if self._mean is None:
            self._mean = self._told = value
        else:
            share = 1 - math.exp(-(now - self._seen_at) / self._settles)
            self._mean += share * (value - self._mean)
            if abs(self._mean - self._told) >= self._grain:
                self._told = self._mean
        self._seen_at = now
        return self._told
