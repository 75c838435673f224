"""A router's own cost-quality curve: its arms that differ in one setting alone, by rising cost.

Each point has its accuracy and its cost with intervals; each step to the next dearer point is a paired
difference on the same questions. A step "surely" brings better answers where its interval at the level that
holds for all steps of the curve at once (Bonferroni) lies above 0. Where the fixed models were asked directly,
a point's gap to their hull says whether a plain mixture of two of them does as well for the same money.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from routemark.analysis.compare import Matrix, paired_arms
from routemark.analysis.controls.cost import CostRatio, mean_costs
from routemark.analysis.stats.arrays import Interval
from routemark.analysis.stats.paired import Paired, difference_interval
from routemark.analysis.sureness import FEWEST_ANSWERS, is_enough
from routemark.analysis.words import listing
from routemark.numbers import counted, in_points, usd
from routemark.records import Arm, ArmSummary, Sweep, SweepPoint

SETTING = "cost_tier"
"""The setting whose values make a curve."""


class Gap(NamedTuple):
    """Accuracy of an arm minus the height of the fixed models' hull at its cost."""

    value: float
    interval: Interval | None
    standing: str
    """``above``, ``below`` or ``open``."""


class _Swept(NamedTuple):
    """What all curves are made of."""

    arms: Mapping[str, ArmSummary]
    """The columns of ``cells``, in their order."""
    cells: Matrix
    gaps: Mapping[str, Gap]
    seed: int


class _Step(NamedTuple):
    """From a point to the next dearer one."""

    pair: Paired
    interval: Interval | None
    at_once: Interval | None
    """At the level that holds for all steps of the curve; None of too few questions (see `sureness`)."""


def curves(
    run_arms: Sequence[Arm],
    arms: Mapping[str, ArmSummary],
    cells: Matrix,
    gaps: Mapping[str, Gap],
    *,
    seed: int,
) -> list[Sweep]:
    """Give the curve of every router that was asked at two or more values of the setting.

    ``arms``: the columns of ``cells``, in their order. ``gaps``: by arm, where known.
    """
    swept = _Swept(arms, cells, gaps, seed)
    return [
        _curve(router, by_value, swept) for router, by_value in _groups(run_arms).items() if len(by_value) > 1
    ]


def _groups(run_arms: Sequence[Arm]) -> dict[str, dict[str, str]]:
    """Give, by router, the arms by their value of the setting; whatever else differs makes another router."""
    found: dict[str, dict[str, str]] = {}
    for arm in run_arms:
        value = (arm.plugin or {}).get(SETTING)
        if value is not None:
            found.setdefault(_without_setting(arm), {}).setdefault(str(value), arm.name)
    return found


def _without_setting(arm: Arm) -> str:
    """Give the slug with all settings but the one that is swept."""
    settings = {**(arm.plugin or {}), **arm.body, **({"models": arm.models} if arm.models else {})}
    kept = {name: value for name, value in settings.items() if name not in {"id", SETTING}}
    if arm.sticky:
        kept["sticky"] = "true"
    return arm.model + "".join(
        f"{'&' if i else '?'}{name}={_spelt(value)}" for i, (name, value) in enumerate(kept.items())
    )


def _spelt(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _curve(router: str, by_value: Mapping[str, str], swept: _Swept) -> Sweep:
    """Order the arms by cost and compare neighbours; ``by_value``: arm by value of the setting."""
    arms = swept.arms
    values = sorted(by_value, key=lambda value: _by_cost(arms[by_value[value]]))
    names = [by_value[value] for value in values]
    columns = [list(arms).index(name) for name in names]
    level = 1 - 0.05 / (len(columns) - 1)
    steps: list[_Step | None] = [None]
    for cheap, dear in pairwise(columns):
        pair = paired_arms(swept.cells, dear, cheap)
        at_once = difference_interval(pair, level) if is_enough(pair.n) else None
        steps.append(_Step(pair, difference_interval(pair), at_once))
    costs = mean_costs([swept.cells.cost[:, column] for column in columns], seed=swept.seed)
    points = [
        _with_hull(_point(value, name, arms[name], step, cost), swept.gaps.get(name))
        for value, name, step, cost in zip(values, names, steps, costs, strict=True)
    ]
    return Sweep(router=router, setting=SETTING, points=points, sentence=_sentence(points, steps))


def _by_cost(arm: ArmSummary) -> tuple[float, float]:
    cost, accuracy = arm.cost_per_1k_usd, arm.accuracy
    return (math.inf if cost is None else cost, accuracy or 0.0)


def _point(value: str, name: str, arm: ArmSummary, step: _Step | None, cost: CostRatio) -> SweepPoint:
    """Put the figures of one arm together; its place beside the hull comes later."""
    at_once = step.at_once if step is not None else None
    return SweepPoint(
        value=value,
        arm=name,
        accuracy=arm.accuracy,
        accuracy_ci95=arm.accuracy_ci95,
        cost_per_1k_usd=arm.cost_per_1k_usd,
        cost_per_1k_ci95=None
        if cost.interval is None
        else (cost.interval[0] * 1000, cost.interval[1] * 1000),
        cost_rests_on=cost.rests_on,
        step=step.pair.mean if step is not None and step.pair.n else None,
        step_ci95=step.interval if step is not None else None,
        surely_better=None if at_once is None else at_once[0] > 0,
    )


def _with_hull(point: SweepPoint, gap: Gap | None) -> SweepPoint:
    if gap is None:
        return point
    return msgspec.structs.replace(
        point, hull_gap=gap.value, hull_gap_ci95=gap.interval, hull_standing=gap.standing
    )


def _sentence(found: Sequence[SweepPoint], steps: Sequence[_Step | None]) -> str:
    """Say where paying more surely brings better answers, and where it does not."""
    if all(point.step is None for point in found[1:]):
        return "Whether a dearer tier answers better cannot be told: nothing was graded."
    most = max(step.pair.n for step in steps if step is not None)
    if not is_enough(most):
        return (
            f"Too little to judge whether a dearer tier answers better: {counted(most, 'question')} "
            f"({FEWEST_ANSWERS} needed)."
        )
    better, worse = [], []
    for before, point, step in zip(found, found[1:], steps[1:], strict=False):
        named = f"{before.value} to {point.value}"
        if point.surely_better:
            better.append(f"{named} ({in_points(point.step or 0.0)}, for {_extra(before, point)})")
        elif step is not None and step.at_once is not None and step.at_once[1] < 0:
            worse.append(named)
    total = len(found) - 1
    if not better:
        text = f"No step to a dearer tier surely brings better answers ({counted(total, 'step')})."
    else:
        text = f"Paying more surely brings better answers on {len(better)} of {counted(total, 'step')}: {listing(better)}."
    if worse:
        text += f" Surely worse answers for more money: {listing(worse)}."
    below = [point.value for point in found if point.hull_standing == "below"]
    if below:
        text += f" A mixture of fixed models does better for the same money than {listing(below)}."
    return text


def _extra(before: SweepPoint, point: SweepPoint) -> str:
    """Give what a step costs."""
    if before.cost_per_1k_usd is None or point.cost_per_1k_usd is None:
        return "an unknown price"
    return f"{usd(point.cost_per_1k_usd - before.cost_per_1k_usd)} more per 1,000"
