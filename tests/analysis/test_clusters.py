import math

import numpy as np
import pytest

from routemark.analysis.stats.clusters import covariance_of_means, grouped_means


def _means(score, question=None, cluster=None, group=None, groups=1):
    n = len(score)
    question = np.arange(n) if question is None else np.array(question)
    cluster = question if cluster is None else np.array(cluster)
    group = np.zeros(n, dtype=np.int32) if group is None else np.array(group)
    return grouped_means(groups, group, question, cluster, np.array(score, dtype=float))


def test_one_right_wrong_answer_a_question_is_the_plain_case():
    (mean,) = _means([1, 0, 1, 1])
    assert mean == (0.75, pytest.approx(0.1875 / 3), 4, 4, True)


def test_repeats_are_averaged_before_questions():
    (mean,) = _means([1, 1, 0, 0, 1], question=[0, 0, 0, 0, 1])
    assert mean.value == pytest.approx((0.5 + 1) / 2)
    assert (mean.rows, mean.clusters, mean.plain) == (5, 2, False)


def test_variance_of_equal_clusters_is_that_of_their_means():
    score = np.array([1, 0, 1, 1, 0, 0, 1, 0.5])
    (mean,) = _means(score, cluster=[0, 0, 1, 1, 2, 2, 3, 3])
    of_cluster = score.reshape(4, 2).mean(axis=1)
    assert mean.variance == pytest.approx(of_cluster.var(ddof=1) / 4)
    assert not mean.plain


def test_groups_do_not_touch_each_other():
    rng = np.random.default_rng(1)
    n, groups = 300, 4
    group, cluster = rng.integers(0, groups, n), rng.integers(0, 40, n)
    score = rng.random(n)
    together = _means(score, cluster=cluster, group=group, groups=groups + 1)
    for i in range(groups):
        which = group == i
        (alone,) = _means(score[which], cluster=cluster[which])
        assert together[i] == pytest.approx(alone)
    assert math.isnan(together[groups].value)
    assert together[groups].rows == 0


def test_one_cluster_has_no_variance():
    (mean,) = _means([1, 0, 1], cluster=[7, 7, 7])
    assert math.isnan(mean.variance)


def test_nothing_gives_nothing():
    (mean,) = _means([])
    assert math.isnan(mean.value)


def test_covariance_of_means_of_single_rows_is_numpys():
    rng = np.random.default_rng(2)
    values = rng.random((50, 2))
    expected = np.cov(values.T) / 50
    assert covariance_of_means(values, np.arange(50)) == pytest.approx(expected)


def test_covariance_of_means_sees_dependence_within_clusters():
    rng = np.random.default_rng(3)
    values = np.repeat(rng.random((20, 1)), 5, axis=0)
    expected = values[::5].var(ddof=1) / 20
    assert covariance_of_means(values, np.repeat(np.arange(20), 5))[0, 0] == pytest.approx(expected)
    assert math.isnan(covariance_of_means(values, np.zeros(100))[0, 0])
