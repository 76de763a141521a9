"""Differences between two voices with an interval that does not pretend that tickets are independent.

Each ticket is answered by both voices, so the difference is taken ticket by ticket (paired). Tickets of one customer,
or about one topic, go well or badly together; their errors add up. The variance is cluster-robust (Miller, "Adding
Error Bars to Evals", arXiv 2411.00640, section 2.2), in the form that is right for few and uneven clusters: CR2, with
t quantiles of Bell and McCaffrey's degrees of freedom (Survey Methodology 28, 2002). Two ways to cluster at once are
put together as in Cameron, Gelbach and Miller (JBES 29, 2011). Knows numbers, and neither tickets nor voices.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVEL = 0.95
POWER = 0.8
"""How likely a difference that is there should be seen, where tickets are asked for (Cohen 1988)."""
FEWEST = 6
"""Groups of tickets below which nothing is called clear: a fair coin falls five times on one side in 1 of 16 trials,
six times in 1 of 32, which is less than 5 %."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and where it lies."""

    mean: float
    low: float
    high: float
    error: float
    """Standard error of the mean; infinite where one group is all there is."""
    count: int
    """Tickets."""
    groups: int
    """Groups of tickets that stand for themselves: the fewer of customers and topics."""

    @property
    def is_clear(self) -> bool:
        """Whether the mean differs from 0, as far as these tickets can tell."""
        return self.groups >= FEWEST and (self.low > 0 or self.high < 0)

    def within(self, margin: float) -> bool:
        """Whether the mean is nearer to 0 than ``margin``, as far as these tickets can tell."""
        return self.groups >= FEWEST and -margin < self.low and self.high < margin


def interval(values: Sequence[float], *clusterings: Sequence[Hashable], level: float = LEVEL) -> Interval:
    """Return the mean of some values with its interval.

    Args:
        values: One a ticket, for a comparison the difference of two voices; at least one.
        clusterings: None, one or two ways to put the tickets into groups that are alike: a key a ticket.
        level: How often the interval holds the truth, 0 to 1.

    Raises:
        ValueError: There are no values, or more than two clusterings.
    """
    import numpy as np
    from scipy.special import stdtrit

    if not len(values) or len(clusterings) > 2:
        raise ValueError("at least one value, and at most two ways to cluster")
    numbers = np.asarray(values, dtype=float)
    mean, residuals = float(numbers.mean()), numbers - numbers.mean()
    numbered = [_numbered(keys) for keys in clusterings] or [np.arange(len(numbers))]
    parts = [_clustered(residuals, groups) for groups in numbered]
    variance = max(part.variance for part in parts)
    if len(numbered) == 2:
        both = _clustered(residuals, _numbered(list(zip(*(groups.tolist() for groups in numbered), strict=True))))
        variance = max(variance, sum(part.variance for part in parts) - both.variance)
    groups = min(part.groups for part in parts)
    if groups < 2:
        return Interval(mean, -math.inf, math.inf, math.inf, len(numbers), groups)
    error = math.sqrt(variance)
    reach = float(stdtrit(min(part.freedom for part in parts), 0.5 + level / 2)) * error
    return Interval(mean, mean - reach, mean + reach, error, len(numbers), groups)


def tickets_needed(difference: Interval, margin: float) -> int:
    """Return how many tickets would decide four times of five (power 80 %), were the truth as these tickets have it.

    Miller (2411.00640, section 5): n = (z + z')² · variance / difference², where the variance is that of these tickets
    with their clustering, and the difference the one that was seen, or ``margin`` where that is less. Where so many are
    there already, it is asked how many would show the difference that was seen. Few tickets exaggerate a difference,
    so that it may take more.

    Args:
        difference: A paired difference, with a finite error.
        margin: The smallest difference that matters, in the unit of the values.
    """
    from statistics import NormalDist

    if not math.isfinite(difference.error):
        return 0
    both = NormalDist().inv_cdf(0.5 + LEVEL / 2) + NormalDist().inv_cdf(POWER)
    needed = difference.count * (both * difference.error / max(margin, abs(difference.mean))) ** 2
    if needed <= difference.count and difference.mean:
        needed = difference.count * (both * difference.error / abs(difference.mean)) ** 2
    return max(difference.count + 1, math.ceil(needed))


def rounded(count: int) -> int:
    """Round a number of tickets so that it does not look more exact than it is: 187 becomes 190."""
    digits: int = 10 ** max(0, len(str(count)) - 2)
    return math.ceil(count / digits) * digits


@dataclass(frozen=True, slots=True)
class _Clustered:
    variance: float
    freedom: float
    groups: int


def _clustered(residuals: NDArray[np.float64], groups: NDArray[np.int64]) -> _Clustered:
    """The variance of a mean and its degrees of freedom, where errors add up within groups.

    With n values, n_g of them in group g with residuals that sum to e_g, CR2 is Σ e_g² / (1 - n_g/n) / n²: dividing by
    1 - n_g/n undoes what taking the common mean away has made a group's residuals smaller.
    """
    import numpy as np

    count = len(residuals)
    sizes = np.bincount(groups).astype(float)
    if len(sizes) < 2:
        return _Clustered(math.inf, 1.0, len(sizes))
    sums = np.bincount(groups, residuals)
    shares = sizes / count
    variance = float((sums**2 / (1 - shares)).sum()) / count**2
    freedom = min(_freedom(shares, together=False), _freedom(shares, together=True))
    return _Clustered(variance, max(1.0, freedom), len(sizes))


def _freedom(shares: NDArray[np.float64], *, together: bool) -> float:
    """Satterthwaite's degrees of freedom of a clustered variance: (Σ λ)² / Σ λ² of its quadratic form.

    Args:
        shares: Of the values that each group has; their sum is 1.
        together: Whether the values of a group are taken for one and the same, instead of for independent. The truth
            lies between the two, and the fewer degrees are safe.
    """
    weights = shares**2 / (1 - shares)
    if not together:
        own, others = shares, weights.sum() ** 2 - (weights**2).sum()
    else:
        square = (shares**2).sum()
        own = weights * (1 - 2 * shares + square)
        zeroth, first, second = ((weights * shares**power).sum() for power in range(3))
        others = (square * zeroth) ** 2 + 2 * second * zeroth - 4 * square * first * zeroth + 2 * first**2
        others -= (weights**2 * (square - 2 * shares) ** 2).sum()
    return float(own.sum() ** 2 / ((own**2).sum() + others))


def _numbered(keys: Sequence[Hashable]) -> NDArray[np.int64]:
    """Number the groups from 0 in the order in which they come."""
    import numpy as np

    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)
