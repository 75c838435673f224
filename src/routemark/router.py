"""The only door to a gateway: `OpenRouterClient.complete` turns a trial into an Outcome, whatever happens.

A descent, one policy a layer:

    complete        the border: never raises for what the network or a vendor does
    _with_retries   asks again, by policy.retry
    _attempt        one request, once the purse can pay for it
    _paced          inside a slot of the pacer
    Exchange        sends it and reads the answer, under its time limits; knows no policy
"""

from __future__ import annotations

import asyncio
import logging
import os
import random as random_module
import time
import traceback
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar
from urllib.parse import urlsplit

import msgspec

from routemark.errors import FailureKind, SettingsError, rule
from routemark.exchange import MESSAGE_LIMIT, Exchange, Request, Tried, Watches
from routemark.picking import asked_as, pick
from routemark.policy.retry import RetryPolicy, Stop
from routemark.records import Attempt, Completion, Failure, Outcome, Trial, Usage
from routemark.transport import HttpxTransport, Limits, Transport, make_transport
from routemark.wire import values
from routemark.wire.arms import plugin_name
from routemark.wire.dialect import resolved_headers, told_by
from routemark.wire.failures import Head, Refusal, refused
from routemark.wire.request import RequestOptions, encode_shared, headers, request_sha256, to_send
from routemark.wire.response import Decoded, Reader, lookup_reader, reader_for

if TYPE_CHECKING:  # a heavy import, for those who bring their own client
    import httpx

log = logging.getLogger(__name__)

T = TypeVar("T")

SECRET_LENGTH = 8
"""A shorter key is a placeholder: to take "test" out of every text would only harm the answers."""
_OUR_FIELDS = {
    name for record in (Outcome, Attempt, Completion, Failure, Usage) for name in record.__struct_fields__
}
DEFAULT_CONCURRENCY = 100
"""Connections of a client that makes its own transport."""


class Pacer(Protocol):
    """Lets attempts through and hears how they went."""

    async def admit(self, arm: str) -> None:
        """Wait until a request of the arm may be sent."""

    def release(self, arm: str, refusal: Refusal | None) -> None:
        """Hear that an admitted request is over; None: an answer came."""


class Unpaced:
    """Lets everything through at once."""

    async def admit(self, arm: str) -> None:
        """Do not wait."""

    def release(self, arm: str, refusal: Refusal | None) -> None:
        """Do not care."""


class Tab(Protocol):
    """What one trial spends; a context that ends with the trial."""

    async def reserve(self) -> bool:
        """Wait until a request can be paid for, unless one already can; False: it never will."""

    def send(self) -> None:
        """Hear that the request goes out."""

    def settle(self, attempt: Attempt, completion: Completion | None) -> None:
        """Hear what came of it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Purse(Protocol):
    """Pays for requests."""

    def open(self, trial: Trial, request_bytes: int) -> Tab:
        """Give the tab of a trial whose requests have so many bytes."""


class Unlimited:
    """A purse, and every trial's tab, that pays for everything."""

    def open(self, trial: Trial, request_bytes: int) -> Self:  # noqa: ARG002 - as Purse
        """Do not count."""
        return self

    async def reserve(self) -> bool:
        """Do not wait."""
        return True

    def send(self) -> None:
        """Do not care."""

    def settle(self, attempt: Attempt, completion: Completion | None) -> None:
        """Do not care."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do not care."""


class _NoRoomError(Exception):
    """The next attempt does not fit into the budget."""


_encode = msgspec.json.Encoder().encode
_ABANDONED = refused(FailureKind.CLIENT_FAULT, "abandoned")
"""What the pacer hears of an attempt that was cancelled."""


class OpenRouterClient:
    """Asks a gateway that speaks OpenRouter's chat-completions format."""

    def __init__(  # noqa: PLR0913 - the settings of a client, by name
        self,
        *,
        api_key: str | None = None,
        base_url: str = "https://openrouter.ai/api/v1",
        transport: Transport | httpx.AsyncClient | None = None,
        options: RequestOptions = RequestOptions(),  # noqa: B008 - frozen
        timeout_s: float = 600.0,
        idle_timeout_s: float = 120.0,
        connect_timeout_s: float = 10.0,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
        pacer: Pacer | None = None,
        purse: Purse | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] | None = None,
        on_generation: Callable[[str, str], None] | None = None,
    ) -> None:
        """Make a client; nothing is sent yet.

        The key goes to the host of ``base_url`` only. A transport given is closed with the client, an
        `httpx.AsyncClient` given is not. ``timeout_s`` bounds an attempt, ``idle_timeout_s`` the silence
        within it. ``sleep`` and ``random`` serve the waits between attempts. ``on_generation`` hears
        (trial key, generation id) as soon as the id is known.
        Raises: SettingsError for a base URL or a key that cannot be sent.
        """
        self._base_url = _checked_url(base_url)
        self._chat_url = f"{self._base_url}/chat/completions"
        self._key = _checked_key(api_key)
        own, secrets = resolved_headers(options.dialect, os.environ)
        self._secrets = [one for one in (self._key or "", *secrets) if len(one) >= SECRET_LENGTH]
        self._secrets_in_json = [msgspec.json.encode(secret)[1:-1] for secret in self._secrets]
        self._headers = headers(self._key, options.dialect, own)
        self._told = told_by(options.dialect)
        self._options = options
        self._limits = Limits(connect_timeout_s, idle_timeout_s, timeout_s)
        self._watches = Watches(self._limits)
        self._retry = retry
        self._pacer = pacer or Unpaced()
        self._purse = purse or Unlimited()
        self._sleep = sleep
        self._random = random or random_module.random
        self._on_generation = on_generation
        self._owns_transport = True
        if transport is None:
            transport = make_transport("pyreqwest", DEFAULT_CONCURRENCY)
        elif not isinstance(transport, Transport):
            transport = HttpxTransport(transport)
            self._owns_transport = False
        self._transport: Transport = transport

    def __repr__(self) -> str:
        return f"OpenRouterClient(base_url={self._base_url!r}, api_key={'set' if self._key else 'none'})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections, unless they belong to an `httpx.AsyncClient` that was handed in."""
        if self._owns_transport:
            await self._transport.aclose()

    # ----------------------------------------------------------------- complete

    async def complete(self, trial: Trial) -> Outcome:
        """Ask a trial's question, again where that may help, and give what came of it.

        Raises nothing but CancelledError: an error of ours becomes a failure, with its traceback logged.
        """
        attempts: list[Attempt] = []
        try:
            return self._redacted(await self._complete(trial, attempts))
        except Exception as error:  # noqa: BLE001 - the border: one trial's accident must not end the run
            log.error("trial %s: %s", trial.key, self._without_key(traceback.format_exc()))  # noqa: TRY400 - redacted
            message = self._without_key(f"{type(error).__name__}: {error}")[:MESSAGE_LIMIT]
            failure = Failure(kind=FailureKind.CLIENT_FAULT.value, message=message)
            return _outcome(trial, attempts, failure=failure)

    async def _complete(self, trial: Trial, attempts: list[Attempt]) -> Outcome:
        if plugin_name(trial.arm.model) is None:
            return await self._complete_fixed(trial, attempts)
        picked = await pick(trial, self._limits.total_s)
        if isinstance(picked.model, Refusal):
            failure = Failure(kind=picked.model.kind.value, message=picked.model.message[:MESSAGE_LIMIT])
            return _outcome(trial, attempts, failure=failure, pick_s=picked.took_s)
        outcome = await self._complete_fixed(asked_as(trial, picked.model), attempts)
        return msgspec.structs.replace(outcome, picked=picked.model, pick_s=picked.took_s)

    async def _complete_fixed(self, trial: Trial, attempts: list[Attempt]) -> Outcome:
        """Ask for what the trial's arm names, be it a model or a router of the gateway's."""
        shared = encode_shared(trial.question, trial.arm, self._options)
        body = to_send(shared, trial, self._options)
        with self._purse.open(trial, len(shared)) as tab:
            if not await tab.reserve():  # before the trial's clock starts
                raise asyncio.CancelledError  # not asked
            try:
                tried = await self._with_retries(lambda: self._attempt(trial, body, tab), attempts)
            except _NoRoomError:
                return _outcome(trial, attempts, failure=_over_budget(attempts[-1]))
        answered = not isinstance(tried.result, Refusal)
        return _outcome(
            trial,
            attempts,
            completion=tried.result if not isinstance(tried.result, Refusal) else None,
            failure=None if answered else _failure(tried.result, attempts[-1]),
            queue_s=tried.queue_s,
            request_sha256=request_sha256(shared),
            response_sha256=tried.response_sha256,
        )

    async def get_json(self, path: str) -> Any:
        """Give the JSON of a look-up below the base URL, e.g. ``/models``, without the key in any text.

        Raises: APIError.
        """
        url = f"{self._base_url}/{path.lstrip('/')}"
        attempts: list[Attempt] = []

        async def once() -> Tried[Decoded]:
            return await self._exchange("GET", url, b"", lookup_reader).run(time.monotonic())

        tried = await self._with_retries(once, attempts)
        if isinstance(tried.result, Refusal):
            failure = _failure(tried.result, attempts[-1])
            clean = msgspec.structs.replace(failure, message=self._without_key(failure.message))
            raise rule(failure.kind).raises(clean)
        value = values.shallow(tried.result.value)
        return self._clean(value) if self._secrets else value

    # ----------------------------------------------------------------- attempts

    async def _with_retries(
        self, once: Callable[[], Awaitable[Tried[T]]], attempts: list[Attempt]
    ) -> Tried[T]:
        """Attempt until there is an answer or the policy says stop; record every attempt."""
        begun = None
        while True:
            tried = await once()
            if begun is None:  # the wait for the pacer's leave is not the gateway's time
                begun = time.monotonic() - tried.attempt.duration_s
            again = self._again(len(attempts) + 1, tried.result, time.monotonic() - begun)
            if not isinstance(again, float):
                attempts.append(tried.attempt)
                return _too_long(tried) if again is Stop.RETRY_AFTER_TOO_LONG else tried
            attempts.append(msgspec.structs.replace(tried.attempt, waited_s=again))
            await self._sleep(again)

    def _again(self, attempt: int, result: T | Refusal, elapsed_s: float) -> float | Stop | None:
        """Give the wait before the next attempt, or why there is none; None after an answer."""
        if not isinstance(result, Refusal):
            return None
        return self._retry.delay(attempt, result, elapsed_s, self._random())

    async def _attempt(self, trial: Trial, body: bytes, tab: Tab) -> Tried[Completion]:
        """Send once, when it can be paid for, and settle the bill. Raises: _NoRoomError."""
        if not await tab.reserve():
            raise _NoRoomError
        tried = await self._paced(trial, body, tab)
        tab.settle(tried.attempt, None if isinstance(tried.result, Refusal) else tried.result)
        return tried

    async def _paced(self, trial: Trial, body: bytes, tab: Tab) -> Tried[Completion]:
        """Send once, when the pacer allows, and tell the pacer how it went."""

        def choose(head: Head) -> Reader[Completion]:
            self._tell_generation(trial, head.generation_id)
            return reader_for(head, trial.arm, streamed=self._options.stream, told=self._told)

        await self._pacer.admit(trial.arm.name)
        admitted = time.monotonic()
        heard: Refusal | None = _ABANDONED
        try:
            tab.send()
            tried = await self._exchange("POST", self._chat_url, body, choose).run(admitted)
            heard = tried.result if isinstance(tried.result, Refusal) else None
            return tried
        finally:
            self._pacer.release(trial.arm.name, heard)

    def _tell_generation(self, trial: Trial, generation_id: str | None) -> None:
        if self._on_generation is not None and generation_id is not None:
            self._on_generation(trial.key, self._without_key(generation_id))

    def _exchange(
        self, method: str, url: str, body: bytes, choose: Callable[[Head], Reader[T]]
    ) -> Exchange[T]:
        request = Request(method, url, self._headers, body)
        return Exchange(self._transport, request, choose, self._limits, self._watches)

    # ----------------------------------------------------------------- secrets

    def _redacted(self, outcome: Outcome) -> Outcome:
        """Give the outcome without the key, wherever a gateway may have echoed it."""
        if not self._secrets:
            return outcome
        encoded = _encode(outcome)
        if not any(secret in encoded for secret in self._secrets_in_json):
            return outcome
        return msgspec.convert(self._clean(msgspec.to_builtins(outcome)), Outcome)

    def _clean(self, value: Any) -> Any:
        """Give plain data with the key taken out of every text, names of a vendor's fields included."""
        match value:
            case str():
                return self._without_key(value)
            case list():
                return [self._clean(item) for item in value]
            case dict():
                return {
                    name if name in _OUR_FIELDS else self._without_key(name): self._clean(item)
                    for name, item in value.items()
                }
            case _:
                return value

    def _without_key(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        return text


def _checked_url(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise SettingsError(f"base URL {base_url!r}: write it like https://openrouter.ai/api/v1.")
    if "@" in parts.netloc:
        raise SettingsError(
            "base URL: it must hold no user name or password; the key is a setting of its own."
        )
    return base_url.rstrip("/")


def _checked_key(api_key: str | None) -> str | None:
    key = (api_key or "").strip()
    if not all("!" <= character <= "~" for character in key):
        raise SettingsError("API key: it holds white space or characters that no key has; copy it again.")
    return key or None


# --------------------------------------------------------------------------- records


def _outcome(trial: Trial, attempts: list[Attempt], **end: Any) -> Outcome:
    return Outcome(
        trial=trial.key,
        question_id=trial.question.id,
        arm=trial.arm.name,
        repeat=trial.repeat,
        session_id=trial.session_id,
        attempts=attempts,
        window=trial.window,
        **end,
    )


def _failure(result: object, last: Attempt) -> Failure:
    """Give the failure of a trial or look-up whose last attempt was refused."""
    assert isinstance(result, Refusal)
    return Failure(
        kind=result.kind.value,
        message=last.message or "",
        status=last.status,
        generation_id=last.generation_id,
        request_id=last.request_id,
        cf_ray=last.cf_ray,
    )


def _over_budget(last: Attempt) -> Failure:
    """Give the failure of a trial whose next attempt cannot be paid for."""
    message = f"the attempt after {last.kind} did not fit into the budget"
    return msgspec.structs.replace(_failure(refused(FailureKind.OVER_BUDGET, message), last), message=message)


def _too_long(tried: Tried[T]) -> Tried[T]:
    """Give the last attempt's result as what ended the trial: a wait beyond its time budget."""
    assert isinstance(tried.result, Refusal)
    return tried._replace(result=msgspec.structs.replace(tried.result, kind=FailureKind.RETRY_AFTER_TOO_LONG))
