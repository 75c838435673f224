"""Routemark as a user calls it: asking, grading, journal, summary, results.json, report.html."""

from __future__ import annotations

import json
import sys

from benchmarks.machine import questions
from benchmarks.peers.job import MAX_TOKENS, MODEL, Job
from routemark._version import __version__


class Routemark:
    """The working tree that this benchmark stands in."""

    name = "routemark"
    packages = f"routemark {__version__}, working tree"

    def install(self) -> None:
        """Nothing: it is here."""

    def prepare(self, job: Job) -> None:
        """Write the questions."""
        questions(job.folder / "questions.jsonl", job.cell.questions)

    def command(self, job: Job) -> list[str]:
        """Ask without streaming, at a fixed pace, as the others do."""
        return [
            sys.executable, "-m", "routemark", "run", "questions.jsonl", "-m", MODEL, "--base-url", job.url,
            "--no-stream", "-j", str(job.cell.in_flight), "--fixed-concurrency", "--max-tokens", str(MAX_TOKENS),
            "--json",
        ]  # fmt: skip

    def environ(self, job: Job) -> dict[str, str]:
        """Give a key of the right look."""
        return {"OPENROUTER_API_KEY": "sk-or-v1-" + "0" * 32}

    def right(self, job: Job, said: str) -> int:
        """Read the summary on its output."""
        arm = json.loads(said)["summary"]["arms"][MODEL]
        accuracy: float = arm["accuracy"]
        asked: int = arm["n"]
        return round(accuracy * asked)
