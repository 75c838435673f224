"""Time and peak memory of what reads large files: `python -m benchmarks.large WHAT OUTCOMES`.

``report``, ``export``: a run directory of so many outcomes, four arms, all graded, 1.5 kB each in its journal;
``offline``: a Parquet file with so many rows, ten models, and the picks of one router. Files are made in the
working directory, and removed at the end.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks import machine
from benchmarks.journals import make

MODELS = 10


def report(folder: Path, outcomes: int) -> list[str]:
    """Summarise a journal, and print the figures."""
    return ["report", str(make(folder, outcomes)), "--format", "json"]


def export(folder: Path, outcomes: int) -> list[str]:
    """Write a Parquet table of a journal."""
    return ["export", str(make(folder, outcomes)), "-o", str(folder / "rows.parquet")]


def offline(folder: Path, outcomes: int) -> list[str]:
    """Judge picks by a table of outcomes."""
    import polars as pl

    draw, questions = np.random.default_rng(1), outcomes // MODELS
    ids = np.char.add("q", np.arange(questions).astype(str))
    names = np.char.add("m", np.arange(MODELS).astype(str))
    hard = draw.random(questions)
    skill = np.linspace(0.4, 0.9, MODELS)
    right = draw.random((questions, MODELS)) < skill * (1.3 - 0.6 * hard[:, None])
    cost = 1e-4 * 1.6 ** np.arange(MODELS) * draw.lognormal(0, 0.5, (questions, MODELS))
    table = pl.DataFrame(
        {
            "question_id": np.repeat(ids, MODELS),
            "model": np.tile(names, questions),
            "score": right.astype(np.float64).ravel(),
            "cost_usd": cost.ravel(),
            "difficulty": np.repeat(np.where(hard < 0.5, "easy", "hard"), MODELS),
        }
    )
    table.write_parquet(folder / "outcomes.parquet")
    picked = names[draw.integers(0, MODELS, questions)]
    picks = pl.DataFrame({"question_id": ids, "arm": ["r"] * questions, "model": picked})
    picks.write_parquet(folder / "picks.parquet")
    return ["offline", str(folder / "outcomes.parquet"), "--picks", str(folder / "picks.parquet"), "--json"]


WHAT: dict[str, Callable[[Path, int], list[str]]] = {"report": report, "export": export, "offline": offline}


def main() -> None:
    """Make the files, run the command, tell what it took."""
    what, outcomes = sys.argv[1], int(sys.argv[2])
    print(machine.line())
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        machine.timed(what, outcomes, WHAT[what](Path(name), outcomes))


if __name__ == "__main__":
    main()
