"""What every file of a report is to who writes it: rows in plan order, one by one, and then the summary.

So one pass over a journal feeds all files, and none holds the rows in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from routemark.records import ResultRow, Run, Summary


class Sink(Protocol):
    """A file that is being written; it takes its name when its context is left, and not before."""

    def row(self, row: ResultRow) -> None:
        """Take a row."""

    def close(self, summary: Summary) -> None:
        """Take the summary, and write what is still to be written."""


Opener = Callable[[Path, Run], AbstractContextManager[Sink]]
"""Begins a file; leaving the context with an error leaves what was there before. Raises: OSError."""
