"""The tree is the best of all small trees, counted out one by one by another road."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from routemark.analysis.rules.trees import (
    Branch,
    Grower,
    Sample,
    Split,
    best_single,
    choose,
    labels,
    leaves,
    terciles,
)


def sample(rng, n, models=3, per_family=1, structure=0.0):
    features = np.column_stack([rng.lognormal(6, 1, n).round(), rng.random(n) < 0.4, rng.integers(0, 4, n)])
    family = np.arange(n) // per_family if per_family else np.minimum(np.arange(n) // 3, n // 6)
    right = np.full((n, models), 0.6) + rng.normal(0, 0.1, (family.max() + 1, models))[family]
    right[:, 0] += structure * features[:, 1]
    right[:, 1] += structure * (features[:, 0] > 500) - structure / 2
    score = (rng.random((n, models)) < right).astype(float)
    cost = rng.lognormal(-7, 0.6, (n, models)) * np.logspace(-1, 1, models)
    return Sample(features.astype(float), score, cost, family)


def leaf_value(data, rows, default, price, leaf_count=4):
    """Gain and model of a leaf, from cluster sums one by one and SciPy's t."""
    score, cost = data.score[rows], data.cost[rows]
    best = 0.0, default
    for model in range(score.shape[1]):
        if model == default:
            continue
        gain = (score[:, model] - score[:, default]) - price * (cost[:, model] - cost[:, default])
        residual = gain - gain.mean()
        families = np.unique(data.cluster[rows])
        sums = np.array([residual[data.cluster[rows] == one].sum() for one in families])
        c = len(families)
        if c < 2:
            continue
        error = math.sqrt(c / (c - 1) * (sums**2).sum()) / len(gain)
        t = stats.t.isf(0.05 / (leaf_count * (score.shape[1] - 1)), c - 1)
        if gain.mean() - t * error > 0 and gain.sum() > best[0]:
            best = gain.sum(), model
    return best


def best_gain(data, splits, price):
    """Every tree of at most two levels, counted out."""
    n = len(data.cluster)
    least = max(20, math.ceil(0.05 * n))
    benefit = (data.score - price * data.cost).mean(axis=0)
    default = int(np.argmax(benefit))
    holds = [split.holds(data.features) for split in splits]
    most, known = 0.0, {}

    def value(region):
        key = region.tobytes()
        if key not in known:
            known[key] = leaf_value(data, region, default, price)[0] if region.sum() >= least else -math.inf
        return known[key]

    for root in holds:
        for below_yes, below_no in product([None, *holds], repeat=2):
            regions = []
            for side, below in ((root, below_yes), (~root, below_no)):
                regions += [side] if below is None else [side & below, side & ~below]
            most = max(most, sum(map(value, regions)))
    return default, most


@pytest.mark.parametrize(
    ("seed", "per_family", "structure"),
    [(0, 1, 0.5), (1, 4, 0.5), (2, 0, 0.4), (3, 1, 0.0), (4, 1, 0.8), (5, 3, 0.8)],
)
@pytest.mark.parametrize("kind", [terciles, labels])
def test_the_best_tree_is_found(seed, per_family, structure, kind):
    data = sample(np.random.default_rng(seed), 150, per_family=per_family, structure=structure)
    if kind is labels:
        data = data._replace(features=data.features[:, 1:])
    splits = kind(data.features)
    grower = Grower(data, splits)
    for price in (0.0, 5.0, 200.0):
        tree = grower.grow(price)
        default, most = best_gain(data, splits, price)
        choice = choose(tree, data.features)
        benefit = data.score - price * data.cost
        rows = np.arange(len(choice))
        assert (benefit[rows, choice] - benefit[:, default]).sum() == pytest.approx(most, abs=1e-8)
        assert best_single(data, price) == default


def test_some_of_those_trees_have_branches():
    data = sample(np.random.default_rng(4), 150, structure=0.8)
    tree = Grower(data, terciles(data.features)).grow(0.0)
    assert isinstance(tree, Branch)
    assert 2 <= len(leaves(tree)) <= 4


def test_a_leaf_is_not_too_small():
    rng = np.random.default_rng(0)
    for n, size in ((300, 19), (1_000, 49)):
        rare = (np.arange(n) < size).astype(float)[:, None]
        score = np.column_stack([rare[:, 0], 1 - rare[:, 0]])
        data = Sample(rare, score, rng.random((n, 2)), np.arange(n))
        assert Grower(data, labels(rare)).grow(0.0) == 1
        rare[size] = 1.0
        data = data._replace(features=rare, score=np.column_stack([rare[:, 0], 1 - rare[:, 0]]))
        assert isinstance(Grower(data, labels(rare)).grow(0.0), Branch)


@pytest.mark.parametrize(("wins", "leaves_default"), [(8, True), (7, False)])
def test_a_leaf_leaves_the_default_from_the_corrected_bound_on(wins, leaves_default):
    """8 : 1 of 40 is t = 2.48, 7 : 1 is 2.22; the quantile at 5 % / (4 leaves x 1 other model) is 2.33."""
    n = 80
    half = (np.arange(n) < 40).astype(float)[:, None]
    default = np.ones(n)
    default[:wins] = 0
    other = np.zeros(n)
    other[:40] = 1
    other[39] = 0
    data = Sample(half, np.column_stack([default, other]), np.ones((n, 2)), np.arange(n))
    assert isinstance(Grower(data, labels(half)).grow(0.0), Branch) == leaves_default


def test_one_family_proves_nothing():
    half = (np.arange(200) < 100).astype(float)[:, None]
    data = Sample(half, np.column_stack([half[:, 0], np.full(200, 0.6)]), np.ones((200, 2)), np.arange(200))
    assert isinstance(Grower(data, labels(half)).grow(0.0), Branch)
    assert Grower(data._replace(cluster=np.zeros(200)), labels(half)).grow(0.0) == 1


def test_of_equal_models_the_cheaper_is_the_default():
    data = Sample(np.zeros((50, 1)), np.ones((50, 3)), np.tile([3.0, 1.0, 2.0], (50, 1)), np.arange(50))
    assert Grower(data, []).grow(0.0) == 1


def test_terciles_are_values_that_occur_and_labels_are_codes():
    values = np.column_stack([np.arange(1, 10), [0, 0, 0, 0, 0, 0, 0, 1, 1], np.zeros(9)]).astype(float)
    cuts = [(split.column, split.cut, split.place) for split in terciles(values)]
    assert cuts == [(0, 3.0, 0), (0, 6.0, 1), (1, 0.0, 0)]
    codes = [(split.column, split.cut) for split in labels(np.array([[0, -1], [2, 1.0]]))]
    assert codes == [(0, 0.0), (0, 2.0), (1, 1.0)]


def test_leaves_are_the_same_whatever_stands_first():
    first, second = Split(0, 1.5, True, 0), Split(1, 0.0, False, 3)
    moved = first._replace(cut=1.7)
    one = Branch(first, Branch(second, 0, 1), Branch(second, 2, 1))
    other = Branch(second, Branch(moved, 0, 2), 1)
    assert leaves(one) == leaves(Branch(second, Branch(moved, 0, 2), Branch(moved, 1, 1)))
    assert leaves(one) != leaves(other)
    assert leaves(one) != leaves(Branch(first, Branch(second, 0, 1), Branch(second, 1, 1)))
