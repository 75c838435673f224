"""A small picture of cost and quality in characters, for terminals that are wide enough: a pure function."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from routemark import numbers

FEWEST_CELLS = 100
"""Width of a terminal from which there is a picture."""
MOST_CELLS = 120
HEIGHT = 13
_LEFT = 7
_MARKS = {True: "*", False: "o"}


class Dot(NamedTuple):
    """An arm with a known accuracy and a cost above nothing."""

    name: str
    cost_per_1k_usd: float
    accuracy: float
    is_router: bool


def frontier(dots: Sequence[Dot], hull: Sequence[tuple[float, float]], width: int) -> list[str]:
    """Give the lines of the picture: routers are ``*``, fixed models ``o``, mixtures of two of them dots.

    ``hull``: (cost, accuracy) along the best mixtures. Empty below two arms, and where the terminal is too narrow.
    """
    if len(dots) < 2 or width < FEWEST_CELLS:
        return []
    field = _Field(dots, min(width, MOST_CELLS) - _LEFT - 1)
    for cost, accuracy in hull:
        field.put(*field.place(cost, accuracy), ".")
    places = [field.place(dot.cost_per_1k_usd, dot.accuracy) for dot in dots]
    for dot, (x, y) in zip(dots, places, strict=True):
        field.put(x, y, _MARKS[dot.is_router])
    unnamed = [dot.name for dot, place in zip(dots, places, strict=True) if not field.name(dot.name, *place)]
    lines = [*field.lines(), *field.axis()]
    return [*lines, f"No room for the name of: {', '.join(unnamed)}"] if unnamed else lines


class _Field:
    """Cells of the picture, y downwards."""

    def __init__(self, dots: Sequence[Dot], width: int) -> None:
        costs, accuracies = [dot.cost_per_1k_usd for dot in dots], [dot.accuracy for dot in dots]
        middle = math.log10(min(costs) * max(costs)) / 2
        half = max(math.log10(max(costs) / min(costs)) / 2 * 1.1, 0.3)
        self._costs = middle - half, middle + half
        pad = max(0.08 * (max(accuracies) - min(accuracies)), 0.02)
        self._accuracies = max(min(accuracies) - pad, 0.0), min(max(accuracies) + pad, 1.0)
        self._width = width
        self._cells = [[" "] * width for _ in range(HEIGHT)]
        self._marks: set[tuple[int, int]] = set()

    def place(self, cost: float, accuracy: float) -> tuple[int, int]:
        """Give column and row."""
        low, high = self._costs
        x = round((math.log10(cost) - low) / (high - low) * (self._width - 1))
        low, high = self._accuracies
        return x, round((high - accuracy) / (high - low) * (HEIGHT - 1))

    def put(self, x: int, y: int, mark: str) -> None:
        """Write one character, if it lies in the picture."""
        if 0 <= x < self._width and 0 <= y < HEIGHT:
            self._cells[y][x] = mark
            if mark != ".":
                self._marks.add((x, y))

    def name(self, name: str, x: int, y: int) -> bool:
        """Write a name beside its mark, where nothing is in the way; give False where it is everywhere."""
        long = cell_len(name)
        for row in (y, y - 1, y + 1):
            for left in (x + 2, x - 1 - long):
                if self._is_free(left, row, long):
                    for beside in (left - 1, left + long):
                        if 0 <= beside < self._width and self._cells[row][beside] == ".":
                            self._cells[row][beside] = " "
                    self._cells[row][left : left + long] = [*name, *[""] * (long - len(name))]
                    self._marks |= {(column, row) for column in range(left, left + long)}
                    return True
        return False

    def _is_free(self, left: int, row: int, long: int) -> bool:
        inside = 0 <= row < HEIGHT and left >= 0 and left + long <= self._width
        return inside and not any((column, row) in self._marks for column in range(left - 1, left + long + 1))

    def lines(self) -> Iterator[str]:
        """Yield the rows, some with their accuracy in front."""
        low, high = self._accuracies
        for y, cells in enumerate(self._cells):
            value = high - (high - low) * y / (HEIGHT - 1)
            label = numbers.percent(value) if y % 4 == 0 else ""
            yield f"{label:>{_LEFT - 1}} |{''.join(cells)}".rstrip()

    def axis(self) -> Iterator[str]:
        """Yield the line below, and costs below it."""
        yield " " * _LEFT + "+" + "-" * self._width
        low, high = self._costs
        line = [" "] * self._width
        for share in (0.0, 0.25, 0.5, 0.75):
            text = numbers.usd(10 ** (low + share * (high - low)))
            at = round(share * (self._width - 1))
            line[at : at + len(text)] = text
        yield " " * (_LEFT + 1) + "".join(line).rstrip()
