"""The outcome matrix: what each model scored, cost and took on each question, and where each cell comes from.

Everything about models, routers that only pick, and controls is a pure function of `Outcomes` and `Picks`.
A cell that is not there is unknown (NaN), never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from routemark.analysis.stats.arrays import Bools, Codes, Floats, Ints, rows_of

UNKNOWN, LIVE, DIRECT, FILE = range(4)
"""Where a cell comes from: nowhere; the router's own call; a direct call of the model; a file."""

Sources = npt.NDArray[np.int8]
"""One of UNKNOWN, LIVE, DIRECT, FILE a cell."""


class Grouping(NamedTuple):
    """A label of each question."""

    code: Codes
    """(n,) index into ``names``; -1 without a label."""
    names: Sequence[str]


class Asked(NamedTuple):
    """What is known of the n questions, beside the answers."""

    cluster: Codes
    """(n,) family of the question, else a number of its own."""
    difficulty: Grouping
    category: Grouping
    choices: Ints
    """(n,) number of choices to pick from; 0 for a free answer."""

    @property
    def n(self) -> int:
        """Number of questions."""
        return len(self.cluster)

    def where(self, rows: Bools | Ints) -> Asked:
        """Give these questions alone."""
        return Asked(
            self.cluster[rows],
            self.difficulty._replace(code=self.difficulty.code[rows]),
            self.category._replace(code=self.category.code[rows]),
            self.choices[rows],
        )


class Outcomes(NamedTuple):
    """Questions x models; each model's column in one piece in memory (see `arrays.by_column`)."""

    asked: Asked
    models: tuple[str, ...]
    score: Floats
    """(n, m) in [0, 1], the mean over repeats; a failure of the service is 0; NaN unknown."""
    cost: Floats
    """(n, m) US dollars an answer, the mean over repeats; NaN unknown."""
    latency: Floats
    """(n, m) seconds; NaN unknown."""
    source: Sources
    """(n, m)"""
    single: bool = True
    """No cell is a mean of several repeats: 0 and 1 stand for wrong and right."""
    halves: tuple[Floats, Floats] | None = None
    """With repeats: scores (n, m) of the first and of the second half of them."""
    sampled: Bools | None = None
    """(n, m) cells that belong to a random sample of the questions; None: all known ones do.

    A model that is rarely picked is asked a random sample and, beside it, the questions on which it was picked:
    only the sample tells its mean.
    """

    @property
    def known(self) -> Bools:
        """(n, m) cells with a score."""
        return ~np.isnan(self.score)

    @property
    def representative(self) -> Bools:
        """(n, m) cells with a score that may go into the model's mean."""
        return self.known if self.sampled is None else self.known & self.sampled

    def mean_score(self) -> Floats:
        """Give the mean score of each model (m,); NaN without a cell."""
        return _means(self.score, self.representative)

    def mean_cost(self) -> Floats:
        """Give the mean known cost of each model (m,), US dollars a question; NaN without one."""
        return _means(self.cost, self._priced)

    def means_without(self, fold: Codes) -> tuple[Floats, Floats]:
        """Give mean score and mean cost of each model on the questions outside each fold (folds, m).

        ``fold``: (n,) 0 or more. As `mean_score` and `mean_cost` of those questions, but from sums of the folds.
        """
        return _means_without(fold, self.score, self.representative), _means_without(
            fold, self.cost, self._priced
        )

    @property
    def _priced(self) -> Bools:
        """(n, m) cells with a cost that may go into the model's mean."""
        at = ~np.isnan(self.cost)
        return at if self.sampled is None else at & self.sampled

    def direct(self) -> Outcomes:
        """Give the matrix without the routers' own answers."""
        return self._without(self.source == LIVE)

    def measured(self) -> Outcomes:
        """Give what tells of the models themselves: no live cell, but where one stands in for a direct one.

        That is, in the column of a model that was asked directly on the other questions. A model that nobody
        asked directly is known only where a router chose it.
        """
        asked = (self.source == DIRECT).any(axis=0)
        return self._without((self.source == LIVE) & ~asked)

    def _without(self, cells: Bools) -> Outcomes:
        if not cells.any():
            return self
        score, cost, latency = (np.where(cells, np.nan, of) for of in (self.score, self.cost, self.latency))
        halves = self.halves
        if halves is not None:
            halves = (np.where(cells, np.nan, halves[0]), np.where(cells, np.nan, halves[1]))
        source = np.where(cells, UNKNOWN, self.source).astype(np.int8)
        return self._replace(score=score, cost=cost, latency=latency, source=source, halves=halves)

    def where(self, rows: Bools | Ints) -> Outcomes:
        """Give some questions alone: ``rows`` is a mask or an index over questions."""
        if _are_all(rows):
            return self
        halves = self.halves
        return self._replace(
            asked=self.asked.where(rows),
            score=rows_of(self.score, rows),
            cost=rows_of(self.cost, rows),
            latency=rows_of(self.latency, rows),
            source=rows_of(self.source, rows),
            halves=None if halves is None else (rows_of(halves[0], rows), rows_of(halves[1], rows)),
            sampled=None if self.sampled is None else rows_of(self.sampled, rows),
        )

    def only(self, models: Sequence[int]) -> Outcomes:
        """Give some models alone, by index, in this order."""
        at = list(models)
        if at == list(range(len(self.models))):
            return self
        return self._replace(
            models=tuple(self.models[i] for i in at),
            score=self.score[:, at],
            cost=self.cost[:, at],
            latency=self.latency[:, at],
            source=self.source[:, at],
            halves=None if self.halves is None else (self.halves[0][:, at], self.halves[1][:, at]),
            sampled=None if self.sampled is None else self.sampled[:, at],
        )


class Picks(NamedTuple):
    """Which models one arm took, and what came of it."""

    arm: str
    share: Floats
    """(n, m) share of the question's repeats that each model of the matrix got; a row of zeros: no pick known."""
    score: Floats
    """(n,) of the arm's own calls; NaN unknown, as in a file of picks alone."""
    cost: Floats
    """(n,) US dollars an answer of the arm's own calls; NaN unknown."""

    @property
    def picked(self) -> Bools:
        """(n,) questions with a pick."""
        picked: Bools = self.share.max(axis=1, initial=0.0) > 0
        return picked

    def shares(self) -> Floats:
        """Give the share of the questions (of those with a pick) that each model got (m,)."""
        total: Floats = self.share.sum(axis=0)
        return total / max(1.0, float(self.picked.sum()))

    def of(self, cells: Floats) -> Floats:
        """Give the picked cells' values (n,) of ``cells`` (n, m): repeats averaged; NaN where one is unknown."""
        taken = self.share > 0
        values = np.multiply(self.share, cells, out=np.zeros_like(cells), where=taken).sum(axis=1)
        return np.where(taken.any(axis=1), values, np.nan)

    def where(self, rows: Bools | Ints) -> Picks:
        """Give some questions alone."""
        if _are_all(rows):
            return self
        return self._replace(share=rows_of(self.share, rows), score=self.score[rows], cost=self.cost[rows])


def one_each(choice: Codes, models: int) -> Floats:
    """Give the shares (n, models) of one pick a question by index; a negative one is no pick."""
    share = np.zeros((len(choice), models), order="F")
    rows = np.flatnonzero(choice >= 0)
    share[rows, choice[rows]] = 1.0
    return share


def _are_all(rows: Bools | Ints) -> bool:
    return rows.dtype == np.bool_ and bool(rows.all())


def _means(values: Floats, at: Bools) -> Floats:
    return _ratio(np.where(at, values, 0.0).sum(axis=0), at.sum(axis=0))


def _means_without(fold: Codes, values: Floats, at: Bools) -> Floats:
    total, count = (
        np.array([np.bincount(fold, weights=column) for column in cells.T])
        for cells in (np.where(at, values, 0.0), at)
    )
    others = 1 - np.eye(total.shape[1])
    return _ratio(others @ total.T, others @ count.T)


def _ratio(total: Floats, count: Floats | Ints) -> Floats:
    mean: Floats = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return mean
