"""One benchmark from end to end: load -> plan -> ask -> grade -> summarise -> write.

Loading and planning are `prepare`'s. Everything after the asking reads the run directory alone, so
that a report tomorrow equals the one today.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from routemark import graders
from routemark._version import __version__
from routemark.analysis.summary import Fold
from routemark.config import Settings, nearest
from routemark.engine.gate import Gate
from routemark.engine.local import LocalExecutor
from routemark.engine.run import Observer
from routemark.errors import JournalError, UsageError
from routemark.gateway.process import simulated_gateway
from routemark.journal import Event, Journal, Launch
from routemark.policy import plan
from routemark.policy.retry import RetryPolicy
from routemark.prepare import Opened, Prepared, now
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
        journal.append(Launch(at=now(), pid=os.getpid(), routemark_version=__version__))
        ledger = Ledger(opened.run, questions, directory.journal)
        manifest = _Manifest(directory, opened.run)
        manifest.update(
            status="running", stop_reason=None, finished_at=None, settings=prepared.settings.public()
        )
        async with _gateway(prepared.settings, directory) as base_url:
            executor = LocalExecutor(
                lambda gate: _client(prepared, base_url, key, gate),
                concurrency=prepared.settings.concurrency,
                fixed=prepared.settings.fixed_concurrency,
            )
            trials = _remaining(_plan(prepared, opened.run), questions, ledger)
            watching: list[Observer] = [manifest, *observers(executor, ledger.done)]
            await _execute(executor, trials, journal, watching)
    stop = executor.stop
    stopped = stop.requested() and Ledger(opened.run, questions, directory.journal).done < prepared.trials
    manifest.update(
        status="stopped" if stopped else "complete",
        stop_reason=stop.reason if stopped else None,
        finished_at=now(),
        client=executor.health.report(),
    )
    return conclude(directory, prepared.settings, stop.exit_code if stopped else 0)


async def _execute(
    executor: LocalExecutor, trials: Iterator[Trial], journal: Journal, observers: list[Observer]
) -> None:
    """Run the executor to its end, and make of whatever ends it early a stop with its reason."""
    try:
        await executor.execute(trials, journal, graders.grade, observers)
        journal.append(_pace_event(executor))
    except asyncio.CancelledError:
        executor.stop("Interrupted.", INTERRUPTED)
    except JournalError as error:
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


def _client(prepared: Prepared, base_url: str, key: str | None, gate: Gate) -> OpenRouterClient:
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
        sleep=gate.sleep,
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


def _pace_event(executor: LocalExecutor) -> Event:
    """Keep how the pace went, in the run."""
    history = msgspec.to_builtins(executor.gate.pace.history)
    return Event(event="pace", at=now(), data={"history": history, "peak_in_flight": executor.gate.peak})


# --------------------------------------------------------------------------- what comes of it


def summarise(
    directory: RunDirectory, *, margin: float | None = None, baseline: str | None = None
) -> tuple[Ledger, Summary]:
    """Compute the summary from the run directory alone; margin and baseline default to the run's own.

    Raises: UsageError when there is no such baseline.
    """
    run = directory.read()
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
    summary = fold.close(
        run,
        planned=run.questions * len(run.arms) * run.repeats,
        finished_questions=ledger.counted_questions,
        margin=kept.margin,
        baseline=kept.baseline,
    )
    return ledger, summary


def conclude(directory: RunDirectory, settings: Settings, exit_code: int) -> Finished:
    """Summarise, write `results.json`, `report.html` and what ``--output`` names; give the exit code."""
    ledger, summary = summarise(directory, margin=settings.margin, baseline=settings.baseline)
    for path in (directory.results, directory.report, *map(Path, settings.output)):
        outputs.write(path, ledger.run, summary, rows(ledger))
    if exit_code == 0 and summary.total and summary.failed / summary.total > settings.fail_on_error:
        exit_code = TOO_MANY_FAILED
    return Finished(directory, ledger.run, summary, exit_code)


def rows(ledger: Ledger) -> Iterator[ResultRow]:
    """Yield a flat row for each trial that has ended, in plan order."""
    return (result_row(*judged) for judged in ledger.judged())
