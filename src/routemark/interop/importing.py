"""What `routemark import` does: files of other tools become question files and tables of our own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from routemark import questions as question_files
from routemark.analysis.matrix.outcomes import FILE
from routemark.errors import QuestionFileError, TableError, UsageError
from routemark.interop import formats, huggingface
from routemark.interop.checked import Faults
from routemark.interop.entries import UNLABELLED, Entry, Format, Holding, Wrong
from routemark.interop.heads import head
from routemark.interop.tables import Table, read_outcomes, read_pick_rows
from routemark.interop.writing import write
from routemark.questions.rows import plain
from routemark.questions.validate import check_row
from routemark.questions.writing import write as write_questions
from routemark.records import Question

_OF_QUESTIONS = (".json", ".jsonl")
"""Endings of a question file; other tables may have them, too."""
_AS_QUESTIONS = (
    "It was read as a question file, being in no other format that is known. "
    f"--format says which it is in: {', '.join((formats.LONG, formats.WIDE, *formats.FORMATS))}."
)


class Imported(NamedTuple):
    """What was written."""

    what: Holding
    form: str
    """The format it was read in."""
    number: int
    """Of questions, or of rows."""
    notes: list[str]
    """What the file does not say, or what was left out; sentences."""


def import_file(path: str, output: Path, what: Holding | None = None, name: str | None = None) -> Imported:
    """Read a file of another tool, or folder of files, and write it as a file of our own.

    ``what``: to make of it; None: questions for a ``.json`` or ``.jsonl`` file, else outcomes or picks, as far as
    the format holds them. ``name``: of the format; None: what the file holds tells. Raises: TableError with what
    is wrong with single rows; UsageError for everything else.
    """
    form = formats.detected(path) if name is None else formats.named(name)
    what = what or _wanted(form, path, output)
    if isinstance(form, Format):
        formats.must_hold(form, path, what)
    try:
        count, notes = _written(form, path, output, what, name)
    except (TableError, QuestionFileError) as error:
        told = TableError(error.path, error.faults, error.more, undone="written")
        raise (UsageError(f"{told}\n{_AS_QUESTIONS}") if form is None else told) from None
    if isinstance(form, Format) and form.lacks:
        notes = [*notes, f"The file does not tell: {'; '.join(form.lacks)}."]
    return Imported(
        what, form.title if isinstance(form, Format) else f"a {form or 'question'} table", count, notes
    )


def _wanted(form: Format | str | None, path: str, output: Path) -> Holding:
    """Say what to make of a file when nobody said it."""
    questions = output.suffix.casefold() in _OF_QUESTIONS
    if isinstance(form, Format):
        if questions and "questions" in form.holds:
            return "questions"
        return next((what for what in form.holds if what != "questions"), "questions")
    columns = huggingface.columns(path) if huggingface.is_one(path) else ()
    if form is None and not {"question_id", "model"} <= set(columns):
        return "questions"
    has_arms = "arm" in columns if columns else form == formats.LONG and head(Path(path)).has("arm")
    return "picks" if has_arms else "outcomes"


def _written(
    form: Format | str | None, path: str, output: Path, what: Holding, name: str | None
) -> tuple[int, list[str]]:
    if what == "outcomes":
        return write(output, outcome_rows(read_outcomes(path, name))), []
    if what == "picks":
        rows = read_pick_rows(path, name)
        return write(output, ({"question_id": q, "arm": arm, "model": model} for q, arm, model in rows)), []
    if isinstance(form, Format):
        return _foreign_questions(form, path, output)
    if huggingface.is_one(path):
        return write_questions(_checked(path, "row {}".format, enumerate(_labelled(path), 1)), output), []
    return write_questions(question_files.load(path), output), []


def outcome_rows(table: Table) -> Iterator[dict[str, Any]]:
    """Yield the rows of a long table of outcomes."""
    outcomes, asked = table.outcomes, table.outcomes.asked
    for row, column in np.argwhere(outcomes.source == FILE).tolist():
        yield {
            "question_id": table.questions[row],
            "model": outcomes.models[column],
            "score": _known(outcomes.score[row, column]),
            "cost_usd": _known(outcomes.cost[row, column]),
            "difficulty": _label(asked.difficulty, row),
            "category": _label(asked.category, row),
            "latency_s": _known(outcomes.latency[row, column]),
        }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _label(grouping: Any, row: int) -> str | None:
    code = int(grouping.code[row])
    return grouping.names[code] if code >= 0 else None


# --------------------------------------------------------------------------- questions


def _foreign_questions(form: Format, path: str, output: Path) -> tuple[int, list[str]]:
    """Write the questions of a foreign file, each once."""
    place, entries = formats.entries(form, Path(path))
    silent: set[str] = set()
    seen: set[str] = set()
    rows = _once(entries, seen, silent)
    found = _checked(path, place, rows)
    if not found:
        raise UsageError(f"{path}: {form.title}, but none with a prompt that could be asked again.")
    missing = len(silent - seen)
    left = f"{missing:,} questions were left out: their prompts are missing or hold more than text."
    return write_questions(found, output), [left] if missing else []


def _once(
    entries: Iterable[Entry | Wrong], seen: set[str], silent: set[str]
) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for entry in entries:
        if isinstance(entry, Wrong):
            yield entry.number, entry.text
        elif entry.question is None:
            silent.add(entry.question_id)
        elif entry.question_id not in seen:
            seen.add(entry.question_id)
            yield entry.number, as_row(entry.question)


def as_row(question: Question) -> dict[str, Any]:
    """Give a question as a row of a question file."""
    row: dict[str, Any] = msgspec.to_builtins(question)
    if question.messages is not None:
        del row["question"]  # it is made of them
    return {name: value for name, value in row.items() if value is not None and value != {}}


def _labelled(path: str) -> Iterator[dict[str, Any]]:
    """Give the rows of a data set; where they have no difficulty, they get one that says so."""
    for row in huggingface.rows(path):
        yield row if row.get("difficulty") is not None else {**row, "difficulty": UNLABELLED}


def _checked(path: str, place: Any, rows: Iterable[tuple[int, dict[str, Any] | str]]) -> list[Question]:
    """Give the questions of rows. Raises: TableError with what is wrong with any."""
    faults, found = Faults(path, place), []
    for number, row in rows:
        if isinstance(row, str):
            faults.add([(number, row)])
            continue
        verdict = check_row(row)
        faults.add((number, _told(fault)) for fault in verdict.faults)
        if verdict.question is not None:
            found.append(verdict.question)
    faults.raise_if_any()
    return found


def _told(fault: Any) -> str:
    return plain(fault.text) if fault.field is None else f"{plain(fault.field)}: {plain(fault.text)}"


def in_words(output: Path, imported: Imported) -> str:
    """Give a line on what was written."""
    unit = "questions" if imported.what == "questions" else f"rows of {imported.what}"
    return f"{output}: {imported.number:,} {unit}, from {imported.form}\n"
