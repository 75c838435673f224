"""Loads question files: rows are checked one by one and go straight to disk, faults are gathered."""

from __future__ import annotations

import importlib.resources
import tempfile
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from routemark.errors import QuestionFileError, RunError
from routemark.questions.frozen import FrozenFile, QuestionSet, frozen_line
from routemark.questions.plugged import plugged_rows, scheme_of
from routemark.questions.reading import open_rows
from routemark.questions.rows import Fault, Place, Row, shown
from routemark.questions.validate import check_row, derived_id
from routemark.records import Question

_MOST_FAULTS = 1000
"""Listed; the others are counted."""
_BUFFER = 1 << 20


def load(path: str | Path) -> QuestionSet:
    """Read and check a question file: JSON list, JSON Lines or CSV; or what ``NAME://...`` gives, by a plugin.

    One pass; memory does not grow with the questions beyond some 40 bytes each, disk space in the
    system's directory for temporary files does.

    Raises: QuestionFileError with every fault and its place (a thousand listed, the rest counted);
    UsageError when there is no such file or it is in no format that is read; RunError when reading it
    breaks off or there is no space for the copy.
    """
    scheme = scheme_of(str(path))
    source = open_rows(Path(path)) if scheme is None else plugged_rows(scheme, str(path))
    path = Path(path)
    faults = _Faults()
    ids = _Ids()
    try:
        with source as rows, tempfile.TemporaryFile("w+b", _BUFFER, prefix="routemark-") as store:
            file = FrozenFile.written(store, _checked_lines(rows, faults, ids))
    except OSError as error:
        place = tempfile.gettempdir()
        raise RunError(
            f"{path}: could not be copied to {place}: {error.strerror}. TMPDIR names another place for it."
        ) from error
    questions = QuestionSet(file, path)
    faults.merge(*ids.repeated(questions))
    if not questions and not faults.listed:
        raise QuestionFileError(str(path), ["the file holds no questions"])
    if faults.listed:
        raise QuestionFileError(str(path), [text for _, text in faults.listed], faults.more)
    return questions


def shipped() -> Path:
    """Give the path of the question set that comes with Routemark."""
    return Path(str(importlib.resources.files("routemark") / "data/questions-benchmark-easy-hard-opt.json"))


class _Faults:
    """Faults in the order of their places; memory is bounded, the count is not."""

    def __init__(self) -> None:
        self.listed: list[tuple[Place, str]] = []
        self.more = 0

    def add(self, place: Place, text: str) -> None:
        if len(self.listed) < _MOST_FAULTS:
            self.listed.append((place, text))
        else:
            self.more += 1

    def merge(self, others: list[tuple[Place, str]], more: int) -> None:
        """Put faults that were found later where they belong; ``more`` of them were only counted."""
        together = sorted([*self.listed, *others], key=lambda fault: fault[0])
        self.listed = together[:_MOST_FAULTS]
        self.more += more + len(together) - len(self.listed)


class _Ids:
    """The ids met so far, as hashes, with their places: 24 bytes a question."""

    def __init__(self) -> None:
        self._hashes = array("q")
        self._lines = array("Q")
        self._items: array[int] | None = None

    def add(self, place: Place, question_id: str) -> None:
        self._hashes.append(hash(question_id))
        self._lines.append(place.line)
        if place.item is not None:
            if self._items is None:
                self._items = array("Q")
            self._items.append(place.item)

    def _place(self, position: int) -> Place:
        item = None if self._items is None else self._items[position]
        return Place(self._lines[position], item)

    def repeated(self, questions: QuestionSet) -> tuple[list[tuple[Place, str]], int]:
        """Give a fault for every second and later use of an id, and how many more there are.

        ``questions`` holds one question for every id added, in that order. Equal hashes only point at
        candidates; those that are listed are confirmed.
        """
        later, first = _repeats(np.frombuffer(self._hashes, dtype=np.int64))
        faults = []
        for position, original in zip(later[:_MOST_FAULTS].tolist(), first.tolist(), strict=False):
            question = questions[position]
            if question.id != questions[original].id:
                continue
            place = self._place(position)
            text = _repeated_text(question, self._place(original))
            faults.append((place, Fault("id", text).told(place.told(question.id))))
        return faults, max(0, len(later) - _MOST_FAULTS)


def _repeats(hashes: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give the positions of values met before, ascending, and for each the position of its first."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    again = np.concatenate(([False], ordered[1:] == ordered[:-1]))[: len(order)]
    run_starts = np.maximum.accumulate(np.where(again, 0, np.arange(len(order))))
    later, first = order[again], order[run_starts[again]]
    ascending = np.argsort(later)
    return later[ascending], first[ascending]


def _repeated_text(question: Question, original: Place) -> str:
    text = f"{shown(question.id)} is the id of {original.told()}, too"
    if question.id == derived_id(question):
        text += "; it is made of what is asked, which is the same: give each an id to keep both"
    return text


def _checked_lines(rows: Iterator[Row], faults: _Faults, ids: _Ids) -> Iterator[bytes]:
    """Check rows; give the line of each that has an id, a stand-in where the rest of it is faulty."""
    for place, row in rows:
        verdict = check_row(row)
        for fault in verdict.faults:
            faults.add(place, fault.told(place.told(verdict.id)))
        if verdict.id is not None:
            ids.add(place, verdict.id)
            yield frozen_line(verdict.question or Question(id=verdict.id, difficulty="?", question="?"))
