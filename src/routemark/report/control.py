"""What the page's controls start from: prices of a right answer, the mix of difficulties, and the numbers behind."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import msgspec
from markupsafe import Markup

from routemark.analysis.stats.distributions import student_t_quantile
from routemark.analysis.sureness import FEWEST_ANSWERS
from routemark.records import Run, Summary
from routemark.report import views
from routemark.report.charting import Chart
from routemark.report.charts_cost import drawn
from routemark.report.mixtures import mixtures

MARKS_USD = (0.001, 0.01, 0.1, 1.0, 10.0)
NEUTRAL_USD = 0.1
"""Where the control starts when no price makes two arms tie."""
MOST_DEGREES = 200
"""Quantiles of Student's t that the page knows; above, the last one and the normal one are joined."""


class Mixed(NamedTuple):
    """One difficulty of the mix."""

    label: str
    share: float


class Control(NamedTuple):
    """Where the controls start."""

    price_usd: float
    lowest_usd: float
    highest_usd: float
    marks: tuple[float, ...]
    tie_usd: float | None
    """Price at which the arm judged and its baseline tie; None: at none."""
    mix: list[Mixed]
    """Empty where there is nothing to reweight."""


def control(run: Run, summary: Summary) -> Control | None:
    """Give the start of the controls; None below two arms that can be compared."""
    found = summary.reweighting
    if found is None or len(drawn(summary.arms)) < 2:
        return None
    pair = views.headline(run, summary)
    judged = pair and (pair.weighted or pair)
    tie = judged.indifference_price_usd if judged else None
    prices = [*MARKS_USD, *([tie] if tie else [])]
    shares = [summary.weights.get(label, 0.0) for label in found.labels] if summary.weights else found.shares
    return Control(
        price_usd=tie or NEUTRAL_USD,
        lowest_usd=10 ** math.floor(math.log10(min(prices) / 2)),
        highest_usd=10 ** math.ceil(math.log10(max(prices) * 2)),
        marks=MARKS_USD,
        tie_usd=tie,
        mix=[Mixed(*both) for both in zip(found.labels, shares, strict=True)]
        if len(found.labels) > 1
        else [],
    )


def chart_data(run: Run, summary: Summary, charts: dict[str, Chart]) -> Markup:
    """Give what the scripts read, as JSON that cannot end its element."""
    data: dict[str, Any] = {"charts": {name: chart.spec for name, chart in charts.items()}}
    start = control(run, summary)
    if "cost" in charts and start is not None:
        data["moments"] = summary.reweighting
        data["weighted"] = summary.weights is not None
        data["mixtures"] = mixtures(run, summary, [part.label for part in start.mix])
        data["fewest"] = FEWEST_ANSWERS
        data["t"] = [round(student_t_quantile(0.95, degrees), 6) for degrees in range(1, MOST_DEGREES + 1)]
    text = msgspec.json.encode(data).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - no character is left that HTML reads
