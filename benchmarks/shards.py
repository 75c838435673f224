"""What a second process adds: the same questions in one process, and in two shards at a time.

`python -m benchmarks.shards [-n TRIALS] [--in-flight N] [--delay MS ...]`. Each shard has half of the requests in
flight. Nothing is pinned but the server: with two cores all three share them. Rates are the server's.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import machine
from benchmarks.peers.server import running


def main() -> None:
    """Measure one and two processes for each delay."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shards", description=__doc__)
    parser.add_argument("-n", type=int, default=20_000, help="trials (20000)")
    parser.add_argument("--in-flight", type=int, default=1_000, help="of all processes together (1000)")
    parser.add_argument("--delay", nargs="+", type=float, default=[0, 200], metavar="MS", help="(0 200)")
    parser.add_argument("--repeats", type=int, default=3, help="in turn (3)")
    chosen = parser.parse_args()
    print(machine.line())
    print(
        "| delay ms | processes | trials a second | CPU ms a trial, start-up and report included |\n|---|---|---|---|"
    )
    for delay in chosen.delay:
        for _ in range(chosen.repeats):
            for count in (1, 2):
                rate, cpu_ms = measure(chosen.n, chosen.in_flight, delay / 1e3, count)
                print(f"| {delay:g} | {count} | {rate:,.0f} | {cpu_ms:.2f} |", flush=True)


def measure(n: int, in_flight: int, delay_s: float, count: int) -> tuple[float, float]:
    """Run the shards at the same time; give trials a second as the server saw them, and CPU a trial."""
    with tempfile.TemporaryDirectory() as name, running(delay_s) as server:
        machine.questions(Path(name) / "q.jsonl", n)
        command = [
            sys.executable, "-m", "routemark", "run", "q.jsonl", "-m", "bench/model", "--base-url", server.url,
            "--no-stream", "-j", str(in_flight // count), "--fixed-concurrency", "--run-id", "r", "--quiet",
        ]  # fmt: skip
        shares = [["--shard", f"{k}/{count}"] if count > 1 else [] for k in range(1, count + 1)]
        environ = {**os.environ, "OPENROUTER_API_KEY": "sk-or-v1-" + "0" * 32}
        processes = [
            subprocess.Popen([*command, *share], cwd=name, env=environ, stdout=subprocess.DEVNULL)
            for share in shares
        ]
        cpu_s = 0.0
        for process in processes:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            cpu_s += used.ru_utime + used.ru_stime
        window = server.window()
    if any(process.returncode for process in processes) or window.requests != n:
        raise SystemExit(f"{window.requests} of {n} asked")
    return n / window.seconds, cpu_s / n * 1e3


if __name__ == "__main__":
    main()
