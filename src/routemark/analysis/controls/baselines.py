"""The routers that need no router: one model for everything, chosen well or badly, or all of them by lot.

Only models that answered the questions take part (`eligible`): a model that was asked a small random sample
has a mean, but too rough a one to be the best or the cheapest.
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from routemark.analysis.matrix.outcomes import Grouping, Outcomes
from routemark.analysis.stats.arrays import Bools, Codes, Floats
from routemark.analysis.stats.clusters import distinct
from routemark.analysis.stats.folds import folds
from routemark.records import BestSingle, Fixed

LEAST_COMPLETE = 0.8
"""Share of the questions on which a model must have a score to stand for all of them."""
FOLDS = 10


def eligible(outcomes: Outcomes) -> Bools:
    """Give which models (m,) have a score that tells on at least 80 % of the questions."""
    answered: Bools = np.greater_equal(
        outcomes.representative.sum(axis=0), max(1.0, LEAST_COMPLETE * outcomes.asked.n)
    )
    if outcomes.sampled is None:
        return answered
    asked_beyond: Bools = np.asarray(np.any(outcomes.known & ~outcomes.sampled, axis=0))
    return answered & ~asked_beyond


def best_single(outcomes: Outcomes, *, seed: int) -> BestSingle | None:
    """Give the eligible model with the highest mean score, ties to the cheaper; None without one.

    Chosen on the questions that it is scored on, it is optimistic. The cross-fitted figure is honest:
    chosen on nine folds of the clusters, stratified by difficulty, scored on the tenth. It carries no test:
    with tied models its interval would be too narrow.
    """
    at = np.flatnonzero(eligible(outcomes))
    best = _best(outcomes.mean_score()[at], outcomes.mean_cost()[at])
    if best is None:
        return None
    pool = outcomes.only(at.tolist())
    row = _fixed(pool, best)
    score, cost, chosen = _cross_fit(pool, seed)
    return BestSingle(
        model=pool.models[best],
        n=row.n,
        accuracy=float(pool.mean_score()[best]),
        cost_per_1k_usd=row.cost_per_1k_usd,
        crossfit_accuracy=_mean(score),
        crossfit_cost_per_1k_usd=_per_1k(_mean(cost)),
        crossfit_models=dict(sorted(chosen.items(), key=lambda item: (-item[1], item[0]))),
    )


def cheapest(outcomes: Outcomes) -> Fixed | None:
    """Give the eligible model with the lowest mean cost, ties to the better; None without a known cost."""
    cost, score = outcomes.mean_cost(), outcomes.mean_score()
    return _extreme(outcomes, cost, -score)


def dearest(outcomes: Outcomes) -> Fixed | None:
    """Give the eligible model with the highest mean cost, ties to the better; None without a known cost."""
    cost, score = outcomes.mean_cost(), outcomes.mean_score()
    return _extreme(outcomes, -cost, -score)


def uniform(outcomes: Outcomes) -> Fixed | None:
    """Give what lots between the eligible models come to: exactly, by their means; None without one."""
    at = eligible(outcomes)
    if not at.any():
        return None
    cost = outcomes.mean_cost()[at]
    return Fixed(
        model=None,
        n=int(outcomes.known[:, at].any(axis=1).sum()),
        accuracy=float(outcomes.mean_score()[at].mean()),
        cost_per_1k_usd=None if np.isnan(cost).any() else float(cost.mean()) * 1000,
    )


def ranks(grouping: Grouping) -> Codes:
    """Give the label of each question (n,) as a number by name, so that no order of arrival leaves a trace.

    Questions without a label come last, as one group.
    """
    order = np.argsort(np.array(grouping.names, dtype=str), kind="stable")
    place = np.append(np.argsort(order), len(order)).astype(np.int32)
    ranked: Codes = place[grouping.code]
    return ranked


def _cross_fit(pool: Outcomes, seed: int) -> tuple[Floats, Floats, Counter[str]]:
    """Give score and cost (n,) of the model chosen on the other folds, and how often each was chosen."""
    cluster = pool.asked.cluster
    fold = folds(cluster, ranks(pool.asked.difficulty), min(FOLDS, distinct(cluster)), seed=seed)
    score, cost = np.full(pool.asked.n, np.nan), np.full(pool.asked.n, np.nan)
    chosen: Counter[str] = Counter()
    for number, means in enumerate(zip(*pool.means_without(fold), strict=True)):
        best = _best(*means)
        if best is not None:
            test = fold == number
            score[test], cost[test] = pool.score[test, best], pool.cost[test, best]
            chosen[pool.models[best]] += 1
    return score, cost, chosen


def _best(score: Floats, cost: Floats) -> int | None:
    """Give the index of the highest score, ties to the lower cost, then to the first; None without one."""
    if not np.isfinite(score).any():
        return None
    price = np.where(np.isnan(cost), np.inf, cost)
    return int(np.lexsort((price, np.where(np.isnan(score), np.inf, -score)))[0])


def _extreme(outcomes: Outcomes, first: Floats, second: Floats) -> Fixed | None:
    """Give the eligible model with the lowest ``first``, ties to the lowest ``second``."""
    at = np.flatnonzero(eligible(outcomes) & ~np.isnan(first))
    if not len(at):
        return None
    return _fixed(outcomes, int(at[np.lexsort((second[at], first[at]))[0]]))


def _fixed(outcomes: Outcomes, model: int) -> Fixed:
    score, cost = outcomes.mean_score()[model], outcomes.mean_cost()[model]
    return Fixed(
        model=outcomes.models[model],
        n=int(outcomes.representative[:, model].sum()),
        accuracy=None if math.isnan(score) else float(score),
        cost_per_1k_usd=_per_1k(None if math.isnan(cost) else float(cost)),
    )


def _mean(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _per_1k(cost: float | None) -> float | None:
    return None if cost is None else cost * 1000
