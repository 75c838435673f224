"""Names for the array types that analysis passes around."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
"""Measured numbers; NaN means unknown."""
Ints = npt.NDArray[np.int64]
"""Indices and counts."""
Codes = npt.NDArray[np.int32]
"""Numbers that stand for labels."""
Bools = npt.NDArray[np.bool_]

Interval = tuple[float, float]
"""Lower and upper bound."""

Kind = TypeVar("Kind", bound=np.generic)


def by_column(columns: Sequence[npt.NDArray[Kind]]) -> npt.NDArray[Kind]:
    """Give a matrix (n, k) of k columns (n,), each in one piece in memory.

    Matrices of questions are high and narrow: laid out so, sums over questions and over columns alike take a
    tenth of the time that they take row by row.
    """
    return np.array(columns).T


def rows_of(matrix: npt.NDArray[Kind], rows: Bools | Ints) -> npt.NDArray[Kind]:
    """Give some rows of a matrix (n, k), by mask or index, laid out as `by_column`."""
    at = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
    return np.take(matrix.T, at, axis=1).T
