"""How many questions a claim needs, and how small a difference some questions can tell.

Two-sided error 5 %, power 80 %; Connor 1987, who derives it for McNemar's test. ``psi`` is the variance of
one paired difference (see ``paired.spread``), ``per_cluster`` the number of questions in a cluster.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from routemark.analysis.stats.arrays import Interval
from routemark.analysis.stats.intervals import wilson

MOST_QUESTIONS = 20_000
"""Above this, asking more questions is no sensible advice."""

Range = tuple[int | None, int | None]
"""Least and most number of questions; None: above 20,000."""

_ERROR = NormalDist().inv_cdf(0.975)
_POWER = NormalDist().inv_cdf(0.8)
_ONE_SIDED = NormalDist().inv_cdf(0.95)
_POWER_OF_BOTH = NormalDist().inv_cdf(0.9)
"""Each of two one-sided tests misses in a tenth of the runs, together in a fifth."""
_RANGE = NormalDist().inv_cdf(0.9)
"""Two-sided quantile of an 80 % range."""


def questions_to_tell(difference: float, psi: float, *, per_cluster: float = 1.0) -> int | None:
    """Give the questions that tell ``difference``; None above 20,000 or for no difference.

    (1.960 sqrt(psi) + 0.842 sqrt(psi - D^2))^2 / D^2 clusters of ``per_cluster`` questions each.
    """
    if difference <= 0:
        return None
    root = _ERROR * math.sqrt(psi) + _POWER * math.sqrt(max(0.0, psi - difference**2))
    return _questions(per_cluster * (root / difference) ** 2)


def questions_for_not_worse(margin: float, psi: float, *, per_cluster: float = 1.0) -> int | None:
    """Give the questions that show "not worse by more than the margin" of an arm that is as good.

    (1.960 + 0.842)^2 psi / M^2 = 7.849 psi / M^2 clusters; None above 20,000.
    """
    return _questions(per_cluster * (_ERROR + _POWER) ** 2 * psi / margin**2)


def questions_for_equivalent(margin: float, psi: float, *, per_cluster: float = 1.0) -> int | None:
    """Give the questions that show "equivalent within the margin" of an arm that is as good: two one-sided tests.

    (1.645 + 1.282)^2 psi / M^2 = 8.564 psi / M^2 clusters; None above 20,000.
    """
    return _questions(per_cluster * (_ONE_SIDED + _POWER_OF_BOTH) ** 2 * psi / margin**2)


def spread_range(psi: float, clusters: int) -> Interval:
    """Give the 80 % range of psi that ``clusters`` tell: Wilson's bounds, as of a share of discordant questions."""
    return wilson(min(1.0, psi), clusters, _RANGE)


def detectable_difference(clusters: int, psi: float) -> float | None:
    """Give the smallest difference that ``clusters`` tell: the same formula solved for D; None for a handful."""
    a, b = _ERROR, _POWER
    if clusters <= a * a:
        return None
    root = a * math.sqrt(clusters) + b * math.sqrt(clusters + b * b - a * a)
    return min(1.0, math.sqrt(psi) * root / (clusters + b * b))


def _questions(needed: float) -> int | None:
    return math.ceil(needed) if needed <= MOST_QUESTIONS else None
