"""Plot data: a few series with a part to play each; ``assets/window/chart.js`` draws them in the colours of the theme.

Drawn by ourselves because the built-in plot can neither mark the best point nor make one line bolder than another, and
builds the whole chart anew at each tick. The data are JSON, so that a chart can be tested as text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

MOST_POINTS = 500
"""Points a series has at most; more cannot be seen."""

NOTHING = ""
"""The plot data of an empty chart."""

Part = Literal["train", "heldout", "other-1", "other-2", "other-3", "plain"]
"""Decides colour, weight and dashes, in style.css."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart."""

    name: str
    part: Part
    points: tuple[Point, ...]
    dots: bool = False
    """Whether each point is marked."""

    def plain(self) -> dict[str, Any]:
        """Plain values for JSON, thinned out."""
        return {
            "name": self.name,
            "part": self.part,
            "dots": self.dots,
            "points": [[x, round(y, 6)] for x, y in thin_out(self.points)],
        }


def thin_out(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """Keep at most ``most`` points: the first, the last, and of each stretch its lowest and its highest.

    Lowest and highest are kept so that a spike, which is what one looks for, is never thinned away.
    """
    if len(points) <= most:
        return list(points)
    stretches = max(1, (most - 2) // 2)
    inner = points[1:-1]
    thinned: list[Point] = [points[0]]
    for index in range(stretches):
        part = inner[index * len(inner) // stretches : (index + 1) * len(inner) // stretches]
        if part:
            ends = {min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1])}
            thinned += sorted(ends)
    return [*thinned, points[-1]]
