"""Controls of routers and of the pool that they pick from, as pure functions of `Outcomes` and `Picks`.

Two numbers are never mixed. *Picking* is what the models themselves make of the router's picks, less what
they make of the same mix at random: cells of direct calls only. *Delivery* is the router's own answers less
direct answers of the models that it picked. Their sum is what the router gains over its mix.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from routemark.analysis.controls import baselines, bounds, oracles
from routemark.analysis.controls.baselines import LEAST_COMPLETE, best_single, eligible, ranks
from routemark.analysis.controls.cost import kept_draws
from routemark.analysis.controls.equalcost import equal_costs
from routemark.analysis.controls.hull import zero_router
from routemark.analysis.controls.samemix import Gain, mix_gain
from routemark.analysis.matrix.outcomes import DIRECT, LIVE, Grouping, Outcomes, Picks
from routemark.analysis.stats.arrays import Bools, Floats
from routemark.analysis.stats.paired import difference_interval, paired
from routemark.records import (
    Delivery,
    EqualCost,
    MixSplit,
    OraclePoint,
    OracleSummary,
    Regret,
    SameMix,
    Vertex,
)


class ArmControls(NamedTuple):
    """The controls of one router."""

    same_mix: SameMix | None
    delivery: Delivery | None
    equal_cost: EqualCost | None
    regret: Regret | None


class Controls(NamedTuple):
    """The controls of a pool of models and of the routers that picked from it."""

    oracle: OracleSummary | None
    arms: dict[str, ArmControls]


def controls(
    outcomes: Outcomes, picks_by_arm: Mapping[str, Picks], *, seed: int, confirmed: float | None = None
) -> Controls:
    """Give every control; what cannot be had is None.

    ``confirmed``: the accuracy of fresh answers to `bounds.to_confirm`, where they were asked.
    """
    equal = equal_costs(outcomes, list(picks_by_arm.values()), seed=seed)
    found = Controls(
        oracle=oracle_summary(outcomes, seed=seed, confirmed=confirmed),
        arms={
            arm: ArmControls(
                same_mix=same_mix(outcomes, picks, seed=seed),
                delivery=delivery(outcomes, picks),
                equal_cost=at_its_cost,
                regret=bounds.regret(outcomes, picks),
            )
            for (arm, picks), at_its_cost in zip(picks_by_arm.items(), equal, strict=True)
        },
    )
    kept_draws.cache_clear()
    return found


def oracle_summary(outcomes: Outcomes, *, seed: int, confirmed: float | None = None) -> OracleSummary | None:
    """Give what the pool could have done; None unless at least two models have a score."""
    pool = outcomes.measured()
    pool = pool.only(np.flatnonzero(pool.known.any(axis=0)).tolist())
    if len(pool.models) < 2:
        return None
    best, halves, (luck, choice_questions) = (
        best_single(pool, seed=seed),
        bounds.split_halves(pool),
        bounds.luck(pool),
    )
    shown = [None if best is None else best.crossfit_accuracy, confirmed, halves]
    return OracleSummary(
        questions=int(pool.known.any(axis=1).sum()),
        models=list(pool.models),
        best_then_cheapest=_point(oracles.best_then_cheapest(pool)),
        cheapest_full_score=_point(oracles.cheapest_full_score(pool)),
        reachable=max((figure for figure in shown if figure is not None), default=None),
        split_halves=halves,
        confirmed=confirmed,
        luck=luck,
        choice_questions=choice_questions,
        best_single=best,
        cheapest=baselines.cheapest(pool),
        dearest=baselines.dearest(pool),
        random=baselines.uniform(pool),
        zero_router=_vertices(pool),
        by_difficulty=_by_difficulty(pool),
    )


def _by_difficulty(pool: Outcomes) -> dict[str, OraclePoint]:
    labels = pool.asked.difficulty
    parts = ((name, pool.where(labels.code == code)) for code, name in enumerate(labels.names))
    return {name: _point(oracles.best_then_cheapest(part)) for name, part in parts}


def same_mix(outcomes: Outcomes, picks: Picks, *, seed: int) -> SameMix | None:
    """Give the router's own mix of models at random; None unless every model that it picked was measured.

    Questions whose pick has no known score are left out, at most 20 % of them. Where the router's own answers
    stand in for direct ones, picking and delivery cannot be told apart, and there is no p value.
    """
    models = outcomes.measured()
    rows = ~np.isnan(picks.of(models.score))
    used = picks.share.any(axis=0)
    if not _enough(rows, picks.picked):
        return None
    models, picks = models.where(rows), picks.where(rows)
    models = models.only(np.flatnonzero(used).tolist())
    picks = picks._replace(share=picks.share[:, used])
    gain = _gain(models, picks, models.score, seed) if _told(models).all() else None
    if gain is None:
        return None
    stand_ins = bool(((models.source == LIVE) & (picks.share > 0)).any())
    cost = _mix_cost(models, picks)
    return SameMix(
        accuracy=gain.expected,
        cost_per_1k_usd=cost,
        gain=gain.gain,
        gain_ci95=gain.interval,
        p_value=None if stand_ins else gain.p_value,
        n=len(picks.share),
        picks_accuracy=float(picks.of(models.score).mean()),
        cost_p_value=None if stand_ins or not cost else _cost_p_value(models, picks, seed),
        by_difficulty=_split(models, picks, models.asked.difficulty, gain, seed),
        by_category=_split(models, picks, models.asked.category, gain, seed),
        includes_delivery=stand_ins,
    )


def delivery(outcomes: Outcomes, picks: Picks) -> Delivery | None:
    """Give live minus direct on the same picked cells; None without a question that has both.

    Cells of a file are no direct calls that one knows of.
    """
    models = outcomes.direct()
    direct = np.where(models.source == DIRECT, models.score, np.nan)
    cells = picks.of(direct)
    both = ~(np.isnan(cells) | np.isnan(picks.score))
    if not both.any():
        return None
    single = outcomes.single and bool(np.isin(picks.share, (0.0, 1.0)).all())
    pair = paired(picks.score, cells, outcomes.asked.cluster, single=single)
    dearer = (picks.cost - picks.of(models.cost))[both]
    dearer = dearer[~np.isnan(dearer)]
    return Delivery(
        accuracy_difference=pair.mean,
        ci95=difference_interval(pair),
        n=pair.n,
        clusters=pair.clusters,
        live_accuracy=float(picks.score[both].mean()),
        direct_accuracy=float(cells[both].mean()),
        cost_difference_per_1k_usd=float(dearer.mean()) * 1000 if len(dearer) else None,
    )


def _enough(rows: Bools, picked: Bools) -> bool:
    return bool(rows.any()) and bool(rows.sum() >= LEAST_COMPLETE * picked.sum())


def _told(models: Outcomes) -> Bools:
    """Give which models (m,) have a score on at least 80 % of the questions that should tell their mean."""
    should = models.asked.n if models.sampled is None else models.sampled.sum(axis=0)
    told: Bools = models.representative.sum(axis=0) >= np.maximum(1, LEAST_COMPLETE * should)
    return told


def _gain(
    models: Outcomes, picks: Picks, values: Floats, seed: int, strata: Grouping | None = None
) -> Gain | None:
    """Give the gain of the picks in scores, or in other ``values`` (n, m) of the same cells."""
    at = ~np.isnan(values) if models.sampled is None else ~np.isnan(values) & models.sampled
    return mix_gain(
        picks.share,
        values,
        models.asked.cluster,
        seed=seed,
        strata=None if strata is None else ranks(strata),
        representative=at,
    )


def _split(models: Outcomes, picks: Picks, strata: Grouping, gain: Gain, seed: int) -> MixSplit | None:
    """Split the gain by a label; None with one label, and where a model was picked but not told in one."""
    labels = len(np.unique(strata.code))
    within = _gain(models, picks, models.score, seed, strata) if labels > 1 else None
    if within is None:
        return None
    return MixSplit(
        strata=labels,
        within=within.gain,
        within_ci95=within.interval,
        within_p_value=within.p_value,
        between=gain.gain - within.gain,
    )


def _mix_cost(models: Outcomes, picks: Picks) -> float | None:
    """Give what the mix costs at random, US dollars per 1,000; None where nothing is known of a model."""
    cost = float(picks.shares() @ models.mean_cost()) * 1000
    return None if np.isnan(cost) else cost


def _cost_p_value(models: Outcomes, picks: Picks, seed: int) -> float | None:
    """Give P(the picks, dealt at random, cost as little); None where too many costs are unknown."""
    rows = ~np.isnan(picks.of(models.cost))
    if not _enough(rows, picks.picked):
        return None
    models, picks = models.where(rows), picks.where(rows)
    saved = _gain(models, picks, -models.cost / np.nanmean(models.cost), seed)
    return None if saved is None else saved.p_value


def _point(oracle: oracles.Oracle) -> OraclePoint:
    return OraclePoint(**oracle._asdict())


def _vertices(pool: Outcomes) -> list[Vertex]:
    """Give the hull of the models that stand for all questions."""
    pool = pool.only(np.flatnonzero(eligible(pool)).tolist())
    hull = zero_router(pool.mean_cost(), pool.mean_score())
    return [
        Vertex(model=pool.models[model], accuracy=float(score), cost_per_1k_usd=float(cost) * 1000)
        for model, cost, score in zip(hull.models, hull.cost, hull.score, strict=True)
    ]
