"""Draw cost against quality as SVG: a pure function of the points, without any library.

Costs on a logarithmic axis, accuracies with their intervals as bars. Routers are diamonds, fixed models
circles, so that colour is never the only difference; colours come from the page's style sheet. Labels
move out of each other's way and keep a line to their point.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from markupsafe import Markup
from rich.cells import cell_len

from routemark.report import numbers
from routemark.report.clean import one_line

AXES = "Accuracy (%) by cost per 1,000 (log scale)"
LINE = 16
"""Height of a line of text, pixels."""
CHARACTER = 6.7
"""Width of a character at 12 pixels, on average."""


class Point(NamedTuple):
    """One arm with a known cost and accuracy."""

    number: int
    """Of its row in the table of arms."""
    name: str
    cost_per_1k_usd: float
    accuracy: float
    ci95: tuple[float, float] | None
    is_router: bool


class Box(NamedTuple):
    """A rectangle, pixels, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """Give the area in common."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)


class Label(NamedTuple):
    """Where a name is written."""

    text: str
    box: Box
    anchor: Literal["start", "end"]
    """The end of the text that is nearer to its point."""
    leader: bool
    """Far enough from its point to need a line to it."""


class Scale(NamedTuple):
    """Turns costs and accuracies into pixels."""

    plot: Box
    cost: tuple[float, float]
    """Positive costs at the ends of the axis, US dollars."""
    accuracy: tuple[float, float]
    free: float
    """Width kept at the left for arms that cost nothing, which a logarithm cannot show; pixels."""

    def x(self, cost: float) -> float:
        """Give the horizontal place of a cost."""
        if cost <= 0:
            return self.plot.left + self.free / 2
        low, high = (math.log10(end) for end in self.cost)
        start = self.plot.left + self.free
        return start + (math.log10(cost) - low) / (high - low) * (self.plot.right - start)

    def y(self, accuracy: float) -> float:
        """Give the vertical place of an accuracy."""
        low, high = self.accuracy
        return self.plot.bottom - (accuracy - low) / (high - low) * (self.plot.bottom - self.plot.top)


def cost_quality(points: Sequence[Point], *, width: int, height: int, ident: str) -> Markup:
    """Give the picture as an `<svg>` of that size in pixels; ``ident`` makes its ids unique in the page.

    Where names would not fit beside so many points, each is labelled by the number of its row.
    """
    scale = _scale(points, Box(44, 12, width - 14, height - 42))
    crowded = len(points) > width / 45
    longest = 34 if width > 500 else 20
    texts = [str(p.number) if crowded else one_line(p.name, longest) for p in points]
    title = "Accuracy against cost per 1,000 questions"
    parts = [
        Markup(
            '<svg class="picture {0}" viewBox="0 0 {1} {2}" role="img" aria-labelledby="{0}-t {0}-d">'
            '<title id="{0}-t">{3}</title><desc id="{0}-d">{4}</desc>'
        ).format(ident, width, height, title, _description(points)),
        *_axes(scale, height, crowded=crowded),
        *_bars(points, scale),
        *_marks(points, scale, place_labels(points, texts, scale)),
        Markup("</svg>"),
    ]
    return Markup("\n").join(parts)


def _description(points: Sequence[Point]) -> str:
    said = (
        f"{one_line(p.name, 80)}: {numbers.percent_ci(p.accuracy, p.ci95)}, {numbers.usd(p.cost_per_1k_usd)}"
        for p in points
    )
    return "; ".join(said) + ". Up is better, left is cheaper. The table of arms holds the same figures."


def _scale(points: Sequence[Point], plot: Box) -> Scale:
    costs = [p.cost_per_1k_usd for p in points if p.cost_per_1k_usd > 0] or [1.0]
    middle = math.log10(min(costs) * max(costs)) / 2
    half = max(math.log10(max(costs) / min(costs)) / 2 * 1.15, 0.4)
    ends = [end for p in points for end in (p.accuracy, *(p.ci95 or ()))] or [0.0, 1.0]
    pad = max((max(ends) - min(ends)) * 0.06, 0.02)
    free = 56.0 if any(p.cost_per_1k_usd <= 0 for p in points) else 0.0
    accuracy = max(min(ends) - pad, 0.0), min(max(ends) + pad, 1.0)
    return Scale(plot, (10 ** (middle - half), 10 ** (middle + half)), accuracy, free)


# ---------------------------------------------------------------------------------------- axes


def _axes(scale: Scale, height: int, *, crowded: bool) -> list[Markup]:
    plot = scale.plot
    parts = []
    for tick in accuracy_ticks(*scale.accuracy):
        y = scale.y(tick)
        parts.append(_line("grid", plot.left, y, plot.right, y))
        parts.append(_text("tick", plot.left - 6, y + 4, "end", f"{100 * tick:.0f}"))
    for cost in cost_ticks(*scale.cost, room=int((plot.right - plot.left) / 64)):
        parts.append(_line("grid", scale.x(cost), plot.top, scale.x(cost), plot.bottom))
        parts.append(_text("tick", scale.x(cost), plot.bottom + LINE, "middle", _tick_dollars(cost)))
    if scale.free:
        parts.append(_text("tick", scale.x(0), plot.bottom + LINE, "middle", numbers.usd(0)))
    parts.append(_line("axis", plot.left, plot.bottom, plot.right, plot.bottom))
    title = "Accuracy (%) by $ per 1,000; numbers: see Arms" if crowded else AXES
    parts.append(_text("tick", plot.left, height - 6, "start", title))
    return parts


def accuracy_ticks(low: float, high: float) -> list[float]:
    """Give at most seven round accuracies between the ends."""
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if (high - low) / s <= 7)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def cost_ticks(low: float, high: float, *, room: int) -> list[float]:
    """Give 1-2-5 costs between the ends, thinned to decades when more than ``room``."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits, every in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), ((1,), 3)):
        ticks = [d * 10.0**e for e in decades if e % every == 0 for d in digits if low <= d * 10.0**e <= high]
        if len(ticks) <= max(room, 1):
            break
    return ticks


def _tick_dollars(cost: float) -> str:
    text = numbers.usd(cost).removesuffix(".00")
    return text.rstrip("0") if cost < 0.095 else text


# -------------------------------------------------------------------------------------- points


def _bars(points: Sequence[Point], scale: Scale) -> list[Markup]:
    parts = []
    for p in points:
        if p.ci95 is not None:
            x, low, high = scale.x(p.cost_per_1k_usd), scale.y(p.ci95[0]), scale.y(p.ci95[1])
            kind = _kind(p)
            parts += [_line(f"bar {kind}", x, low, x, high)]
            parts += [_line(f"bar {kind}", x - 4, end, x + 4, end) for end in (low, high)]
    return parts


def _marks(points: Sequence[Point], scale: Scale, labels: Sequence[Label]) -> list[Markup]:
    parts = []
    for p, label in zip(points, labels, strict=True):
        x, y = scale.x(p.cost_per_1k_usd), scale.y(p.accuracy)
        near = label.box.left if label.anchor == "start" else label.box.right
        if label.leader:
            parts.append(_line("leader", x, y, near, (label.box.top + label.box.bottom) / 2))
        shape = f"M{x:.1f} {y - 8:.1f}l8 8l-8 8l-8 -8z" if p.is_router else _circle(x, y, 5.5)
        parts.append(Markup('<path class="mark {}" d="{}"/>').format(_kind(p), shape))
        parts.append(_text(f"name {_kind(p)}", near, label.box.bottom - 4, label.anchor, label.text))
    return parts


def _circle(x: float, y: float, r: float) -> str:
    return f"M{x - r:.1f} {y:.1f}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0z"


def _kind(point: Point) -> str:
    return "router" if point.is_router else "fixed"


def place_labels(points: Sequence[Point], texts: Sequence[str], scale: Scale) -> list[Label]:
    """Give each point's label the nearest place, right or left, that covers no mark and no other label."""
    taken = [box for p in points for box in _obstacles(p, scale)]
    labels = []
    for p, text in zip(points, texts, strict=True):
        label = min(_places(p, text, scale), key=lambda place: _badness(place, scale, taken))
        labels.append(label)
        taken.append(label.box)
    return labels


def _obstacles(p: Point, scale: Scale) -> list[Box]:
    x, y = scale.x(p.cost_per_1k_usd), scale.y(p.accuracy)
    low, high = p.ci95 or (p.accuracy, p.accuracy)
    return [Box(x - 8, y - 8, x + 8, y + 8), Box(x - 2, scale.y(high), x + 2, scale.y(low))]


def _places(p: Point, text: str, scale: Scale) -> list[Label]:
    """Give the candidate places, the dearest to the reader first."""
    x, y = scale.x(p.cost_per_1k_usd), scale.y(p.accuracy)
    long = cell_len(text) * CHARACTER * (1.1 if p.is_router else 1)  # routers are set in bold
    places = []
    for shift in (0, -LINE, LINE, -2 * LINE, 2 * LINE, -3 * LINE, 3 * LINE, -5 * LINE, 5 * LINE):
        top, bottom, leader = y + shift - LINE / 2, y + shift + LINE / 2, abs(shift) > LINE
        places.append(Label(text, Box(x + 11, top, x + 11 + long, bottom), "start", leader))
        places.append(Label(text, Box(x - 11 - long, top, x - 11, bottom), "end", leader))
    return places


def _badness(label: Label, scale: Scale, taken: Sequence[Box]) -> float:
    """Give the area covered that should not be; of equal ones `min` takes the first place."""
    box = label.box
    area = (box.right - box.left) * (box.bottom - box.top)
    return 3 * (area - box.overlap(scale.plot)) + sum(box.overlap(other) for other in taken)


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    ends = [f"{value:.1f}" for value in (x1, y1, x2, y2)]
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(kind, *ends)


def _text(kind: str, x: float, y: float, anchor: str, text: str) -> Markup:
    place = f"{x:.1f}", f"{y:.1f}"
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        kind, *place, anchor, text
    )
