"""Tests of right/wrong pairs, and the correction for making several of them."""

from __future__ import annotations

from collections.abc import Sequence

from routemark.analysis.stats.distributions import binomial_half_tail


def mcnemar_exact(only_arm: int, only_baseline: int) -> float:
    """Give the exact two-sided p of McNemar's test: a fair coin tossed once a discordant question."""
    tail, _ = binomial_half_tail(min(only_arm, only_baseline), only_arm + only_baseline)
    return min(1.0, 2 * tail)


def mcnemar_mid_p(only_arm: int, only_baseline: int) -> float:
    """Give the mid-p of McNemar's test: the observed table counts half (Fagerland et al. 2013).

    With as many on either side the exact p is 1 and half the observed table comes off; 1 without any.
    """
    if only_arm == only_baseline == 0:
        return 1.0
    tail, point = binomial_half_tail(min(only_arm, only_baseline), only_arm + only_baseline)
    return 1.0 - point / 2 if only_arm == only_baseline else 2 * tail - point


def holm(p_values: Sequence[float]) -> list[float]:
    """Give Holm's adjusted p values (Holm 1979), in the order given."""
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = running
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Give Benjamini and Hochberg's adjusted p values (1995), in the order given.

    Those below q are together wrong in at most a share q, on average.
    """
    adjusted = [0.0] * len(p_values)
    running = 1.0
    for rank, i in sorted(
        enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i]), start=1), reverse=True
    ):
        running = min(running, p_values[i] * len(p_values) / rank)
        adjusted[i] = running
    return adjusted
