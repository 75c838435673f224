"""One trial as a flat row, and rows as CSV: the columns of results.json with nested names joined."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

import msgspec

from routemark.files import replaced
from routemark.records import (
    Completion,
    CostSource,
    ErrorRow,
    Failure,
    Grade,
    GradeRow,
    Outcome,
    Question,
    ResultRow,
    Run,
    Summary,
    Usage,
)

_NESTED: dict[str, type[msgspec.Struct]] = {"grade": GradeRow, "usage": Usage, "error": ErrorRow}

# What a spreadsheet takes for a formula, full-width forms included. A plain number begins with
# a sign, too, and is none.
_FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)


def result_row(
    question: Question, outcome: Outcome, grade: Grade | None, counted: bool, flags: Sequence[str] = ()
) -> ResultRow:
    """Give the row of one trial: what is not known, and what a failure has not, is None."""
    answer, failure = outcome.completion, outcome.failure
    return ResultRow(
        id=question.id,
        difficulty=question.difficulty,
        category=question.category,
        question=question.question,
        reference=question.reference,
        arm=outcome.arm,
        repeat=outcome.repeat,
        status="ok" if answer is not None else "failed",
        model=answer.model if answer else None,
        provider=answer.provider if answer else None,
        task_type=answer.task_type if answer else None,
        answer=answer.text if answer else None,
        finish_reason=answer.finish_reason if answer else None,
        grade=_grade_row(grade) if answer else None,
        usage=answer.usage if answer else Usage(),
        cost_usd=outcome.cost_usd,
        cost_source=_cost_source(outcome),
        latency_s=answer.latency_s if answer else None,
        ttft_s=answer.ttft_s if answer else None,
        queue_s=outcome.queue_s,
        attempts=len(outcome.attempts),
        generation_id=_generation_id(answer, failure),
        error=ErrorRow(kind=failure.kind, status=failure.status, message=failure.message)
        if failure
        else None,
        counted=counted,
        flags=list(flags),
    )


def _grade_row(grade: Grade | None) -> GradeRow | None:
    if grade is None:
        return None
    return GradeRow(score=grade.score, grader=grade.grader, extracted=grade.extracted, reason=grade.reason)


def _cost_source(outcome: Outcome) -> CostSource | None:
    """Name where the cost comes from: the answer's, else that of the last failed attempt with a cost."""
    if outcome.cost_usd is None:
        return None
    if outcome.completion:
        return outcome.completion.cost_source
    known = [attempt for attempt in outcome.attempts if attempt.cost_usd is not None]
    return known[-1].cost_source or "billed"


def _generation_id(answer: Completion | None, failure: Failure | None) -> str | None:
    if answer is not None:
        return answer.generation_id
    return failure.generation_id if failure is not None else None


def columns() -> list[str]:
    """Give the column names of the CSV, in order: ``grade_score``, ``usage_prompt_tokens``, ..."""
    return list(_column_names())


def _column_names() -> Iterator[str]:
    for field in msgspec.structs.fields(ResultRow):
        nested = _NESTED.get(field.name)
        if nested is None:
            yield field.name
        else:
            yield from (f"{field.name}_{inner.name}" for inner in msgspec.structs.fields(nested))


def write_csv(rows: Iterable[ResultRow], file: TextIO) -> None:
    """Write a header and one line a row; ``file`` is opened with ``newline=""``.

    A text that a spreadsheet would run as a formula gets a leading apostrophe; an unknown value is
    an empty cell.
    """
    writer = csv.writer(file, lineterminator="\r\n")  # RFC 4180; so both of them are quoted inside a cell
    writer.writerow(columns())
    writer.writerows(list(_cells(row)) for row in rows)


def write_csv_file(path: Path, run: Run, summary: Summary, rows: Iterable[ResultRow]) -> None:  # noqa: ARG001 - as all writers
    """Write the rows to a CSV file, in UTF-8."""
    with replaced(path) as file:
        text = TextIOWrapper(file, "utf-8", newline="")
        write_csv(rows, text)
        text.detach()


def _cells(row: ResultRow) -> Iterator[str | int | float]:
    for field in msgspec.structs.fields(ResultRow):
        value = getattr(row, field.name)
        nested = _NESTED.get(field.name)
        if nested is None:
            yield _cell(value)
        else:
            yield from (_cell(getattr(value, inner.name, None)) for inner in msgspec.structs.fields(nested))


def _cell(value: Any) -> str | int | float:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    return _harmless(value if isinstance(value, str) else msgspec.json.encode(value).decode())


def _harmless(text: str) -> str:
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text
