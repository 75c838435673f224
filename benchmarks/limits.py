"""Where the ceiling is: wrk, a hand-written protocol, two libraries' bare loops, and a run, in turn on one core.

`python -m benchmarks.limits [-n TRIALS] [--in-flight N] [--repeats N]`. wrk is Debian's package; without it the
rest is measured. CPU of the asking alone: start-up and files are not in it, for a run neither.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import machine
from benchmarks.machine import HERE

WRK_SCRIPT = """
wrk.method, wrk.path = "POST", "/chat/completions"
wrk.headers["content-type"] = "application/json"
wrk.body = '{"model":"bench/model","messages":[{"role":"user","content":"Question 10000: what is six times seven?"}],'
  .. '"max_tokens":16384,"stream":false,"session_id":"rm-000000000000000000010000.r0"}'
"""


class Took(NamedTuple):
    """One run."""

    rate: float
    """Requests a second."""
    cpu_us: float
    """A request."""


def main() -> None:
    """Measure all in turn, then print medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limits", description=__doc__)
    parser.add_argument("-n", type=int, default=20_000, help="trials of a run (20000)")
    parser.add_argument("--in-flight", type=int, default=100, help="(100)")
    parser.add_argument("--repeats", type=int, default=3, help="in turn; medians (3)")
    chosen = parser.parse_args()
    print(machine.line())
    with tempfile.TemporaryDirectory() as name, machine.server() as url:
        ways = _ways(Path(name), url, chosen.n, chosen.in_flight)
        taken: dict[str, list[Took]] = {way: [] for way in ways}
        for _ in range(chosen.repeats):
            for way, run in ways.items():
                taken[way].append(run())
    print(
        "| way | requests a second | CPU us a request | a run takes so many times its CPU | spread |\n|---|---|---|---|---|"
    )
    ours = median(one.cpu_us for one in taken["routemark"])
    for way, runs in taken.items():
        cpu = [one.cpu_us for one in runs]
        print(
            f"| {way} | {median(one.rate for one in runs):,.0f} | {median(cpu):.0f} | {ours / median(cpu):.2f} "
            f"| {machine.spread(cpu)} |"
        )


def _ways(folder: Path, url: str, n: int, in_flight: int) -> dict[str, Callable[[], Took]]:
    questions = machine.questions(folder / "q.jsonl", n)
    flags = ("--no-stream", "-j", str(in_flight), "--fixed-concurrency")

    def loop(client: str) -> Took:
        one = machine.reference(url, client, n, in_flight)
        return Took(n / one.wall_s, one.cpu_s / n * 1e6)

    def ours() -> Took:
        one = machine.ours(folder, url, questions, *flags)
        return Took(n / one.ask_wall_s, (one.ask_cpu_s + one.children_cpu_s) / n * 1e6)

    def protocol() -> Took:
        command = ["--url", url, "-n", str(n), "--concurrency", str(in_flight)]
        said = json.loads(machine.run([sys.executable, str(HERE / "protocol.py"), *command]).said)
        return Took(n / said["wall_s"], said["cpu_s"] / n * 1e6)

    ways = {
        "wrk": lambda: wrk(folder, url, in_flight),
        "hand-written protocol": protocol,
        "bare pyreqwest": lambda: loop("pyreqwest"),
        "bare aiohttp": lambda: loop("aiohttp"),
        "routemark": ours,
    }
    if not shutil.which("wrk"):
        print("wrk is not installed: left out")
        del ways["wrk"]
    return ways


def wrk(folder: Path, url: str, in_flight: int) -> Took:
    """Run wrk for three seconds."""
    (folder / "wrk.lua").write_text(WRK_SCRIPT)
    used = machine.run(["wrk", "-t1", f"-c{in_flight}", "-d3", "-s", str(folder / "wrk.lua"), url])
    line = next(line for line in used.said.splitlines() if " requests in " in line)
    n = int(line.split()[0])
    return Took(n / used.wall_s, used.cpu_s / n * 1e6)


if __name__ == "__main__":
    main()
