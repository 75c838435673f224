"""A gateway that speaks OpenRouter's wire, written apart from the shipped one, with raw sockets.

It answers from a script, keeps every request it got, and knows the truth that `results.json` must
tell: what was asked, what was billed, which model served.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


@dataclass
class Request:
    """One request as received."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    raw: bytes

    @property
    def prompt(self) -> str:
        return str(self.body["messages"][-1]["content"])

    @property
    def session(self) -> str:
        return str(self.body.get("session_id"))


@dataclass
class Reply:
    """What is sent back: an answer, or an error with its status."""

    text: str = ""
    model: str = "vendor/model-a"
    provider: str = "Provider A"
    cost: float | None = 0.001
    task_type: str | None = "math"
    finish_reason: str = "stop"
    prompt_tokens: int = 11
    completion_tokens: int = 7
    reasoning_tokens: int = 3
    cached_tokens: int = 2
    status: int = 200
    error: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    is_byok: bool = False
    tells_metadata: bool = True


Page = tuple[int, dict[str, str], Any]
"""Status, headers, and what is sent as JSON."""
Pages = Callable[[Request], Page | None]
"""From a request that asks no model to what is answered; None: 404."""
Script = Callable[[Request, int], Reply]
"""From a request and the number of requests with the same session before it to the reply."""


class Lookalike:
    """The server, in a thread of its own; a context manager."""

    def __init__(self, script: Script, pages: Pages = lambda request: None, port: int = 0) -> None:
        self.requests: list[Request] = []
        self.in_flight = 0
        self.peak = 0
        self.billed: list[float] = []
        self._script = script
        self._pages = pages
        self.port = port
        """0 until it has a free one."""
        self._seen: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        starting = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=2**24), self._loop
        )
        self._server = starting.result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}/api/v1"
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        mine = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not mine]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (head := await self._head(reader)) is not None:
                await self._answer(head, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _head(self, reader: asyncio.StreamReader) -> bytes | None:
        try:
            return await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None

    async def _answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = head.decode().split("\r\n")[:-2]
        headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Request(first.split()[1], headers, json.loads(raw or b"{}"), raw)
        self.requests.append(request)
        if not request.path.endswith("/chat/completions"):
            none = {"error": {"code": 404, "message": "none"}}
            status, more, page = self._pages(request) or (404, {}, none)
            await self._send(writer, status, more, json.dumps(page).encode())
            return
        reply = self._script(request, self._seen[request.session])
        self._seen[request.session] += 1
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            if reply.delay_s:
                await asyncio.sleep(reply.delay_s)
            await self._reply(writer, request, reply)
        finally:
            self.in_flight -= 1

    async def _reply(self, writer: asyncio.StreamWriter, request: Request, reply: Reply) -> None:
        if reply.error is not None:
            body = json.dumps({"error": reply.error, "user_id": "user_x", "mood": None}).encode()
            await self._send(writer, reply.status, reply.headers, body)
            return
        generation = f"gen-{len(self.requests)}"
        headers = {"X-Generation-Id": generation, "cf-ray": "abc-FRA", **reply.headers}
        if reply.cost is not None:
            self.billed.append(reply.cost)
        if request.body.get("stream"):
            await self._stream(writer, request, reply, generation, headers)
        else:
            message = {"role": "assistant", "content": reply.text, "refusal": None, "novelty": [1]}
            choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
            body = {**common(generation, reply), "object": "chat.completion", "choices": [choice]}
            body |= {"usage": usage(reply), **metadata(request, reply)}
            await self._send(writer, 200, headers, b"\n \n\n" + json.dumps(body).encode())

    async def _stream(
        self,
        writer: asyncio.StreamWriter,
        request: Request,
        reply: Reply,
        generation: str,
        headers: dict[str, str],
    ) -> None:
        headers = {**headers, "Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
        lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        writer.write(f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode())
        half = len(reply.text) // 2
        deltas = [
            {"role": "assistant", "content": ""},
            {"content": reply.text[:half]},
            {"content": reply.text[half:]},
        ]
        pieces = [": OPENROUTER PROCESSING\n\n"]
        pieces += [
            event({**chunk(generation, reply), "choices": [{"index": 0, "delta": delta}]}) for delta in deltas
        ]
        last = {"index": 0, "delta": {}, "finish_reason": reply.finish_reason, "native_finish_reason": "end"}
        pieces.append(event({**chunk(generation, reply), "choices": [last]}, lines=3))
        final = {**chunk(generation, reply), "choices": [], "usage": usage(reply), **metadata(request, reply)}
        pieces += [event(final), "data: [DONE]\n\n"]
        whole = "".join(pieces).encode("utf-8", "surrogatepass")
        for start in range(0, len(whole), 97):  # cut anywhere, inside characters too
            piece = whole[start : start + 97]
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _send(
        self, writer: asyncio.StreamWriter, status: int, headers: dict[str, str], body: bytes
    ) -> None:
        lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        head = f"HTTP/1.1 {status} {REASONS.get(status, 'Error')}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()


def common(generation: str, reply: Reply) -> dict[str, Any]:
    return {"id": generation, "created": int(time.time()), "model": reply.model, "provider": reply.provider}


def chunk(generation: str, reply: Reply) -> dict[str, Any]:
    return {**common(generation, reply), "object": "chat.completion.chunk"}


def event(payload: dict[str, Any], lines: int = 1) -> str:
    """Give one event; its JSON may be spread over several data lines, which are joined with newlines."""
    text = json.dumps(payload, ensure_ascii=False, indent=None if lines == 1 else 1)
    return "".join(f"data: {line}\n" for line in text.split("\n")) + "\n"


def usage(reply: Reply) -> dict[str, Any]:
    return {
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "total_tokens": reply.prompt_tokens + reply.completion_tokens,
        "cost": reply.cost,
        "is_byok": reply.is_byok,
        "prompt_tokens_details": {"cached_tokens": reply.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": reply.reasoning_tokens},
    }


def metadata(request: Request, reply: Reply) -> dict[str, Any]:
    """Give the routing metadata, only when the request asked for it."""
    asked = request.headers.get("x-openrouter-metadata", "").lower() == "enabled"
    if not asked or not reply.tells_metadata:
        return {}
    stage = {"type": "plugin", "name": "auto-router", "data": {"task_type": reply.task_type}}
    return {
        "openrouter_metadata": {
            "requested": request.body["model"],
            "strategy": "auto",
            "attempt": 1,
            "pipeline": [stage] if reply.task_type else [],
        }
    }
