"""How many questions a difference needs, and how small a difference some questions can tell.

Two-sided error 5 %, power 80 %; Connor 1987, who derives it for McNemar's test. ``psi`` is the variance of
one paired difference (see ``paired.spread``).
"""

from __future__ import annotations

import math
from statistics import NormalDist

MOST_QUESTIONS = 20_000
"""Above this, asking more questions is no sensible advice."""

_ERROR = NormalDist().inv_cdf(0.975)
_POWER = NormalDist().inv_cdf(0.8)


def questions_to_tell(difference: float, psi: float, *, per_cluster: float = 1.0) -> int | None:
    """Give the questions that tell ``difference``; None above 20,000 or for no difference.

    (1.960 sqrt(psi) + 0.842 sqrt(psi - D^2))^2 / D^2 clusters of ``per_cluster`` questions each.
    """
    if difference <= 0:
        return None
    root = _ERROR * math.sqrt(psi) + _POWER * math.sqrt(max(0.0, psi - difference**2))
    needed = per_cluster * (root / difference) ** 2
    return math.ceil(needed) if needed <= MOST_QUESTIONS else None


def detectable_difference(clusters: int, psi: float) -> float | None:
    """Give the smallest difference that ``clusters`` tell: the same formula solved for D; None for a handful."""
    a, b = _ERROR, _POWER
    if clusters <= a * a:
        return None
    root = a * math.sqrt(clusters) + b * math.sqrt(clusters + b * b - a * a)
    return min(1.0, math.sqrt(psi) * root / (clusters + b * b))
