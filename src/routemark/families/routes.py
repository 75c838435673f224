"""The best routes: tours, deliveries, paths within a budget, ways over a grid, and stops for fuel."""

from __future__ import annotations

import heapq
import itertools
from random import Random

from routemark.families.base import Draft, bullets, family, numeric, split
from routemark.families.names import TOWNS

_TOURS = (
    (
        (
            "A service engineer starts at the depot, visits every site exactly once and returns to the depot."
            " Driving times in minutes, the same in both directions:"
        ),
        "What is the shortest possible total driving time in minutes?",
        "depot Alder Birch Cedar Elm Fir Gorse Hazel",
    ),
    (
        (
            "A mail boat leaves the harbour, calls at every island exactly once and comes back to the"
            " harbour. Sailing times in minutes, the same in both directions:"
        ),
        "What is the shortest possible round trip in minutes?",
        "harbour Aro Bel Cim Dun Eska Fen Gild",
    ),
    (
        (
            "A drilling head starts at the home position, visits each hole exactly once and returns home."
            " Travel between points in millimetres, the same in both directions:"
        ),
        "What is the smallest total travel in millimetres?",
        "home H1 H2 H3 H4 H5 H6 H7",
    ),
    (
        (
            "A night watchman starts in the lodge, visits every other building exactly once and ends in the"
            " lodge again. Walking times in seconds, the same in both directions:"
        ),
        "What is the shortest possible round in seconds?",
        "lodge mill barn dairy forge kiln silo stable",
    ),
)


def _distances(rng: Random, n: int, size: int) -> dict[tuple[int, int], int]:
    points = [(rng.uniform(0, size), rng.uniform(0, size)) for _ in range(n)]
    found = {}
    for i, j in itertools.combinations(range(n), 2):
        (x, y), (u, v) = points[i], points[j]
        found[i, j] = found[j, i] = int(((x - u) ** 2 + (y - v) ** 2) ** 0.5 * rng.uniform(0.9, 1.4)) + 5
    return found


def _shortest_tour(d: dict[tuple[int, int], int], n: int) -> int:
    """Give the shortest tour by dynamic programming over subsets (Held and Karp 1962)."""
    best = {(1 << i, i): d[0, i] for i in range(1, n)}
    for size in range(2, n):
        for chosen in itertools.combinations(range(1, n), size):
            bits = sum(1 << i for i in chosen)
            for j in chosen:
                best[bits, j] = min(best[bits & ~(1 << j), k] + d[k, j] for k in chosen if k != j)
    return min(best[(1 << n) - 2, j] + d[j, 0] for j in range(1, n))


@family("opt", "planning")
def round_trip(rng: Random) -> Draft | None:
    """Shortest tour."""
    intro, asked, places = rng.choice(_TOURS)
    names = split(places)[: rng.choice([6, 7, 7, 8])]
    n = len(names)
    d = _distances(rng, n, 60)
    here, left, greedy = 0, list(range(1, n)), 0
    while left:
        there = min(left, key=lambda place: d[here, place])
        greedy, here = greedy + d[here, there], there
        left.remove(there)
    best = _shortest_tour(d, n)
    if greedy + d[here, 0] <= 1.03 * best:
        return None
    lines = bullets(f"{names[i]} - {names[j]}: {d[i, j]}" for i, j in itertools.combinations(range(n), 2))
    return numeric(rng, f"{intro}\n{lines}\n{asked}", best)


_RIDES = (
    ("A courier on a cargo bike starts at the base with an empty box", "parcel", "minutes"),
    ("A taxi boat starts at the base without passengers", "guest", "minutes"),
    ("A forklift starts at the base with nothing on its fork rack", "pallet", "seconds"),
)


@family("opt", "planning")
def pick_up_and_deliver(rng: Random) -> Draft | None:
    """Shortest route that picks up before it delivers."""
    intro, thing, unit = rng.choice(_RIDES)
    count = 3
    names = ["base", *rng.sample(TOWNS, 2 * count)]
    d = _distances(rng, 2 * count + 1, 40)
    best, nearest = 10**9, 10**9
    for order in itertools.permutations(range(1, 2 * count + 1)):
        if all(order.index(2 * k + 1) < order.index(2 * k + 2) for k in range(count)):
            total = sum(d[a, b] for a, b in zip((0, *order), order, strict=False))
            best = min(best, total)
            straight = all(order.index(2 * k + 2) == order.index(2 * k + 1) + 1 for k in range(count))
            nearest = min(nearest, total) if straight else nearest
    if best >= nearest:
        return None
    jobs = bullets(f"{thing} {k + 1}: from {names[2 * k + 1]} to {names[2 * k + 2]}" for k in range(count))
    lines = bullets(
        f"{names[i]} - {names[j]}: {d[i, j]}" for i, j in itertools.combinations(range(2 * count + 1), 2)
    )
    text = (
        f"{intro} and has these jobs:\n{jobs}\nAny number of {thing}s can be carried at the same time, and"
        f" each place is visited exactly once. Travel in {unit}, the same in both directions:\n{lines}\nThe"
        f" route ends at the last delivery. What is the smallest total travel in {unit}?"
    )
    return numeric(rng, text, best)


_NETS = (
    (
        "A lorry drives from {s} to {t}. One-way roads, with driving time and toll:",
        "minutes",
        "dollars",
        (
            "The driver may spend at most {b} dollars on tolls in all. What is the shortest possible driving"
            " time in minutes?"
        ),
        "ABCDEFGH",
        1,
    ),
    (
        (
            "A packet of data travels from node {s} to node {t} over one-way links, each with a delay and a"
            " number of risk points:"
        ),
        "ms",
        "risk points",
        (
            "The route may gather at most {b} risk points in all. What is the smallest possible total delay"
            " in ms?"
        ),
        "PQRSTUVW",
        1,
    ),
    (
        (
            "A hiker goes from hut {s} to hut {t} along marked one-way trails, each with a walking time and a"
            " climb:"
        ),
        "minutes",
        "metres of climb",
        (
            "She will not climb more than {b} metres in all. What is the shortest possible walking time in"
            " minutes?"
        ),
        "JKLMNOPQ",
        40,
    ),
)
Edge = tuple[str, str, int, int]


def _best_within(edges: list[Edge], start: str, end: str, budget: int) -> int | None:
    """Give the least time within a budget, by labels in the order of time."""
    queue, cheapest = [(0, 0, start)], dict[str, int]()
    while queue:
        time, spent, place = heapq.heappop(queue)
        if place == end:
            return time
        if cheapest.get(place, budget + 1) <= spent:
            continue
        cheapest[place] = spent
        for a, b, x, y in edges:
            if a == place and spent + y <= budget:
                heapq.heappush(queue, (time + x, spent + y, b))
    return None


@family("opt", "planning")
def budgeted_path(rng: Random) -> Draft | None:
    """Fastest path within a budget."""
    intro, unit, other, asked, nodes, scale = rng.choice(_NETS)
    edges: list[Edge] = [
        (
            a,
            nodes[j],
            rng.randint(8, 30) * (j - i) - rng.randint(0, 6),
            rng.choice([0, 2, 3, 4, 5, 6, 7, 8, 9]) * scale,
        )
        for i, a in enumerate(nodes)
        for j in range(i + 1, min(i + 4, len(nodes)))
        if rng.random() < 0.85
    ]
    edges.append((nodes[4], nodes[2], rng.randint(3, 9), rng.choice([0, 2, 3]) * scale))
    rng.shuffle(edges)
    budget = rng.randint(8, 16) * scale
    best, free, tighter = (
        _best_within(edges, nodes[0], nodes[-1], b) for b in (budget, 10**6, budget - 2 * scale)
    )
    if best is None or free is None or best - free < 4 or best == tighter:
        return None
    lines = bullets(f"{a} to {b}: {x} {unit}, {y} {other}" for a, b, x, y in edges)
    return numeric(rng, f"{intro.format(s=nodes[0], t=nodes[-1])}\n{lines}\n{asked.format(b=budget)}", best)


_GRIDS = (
    (
        (
            "A robot crosses a field of tiles from the top left to the bottom right corner. Each step goes"
            " one tile to the right or one tile down. Every tile it stands on, the first and the last"
            " included, uses the battery units shown:"
        ),
        "What is the smallest number of battery units for the whole way?",
    ),
    (
        (
            "A collector walks over a grid of stalls from the top left to the bottom right, each step one"
            " stall to the right or one stall down, and picks up the coins shown at every stall passed, the"
            " first and the last included:"
        ),
        "What is the largest number of coins that can be collected?",
    ),
    (
        (
            "Water is led from the top left cell of a plan to the bottom right one. From a cell the channel"
            " continues one cell to the right or one cell down. Digging a cell costs the dollars shown, the"
            " first and last cell included:"
        ),
        "What is the lowest possible cost in dollars?",
    ),
)


@family("opt", "planning")
def grid_route(rng: Random) -> Draft | None:
    """Best monotone route."""
    intro, asked = rng.choice(_GRIDS)
    n, better = rng.choice([6, 7]), max if "largest" in asked else min
    grid = [[rng.randint(1, 9) for _ in range(n)] for _ in range(n)]
    best = [[0] * n for _ in range(n)]
    for r, c in itertools.product(range(n), repeat=2):
        before = [best[r - 1][c]] * (r > 0) + [best[r][c - 1]] * (c > 0)
        best[r][c] = grid[r][c] + (better(before) if before else 0)
    r = c = 0
    greedy = grid[0][0]
    while (r, c) != (n - 1, n - 1):
        steps = [(grid[x][y], x, y) for x, y in ((r + 1, c), (r, c + 1)) if x < n and y < n]
        value, r, c = better(steps)
        greedy += value
    if abs(greedy - best[-1][-1]) < 3:
        return None
    shown = "\n".join(" ".join(map(str, row)) for row in grid)
    return numeric(rng, f"{intro}\n{shown}\n{asked}", best[-1][-1])


@family("opt", "planning")
def fuel_stops(rng: Random) -> Draft | None:
    """The cheapest way to fill up along a road."""
    tank = rng.choice([30, 40, 50])
    count = rng.choice([6, 7, 8])
    gaps = [rng.randint(8, 22) for _ in range(count)]
    prices = [rng.randint(2, 9) for _ in range(count)]
    start = rng.randint(5, gaps[0] + 6)
    fuel = {start: 0}  # litres in the tank -> least spent
    greedy_fuel, greedy_cost = start, 0
    if start < gaps[0]:
        return None
    for gap, price, following in zip(gaps, prices, [*gaps[1:], None], strict=True):
        arrived = {litres - gap: cost for litres, cost in fuel.items() if litres >= gap}
        greedy_fuel -= gap
        if following is None:
            fuel = arrived
            break
        if greedy_fuel < following:  # buys just enough to get on
            greedy_cost += (following - greedy_fuel) * price
            greedy_fuel = following
        fuel = {}
        for litres, cost in arrived.items():
            for bought in range(tank - litres + 1):
                fuel[litres + bought] = min(fuel.get(litres + bought, 10**9), cost + bought * price)
    best = min(fuel.values())
    if best >= greedy_cost or best == 0 or max(gaps) > tank:
        return None
    lines = bullets(
        f"station {k + 1}: {gap} km after {'the start' if k == 0 else f'station {k}'}, {price} dollars a"
        " litre"
        for k, (gap, price) in enumerate(zip(gaps[:-1], prices[:-1], strict=True))
    )
    text = (
        f"A lorry uses one litre of fuel for each km. Its tank holds {tank} litres, and at the start {start}"
        f" litres are in it. Along the road there are fuel stations, which sell whole litres:\n{lines}\nThe"
        f" goal is {gaps[-1]} km after station {count - 1}. The lorry need not have any fuel left at the"
        " goal. What is the smallest amount of money, in dollars, for which it can get there?"
    )
    return numeric(rng, text, best)


FAMILIES = (round_trip, pick_up_and_deliver, budgeted_path, grid_route, fuel_stops)
