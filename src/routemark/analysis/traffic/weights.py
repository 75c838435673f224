"""The user's own mix of difficulties: arms and comparisons as they would be for that traffic."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from routemark.analysis.compare import Matrix, Pair, comparison_of, holm_over, price_fields
from routemark.analysis.controls.cost import FEWEST_QUESTIONS, CostRatio, rests_on
from routemark.analysis.controls.value import NOTHING, Means, Price, price_of
from routemark.analysis.matrix.outcomes import Grouping
from routemark.analysis.stats.arrays import Interval
from routemark.analysis.stats.paired import Paired, difference_interval, difference_p_value
from routemark.analysis.stats.resampling import log_ratio, resampled
from routemark.analysis.stats.strata import Strata, stratified, weighted_accuracy, weighted_difference
from routemark.analysis.sureness import sure_quantile
from routemark.errors import SettingsError
from routemark.records import ArmSummary, WeightedArm

_UNKNOWN = Paired(0, 0, math.nan, math.nan, None, None)
_MOST_EXPONENT = 700.0


def parse_weights(text: str, labels: Collection[str]) -> dict[str, float]:
    """Give each difficulty's share of the traffic, adding up to 1, from ``easy=70,hard=30``.

    ``labels``: the difficulties of the questions; each must have its weight, 0 at least. Raises SettingsError.
    """
    found: dict[str, float] = {}
    known = ", ".join(sorted(labels))
    for part in filter(None, (part.strip() for part in text.split(","))):
        label, equals, number = (piece.strip() for piece in part.rpartition("="))
        try:
            weight = float(number)
        except ValueError:
            weight = math.nan
        if not equals or not label or math.isnan(weight):
            raise SettingsError(
                f"--weights {text}: {part!r} is no LABEL=NUMBER. Give each difficulty its weight, "
                "for example easy=70,hard=30."
            )
        if label not in labels:
            raise SettingsError(
                f"--weights {text}: no question has the difficulty {label!r}. There are: {known}."
            )
        if label in found:
            raise SettingsError(f"--weights {text}: {label!r} stands there twice.")
        if weight < 0 or math.isinf(weight):
            raise SettingsError(f"--weights {text}: the weight of {label!r} must be 0 or more.")
        found[label] = weight
    missing = [label for label in sorted(labels) if label not in found]
    if missing:
        raise SettingsError(
            f"--weights {text}: no weight for {', '.join(missing)}. Each difficulty needs one; 0 leaves it out."
        )
    total = sum(found.values())
    if total <= 0:
        raise SettingsError(f"--weights {text}: at least one weight must be above 0.")
    return {label: weight / total for label, weight in found.items()}


def strata_of(difficulty: Grouping, weights: Mapping[str, float]) -> Strata | None:
    """Give the mix; None where a difficulty that has a weight has no question."""
    weight = np.array([weights.get(name, 0.0) for name in difficulty.names])
    present = np.isin(np.arange(len(weight)), difficulty.code)
    lacking = {name for name, share in weights.items() if share > 0} - set(difficulty.names)
    if lacking or np.any((weight > 0) & ~present):
        return None
    return Strata(difficulty.code, weight)


class Mix(NamedTuple):
    """The cells of a run, with the mix of questions that they are to stand for."""

    cells: Matrix
    arms: Mapping[str, ArmSummary]
    strata: Strata
    seed: int

    def of(self, arm: str) -> int:
        """Give the column of an arm."""
        return list(self.arms).index(arm)


def as_asked(cells: Matrix, arms: Mapping[str, ArmSummary], seed: int) -> Mix:
    """Give the mix of the questions themselves."""
    return Mix(cells, arms, Strata(np.zeros(len(cells.cluster), dtype=np.int32), np.ones(1)), seed)


def weighted_arms(mix: Mix) -> dict[str, ArmSummary]:
    """Give the summaries with ``weighted`` filled in; figures that cannot be had are None."""
    return {
        name: msgspec.structs.replace(arm, weighted=_weighted(mix, name)) for name, arm in mix.arms.items()
    }


def _weighted(mix: Mix, name: str) -> WeightedArm:
    cells, arm = mix.cells, mix.of(name)
    accuracy = weighted_accuracy(cells.score[:, arm], cells.cluster, mix.strata)
    cost = stratified(cells.cost[:, [arm]], cells.cluster, mix.strata)
    return WeightedArm(
        accuracy=None if accuracy is None else accuracy[0],
        accuracy_ci95=None if accuracy is None else accuracy[1],
        cost_per_1k_usd=None if cost is None else 1000 * float(cost.mean[0]),
    )


def as_weighted(arms: Mapping[str, ArmSummary]) -> dict[str, ArmSummary]:
    """Give the summaries with the weighted figures in the place of the others: what a verdict then rests on."""
    return {
        name: arm
        if arm.weighted is None
        else msgspec.structs.replace(
            arm,
            accuracy=arm.weighted.accuracy,
            accuracy_ci95=arm.weighted.accuracy_ci95,
            cost_per_1k_usd=arm.weighted.cost_per_1k_usd,
        )
        for name, arm in arms.items()
    }


def weigh(pairs: Sequence[Pair], mix: Mix, *, margin: float) -> list[Pair]:
    """Give the comparisons for the mix: `compare.compare` with weighted means, variances and prices.

    ``pairs``: the unweighted ones, of the same cells and arms.
    """
    arms = mix.arms
    fixed = sum(not arm.is_router for arm in arms.values())
    at_once = 1 - 0.05 / max(1, fixed)
    names = [(pair.comparison.arm, pair.comparison.baseline) for pair in pairs]
    differences = [_difference(mix, *both) for both in names]
    primary = [arms[arm].is_router and not arms[baseline].is_router for arm, baseline in names]
    p_holm = holm_over(primary, [difference_p_value(one) for one in differences])
    found = []
    for pair, both, difference, adjusted in zip(pairs, names, differences, p_holm, strict=True):
        ratio = weighted_cost_ratio(mix, *both, at_once=at_once)
        value = weighted_price(mix, *both, lost=pair.comparison.failed_or_ungraded)
        comparison = comparison_of(both, difference, ratio, margin)
        comparison = msgspec.structs.replace(
            comparison,
            p_value_holm=adjusted,
            failed_or_ungraded=pair.comparison.failed_or_ungraded,
            **price_fields(comparison, value),
        )
        found.append(Pair(comparison, difference, difference_interval(difference, at_once), ratio, value))
    return found


def weighted_cost_ratio(mix: Mix, arm: str, baseline: str, *, at_once: float) -> CostRatio:
    """Give the ratio of weighted mean costs, as `cost.cost_ratios` does; clusters are resampled whole.

    ``at_once``: the level of ``interval_all``.
    """
    strata, values = mix.strata, mix.cells.cost[:, [mix.of(arm), mix.of(baseline)]]
    means = stratified(values, mix.cells.cluster, strata)
    if means is None or means.mean[1] <= 0:
        dearer = means is not None and means.rows >= FEWEST_QUESTIONS and means.mean[0] > 0
        rows = 0 if means is None else means.rows
        return CostRatio(rows, None, None, (math.inf, math.inf) if dearer else None, None)
    known = values[~np.isnan(values).any(axis=1) & (strata.weight[strata.code] > 0)]
    ratio, rests = float(means.mean[0] / means.mean[1]), rests_on(known[:, 0]) or rests_on(known[:, 1])
    if ratio == 0:
        sure = (0.0, 0.0) if means.rows >= FEWEST_QUESTIONS else None
        return CostRatio(means.rows, ratio, sure, sure, rests)
    found = resampled(values, mix.cells.cluster, strata, log_ratio, seed=mix.seed)
    interval, interval_all = (
        None if found is None else _exponentials(found.interval(level)) for level in (0.95, at_once)
    )
    return CostRatio(means.rows, ratio, interval, interval_all, rests)


def weighted_price(mix: Mix, arm: str, baseline: str, *, lost: float = 0.0) -> Price:
    """Give where the arm is the better buy for the mix, as `value.price` does."""
    a, b = mix.of(arm), mix.of(baseline)
    score, cost = (column[:, a] - column[:, b] for column in (mix.cells.score, mix.cells.cost))
    found = stratified(np.column_stack([score, cost]), mix.cells.cluster, mix.strata)
    if found is None:
        return NOTHING
    t = sure_quantile(found.rows, found.degrees, lost)
    return price_of(Means(float(found.mean[0]), float(found.mean[1]), found.covariance, t))


def _difference(mix: Mix, arm: str, baseline: str) -> Paired:
    cells, a, b = mix.cells, mix.of(arm), mix.of(baseline)
    single = cells.single[a] and cells.single[b]
    found = weighted_difference(
        cells.score[:, a], cells.score[:, b], cells.cluster, mix.strata, single=single
    )
    return _UNKNOWN if found is None else found


def _exponentials(interval: Interval | None) -> Interval | None:
    """Give exp of both; None where a bound is beyond all numbers."""
    if interval is None or interval[1] >= _MOST_EXPONENT:
        return None
    return math.exp(interval[0]), math.exp(interval[1])
