"""The run directory: manifest, frozen questions, journal, and what is written from them.

`Ledger` says where in the journal each trial's outcome and newest grade stand, so that a report
reads them in plan order without holding a million answers in memory. Costs that were looked up after the
run stand in lines of their own; they are put into the outcomes as those are read.
"""

from __future__ import annotations

import math
import os
import re
from array import array
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from routemark import generations, judgements
from routemark.analysis.timeline import PaceChanged, seconds_since_1970
from routemark.config import Settings
from routemark.errors import JournalError, RunError, UsageError, rule
from routemark.files import replaced
from routemark.journal import Event, Line, damaged, read_at, replay
from routemark.policy import plan
from routemark.policy.pacing import Pace
from routemark.questions import QuestionSet, open_frozen
from routemark.questions.sharing import share
from routemark.records import Grade, Outcome, Question, Run
from routemark.wire.checks import SESSION_REUSED, flags_of

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
LATEST = "latest"
_KEY = re.compile(r"[0-9a-f]{16}")
"""How a trial's key begins."""
_HALF_WRITTEN = re.compile(r"\.(run\.json|questions\.json|results\.json|report\.html)\.\d+\.tmp")
"""Temporary neighbours of the files that take their name only when they are whole."""


class RunDirectory:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = path / "run.json"
        self.questions = path / "questions.json"
        self.journal = path / "journal.jsonl"
        self.models = path / "models.json"
        self.results = path / "results.json"
        self.report = path / "report.html"

    def read(self) -> Run:
        """Give the manifest; raise UsageError when this is no run directory."""
        try:
            run = msgspec.json.decode(self.manifest.read_bytes(), type=Run)
            datetime.fromisoformat(run.started_at)
            msgspec.convert(run.settings, Settings)
        except FileNotFoundError:
            raise UsageError(f"{self.path}: no run here (run.json is missing).") from None
        except (OSError, msgspec.MsgspecError, ValueError) as error:
            raise UsageError(f"{self.manifest}: cannot be read: {error}") from None
        return run

    def write(self, run: Run) -> None:
        """Replace the manifest in one step; raise RunError when it cannot be written."""
        content = msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n"
        try:
            with replaced(self.manifest) as file:
                file.write(content)
        except OSError as error:
            raise RunError(
                f"{self.manifest}: cannot be written: {error.strerror}. Make room for it, then resume."
            ) from None

    def sweep(self) -> None:
        """Remove the half-written files that killed processes left; only for who holds the journal."""
        for path in self.path.glob(".*"):
            if _HALF_WRITTEN.fullmatch(path.name):
                path.unlink(missing_ok=True)

    def load_questions(self) -> QuestionSet:
        """Give the run's frozen questions; raise UsageError when they are not as they were frozen."""
        try:
            questions = open_frozen(self.questions)
        except (OSError, ValueError) as error:
            raise UsageError(f"{self.questions}: cannot be read: {error}") from None
        run = self.read()
        if run.shard is None:
            return questions
        return share(questions, run.shard.number, run.shard.count, run.seed)

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


class Judged(NamedTuple):
    """A trial that has ended, with everything known about it."""

    question: Question
    outcome: Outcome
    grade: Grade | None
    counted: bool
    """In the finished prefix of the plan, or anywhere in a complete run."""
    flags: Sequence[str] = ()
    """What is odd about how the answer was served (see wire.checks)."""
    copy: bool = False
    """Of a perturbed question."""


class Ledger:
    """Where each trial of a run stands in its journal.

    Arrays have one cell a trial, in the order (question in the set, arm, repeat): 29 bytes each. The arms are
    those planned, and behind them those that joined. With ``confirm_oracle`` every question has one cell more.
    """

    def __init__(self, run: Run, questions: QuestionSet, journal: Path) -> None:
        """Read the journal once; lines of questions or arms that the run does not have are left out."""
        self.run = run
        self.questions = questions
        self.limit: int | None = None
        """Questions, in the order of the plan, after which the run was decided: what came beyond does not count."""
        self._journal = journal
        ids = list(questions.ids())
        self.order = plan.order(ids, run.seed, run.copies)
        shape = (len(questions), len(run.all_arms), run.repeats)
        self._trials = math.prod(shape)
        cells = self._trials + len(questions) * bool(run.settings.get("confirm_oracle"))
        self._outcome_at = np.full(cells, -1, dtype=np.int64)
        self._grade_at = np.full(cells, -1, dtype=np.int64)
        self._finished = np.zeros(cells, dtype=bool)
        self.finished = self._finished[: self._trials].reshape(shape)
        """Answered, or failed for good by the service's fault: never asked again."""
        self.confirmed = self._finished[self._trials :]
        """Questions (n,) whose best right model was asked afresh; empty without ``confirm_oracle``."""
        self.served = np.full(shape, -1, dtype=np.int32)
        """Model that served, an index into `models`; -1 without an answer."""
        self._models: dict[str, int] = {}
        self._session = np.zeros(shape, dtype=np.int64)
        """Hash of the session id."""
        self._superseded: list[tuple[int, int]] = []
        """(place, offset) of outcomes whose trial was asked again."""
        self._left_open: list[float] = []
        """Costs that were looked up for what a crash cut off, US dollars."""
        self._judge_costs: list[float] = []
        """Known costs of judging, US dollars."""
        self.pace: list[PaceChanged] = []
        """Changes of the pace, in the order in which they came, behind what each process began with."""
        self._lookups = _Column()
        """Lookups that told the cost of a trial, by place."""
        if journal.exists():
            self._read(ids)
        self._reused = self._sessions_used_twice()

    @property
    def prefix(self) -> int:
        """Number of questions in the longest finished prefix of plan order."""
        done = np.asarray(self.finished[:, : len(self.run.arms)].all(axis=(1, 2)))[self.order]
        return int(np.argmin(done)) if not done.all() else len(done)

    @property
    def counted_questions(self) -> int:
        """Number of questions that count: all of a complete run, else the finished prefix; up to the limit."""
        count = len(self.order) if self.run.status == "complete" else self.prefix
        return count if self.limit is None else min(count, self.limit)

    @property
    def done(self) -> int:
        """Number of finished trials, confirmations included."""
        return int(self._finished.sum())

    @property
    def models(self) -> list[str]:
        """Names of the models that served."""
        return list(self._models)

    @property
    def judge_cost_usd(self) -> float | None:
        """Known cost of judging, part of no arm's; None where no judge was asked."""
        return math.fsum(self._judge_costs) if self._judge_costs else None

    def judged(self) -> Iterator[Judged]:
        """Yield every trial that has ended, in plan order."""
        counted = self.counted_questions
        originals = len(self.order) - self.run.copies
        arms = {arm.name: arm for arm in self.run.all_arms}
        width = self._width
        with self._journal.open("rb") as file:
            for position, index in enumerate(self.order.tolist()):
                start = index * width
                there = self._outcome_at[start : start + width].tolist()
                grades = self._grade_at[start : start + width].tolist()
                if max(there) < 0:
                    continue
                question = self.questions[index]
                for place, at, grade_at in zip(range(start, start + width), there, grades, strict=True):
                    if at < 0:
                        continue
                    outcome = self._outcome(file, at, place)
                    grade = self._grade(file, grade_at)
                    found = flags_of(arms[outcome.arm], outcome)
                    if self._reused and self._session.flat[place] in self._reused:
                        found.append(SESSION_REUSED)
                    yield Judged(question, outcome, grade, position < counted, found, position >= originals)

    def confirmations(self) -> Iterator[Judged]:
        """Yield the fresh answers to the oracle's picks, in plan order (``confirm_oracle``)."""
        if not len(self.confirmed):
            return
        at = self._outcome_at[self._trials :]
        with self._journal.open("rb") as file:
            for index in self.order[at[self.order] >= 0].tolist():
                place = self._trials + index
                outcome = self._outcome(file, int(at[index]), place)
                grade = self._grade(file, int(self._grade_at[place]))
                yield Judged(self.questions[index], outcome, grade, counted=True)

    def outcome_of(self, question_id: str, arm: str, repeat: int) -> Outcome | None:
        """Give the newest outcome of a planned trial; None while it has none."""
        names = [one.name for one in self.run.all_arms]
        place = self._place(self._index[question_id], names.index(arm), repeat)
        if place is None or self._outcome_at[place] < 0:
            return None
        with self._journal.open("rb") as file:
            return self._outcome(file, int(self._outcome_at[place]), place)

    @cached_property
    def _index(self) -> dict[str, int]:
        """Made only when an outcome is asked for by name."""
        return {name: index for index, name in enumerate(self.questions.ids())}

    def lacks_grades(self) -> bool:
        """Tell whether some outcome has no grade, be it that its question has no grader."""
        return bool(((self._outcome_at >= 0) & (self._grade_at < 0)).any())

    def without_grade(self) -> Iterator[tuple[Question, Outcome]]:
        """Yield the outcomes that no grade follows, with their questions."""
        with self._journal.open("rb") as file:
            for place in np.flatnonzero((self._outcome_at >= 0) & (self._grade_at < 0)).tolist():
                outcome = self._outcome(file, int(self._outcome_at[place]), place)
                yield self.questions[self._question(place)], outcome

    def costs_beside(self) -> Iterator[float]:
        """Yield the known costs that the newest outcome of no arm's trial holds, US dollars.

        They are those of outcomes whose trial was asked again, of confirmations, and of what a crash cut off.
        """
        yield from self._left_open
        known = (judged.outcome.cost_usd for judged in self.confirmations())
        yield from (cost for cost in known if cost is not None)
        if not self._superseded:
            return
        with self._journal.open("rb") as file:
            for place, at in self._superseded:
                cost = self._outcome(file, at, place).cost_usd
                if cost is not None:
                    yield cost

    @property
    def _width(self) -> int:
        """Trials of one question."""
        return len(self.run.all_arms) * self.run.repeats

    def _question(self, place: int) -> int:
        """Give the index of the question whose trial, or confirmation, has this place."""
        return place // self._width if place < self._trials else place - self._trials

    def _place(self, question: int, arm: int, repeat: int) -> int | None:
        """Give the place of a trial; its confirmation is a repeat more. None for what the run does not have."""
        if 0 <= repeat < self.run.repeats:
            return question * self._width + arm * self.run.repeats + repeat
        return self._trials + question if repeat == self.run.repeats and len(self.confirmed) else None

    def _outcome(self, file: BinaryIO, at: int, place: int) -> Outcome:
        """Read an outcome, with the costs that were looked up for it."""
        outcome = read_at(file, at)
        if not isinstance(outcome, Outcome):
            raise self._changed()
        if not self._lookups:
            return outcome
        start, end = np.searchsorted(self._lookups.places, [place, place + 1])
        events = [read_at(file, int(offset)) for offset in self._lookups.offsets[start:end]]
        costs = {generations.id_of(one): generations.cost_of(one) for one in events if isinstance(one, Event)}
        return generations.settled(outcome, costs)

    def _grade(self, file: BinaryIO, at: int) -> Grade | None:
        grade = read_at(file, at) if at >= 0 else None
        if not isinstance(grade, Grade | None):
            raise self._changed()
        return grade

    def _changed(self) -> JournalError:
        return JournalError(f"{self._journal}: changed while it was being read.")

    def _sessions_used_twice(self) -> set[int]:
        """Give the hashes of session ids that more than one trial had, if they were not meant to share it."""
        sessions = self._session.copy()
        for index, arm in enumerate(self.run.arms):
            if arm.sticky:  # whose repeats share theirs: it counts once a question
                sessions[:, index].sort(axis=1)
                again = sessions[:, index, 1:] == sessions[:, index, :-1]
                sessions[:, index, 1:][again] = 0
        hashes, times = np.unique(sessions[sessions != 0], return_counts=True)
        return set(hashes[times > 1].tolist())

    def _read(self, ids: list[str]) -> None:
        index_of = {name: index for index, name in enumerate(ids)}
        arm_of = {arm.name: index for index, arm in enumerate(self.run.all_arms)}
        outcomes, grades, lookups = _Column(), _Column(), _Column()
        for offset, record in replay(self._journal):
            _check(record, self._journal, offset)
            match record:
                case Outcome():
                    question, arm = index_of.get(record.question_id), arm_of.get(record.arm)
                    if question is None or arm is None:
                        continue
                    place = self._place(question, arm, record.repeat)
                    if place is None:
                        continue
                    outcomes.add(record.trial, offset, place)
                    self._take(record, offset, place)
                case Grade():
                    grades.add(record.trial, offset)
                case Event(event=generations.LOOKED_UP):
                    if record.data["left_open"]:
                        self._left_open.append(generations.cost_of(record))
                    else:
                        lookups.add(record.data["trial"], offset)
                case Event(event=judgements.JUDGED):
                    self._judge_costs.append(judgements.cost_of(record))
                case Event(event="pace"):
                    self._keep_pace(record)
                case _:
                    continue
        self._join(outcomes, grades)
        self._lookups = lookups.placed_by(outcomes)

    def _keep_pace(self, event: Event) -> None:
        at, limit = seconds_since_1970(event.at), event.data.get("limit")
        if at is None or not isinstance(limit, int | float):
            return
        since = event.data.get("at_s")
        begun = at - since if isinstance(since, int | float) else at
        # no line tells the pace with which a process began
        if not self.pace or begun > self.pace[-1].at:
            self.pace.extend(_start_of_pace(self.run, begun))
        self.pace.append(PaceChanged(at, float(limit), str(event.data.get("reason", ""))))

    def _take(self, outcome: Outcome, offset: int, place: int) -> None:
        """Let the newest outcome of a trial count."""
        if self._outcome_at[place] >= 0:
            self._superseded.append((place, int(self._outcome_at[place])))
        self._outcome_at[place] = offset
        self._finished[place] = is_final(outcome)
        if place < self._trials:
            self._session.flat[place] = hash(outcome.session_id)
            answer = outcome.completion
            code = -1 if answer is None else self._models.setdefault(answer.model, len(self._models))
            self.served.flat[place] = code

    def _join(self, outcomes: _Column, grades: _Column) -> None:
        """Give each grade the place of its trial; the newest counts."""
        placed = grades.placed_by(outcomes)
        by_offset = np.argsort(placed.offsets)
        offsets, places = placed.offsets[by_offset], placed.places[by_offset]
        fresh = offsets > self._outcome_at[places]  # a grade belongs to the outcome before it
        self._grade_at[places[fresh]] = offsets[fresh]


def _start_of_pace(run: Run, begun: float) -> Iterator[PaceChanged]:
    """Give the pace with which a process began, seconds since 1970; nothing where the settings do not tell it."""
    ceiling, fixed = run.settings.get("concurrency"), run.settings.get("fixed_concurrency")
    if isinstance(ceiling, int):
        yield PaceChanged(begun, Pace(ceiling, fixed=fixed is True).limit, "the start")


def _check(record: Line, journal: Path, offset: int) -> None:
    """Raise JournalError for what decodes, but can never have been written."""
    fault = None
    if isinstance(record, Outcome | Grade) and not _KEY.match(record.trial):
        fault = f"{record.trial!r} is no trial"
    elif isinstance(record, Outcome) and (record.completion is None) == (record.failure is None):
        fault = "an outcome is either an answer or a failure"
    elif isinstance(record, Event) and not (generations.is_sound(record) and judgements.is_sound(record)):
        fault = "the event does not say what it is about"
    if fault:
        raise damaged(journal, offset, fault)


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

    def __len__(self) -> int:
        return len(self._offsets)

    def placed_by(self, outcomes: _Column) -> _Column:
        """Give the lines whose key is that of an outcome, with its place, in the order of places."""
        placed = _Column()
        keys, first = np.unique(outcomes.keys, return_index=True)
        if not len(keys):
            return placed
        found = np.minimum(np.searchsorted(keys, self.keys), len(keys) - 1)
        known = keys[found] == self.keys
        places = outcomes.places[first][found[known]]
        order = np.argsort(places, kind="stable")
        for column, values in (
            (placed._keys, self.keys[known]),
            (placed._offsets, self.offsets[known]),
            (placed._places, places),
        ):
            column.frombytes(values[order].tobytes())
        return placed

    @property
    def keys(self) -> NDArray[np.uint64]:
        return np.frombuffer(self._keys, dtype=np.uint64)

    @property
    def offsets(self) -> NDArray[np.int64]:
        return np.frombuffer(self._offsets, dtype=np.int64)

    @property
    def places(self) -> NDArray[np.int64]:
        return np.frombuffer(self._places, dtype=np.int64)
