"""How many questions a claim needs and what they cost, and what stopping early may save: before a dollar is spent.

Everything hangs on the discordance, the share of questions on which router and fixed model score differently.
Nobody knows it beforehand: it is assumed over the usual range, and taken from the latest run of the same arms
where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence

from routemark.analysis.stats.power import (
    detectable_difference,
    questions_for_equivalent,
    questions_for_not_worse,
    questions_to_tell,
)
from routemark.analysis.stopping.savings import saving
from routemark.analysis.stopping.sequential import Design
from routemark.records import Record

ASSUMED = (0.10, 0.15, 0.20, 0.30)
"""Discordances: of a router near its model, the usual, and of models that are good at different things."""
USUAL = 0.15
MULTIPLES = (0, 1, 2, 3, 5)
"""Of the margin: the differences for which savings are foreseen."""
MOST_SIMULATED = 100_000
"""Questions for which 400 runs are simulated side by side; fewer runs where there are more."""

Dollars = tuple[float, float] | None
"""From the cheapest to the dearest models that may serve; None where a price is not known."""


class Needs(Record, frozen=True, kw_only=True):
    """What a difference needs at one discordance."""

    discordance: float
    measured: bool
    """In the latest run of the same gateway and arms; else assumed."""
    tell: int | None
    """Questions that tell a difference so large, in four runs of five; None: above 20,000, or impossible."""
    not_worse: int | None
    """Questions that show "not worse by so much" of an arm that is as good."""
    equivalent: int | None
    """Questions that show "equivalent within so much" of an arm that is as good."""
    cost_tell_usd: Dollars
    cost_not_worse_usd: Dollars
    detectable: float | None
    """The smallest difference that the loaded questions tell."""


class Detection(Record, frozen=True, kw_only=True):
    """What a difference needs."""

    difference: float
    questions: int
    """Loaded."""
    needs: list[Needs]


class Saved(Record, frozen=True, kw_only=True):
    """How runs with ``--until-decided`` would go if the true difference were this one."""

    difference: float
    early: float
    """Share of runs decided before the last question."""
    decided: float
    """Share of runs decided, the last question included."""
    questions: float
    """Mean number asked."""
    saved_usd: Dollars
    """Of the expected cost, on average."""


class Savings(Record, frozen=True, kw_only=True):
    """What stopping early may save, simulated beside one fixed model."""

    discordance: float
    measured: bool
    margin: float
    questions: int
    worlds: list[Saved]


def detection(
    difference: float, questions: int, cost_usd: Dollars, measured: float | None = None
) -> Detection:
    """Tell what ``difference`` needs; ``cost_usd``: of all the loaded questions, as expected."""
    shares = [*ASSUMED, *([] if measured is None else [measured])]
    needs = []
    for place, share in enumerate(shares):
        tell = questions_to_tell(difference, share) if difference < share else None
        not_worse = questions_for_not_worse(difference, share)
        needs.append(
            Needs(
                discordance=share,
                measured=place == len(ASSUMED),
                tell=tell,
                not_worse=not_worse,
                equivalent=questions_for_equivalent(difference, share),
                cost_tell_usd=_share_of(cost_usd, tell, questions),
                cost_not_worse_usd=_share_of(cost_usd, not_worse, questions),
                detectable=detectable_difference(questions, share),
            )
        )
    return Detection(difference=difference, questions=questions, needs=needs)


def savings(design: Design, cost_usd: Dollars, measured: float | None = None, *, seed: int = 0) -> Savings:
    """Foresee what stopping early saves, for differences of some multiples of the margin."""
    share = USUAL if measured is None else measured
    runs = max(50, min(400, 400 * MOST_SIMULATED // max(1, design.questions * 100)))
    found = [
        (world, saving(design, share, world, runs=runs, seed=seed)) for world in _worlds(design.margin, share)
    ]
    worlds = [
        Saved(
            difference=world,
            early=one.early,
            decided=one.decided,
            questions=one.questions,
            saved_usd=_share_of(cost_usd, design.questions - one.questions, design.questions),
        )
        for world, one in found
    ]
    return Savings(
        discordance=share,
        measured=measured is not None,
        margin=design.margin,
        questions=design.questions,
        worlds=worlds,
    )


def _worlds(margin: float, discordance: float) -> Sequence[float]:
    return [multiple * margin for multiple in MULTIPLES if multiple * margin <= discordance]


def _share_of(cost_usd: Dollars, part: float | None, whole: int) -> Dollars:
    if cost_usd is None or part is None:
        return None
    return cost_usd[0] * part / whole, cost_usd[1] * part / whole
