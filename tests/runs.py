"""Runs of the command line from outside: begin one, end it by force, read what it left, compare two."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from nursery import Nursery
from routemark.gateway import process as starting
from routemark.journal import Event, replay
from routemark.records import Outcome
from routemark.report import outputs

KEY = "sk-or-v1-test-0123456789"

TIMES = frozenset(
    {"latency_s", "ttft_s", "queue_s", "generation_id", "started_at", "finished_at", "client", "base_url"}
    | {"latency_histogram", "ttft_histogram", "service", "timeline"}
)
"""What two runs that went the same way may differ in: when, how long, and under which generation id."""


def clean_environ(**more: str) -> dict[str, str]:
    """Give the environment without anything that would reach a run, but a key."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ROUTEMARK_", "OPENROUTER_"))}
    return {**kept, "OPENROUTER_API_KEY": KEY, **more}


START_OF_A_GATEWAY = starting._command
"""What `simulated_gateway` starts outside of tests; tests/conftest.py puts a child of the nursery in its place."""
NURSERY = Nursery(clean_environ())
"""Where commands are started that need not be processes of their own; tests/conftest.py ends it."""


def begin(
    *arguments: str,
    cwd: Path,
    program: tuple[str, ...] = ("-m", "routemark"),
    **environ: str,
) -> subprocess.Popen[str]:
    """Start the command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, *program, *arguments],
        cwd=cwd,
        env=clean_environ(**environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Done(tuple[int, str, str]):
    """Exit code, standard output, standard error."""

    __slots__ = ()

    @property
    def code(self) -> int:
        return self[0]

    @property
    def stdout(self) -> str:
        return self[1]

    @property
    def stderr(self) -> str:
        return self[2]


def ended(process: subprocess.Popen[str], timeout: float = 60) -> Done:
    """Wait for a process; whatever befell it, no traceback may have been shown."""
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    finally:
        process.kill()
    assert "Traceback" not in stderr, stderr
    return Done((process.returncode, stdout, stderr))


def routemark(*arguments: str, cwd: Path, **environ: str) -> Done:
    """Run the command to its end, as a child of the nursery."""
    child = NURSERY.run(*arguments, cwd=cwd, environ=clean_environ(**environ))
    assert child.status is not None
    return Done((child.status, child.stdout, child.stderr))


def leave_out_pages(patch: pytest.MonkeyPatch) -> None:
    """Let the runs of this process write results in place of the page, which takes longer than a small run."""
    patch.setitem(outputs.WRITERS, ".html", outputs.WRITERS[".json"])


def wait_until(happened: Callable[[], object], seconds: float = 60) -> None:
    """Look again and again until it has happened, but not for ever."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.002)


def write_sums(folder: Path, n: int) -> Path:
    """Write n questions whose answers are known."""
    path = folder / "my.jsonl"
    questions = (
        {
            "id": f"q{i}",
            "difficulty": ["easy", "hard"][i % 2],
            "question": f"What is {i} + {i}?",
            "reference": 2 * i,
        }
        for i in range(n)
    )
    path.write_text("".join(json.dumps(question) + "\n" for question in questions))
    return path


@contextlib.contextmanager
def gateway(questions: Path, *arguments: str) -> Iterator[str]:
    """Serve the shipped gateway in another process; give its base URL."""
    command = [*NURSERY.program, "gateway", "--questions", str(questions), "--exit-on-eof"]
    process = subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=clean_environ(),
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield process.stdout.readline().removeprefix("listening on ").strip()
            process.stdin.close()
            process.wait(20)
        finally:
            process.kill()  # if it is still there, its test has failed


def stats(base_url: str) -> Any:
    """Give what the shipped gateway has counted."""
    with urllib.request.urlopen(f"http://{urlsplit(base_url).netloc}/__stats", timeout=10) as answer:
        return json.load(answer)


# --------------------------------------------------------------------------- what a run left


def outcomes(run: Path) -> list[Outcome]:
    """Give the outcomes of a journal, which may not be there yet."""
    journal = run / "journal.jsonl"
    if not journal.exists():
        return []
    return [entry.record for entry in replay(journal) if isinstance(entry.record, Outcome)]


def events(run: Path, name: str) -> list[dict[str, Any]]:
    """Give the data of a journal's events of one name."""
    found = (entry.record for entry in replay(run / "journal.jsonl"))
    return [record.data for record in found if isinstance(record, Event) and record.event == name]


def results(run: Path) -> Any:
    """Give results.json, which is whole whenever it is there."""
    return json.loads((run / "results.json").read_text(encoding="utf-8"))


def timeless(value: Any) -> Any:
    """Give a value of results.json without what may differ between two runs that went the same way."""
    if isinstance(value, dict):
        return {name: timeless(inner) for name, inner in value.items() if name not in TIMES}
    return [timeless(inner) for inner in value] if isinstance(value, list) else value
