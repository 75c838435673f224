"""One benchmark from end to end: load -> plan -> ask -> grade -> summarise -> write.

Loading and planning are `prepare`'s. Everything after the asking reads the run directory alone, so
that a report tomorrow equals the one today.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from routemark import generations
from routemark._version import __version__
from routemark.analysis.summary import Fold
from routemark.config import Settings, nearest, without_userinfo
from routemark.engine.gate import Gate
from routemark.engine.grading import Beside
from routemark.engine.local import LocalExecutor
from routemark.engine.purse import BudgetPurse
from routemark.engine.run import Observer
from routemark.errors import JournalError, RunError, UsageError
from routemark.gateway.process import simulated_gateway
from routemark.journal import Journal, Launch
from routemark.policy import plan
from routemark.policy.free import FreeLimits
from routemark.policy.retry import RetryPolicy
from routemark.prepare import Opened, Prepared, now
from routemark.pricing import open_purse
from routemark.questions import QuestionSet
from routemark.records import Grade, Outcome, ResultRow, Run, Summary, Trial
from routemark.report import outputs
from routemark.report.rows import result_row
from routemark.router import OpenRouterClient
from routemark.rundir import Ledger, RunDirectory
from routemark.transport import make_transport

INTERRUPTED = 130
TOO_MANY_FAILED = 3
SIMULATED_LATENCY = "0.05"
"""Factor on the fictitious models' own latency: a run takes seconds, and latencies stay above ours."""


class Finished(NamedTuple):
    """A run that has come to its end, or to a stop."""

    directory: RunDirectory
    run: Run
    summary: Summary
    exit_code: int


async def ask(
    prepared: Prepared,
    opened: Opened,
    key: str | None,
    *,
    observers: Callable[[LocalExecutor, int], list[Observer]] = lambda executor, done: [],  # noqa: ARG005
) -> Finished:
    """Ask what the journal lacks, then summarise and write; the run can be resumed at every instant.

    ``observers`` is called once with the executor, whose `stop` drains it, and the number of trials
    finished before, and gives whoever wants to see outcomes as they come. Cancelling stops at once.
    """
    directory = opened.directory
    questions = directory.load_questions()
    if questions.sha256 != opened.run.questions_sha256:
        raise UsageError(f"{directory.questions}: was changed after the run began; start a new run.")
    with Journal(directory.journal) as journal:
        directory.sweep()
        ledger = Ledger(opened.run, questions, directory.journal)
        journal.append(Launch(at=now(), pid=os.getpid(), routemark_version=__version__))
        manifest = _Manifest(directory, opened.run)
        manifest.update(
            status="running", stop_reason=None, finished_at=None, settings=prepared.settings.public()
        )
        purse = open_purse(prepared, directory, questions, journal)
        async with _gateway(prepared.settings, directory) as base_url:

            def on_generation(trial: str, generation_id: str) -> None:
                _note_generation(journal, executor, trial, generation_id)

            executor = LocalExecutor(
                lambda gate: _client(
                    prepared, base_url, key, gate=gate, on_generation=on_generation, purse=purse
                ),
                where=without_userinfo(base_url),
                concurrency=prepared.settings.concurrency,
                fixed=prepared.settings.fixed_concurrency,
                free=_free_limits(prepared, resumed=opened.resumed),
                purse=purse,
            )
            trials = _remaining(_plan(prepared, opened.run), questions, ledger)
            watching: list[Observer] = [manifest, *observers(executor, ledger.done)]
            async with Beside(journal.append, allow_code=prepared.settings.allow_code_execution) as grading:
                executor.to_grade = lambda: grading.waiting
                await _execute(executor, trials, journal, grading, watching)
                await _grade_rest(executor, grading, directory, ledger)
            executor.on_end()
        stop = executor.stop
        done = Ledger(opened.run, questions, directory.journal).done if stop.requested() else prepared.trials
        stopped = done < prepared.trials or (stop.requested() and grading.owing > 0)
        run = msgspec.structs.replace(
            manifest.run,
            status="stopped" if stopped else "complete",
            stop_reason=stop.reason if stopped else None,
            finished_at=now(),
            client=executor.health.report(),
        )
        try:
            return conclude(directory, run, prepared.settings, stop.exit_code if stopped else 0)
        except RunError as error:
            first = f"{stop.reason} " if stopped else ""
            raise RunError(f"{first}{error} Resume to have it written.") from None


async def _grade_rest(
    executor: LocalExecutor, grading: Beside, directory: RunDirectory, before: Ledger
) -> None:
    """Let all grades come in; give theirs to the answers that a crash, or a full queue, left without one.

    ``before``: the ledger as it was before the asking. A run that was interrupted ends without this.
    """
    try:
        if executor.stop.exit_code == INTERRUPTED:
            return
        await grading.drain()
        if grading.left or before.lacks_grades():
            now_there = Ledger(before.run, before.questions, directory.journal)
            await grading.grade_rest(now_there.without_grade())
    except asyncio.CancelledError:
        executor.stop("Interrupted.", INTERRUPTED)
    except RunError as error:
        executor.stop(str(error), error.exit_code)


def _note_generation(journal: Journal, executor: LocalExecutor, trial: str, generation_id: str) -> None:
    """Journal an id before its answer is there, so that a crash leaves a trace of what may be billed.

    A full disk stops the run, but not the answer that is on its way.
    """
    try:
        journal.append(generations.arrived(trial, generation_id, now()))
    except JournalError as error:
        executor.stop(str(error), error.exit_code)


async def _execute(
    executor: LocalExecutor,
    trials: Iterator[Trial],
    journal: Journal,
    grading: Beside,
    observers: list[Observer],
) -> None:
    """Run the executor to its end, and make of whatever ends it early a stop with its reason."""
    try:
        await executor.execute(trials, journal, grading.grade, observers)
    except asyncio.CancelledError:
        executor.stop("Interrupted.", INTERRUPTED)
    except RunError as error:
        executor.stop(str(error), error.exit_code)


class _Manifest:
    """The manifest of a run under way; an Observer, since answers tell whether they are simulated."""

    def __init__(self, directory: RunDirectory, run: Run) -> None:
        self._directory = directory
        self.run = run

    def update(self, **changes: Any) -> None:
        """Change fields and write the file."""
        self.run = msgspec.structs.replace(self.run, **changes)
        self._directory.write(self.run)

    def saw(self, trial: Trial, outcome: Outcome, grade: Grade | None) -> None:  # noqa: ARG002 - an Observer
        """Mark the run as simulated as soon as one answer is."""
        if not self.run.simulated and outcome.completion is not None and outcome.completion.simulated:
            self.update(simulated=True)


@contextlib.asynccontextmanager
async def _gateway(settings: Settings, directory: RunDirectory) -> AsyncIterator[str]:
    """Give the base URL to ask: the one of the settings, or of a simulated gateway of our own."""
    if not settings.simulate:
        yield settings.base_url
        return
    async with simulated_gateway(
        questions=directory.questions, seed=settings.seed, latency=SIMULATED_LATENCY
    ) as base_url:
        yield base_url


def _client(  # noqa: PLR0913 - what a client is made of, by name
    prepared: Prepared,
    base_url: str,
    key: str | None,
    *,
    gate: Gate,
    on_generation: Callable[[str, str], None],
    purse: BudgetPurse | None,
) -> OpenRouterClient:
    settings = prepared.settings
    return OpenRouterClient(
        api_key=key,
        base_url=base_url,
        transport=make_transport(settings.transport, settings.concurrency),
        options=prepared.options,
        timeout_s=settings.timeout,
        idle_timeout_s=settings.idle_timeout,
        retry=RetryPolicy(max_attempts=settings.max_attempts),
        pacer=gate,
        purse=purse,
        sleep=gate.sleep,
        on_generation=on_generation,
    )


def _plan(prepared: Prepared, run: Run) -> plan.Plan:
    return plan.Plan(
        run_id=run.id,
        arms=run.arms,
        options=prepared.options,
        repeats=run.repeats,
        window=run.window,
        seed=run.seed,
    )


def _remaining(planned: plan.Plan, questions: QuestionSet, ledger: Ledger) -> Iterator[Trial]:
    """Yield the trials that the journal lacks, in plan order."""
    at = (
        place
        for place in plan.places(planned, ledger.order)
        if not ledger.finished[place.question, place.arm, place.repeat]
    )
    return plan.trials(planned, questions, at)


def _free_limits(prepared: Prepared, *, resumed: bool) -> FreeLimits | None:
    """Give the limits of free models, which the simulated gateway does not have."""
    if prepared.settings.simulate:
        return None
    free = FreeLimits(prepared.arms)
    if resumed:
        free.spread(time.monotonic())
    return free


# --------------------------------------------------------------------------- what comes of it


def summarise(
    directory: RunDirectory,
    *,
    run: Run | None = None,
    margin: float | None = None,
    baseline: str | None = None,
) -> tuple[Ledger, Summary]:
    """Compute the summary from the run directory alone; margin and baseline default to the run's own.

    ``run``: the manifest that is about to be written; None reads it. Raises: UsageError when there is no
    such baseline.
    """
    run = run or directory.read()
    asked = {name: value for name, value in (("margin", margin), ("baseline", baseline)) if value is not None}
    run = msgspec.structs.replace(run, settings={**run.settings, **asked})
    kept = msgspec.convert(run.settings, Settings)
    known = [name for arm in run.arms for name in (arm.name, arm.model)]
    if kept.baseline is not None and kept.baseline not in known:
        raise UsageError(f"--baseline {kept.baseline}: no such arm.{nearest(kept.baseline, known)}")
    ledger = Ledger(run, directory.load_questions(), directory.journal)
    fold = Fold()
    for judged in ledger.judged():
        fold.add(*judged)
    fold.add_costs(ledger.costs_beside())
    summary = fold.close(
        run,
        planned=run.questions * len(run.arms) * run.repeats,
        finished_questions=ledger.counted_questions,
        margin=kept.margin,
        baseline=kept.baseline,
    )
    return ledger, summary


def conclude(directory: RunDirectory, run: Run, settings: Settings, exit_code: int) -> Finished:
    """Summarise, write `results.json`, `report.html` and what ``--output`` names; give the exit code.

    The manifest comes last: a run that died before it is still open, and whoever resumes it only writes.
    """
    ledger, summary = summarise(directory, run=run, margin=settings.margin, baseline=settings.baseline)
    for path in (directory.results, directory.report, *map(Path, settings.output)):
        outputs.write(path, ledger.run, summary, rows(ledger))
    directory.write(run)
    if exit_code == 0 and summary.total and summary.failed / summary.total > settings.fail_on_error:
        exit_code = TOO_MANY_FAILED
    return Finished(directory, ledger.run, summary, exit_code)


def rows(ledger: Ledger) -> Iterator[ResultRow]:
    """Yield a flat row for each trial that has ended, in plan order."""
    return (result_row(*judged) for judged in ledger.judged())
