"""CSV tables of questions: one header row, one row a question, cells turned into what JSON would say.

Cells are text, questions are not, so a few rules fill the gap:

* an empty cell says nothing, as if the field were absent;
* ``choices`` is a JSON list or texts with ``|`` between them;
* ``metadata`` and ``messages`` are JSON, ``grader`` a name or JSON;
* ``reference`` is text, except where it reads as a number and no choices or other grader ask for text,
  as a JSON list of texts, as a text in JSON quotes, or as JSON for a grader that wants structure;
* other columns go into the metadata, as text.

The delimiter is the comma, or the semicolon or tab where the header has those instead.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from typing import Any, TextIO

from routemark.questions.fields import KNOWN, near_miss
from routemark.questions.rows import DECODER, Fault, Place, Row, shown

_LONGEST_CELL = 1 << 26
"""Characters; a quote that is never closed would otherwise take the rest of the file for one cell."""
_JSON_FIELDS = frozenset({"metadata", "messages", "grader", "choices"})
_JSON_STARTS = frozenset('[{"-0123456789tf')
_STRUCTURED = frozenset({"json", "set", "sequence", "sql", "tool_call", "refusal"})
"""Graders whose reference is any JSON value."""


def read_csv(source: TextIO) -> Iterator[Row]:
    """Give the rows of a table as objects, as they are met; empty rows are skipped."""
    csv.field_size_limit(_LONGEST_CELL)
    first = source.readline()
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(itertools.chain([first], source), delimiter=delimiter, strict=True)
    header: _Header | None = None
    while True:
        place = Place(reader.line_num + 1)
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(place, Fault(None, f"not valid CSV: {error}"))
            continue
        if not "".join(cells).strip():
            continue
        if header is None:
            header = _Header(cells)
            yield from (Row(place, fault) for fault in header.faults)
        else:
            yield Row(place, header.row(cells))


class _Header:
    """The columns of a table; its faults are told once, and rows are then read as if it had none."""

    def __init__(self, cells: list[str]) -> None:
        self.faults: list[Fault] = []
        self._columns = [cell.strip() or f"column_{number}" for number, cell in enumerate(cells, 1)]
        self._fill: dict[str, str] = {}
        self._refuse_repeated()
        self._refuse_misspelt()
        self._refuse_missing()
        fields = [(name, KNOWN.get(name, "")) for name in self._columns]
        self._structures = [(name, field) for name, field in fields if field in _JSON_FIELDS]
        self._references = [name for name, field in fields if field == "reference"]

    def _refuse_repeated(self) -> None:
        for name in sorted({name for name in self._columns if self._columns.count(name) > 1}):
            self.faults.append(Fault(name, "this column stands more than once in the header"))

    def _refuse_misspelt(self) -> None:
        for position, name in enumerate(self._columns):
            meant = near_miss(name, self._columns)
            if meant:
                self.faults.append(Fault(name, f"unknown column; did you mean {shown(meant)}?"))
                self._columns[position] = meant

    def _refuse_missing(self) -> None:
        present = {KNOWN.get(name) for name in self._columns}
        for name, instead in (("difficulty", set()), ("question", {"messages"})):
            if not present & {name, *instead}:
                self.faults.append(Fault(name, "the header has no such column"))
                self._fill[name] = "?"

    def row(self, cells: list[str]) -> dict[str, Any] | Fault:
        """Give a row as an object, or the fault that its cells do not match the header."""
        if len(cells) != len(self._columns):
            return Fault(None, f"has {len(cells)} cells, but the header has {len(self._columns)}")
        row: dict[str, Any] = {
            name: cell if cell.strip() else None for name, cell in zip(self._columns, cells, strict=True)
        }
        for name, field in self._structures:
            if row[name] is not None:
                row[name] = _structure(field, row[name])
        for name in self._references:
            if row[name] is not None:
                row[name] = _reference(row[name], self._grader(row), has_choices=self._has_choices(row))
        return row | self._fill if self._fill else row

    def _grader(self, row: dict[str, Any]) -> Any:
        named = next((row[name] for name, field in self._structures if field == "grader"), None)
        return named.get("name") if isinstance(named, dict) else named

    def _has_choices(self, row: dict[str, Any]) -> bool:
        return any(row[name] is not None for name, field in self._structures if field == "choices")


def _json(text: str) -> Any:
    """Read a cell as JSON; text that is no JSON stays text."""
    try:
        return DECODER.decode(text)
    except (ValueError, RecursionError):
        return text


def _structure(field: str, text: str) -> Any:
    value = _json(text) if text.lstrip()[0] in "[{" else text
    if field == "choices" and isinstance(value, str):
        return [part.strip() for part in text.split("|")]
    return value


def _reference(text: str, grader: str | None, *, has_choices: bool) -> Any:
    value = _json(text) if text.lstrip()[0] in _JSON_STARTS else text
    if isinstance(value, str) or grader in _STRUCTURED:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if grader in (None, "numeric") and not has_choices else text
    texts = isinstance(value, list) and all(isinstance(part, str) for part in value)
    return value if texts and grader != "math" else text
