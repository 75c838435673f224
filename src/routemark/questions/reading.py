"""From a path to rows: which format the file is in, and its rows with their places.

The ending names the format, the content has the last word: a ``.json`` file of JSON lines and a
``.jsonl`` file that holds a list are read as what they are. Text is UTF-8, with or without a byte order
mark; bytes that are none are kept as marks until a check can name the row and field that they spoil.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, TextIO

from routemark.errors import QuestionFileError, UsageError
from routemark.questions.csv_table import read_csv
from routemark.questions.fields import KNOWN
from routemark.questions.json_list import read_list
from routemark.questions.rows import DECODER, Fault, Place, Row, json_trouble, plain

Format = Literal["list", "lines", "csv"]

_BUFFER = 1 << 20
_BY_ENDING: dict[str, Format] = {".json": "list", ".jsonl": "lines", ".ndjson": "lines", ".csv": "csv"}
_OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff", b"\x00")


@contextmanager
def open_rows(path: Path) -> Iterator[Iterator[Row]]:
    """Open a question file and give its rows, read as they are asked for.

    Raises: UsageError when it cannot be opened or is in no format that is read; QuestionFileError when
    the file as a whole is unfit.
    """
    if path.suffix.casefold() == ".parquet":
        yield _read_parquet(path)
        return
    with _open(path) as file:
        form = _detect(path, file)
        newline = "" if form == "csv" else "\n"
        with io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline=newline) as text:
            yield _READERS[form](text)


def _open(path: Path) -> io.BufferedReader:
    try:
        return io.BufferedReader(io.FileIO(path), _BUFFER)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such question file.") from None
    except IsADirectoryError:
        raise UsageError(f"{path}: this is a directory; name the question file in it.") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}.") from None


def _detect(path: Path, file: io.BufferedReader) -> Format:
    head = file.peek(_BUFFER)
    if head.startswith(b"\x1f\x8b"):
        raise UsageError(f"{path}: the file is compressed; unpack it first.")
    if head.startswith(_OTHER_ENCODINGS) or b"\x00" in head[:4]:
        raise QuestionFileError(str(path), ["line 1: the file is not UTF-8 (UTF-16?); save it as UTF-8"])
    start = head.decode("utf-8-sig", "replace").lstrip()
    ending = path.suffix.casefold()
    if not start:
        raise QuestionFileError(str(path), ["line 1: the file is empty"])
    if start[0] == "[":
        return "list"
    if start[0] == "{":
        if ending in (".jsonl", ".ndjson") or _is_question(start):
            return "lines"
        raise QuestionFileError(
            str(path), ["line 1: one object holds the whole file; put a list of questions at the top: [...]"]
        )
    if ending not in _BY_ENDING:
        known = ", ".join([*_BY_ENDING, ".parquet"])
        raise UsageError(f"{path}: cannot tell the format; a question file ends in one of {known}.")
    return _BY_ENDING[ending]


def _is_question(start: str) -> bool:
    """Tell whether the first line is a whole object with a field of a question: JSON Lines."""
    try:
        value = DECODER.decode(start.split("\n", 1)[0])
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and any(name in KNOWN for name in value)


def _read_lines(source: TextIO) -> Iterator[Row]:
    """Give the values of JSON Lines; a line that is none is a fault, empty lines are skipped."""
    for number, line in enumerate(source, 1):
        try:
            yield Row(Place(number), DECODER.decode(line))
        except (ValueError, RecursionError) as error:
            if not line.isspace():
                column = getattr(error, "colno", 1)
                yield Row(
                    Place(number), Fault(None, f"not valid JSON at column {column}: {json_trouble(error)}")
                )


def _read_parquet(path: Path) -> Iterator[Row]:
    """Give the rows of a Parquet file, numbered from 1 as if they were lines; needs polars."""
    with _open(path) as file:
        frame = parquet_frame(path, file)
    for number, value in enumerate(frame.iter_rows(named=True), 1):
        yield Row(Place(number), value)


def parquet_frame(path: Path | str, file: IO[bytes]) -> Any:
    """Give what a Parquet file holds as a data frame of polars. Raises: UsageError when it is none, or without polars."""
    try:
        import polars  # noqa: ICN001, PLC0415 - an extra, loaded where it is needed
    except ImportError:
        raise UsageError(
            f"{path}: reading Parquet needs polars: pip install 'routemark[data]', or save it as CSV or JSONL."
        ) from None
    try:
        return polars.read_parquet(file)
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException, OSError, ValueError) as error:
        raise UsageError(f"{path}: not a Parquet file that can be read: {plain(str(error))[:200]}") from None


_READERS = {"list": read_list, "lines": _read_lines, "csv": read_csv}
