"""The beginning of a file: enough to tell which format it is in."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path
from typing import Literal, NamedTuple

from routemark.errors import UsageError

Shape = Literal["object", "list", "csv", "parquet", "zip", "other"]
_LENGTH = 1 << 20
"""Bytes looked at."""
_LONGEST_CELL = 1 << 20
_MOST_NAMES = 1000


class Head(NamedTuple):
    """What a file begins with."""

    path: Path
    shape: Shape
    """``object``: a JSON object, or JSON Lines."""
    names: tuple[str, ...] = ()
    """Keys of the first JSON object, columns of a table, names in an archive."""
    first: tuple[str, ...] = ()
    """Cells of the first row of a CSV table."""

    def has(self, *names: str) -> bool:
        """Tell whether all these names are there."""
        return set(names) <= set(self.names)


def head(path: Path) -> Head:
    """Look at a file. Raises: UsageError when it cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(_LENGTH)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file.") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}.") from None
    if start.startswith(b"PAR1"):
        return Head(path, "parquet", _parquet_columns(path))
    if start.startswith(b"PK"):
        return Head(path, "zip", _archived(path))
    text = start.decode("utf-8-sig", "replace").lstrip()
    if text[:1] in ("{", "["):
        return Head(path, "object" if text[0] == "{" else "list", keys(text))
    return _table(path, text)


_STRING = r'"(?:[^"\\]|\\.)*"'
_TOKEN = re.compile(rf"{_STRING}|[{{}}\[\]:,]", re.DOTALL)


def keys(text: str) -> tuple[str, ...]:
    """Give the keys of the first object in a JSON text that may be cut off, at its outermost level."""
    found: list[str] = []
    depth, pending = 0, ""
    for match in _TOKEN.finditer(text, max(0, text.find("{"))):
        mark = match[0]
        if mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
            if depth <= 0:
                break
        elif depth == 1 and mark == ":" and pending:
            found.append(pending)
        pending = mark[1:-1] if mark[0] == '"' else ""
    return tuple(found)


def _table(path: Path, text: str) -> Head:
    start = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=start.count)
    csv.field_size_limit(_LONGEST_CELL)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        columns = tuple(cell.strip() for cell in next(rows, []))
        first = tuple(next(rows, []))
    except csv.Error:
        return Head(path, "other")
    return Head(path, "csv" if columns else "other", columns, first)


def _parquet_columns(path: Path) -> tuple[str, ...]:
    """Give the columns of a Parquet file; none without polars, or when it is damaged: who reads it, tells."""
    try:
        import polars  # noqa: ICN001, PLC0415 - an extra, loaded where it is needed
    except ImportError:
        return ()
    try:
        with path.open("rb") as file:
            return tuple(polars.read_parquet_schema(file))
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException, OSError, ValueError):
        return ()


def _archived(path: Path) -> tuple[str, ...]:
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple(archive.namelist()[:_MOST_NAMES])
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        return ()
