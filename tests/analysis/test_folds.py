"""Folds part no group, share out every stratum, and depend on nothing but their arguments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routemark.analysis.stats.folds import folds


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(-1, 3)), max_size=120), st.integers(2, 6))
def test_no_group_is_parted(rows, count):
    group, stratum = (np.array([row[i] for row in rows], dtype=np.int32) for i in (0, 1))
    fold = folds(group, stratum, count, seed=0)
    assert len(fold) == len(rows)
    assert not len(rows) or (fold.min() >= 0 and fold.max() < count)
    for one in np.unique(group):
        assert len(set(fold[group == one])) == 1


def test_each_fold_gets_its_share_of_each_stratum():
    family = np.repeat(np.arange(180), 6)
    stratum = np.random.default_rng(0).integers(0, 3, 180)[family]
    fold = folds(family, stratum, 5, seed=1)
    for one in range(3):
        shares = np.bincount(fold[stratum == one], minlength=5)
        assert shares.max() - shares.min() <= 6
    assert np.bincount(fold).max() - np.bincount(fold).min() <= 18


@pytest.mark.parametrize("seed", [0, 7])
def test_the_seed_decides(seed):
    group, stratum = np.arange(200), np.arange(200) % 3
    fold = folds(group, stratum, 4, seed=seed)
    assert np.array_equal(fold, folds(group, stratum, 4, seed=seed))
    assert not np.array_equal(fold, folds(group, stratum, 4, seed=seed + 1))


def test_the_numbers_of_groups_are_but_names():
    group, stratum = np.repeat(np.arange(40), 3), np.repeat(np.arange(40) % 2, 3)
    assert np.array_equal(folds(group, stratum, 5, seed=0), folds(group * 9 + 2, stratum + 5, 5, seed=0))
