"""What a right answer must be worth for one arm to be the better buy (net benefit).

NB(v) = v D - C, with D and C the mean paired differences of score and of cost in US dollars a question,
arm minus baseline, and v US dollars a right answer: the net monetary benefit of health economics.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from routemark.analysis.arrays import Codes, Floats
from routemark.analysis.clusters import covariance_of_means
from routemark.analysis.distributions import student_t_quantile


class Price(NamedTuple):
    """Where the choice flips; US dollars a right answer."""

    indifference_usd: float | None
    """Both are equally good there; None when one is better at every price, or nothing is known."""
    surely_better_below_usd: float | None
    """Below it the arm is surely (95 %) the better buy; None: at no price near zero."""
    surely_worse_above_usd: float | None
    """Above it the arm is surely (95 %) the worse buy; None: at no price."""


def price(score_difference: Floats, cost_difference: Floats, cluster: Codes) -> Price:
    """Give the prices at which the arm stops being the better buy; one entry a question, NaN unknown."""
    known = ~(np.isnan(score_difference) | np.isnan(cost_difference))
    values = np.column_stack([score_difference[known], cost_difference[known]])
    if not len(values):
        return Price(None, None, None)
    d, c = (float(mean) for mean in values.mean(axis=0))
    clusters = len(np.unique(cluster[known]))
    if clusters < 2:
        return Price(_tie(d, c), None, None)
    t = student_t_quantile(0.95, clusters - 1)
    return Price(_tie(d, c), *_sure_borders(d, c, covariance_of_means(values, cluster[known]), t))


def _tie(d: float, c: float) -> float | None:
    """Give C / D where both differences have one sign."""
    return c / d if c * d > 0 else None


def _sure_borders(d: float, c: float, covariance: Floats, t: float) -> tuple[float | None, float | None]:
    """Give the outer borders of {v >= 0: |NB(v)| <= t se(v)}, the roots of its quadratic (Fieller's set)."""
    (dd, dc), (_, cc) = covariance * t * t
    below = above = None
    roots = [v for v in _roots(d * d - dd, -2 * (d * c - dc), c * c - cc) if v > 0]
    if roots and -c > math.sqrt(cc):
        below = min(roots)
    if roots and -d > math.sqrt(dd):
        above = max(roots)
    return below, above


def _roots(a: float, b: float, c: float) -> list[float]:
    """Give the real roots of a v^2 + b v + c."""
    discriminant = b * b - 4 * a * c
    if a == 0 or discriminant < 0:
        return []
    # the stable pair: no difference of nearly equal numbers
    q = -0.5 * (b + math.copysign(math.sqrt(discriminant), b))
    return [q / a, c / q] if q else [0.0, 0.0]
