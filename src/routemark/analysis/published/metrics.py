"""Small formulas about one arm."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from routemark.analysis.stats.arrays import Floats
from routemark.records import Quantiles

ARENA_COSTS = (0.0044, 200.0)
"""Cheapest and dearest cost on RouterArena's scale, US dollars per 1,000 questions."""
ARENA_BETA = 0.1


def arena_score(accuracy: float | None, cost_per_1k_usd: float | None) -> float | None:
    """Give RouterArena's score (arXiv 2510.00202): (1 + b) A C / (b A + C), b = 0.1.

    C = (log2 200 - log2 c) / (log2 200 - log2 0.0044), c clamped to the scale. None where accuracy or cost
    is unknown or the cost is not positive.
    """
    if accuracy is None or cost_per_1k_usd is None or cost_per_1k_usd <= 0:
        return None
    low, high = ARENA_COSTS
    cost = min(max(cost_per_1k_usd, low), high)
    cheapness = math.log2(high / cost) / math.log2(high / low)
    below = ARENA_BETA * accuracy + cheapness
    return (1 + ARENA_BETA) * accuracy * cheapness / below if below > 0 else 0.0


def pick_entropy_bits(counts: Iterable[int]) -> float | None:
    """Give -sum share log2 share of the models picked: 0 for one model, log2 m for m alike; None without."""
    known = [count for count in counts if count > 0]
    total = sum(known)
    if not total:
        return None
    return abs(sum(count / total * math.log2(total / count) for count in known))


def quantiles(values: Floats) -> Quantiles:
    """Give the 50th, 90th and 99th percentile of the known values, interpolated linearly between ranks."""
    known = values[~np.isnan(values)]
    if not len(known):
        return Quantiles()
    p50, p90, p99 = (float(q) for q in np.percentile(known, [50, 90, 99], method="linear"))
    return Quantiles(p50=p50, p90=p90, p99=p99)


def mean_cost_per_1k_usd(costs: Floats) -> float | None:
    """Give 1,000 times the mean known cost of a trial; None when none is known."""
    known = costs[~np.isnan(costs)]
    return float(known.mean()) * 1000 if len(known) else None


def cost_per_correct_usd(costs: Floats, scores: Floats) -> float | None:
    """Give cost / sum of scores over the trials where both are known; None with nothing right."""
    known = ~(np.isnan(costs) | np.isnan(scores))
    right = float(scores[known].sum())
    return float(costs[known].sum()) / right if right > 0 else None
