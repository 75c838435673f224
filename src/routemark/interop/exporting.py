"""The rows of a run in the formats of other tools, and as tables that `routemark offline` reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from routemark.analysis.words import listing
from routemark.config import ExportFormat
from routemark.errors import UsageError
from routemark.interop import (
    benchharness,
    llmrouterbench,
    omnisbench,
    predictions,
    routellm,
    routerarena,
    routerbench,
    wide,
)
from routemark.interop.wide import Cell, by_question
from routemark.interop.writing import write, write_document
from routemark.records import Arm, ResultRow

ENDINGS: dict[str, tuple[str, ...]] = {
    "routerarena": (".jsonl",),
    "routerarena-predictions": (".json",),
    "routerbench": (".csv", ".parquet"),
    "routellm": (".csv",),
    "llmrouterbench": (".json",),
    "omnisbench": (".json",),
    "openrouter-bench": (".parquet",),
}
"""The only endings that the other tool reads."""


OF_ONE_ARM = ("routerarena-predictions", "llmrouterbench", "openrouter-bench")
"""Formats that hold a single arm."""


class Told(NamedTuple):
    """A run, as far as writers ask."""

    rows: Iterable[ResultRow]
    """Read once."""
    arms: Sequence[Arm]
    metrics: Mapping[str, str]
    """RouterArena's metric of each question, by id, where one is known."""

    @property
    def picking(self) -> list[str]:
        """Arms whose answers may come from one model or another."""
        return [arm.name for arm in self.arms if arm.is_router or arm.models]

    @property
    def originals(self) -> Iterator[ResultRow]:
        """Rows of questions as they are in the file."""
        return (row for row in self.rows if row.perturbed_from is None)

    def first_answers(self) -> Iterator[ResultRow]:
        """Give one row for each question and model that answered, where it was asked itself that one."""
        picking, seen = set(self.picking), set[tuple[str, str]]()
        for row in sorted(self.originals, key=lambda row: (row.arm in picking, row.repeat)):
            key = (row.id, row.model or row.arm)
            if key not in seen:
                seen.add(key)
                yield row


def check(name: ExportFormat, output: Path) -> None:
    """Raise UsageError when a format is not written under such a name."""
    endings = ENDINGS.get(name)
    if endings and output.suffix not in endings:
        raise UsageError(f"{output}: {name} is written as {' or '.join(endings)}.")


def export(name: ExportFormat, run: Told, output: Path, *, arm: str | None = None) -> tuple[int, list[str]]:
    """Write a run in a format; give the number of records, and what of the run they do not carry.

    ``arm``: whose rows, where a format holds one arm. Raises: UsageError when there is nothing to write.
    """
    check(name, output)
    if arm is not None and name not in OF_ONE_ARM:
        raise UsageError(
            f"--arm: goes with a --format that holds a single arm ({', '.join(OF_ONE_ARM)}), not with {name}."
        )
    if name in ("llmrouterbench", "omnisbench"):
        document, field, lost = _document(name, run, arm)
        count = len(document[field])
        if count:
            write_document(output, document)
    else:
        give = _verdicts if name in ("routellm", "openrouter-bench") else _records
        records, lost = give(name, run, arm)
        count = write(output, records)
    if not count:
        raise UsageError(f"{output}: there is nothing to write in this format.")
    return count, [*lost, "perturbed copies of questions"]


def _document(name: ExportFormat, run: Told, arm: str | None) -> tuple[dict[str, Any], str, tuple[str, ...]]:
    """Give the document of a format that is one, the field of its records, and what it does not carry."""
    if name == "omnisbench":
        rows = (row for row in run.originals if row.repeat == 0)
        return omnisbench.document_of(rows, run.picking), "items", omnisbench.NOT_CARRIED
    chosen = _one_arm(run, arm)
    rows = (row for row in run.originals if row.arm == chosen and row.repeat == 0)
    return llmrouterbench.document_of(rows, chosen), "records", llmrouterbench.NOT_CARRIED


def _verdicts(
    name: ExportFormat, run: Told, arm: str | None
) -> tuple[Iterator[Mapping[str, Any]], tuple[str, ...]]:
    """Give the records of a table that tells right from wrong, and what it does not carry."""
    if name == "routellm":
        fixed = [each.name for each in run.arms if each.name not in run.picking]
        return routellm.records(run.originals, fixed), routellm.NOT_CARRIED
    chosen = _one_arm(run, arm)
    rows = (row for row in run.originals if row.arm == chosen)
    return benchharness.records(rows, chosen), benchharness.NOT_CARRIED


def _records(
    name: ExportFormat, run: Told, arm: str | None
) -> tuple[Iterator[dict[str, Any]], tuple[str, ...]]:
    match name:
        case "long":
            return _long(run), (*wide.NOT_CARRIED, "routers' own answers (--format picks tells their picks)")
        case "wide":
            return wide.records(run.originals), wide.NOT_CARRIED
        case "picks":
            return _picks(run), ("scores, costs and answers", "repeats after the first", "failed requests")
        case "routerbench":
            return routerbench.records(run.originals), routerbench.NOT_CARRIED
        case "routerarena":
            return routerarena.records(run.first_answers(), run.metrics), routerarena.NOT_CARRIED
        case "routerarena-predictions":
            chosen = _one_arm(run, arm)
            rows = (row for row in run.originals if row.arm == chosen and row.repeat == 0)
            return predictions.records(rows), (
                *predictions.NOT_CARRIED,
                "other arms, repeats after the first",
            )
        case _:
            raise UsageError(f"{name}: such a file is not written.")


def _one_arm(run: Told, arm: str | None) -> str:
    """Give the arm that is meant: the one named, else the only router, else the only arm."""
    names = [each.name for each in run.arms]
    if arm is not None:
        if arm not in names:
            raise UsageError(f"--arm {arm}: no such arm; there are {', '.join(names)}.")
        return arm
    for candidates in (run.picking, names):
        if len(candidates) == 1:
            return candidates[0]
    raise UsageError(f"--arm says whose picks: {listing(run.picking or names)}.")


def _long(run: Told) -> Iterator[dict[str, Any]]:
    """Yield a row for each question and fixed model, repeats averaged."""
    picking = set(run.picking)
    for name, (row, cells) in by_question(each for each in run.originals if each.arm not in picking).items():
        for arm, cell in cells.items():
            yield _outcome(name, row, arm, cell)


def _outcome(name: str, row: ResultRow, arm: str, cell: Cell) -> dict[str, Any]:
    return {
        "question_id": name,
        "model": arm,
        "score": cell.mean("score"),
        "cost_usd": cell.mean("cost_usd"),
        "difficulty": row.difficulty,
        "category": row.category,
        "latency_s": cell.mean("latency_s"),
    }


def _picks(run: Told) -> Iterator[dict[str, Any]]:
    """Yield the picks of the routers; a model that was asked itself has the name of its arm."""
    picking = set(run.picking)
    rows = [row for row in run.originals if row.repeat == 0 and row.model is not None]
    names = {row.model: row.arm for row in rows if row.arm not in picking}
    for row in rows:
        if row.arm in picking:
            yield {"question_id": row.id, "arm": row.arm, "model": names.get(row.model, row.model)}
