"""Metrics that benchmarks of routers have published, one function a formula.

They are for comparing with those papers, not for deciding: most fix a price of a right answer, or read a
router that has no knob as if it were a curve. docs/offline.md says of each when not to use it. What the
benchmarks share with the rest of the house has its home there: the Arena score and the pick entropy E_p
(RouterEval) in ``metrics``, the zero router in ``hull``, both oracles in ``oracles``, RouterArena's robustness
in ``robustness``.

Scores are in [0, 1], costs in US dollars of one unit throughout a call (a question, 1,000 or a run: every
metric here is a ratio, or moves with the unit, as said). None stands for "n/a": a ratio to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from routemark.analysis.controls.hull import Hull
from routemark.analysis.matrix.outcomes import Outcomes, Picks
from routemark.analysis.stats.arrays import Bools, Floats

# --------------------------------------------------------------------------- RouterArena, arXiv 2510.00202


class Optimality(NamedTuple):
    """How near the picks come to the cheapest fully right model of each question."""

    questions: int
    """With a scored pick and at least one fully right model: the others have no optimal model."""
    sel: float | None
    """Opt.Sel: share of them on which an optimal model was picked (and so was right)."""
    acc: float | None
    """Opt.Acc: sum of the picks' scores / sum of the optimal scores."""
    cost: float | None
    """Opt.Cost: sum of the optimal costs / sum of the picks' costs, over those answered fully right."""


def optimality(outcomes: Outcomes, picks: Picks) -> Optimality:
    """Give Opt.Sel, Opt.Acc and Opt.Cost of RouterArena (arXiv 2510.00202).

    Optimal is the cheapest model with score 1; of several that cost the same each is (RouterArena's code
    takes the first). A model of unknown cost is optimal only where no fully right one has a known cost.
    Opt.Cost leaves questions out whose cost is unknown, and is None where the picks were free.

    RouterArena's code (``llm_evaluation/run.py``) counts only questions that the router got fully right, so
    that its Opt.Acc is always 1 and its Opt.Sel larger; the paper's definition, which counts all questions
    that some model gets right, is computed here. An unknown cell may hide a cheaper right model.
    """
    score, cost = picks.of(outcomes.score), picks.of(outcomes.cost)
    full: Bools = np.greater_equal(outcomes.score, 1)
    rows = full.any(axis=1) & ~np.isnan(score)
    n = int(rows.sum())
    if not n:
        return Optimality(0, None, None, None)
    price = np.where(full, np.where(np.isnan(outcomes.cost), np.finfo(float).max, outcomes.cost), np.inf)
    lowest = price.min(axis=1, initial=np.inf)
    optimal = full & (price == lowest[:, None])
    sel = float((picks.share * optimal).sum(axis=1)[rows].mean())
    right = rows & (score >= 1) & ~np.isnan(cost) & (lowest < np.finfo(float).max)
    return Optimality(n, sel, float(score[rows].mean()), _ratio(lowest[right].sum(), cost[right].sum()))


# --------------------------------------------------------------------------- RouterBench, arXiv 2403.12031


def aiq(hull: Hull, dearest: float) -> float | None:
    """Give the average improvement in quality as RouterBench defines it (arXiv 2403.12031, section 3).

    Area under a non-decreasing hull over [c_min, c_max] / (c_max - c_min): a mean score. c_min is the
    hull's cheapest cost, ``dearest`` is c_max, the dearest cost of any hull in the group compared; this one
    is extended flat to it. Trapezoids. None for a hull of width zero.
    """
    return _ratio(_area(hull, dearest), dearest - hull.cost[0]) if len(hull.cost) else None


def aiq_code(hull: Hull, dearest: float) -> float | None:
    """Give the average improvement in quality as RouterBench's code computes it (``evaluation/AIQ.py``).

    The same area / c_max: smaller than `aiq` where the cheapest model is not free, since the area starts
    there. The code takes the dearest cost from the hulls, so a model that is dearer than the best one and
    worse widens nothing; it fails on hulls without a point between first and last. None at cost 0.
    """
    return _ratio(_area(hull, dearest), dearest) if len(hull.cost) else None


class Preferred(NamedTuple):
    """A model, and the value of a right answer from which on it is the best buy."""

    from_usd: float
    model: int
    """As the hull counts them."""


def willingness_to_pay(hull: Hull) -> list[Preferred]:
    """Give argmax over models of lambda * score - cost for every lambda >= 0 (RouterBench, section 4).

    lambda is the value of a right answer in the unit of the hull's costs. Instead of a sweep over a grid,
    the exact borders: vertex k + 1 of the hull is as good a buy as vertex k at
    (c[k+1] - c[k]) / (s[k+1] - s[k]), and better above.
    """
    steps = np.diff(hull.cost) / np.diff(hull.score)
    borders = [0.0, *steps.tolist()] if len(hull.cost) else []
    return [Preferred(border, model) for border, model in zip(borders, hull.models, strict=True)]


def _area(hull: Hull, dearest: float) -> float:
    """Give the area under a hull from its cheapest vertex to ``dearest``."""
    beyond = dearest - float(hull.cost[-1])
    if beyond < 0:
        raise ValueError("the dearest cost of the group is below this hull's own")
    return float(np.trapezoid(hull.score, hull.cost)) + beyond * float(hull.score[-1])


# --------------------------------------------------------------------------- RouteLLM, arXiv 2406.18665


def pgr(score: float, weak: float, strong: float) -> float | None:
    """Give the performance gap recovered, (score - weak) / (strong - weak) (RouteLLM, arXiv 2406.18665).

    0 as good as the weak model, 1 as the strong one; outside [0, 1] beyond them. None where they tie.
    """
    return _ratio(score - weak, strong - weak)


def apgr(strong_share: Floats, score: Floats, weak: float, strong: float) -> float | None:
    """Give the average PGR: (AUC - AUC_weak) / (AUC_strong - AUC_weak) (RouteLLM, arXiv 2406.18665).

    AUC by trapezoids of ``score`` (k,) over ``strong_share`` (k,), the fraction of calls to the strong model
    in [0, 1], in any order, over the span that the points cover, as in RouteLLM's code. None where the span
    is zero or the models tie. Drawing lots between the two has 0.5 over the whole span.
    """
    order = np.lexsort((score, strong_share))
    share, height = strong_share[order], score[order]
    span = float(share[-1] - share[0]) if len(share) else 0.0
    return _ratio(float(np.trapezoid(height, share)) - weak * span, (strong - weak) * span)


def cpt(level: float, strong_share: Floats, score: Floats, weak: float, strong: float) -> float | None:
    """Give the call-performance threshold CPT: percent of strong calls for PGR = ``level`` (RouteLLM).

    In [0, 100], by linear interpolation of the points at the first crossing. None where they never reach the
    level, or the models tie. RouteLLM's code hands the scores to an interpolation that takes them to rise
    throughout, which gives something else where the curve dips, and an end point where it never reaches the
    level.
    """
    if strong == weak:
        return None
    order = np.lexsort((score, strong_share))
    share, recovered = strong_share[order], (score[order] - weak) / (strong - weak)
    reached = np.flatnonzero(recovered >= level)
    if not len(reached):
        return None
    at = int(reached[0])
    if at == 0:
        return 100 * float(share[0])
    low, high = recovered[at - 1], recovered[at]
    return 100 * float(share[at - 1] + (share[at] - share[at - 1]) * (level - low) / (high - low))


# --------------------------------------------------------------------------- LLMRouterBench, arXiv 2601.07206


def gain(score: float, reference: float) -> float | None:
    """Give (score - reference) / reference: Gain@B over the best single model, Gain@R over random.

    A fraction, not points: 0.80 over 0.75 is 0.067 (LLMRouterBench, arXiv 2601.07206). None at reference 0.
    """
    return _ratio(score - reference, reference)


def gap(score: float, oracle: float) -> float | None:
    """Give Gap@O, (oracle - score) / oracle (LLMRouterBench, arXiv 2601.07206); None at oracle 0.

    The oracle knows the lucky answers, too, so that the gap is a bound that no router closes.
    """
    return _ratio(oracle - score, oracle)


def perf_gain(scores: Sequence[float], best_single: float) -> float | None:
    """Give PerfGain: the best configuration's score over the best single model's, as `gain`.

    LLMRouterBench, arXiv 2601.07206. The best of many configurations is a lucky one. None without any.
    """
    return gain(max(scores), best_single) if len(scores) else None


def cost_save(
    scores: Sequence[float], costs: Sequence[float], best_single: float, best_cost: float
) -> float | None:
    """Give CostSave: the largest 1 - cost / best_cost of configurations that score >= ``best_single``.

    LLMRouterBench, arXiv 2601.07206. A fraction; negative where all that are as good are dearer. None where
    none is as good (a router that loses by one question saves nothing, whatever it costs), and against a
    free model.
    """
    enough = [cost for score, cost in zip(scores, costs, strict=True) if score >= best_single]
    return _ratio(best_cost - min(enough), best_cost) if enough else None


def pareto_frontier(cost: Floats, score: Floats) -> Bools:
    """Give which points (k,) no other one beats: as cheap and better, or as good and cheaper.

    Points alike in both are on the frontier together.
    """
    as_cheap, as_good = cost[:, None] <= cost[None, :], score[:, None] >= score[None, :]
    differs = (cost[:, None] < cost[None, :]) | (score[:, None] > score[None, :])
    frontier: Bools = np.logical_not((as_cheap & as_good & differs).any(axis=0))
    return frontier


def pareto_distance(cost: Floats, score: Floats, router: Bools) -> float | None:
    """Give ParetoDist: mean distance of a router's points to the nearest point of the joint frontier.

    ``cost``, ``score`` (k,): the points of all routers and models; ``router`` (k,): which are this one's.
    LLMRouterBench (arXiv 2601.07206) publishes no code of it. Here both axes are scaled to [0, 1] by the
    range of all points (an axis without a range counts nothing), and the distance is Euclidean; so it
    depends on who else takes part. None without a point.
    """
    if not router.any():
        return None
    points = np.column_stack([_scaled(cost), _scaled(score)])
    frontier = points[pareto_frontier(cost, score)]
    distance = np.linalg.norm(points[router][:, None, :] - frontier[None, :, :], axis=2)
    return float(distance.min(axis=1).mean())


def _scaled(values: Floats) -> Floats:
    low, high = values.min(), values.max()
    scaled: Floats = (values - low) / (high - low) if high > low else np.zeros_like(values)
    return scaled


# --------------------------------------------------------------------------- RouterEval, arXiv 2503.10657


def relative_score(score: float, reference: float) -> float | None:
    """Give V = score / reference (RouterEval, arXiv 2503.10657): V_R to a reference model, V_B to the best.

    V_B is Gain@B + 1. None at reference 0.
    """
    return _ratio(score, reference)


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole != 0 else None
