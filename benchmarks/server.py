"""A chat-completions server that is not the bottleneck: one uvloop protocol, no parsing beyond the body's length.

Answers every request with a canned completion, after a fixed or lognormal delay, plain or as a stream, and
tells in `/__truth` how long it really took from the last byte of each request to the last byte of its answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from array import array
from typing import Any

import uvloop

MODEL = "bench/model"


def completion(text: str) -> bytes:
    """Give the body of a plain answer, about 1 KB like a real one."""
    return json.dumps(
        {
            "id": "gen-1764000000-bench",
            "object": "chat.completion",
            "created": 1764000000,
            "model": MODEL,
            "provider": "Bench",
            "system_fingerprint": "fp_" + "0" * 500,
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "native_finish_reason": "stop",
                    "logprobs": None,
                    "message": {"role": "assistant", "content": text, "refusal": None, "reasoning": None},
                }
            ],
            "usage": {
                "prompt_tokens": 20,
                "completion_tokens": 10,
                "total_tokens": 30,
                "cost": 0.00012,
                "prompt_tokens_details": {"cached_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0},
            },
        }
    ).encode()


def chunks(text: str, count: int) -> list[bytes]:
    """Give the server-sent events of an answer in ``count`` pieces, usage and end mark included."""
    size = max(1, -(-len(text) // count))
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    pieces += [""] * (count - len(pieces))
    head = {"id": "gen-1764000000-bench", "object": "chat.completion.chunk", "created": 1764000000}
    head |= {"model": MODEL, "provider": "Bench"}
    events: list[dict[str, Any]] = [
        {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": piece}}]}
        for piece in pieces
    ]
    events.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    events.append({**head, "choices": [], "usage": json.loads(completion(""))["usage"]})
    return [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events] + [b"data: [DONE]\n\n"]


class Canned:
    """What every connection answers with, and what it measured."""

    def __init__(self, options: argparse.Namespace) -> None:
        text = options.text.ljust(options.answer_bytes, ".") if options.answer_bytes else options.text
        body = completion(text)
        self.plain = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Generation-Id: gen-1764000000-bench\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)
        ) + body
        self.head = (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Generation-Id: gen-1764000000-bench\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        self.pieces = [b"%x\r\n%b\r\n" % (len(c), c) for c in chunks(text, options.chunks)]
        self.pieces.append(b"0\r\n\r\n")
        self.delay, self.sigma, self.gap = options.delay, options.lognormal, options.gap
        self.random = random.Random(1)
        self.truth = array("d")
        self.requests = 0

    def wait(self) -> float:
        """Give the delay of one answer, seconds."""
        return self.delay * self.random.lognormvariate(0, self.sigma) if self.sigma else self.delay


class Connection(asyncio.Protocol):
    """One kept connection; requests come one after another."""

    def __init__(self, canned: Canned) -> None:
        self.canned = canned
        self.loop = asyncio.get_running_loop()
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            body, self.buffer = (
                self.buffer[end + 4 : end + 4 + length],
                self.buffer[end + 4 + length :],
            )
            self.answer(head, body)

    def answer(self, head: bytes, body: bytes) -> None:
        canned = self.canned
        if head.startswith(b"get"):
            return self.page(head)
        canned.requests += 1
        begun, streamed = time.monotonic(), b'"stream":true' in body
        if wait := canned.wait():
            self.loop.call_later(wait, self.send, begun, streamed)
        else:
            self.send(begun, streamed)
        return None

    def send(self, begun: float, streamed: bool) -> None:
        canned = self.canned
        if not streamed:
            self.transport.write(canned.plain)
        elif not canned.gap:
            self.transport.write(canned.head + b"".join(canned.pieces))
        else:
            self.transport.write(canned.head)
            self.piece(0, begun)
            return
        canned.truth.append(time.monotonic() - begun)

    def piece(self, index: int, begun: float) -> None:
        self.transport.write(self.canned.pieces[index])
        if index + 1 < len(self.canned.pieces):
            self.loop.call_later(self.canned.gap, self.piece, index + 1, begun)
        else:
            self.canned.truth.append(time.monotonic() - begun)

    def page(self, head: bytes) -> None:
        canned = self.canned
        if b"/__truth" in head:
            known = sorted(canned.truth)
            at = {
                p: known[min(len(known) - 1, int(len(known) * p / 100))] if known else None
                for p in (50, 90, 99)
            }
            body = json.dumps({"requests": canned.requests, **{f"p{p}": v for p, v in at.items()}}).encode()
            canned.truth, canned.requests = array("d"), 0
        else:
            body = b'{"data":[]}'
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body
        )


async def serve(options: argparse.Namespace) -> None:
    """Serve until killed; print the port first."""
    canned = Canned(options)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(canned), "127.0.0.1", options.port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before the answer")
    parser.add_argument(
        "--lognormal", type=float, default=0.0, help="sigma of a lognormal factor on the delay"
    )
    parser.add_argument("--chunks", type=int, default=50, help="content chunks of a stream")
    parser.add_argument(
        "--gap", type=float, default=0.0, help="seconds between two chunks; 0: all in one write"
    )
    parser.add_argument("--answer-bytes", type=int, default=0, help="length of the answer's text")
    parser.add_argument("--text", default="The answer is 42.")
    uvloop.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
