"""What only pictures show: distributions, what happened when, and means from which any mix of questions follows."""

from __future__ import annotations

from routemark.records.base import Record


class Histogram(Record, frozen=True, kw_only=True):
    """How often times of each size occurred, on a logarithmic scale."""

    per_decade: int
    """Bins from one power of ten to the next."""
    first: int
    """Bin i holds the times t with first + i <= per_decade * log10(t seconds) < first + i + 1."""
    counts: list[int]


class Service(Record, frozen=True, kw_only=True):
    """How reliable and how fast the arm that is judged is, beside one fixed model, on the same questions."""

    arm: str
    baseline: str
    """The one in use today, else the best fixed model."""
    n: int
    """Questions both were asked."""
    failed_difference: float
    """Share of trials without an answer, arm minus baseline."""
    failed_ci95: tuple[float, float] | None
    latency_n: int
    """Questions that both answered."""
    latency_p90_s: float | None
    """90th percentile of the arm's latency over these, seconds."""
    baseline_latency_p90_s: float | None
    latency_p90_difference_s: float | None
    latency_p90_ci95_s: tuple[float, float] | None
    """Paired bootstrap over questions; None below 20."""


class Pause(Record, frozen=True, kw_only=True):
    """A time in which nothing was asked: between a stop and its resume."""

    at_s: float
    """When it began, on the time line, which leaves it out; seconds."""
    length_s: float


class PaceStep(Record, frozen=True, kw_only=True):
    """How many requests could be in flight, from some time on."""

    at_s: float
    limit: float
    reason: str


class Timeline(Record, frozen=True, kw_only=True):
    """What a run went through, in bins of equal length of the time in which it was at work."""

    started_at: str
    """Of the first request, UTC, ISO 8601."""
    bin_s: float
    answers: list[int]
    """Answers that came in each bin."""
    failed: dict[str, list[int]]
    """Attempts that failed, by kind, whether they were asked again or not; the most frequent kind first."""
    spend_usd: list[float]
    """Known cost of what came in each bin."""
    pauses: list[Pause]
    pace: list[PaceStep]


class Moments(Record, frozen=True, kw_only=True):
    """Means of one column by difficulty, and their covariances (analysis.strata): any weighted mean follows."""

    n: list[int]
    """Questions with a value, by difficulty."""
    clusters: list[int]
    mean: list[float]
    covariance: list[list[float]]
    """Of the means."""


class ArmMoments(Record, frozen=True, kw_only=True):
    """An arm's mean score and mean cost, US dollars a question."""

    arm: str
    score: Moments
    cost: Moments


class PairMoments(Record, frozen=True, kw_only=True):
    """Arm minus baseline on the questions where both differences are known, by difficulty and in all."""

    arm: str
    baseline: str
    score: Moments
    cost: Moments
    cross: list[list[float]]
    """Covariances of the means of score and cost."""
    whole: list[float]
    """D, C, s_dd, s_dc, s_cc of all questions alike, and t (analysis.controls.value): where the arm is the better
    buy. Empty where that is sure at no mix: too few answers, or too many lost."""


class Reweighting(Record, frozen=True, kw_only=True):
    """From which arms, and which of two is the better buy, follow for any mix of difficulties."""

    labels: list[str]
    shares: list[float]
    """Of the questions asked."""
    arms: list[ArmMoments]
    pairs: list[PairMoments]
