"""Rows as Parquet: the columns of the CSV with their types, unknown values null, texts as they are.

Polars (the extra ``data``) writes it. Rows are held until they make a part of bounded size; parts become one
file at the end, row group by row group, so that memory does not grow with the run.
"""

from __future__ import annotations

import importlib.util
import tempfile
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import msgspec

from routemark.errors import SettingsError
from routemark.files import replaced
from routemark.records import ErrorRow, GradeRow, ResultRow, Run, Summary, Usage
from routemark.report.rows import columns, values
from routemark.report.sinks import Sink

MOST_ROWS = 2000
MOST_CHARACTERS = 16_000_000
"""Of texts in one part."""


def require(name: str) -> None:
    """Raise SettingsError, naming the file, where polars is not installed."""
    if importlib.util.find_spec("polars") is None:
        raise SettingsError(
            f"--output {name}: Parquet needs polars. Install it: pip install 'routemark[data]', or use .csv."
        )


@contextmanager
def open_parquet(path: Path, run: Run) -> Iterator[Sink]:  # noqa: ARG001 - as all writers
    """Begin a Parquet file of the rows; see `sinks`."""
    import polars as pl  # noqa: PLC0415 - an extra, imported by who writes this format

    with (
        tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as parts,
        replaced(path) as file,
    ):
        yield _Parquet(pl, file, Path(parts))


class _Parquet:
    def __init__(self, polars: ModuleType, file: IO[bytes], parts: Path) -> None:
        self._polars = polars
        self._file = file
        self._parts = parts
        self._schema = schema(polars)
        self._sizes: list[int] = []
        self._rows: list[list[Any]] = []
        self._characters = 0

    def row(self, row: ResultRow) -> None:
        """Hold a row; write a part when there are enough."""
        cells = list(values(row))
        self._rows.append(cells)
        self._characters += sum(len(cell) for cell in cells if isinstance(cell, str))
        if len(self._rows) >= MOST_ROWS or self._characters >= MOST_CHARACTERS:
            self._write_part()

    def close(self, summary: Summary) -> None:  # noqa: ARG002 - as all sinks
        """Make one file of the parts."""
        if self._rows or not self._sizes:
            self._write_part()
        # as small a row group as the smallest whole part, so that none is larger than a part may be
        group = max(1, min(self._sizes[:-1] or self._sizes))
        frame = self._polars.scan_parquet([self._part(i) for i in range(len(self._sizes))])
        frame.sink_parquet(self._file, row_group_size=group, maintain_order=True)

    def _write_part(self) -> None:
        frame = self._polars.DataFrame(self._rows, schema=self._schema, orient="row")
        frame.write_parquet(self._part(len(self._sizes)), compression="lz4")
        self._sizes.append(len(self._rows))
        self._rows, self._characters = [], 0

    def _part(self, number: int) -> Path:
        return self._parts / f"{number:06d}.parquet"


def schema(polars: ModuleType) -> dict[str, Any]:
    """Give each column's type, from the fields of the record."""
    kinds = {int: polars.Int64, float: polars.Float64, bool: polars.Boolean}
    return {name: kinds.get(kind, polars.String) for name, kind in zip(columns(), _types(), strict=True)}


def _types() -> Iterator[Any]:
    nested = {"grade": GradeRow, "usage": Usage, "error": ErrorRow}
    own = typing.get_type_hints(ResultRow)
    for field in msgspec.structs.fields(ResultRow):
        inner = nested.get(field.name)
        hints = typing.get_type_hints(inner) if inner is not None else {field.name: own[field.name]}
        yield from (_known(hint) for hint in hints.values())


def _known(hint: Any) -> Any:
    """Give what a value is when it is known: float of ``float | None``."""
    parts = [part for part in typing.get_args(hint) if part is not type(None)]
    return parts[0] if len(parts) == 1 else hint
