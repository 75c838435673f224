"""What sparing the garbage collector saves: `python -m benchmarks.collector [-n TRIALS] [--repeats N]`.

A run collects and freezes what start-up made, and lets the collector look seldom. The same run with the
collector as Python sets it stands beside it, in turn; CPU of the asking alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks import machine
from benchmarks.machine import HERE

AS_PYTHON_SETS_IT = "--as-python-sets-it"


def child() -> None:
    """Be `ours.py`, with the collector left alone."""
    from benchmarks import ours
    from routemark.engine import local

    local._spare_the_collector = lambda: None  # noqa: SLF001 - the one thing that is compared
    sys.argv.remove(AS_PYTHON_SETS_IT)
    ours.main()


def measure(folder: Path, url: str, n: int, *, spared: bool) -> float:
    """Give CPU microseconds a trial."""
    measured = folder / "measured.json"
    command = [
        sys.executable, "-m", "benchmarks.collector", AS_PYTHON_SETS_IT, "run", str(folder / "q.jsonl"),
        "--runs-dir", str(folder), "--base-url", url, "-m", "bench/model", "--no-stream", "-j", "100",
        "--fixed-concurrency", "--quiet",
    ]  # fmt: skip
    if spared:
        command[1:4] = [str(HERE / "ours.py")]
    key = "sk-or-v1-" + "0" * 32
    machine.run(command, cwd=HERE.parent, MEASURED=str(measured), OPENROUTER_API_KEY=key)
    at = json.loads(measured.read_bytes())
    used_s: float = at["conclude"]["self_s"] - at["ask"]["self_s"]
    return used_s / n * 1e6


def main() -> None:
    """Measure both in turn."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collector", description=__doc__)
    parser.add_argument("-n", type=int, default=10_000, help="trials (10000)")
    parser.add_argument("--repeats", type=int, default=5, help="in turn (5)")
    chosen = parser.parse_args()
    print(machine.line())
    with tempfile.TemporaryDirectory() as name, machine.server() as url:
        folder = Path(name)
        machine.questions(folder / "q.jsonl", chosen.n)
        pairs = [
            [measure(folder, url, chosen.n, spared=spared) for spared in (True, False)]
            for _ in range(chosen.repeats)
        ]
    spared, plain = (median(column) for column in zip(*pairs, strict=True))
    saved = [1 - with_it / without for with_it, without in pairs]
    print(
        f"spared {spared:.0f} us of CPU a trial, as Python sets it {plain:.0f}: {median(saved):.1%} saved "
        f"({min(saved):.1%} to {max(saved):.1%})"
    )


if __name__ == "__main__":
    child() if AS_PYTHON_SETS_IT in sys.argv else main()
