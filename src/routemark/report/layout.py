"""Lay out a table for a terminal of a given width: a pure function, no library's guess.

Each row has a name and cells. Columns that do not fit are dropped in the order of their ``rank`` (the
highest first; rank 0 never goes). Where a long name leaves no room beside it, names stand on a line of
their own, above their cells.
"""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

GAP = 2
INDENT = 2


class Column(NamedTuple):
    """Cells of one column, a row each."""

    title: str
    """One or two lines."""
    cells: list[str]
    rank: int = 0
    """Columns of the highest rank are dropped first; 0 stays."""

    @property
    def width(self) -> int:
        """In terminal cells, title included."""
        return max(cell_len(text) for text in [*self.title.split("\n"), *self.cells])


class Section(NamedTuple):
    """A heading, a table, and what is said below it, as data for every format."""

    title: str
    stub: str
    """Title of the column of names."""
    names: list[str]
    columns: list[Column]
    notes: list[str]
    code: str = ""
    """Python source, for formats with room for it."""


class Grid(NamedTuple):
    """A laid out table."""

    lines: list[Text]
    dropped: list[str]
    """Titles of the columns that did not fit."""


def grid(title: str, names: list[str], columns: list[Column], width: int) -> Grid:
    """Give the lines of a table whose cells are right-aligned and whose lines fit ``width``."""
    kept = fit(columns, width - INDENT)
    dropped = [column.title.replace("\n", " ") for column in columns if column not in kept]
    longest = max(cell_len(text) for text in [title, *names])
    inline = longest + GAP + _span(kept) <= width
    lead = longest + GAP if inline else INDENT
    lines = _header(title, kept, lead)
    lines.append(Text("\u2500" * min(width, lead + _span(kept)), "dim"))
    for row, name in enumerate(names):
        cells = _joined([column.cells[row] for column in kept], kept)
        if inline:
            lines.append(Text.assemble((_padded(name, lead), "bold"), cells))
        else:
            lines += [Text(name, "bold", overflow="fold"), Text(" " * lead + cells)]
    return Grid(lines, dropped)


def fit(columns: list[Column], width: int) -> list[Column]:
    """Give the columns that fit, dropping the highest rank first and the rightmost of equal ones."""
    kept = list(columns)
    while _span(kept) > width and any(column.rank for column in kept):
        worst = max(range(len(kept)), key=lambda i: (kept[i].rank, i))
        del kept[worst]
    return kept


def _span(columns: list[Column]) -> int:
    return sum(column.width for column in columns) + GAP * max(len(columns) - 1, 0)


def _header(title: str, columns: list[Column], lead: int) -> list[Text]:
    titles = [column.title.split("\n") for column in columns]
    height = max((len(lines) for lines in titles), default=1)
    padded = [[""] * (height - len(lines)) + lines for lines in titles]
    stub = [""] * (height - 1) + [title if cell_len(title) < lead else ""]
    return [
        Text(_padded(stub[i], lead) + _joined([lines[i] for lines in padded], columns), "dim")
        for i in range(height)
    ]


def _joined(cells: list[str], columns: list[Column]) -> str:
    widths = [column.width for column in columns]
    return (" " * GAP).join(
        " " * (width - cell_len(text)) + text for text, width in zip(cells, widths, strict=True)
    )


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))
