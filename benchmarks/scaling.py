#!/usr/bin/env python3
"""Time `merge` and `report` on made-up runs: seconds and memory for each million outcomes.

    python benchmarks/scaling.py 250000 4     # questions, shards; four arms each

Every outcome but 2 % has a grade behind it. Each command runs in a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import msgspec

import journals
from routemark.policy.sharding import shard_of
from routemark.records import Question, Shard
from routemark.rundir import RunDirectory


def main() -> None:
    """Make the shards, join them, and report on what came of it."""
    count, shards = int(sys.argv[1]), int(sys.argv[2])
    asked = journals.questions(count)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        paths = [make_shard(folder, asked, number, shards) for number in range(1, shards + 1)]
        size = sum((path / "journal.jsonl").stat().st_size for path in paths)
        outcomes = 4 * count
        print(f"{outcomes:,} outcomes in {shards} shards, {size / 1e9:.2f} GB")
        timed("merge", outcomes, "merge", *map(str, paths), "-o", str(folder / "whole"))
        timed("report", outcomes, "report", str(folder / "whole"), "--format", "json")


def make_shard(folder: Path, asked: list[Question], number: int, count: int) -> Path:
    """Make the run of one shard."""
    own = [question for question in asked if shard_of(question.id, 0, count) == number]
    path = journals.make(
        folder, f"n.{number}-of-{count}", asked, journals.large(own), status="complete", seed=0
    )
    directory = RunDirectory(path)
    run = directory.read()
    shard = Shard(
        number=number, count=count, questions=len(asked), questions_sha256=directory.load_questions().sha256
    )
    directory.write(msgspec.structs.replace(run, shard=shard, questions=len(own)))
    directory.write(
        msgspec.structs.replace(directory.read(), questions_sha256=directory.load_questions().sha256)
    )
    return path


def timed(name: str, outcomes: int, *command: str) -> None:
    """Run a command and print what it took."""
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "routemark", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    took, million = time.monotonic() - begun, outcomes / 1e6
    print(
        f"{name}: {took:.1f} s, exit {os.waitstatus_to_exitcode(status)}, CPU {usage.ru_utime + usage.ru_stime:.1f} s, "
        f"peak {usage.ru_maxrss / 2**20:.2f} GiB; for each million outcomes {took / million:.0f} s, "
        f"{usage.ru_maxrss / 2**20 / million:.2f} GiB"
    )


if __name__ == "__main__":
    main()
