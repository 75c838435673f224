import math

import numpy as np
import pytest
from scipy import stats

from routemark.analysis.stats.intervals import bonett_price
from routemark.analysis.stats.paired import difference_interval, difference_p_value, paired, spread
from routemark.analysis.stats.significance import mcnemar_mid_p


def _pair(arm, baseline, cluster=None, *, single=True):
    arm, baseline = np.array(arm, dtype=float), np.array(baseline, dtype=float)
    return paired(arm, baseline, np.arange(len(arm)) if cluster is None else np.array(cluster), single=single)


def test_right_wrong_scores_are_counted():
    pair = _pair([1, 1, 0, 1, 0, np.nan], [0, 1, 1, 0, 0, 1])
    assert (pair.n, pair.clusters, pair.only_arm, pair.only_baseline) == (5, 5, 2, 1)
    assert pair.mean == pytest.approx(0.2)
    assert difference_interval(pair) == bonett_price(2, 1, 5)
    assert difference_p_value(pair) == mcnemar_mid_p(2, 1)
    assert spread(pair) == pytest.approx(5 / 7)


@pytest.mark.parametrize(
    ("arm", "cluster", "single"),
    [([1, 0.5, 0, 1], None, True), ([1, 1, 0, 0], [0, 0, 1, 2], True), ([1, 1, 0, 0], None, False)],
    ids=["partial credit", "families", "repeats"],
)
def test_anything_else_is_no_case_for_mcnemar(arm, cluster, single):
    pair = _pair(arm, [0, 1, 1, 0], cluster, single=single)
    assert pair.only_arm is None


def test_partial_credit_is_scipys_paired_t():
    rng = np.random.default_rng(4)
    arm, baseline = rng.random(50), rng.random(50)
    pair = _pair(arm, baseline)
    test = stats.ttest_rel(arm, baseline)
    assert difference_p_value(pair) == pytest.approx(test.pvalue)
    assert difference_interval(pair) == pytest.approx(tuple(test.confidence_interval(0.95)))
    assert difference_interval(pair, 0.99) == pytest.approx(tuple(test.confidence_interval(0.99)))
    assert spread(pair) == pytest.approx((arm - baseline).var(ddof=1))


def test_equal_families_are_a_t_test_of_their_means():
    rng = np.random.default_rng(5)
    arm, baseline = rng.random(60), rng.random(60)
    pair = _pair(arm, baseline, np.repeat(np.arange(20), 3))
    test = stats.ttest_1samp((arm - baseline).reshape(20, 3).mean(axis=1), 0)
    assert difference_p_value(pair) == pytest.approx(test.pvalue)
    assert difference_interval(pair) == pytest.approx(tuple(test.confidence_interval(0.95)))


def test_an_arm_against_itself_differs_by_nothing_and_is_not_certain():
    scores = np.linspace(0, 1, 40)
    pair = _pair(scores, scores)
    assert (pair.mean, difference_p_value(pair)) == (0, 1)
    assert difference_interval(pair) == bonett_price(0, 0, 40)


def test_a_difference_of_all_alike_is_no_chance():
    pair = _pair(np.full(40, 0.75), np.full(40, 0.25))
    assert difference_p_value(pair) == 0
    low, high = difference_interval(pair)
    assert low < 0.5 < high


def test_nothing_is_said_of_no_question_or_one_family():
    assert math.isnan(_pair([np.nan], [1]).mean)
    one = _pair([1, 1, 0], [0, 1, 0], [3, 3, 3])
    assert difference_interval(one) is None
    assert difference_p_value(one) is None
    assert spread(one) is None


@pytest.mark.parametrize(("n", "better", "worse"), [(120, 0.1, 0.1), (360, 0.12, 0.06), (120, 0.2, 0.1)])
def test_interval_of_right_wrong_pairs_covers_93_to_97_percent(n, better, worse):
    rng = np.random.default_rng(6)
    tables = rng.multinomial(n, [better, worse, 1 - better - worse], size=4_000)
    covered = [low <= better - worse <= high for b, c, _ in tables for low, high in [bonett_price(b, c, n)]]
    assert 0.93 <= np.mean(covered) <= 0.97


@pytest.mark.parametrize(("families", "size"), [(30, 1), (40, 4)])
def test_interval_of_clustered_partial_credit_covers_93_to_97_percent(families, size):
    rng = np.random.default_rng(7)
    cluster = np.repeat(np.arange(families), size)
    covered = 0
    for _ in range(1_500):
        shared = rng.normal(0, 0.1, families)[cluster]
        arm = np.clip(0.55 + shared + rng.normal(0, 0.1, families * size), 0, 1)
        baseline = np.clip(0.5 + rng.normal(0, 0.1, families * size), 0, 1)
        low, high = difference_interval(paired(arm, baseline, cluster, single=True))
        covered += low <= 0.05 <= high
    assert 0.93 <= covered / 1_500 <= 0.97
