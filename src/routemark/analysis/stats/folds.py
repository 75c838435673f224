"""Folds for cross-fitting: what is chosen on some questions is scored on others that know nothing of them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from routemark.analysis.stats.arrays import Codes, Ints


def folds(group: Codes, stratum: Codes, count: int, *, seed: int) -> Codes:
    """Give the fold (n,) of each question, 0 to ``count`` - 1.

    ``group``: questions with one code are never parted. ``stratum``: every fold gets its share of each code.
    Groups are dealt in random order, stratum by stratum (that of most of their questions, the first of equal
    ones), each to the fold that has the fewest questions of the stratum, then the fewest in all.
    """
    found: Codes = np.frombuffer(
        _kept(group.astype(np.int64).tobytes(), stratum.astype(np.int64).tobytes(), count, seed),
        dtype=np.int32,
    )
    return found


@lru_cache(maxsize=4)
def _kept(group_of: bytes, stratum_of: bytes, count: int, seed: int) -> bytes:
    """Deal; every arm and metric of the same questions wants the same folds."""
    group, stratum = (np.frombuffer(of, dtype=np.int64) for of in (group_of, stratum_of))
    _, of_group, sizes = np.unique(group, return_inverse=True, return_counts=True)
    different, of_stratum = np.unique(stratum, return_inverse=True)
    groups, strata = len(sizes), len(different)
    table = np.bincount(of_group * strata + of_stratum, minlength=groups * strata).reshape(groups, strata)
    main = table.argmax(axis=1) if groups else np.zeros(0, dtype=np.int64)
    order = np.random.default_rng(seed).permutation(groups)
    order = order[np.lexsort((-sizes[order], main[order]))]
    return _dealt(order, main, table, count)[of_group].tobytes()


def _dealt(order: Ints, main: Ints, table: Ints, count: int) -> Codes:
    """Give the fold of each group: of those with the fewest questions of its stratum, the one with the fewest in all.

    ``table``: questions of each group by stratum. Lists, since each step looks at a few numbers only.
    """
    held = [[0] * count for _ in range(table.shape[1])]
    total, everywhere = [0] * count, range(count)
    fold = np.zeros(len(main), dtype=np.int32)
    for one, stratum in zip(order.tolist(), main[order].tolist(), strict=True):
        least = min(held[stratum])
        fewest = min((at for at in everywhere if held[stratum][at] == least), key=total.__getitem__)
        fold[one] = fewest
        row = table[one].tolist()
        total[fewest] += sum(row)
        for other, questions in enumerate(row):
            held[other][fewest] += questions
    return fold
