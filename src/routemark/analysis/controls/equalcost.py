"""The router beside the best mixture of fixed models for the same money.

gap = router - h(c), with h the hull of the zero router (`hull.zero_router`) and c what the router costs. The
hull is made of the models that are best on these very questions, so it stands a little too high: a router
exactly on the true hull seems to lie 1.2 points below at 120 questions, 0.4 at 360. Hence "above" is said
when the 95 % interval is above 0, but "below" only when the 99 % interval is below 0.

The intervals are percentiles over resampled clusters, and each replicate has a hull of its own.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from routemark.analysis.controls.baselines import eligible
from routemark.analysis.controls.cost import resampled_sums
from routemark.analysis.controls.hull import height, heights, mixture, zero_router
from routemark.analysis.matrix.outcomes import Outcomes, Picks
from routemark.analysis.stats.arrays import Floats, Interval
from routemark.analysis.stats.clusters import distinct
from routemark.records import EqualCost

REPLICATES = 10_000
MOST_RESAMPLED = 2_000
"""Clusters; more of them are first thrown together into so many groups, which vary as much in the mean."""


def equal_cost(outcomes: Outcomes, picks: Picks, *, seed: int) -> EqualCost | None:
    """Give the router's gap to the zero router at its own cost.

    The router's own answers count where it has some, else its picks by the models' answers. Models that
    were asked a sample only are not on the hull. None below two clusters, without a fixed model, and for a
    router that is cheaper than each of them, where no mixture is to compare with.
    """
    models = outcomes.measured()
    score, cost = _own(models, picks)
    rows = ~(np.isnan(score) | np.isnan(cost))
    models, score, cost = models.where(rows), score[rows], cost[rows]
    models = models.only(np.flatnonzero(eligible(models)).tolist())
    if distinct(models.asked.cluster) < 2:
        return None
    own_cost, own_score = float(cost.mean()), float(score.mean())
    hull = zero_router(models.mean_cost(), models.mean_score())
    level, mixed = height(hull, own_cost), mixture(hull, own_cost)
    if level is None or mixed is None:
        return None
    gaps = _resampled_gaps(models, score, cost, seed)
    ci95, ci99 = _percentiles(gaps, 0.95), _percentiles(gaps, 0.99)
    return EqualCost(
        n=len(score),
        accuracy=own_score,
        cost_per_1k_usd=own_cost * 1000,
        mixture_accuracy=level,
        gap=own_score - level,
        gap_ci95=ci95,
        gap_ci99=ci99,
        standing=_standing(ci95, ci99),
        cheap=models.models[mixed.cheap],
        dear=models.models[mixed.dear],
        dear_share=mixed.dear_share,
    )


def _own(models: Outcomes, picks: Picks) -> tuple[Floats, Floats]:
    """Give score and cost (n,) of the router: of its own calls, else of the cells that it picked."""
    if np.any(~(np.isnan(picks.score) | np.isnan(picks.cost))):
        return picks.score, picks.cost
    return picks.of(models.score), picks.of(models.cost)


class _Sums(NamedTuple):
    """Sums over questions, whole matrices side by side: (rows, 3 + 4 m)."""

    columns: Floats
    models: int

    def means(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Give the router's mean score and cost (rows,), the models' mean scores and costs (rows, m)."""
        count, score, cost = self.columns[:, :3].T
        parts = self.columns[:, 3:].reshape(len(self.columns), 4, self.models)
        with np.errstate(invalid="ignore", divide="ignore"):
            return score / count, cost / count, parts[:, 0] / parts[:, 1], parts[:, 2] / parts[:, 3]


def _resampled_gaps(models: Outcomes, score: Floats, cost: Floats, seed: int) -> Floats:
    """Give the gap of each replicate."""
    sums = _resampled(models, score, cost, seed)
    own_score, own_cost, model_score, model_cost = sums.means()
    # where the replicate's router is cheaper than each model, it is held against the cheapest
    reach = np.maximum(own_cost, np.fmin.reduce(model_cost, axis=1))
    return own_score - heights(model_cost, model_score, reach)


def _resampled(models: Outcomes, score: Floats, cost: Floats, seed: int) -> _Sums:
    at, priced = models.representative, ~np.isnan(models.cost)
    cells = [np.where(at, models.score, 0.0), at, np.where(priced, models.cost, 0.0), priced]
    columns = np.column_stack([np.ones(len(score)), score, cost, *cells])
    _, cluster = np.unique(models.asked.cluster, return_inverse=True)
    sums: Floats = np.column_stack([np.bincount(cluster, weights=column) for column in columns.T])
    sums = sums[np.lexsort(sums.T)]  # so that the order of the questions leaves no trace
    if len(sums) > MOST_RESAMPLED:
        group = np.random.default_rng(seed).permutation(len(sums)) % MOST_RESAMPLED
        sums = np.column_stack([np.bincount(group, weights=column) for column in sums.T])
    return _Sums(resampled_sums(sums, seed=seed, replicates=REPLICATES), len(models.models))


def _percentiles(gaps: Floats, level: float) -> Interval:
    low, high = np.quantile(gaps, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _standing(ci95: Interval, ci99: Interval) -> Literal["above", "below", "open"]:
    if ci95[0] > 0:
        return "above"
    return "below" if ci99[1] < 0 else "open"
