"""Fold a run into its Summary: add outcomes in any order, derive everything on close."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from routemark.analysis.arms import arm_summary, usage
from routemark.analysis.columns import Columns, Table
from routemark.analysis.compare import Matrix, compare, leaders, matrix, pairs_to_compare
from routemark.analysis.controls import direct_arms, same_mix
from routemark.analysis.paired import spread
from routemark.analysis.power import detectable_difference
from routemark.analysis.verdict import Evidence, first_router, rivals_of, verdict
from routemark.records import Arm, ArmSummary, Grade, Outcome, Question, Run, Summary


class Fold:
    """Collects counted outcomes as numeric columns; holds no outcome, no text."""

    def __init__(self) -> None:
        self._columns = Columns()
        self._failed: set[str] = set()
        self._flags: dict[str, Counter[str]] = {}
        self._other_costs = array("d")

    def add(
        self,
        question: Question,
        outcome: Outcome,
        grade: Grade | None,
        counted: bool,
        flags: Sequence[str] = (),
    ) -> None:
        """Take one trial; ``counted`` says that it lies in the finished prefix of the plan."""
        if counted:
            self._columns.append(question, outcome, grade)
            if flags:
                self._flags.setdefault(outcome.arm, Counter()).update(flags)
            if outcome.completion is None:
                self._failed.add(outcome.question_id)
        elif outcome.cost_usd is not None:
            self._other_costs.append(outcome.cost_usd)

    def add_costs(self, known_usd: Iterable[float]) -> None:
        """Take costs of the run that belong to no trial, US dollars."""
        self._other_costs.extend(known_usd)

    def close(
        self, run: Run, *, planned: int, finished_questions: int, margin: float, baseline: str | None
    ) -> Summary:
        """Derive the summary; the order in which trials were added does not matter.

        ``planned``: trials of the whole plan. ``margin``: the share of answers by which "as good" may be
        worse. ``baseline``: the arm in use today, by name or model.
        """
        table = Table(self._columns, [arm.name for arm in run.arms])
        configured = {arm.name: arm for arm in run.arms}
        arms = {
            name: arm_summary(table.rows(i), self._columns, configured.get(name))
            for i, name in enumerate(table.arms)
        }
        cells = matrix(table)
        arms = _with_controls(arms, configured, table, cells, run.seed)
        arms = {name: self._flagged(name, arm) for name, arm in arms.items()}
        named = _named_arm(baseline, run)
        pairs = compare(
            cells,
            arms,
            pairs_to_compare([arm.is_router for arm in arms.values()], _index(table.arms, named)),
            margin=margin,
            seed=run.seed,
        )
        evidence = Evidence(
            run=run,
            arms=arms,
            pairs=pairs,
            leaders=None if any(arm.is_router for arm in arms.values()) else leaders(cells, arms),
            graded=table.graded,
            finished_questions=finished_questions,
            margin=margin,
            baseline=named,
        )
        return Summary(
            total=sum(arm.n for arm in arms.values()),
            succeeded=sum(arm.succeeded for arm in arms.values()),
            failed=sum(arm.failed for arm in arms.values()),
            model_usage=usage(np.asarray(self._columns.model), self._columns.models),
            failed_questions=sorted(self._failed),
            cost_usd=self._all_known_cost(),
            arms=arms,
            comparisons=[pair.comparison for pair in pairs],
            oracle=None,
            detectable_difference=_detectable(evidence),
            verdict=verdict(evidence),
            planned=planned,
            finished_questions=finished_questions,
            graded=table.graded,
        )

    def _flagged(self, name: str, arm: ArmSummary) -> ArmSummary:
        counts = sorted(self._flags.get(name, Counter()).items(), key=lambda item: (-item[1], item[0]))
        return msgspec.structs.replace(arm, flags=dict(counts))

    def _all_known_cost(self) -> float | None:
        """Add up exactly, so that the order of arrival leaves no trace; None when nothing is known."""
        known = [cost for cost in self._columns.cost if not math.isnan(cost)]
        return math.fsum([*known, *self._other_costs]) if known or self._other_costs else None


def _with_controls(
    arms: dict[str, ArmSummary], configured: dict[str, Arm], table: Table, cells: Matrix, seed: int
) -> dict[str, ArmSummary]:
    """Give the summaries with the same-mix control of every router that has one."""
    fixed = {name: arm for name, arm in configured.items() if not arms[name].is_router}
    controls = {
        name: same_mix(arm, direct_arms(arm, table, arms, fixed), table, cells, seed)
        for name, arm in configured.items()
        if arms[name].is_router
    }
    return {name: msgspec.structs.replace(arm, same_mix=controls.get(name)) for name, arm in arms.items()}


def _named_arm(baseline: str | None, run: Run) -> str | None:
    """Give the arm that ``baseline`` names by its name or its model; itself when there is none."""
    names = [arm.name for arm in run.arms]
    if baseline is None or baseline in names:
        return baseline
    return next((arm.name for arm in run.arms if arm.model == baseline), baseline)


def _index(names: list[str], name: str | None) -> int | None:
    return names.index(name) if name in names else None


def _detectable(evidence: Evidence) -> float | None:
    """Give the smallest difference this run could tell between the router judged and the best fixed model.

    Without a router: between the first two arms compared.
    """
    subject = first_router(evidence)
    rivals = evidence.pairs if subject is None else rivals_of(subject, evidence)
    if not rivals:
        return None
    psi = spread(rivals[0].difference)
    return None if psi is None else detectable_difference(rivals[0].difference.clusters, psi)
