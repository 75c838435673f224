"""Tables of known columns: read, and checked cell by cell.

Every column is a number, a label that may be empty, or a key that may not. All faults of a file are
collected, each with its line or row; what is wrong between rows is for who knows what the rows mean.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from routemark.analysis.stats.arrays import Bools, Codes, Floats, Ints
from routemark.analysis.words import listing
from routemark.errors import TableError
from routemark.interop.cells import bare
from routemark.interop.columns import Chunk, Source
from routemark.questions.fields import label_fault
from routemark.questions.rows import kind, shown

MOST_SHOWN = 20
"""Faults that are told one by one."""
KEYS = ("question_id", "model", "arm")
LABELS = ("difficulty", "category", "family")
NUMBERS = {
    "score": (0.0, 1.0),
    "cost_usd": (0.0, math.inf),
    "latency_s": (0.0, math.inf),
    "choices": (0.0, math.inf),
}
"""Smallest and largest value of each."""
_NO_NAME = "?"
"""Stands for a value that is told as a fault."""


class Faults:
    """The first faults of a file, in its order, and the number of all."""

    def __init__(self, path: str, place: Callable[[int], str]) -> None:
        self._path = path
        self.place = place
        """Gives the place of a line's or row's number in words."""
        self._found: list[tuple[int, str]] = []
        self.count = 0

    def add(self, faults: Iterable[tuple[int, str]]) -> None:
        """Take faults, each with its line or row; 0 for the file as a whole."""
        fresh = list(faults)
        if not fresh:
            return
        self.count += len(fresh)
        self._found = sorted([*self._found, *fresh], key=lambda fault: fault[0])[:MOST_SHOWN]

    def raise_if_any(self) -> None:
        """Raise TableError with what was found."""
        if self.count:
            told = [f"{self.place(number)}: {text}" if number else text for number, text in self._found]
            raise TableError(self._path, told, self.count - len(told))


class _Codes(dict[str, int]):
    """Numbers for texts as they stand in a file; each text is looked at once, however often it stands there."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        """What the texts name, by number, in order of first sight."""
        self._of_name: dict[str, int] = {}

    def __missing__(self, text: str) -> int:
        name = _name(text)
        self[text] = code = self._of_name.setdefault(name, len(self.names))
        if code == len(self.names):
            self.names.append(name)
        return code


class Names:
    """A column of names as numbers, in order of first sight."""

    def __init__(self) -> None:
        self._codes = _Codes()
        self._parts: list[Codes] = []

    def append(self, texts: Sequence[str]) -> list[str]:
        """Take a chunk; give the names that were not seen before."""
        before = len(self._codes.names)
        codes = map(self._codes.__getitem__, texts)
        self._parts.append(np.fromiter(codes, dtype=np.int32, count=len(texts)))
        return self._codes.names[before:]

    def skip(self, count: int) -> None:
        """Take as many empty names."""
        self._parts.append(np.full(count, self._codes[""], dtype=np.int32))

    @property
    def names(self) -> list[str]:
        """Names by number."""
        return self._codes.names

    @property
    def code(self) -> Codes:
        """Number of each entry."""
        return np.concatenate([np.zeros(0, dtype=np.int32), *self._parts])

    def is_(self, name: str) -> Bools:
        """Say of each entry whether it has this name."""
        names = self._codes.names
        return np.equal(self.code, names.index(name) if name in names else -1)


class Read(NamedTuple):
    """A file read: its columns, all of one length, and what is wrong with it so far."""

    faults: Faults
    number: Ints
    """Line or row of each entry."""
    keys: dict[str, Names]
    """Columns that no row may leave empty."""
    labels: dict[str, Names]
    """Columns that may be empty, which is the name ""."""
    numbers: dict[str, Floats]
    """NaN unknown."""


def read_columns(path: str, source: Source, known: Sequence[str], required: Sequence[str]) -> Read:
    """Read the ``known`` columns of a table; those that it lacks are empty, unless they are ``required``.

    ``path`` is for the faults alone.

    Raises: TableError with every fault of single rows; UsageError when the file cannot be read at all.
    """
    faults = Faults(path, source.place)
    keys = {name: Names() for name in known if name in KEYS}
    labels = {name: Names() for name in known if name in LABELS}
    numbers: dict[str, list[Floats]] = {name: [] for name in known if name in NUMBERS}
    seen: set[str] = set()
    lines: list[Ints] = []
    for chunk in source.chunks:
        faults.add(chunk.faults)
        faults.add(_unknown_columns(chunk, known, seen))
        lines.append(np.array(chunk.numbers, dtype=np.int64))
        for name, names in (keys | labels).items():
            faults.add(_take_names(chunk, name, names))
        for name, parts in numbers.items():
            values, wrong = _numbers(chunk, name)
            parts.append(values)
            faults.add(wrong)
    number = np.concatenate([np.zeros(0, dtype=np.int64), *lines])
    if seen or not faults.count:  # else no row could be read
        faults.add((0, text) for text in _lacking(required, seen, empty=not len(number) and not faults.count))
    for name in seen & keys.keys():
        faults.add((int(line), f"{name}: is empty") for line in number[keys[name].is_("")])
    faults.raise_if_any()
    joined = {name: np.concatenate([np.zeros(0), *parts]) for name, parts in numbers.items()}
    return Read(faults, number, keys, labels, joined)


def _unknown_columns(chunk: Chunk, known: Sequence[str], seen: set[str]) -> Iterator[tuple[int, str]]:
    """Tell of each column once that no table of this kind has."""
    for name in chunk.columns:
        if name not in seen:
            seen.add(name)
            if name not in known:
                first = next((i for i, value in enumerate(chunk.columns[name]) if value is not None), 0)
                line = chunk.numbers[first] if chunk.numbers else 1
                yield line, f"unknown column {shown(name)}{_meaning(name, known)}"


def _meaning(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name.casefold().replace(" ", "_"), known, n=1)
    return f"; did you mean {shown(near[0])}?" if near else f"; known are {', '.join(known)}"


def _lacking(required: Sequence[str], seen: set[str], *, empty: bool) -> Iterator[str]:
    lacking = [name for name in required if name not in seen]
    if seen and lacking:
        yield f"there is no column {listing(lacking)}; this table needs {listing(required)}"
    elif empty:
        yield "the table has no rows"


def _take_names(chunk: Chunk, column: str, names: Names) -> Iterator[tuple[int, str]]:
    """Take a column of names, an absent one as empty; a whole number is a name, too."""
    values = chunk.columns.get(column)
    if values is None:
        names.skip(len(chunk.numbers))
        return
    if set(map(type, values)) - {str}:
        for line, value in zip(chunk.numbers, values, strict=True):
            if _as_name(value) is None:
                yield line, f"{column}: must be text, not {kind(value)}"
        values = [_as_name(value) or ("" if value is None else _NO_NAME) for value in values]
    wrong = {name: fault for name in names.append(values) if name and (fault := label_fault(name))}
    if wrong:
        for line, name in zip(chunk.numbers, map(_name, values), strict=True):
            if name in wrong:
                yield line, f"{column}: {wrong[name]}"


def _name(text: str) -> str:
    """Give the name that a text stands for."""
    text = text.strip()
    return bare(text) if text.startswith("'") else text


def _as_name(value: Any) -> str | None:
    """Give a value as a name; "" for an empty one, None for what is none."""
    if value is None or isinstance(value, str):
        return value or ""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _numbers(chunk: Chunk, column: str) -> tuple[Floats, list[tuple[int, str]]]:
    """Give a column of numbers, NaN where there is none, and what is wrong with it."""
    cells = chunk.columns.get(column)
    if cells is None:
        return np.full(len(chunk.numbers), np.nan), []
    faults: list[tuple[int, str]] = []
    try:
        values = _all_numbers(cells)
    except (ValueError, OverflowError):
        each = [_number(cell) for cell in cells]
        values = np.array([math.nan if number is None else number for number in each])
        faults = [
            (line, f"{column}: {shown(cell)} is not a number")
            for line, cell, number in zip(chunk.numbers, cells, each, strict=True)
            if number is None
        ]
    outside = _is_outside(values, column)
    if outside.any():
        bounds = {"score": "between 0 and 1", "choices": "a whole number from 0"}.get(
            column, "0 or more, and finite"
        )
        faults += [
            (chunk.numbers[i], f"{column}: {shown(cells[i])} is not {bounds}")
            for i in np.flatnonzero(outside)
        ]
    return values, faults


def _is_outside(values: Floats, column: str) -> Bools:
    low, high = NUMBERS[column]
    outside: Bools = (values < low) | (values > high) | np.isinf(values)
    if column == "choices":
        finite = np.where(np.isfinite(values), values, 0.0)
        outside |= finite != np.floor(finite)
    return outside


def _all_numbers(cells: list[Any]) -> Floats:
    """Give all cells as numbers at once. Raises: ValueError where one is none."""
    kinds = set(map(type, cells))
    if kinds <= {str}:
        return np.array([float(cell or "nan") for cell in cells], dtype=np.float64)
    if kinds <= {float, int, type(None)}:
        return np.array([math.nan if cell is None else cell for cell in cells], dtype=np.float64)
    raise ValueError


def _number(cell: Any) -> float | None:
    """Give one cell as a number; None for what is none. Text is one in CSV, where all columns are text."""
    try:
        return float(_all_numbers([cell.strip() if isinstance(cell, str) else cell])[0])
    except (ValueError, OverflowError):
        return None
