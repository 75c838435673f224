"""The summary: everything that a report shows, as pure data."""

from __future__ import annotations

from typing import Any

from routemark.records.base import Record


class Quantiles(Record, frozen=True, kw_only=True):
    """Percentiles, seconds; None where there was nothing to measure."""

    p50: float | None = None
    p90: float | None = None
    p99: float | None = None


class Slice(Record, frozen=True, kw_only=True):
    """One arm on the questions that share a label."""

    n: int
    """Trials."""
    graded: int
    """Trials that count in ``accuracy``: graded answers and service failures."""
    accuracy: float | None
    accuracy_ci95: tuple[float, float] | None
    cost_per_1k_usd: float | None
    model_usage: dict[str, int]


class SameMix(Record, frozen=True, kw_only=True):
    """The arm's own mix of models, picked at random (RouterBench's idea; see docs/methods.md)."""

    accuracy: float
    cost_per_1k_usd: float | None
    gain: float
    gain_ci95: tuple[float, float]
    p_value: float


class ArmSummary(Record, frozen=True, kw_only=True):
    """Everything that is said of one arm."""

    n: int
    """Trials that ended, in the finished prefix of the plan."""
    succeeded: int
    failed: int
    failures: dict[str, int]
    truncated: int
    """Completions cut off at the token limit."""
    empty: int
    """Completions without text."""
    ungraded: int
    """Completions that no grader scored."""
    graded: int
    """Trials that count in ``accuracy``."""
    clusters: int
    """Independent groups behind ``accuracy_ci95``."""
    is_router: bool
    accuracy: float | None
    """Mean score; a service failure counts 0, a failure of ours and an ungraded answer not at all."""
    accuracy_ci95: tuple[float, float] | None
    accuracy_answered: float | None
    """Mean score of graded completions only."""
    cost_usd: float | None
    cost_unknown: int
    """Trials whose cost is not known; left out of every cost figure."""
    cost_per_1k_usd: float | None
    cost_per_correct_usd: float | None
    arena_score: float | None
    latency_s: Quantiles
    ttft_s: Quantiles
    model_usage: dict[str, int]
    provider_usage: dict[str, int]
    pick_entropy_bits: float | None
    by_difficulty: dict[str, Slice]
    by_category: dict[str, Slice]
    by_task_type: dict[str, Slice]
    same_mix: SameMix | None = None
    delivery: dict[str, Any] | None = None
    stability: dict[str, Any] | None = None
    flags: dict[str, int] = {}
    """Answers by what is odd about how they were served (see wire.checks.FLAGS), the most frequent first."""


class McNemar(Record, frozen=True, kw_only=True):
    """Discordant questions of a pair of arms whose scores are all 0 or 1."""

    only_arm: int
    only_baseline: int
    p_value: float
    """Exact, two-sided."""


class Comparison(Record, frozen=True, kw_only=True):
    """Two arms on the questions both were asked."""

    arm: str
    baseline: str
    n: int
    """Questions compared."""
    clusters: int
    accuracy_difference: float | None
    """Arm minus baseline, mean of paired differences."""
    ci95: tuple[float, float] | None
    p_value: float | None
    """Mid-p McNemar, or of the paired t interval."""
    p_value_holm: float | None
    """Adjusted over the primary family (each router against each fixed model); None outside it."""
    mcnemar: McNemar | None
    cost_ratio: float | None
    """Mean cost of the arm / mean cost of the baseline."""
    cost_ratio_ci95: tuple[float, float] | None
    cost_rests_on: int | None
    """Set when the dearest 5 % of the questions make more than half of a cost: how many they are."""
    indifference_price_usd: float | None
    """US dollars per right answer at which the two tie; None when one is better at every price."""
    questions_to_decide: int | None
    """Questions in total that tell a difference of the margin; None above 20,000."""
    failed_or_ungraded: float
    """Largest share, over the two arms, of trials that failed or were not graded."""


class Verdict(Record, frozen=True, kw_only=True):
    """The answer in words (statistics of docs/methods.md, verdict table)."""

    row: int
    """0-7."""
    sentence: str
    skill: str
    """Whether the picks beat the same mix at random."""
    notes: list[str]
    margin: float
    date: str
    """UTC date of the run: routers move."""


class Summary(Record, frozen=True, kw_only=True):
    """Everything a report shows, computed from run, outcomes and grades."""

    total: int
    """Trials counted."""
    succeeded: int
    failed: int
    model_usage: dict[str, int]
    failed_questions: list[str]
    cost_usd: float | None
    """All known cost of the run, whether its trial is counted in the prefix or not."""
    arms: dict[str, ArmSummary]
    comparisons: list[Comparison]
    oracle: dict[str, Any] | None
    detectable_difference: float | None
    """Smallest accuracy difference that a run of this size tells with 80 % power."""
    verdict: Verdict
    planned: int
    """Trials planned."""
    finished_questions: int
    """Questions in the longest finished prefix of the plan: what everything above rests on."""
    graded: bool
    """Some answer has a score; else quality is "not graded"."""
