"""The newest outcome of every trial of a run with its newest grade, as columns in plan order; and what a filter leaves.

Made of an index by sorting and searching alone: the journal is not read. The rules are those of
`rundir.Ledger`: the newest outcome of a trial counts, with a grade only if that came after it; lines of
questions, arms and repeats that the run does not have are left out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routemark.errors import rule
from routemark.records import Run
from routemark.viewer.filters import STATUSES, Filter
from routemark.viewer.index import EMPTY, TRUNCATED, Entries, Index, Names
from routemark.viewer.prompts import Prompts

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
RIGHT, WRONG, PARTIAL, FAILED, NOT_GRADED = range(5)
"""Codes of `filters.STATUSES`."""
_FLAG = {"truncated": TRUNCATED, "empty": EMPTY}


class Selection(NamedTuple):
    """What a filter leaves."""

    questions: Codes
    """Places in the table's list of questions, in the order asked for."""
    rows: Mask
    """Trials that match themselves, of the questions that match."""

    @property
    def trials(self) -> int:
        """Number of trials that match."""
        return int(np.count_nonzero(self.rows))


class Table:
    """Columns, an entry a trial, in the order (question as planned, arm, repeat)."""

    def __init__(self, run: Run, index: Index, prompts: Prompts) -> None:
        self.run = run
        self.names: Names = index.head.names
        self.prompts = prompts
        newest, rank, arm = _newest(run, index, prompts)
        self.rank, self.arm = rank, arm
        """Place of the question in the plan; place of the arm in the run."""
        self.key, self.offset = (
            _column(index.outcomes, newest, "key"),
            _column(index.outcomes, newest, "offset"),
        )
        self.repeat, self.model = (
            _column(index.outcomes, newest, "repeat"),
            _column(index.outcomes, newest, "model"),
        )
        self.provider, self.task_type = (
            _column(index.outcomes, newest, "provider"),
            _column(index.outcomes, newest, "task_type"),
        )
        self.failure, self.flags = (
            _column(index.outcomes, newest, "failure"),
            _column(index.outcomes, newest, "flags"),
        )
        self.cost, self.latency = (
            _column(index.outcomes, newest, "cost"),
            _column(index.outcomes, newest, "latency"),
        )
        self.ended, self.session = (
            _column(index.outcomes, newest, "ended"),
            _column(index.outcomes, newest, "session"),
        )
        self.grade_at: Codes
        self.score: Floats
        self.grade_at, self.score = _graded(self.key, self.offset, index.grades)
        self.status = _statuses(self.failure, self.score)
        ranks, self.first = np.unique(rank, return_index=True)
        """Row of each question's first trial."""
        self.question = prompts.in_order[ranks]
        """Place in the question file of each question that was asked."""
        self.ranks = ranks
        self.difficulty = prompts.table["difficulty"][self.question]
        self.category = prompts.table["category"][self.question]
        self.disagree = self._disagree()

    def __len__(self) -> int:
        """Give the number of trials that have ended."""
        return len(self.key)

    def rows_of(self, place: int) -> range:
        """Give the rows of the question at a place in the table's list of questions."""
        end = int(self.first[place + 1]) if place + 1 < len(self.first) else len(self)
        return range(int(self.first[place]), end)

    def place_of(self, question: int) -> int | None:
        """Give the place of a question of the file; None when nothing was asked of it."""
        rank = int(self.prompts.table["rank"][question])
        at = int(np.searchsorted(self.ranks, rank))
        return at if at < len(self.ranks) and self.ranks[at] == rank else None

    def _disagree(self) -> Mask:
        """Tell of each question whether its graded answers have different scores."""
        if not len(self):
            return np.zeros(0, dtype=bool)
        known = ~np.isnan(self.score)
        low = np.minimum.reduceat(np.where(known, self.score, np.inf), self.first)
        high = np.maximum.reduceat(np.where(known, self.score, -np.inf), self.first)
        return low < high

    # ----------------------------------------------------------------------------- filtering

    def select(self, wanted: Filter) -> Selection:
        """Give what a filter leaves, in the order it asks for."""
        rows = self._matching_trials(wanted)
        questions = self._matching_questions(wanted)
        if not rows.all():
            questions &= np.logical_or.reduceat(rows, self.first) if len(self) else questions
        rows &= np.repeat(questions, np.diff(np.append(self.first, len(self))))
        return Selection(self._sorted(np.flatnonzero(questions), wanted.sort), rows)

    def _matching_trials(self, wanted: Filter) -> Mask:
        rows = np.ones(len(self), dtype=bool)
        arms = [arm.name for arm in self.run.all_arms]
        statuses: list[str] = list(STATUSES)
        for name, names, codes in (
            (wanted.arm, arms, self.arm),
            (wanted.model, self.names.model, self.model),
            (wanted.status, statuses, self.status),
            (wanted.kind, self.names.failure, self.failure),
        ):
            if name:
                rows &= codes == _code(names, name)
        if wanted.odd:
            rows &= (self.flags & _FLAG.get(wanted.odd, 0)) > 0
        return rows

    def _matching_questions(self, wanted: Filter) -> Mask:
        head = self.prompts.head
        questions = self.disagree.copy() if wanted.disagree else np.ones(len(self.first), dtype=bool)
        if wanted.difficulty:
            questions &= self.difficulty == _code(head.difficulties, wanted.difficulty)
        if wanted.category:
            questions &= self.category == _code(head.categories, wanted.category)
        if wanted.words:
            questions &= self.prompts.having(wanted.words)[self.question]
        return questions

    def _sorted(self, questions: Codes, sort: str) -> Codes:
        if sort == "plan" or not len(questions):
            return questions
        column = {"cost": self.cost, "slow": self.latency, "newest": self.ended}[sort]
        best = np.maximum.reduceat(np.where(np.isnan(column), -np.inf, column), self.first)
        return questions[np.argsort(-best[questions], kind="stable")]

    # ----------------------------------------------------------------------------- what counts

    def finished_prefix(self) -> int:
        """Give the number of questions in the longest finished prefix of the plan."""
        run = self.run
        service = np.array([rule(kind).cause == "service" for kind in self.names.failure] + [True])
        planned = service[self.failure] & (self.arm < len(run.arms))
        done = np.bincount(self.rank[planned], minlength=run.questions) == len(run.arms) * run.repeats
        return int(np.argmin(done)) if not done.all() else len(done)

    def reused_sessions(self) -> NDArray[np.uint64]:
        """Give the sessions that more than one trial had, if they were not meant to share it."""
        sticky = np.array([arm.sticky for arm in self.run.all_arms], dtype=bool)
        shared = sticky[self.arm]
        # a session that the repeats of one question of a sticky arm share counts once
        of_arm = self.rank[shared] * len(sticky) + self.arm[shared]
        sharing = np.column_stack([self.session[shared], of_arm.astype(np.uint64)])
        once = np.unique(sharing, axis=0)[:, 0] if shared.any() else sharing[:, 0]
        sessions, times = np.unique(np.concatenate([self.session[~shared], once]), return_counts=True)
        return sessions[times > 1]


def _newest(run: Run, index: Index, prompts: Prompts) -> tuple[Codes, Codes, Codes]:
    """Give the newest outcome of each trial, in plan order: entry, rank of the question, place of the arm."""
    outcomes = index.outcomes
    question = prompts.places(outcomes["question"])
    places = {arm.name: place for place, arm in enumerate(run.all_arms)}
    arm_of = np.array([places.get(name, -1) for name in index.head.names.arm] + [-1], dtype=np.int64)
    arm, repeat = arm_of[outcomes["arm"]], outcomes["repeat"]
    known = np.flatnonzero((question >= 0) & (arm >= 0) & (repeat >= 0) & (repeat < run.repeats))
    rank = prompts.table["rank"][question[known]] if len(known) else np.zeros(0, dtype=np.int64)
    place = (rank * len(run.all_arms) + arm[known]) * run.repeats + repeat[known]
    order = np.argsort(place, kind="stable")
    last = np.append(np.diff(place[order]) > 0, True)[: len(order)]
    kept = order[last]
    return known[kept], rank[kept], arm[known[kept]]


def _column(entries: Entries, at: Codes, name: str) -> Any:
    """Give a field of some entries as an array of its own; codes as they index best."""
    column = entries[name][at]
    return column.astype(np.int64) if column.dtype.kind == "i" else column


def _graded(key: NDArray[np.uint64], offset: Codes, grades: Entries) -> tuple[Codes, Floats]:
    """Give place and score of each outcome's newest grade, -1 and NaN without one."""
    if not len(grades) or not len(key):
        return np.full(len(key), -1, dtype=np.int64), np.full(len(key), np.nan)
    order = np.argsort(grades["key"], kind="stable")
    keys = grades["key"][order]
    by_key = np.argsort(key)  # neighbours are searched for one after another: far faster
    at = np.empty(len(key), dtype=np.int64)
    at[by_key] = np.searchsorted(keys, key[by_key], side="right") - 1
    newest = order[np.maximum(at, 0)]
    fits = (at >= 0) & (keys[np.maximum(at, 0)] == key)
    fits &= grades["offset"][newest] > offset  # a grade belongs to the outcome before it
    return np.where(fits, grades["offset"][newest], -1), np.where(fits, grades["score"][newest], np.nan)


def _statuses(failure: Codes, score: Floats) -> Codes:
    graded = np.where(score == 1, RIGHT, np.where(score == 0, WRONG, PARTIAL))
    return np.where(failure >= 0, FAILED, np.where(np.isnan(score), NOT_GRADED, graded))


def _code(names: list[str], name: str) -> int:
    return names.index(name) if name in names else -2
