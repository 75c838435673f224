"""The repeats of each question, laid out: who served which, and what it scored. Everything about pairs of them.

A pair is two repeats of one question, or a repeat of a question beside a repeat of its copy, or beside a repeat
of another arm. Shares of pairs are taken within the question first, so that every question weighs the same.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from routemark.analysis.matrix.columns import NONE, Rows
from routemark.analysis.stats.arrays import Bools, Codes, Floats, Ints
from routemark.analysis.stats.clusters import covariance_of_means, grouped_means
from routemark.analysis.stats.intervals import accuracy_interval
from routemark.analysis.stats.paired import Paired, difference_interval
from routemark.records import Estimate

SAME_SCORE = 1e-9
"""Scores that differ by no more are the same."""


class Repeats(NamedTuple):
    """One arm: n questions x r repeats."""

    model: Codes
    """(n, r) code of the model that served; NONE without an answer."""
    score: Floats
    """(n, r) in [0, 1], a failure of the service is 0; NaN unknown."""
    cluster: Codes
    """(n,) family of the question, or a number of its own."""

    def where(self, rows: Bools | Ints) -> Repeats:
        """Give some questions alone, by mask or index."""
        return Repeats(self.model[rows], self.score[rows], self.cluster[rows])


class Pairs(NamedTuple):
    """Sums over the pairs of each question (n,)."""

    number: Ints
    """Pairs that are of the kind looked at."""
    total: Floats
    """Sum of what was looked at over them."""

    def others(self) -> Pairs:
        """Count the pairs that were not counted."""
        return self._replace(total=self.number - self.total)

    def mean(self) -> Floats:
        """Give the mean over the pairs of each question (n,); NaN without a pair."""
        nothing = np.full(len(self.number), np.nan)
        mean: Floats = np.divide(self.total, self.number, out=nothing, where=self.number > 0)
        return mean


def repeats_of(rows: Rows, questions: int, cluster: Codes) -> Repeats:
    """Lay out the trials of an arm; ``cluster`` has an entry for each of all the ``questions``."""
    question, repeat = rows.question, rows.repeat
    shape = (questions, int(repeat.max(initial=0)) + 1)
    model, score = np.full(shape, NONE, dtype=np.int32), np.full(shape, np.nan)
    model[question, repeat] = rows.model
    score[question, repeat] = rows.score
    return Repeats(model, score, cluster)


def clusters_of(rows: list[Rows], questions: int) -> Codes:
    """Give the cluster of each question (n,) from the trials of all arms."""
    cluster = np.zeros(questions, dtype=np.int32)
    for each in rows:
        cluster[each.question] = each.cluster
    return cluster


# ----------------------------------------------------------------------------- pairs


def flips(one: Repeats, other: Repeats | None = None) -> Pairs:
    """Count the pairs with both models known, and those whose models differ.

    Without ``other`` the pairs are of two repeats of the same question; with it, each repeat of ``one``
    stands beside each of ``other``, question by question.
    """
    found = _nothing(one)
    for a, b in _columns(one, other):
        left, right = one.model[:, a], (other or one).model[:, b]
        known = (left != NONE) & (right != NONE)
        found = _added(found, known, (left != right).astype(float))
    return found


def disagreements(one: Repeats, other: Repeats | None = None) -> Pairs:
    """Count the pairs with both scores known, and those whose scores differ; pairs as for `flips`."""
    found = _nothing(one)
    for a, b in _columns(one, other):
        change = np.abs(one.score[:, a] - (other or one).score[:, b])
        found = _added(found, ~np.isnan(change), (change > SAME_SCORE).astype(float))
    return found


def score_changes(one: Repeats, *, flipped: bool) -> Pairs:
    """Add up |score - score'| over pairs of repeats, both answered, that other models served, or the same."""
    found = _nothing(one)
    for a, b in _columns(one, None):
        left, right = one.model[:, a], one.model[:, b]
        change = np.abs(one.score[:, a] - one.score[:, b])
        wanted = (left != NONE) & (right != NONE) & ((left != right) == flipped) & ~np.isnan(change)
        found = _added(found, wanted, change)
    return found


def _columns(one: Repeats, other: Repeats | None) -> list[tuple[int, int]]:
    repeats = range(one.model.shape[1])
    if other is None:
        return [(a, b) for a in repeats for b in repeats if a < b]
    return [(a, b) for a in repeats for b in range(other.model.shape[1])]


def _nothing(one: Repeats) -> Pairs:
    return Pairs(np.zeros(len(one.cluster), dtype=np.int64), np.zeros(len(one.cluster)))


def _added(sums: Pairs, which: Bools, values: Floats) -> Pairs:
    return Pairs(sums.number + which, sums.total + np.where(which, values, 0.0))


# ----------------------------------------------------------------------------- means over questions


def share(pairs: Pairs, cluster: Codes) -> Estimate | None:
    """Give the mean over questions of their mean over pairs, in [0, 1]; None without a pair.

    Its interval is that of an accuracy (Wilson with the effective size), pairs standing for rows.
    """
    rows = np.repeat(np.arange(len(cluster), dtype=np.int32), pairs.number)
    mean = grouped_means(1, np.zeros_like(rows), rows, cluster[rows], pairs.mean()[rows])[0]
    if not mean.rows:
        return None
    asked = int(np.count_nonzero(pairs.number))
    return Estimate(value=mean.value, ci95=accuracy_interval(mean), n=asked, clusters=mean.clusters)


def difference(values: Floats, cluster: Codes) -> Estimate | None:
    """Give the mean of values in [-1, 1] (n,), NaN unknown; interval of Student's t over clusters."""
    known = ~np.isnan(values)
    values, cluster = values[known], cluster[known]
    if not len(values):
        return None
    variance = float(covariance_of_means(values[:, None], cluster)[0, 0])
    return estimate(Paired(len(values), len(np.unique(cluster)), float(values.mean()), variance, None, None))


def estimate(pair: Paired) -> Estimate:
    """Give a paired difference with its interval."""
    return Estimate(value=pair.mean, ci95=difference_interval(pair), n=pair.n, clusters=pair.clusters)
