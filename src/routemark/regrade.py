"""Grades a run again from its journal, with today's graders; no request is sent.

A new grade is appended where it differs from the newest one, so the history stays and grading twice adds
nothing. A grader that could not tell today (its tool is missing, or running code was not allowed) does not take
back the score it gave before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from routemark import graders
from routemark.config import Settings
from routemark.engine.grading import Beside
from routemark.journal import Event, Journal
from routemark.main import Finished, conclude
from routemark.prepare import now
from routemark.records import Grade, Outcome, Question, Record
from routemark.rundir import Judged, Ledger, RunDirectory


class Regraded(Record, frozen=True, kw_only=True):
    """What grading again has changed: numbers of answers."""

    graded: int
    """Answers whose question is graded."""
    same: int
    up: int
    """With a higher score than before."""
    down: int
    explained: int
    """With the same score, but another version, extracted answer or reason."""
    first: int
    """That had no score before."""
    kept: int
    """That could not be graded now and keep their score."""
    ungraded: int
    """That could not be graded, neither before nor now."""


class _Tally:
    """Compares new grades with old ones, appends those that differ, and counts."""

    def __init__(self, journal: Journal) -> None:
        self.counts = dict.fromkeys(Regraded.__struct_fields__, 0)
        self._journal = journal
        self._old: dict[str, Grade | None] = {}
        """The newest grades so far, of the answers that are being graded."""

    def watching(self, judged: Iterator[Judged]) -> Iterator[tuple[Question, Outcome]]:
        """Pass on what is to be graded, and remember the grades that it has."""
        for one in judged:
            if one.outcome.completion is not None and graders.resolve(one.question) is not None:
                self._old[one.outcome.trial] = one.grade
                yield one.question, one.outcome

    def take(self, new: Grade) -> None:
        """Count a new grade, and journal it if it says something else than the old one."""
        old = self._old.pop(new.trial)
        what = _difference(old, new)
        self.counts["graded"] += 1
        self.counts[what] += 1
        if what not in ("same", "kept") and new != old:
            self._journal.append(new)


def _difference(old: Grade | None, new: Grade) -> str:
    """Name what the new grade is beside the old one: a field of `Regraded`."""
    before = old.score if old is not None else None
    if new.score is None:
        return "ungraded" if before is None else "kept"
    if before is None:
        return "first"
    if new.score != before:
        return "up" if new.score > before else "down"
    return "same" if new == old else "explained"


class Result(NamedTuple):
    """What came of grading again, and of the run with it."""

    regraded: Regraded
    finished: Finished


async def regrade(directory: RunDirectory, settings: Settings) -> Result:
    """Grade every answer of a run again, and write its results and report anew.

    Code is run if ``settings`` allow it, or if the run did. Raises: UsageError, RunError.
    """
    run = directory.read()
    kept = msgspec.convert(run.settings, Settings)
    allow_code = settings.allow_code_execution or kept.allow_code_execution
    with Journal(directory.journal) as journal:
        ledger = Ledger(run, directory.load_questions(), directory.journal)
        tally = _Tally(journal)
        async with Beside(tally.take, allow_code=allow_code) as grading:
            await grading.grade_rest(tally.watching(ledger.judged()))
        counts = Regraded(**tally.counts)
        journal.append(Event(event="regraded", at=now(), data=msgspec.to_builtins(counts)))
    merged = msgspec.structs.replace(kept, output=settings.output)
    return Result(counts, conclude(directory, run, merged, 0))


def in_words(counts: Regraded) -> str:
    """Give the counts as lines for a person."""
    changed = counts.up + counts.down
    first = (
        f"{counts.graded:,} answers graded again, {changed:,} scores changed: "
        f"{counts.up:,} went up, {counts.down:,} went down."
    )
    more = [
        (counts.first, "have a score that had none"),
        (counts.explained, "have the same score with another reason"),
        (counts.kept, "could not be graded now and keep their score"),
        (counts.ungraded, "could not be graded"),
    ]
    return "\n".join([first, *(f"{count:,} {words}." for count, words in more if count)]) + "\n"
