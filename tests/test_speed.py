"""A trial costs little more than its request, and memory does not grow with their number.

Ratios in one process, interleaved and the best of several: whatever else the machine does hits both sides.
"""

import asyncio
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from pyreqwest.client import ClientBuilder

from routemark.engine.gate import Gate
from routemark.engine.run import Desk, Planned, Stop, work
from routemark.journal import Journal
from routemark.policy.pacing import Pace
from routemark.policy.stopping import StopRules
from routemark.records import Arm, Question, Trial
from routemark.router import OpenRouterClient
from routemark.transport import make_transport
from routemark.wire.request import RequestOptions

ARM = Arm(name="bench/m", model="bench/m")
OPTIONS = RequestOptions(stream=False)
IN_FLIGHT = 50
TIMES_THE_BARE_LOOP = 5.0
"""Measured: 2 to 3. The bound is for regressions of the kind that doubles the work."""
SERVER = Path(__file__).parents[1] / "benchmarks" / "server.py"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Give the address of a server in a process of its own, so that its work is on neither side."""
    with subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.kill()


def trials(n: int) -> Iterator[Trial]:
    for index in range(n):
        question = Question(
            id=f"q{index}", difficulty="e", question=f"What is {index} and one?", reference="42"
        )
        key = f"{index:024x}"
        yield Trial(key=key, question=question, arm=ARM, repeat=0, session_id=f"rm-{key}")


async def ask_all(url: str, journal: Journal, n: int) -> None:
    """Do what a run does for each trial, but grade."""
    gate = Gate(Pace(IN_FLIGHT, fixed=True))
    stop = Stop(gate.close)
    rules = StopRules(url)
    desk = Desk(journal, lambda *_: None, [], stop, rules=rules, heard_at=lambda: gate.heard_at)
    async with OpenRouterClient(
        api_key="sk-or-v1-" + "0" * 20,
        base_url=url,
        transport=make_transport("pyreqwest", IN_FLIGHT),
        options=OPTIONS,
        pacer=gate,
        sleep=gate.sleep,
    ) as client:
        await work(Planned(trials(n)), client.complete, desk, stop, IN_FLIGHT)


async def bare(url: str, n: int) -> None:
    """Send as many requests, and decode what comes."""
    rest = iter(range(n))
    async with ClientBuilder().no_proxy().build() as client:

        async def worker() -> None:
            for index in rest:
                body = msgspec.json.encode({"model": "bench/m", "messages": [f"What is {index} and one?"]})
                request = client.post(f"{url}/chat/completions").body_bytes(body).build()
                msgspec.json.decode(bytes(await (await request.send()).bytes()))

        await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))


async def cpu_s(work: Callable[[], Awaitable[None]]) -> float:
    before = time.process_time()
    await work()
    return time.process_time() - before


def test_a_trial_costs_a_few_bare_requests_at_most(tmp_path: Path, url: str) -> None:
    async def scenario() -> list[float]:
        ratios = []
        with Journal(tmp_path / "journal.jsonl") as journal:
            for _ in range(5):
                ours = await cpu_s(lambda: ask_all(url, journal, 500))
                ratios.append(ours / await cpu_s(lambda: bare(url, 500)))
        return ratios

    assert min(asyncio.run(scenario())) < TIMES_THE_BARE_LOOP


def test_memory_does_not_grow_with_the_trials(tmp_path: Path, url: str) -> None:
    n = 1_000

    async def scenario() -> list[int]:
        left = []
        with Journal(tmp_path / "journal.jsonl") as journal:
            await ask_all(url, journal, 200)
            tracemalloc.start()
            for times in (1, 3):
                tracemalloc.reset_peak()
                await ask_all(url, journal, times * n)
                left.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        return left

    few, many = asyncio.run(scenario())
    assert many - few < 50 * 2 * n, "less than fifty bytes a trial"
