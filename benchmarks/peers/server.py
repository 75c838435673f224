"""The canned server, watched: when the first request came, when the last answer went, how many were open at once.

Start-up and what a harness does after the last answer are outside of that window, for every harness alike.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import uvloop

from benchmarks.machine import HERE, pinned
from benchmarks.server import Canned, Connection


class Window(NamedTuple):
    """What came since the last time of asking."""

    requests: int
    seconds: float
    """From the first request's arrival to the last answer's departure."""
    peak: int
    """Most requests open at once."""


class Watch:
    """Counts for all connections together."""

    def __init__(self) -> None:
        self.requests = self.open = self.peak = 0
        self.first = self.last = 0.0

    def came(self) -> None:
        """Count a request."""
        if not self.requests:
            self.first = time.monotonic()
        self.requests += 1
        self.open += 1
        self.peak = max(self.peak, self.open)

    def went(self) -> None:
        """Count an answer."""
        self.open -= 1
        self.last = time.monotonic()

    def window(self) -> dict[str, Any]:
        """Give the counts and begin anew; what is still open belongs to a harness that was stopped."""
        told = Window(self.requests, max(0.0, self.last - self.first), self.peak)
        self.__init__()  # type: ignore[misc]
        return told._asdict()


class Watched(Connection):
    """A connection whose requests are counted."""

    def __init__(self, canned: Canned, watch: Watch) -> None:
        super().__init__(canned)
        self.watch = watch

    def answer(self, head: bytes, body: bytes) -> None:
        if not head.startswith(b"get"):
            self.watch.came()
        super().answer(head, body)

    def send(self, begun: float, streamed: bool) -> None:
        self.watch.went()
        if not self.transport.is_closing():  # a harness that was ended at its deadline waits for nothing
            super().send(begun, streamed)

    def page(self, head: bytes) -> None:
        if b"/__window" not in head:
            super().page(head)
            return
        body = json.dumps(self.watch.window()).encode()
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def serve(options: argparse.Namespace) -> None:
    """Serve until killed; print the port first."""
    canned, watch = Canned(options), Watch()
    server = await asyncio.get_running_loop().create_server(
        lambda: Watched(canned, watch), "127.0.0.1", 0, backlog=4096
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Running(NamedTuple):
    """A running server."""

    url: str
    pid: int

    def window(self) -> Window:
        """Give what came since the last time of asking."""
        with urllib.request.urlopen(f"{self.url}/__window", timeout=30) as page:
            return Window(**json.load(page))


@contextmanager
def running(delay_s: float) -> Iterator[Running]:
    """Run the watched server on the first core."""
    command = [sys.executable, "-m", "benchmarks.peers.server", "--delay", str(delay_s)]
    with subprocess.Popen(pinned(0, command), stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as process:
        try:
            assert process.stdout is not None
            yield Running(f"http://127.0.0.1:{int(process.stdout.readline())}", process.pid)
        finally:
            process.kill()


def main() -> None:
    """Read the delay and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before the answer")
    parser.set_defaults(lognormal=0.0, chunks=1, gap=0.0, answer_bytes=0, text="The answer is 42.")
    uvloop.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
