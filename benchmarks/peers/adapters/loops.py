"""The reference loops: an HTTP library, the same bodies, a journal line each, and nothing else."""

from __future__ import annotations

import json
import sys

from benchmarks.machine import HERE
from benchmarks.peers.job import Job


class ReferenceLoop:
    """`benchmarks/reference.py` over one of its two libraries."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.name = f"loop-{client}"
        self.packages = f"bare {client} loop, no grading, no retries"

    def install(self) -> None:
        """Nothing: its libraries are Routemark's own."""

    def prepare(self, job: Job) -> None:
        """Nothing: it makes its questions up."""

    def command(self, job: Job) -> list[str]:
        """Run the loop."""
        return [
            sys.executable, str(HERE / "reference.py"), "--client", self.client, "--url", job.url,
            "-n", str(job.cell.questions), "--concurrency", str(job.cell.in_flight),
        ]  # fmt: skip

    def environ(self, job: Job) -> dict[str, str]:
        """Nothing."""
        return {}

    def right(self, job: Job, said: str) -> int:
        """It ends only when all are answered, and grades none."""
        return job.cell.questions if "wall_s" in json.loads(said) else 0
