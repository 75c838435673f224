"""The summary: everything that a report shows, as pure data."""

from __future__ import annotations

from typing import Literal

from routemark.records.base import Record
from routemark.records.charted import Histogram, Reweighting, Service, Timeline
from routemark.records.controls import Delivery, EqualCost, OracleSummary, Regret, SameMix
from routemark.records.gates import GateResult
from routemark.records.rules import Rules
from routemark.records.sequential import Sequential, Stopping
from routemark.records.stability import Robustness, Stability
from routemark.records.sweep import Sweep
from routemark.records.value import NetBenefit, PriceRange, WeightedArm


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
    delivery: Delivery | None = None
    equal_cost: EqualCost | None = None
    regret: Regret | None = None
    stability: Stability | None = None
    """None without repeats."""
    robustness: Robustness | None = None
    """None without perturbed questions."""
    weighted: WeightedArm | None = None
    """With ``--weights``."""
    flags: dict[str, int] = {}
    """Answers by what is odd about how they were served (see wire.checks.FLAGS), the most frequent first."""
    joined: bool = False
    """Not planned: it asks a model that a router picked (``--baselines``)."""
    cost_per_1k_ci95: tuple[float, float] | None = None
    """Approximate; None below 20 known costs, and where ``cost_rests_on`` is set."""
    cost_rests_on: int | None = None
    """Set when the dearest 5 % of the questions make more than half of the cost: how many they are."""
    latency_histogram: Histogram | None = None
    ttft_histogram: Histogram | None = None
    pick_s: Quantiles | None = None
    """What a router that is a plugin took by itself, which is in no latency; None for every other arm."""
    sample: int | None = None
    """Questions of the random sample of a rarely picked model, on which its figures rest; None: no sample."""


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
    discordance: float | None = None
    """Probability that an answer of the one and an answer of the other to the same question score differently."""
    spread: float | None = None
    """Variance of one paired difference, psi: the share of discordant questions where scores are right or wrong."""
    questions_to_decide_range: tuple[int | None, int | None] | None = None
    """80 % range of ``questions_to_decide``, from that of ``spread``; None in it: above 20,000."""
    cost_to_decide_usd: float | None = None
    """What the questions still missing would cost, US dollars, at this run's mean cost."""
    better_at_every_price: str | None = None
    """The side that scores at least as well and costs no more, hence no indifference price."""
    surely_better_usd: PriceRange | None = None
    """Prices of a right answer at which the arm is surely (95 %) the better buy; None: at none."""
    surely_worse_usd: PriceRange | None = None
    """Prices of a right answer at which the baseline surely is; None: at none. What is in neither is open."""
    net_benefit: list[NetBenefit] = []
    """Arm minus baseline at $0.001, 0.01, 0.1, 1 and 10 a right answer."""
    monthly_usd: float | None = None
    """What the arm costs more than the baseline (below 0: less) in a month of ``--traffic`` calls, US dollars."""
    monthly_usd_ci95: tuple[float, float] | None = None
    """Approximate."""
    weighted: Comparison | None = None
    """With ``--weights``: the same for the user's mix of difficulties; the verdict rests on it."""
    sequential: Sequential | None = None
    """Set in a run with ``--until-decided``: ``ci95`` is then its interval, and there is no p value."""


class WhereItHurts(Record, frozen=True, kw_only=True):
    """The kind of question in which the router judged is furthest behind, surely."""

    by: Literal["category", "difficulty"]
    """Difficulty where no category has 20 questions."""
    label: str
    arm: str
    baseline: str
    """The one in use today, else the best fixed model."""
    n: int
    """Questions of the label with a score of both; at least 20."""
    accuracy_difference: float
    """Arm minus baseline."""
    ci_all: tuple[float, float]
    """At the level that holds for all cells looked at (Bonferroni)."""
    cells: int
    """Labels with 20 questions or more: those looked at."""


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
    oracle: OracleSummary | None
    """Of the models that were asked directly, with the first router's settings."""
    detectable_difference: float | None
    """Smallest accuracy difference that a run of this size tells with 80 % power."""
    verdict: Verdict
    planned: int
    """Trials planned."""
    finished_questions: int
    """Questions in the longest finished prefix of the plan: what everything above rests on."""
    graded: bool
    """Some answer has a score; else quality is "not graded"."""
    where_it_hurts: WhereItHurts | None = None
    """None where the router is surely behind in no kind of question, and in a run that was looked at on its way."""
    judge_cost_usd: float | None = None
    """Known cost of judging, US dollars, which is part of no other figure; None where no judge was asked."""
    stopping: Stopping | None = None
    """None without ``--until-decided``."""
    rules: Rules | None = None
    """Routing by rule beside the first router; None where too little was asked of the models directly."""
    weights: dict[str, float] | None = None
    """With ``--weights``: the share of each difficulty in the user's traffic, adding up to 1."""
    sweep: list[Sweep] = []
    """The cost-quality curve of each router that was asked at several cost tiers."""
    gates: list[GateResult] = []
    """With ``--gate``, in the order given; results.json has them beside the summary."""
    service: Service | None = None
    """Of the router judged; None without a router, or without a fixed model beside it."""
    timeline: Timeline | None = None
    """None where no attempt tells its time."""
    reweighting: Reweighting | None = None
    """None below two graded arms."""
