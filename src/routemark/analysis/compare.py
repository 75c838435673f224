"""Every comparison of a run: which pairs, on which questions, with what intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import msgspec
import numpy as np

from routemark.analysis.controls.cost import CostRatio, cost_ratios
from routemark.analysis.controls.value import Price, price
from routemark.analysis.matrix.columns import UNSURE, Rows, Table
from routemark.analysis.stats.arrays import Bools, Codes, Floats, Interval
from routemark.analysis.stats.paired import Paired, difference_interval, difference_p_value, paired, spread
from routemark.analysis.stats.power import Range, questions_to_tell, spread_range
from routemark.analysis.stats.significance import holm, mcnemar_exact
from routemark.records import ArmSummary, Comparison, McNemar


class Matrix(NamedTuple):
    """Questions x arms: what is compared. Repeats are averaged; NaN is unknown."""

    score: Floats
    cost: Floats
    """US dollars per trial."""
    cluster: Codes
    """One index a question."""
    single: list[bool]
    """One an arm: no score of it is a mean of repeats."""
    ungraded: Bools
    """Cells of graded questions with an answer, but no score: no grader could tell."""


class Pair(NamedTuple):
    """A comparison, with what the verdict needs beyond it."""

    comparison: Comparison
    difference: Paired
    ci_all: Interval | None
    """Of the accuracy difference, at the level that holds for all fixed models at once."""
    ratio: CostRatio
    price: Price


def matrix(table: Table, rows_of: Sequence[Rows] | None = None) -> Matrix:
    """Lay the trials of a table out by question and arm; ``rows_of`` gives others for each of its arms."""
    shape = (table.questions, len(table.arms))
    score, cost = np.full(shape, np.nan, order="F"), np.full(shape, np.nan, order="F")
    ungraded = np.zeros(shape, dtype=bool)
    cluster, single = np.zeros(table.questions, dtype=np.int32), []
    for arm in range(len(table.arms)):
        rows = table.rows(arm) if rows_of is None else rows_of[arm]
        question = rows.question
        score[:, arm], most = question_means(question, rows.score, table.questions)
        cost[:, arm], _ = question_means(question, rows.cost, table.questions)
        ungraded[question[(rows.flags & UNSURE) != 0], arm] = True
        cluster[question] = rows.cluster
        single.append(most <= 1)
    return Matrix(score, cost, cluster, single, ungraded & np.isnan(score))


def pairs_to_compare(routers: Sequence[bool], baseline: int | None) -> list[tuple[int, int]]:
    """Give the (arm, baseline) pairs, each once, as indices; ``routers`` has one entry an arm.

    Each router against every other arm, and every arm against the named baseline; without a router every
    arm against the named baseline, else the first arm. A router stands before a fixed model; otherwise the
    named baseline is the baseline.
    """
    reference = 0 if baseline is None and not any(routers) else baseline
    found = []
    for a, b in combinations(range(len(routers)), 2):
        if routers[a] or routers[b] or reference in {a, b}:
            swap = routers[b] and not routers[a] if routers[a] != routers[b] else a == reference
            found.append((b, a) if swap else (a, b))
    return found


def compare(
    cells: Matrix,
    arms: Mapping[str, ArmSummary],
    pairs: Sequence[tuple[int, int]],
    *,
    margin: float,
    seed: int,
) -> list[Pair]:
    """Give the comparison of each pair of arms (indices into ``arms``)."""
    costs = [(cells.cost[:, a], cells.cost[:, b]) for a, b in pairs]
    fixed = sum(not arm.is_router for arm in arms.values())
    ratios = cost_ratios(costs, seed=seed, comparisons=max(1, fixed))
    return _compared(cells, arms, pairs, ratios, margin)


class Doubt(NamedTuple):
    """What the comparisons would be, had the answers that nobody could grade been graded."""

    against: Sequence[Pair]
    """All of them against the arm judged: its own wrong, the others' right."""
    for_it: Sequence[Pair]
    answers: int
    """Questions and arms with such an answer."""


def compare_at_worst(
    found: Sequence[Pair], cells: Matrix, arms: Mapping[str, ArmSummary], *, subject: str, margin: float
) -> Doubt:
    """Give the comparisons again with every answer that nobody could grade taken for right, or for wrong.

    Costs stay as they are in ``found``.
    """
    names = list(arms)
    pairs = [(names.index(pair.comparison.arm), names.index(pair.comparison.baseline)) for pair in found]
    ratios = [pair.ratio for pair in found]
    against, for_it = (
        _compared(worst, arms, pairs, ratios, margin) for worst in worst_cells(cells, arms, subject)
    )
    return Doubt(against, for_it, int(cells.ungraded.sum()))


def worst_cells(cells: Matrix, arms: Mapping[str, ArmSummary], subject: str) -> tuple[Matrix, Matrix]:
    """Give the cells with what nobody could grade against the subject, and with it for the subject."""
    own = np.array([name == subject for name in arms], dtype=float)
    against, for_it = (
        cells._replace(score=np.where(cells.ungraded, score, cells.score)) for score in (1 - own, own)
    )
    return against, for_it


def _compared(
    cells: Matrix,
    arms: Mapping[str, ArmSummary],
    pairs: Sequence[tuple[int, int]],
    ratios: Sequence[CostRatio],
    margin: float,
) -> list[Pair]:
    """Give the comparison of each pair of arms, whose cost ratios are known."""
    names = list(arms)
    fixed = [not arms[name].is_router for name in names]
    family = max(1, sum(fixed))
    differences = [paired_arms(cells, a, b) for a, b in pairs]
    primary = [not fixed[a] and fixed[b] for a, b in pairs]
    p_holm = holm_over(primary, [difference_p_value(difference) for difference in differences])
    found = []
    for (a, b), difference, ratio, adjusted in zip(pairs, differences, ratios, p_holm, strict=True):
        lost = max(lost_share(arms[names[a]]), lost_share(arms[names[b]]))
        value = price(
            cells.score[:, a] - cells.score[:, b], cells.cost[:, a] - cells.cost[:, b], cells.cluster, lost
        )
        comparison = comparison_of((names[a], names[b]), difference, ratio, margin)
        comparison = msgspec.structs.replace(
            comparison,
            p_value_holm=adjusted,
            **price_fields(comparison, value),
            failed_or_ungraded=lost,
        )
        at_once = difference_interval(difference, 1 - 0.05 / family)
        found.append(Pair(comparison, difference, at_once, ratio, value))
    return found


def price_fields(comparison: Comparison, value: Price) -> dict[str, Any]:
    """Give what a comparison holds of the value of a right answer."""
    sides = {"better": comparison.arm, "worse": comparison.baseline}
    return {
        "indifference_price_usd": value.indifference_usd,
        "better_at_every_price": sides.get(value.always or ""),
        "surely_better_usd": value.surely_better,
        "surely_worse_usd": value.surely_worse,
        "net_benefit": value.net_benefit,
    }


def paired_arms(cells: Matrix, arm: int, baseline: int) -> Paired:
    """Give the paired score difference of two arms by index."""
    single = cells.single[arm] and cells.single[baseline]
    return paired(cells.score[:, arm], cells.score[:, baseline], cells.cluster, single=single)


class Leaders(NamedTuple):
    """The best of some arms by mean score, and which others are surely behind it."""

    n: int
    """Questions on which all of them have a score."""
    best: str
    tied: list[str]
    """Cannot be told apart from the best."""
    behind: list[str]


def leaders(cells: Matrix, arms: Mapping[str, ArmSummary]) -> Leaders | None:
    """Give the best arm and who is behind it, after Holm over all pairs; None below two scored arms."""
    names = list(arms)
    scored = [i for i, name in enumerate(names) if arms[name].accuracy is not None]
    if len(scored) < 2:
        return None
    best = min(scored, key=lambda i: by_quality(arms[names[i]]))
    pairs = list(combinations(scored, 2))
    p_values = [difference_p_value(paired_arms(cells, a, b)) for a, b in pairs]
    adjusted = dict(zip(pairs, holm([1.0 if p is None else p for p in p_values]), strict=True))
    tied: list[str] = []
    behind: list[str] = []
    for other in sorted(scored, key=lambda i: by_quality(arms[names[i]])):
        if other != best:
            p = adjusted[min(best, other), max(best, other)]
            (behind if p < 0.05 else tied).append(names[other])
    complete = ~np.isnan(cells.score[:, scored]).any(axis=1)
    return Leaders(int(complete.sum()), names[best], tied, behind)


def by_quality(arm: ArmSummary) -> tuple[float, float]:
    """Give the key that sorts the best arm first; of equal ones the cheaper."""
    cost = arm.cost_per_1k_usd
    return (-(arm.accuracy or 0.0), math.inf if cost is None else cost)


def lost_share(arm: ArmSummary) -> float:
    """Give the share of an arm's trials that failed or have no score."""
    return (arm.failed + arm.ungraded) / arm.n if arm.n else 1.0


def comparison_of(names: tuple[str, str], difference: Paired, ratio: CostRatio, margin: float) -> Comparison:
    """Put the figures of one pair into their record."""
    graded = difference.n > 0
    psi = spread(difference)
    return Comparison(
        arm=names[0],
        baseline=names[1],
        n=difference.n if graded else ratio.n,
        clusters=difference.clusters,
        accuracy_difference=difference.mean if graded else None,
        ci95=difference_interval(difference),
        p_value=difference_p_value(difference),
        p_value_holm=None,
        mcnemar=_mcnemar(difference),
        cost_ratio=ratio.ratio,
        cost_ratio_ci95=ratio.interval,
        cost_rests_on=ratio.rests_on,
        indifference_price_usd=None,
        questions_to_decide=None if psi is None else _to_decide(difference, psi, margin),
        failed_or_ungraded=0.0,
        spread=psi,
        questions_to_decide_range=None if psi is None else _range_to_decide(difference, psi, margin),
    )


def _to_decide(difference: Paired, psi: float, margin: float) -> int | None:
    """Give the questions in total that tell a difference of the margin."""
    return questions_to_tell(margin, psi, per_cluster=difference.n / difference.clusters)


def _range_to_decide(difference: Paired, psi: float, margin: float) -> Range:
    """Give the 80 % range of that number."""
    low, high = spread_range(psi, difference.clusters)
    return _to_decide(difference, low, margin), _to_decide(difference, high, margin)


def _mcnemar(difference: Paired) -> McNemar | None:
    """Give the exact test where the scores are right or wrong."""
    b, c = difference.only_arm, difference.only_baseline
    if b is None or c is None:
        return None
    return McNemar(only_arm=b, only_baseline=c, p_value=mcnemar_exact(b, c))


def holm_over(family: Sequence[bool], p_values: Sequence[float | None]) -> list[float | None]:
    """Give Holm's adjusted p of the members of the family, None for the others."""
    members = [i for i, p in enumerate(p_values) if family[i] and p is not None]
    adjusted: list[float | None] = [None] * len(p_values)
    for i, p in zip(members, holm([p for i in members if (p := p_values[i]) is not None]), strict=True):
        adjusted[i] = p
    return adjusted


def question_means(question: Codes, values: Floats, questions: int) -> tuple[Floats, int]:
    """Give the mean known value (questions,) of each question, and the most values that one question has.

    ``question`` and ``values`` have one entry a trial; NaN is unknown.
    """
    known = ~np.isnan(values)
    question = question[known]
    count = np.bincount(question, minlength=questions)
    total = np.bincount(question, weights=values[known], minlength=questions)
    mean = np.divide(total, count, out=np.full(questions, np.nan), where=count > 0)
    return mean, int(count.max(initial=0))
