"""The figures of the page's first screen: each with its interval and the baseline's name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from routemark.records import ArmSummary, Comparison, Run, Summary
from routemark.report import numbers, views
from routemark.report.clean import one_line


class Figure(NamedTuple):
    """One number to read first."""

    title: str
    value: str
    interval: str
    """Empty where there is none."""
    said: str
    """What it compares, and on what it rests."""


def figures(run: Run, summary: Summary) -> list[Figure]:
    """Give the figures of the arm that is judged, beside its baseline where there is one."""
    name = views.subject(summary)
    if name is None:
        return []
    arm, pair = summary.arms[name], views.headline(run, summary)
    base = summary.arms.get(pair.baseline) if pair else None
    return [
        *_quality(name, arm, pair, summary),
        *_cost(run, name, arm, pair, base),
        *_gain(arm),
        *_price(pair),
        _failed(name, arm, pair, base),
        _latency(run, name, arm, pair, base),
    ]


def _quality(name: str, arm: ArmSummary, pair: Comparison | None, summary: Summary) -> Iterator[Figure]:
    if not summary.graded:
        yield Figure("Quality", "not graded", "", "The questions hold no reference answers.")
    elif pair is None or pair.accuracy_difference is None:
        said = f"{_named(name)}, {numbers.counted(arm.graded, 'graded trial')}"
        yield Figure("Accuracy", numbers.percent(arm.accuracy), _percent_range(arm.accuracy_ci95), said)
    else:
        said = (
            f"accuracy of {_named(name)} minus {_named(pair.baseline)}, {numbers.counted(pair.n, 'question')}"
        )
        value = f"{numbers.points(pair.accuracy_difference)} points"
        yield Figure("Quality", value, _points_range(pair.ci95), said)


def _cost(
    run: Run, name: str, arm: ArmSummary, pair: Comparison | None, base: ArmSummary | None
) -> Iterator[Figure]:
    own = f"{numbers.usd(arm.cost_per_1k_usd)} per 1,000 questions{_monthly(run, arm)}"
    if pair is None or base is None or pair.cost_ratio is None:
        yield Figure("Cost", numbers.usd(arm.cost_per_1k_usd), "", f"{_named(name)}: {own}")
        return
    rests = f"; rests on the dearest {pair.cost_rests_on} questions" if pair.cost_rests_on else ""
    said = (
        f"{own} against {numbers.usd(base.cost_per_1k_usd)}{_monthly(run, base)} of {_named(pair.baseline)}; "
        f"the interval is approximate{rests}"
    )
    yield Figure("Cost ratio", numbers.ratio(pair.cost_ratio), _ratio_range(pair.cost_ratio_ci95), said)


def _monthly(run: Run, arm: ArmSummary) -> str:
    """Give the cost of a month at the traffic that the user named with ``--traffic``."""
    traffic = run.settings.get("traffic")
    if not isinstance(traffic, int) or arm.cost_per_1k_usd is None:
        return ""
    return f" ({numbers.usd(arm.cost_per_1k_usd * traffic / 1000)} a month)"


def _gain(arm: ArmSummary) -> Iterator[Figure]:
    if arm.same_mix is not None:
        value = f"{numbers.points(arm.same_mix.gain)} points"
        said = "accuracy of its picks minus the same models, equally often, drawn at random"
        yield Figure("Gain over its own mix", value, _points_range(arm.same_mix.gain_ci95), said)


def _price(pair: Comparison | None) -> Iterator[Figure]:
    if pair is not None and pair.indifference_price_usd is not None:
        said = f"the worth of one more right answer at which it ties with {_named(pair.baseline)}"
        yield Figure("Choice flips at", numbers.usd(pair.indifference_price_usd), "", said)


def _failed(name: str, arm: ArmSummary, pair: Comparison | None, base: ArmSummary | None) -> Figure:
    said = f"trials of {_named(name)} without an answer"
    if pair is not None and base is not None:
        said += f"; {numbers.share(base.failed, base.n)} of {_named(pair.baseline)}"
    return Figure("Failed", numbers.share(arm.failed, arm.n), "", said)


def _latency(
    run: Run, name: str, arm: ArmSummary, pair: Comparison | None, base: ArmSummary | None
) -> Figure:
    said = f"half and nine in ten answers of {_named(name)} were complete by then"
    if pair is not None and base is not None:
        said += f"; {_times(run, base)} of {_named(pair.baseline)}"
    if run.client.limited:
        said += f". {views.LIMITED}"
    return Figure("Latency p50 / p90", _times(run, arm), "", said)


def _times(run: Run, arm: ArmSummary) -> str:
    quantiles = (arm.latency_s.p50, arm.latency_s.p90)
    return " / ".join(numbers.latency(value, limited=run.client.limited) for value in quantiles)


def _named(name: str) -> str:
    return one_line(name, 80)


def _percent_range(interval: numbers.Interval) -> str:
    return "" if interval is None else f"{numbers.percent(interval[0])} to {numbers.percent(interval[1])}"


def _points_range(interval: numbers.Interval) -> str:
    return "" if interval is None else f"{numbers.points(interval[0])} to {numbers.points(interval[1])}"


def _ratio_range(interval: numbers.Interval) -> str:
    return "" if interval is None else f"{numbers.ratio(interval[0])} to {numbers.ratio(interval[1])}"
