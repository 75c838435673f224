"""Numbers as a sentence says them: points, percents, dollars."""

from __future__ import annotations

import math
from collections.abc import Sequence

from routemark.analysis.stats.arrays import Interval


def number(x: float) -> str:
    """Give a number of points, with one decimal below 10 and none from there on."""
    return f"{x:.1f}" if abs(x) < 9.95 else f"{x:.0f}"


def points(share: float) -> str:
    """Give a share as points: 0.034 is ``3.4 points``; whole ones without a decimal."""
    text = number(100 * share).removesuffix(".0")
    return f"{text} point" if text == "1" else f"{text} points"


def point_range(interval: Interval) -> str:
    """Give an interval of shares, both of one sign, without it: ``2.1-8.4 points``."""
    low, high = sorted(abs(100 * bound) for bound in interval)
    return f"{number(low)}-{number(high)} points"


def standing(interval: Interval) -> str:
    """Give where a difference lies: ``between 2.1 points worse and 3.0 better``."""
    low, high = interval
    if low >= 0:
        return f"{point_range(interval)} better"
    if high <= 0:
        return f"{point_range(interval)} worse"
    return f"between {number(-100 * low)} points worse and {number(100 * high)} better"


def percent(share: float) -> str:
    """Give a share as whole percents; one decimal where none would say 0 or 100."""
    return f"{100 * share:.1f} %" if 0 < share < 0.01 or 0.99 < share < 1 else f"{100 * share:.0f} %"


def less(ratio: float, interval: Interval) -> str:
    """Give a cost ratio below 1 as a saving with its interval: ``62 % less (55-68)``."""
    return f"{percent(1 - ratio)} less ({_percents(1 - interval[1], 1 - interval[0])})"


def more(ratio: float, interval: Interval) -> str:
    """Give a cost ratio above 1 as a surcharge with its interval; as a multiple from 3 on."""
    if ratio >= 3:
        return f"{ratio:.1f} times as much ({interval[0]:.1f}-{interval[1]:.1f})"
    return f"{percent(ratio - 1)} more ({_percents(interval[0] - 1, interval[1] - 1)})"


def dollars(amount: float) -> str:
    """Give US dollars: two significant digits below one, cents below 100, none above."""
    if amount == 0:
        return "$0"
    if abs(amount) < 1:
        return f"${amount:.{1 - math.floor(math.log10(abs(amount)))}f}"
    return f"${amount:,.2f}" if abs(amount) < 100 else f"${amount:,.0f}"


def count(n: int, noun: str) -> str:
    """Give a number with its noun: ``1 question``, ``1,200 questions``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def listing(names: Sequence[str], most: int = 5) -> str:
    """Give names as ``a, b and c``; beyond ``most`` only how many more there are."""
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def _percents(low: float, high: float) -> str:
    """Give an interval of percents, whole; with decimals where those would say 0, 100 or the same twice."""
    near_end = 0 < low < 0.01 or 0.99 < high < 1
    for decimals in (1, 2) if near_end else (0, 1, 2):
        bounds = [f"{100 * bound:.{decimals}f}" for bound in (low, high)]
        if bounds[0] != bounds[1]:
            break
    return "-".join(bounds)
