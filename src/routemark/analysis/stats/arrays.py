"""Names for the array types that analysis passes around."""

from __future__ import annotations

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
