"""Put the figures of two runs on the same questions into their records.

Both runs stand in one table, in which each arm is two: what it was on side A and what it was on side B (see
`side_name`). So questions, models and labels have one code on both dates, and the tools for two arms of a run
serve for one arm on two dates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np

from routemark.analysis.arms import label_order
from routemark.analysis.compare import Matrix, matrix, paired_arms
from routemark.analysis.controls.cost import CostRatio, cost_ratios
from routemark.analysis.drift import drift, drift_words
from routemark.analysis.drift.drift_words import Dates, Finding
from routemark.analysis.matrix.columns import NONE, Rows, Table
from routemark.analysis.published.metrics import mean_cost_per_1k_usd
from routemark.analysis.stats.arrays import Codes, Floats, Interval
from routemark.analysis.stats.paired import Paired, difference_interval, difference_p_value, spread
from routemark.analysis.stats.power import questions_to_tell
from routemark.analysis.sureness import is_enough
from routemark.records import (
    Adjusted,
    ArmChange,
    PickDrift,
    PickMove,
    QuantileChange,
    RouterDrift,
    StratumDrift,
)

Side = Literal["A", "B"]
By = Literal["category", "task_type"]
Number = TypeVar("Number", np.float64, np.int32)


class Pairing(NamedTuple):
    """Which arm of A is compared with which of B."""

    arm_a: str
    arm_b: str


class Both(NamedTuple):
    """Both runs, laid out."""

    table: Table
    cells: Matrix
    """Questions x arms of the table."""
    seed: int

    def place(self, side: Side, arm: str) -> int:
        """Give the index of an arm of one side."""
        return self.table.arms.index(side_name(side, arm))

    def places(self, pairing: Pairing) -> tuple[int, int]:
        """Give the indices of both sides."""
        return self.place("A", pairing.arm_a), self.place("B", pairing.arm_b)

    def rows(self, pairing: Pairing) -> tuple[Rows, Rows]:
        """Give the trials of both sides."""
        a, b = self.places(pairing)
        return self.table.rows(a), self.table.rows(b)


def side_name(side: Side, arm: str) -> str:
    """Give the name under which an arm of one side stands in the table."""
    return f"{side}\n{arm}"


def lay_out(table: Table, *, seed: int) -> Both:
    """Lay a table of both sides out by question and arm."""
    return Both(table, matrix(table), seed)


# -------------------------------------------------------------------------------------- every arm


def arm_changes(both: Both, pairings: Sequence[Pairing], *, routers: bool) -> list[ArmChange]:
    """Give what became of each arm: score, cost and latency, paired by question, B minus A or B / A."""
    places = [both.places(pairing) for pairing in pairings]
    cost = both.cells.cost
    ratios = cost_ratios([(cost[:, b], cost[:, a]) for a, b in places], seed=both.seed)
    return [
        _arm_change(both, pairing, ratio, is_router=routers)
        for pairing, ratio in zip(pairings, ratios, strict=True)
    ]


def _arm_change(both: Both, pairing: Pairing, ratio: CostRatio, *, is_router: bool) -> ArmChange:
    a, b = both.places(pairing)
    before, after = both.rows(pairing)
    pair = paired_arms(both.cells, b, a)
    score_a, score_b = _known_in_both(both.cells.score, a, b)
    cost_a, cost_b = _known_in_both(both.cells.cost, a, b)
    p50, p90 = _latencies(both, before, after)
    return ArmChange(
        arm_a=pairing.arm_a,
        arm_b=pairing.arm_b,
        is_router=is_router,
        n=pair.n,
        clusters=pair.clusters,
        accuracy_a=float(score_a.mean()) if pair.n else None,
        accuracy_b=float(score_b.mean()) if pair.n else None,
        accuracy_change=pair.mean if pair.n else None,
        ci95=difference_interval(pair),
        p_value=difference_p_value(pair),
        lost_share=max(_lost_share(before), _lost_share(after)),
        cost_per_1k_usd_a=mean_cost_per_1k_usd(cost_a),
        cost_per_1k_usd_b=mean_cost_per_1k_usd(cost_b),
        cost_ratio=ratio.ratio,
        cost_ratio_ci95=ratio.interval,
        cost_rests_on=ratio.rests_on,
        cost_n=ratio.n,
        latency_p50=p50,
        latency_p90=p90,
    )


def _known_in_both(values: Floats, a: int, b: int) -> tuple[Floats, Floats]:
    known = ~(np.isnan(values[:, a]) | np.isnan(values[:, b]))
    return values[known, a], values[known, b]


def _lost_share(rows: Rows) -> float:
    lost = ~rows.answered | np.isnan(rows.score)
    return float(lost.mean()) if len(rows) else 1.0


def _latencies(both: Both, before: Rows, after: Rows) -> tuple[QuantileChange | None, QuantileChange | None]:
    n = both.table.questions
    values = [by_repeat(rows, rows.latency, n, np.float64(np.nan)) for rows in (before, after)]
    shifts = drift.quantile_shifts(values[0], values[1], (0.5, 0.9), seed=both.seed)
    if not shifts:
        return None, None
    p50, p90 = (
        QuantileChange(a_s=s.before, b_s=s.after, change_s=s.after - s.before, ci95_s=s.interval)
        for s in shifts
    )
    return p50, p90


def by_repeat(rows: Rows, values: np.ndarray[Any, np.dtype[Number]], questions: int, missing: Number) -> Any:
    """Lay the values of an arm's trials out by question and repeat (questions, repeats)."""
    repeat = rows.repeat
    laid = np.full((questions, int(repeat.max(initial=0)) + 1), missing)
    laid[rows.question, repeat] = values
    return laid


# ---------------------------------------------------------------------------------------- routers


def router_drifts(
    both: Both, pairings: Sequence[Pairing], models: Sequence[ArmChange], dates: Dates, margin: float
) -> list[RouterDrift]:
    """Give what became of each router: quality beyond the anchors', picks, strata, and the sentence.

    ``models``: the fixed models asked on both dates; those with at least 30 questions with a score on both, of
    which no more than 20 % were lost on a date, are the anchors.
    """
    anchors = [one for one in models if is_enough(one.n, one.lost_share)]
    level = 1 - 0.05 / max(1, len(pairings))
    return [
        _router_drift(both, change, anchors, dates, (margin, level))
        for change in arm_changes(both, pairings, routers=True)
    ]


def _router_drift(
    both: Both, change: ArmChange, anchors: Sequence[ArmChange], dates: Dates, measure: tuple[float, float]
) -> RouterDrift:
    margin, level = measure
    pairing = Pairing(change.arm_a, change.arm_b)
    scores = _scores(both, pairing, anchors)
    pair = drift.difference(scores, both.cells.cluster)
    adjusted = _adjusted(pair, anchors) if anchors and pair.n else None
    interval = difference_interval(pair, level, reach=scores.reach)
    kind = drift_words.decide(change, interval, pair.n, graded=both.table.graded, margin=margin)
    before, after = (
        by_repeat(rows, rows.model, both.table.questions, np.int32(NONE)) for rows in both.rows(pairing)
    )
    needed = _needed(pair, margin)
    by, label, names = _labels(both, pairing)
    found = drift.strata(label, (before, after), scores, both.cells.cluster, seed=both.seed)
    return RouterDrift(
        kind=kind,
        sentence=drift_words.sentence(Finding(kind, change, adjusted, interval, needed), dates, margin),
        change=change,
        adjusted=adjusted,
        ci_all=interval,
        questions_to_decide=needed,
        picks=_picks(both, before, after),
        strata_by=by,
        strata=sorted((_stratum(one, names) for one in found), key=lambda one: label_order(one.label)),
    )


def _scores(both: Both, pairing: Pairing, anchors: Sequence[ArmChange]) -> drift.Scores:
    """Give the router's scores on both dates; with anchors its change, and theirs."""
    score = both.cells.score
    a, b = both.places(pairing)
    if not anchors:
        single = both.cells.single[a] and both.cells.single[b]
        return drift.Scores(score[:, b], score[:, a], single=single, reach=1.0)
    places = [both.places(Pairing(one.arm_a, one.arm_b)) for one in anchors]
    moved = np.column_stack([score[:, after] - score[:, before] for before, after in places])
    return drift.Scores(score[:, b] - score[:, a], drift.mean_known(moved), single=False, reach=2.0)


def _adjusted(pair: Paired, anchors: Sequence[ArmChange]) -> Adjusted:
    return Adjusted(
        n=pair.n,
        clusters=pair.clusters,
        change=pair.mean,
        ci95=difference_interval(pair, reach=2.0),
        anchors=[one.arm_b for one in anchors],
    )


def _needed(pair: Paired, margin: float) -> int | None:
    """Give the questions that tell a change of the margin; without any change seen, as if one cluster had."""
    psi = spread(pair)
    if psi is None:
        return None
    return questions_to_tell(margin, psi or 2 / (pair.clusters + 2), per_cluster=pair.n / pair.clusters)


def _picks(both: Both, before: Codes, after: Codes) -> PickDrift | None:
    names = both.table.columns.models.names
    found = drift.pick_change(before, after, both.cells.cluster, len(names), seed=both.seed)
    if found is None:
        return None
    interval: Interval | None = None if found.excess is None else difference_interval(found.excess)
    return PickDrift(
        n=found.n,
        changed=found.changed,
        flip_a=found.flips[0],
        flip_b=found.flips[1],
        excess=None if found.excess is None else found.excess.mean,
        excess_ci95=interval,
        p_value=found.p_value,
        shares_a=_named(found.shares[0], names),
        shares_b=_named(found.shares[1], names),
        matrix=_moves(found.matrix, names),
    )


def _named(shares: Floats, names: Sequence[str]) -> dict[str, float]:
    """Give the shares above 0 by model, the largest first."""
    order = sorted(np.flatnonzero(shares).tolist(), key=lambda code: (-shares[code], names[code]))
    return {names[code]: float(shares[code]) for code in order}


def _moves(cells: Floats, names: Sequence[str]) -> list[PickMove]:
    found = [
        PickMove(model_a=names[a], model_b=names[b], questions=float(cells[a, b]))
        for a, b in np.argwhere(cells > 0).tolist()
    ]
    return sorted(found, key=lambda move: (-move.questions, move.model_a, move.model_b))


def _labels(both: Both, pairing: Pairing) -> tuple[By | None, Codes, list[str]]:
    """Give the label of each question: of the question file, else the router's task type on date A."""
    rows, columns = both.rows(pairing)[0], both.table.columns
    label = np.full(both.table.questions, NONE, dtype=np.int32)
    label[rows.question] = rows.category
    if (label != NONE).any():
        return "category", label, columns.categories.names
    known = np.flatnonzero(rows.task_type != NONE)[::-1]  # the first repeat that has one counts
    label[rows.question[known]] = rows.task_type[known]
    return ("task_type" if len(known) else None), label, columns.task_types.names


def _stratum(found: drift.Stratum, names: Sequence[str]) -> StratumDrift:
    look_at: list[Literal["picks", "accuracy"]] = []
    if found.look_at[0]:
        look_at.append("picks")
    if found.look_at[1]:
        look_at.append("accuracy")
    return StratumDrift(
        label=names[found.label],
        n=found.n,
        picks_changed=found.picks_changed,
        picks_p_value=found.picks_p_value,
        accuracy_change=found.difference.mean if found.interval is not None else None,
        ci95=found.interval,
        accuracy_p_value=found.p_value,
        look_at=look_at,
    )
