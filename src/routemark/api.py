"""The Python side: run a benchmark, open one, compare two, judge files, and look at what came out."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import msgspec

from routemark import drift
from routemark.analysis.published import offline as files
from routemark.config import Settings, api_key, option_names, resolve
from routemark.errors import UsageError
from routemark.interop.tables import read_outcomes, read_picks
from routemark.main import ask, rows, summarise
from routemark.prepare import open_run, prepare, require_key
from routemark.pricing import priced
from routemark.questions.frozen import frozen_line
from routemark.records import Drift, Offline, Outcome, Question
from routemark.report import notebook, parquet
from routemark.report.rows import columns, values
from routemark.rundir import RunDirectory, find

if TYPE_CHECKING:
    import polars as pl

Questions = str | Path | Iterable[dict[str, Any] | Question]


class RunHandle:
    """A run to look at from Python: `summary`, `run`, `outcomes()`, `table()`.

    >>> run = routemark.open("runs/latest")
    >>> print(run.summary.verdict.sentence)
    >>> run.summary.arms["openrouter/auto"].accuracy
    """

    def __init__(self, directory: RunDirectory) -> None:
        self.path = directory.path
        """The run directory."""
        self._ledger, self.summary = summarise(directory)
        self.run = self._ledger.run
        """The manifest: arms, settings, times, status."""

    def outcomes(self) -> Iterator[Outcome]:
        """Yield the outcome of each trial that has ended, in plan order; they are read as they are asked for."""
        return (judged.outcome for judged in self._ledger.judged())

    @overload
    def table(self, as_: Literal["rows"] = "rows") -> list[dict[str, Any]]: ...
    @overload
    def table(self, as_: Literal["polars"]) -> pl.DataFrame: ...
    @overload
    def table(self, as_: Literal["pandas"]) -> Any: ...
    def table(self, as_: Literal["rows", "polars", "pandas"] = "rows") -> Any:
        """Give a row for each trial that has ended, in plan order, as `routemark export` does.

        ``rows``: dictionaries, nested as in results.json. ``polars`` and ``pandas``: a data frame with the columns
        of the CSV and Parquet files; unknown is null. Raises: UsageError where that library is not installed, or
        for any other name.
        """
        if as_ == "rows":
            return [msgspec.to_builtins(row) for row in rows(self._ledger)]
        cells = [list(values(row)) for row in rows(self._ledger)]
        if as_ == "polars":
            polars = _library("polars", "pip install 'routemark[data]'")
            return polars.DataFrame(cells, schema=parquet.schema(polars), orient="row")
        if as_ == "pandas":
            pandas = _library("pandas", "pip install pandas")
            return pandas.DataFrame(cells, columns=columns())
        raise UsageError(f"table({as_!r}): there is no such table. Known: rows, polars, pandas.")

    def __repr__(self) -> str:
        """Give the verdict and a line an arm."""
        return notebook.as_text(self.run, self.summary)

    def _repr_html_(self) -> str:
        """Give verdict and arms as a notebook shows them."""
        return notebook.as_html(self.run, self.summary)


async def run(
    questions: Questions | None = None,
    arms: list[str] | None = None,
    *,
    max_cost_usd: float | None = None,
    **settings: Any,
) -> RunHandle:
    """Run a benchmark from Python and give the handle of the finished run.

    ``questions``: a file, or dictionaries as in a question file, or `Question` records; None: the shipped set.
    ``arms``: as ``-m`` of the command line, ``max_cost_usd``: as ``--max-cost``. ``settings``: fields of
    `config.Settings`, which win over environment and ``routemark.toml``. Raises UsageError for what is
    wrong with them.

    >>> run = await routemark.run("my.jsonl", arms=["openrouter/auto", "openai/gpt-5-mini"], max_cost_usd=5)
    """
    with _as_file(questions) as path:
        asked = {"model": arms or None, "questions": path, "max_cost": max_cost_usd}
        given = settings | {name: value for name, value in asked.items() if value is not None}
        resolved = resolve(Settings, given, os.environ, others=option_names())
        prepared = prepare(resolved)
        key = require_key(resolved, api_key(os.environ))
        prepared = await priced(prepared, key)
        finished = await ask(prepared, open_run(prepared), key)
    return RunHandle(finished.directory)


def open(run: str | Path, runs_dir: str | Path = "runs") -> RunHandle:  # noqa: A001 - read as routemark.open
    """Open a run by its path, or by its id in ``runs_dir``. Raises: UsageError where there is none.

    >>> run = routemark.open("latest")
    """
    return RunHandle(find(str(run), Path(runs_dir)))


def compare(
    run_a: RunHandle | str | Path,
    run_b: RunHandle | str | Path,
    *,
    margin: float = 0.03,
    runs_dir: str | Path = "runs",
) -> Drift:
    """Tell what changed from run A to run B, as `routemark compare` does; no request is sent.

    Raises: UsageError where they have no question in common.

    >>> drift = routemark.compare("march", "april")
    """
    sides = (one.path if isinstance(one, RunHandle) else one for one in (run_a, run_b))
    a, b = (find(str(side), Path(runs_dir)) for side in sides)
    return drift.compare(a, b, margin=margin)


def offline(  # noqa: PLR0913 - the options of the command
    outcomes: str | Path,
    picks: str | Path | None = None,
    *,
    baseline: str | None = None,
    margin: float = 0.03,
    seed: int = 0,
    allow_missing: bool = False,
    all_metrics: bool = False,
) -> Offline:
    """Judge routing decisions that exist in files, as `routemark offline` does; no request is sent.

    Raises: TableError with every fault of a file.

    >>> found = routemark.offline("outcomes.csv", "picks.csv")
    """
    table = read_outcomes(str(outcomes))
    arms = [] if picks is None else read_picks(str(picks), table, allow_missing=allow_missing)
    return files.judge(table.outcomes, arms, files.Asking(baseline, margin, seed, all_metrics))


def _library(name: str, install: str) -> Any:
    """Import a library that only some have. Raises: UsageError with what to do."""
    try:
        return __import__(name)
    except ImportError:
        raise UsageError(f'table("{name}"): {name} is not installed. Install it: {install}') from None


@contextlib.contextmanager
def _as_file(questions: Questions | None) -> Iterator[str | None]:
    """Give the path of the questions, written to a temporary file unless they are in one."""
    if questions is None or isinstance(questions, str | Path):
        yield None if questions is None else str(questions)
        return
    with tempfile.NamedTemporaryFile("wb", prefix="questions-", suffix=".json") as file:
        file.write(b"[" + b",\n".join(map(_line, questions)) + b"]")
        file.flush()
        yield file.name


def _line(question: dict[str, Any] | Question) -> bytes:
    return frozen_line(question) if isinstance(question, Question) else msgspec.json.encode(question)
