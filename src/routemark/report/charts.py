"""The charts of a page, as Vega-Lite specifications made with Altair; `bundle` has what draws them.

Texts reach a chart as data alone, never inside an expression, and cleaned. Every figure drawn stands in a
table, too.
"""

from __future__ import annotations

from routemark.records import Run, Summary
from routemark.report import views
from routemark.report.charting import Chart
from routemark.report.charts_cost import cost_quality
from routemark.report.charts_times import over_time, times


def charts(run: Run, summary: Summary) -> dict[str, Chart]:
    """Give the charts that there is something to draw for, by name."""
    arms = views.ordered_arms(run, summary)
    found = {
        "cost": cost_quality(arms, summary),
        "latency": times("latency", {name: arm.latency_histogram for name, arm in arms.items()}, arms),
        "ttft": times("time to first token", {name: arm.ttft_histogram for name, arm in arms.items()}, arms),
    }
    if summary.timeline is not None:
        found |= over_time(summary.timeline)
    return {name: chart for name, chart in found.items() if chart is not None}
