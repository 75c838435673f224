"""Wide tables: a row for each question, a column for each model.

A column ``M`` or ``M|score`` holds the scores of model M, ``M|cost_usd`` its costs, ``M|latency_s`` its latencies;
``question_id``, ``difficulty``, ``category`` and ``family`` are labels of the question. Such a table of picks has a
column for each arm, and models in its cells (see `tables.read_picks`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from routemark.interop.columns import Chunk, Source
from routemark.records import ResultRow

LABELS = ("question_id", "difficulty", "category", "family", "choices")
MEASURES = ("score", "cost_usd", "latency_s")


_NOT_WIDE = {"model", "arm", *MEASURES, "question", "input", "prompt", "messages"}
"""Columns of long tables and of question files."""


def is_wide(columns: Sequence[str]) -> bool:
    """Tell whether these are the columns of a wide table."""
    names = set(columns)
    return "question_id" in names and not names & _NOT_WIDE and bool(names - {*LABELS})


def outcomes(source: Source) -> Source:
    """Give a wide table of outcomes as a long one, cells that are all empty left out."""
    return Source(source.place, (_melted(chunk) for chunk in source.chunks))


def picks(source: Source) -> Source:
    """Give a wide table of picks as a long one, empty cells left out."""
    return Source(source.place, (_melted_picks(chunk) for chunk in source.chunks))


def split(column: str) -> tuple[str, str]:
    """Give the model of a column and what the column says of it."""
    model, bar, measure = column.rpartition("|")
    return (model, measure) if bar and measure in MEASURES else (column, "score")


def _melted(chunk: Chunk) -> Chunk:
    models: dict[str, dict[str, list[Any]]] = {}
    for column in chunk.columns:
        if column not in LABELS:
            model, measure = split(column)
            models.setdefault(model, {})[measure] = chunk.columns[column]
    numbers: list[int] = []
    columns: dict[str, list[Any]] = {
        name: [] for name in (*chunk.columns, "model", *MEASURES) if _is_long(name)
    }
    for row, number in enumerate(chunk.numbers):
        for model, measures in models.items():
            cells = {name: values[row] for name, values in measures.items()}
            if all(cell is None or cell == "" for cell in cells.values()):
                continue
            numbers.append(number)
            said = {name: chunk.columns[name][row] for name in LABELS if name in chunk.columns}
            for name, values in columns.items():
                values.append({**said, "model": model, **cells}.get(name))
    return Chunk(numbers, {name: _as_cells(values) for name, values in columns.items()}, chunk.faults)


def _is_long(name: str) -> bool:
    return name in LABELS or name == "model" or name in MEASURES


def _as_cells(values: list[Any]) -> list[Any]:
    """Give a column of one kind: where texts are, a missing value is an empty text."""
    if any(isinstance(value, str) for value in values):
        return ["" if value is None else value for value in values]
    return values


def _melted_picks(chunk: Chunk) -> Chunk:
    arms = [name for name in chunk.columns if name not in LABELS]
    found = [
        (number, chunk.columns["question_id"][row], arm, chunk.columns[arm][row])
        for row, number in enumerate(chunk.numbers)
        for arm in arms
        if chunk.columns[arm][row] not in (None, "")
    ]
    numbers, ids, names, models = map(list, zip(*found, strict=True)) if found else ([], [], [], [])
    return Chunk(numbers, {"question_id": ids, "arm": names, "model": models}, chunk.faults)


# --------------------------------------------------------------------------- writing


def score_of(row: ResultRow) -> float | None:
    """Give the score of one answer; a failure of the service is a wrong answer."""
    if row.status == "failed":
        return 0.0
    return row.grade.score if row.grade else None


class Cell:
    """What the repeats of one arm on one question say together."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {name: [] for name in MEASURES}
        self.answer: str | None = None
        """Of the first repeat that has one."""

    def add(self, row: ResultRow) -> None:
        """Take one repeat; a failure of the service is a wrong answer."""
        for name, value in zip(MEASURES, (score_of(row), row.cost_usd, row.latency_s), strict=True):
            if value is not None:
                self._values[name].append(value)
        self.answer = row.answer if self.answer is None else self.answer

    def mean(self, measure: str) -> float | None:
        """Give the mean over the repeats; None when none of them knows it."""
        values = self._values[measure]
        return sum(values) / len(values) if values else None


def by_question(rows: Iterable[ResultRow]) -> dict[str, tuple[ResultRow, dict[str, Cell]]]:
    """Give, by question id, a row of the question and its cells by arm."""
    found: dict[str, tuple[ResultRow, dict[str, Cell]]] = {}
    for row in rows:
        _, cells = found.setdefault(row.id, (row, {}))
        cells.setdefault(row.arm, Cell()).add(row)
    return found


NOT_CARRIED = (
    "answers and prompts",
    "which model answered for a router",
    "tokens, failures, repeats one by one",
)
"""What of a run has no place in a wide table."""


def records(rows: Iterable[ResultRow]) -> Iterator[dict[str, Any]]:
    """Yield a record for each question, a column for each arm and measure, repeats averaged."""
    found = by_question(rows)
    arms = list(dict.fromkeys(arm for _, cells in found.values() for arm in cells))
    for name, (row, cells) in found.items():
        record: dict[str, Any] = {"question_id": name, "difficulty": row.difficulty, "category": row.category}
        for arm in arms:
            cell = cells.get(arm, Cell())
            record |= {f"{arm}|{measure}": cell.mean(measure) for measure in MEASURES}
        yield record
