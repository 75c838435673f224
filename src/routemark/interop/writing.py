"""Writes tables for other tools: records as CSV, JSON Lines, a JSON list or Parquet, by the ending of the name."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from routemark.errors import UsageError
from routemark.files import replaced
from routemark.interop.cells import harmless

Record = Mapping[str, Any]
_PART = 20_000
"""Records of a row group in Parquet."""


def write(path: Path, records: Iterable[Record]) -> int:
    """Write records, all with the keys of the first; give their number. The file appears whole or not at all.

    Raises: UsageError when the ending names no format or the file cannot be written.
    """
    writer = _WRITERS.get(path.suffix.casefold())
    if writer is None:
        raise UsageError(f"{path}: tables are written as {', '.join(_WRITERS)}; the ending says which.")
    counted = _Counted(records)
    try:
        with replaced(path) as file:
            writer(file, iter(counted))
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}.") from error
    return counted.count


def write_document(path: Path, document: Record) -> None:
    """Write one JSON object. The file appears whole or not at all. Raises: UsageError when it cannot be written."""
    try:
        with replaced(path) as file:
            file.write(msgspec.json.encode(document) + b"\n")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}.") from error


class _Counted:
    """Records, counted as they pass."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._records = records
        self.count = 0

    def __iter__(self) -> Iterator[Record]:
        for record in self._records:
            self.count += 1
            yield record


def _csv(file: IO[bytes], records: Iterator[Record]) -> None:
    text = io.TextIOWrapper(file, "utf-8", newline="")
    table = csv.writer(text, lineterminator="\n")
    first = next(records, None)
    if first is not None:
        table.writerow([harmless(name) for name in first])
        for record in itertools.chain([first], records):
            table.writerow([_cell(value) for value in record.values()])
    text.flush()
    text.detach()  # the file is the caller's to close


def _cell(value: Any) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    return harmless(value if isinstance(value, str) else msgspec.json.encode(value).decode())


def _lines(file: IO[bytes], records: Iterator[Record]) -> None:
    for record in records:
        file.write(msgspec.json.encode(record) + b"\n")


def _list(file: IO[bytes], records: Iterator[Record]) -> None:
    file.write(b"[\n")
    for number, record in enumerate(records):
        file.write((b",\n" if number else b"") + msgspec.json.encode(record))
    file.write(b"\n]\n")


def _parquet(file: IO[bytes], records: Iterator[Record]) -> None:
    try:
        import polars  # noqa: ICN001, PLC0415 - an extra, loaded where it is needed
    except ImportError:
        raise UsageError(
            "writing Parquet needs polars: pip install 'routemark[data]', or use .csv."
        ) from None
    kept = [dict(record) for record in records]
    polars.DataFrame(kept, infer_schema_length=None).write_parquet(file, row_group_size=_PART)


_WRITERS: dict[str, Callable[[IO[bytes], Iterator[Record]], None]] = {
    ".csv": _csv,
    ".jsonl": _lines,
    ".json": _list,
    ".parquet": _parquet,
}
