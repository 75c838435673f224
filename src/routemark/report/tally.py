"""Count, while rows pass, how often a model's answers were right for each label of the questions.

The `Summary` says which model answered how often; this adds "and how often well", cell by cell. Plain
counts of answers: trials that failed were answered by no model and are in no cell.
"""

from __future__ import annotations

from typing import Literal

from routemark.analysis.stats.intervals import wilson
from routemark.numbers import Cell, cell
from routemark.records import ResultRow

Field = Literal["difficulty", "category", "task_type"]
FIELDS: tuple[Field, ...] = ("difficulty", "category", "task_type")

Z95 = 1.96
"""Quantile of the 95 % interval."""

Key = tuple[str, Field, str, str]
"""Arm, field, label, model."""


class Tally:
    """Graded answers and their scores by arm, label and model; grows with those, not with the rows."""

    def __init__(self) -> None:
        self._graded: dict[Key, int] = {}
        self._score: dict[Key, float] = {}

    def add(self, row: ResultRow) -> None:
        """Count a row that is in the summary."""
        if row.grade is None or row.grade.score is None or row.model is None or not row.counted:
            return
        for field in FIELDS:
            label = getattr(row, field)
            if label is not None:
                self.count((row.arm, field, label, row.model), 1, row.grade.score)

    def count(self, key: Key, graded: int, score: float) -> None:
        """Count graded answers with the sum of their scores."""
        self._graded[key] = self._graded.get(key, 0) + graded
        self._score[key] = self._score.get(key, 0.0) + score

    def cell(self, arm: str, field: Field, label: str, model: str) -> Cell:
        """Give the accuracy of that model's answers there, by the rule for small cells."""
        graded = self._graded.get((arm, field, label, model), 0)
        if not graded:
            return cell(None, 0)
        accuracy = self._score[arm, field, label, model] / graded
        return cell(accuracy, graded, wilson(accuracy, graded, Z95))
