"""Bootstrap-t of what weighted means of costs make: a difference, or the logarithm of a ratio.

A figure is a smooth function f of the totals over clusters: in each stratum the number of questions and the
sum of each column. Its standard error is that of the sum over clusters of g't_c, g the gradient of f and t_c
the totals of cluster c. Every replicate draws the clusters anew, and studentises its own f*: also the error is
then a function of resampled totals, those of t_c and of t_c t_c'. Costs are skewed, and this follows them
better than Student's t; approximate nevertheless.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from routemark.analysis.controls.cost import FEWEST_QUESTIONS, MOST_RESAMPLED, REPLICATES, resampled_sums
from routemark.analysis.stats.arrays import Codes, Floats, Interval
from routemark.analysis.stats.distributions import student_t_quantile
from routemark.analysis.stats.strata import Strata

Figure = Callable[[Floats], tuple[Floats, Floats]]
"""From weighted means (r, k) of k columns the figure (r,) and its gradient (r, k)."""


class Resampled(NamedTuple):
    """A figure and its studentised replicates."""

    value: float
    error: float
    t: Floats | None
    """(f* - f)/error*; None where Student's t will do, or has to."""
    degrees: int

    def interval(self, level: float) -> Interval | None:
        """Give f - q(upper) error .. f - q(lower) error; None where most replicates have no figure."""
        if not math.isfinite(self.value) or not math.isfinite(self.error):
            return None
        if self.error <= 1e-12 * abs(self.value):
            return self.value, self.value
        if self.t is None:
            half = student_t_quantile(level, self.degrees) * self.error
            return self.value - half, self.value + half
        finite = self.t[np.isfinite(self.t)]
        if len(finite) < REPLICATES // 2:
            return None
        low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
        return self.value - float(high) * self.error, self.value - float(low) * self.error


def difference(means: Floats) -> tuple[Floats, Floats]:
    """Give the first of k = 1 means itself, and its gradient."""
    return means[:, 0], np.ones_like(means)


def log_ratio(means: Floats) -> tuple[Floats, Floats]:
    """Give log(first / second) of k = 2 means, and its gradient; NaN where one is not positive."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(means[:, 0] / means[:, 1]), np.column_stack([1 / means[:, 0], -1 / means[:, 1]])


def resampled(
    values: Floats,
    cluster: Codes,
    strata: Strata,
    figure: Figure,
    *,
    seed: int,
) -> Resampled | None:
    """Give a figure of the weighted means of ``values`` (n, k), rows with an unknown entry left out.

    ``figure``: `difference` of one column, or `log_ratio` of two. None below 20 questions, below two
    clusters, and where a stratum with a weight has no question.
    """
    rows = ~np.isnan(values).any(axis=1) & (strata.weight[strata.code] > 0)
    used = np.flatnonzero(strata.weight > 0)
    if int(rows.sum()) < FEWEST_QUESTIONS or len(np.setdiff1d(used, strata.code[rows])):
        return None
    weight, code = strata.weight[used], np.searchsorted(used, strata.code[rows]).astype(np.int32)
    totals = _totals(values[rows], cluster[rows], code, len(used))
    clusters = len(totals)
    if clusters < 2:
        return None
    products = (totals[:, :, None] * totals[:, None, :]).reshape(clusters, -1)
    columns = np.concatenate([totals, products], axis=1)
    value, error = (one[0] for one in _studentised(columns.sum(axis=0)[None], weight, figure, clusters))
    t = None
    if clusters <= MOST_RESAMPLED:
        sums = resampled_sums(columns, seed=seed, replicates=REPLICATES)
        values_at, errors = _studentised(sums, weight, figure, clusters)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (values_at - value) / errors
    return Resampled(float(value), float(error), t, clusters - 1)


def _totals(values: Floats, cluster: Codes, code: Codes, strata: int) -> Floats:
    """Give, by cluster, the questions of each stratum and then each column's sums (clusters, strata (1 + k))."""
    _, place = np.unique(cluster, return_inverse=True)
    cell, size = place * strata + code, (int(place.max()) + 1) * strata
    columns = [np.ones(len(values)), *values.T]
    sums = [np.bincount(cell, weights=column, minlength=size).reshape(-1, strata) for column in columns]
    return np.concatenate(sums, axis=1)


def _studentised(sums: Floats, weight: Floats, figure: Figure, clusters: int) -> tuple[Floats, Floats]:
    """Give figure and standard error (r,) from sums (r, totals and their products)."""
    strata = len(weight)
    width = round((math.sqrt(1 + 4 * sums.shape[1]) - 1) / 2)
    totals, second = sums[:, :width], sums[:, width:].reshape(-1, width, width)
    with np.errstate(divide="ignore", invalid="ignore"):
        n = totals[:, :strata]
        means = totals[:, strata:].reshape(len(sums), -1, strata) / n[:, None, :]
        value, gradient = figure(means @ weight)
        by_sum = gradient[:, :, None] * weight / n[:, None, :]
        by_size = -(by_sum * means).sum(axis=1)
        slope = np.concatenate([by_size, by_sum.reshape(len(sums), -1)], axis=1)
        spread = np.einsum("ri,rij,rj->r", slope, second, slope)
        return value, np.sqrt(np.maximum(spread, 0.0) * clusters / (clusters - 1))
