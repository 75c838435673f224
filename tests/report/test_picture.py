"""The picture of cost against quality."""

import random
from xml.etree import ElementTree as ET

import pytest

import report_factory as factory
from routemark.report import picture
from routemark.report.picture import Point, cost_quality

POINTS = [
    Point(1, factory.ROUTER, 12.06, 0.725, (0.639, 0.797), True),
    Point(2, "sim/sparrow-mini", 0.047, 0.517, (0.428, 0.604), False),
    Point(3, "sim/condor-max", 37.69, 0.833, (0.757, 0.889), False),
]
SVG = "{http://www.w3.org/2000/svg}"


def draw(points, width=920, height=430) -> ET.Element:
    svg = str(cost_quality(points, width=width, height=height, ident="wide"))
    return ET.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def marks(svg: ET.Element) -> list[tuple[float, float]]:
    places = []
    for path in svg.iter(f"{SVG}path"):
        x, y = path.get("d").removeprefix("M").replace("l", " ").replace("a", " ").split()[:2]
        router = "router" in path.get("class")
        places.append((float(x) + (0 if router else 5.5), float(y) + (8 if router else 0)))
    return places


def test_it_is_titled_described_and_holds_every_arm():
    svg = draw(POINTS)
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == "wide-t wide-d"
    described = svg.find(f"{SVG}desc").text
    assert all(p.name in described for p in POINTS)
    assert "72.5 % [63.9, 79.7], $12.06" in described
    named = {text.text for text in svg.iter(f"{SVG}text")}
    assert named >= {p.name for p in POINTS}


def test_up_is_better_right_is_dearer_and_the_axis_is_logarithmic():
    points = [Point(i, f"m{i}", 10.0**i, 0.3 + 0.2 * i, None, False) for i in range(3)]
    (x0, y0), (x1, y1), (x2, y2) = marks(draw(points))
    assert x0 < x1 < x2
    assert y0 > y1 > y2
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)


def test_routers_differ_from_models_by_shape_too():
    shapes = {path.get("class"): path.get("d") for path in draw(POINTS).iter(f"{SVG}path")}
    assert "l8 8" in shapes["mark router"]
    assert "a5.5" in shapes["mark fixed"]


def test_hostile_names_are_text():
    svg = draw([Point(1, factory.NAME + factory.HOSTILE["style"], 1.0, 0.5, None, False)])
    assert {element.tag.removeprefix(SVG) for element in svg.iter()} <= {
        "svg",
        "title",
        "desc",
        "line",
        "path",
        "text",
    }


@pytest.mark.parametrize(
    "points",
    [
        [Point(1, "free", 0.0, 0.5, (0.4, 0.6), False)],
        [Point(1, "free", 0.0, 0.5, None, False), Point(2, "paid", 1.0, 1.0, (0.9, 1.0), False)],
        [Point(1, "same", 1.0, 0.0, (0.0, 0.0), False), Point(2, "same", 1.0, 0.0, None, True)],
        [Point(1, "tiny", 1e-9, 0.5, None, False), Point(2, "huge", 1e6, 0.5, None, False)],
    ],
)
def test_extremes_stay_in_the_picture(points):
    for x, y in marks(draw(points)):
        assert 0 < x < 920
        assert 0 < y < 430


def test_what_costs_nothing_has_a_place_of_its_own():
    svg = draw([Point(1, "free", 0.0, 0.5, None, False), Point(2, "paid", 1.0, 0.5, None, False)])
    assert "$0" in [text.text for text in svg.iter(f"{SVG}text")]


@pytest.mark.parametrize("seed", range(5))
def test_labels_of_a_dozen_arms_do_not_cover_each_other(seed):
    draw_from = random.Random(seed)
    points = [
        Point(i, f"sim/model-{i}", 10 ** draw_from.uniform(-2, 2), draw_from.uniform(0.3, 0.9), None, False)
        for i in range(12)
    ]
    scale = picture._scale(points, picture.Box(44, 12, 906, 388))
    boxes = [label.box for label in picture.place_labels(points, [p.name for p in points], scale)]
    covered = sum(a.overlap(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert covered < 0.02 * sum((b.right - b.left) * (b.bottom - b.top) for b in boxes)


def test_too_many_arms_for_names_are_numbered_as_in_the_table():
    points = [Point(i, f"sim/model-{i}", 1.0 + i, 0.5, None, False) for i in range(1, 13)]
    named = {text.text for text in draw(points, width=360, height=380).iter(f"{SVG}text")}
    assert named >= {str(i) for i in range(1, 13)}
    assert "sim/model-1" not in named


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0.42, 0.91, [0.5, 0.6, 0.7, 0.8, 0.9]), (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]), (0.5, 0.54, [0.5, 0.51, 0.52, 0.53, 0.54])],
)  # fmt: skip
def test_accuracy_ticks(low, high, ticks):
    assert picture.accuracy_ticks(low, high) == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("low", "high", "room", "ticks"),
    [
        (0.9, 12.0, 8, [1, 2, 5, 10]),
        (0.009, 120.0, 6, [0.01, 0.1, 1, 10, 100]),
        (1e-6, 1e3, 4, [1e-6, 1e-3, 1, 1e3]),
    ],
)
def test_cost_ticks(low, high, room, ticks):
    assert picture.cost_ticks(low, high, room=room) == pytest.approx(ticks)
