"""A server on a loopback socket that says exactly the bytes a test wrote down, and remembers what it heard.

A script is a list of steps for one request: bytes are written, a float is slept, and `RESET`, `CLOSE`
and `HANG` do to the connection what they say. Scripts are used up in order, the last one again and
again. A connection is kept for the next request unless its script ended it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self


class Act(str):
    """A step that is done to the connection."""

    __slots__ = ()


RESET = Act("reset")
"""Send RST."""
CLOSE = Act("close")
"""Close the connection properly."""
HANG = Act("hang")
"""Say nothing more until the client goes."""

Step = bytes | float | Act
Script = Sequence[Step]


@dataclass
class Heard:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class ScriptedServer:
    """Use as an async context manager; ``base_url`` is where to send."""

    scripts: list[Script]
    ssl: Any = None
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0
    client_left: asyncio.Event = field(default_factory=asyncio.Event)
    """The client has closed a connection whose script hung."""
    port: int = 0
    choose: Callable[[Heard], Script] | None = None
    """From a request to its script, instead of those in order."""

    @property
    def base_url(self) -> str:
        return f"{'https' if self.ssl else 'http'}://127.0.0.1:{self.port}/api/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.ssl)
        self.port = self._server.sockets[0].getsockname()[1]
        self._tasks: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            while (request := await _read_request(reader)) is not None:
                self.heard.append(request)
                script = self._next_script() if self.choose is None else self.choose(request)
                if not await self._play(script, reader, writer):
                    return
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    def _next_script(self) -> Script:
        return self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]

    async def _play(self, script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Do the steps; False when the connection is over."""
        for step in script:
            if step is RESET:
                _reset(writer)
                return False
            if step is CLOSE:
                return False
            if step is HANG:
                await reader.read(1)
                self.client_left.set()
                return False
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            elif isinstance(step, float):
                await asyncio.sleep(step)
        return True


async def _read_request(reader: asyncio.StreamReader) -> Heard | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return Heard(method, path, headers, await reader.readexactly(int(headers.get("content-length", 0))))


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


# --------------------------------------------------------------------------- things to say


def head(status: int = 200, **headers: str) -> bytes:
    """Give a response head; underscores in names become hyphens."""
    lines = [f"HTTP/1.1 {status} Status", *(f"{n.replace('_', '-')}: {v}" for n, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def whole(
    body: bytes | Any, status: int = 200, content_type: str = "application/json", **headers: str
) -> bytes:
    """Give a response with a body of known length; what is not bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return head(status, content_type=content_type, content_length=str(len(data)), **headers) + data


def stream_head(**headers: str) -> bytes:
    """Give the head of a chunked event stream."""
    return head(200, content_type="text/event-stream", transfer_encoding="chunked", **headers)


def piece(data: bytes) -> bytes:
    """Give one chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


END = b"0\r\n\r\n"
"""The end of a chunked body."""


def event(value: Any) -> bytes:
    """Give a server-sent event; bytes go as they are, anything else as JSON."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return b"data: " + data + b"\n\n"


DONE = event(b"[DONE]")


def delta(content: str | None = None, finish: str | None = None, **more: Any) -> bytes:
    """Give a chunk event with content."""
    inner = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": {**inner, **more}, "finish_reason": finish}
    return event({"id": "gen-1", "model": "a/b", "provider": "P", "choices": [choice]})


def usage(cost: Any = 0.25, **more: Any) -> bytes:
    """Give the last chunk's event: usage, and empty choices."""
    told = {"prompt_tokens": 3, "completion_tokens": 2, "cost": cost}
    return event({"id": "gen-1", "model": "a/b", "choices": [], "usage": told, **more})


def answer(content: Any = "4", **more: Any) -> dict[str, Any]:
    """Give a completion's JSON."""
    return {
        "id": "gen-1",
        "model": "a/b",
        "provider": "P",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "cost": 0.25},
        **more,
    }


def streamed(*events: bytes, **headers: str) -> Script:
    """Give a script: a whole stream of these events, one chunk each."""
    return [stream_head(**headers), *(piece(one) for one in events), END]


GOOD_STREAM = streamed(delta("4"), delta("", "stop"), usage(), DONE)
