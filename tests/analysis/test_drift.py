"""What became of an arm between two dates: hand-computed cases, other implementations, and simulation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from routemark.analysis.drift import drift
from routemark.analysis.stats.paired import difference_interval
from routemark.analysis.stats.significance import benjamini_hochberg

NAN = math.nan


def codes(*rows):
    return np.array(rows, dtype=np.int32)


def column(*picks):
    return np.array(picks, dtype=np.int32)[:, None]


def own(n):
    return np.arange(n, dtype=np.int32)


# ------------------------------------------------------------------------------------------ scores


def test_the_change_beyond_the_anchors_is_the_difference_of_the_differences():
    router = np.array([1.0, 0.0, -1.0, 1.0, 0.0])
    anchors = np.array([[1.0, 0.0], [0.0, NAN], [-1.0, 0.0], [NAN, NAN], [1.0, -1.0]])
    expected = drift.mean_known(anchors)
    np.testing.assert_array_equal(expected, [0.5, 0.0, -0.5, NAN, 0.0])
    pair = drift.difference(drift.Scores(router, expected, single=False, reach=2.0), own(5))
    values = np.array([0.5, 0.0, -0.5, 0.0])
    assert (pair.n, pair.clusters) == (4, 4)
    assert pair.mean == values.mean()
    by_scipy = stats.ttest_1samp(values, 0).confidence_interval()
    np.testing.assert_allclose(difference_interval(pair, reach=2.0), by_scipy, atol=1e-9)


def test_a_family_counts_as_one_observation():
    rng = np.random.default_rng(1)
    cluster = np.repeat(own(20), 3)
    values = rng.normal(size=60)
    pair = drift.difference(drift.Scores(values, np.zeros(60), single=False, reach=2.0), cluster)
    means = values.reshape(20, 3).mean(axis=1)
    expected = stats.ttest_1samp(means, 0).confidence_interval()
    np.testing.assert_allclose(difference_interval(pair, reach=2.0), expected, atol=1e-9)


def test_a_difference_of_differences_may_be_larger_than_one():
    scores = drift.Scores(np.full(40, -1.0), np.full(40, 1.0), single=False, reach=2.0)
    low, high = difference_interval(drift.difference(scores, own(40)), reach=2.0)
    assert low == -2.0
    assert -2.0 < high < -1.8
    turned = scores._replace(arm=scores.baseline, baseline=scores.arm)
    assert difference_interval(drift.difference(turned, own(40)), reach=2.0) == (-high, -low)


def covered(rng, n):
    """Say whether the interval holds the truth: 4 in 100 answers are right on B that were wrong on A."""
    ease = rng.normal(size=n)
    chance = 1 / (1 + np.exp(-(ease[:, None] + [0.2, 0.0, 0.5, 1.0])))
    before, after = (rng.random((n, 4)) < chance for _ in range(2))
    change = after.astype(float) - before
    router = np.where(rng.random(n) < 0.04, 1.0, change[:, 0])
    scores = drift.Scores(router, drift.mean_known(change[:, 1:]), single=False, reach=2.0)
    low, high = difference_interval(drift.difference(scores, own(n)), reach=2.0)
    return low <= 0.04 <= high


def test_the_interval_of_the_difference_of_differences_covers_the_truth():
    rng = np.random.default_rng(7)
    share = np.mean([covered(rng, 120) for _ in range(600)])
    assert 0.925 <= share <= 0.975


# ------------------------------------------------------------------------------------------- picks


def test_picks_by_hand_with_repeats():
    before = codes((0, 0), (0, 1), (2, 2), (-1, -1))
    after = codes((0, 1), (0, 1), (1, 1), (0, 0))
    np.testing.assert_array_equal(drift.between(before, after)[:3], [0.5, 0.5, 1.0])
    np.testing.assert_array_equal(drift.within(before)[:3], [0.0, 1.0, 0.0])
    found = drift.pick_change(before, after, own(4), 3, seed=0)
    assert found.n == 3
    assert found.changed == pytest.approx(2 / 3)
    assert found.flips == pytest.approx((1 / 3, 2 / 3))
    assert found.excess.mean == pytest.approx(2 / 3 - 1 / 2)
    np.testing.assert_allclose(found.shares[0], [0.5, 1 / 6, 1 / 3])
    np.testing.assert_allclose(found.matrix, [[0.75, 0.75, 0], [0.25, 0.25, 0], [0, 1, 0]])


def test_without_repeats_there_is_no_flicker_to_take_off():
    found = drift.pick_change(column(0, 1, 1), column(0, 0, 1), own(3), 2, seed=0)
    assert found.changed == pytest.approx(1 / 3)
    assert found.flips == (None, None)
    assert found.excess is None
    np.testing.assert_array_equal(found.matrix, [[1, 0], [1, 1]])


def test_repeats_on_one_date_tell_that_date_s_flicker_alone():
    found = drift.pick_change(column(0, 1), codes((0, 1), (1, 1)), own(2), 2, seed=0)
    assert found.flips == (None, 0.5)
    assert found.excess is None


def test_no_question_with_a_pick_on_both_dates_is_nothing():
    assert drift.pick_change(column(-1, 0), column(0, -1), own(2), 1, seed=0) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 3), st.integers(1, 3))
def test_laws_of_pick_change(seed, n, first, second):
    rng = np.random.default_rng(seed)
    before = rng.integers(-1, 4, (n, first)).astype(np.int32)
    after = rng.integers(-1, 4, (n, second)).astype(np.int32)
    found = drift.pick_change(before, after, own(n), 4, seed=1)
    if found is None:
        return
    for shares in found.shares:
        assert shares.sum() == pytest.approx(1)
    assert found.matrix.sum() == pytest.approx(found.n)
    assert np.trace(found.matrix) == pytest.approx(found.n * (1 - found.changed))
    back = drift.pick_change(after, before, own(n), 4, seed=1)
    np.testing.assert_allclose(back.matrix, found.matrix.T)
    shuffled = drift.pick_change(before[:, ::-1], after[:, ::-1], own(n), 4, seed=1)
    assert shuffled.p_value == found.p_value


def exact_p(before, after):
    """Give the share of all 2^n swaps that move the shares at least as far, by brute force."""
    n, models = len(before), max(before.max(), after.max()) + 1
    share = [np.eye(models)[side].mean(axis=1) for side in (before, after)]
    move = share[1] - share[0]
    signs = np.array(list(itertools.product([-1, 1], repeat=n)))
    distance = np.abs(signs @ move).sum(axis=1)
    return np.mean(distance >= np.abs(move.sum(axis=0)).sum() - 1e-12)


@pytest.mark.parametrize("repeats", [1, 2])
def test_the_swap_test_agrees_with_all_swaps(repeats):
    rng = np.random.default_rng(3)
    for _ in range(4):
        before = rng.integers(0, 3, (11, repeats)).astype(np.int32)
        after = np.where(rng.random((11, repeats)) < 0.5, 2, before).astype(np.int32)
        expected = exact_p(before, after)
        found = drift.swap_p_value(before, after, seed=5)
        assert found == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 10_000) + 2e-4)


def test_two_models_make_the_swap_test_a_sign_test():
    before = column(*[0] * 9, *[1] * 3, *[0] * 20)
    after = column(*[1] * 9, *[0] * 3, *[0] * 20)
    expected = stats.binomtest(9, 12).pvalue
    assert drift.swap_p_value(before, after, seed=0) == pytest.approx(expected, abs=0.02)


def test_the_same_picks_are_no_change():
    assert drift.swap_p_value(column(0, 1, 2), column(0, 1, 2), seed=0) == 1.0


def test_a_million_questions_are_swapped_at_once():
    rng = np.random.default_rng(0)
    before, after = (rng.integers(0, 5, (200_000, 1)).astype(np.int32) for _ in range(2))
    assert drift.swap_p_value(before, after, seed=0) > 0.001


def world(rng, n, models, moved, repeats=1):
    """Picks of a router that flickers between two models a question; on B, a share ``moved`` got another favourite."""
    favourite, other = rng.integers(0, models, (2, n))
    later = np.where(rng.random(n) < moved, 0, favourite)
    flicker = rng.random((2, n, repeats)) < 0.15
    before = np.where(flicker[0], other[:, None], favourite[:, None])
    after = np.where(flicker[1], other[:, None], later[:, None])
    return before.astype(np.int32), after.astype(np.int32)


@pytest.mark.parametrize(("n", "repeats", "runs"), [(60, 1, 400), (120, 2, 200)])
def test_without_a_change_the_global_test_rejects_one_in_twenty(monkeypatch, n, repeats, runs):
    monkeypatch.setattr(drift, "SWAPS", 1_000)
    rng = np.random.default_rng(11)
    rejected = [drift.swap_p_value(*world(rng, n, 6, 0.0, repeats), seed=i) <= 0.05 for i in range(runs)]
    assert np.mean(rejected) <= 0.055 + 1.64 * math.sqrt(0.05 * 0.95 / runs)


@pytest.mark.slow
def test_without_a_change_the_global_test_rejects_at_most_one_in_eighteen(monkeypatch):
    monkeypatch.setattr(drift, "SWAPS", 1_000)
    rng = np.random.default_rng(12)
    rejected = [drift.swap_p_value(*world(rng, 120, 6, 0.0), seed=i) <= 0.05 for i in range(2_500)]
    assert 0.03 <= np.mean(rejected) <= 0.055


def test_a_real_change_is_found(monkeypatch):
    monkeypatch.setattr(drift, "SWAPS", 1_000)
    rng = np.random.default_rng(13)
    found = [drift.swap_p_value(*world(rng, 120, 6, 0.25), seed=i) <= 0.05 for i in range(60)]
    assert np.mean(found) >= 0.95


def test_excess_change_is_zero_on_average_and_grows_with_a_change(monkeypatch):
    monkeypatch.setattr(drift, "SWAPS", 1)
    rng = np.random.default_rng(14)
    still, moved = (
        [drift.pick_change(*world(rng, 120, 6, share, 2), own(120), 6, seed=0).excess for _ in range(200)]
        for share in (0.0, 0.2)
    )
    assert abs(np.mean([pair.mean for pair in still])) < 0.006
    holds = [low <= 0 <= high for low, high in map(difference_interval, still)]
    assert np.mean(holds) >= 0.92
    assert np.mean([difference_interval(pair)[0] > 0 for pair in moved]) >= 0.95


# ------------------------------------------------------------------------------------------ strata


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_benjamini_hochberg_agrees_with_scipy(p_values):
    np.testing.assert_allclose(
        benjamini_hochberg(p_values), stats.false_discovery_control(p_values), atol=1e-12
    )


def test_no_test_at_all_is_no_adjusted_p_value():
    assert benjamini_hochberg([]) == []


def strata(label, before, after, change, **fields):
    scores = drift.Scores(change, np.zeros(len(change)), single=False, reach=2.0)
    return drift.strata(
        np.array(label, dtype=np.int32), (before, after), scores, own(len(label)), seed=0, **fields
    )


def test_only_strata_of_ten_questions_are_looked_at():
    label = [0] * 10 + [1] * 9 + [-1] * 12
    still = column(*[0] * 31)
    found = strata(label, still, still, np.zeros(31))
    assert [(one.label, one.n) for one in found] == [(0, 10)]
    assert found[0].look_at == (False, False)


def test_what_changed_in_one_category_stands_out_there_alone():
    rng = np.random.default_rng(2)
    label = np.repeat(own(6), 30)
    before, after = world(rng, 180, 6, 0.0)
    after[label == 4] = 5
    change = rng.choice([-1.0, 0.0, 0.0, 0.0, 1.0], 180)
    change[label == 2] = rng.choice([0.0, -1.0], 30)
    found = strata(label, before, after, change)
    assert [one.label for one in found if one.look_at[0]] == [4]
    assert [one.label for one in found if one.look_at[1]] == [2]
    assert found[2].difference.mean == change[label == 2].mean()
    assert found[2].interval[1] < 0


def test_picks_that_are_unknown_leave_the_scores_of_a_stratum():
    unknown = column(*[-1] * 12)
    (found,) = strata([0] * 12, unknown, unknown, np.linspace(-1, 1, 12))
    assert (found.picks_changed, found.picks_p_value) == (None, None)
    assert found.p_value == pytest.approx(1.0)


def test_ten_percent_of_what_is_listed_may_be_chance(monkeypatch):
    monkeypatch.setattr(drift, "SWAPS", 500)
    rng = np.random.default_rng(4)
    label = np.repeat(own(8), 15)
    listed = 0
    for _ in range(60):
        before, after = world(rng, 120, 5, 0.0)
        change = rng.choice([-1.0, 0.0, 0.0, 1.0], 120)
        listed += any(any(one.look_at) for one in strata(label, before, after, change))
    assert listed / 60 <= 0.1 + 1.64 * math.sqrt(0.1 * 0.9 / 60)


# ----------------------------------------------------------------------------------------- latency


def test_a_quantile_s_change_is_the_difference_of_numpy_s_quantiles():
    rng = np.random.default_rng(5)
    before, after = rng.lognormal(size=(40, 1)), rng.lognormal(0.4, size=(40, 3))
    before[3], after[5, 1], after[7] = NAN, NAN, NAN
    at = ~np.isnan(before[:, 0]) & ~np.isnan(after).all(axis=1)
    p50, p90 = drift.quantile_shifts(before, after, (0.5, 0.9), seed=0)
    for shift, q in ((p50, 0.5), (p90, 0.9)):
        assert shift.before == pytest.approx(np.quantile(before[at], q), abs=1e-12)
        assert shift.after == pytest.approx(np.nanquantile(after[at], q), abs=1e-12)
        assert shift.interval[0] < shift.after - shift.before < shift.interval[1]


def test_a_resample_is_weighted_as_if_its_rows_were_copied():
    rng = np.random.default_rng(6)
    values = rng.normal(size=(15, 2))
    values[4, 0] = NAN
    weight = np.bincount(rng.integers(0, 15, 15), minlength=15)
    copied = np.repeat(values, weight, axis=0)
    levels = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    expected = np.quantile(copied[~np.isnan(copied)], levels)
    np.testing.assert_allclose(drift._Sorted(values).quantiles(weight, levels), expected, atol=1e-12)


def test_the_interval_agrees_with_scipy_s_paired_bootstrap():
    rng = np.random.default_rng(8)
    before = rng.lognormal(size=80)
    after = before * rng.lognormal(0.2, 0.3, size=80)
    (shift,) = drift.quantile_shifts(before[:, None], after[:, None], (0.5,), seed=1)
    theirs = stats.bootstrap(
        (before, after),
        lambda a, b, axis: np.median(b, axis=axis) - np.median(a, axis=axis),
        paired=True, vectorized=True, n_resamples=4_000, method="percentile", rng=rng,
    ).confidence_interval  # fmt: skip
    np.testing.assert_allclose(shift.interval, theirs, atol=0.06)


def test_too_few_questions_have_no_interval_and_none_has_nothing():
    few = np.ones((19, 1))
    (shift,) = drift.quantile_shifts(few, few * 2, (0.5,), seed=0)
    assert shift == (1.0, 2.0, None)
    assert drift.quantile_shifts(np.full((3, 1), NAN), few[:3], (0.5,), seed=0) == []


def test_the_interval_of_the_median_covers_the_truth(monkeypatch):
    monkeypatch.setattr(drift, "RESAMPLES", 200)
    rng = np.random.default_rng(9)
    held = []
    for i in range(200):
        base = rng.lognormal(size=(120, 1))
        before, after = (base * rng.lognormal(0, 0.3, (120, 1)) for _ in range(2))
        (shift,) = drift.quantile_shifts(before, after, (0.5,), seed=i)
        held.append(shift.interval[0] <= 0 <= shift.interval[1])
    assert np.mean(held) >= 0.92
