"""Geometry: paths, notches and boxes, lattice polygons, walks on a grid, and largest shapes."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from random import Random

from routemark.families.base import Draft, family, numeric, split

_PLOTS = (
    ("garden", "gravel path", "lawn"),
    ("courtyard", "strip of paving", "grass"),
    ("exhibition hall", "strip of carpet", "wooden floor"),
    ("school yard", "running track", "playing field"),
)


@family("easy", "geometry")
def edge_path(rng: Random) -> Draft | None:
    """Area of a path along the edge of a rectangle."""
    plot, path, rest = rng.choice(_PLOTS)
    long, wide = rng.randint(12, 40), rng.randint(8, 26)
    width = Fraction(rng.choice([2, 3, 4, 5, 6]), 2)
    outside = rng.random() < 0.5
    if wide > long or wide < 4 * width + 2:
        return None
    grown = 2 * width if outside else -2 * width
    area = abs((long + grown) * (wide + grown) - long * wide)
    side = "outside" if outside else "inside"
    shown = f"{float(width):g}"
    meets = f"; inside it there is {rest}" if outside else f", and the rest is {rest}"
    text = (
        f"A rectangular {plot} measures {long} m by {wide} m. A {path} {shown} m wide runs along the {side}"
        f" of its whole edge{', with square corners' if outside else ''}{meets}. What is the area of the"
        f" {path} in square metres?"
    )
    return numeric(rng, text, area)


_SHEETS = split("steel plate|wooden board|sheet of glass|piece of felt|slab of marble")


@family("easy", "geometry")
def notched_sheet(rng: Random) -> Draft | None:
    """Border or area of a rectangle with a notch."""
    sheet = rng.choice(_SHEETS)
    long, wide = rng.randint(20, 60), rng.randint(12, 40)
    notch, depth = rng.randint(4, 14), rng.randint(3, 10)
    if wide >= long or notch > long - 6 or depth > wide - 4:
        return None
    border = rng.random() < 0.5
    answer = 2 * (long + wide) + 2 * depth if border else long * wide - notch * depth
    asked = "the length of the whole edge of what is left, in cm" if border else "the area left, in square cm"
    text = (
        f"From a rectangular {sheet} of {long} cm by {wide} cm, a rectangular notch is cut out in the middle"
        f" of one of the longer sides: it takes {notch} cm of that side and reaches {depth} cm into the"
        f" {sheet.split()[-1]}. What is {asked}?"
    )
    return numeric(rng, text, answer)


@family("easy", "geometry")
def folded_box(rng: Random) -> Draft | None:
    """Volume or surface of a box folded from a sheet."""
    cut = rng.randint(2, 6)
    long, wide = rng.randint(18, 44), rng.randint(14, 36)
    if wide >= long or wide < 2 * cut + 5:
        return None
    floor = (long - 2 * cut, wide - 2 * cut)
    volume = rng.random() < 0.5
    answer = floor[0] * floor[1] * cut if volume else long * wide - 4 * cut * cut
    asked = (
        "How many cubic centimetres does the box hold when it is full to the brim?"
        if volume
        else "How many square centimetres of cardboard does the box consist of?"
    )
    text = (
        f"From each corner of a sheet of cardboard of {long} cm by {wide} cm a square with sides of {cut} cm"
        " is cut off and thrown away. The four flaps are folded up, which gives an open box without a lid."
        f" {asked}"
    )
    return numeric(rng, text, answer)


_POLYGONS = (
    (
        "A polygon has the corners {pts}, joined in this order, and the last corner is joined to the first."
        " How many points with whole-number coordinates lie strictly inside it (not on its edge)?"
    ),
    (
        "A field on a square grid has its corner posts at {pts}, in this order around the field, with"
        " straight fences between neighbouring posts and from the last post back to the first. A tree stands"
        " at every grid point (every point with whole-number coordinates) strictly inside the fence. How many"
        " trees are there?"
    ),
)


@family("hard", "geometry")
def lattice_polygon(rng: Random) -> Draft | None:
    """Lattice points inside a polygon."""
    n = rng.choice([4, 5, 6])
    angles = sorted(rng.uniform(0, 2 * math.pi) for _ in range(n))
    gaps = [(b - a) % (2 * math.pi) for a, b in zip(angles, [*angles[1:], angles[0]], strict=True)]
    points = [
        (round(10 + rng.uniform(4, 9) * math.cos(t)), round(10 + rng.uniform(4, 9) * math.sin(t)))
        for t in angles
    ]
    sides = list(zip(points, [*points[1:], points[0]], strict=True))
    if len(set(points)) < n or min(gaps) < 0.5 or max(gaps) > 2.6:
        return None
    doubled = abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in sides))
    border = sum(math.gcd(x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in sides)
    inside = (doubled - border + 2) // 2  # Pick's theorem
    if inside < 40:
        return None
    shown = ", ".join(f"({x}, {y})" for x, y in points)
    return numeric(rng, rng.choice(_POLYGONS).format(pts=shown), inside)


_WALKERS = split("robot|turtle|crane hook|toy car")


@family("hard", "geometry")
def grid_walk(rng: Random) -> Draft | None:
    """How many different points a walk with repeats visits."""
    walker = rng.choice(_WALKERS)
    steps = [
        f"forward {rng.randint(1, 5)}" if k % 2 == 0 else f"turn {rng.choice(['left', 'right'])}"
        for k in range(6)
    ]
    times, last = rng.randint(3, 5), rng.randint(2, 6)
    x, y, heading = 0, 0, 0  # 0: north, then clockwise
    seen = {(0, 0)}
    visits = 1
    for step in [*steps * times, f"forward {last}"]:
        what, amount = step.split()
        if what == "turn":
            heading = (heading + (1 if amount == "right" else -1)) % 4
            continue
        for _ in range(int(amount)):
            x, y = x + (0, 1, 0, -1)[heading], y + (1, 0, -1, 0)[heading]
            seen.add((x, y))
            visits += 1
    if len(seen) > visits - 3 or len(seen) < 12:
        return None
    text = (
        f"A {walker} stands on the point (0, 0) of a square grid and faces north. It carries out these"
        f" commands {times} times in a row: {', '.join(steps)}. Then it goes forward {last} once more and"
        " stops."
        ' "Forward k"'
        " means k steps straight ahead, each to the next grid point; a turn is a quarter turn on the spot."
        " How many different grid points does it visit, the first and the last included?"
    )
    return numeric(rng, text, len(seen))


_FLOORS = (
    ("A floor of square tiles is mapped below; # marks a broken tile, . a sound one.", "broken", "tiles"),
    ("A field of square plots is mapped below; # marks a plot with a tree, . a free one.", "tree", "plots"),
    ("A sheet of square cells is shown below; # marks a punched cell, . an intact one.", "punched", "cells"),
)


@family("opt", "geometry")
def largest_rectangle(rng: Random) -> Draft | None:
    """The largest free rectangle in a grid."""
    intro, bad, things = rng.choice(_FLOORS)
    rows, columns = rng.choice([(7, 9), (8, 8), (8, 10), (9, 9)])
    grid = ["".join("#" if rng.random() < 0.24 else "." for _ in range(columns)) for _ in range(rows)]
    heights, best = [0] * columns, 0
    for row in grid:
        heights = [0 if cell == "#" else height + 1 for cell, height in zip(row, heights, strict=True)]
        for left in range(columns):
            for right in range(left, columns):
                best = max(best, (right - left + 1) * min(heights[left : right + 1]))
    line = max(max(map(len, row.split("#"))) for row in grid)
    if best < 10 or best <= line:
        return None
    text = (
        f"{intro}\n"
        + "\n".join(grid)
        + f"\nA rectangle consists of whole {things}, has its sides along the lines of the"
        " map and must not contain any"
        f" {bad if bad != 'tree' else 'plot with a tree'}{'' if bad == 'tree' else f' {things[:-1]}'}. How"
        f" many {things} does the largest such rectangle have?"
    )
    return numeric(rng, text, best)


_PEGS = (
    ("Pegs are driven into a board at the points", "A rubber band is put around three of the pegs."),
    ("Buoys float at the points", "A rope joins three of the buoys to a triangle."),
    ("Posts stand at the points", "Three of the posts are the corners of a fenced triangle."),
)


@family("opt", "geometry")
def largest_triangle(rng: Random) -> Draft | None:
    """The largest triangle with corners among given points."""
    intro, rule = rng.choice(_PEGS)
    count = rng.choice([7, 8, 9])
    points = [(rng.randint(0, 14), rng.randint(0, 14)) for _ in range(count)]
    if len(set(points)) < count:
        return None

    def doubled(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> int:
        return abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]))

    areas = sorted((doubled(*corners) for corners in itertools.combinations(points, 3)), reverse=True)
    if areas[0] - areas[1] < 1 or areas[1] < 0.8 * areas[0]:
        return None
    shown = ", ".join(f"({x}, {y})" for x, y in points)
    text = (
        f"{intro} {shown}. {rule} What is the largest area, in unit squares, that this triangle can have?"
        " Give it as a whole number or with one decimal."
    )
    return numeric(rng, text, Fraction(areas[0], 2))


FAMILIES = (
    edge_path,
    notched_sheet,
    folded_box,
    lattice_polygon,
    grid_walk,
    largest_rectangle,
    largest_triangle,
)
