"""Tails and quantiles of the normal, Student's t and the fair binomial, without SciPy at run time."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

_TINY = 1e-300
_ENOUGH = 1e-16
_STEPS = 10_000


def normal_tail(z: float) -> float:
    """Give P(Z > z) of the standard normal."""
    return 0.5 * math.erfc(z / math.sqrt(2.0))


def normal_quantile(level: float) -> float:
    """Give the two-sided quantile of the standard normal; 1.96 exactly at 95 %.

    The rounded 1.96 is what published Wilson and adjusted Wald figures use, so ours can be compared.
    """
    return 1.96 if level == 0.95 else NormalDist().inv_cdf(0.5 + level / 2)


def student_t_tail(t: float, degrees: float) -> float:
    """Give P(T > t) of Student's t for t >= 0."""
    if math.isinf(t):
        return 0.0
    below = t * t / (degrees + t * t)
    return 0.5 * _incomplete_beta(degrees / 2, 0.5, 1.0 - below, below)


@lru_cache(maxsize=4096)
def student_t_quantile(level: float, degrees: int) -> float:
    """Give the two-sided quantile of Student's t, e.g. 12.706 at 95 % and one degree of freedom.

    Newton's steps from the normal quantile, which lies below: the tail is convex there, so that each step
    falls short of the root and none jumps over it.
    """
    tail = (1.0 - level) / 2
    t = NormalDist().inv_cdf(1.0 - tail)
    for _ in range(_STEPS):
        step = (student_t_tail(t, degrees) - tail) / _student_t_density(t, degrees)
        t += step
        if step <= 1e-13 * t:  # a step back is rounding
            break
    return t


@lru_cache(maxsize=4096)
def binomial_half_tail(k: int, n: int) -> tuple[float, float]:
    """Give (P(X <= k), P(X = k)) of n tosses of a fair coin, k <= n / 2; O(sqrt(n)) terms matter."""
    point = math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2.0))
    total = term = point
    for i in range(k, 0, -1):
        term *= i / (n - i + 1)
        total += term
        if term < _ENOUGH * total:
            break
    return total, point


def _student_t_density(t: float, degrees: float) -> float:
    """Give the density of Student's t."""
    scale = math.exp(-_log_beta_half(degrees / 2)) / math.sqrt(degrees)
    return scale * math.exp(-(degrees + 1) / 2 * math.log1p(t * t / degrees))


def _log_beta_half(a: float) -> float:
    """Give log B(a, 1/2); by Stirling's series where lgamma(a + 1/2) - lgamma(a) would cancel."""
    if a < 100:
        gap = math.lgamma(a + 0.5) - math.lgamma(a)
    else:
        gap = 0.5 * math.log(a) - 1 / (8 * a) + 1 / (192 * a**3) - 1 / (640 * a**5)
    return 0.5 * math.log(math.pi) - gap


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """Give the regularised I_x(a, b), with ``rest`` = 1 - x and 1/2 among a, b.

    The continued fraction converges fast on one side of the mean; the other side is its complement.
    """
    if x <= 0.0 or rest <= 0.0:
        return float(rest <= 0.0)
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _incomplete_beta(b, a, rest, x)
    log_front = a * math.log(x) + b * math.log(rest) - _log_beta_half(a if b == 0.5 else b)
    return math.exp(log_front) * _beta_fraction(a, b, x) / a


def _beta_fraction(a: float, b: float, x: float) -> float:
    """Give the continued fraction of the incomplete beta by Lentz's method."""
    c, d = 1.0, 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        change = 1.0
        for numerator in (even, odd):
            d = 1.0 / _away_from_zero(1.0 + numerator * d)
            c = _away_from_zero(1.0 + numerator / c)
            change = c * d
            value *= change
        if abs(change - 1.0) < _ENOUGH * 10:
            break
    return value


def _away_from_zero(x: float) -> float:
    return x if abs(x) > _TINY else _TINY
