"""Distributions of times on a logarithmic scale, as counts: what a picture of latencies shows."""

from __future__ import annotations

import numpy as np

from routemark.analysis.stats.arrays import Floats
from routemark.records import Histogram

PER_DECADE = 10
SHORTEST_S = 1e-4
"""Shorter times are counted as this one."""


def histogram(values: Floats) -> Histogram | None:
    """Count times (seconds, NaN unknown) in bins of a tenth of a decade; None without one."""
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    bins = np.floor(PER_DECADE * np.log10(np.maximum(known, SHORTEST_S)) + 1e-9).astype(np.int64)
    first = int(bins.min())
    return Histogram(per_decade=PER_DECADE, first=first, counts=np.bincount(bins - first).tolist())
