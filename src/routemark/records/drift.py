"""The comparison of two runs, ``routemark.compare/1``: what `routemark compare` prints with ``--json``.

A is the first run named, B the second; every change is B minus A, every ratio B / A.
"""

from __future__ import annotations

from typing import Literal

from routemark.records.base import Record

Interval = tuple[float, float]

DriftKind = Literal[
    "better", "worse", "within_margin", "open", "too_little", "not_graded", "not_comparable", "no_router"
]
"""How a router's quality moved from A to B; the last four: nothing can be said, the sentence tells why."""


class RunSide(Record, frozen=True, kw_only=True):
    """One of the two runs."""

    id: str
    started_at: str
    date: str
    """UTC day."""
    status: str
    simulated: bool
    questions: int
    """In the plan."""
    counted: int
    """Finished in plan order; all of a complete run."""
    routemark_version: str


class FairnessCheck(Record, frozen=True, kw_only=True):
    """One condition of a fair comparison."""

    name: str
    fair: bool
    sentence: str


class QuantileChange(Record, frozen=True, kw_only=True):
    """A percentile of the latency on both dates, seconds."""

    a_s: float
    b_s: float
    change_s: float
    ci95_s: Interval | None
    """Paired bootstrap over questions; None below 20."""


class ArmChange(Record, frozen=True, kw_only=True):
    """One arm on both dates."""

    arm_a: str
    arm_b: str
    is_router: bool
    n: int
    """Questions with a score on both dates."""
    clusters: int
    accuracy_a: float | None
    """On those questions."""
    accuracy_b: float | None
    accuracy_change: float | None
    ci95: Interval | None
    p_value: float | None
    lost_share: float
    """The larger share, of the two dates, of trials that failed or have no score."""
    cost_per_1k_usd_a: float | None
    """On the questions whose cost is known on both dates."""
    cost_per_1k_usd_b: float | None
    cost_ratio: float | None
    cost_ratio_ci95: Interval | None
    cost_rests_on: int | None
    """Set when the dearest 5 % of the questions make more than half of a cost: how many they are."""
    cost_n: int
    """Questions whose cost is known on both dates."""
    latency_p50: QuantileChange | None
    latency_p90: QuantileChange | None


class Adjusted(Record, frozen=True, kw_only=True):
    """A router's change beyond that of the anchors: the difference in differences."""

    n: int
    clusters: int
    change: float
    ci95: Interval | None
    anchors: list[str]
    """Fixed models asked on both dates."""


class PickMove(Record, frozen=True, kw_only=True):
    """A cell of the matrix of picks."""

    model_a: str
    model_b: str
    questions: float
    """A question with repeats spreads itself over its pairs of picks."""


class PickDrift(Record, frozen=True, kw_only=True):
    """Which models a router picked on both dates."""

    n: int
    """Questions with a pick on both dates."""
    changed: float
    """Probability that a pick of A and a pick of B differ."""
    flip_a: float | None
    """Share of pairs of repeats of a question that got different models; None without repeats."""
    flip_b: float | None
    excess: float | None
    """``changed`` - (``flip_a`` + ``flip_b``) / 2, on the questions with repeats on both dates."""
    excess_ci95: Interval | None
    p_value: float
    """That the shares of the models moved by chance: dates swapped within questions."""
    shares_a: dict[str, float]
    shares_b: dict[str, float]
    matrix: list[PickMove]
    """Every pair of models that occurs, the most frequent first."""


class StratumDrift(Record, frozen=True, kw_only=True):
    """A router on the questions that share a label."""

    label: str
    n: int
    """Questions of the label."""
    picks_changed: float | None
    picks_p_value: float | None
    accuracy_change: float | None
    """Beyond the anchors', where there are any."""
    ci95: Interval | None
    accuracy_p_value: float | None
    look_at: list[Literal["picks", "accuracy"]]
    """What stands out after Benjamini and Hochberg at 10 % over all tests of all strata."""


class RouterDrift(Record, frozen=True, kw_only=True):
    """What became of one router."""

    kind: DriftKind
    sentence: str
    change: ArmChange
    adjusted: Adjusted | None
    """None without anchors."""
    ci_all: Interval | None
    """The interval that decides ``kind``: with several routers, at the level that holds for all at once."""
    questions_to_decide: int | None
    """Questions on both dates that tell a change of the margin; None above 20,000."""
    picks: PickDrift | None
    """None where no question has a pick on both dates."""
    strata_by: Literal["category", "task_type"] | None
    """Labels of the question file, else what the router took the prompts for on date A."""
    strata: list[StratumDrift]
    """Those of at least 10 questions."""


class Drift(Record, frozen=True, kw_only=True):
    """Two runs beside each other."""

    schema: str = "routemark.compare/1"
    run_a: RunSide
    run_b: RunSide
    questions: int
    """Asked and finished in both, with the same content."""
    simulated: bool
    """One of them, at least, was answered by the simulated gateway."""
    margin: float
    kind: DriftKind
    """Of the first router."""
    sentence: str
    notes: list[str]
    fairness: list[FairnessCheck]
    routers: list[RouterDrift]
    models: list[ArmChange]
    """Fixed models asked on both dates."""
