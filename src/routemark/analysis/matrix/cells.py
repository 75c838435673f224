"""Breakdowns by a label of the questions: what a cell may show, and which one may be named in a sentence.

Many small cells are looked at together, so some look bad by chance. One rule for all tables: below 5 graded
trials counts alone; below 20 counts with their interval, in grey; from 20 on a percentage, which may be
coloured. A sentence names a cell only from 20 questions on, and only if its difference is surely not 0 with all
cells looked at held together (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from routemark.analysis.compare import Matrix
from routemark.analysis.matrix.columns import NONE, Rows, Table
from routemark.analysis.stats.arrays import Codes, Floats, Interval
from routemark.analysis.stats.paired import Paired, difference_interval, paired
from routemark.numbers import FEWEST_IN_PERCENT
from routemark.records import WhereItHurts


class Worst(NamedTuple):
    """The cell in which an arm is furthest behind, surely."""

    label: int
    difference: Paired
    interval: Interval
    """At the level that holds for all cells looked at."""
    cells: int
    """Cells looked at: those of at least 20 questions."""


def worst(
    label: Codes, scores: tuple[Floats, Floats], cluster: Codes, *, single: Sequence[bool]
) -> Worst | None:
    """Give the cell with the lowest mean paired difference among those surely below 0; None without one.

    ``label`` (n,) code of each question, negative without one; ``scores`` of the arm and of the baseline (n,),
    NaN unknown; ``single``: whether no score of either is a mean of repeats. Each cell's interval is that of
    `paired.difference_interval` at level 1 - 0.05 / cells.
    """
    known = ~(np.isnan(scores[0]) | np.isnan(scores[1])) & (label >= 0)
    codes = np.flatnonzero(np.bincount(label[known]) >= FEWEST_IN_PERCENT).tolist()
    found = []
    for code in codes:
        at = known & (label == code)
        pair = paired(scores[0][at], scores[1][at], cluster[at], single=all(single))
        interval = difference_interval(pair, 1 - 0.05 / len(codes))
        if interval is not None and interval[1] < 0:
            found.append(Worst(code, pair, interval, len(codes)))
    return min(found, key=lambda one: (one.difference.mean, one.label), default=None)


def where_it_hurts(table: Table, cells: Matrix, arm: str, baseline: str) -> WhereItHurts | None:
    """Give the category in which an arm is furthest behind a baseline; None where it is surely in none.

    Where no category has 20 questions it is the difficulty.
    """
    a, b = table.arms.index(arm), table.arms.index(baseline)
    rows, columns = table.rows(a), table.columns
    by: Literal["category", "difficulty"] = "category"
    names, label = columns.categories.names, _of_questions(rows, rows.category, table.questions)
    if np.bincount(label[label >= 0]).max(initial=0) < FEWEST_IN_PERCENT:
        by = "difficulty"
        names, label = columns.difficulties.names, _of_questions(rows, rows.difficulty, table.questions)
    scores = cells.score[:, a], cells.score[:, b]
    found = worst(label, scores, cells.cluster, single=(cells.single[a], cells.single[b]))
    if found is None:
        return None
    return WhereItHurts(
        by=by,
        label=names[found.label],
        arm=arm,
        baseline=baseline,
        n=found.difference.n,
        accuracy_difference=found.difference.mean,
        ci_all=found.interval,
        cells=found.cells,
    )


def _of_questions(rows: Rows, label: Codes, questions: int) -> Codes:
    laid = np.full(questions, NONE, dtype=np.int32)
    laid[rows.question] = label
    return laid
