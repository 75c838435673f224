"""Killed again and again at random instants, whatever it was doing, a run ends as if nothing had happened."""

import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

import runs
from nursery import Child, Nursery

WORKERS = 8
QUESTIONS = 40
ARMS = ("-m", "openrouter/auto", "-m", "sim/finch-8b", "-m", "openrouter/auto?cost_tier=low")
TRIALS = 3 * QUESTIONS
LATEST_KILL_S = 0.8
"""Long enough for a life to come near its end, so that kills strike everywhere from the start to the report."""
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


def kill_until_done(nursery: Nursery, folder: Path, base_url: str, run_id: str, rng: random.Random) -> int:
    """Begin and kill a run until it is complete; give the number of kills that struck."""
    run = folder / "runs" / run_id
    billed_before, kills = runs.stats(base_url)["billed"], 0
    kept: set[str] = set()
    while True:
        finished = lived(
            nursery.begin(*command(base_url, run_id), cwd=folder),
            rng.uniform(0.0, LATEST_KILL_S) * PATIENCE**kills,
        )
        kills += not finished
        now = [outcome.session_id for outcome in runs.outcomes(run)]
        assert len(now) == len(set(now)), "asked again although it had been journaled"
        assert kept <= set(now), "a journaled outcome was lost"
        kept = set(now)
        check_ledger(base_url, len(kept), billed_before, kills)
        if finished:
            return kills


def undisturbed(folder: Path, run_id: str) -> Any:
    """Give the results of the same run, left alone, from a gateway of its own."""
    folder.mkdir()
    questions = runs.write_sums(folder, QUESTIONS)
    with runs.gateway(questions) as base_url:
        assert runs.routemark(*command(base_url, run_id), cwd=folder).code == 0
    return runs.timeless(runs.results(folder / "runs" / run_id))


def kill(nursery: Nursery, folder: Path, kills: int, seed: int) -> None:
    rng = random.Random(seed)
    questions = runs.write_sums(folder, QUESTIONS)
    struck = number = 0
    expected = undisturbed(folder / "calm", "run0")
    with runs.gateway(questions, "--latency", "0.02") as base_url:
        while struck < kills:
            run_id = f"run{number}"
            struck += kill_until_done(nursery, folder, base_url, run_id, rng)
            found = runs.timeless(runs.results(folder / "runs" / run_id))
            found["run"]["id"] = found["run"]["settings"]["run_id"] = "run0"
            assert found == expected
            assert not list((folder / "runs" / run_id).glob(".*")), "half-written files are left"
            number += 1


def test_a_run_killed_at_random_instants_ends_as_the_undisturbed_one(
    nursery: Nursery, tmp_path: Path
) -> None:
    kill(nursery, tmp_path, kills=8, seed=1)


@pytest.mark.slow
def test_a_hundred_kills(nursery: Nursery, tmp_path: Path) -> None:
    kill(nursery, tmp_path, kills=100, seed=2)
