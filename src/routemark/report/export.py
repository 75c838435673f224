"""The rows of a run as a file of their own, without a report: a row a trial, as in results.json."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from routemark.errors import RunError, SettingsError
from routemark.files import replaced
from routemark.records import ResultRow, Run, Summary
from routemark.report import parquet, rows
from routemark.report.sinks import Opener, Sink


class _Lines:
    """A row a line."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._encode = msgspec.json.Encoder().encode  # NaN and infinity become null

    def row(self, row: ResultRow) -> None:
        """Write a row."""
        self._file.write(self._encode(row) + b"\n")

    def close(self, summary: Summary) -> None:
        """Do nothing: rows are all there is."""


class _List(_Lines):
    """The same as one JSON list."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self._before = b"["

    def row(self, row: ResultRow) -> None:
        """Write a row."""
        self._file.write(self._before + b"\n" + self._encode(row))
        self._before = b","

    def close(self, summary: Summary) -> None:  # noqa: ARG002 - as all sinks
        """End the list."""
        self._file.write(b"\n]\n" if self._before == b"," else b"[]\n")


@contextmanager
def open_list(path: Path, run: Run) -> Iterator[Sink]:  # noqa: ARG001 - as all writers
    """Begin a JSON list; see `sinks`."""
    with replaced(path) as file:
        yield _List(file)


@contextmanager
def open_lines(path: Path, run: Run) -> Iterator[Sink]:  # noqa: ARG001 - as all writers
    """Begin a JSON Lines file; see `sinks`."""
    with replaced(path) as file:
        yield _Lines(file)


WRITERS: dict[str, Opener] = {
    ".csv": rows.open_csv,
    ".json": open_list,
    ".jsonl": open_lines,
    ".parquet": parquet.open_parquet,
}


def writer_for(name: str) -> Opener:
    """Give the writer of a file by its ending; raise SettingsError where there is none that works."""
    ending = Path(name).suffix
    if ending not in WRITERS:
        raise SettingsError(f"--output {name}: no such format; use {', '.join(WRITERS)}.")
    if ending == ".parquet":
        parquet.require(name)
    return WRITERS[ending]


def write(path: Path, run: Run, summary: Summary, result_rows: Iterable[ResultRow]) -> int:
    """Write the rows one by one, the file whole or not at all; give how many. Raises: RunError."""
    count = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with writer_for(path.name)(path, run) as sink:
            for row in result_rows:
                sink.row(row)
                count += 1
            sink.close(summary)
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror}.") from None
    return count
