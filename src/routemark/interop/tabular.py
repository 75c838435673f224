"""Rows of a foreign table, one by one as dictionaries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from routemark.interop.columns import Chunk, open_table


def rows(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Give the rows of a table with their lines or numbers, or in a row's stead what is wrong with it."""
    for chunk in open_table(str(path)).chunks:
        yield from chunk.faults
        yield from _of_chunk(chunk)


def _of_chunk(chunk: Chunk) -> Iterator[tuple[int, dict[str, Any]]]:
    names = list(chunk.columns)
    for number, values in zip(chunk.numbers, zip(*chunk.columns.values(), strict=True), strict=False):
        yield number, dict(zip(names, values, strict=True))


def number(cell: Any) -> float | None:
    """Give a cell as a number; None for an empty one. Raises: ValueError when it is none."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    if isinstance(cell, bool):
        return float(cell)
    if isinstance(cell, str) and cell.strip().casefold() in ("true", "false"):
        return float(cell.strip().casefold() == "true")
    try:
        value = float(cell)
    except (TypeError, OverflowError):
        raise ValueError(cell) from None
    return None if value != value else value  # noqa: PLR0124 - NaN is unknown
