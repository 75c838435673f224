"""Shoots nodes of a cluster in the middle of a run: `python -m benchmarks.cluster TRIALS TIMES`.

One run by one process, one on each of one and two Ray workers, and so many times one on two nodes of which one is shot
at a random moment, without warning, and replaced. Everything is on this machine; results are held against those of
the one process, and the simulated gateway's counters against the journals. Fails at the first that differs.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import machine
from benchmarks.nodes import Nodes
from routemark.journal import Event, replay
from routemark.records import Outcome

KEY = "sk-or-v1-" + "0" * 32
ASK = (
    "-m", "sim/pebble-nano", "-m", "sim/heron-pro", "--quiet", "-j", "100", "--fixed-concurrency", "--seed", "3",
)  # fmt: skip
DEADLINE_S = 1800
OF_TIMES = {
    "latency_s", "ttft_s", "queue_s", "generation_id", "started_at", "finished_at", "client", "attempts", "service",
    "timeline", "arena_score", "flags", "latency_histogram", "ttft_histogram", "pick_s",
}  # fmt: skip
"""Names in results.json of what is made of times, or tells of attempts."""


class Ran(NamedTuple):
    """One run."""

    results: Any
    """Without times and attempts."""
    per_s: float
    """Trials a second, of the time from the first outcome to the last."""
    requests: int
    had: int
    """Trials that a node had when it was shot."""


def main() -> None:
    """Do all runs, and print a line for each."""
    trials, times = int(sys.argv[1]), int(sys.argv[2])
    print(machine.line())
    draw = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else None)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        file = machine.questions(folder / "q.jsonl", trials // 2)
        local = ran(folder, file, trials, "one process")
        for workers in (1, 2):
            with nodes() as cluster:
                same(local, ran(folder, file, trials, f"Ray, workers: {workers}", cluster, workers=workers))
        for number in range(times):
            with nodes() as cluster:
                at = draw.randrange(trials // 20, trials * 9 // 10)
                title = f"Ray, shot {number + 1} of {times}, after {at:,} outcomes"
                shot = ran(folder, file, trials, title, cluster, workers=2, shoot_at=at)
                same(local, shot)
                assert shot.had, "the node had nothing to lose"
    print("All results are those of one process; nothing was asked twice but what a shot node had.")


def same(local: Ran, other: Ran) -> None:
    """Fail unless two runs came to the same, and asked nothing twice beyond what was lost."""
    assert other.results == local.results, "the results differ"
    assert other.requests - local.requests <= other.had, "more was asked twice than the node had"


def ran(
    folder: Path,
    file: Path,
    trials: int,
    title: str,
    cluster: Nodes | None = None,
    *,
    workers: int = 0,
    shoot_at: int | None = None,
) -> Ran:
    """Run once against a gateway of its own."""
    with gateway(file) as url:
        more: tuple[str, ...] = ()
        if cluster is not None:
            more = ("--executor", "ray", "--ray-address", cluster.address, "--workers", str(workers))
        run = folder / f"run-{time.monotonic_ns()}"
        command = [
            sys.executable, "-m", "routemark", "run", str(file), *ASK, *more, "--base-url", url, "--runs-dir",
            str(folder), "--run-id", run.name,
        ]  # fmt: skip
        environ = {**os.environ, "OPENROUTER_API_KEY": KEY}
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL)
        if cluster is not None and shoot_at is not None:
            wait_for(run / "journal.jsonl", shoot_at, process)
            cluster.tell("kill")
            cluster.tell("add")
        assert process.wait(DEADLINE_S) == 0, title
        with urllib.request.urlopen(url.removesuffix("/api/v1") + "/__stats") as page:
            asked = json.load(page)
    found, had = journaled(run / "journal.jsonl")
    assert len({one for one, _ in found}) == len(found) == trials, "an outcome is missing, or there twice"
    assert asked["distinct_sessions"] == trials
    spent_s = max(at for _, at in found) - min(at for _, at in found)
    made = Ran(comparable(run / "results.json"), trials / spent_s, asked["requests"], had)
    print(f"{title}: {made.per_s:.0f} trials a second, {made.requests:,} requests, {had} lost", flush=True)
    shutil.rmtree(run)
    return made


def wait_for(journal: Path, outcomes: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a journal holds so many outcomes."""
    deadline, seen, place = time.monotonic() + DEADLINE_S, 0, 0
    while seen < outcomes:
        assert process.poll() is None, "the run ended too early"
        assert time.monotonic() < deadline
        time.sleep(0.02)
        if journal.exists():
            with journal.open("rb") as lines:
                lines.seek(place)
                block = lines.read()
            place += len(block)
            seen += block.count(b'"kind":"outcome"')


def journaled(journal: Path) -> tuple[list[tuple[str, float]], int]:
    """Give the outcomes' trials, each with the time of its end, and how many trials were lost with workers."""
    found, had = [], 0
    for entry in replay(journal):
        match entry.record:
            case Outcome(trial=trial, attempts=attempts):
                found.append((trial, seconds(attempts[-1].started_at) + attempts[-1].duration_s))
            case Event(event="worker_lost", data=data):
                had += len(data["trials"])
    return found, had


def seconds(at: str) -> float:
    """Give a time of day as seconds since 1970."""
    return datetime.fromisoformat(at).timestamp()


def comparable(path: Path) -> Any:
    """Give results without times, attempts and the sentences that hold the date."""
    found = json.loads(path.read_bytes())
    summary = {name: value for name, value in found["summary"].items() if name != "verdict"}
    return without(found["results"]), without(summary)


def without(value: Any) -> Any:
    """Leave out what is made of times."""
    if isinstance(value, dict):
        return {name: without(inner) for name, inner in value.items() if name not in OF_TIMES}
    return [without(inner) for inner in value] if isinstance(value, list) else value


@contextmanager
def gateway(file: Path) -> Iterator[str]:
    """Serve the simulated gateway, 0.1 s an answer; give its base URL."""
    command = [
        sys.executable, "-m", "routemark", "gateway", "--questions", str(file), "--seed", "5", "--latency", "fixed:0.1",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().removeprefix("listening on ").strip()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


@contextmanager
def nodes() -> Iterator[Nodes]:
    """Give a fresh cluster."""
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:
        made = Nodes(Path(folder), {**os.environ, "OPENROUTER_API_KEY": KEY})
        try:
            yield made
        finally:
            made.close()


if __name__ == "__main__":
    main()
