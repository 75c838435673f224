"""What a run says for the user's traffic: its mix of difficulties, and its calls a month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from routemark.analysis.compare import Doubt, Pair, worst_cells
from routemark.analysis.matrix.outcomes import Grouping
from routemark.analysis.traffic.monthly import with_months
from routemark.analysis.traffic.weights import Mix, as_weighted, strata_of, weigh, weighted_arms
from routemark.records import ArmSummary


class Traffic(NamedTuple):
    """What the user said of it."""

    weights: Mapping[str, float] | None = None
    """Share of each difficulty; None: as in the questions."""
    calls: int | None = None
    """A month."""


AS_ASKED = Traffic()


class Told(NamedTuple):
    """Arms and comparisons, with what holds for the traffic beside what holds for the questions."""

    arms: dict[str, ArmSummary]
    pairs: list[Pair]
    """Of the questions as they were asked; the weighted comparison stands in each."""
    judged_arms: dict[str, ArmSummary]
    judged: list[Pair]
    """What the verdict rests on: weighted where there are weights."""
    mix: Mix | None
    """None without weights, and where a difficulty that has one has no finished question."""


def tell(
    pairs: Sequence[Pair], as_found: Mix, difficulty: Grouping, traffic: Traffic, *, margin: float
) -> Told:
    """Weigh arms and comparisons, and give their dollars a month. ``as_found``: see `weights.as_asked`."""
    arms = dict(as_found.arms)
    if traffic.calls is not None:
        pairs = with_months(pairs, as_found, traffic.calls)
    strata = strata_of(difficulty, traffic.weights) if traffic.weights else None
    if strata is None:
        return Told(arms, list(pairs), arms, list(pairs), None)
    mix = as_found._replace(strata=strata)
    arms, judged = weighted_arms(mix), weigh(pairs, mix, margin=margin)
    if traffic.calls is not None:
        judged = with_months(judged, mix, traffic.calls)
    both = [_beside(*each) for each in zip(pairs, judged, strict=True)]
    return Told(arms, both, as_weighted(arms), judged, mix)


def weighted_doubt(doubt: Doubt, mix: Mix, *, subject: str, margin: float) -> Doubt:
    """Give `compare.compare_at_worst` for the mix."""
    cells = worst_cells(mix.cells, mix.arms, subject)
    against, for_it = (
        weigh(pairs, mix._replace(cells=worst), margin=margin)
        for pairs, worst in zip((doubt.against, doubt.for_it), cells, strict=True)
    )
    return doubt._replace(against=against, for_it=for_it)


def _beside(pair: Pair, weighted: Pair) -> Pair:
    comparison = msgspec.structs.replace(pair.comparison, weighted=weighted.comparison)
    return pair._replace(comparison=comparison)
