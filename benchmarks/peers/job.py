"""What one harness is asked to do, and what an adapter must know of its harness."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

MODEL = "bench/model"
MAX_TOKENS = 16384
REFERENCE = "42"
"""The server's one answer is a sentence that ends in it."""


class Cell(NamedTuple):
    """One cell of the table."""

    questions: int
    in_flight: int
    delay_s: float
    """What the server waits before each answer."""
    deadline_s: float
    """After which a harness is ended."""

    @property
    def ideal_s(self) -> float:
        """Wall time of a client that costs nothing: full waves, one delay each."""
        return math.ceil(self.questions / self.in_flight) * self.delay_s


class Job(NamedTuple):
    """A cell, for one harness."""

    cell: Cell
    url: str
    """Of the server: chat completions are at `{url}/chat/completions`."""
    folder: Path
    """Empty, this job's own; the working directory."""


class Peer(Protocol):
    """A harness: how it is installed, told what to do, and read."""

    name: str
    packages: str
    """What is measured, with its version."""

    def install(self) -> None:
        """Make its environment where there is none yet; raise `UnavailableError` where that cannot be."""

    def prepare(self, job: Job) -> None:
        """Write the files that it reads into the job's folder."""

    def command(self, job: Job) -> list[str]:
        """Give the command line, run in the job's folder."""

    def environ(self, job: Job) -> dict[str, str]:
        """Give what its environment must say: keys, no telemetry, no caches, no hub."""

    def right(self, job: Job, said: str) -> int:
        """Give how many samples it says were answered right, from its output or its files."""


def prompt(index: int) -> str:
    """Give the question of a number; Routemark's benchmarks ask the same."""
    return f"Question {index}: what is six times seven?"


def write_samples(path: Path, n: int) -> Path:
    """Write the questions with the fields that inspect_ai and lm-evaluation-harness read, a JSON line each."""
    with path.open("w") as file:
        for row in samples(n):
            file.write(json.dumps(row) + "\n")
    return path


def samples(n: int) -> Iterator[dict[str, str]]:
    """Give the questions as id, input and target."""
    for index in range(n):
        yield {"id": f"q{index:07d}", "input": prompt(index), "target": REFERENCE}
