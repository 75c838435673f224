"""The published metrics of a file of outcomes and picks, put together for ``--all-metrics``.

Each formula has its home in ``published``; here is what goes into it. An arm is held against the models on
its own questions; the arms of one router (``NAME?SETTING=...``) are the points of its curve, on the questions
for which all of them have a scored pick.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from routemark.analysis.controls import baselines, oracles
from routemark.analysis.controls.hull import Hull, zero_router
from routemark.analysis.matrix.outcomes import Outcomes, Picks
from routemark.analysis.published import published
from routemark.analysis.published.metrics import pick_entropy_bits
from routemark.analysis.stats.arrays import Bools, Floats
from routemark.records import ArmMetrics, BestSingle, Buy, OfflineMetrics, RouterCurve

Formula = Callable[[float, float], float | None]

LEVELS = (0.2, 0.5, 0.8)
"""Shares of the gap for which CPT is given, as in RouteLLM's code."""


class Zero(NamedTuple):
    """The zero router of the models that stand for all questions."""

    hull: Hull
    models: tuple[str, ...]
    """At the hull's vertices."""


def zero_of(outcomes: Outcomes) -> Zero:
    """Give the hull of the models with a score on at least 80 % of the questions."""
    pool = outcomes.only(np.flatnonzero(baselines.eligible(outcomes)).tolist())
    hull = zero_router(pool.mean_cost(), pool.mean_score())
    return Zero(hull, tuple(pool.models[model] for model in hull.models))


class Pool(NamedTuple):
    """Models on some of the questions, and what they come to without a router."""

    models: Outcomes
    best: BestSingle | None
    random: float | None
    """Mean score of lots between them."""
    oracle: float | None


class Pools:
    """The pool of each set of questions; most arms have the same, so that each is looked at once."""

    def __init__(self, outcomes: Outcomes, *, seed: int) -> None:
        self.outcomes = outcomes
        self._seed = seed
        self._found: dict[bytes, Pool] = {}

    def scored(self, arms: Sequence[Picks]) -> tuple[Pool, list[Picks]]:
        """Give the questions for which all of these arms have a scored pick."""
        rows: Bools = np.all([np.isfinite(picks.of(self.outcomes.score)) for picks in arms], axis=0)
        found = self._found.get(rows.tobytes())
        if found is None:
            found = self._found[rows.tobytes()] = self._pool(self.outcomes.where(rows))
        return found, [picks.where(rows) for picks in arms]

    def _pool(self, models: Outcomes) -> Pool:
        lots = baselines.uniform(models)
        return Pool(
            models,
            baselines.best_single(models, seed=self._seed),
            None if lots is None else lots.accuracy,
            oracles.best_then_cheapest(models).accuracy,
        )


def arm_metrics(pools: Pools, picks: Picks, *, reference: str | None) -> ArmMetrics:
    """Give the published metrics of one arm, on the questions for which it has a scored pick.

    ``reference``: the model that V_R goes by.
    """
    pool, (picks,) = pools.scored([picks])
    models, score = pool.models, _mean(picks.of(pool.models.score))
    standard = None if reference is None else _mean(models.score[:, models.models.index(reference)])
    single = None if pool.best is None else pool.best.accuracy
    return ArmMetrics(
        gain_at_best_single=_of(published.gain, score, single),
        gain_at_random=_of(published.gain, score, pool.random),
        gap_at_oracle=_of(published.gap, score, pool.oracle),
        v_r=_of(published.relative_score, score, standard),
        v_b=_of(published.relative_score, score, single),
        e_p_bits=pick_entropy_bits((picks.share > 0).sum(axis=0).tolist()),
        pgr=_gap_recovered(models, picks),
    )


def offline_metrics(pools: Pools, arms: Sequence[Picks]) -> OfflineMetrics:
    """Give the published metrics that are not about one arm."""
    outcomes = pools.outcomes
    zero = zero_of(outcomes)
    buys = published.willingness_to_pay(zero.hull)
    names = dict.fromkeys(picks.arm.partition("?")[0] for picks in arms)
    curves = {
        name: _curve(pools, [picks for picks in arms if picks.arm.partition("?")[0] == name])
        for name in names
    }
    dearest = max(
        (hull.cost[-1] for hull in [zero.hull, *(c.hull for c in curves.values())] if len(hull.cost)),
        default=0.0,
    )
    points = _Points.of(outcomes, arms)
    return OfflineMetrics(
        cheapest=baselines.cheapest(outcomes),
        dearest=baselines.dearest(outcomes),
        random=baselines.uniform(outcomes),
        best_buys=[
            Buy(from_usd=buy.from_usd, model=model) for buy, model in zip(buys, zero.models, strict=True)
        ],
        routers={name: _router(curve, float(dearest), points) for name, curve in curves.items()},
    )


class _Curve(NamedTuple):
    """The arms of one router, on the questions for which all of them have a scored pick."""

    pool: Pool
    arms: list[Picks]
    score: list[float]
    """Mean of each arm; empty where there is no such question, as ``cost``."""
    cost: list[float]
    """US dollars a question, NaN unknown."""

    @property
    def hull(self) -> Hull:
        return zero_router(np.array(self.cost), np.array(self.score))


def _curve(pools: Pools, arms: Sequence[Picks]) -> _Curve:
    pool, arms = pools.scored(arms)
    models = pool.models
    if not models.asked.n:
        return _Curve(pool, arms, [], [])
    scores = [float(picks.of(models.score).mean()) for picks in arms]
    return _Curve(pool, arms, scores, [_mean_or_nan(picks.of(models.cost)) for picks in arms])


def _router(curve: _Curve, dearest: float, points: _Points) -> RouterCurve:
    best = curve.pool.best
    pair = _pair(curve.pool.models, curve.arms)
    share, score = (np.zeros(0), np.zeros(0)) if pair is None else pair.points(curve.arms)
    return RouterCurve(
        arms=[picks.arm for picks in curve.arms],
        aiq=published.aiq(curve.hull, dearest),
        aiq_code=published.aiq_code(curve.hull, dearest),
        perf_gain=None if best is None else published.perf_gain(curve.score, best.accuracy),
        cost_save=_cost_save(curve, best),
        pareto_dist=points.distance([picks.arm for picks in curve.arms]),
        weak=None if pair is None else pair.models[0],
        strong=None if pair is None else pair.models[1],
        apgr=None if pair is None else published.apgr(share, score, pair.weak, pair.strong),
        cpt={}
        if pair is None
        else {f"{level:g}": published.cpt(level, share, score, pair.weak, pair.strong) for level in LEVELS},
    )


def _cost_save(curve: _Curve, best: BestSingle | None) -> float | None:
    """Give CostSave; None where a cost is unknown."""
    if best is None or best.cost_per_1k_usd is None or np.isnan(curve.cost).any():
        return None
    per_1k = [1000 * cost for cost in curve.cost]
    return published.cost_save(curve.score, per_1k, best.accuracy, best.cost_per_1k_usd)


class _Points(NamedTuple):
    """Models and arms with known mean cost and score, each on its own questions."""

    names: list[str]
    cost: Floats
    score: Floats

    @classmethod
    def of(cls, outcomes: Outcomes, arms: Sequence[Picks]) -> _Points:
        """Give the points of the models that stand for all questions and of all arms."""
        pool = outcomes.only(np.flatnonzero(baselines.eligible(outcomes)).tolist())
        cost = np.array([*pool.mean_cost(), *(_mean_or_nan(picks.of(outcomes.cost)) for picks in arms)])
        score = np.array([*pool.mean_score(), *(_mean_or_nan(picks.of(outcomes.score)) for picks in arms)])
        at = np.flatnonzero(~(np.isnan(cost) | np.isnan(score)))
        names = [*pool.models, *(picks.arm for picks in arms)]
        return cls([names[i] for i in at], cost[at], score[at])

    def distance(self, arms: Sequence[str]) -> float | None:
        """Give ParetoDist of some arms."""
        return published.pareto_distance(self.cost, self.score, np.isin(self.names, arms))


class _Pair(NamedTuple):
    """A weak and a strong model, between which all picks are made."""

    outcomes: Outcomes
    """The questions that both answered."""
    rows: Bools
    """Which of the questions asked they are."""
    models: tuple[str, str]
    strong_at: int
    weak: float
    strong: float

    def points(self, arms: Sequence[Picks]) -> tuple[Floats, Floats]:
        """Give share of strong calls and mean score of the arms, and of the two models themselves."""
        own = [picks.where(self.rows) for picks in arms]
        share = [float(picks.share[:, self.strong_at].mean()) for picks in own]
        score = [float(picks.of(self.outcomes.score).mean()) for picks in own]
        return np.array([0.0, *share, 1.0]), np.array([self.weak, *score, self.strong])


def _pair(models: Outcomes, arms: Sequence[Picks]) -> _Pair | None:
    """Give the two models that all picks are among; None unless there are two, of different mean score."""
    used = np.flatnonzero(np.any([picks.share.any(axis=0) for picks in arms], axis=0)).tolist()
    if len(used) != 2:
        return None
    rows: Bools = models.known[:, used[0]] & models.known[:, used[1]]
    if not rows.any():
        return None
    means = [float(models.score[rows, model].mean()) for model in used]
    if means[0] == means[1]:
        return None
    weak, strong = (0, 1) if means[0] < means[1] else (1, 0)
    return _Pair(
        models.where(rows),
        rows,
        (models.models[used[weak]], models.models[used[strong]]),
        used[strong],
        means[weak],
        means[strong],
    )


def _gap_recovered(models: Outcomes, picks: Picks) -> float | None:
    pair = _pair(models, [picks])
    if pair is None:
        return None
    return published.pgr(float(pair.points([picks])[1][1]), pair.weak, pair.strong)


def _of(formula: Formula, score: float | None, reference: float | None) -> float | None:
    return None if score is None or reference is None else formula(score, reference)


def _mean_or_nan(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _mean(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
