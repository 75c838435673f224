"""The server that `speed` asks: a process of its own, which answers every request alike after a fixed delay.

Its first line of output is its port. ``GET /truth`` gives the median of the delays that it really took, from the
last byte of a request to its answer, and forgets them. It ends when its input does.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from typing import Any

import msgspec
import uvloop

ANSWER = msgspec.json.encode(
    {
        "id": "gen-speed",
        "model": "speed/model",
        "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "x" * 500}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 100, "cost": 0.0},
    }
)


class Server(asyncio.Protocol):
    """One connection; requests come one after another."""

    def __init__(self, delay_s: float, delays: list[float]) -> None:
        self._delay_s = delay_s
        self._delays = delays
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to write to."""
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n") + 4) >= 4:
            head = self._unread[:end].lower()
            _, found, length = head.partition(b"content-length:")
            whole = end + (int(length.split(b"\r\n", 1)[0]) if found else 0)
            if len(self._unread) < whole:
                return
            self._unread = self._unread[whole:]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        if head.startswith(b"get"):
            self._send(msgspec.json.encode(statistics.median(self._delays) if self._delays else None))
            self._delays.clear()
        elif self._delay_s:
            asyncio.get_running_loop().call_later(self._delay_s, self._send_late, time.monotonic())
        else:
            self._send(ANSWER)

    def _send_late(self, asked: float) -> None:
        self._delays.append(time.monotonic() - asked)
        self._send(ANSWER)

    def _send(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)


async def serve(delay_s: float) -> None:
    """Serve until the input ends."""
    delays: list[float] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(delay_s, delays), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - for who started it
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(serve(float(sys.argv[1])))
