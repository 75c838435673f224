"""A worker of a cluster: asks the trials that the driver gives it, through the same layers as a run of one process.

It decides nothing about pace and budget: it has a lease of slots, obeys at once what it is told to wait for, and
has further requests paid for by the driver. What it has to tell is kept until the driver has acknowledged it, so
nothing is lost or told twice, whatever becomes of a message. It knows nothing of Ray.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from routemark.config import SIMULATED_KEY, api_key
from routemark.engine.cluster_messages import (
    Again,
    Arrived,
    Ended,
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
from routemark.policy.pacing import Pace
from routemark.policy.retry import RetryPolicy
from routemark.records import Attempt, Completion, Trial
from routemark.router import OpenRouterClient
from routemark.transport import make_transport
from routemark.wire.failures import Refusal

HEARTBEAT_S = 0.5
"""A report comes at least that often."""


class Worker:
    """Takes orders and gives reports, both as bytes; lives on one event loop."""

    def __init__(self, setup: bytes) -> None:
        self._setup = unpack(setup, Setup)
        self._news = asyncio.Event()
        self._told = Report(number=0)
        """The latest report."""
        self._followed = 0
        """Number of the latest order."""
        self._heard: list[Heard] = []
        self._arrived: list[Arrived] = []
        self._again: list[Again] = []
        self._ended: list[Ended] = []
        self._health = HealthMonitor()
        self._gate = _LeasedGate(self._hear)
        self._lease = 0
        self._closed = False
        self._purse = _Purse(self) if self._setup.metered else None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._client: OpenRouterClient | None = None

    # ----------------------------------------------------------------- for the driver

    async def hello(self) -> bytes:
        """Get ready; tell who this is."""
        key = SIMULATED_KEY if self._setup.simulated else api_key(os.environ)
        if self._client is None:
            self._client = self._connected(key)
            self._watch = asyncio.create_task(self._health.watch_loop())
        return pack(Hello(host=socket.gethostname(), pid=os.getpid(), keyed=key is not None))

    async def order(self, data: bytes) -> None:
        """Take an order."""
        order = unpack(data, Order)
        if order.number <= self._followed:
            return
        self._followed = order.number
        for refusal in order.refused:
            self._gate.pace.refused(refusal.arm, str(refusal.kind), refusal.retry_after_s, time.monotonic())
        for granted in order.granted:
            if self._purse is not None:
                self._purse.granted(granted.trial, paid=granted.paid)
        for trial in order.trials:
            self._tasks[trial.key] = asyncio.create_task(self._ask(trial))
        if order.close:
            self._close()
        if order.lease > self._lease:
            self._lease = order.lease
            self._gate.lease(order.slots)
            self._news.set()

    async def report(self, acknowledged: int) -> bytes:
        """Give what there is to tell, once there is something; what the report ``acknowledged`` told is forgotten."""
        if acknowledged == self._told.number:
            self._forget()
        else:
            self._news.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), HEARTBEAT_S)
        self._news.clear()
        self._told = Report(
            number=self._told.number + 1,
            heard=self._heard[:],
            arrived=self._arrived[:],
            again=self._again[:],
            ended=self._ended[:],
            lags_s=self._health.lags(),
            lease=self._lease,
            in_flight=self._gate.in_flight,
            pausing=len(self._tasks) - self._gate.in_flight - self._gate.waiting,
        )
        return pack(self._told)

    # ----------------------------------------------------------------- inside

    def _connected(self, key: str | None) -> OpenRouterClient:
        setup = self._setup
        return OpenRouterClient(
            api_key=key,
            base_url=setup.base_url,
            transport=make_transport(setup.transport, setup.concurrency),
            options=setup.options,
            timeout_s=setup.timeout_s,
            idle_timeout_s=setup.idle_timeout_s,
            retry=RetryPolicy(max_attempts=setup.max_attempts),
            pacer=self._gate,
            purse=self._purse,
            sleep=self._gate.sleep,
            on_generation=self._arrive,
        )

    async def _ask(self, trial: Trial) -> None:
        assert self._client is not None
        try:
            outcome = await self._client.complete(trial)
        except asyncio.CancelledError:
            if not self._closed:
                raise
            outcome = None
        finally:
            self._tasks.pop(trial.key, None)
        self._ended.append(Ended(trial=trial.key, outcome=outcome))
        self._news.set()

    def _forget(self) -> None:
        told = self._told
        del self._heard[: len(told.heard)]
        del self._arrived[: len(told.arrived)]
        del self._again[: len(told.again)]
        del self._ended[: len(told.ended)]
        self._told = Report(number=told.number)

    def _hear(self, heard: Heard) -> None:
        self._heard.append(heard)
        if heard.kind is not None:
            self._news.set()  # an answer is told with its outcome

    def _arrive(self, trial: str, generation_id: str) -> None:
        self._arrived.append(Arrived(trial=trial, generation_id=generation_id))
        self._news.set()

    def ask_again(self, trial: str, attempt: Attempt) -> None:
        """Have the driver pay for another request."""
        self._again.append(Again(trial=trial, attempt=attempt))
        self._news.set()

    def _close(self) -> None:
        self._closed = True
        self._gate.close()
        if self._purse is not None:
            self._purse.close()


class _LeasedGate(Gate):
    """A gate whose limit is a lease, and whose pace only pauses."""

    def __init__(self, hear: Callable[[Heard], None]) -> None:
        super().__init__(Pace(1, fixed=True))
        self.pace.limit = 0.0
        self._hear = hear

    def release(self, arm: str, refusal: Refusal | None) -> None:
        """Tell the driver, too."""
        self._hear(Heard.of(arm, refusal))
        super().release(arm, refusal)

    def lease(self, slots: int) -> None:
        """Let so many requests be in flight."""
        self.pace.limit = float(slots)
        self.wake()


class _Purse:
    """Has every request of a trial but its first paid for by the driver."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._waiting: dict[str, asyncio.Future[bool]] = {}
        self._closed = False

    def open(self, trial: Trial, request_bytes: int) -> _Tab:  # noqa: ARG002 - as router.Purse
        """Give the tab of a trial, whose first request is paid for."""
        return _Tab(self, trial.key)

    async def pay(self, trial: str, attempt: Attempt) -> bool:
        """Wait until the driver has paid; False: it will not."""
        if self._closed:
            raise asyncio.CancelledError
        paid: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[trial] = paid
        self._worker.ask_again(trial, attempt)
        return await paid

    def granted(self, trial: str, *, paid: bool) -> None:
        """Hear whether a trial's next request is paid for."""
        waiter = self._waiting.pop(trial, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(paid)

    def close(self) -> None:
        """Let nobody wait any more."""
        self._closed = True
        for waiter in self._waiting.values():
            waiter.cancel()
        self._waiting.clear()


class _Tab:
    """The tab of one trial; see router.Tab."""

    def __init__(self, purse: _Purse, trial: str) -> None:
        self._purse = purse
        self._trial = trial
        self._over: Attempt | None = None
        """The latest attempt, where it has used up what was paid."""

    async def reserve(self) -> bool:
        """Wait until a request is paid for."""
        if self._over is None:
            return True
        over, self._over = self._over, None
        return await self._purse.pay(self._trial, over)

    def send(self) -> None:
        """Do nothing: the driver took note when it paid."""

    def settle(self, attempt: Attempt, completion: Completion | None) -> None:  # noqa: ARG002 - as router.Tab
        """Remember that what was paid is used up."""
        self._over = attempt

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing: the outcome tells the driver."""
