"""What happens to an arm when a prompt changes in a way that should not matter.

A perturbed copy stands beside its original, repeat by repeat::

    flip rate    = mean over copies of (pairs served by different models) / (pairs with both models known)
    robustness   = 1 - flip rate                                       (RouterArena, arXiv 2510.00202)
    excess flips = mean over copies of flips(copy, original) - (flips(original) + flips(copy)) / 2
    score change = mean over copies of score(copy) - score(original)

A router flickers from one repeat to the next even where nothing changed; the excess is what the change itself
did, and it takes repeats of both to tell. Copies of one question, and of one family, share a cluster.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
import numpy as np

from routemark.analysis.matrix.columns import NONE, Columns, Labels, Table
from routemark.analysis.stats.arrays import Floats, Ints
from routemark.analysis.stats.paired import paired
from routemark.analysis.steadiness.repeats import (
    Repeats,
    clusters_of,
    difference,
    estimate,
    flips,
    repeats_of,
    share,
)
from routemark.records import (
    PERTURBATION,
    PERTURBED_FROM,
    Copies,
    Grade,
    Outcome,
    Perturbation,
    Question,
    Robustness,
)

UNNAMED = "unnamed"
"""Kind of a copy that does not say how it was made."""


class CopyColumns:
    """Collects the outcomes of perturbed copies, each under the name of its original; one set of columns a kind."""

    def __init__(self, models: Labels) -> None:
        """``models``: the numbers that the originals' columns give to models."""
        self._models = models
        self.by_kind: dict[str, Columns] = {}

    def append(self, question: Question, outcome: Outcome, grade: Grade | None) -> None:
        """Take one trial of a copy."""
        kind = str(question.metadata.get(PERTURBATION, UNNAMED))
        if kind not in self.by_kind:
            self.by_kind[kind] = Columns()
            self.by_kind[kind].models = self._models
        original = str(question.metadata.get(PERTURBED_FROM, question.id))
        self.by_kind[kind].append(msgspec.structs.replace(question, id=original), outcome, grade)


def robustness(
    originals: Table,
    copies: CopyColumns,
    made: Mapping[str, Copies],
    *,
    sticky: Collection[str] = (),
) -> dict[str, Robustness]:
    """Give what the perturbations did to each arm, by its name; arms without a copy to compare are left out.

    ``made``: copies by kind as planned, with the questions that a kind had to leave out. ``sticky``: arms whose
    repeats share a session, which hides their flicker.
    """
    names = np.unique(np.asarray(originals.columns.question))
    found: dict[str, dict[str, tuple[Repeats, Repeats]]] = {}
    for kind in sorted(copies.by_kind):
        table = Table(copies.by_kind[kind], originals.arms)
        for index, arm in enumerate(originals.arms):
            pair = _beside(originals, table, index, names)
            if pair is not None:
                found.setdefault(arm, {})[kind] = pair
    left_out = {kind: kept.left_out for kind, kept in made.items()}
    return {arm: _robustness(by_kind, left_out, sticky=arm in sticky) for arm, by_kind in found.items()}


def _robustness(
    by_kind: Mapping[str, tuple[Repeats, Repeats]], left_out: Mapping[str, int], *, sticky: bool
) -> Robustness:
    kinds = {
        kind: perturbation(copy, original, left_out=left_out.get(kind, 0), sticky=sticky)
        for kind, (copy, original) in by_kind.items()
    }
    copy, original = (_stacked([pair[side] for pair in by_kind.values()]) for side in (0, 1))
    overall = perturbation(copy, original, left_out=sum(left_out.values()), sticky=sticky)
    return Robustness(overall=overall, by_kind=kinds)


def perturbation(
    copy: Repeats, original: Repeats, *, left_out: int = 0, sticky: bool = False
) -> Perturbation:
    """Give what a change did: row i of ``copy`` is the copy of row i of ``original``.

    ``sticky``: the repeats share a session, so they do not tell how much the router flickers.
    """
    flip_rate = share(flips(copy, original), copy.cluster)
    ordinary = (flips(original).mean() + flips(copy).mean()) / 2
    scores = (_means(copy.score), _means(original.score))
    single = copy.score.shape[1] == original.score.shape[1] == 1
    change = paired(*scores, copy.cluster, single=single)
    return Perturbation(
        copies=len(copy.cluster),
        left_out=left_out,
        flip_rate=flip_rate,
        robustness=None if flip_rate is None else 1 - flip_rate.value,
        excess_flips=None if sticky else difference(flips(copy, original).mean() - ordinary, copy.cluster),
        score_change=estimate(change) if change.n else None,
    )


def _beside(originals: Table, copies: Table, arm: int, names: Ints) -> tuple[Repeats, Repeats] | None:
    """Give an arm's copies and their originals, row by row; None without a copy whose original was asked, too.

    ``names``: sorted hashes of all the originals.
    """
    rows, own = copies.rows(arm), originals.rows(arm)
    if not len(rows) or not len(own):
        return None
    hashes = np.unique(np.asarray(copies.columns.question))
    at = np.minimum(np.searchsorted(names, hashes), len(names) - 1)
    asked = np.zeros(len(hashes), dtype=bool)
    asked[rows.question] = True
    there = np.zeros(len(names), dtype=bool)
    there[own.question] = True
    both = asked & (names[at] == hashes) & there[at]
    if not both.any():
        return None
    cluster = clusters_of([originals.rows(i) for i in range(len(originals.arms))], originals.questions)
    original = repeats_of(own, originals.questions, cluster).where(at[both])
    copy = repeats_of(rows, copies.questions, np.zeros(copies.questions, dtype=np.int32)).where(both)
    return copy._replace(cluster=original.cluster), original


def _stacked(parts: list[Repeats]) -> Repeats:
    """Put the rows of several kinds below each other; of unequal repeats, the missing ones are unknown."""
    width = max(part.model.shape[1] for part in parts)
    pads = [((0, 0), (0, width - part.model.shape[1])) for part in parts]
    return Repeats(
        np.concatenate(
            [np.pad(part.model, pad, constant_values=NONE) for part, pad in zip(parts, pads, strict=True)]
        ),
        np.concatenate(
            [np.pad(part.score, pad, constant_values=np.nan) for part, pad in zip(parts, pads, strict=True)]
        ),
        np.concatenate([part.cluster for part in parts]),
    )


def _means(score: Floats) -> Floats:
    """Give the mean known score of each row; NaN without one."""
    known = ~np.isnan(score)
    count = known.sum(axis=1)
    total = np.where(known, score, 0.0).sum(axis=1)
    mean: Floats = np.divide(total, count, out=np.full(len(score), np.nan), where=count > 0)
    return mean
