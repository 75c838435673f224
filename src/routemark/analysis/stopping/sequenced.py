"""Comparisons of a run that was looked at after every question: what holds however often one looks.

The ordinary 95 % interval does not: whoever looks until it leaves out 0 will see it do so. In its place comes
the sequential one, for every pair of arms, since the data of all of them end where one decided. Tests of a
fixed number of questions have no meaning then, and are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from routemark.analysis.compare import Doubt, Matrix, Pair
from routemark.analysis.controls.cost import CostRatio
from routemark.analysis.stats.arrays import Floats, Interval
from routemark.analysis.stopping.deciding import Deciding
from routemark.analysis.stopping.sequential import FIRST_COST, Design, cost_sequence, last_intervals
from routemark.analysis.stopping.sequential import Sequence as Looks
from routemark.records import ArmSummary, Claim, Sequential, Stopping


class Looked(NamedTuple):
    """A run as it was looked at."""

    arms: Sequence[str]
    """Names of the planned arms."""
    design: Design
    scores: Floats
    """(questions, arms) in the order of the plan, up to the decision; NaN unknown."""
    stopping: Stopping
    """How far the run went, and what was decided on the way."""

    @property
    def last(self) -> bool:
        """Tell whether all questions of the plan are in: nothing was decided before the last."""
        return self.stopping.questions == self.stopping.planned

    def decides(self, arm: str, baseline: str) -> bool:
        """Tell whether a pair is one of those that decide."""
        return arm == self.stopping.arm and baseline in self.stopping.baselines

    def with_unknown_as(self, score: Floats) -> Looked:
        """Give the same with what is unknown of each arm (arms,) taken for a score."""
        return self._replace(scores=np.where(np.isnan(self.scores), score, self.scores))


def looked_at(deciding: Deciding, arms: Sequence[str]) -> Looked:
    """Give what there is to see of a run; ``arms``: names of the planned ones."""
    return Looked(arms, deciding.contest.design, deciding.scores, deciding.stopping())


def sequenced(
    pairs: Sequence[Pair], cells: Matrix, arms: Mapping[str, ArmSummary], looked: Looked, *, margin: float
) -> list[Pair]:
    """Give the pairs with sequential intervals; those with an arm that joined later have none.

    ``arms``: those of ``cells``, in their order. ``margin``: what "equivalent" is judged by, which may be
    another one than the run stopped by.
    """
    names, family = list(arms), max(1, sum(not arm.is_router for arm in arms.values()))
    design = looked.design._replace(margin=margin)
    found = []
    for pair in pairs:
        sides = (pair.comparison.arm, pair.comparison.baseline)
        arm, baseline = (cells.cost[:, names.index(side)] for side in sides)
        ratio = _ratio(pair.ratio, arm, baseline, family)
        state = _state(pair, sides, looked, design, family)
        comparison = msgspec.structs.replace(
            pair.comparison,
            ci95=None if state is None else state.interval,
            p_value=None,
            p_value_holm=None,
            mcnemar=None,
            cost_ratio_ci95=ratio.interval,
            sequential=None if state is None else state.record(decides=looked.decides(*sides)),
        )
        at_once = None if state is None else state.at_once
        found.append(pair._replace(comparison=comparison, ci_all=at_once, ratio=ratio))
    return found


def sequenced_doubt(  # noqa: PLR0913 - a table, and what it is looked at with
    doubt: Doubt,
    cells: Matrix,
    arms: Mapping[str, ArmSummary],
    looked: Looked,
    *,
    subject: str,
    margin: float,
) -> Doubt:
    """Give the same of what the comparisons would be, had every answer been graded."""
    own = np.array([name == subject for name in looked.arms], dtype=float)
    against, for_it = (
        sequenced(pairs, cells, arms, looked.with_unknown_as(score), margin=margin)
        for pairs, score in ((doubt.against, 1 - own), (doubt.for_it, own))
    )
    return doubt._replace(against=against, for_it=for_it)


def stopping(pairs: Sequence[Pair], looked: Looked) -> Stopping:
    """Give how far the run went and what was decided, at the last question too; ``pairs``: sequenced."""
    found = looked.stopping
    states = {pair.comparison.baseline: pair.comparison.sequential for pair in pairs}
    claims = {name: state.decision for name, state in states.items() if state is not None and state.decides}
    if found.decision is not None or not looked.last or len(claims) < len(found.baselines):
        return found
    worse_than = [name for name in found.baselines if claims[name] == "worse"]
    return msgspec.structs.replace(found, decision=_of_all(list(claims.values())), worse_than=worse_than)


def _of_all(claims: Sequence[Claim | None]) -> Claim | None:
    """Give what holds beside all rivals, of what holds beside each."""
    if "worse" in claims:
        return "worse"
    if None in claims:
        return None
    return next(claim for claim in ("not worse", "equivalent", "better") if claim in claims)


class _State(NamedTuple):
    """What is sure of one pair."""

    n: int
    interval: Interval
    at_once: Interval
    """Holds for all fixed models at once."""
    better: bool
    worse: bool
    not_worse: bool
    equivalent: bool
    early: bool
    design: Design

    def record(self, *, decides: bool) -> Sequential:
        decision: Claim | None = None
        if self.better or self.worse:
            decision = "better" if self.better else "worse"
        elif self.not_worse:
            decision = "equivalent" if self.equivalent else "not worse"
        return Sequential(
            decision=decision,
            questions=self.n,
            interval=self.interval,
            early=self.early,
            estimand=self.design.estimand,
            decides=decides,
            not_worse=self.better or self.not_worse,
        )


def _state(pair: Pair, sides: tuple[str, str], looked: Looked, design: Design, family: int) -> _State | None:
    """Look at a pair again from the first question on; None where nothing is known of it."""
    if not set(sides) <= set(looked.arms):
        return None
    arm, baseline = (looked.scores[:, looked.arms.index(side)] for side in sides)
    looks = Looks(design, family)
    for difference in (arm - baseline).tolist():
        looks.add(difference)
    if not looks.n:
        return None
    fixed = last_intervals(pair.difference, family) if looked.last and design.split else None
    if fixed is None:
        interval, at_once = looks.interval(), looks.interval(family)
        flags = (looks.better, looks.worse, looks.not_worse, looks.equivalent)
        return _State(looks.n, interval, at_once, *flags, not looked.last, design)
    interval, at_once, (least, most) = fixed
    not_worse = least > -design.margin
    flags = (interval[0] > 0, at_once[1] < 0, not_worse, not_worse and most < design.margin)
    return _State(looks.n, interval, at_once, *flags, early=False, design=design)


def _ratio(ratio: CostRatio, arm: Floats, baseline: Floats, family: int) -> CostRatio:
    """Give the cost ratio with its sequential intervals; where one side is free there is nothing to estimate."""
    if not ratio.ratio:
        return ratio if ratio.n >= FIRST_COST else ratio._replace(interval=None, interval_all=None)
    interval, at_once = (cost_sequence(arm, baseline, 0.05 / tests) for tests in (1, family))
    return ratio._replace(interval=interval, interval_all=at_once)
