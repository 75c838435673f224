"""Files that a reporter of a plugin writes: given run, summary and rows, it gives the text of one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from routemark.errors import RunError
from routemark.files import replaced
from routemark.plugins import Plugin
from routemark.records import ResultRow, Run, Summary
from routemark.report.sinks import Opener, Sink


def opener(reporter: Plugin) -> Opener:
    """Give the writer of the files of a plugin's reporter."""

    @contextmanager
    def opened(path: Path, run: Run) -> Iterator[Sink]:
        with replaced(path) as file, tempfile.TemporaryFile("w+b", prefix="routemark-") as store:
            yield _Waiting(reporter, run, file, store)

    return opened


class _Waiting:
    """Keeps the rows on disk until the summary is there: a reporter wants both, and rows may be many."""

    def __init__(self, reporter: Plugin, run: Run, file: IO[bytes], store: IO[bytes]) -> None:
        self._reporter = reporter
        self._run = run
        self._file = file
        self._store = store

    def row(self, row: ResultRow) -> None:
        """Keep a row."""
        self._store.write(msgspec.json.encode(row) + b"\n")

    def close(self, summary: Summary) -> None:
        """Have the file written."""
        self._store.seek(0)
        try:
            given = self._reporter.call(self._run, summary, self._rows())
            for piece in [given] if isinstance(given, str | bytes) else self._pieces(given):
                self._file.write(piece.encode() if isinstance(piece, str) else piece)
        except OSError:
            raise
        except Exception as error:  # border: a stranger's reporter, which may fail while it is asked for more
            raise RunError(f"{self._failed(error)} The journal has everything.") from error

    def _failed(self, error: Exception) -> str:
        own = str(error)
        return own if str(self._reporter)[1:] in own else str(self._reporter.wrong(f"it failed: {own}."))

    def _pieces(self, given: object) -> Iterable[str | bytes]:
        if not isinstance(given, Iterable):
            raise self._reporter.wrong(
                f"must give text, bytes, or pieces of them, not {type(given).__name__}."
            )
        return given

    def _rows(self) -> Iterator[ResultRow]:
        decode = msgspec.json.Decoder(ResultRow).decode
        return (decode(line) for line in self._store)
