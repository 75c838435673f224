"""The gate: where attempts wait until the pace lets them through. The async side of policy.pacing."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable

from routemark.policy.pacing import Pace, PaceChange
from routemark.wire.failures import Refusal


class Gate:
    """Admits attempts as the pace allows; once closed, whoever still waits is cancelled."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.in_flight = 0
        self.peak = 0
        """Most attempts in flight at once."""
        self.heard_at = -math.inf
        """When the latest response of any kind came, monotonic seconds."""
        self.on_change: Callable[[PaceChange], None] = lambda change: None  # noqa: ARG005
        """Hears of every change of the pace as it happens."""
        self.on_spent: Callable[[], None] = lambda: None
        """Hears that an attempt was held back because the day's allowance is used up."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closed = asyncio.Event()

    async def admit(self, arm: str) -> None:
        """Wait until an attempt of the arm may be sent.

        Raises: CancelledError once closed, and when the arm may send no more today.
        """
        while not self._at_once():
            if self.pace.spent(arm):
                self.on_spent()
                raise asyncio.CancelledError
            if self._closed.is_set():
                raise asyncio.CancelledError
            wait_s = self.pace.ready_at(arm) - time.monotonic()
            if wait_s > 0:
                await self.sleep(wait_s)
                continue
            await self._slot()
            now = time.monotonic()
            if self.pace.ready_at(arm) <= now and not self.pace.spent(arm):
                self.pace.sent(arm, now)
                self.peak = max(self.peak, self.in_flight)
                return
            self._free()  # a pause began while we waited

    def _at_once(self) -> bool:
        """Let an attempt through that nothing holds back: the usual case, without a look at the clock."""
        if self._waiting or self.in_flight >= int(self.pace.limit) or self.pace.held or self._closed.is_set():
            return False
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        return True

    @property
    def waiting(self) -> int:
        """Attempts that wait for a slot."""
        return len(self._waiting)

    def release(self, arm: str, refusal: Refusal | None) -> None:
        """Take an attempt out of flight; ``refusal`` says what was wrong, None that it was answered."""
        self.hear(arm, refusal, self._free)

    def hear(self, arm: str, refusal: Refusal | None, then: Callable[[], None] = lambda: None) -> None:
        """Take note of how an attempt went, do ``then``, and tell of what changed by it."""
        now = time.monotonic()
        known = len(self.pace.history)
        if refusal is None or refusal.status is not None:
            self.heard_at = now
        if refusal is None:
            self.pace.answered(now)
        else:
            self.pace.refused(arm, refusal.kind, refusal.retry_after_s, now)
        then()
        for change in self.pace.history[known:]:
            self.on_change(change)

    async def sleep(self, seconds: float) -> None:
        """Wait, but not beyond the closing of the gate: then raise CancelledError."""
        try:
            await asyncio.wait_for(self._closed.wait(), seconds)
        except TimeoutError:
            return
        raise asyncio.CancelledError

    async def closed(self) -> None:
        """Wait until the gate is closed."""
        await self._closed.wait()

    def close(self) -> None:
        """Let nobody through any more; what is in flight goes on."""
        self._closed.set()
        for waiter in self._waiting:
            waiter.cancel()
        self._waiting.clear()

    async def _slot(self) -> None:
        """Take a slot, behind whoever waits already."""
        if not self._waiting and self.in_flight < int(self.pace.limit):
            self.in_flight += 1
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._free()  # the slot was ours already
            raise

    def _free(self) -> None:
        """Give a slot back."""
        self.in_flight -= 1
        self.wake()

    def wake(self) -> None:
        """Give every free slot to those who wait, first come first served."""
        while self._waiting and self.in_flight < int(self.pace.limit):
            waiter = self._waiting.popleft()
            if not waiter.done():
                self.in_flight += 1
                waiter.set_result(None)
