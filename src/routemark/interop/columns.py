"""Tables as chunks of columns: CSV, JSON Lines, a JSON list, Parquet, or a data set of Hugging Face.

A chunk holds some hundred rows as lists of raw values, one a column, so that what follows can check whole
columns at once. What cannot be read as a row becomes a fault in its stead, and the rows after it are still
read.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import msgspec

from routemark.errors import UsageError
from routemark.interop import huggingface
from routemark.questions.json_list import read_list
from routemark.questions.reading import parquet_frame
from routemark.questions.rows import DECODER, Fault, json_trouble, kind, plain, shown

ROWS = 500
"""Rows of a chunk: so few that they stay in the processor's cache, and that the garbage collector, which looks
up after 700 new lists, sleeps on; of 20,000 a row takes three times as long."""
_BUFFER = 1 << 20
_LONGEST_CELL = 1 << 20
"""Characters; a quote that is never closed would otherwise take the rest of the file for one cell."""


class Chunk(NamedTuple):
    """Rows that follow each other in a file."""

    numbers: list[int]
    """Line of each row, from 1; in Parquet the number of the row, from 1."""
    columns: dict[str, list[Any]]
    """Values by column name; None: the row has none. An empty text is an empty CSV cell."""
    faults: list[tuple[int, str]]
    """Line, and what is wrong there, of what could not be read as a row."""


class Source(NamedTuple):
    """A table being read."""

    place: Callable[[int], str]
    """Gives the place of a row's number in words."""
    chunks: Iterator[Chunk]


def open_table(path: str) -> Source:
    """Open a table; the ending names its format, what it begins with has the last word.

    Raises: UsageError when it cannot be opened or is in no format that is read.
    """
    if huggingface.is_one(path):
        return Source("row {}".format, _of_dicts(huggingface.rows(path)))
    if Path(path).suffix.casefold() == ".parquet":
        return Source("row {}".format, _parquet(path))
    return Source("line {}".format, _text(path))


def _text(path: str) -> Iterator[Chunk]:
    with _binary(path) as file:
        start = file.peek(_BUFFER)
        reader = _reader(path, start)
        newline = "" if reader is _csv else "\n"
        with io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline=newline) as text:
            yield from reader(text)


def _binary(path: str) -> io.BufferedReader:
    try:
        return io.BufferedReader(io.FileIO(path), _BUFFER)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise UsageError(f"{path}: this is a directory; name the table in it.") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}.") from None


def _reader(path: str, start: bytes) -> Any:
    """Give the reader of a text format, by what the file begins with."""
    if start.startswith((b"PAR1", b"\x1f\x8b", b"PK")):
        raise UsageError(
            f"{path}: packed or binary; name a Parquet file .parquet, and unpack other files first."
        )
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in start[:4]:
        raise UsageError(f"{path}: the file is not UTF-8 (UTF-16?); save it as UTF-8.")
    head = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head:
        raise UsageError(f"{path}: the file is empty.")
    return {b"[": _json_list, b"{": _json_lines}.get(head[:1], _csv)


# --------------------------------------------------------------------------- CSV


def _csv(source: TextIO) -> Iterator[Chunk]:
    """Give the rows below the header; the delimiter is the comma, or the semicolon or tab of the header."""
    csv.field_size_limit(_LONGEST_CELL)
    first = [source.readline()]
    while not first[
        -1
    ].strip():  # an empty line has no say about the delimiter; that there is another was seen
        first.append(source.readline())
    delimiter = max(",;\t", key=first[-1].count)
    reader = csv.reader(itertools.chain(first, source), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        line, rows, faults = reader.line_num + 1, *_csv_batch(reader)
        if not rows and not faults:
            return
        numbers = _first_lines(line, rows, reader.line_num)
        if header is None:
            at = next((i for i, cells in enumerate(rows) if cells), 0)
            header = [cell.strip() for cell in rows[at]] if rows else []
            faults += [(numbers[at], fault) for fault in _header_faults(header)]
            numbers, rows = numbers[at + 1 :], rows[at + 1 :]
        yield _csv_chunk(header, numbers, rows, faults)


def _csv_batch(reader: Any) -> tuple[list[list[str]], list[tuple[int, str]]]:
    """Give some hundred rows, fewer where one cannot be read, which is then a fault."""
    rows: list[list[str]] = []
    try:
        rows.extend(itertools.islice(reader, ROWS))  # what was read before an error is kept
    except csv.Error as error:
        return rows, [(reader.line_num, f"not valid CSV: {error}")]
    return rows, []


def _first_lines(line: int, rows: list[list[str]], last: int) -> list[int]:
    """Give the line on which each row begins: a row takes one, and one more for each line end in a cell."""
    if last - line + 1 == len(rows):
        return list(range(line, last + 1))
    heights = (1 + sum(cell.count("\n") for cell in row) for row in rows)
    return list(itertools.accumulate(heights, initial=line))[:-1]


def _header_faults(header: list[str]) -> Iterator[str]:
    for name in dict.fromkeys(header):
        if header.count(name) > 1:
            yield f"column {shown(name)} stands more than once in the header"


def _csv_chunk(
    header: list[str], numbers: list[int], rows: list[list[str]], faults: list[tuple[int, str]]
) -> Chunk:
    """Lay rows out as columns; empty lines are skipped."""
    width = len(header)
    if set(map(len, rows)) - {width}:
        pairs = [(line, cells) for line, cells in zip(numbers, rows, strict=True) if any(cells)]
        faults += [
            (line, f"has {len(cells)} cells, but the header has {width}")
            for line, cells in pairs
            if len(cells) != width
        ]
        numbers = [line for line, cells in pairs if len(cells) == width]
        rows = [cells for _, cells in pairs if len(cells) == width]
    columns = zip(*rows, strict=True) if rows else [()] * width
    return Chunk(numbers, dict(zip(header, map(list, columns), strict=False)), faults)


# --------------------------------------------------------------------------- JSON


def _json_lines(source: TextIO) -> Iterator[Chunk]:
    """Give the objects of JSON Lines."""
    return _json_chunks(_json_rows(source))


def _json_rows(source: TextIO) -> Iterator[tuple[int, Any]]:
    decode = msgspec.json.Decoder().decode
    for number, line in enumerate(source, 1):
        try:
            yield number, decode(line)
        except (msgspec.MsgspecError, UnicodeEncodeError):  # it may hold NaN, which JSON has no word for
            if not line.isspace():
                yield number, _with_nan(line)


def _with_nan(line: str) -> Any:
    try:
        return DECODER.decode(line.rstrip())
    except (ValueError, RecursionError) as error:
        column = error.colno if isinstance(error, json.JSONDecodeError) else 1
        return Fault(None, f"not valid JSON at column {column}: {json_trouble(error)}")


def _json_list(source: TextIO) -> Iterator[Chunk]:
    """Give the objects of a JSON list."""
    return _json_chunks((row.place.line, row.value) for row in read_list(source))


def _json_chunks(rows: Iterator[tuple[int, Any]]) -> Iterator[Chunk]:
    while batch := list(itertools.islice(rows, ROWS)):
        faults: list[tuple[int, str]] = []
        if any(type(value) is not dict for _, value in batch):
            faults = [(line, _no_object(value)) for line, value in batch if not isinstance(value, dict)]
            batch = [row for row in batch if isinstance(row[1], dict)]
        objects = [value for _, value in batch]
        names = dict.fromkeys(itertools.chain.from_iterable(objects))
        columns = {name: [value.get(name) for value in objects] for name in names}
        yield Chunk([line for line, _ in batch], columns, faults)


def _no_object(value: Any) -> str:
    if isinstance(value, Fault):
        return plain(value.text)
    return f"must be an object with named values, not {kind(value)}"


def _of_dicts(rows: Iterator[dict[str, Any]]) -> Iterator[Chunk]:
    """Give rows of a data set, numbered from 1."""
    return _json_chunks(enumerate(rows, 1))


# --------------------------------------------------------------------------- Parquet


def _parquet(path: str) -> Iterator[Chunk]:
    """Give the rows of a Parquet file; needs polars."""
    with _binary(path) as file:
        frame = parquet_frame(path, file)
    number = 1
    for part in frame.iter_slices(ROWS):
        numbers = list(range(number, number + part.height))
        yield Chunk(numbers, {name: part[name].to_list() for name in part.columns}, [])
        number += part.height
