"""One benchmark from end to end: load -> plan -> ask -> grade -> summarise -> write.

Loading and planning are `prepare`'s. Everything after the asking reads the run directory alone, so
that a report tomorrow equals the one today.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from routemark import baselines, direct, telemetry
from routemark._version import __version__
from routemark.analysis.gates import figures as gate_figures
from routemark.analysis.gates import gates
from routemark.analysis.stopping.sequenced import looked_at
from routemark.analysis.traffic.traffic import Traffic
from routemark.clock import now
from routemark.config import Settings, nearest, without_userinfo
from routemark.engine.cluster import Cluster, ClusterExecutor
from routemark.engine.cluster_messages import Setup
from routemark.engine.deciding import Patient, Watch, deciding
from routemark.engine.gate import Gate
from routemark.engine.grading import Beside
from routemark.engine.judging import Judge
from routemark.engine.local import LocalExecutor
from routemark.engine.purse import BudgetPurse
from routemark.engine.ray_team import RayCluster, RayGraders, RayTeam
from routemark.engine.run import Observer, Planned, Trials
from routemark.errors import RunError, UsageError
from routemark.gateway.process import gateway_for
from routemark.journal import Event, Journal, Launch
from routemark.judge import open_judge, rivals
from routemark.policy import plan
from routemark.policy.free import FreeLimits
from routemark.policy.retry import RetryPolicy
from routemark.prepare import Opened, Prepared, gates_of, weights_of
from routemark.pricing import open_purse, page_client, with_joined
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
    questions = _unchanged(opened)
    with Journal(directory.journal) as journal, telemetry.opened(opened.run, prepared.options) as telling:
        directory.sweep()
        ledger = Ledger(opened.run, questions, directory.journal)
        manifest = _launch(prepared, opened, journal)
        prepared = await with_joined(prepared, opened.run, key)
        purse = open_purse(prepared, opened.run, directory, questions, journal)
        async with gateway_for(prepared.settings, directory.questions, SIMULATED_LATENCY) as base_url:
            free = _free_limits(prepared, resumed=opened.resumed)
            cluster = RayCluster(prepared.settings.ray_address)
            executor = _executor(
                prepared, base_url, key, journal=journal, free=free, purse=purse, cluster=cluster
            )
            planned = planned_by(prepared, opened.run)
            admission = direct.Admission(
                prepared, base_url, key, directory=directory, executor=executor, purse=purse, free=free
            )
            trials = await direct.trials_of(
                _remaining(planned, questions, ledger), planned, ledger, manifest, admission
            )
            executor.added = lambda: trials.added
            watch = Watch(deciding(ledger, prepared.settings), executor.stop)
            watching: list[Observer] = [manifest, trials, watch, *telling(executor.gate, base_url)]
            watching += observers(executor, ledger.done)
            court = open_judge(prepared.settings, questions, journal, base_url=base_url, key=key)
            async with _grading(prepared.settings, cluster, court, watch.after(journal.append)) as grading:
                executor.to_grade = lambda: grading.waiting
                work = _Work(executor, journal, grading, watching)
                await _ask_planned(work, trials, watch, manifest, ledger)
                await _grade_rest(work, manifest, ledger)
                confirmed = await _confirm(work, manifest, planned, ledger)
            executor.on_end()
        stopped = executor.stop.requested() and (
            grading.owing > 0
            or not confirmed
            or baselines.lacking(Ledger(manifest.run, questions, directory.journal))
        )
        watch.outweigh(executor.stop)
        run = msgspec.structs.replace(
            manifest.run,
            decided=stopped and watch.decided is not None,
            simulated=manifest.run.simulated or (grading.judge is not None and grading.judge.simulated),
        )
        return _end(directory, run, prepared.settings, executor, stopped=stopped)


def _unchanged(opened: Opened) -> QuestionSet:
    """Give the frozen questions of a run; raise UsageError when they are not those it began with."""
    questions = opened.directory.load_questions()
    if questions.sha256 != opened.run.questions_sha256:
        raise UsageError(f"{opened.directory.questions}: was changed after the run began; start a new run.")
    return questions


def _launch(prepared: Prepared, opened: Opened, journal: Journal) -> _Manifest:
    """Say in journal and manifest that this process works on the run."""
    journal.append(Launch(at=now(), pid=os.getpid(), routemark_version=__version__))
    manifest = _Manifest(opened.directory, opened.run)
    manifest.update(status="running", stop_reason=None, finished_at=None, settings=prepared.settings.public())
    return manifest


@contextlib.asynccontextmanager
async def _grading(
    settings: Settings,
    cluster: RayCluster,
    court: contextlib.AbstractAsyncContextManager[Judge | None],
    take: Callable[[Grade], None],
) -> AsyncIterator[Beside]:
    """Give what grades beside the asking, with its judge if there is one, and a cluster's machines."""
    allow_code = settings.allow_code_execution
    elsewhere = RayGraders(cluster, allow_code=allow_code) if settings.executor == "ray" else None
    async with (
        court as judge,
        Beside(take, allow_code=allow_code, judge=judge, elsewhere=elsewhere) as grading,
    ):
        yield grading


def _executor(  # noqa: PLR0913 - what the asking rests on, by name
    prepared: Prepared,
    base_url: str,
    key: str | None,
    *,
    journal: Journal,
    free: FreeLimits | None,
    purse: BudgetPurse | None,
    cluster: RayCluster,
) -> LocalExecutor:
    """Give the executor that asks a gateway."""

    def connect(gate: Gate, on_generation: Callable[[str, str], None]) -> OpenRouterClient:
        return _client(prepared, base_url, key, gate=gate, on_generation=on_generation, purse=purse)

    def connect_cluster(gate: Gate, on_generation: Callable[[str, str], None]) -> Cluster:
        return Cluster(
            RayTeam(cluster, prepared.settings.workers),
            _setup(prepared, base_url, metered=purse is not None),
            page_client(prepared.settings, base_url, key),
            gate=gate,
            stop=executor.stop,
            health=executor.health,
            purse=purse,
            keyed=key is not None,
            record=lambda name, data: journal.append(Event(event=name, at=now(), data=data)),
            on_generation=on_generation,
        )

    on_cluster = prepared.settings.executor == "ray"
    executor = (ClusterExecutor if on_cluster else LocalExecutor)(
        connect_cluster if on_cluster else connect,
        where=without_userinfo(base_url),
        concurrency=prepared.settings.concurrency,
        fixed=prepared.settings.fixed_concurrency,
        free=free,
        purse=purse,
    )
    return executor


def _end(
    directory: RunDirectory, run: Run, settings: Settings, executor: LocalExecutor, *, stopped: bool
) -> Finished:
    """Say in the manifest how the run ended, and write what comes of it."""
    stop = executor.stop
    run = msgspec.structs.replace(
        run,
        status="stopped" if stopped else "complete",
        stop_reason=stop.reason if stopped else None,
        finished_at=now(),
        client=executor.health.report(),
    )
    try:
        return conclude(directory, run, settings, stop.exit_code if stopped else 0)
    except RunError as error:
        first = f"{stop.reason} " if stopped else ""
        raise RunError(f"{first}{error} Resume to have it written.") from None


class _Work(NamedTuple):
    """What asking and grading go through."""

    executor: LocalExecutor
    journal: Journal
    grading: Beside
    observers: list[Observer]


async def _grade_rest(work: _Work, manifest: _Manifest, before: Ledger) -> None:
    """Let all grades come in; give theirs to the answers that a crash, or a full queue, left without one.

    ``before``: the ledger as it was before the asking. A run that was interrupted ends without this.
    """
    executor, grading = work.executor, work.grading
    try:
        if executor.stop.exit_code == INTERRUPTED:
            return
        await grading.drain()
        if grading.left or before.lacks_grades():
            now_there = Ledger(manifest.run, before.questions, work.journal.path)
            if grading.judge is not None:
                grading.judge.rival = rivals(now_there)
            await grading.grade_rest(now_there.without_grade())
    except asyncio.CancelledError:
        executor.stop("Interrupted.", INTERRUPTED)
    except RunError as error:
        executor.stop(str(error), error.exit_code)


async def _ask_planned(
    work: _Work, trials: Trials, watch: Watch, manifest: _Manifest, before: Ledger
) -> None:
    """Ask the trials; with ``--until-decided`` only after grades that are missing, which may decide already."""
    if watch.looks is not None:
        await _grade_rest(work, manifest, before)
        workers = work.executor.workers
        trials = patient = Patient(
            trials, watch.looks, work.grading, window=before.run.window, workers=workers
        )
        watch.on_grade = patient.move
        work.observers.append(patient)
    if not work.executor.stop.requested():
        await _execute(work, trials)


async def _confirm(work: _Work, manifest: _Manifest, planned: plan.Plan, before: Ledger) -> bool:
    """Ask the oracle's picks afresh, once all else has been asked and graded; tell whether that is done."""
    executor = work.executor
    if not len(before.confirmed) or executor.stop.requested():
        return not len(before.confirmed)
    graded = Ledger(manifest.run, before.questions, work.journal.path)
    confirmation = direct.Confirmation(planned, graded)
    joined = executor.added()
    executor.added = lambda: joined + len(confirmation)
    await _execute(work, Planned(confirmation.trials()))
    await _grade_rest(work, manifest, graded)
    return not executor.stop.requested()


async def _execute(work: _Work, trials: Trials) -> None:
    """Run the executor to its end, and make of whatever ends it early a stop with its reason."""
    executor = work.executor
    try:
        await executor.execute(trials, work.journal, work.grading.grade, work.observers)
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


def _setup(prepared: Prepared, base_url: str, *, metered: bool) -> Setup:
    """Give what the clients of a cluster's workers are made of."""
    settings = prepared.settings
    return Setup(
        base_url=base_url,
        options=prepared.options,
        transport=settings.transport,
        concurrency=settings.concurrency,
        timeout_s=settings.timeout,
        idle_timeout_s=settings.idle_timeout,
        max_attempts=settings.max_attempts,
        simulated=settings.simulate,
        metered=metered,
    )


def planned_by(prepared: Prepared, run: Run) -> plan.Plan:
    """Give what, with its questions, makes the trials of a run."""
    return plan.Plan(
        run_id=run.plan_id or run.id,
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


def summarise(  # noqa: PLR0913 - what a finished run can be told anew, by name
    directory: RunDirectory,
    *,
    run: Run | None = None,
    margin: float | None = None,
    baseline: str | None = None,
    weights: str | None = None,
    traffic: int | None = None,
    gate: list[str] | None = None,
    files: Sequence[Path] = (),
) -> tuple[Ledger, Summary]:
    """Compute the summary from the run directory alone; what is not given here is the run's own.

    ``run``: the manifest that is about to be written; None reads it. ``files``: to be written from the same pass
    over the journal, each in the format of its ending. Raises: UsageError when there is no such baseline, or
    the weights are not those of the run's difficulties; RunError when a file cannot be written.
    """
    run = run or directory.read()
    own = msgspec.convert(run.settings, Settings)
    anew = {"margin": margin, "baseline": baseline, "weights": weights, "traffic": traffic, "gate": gate}
    asked = {name: value for name, value in anew.items() if value is not None}
    run = msgspec.structs.replace(run, settings={**run.settings, **asked})
    kept = msgspec.convert(run.settings, Settings)
    known = [name for arm in run.all_arms for name in (arm.name, arm.model)]
    if kept.baseline is not None and kept.baseline not in known:
        raise UsageError(f"--baseline {kept.baseline}: no such arm.{nearest(kept.baseline, known)}")
    ledger = Ledger(run, directory.load_questions(), directory.journal)
    mix = weights_of(kept, ledger.questions)
    conditions = gates_of(kept, run.all_arms)
    looks = deciding(ledger, own)
    joined, cells = direct.joined_of(ledger)
    added = 0 if cells is None else cells.total
    with outputs.opened(files, run) as written:
        write = (lambda judged: written.row(result_row(*judged))) if files else None
        summary = direct.folded(ledger, write).close(
            run,
            planned=(run.originals * len(run.arms) + added) * run.repeats,
            finished_questions=min(ledger.counted_questions, run.originals),
            margin=kept.margin,
            baseline=kept.baseline,
            joined=joined,
            traffic=Traffic(mix, kept.traffic),
            looked=None if looks is None else looked_at(looks, [arm.name for arm in run.arms]),
            pace=ledger.pace,
        )
        decided = gates.decide(conditions, gate_figures.of_summary(run, summary))
        summary = msgspec.structs.replace(summary, judge_cost_usd=ledger.judge_cost_usd, gates=decided)
        written.close(summary)
    return ledger, summary


def conclude(directory: RunDirectory, run: Run, settings: Settings, exit_code: int) -> Finished:
    """Summarise, write `results.json`, `report.html` and what ``--output`` names; give the exit code.

    Why a run stopped, and too many failures, go before a gate that failed.

    The manifest comes last: a run that died before it is still open, and whoever resumes it only writes.
    """
    files = (directory.results, directory.report, *map(Path, settings.output))
    ledger, summary = summarise(
        directory, run=run, margin=settings.margin, baseline=settings.baseline, files=files
    )
    directory.write(run)
    if exit_code == 0 and summary.total and summary.failed / summary.total > settings.fail_on_error:
        exit_code = TOO_MANY_FAILED
    if exit_code == 0 and not all(gate.passed for gate in summary.gates):
        exit_code = gates.GATE_FAILED
    return Finished(directory, ledger.run, summary, exit_code)


def rows(ledger: Ledger) -> Iterator[ResultRow]:
    """Yield a flat row for each trial that has ended, in plan order."""
    return (result_row(*judged) for judged in ledger.judged())
