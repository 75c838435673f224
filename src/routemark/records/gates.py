"""What became of a gate: a condition that a run must meet."""

from __future__ import annotations

from routemark.records.base import Record


class GateResult(Record, frozen=True, kw_only=True):
    """One ``--gate`` beside the figures of the run."""

    expression: str
    """As it was given."""
    passed: bool
    """False also where it cannot be decided: the reason then begins with "cannot be decided"."""
    left: float | None
    """Value of the left side; None where the gate is more than one comparison, or the value is unknown."""
    right: float | None
    """Of the right side, likewise."""
    reason: str
    """Each comparison with its numbers, then the figures behind them; or what is unknown."""
