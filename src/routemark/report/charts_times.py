"""Charts of time: how long answers took, and what happened when."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

from routemark.records import ArmSummary, Histogram, Timeline
from routemark.report import numbers
from routemark.report.charting import IS_ROUND, ROUND_LINES, Chart, altair, finished
from routemark.report.clean import one_line

MAX_KINDS = 4
"""Kinds of failure with a colour of their own."""
BAND = 46
"""Height of an arm in a chart of times, pixels."""
ANSWERED = "answered"
OTHER_KINDS = "other failures"
_KINDS = ("var(--bad)", "var(--warn)", "var(--fixed)", "var(--soft)", "var(--ink)")


def times(
    what: str, histograms: Mapping[str, Histogram | None], arms: Mapping[str, ArmSummary]
) -> Chart | None:
    """Draw a strip for each arm, darker where more answers are, with its percentiles above."""
    bins, marks, names = [], [], []
    for n, (name, found) in enumerate(histograms.items(), start=1):
        if found is None:
            continue
        total, most = sum(found.counts), max(found.counts)
        for i, count in enumerate(found.counts):
            low, high = (10 ** ((found.first + at) / found.per_decade) for at in (i, i + 1))
            if count:
                said = f"{numbers.seconds(low)} to {numbers.seconds(high)}"
                share = numbers.share(count, total)
                bins.append(
                    {"n": n, "low": low, "high": high, "weight": count / most, "said": said, "share": share}
                )
        quantiles = arms[name].latency_s if what == "latency" else arms[name].ttft_s
        known = {q: getattr(quantiles, q) for q in ("p50", "p90", "p99")}
        marks += [
            {"n": n, "q": q, "at": value, "said": numbers.seconds(value)}
            for q, value in known.items()
            if value is not None and value > 0
        ]
        names.append({"n": n, "name": f"{n} {one_line(name, 60)}"})
    if not bins:
        return None
    alt = altair()
    scale = alt.Scale(type="log", nice=False)
    x = alt.X(
        "low:Q",
        scale=scale,
        axis=alt.Axis(
            title="seconds (log scale)",
            labelExpr=f"{IS_ROUND} ? format(datum.value, '.2~r') : ''",
            tickCount=6,
            labelOverlap="greedy",
            gridColor=ROUND_LINES,
            tickColor=ROUND_LINES,
        ),
    )
    y = alt.Y("n:O", axis=None, scale=alt.Scale(paddingInner=0.1, paddingOuter=0.05))
    strips = (
        alt.Chart(alt.NamedData("bins"))
        .mark_rect(color="var(--router)", height=alt.RelativeBandSize(0.46), yOffset=9)
        .encode(
            x=x,
            x2="high:Q",
            y=y,
            opacity=alt.Opacity("weight:Q", scale=alt.Scale(domain=[0, 1], range=[0.08, 0.8]), legend=None),
            tooltip=[alt.Tooltip("said:N", title="between"), alt.Tooltip("share:N", title="answers")],
        )
    )
    shapes = alt.Scale(domain=["p50", "p90", "p99"], range=["circle", "diamond", "triangle-right"])
    ticks = (
        alt.Chart(alt.NamedData("marks"))
        .mark_point(size=95, filled=True, opacity=1, color="var(--ink)", stroke="var(--card)", yOffset=9)
        .encode(
            x=alt.X("at:Q", scale=scale),
            y=y,
            shape=alt.Shape("q:N", scale=shapes, legend=alt.Legend(orient="top", title=None)),
            tooltip=[alt.Tooltip("q:N", title="percentile"), alt.Tooltip("said:N", title=what)],
        )
    )
    titles = (
        alt.Chart(alt.NamedData("names"))
        .mark_text(align="left", baseline="top", color="var(--ink)", fontWeight="bold", fontSize=12)
        .encode(x=alt.value(2), y=alt.Y("n:O", axis=None, bandPosition=0), text="name:N")
    )
    spec = finished(alt.layer(strips, ticks, titles), BAND * len(names) + 10)
    spec["datasets"] = {"bins": bins, "marks": marks, "names": names}
    told = (f"{numbers.seconds(mark['at'])} {mark['q']} of arm {mark['n']}" for mark in marks)
    return Chart(spec, f"Distribution of {what} by arm: {', '.join(told)}.")


# ------------------------------------------------------------------------------------- over time


class _Unit(NamedTuple):
    """In what a time line is told."""

    name: str
    seconds: float


def _unit(length_s: float) -> _Unit:
    units = (_Unit("days", 86400.0), _Unit("hours", 3600.0), _Unit("minutes", 60.0))
    return next((unit for unit in units if length_s >= 3 * unit.seconds), _Unit("seconds", 1.0))


def over_time(line: Timeline) -> dict[str, Chart | None]:
    """Draw answers and failed attempts, spending, and the pace, on one scale of time."""
    length = line.bin_s * len(line.answers)
    unit = _unit(length)
    spent = list(itertools.accumulate(line.spend_usd))
    return {
        "answers": _answers(line, length, unit),
        "spend": _steps(
            "US dollars so far",
            [{"at": 0.0, "value": 0.0}]
            + [{"at": line.bin_s * (i + 1) / unit.seconds, "value": value} for i, value in enumerate(spent)],
            length,
            unit,
            f"Known cost over the run, {numbers.usd(spent[-1])} at its end.",
        )
        if spent[-1] > 0
        else None,
        "pace": _pace(line, length, unit),
    }


def _time_axis(length: float, unit: _Unit, field: str = "from:Q") -> Any:
    alt = altair()
    return alt.X(
        field,
        scale=alt.Scale(domain=[0, length / unit.seconds], nice=False),
        axis=alt.Axis(title=f"{unit.name} since the start, pauses left out", tickCount=6),
    )


def _answers(line: Timeline, length: float, unit: _Unit) -> Chart:
    alt = altair()
    named = dict(itertools.islice(line.failed.items(), MAX_KINDS))
    rest = [counts for kind, counts in line.failed.items() if kind not in named]
    if rest:
        named[OTHER_KINDS] = [sum(at) for at in zip(*rest, strict=True)]
    rows = [
        {
            "from": i * line.bin_s / unit.seconds,
            "to": (i + 1) * line.bin_s / unit.seconds,
            "what": what,
            "place": place,
            "count": count,
        }
        for place, (what, counts) in enumerate({ANSWERED: line.answers, **named}.items())
        for i, count in enumerate(counts)
        if count
    ]
    kinds = [one_line(kind, 40) for kind in named]
    chart = (
        alt.Chart(alt.NamedData("rows"))
        .mark_rect(stroke="var(--card)", strokeWidth=0.5)
        .encode(
            x=_time_axis(length, unit),
            x2="to:Q",
            y=alt.Y(
                "count:Q",
                stack="zero",
                axis=alt.Axis(title=f"attempts in {numbers.seconds(line.bin_s)}", tickCount=4),
            ),
            color=alt.Color(
                "what:N",
                scale=alt.Scale(domain=[ANSWERED, *kinds], range=["var(--good)", *_KINDS[: len(kinds)]]),
                legend=alt.Legend(orient="top", title=None, columns=3) if kinds else None,
            ),
            order="place:Q",
            tooltip=[alt.Tooltip("what:N", title="attempts"), alt.Tooltip("count:Q", title="number")],
        )
    )
    spec = finished(alt.layer(chart, _pauses(line, unit)), 170)
    spec["datasets"] = {
        "rows": rows,
        "pauses": [{"from": pause.at_s / unit.seconds} for pause in line.pauses],
    }
    failed = ", ".join(
        f"{numbers.count(sum(counts))} {one_line(kind, 40)}" for kind, counts in line.failed.items()
    )
    answered = numbers.counted(sum(line.answers), "answer")
    return Chart(spec, f"Attempts over the run: {answered}; failed: {failed or 'none'}.")


def _pauses(line: Timeline, unit: _Unit) -> Any:
    alt = altair()
    return (
        alt.Chart(alt.NamedData("pauses"))
        .mark_rule(strokeDash=[2, 3], color="var(--ink)")
        .encode(x=_time_axis(line.bin_s * len(line.answers), unit))
    )


def _pace(line: Timeline, length: float, unit: _Unit) -> Chart | None:
    if not line.pace:
        return None
    values = [{"at": step.at_s / unit.seconds, "value": step.limit} for step in line.pace]
    lowest, highest = (pick(step.limit for step in line.pace) for pick in (min, max))
    said = (
        f"Requests allowed in flight over the run, {numbers.plain(lowest, 0)} to {numbers.plain(highest, 0)}."
    )
    values.append({"at": length / unit.seconds, "value": values[-1]["value"]})
    return _steps("requests in flight", values, length, unit, said, stepped=True)


def _steps(  # noqa: PLR0913 - what a line is made of
    title: str,
    values: list[dict[str, float]],
    length: float,
    unit: _Unit,
    said: str,
    *,
    stepped: bool = False,
) -> Chart:
    alt = altair()
    chart = (
        alt.Chart(alt.NamedData("values"))
        .mark_area(
            interpolate="step-after" if stepped else "linear",
            line={"color": "var(--router)", "strokeWidth": 2},
            color="var(--router)",
            fillOpacity=0.18,
        )
        .encode(
            x=_time_axis(length, unit, "at:Q"),
            y=alt.Y("value:Q", axis=alt.Axis(title=title, titleLimit=200, tickCount=4)),
        )
    )
    spec = finished(chart, 130)
    spec["datasets"] = {"values": values}
    return Chart(spec, said)
