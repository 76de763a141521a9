"""Thinned: of a curve of any length so many points that no chart shows more, kept while they come in.

Of each stretch of steps the lowest and the highest value stay, so that a spike, which is what one looks for, is never
thinned away, and the best value of all is exact. Stretches double in length when there are too many. What is kept does
not depend on how often somebody looked. It knows neither files nor what the values mean.
"""

import math
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

STRETCHES = 512
"""A curve has at most twice as many points, plus the newest; a chart is drawn with 500 (ui/charts.py)."""


class Point(Protocol):
    """A record that belongs to a step."""

    @property
    def step(self) -> int:
        """The step."""
        ...


P = TypeVar("P", bound=Point)


class Thinned(Generic[P]):
    """A curve, its newest point always included; step 0, which is before the training, has a stretch of its own.

    Args:
        value: What of a point is its height; a NaN counts as the highest.
        stretch: Steps in a stretch at the start: 1, or as an earlier curve ended.
        points: Points to begin with, in the order of their steps.
    """

    def __init__(self, value: Callable[[P], float], stretch: int = 1, points: Iterable[P] = ()) -> None:
        self._value = value
        self.stretch = stretch
        self._kept: dict[int, tuple[P, P]] = {}
        """Number of a stretch -> its lowest and its highest point."""
        self.last: P | None = None
        for point in points:
            self.add(point)

    def add(self, point: P) -> None:
        """Add a point; one of the same step is replaced."""
        while self._number(point.step) >= STRETCHES:
            self._widen()
        number = self._number(point.step)
        kept = [known for known in self._kept.get(number, ()) if known.step != point.step]
        self._kept[number] = self._ends([*kept, point])
        if self.last is None or point.step >= self.last.step:
            self.last = point

    def cut(self, step: int) -> None:
        """Forget what comes after ``step``."""
        points = [point for point in self.points() if point.step <= step]
        self._kept, self.last = {}, None
        for point in points:
            self.add(point)

    def points(self) -> tuple[P, ...]:
        """Return the curve in the order of its steps."""
        found = {point.step: point for ends in self._kept.values() for point in ends}
        if self.last is not None:
            found[self.last.step] = self.last
        return tuple(found[step] for step in sorted(found))

    def _number(self, step: int) -> int:
        return (step - 1) // self.stretch

    def _widen(self) -> None:
        """Make each stretch twice as long."""
        kept, self._kept = self._kept, {}
        self.stretch *= 2
        for ends in kept.values():
            number = self._number(ends[0].step)
            self._kept[number] = self._ends([*self._kept.get(number, ()), *ends])

    def _ends(self, points: list[P]) -> tuple[P, P]:
        return min(points, key=self._height), max(points, key=self._height)

    def _height(self, point: P) -> float:
        value = self._value(point)
        return math.inf if math.isnan(value) else value
