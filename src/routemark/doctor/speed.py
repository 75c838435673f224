"""`doctor --speed`: how fast this machine asks, and up to how many requests in flight its latencies are true.

A small server on the loopback stands for the gateway, so nothing leaves the machine. What is measured is all that a
trial takes in a run, grading apart: building, sending, pacing, reading, journaling. Server and client share the
machine, so the ceiling is rather too low than too high.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from routemark import numbers
from routemark.doctor.examine import Examination
from routemark.doctor.findings import Finding, ok, warning
from routemark.engine.gate import Gate
from routemark.engine.health import LIMITED_SHARE
from routemark.journal import Journal
from routemark.policy.pacing import Pace
from routemark.records import Arm, Question, Trial
from routemark.router import OpenRouterClient
from routemark.transport import make_transport
from routemark.wire.request import RequestOptions

DELAY_S = 0.2
"""Of the answers whose latency is measured."""
IN_FLIGHT = (1, 10, 30, 100, 300, 1_000, 3_000)
SATURATED = 300
"""Requests in flight where the server answers at once."""
SECONDS = 2.0
"""That a figure is measured for, about."""
LEAST_CEILING = 100
"""Below the default ceiling of a run, a warning is due."""

_ARM = Arm(name="speed/model", model="speed/model")
_QUESTION = Question(id="speed", difficulty="speed", question="What is the speed of this machine? " * 8)
_OPTIONS = RequestOptions(stream=False)


class Rate(NamedTuple):
    """What asking without delay came to."""

    per_s: float
    cpu_ms: float
    """CPU of a trial, this process's own."""


class Shown(NamedTuple):
    """Median latency at so many in flight, seconds."""

    in_flight: int
    shown: float
    true: float

    @property
    def excess(self) -> float:
        """Share of the true latency that is ours."""
        return self.shown / self.true - 1


async def measure(transport: str) -> Examination:
    """Measure for some seconds."""
    with (
        tempfile.TemporaryDirectory(prefix="routemark-") as folder,
        Journal(Path(folder) / "journal.jsonl") as journal,
    ):
        async with _server(0.0) as url, _client(url, transport, SATURATED) as client:
            rate = await _rate(client, journal)
        shown = []
        async with _server(DELAY_S) as url:
            for in_flight in IN_FLIGHT:
                async with _client(url, transport, in_flight) as client:
                    shown.append(await _latency(client, journal, in_flight))
                if shown[-1].excess > 2 * LIMITED_SHARE:
                    break
    findings = list(found(rate, shown))
    return Examination(
        base_url="",
        status="warning" if any(one.status == "warning" for one in findings) else "ok",
        simulated=False,
        findings=findings,
        requests=0,
        cost_usd=0.0,
        cost_unknown=0,
    )


def found(rate: Rate, shown: list[Shown]) -> Iterator[Finding]:
    """Yield in words what was measured."""
    yield ok(
        "speed",
        f"{numbers.plain(rate.per_s, 0)} requests a second, {numbers.seconds(rate.cpu_ms / 1e3)} of CPU each, from one process, "
        "answered at once, grading not counted.",
    )
    steps = ", ".join(f"{numbers.count(one.in_flight)}: {numbers.change(one.excess)}" for one in shown)
    honest = [one.in_flight for one in shown if one.excess <= LIMITED_SHARE]
    told = f"Median above the true {numbers.seconds(DELAY_S)} by requests in flight: {steps}."
    if honest and honest[-1] >= LEAST_CEILING:
        yield ok("latency", f"True within 5 % up to {numbers.count(honest[-1])} requests in flight. {told}")
        return
    yield warning(
        "latency",
        f"True within 5 % only up to {numbers.count(honest[-1] if honest else 0)} requests in flight. {told}",
        "Give --concurrency below that where latencies matter, or let the machine do less beside.",
    )


async def _rate(client: OpenRouterClient, journal: Journal) -> Rate:
    await _ask(client, journal, SATURATED, seconds=0.3)
    begun, used = time.monotonic(), time.process_time()
    latencies = await _ask(client, journal, SATURATED, seconds=SECONDS)
    wall, cpu = time.monotonic() - begun, time.process_time() - used
    return Rate(len(latencies) / wall, cpu / len(latencies) * 1e3)


async def _latency(client: OpenRouterClient, journal: Journal, in_flight: int) -> Shown:
    await _ask(client, journal, in_flight, seconds=DELAY_S)  # connections are made
    await client.get_json("truth")
    latencies = await _ask(client, journal, in_flight, seconds=SECONDS)
    return Shown(in_flight, statistics.median(latencies), float(await client.get_json("truth")))


async def _ask(client: OpenRouterClient, journal: Journal, in_flight: int, *, seconds: float) -> list[float]:
    """Ask so many at once, until it is time; give the latencies of the answers."""
    end = time.monotonic() + seconds
    latencies: list[float] = []
    key = "0" * 24

    async def worker() -> None:
        while time.monotonic() < end:
            trial = Trial(key=key, question=_QUESTION, arm=_ARM, repeat=0, session_id=f"rm-{key}.r0")
            outcome = await client.complete(trial)
            journal.append(outcome)
            if outcome.completion is not None:
                latencies.append(outcome.completion.latency_s)

    await asyncio.gather(*(worker() for _ in range(in_flight)))
    return latencies


@asynccontextmanager
async def _client(url: str, transport: str, in_flight: int) -> AsyncIterator[OpenRouterClient]:
    gate = Gate(Pace(in_flight, fixed=True))
    async with OpenRouterClient(
        base_url=url,
        transport=make_transport(transport, in_flight),
        options=_OPTIONS,
        pacer=gate,
        sleep=gate.sleep,
    ) as client:
        yield client


@asynccontextmanager
async def _server(delay_s: float) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "routemark.doctor.loopback",
        str(delay_s),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.stdin.close()
        await process.wait()
