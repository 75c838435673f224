"""Killed again and again at random instants, whatever it was doing, a run ends as if nothing had happened."""

import functools
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import runs
from nursery import Child, Nursery

WORKERS = 8
QUESTIONS = 20
ARMS = ("-m", "openrouter/auto", "-m", "sim/finch-8b", "-m", "openrouter/auto?cost_tier=low")
TRIALS = 3 * QUESTIONS
LATENCY = ("--latency", "0.02")
LATEST = 0.6
"""The first kill of a run strikes before this share of an undisturbed life is over, anywhere from its start."""
PATIENCE = 1.2
"""Each life of a run may last so many times longer than the one before, so that one reaches its end everywhere."""


def command(base_url: str, run_id: str) -> list[str]:
    return [
        "run",
        "my.jsonl",
        *ARMS,
        "--base-url",
        base_url,
        "--run-id",
        run_id,
        "-j",
        str(WORKERS),
        "--quiet",
    ]


def lived(child: Child, seconds: float) -> bool:
    """Let a process live for so long at most; tell whether it came to its end by itself."""
    if not child.wait(seconds):
        child.send_signal(signal.SIGKILL)
        assert child.wait(20)
    assert child.status in (0, -signal.SIGKILL), child.stderr
    assert "Traceback" not in child.stderr
    return child.status == 0


def check_ledger(base_url: str, journaled: int, billed_before: int, kills: int) -> None:
    """Compare the journal with the gateway's bills: no more is lost than was in flight at each kill."""
    deadline = time.monotonic() + 10
    while (counted := runs.stats(base_url))["in_flight"] and time.monotonic() < deadline:
        time.sleep(0.005)  # what was in flight when the client died is still being served
    billed = counted["billed"] - billed_before
    assert journaled <= billed <= journaled + kills * WORKERS


def kill_until_done(
    nursery: Nursery, folder: Path, base_url: str, run_id: str, life_s: Callable[[], float]
) -> int:
    """Begin and kill a run until it is complete; give the number of kills that struck."""
    run = folder / "runs" / run_id
    billed_before, kills = runs.stats(base_url)["billed"], 0
    kept: set[str] = set()
    while True:
        finished = lived(
            nursery.begin(*command(base_url, run_id), cwd=folder),
            life_s() * PATIENCE**kills,
        )
        kills += not finished
        now = [outcome.session_id for outcome in runs.outcomes(run)]
        assert len(now) == len(set(now)), "asked again although it had been journaled"
        assert kept <= set(now), "a journaled outcome was lost"
        kept = set(now)
        check_ledger(base_url, len(kept), billed_before, kills)
        if finished:
            return kills


class Calm(NamedTuple):
    """The same run, left alone."""

    results: Any
    took_s: float


@pytest.fixture(scope="module")
def calm(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Calm:
    """Ask a gateway of its own, twice, since the first time starts the nursery."""
    folder = tmp_path_factory.mktemp("calm")
    with runs.gateway(runs.write_sums(folder, QUESTIONS), *LATENCY) as base_url:
        for run_id in ("first", "run0"):
            began = time.monotonic()
            assert nursery.run(*command(base_url, run_id), cwd=folder).status == 0
            took_s = time.monotonic() - began
    return Calm(runs.timeless(runs.results(folder / "runs/run0")), took_s)


KILLS = [(0, 8), *(pytest.param(seed, 23, marks=pytest.mark.slow) for seed in range(1, 5))]


@pytest.mark.parametrize(("seed", "kills"), KILLS)
def test_a_run_killed_at_random_instants_ends_as_the_undisturbed_one(
    nursery: Nursery, calm: Calm, tmp_path: Path, seed: int, kills: int
) -> None:
    """A hundred kills in all, from the start of a life to its last moments, of runs that are begun again and again."""
    rng = random.Random(seed)
    questions = runs.write_sums(tmp_path, QUESTIONS)
    struck = number = 0
    with runs.gateway(questions, *LATENCY) as base_url:
        while struck < kills:
            run_id = f"run{number}"
            life_s = functools.partial(rng.uniform, 0.0, LATEST * calm.took_s)
            struck += kill_until_done(nursery, tmp_path, base_url, run_id, life_s)
            found = runs.timeless(runs.results(tmp_path / "runs" / run_id))
            found["run"]["id"] = found["run"]["settings"]["run_id"] = "run0"
            assert found == calm.results
            assert not list((tmp_path / "runs" / run_id).glob(".*")), "half-written files are left"
            number += 1
