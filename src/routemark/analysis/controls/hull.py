"""The zero router: what drawing lots between fixed models already reaches at each price.

It is the non-decreasing convex hull of the fixed models in the plane of mean cost and mean score
(RouterBench, arXiv 2403.12031, section 3): at a cost c its height is the best mean score of any mixture of
models that costs at most c on average, and two models are enough for it. A router below it adds nothing.
"""

from __future__ import annotations

from itertools import permutations
from typing import NamedTuple

import numpy as np

from routemark.analysis.stats.arrays import Floats

SAME = 1e-12
"""Relative difference of two costs that is rounding."""


class Hull(NamedTuple):
    """Vertices by rising cost; cost and score both rise from one to the next."""

    cost: Floats
    """(k,) US dollars a question."""
    score: Floats
    """(k,) in [0, 1]."""
    models: tuple[int, ...]
    """Which model stands at each vertex, as an index into what the hull was made of."""


class Mixture(NamedTuple):
    """Two models between which lots are drawn."""

    cheap: int
    dear: int
    """The same as ``cheap`` where one model alone stands on the hull."""
    dear_share: float
    """Share of the questions that go to ``dear``; 0 where one model is enough."""


def zero_router(cost: Floats, score: Floats) -> Hull:
    """Give the hull of models with these mean costs (m,), US dollars a question, and mean scores (m,).

    Models with an unknown (NaN) cost or score are left out. Of models alike in cost the best stands on the
    hull, of models alike in both the first. O(m log m).
    """
    known = np.flatnonzero(~(np.isnan(cost) | np.isnan(score)))
    order = known[np.lexsort((known, -score[known], cost[known]))]
    vertices: list[int] = []
    for model in order.tolist():
        if vertices and score[model] <= score[vertices[-1]]:
            continue
        while len(vertices) > 1 and _is_below(cost, score, vertices[-2], vertices[-1], model):
            vertices.pop()
        vertices.append(model)
    return Hull(cost[vertices], score[vertices], tuple(vertices))


def height(hull: Hull, cost: float) -> float | None:
    """Give the score of the zero router at a cost, US dollars a question.

    Linear between vertices, flat to the right of the dearest; None left of the cheapest, where no mixture is.
    """
    if not _reaches(hull, cost):
        return None
    return float(np.interp(cost, hull.cost, hull.score))


def mixture(hull: Hull, cost: float) -> Mixture | None:
    """Give the two models whose mixture has the height of the hull at a cost; None where it has none."""
    if not _reaches(hull, cost):
        return None
    right = min(int(np.searchsorted(hull.cost, cost, side="left")), len(hull.cost) - 1)
    left = max(0, right - 1)
    share = (cost - hull.cost[left]) / (hull.cost[right] - hull.cost[left]) if right > left else 0.0
    if SAME < share < 1 - SAME:
        return Mixture(hull.models[left], hull.models[right], float(share))
    alone = hull.models[left if share <= SAME else right]
    return Mixture(alone, alone, 0.0)


def heights(cost: Floats, score: Floats, at: Floats) -> Floats:
    """Give the height at ``at`` (b,) of b hulls at once, of models with ``cost`` and ``score`` (b, m).

    The same as `height` of `zero_router` in each row, NaN for None: the best of all mixtures of two models
    that cost ``at`` or less. O(b m^2).
    """
    known = ~(np.isnan(cost) | np.isnan(score))
    affordable = known & (cost <= at[:, None] * (1 + SAME))
    dear = known & ~affordable
    best: Floats = np.where(affordable, score, -np.inf).max(axis=1, initial=-np.inf)
    for i, j in permutations(range(cost.shape[1]), 2):
        rows = np.flatnonzero(affordable[:, i] & dear[:, j])
        low, high = cost[rows, i], cost[rows, j]
        mixed = score[rows, i] + (at[rows] - low) / (high - low) * (score[rows, j] - score[rows, i])
        best[rows] = np.maximum(best[rows], mixed)
    return np.where(np.isfinite(best), best, np.nan)


def _is_below(cost: Floats, score: Floats, left: int, middle: int, right: int) -> bool:
    """Say whether the middle point lies on or below the line from left to right."""
    rise = (score[middle] - score[left]) * (cost[right] - cost[left])
    return bool(rise <= (score[right] - score[left]) * (cost[middle] - cost[left]))


def _reaches(hull: Hull, cost: float) -> bool:
    return len(hull.cost) > 0 and cost >= hull.cost[0] * (1 - SAME)
