"""Grades a run again from its journal, with today's graders.

Requests are sent only where a model judges: for the answers whose question has the grader ``judge`` while the
settings name a judge, and only for what the journal does not hold the reply to. Another judge, another setting of
its, or another prompt is another request; everything else is graded without one.

A new grade is appended where it differs from the newest one, so the history stays and grading twice adds
nothing. A grader that could not tell today (its tool is missing, or running code was not allowed) does not take
back the score it gave before.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from itertools import chain
from typing import NamedTuple

import msgspec

from routemark import graders
from routemark.clock import now
from routemark.config import Settings
from routemark.engine.grading import Beside
from routemark.engine.judging import Judge
from routemark.gateway.process import gateway_for
from routemark.journal import Event, Journal
from routemark.judge import is_wanted, open_judge, rivals
from routemark.main import Finished, conclude
from routemark.numbers import usd
from routemark.prepare import require_key
from routemark.records import Grade, Outcome, Question, Record
from routemark.rundir import Judged, Ledger, RunDirectory


class Regraded(Record, frozen=True, kw_only=True, omit_defaults=True):
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
    judge_asked: int = 0
    """Prompts that were put to the judge."""
    judge_cost_usd: float = 0.0
    """What is known of their cost."""


_COUNTED = ("graded", "same", "up", "down", "explained", "first", "kept", "ungraded")


class _Tally:
    """Compares new grades with old ones, appends those that differ, and counts."""

    def __init__(self, journal: Journal) -> None:
        self.counts = dict.fromkeys(_COUNTED, 0)
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


async def regrade(directory: RunDirectory, settings: Settings, key: str | None = None) -> Result:
    """Grade every answer of a run again, and write its results and report anew.

    Code is run if ``settings`` allow it, or if the run did. ``settings`` name the judge, else the run's own do;
    ``key`` is for the judge. Raises: UsageError, RunError.
    """
    run = directory.read()
    kept = msgspec.convert(run.settings, Settings)
    settings = msgspec.structs.replace(
        kept,
        output=settings.output,
        judge=settings.judge or kept.judge,
        allow_code_execution=settings.allow_code_execution or kept.allow_code_execution,
    )
    with Journal(directory.journal) as journal:
        ledger = Ledger(run, directory.load_questions(), directory.journal)
        counts, simulated = await _graded(directory, settings, key, ledger, journal)
        journal.append(Event(event="regraded", at=now(), data=msgspec.to_builtins(counts)))
    kept_now = {**run.settings, "judge": settings.public()["judge"]}
    run = msgspec.structs.replace(run, settings=kept_now, simulated=run.simulated or simulated)
    return Result(counts, conclude(directory, run, settings, 0))


async def _graded(
    directory: RunDirectory, settings: Settings, key: str | None, ledger: Ledger, journal: Journal
) -> tuple[Regraded, bool]:
    """Give the counts, and whether a fictitious model judged."""
    tally = _Tally(journal)
    async with (
        _judge(directory, settings, key, ledger, journal) as judge,
        Beside(tally.take, allow_code=settings.allow_code_execution, judge=judge) as grading,
    ):
        everything = chain(ledger.judged(), ledger.confirmations())
        await grading.grade_rest(tally.watching(everything))
    if judge is None:
        return Regraded(**tally.counts), False
    counts = Regraded(**tally.counts, judge_asked=judge.asked, judge_cost_usd=judge.cost_usd)
    return counts, judge.simulated


@contextlib.asynccontextmanager
async def _judge(
    directory: RunDirectory, settings: Settings, key: str | None, ledger: Ledger, journal: Journal
) -> AsyncIterator[Judge | None]:
    """Give the judge, ready to compare; None, and nobody is asked anything, where none is wanted."""
    if settings.judge is None or not is_wanted(settings, ledger.questions):
        yield None
        return
    asked = msgspec.structs.replace(settings, base_url=settings.judge.base_url or settings.base_url)
    key = require_key(asked, key)
    async with (
        gateway_for(settings, directory.questions) as base_url,
        open_judge(settings, ledger.questions, journal, base_url=base_url, key=key) as judge,
    ):
        if judge is not None:
            judge.rival = rivals(ledger)
        yield judge


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
    lines = [first, *(f"{count:,} {words}." for count, words in more if count)]
    if counts.judge_asked:
        lines.append(f"The judge was asked {counts.judge_asked:,} times, for {usd(counts.judge_cost_usd)}.")
    return "\n".join(lines) + "\n"
