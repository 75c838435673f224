"""Intervals of a mean score and of a paired difference of right/wrong scores."""

from __future__ import annotations

import math

from routemark.analysis.stats.arrays import Interval
from routemark.analysis.stats.clusters import Mean
from routemark.analysis.stats.distributions import normal_quantile, student_t_quantile


def wilson(p: float, n: float, z: float) -> Interval:
    """Give Wilson's interval of a proportion p of n (Wilson 1927); z is the two-sided quantile."""
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = 0.0 if p == 0.0 else max(0.0, centre - half)
    high = 1.0 if p == 1.0 else min(1.0, centre + half)
    return low, high


def effective_size(mean: Mean) -> float:
    """Give the number of independent right/wrong answers that would carry as much: p(1-p)/variance.

    Held between the number of clusters and the number of rows; the clusters alone at p = 0 and p = 1
    (Korn and Graubard 1998).
    """
    p = mean.value
    if p in {0.0, 1.0}:
        return mean.clusters
    if mean.variance == 0.0:
        return mean.rows
    return min(max(p * (1 - p) / mean.variance, mean.clusters), mean.rows)


def accuracy_interval(mean: Mean, level: float = 0.95) -> Interval | None:
    """Give the interval of a mean score: Wilson with the effective size and t(clusters - 1).

    Plain Wilson, z = 1.96 at 95 %, for 0/1 scores, one a cluster. None without a score, and where one
    cluster holds several rows: nothing tells how much they depend on each other.
    """
    if mean.plain and mean.rows:
        return wilson(mean.value, mean.rows, normal_quantile(level))
    if mean.clusters < 2:
        return None
    return wilson(mean.value, effective_size(mean), student_t_quantile(level, mean.clusters - 1))


def bonett_price(only_arm: int, only_baseline: int, n: int, level: float = 0.95) -> Interval:
    """Give the adjusted Wald interval of the difference of two paired proportions; never of width zero.

    ``only_arm``, ``only_baseline``: questions of n that only this side got right. Bonett and Price 2012.
    """
    p1, p2 = (only_arm + 1) / (n + 2), (only_baseline + 1) / (n + 2)
    half = normal_quantile(level) * math.sqrt((p1 + p2 - (p1 - p2) ** 2) / (n + 2))
    return max(-1.0, p1 - p2 - half), min(1.0, p1 - p2 + half)
