import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from routemark.analysis.stats.significance import holm, mcnemar_exact, mcnemar_mid_p

counts = st.integers(0, 60)


@given(counts, counts)
def test_exact_mcnemar_is_scipys_binomial_test(b, c):
    expected = stats.binomtest(b, b + c).pvalue if b + c else 1.0
    assert mcnemar_exact(b, c) == pytest.approx(expected, rel=1e-9)


@given(counts, counts)
def test_mid_p_counts_the_observed_table_half(b, c):
    point = stats.binom.pmf(min(b, c), b + c, 0.5)
    expected = 2 * stats.binom.cdf(min(b, c), b + c, 0.5) - point
    if b == c:
        expected = 1 - point / 2 if b else 1.0
    assert mcnemar_mid_p(b, c) == pytest.approx(expected, rel=1e-9)
    assert mcnemar_mid_p(b, c) <= mcnemar_exact(b, c)
    assert mcnemar_mid_p(b, c) == mcnemar_mid_p(c, b)


def test_mid_p_of_the_published_example():
    # airway hyper-responsiveness of 21 children: 1 and 7 discordant
    assert mcnemar_mid_p(1, 7) == pytest.approx(0.0390625)
    assert mcnemar_exact(1, 7) == pytest.approx(0.0703125)
    assert mcnemar_mid_p(0, 0) == mcnemar_exact(0, 0) == 1.0


@pytest.mark.parametrize("n", [60, 120, 360])
def test_mid_p_rejects_at_most_5_and_a_half_percent(n):
    """Exactly, over all tables of n questions of which 15 % are discordant."""
    total = 0.0
    for discordant in range(n + 1):
        weight = stats.binom.pmf(discordant, n, 0.15)
        if weight > 1e-9:
            b = np.arange(discordant + 1)
            rejected = [mcnemar_mid_p(int(k), discordant - int(k)) <= 0.05 for k in b]
            total += weight * stats.binom.pmf(b, discordant, 0.5)[rejected].sum()
    assert 0.03 < total <= 0.055


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_lies_between_raw_and_bonferroni(p_values):
    adjusted = holm(p_values)
    for p, q in zip(p_values, adjusted, strict=True):
        assert p <= q <= min(1.0, len(p_values) * p) + 1e-15
    by_raw = [q for _, q in sorted(zip(p_values, adjusted, strict=True))]
    assert by_raw == sorted(by_raw)
