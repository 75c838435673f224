"""The nouns of Routemark: frozen records, each with one meaning in code, files and output.

Everything that travels between two rooms of the house is one of these. Records that are stored
(journal, manifest, results) read their older selves: fields are only added, with a default, and
fields that a reader does not know are skipped.
"""

from __future__ import annotations

from routemark.records.answered import Attempt, Completion, CostSource, Failure, Grade, Outcome, Usage
from routemark.records.asked import Arm, GraderSpec, Question, Trial
from routemark.records.base import Record
from routemark.records.results import ErrorRow, GradeRow, ResultRow
from routemark.records.run import ClientHealth, Run, RunStatus
from routemark.records.summary import (
    ArmSummary,
    Comparison,
    McNemar,
    Quantiles,
    SameMix,
    Slice,
    Summary,
    Verdict,
)

__all__ = [
    "Arm",
    "ArmSummary",
    "Attempt",
    "ClientHealth",
    "Comparison",
    "Completion",
    "CostSource",
    "ErrorRow",
    "Failure",
    "Grade",
    "GradeRow",
    "GraderSpec",
    "McNemar",
    "Outcome",
    "Quantiles",
    "Question",
    "Record",
    "ResultRow",
    "Run",
    "RunStatus",
    "SameMix",
    "Slice",
    "Summary",
    "Trial",
    "Usage",
    "Verdict",
]
