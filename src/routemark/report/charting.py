"""What all charts share: Altair, the look of the page, and what is said in place of a picture.

Altair is imported when the first chart is made: whatever writes no page does not pay for it. Colours are the
variables of the style sheet, so that a chart follows dark and light as the page does.
"""

from __future__ import annotations

from typing import Any, NamedTuple

IS_ROUND = "indexof([1, 2, 5], round(datum.value / pow(10, floor(log(datum.value) / LN10 + 1e-9)))) >= 0"
"""Of the ticks of a logarithmic axis, those that are labelled: 1, 2 and 5 times a power of ten."""


ROUND_LINES = {"condition": {"test": IS_ROUND, "value": "var(--line)"}, "value": "transparent"}
"""Colour of the grid of such an axis."""


class Chart(NamedTuple):
    """A chart, and what is said in its place to who does not see it."""

    spec: dict[str, Any]
    label: str


def altair() -> Any:
    """Give the library, which takes half a second to import."""
    import altair as alt  # noqa: PLC0415 - for pages alone

    return alt


def finished(chart: Any, height: int) -> dict[str, Any]:
    """Give the specification of a chart as wide as its place in the page, in the page's own colours and font."""
    soft, line = "var(--soft)", "var(--line)"
    config = {
        "font": "system-ui, sans-serif",
        "background": "transparent",
        "view": {"stroke": None},
        "axis": {
            "labelColor": soft,
            "titleColor": soft,
            "gridColor": line,
            "domainColor": soft,
            "tickColor": line,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
        },
        "legend": {"labelColor": "var(--ink)", "labelFontSize": 12, "symbolFillColor": "var(--ink)"},
        "aria": False,
    }
    made: dict[str, Any] = chart.properties(width="container", height=height).to_dict()
    made["config"] = config
    made["autosize"] = {"type": "fit-x", "contains": "padding", "resize": True}
    del made["$schema"]  # an address that nobody asks, in a page that asks for nothing
    return made
