"""Charts of time: how long answers took, and what happened when."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from routemark import numbers
from routemark.records import ArmSummary, Histogram, Quantiles, Timeline
from routemark.report.charting import IS_ROUND, ROUND_LINES, Chart, altair, finished
from routemark.report.clean import one_line

MAX_KINDS = 4
"""Kinds of failure with a colour of their own."""
BAND = 46
"""Height of an arm in a chart of times, pixels."""
ANSWERED = "answered"
OTHER_KINDS = "other failures"
_SHAPES = {"p50": "circle", "p90": "diamond", "p99": "triangle-right"}
_KINDS = ("var(--bad)", "var(--warn)", "var(--fixed)", "var(--soft)", "var(--ink)")


def times(
    what: str, histograms: Mapping[str, Histogram | None], arms: Mapping[str, ArmSummary]
) -> Chart | None:
    """Draw a strip for each arm, darker where more answers are, with its percentiles above."""
    known = [(n, name, found) for n, (name, found) in enumerate(histograms.items(), start=1) if found]
    bins = [one for n, _, found in known for one in _bins(n, found)]
    if not bins:
        return None
    marks = [
        one
        for n, name, _ in known
        for one in _percentiles(n, arms[name].latency_s if what == "latency" else arms[name].ttft_s)
    ]
    names = [{"n": n, "name": f"{n} {one_line(name, 60)}"} for n, name, _ in known]
    spec = finished(altair().layer(_strips(), _ticks(what), _titles()), BAND * len(names) + 10)
    spec["datasets"] = {"bins": bins, "marks": marks, "names": names}
    told = (f"{numbers.seconds(mark['at'])} {mark['q']} of arm {mark['n']}" for mark in marks)
    return Chart(spec, f"Distribution of {what} by arm: {', '.join(told)}.")


def _bins(n: int, found: Histogram) -> Iterator[dict[str, Any]]:
    """Yield the bins of arm ``n`` that hold an answer; the fullest has weight 1."""
    total, most = sum(found.counts), max(found.counts)
    for i, count in enumerate(found.counts):
        if not count:
            continue
        low, high = (10 ** ((found.first + at) / found.per_decade) for at in (i, i + 1))
        yield {
            "n": n,
            "low": low,
            "high": high,
            "weight": count / most,
            "said": f"{numbers.seconds(low)} to {numbers.seconds(high)}",
            "share": numbers.share(count, total),
        }


def _percentiles(n: int, quantiles: Quantiles) -> Iterator[dict[str, Any]]:
    known = ((q, getattr(quantiles, q)) for q in _SHAPES)
    return ({"n": n, "q": q, "at": at, "said": numbers.seconds(at)} for q, at in known if at)


def _seconds_axis() -> Any:
    alt = altair()
    return alt.Axis(
        title="seconds (log scale)",
        labelExpr=f"{IS_ROUND} ? format(datum.value, '.2~r') : ''",
        tickCount=6,
        labelOverlap="greedy",
        labelSeparation=6,
        gridColor=ROUND_LINES,
        tickColor=ROUND_LINES,
    )


def _band() -> Any:
    alt = altair()
    return alt.Y("n:O", axis=None, scale=alt.Scale(paddingInner=0.1, paddingOuter=0.05))


def _strips() -> Any:
    """Give a rectangle a bin."""
    alt = altair()
    strong = alt.Opacity("weight:Q", scale=alt.Scale(domain=[0, 1], range=[0.08, 0.8]), legend=None)
    bars = alt.Chart(alt.NamedData("bins")).mark_rect(
        color="var(--router)", height=alt.RelativeBandSize(0.46), yOffset=9
    )
    return bars.encode(
        x=alt.X("low:Q", scale=alt.Scale(type="log", nice=False), axis=_seconds_axis()),
        x2="high:Q",
        y=_band(),
        opacity=strong,
        tooltip=[alt.Tooltip("said:N", title="between"), alt.Tooltip("share:N", title="answers")],
    )


def _ticks(what: str) -> Any:
    """Give a mark a percentile."""
    alt = altair()
    shapes = alt.Scale(domain=list(_SHAPES), range=list(_SHAPES.values()))
    points = alt.Chart(alt.NamedData("marks")).mark_point(
        size=95, filled=True, opacity=1, color="var(--ink)", stroke="var(--card)", yOffset=9
    )
    return points.encode(
        x=alt.X("at:Q", scale=alt.Scale(type="log", nice=False)),
        y=_band(),
        shape=alt.Shape("q:N", scale=shapes, legend=alt.Legend(orient="top", title=None)),
        tooltip=[alt.Tooltip("q:N", title="percentile"), alt.Tooltip("said:N", title=what)],
    )


def _titles() -> Any:
    """Give the names of the arms, each above its strip."""
    alt = altair()
    names = alt.Chart(alt.NamedData("names")).mark_text(
        align="left", baseline="top", color="var(--ink)", fontWeight="bold", fontSize=12
    )
    return names.encode(x=alt.value(2), y=alt.Y("n:O", axis=None, bandPosition=0), text="name:N")


# ------------------------------------------------------------------------------------- over time


class _Clock(NamedTuple):
    """The time of a run as its charts tell it."""

    unit: str
    unit_s: float
    length_s: float
    pauses: bool

    def at(self, seconds: float) -> float:
        """Give a time in the unit."""
        return seconds / self.unit_s

    def axis(self, field: str) -> Any:
        """Give the axis of time."""
        alt = altair()
        title = f"{self.unit} since the start{', pauses left out' * self.pauses}"
        scale = alt.Scale(domain=[0, self.at(self.length_s)], nice=False)
        return alt.X(field, scale=scale, axis=alt.Axis(title=title, tickCount=6))


def _clock(line: Timeline) -> _Clock:
    length_s = line.bin_s * len(line.answers)
    units = (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0))
    unit = next((unit for unit in units if length_s >= 3 * unit[1]), ("seconds", 1.0))
    return _Clock(*unit, length_s, bool(line.pauses))


def over_time(line: Timeline) -> dict[str, Chart | None]:
    """Draw answers and failed attempts, spending, and the pace, on one scale of time."""
    clock = _clock(line)
    return {
        "answers": _answers(line, clock),
        "failed": _failed(line, clock),
        "spend": _spend(line, clock),
        "pace": _pace(line, clock),
    }


def _answers(line: Timeline, clock: _Clock) -> Chart:
    said = f"Answers over the run: {numbers.counted(sum(line.answers), 'answer')}."
    return Chart(_stacked({ANSWERED: line.answers}, ["var(--good)"], "answers", line, clock), said)


def _failed(line: Timeline, clock: _Clock) -> Chart | None:
    """Draw failed attempts on a scale of their own, as a few of them would not be seen beside the answers."""
    if not line.failed:
        return None
    total = {one_line(kind, 40): numbers.count(sum(counts)) for kind, counts in line.failed.items()}
    said = ", ".join(f"{count} {kind}" for kind, count in total.items())
    spec = _stacked(_named_kinds(line), _KINDS, "failed attempts", line, clock)
    return Chart(spec, f"Failed attempts over the run: {said}.")


def _named_kinds(line: Timeline) -> dict[str, list[int]]:
    """Give the kinds of failure with a colour of their own, and the rest as one."""
    named = {one_line(kind, 40): counts for kind, counts in itertools.islice(line.failed.items(), MAX_KINDS)}
    rest = list(itertools.islice(line.failed.values(), MAX_KINDS, None))
    return named | ({OTHER_KINDS: [sum(at) for at in zip(*rest, strict=True)]} if rest else {})


def _stacked(
    counts: Mapping[str, Sequence[int]], colours: Sequence[str], title: str, line: Timeline, clock: _Clock
) -> dict[str, Any]:
    """Give a bar a stretch of time, made of kinds in their order."""
    alt = altair()
    scale = alt.Scale(domain=list(counts), range=list(colours[: len(counts)]))
    legend = alt.Legend(orient="top", title=None, columns=3) if len(counts) > 1 else None
    axis = alt.Axis(title=f"{title} in {numbers.seconds_round(line.bin_s)}", tickCount=4, tickMinStep=1)
    bars = alt.Chart(alt.NamedData("rows")).mark_rect(stroke="var(--card)", strokeWidth=0.5)
    chart = bars.encode(
        x=clock.axis("from:Q"),
        x2="to:Q",
        y=alt.Y("count:Q", stack="zero", axis=axis),
        color=alt.Color("what:N", scale=scale, legend=legend),
        order="place:Q",
        tooltip=[alt.Tooltip("what:N", title="attempts"), alt.Tooltip("count:Q", title="number")],
    )
    spec = finished(alt.layer(chart, _pauses(clock)), 150)
    spec["datasets"] = {
        "rows": list(_bars(counts, line, clock)),
        "pauses": [{"from": clock.at(pause.at_s)} for pause in line.pauses],
    }
    return spec


def _bars(counts: Mapping[str, Sequence[int]], line: Timeline, clock: _Clock) -> Iterator[dict[str, Any]]:
    for place, (what, each) in enumerate(counts.items()):
        for i, count in enumerate(each):
            if count:
                start, end = clock.at(i * line.bin_s), clock.at((i + 1) * line.bin_s)
                yield {"from": start, "to": end, "what": what, "place": place, "count": count}


def _pauses(clock: _Clock) -> Any:
    alt = altair()
    rules = alt.Chart(alt.NamedData("pauses")).mark_rule(strokeDash=[2, 3], color="var(--ink)")
    return rules.encode(x=clock.axis("from:Q"))


def _spend(line: Timeline, clock: _Clock) -> Chart | None:
    spent = list(itertools.accumulate(line.spend_usd, initial=0.0))
    if spent[-1] <= 0:
        return None
    values = [{"at": clock.at(line.bin_s * i), "value": value} for i, value in enumerate(spent)]
    spec = _area("US dollars so far", values, clock)
    return Chart(spec, f"Known cost over the run, {numbers.usd(spent[-1])} at its end.")


def _pace(line: Timeline, clock: _Clock) -> Chart | None:
    if not line.pace:
        return None
    values = [{"at": clock.at(step.at_s), "value": step.limit} for step in line.pace]
    values.append({"at": clock.at(clock.length_s), "value": values[-1]["value"]})
    lowest, highest = (pick(step.limit for step in line.pace) for pick in (min, max))
    said = (
        f"Requests allowed in flight over the run, {numbers.plain(lowest, 0)} to {numbers.plain(highest, 0)}."
    )
    return Chart(_area("requests in flight", values, clock, stepped=True), said)


def _area(
    title: str, values: list[dict[str, float]], clock: _Clock, *, stepped: bool = False
) -> dict[str, Any]:
    """Give a line with what is below it filled; a stepped one holds each value until the next."""
    alt = altair()
    area = alt.Chart(alt.NamedData("values")).mark_area(
        interpolate="step-after" if stepped else "linear",
        line={"color": "var(--router)", "strokeWidth": 2},
        color="var(--router)",
        fillOpacity=0.18,
    )
    y = alt.Y("value:Q", axis=alt.Axis(title=title, titleLimit=200, tickCount=4))
    spec = finished(area.encode(x=clock.axis("at:Q"), y=y), 130)
    spec["datasets"] = {"values": values}
    return spec
