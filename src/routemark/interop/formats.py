"""Which format a file is in, by what it holds, and its rows as outcomes or picks.

Our own tables, long or wide, are read as such; everything else is a `Format` of another tool, whose entries become
the columns of a long table, so that one place checks them all.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from routemark.errors import UsageError
from routemark.interop import (
    benchharness,
    huggingface,
    inspect_log,
    llmrouterbench,
    lm_eval,
    omnisbench,
    predictions,
    promptfoo,
    routellm,
    routerarena,
    routerbench,
    wide,
)
from routemark.interop.columns import ROWS, Chunk, Source, open_table
from routemark.interop.entries import Entry, Format, Holding, Wrong
from routemark.interop.heads import Head, head

FORMATS = {
    module.FORMAT.name: module.FORMAT
    for module in (
        routerarena,
        predictions,
        routerbench,
        routellm,
        llmrouterbench,
        omnisbench,
        benchharness,
        inspect_log,
        lm_eval,
        promptfoo,
    )
}
LONG, WIDE = "long", "wide"
"""Our own tables."""
Table = Literal["outcomes", "picks"]
_FILE = 1 << 32
"""More rows than a file has: numbers of a folder's second file begin above it, and so on."""
_MOST_FILES = 100_000


def named(name: str) -> Format | str:
    """Give the format of a name: a foreign one, or `LONG` or `WIDE`. Raises: UsageError with the nearest name."""
    if name in (LONG, WIDE):
        return name
    if name in FORMATS:
        found: Format = FORMATS[name]
        return found
    known = [LONG, WIDE, *FORMATS]
    near = difflib.get_close_matches(name, known, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    raise UsageError(f"--format {name}: no such format.{meant} Known: {', '.join(known)}.")


def detected(path: str) -> Format | str | None:
    """Give the format of a file or folder; None when it is in none that is known.

    Raises: UsageError when it cannot be read.
    """
    if huggingface.is_one(path):
        return None
    if Path(path).is_dir():
        return next((form for form in FORMATS.values() if _first_is(form, Path(path))), None)
    begin = head(Path(path))
    return next((form for form in FORMATS.values() if form.detect(begin)), None) or _own(begin)


def _own(begin: Head) -> str | None:
    if begin.has("question_id", "model"):
        return LONG
    tabular = begin.shape in ("csv", "parquet", "object", "list")
    return WIDE if tabular and wide.is_wide(begin.names) else None


def _first_is(form: Format, folder: Path) -> bool:
    first = next(iter(sorted(folder.rglob(form.files))), None)
    return first is not None and first.is_file() and form.detect(head(first))


def files(form: Format, path: Path) -> list[Path]:
    """Give the files of a format at a path: itself, or those of a folder. Raises: UsageError when there are none."""
    if not path.is_dir():
        return [path]
    found = form.among(sorted(itertools.islice(filter(Path.is_file, path.rglob(form.files)), _MOST_FILES)))
    if not found:
        raise UsageError(f"{path}: no {form.title} here ({form.files}).")
    return found


def entries(form: Format, path: Path) -> tuple[Callable[[int], str], Iterator[Entry | Wrong]]:
    """Give what tells a number's place, and the entries of a file or folder with numbers all different."""
    found = files(form, path)

    def place(number: int) -> str:
        told = f"{form.row} {number % _FILE}"
        return told if len(found) == 1 else f"{found[number // _FILE]}, {told}"

    numbered = (
        entry._replace(number=entry.number + index * _FILE)
        for index, file in enumerate(found)
        for entry in form.read(file)
    )
    return place, numbered


def table_source(path: str, table: Table, name: str | None = None) -> Source:
    """Open a file as a long table of outcomes or picks, whatever format it is in.

    Raises: UsageError when it cannot be read, is in no format that is known or holds no such thing.
    """
    form = detected(path) if name is None else named(name)
    if form == WIDE:
        return (wide.outcomes if table == "outcomes" else wide.picks)(open_table(path))
    if not isinstance(form, Format):
        return open_table(path)
    must_hold(form, path, table)
    place, found = entries(form, Path(path))
    rows = _averaged(found) if table == "outcomes" else _picks(found)
    return Source(place, _chunks(rows, _OUTCOME if table == "outcomes" else _PICK))


def must_hold(form: Format, path: str, what: Holding) -> None:
    """Raise UsageError when a format does not hold what is wanted."""
    if what not in form.holds:
        raise UsageError(f"{path}: {form.title} hold {' and '.join(form.holds)}, but no {what}.")


# --------------------------------------------------------------------------- entries as columns

_OUTCOME = ("question_id", "model", "score", "cost_usd", "category", "latency_s")
_PICK = ("question_id", "arm", "model")


def _chunks(found: Iterator[Entry | Wrong], columns: tuple[str, ...]) -> Iterator[Chunk]:
    while batch := list(itertools.islice(found, ROWS)):
        kept = [entry for entry in batch if isinstance(entry, Entry)]
        faults = [(wrong.number, wrong.text) for wrong in batch if isinstance(wrong, Wrong)]
        cells: dict[str, list[Any]] = {name: [getattr(entry, name) for entry in kept] for name in columns}
        yield Chunk([entry.number for entry in kept], cells, faults)


def _picks(found: Iterator[Entry | Wrong]) -> Iterator[Entry | Wrong]:
    """Give the entries that are picks, of repeats the first."""
    repeat: dict[tuple[str, str | None], object] = {}
    for entry in found:
        if isinstance(entry, Wrong):
            yield entry
        elif entry.arm is not None:
            key = (entry.question_id, entry.arm)
            if repeat.setdefault(key, entry.repeat) == entry.repeat:
                yield entry


class _Mean:
    """The repeats of one model on one question."""

    def __init__(self, entry: Entry) -> None:
        self._first = entry
        self._seen: set[object] = set()
        self._sums = [[0.0, 0], [0.0, 0], [0.0, 0]]

    def add(self, entry: Entry) -> bool:
        """Take an answer; False when this repeat was there before."""
        if entry.repeat in self._seen:
            return False
        self._seen.add(entry.repeat)
        for total, value in zip(self._sums, (entry.score, entry.cost_usd, entry.latency_s), strict=True):
            if value is not None:
                total[0] += value
                total[1] += 1
        return True

    def entry(self) -> Entry:
        """Give the first answer with the means of all."""
        score, cost, latency = (total / count if count else None for total, count in self._sums)
        return self._first._replace(score=score, cost_usd=cost, latency_s=latency)


def _averaged(found: Iterator[Entry | Wrong]) -> Iterator[Entry | Wrong]:
    """Give one entry for each question and model, repeats averaged; what stands twice is given twice."""
    means: dict[tuple[str, str], _Mean] = {}
    for entry in found:
        if isinstance(entry, Wrong):
            yield entry
        elif entry.model is not None:
            key = (entry.question_id, entry.model)
            if not means.setdefault(key, _Mean(entry)).add(entry):
                yield entry
    yield from (mean.entry() for mean in means.values())
