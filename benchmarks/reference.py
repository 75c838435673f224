"""The reference loops: what an HTTP library alone can do with the same bodies, one journal line a request.

No retries, no pace, no time limits, no grading: the least that could be called the same work. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import uvloop

Post = Callable[[bytes], Awaitable[bytes]]


@asynccontextmanager
async def pyreqwest(url: str, concurrency: int) -> AsyncIterator[Post]:
    """Post with pyreqwest."""
    from pyreqwest.client import ClientBuilder

    async with ClientBuilder().max_connections(concurrency).build() as client:

        async def post(body: bytes) -> bytes:
            response = (
                await client.post(url)
                .header("content-type", "application/json")
                .body_bytes(body)
                .build()
                .send()
            )
            return bytes(await response.bytes())

        yield post


@asynccontextmanager
async def aiohttp(url: str, concurrency: int) -> AsyncIterator[Post]:
    """Post with aiohttp."""
    import aiohttp as library

    async with library.ClientSession(connector=library.TCPConnector(limit=concurrency)) as session:

        async def post(body: bytes) -> bytes:
            async with session.post(url, data=body, headers={"content-type": "application/json"}) as response:
                return await response.read()

        yield post


async def run(options: argparse.Namespace) -> dict[str, float]:
    """Send all requests and journal what came; give wall time."""
    decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
    requests = iter(range(options.n))
    latencies = []
    connect = {"pyreqwest": pyreqwest, "aiohttp": aiohttp}[options.client]
    with tempfile.TemporaryFile() as journal:
        async with connect(options.url + "/chat/completions", options.concurrency) as post:

            async def worker() -> None:
                for index in requests:
                    body = encode(
                        {
                            "model": "bench/model",
                            "messages": [
                                {"role": "user", "content": f"Question {index}: what is six times seven?"}
                            ],
                            "max_tokens": 16384,
                            "stream": options.stream,
                            "session_id": f"rm-{index:024d}.r0",
                        }
                    )
                    begun = time.monotonic()
                    answer = await post(body)
                    latency = time.monotonic() - begun
                    if options.stream:
                        text, model, usage = streamed(answer, decode)
                    else:
                        value = decode(answer)
                        text, model, usage = (
                            value["choices"][0]["message"]["content"],
                            value["model"],
                            value["usage"],
                        )
                    line = {
                        "question": index,
                        "text": text,
                        "model": model,
                        "usage": usage,
                        "latency_s": latency,
                    }
                    os.write(journal.fileno(), encode(line) + b"\n")
                    latencies.append(latency)

            begun, used = time.monotonic(), time.process_time()
            await asyncio.gather(*(worker() for _ in range(options.concurrency)))
            wall, cpu = time.monotonic() - begun, time.process_time() - used
    latencies.sort()
    return {
        "wall_s": wall,
        "cpu_s": cpu,
        "p50": latencies[len(latencies) // 2],
        "p99": latencies[int(len(latencies) * 0.99)],
    }


def streamed(body: bytes, decode: Callable[[bytes], dict]) -> tuple[str, str, dict]:
    """Put a stream's pieces together."""
    text, model, usage = [], "", {}
    for line in body.split(b"\n"):
        if line.startswith(b"data: {"):
            event = decode(line[6:])
            model = event["model"]
            usage = event.get("usage") or usage
            for choice in event["choices"]:
                text.append(choice["delta"].get("content") or "")
    return "".join(text), model, usage


def main() -> None:
    """Run one loop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--client", choices=["pyreqwest", "aiohttp"], default="pyreqwest")
    parser.add_argument("--url", required=True)
    parser.add_argument("-n", type=int, default=20_000)
    parser.add_argument("--concurrency", type=int, default=1_000)
    parser.add_argument("--stream", action="store_true")
    print(json.dumps(uvloop.run(run(parser.parse_args()))))


if __name__ == "__main__":
    main()
