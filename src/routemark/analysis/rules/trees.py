"""Small decision trees that choose a model: at most two questions deep, found by trying them all.

A tree is to have the greatest net benefit, sum of score - price * cost over the questions it is grown on. Its
leaves take the default model, the best single one there, unless another is surely better in the leaf:
the lower bound of the mean paired difference of net benefit, one-sided, 5 % shared among the
``MOST_LEAVES`` x (models - 1) differences looked at (Bonferroni), t with clusters - 1, variance from clusters.

What one leaf gains does not hang on the other leaves, so the best tree is found exactly: every half of the
questions and every cut of a half is a region, each is judged once, and the best combination is looked up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from routemark.analysis.stats.arrays import Bools, Codes, Floats, Ints
from routemark.analysis.stats.distributions import student_t_quantile

MOST_LEAVES = 4
LEAST_QUESTIONS = 20
LEAST_SHARE = 0.05
"""A leaf holds at least so many of the questions, and at least 20."""
ERROR = 0.05
_CLUSTERS_AT_ONCE = 200
_EQUAL = 1e-9
"""Gains within this of each other are equal; then the tree of fewer leaves is taken."""


class Sample(NamedTuple):
    """Questions to grow a tree on; nothing in them is unknown."""

    features: Floats
    """(n, k)"""
    score: Floats
    """(n, m) of each model."""
    cost: Floats
    """(n, m) US dollars an answer."""
    cluster: Codes
    """(n,)"""

    def where(self, rows: Bools | Ints) -> Sample:
        """Give some questions alone."""
        return Sample(self.features[rows], self.score[rows], self.cost[rows], self.cluster[rows])


class Split(NamedTuple):
    """A yes-or-no question about one feature."""

    column: int
    cut: float
    above: bool
    """True: is it above the cut? False: is it the cut, a label's code?"""
    place: int
    """The tercile, or the label: what the cut is called in whichever sample it was made."""

    def holds(self, features: Floats) -> Bools:
        """Say where the answer is yes (n,)."""
        column = features[:, self.column]
        yes: Bools = column > self.cut if self.above else column == self.cut
        return yes


class Branch(NamedTuple):
    """A split and what follows from it; a leaf is the index of its model."""

    split: Split
    yes: Branch | int
    no: Branch | int


Tree = Branch | int


def choose(tree: Tree, features: Floats) -> Codes:
    """Give the index of the model that the tree takes for each question (n,)."""
    if not isinstance(tree, Branch):
        return np.full(len(features), tree, dtype=np.int32)
    yes = choose(tree.yes, features)
    return np.where(tree.split.holds(features), yes, choose(tree.no, features)).astype(np.int32)


def leaves(tree: Tree) -> frozenset[tuple[frozenset[tuple[int, bool, int, bool]], int]]:
    """Give the leaves as (what must hold, model), whatever the order of the questions that lead to them.

    What must hold is (column, above, place, yes): terciles of different samples compare equal.
    """
    if not isinstance(tree, Branch):
        return frozenset({(frozenset(), tree)})
    found = set()
    for answer, below in ((True, tree.yes), (False, tree.no)):
        test = (tree.split.column, tree.split.above, tree.split.place, answer)
        found |= {(conditions | {test}, model) for conditions, model in leaves(below)}
    return frozenset(found)


def terciles(features: Floats) -> list[Split]:
    """Give the splits at the thirds of each column: a value that occurs, a part of the questions above it."""
    found = []
    for column, values in enumerate(features.T):
        cuts = np.quantile(values, [1 / 3, 2 / 3], method="inverted_cdf")
        for place, cut in enumerate(dict.fromkeys(cuts.tolist())):
            if cut < values.max():
                found.append(Split(column, cut, above=True, place=place))
    return found


def labels(features: Floats) -> list[Split]:
    """Give the splits "is it this label", one for each code (0 or more) in each column."""
    return [
        Split(column, code, above=False, place=int(code))
        for column, values in enumerate(features.T)
        for code in np.unique(values[values >= 0]).tolist()
    ]


def best_single(sample: Sample, price: float) -> int:
    """Give the model of the greatest net benefit; of equal ones the cheaper, then the first."""
    cost = sample.cost.mean(axis=0)
    benefit = sample.score.mean(axis=0) - price * cost
    return int(np.lexsort((cost, -np.round(benefit, 12)))[0])


class Grower:
    """Grows the best tree of one sample for any price; what does not hang on the price is done once."""

    def __init__(self, sample: Sample, splits: Sequence[Split]) -> None:
        self._sample = sample.where(np.argsort(sample.cluster, kind="stable"))
        self._least = max(LEAST_QUESTIONS, math.ceil(LEAST_SHARE * len(sample.cluster)))
        self._splits = [split for split in splits if self._parts(split)]
        member, self._region = self._regions()
        _, at, sizes = np.unique(self._sample.cluster, return_index=True, return_counts=True)
        values = np.column_stack([self._sample.score, self._sample.cost, np.ones(len(member))])
        self._first = member.T @ values
        self._second = _second_moments(member, values, sizes)
        touched = np.add.reduceat(member, at, axis=0) > 0
        self._clusters = touched.sum(axis=0, keepdims=True).T.astype(float)
        share = ERROR / (MOST_LEAVES * max(1, self._sample.score.shape[1] - 1))
        self._t = _quantiles(self._clusters, 1 - 2 * share)

    def grow(self, price: float) -> Tree:
        """Give the best tree; ``price``: score that one US dollar is worth."""
        default = best_single(self._sample, price)
        if not len(self._splits):
            return default
        gain, model = self._leaf_values(default, price)
        pair = np.where(self._region >= 0, gain[self._region], -np.inf)
        count = len(self._splits)
        below = pair[:, :count] + pair[:, count:]
        alone = np.diagonal(pair)
        below[np.arange(2 * count), np.arange(2 * count) % count] = -np.inf
        deeper = below.max(axis=1) > alone + _EQUAL
        side = np.where(deeper, below.max(axis=1), alone)
        total = side[:count] + side[count:]
        if not total.max() > _EQUAL:
            return default
        good = np.flatnonzero(total >= total.max() - _EQUAL)
        root = int(good[np.argmin(deeper[good].astype(int) + deeper[good + count])])
        yes, no = (self._side(half, model, deeper, below) for half in (root, root + count))
        return _branch(self._splits[root], yes, no)

    def _side(self, half: int, model: Codes, deeper: Bools, below: Floats) -> Tree:
        """Give what follows from one answer to the first question."""
        if not deeper[half]:
            return int(model[self._region[half, half]])
        second = _first_best(below[half])
        yes, no = (model[self._region[half, at]] for at in (second, second + len(self._splits)))
        return _branch(self._splits[second], int(yes), int(no))

    def _parts(self, split: Split) -> bool:
        """Say whether a split leaves enough questions on either side."""
        yes = int(split.holds(self._sample.features).sum())
        return min(yes, len(self._sample.cluster) - yes) >= self._least

    def _regions(self) -> tuple[Floats, Ints]:
        """Give who belongs to each region (n, regions), and the region of each pair of halves, -1 too small.

        Halves: every split's yes, then every split's no. The diagonal holds the halves themselves.
        """
        n, count = len(self._sample.cluster), len(self._splits)
        held = [split.holds(self._sample.features) for split in self._splits]
        yes = np.array(held, dtype=bool).reshape(count, n).T
        halves = np.concatenate([yes, ~yes], axis=1).astype(float)
        large = halves.T @ halves >= self._least
        # of a half that is cut again, both parts must be large enough, or neither is a leaf
        both = large & np.roll(large, count, axis=1)
        first, second = np.nonzero(np.triu(both | both.T) | np.diag(np.diagonal(large)))
        region = np.full((2 * count, 2 * count), -1, dtype=np.int64)
        region[first, second] = region[second, first] = np.arange(len(first))
        return halves[:, first] * halves[:, second], region

    def _leaf_values(self, default: int, price: float) -> tuple[Floats, Codes]:
        """Give the gain over the default that each region may have as a leaf, and its model."""
        models = self._sample.score.shape[1]
        first = self._first[:, :models] - price * self._first[:, models:-1]
        gain = first - first[:, [default]]
        mean = gain / self._first[:, -1:]
        spread = self._spread(default, price, mean)
        error = np.sqrt(np.maximum(spread, 0.0) * _small_sample(self._clusters)) / self._first[:, -1:]
        error = np.where(self._clusters > 1, error, np.inf)
        sure = mean - self._t * error > 0
        gain = np.where(sure & (gain > _EQUAL), gain, 0.0)
        best = gain.argmax(axis=1)
        top = gain[np.arange(len(best)), best]
        return top, np.where(top > 0, best, default).astype(np.int32)

    def _spread(self, default: int, price: float, mean: Floats) -> Floats:
        """Give the sum over clusters of (the cluster's sum of differences - mean x its questions) squared.

        Of each region and model (regions, models): a quadratic form of the second moments of score, cost and 1.
        """
        second, models = self._second, self._sample.score.shape[1]
        score, cost = slice(models), slice(models, 2 * models)
        cross = second[:, score, cost]
        benefit = second[:, score, score] - price * (cross + cross.transpose(0, 2, 1))
        benefit = benefit + price**2 * second[:, cost, cost]
        own = np.diagonal(benefit, axis1=1, axis2=2)
        squares = own - 2 * benefit[:, :, default] + own[:, [default]]
        by_size = second[:, score, -1] - price * second[:, cost, -1]
        spread: Floats = squares - 2 * mean * (by_size - by_size[:, [default]]) + mean**2 * second[:, -1:, -1]
        return spread


def _second_moments(member: Floats, values: Floats, sizes: Ints) -> Floats:
    """Give the sum over clusters of t t', t the sum (k,) of ``values`` (n, k) in cluster and region.

    ``member``: (n, regions); ``sizes``: questions of each cluster, which stand together. (regions, k, k).
    """
    regions, k = member.shape[1], values.shape[1]
    second = np.zeros((regions, k, k))
    alone = np.repeat(sizes, sizes) == 1
    if alone.any():
        i, j = np.triu_indices(k)
        second[:, i, j] = member[alone].T @ (values[alone][:, i] * values[alone][:, j])
        second[:, j, i] = second[:, i, j]
    stops = np.cumsum(sizes)
    bounds = [(int(stop - size), int(stop)) for stop, size in zip(stops, sizes, strict=True) if size > 1]
    for at in range(0, len(bounds), _CLUSTERS_AT_ONCE):
        block = bounds[at : at + _CLUSTERS_AT_ONCE]
        sums = np.stack([member[start:stop].T @ values[start:stop] for start, stop in block])
        second += sums.transpose(1, 2, 0) @ sums.transpose(1, 0, 2)
    return second


def _small_sample(clusters: Floats) -> Floats:
    """Give C/(C - 1)."""
    return np.divide(clusters, clusters - 1, out=np.zeros_like(clusters), where=clusters > 1)


def _quantiles(clusters: Floats, level: float) -> Floats:
    """Give the two-sided quantiles of t with clusters - 1 degrees."""
    different, inverse = np.unique(clusters, return_inverse=True)
    quantiles = [student_t_quantile(level, max(1, int(c) - 1)) for c in different]
    return np.array(quantiles)[inverse].reshape(clusters.shape)


def _first_best(values: Floats) -> int:
    """Give the first place of a value that no other surpasses by more than rounding."""
    return int(np.argmax(values >= values.max() - _EQUAL))


def _branch(split: Split, yes: Tree, no: Tree) -> Tree:
    """Give the branch, or the one model that both its sides take."""
    return yes if yes == no and not isinstance(yes, Branch) else Branch(split, yes, no)
