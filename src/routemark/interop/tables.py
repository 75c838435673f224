"""Outcomes and picks from files: one row per (question, model), one row per (question, arm).

Everything is read before anything is judged, and every fault of a file is told with its place, up to
twenty. A million rows take some seconds, and little more memory than the matrix they make. The order of the
rows is of no consequence: questions, models and arms are sorted by name.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from routemark.analysis.matrix.outcomes import (
    FILE,
    UNKNOWN,
    Asked,
    Grouping,
    Outcomes,
    Picks,
    Sources,
    one_each,
)
from routemark.analysis.published.offline import Chosen
from routemark.analysis.stats.arrays import Bools, Codes, Floats, Ints
from routemark.errors import UsageError
from routemark.interop.checked import LABELS, Names, Read, read_columns
from routemark.interop.formats import table_source
from routemark.questions.rows import shown

MOST_CELLS = 100_000_000
"""Questions times models; a table beyond has its columns mixed up, or needs another tool."""

_OF_OUTCOMES = ("question_id", "model", "score", "cost_usd", *LABELS, "latency_s", "choices")
_OF_PICKS = ("question_id", "arm", "model")


class Table(NamedTuple):
    """Outcomes, with the ids of their questions."""

    questions: tuple[str, ...]
    """By row of the matrix."""
    outcomes: Outcomes


def read_outcomes(path: str, form: str | None = None) -> Table:
    """Read a table of outcomes: ``question_id``, ``model``, ``score``, ``cost_usd``, and what else is known.

    An empty score or cost, and NaN, is unknown. ``form`` names its format (see `formats`); None: what it holds
    tells. Raises: TableError with every fault; UsageError when the
    file cannot be read at all.
    """
    read = read_columns(path, table_source(path, "outcomes", form), _OF_OUTCOMES, required=_OF_OUTCOMES[:4])
    faults = read.faults
    question, model = read.keys["question_id"], read.keys["model"]
    faults.add(_repeated(read, "question_id", "model"))
    for name in (*LABELS, "choices"):
        faults.add(_differing(read, name))
    faults.raise_if_any()
    questions, row = _sorted(question)
    models, column = _sorted(model)
    shape = (len(questions), len(models))
    if shape[0] * shape[1] > MOST_CELLS:
        raise UsageError(
            f"{path}: {shape[0]:,} questions by {shape[1]:,} models are too many cells "
            f"(at most {MOST_CELLS:,}); is a column the wrong one?"
        )
    source: Sources = np.full(shape, UNKNOWN, dtype=np.int8, order="F")
    source[row, column] = FILE
    outcomes = Outcomes(
        asked=_asked(read, len(questions), row),
        models=models,
        score=_cells(shape, row, column, read.numbers["score"]),
        cost=_cells(shape, row, column, read.numbers["cost_usd"]),
        latency=_cells(shape, row, column, read.numbers["latency_s"]),
        source=source,
    )
    return Table(questions, outcomes)


def read_picks(path: str, table: Table, *, allow_missing: bool = False) -> list[Chosen]:
    """Read a table of picks: ``question_id``, ``arm``, ``model``; give one entry an arm, by name.

    A pick whose (question, model) has no score is a fault; with ``allow_missing`` it is left out and
    counted. Raises: as `read_outcomes`.
    """
    read = read_columns(path, table_source(path, "picks"), _OF_PICKS, required=_OF_PICKS)
    read.faults.add(_repeated(read, "question_id", "arm"))
    picked = _picked(read, table)
    if not allow_missing:
        read.faults.add(_missing(read, table, picked))
    read.faults.add(_arms_named_as_models(read, table.outcomes.models))
    read.faults.raise_if_any()
    arms, arm = _sorted(read.keys["arm"])
    return [_chosen(name, table.outcomes, picked.where(arm == i)) for i, name in enumerate(arms)]


def read_pick_rows(path: str, form: str | None = None) -> list[tuple[str, str, str]]:
    """Read a table of picks alone: question, arm and model of each. Raises: as `read_outcomes`."""
    read = read_columns(path, table_source(path, "picks", form), _OF_PICKS, required=_OF_PICKS)
    read.faults.add(_repeated(read, "question_id", "arm"))
    read.faults.raise_if_any()
    columns = [read.keys[name] for name in _OF_PICKS]
    return list(zip(*([names.names[code] for code in names.code] for names in columns), strict=True))


class _Picked(NamedTuple):
    """Where in the matrix each pick lies."""

    row: Ints
    """-1: no such question."""
    column: Ints
    """-1: no such model."""
    scored: Bools
    there: Bools
    """The file of outcomes has such a row."""

    def where(self, at: Bools) -> _Picked:
        """Give some picks alone."""
        return _Picked(self.row[at], self.column[at], self.scored[at], self.there[at])


def _picked(read: Read, table: Table) -> _Picked:
    row = _places(read.keys["question_id"], table.questions)
    column = _places(read.keys["model"], table.outcomes.models)
    inside = (row >= 0) & (column >= 0)
    scored = inside & table.outcomes.known[row, column]
    return _Picked(row, column, scored, inside & (table.outcomes.source[row, column] == FILE))


def _chosen(name: str, outcomes: Outcomes, picked: _Picked) -> Chosen:
    n, models = outcomes.score.shape
    choice: Codes = np.full(n, -1, dtype=np.int32)
    choice[picked.row[picked.scored]] = picked.column[picked.scored]
    ungraded: Bools = np.zeros(n, dtype=bool)
    ungraded[picked.row[picked.there & ~picked.scored]] = True
    unknown = np.full(n, np.nan)
    picks = Picks(name, one_each(choice, models), unknown, unknown)
    return Chosen(picks, int((~picked.scored).sum()), ungraded)


# --------------------------------------------------------------------------- rows against each other


def _repeated(read: Read, first: str, second: str) -> Iterator[tuple[int, str]]:
    """Tell of every pair that stands in the file more than once, at its later places."""
    a, b = read.keys[first], read.keys[second]
    key = a.code.astype(np.int64) * (len(b.names) + 1) + b.code
    order = np.argsort(key, kind="stable")
    again = np.flatnonzero(np.diff(key[order]) == 0) + 1
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    for place in again.tolist():
        row = order[place]
        origin = order[starts[np.searchsorted(starts, place, side="right") - 1]]
        text = (
            f"{first} {shown(a.names[a.code[row]])} and {second} {shown(b.names[b.code[row]])} "
            f"stand together again, as in {read.faults.place(int(read.number[origin]))}"
        )
        yield int(read.number[row]), text


def _differing(read: Read, column: str) -> Iterator[tuple[int, str]]:
    """Tell of every row that says something else of its question than an earlier one; empty says nothing."""
    question = read.keys["question_id"]
    code, names = _said(read, column)
    said = np.flatnonzero(code >= 0)
    origin = _first_said(question.code[said], said, len(question.names))
    for row in said[code[said] != code[origin[question.code[said]]]].tolist():
        before = origin[question.code[row]]
        text = (
            f"{column} of {shown(question.names[question.code[row]])} is {shown(names[code[row]])} here, "
            f"but {shown(names[code[before]])} in {read.faults.place(int(read.number[before]))}"
        )
        yield int(read.number[row]), text


def _said(read: Read, column: str) -> tuple[Ints, list[Any]]:
    """Give what each row says in a column as a number, -1 for nothing, and what the numbers mean."""
    if column in read.labels:
        labels = read.labels[column]
        names = labels.names
        code = labels.code.astype(np.int64)
        return (np.where(code == names.index(""), -1, code) if "" in names else code), names
    values = read.numbers[column]
    meaning, code = np.unique(np.where(np.isnan(values), -1, values), return_inverse=True)
    return np.where(np.isnan(values), -1, code), [int(value) for value in meaning]


def _first_said(question: Codes, rows: Ints, questions: int) -> Ints:
    """Give the first of ``rows`` of each question; -1 without one."""
    first = np.full(questions, -1, dtype=np.int64)
    first[question[::-1]] = rows[::-1]
    return first


def _missing(read: Read, table: Table, picked: _Picked) -> Iterator[tuple[int, str]]:
    """Tell of every pick that cannot be scored, and why."""
    question, model = read.keys["question_id"], read.keys["model"]
    for i in np.flatnonzero(~picked.scored).tolist():
        name, chosen = question.names[question.code[i]], model.names[model.code[i]]
        if picked.row[i] < 0:
            text = f"question {shown(name)} is not among the outcomes"
        elif picked.column[i] < 0:
            near = difflib.get_close_matches(chosen, table.outcomes.models, n=1)
            text = f"model {shown(chosen)} is not among the outcomes"
            text += f"; did you mean {shown(near[0])}?" if near else ""
        else:
            lack = "score there" if picked.there[i] else "such row"
            text = f"question {shown(name)}, model {shown(chosen)}: the outcomes have no {lack}"
        yield int(read.number[i]), text


def _arms_named_as_models(read: Read, models: Sequence[str]) -> Iterator[tuple[int, str]]:
    arms = read.keys["arm"]
    taken = set(models)
    for code, name in enumerate(arms.names):
        if name in taken:
            row = int(np.flatnonzero(arms.code == code)[0])
            yield int(read.number[row]), f"arm {shown(name)} has the name of a model; give it another"


# --------------------------------------------------------------------------- the matrix


def _sorted(names: Names) -> tuple[tuple[str, ...], Ints]:
    """Give the names in order, and each entry's place in it."""
    ordered = sorted(names.names)
    place = {name: i for i, name in enumerate(ordered)}
    by_code = np.array([place[name] for name in names.names], dtype=np.int64)
    return tuple(ordered), by_code[names.code]


def _places(names: Names, known: Sequence[str]) -> Ints:
    """Give each entry's place among ``known``; -1 where it is not."""
    place = {name: i for i, name in enumerate(known)}
    by_code = np.array([place.get(name, -1) for name in names.names], dtype=np.int64)
    return by_code[names.code]


def _cells(shape: tuple[int, int], row: Ints, column: Ints, values: Floats) -> Floats:
    cells = np.full(shape, np.nan, order="F")
    cells[row, column] = values
    return cells


def _asked(read: Read, questions: int, row: Ints) -> Asked:
    choices = np.zeros(questions, dtype=np.int64)
    given = ~np.isnan(read.numbers["choices"])
    choices[row[given]] = read.numbers["choices"][given].astype(np.int64)
    family = _grouping(read, "family", questions, row).code
    own = np.arange(questions, dtype=np.int32) + family.max(initial=-1) + 1
    return Asked(
        cluster=np.where(family >= 0, family, own).astype(np.int32),
        difficulty=_grouping(read, "difficulty", questions, row),
        category=_grouping(read, "category", questions, row),
        choices=choices,
    )


def _grouping(read: Read, column: str, questions: int, row: Ints) -> Grouping:
    """Give a label of each question, names in order."""
    names, place = _sorted(read.labels[column])
    if "" in names:  # it comes first, and says nothing
        names, place = names[1:], place - 1
    code: Codes = np.full(questions, -1, dtype=np.int32)
    said = place >= 0
    code[row[said]] = place[said]
    return Grouping(code, names)
