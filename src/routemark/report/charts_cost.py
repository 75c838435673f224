"""The chart of cost and quality: arms with their intervals, and the bounds and mixtures beside them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from routemark import numbers
from routemark.records import ArmSummary, Summary
from routemark.report import views
from routemark.report.charting import IS_ROUND, ROUND_LINES, Chart, altair, finished
from routemark.report.clean import one_line

LONGEST = 44
"""Characters of a name in a chart."""
ORACLE = "oracle (upper bound)"


def drawn(arms: Mapping[str, ArmSummary]) -> list[dict[str, Any]]:
    """Give what a chart of cost and quality draws of each arm that has both; ``n`` is its row in the table of arms.

    Figures are weighted where the user's traffic is known.
    """
    return [
        {
            "n": n,
            "arm": name,
            "short": one_line(name, LONGEST),
            "kind": "router" if arm.is_router else "fixed",
            "cost": arm.cost_per_1k_usd,
            "accuracy": arm.accuracy,
            **_ends("accuracy", arm.accuracy_ci95),
            **_ends("cost", arm.cost_per_1k_ci95),
            "said_accuracy": numbers.percent_ci(arm.accuracy, arm.accuracy_ci95),
            "said_cost": numbers.usd(arm.cost_per_1k_usd),
            "best": False,
        }
        for n, (name, arm) in enumerate(((name, _judged(arm)) for name, arm in arms.items()), start=1)
        if arm.accuracy is not None and arm.cost_per_1k_usd is not None
    ]


def _judged(arm: ArmSummary) -> ArmSummary:
    weighted = views.as_judged(arm)
    return weighted if arm.weighted is None else msgspec.structs.replace(weighted, cost_per_1k_ci95=None)


def _ends(name: str, interval: numbers.Interval) -> dict[str, float | None]:
    low, high = interval or (None, None)
    return {f"{name}_low": low, f"{name}_high": high}


def mix_of(name: str) -> str:
    """Name the point of an arm's own mix at random."""
    return f"same mix as {one_line(name, LONGEST)}, at random"


def bounds(summary: Summary) -> list[dict[str, Any]]:
    """Give the points that are no arm: each router's own mix at random, and the oracle."""
    found: list[tuple[str, str, float | None, float | None]] = [
        (mix_of(name), "mix", arm.same_mix.accuracy, arm.same_mix.cost_per_1k_usd)
        for name, arm in summary.arms.items()
        if arm.same_mix is not None
    ]
    if summary.oracle is not None:
        best = summary.oracle.best_then_cheapest
        found.append((ORACLE, "oracle", best.accuracy, best.cost_per_1k_usd))
    return [
        {
            "short": name,
            "kind": kind,
            "accuracy": accuracy,
            "cost": cost,
            "said_accuracy": numbers.percent(accuracy),
            "said_cost": numbers.usd(cost),
        }
        for name, kind, accuracy, cost in found
        if accuracy is not None and cost
    ]


def cost_quality(arms: Mapping[str, ArmSummary], summary: Summary) -> Chart | None:
    """Draw every arm that has both; None without one."""
    points = drawn(arms)
    if not points:
        return None
    alt = altair()
    layers = [
        *_lines(),
        *_whiskers(),
        _hollow(),
        *_dots(),
        *_names(),
    ]  # what comes later covers what came before
    chart = alt.layer(*layers).resolve_scale(shape="independent")
    spec = finished(chart.add_params(alt.param(name="free", value=_free_place(points))), 430)
    spec["datasets"] = {"arms": points, **_beside(summary), "iso": []}
    return Chart(spec, f"Accuracy against cost per 1,000 questions. {'; '.join(_said(points))}.")


def _beside(summary: Summary) -> dict[str, list[dict[str, Any]]]:
    """Give what is drawn beside the arms; the page's script gives all of it for weights, of traffic or chosen."""
    if summary.weights is not None:
        return {"bounds": [], "hull": [], "sweep": []}
    curves = [
        {"of": sweep.router, "cost": point.cost_per_1k_usd, "accuracy": point.accuracy}
        for sweep in summary.sweep
        for point in sweep.points
        if point.cost_per_1k_usd and point.accuracy is not None
    ]
    return {"bounds": bounds(summary), "hull": hull_line(summary), "sweep": curves}


# ------------------------------------------------------------------------------------- layers


def _placed(name: str) -> Any:
    """Give a layer of one of the data sets, each row at its place among the costs."""
    alt = altair()
    rows = alt.Chart(alt.NamedData(name)).transform_calculate(place="datum.cost > 0 ? datum.cost : free")
    return rows.encode(x=_cost_axis(), y=_accuracy_axis())


def _cost_axis() -> Any:
    alt = altair()
    return alt.X(
        "place:Q",
        scale=alt.Scale(type="log", nice=False, padding=34),
        axis=alt.Axis(
            title="Cost per 1,000 questions (log scale)",
            labelExpr=f"datum.value == free ? '$0' : {IS_ROUND} ? '$' + format(datum.value, ',.2~r') : ''",
            labelOverlap="greedy",
            labelSeparation=6,
            tickCount=7,
            gridColor=ROUND_LINES,
            tickColor=ROUND_LINES,
        ),
    )


def _accuracy_axis() -> Any:
    alt = altair()
    return alt.Y(
        "accuracy:Q",
        scale=alt.Scale(zero=False, nice=False, padding=16),
        axis=alt.Axis(title="Accuracy", labelExpr="format(100 * datum.value, '~r') + ' %'", tickCount=6),
    )


def _kinds() -> Any:
    alt = altair()
    colours = alt.Scale(domain=["router", "fixed"], range=["var(--router)", "var(--fixed)"])
    return alt.Color("kind:N", scale=colours, legend=None)


def _shapes(kinds: Sequence[str], shapes: Sequence[str]) -> Any:
    alt = altair()
    return alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=shapes), legend=None)


def _tooltip() -> list[Any]:
    alt = altair()
    titles = {"short": "arm", "said_accuracy": "accuracy [95 %]", "said_cost": "cost per 1,000"}
    return [alt.Tooltip(f"{field}:N", title=title) for field, title in titles.items()]


def _lines() -> Iterator[Any]:
    """Yield the mixtures of fixed models, the curve of each swept router, and the line of equal worth."""
    yield _placed("hull").mark_line(color="var(--soft)", strokeDash=[5, 4]).encode(order="cost:Q")
    sweep = _placed("sweep").mark_line(color="var(--router)", opacity=0.6)
    yield sweep.encode(detail="of:N", order="cost:Q")
    yield _placed("iso").mark_line(color="var(--good)", strokeWidth=2.5).encode(order="cost:Q")


def _whiskers() -> Iterator[Any]:
    """Yield the intervals of accuracy, then those of cost."""
    alt = altair()
    look = {"strokeWidth": 1.8, "opacity": 0.75}
    upright = _placed("arms").transform_filter("isValid(datum.accuracy_low)").mark_rule(**look)
    yield upright.encode(y=alt.Y("accuracy_low:Q"), y2="accuracy_high:Q", color=_kinds()).properties(
        name="upright"
    )
    level = _placed("arms").transform_filter("isValid(datum.cost_low)")
    level = level.transform_calculate(place="max(datum.cost_low, free)").mark_rule(**look)
    yield level.encode(x=alt.X("place:Q"), x2="cost_high:Q", color=_kinds()).properties(name="level")


def _hollow() -> Any:
    """Give the points that are no arm."""
    points = _placed("bounds").mark_point(size=150, strokeWidth=2, color="var(--soft)", fill="var(--card)")
    shapes = _shapes(["mix", "oracle"], ["diamond", "triangle-up"])
    return points.encode(shape=shapes, tooltip=_tooltip()).properties(name="bounds")


def _dots() -> Iterator[Any]:
    """Yield the arms, the best buy ringed, and their numbers."""
    alt = altair()
    dots = _placed("arms").mark_point(filled=True, opacity=1).properties(name="dots")
    yield dots.encode(
        color=_kinds(),
        shape=_shapes(["router", "fixed"], ["diamond", "circle"]),
        size=alt.condition("datum.kind == 'router'", alt.value(620), alt.value(420)),
        stroke=alt.condition("datum.best", alt.value("var(--ink)"), alt.value("var(--card)")),
        strokeWidth=alt.condition("datum.best", alt.value(3), alt.value(1)),
        tooltip=_tooltip(),
    )
    numbered = {"fontSize": 11, "fontWeight": "bold", "color": "var(--card)", "baseline": "middle"}
    yield _placed("arms").mark_text(**numbered).encode(text="n:N").properties(name="numbers")


def _names() -> Iterator[Any]:
    """Yield the names; the page's script finds them a place."""
    names = _placed("arms").mark_text(fontSize=12, color="var(--ink)").encode(text="short:N")
    yield names.properties(name="names")
    names = _placed("bounds").mark_text(fontSize=11, fontStyle="italic", color="var(--soft)")
    yield names.encode(text="short:N").properties(name="bound_names")


def _free_place(points: Sequence[Mapping[str, Any]]) -> float:
    """Give where an arm that costs nothing is drawn, as a logarithm has no place for it: left of all others."""
    costs = [point["cost"] for point in points if point["cost"] > 0] or [1.0]
    return float(min(costs)) / 3


def _said(points: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    return (
        f"{point['short']}: {point['said_accuracy']}, {point['said_cost']} per 1,000 questions"
        for point in points
    )


def hull_line(summary: Summary) -> list[dict[str, float]]:
    """Give the best mixtures of fixed models: straight between two models, hence curved on a logarithmic axis."""
    vertices = summary.oracle.zero_router if summary.oracle is not None else []
    found = []
    for one, other in itertools.pairwise(vertices):
        for step in range(21):
            share = (step / 20) ** 2  # denser at the cheap end, where a logarithm stretches
            cost = one.cost_per_1k_usd + share * (other.cost_per_1k_usd - one.cost_per_1k_usd)
            accuracy = one.accuracy + share * (other.accuracy - one.accuracy)
            found.append({"cost": cost, "accuracy": accuracy})
    return [point for point in found if point["cost"] > 0]
