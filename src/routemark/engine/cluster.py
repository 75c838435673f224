"""Asks trials through workers on other machines; to the loop of a run it is a client like any other.

The loop, the journal, the grades, the pace and the budget stay with the driver, this process: a worker gets trials
whose first request is paid for and a lease of slots (policy.leases), and reports what came of them. The next report
is asked for when the outcomes of the one before are journaled, and only that lets the worker forget them: an
outcome is journaled once, whichever message is lost.

A worker that is lost gives back its lease. Its trials are asked again by others, once: the lost attempt stands in
front of the outcome, at its worst case in the budget, since it may have been billed.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Protocol, Self

import msgspec

from routemark.engine.cluster_messages import (
    Again,
    Ended,
    Granted,
    Heard,
    Hello,
    Order,
    Report,
    Setup,
    pack,
    unpack,
)
from routemark.engine.gate import Gate
from routemark.engine.health import HealthMonitor
from routemark.engine.local import Connect, LocalExecutor
from routemark.engine.run import Stop
from routemark.errors import FailureKind, RunError, rule
from routemark.policy.leases import Leases
from routemark.records import Attempt, Failure, Outcome, Trial
from routemark.router import OpenRouterClient, Purse, Tab, Unlimited
from routemark.wire.request import encode_shared

SILENT_S = 60.0
"""Without a report for so long, a worker counts as lost."""
NONE_S = 180.0
"""Without any worker for so long, the run stops."""
LOOK_S = 2.0
"""Seconds between two looks at how many workers there should be."""
DEAL_S = 0.01
"""Seconds that a change of leases may wait for others."""
MOST_ASKED = 2
"""Times that a trial is given to a worker."""
FAILED_STARTS = 3
"""So many workers in a row that do not come up end the run."""

WORKER_LOST = "worker_lost"
"""Name of the event that a worker is gone, with the trials that it had."""
_NOT_SENT = Attempt(started_at="", duration_s=0.0, cost_usd=0.0)
"""Settles what was paid for a request that did not go out."""


class WorkersHealth(HealthMonitor):
    """The workers' share of what they measure: how late this process runs is in no latency."""

    async def watch_loop(self) -> None:
        """Measure nothing, until cancelled."""
        await asyncio.get_running_loop().create_future()


class ClusterExecutor(LocalExecutor):
    """Turns planned trials into journaled outcomes, on other machines."""

    def __init__(self, connect: Connect, **seams: Any) -> None:
        """Take what `LocalExecutor` takes; ``connect`` gives a `Cluster`."""
        super().__init__(connect, **seams)
        self.health = WorkersHealth()


class LostError(Exception):
    """A worker, or the machine below it, is gone; the text says what is known."""


class Remote(Protocol):
    """A worker on another machine. Every method raises LostError when it is gone."""

    async def hello(self) -> bytes:
        """Wait until the worker is ready; give its `Hello`."""

    async def order(self, data: bytes) -> None:
        """Give it an `Order`."""

    async def report(self, acknowledged: int) -> bytes:
        """Acknowledge the report of that number, and give the next `Report`."""

    def dismiss(self) -> None:
        """Let it go, whatever it does."""


class Team(Protocol):
    """Where workers come from."""

    async def open(self) -> None:
        """Reach the machines. Raises: RunError."""

    def wanted(self) -> int:
        """Give how many workers there should be now."""

    def hire(self, setup: bytes) -> Remote:
        """Have a worker started, as soon as there is room for it."""

    async def close(self) -> None:
        """Leave the machines."""


class _Asked:
    """A trial that was given to a worker, or is about to be."""

    def __init__(self, trial: Trial, tab: Tab) -> None:
        self.trial = trial
        self.tab = tab
        self.paid = True
        """A request is paid for, and its bill is not known."""
        self.attempts: list[Attempt] = []
        """Those before the latest, as far as the driver has paid for them one by one."""
        self.paying: asyncio.Task[None] | None = None
        self.since = time.monotonic()
        self.ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self.journaled = asyncio.Event()

    def settle(self, attempt: Attempt, outcome: Outcome | None = None) -> None:
        """Put the bill in the place of what was paid, once."""
        if self.paid:
            self.paid = False
            self.tab.settle(attempt, None if outcome is None else outcome.completion)


class _Member:
    """A worker as the driver knows it."""

    def __init__(self, name: str, remote: Remote) -> None:
        self.name = name
        self.remote = remote
        self.hello: Hello | None = None
        self.asked: dict[str, _Asked] = {}
        self.in_flight = self.pausing = 0
        self.due = asyncio.Event()
        """There is something to order."""
        self._orders = 0
        self._order: dict[str, Any] = {"trials": [], "granted": [], "refused": []}

    def add(self, **what: Any) -> None:
        """Put something into the next order; lists grow, other values take the place of older ones."""
        for name, value in what.items():
            if isinstance(value, list):
                self._order[name].extend(value)
            else:
                self._order[name] = value
        self.due.set()

    def next_order(self) -> Order:
        """Give all that is to be ordered."""
        self.due.clear()
        self._orders += 1
        order = Order(number=self._orders, **self._order)
        lasting = {name: value for name, value in self._order.items() if not isinstance(value, list)}
        self._order = {"trials": [], "granted": [], "refused": [], **lasting}
        return order


class Cluster:
    """Completes trials through the workers of a team; see `router.OpenRouterClient` for what `complete` means."""

    def __init__(  # noqa: PLR0913 - the seams of a run, by name
        self,
        team: Team,
        setup: Setup,
        pages: OpenRouterClient,
        *,
        gate: Gate,
        stop: Stop,
        health: HealthMonitor,
        purse: Purse | None,
        keyed: bool,
        record: Callable[[str, dict[str, Any]], None],
        on_generation: Callable[[str, str], None],
    ) -> None:
        """``pages``: looks things up from here; ``keyed``: requests need a key, which workers must have.

        ``gate``: holds the pace, and tells how many requests are in flight. ``record`` journals an event.
        """
        self._team = team
        self._setup = setup
        self._pages = pages
        self._gate = gate
        self._stop = stop
        self._health = health
        self._purse: Purse = purse or Unlimited()
        self._keyed = keyed
        self._record = record
        self._on_generation = on_generation
        self._leases = Leases(gate.pace.limit)
        self._members: dict[str, _Member] = {}
        self._homeless: list[_Asked] = []
        """Trials that no worker is there for."""
        self._names = (f"w{number}" for number in itertools.count(1))
        self._failed_starts = 0
        self._alone_since = time.monotonic()
        self._dealing = False
        self._closed = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._team.open()
        self._alone_since = time.monotonic()
        self._begin(self._keep_team())
        self._begin(self._close_with_gate())
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for member in self._members.values():
            member.remote.dismiss()
        await self._team.close()
        await self._pages.aclose()

    async def get_json(self, path: str) -> Any:
        """Give the JSON of a look-up below the base URL. Raises: APIError."""
        return await self._pages.get_json(path)

    # ----------------------------------------------------------------- one trial

    async def complete(self, trial: Trial) -> Outcome:
        """Have a trial asked, again if its worker is lost; CancelledError when the run stops before."""
        lost: list[Attempt] = []
        times = 0
        size = (
            len(encode_shared(trial.question, trial.arm, self._setup.options)) if self._setup.metered else 0
        )
        with self._purse.open(trial, size) as tab:
            while True:
                if not await tab.reserve():
                    if not lost:
                        raise asyncio.CancelledError
                    return _failed(trial, lost, FailureKind.OVER_BUDGET)
                tab.send()
                asked = _Asked(trial, tab)
                try:
                    outcome = await self._asked(asked)
                except LostError as error:
                    times += 1
                    lost += [*asked.attempts, _lost_attempt(asked, error)]
                    asked.settle(lost[-1])
                    if self._closed:
                        raise asyncio.CancelledError from None
                    if times == MOST_ASKED:
                        return _failed(trial, lost, FailureKind.WORKER_LOST)
                    continue
                return msgspec.structs.replace(outcome, attempts=[*lost, *outcome.attempts])

    async def _asked(self, asked: _Asked) -> Outcome:
        """Give what a worker made of a trial. Raises: LostError; CancelledError when it was given up."""
        self._assign(asked)
        try:
            ended = await asked.ended
        finally:
            # behind the step in which the loop journals what `complete` returns
            asyncio.get_running_loop().call_soon(asked.journaled.set)
        outcome = ended.outcome
        if outcome is None:
            asked.settle(_NOT_SENT)
            raise asyncio.CancelledError
        if outcome.attempts:
            asked.settle(outcome.attempts[-1], outcome)
        return outcome

    def _assign(self, asked: _Asked) -> None:
        """Give a trial to the worker with fewest: a slow one keeps those it has, and gets fewer."""
        if self._closed:
            asked.ended.set_result(Ended(trial=asked.trial.key, outcome=None))
            return
        ready = [member for member in self._members.values() if member.hello is not None]
        if not ready:
            self._homeless.append(asked)
            return
        member = min(ready, key=lambda one: len(one.asked))
        member.asked[asked.trial.key] = asked
        asked.since = time.monotonic()
        member.add(trials=[_bare(asked.trial)])
        self._deal_soon()

    # ----------------------------------------------------------------- workers

    async def _keep_team(self) -> None:
        """Hire whoever is missing: workers are lost, and machines join."""
        while not self._closed:
            for _ in range(self._team.wanted() - len(self._members)):
                member = _Member(next(self._names), self._team.hire(pack(self._setup)))
                self._members[member.name] = member
                self._begin(self._employ(member))
            if any(member.hello is not None for member in self._members.values()):
                self._alone_since = time.monotonic()
            elif time.monotonic() - self._alone_since > NONE_S:
                self._end(f"No worker of the cluster has been there for {NONE_S:.0f} seconds.")
            await asyncio.sleep(LOOK_S)

    async def _employ(self, member: _Member) -> None:
        """Work with a worker until it is lost."""
        try:
            member.hello = unpack(await member.remote.hello(), Hello)
            if self._keyed and not member.hello.keyed:
                self._end(
                    f"The worker on {member.hello.host} has no API key: set OPENROUTER_API_KEY where Ray is "
                    "started there."
                )
                return
            self._failed_starts = 0
            self._leases.join(member.name)
            homeless, self._homeless = self._homeless, []
            for asked in homeless:
                if not asked.ended.done():
                    self._assign(asked)
            await _first_to_fail(self._order(member), self._hear(member))
        except (LostError, TimeoutError) as error:
            self._lose(member, error)

    async def _order(self, member: _Member) -> None:
        """Send the worker what is due; what comes up meanwhile goes with the next order."""
        if self._closed:
            member.add(close=True)
        while True:
            await member.due.wait()
            async with asyncio.timeout(SILENT_S):
                await member.remote.order(pack(member.next_order()))

    async def _hear(self, member: _Member) -> None:
        """Take the worker's reports, each acknowledged once its outcomes are journaled."""
        acknowledged = 0
        while True:
            async with asyncio.timeout(SILENT_S):
                report = unpack(await member.remote.report(acknowledged), Report)
            self._heed(member, report)
            ended = [asked for each in report.ended if (asked := member.asked.pop(each.trial, None))]
            outcomes = {each.trial: each for each in report.ended}
            for asked in ended:
                if not asked.ended.done():
                    asked.ended.set_result(outcomes[asked.trial.key])
            self._stand(member, report)
            for asked in ended:
                await asked.journaled.wait()
            acknowledged = report.number

    def _heed(self, member: _Member, report: Report) -> None:
        """Take what a report tells beside outcomes."""
        for arrived in report.arrived:
            self._on_generation(arrived.trial, arrived.generation_id)
        for heard in report.heard:
            self._gate.hear(heard.arm, heard.refusal())
        paused = [heard for heard in report.heard if _pauses(heard)]
        if paused:
            for other in self._members.values():
                if other is not member:
                    other.add(refused=paused)
        self._health.lagged(report.lags_s)
        for again in report.again:
            asked = member.asked.get(again.trial)
            if asked is not None:
                asked.paying = self._begin(self._pay(member, asked, again))

    async def _pay(self, member: _Member, asked: _Asked, again: Again) -> None:
        """Settle a request that failed, and pay for the next if it fits."""
        asked.settle(again.attempt)
        asked.attempts.append(again.attempt)
        paid = await asked.tab.reserve()
        if paid:
            asked.tab.send()
            asked.paid = True
        member.add(granted=[Granted(trial=again.trial, paid=paid)])

    def _stand(self, member: _Member, report: Report) -> None:
        """Take note of how a worker stands."""
        member.in_flight, member.pausing = report.in_flight, report.pausing
        self._leases.acknowledged(member.name, report.lease, report.in_flight)
        self._count()
        self._deal_soon()

    def _count(self) -> None:
        gate = self._gate
        gate.in_flight = sum(member.in_flight for member in self._members.values())
        gate.peak = max(gate.peak, gate.in_flight)

    def _lose(self, member: _Member, error: Exception) -> None:
        """Let a worker go that is lost; what it had is asked again."""
        why = str(error) or f"it has not been heard of for {SILENT_S:.0f} seconds"
        member.remote.dismiss()
        self._members.pop(member.name, None)
        self._leases.leave(member.name)
        self._count()
        if member.hello is None:
            self._failed_starts += 1
            if self._failed_starts == FAILED_STARTS:
                self._end(f"No worker of the cluster can be started: {why}")
            return
        where = {"host": member.hello.host, "pid": member.hello.pid}
        self._record(WORKER_LOST, {**where, "why": why, "trials": list(member.asked)})
        for asked in member.asked.values():
            if asked.paying is not None:
                asked.paying.cancel()
            if not asked.ended.done():
                asked.ended.set_exception(LostError(f"The worker on {member.hello.host} was lost: {why}"))
        self._deal_soon()

    # ----------------------------------------------------------------- leases

    def _deal_soon(self) -> None:
        """Deal once for all that happens within a moment: with many workers, dealing takes longer than an outcome."""
        if not self._dealing:
            self._dealing = True
            asyncio.get_running_loop().call_later(DEAL_S, self._deal)

    def _deal(self) -> None:
        self._dealing = False
        self._leases.limit = self._gate.pace.limit
        for member in self._members.values():
            if member.hello is not None:
                self._leases.wants(member.name, len(member.asked) - member.pausing)
        for name, lease in self._leases.deal().items():
            self._members[name].add(lease=lease.number, slots=lease.slots)

    # ----------------------------------------------------------------- the end

    async def _close_with_gate(self) -> None:
        """Once the run stops, have the workers send nothing more."""
        await self._gate.closed()
        self._closed = True
        for member in self._members.values():
            member.add(close=True)
        for asked in self._homeless:
            if not asked.ended.done():
                asked.ended.set_result(Ended(trial=asked.trial.key, outcome=None))

    def _end(self, reason: str) -> None:
        self._stop(reason, RunError.exit_code)

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        """Stop the run for a fault of our own, which would else go unheard."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._end(f"The cluster's driver failed: {type(error).__name__}: {error}.")


async def _first_to_fail(*works: Coroutine[Any, Any, None]) -> None:
    """Do several things until one fails; raise its error when all are over."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def _pauses(heard: Heard) -> bool:
    """Tell whether others, too, must wait for what one was refused."""
    return heard.kind is not None and heard.retry_after_s is not None and rule(heard.kind).slows != "no"


def _bare(trial: Trial) -> Trial:
    """Give a trial without what is never sent: workers need no references."""
    question = msgspec.structs.replace(trial.question, reference=None, grader=None, metadata={})
    return msgspec.structs.replace(trial, question=question)


def _lost_attempt(asked: _Asked, error: LostError) -> Attempt:
    """Give the attempt that was under way: it may have been billed, unless none was paid for."""
    spent_s = time.monotonic() - asked.since
    began = datetime.now(UTC).timestamp() - spent_s
    started = datetime.fromtimestamp(began, UTC).isoformat(timespec="milliseconds")
    return Attempt(
        started_at=started.replace("+00:00", "Z"),
        duration_s=spent_s,
        kind=FailureKind.WORKER_LOST.value,
        message=str(error),
        cost_usd=None if asked.paid else 0.0,
    )


def _failed(trial: Trial, attempts: list[Attempt], kind: FailureKind) -> Outcome:
    said = attempts[-1].message or ""
    return Outcome(
        trial=trial.key,
        question_id=trial.question.id,
        arm=trial.arm.name,
        repeat=trial.repeat,
        session_id=trial.session_id,
        attempts=attempts,
        failure=Failure(kind=kind.value, message=f"{rule(kind).advice} {said}"),
        window=trial.window,
    )
