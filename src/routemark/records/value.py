"""What a right answer must be worth, and what a month costs."""

from __future__ import annotations

from typing import Literal

from routemark.records.base import Record

BenefitStanding = Literal["better", "worse", "open"]
"""Where the arm surely (95 %) stands at some price of a right answer; open: not sure."""


class PriceRange(Record, frozen=True, kw_only=True):
    """Prices of a right answer, US dollars."""

    from_usd: float
    """0: from nothing on."""
    to_usd: float | None
    """None: at every price above ``from_usd``."""


class NetBenefit(Record, frozen=True, kw_only=True):
    """Arm minus baseline at one price of a right answer: price * right answers - cost."""

    price_usd: float
    per_1k_usd: float
    """US dollars per 1,000 questions; above 0 the arm is the better buy."""
    ci95: tuple[float, float] | None
    standing: BenefitStanding


class WeightedArm(Record, frozen=True, kw_only=True):
    """An arm's headline figures for the user's own mix of difficulties."""

    accuracy: float | None
    accuracy_ci95: tuple[float, float] | None
    cost_per_1k_usd: float | None
