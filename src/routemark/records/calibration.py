"""What a calibration tells of a judge."""

from __future__ import annotations

from typing import Literal

from routemark.records.base import Record


class Measured(Record, frozen=True, kw_only=True):
    """A figure with its 95 % interval."""

    value: float | None
    """None: it cannot be told from these answers."""
    ci95: tuple[float, float] | None


class Calibration(Record, frozen=True, kw_only=True):
    """A judge held against labelled answers."""

    schema: str = "routemark.calibration/1"
    simulated: bool
    """The judge is a fictitious model: the figures show the wiring alone."""
    judge: str
    """The model that was asked to judge."""
    served: list[str]
    """The models that did."""
    mode: Literal["rubric", "pairwise"]
    n: int
    """Labelled answers, or pairs."""
    judged: int
    """Of them, those with a verdict: what all figures but `not_judged` rest on."""
    not_judged: Measured
    """Share without a verdict."""
    reasons: dict[str, int]
    """Why there was none."""
    agreement: Measured
    """Share with the label's own level, or winner."""
    kappa: Measured
    """Cohen's: 0 is chance, 1 is perfect."""
    kappa_quadratic: Measured | None
    """With quadratic weights, where there are more than two levels; None for pairs."""
    levels: list[str]
    """Levels of the scale, or winners: rows and columns of `confusion`."""
    confusion: list[list[int]]
    """A row for each label, a column for each verdict."""
    orders_disagree: Measured | None
    """Share of pairs whose two orders name different winners; None for a rubric."""
    first_preferred: Measured | None
    """Share of verdicts with a winner that name the first answer: 0.5 without position bias."""
    prefers_longer: Measured | None
    """How much more often the judge prefers the longer answer than the labels do."""
    error_with_length: Measured | None
    """Correlation of (verdict - label) with the logarithm of the answer's length; None for pairs."""
    asked: int
    """Requests' prompts that were put to the judge."""
    cost_usd: float
    """What is known of their cost."""
