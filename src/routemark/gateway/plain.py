"""Sends answers in one piece: JSON, now and then with blank keep-alive lines before it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from routemark.gateway.bodies import Labels, completion_body
from routemark.gateway.completed import Completed
from routemark.gateway.exchange import Exchange, Headers
from routemark.gateway.faults import Fault
from routemark.gateway.refusals import Problem, error_object
from routemark.gateway.seeding import unit

JSON = (b"content-type", b"application/json")
BEAT_S = 1.0
"""Pause between two signs of life, seconds."""
TINY_S = 0.002
"""Waits shorter than this are not worth a timer."""
STALL_S = 3_600.0
NOT_JSON = b"upstream connect error or disconnect/reset before headers\n"

_BLANK = b"\n         \n"
_BLANK_SHARE = 0.1

encode = msgspec.json.Encoder().encode


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """All that is needed to send an answer."""

    completed: Completed
    labels: Labels
    headers: Headers
    """To be sent whatever the form."""
    metadata: bool
    fault: Fault | None

    @property
    def fault_name(self) -> str:
        """Name of the fault, or ""."""
        return "" if self.fault is None else self.fault.name

    @property
    def problem(self) -> Problem:
        """The error that the fault wraps."""
        assert self.fault is not None
        assert self.fault.problem is not None
        return self.fault.problem


async def send_json(exchange: Exchange, status: int, headers: Headers, value: Any) -> None:
    """Send a JSON value as a whole response."""
    await send_bytes(exchange, status, [JSON, *headers], encode(value))


async def send_bytes(exchange: Exchange, status: int, headers: Headers, body: bytes) -> None:
    """Send a body as a whole response."""
    await exchange.start(status, [*headers, (b"content-length", str(len(body)).encode())])
    await exchange.finish(body)


async def pause(exchange: Exchange, seconds: float, beat: bytes) -> None:
    """Wait, with a sign of life every now and then."""
    while seconds > BEAT_S and exchange.is_open:
        await asyncio.sleep(BEAT_S)
        await exchange.write(beat)
        seconds -= BEAT_S
    if seconds > TINY_S:
        await asyncio.sleep(seconds)


async def stall(exchange: Exchange) -> None:
    """Say nothing more until the client leaves."""
    try:
        await asyncio.wait_for(exchange.disconnected(), STALL_S)
    except TimeoutError:
        await exchange.break_off()


async def send_plain(exchange: Exchange, reply: Reply) -> bool:
    """Send an answer in one piece, with its fault; tell whether it went out whole."""
    total_s = reply.completed.times.total_s
    if _wants_blanks(reply.labels, total_s) or reply.fault_name in {"stall", "reset-after"}:
        return await _send_after_blanks(exchange, reply)
    if total_s > TINY_S:
        await asyncio.sleep(total_s)
    body = encode(_body(reply))
    if reply.fault_name in {"garbage", "not-json"}:
        body = NOT_JSON
    if reply.fault_name in {"cut", "truncated"}:
        await _send_half(exchange, reply.headers, body)
        return False
    open_before = exchange.is_open
    await send_bytes(exchange, 200, [JSON, *reply.headers], body)
    return open_before


def _wants_blanks(labels: Labels, total_s: float) -> bool:
    return total_s > BEAT_S or unit("blank", labels.generation_id) < _BLANK_SHARE


async def _send_after_blanks(exchange: Exchange, reply: Reply) -> bool:
    """Send headers and blank lines before the outcome, as long waits make the real gateway do."""
    await exchange.start(200, [JSON, *reply.headers])
    await exchange.write(_BLANK)
    if reply.fault_name == "reset-after":
        await exchange.reset()
        return False
    if reply.fault_name == "stall":
        await stall(exchange)
        return False
    await pause(exchange, reply.completed.times.total_s, _BLANK)
    body = encode(_body(reply))
    if reply.fault_name in {"cut", "truncated"}:
        await exchange.write(body[: len(body) // 2])
        await exchange.break_off()
        return False
    open_before = exchange.is_open
    await exchange.finish(NOT_JSON if reply.fault_name in {"garbage", "not-json"} else body)
    return open_before


async def _send_half(exchange: Exchange, headers: Headers, body: bytes) -> None:
    await exchange.start(200, [JSON, *headers, (b"content-length", str(len(body)).encode())])
    await exchange.write(body[: len(body) // 2])
    await exchange.break_off()


def _body(reply: Reply) -> dict[str, Any]:
    """Give the body with the faults that show in its JSON."""
    if reply.fault_name == "error200":
        return {"error": error_object(reply.problem)}
    body = completion_body(reply.completed, reply.labels, metadata=reply.metadata)
    if reply.fault_name == "no-choices":
        body["choices"] = []
    if reply.fault_name == "no-usage":
        del body["usage"]
    if reply.fault_name in {"choice-error", "midstream"}:
        choice = body["choices"][0]
        choice["message"]["content"] = first_half(reply.completed.text)
        choice |= {
            "finish_reason": "error",
            "native_finish_reason": None,
            "error": error_object(reply.problem),
        }
    return body


def first_half(text: str) -> str:
    """Give the first half of a text."""
    return text[: len(text) // 2]
