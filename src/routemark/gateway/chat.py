"""``POST /chat/completions``: from the request to the last byte, faults and bill included."""

from __future__ import annotations

import itertools
import secrets
import time
from dataclasses import dataclass, field

import msgspec
from starlette.types import Receive, Scope, Send

from routemark.gateway.bodies import Labels
from routemark.gateway.completed import Backend, Completed
from routemark.gateway.exchange import Exchange, Headers
from routemark.gateway.faults import STILL_ANSWERS, VERDICTS, Fault, FaultPlan
from routemark.gateway.latency import Latency, Times
from routemark.gateway.ledger import Ledger
from routemark.gateway.plain import Reply, first_half, send_bytes, send_json, send_plain
from routemark.gateway.refusals import Problem, RefusedError, error_body, unauthorized
from routemark.gateway.request import ChatRequest, parse
from routemark.gateway.sessions import Attempts
from routemark.gateway.sse import send_stream
from routemark.gateway.verdicts import struck_verdict

MAX_BODY = 32 * 2**20
"""Bytes of a request that are read."""
_SLOW = 20
_HTML = (
    b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n"
    b"<body><center><h1>502 Bad Gateway</h1></center><hr><center>edge</center></body></html>\n"
)


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """What all routes share: the backend, the settings, and the books."""

    backend: Backend
    latency: Latency
    faults: FaultPlan
    seed: int
    api_key: str | None
    """The only key that is let in; None: any key is."""
    marks: Headers
    """Headers of every response that say what the answers are."""
    generation_lag_s: float
    """Seconds until a finished answer can be looked up."""
    ledger: Ledger = field(default_factory=Ledger)
    attempts: Attempts = field(default_factory=Attempts)
    names: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    boot: str = field(default_factory=lambda: secrets.token_hex(4))
    """Tells the ids of this process from those of another."""

    def labels(self) -> Labels:
        """Give fresh names to a response."""
        number = next(self.names)
        return Labels(
            generation_id=f"gen-{int(time.time())}-{self.boot}{number:x}",
            request_id=f"req-{self.boot}-{number:x}",
            ray=f"{self.boot}{number:08x}-SIM",
            created=int(time.time()),
        )

    def authorize(self, headers: dict[str, str]) -> None:
        """Let a request in.

        Raises: RefusedError (401).
        """
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise unauthorized("Missing Authentication header")
        if self.api_key is not None and not secrets.compare_digest(
            key.strip().encode(), self.api_key.encode()
        ):
            raise unauthorized("User not found: the API key is not valid")

    def draw_fault(self, request: ChatRequest) -> Fault | None:
        """Decide which fault, if any, strikes a request."""
        attempt = self.attempts.number(request.key, request.session_id)
        fault = self.faults.draw(self.seed, request.key, request.session_id, attempt)
        if fault is not None:
            self.ledger.note_fault(fault.name)
        return fault


class ChatEndpoint:
    """The route, as an ASGI application."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = Exchange(scope, receive, send)
        self._gateway.ledger.enter()
        try:
            await self._answer(exchange)
        finally:
            self._gateway.ledger.leave()

    async def _answer(self, exchange: Exchange) -> None:
        labels = self._gateway.labels()
        body = await exchange.read_body(MAX_BODY)
        try:
            request, fault, completed = self._decide(exchange, body)
        except RefusedError as refused:
            await self._refuse(exchange, labels, refused.problem)
            return
        if completed is None:
            assert fault is not None
            await self._refuse_oddly(exchange, labels, fault)
            return
        await self._send(exchange, labels, request, fault, completed)

    def _decide(
        self, exchange: Exchange, body: bytes | None
    ) -> tuple[ChatRequest, Fault | None, Completed | None]:
        """Give what to answer; no completion when the fault is one that has no error body."""
        gateway = self._gateway
        gateway.authorize(exchange.headers)
        if body is None:
            raise RefusedError(
                Problem(status=413, message="Request payload too large", error_type="payload_too_large")
            )
        request = parse(body, exchange.headers)
        gateway.ledger.note_session(request.session_id)
        fault = gateway.draw_fault(request)
        if fault is None or fault.stage != "refused":
            return request, fault, _struck(gateway.backend.complete(request), request, fault)
        if fault.problem is not None:
            raise RefusedError(fault.problem)
        return request, fault, None

    async def _refuse(self, exchange: Exchange, labels: Labels, problem: Problem) -> None:
        """Answer with an error status and its body."""
        wait = problem.retry_after_s
        wait = None if wait is None else self._gateway.latency.scaled(wait)
        self._gateway.ledger.note_status(problem.status)
        headers = [*self._headers(labels), *_refusal_headers(problem, wait)]
        if problem.status != 401:  # refused before a generation could get its name
            headers.append((b"x-generation-id", labels.generation_id.encode()))
        await send_json(exchange, problem.status, headers, error_body(problem, wait))

    async def _refuse_oddly(self, exchange: Exchange, labels: Labels, fault: Fault) -> None:
        """Refuse without an error body: an edge's HTML page, or a reset connection."""
        if fault.name == "reset":
            self._gateway.ledger.note_status(0)
            await exchange.reset()
            return
        self._gateway.ledger.note_status(502)
        await send_bytes(exchange, 502, [(b"content-type", b"text/html"), *self._headers(labels)], _HTML)

    async def _send(
        self,
        exchange: Exchange,
        labels: Labels,
        request: ChatRequest,
        fault: Fault | None,
        completed: Completed,
    ) -> None:
        gateway = self._gateway
        is_billed = fault is None or fault.stage == "billed"
        if is_billed:
            finished = time.monotonic() + completed.times.total_s
            gateway.ledger.bill(request, completed, labels, finished)
        gateway.ledger.note_status(200)
        reply = Reply(
            completed=completed,
            labels=labels,
            headers=[*self._headers(labels), (b"x-generation-id", labels.generation_id.encode())],
            metadata=request.wants_metadata,
            fault=fault,
        )
        went_out = await (send_stream if request.stream else send_plain)(exchange, reply)
        if is_billed and went_out and (fault is None or fault.name in STILL_ANSWERS):
            gateway.ledger.deliver(request, completed)
            gateway.backend.note_served(request, completed)

    def _headers(self, labels: Labels) -> Headers:
        return [
            *self._gateway.marks,
            (b"x-request-id", labels.request_id.encode()),
            (b"cf-ray", labels.ray.encode()),
        ]


def _refusal_headers(problem: Problem, wait: float | None) -> Headers:
    headers: Headers = []
    if wait is not None:
        headers.append((b"retry-after", f"{wait:g}".encode()))
    if problem.rate_limit is not None:
        reset = round((time.time() + (wait or 0)) * 1000)
        headers += [
            (b"x-ratelimit-limit", str(problem.rate_limit).encode()),
            (b"x-ratelimit-remaining", b"0"),
            (b"x-ratelimit-reset", str(reset).encode()),
        ]
    return headers


def _struck(completed: Completed, request: ChatRequest, fault: Fault | None) -> Completed:
    """Give the answer as a fault leaves it, where the fault strikes the answer and not the wire."""
    match fault.name if fault is not None else "":
        case name if name in VERDICTS:
            return struck_verdict(completed, request, name)
        case "empty" | "no-choices":
            return msgspec.structs.replace(
                completed,
                text="",
                reasoning=None,
                finish_reason=None,
                native_finish_reason=None,
                completion_tokens=0,
                reasoning_tokens=0,
                cost_usd=0.0,
                bill=None,
            )
        case "length":
            return _half(completed, "length")
        case "content-filter":
            return _half(completed, "content_filter")
        case "slow":
            times = Times(ttft_s=completed.times.ttft_s * _SLOW, total_s=completed.times.total_s * _SLOW)
            return msgspec.structs.replace(completed, times=times)
        case _:
            return completed


def _half(completed: Completed, reason: str) -> Completed:
    return msgspec.structs.replace(
        completed, text=first_half(completed.text), finish_reason=reason, native_finish_reason=reason
    )
