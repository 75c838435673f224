"""The figures of the page's first screen: each with its interval and the baseline's name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from routemark import numbers
from routemark.records import ArmSummary, Comparison, Run, Summary
from routemark.report import buying, views
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
    """Give the five figures of the arm that is judged, beside its baseline where there is one.

    Quality, cost, gain over its own mix at random, the value of a right answer at which the choice flips,
    failed calls and slow answers.
    """
    name = views.subject(summary)
    if name is None:
        return []
    arm, pair = summary.arms[name], views.headline(run, summary)
    base = summary.arms.get(pair.baseline) if pair else None
    judged = pair and (pair.weighted or pair)
    own, beside = views.as_judged(arm), base and views.as_judged(base)
    quality, cost = _quality(name, own, judged, summary), _cost(run, name, own, judged, beside)
    prices = list(_price(judged, summary))
    if summary.weights:
        quality, cost, *prices = (_weighted(one) for one in (quality, cost, *prices))
    return [quality, cost, *_gain(arm), *prices, _service(run, summary, name, arm, pair)]


def _weighted(one: Figure) -> Figure:
    return one._replace(said=f"{one.said}; weighted to your traffic")


def _quality(name: str, arm: ArmSummary, pair: Comparison | None, summary: Summary) -> Figure:
    if not summary.graded:
        return Figure("Quality", "not graded", "", "The questions hold no reference answers.")
    if pair is None or pair.accuracy_difference is None:
        said = f"{_named(name)}, {numbers.counted(arm.graded, 'graded trial')}"
        return Figure("Accuracy", numbers.percent(arm.accuracy), _percent_range(arm.accuracy_ci95), said)
    said = f"accuracy of {_named(name)} minus {_named(pair.baseline)}, {numbers.counted(pair.n, 'question')}"
    value = f"{numbers.points(pair.accuracy_difference)} points"
    return Figure("Quality", value, _points_range(pair.ci95), said)


def _cost(run: Run, name: str, arm: ArmSummary, pair: Comparison | None, base: ArmSummary | None) -> Figure:
    own = f"{numbers.usd(arm.cost_per_1k_usd)} per 1,000 questions{_monthly(run, arm)}"
    if pair is None or base is None or pair.cost_ratio is None:
        return Figure("Cost", numbers.usd(arm.cost_per_1k_usd), "", f"{_named(name)}: {own}")
    rests = f"; rests on the dearest {pair.cost_rests_on} questions" if pair.cost_rests_on else ""
    said = (
        f"{own} against {numbers.usd(base.cost_per_1k_usd)}{_monthly(run, base)} of {_named(pair.baseline)}"
        f"{_month(run, pair)}; the interval is approximate{rests}"
    )
    return Figure("Cost ratio", numbers.ratio(pair.cost_ratio), _ratio_range(pair.cost_ratio_ci95), said)


def _monthly(run: Run, arm: ArmSummary) -> str:
    """Give the cost of a month at the traffic that the user named with ``--traffic``."""
    traffic = run.settings.get("traffic")
    if not isinstance(traffic, int) or arm.cost_per_1k_usd is None:
        return ""
    return f" ({numbers.usd(arm.cost_per_1k_usd * traffic / 1000)} a month)"


def _month(run: Run, pair: Comparison) -> str:
    """Give what a month costs more than with the baseline, at the user's calls."""
    calls = run.settings.get("traffic")
    if pair.monthly_usd is None or not isinstance(calls, int):
        return ""
    change = numbers.usd_change_ci(pair.monthly_usd, pair.monthly_usd_ci95)
    return f": {change} a month at {numbers.counted(calls, 'call')}"


def _gain(arm: ArmSummary) -> Iterator[Figure]:
    """Yield the gain of a router that picks; a fixed model has none."""
    title = "Gain over its own mix"
    if arm.same_mix is not None:
        value = f"{numbers.points(arm.same_mix.gain)} points"
        said = "accuracy of its picks minus the same models, equally often, drawn at random"
        if arm.same_mix.includes_delivery:
            said += "; picking and delivery together, as direct answers are missing"
        yield Figure(title, value, _points_range(arm.same_mix.gain_ci95), said)
    elif arm.is_router:
        said = "against the same models drawn at random: ask the models that it picks, --baselines picked"
        yield Figure(title, "not measured", "", said)


def _price(pair: Comparison | None, summary: Summary) -> Iterator[Figure]:
    if pair is None or not summary.graded:
        return
    if pair.indifference_price_usd is not None:
        said = (
            f"the worth of one more right answer at which it ties with {_named(pair.baseline)}{_sure(pair)}"
        )
        yield Figure("Choice flips at", numbers.usd(pair.indifference_price_usd), _open(pair), said)
    elif pair.better_at_every_price is not None:
        said = (
            f"{_named(pair.better_at_every_price)} is better, whatever a right answer is worth{_sure(pair)}"
        )
        yield Figure("Choice flips at", "no price", "", f"as measured, {said}")


def _open(pair: Comparison) -> str:
    """Give the prices between which the choice is open, where it is sure on both sides of them."""
    sides = [prices for prices in (pair.surely_better_usd, pair.surely_worse_usd) if prices is not None]
    low = next((one.to_usd for one in sides if one.from_usd == 0 and one.to_usd is not None), None)
    high = next((one.from_usd for one in sides if one.from_usd > 0 and one.to_usd is None), None)
    return "" if low is None or high is None else f"{numbers.usd(low)} to {numbers.usd(high)}"


def _sure(pair: Comparison) -> str:
    """Say from which to which worth a side is surely the better buy."""
    sides = [(pair.arm, pair.surely_better_usd), (pair.baseline, pair.surely_worse_usd)]
    said = [f"{_named(name)} is surely better {buying.where(prices)}" for name, prices in sides if prices]
    return f"; {', '.join(said)}" if said else "; surely better is neither at any price"


def _service(run: Run, summary: Summary, name: str, arm: ArmSummary, pair: Comparison | None) -> Figure:
    """Give failed calls and slow answers, as differences where they are told."""
    found = summary.service
    limited = "; client-limited: upper bounds (*)" if run.client.limited else ""
    p90 = numbers.latency(arm.latency_s.p90, limited=run.client.limited)
    if found is None or pair is None or (found.arm, found.baseline) != (pair.arm, pair.baseline):
        said = (
            f"calls of {_named(name)} without an answer; nine in ten answers were complete by then{limited}"
        )
        return Figure("Failed calls, latency p90", f"{_share(arm)}, {p90}", "", said)
    base = summary.arms[found.baseline]
    latency = numbers.seconds_change(found.latency_p90_difference_s) + "*" * run.client.limited
    other = numbers.latency(base.latency_s.p90, limited=run.client.limited)
    said = (
        f"{_named(name)} minus {_named(found.baseline)}: {_share(arm)} against {_share(base)} of calls without an "
        f"answer; nine in ten answers complete after {p90} against {other}{_elsewhen(base)}{limited}"
    )
    failed = f"{numbers.points(found.failed_difference)} points"
    interval = _points_range(found.failed_ci95)
    if found.latency_p90_ci95_s is not None:
        low, high = (numbers.seconds_change(bound) for bound in found.latency_p90_ci95_s)
        interval = f"{interval}; {low} to {high}"
    return Figure("Failed calls, latency p90", f"{failed}, {latency}", interval, said)


def _elsewhen(base: ArmSummary) -> str:
    """Say where two latencies are not of the same time."""
    return " (asked after it, so at another time)" if base.joined else ""


def _share(arm: ArmSummary) -> str:
    return numbers.percent(arm.failed / arm.n) if arm.n else numbers.UNKNOWN


def _named(name: str) -> str:
    return one_line(name, 80)


def _percent_range(interval: numbers.Interval) -> str:
    return "" if interval is None else f"{numbers.percent(interval[0])} to {numbers.percent(interval[1])}"


def _points_range(interval: numbers.Interval) -> str:
    return "" if interval is None else f"{numbers.points(interval[0])} to {numbers.points(interval[1])}"


def _ratio_range(interval: numbers.Interval) -> str:
    return "" if interval is None else f"{numbers.ratio(interval[0])} to {numbers.ratio(interval[1])}"
