"""A router's own cost-quality curve: one arm for each value of a setting."""

from __future__ import annotations

from routemark.records.base import Record


class SweepPoint(Record, frozen=True, kw_only=True):
    """One value of the setting."""

    value: str
    arm: str
    accuracy: float | None
    accuracy_ci95: tuple[float, float] | None
    cost_per_1k_usd: float | None
    cost_per_1k_ci95: tuple[float, float] | None
    """Approximate; None below 20 known costs."""
    cost_rests_on: int | None
    """Set when the dearest 5 % of the questions make more than half of the cost: how many they are."""
    step: float | None
    """Accuracy minus that of the next cheaper point, paired; None for the cheapest."""
    step_ci95: tuple[float, float] | None
    surely_better: bool | None
    """Than the next cheaper point, at the level that holds for all steps at once; None for the cheapest, and of too
    few questions."""
    hull_gap: float | None = None
    """Accuracy minus the height of the fixed models' hull at the same cost; None without direct cells."""
    hull_gap_ci95: tuple[float, float] | None = None
    hull_standing: str | None = None
    """``above``, ``below`` or ``open``; below needs the 99 % interval, since the hull is made of these answers."""


class Sweep(Record, frozen=True, kw_only=True):
    """The curve, the cheapest point first."""

    router: str
    """The swept slug, with its other settings."""
    setting: str
    points: list[SweepPoint]
    sentence: str
