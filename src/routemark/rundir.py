"""The run directory: manifest, frozen questions, journal, and what is written from them.

`Ledger` says where in the journal each trial's outcome and newest grade stand, so that a report
reads them in plan order without holding a million answers in memory.
"""

from __future__ import annotations

import os
import re
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from routemark.errors import JournalError, UsageError, rule
from routemark.journal import read_at, replay
from routemark.policy import plan
from routemark.questions import QuestionSet, open_frozen
from routemark.records import Grade, Outcome, Question, Run

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
LATEST = "latest"


class RunDirectory:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = path / "run.json"
        self.questions = path / "questions.json"
        self.journal = path / "journal.jsonl"
        self.results = path / "results.json"
        self.report = path / "report.html"

    def read(self) -> Run:
        """Give the manifest; raise UsageError when this is no run directory."""
        try:
            return msgspec.json.decode(self.manifest.read_bytes(), type=Run)
        except FileNotFoundError:
            raise UsageError(f"{self.path}: no run here (run.json is missing).") from None
        except (OSError, msgspec.DecodeError) as error:
            raise UsageError(f"{self.manifest}: cannot be read: {error}") from None

    def write(self, run: Run) -> None:
        """Replace the manifest in one step."""
        write_atomically(self.manifest, msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n")

    def load_questions(self) -> QuestionSet:
        """Give the frozen questions; raise UsageError when they are not as they were frozen."""
        try:
            return open_frozen(self.questions)
        except (OSError, ValueError) as error:
            raise UsageError(f"{self.questions}: cannot be read: {error}") from None

    def name_latest(self) -> None:
        """Let ``latest`` beside the run name it."""
        link = self.path.parent / f".{LATEST}.{os.getpid()}"
        link.unlink(missing_ok=True)
        link.symlink_to(self.path.name)
        link.replace(self.path.parent / LATEST)


def new_directory(runs_dir: Path, run_id: str) -> RunDirectory:
    """Give the directory of a run by its id, which cannot lead out of ``runs_dir``.

    Raises UsageError for an id that is not a plain name.
    """
    if not RUN_ID.fullmatch(run_id) or run_id == LATEST:
        raise UsageError(
            f"--run-id {run_id!r}: use up to 128 letters, digits, '.', '_' and '-', beginning with a letter "
            f"or digit, and not {LATEST!r}."
        )
    return RunDirectory(runs_dir / run_id)


def find(run: str, runs_dir: Path) -> RunDirectory:
    """Give the run directory meant by a path or by an id in ``runs_dir``; raise UsageError if none."""
    for path in (Path(run), runs_dir / run):
        if (path / "run.json").is_file():
            return RunDirectory(named(path))
    raise UsageError(f"{run}: no run here, nor in {runs_dir}/ (a run directory holds run.json).")


def named(path: Path) -> Path:
    """Give the run that ``latest`` names; another path as it is."""
    return path.parent / path.readlink() if path.is_symlink() else path


def write_atomically(path: Path, content: bytes) -> None:
    """Replace the file's content so that a reader, or a crash, sees the old or the new, never half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


class Judged(NamedTuple):
    """A trial that has ended, with everything known about it."""

    question: Question
    outcome: Outcome
    grade: Grade | None
    counted: bool
    """In the finished prefix of the plan, or anywhere in a complete run."""


class Ledger:
    """Where each trial of a run stands in its journal.

    Arrays have one cell a trial, in the order (question in the set, arm, repeat): 17 bytes each.
    """

    def __init__(self, run: Run, questions: QuestionSet, journal: Path) -> None:
        """Read the journal once; lines of questions or arms that the run does not have are left out."""
        self.run = run
        self.questions = questions
        self._journal = journal
        ids = list(questions.ids())
        self.order = plan.order(ids, run.seed)
        shape = (len(questions), len(run.arms), run.repeats)
        self._outcome_at = np.full(shape, -1, dtype=np.int64)
        self._grade_at = np.full(shape, -1, dtype=np.int64)
        self.finished = np.zeros(shape, dtype=bool)
        """Answered, or failed for good by the service's fault: never asked again."""
        if journal.exists():
            self._read(ids)

    @property
    def prefix(self) -> int:
        """Number of questions in the longest finished prefix of plan order."""
        done = np.asarray(self.finished.reshape(len(self.order), -1).all(axis=1))[self.order]
        return int(np.argmin(done)) if not done.all() else len(done)

    @property
    def counted_questions(self) -> int:
        """Number of questions that count: all of a complete run, else the finished prefix."""
        return len(self.order) if self.run.status == "complete" else self.prefix

    @property
    def done(self) -> int:
        """Number of finished trials."""
        return int(self.finished.sum())

    def judged(self) -> Iterator[Judged]:
        """Yield every trial that has ended, in plan order."""
        counted = self.counted_questions
        with self._journal.open("rb") as file:
            for position, index in enumerate(self.order):
                if (self._outcome_at[index] < 0).all():
                    continue
                question = self.questions[int(index)]
                for at, grade_at in zip(
                    self._outcome_at[index].flat, self._grade_at[index].flat, strict=True
                ):
                    if at < 0:
                        continue
                    outcome = read_at(file, int(at))
                    grade = read_at(file, int(grade_at)) if grade_at >= 0 else None
                    if not isinstance(outcome, Outcome) or not isinstance(grade, Grade | None):
                        raise JournalError(f"{self._journal}: changed while it was being read.")
                    yield Judged(question, outcome, grade, counted=position < counted)

    def _read(self, ids: list[str]) -> None:
        index_of = {name: index for index, name in enumerate(ids)}
        arm_of = {arm.name: index for index, arm in enumerate(self.run.arms)}
        outcomes, grades = _Column(), _Column()
        for offset, record in replay(self._journal):
            match record:
                case Outcome():
                    question, arm = index_of.get(record.question_id), arm_of.get(record.arm)
                    if question is None or arm is None or record.repeat >= self.run.repeats:
                        continue
                    place = (question * len(self.run.arms) + arm) * self.run.repeats + record.repeat
                    outcomes.add(record.trial, offset, place)
                    self._outcome_at.flat[place] = offset  # the newest counts
                    self.finished.flat[place] = is_final(record)
                case Grade():
                    grades.add(record.trial, offset)
                case _:
                    continue
        self._join(outcomes, grades)

    def _join(self, outcomes: _Column, grades: _Column) -> None:
        """Give each grade, known by its trial's key, the place of that trial; the newest counts."""
        keys, order = np.unique(outcomes.keys, return_index=True)
        if not len(keys):
            return
        found = np.minimum(np.searchsorted(keys, grades.keys), len(keys) - 1)
        known = keys[found] == grades.keys
        places = outcomes.places[order][found[known]]
        offsets = grades.offsets[known]
        fresh = offsets > self._outcome_at.flat[places]  # a grade belongs to the outcome before it
        self._grade_at.flat[places[fresh]] = offsets[fresh]


def is_final(outcome: Outcome) -> bool:
    """Tell whether a trial is over: answered, or failed by the service's fault, not by ours."""
    return outcome.failure is None or rule(outcome.failure.kind).cause == "service"


class _Column:
    """Keys (their first 64 bits), offsets and places of journal lines, as growing arrays."""

    def __init__(self) -> None:
        self._keys, self._offsets, self._places = array("Q"), array("q"), array("q")

    def add(self, key: str, offset: int, place: int = -1) -> None:
        self._keys.append(int(key[:16], 16))
        self._offsets.append(offset)
        self._places.append(place)

    @property
    def keys(self) -> NDArray[np.uint64]:
        return np.frombuffer(self._keys, dtype=np.uint64)

    @property
    def offsets(self) -> NDArray[np.int64]:
        return np.frombuffer(self._offsets, dtype=np.int64)

    @property
    def places(self) -> NDArray[np.int64]:
        return np.frombuffer(self._places, dtype=np.int64)
