"""The chart of cost and quality: arms with their intervals, and the bounds and mixtures beside them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from routemark.records import ArmSummary, Summary
from routemark.report import numbers, views
from routemark.report.charting import IS_ROUND, ROUND_LINES, Chart, altair, finished
from routemark.report.clean import one_line

LONGEST = 44
"""Characters of a name in a chart."""


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


def bounds(summary: Summary) -> list[dict[str, Any]]:
    """Give the points that are no arm: each router's own mix at random, and the oracle."""
    found: list[tuple[str, str, float | None, float | None]] = [
        (
            f"same mix as {one_line(name, LONGEST)}, at random",
            "mix",
            arm.same_mix.accuracy,
            arm.same_mix.cost_per_1k_usd,
        )
        for name, arm in summary.arms.items()
        if arm.same_mix is not None
    ]
    if summary.oracle is not None:
        best = summary.oracle.best_then_cheapest
        found.append(("oracle (upper bound)", "oracle", best.accuracy, best.cost_per_1k_usd))
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
    weighted = summary.weights is not None
    points = drawn(arms)
    if not points:
        return None
    free = _free_place(points)
    alt = altair()
    x = alt.X(
        "place:Q",
        scale=alt.Scale(type="log", nice=False, padding=34),
        axis=alt.Axis(
            title="Cost per 1,000 questions (log scale)",
            labelExpr=f"datum.value == free ? '$0' : {IS_ROUND} ? '$' + format(datum.value, ',.2~r') : ''",
            labelOverlap="greedy",
            tickCount=7,
            gridColor=ROUND_LINES,
            tickColor=ROUND_LINES,
        ),
    )
    y = alt.Y(
        "accuracy:Q",
        scale=alt.Scale(zero=False, nice=False, padding=16),
        axis=alt.Axis(title="Accuracy", format="~%", tickCount=6),
    )
    color = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=["router", "fixed"], range=["var(--router)", "var(--fixed)"]),
        legend=None,
    )
    shape = alt.Shape(
        "kind:N", scale=alt.Scale(domain=["router", "fixed"], range=["diamond", "circle"]), legend=None
    )
    tooltip = [
        alt.Tooltip("short:N", title="arm"),
        alt.Tooltip("said_accuracy:N", title="accuracy [95 %]"),
        alt.Tooltip("said_cost:N", title="cost per 1,000"),
    ]

    def layer(name: str) -> Any:
        return alt.Chart(alt.NamedData(name)).transform_calculate(place="datum.cost > 0 ? datum.cost : free")

    bounded = layer("bounds")
    own = layer("arms").encode(x=x, y=y)
    layers = [
        layer("hull").mark_line(color="var(--soft)", strokeDash=[5, 4]).encode(x=x, y=y, order="cost:Q"),
        layer("sweep")
        .mark_line(color="var(--router)", opacity=0.6)
        .encode(x=x, y=y, detail="of:N", order="cost:Q"),
        layer("iso").mark_line(color="var(--good)", strokeWidth=2.5).encode(x=x, y=y, order="cost:Q"),
        _interval(own, "accuracy").encode(color=color),
        _interval(own, "cost").encode(color=color),
        bounded.mark_point(size=150, strokeWidth=2, color="var(--soft)", fill="var(--card)")
        .encode(
            x=x,
            y=y,
            shape=alt.Shape(
                "kind:N",
                scale=alt.Scale(domain=["mix", "oracle"], range=["diamond", "triangle-up"]),
                legend=None,
            ),
            tooltip=tooltip,
        )
        .properties(name="bounds"),
        own.mark_point(filled=True, opacity=1)
        .encode(
            color=color,
            shape=shape,
            size=alt.condition("datum.kind == 'router'", alt.value(620), alt.value(420)),
            stroke=alt.condition("datum.best", alt.value("var(--ink)"), alt.value("var(--card)")),
            strokeWidth=alt.condition("datum.best", alt.value(3), alt.value(1)),
            tooltip=tooltip,
        )
        .properties(name="dots"),
        own.mark_text(fontSize=11, fontWeight="bold", color="var(--card)", baseline="middle").encode(
            text="n:N"
        ),
        own.mark_text(fontSize=12, color="var(--ink)").encode(text="short:N").properties(name="names"),
        bounded.mark_text(fontSize=11, fontStyle="italic", color="var(--soft)")
        .encode(x=x, y=y, text="short:N")
        .properties(name="bound_names"),
    ]
    chart = alt.layer(*layers).resolve_scale(shape="independent")
    spec = finished(chart.add_params(alt.param(name="free", value=free)), 430)
    spec["datasets"] = {
        "arms": points,
        "bounds": [] if weighted else bounds(summary),
        "hull": [] if weighted else hull_line(summary),
        "sweep": [
            {"of": sweep.router, "cost": point.cost_per_1k_usd, "accuracy": point.accuracy}
            for sweep in ([] if weighted else summary.sweep)
            for point in sweep.points
            if point.cost_per_1k_usd and point.accuracy is not None
        ],
        "iso": [],
    }
    return Chart(spec, f"Accuracy against cost per 1,000 questions. {'; '.join(_said(points))}.")


def _free_place(points: Sequence[Mapping[str, Any]]) -> float:
    """Give where an arm that costs nothing is drawn, as a logarithm has no place for it: left of all others."""
    costs = [point["cost"] for point in points if point["cost"] > 0] or [1.0]
    return float(min(costs)) / 3


def _said(points: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    return (
        f"{point['short']}: {point['said_accuracy']}, {point['said_cost']} per 1,000 questions"
        for point in points
    )


def _interval(own: Any, axis: str) -> Any:
    alt = altair()
    known = own.transform_filter(f"isValid(datum.{axis}_low)")
    rule = known.mark_rule(strokeWidth=1.8, opacity=0.75)
    if axis == "accuracy":
        return rule.encode(y=alt.Y("accuracy_low:Q"), y2="accuracy_high:Q")
    known = known.transform_calculate(place="max(datum.cost_low, free)")
    return known.mark_rule(strokeWidth=1.8, opacity=0.75).encode(x=alt.X("place:Q"), x2="cost_high:Q")


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
