"""The rows of the table: each measures ours and the reference loops in turn, and says what came of it."""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import journals
from benchmarks.machine import HERE, Phases, Reference, ours, questions, reference, run, server, spread

REPEATS = 3
ANSWERED_TOGETHER = "--fixed-concurrency"
HARD_TO_GRADE = "(A) B. " * 60
"""An answer that keeps a grading child busy for some milliseconds."""


def _versus(
    name: str,
    n: int,
    concurrency: int,
    *options: str,
    stream: bool = False,
    repeats: int = REPEATS,
    **served: float,
) -> tuple[list[Phases], dict[str, list[Reference]]]:
    """Run ours and both reference loops in turn, so often; give all runs."""
    mine: list[Phases] = []
    theirs: dict[str, list[Reference]] = {"pyreqwest": [], "aiohttp": []}
    with tempfile.TemporaryDirectory() as folder, server(**served) as url:
        file = questions(Path(folder) / "q.jsonl", n)
        flags = ("--stream" if stream else "--no-stream", "-j", str(concurrency), ANSWERED_TOGETHER, *options)
        for _ in range(repeats):
            for client, runs in theirs.items():
                runs.append(reference(url, client, n, concurrency, stream=stream))
            mine.append(ours(Path(folder), url, file, *flags))
            assert mine[-1].results["summary"]["succeeded"] == n, f"{name}: not every trial was answered"
    return mine, theirs


def _cpu(
    name: str, n: int, mine: list[Phases], theirs: dict[str, list[Reference]], unit: float = 1e3
) -> None:
    """Tell CPU a trial: asking, grading children, and the reference loops."""
    ask = [one.ask_cpu_s / n * unit for one in mine]
    children = median(one.children_cpu_s / n * unit for one in mine)
    both = [(one.ask_cpu_s + one.children_cpu_s) / n * unit for one in mine]
    what = "ms a trial" if unit == 1e3 else "us"
    print(
        f"{name}: {median(both):.3f} {what} of CPU (asking {median(ask):.3f}, grading children {children:.3f}),"
    )
    for client, runs in theirs.items():
        bare = [one.cpu_s / n * unit for one in runs]
        ratios = [ours / its for ours, its in zip(both, bare, strict=True)]
        print(
            f"    {median(ratios):.2f} times the bare {client} loop's {median(bare):.3f} "
            f"(spread of the ratio {spread(ratios)}, of ours {spread(both)})"
        )


def saturated() -> None:
    """CPU of a trial at 1,000 in flight, server without delay."""
    n = 20_000
    _cpu("saturated, 1,000 in flight", n, *_versus("saturated", n, 1_000))


def delayed() -> None:
    """CPU of a trial at 1,000 in flight, server with 200 ms."""
    n = 20_000
    _cpu("200 ms server, 1,000 in flight", n, *_versus("delayed", n, 1_000, delay=0.2))


def _ideal(concurrency: int) -> None:
    n = 20_000
    mine, theirs = _versus("ideal", n, concurrency, repeats=REPEATS, delay=0.2)
    ideal = n / concurrency * 0.2
    shares = [ideal / one.ask_wall_s for one in mine]
    print(
        f"ideal wall time {ideal:.1f} s, {concurrency:,} in flight, 200 ms: we reach {median(shares):.1%} "
        f"(spread {spread(shares)})"
    )
    for client, runs in theirs.items():
        print(f"    the bare {client} loop {median(ideal / one.wall_s for one in runs):.1%}")


def ideal_100() -> None:
    """Share of the ideal wall time at 100 in flight, 200 ms."""
    _ideal(100)


def ideal_1000() -> None:
    """Share of the ideal wall time at 1,000 in flight, 200 ms."""
    _ideal(1_000)


def stream() -> None:
    """CPU of a chunk in streams of 50 chunks, 100 in flight; all in one write, and 5 ms apart."""
    n, chunks = 2_000, 53  # 50 of content, two of closing, the end mark
    for gap in (0.0, 0.005):
        mine, theirs = _versus("stream", n, 100, stream=True, gap=gap)
        plain, _ = _versus("plain", n, 100, repeats=1)
        own = median(one.ask_cpu_s for one in mine) / (n * chunks) * 1e6
        beyond = own - plain[0].ask_cpu_s / (n * chunks) * 1e6
        print(
            f"stream of 50 chunks, {gap * 1e3:g} ms apart: {own:.1f} us a chunk, {beyond:.1f} beyond a plain answer"
        )
        for client, runs in theirs.items():
            bare = median(one.cpu_s for one in runs) / (n * chunks) * 1e6
            print(f"    the bare {client} loop {bare:.1f} us a chunk: ratio {own / bare:.2f}")


def fidelity() -> None:
    """Latency as reported, beside what the server knows, at 1, 100 and 1,000 in flight, plain and streaming."""
    for stream_it in (False, True):
        for concurrency, n in ((1, 50), (100, 5_000), (1_000, 20_000)):
            _fidelity(n, concurrency, stream=stream_it)
    _fidelity(4_000, 1_000, stream=False, grader="numeric", text=HARD_TO_GRADE)


def _fidelity(
    n: int, concurrency: int, *, stream: bool, grader: str = "exact", text: str = "The answer is 42."
) -> None:
    with tempfile.TemporaryDirectory() as folder, server(delay=0.2, chunks=10, text=text) as url:
        file = questions(Path(folder) / "q.jsonl", n, grader)
        flags = ("--stream" if stream else "--no-stream", "-j", str(concurrency), ANSWERED_TOGETHER)
        done = ours(Path(folder), url, file, *flags)
        with urllib.request.urlopen(f"{url}/__truth") as page:
            truth = json.load(page)
    told = done.results["summary"]["arms"]["bench/model"]["latency_s"]
    client = done.results["run"]["client"]
    above = {name: told[name] / truth[name] - 1 for name in ("p50", "p99")}
    print(
        f"latency, {'stream' if stream else 'plain'}, {concurrency:,} in flight, graded by {grader}: p50 {told['p50']:.4f} s "
        f"({above['p50']:+.1%}), p99 {told['p99']:.4f} s ({above['p99']:+.1%}); the server's own {truth['p50']:.4f} "
        f"and {truth['p99']:.4f}; client-limited: {'yes' if client['limited'] else 'no'}"
    )


def memory() -> None:
    """Peak memory at 1,000 in flight: 20,000 and 200,000 trials."""
    found = []
    for n in (20_000, 200_000):
        with tempfile.TemporaryDirectory() as folder, server() as url:
            file = questions(Path(folder) / "q.jsonl", n)
            done = ours(Path(folder), url, file, "--no-stream", "-j", "1000", ANSWERED_TOGETHER)
        found.append(done.rss_mb)
        print(f"memory, {n:,} trials: peak {done.rss_mb:.0f} MB")
    print(f"    {(found[1] - found[0]) / 180_000 * 1e6:.0f} bytes a trial beyond")


def _journal(work: Callable[[Path], None], name: str, n: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = journals.make(Path(folder), n)
        begun = time.monotonic()
        work(made)
        print(f"{name}, {n:,} outcomes: {time.monotonic() - begun:.1f} s")


def resume(n: int = 1_000_000) -> None:
    """Wall time until a run whose journal holds a million outcomes knows what is left to ask."""
    _journal(
        lambda made: print(run([sys.executable, str(HERE / "reading.py"), "ledger", str(made)]).said.strip()),
        "resume",
        n,
    )


def summary(n: int = 1_000_000) -> None:
    """Wall time of the summary of a million outcomes, and of all files with it."""
    _journal(
        lambda made: print(
            run([sys.executable, str(HERE / "reading.py"), "summary", str(made)]).said.strip()
        ),
        "summary",
        n,
    )


def offline() -> None:
    """36,000 questions x 11 models, 15 routers, all metrics; on all cores."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        outcomes, picks = offline_files(folder, 36_000, 11, 15)
        used = run(
            [
                sys.executable,
                "-m",
                "routemark",
                "offline",
                str(outcomes),
                "--picks",
                str(picks),
                "--json",
                "--all-metrics",
            ],
            core=None,
        )
    print(
        f"offline, 36,000 questions x 11 models, 15 routers: {used.wall_s:.1f} s, {used.cpu_s:.1f} s of CPU, {used.rss_mb:.0f} MB"
    )


def offline_files(folder: Path, questions: int, models: int, arms: int) -> tuple[Path, Path]:
    """Write outcomes and picks of a world drawn with a fixed seed."""
    draw = random.Random(1)
    skill = [0.4 + 0.5 * index / models for index in range(models)]
    with (folder / "outcomes.csv").open("w") as file:
        file.write("question_id,model,score,cost_usd,difficulty\n")
        for question in range(questions):
            hard = draw.random()
            for model in range(models):
                right = int(draw.random() < skill[model] * (1.3 - 0.6 * hard))
                cost = 1e-4 * 1.6**model * draw.lognormvariate(0, 0.5)
                file.write(f"q{question},m{model},{right},{cost:.8f},{'easy' if hard < 0.5 else 'hard'}\n")
    with (folder / "picks.csv").open("w") as file:
        file.write("question_id,arm,model\n")
        for question in range(questions):
            for arm in range(arms):
                file.write(
                    f"q{question},r{arm},m{min(models - 1, int(draw.triangular(0, models, arm % models)))}\n"
                )
    return folder / "outcomes.csv", folder / "picks.csv"


def startup() -> None:
    """CPU of `routemark --version`, and of a run until its first request."""
    versions = [run([sys.executable, "-m", "routemark", "--version"]).cpu_s for _ in range(5)]
    with tempfile.TemporaryDirectory() as folder, server() as url:
        file = questions(Path(folder) / "q.jsonl", 100)
        firsts = [ours(Path(folder), url, file, "--no-stream").start_cpu_s for _ in range(5)]
    print(f"routemark --version: {median(versions):.3f} s of CPU (spread {spread(versions)})")
    print(f"until the first request: {median(firsts):.3f} s of CPU (spread {spread(firsts)})")


ROWS: dict[str, Callable[[], None]] = {
    "saturated": saturated,
    "delayed": delayed,
    "ideal-100": ideal_100,
    "ideal-1000": ideal_1000,
    "fidelity": fidelity,
    "stream": stream,
    "memory": memory,
    "resume": resume,
    "summary": summary,
    "offline": offline,
    "startup": startup,
}
