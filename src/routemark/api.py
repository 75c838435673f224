"""The Python side: run a benchmark, or open one, and look at it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from routemark.config import Settings, api_key, resolve
from routemark.main import ask, rows, summarise
from routemark.prepare import open_run, prepare, require_key
from routemark.pricing import priced
from routemark.records import Outcome
from routemark.rundir import RunDirectory, find


class RunHandle:
    """A run to look at from Python: `summary`, `outcomes()`, `table()`."""

    def __init__(self, directory: RunDirectory) -> None:
        self.path = directory.path
        self._ledger, self.summary = summarise(directory)
        self.run = self._ledger.run

    def outcomes(self) -> Iterator[Outcome]:
        """Yield the outcome of each trial that has ended, in plan order."""
        return (judged.outcome for judged in self._ledger.judged())

    def table(self) -> list[dict[str, Any]]:
        """Give the rows of `results.json` as dictionaries."""
        return [msgspec.to_builtins(row) for row in rows(self._ledger)]

    def __repr__(self) -> str:
        return f"<Run {self.run.id}: {self.run.status}, {self.summary.total} trials>"


async def run(
    questions: str | Path | list[dict[str, Any]] | None = None,
    arms: list[str] | None = None,
    *,
    max_cost_usd: float | None = None,
    **settings: Any,
) -> RunHandle:
    """Run a benchmark from Python and give the handle of the finished run.

    ``questions``: a file, or a list of dictionaries as in a question file; None: the shipped set.
    ``arms``: as ``-m`` of the command line, ``max_cost_usd``: as ``--max-cost``. ``settings``: fields of
    `config.Settings`, which win over environment and ``routemark.toml``. Raises UsageError for what is
    wrong with them.
    """
    with _as_file(questions) as path:
        asked = {"model": arms or None, "questions": path, "max_cost": max_cost_usd}
        given = settings | {name: value for name, value in asked.items() if value is not None}
        resolved = resolve(Settings, given, os.environ)
        prepared = prepare(resolved)
        key = require_key(resolved, api_key(os.environ))
        prepared = await priced(prepared, key)
        finished = await ask(prepared, open_run(prepared), key)
    return RunHandle(finished.directory)


def open(run: str | Path, runs_dir: str | Path = "runs") -> RunHandle:  # noqa: A001 - read as routemark.open
    """Open a run by its path, or by its id in ``runs_dir``."""
    return RunHandle(find(str(run), Path(runs_dir)))


@contextlib.contextmanager
def _as_file(questions: str | Path | list[dict[str, Any]] | None) -> Iterator[str | None]:
    """Give the path of the questions, written to a temporary file when they are a list."""
    if not isinstance(questions, list):
        yield str(questions) if questions else None
        return
    with tempfile.NamedTemporaryFile("wb", suffix=".json") as file:
        file.write(msgspec.json.encode(questions))
        file.flush()
        yield file.name
