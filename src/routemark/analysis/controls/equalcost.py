"""The router beside the best mixture of fixed models for the same money.

gap = router - h(c), with h the hull of the zero router (`hull.zero_router`) and c what the router costs. The
hull is made of the models that are best on these very questions, so it stands a little too high: a router
exactly on the true hull seems to lie 1.2 points below at 120 questions, 0.4 at 360. Hence "above" is said
when the 95 % interval is above 0, but "below" only when the 99 % interval is below 0; of too few questions
(see `sureness`) neither is.

The intervals are percentiles over resampled clusters, and each replicate has a hull of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from routemark.analysis.controls.baselines import eligible
from routemark.analysis.controls.cost import resampled_sums
from routemark.analysis.controls.hull import Hull, height, heights, mixture, zero_router
from routemark.analysis.matrix.outcomes import Outcomes, Picks
from routemark.analysis.stats.arrays import Bools, Floats, Interval, rows_of
from routemark.analysis.stats.clusters import distinct
from routemark.analysis.sureness import is_enough
from routemark.records import EqualCost

REPLICATES = 10_000
MOST_RESAMPLED = 2_000
"""Clusters; more of them are first thrown together into so many groups, which vary as much in the mean."""


class _Own(NamedTuple):
    """What a router scored and cost."""

    score: Floats
    """(n,)"""
    cost: Floats
    """(n,) US dollars a question."""

    @property
    def known(self) -> Bools:
        """(n,) questions with both."""
        return ~(np.isnan(self.score) | np.isnan(self.cost))

    def where(self, rows: Bools) -> _Own:
        return _Own(self.score[rows], self.cost[rows])


def equal_costs(outcomes: Outcomes, arms: Sequence[Picks], *, seed: int) -> list[EqualCost | None]:
    """Give the gap of each router to the zero router at its own cost.

    The router's own answers count where it has some, else its picks by the models' answers. Models that
    were asked a sample only are not on the hull. None below two clusters, without a fixed model, and for a
    router that is cheaper than each of them, where no mixture is to compare with. Routers of the same
    questions share the replicates.
    """
    models = outcomes.measured()
    routers = [_own(models, picks) for picks in arms]
    together: dict[bytes, list[int]] = {}
    for place, router in enumerate(routers):
        together.setdefault(router.known.tobytes(), []).append(place)
    found: list[EqualCost | None] = [None] * len(arms)
    for places in together.values():
        rows = routers[places[0]].known
        gaps = _beside_mixtures(models.where(rows), [routers[place].where(rows) for place in places], seed)
        for place, gap in zip(places, gaps, strict=True):
            found[place] = gap
    return found


def _own(models: Outcomes, picks: Picks) -> _Own:
    """Give score and cost of the router: of its own calls, else of the cells that it picked."""
    own = _Own(picks.score, picks.cost)
    return own if own.known.any() else _Own(picks.of(models.score), picks.of(models.cost))


def _beside_mixtures(models: Outcomes, routers: Sequence[_Own], seed: int) -> list[EqualCost | None]:
    """Give the gaps of routers, all of whose scores and costs are known."""
    models = models.only(np.flatnonzero(eligible(models)).tolist())
    if distinct(models.asked.cluster) < 2:
        return [None] * len(routers)
    hull = zero_router(models.mean_cost(), models.mean_score())
    if not any(height(hull, float(router.cost.mean())) is not None for router in routers):
        return [None] * len(routers)
    replicates = _replicates(models, routers, seed)
    return [_gap(models, hull, router, replicates.gaps(k)) for k, router in enumerate(routers)]


def _gap(models: Outcomes, hull: Hull, router: _Own, gaps: Floats) -> EqualCost | None:
    """Put together what is known of one router; ``gaps``: of its replicates."""
    own_cost, own_score = float(router.cost.mean()), float(router.score.mean())
    level, mixed = height(hull, own_cost), mixture(hull, own_cost)
    if level is None or mixed is None:
        return None
    ci95, ci99 = _percentiles(gaps, 0.95), _percentiles(gaps, 0.99)
    return EqualCost(
        n=len(router.score),
        accuracy=own_score,
        cost_per_1k_usd=own_cost * 1000,
        mixture_accuracy=level,
        gap=own_score - level,
        gap_ci95=ci95,
        gap_ci99=ci99,
        standing=_standing(ci95, ci99) if is_enough(len(router.score)) else "open",
        cheap=models.models[mixed.cheap],
        dear=models.models[mixed.dear],
        dear_share=mixed.dear_share,
    )


class _Replicates(NamedTuple):
    """Means of r replicates: k routers (r, k), m models (r, m)."""

    router_score: Floats
    router_cost: Floats
    model_score: Floats
    model_cost: Floats

    def gaps(self, router: int) -> Floats:
        """Give the gap of a router in each replicate."""
        # where the replicate's router is cheaper than each model, it is held against the cheapest
        reach = np.maximum(self.router_cost[:, router], np.fmin.reduce(self.model_cost, axis=1))
        return self.router_score[:, router] - heights(self.model_cost, self.model_score, reach)


def _replicates(models: Outcomes, routers: Sequence[_Own], seed: int) -> _Replicates:
    """Draw the clusters anew."""
    at, priced = models.representative, ~np.isnan(models.cost)
    cells = [np.where(at, models.score, 0.0), at, np.where(priced, models.cost, 0.0), priced]
    own = [[router.score for router in routers], [router.cost for router in routers]]
    columns = [
        np.ones(models.asked.n),
        *own[0],
        *own[1],
        *(column for matrix in cells for column in matrix.T),
    ]
    _, cluster = np.unique(models.asked.cluster, return_inverse=True)
    sums: Floats = np.array([np.bincount(cluster, weights=column) for column in columns]).T
    sums = rows_of(sums, np.lexsort(sums.T))  # so that the order of the questions leaves no trace
    if len(sums) > MOST_RESAMPLED:
        group = np.random.default_rng(seed).permutation(len(sums)) % MOST_RESAMPLED
        sums = np.array([np.bincount(group, weights=column) for column in sums.T]).T
    drawn = np.asfortranarray(resampled_sums(sums, seed=seed, replicates=REPLICATES))
    count, k, m = drawn[:, :1], len(routers), len(models.models)
    score, cost, *parts = np.split(drawn[:, 1:], [k, 2 * k, *(2 * k + i * m for i in (1, 2, 3))], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _Replicates(score / count, cost / count, parts[0] / parts[1], parts[2] / parts[3])


def _percentiles(gaps: Floats, level: float) -> Interval:
    low, high = np.quantile(gaps, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _standing(ci95: Interval, ci99: Interval) -> Literal["above", "below", "open"]:
    if ci95[0] > 0:
        return "above"
    return "below" if ci99[1] < 0 else "open"
