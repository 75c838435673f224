"""From a path to requests: which kind of log it is, and its rows one by one."""

from __future__ import annotations

import difflib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from routemark.errors import UsageError
from routemark.interop.entries import decoded, document, opened, part
from routemark.interop.heads import Head, head
from routemark.interop.logs import chat, langfuse, litellm, otel
from routemark.interop.logs.requests import Left, Requests
from routemark.interop.tabular import rows
from routemark.questions.json_list import read_list
from routemark.questions.rows import Fault

OTEL = "otel"
READERS = {"litellm": litellm, "langfuse": langfuse, "chat": chat}
"""In the order in which they are tried."""
NAMES = (OTEL, *READERS)
_LISTS = ("data", "observations")
"""What rows stand under: pages of an API; Langfuse's download of one trace."""
_FIRST_LINE = 1 << 26


def kind_of(path: Path, name: str | None = None) -> str:
    """Give the kind of a log. Raises: UsageError when it is none that is known, or has no such name."""
    if name is not None:
        if name in NAMES:
            return name
        near = difflib.get_close_matches(name, NAMES, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"--format {name}: no such kind of log.{meant} Known: {', '.join(NAMES)}.")
    begin = head(path)
    names = set(begin.names)
    if begin.shape == "object" and names & {*_LISTS} and not _is_lines(path):
        names = {str(key) for key in (_listed(document(path)) or [names])[0]}
    if otel.is_one(names):
        return OTEL
    found = next((name for name, reader in READERS.items() if reader.is_one(names)), None)
    if found is None:
        raise UsageError(
            f"{path}: not a log that is known ({', '.join(NAMES)}); --format names its kind, "
            "`routemark import` reads results of other tools."
        )
    return found


def read(path: Path, kind: str) -> Requests:
    """Give the requests of a log, and for every other row why it is none. Raises: UsageError."""
    for place, row in _rows(path, head(path)):
        if not isinstance(row, dict):
            told = row if isinstance(row, str) else "not an object"
            yield Left("unreadable", place, told)
        elif kind == OTEL:
            yield from otel.read(row)
        else:
            yield READERS[kind].read(row)


def _rows(path: Path, begin: Head) -> Iterator[tuple[str, Any]]:
    """Give the rows of a file with their places; a text in a row's stead says what is wrong with it."""
    if begin.shape in ("csv", "parquet"):
        yield from ((f"row at {number}", row) for number, row in rows(path))
    elif begin.shape == "list":
        with opened(path) as file, io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape") as text:
            for row in read_list(text):
                yield row.place.told(), row.value.text if isinstance(row.value, Fault) else row.value
    elif begin.shape == "object" and not _is_lines(path):
        whole = document(path)
        yield from ((f"item {at}", row) for at, row in enumerate(_listed(whole) or [whole]))
    elif begin.shape == "object":
        yield from _lines(path)
    else:
        raise UsageError(f"{path}: neither JSON nor a table; logs are JSON, JSON Lines, CSV or Parquet.")


def _is_lines(path: Path) -> bool:
    """Tell whether the first line is a whole object without others within: JSON Lines."""
    with opened(path) as file:
        first = file.readline(_FIRST_LINE)
    try:
        value = decoded(first)
    except ValueError:
        return bool(first.rstrip().endswith(b"}"))  # a broken line among others
    return isinstance(value, dict) and not _listed(value)


def _listed(whole: Any) -> list[Any]:
    """Give the rows that an object holds under a name that answers of an API have; none where it is a row itself."""
    found = next((part(whole, name) for name in _LISTS if part(whole, name)), None)
    return found if isinstance(found, list) and isinstance(found[0], dict) else []


def _lines(path: Path) -> Iterator[tuple[str, Any]]:
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip(b"\xef\xbb\xbf \t\r\n"):
                try:
                    yield f"line {number}", decoded(line)
                except ValueError as error:
                    yield f"line {number}", str(error)
