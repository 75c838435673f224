"""One trial as a flat row, and rows as CSV: the columns of results.json with nested names joined."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

import msgspec

from routemark.files import replaced
from routemark.interop.cells import harmless
from routemark.records import (
    PERTURBATION,
    PERTURBED_FROM,
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
from routemark.report.sinks import Sink

_NESTED: dict[str, type[msgspec.Struct]] = {"grade": GradeRow, "usage": Usage, "error": ErrorRow}


def result_row(  # noqa: PLR0913, PLR0917 - what is known of a trial
    question: Question,
    outcome: Outcome,
    grade: Grade | None,
    counted: bool,
    flags: Sequence[str] = (),
    copy: bool = False,
) -> ResultRow:
    """Give the row of one trial: what is not known, and what a failure has not, is None.

    ``copy``: of a perturbed question, which is in no accuracy.
    """
    answer, failure = outcome.completion, outcome.failure
    made = question.metadata if copy else {}
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
        counted=counted and not copy,
        flags=list(flags),
        perturbed_from=made.get(PERTURBED_FROM),
        perturbation=made.get(PERTURBATION),
        picked=outcome.picked,
        pick_s=outcome.pick_s,
    )


def _grade_row(grade: Grade | None) -> GradeRow | None:
    if grade is None:
        return None
    return GradeRow(
        score=grade.score,
        grader=grade.grader,
        extracted=grade.extracted,
        reason=grade.reason,
        judge=grade.judge,
        prompt_sha256=grade.prompt_sha256,
        cost_usd=grade.cost_usd,
    )


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


@lru_cache(maxsize=1)
def _layout() -> list[tuple[str, tuple[str, ...]]]:
    """Give the fields of a row, each with those of the record in it; asking the record each time takes long."""
    return [
        (field.name, tuple(inner.name for inner in msgspec.structs.fields(_NESTED[field.name])))
        if field.name in _NESTED
        else (field.name, ())
        for field in msgspec.structs.fields(ResultRow)
    ]


def columns() -> list[str]:
    """Give the column names of the CSV, in order: ``grade_score``, ``usage_prompt_tokens``, ..."""
    return [name for field, inner in _layout() for name in ([f"{field}_{one}" for one in inner] or [field])]


class Csv:
    """A header and one line a row.

    A text that a spreadsheet would run as a formula gets a leading apostrophe; an unknown value is an empty cell.
    """

    def __init__(self, file: TextIO) -> None:
        """``file`` is opened with ``newline=""``."""
        self._writer = csv.writer(file, lineterminator="\r\n")  # RFC 4180; so both are quoted inside a cell
        self._writer.writerow(columns())

    def row(self, row: ResultRow) -> None:
        """Write a row."""
        self._writer.writerow([_cell(value) for value in values(row)])

    def close(self, summary: Summary) -> None:
        """Do nothing: rows are all there is."""


@contextmanager
def open_csv(path: Path, run: Run) -> Iterator[Sink]:  # noqa: ARG001 - as all writers
    """Begin a CSV file of the rows, in UTF-8; see `sinks`."""
    with replaced(path) as file:
        text = TextIOWrapper(file, "utf-8", newline="")
        try:
            yield Csv(text)
            text.flush()
        finally:
            text.detach()


def values(row: ResultRow) -> Iterator[str | int | float | bool | None]:
    """Yield a value for each of `columns`; None is unknown, and what is no plain value is given as JSON."""
    for field, inner in _layout():
        value = getattr(row, field)
        if inner:
            yield from (_plain(getattr(value, name, None)) for name in inner)
        else:
            yield _plain(value)


def _plain(value: Any) -> str | int | float | bool | None:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    return msgspec.json.encode(value).decode()


def _cell(value: str | float | bool | None) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return harmless(value) if isinstance(value, str) else value
