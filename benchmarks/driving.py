"""The driver of a cluster with many workers, in no time: `python -m benchmarks.driving TRIALS WORKERS`.

Driver and workers are the real ones; only the gateway and the messages are made up, and the clock goes from one event
to the next. Tells what share of the time the slots were in use, how often a worker and the driver spoke for a trial,
and the CPU time of a trial, without a budget and with one: that of the workers is in it.
"""

from __future__ import annotations

import asyncio
import random
import selectors
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

from benchmarks.machine import line, own_cpu_s
from routemark.engine import cluster, cluster_worker, gate
from routemark.engine.cluster import Cluster, LostError
from routemark.engine.cluster_messages import Setup
from routemark.engine.cluster_worker import Worker
from routemark.engine.gate import Gate
from routemark.engine.health import HealthMonitor
from routemark.engine.purse import BudgetPurse
from routemark.engine.run import Desk, Planned, Stop, work
from routemark.policy.budget import Budget
from routemark.policy.pacing import Pace
from routemark.policy.stopping import StopRules
from routemark.records import Arm, Attempt, Completion, Outcome, Question, Trial
from routemark.router import OpenRouterClient
from routemark.wire.prices import PICO, Ceiling, Step
from routemark.wire.request import RequestOptions

MESSAGE_S = (0.001, 0.05)
ANSWER_S = (0.5, 2.0)
WORST_USD = 0.01
ARM = Arm(name="m", model="m")


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next event; nothing outside it is waited for."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Jumps(self))

    def time(self) -> float:
        """Give the made-up time, seconds."""
        return self._now

    def jump(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds


class _Jumps(selectors.SelectSelector):
    """Waits for nothing: it lets its loop's time pass instead."""

    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Pass the time at once; with nothing to wait for, nothing would ever happen again."""
        if timeout is None:
            raise RuntimeError("everybody waits for somebody else")
        self._loop.jump(max(0.0, timeout))
        return super().select(0)


class World:
    """The gateway, and what can be seen from above."""

    def __init__(self, seed: int = 0) -> None:
        self.draw = random.Random(seed)
        self.in_flight = self.peak = self.messages = 0
        self.billed_usd = 0.0
        self.busy_s = 0.0
        self.sent: dict[str, int] = {}
        self.team: list[Here] = []

    async def answered(self, trial: Trial) -> float:
        """Serve one request, which is billed when it is sent; give the seconds that it took."""
        took_s = self.draw.uniform(*ANSWER_S)
        self.sent[trial.key] = self.sent.get(trial.key, 0) + 1
        self.billed_usd += WORST_USD / 2
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        begun = asyncio.get_running_loop().time()
        try:
            await asyncio.sleep(took_s)
        finally:
            self.in_flight -= 1
            self.busy_s += asyncio.get_running_loop().time() - begun
        return took_s


class _Client:
    """Asks the made-up gateway, through the worker's own gate and purse."""

    def __init__(self, world: World, own_gate: Any, purse: Any) -> None:
        self._world, self._gate, self._purse = world, own_gate, purse

    async def complete(self, trial: Trial) -> Outcome:
        await self._gate.admit(trial.arm.name)
        took_s = await self._world.answered(trial)
        self._gate.release(trial.arm.name, None)
        answer = Completion(text="4", model="m", cost_usd=WORST_USD / 2, latency_s=took_s)
        attempt = Attempt(started_at="2026-01-01T00:00:00.000Z", duration_s=took_s, status=200)
        return Outcome(
            trial=trial.key, question_id=trial.question.id, arm="m", repeat=0, session_id="s", attempts=[attempt],
            completion=answer,
        )  # fmt: skip


class _Worker(Worker):
    def __init__(self, world: World, setup: bytes) -> None:
        super().__init__(setup)
        self._world = world

    def _connected(self, key: str | None) -> OpenRouterClient:
        return cast("OpenRouterClient", _Client(self._world, self._gate, self._purse))

    async def hello(self) -> bytes:
        said = await super().hello()
        self._watch.cancel()  # how late this loop runs means nothing
        return said

    def die(self) -> None:
        """Drop whatever is under way."""
        for task in self._tasks.values():
            task.cancel()


class Here:
    """A worker that can be shot, and messages that take their time."""

    def __init__(self, world: World, setup: bytes) -> None:
        self.world = world
        self.worker = _Worker(world, setup)
        self.shot = asyncio.Event()
        world.team.append(self)

    async def _sent(self, method: Callable[..., Any], *arguments: Any) -> Any:
        self.world.messages += 1
        doing = asyncio.ensure_future(self._there_and_back(method, *arguments))
        dying = asyncio.ensure_future(self.shot.wait())
        try:
            await asyncio.wait({doing, dying}, return_when=asyncio.FIRST_COMPLETED)
            if self.shot.is_set():
                raise LostError("shot")
            return doing.result()
        finally:
            doing.cancel()
            dying.cancel()

    async def _there_and_back(self, method: Callable[..., Any], *arguments: Any) -> Any:
        await asyncio.sleep(self.world.draw.uniform(*MESSAGE_S) / 2)
        said = await method(*arguments)
        await asyncio.sleep(self.world.draw.uniform(*MESSAGE_S) / 2)
        return said

    async def hello(self) -> bytes:
        return bytes(await self._sent(self.worker.hello))

    async def order(self, data: bytes) -> None:
        await self._sent(self.worker.order, data)

    async def report(self, acknowledged: int) -> bytes:
        return bytes(await self._sent(self.worker.report, acknowledged))

    def dismiss(self) -> None:
        """Be gone with all that was in flight."""
        self.shot.set()
        self.worker.die()


class _Team:
    def __init__(self, world: World, workers: int) -> None:
        self._world, self._workers = world, workers

    async def open(self) -> None:
        """Nothing to reach."""

    def wanted(self) -> int:
        return self._workers

    def hire(self, setup: bytes) -> Here:
        return Here(self._world, setup)

    async def close(self) -> None:
        """Nothing to leave."""


class _NoPages:
    async def aclose(self) -> None:
        """Nothing to close."""


class Drove(NamedTuple):
    """What came of it."""

    world: World
    outcomes: list[Outcome]
    """In the order in which they were journaled."""
    took_s: float
    """By the made-up clock."""
    cpu_s: float
    stopped: str | None
    budget: Budget | None


def drive(
    trials: int,
    workers: int,
    *,
    slots: int = 1000,
    concurrency: int = 2000,
    max_cost_usd: float | None = None,
    during: Callable[[World, int], None] = lambda world, done: None,  # noqa: ARG005
) -> Drove:
    """Have so many trials asked; ``during`` is called after each outcome, with the number of those so far."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        loop = cast("Loop", runner.get_loop())
        with _clock(loop):
            return runner.run(_driven(loop, trials, workers, slots, concurrency, max_cost_usd, during))


async def _driven(  # noqa: PLR0917 - as `drive`
    loop: Loop,
    trials: int,
    workers: int,
    slots: int,
    concurrency: int,
    max_cost_usd: float | None,
    during: Callable[[World, int], None],
) -> Drove:
    world, outcomes = World(), list[Outcome]()
    own_gate = Gate(Pace(slots, fixed=True))
    stop = Stop(own_gate.close)
    budget = None if max_cost_usd is None else Budget(round(max_cost_usd * PICO))
    purse = None
    if budget is not None:
        step = Step(above=-1, prompt=0, fixed=round(WORST_USD * PICO))
        bound = Ceiling(steps=(step,), dearest="m", completion_tokens=1)
        purse = BudgetPurse(budget, {"m": bound}, record=lambda name, data: None, run="r")  # noqa: ARG005
        purse.on_empty = stop
    options = RequestOptions(max_tokens=10, temperature=None, stream=True)
    setup = Setup(
        base_url="http://127.0.0.1", options=options, transport="pyreqwest", concurrency=concurrency, timeout_s=600,
        idle_timeout_s=600, max_attempts=6, simulated=True, metered=purse is not None,
    )  # fmt: skip
    health = HealthMonitor()

    class Journal:
        def hold(self, record: Any) -> None:
            outcomes.append(record)
            during(world, len(outcomes))

        def flush(self) -> None:
            """Nothing is held back."""

    desk = Desk(
        cast("Any", Journal()), lambda *_: None, [], stop, rules=StopRules("here"), heard_at=loop.time
    )
    used = own_cpu_s()
    async with Cluster(
        _Team(world, workers), setup, cast("Any", _NoPages()), gate=own_gate, stop=stop, health=health,
        purse=purse, keyed=False, record=lambda name, data: None, on_generation=lambda *_: None,  # noqa: ARG005
    ) as made:  # fmt: skip
        await work(Planned(_trials(trials)), made.complete, desk, stop, concurrency)
        took_s, cpu_s = loop.time(), own_cpu_s() - used
    return Drove(world, outcomes, took_s, cpu_s, stop.reason, budget)


def _trials(count: int) -> Iterator[Trial]:
    question = Question(id="q", difficulty="easy", question="What is 2 + 2?")
    return (
        Trial(key=f"{number:016x}", question=question, arm=ARM, repeat=0, session_id="s")
        for number in range(count)
    )


@contextmanager
def _clock(loop: Loop) -> Iterator[None]:
    """Let driver and workers read the made-up clock."""
    made_up: Any = SimpleNamespace(monotonic=loop.time)
    modules: list[Any] = [cluster, cluster_worker, gate]
    try:
        for module in modules:
            module.time = made_up
        yield
    finally:
        for module in modules:
            module.time = time


def main() -> None:
    """Drive without a budget, and with one."""
    trials, workers = int(sys.argv[1]), int(sys.argv[2])
    print(line())
    for title, max_cost_usd in (("no budget", None), ("--max-cost", trials * WORST_USD * 2)):
        done = drive(trials, workers, max_cost_usd=max_cost_usd)
        in_use = done.world.busy_s / (1000 * done.took_s)
        print(
            f"{title}: {trials:,} trials, {workers} workers, 1,000 slots: in use {in_use:.0%} of the time, "
            f"{done.world.messages / trials:.2f} messages and {done.cpu_s / trials * 1e6:.0f} us of CPU a trial"
        )


if __name__ == "__main__":
    main()
