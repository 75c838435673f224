"""Folds for cross-fitting: what is chosen on some questions is scored on others that know nothing of them."""

from __future__ import annotations

import numpy as np

from routemark.analysis.arrays import Codes


def folds(group: Codes, stratum: Codes, count: int, *, seed: int) -> Codes:
    """Give the fold (n,) of each question, 0 to ``count`` - 1.

    ``group``: questions with one code are never parted. ``stratum``: every fold gets its share of each code.
    Groups are dealt in random order, stratum by stratum (that of most of their questions, the first of equal
    ones), each to the fold that has the fewest questions of the stratum, then the fewest in all.
    """
    _, of_group, sizes = np.unique(group, return_inverse=True, return_counts=True)
    different, of_stratum = np.unique(stratum, return_inverse=True)
    groups, strata = len(sizes), len(different)
    table = np.bincount(of_group * strata + of_stratum, minlength=groups * strata).reshape(groups, strata)
    main = table.argmax(axis=1) if groups else np.zeros(0, dtype=np.int64)
    order = np.random.default_rng(seed).permutation(groups)
    order = order[np.lexsort((-sizes[order], main[order]))]
    held, fold = np.zeros((count, strata), dtype=np.int64), np.zeros(groups, dtype=np.int32)
    for one in order.tolist():
        fewest = np.lexsort((held.sum(axis=1), held[:, main[one]]))[0]
        fold[one] = fewest
        held[fewest] += table[one]
    return fold[of_group]
