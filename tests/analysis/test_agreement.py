"""Agreement of a judge with labels: against SciPy, brute force, the bootstrap, and published figures."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from routemark.analysis.stats import agreement
from routemark.analysis.stats.intervals import wilson

TABLES = [
    np.array([[20, 5], [10, 15]]),
    np.array([[53, 5, 2], [11, 14, 5], [1, 6, 3]]),
    np.array([[1, 0, 0, 0, 3], [0, 0, 0, 0, 0], [2, 1, 4, 0, 1], [0, 0, 2, 9, 1], [0, 0, 0, 1, 30]]),
]


def test_kappa_of_the_textbook():
    """Po 0.7, pe 0.5: (0.7 - 0.5) / 0.5."""
    assert agreement.kappa(TABLES[0]).value == pytest.approx(0.4, abs=1e-12)


def by_pairs(table, weight):
    """Give kappa from single pairs: observed disagreement over that of every label with every verdict."""
    pairs = [(i, j) for i, j in np.ndindex(table.shape) for _ in range(table[i, j])]
    observed = np.mean([1 - weight(i, j) for i, j in pairs])
    expected = np.mean([1 - weight(a[0], b[1]) for a, b in itertools.product(pairs, pairs)])
    return 1 - observed / expected


@pytest.mark.parametrize("table", TABLES, ids=["2", "3", "5"])
def test_kappa_is_what_all_pairs_say(table):
    k = len(table)
    assert agreement.kappa(table).value == pytest.approx(
        by_pairs(table, lambda i, j: float(i == j)), abs=1e-9
    )
    squared = by_pairs(table, lambda i, j: 1 - ((i - j) / (k - 1)) ** 2)
    assert agreement.kappa(table, agreement.quadratic(k)).value == pytest.approx(squared, abs=1e-9)


def delta_variance(table, weights):
    """Give the variance of kappa by the delta method with numeric derivatives of its definition."""
    n = table.sum()
    p = (table / n).ravel()
    k = len(table)

    def value(cells):
        shares = cells.reshape(k, k) / cells.sum()
        po = (weights * shares).sum()
        pe = (weights * np.outer(shares.sum(axis=1), shares.sum(axis=0))).sum()
        return (po - pe) / (1 - pe)

    step = 1e-5
    gradient = np.array([(value(p + step * e) - value(p - step * e)) / (2 * step) for e in np.eye(k * k)])
    covariance = (np.diag(p) - np.outer(p, p)) / n
    return gradient @ covariance @ gradient


@pytest.mark.parametrize("table", TABLES, ids=["2", "3", "5"])
@pytest.mark.parametrize("quadratic", [False, True])
def test_the_interval_of_kappa_is_the_delta_methods(table, quadratic):
    weights = agreement.quadratic(len(table)) if quadratic else np.eye(len(table))
    found = agreement.kappa(table, weights)
    half = 1.96 * math.sqrt(delta_variance(table, weights))
    assert found.ci95 == pytest.approx((max(-1, found.value - half), min(1, found.value + half)), abs=1e-7)


def test_the_interval_of_kappa_covers_what_the_bootstrap_does():
    table = TABLES[1]
    random = np.random.default_rng(1)
    drawn = random.multinomial(table.sum(), table.ravel() / table.sum(), size=2000).reshape(-1, 3, 3)
    values = [agreement.kappa(one).value for one in drawn]
    assert agreement.kappa(table).ci95 == pytest.approx(np.quantile(values, [0.025, 0.975]), abs=0.03)


def test_perfect_agreement_has_an_interval_with_a_width():
    found = agreement.kappa(np.array([[10, 0], [0, 10]]))
    assert found.value == 1
    low = wilson(1.0, 20, 1.96)[0]
    assert found.ci95 == pytest.approx(((low - 0.5) / 0.5, 1.0), abs=1e-12)
    reversed_ = agreement.kappa(np.array([[0, 10], [10, 0]]))
    assert reversed_.value == -1
    assert reversed_.ci95[0] == -1 < reversed_.ci95[1] < 0


def test_kappa_is_unknown_without_answers_and_where_one_level_alone_was_used():
    assert agreement.kappa(np.zeros((3, 3), dtype=int)) == agreement.UNKNOWN
    assert agreement.kappa(np.array([[7, 0], [0, 0]])) == agreement.UNKNOWN


@given(st.lists(st.integers(0, 30), min_size=9, max_size=9))
@settings(max_examples=60, deadline=None)
def test_laws_of_kappa(cells):
    table = np.array(cells).reshape(3, 3)
    weights = agreement.quadratic(3)
    for one, other in (
        (agreement.kappa(table), agreement.kappa(table.T)),
        (agreement.kappa(table, weights), agreement.kappa(table[::-1, ::-1], weights)),
    ):
        if one.value is None:
            assert other.value is None
            continue
        assert other.value == pytest.approx(one.value, abs=1e-9)
        low, high = one.ci95
        assert -1 <= low <= one.value + 1e-12
        assert one.value - 1e-12 <= high <= 1


def test_confusion_counts_labels_in_rows():
    table = agreement.confusion(np.array([0, 0, 2]), np.array([0, 1, 1]), 3)
    assert table.tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 0]]
    assert agreement.confusion(np.array([], dtype=int), np.array([], dtype=int), 2).tolist() == [
        [0, 0],
        [0, 0],
    ]


def test_a_share_has_wilsons_interval():
    low, high = agreement.share(7, 20).ci95
    oracle = stats.binomtest(7, 20).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((oracle.low, oracle.high), abs=2e-5)
    assert agreement.share(0, 0) == agreement.UNKNOWN


# --------------------------------------------------------------------------- leanings

A, B, FIRST, SECOND, TIE = (
    ("first", "second"),
    ("second", "first"),
    ("first", "first"),
    ("second", "second"),
    ("tie", "tie"),
)


def test_orders_disagree_when_swapping_changes_the_winner():
    assert agreement.orders_disagree([A, B, TIE]).value == 0
    assert agreement.orders_disagree([A, FIRST, SECOND, ("first", "tie")]).value == 0.75
    assert agreement.orders_disagree([]) == agreement.UNKNOWN


def test_a_consistent_judge_prefers_the_first_half_of_the_time():
    found = agreement.first_preferred([A, B, A, TIE] * 10)
    assert found.value == 0.5
    assert found.ci95[0] < 0.5 < found.ci95[1]


def test_a_judge_that_takes_the_first_is_caught():
    found = agreement.first_preferred([FIRST] * 30 + [A] * 10)
    assert found.value == pytest.approx(70 / 80)
    assert found.ci95[0] > 0.7
    assert agreement.first_preferred([TIE, TIE]) == agreement.UNKNOWN


def test_the_two_orders_of_a_pair_are_one_piece_of_evidence():
    """Pairs that are all one-sided say less than twice as many verdicts by themselves would."""
    orders = [FIRST] * 15 + [SECOND] * 5
    low, high = agreement.first_preferred(orders).ci95
    alone = wilson(0.75, 40, 1.96)
    assert high - low > 1.2 * (alone[1] - alone[0])


def test_length_bias_is_the_paired_difference_of_shares():
    judged = np.array([1, 1, 0, 0.5, 1, 0, 1, 1])
    labels = np.array([1, 0, 0, 0.5, 0, 0, 1, 0.5])
    lengths = np.array([[9, 1], [9, 1], [1, 9], [9, 1], [9, 1], [3, 3], [1, 9], [9, 1]])
    keep = lengths[:, 0] != lengths[:, 1]
    longer = lengths[keep, 0] > lengths[keep, 1]
    difference = np.where(longer, judged[keep] - labels[keep], labels[keep] - judged[keep])
    found = agreement.prefers_longer(judged, labels, lengths)
    oracle = stats.ttest_1samp(difference, 0).confidence_interval()
    assert found.value == pytest.approx(difference.mean(), abs=1e-12)
    assert found.ci95 == pytest.approx((oracle.low, oracle.high), abs=1e-9)


def test_length_bias_is_unknown_among_answers_of_one_length():
    ones = np.ones(3)
    assert agreement.prefers_longer(ones, ones, np.ones((3, 2))) == agreement.UNKNOWN
    assert agreement.prefers_longer(np.array([]), np.array([]), np.zeros((0, 2))) == agreement.UNKNOWN


def test_correlation_is_pearsons_with_fishers_interval():
    random = np.random.default_rng(3)
    x = random.normal(size=40)
    y = x + random.normal(size=40)
    found = agreement.correlation(x, y)
    oracle = stats.pearsonr(x, y)
    interval = oracle.confidence_interval(0.95)
    assert found.value == pytest.approx(oracle.statistic, abs=1e-12)
    assert found.ci95 == pytest.approx((interval.low, interval.high), abs=2e-5)


def test_correlation_is_unknown_where_nothing_varies():
    x = np.array([1.0, 2.0, 3.0, 4.0])
    assert agreement.correlation(x, np.zeros(4)) == agreement.UNKNOWN
    assert agreement.correlation(x[:1], x[:1]) == agreement.UNKNOWN
    assert agreement.correlation(x[:3], np.array([1.0, 3.0, 2.0])).ci95 is None
    assert agreement.correlation(x, 2 * x).value == pytest.approx(1.0)
