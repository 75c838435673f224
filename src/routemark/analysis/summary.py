"""Fold a run into its Summary: add outcomes in any order, derive everything on close."""

from __future__ import annotations

import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from routemark.analysis.arms import arm_summary, usage
from routemark.analysis.compare import Matrix, compare, compare_at_worst, leaders, matrix, pairs_to_compare
from routemark.analysis.controls.controls import ArmControls, controls
from routemark.analysis.controls.cost import mean_costs
from routemark.analysis.matrix.cells import where_it_hurts
from routemark.analysis.matrix.columns import NONE, Columns, Rows, Table
from routemark.analysis.matrix.joined import (
    NOBODY,
    Confirmations,
    Confirming,
    Joined,
    confirming,
    rows_that_tell,
)
from routemark.analysis.matrix.live import asked_of, pools
from routemark.analysis.rules.rules import routing_rules
from routemark.analysis.service import service
from routemark.analysis.stats.paired import spread
from routemark.analysis.stats.power import detectable_difference
from routemark.analysis.steadiness.repeats import Repeats, clusters_of, repeats_of
from routemark.analysis.steadiness.robustness import CopyColumns, robustness
from routemark.analysis.steadiness.stability import discordance, stability
from routemark.analysis.steadiness.sweep import Gap, curves
from routemark.analysis.stopping.sequenced import Looked, sequenced, sequenced_doubt, stopping
from routemark.analysis.timeline import Attempts, PaceChanged
from routemark.analysis.traffic.reweighting import reweighting
from routemark.analysis.traffic.traffic import AS_ASKED, Told, Traffic, tell, weighted_doubt
from routemark.analysis.traffic.weights import as_asked
from routemark.analysis.verdict import Evidence, cost_to_decide_usd, first_router, rivals_of, verdict
from routemark.records import (
    ArmSummary,
    Grade,
    OracleSummary,
    Outcome,
    Question,
    Rules,
    Run,
    Summary,
    WhereItHurts,
)


class _Case(NamedTuple):
    """What a verdict has been drawn from: the run as its rows tell it, what is told of it, and the evidence."""

    run: Run
    joined: Joined
    table: Table
    cells: Matrix
    laid_out: dict[str, Repeats]
    told: Told
    """Arms and pairs: as asked, and as judged for the traffic."""
    evidence: Evidence
    subject: str | None
    """The router judged."""


class Fold:
    """Collects counted outcomes as numeric columns; holds no outcome, no text."""

    def __init__(self) -> None:
        self._columns = Columns()
        self._failed: set[str] = set()
        self._flags: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._other_costs = array("d")
        self._copies = CopyColumns(self._columns.models)
        self._confirmations = Confirmations()
        self._attempts = Attempts()

    def add(  # noqa: PLR0913, PLR0917 - the fields of a judged trial
        self,
        question: Question,
        outcome: Outcome,
        grade: Grade | None,
        counted: bool,
        flags: Sequence[str] = (),
        copy: bool = False,
    ) -> None:
        """Take one trial; ``counted`` says that it lies in the finished prefix of the plan.

        ``copy``: of a perturbed question, which counts in nothing but robustness and the cost of the run.
        """
        self._attempts.append(outcome)
        if copy:
            if counted:
                self._copies.append(question, outcome, grade)
            if outcome.cost_usd is not None:
                self._other_costs.append(outcome.cost_usd)
        elif counted:
            self._columns.append(question, outcome, grade)
            if flags:
                self._flags[outcome.arm].update(flags)
            if outcome.completion is None:
                self._failed.add(outcome.question_id)
        elif outcome.cost_usd is not None:
            self._other_costs.append(outcome.cost_usd)

    def add_confirmation(self, question: Question, outcome: Outcome, grade: Grade | None) -> None:
        """Take a fresh answer to the oracle's pick, which counts in nothing but the oracle's figures."""
        self._confirmations.append(question, outcome, grade)

    def to_confirm(self, run: Run, joined: Joined) -> tuple[Table, Confirming | None]:
        """Give whom to ask afresh to confirm the oracle; questions are those of the table."""
        table = Table(self._columns, [arm.name for arm in run.all_arms])
        return table, confirming(
            table, self._arms(table, rows_that_tell(table, joined), run, joined), run, joined
        )

    def _arms(self, table: Table, rows: Sequence[Rows], run: Run, joined: Joined) -> dict[str, ArmSummary]:
        configured = {arm.name: arm for arm in run.all_arms}
        followers = {arm.name for arm in run.baselines}
        return {
            name: arm_summary(
                rows[i],
                self._columns,
                configured.get(name),
                joined=name in followers,
                sample=len(joined.samples[name]) if name in joined.samples else None,
            )
            for i, name in enumerate(table.arms)
        }

    def add_costs(self, known_usd: Iterable[float]) -> None:
        """Take costs of the run that belong to no trial, US dollars."""
        self._other_costs.extend(known_usd)

    def close(  # noqa: PLR0913 - what a summary rests on, by name
        self,
        run: Run,
        *,
        planned: int,
        finished_questions: int,
        margin: float,
        baseline: str | None,
        joined: Joined = NOBODY,
        looked: Looked | None = None,
        traffic: Traffic = AS_ASKED,
        pace: Sequence[PaceChanged] = (),
    ) -> Summary:
        """Derive the summary; the order in which trials were added does not matter.

        ``planned``: trials of the whole plan. ``margin``: the share of answers by which "as good" may be
        worse. ``baseline``: the arm in use today, by name or model. ``joined``: what is known of arms that
        were not planned. ``looked``: the run as it was looked at question by question, if it was.
        ``traffic``: whose mix of difficulties and calls a month the verdict is for. ``pace``: how it went.
        """
        table = Table(self._columns, [arm.name for arm in run.all_arms])
        rows = rows_that_tell(table, joined)
        cells, laid_out = matrix(table, rows), _laid_out(table)
        arms, oracle = self._with_controls(self._arms(table, rows, run, joined), table, run, joined)
        arms = self._completed(arms, table, cells, laid_out, run)
        named = _named_arm(baseline, run)
        pairs = compare(cells, arms, _comparable(arms, named), margin=margin, seed=run.seed)
        if looked is not None:
            pairs = sequenced(pairs, cells, arms, looked, margin=margin)
        told = tell(
            pairs, as_asked(cells, arms, run.seed), asked_of(table).difficulty, traffic, margin=margin
        )
        evidence = Evidence(
            run=run,
            arms=told.judged_arms,
            pairs=told.judged,
            traffic=traffic,
            is_weighted=told.mix is not None,
            leaders=None if any(arm.is_router for arm in told.arms.values()) else leaders(cells, told.arms),
            graded=table.graded,
            finished_questions=finished_questions,
            margin=margin,
            baseline=named,
            stopping=None if looked is None else stopping(told.pairs, looked),
        )
        subject = first_router(evidence)
        if subject is not None:
            evidence = _weighed(evidence, subject, table, cells, told, looked)
        case = _Case(run, joined, table, cells, laid_out, told, evidence, subject)
        return self._summary(case, oracle=oracle, planned=planned, pace=pace)

    def _summary(
        self, case: _Case, *, oracle: OracleSummary | None, planned: int, pace: Sequence[PaceChanged]
    ) -> Summary:
        """Put together what was counted and what was derived."""
        run, joined, table, cells, laid_out, told, evidence, subject = case
        arms = told.arms
        as_it_is = evidence._replace(arms=arms, pairs=told.pairs)
        rival = None if subject is None else _rival(table, subject, evidence)
        return Summary(
            total=len(self._columns.failure),
            succeeded=self._columns.failure.count(NONE),
            failed=len(self._columns.failure) - self._columns.failure.count(NONE),
            model_usage=usage(np.asarray(self._columns.model), self._columns.models),
            failed_questions=sorted(self._failed),
            cost_usd=self._all_known_cost(),
            arms=arms,
            comparisons=[
                msgspec.structs.replace(
                    one,
                    discordance=discordance(laid_out[one.arm], laid_out[one.baseline]),
                    cost_to_decide_usd=cost_to_decide_usd(one, as_it_is),
                )
                for one in (pair.comparison for pair in told.pairs)
            ],
            oracle=oracle,
            detectable_difference=_detectable(as_it_is),
            verdict=verdict(evidence),
            planned=planned,
            finished_questions=evidence.finished_questions,
            graded=table.graded,
            where_it_hurts=evidence.hurts,
            stopping=evidence.stopping,
            rules=_rules(table, arms, run, joined, subject),
            weights=None if told.mix is None else dict(evidence.traffic.weights or {}),
            sweep=curves(run.arms, arms, cells, _hull_gaps(arms), seed=run.seed),
            service=None
            if subject is None or rival is None
            else service(table, cells.cluster, subject, rival, seed=run.seed),
            timeline=self._attempts.close(pace),
            reweighting=reweighting(cells, arms, asked_of(table).difficulty, subject),
        )

    def _completed(
        self,
        arms: dict[str, ArmSummary],
        table: Table,
        cells: Matrix,
        laid_out: dict[str, Repeats],
        run: Run,
    ) -> dict[str, ArmSummary]:
        """Give the summaries with flags, intervals of costs, and what repeats and perturbed copies tell."""
        sticky = {arm.name for arm in run.all_arms if arm.sticky}
        shaken = robustness(table, self._copies, run.perturbed, sticky=sticky)
        arms = {name: self._flagged(name, arm) for name, arm in arms.items()}
        return {
            name: msgspec.structs.replace(
                arm,
                stability=stability(laid_out[name], sticky=name in sticky),
                robustness=shaken.get(name),
            )
            for name, arm in _with_cost_intervals(arms, cells, run.seed).items()
        }

    def _with_controls(
        self, arms: dict[str, ArmSummary], table: Table, run: Run, joined: Joined
    ) -> tuple[dict[str, ArmSummary], OracleSummary | None]:
        """Give the summaries with the controls of every router, and what the first pool could have done."""
        found = []
        for place, (outcomes, picks) in enumerate(pools(table, arms, run, joined.samples)):
            confirmed = None if place else self._confirmations.accuracy(table, outcomes)
            found.append(controls(outcomes, picks, seed=run.seed, confirmed=confirmed))
        of_arm = {name: control for pool in found for name, control in pool.arms.items()}
        none = ArmControls(None, None, None, None)
        controlled = {
            name: msgspec.structs.replace(arm, **of_arm.get(name, none)._asdict())
            for name, arm in arms.items()
        }
        return controlled, found[0].oracle if found else None

    def _flagged(self, name: str, arm: ArmSummary) -> ArmSummary:
        counts = sorted(self._flags[name].items(), key=lambda item: (-item[1], item[0]))
        return msgspec.structs.replace(arm, flags=dict(counts))

    def _all_known_cost(self) -> float | None:
        """Add up exactly, so that the order of arrival leaves no trace; None when nothing is known."""
        known = [cost for cost in self._columns.cost if not math.isnan(cost)]
        return math.fsum([*known, *self._other_costs]) if known or self._other_costs else None


def _weighed(  # noqa: PLR0913, PLR0917 - what a verdict may rest on
    evidence: Evidence, subject: str, table: Table, cells: Matrix, told: Told, looked: Looked | None
) -> Evidence:
    """Give the evidence with where the router hurts, and with what answers that nobody could grade might change."""
    if looked is None:
        evidence = evidence._replace(hurts=_hurts(table, cells, subject, evidence))
    if not cells.ungraded.any():
        return evidence
    doubt = compare_at_worst(told.pairs, cells, told.arms, subject=subject, margin=evidence.margin)
    if looked is not None:
        doubt = sequenced_doubt(doubt, cells, told.arms, looked, subject=subject, margin=evidence.margin)
    if told.mix is not None:
        doubt = weighted_doubt(doubt, told.mix, subject=subject, margin=evidence.margin)
    return evidence._replace(doubt=doubt)


def _laid_out(table: Table) -> dict[str, Repeats]:
    """Give the repeats of every question, by arm."""
    rows = [table.rows(index) for index in range(len(table.arms))]
    cluster = clusters_of(rows, table.questions)
    return {
        name: repeats_of(each, table.questions, cluster) for name, each in zip(table.arms, rows, strict=True)
    }


def _comparable(arms: dict[str, ArmSummary], baseline: str | None) -> list[tuple[int, int]]:
    """Give the pairs of arms to compare: none with a model that was asked only a sample of the questions."""
    sampled = [arm.sample is not None for arm in arms.values()]
    pairs = pairs_to_compare([arm.is_router for arm in arms.values()], _index(list(arms), baseline))
    return [(a, b) for a, b in pairs if not (sampled[a] or sampled[b])]


def _rules(
    table: Table, arms: dict[str, ArmSummary], run: Run, joined: Joined, subject: str | None
) -> Rules | None:
    """Give the rules beside the router judged."""
    pool = next((pool for pool in pools(table, arms, run, joined.samples) if subject in pool.picks), None)
    if pool is None or subject is None:
        return None
    return routing_rules(pool.outcomes, pool.picks[subject], table.prompts(), seed=run.seed)


def _hull_gaps(arms: dict[str, ArmSummary]) -> dict[str, Gap]:
    """Give each router's gap to the hull of the fixed models, where it has one."""
    found = ((name, arm.equal_cost) for name, arm in arms.items())
    return {
        name: Gap(equal.gap, equal.gap_ci95, equal.standing) for name, equal in found if equal is not None
    }


def _with_cost_intervals(arms: dict[str, ArmSummary], cells: Matrix, seed: int) -> dict[str, ArmSummary]:
    """Say how sure mean costs are; where a few questions make most of one, how few, since no interval tells that."""
    found = mean_costs([cells.cost[:, i] for i in range(len(arms))], seed=seed)
    return {
        name: msgspec.structs.replace(
            arm,
            cost_per_1k_ci95=None
            if cost.interval is None or cost.rests_on
            else (1000 * cost.interval[0], 1000 * cost.interval[1]),
            cost_rests_on=cost.rests_on,
        )
        for (name, arm), cost in zip(arms.items(), found, strict=True)
    }


def _hurts(table: Table, cells: Matrix, subject: str, evidence: Evidence) -> WhereItHurts | None:
    """Give the kind of question in which the router is furthest behind what is in use, else the best fixed model."""
    baseline = _rival(table, subject, evidence)
    return None if baseline is None else where_it_hurts(table, cells, subject, baseline)


def _rival(table: Table, subject: str, evidence: Evidence) -> str | None:
    """Name what the router is held against: the arm in use today, else the best fixed model."""
    rivals = [pair.comparison.baseline for pair in rivals_of(subject, evidence)]
    in_use = evidence.baseline
    return in_use if in_use in table.arms and in_use != subject else next(iter(rivals), None)


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
