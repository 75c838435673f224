"""Sends answers as a stream of server-sent events: comments, chunks, usage, ``[DONE]``."""

from __future__ import annotations

import asyncio
from typing import Any

from routemark.gateway.bodies import closing_chunks, delta_chunks, error_chunk
from routemark.gateway.exchange import Exchange
from routemark.gateway.plain import NOT_JSON, TINY_S, Reply, encode, pause, stall
from routemark.gateway.refusals import error_object

EVENT_STREAM = (b"content-type", b"text/event-stream; charset=utf-8")
COMMENT = b": OPENROUTER PROCESSING\n\n"
DONE = b"data: [DONE]\n\n"
_STEP_S = 0.02
"""Chunks that would come faster than this are sent together."""


async def send_stream(exchange: Exchange, reply: Reply) -> bool:
    """Send an answer as a stream, with its fault; tell whether it went out whole."""
    await exchange.start(200, [EVENT_STREAM, (b"cache-control", b"no-cache"), *reply.headers])
    if reply.fault is None and reply.completed.times.total_s <= TINY_S:
        open_before = exchange.is_open
        await exchange.finish(b"".join([COMMENT, *_deltas(reply), *_closing(reply)]))
        return open_before
    await exchange.write(COMMENT)
    if reply.fault_name == "reset-after":
        await exchange.reset()
        return False
    await pause(exchange, reply.completed.times.ttft_s, COMMENT)
    return await _send_events(exchange, reply)


async def _send_events(exchange: Exchange, reply: Reply) -> bool:
    """Send what follows the first wait."""
    name = reply.fault_name
    if name in {"error200", "no-choices", "not-json"}:
        await exchange.finish(_instead(reply))
        return False
    deltas = _deltas(reply)
    if name in {"midstream", "choice-error", "cut", "truncated", "stall", "garbage"}:
        half = -(-len(deltas) // 2)
        await _send_paced(exchange, reply, deltas[:half])
        if name != "garbage":
            await _break(exchange, reply)
            return False
        await exchange.write(b'data: {"id":"%b","choi\n\n' % reply.labels.generation_id.encode())
        deltas = deltas[half:]
    await _send_paced(exchange, reply, deltas)
    open_before = exchange.is_open
    await exchange.finish(b"".join(_closing(reply)))
    return open_before and name != "garbage"


async def _send_paced(exchange: Exchange, reply: Reply, events: list[bytes]) -> None:
    """Send events over the time that the model takes to write; close ones together."""
    rest_s = reply.completed.times.total_s - reply.completed.times.ttft_s
    steps = max(1, min(len(events), int(rest_s / _STEP_S)))
    for step in range(steps):
        start, end = (len(events) * place // steps for place in (step, step + 1))
        await exchange.write(b"".join(events[start:end]))
        if rest_s > TINY_S:
            await asyncio.sleep(rest_s / steps)


async def _break(exchange: Exchange, reply: Reply) -> None:
    """End a stream half-way, as the fault says."""
    match reply.fault_name:
        case "stall":
            await stall(exchange)
        case "truncated":
            await exchange.break_off()
        case "cut":
            await exchange.finish()
        case _:
            error = error_chunk(reply.completed, reply.labels, error_object(reply.problem))
            await exchange.finish(_event(error))


def _instead(reply: Reply) -> bytes:
    """Give what comes in place of an answer."""
    if reply.fault_name == "error200":
        return _event({"error": error_object(reply.problem)}) + DONE
    if reply.fault_name == "no-choices":
        return b"".join(_closing(reply)[1:])
    return NOT_JSON


def _deltas(reply: Reply) -> list[bytes]:
    return [_event(chunk) for chunk in delta_chunks(reply.completed, reply.labels)]


def _closing(reply: Reply) -> list[bytes]:
    chunks = closing_chunks(reply.completed, reply.labels, metadata=reply.metadata)
    if reply.fault_name == "no-usage":
        del chunks[-1]["usage"]
    return [*map(_event, chunks), DONE]


def _event(value: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % encode(value)
