"""The hand-written loop: an asyncio protocol for exactly this server, the same bodies, a journal line a request.

No client library, no headers read but the length, one connection a worker: what Python can do at the very least.
Prints one JSON line, as `reference.py` does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec
import uvloop

HEAD = (
    b"POST /chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n"
)


class Worker(asyncio.Protocol):
    """Sends the next request when the last answer is complete."""

    def __init__(self, requests: Iterator[int], journal: int, done: asyncio.Future[None]) -> None:
        self.requests, self.journal, self.done = requests, journal, done
        self.encode, self.decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode
        self.buffer, self.index, self.begun = b"", 0, 0.0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        """Send one, or end where none is left."""
        index = next(self.requests, None)
        if index is None:
            self.transport.close()
            self.done.set_result(None)
            return
        body = self.encode(
            {
                "model": "bench/model",
                "messages": [{"role": "user", "content": f"Question {index}: what is six times seven?"}],
                "max_tokens": 16384,
                "stream": False,
                "session_id": f"rm-{index:024d}.r0",
            }
        )
        self.index, self.begun = index, time.monotonic()
        self.transport.write(HEAD % len(body) + body)

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self.buffer.lower().find(b"content-length:", 0, end)
        length = int(self.buffer[at + 15 : self.buffer.index(b"\r\n", at)])
        if len(self.buffer) < end + 4 + length:
            return
        value, self.buffer = self.decode(self.buffer[end + 4 :]), b""
        line = {
            "question": self.index,
            "text": value["choices"][0]["message"]["content"],
            "model": value["model"],
            "usage": value["usage"],
            "latency_s": time.monotonic() - self.begun,
        }
        os.write(self.journal, self.encode(line) + b"\n")
        self.ask()


async def run(url: str, n: int, concurrency: int) -> dict[str, float]:
    """Send all requests; give wall and CPU time."""
    host, port = urlsplit(url).netloc.split(":")
    loop, requests = asyncio.get_running_loop(), iter(range(n))
    with tempfile.TemporaryFile() as journal:
        begun, used = time.monotonic(), time.process_time()
        ends = [loop.create_future() for _ in range(concurrency)]
        for end in ends:
            await loop.create_connection(partial(Worker, requests, journal.fileno(), end), host, int(port))
        await asyncio.gather(*ends)
        return {"wall_s": time.monotonic() - begun, "cpu_s": time.process_time() - used}


def main() -> None:
    """Run the loop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("-n", type=int, default=20_000)
    parser.add_argument("--concurrency", type=int, default=1_000)
    options = parser.parse_args()
    print(json.dumps(uvloop.run(run(options.url, options.n, options.concurrency))))


if __name__ == "__main__":
    main()
