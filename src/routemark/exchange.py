"""One HTTP request and its response, under its time limits: sent, read, timed, recorded.

Knows no policy: whether to ask again, how fast, and what a failure means for the run are decided by
who calls. Times are taken at the socket, before anything is parsed, by a monotonic clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import math
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from routemark.clock import now
from routemark.errors import FailureKind
from routemark.records import Attempt, Completion
from routemark.transport import Limits, Transport, TransportError, TransportResponse
from routemark.wire.failures import Head, Ids, Refusal, refused
from routemark.wire.response import Reader

T = TypeVar("T")

BODY_LIMIT = 256 << 20
"""Bytes of a response beyond which it is given up, so that memory stays bounded."""

AFTERMATH_S = 5.0
"""Seconds that a response which has failed may still take to tell its cost."""

STOOD_STILL_S = 1.0
"""A timer that fires later than this was not kept waiting by work alone, seconds."""

DRAIN_S = 0.25
"""Seconds that the end of a body may take after ``[DONE]``, so that its connection can be used again."""

MESSAGE_LIMIT = 500
"""Characters of a message that are kept."""


class Tried(NamedTuple, Generic[T]):
    """One attempt: its record, what it gave, and what only the last one's outcome keeps."""

    attempt: Attempt
    result: T | Refusal
    queue_s: float
    response_sha256: str | None


class Request(NamedTuple):
    """What is sent."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


class Watch:
    """The time limits of one exchange; kept by `Watches`, which cancels its task."""

    def __init__(self, limits: Limits) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.last = time.monotonic()
        """When the latest bytes came; set by the reading loop."""
        self.expired: FailureKind | None = None
        self._end = self.last + limits.total_s
        self._idle_s = limits.idle_s
        self._task = task
        self._cancelling = task.cancelling()
        self.loop = task.get_loop()

    @property
    def due(self) -> float:
        """When it expires, unless bytes come before."""
        return min(self._end, self.last + self._idle_s)

    def end_within(self, seconds: float) -> None:
        """Bring the end forward."""
        self._end = min(self._end, time.monotonic() + seconds)

    def look(self, now: float, stood_still_s: float) -> bool:
        """Expire if it is time; ``stood_still_s`` is not counted against the gateway. True: it has expired."""
        self.last += stood_still_s
        self._end += stood_still_s
        if now < self.due:
            return False
        self.expired = FailureKind.TIMEOUT if now >= self._end else FailureKind.IDLE_TIMEOUT
        self._task.cancel()
        return True

    def was_it(self) -> bool:
        """Tell, once and of a task that is being cancelled, whether it was this alone that cancelled it."""
        return self.expired is not None and self._task.uncancel() <= self._cancelling


class Watches:
    """Keeps the time limits of all exchanges under way by one timer, that of the first to expire.

    A timer that fires late tells that this process stood still (Ctrl-Z, a debugger, a machine without
    time for us); that time is not counted against the gateway, whose answer may be waiting to be read.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._live: set[Watch] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = math.inf

    def begin(self) -> Watch:
        """Keep the limits of the exchange that the current task begins."""
        watch = Watch(self._limits)
        self._live.add(watch)
        self.heed(watch)
        return watch

    def heed(self, watch: Watch) -> None:
        """Let the timer fire in time for one."""
        if watch.loop is not self._loop:
            self._loop, self._due = watch.loop, math.inf
        if watch.due < self._due:
            self._set_timer(watch.loop, watch.due)

    def end(self, watch: Watch) -> None:
        """Keep the limits of an exchange no longer; more than once does no harm."""
        self._live.discard(watch)

    def _set_timer(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = loop.call_later(max(0.0, due - time.monotonic()), self._check, loop)

    def _check(self, loop: asyncio.AbstractEventLoop) -> None:
        now = time.monotonic()
        late = now - self._due
        stood_still_s = late if late > STOOD_STILL_S else 0.0
        self._timer, self._due = None, math.inf
        self._live -= {watch for watch in self._live if watch.look(now, stood_still_s)}
        if self._live:
            self._set_timer(loop, min(watch.due for watch in self._live))


class Exchange(Generic[T]):
    """One request and its response, read to the end or to the first failure."""

    def __init__(
        self,
        transport: Transport,
        request: Request,
        choose: Callable[[Head], Reader[T]],
        limits: Limits,
        watches: Watches | None = None,
    ) -> None:
        """``watches`` keeps the same limits of other exchanges, too."""
        self._transport = transport
        self._request = request
        self._choose = choose
        self._limits = limits
        self._watches = watches or Watches(limits)
        self._head: Head | None = None
        self._reader: Reader[T] | None = None
        self._digest = hashlib.sha256()

    async def run(self, admitted: float) -> Tried[T]:
        """Send, read, and give what came; ``admitted``: monotonic time since when it could have been sent."""
        sending = self._transport.exchange(*self._request, self._limits)
        started_at = now()
        sent = time.monotonic()
        broken, last = await self._send_and_read(sending)
        if self._reader is not None:
            result = self._reader.finish(broken)
        else:
            assert broken is not None
            result = broken
        if isinstance(result, Refusal) and result.status is None and self._head is not None:
            result = msgspec.structs.replace(result, status=self._head.status)
        latency_s = last - sent
        if isinstance(result, Completion):
            first = self._reader.first_token_at if self._reader is not None else None
            ttft_s = None if first is None else first - sent
            timed: Any = msgspec.structs.replace(result, latency_s=latency_s, ttft_s=ttft_s)
            result = timed
        attempt = self._record(started_at, (last if broken is None else time.monotonic()) - sent, result)
        digest = self._digest.hexdigest() if self._head is not None else None
        return Tried(attempt, result, sent - admitted, digest)

    async def _send_and_read(
        self, sending: AbstractAsyncContextManager[TransportResponse]
    ) -> tuple[Refusal | None, float]:
        """Give why the exchange broke, or None, and when the latest bytes came."""
        watch = self._watches.begin()
        try:
            async with sending as response:
                self._head = Head(response.status, response.headers, time.time())
                self._reader = self._choose(self._head)
                return await self._read(response, self._reader, watch), watch.last
        except TransportError as error:
            return refused(error.kind, error.message), watch.last
        except asyncio.CancelledError:
            if not watch.was_it():
                raise
            assert watch.expired is not None
            return refused(watch.expired, self._what_expired(watch.expired)), watch.last
        finally:
            self._watches.end(watch)

    async def _read(self, response: TransportResponse, reader: Reader[T], watch: Watch) -> Refusal | None:
        """Hand the body to the reader, chunk by chunk, until it or the body ends."""
        size = 0
        bounded = False
        while (chunk := await response.read_chunk()) is not None:
            watch.last = at = time.monotonic()
            self._digest.update(chunk)
            size += len(chunk)
            if reader.feed(chunk, at):
                self._watches.end(watch)
                await _drain(response)
                return None
            if size > BODY_LIMIT:
                return _too_large()
            if reader.failed and not bounded:
                bounded = True
                watch.end_within(AFTERMATH_S)
                self._watches.heed(watch)
        return None

    def _what_expired(self, kind: FailureKind) -> str:
        if kind is FailureKind.TIMEOUT:
            return f"no end within {self._limits.total_s:g} s"
        where = "after the head" if self._head else "before the head"
        return f"nothing came for {self._limits.idle_s:g} s {where}"

    def _record(self, started_at: str, duration_s: float, result: object) -> Attempt:
        refusal = result if isinstance(result, Refusal) else None
        ids = self._named(result)
        return Attempt(
            started_at=started_at,
            duration_s=duration_s,
            status=self._head.status if self._head is not None else None,
            kind=refusal.kind.value if refusal else None,
            message=refusal.message[:MESSAGE_LIMIT] if refusal else None,
            retry_after_s=refusal.retry_after_s if refusal else None,
            generation_id=ids.generation_id,
            request_id=ids.request_id,
            cf_ray=ids.cf_ray,
            cost_usd=refusal.cost_usd if refusal else None,
        )

    def _named(self, result: object) -> Ids | Completion:
        """Give what bears the ids: what came, else the head."""
        if isinstance(result, Completion):
            return result
        if isinstance(result, Refusal) and result.ids != Ids():
            return result.ids
        return self._head.ids() if self._head is not None else Ids()


async def _drain(response: TransportResponse) -> None:
    """Read what follows the last word, briefly: a body read to its end leaves a connection for the next."""
    with contextlib.suppress(TimeoutError, TransportError):
        async with asyncio.timeout(DRAIN_S):
            while await response.read_chunk() is not None:
                pass


def _too_large() -> Refusal:
    """Give the refusal of an endless body; asking again would only fetch it again."""
    message = f"the body is larger than {BODY_LIMIT >> 20} MiB"
    return msgspec.structs.replace(refused(FailureKind.BODY_NOT_JSON, message), retryable=False)
