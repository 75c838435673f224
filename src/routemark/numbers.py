"""Write numbers: the one place that decides digits, units, intervals and "n/a".

Unknown is written "n/a", never 0. Rounding never claims what is not so: 99.97 % is not written as
100 %, a cost that is not zero not as $0. Fractions are in [0, 1], times in seconds, costs in US
dollars; points are percentage points. Plain ASCII, so that every terminal shows and sorts it.

Tables and figures write to the digit; sentences round to what is read at a glance (`in_points`, `whole_percent`,
`less`, `standing`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, NamedTuple

UNKNOWN = "n/a"

Interval = tuple[float, float] | None


def _known(*values: float | None) -> bool:
    return all(value is not None and math.isfinite(value) for value in values)


# ----------------------------------------------------------------------------- counts and shares


def count(n: int | None) -> str:
    """Give "1,204"."""
    return UNKNOWN if n is None else f"{n:,}"


def counted(n: int, noun: str) -> str:
    """Give "1 question", "120 questions"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def percent(fraction: float | None) -> str:
    """Give "83.3 %"; "<0.1 %" and ">99.9 %" where rounding would claim none or all."""
    if fraction is None or not math.isfinite(fraction):
        return UNKNOWN
    if 0 < fraction < 0.0005:
        return "<0.1 %"
    if 0.9995 <= fraction < 1:
        return ">99.9 %"
    return f"{100 * fraction:.1f} %"


def percent_ci(fraction: float | None, interval: Interval) -> str:
    """Give "83.3 % [75.1, 89.2]"; without the brackets where there is no interval."""
    return percent(fraction) + _brackets(interval, lambda bound: f"{100 * bound:.1f}", shown=fraction)


def share(k: int, n: int) -> str:
    """Give "12 of 480 (2.5 %)"; counts alone below 20, where a percentage says too much."""
    if n < 20:
        return f"{k:,} of {n:,}"
    return f"{k:,} of {n:,} ({percent(k / n)})"


# ----------------------------------------------------------------------------- differences


def points(difference: float | None) -> str:
    """Give "+3.2": a difference of two fractions in percentage points, always with its sign."""
    if difference is None or not math.isfinite(difference):
        return UNKNOWN
    return _signed(100 * difference)


def points_ci(difference: float | None, interval: Interval) -> str:
    """Give "+3.2 [-1.0, +7.4]"."""
    return points(difference) + _brackets(interval, lambda bound: _signed(100 * bound), shown=difference)


def change(fraction: float) -> str:
    """Give "+3.2 %": by how much a value is larger than another, as a fraction of that."""
    return f"{_signed(100 * fraction)} %"


def _signed(value: float) -> str:
    text = f"{value:+.1f}"
    return "0.0" if text in {"+0.0", "-0.0"} else text


def ratio(value: float | None) -> str:
    """Give "0.42x", "4.76x", "12.4x", "258x", "0.0012x"."""
    return UNKNOWN if value is None or not math.isfinite(value) else f"{_ratio_digits(value)}x"


def ratio_ci(value: float | None, interval: Interval) -> str:
    """Give "0.42x [0.37, 0.48]"."""
    return ratio(value) + _brackets(interval, _ratio_digits, shown=value)


def _ratio_digits(value: float) -> str:
    if value >= 99.95:
        return f"{value:,.0f}"
    if value >= 0.0995:
        return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
    return _significant(value, 2)


# ----------------------------------------------------------------------------- money and time


def usd(amount: float | None) -> str:
    """Give "$0", "$0.000012", "$0.34", "$1,204": two significant digits below a cent."""
    if amount is None or not math.isfinite(amount):
        return UNKNOWN
    sign, size = ("-", -amount) if amount < 0 else ("", amount)
    return f"{sign}${_dollar_digits(size)}"


def usd_round(amount: float) -> str:
    """Give "$0.001", "$0.1", "$10": a round amount without the zeros that `usd` would add."""
    text = usd(amount)
    return text.rstrip("0").rstrip(".") if "." in text else text


def usd_ci(amount: float | None, interval: Interval) -> str:
    """Give "$0.34 [0.29, 0.41]"."""
    return usd(amount) + _brackets(interval, lambda bound: usd(bound).replace("$", ""), shown=amount)


def usd_change(amount: float | None) -> str:
    """Give "+$0.34", "-$12.50", "$0": a difference of amounts, with its sign."""
    return f"+{usd(amount)}" if amount is not None and amount > 0 else usd(amount)


def usd_change_ci(amount: float | None, interval: Interval) -> str:
    """Give "-$12.50 [-$14.10, -$10.90]"."""
    return usd_change(amount) + _brackets(interval, usd_change, shown=amount)


def _dollar_digits(size: float) -> str:
    if size == 0:
        return "0"
    if size >= 999.995:
        return f"{size:,.0f}"
    if size >= 0.0995:
        return f"{size:.2f}"
    return _significant(size, 2)


def _significant(value: float, digits: int) -> str:
    """Write a number below 1 in plain notation with that many significant digits."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    places = digits - 1 - math.floor(math.log10(abs(rounded)))
    return f"{rounded:.{max(places, digits)}f}"


def seconds(value: float | None) -> str:
    """Give "0.4 ms", "842 ms", "1.24 s", "12.4 s", "1,240 s"; "<0.1 ms" where rounding would claim no time."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if 0 < value < 0.00005:
        return "<0.1 ms"
    if value < 0.00995:
        return f"{1000 * value:.1f} ms"
    if value < 0.9995:
        return f"{1000 * value:.0f} ms"
    if value < 9.995:
        return f"{value:.2f} s"
    return f"{value:.1f} s" if value < 99.95 else f"{value:,.0f} s"


def seconds_round(value: float) -> str:
    """Give "100 ms", "1 s", "2.5 s": a round time without the zeros that `seconds` would add."""
    text, unit = seconds(value).split(" ")
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {unit}"


def seconds_change(value: float | None) -> str:
    """Give "+842 ms", "-1.24 s", "0.0 ms": a difference of times, with its sign."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    sign = "+" if value > 0 else "-" if value < 0 else ""
    return sign + seconds(abs(value))


def latency(value: float | None, *, limited: bool) -> str:
    """Give a latency, with "*" where the client itself was slow and the figure is an upper bound."""
    return seconds(value) + ("*" if limited and _known(value) else "")


def score(value: float | None) -> str:
    """Give the grade of one answer: "1", "0", "0.75"."""
    return UNKNOWN if value is None or not math.isfinite(value) else f"{value:.2f}".rstrip("0").rstrip(".")


def plain(value: float | None, digits: int = 2) -> str:
    """Give "1.42": a number without a unit, such as an entropy or a correlation; "1,204" without digits."""
    return UNKNOWN if value is None or not math.isfinite(value) else f"{value:,.{digits}f}"


def gigabytes(size: float) -> str:
    """Give "12.4 GB": bytes in units of 10^9."""
    return f"{size / 1e9:,.1f} GB"


def plain_ci(value: float | None, interval: Interval, digits: int = 2) -> str:
    """Give "0.71 [0.62, 0.80]"."""
    return plain(value, digits) + _brackets(interval, lambda bound: plain(bound, digits), shown=value)


def exact_usd(amount: float) -> str:
    """Give "$0.000213": an amount to the ninth digit, to be held against another one."""
    return f"${amount:.9f}".rstrip("0").rstrip(".")


def moment(iso: str | None) -> str:
    """Give "2026-11-24 06:48 UTC" from an ISO 8601 time; what is no such time comes back as it is."""
    if iso is None:
        return UNKNOWN
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return f"{when:%Y-%m-%d %H:%M} UTC"


# ----------------------------------------------------------------------------- in sentences


def in_points(share: float | None) -> str:
    """Give a share as points, without a sign: 0.034 is "3.4 points", 0.03 "3 points", 0.123 "12 points"."""
    if share is None or not math.isfinite(share):
        return UNKNOWN
    text = _point_digits(100 * share).removesuffix(".0")
    return f"{text} point" if text == "1" else f"{text} points"


def point_range(interval: tuple[float, float]) -> str:
    """Give an interval of shares, both of one sign, without it: "2.1-8.4 points"."""
    low, high = sorted(abs(100 * bound) for bound in interval)
    return f"{_point_digits(low)}-{_point_digits(high)} points"


def standing(interval: tuple[float, float]) -> str:
    """Give where a difference lies: "between 2.1 points worse and 3.0 better"."""
    low, high = interval
    if low >= 0:
        return f"{point_range(interval)} better"
    if high <= 0:
        return f"{point_range(interval)} worse"
    return f"between {_point_digits(-100 * low)} points worse and {_point_digits(100 * high)} better"


def whole_percent(share: float) -> str:
    """Give a share as whole percents; one decimal where none would say 0 or 100."""
    return f"{100 * share:.1f} %" if 0 < share < 0.01 or 0.99 < share < 1 else f"{100 * share:.0f} %"


def less(ratio: float, interval: tuple[float, float]) -> str:
    """Give a cost ratio below 1 as a saving with its interval: "62 % less (55-68)"."""
    return f"{whole_percent(1 - ratio)} less ({_percents(1 - interval[1], 1 - interval[0])})"


def more(ratio: float, interval: tuple[float, float]) -> str:
    """Give a cost ratio above 1 as a surcharge with its interval; as a multiple from 3 on."""
    if ratio >= 3:
        return f"{ratio:.1f} times as much ({interval[0]:.1f}-{interval[1]:.1f})"
    return f"{whole_percent(ratio - 1)} more ({_percents(interval[0] - 1, interval[1] - 1)})"


def _point_digits(points: float) -> str:
    """Give one decimal below 10 and none from there on."""
    return f"{points:.1f}" if abs(points) < 9.95 else f"{points:.0f}"


def _percents(low: float, high: float) -> str:
    """Give an interval of percents, whole; with decimals where those would say 0, 100 or the same twice."""
    near_end = 0 < low < 0.01 or 0.99 < high < 1
    for decimals in (1, 2) if near_end else (0, 1, 2):
        bounds = [f"{100 * bound:.{decimals}f}" for bound in (low, high)]
        if bounds[0] != bounds[1]:
            break
    return "-".join(bounds)


# ----------------------------------------------------------------------------- small cells


FEWEST_WITH_INTERVAL = 5
FEWEST_IN_PERCENT = 20

Weight = Literal["none", "few", "grey", "full"]
"""Nothing; counts alone; counts with their interval; a percentage, which may be coloured."""


def weight(graded: int) -> Weight:
    """Give how much a cell of so many graded trials may show."""
    if graded <= 0:
        return "none"
    if graded < FEWEST_WITH_INTERVAL:
        return "few"
    return "grey" if graded < FEWEST_IN_PERCENT else "full"


class Cell(NamedTuple):
    """An accuracy as its number of graded trials allows to show it."""

    text: str
    weight: Weight


def cell(accuracy: float | None, graded: int, interval: Interval = None) -> Cell:
    """Give "3 of 4" below 5, "7/12 [32.0, 80.7]" below 20, from there "83.3 %"."""
    if accuracy is None or not math.isfinite(accuracy):
        return Cell(UNKNOWN, "none")
    right = score(accuracy * graded)
    match weight(graded):
        case "none":
            return Cell(UNKNOWN, "none")
        case "few":
            return Cell(f"{right} of {graded}", "few")
        case "grey":
            bounds = _brackets(interval, lambda bound: f"{100 * bound:.0f}", shown=accuracy)
            return Cell(f"{right}/{graded}{bounds}", "grey")
        case "full":
            return Cell(percent(accuracy), "full")


def _brackets(interval: Interval, write: Callable[[float], str], *, shown: float | None) -> str:
    if interval is None or not _known(shown, *interval):
        return ""
    return f" [{write(interval[0])}, {write(interval[1])}]"
