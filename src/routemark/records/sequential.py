"""What a run that stops early has shown, and when."""

from __future__ import annotations

from typing import Literal

from routemark.records.base import Record

StoppingMode = Literal["closed", "open"]
"""``closed``: the last question is known, and part of the error is kept for it. ``open``: more may follow."""
Estimand = Literal["population", "file"]
"""What a claim is about: questions like these, or exactly these questions and these answers."""
Claim = Literal["better", "worse", "equivalent", "not worse"]
"""Of the arm beside the baseline; the last two mean: by the margin."""


class Sequential(Record, frozen=True, kw_only=True):
    """A comparison in a run that was looked at after every question."""

    decision: Claim | None
    """The strongest claim that is sure; None: open."""
    questions: int
    """Used: those with a score of both, in the order of the plan."""
    interval: tuple[float, float] | None
    """Of the accuracy difference, 95 % or better however often one looks."""
    early: bool
    """The last question was not reached. At it, a closed run shows the fixed interval kept for it."""
    estimand: Estimand
    decides: bool
    """The run ends when this pair, and those it is looked at with, are settled."""
    not_worse: bool
    """It is sure that the arm is not worse than the baseline by more than the margin."""


class Stopping(Record, frozen=True, kw_only=True):
    """How far a run with ``--until-decided`` went, and what was decided."""

    mode: StoppingMode
    estimand: Estimand
    margin: float
    """By which "equivalent" is judged while the run goes on."""
    arm: str
    """The router that is judged."""
    baselines: list[str]
    """What it is judged against: the arm of ``--baseline``, else every fixed model."""
    decision: Claim | None
    """Against all of them; "worse": than one at least. None: still open."""
    worse_than: list[str] = []
    """The baselines that are surely better than it."""
    questions: int
    """Used, in the order of the plan: all that count."""
    planned: int
    """Questions of the whole plan."""
    early: bool
    """Decided before the last question."""
