"""Optimisation of networks: which sites to open, which links to build, and what flows through."""

from __future__ import annotations

import itertools
from random import Random

from routemark.families.base import Draft, bullets, family, listed, numeric, split, table

_SITES = (
    (
        (
            "A chain may open any of five depots. An open depot has a fixed monthly cost (column 'fixed'),"
            " and each shop is supplied from one open depot at the monthly cost in the table (all in"
            " dollars):"
        ),
        ("What is the lowest possible total of fixed and supply cost in dollars?"),
        "Ash Bay Cove Dell Edge",
        "shop",
    ),
    (
        (
            "A county places ambulance posts in some of five villages. Each post opened has a yearly cost in"
            " points (column 'fixed'), and each hamlet counts the points in its column for the post that"
            " serves it; it is served by one open post:"
        ),
        "What is the smallest possible total of points?",
        "Arden Brill Corby Dorn Ely",
        "hamlet",
    ),
    (
        (
            "A firm rents some of five cloud regions. Each region rented has a base price (column 'fixed'),"
            " and each customer group is served from one rented region at the price in the table (all in"
            " dollars a day):"
        ),
        ("What is the lowest total price in dollars a day?"),
        "r-amber r-basil r-coral r-dune r-ebony",
        "group",
    ),
)


@family("opt", "optimisation")
def facility_location(rng: Random) -> Draft | None:
    """Which sites to open."""
    intro, asked, sites, noun = rng.choice(_SITES)
    count = rng.choice([6, 7])
    fixed = [rng.randint(25, 70) for _ in range(5)]
    costs = [[rng.randint(5, 60) for _ in range(count)] for _ in range(5)]

    def total(chosen: tuple[int, ...]) -> int:
        return sum(fixed[i] for i in chosen) + sum(min(costs[i][j] for i in chosen) for j in range(count))

    totals = {c: total(c) for size in range(1, 6) for c in itertools.combinations(range(5), size)}
    best = min(totals, key=lambda c: totals[c])
    opened: tuple[int, ...] = ()
    while len(opened) < 5:
        more = min(
            (tuple(sorted((*opened, i))) for i in range(5) if i not in opened), key=lambda c: totals[c]
        )
        if opened and totals[more] >= totals[opened]:
            break
        opened = more
    if totals[opened] <= totals[best] or len(best) not in (2, 3, 4):
        return None
    head = ["", "fixed", *(f"{noun} {j + 1}" for j in range(count))]
    shown = table(head, [[site, f, *row] for site, f, row in zip(split(sites), fixed, costs, strict=True)])
    return numeric(rng, f"{intro}\n{shown}\n{asked}", totals[best])


_NETWORKS = (
    (
        (
            "Six villages are to be joined by cables so that each can reach every other, directly or through"
            " other villages. Possible cables with cost in thousand dollars:"
        ),
        (
            "Exactly five cables are laid, and no village may have more than two cables. What is the lowest"
            " total cost in thousand dollars?"
        ),
        "Ambry Birk Corr Dene Esk Ford",
        2,
    ),
    (
        (
            "Six rooms of an old house get pipes so that all of them hang together in one network. Possible"
            " pipes with cost in dollars:"
        ),
        (
            "Exactly five pipes are laid, and at most three pipes may end in any one room. What is the lowest"
            " total cost in dollars?"
        ),
        "attic bath cellar den entry foyer",
        3,
    ),
)


@family("opt", "optimisation")
def limited_network(rng: Random) -> Draft | None:
    """Cheapest tree with a degree limit."""
    intro, asked, places, limit = rng.choice(_NETWORKS)
    names = split(places)
    cost = {pair: rng.randint(12, 60) for pair in itertools.combinations(range(6), 2)}
    if limit == 3:
        hub = rng.randrange(6)
        for pair in cost:
            if hub in pair:
                cost[pair] = rng.randint(8, 24)
    best = {2: 10**6, 3: 10**6, 5: 10**6}
    for sequence in itertools.product(range(6), repeat=4):  # each tree of six places once (Prüfer 1918)
        degrees = [sequence.count(k) + 1 for k in range(6)]
        total = _tree_cost(sequence, degrees[:], cost)
        for most, cheapest in best.items():
            if max(degrees) <= most:
                best[most] = min(cheapest, total)
    if best[limit] == best[5]:
        return None
    lines = bullets(f"{names[i]} and {names[j]}: {price}" for (i, j), price in cost.items())
    return numeric(rng, f"{intro}\n{lines}\n{asked}", best[limit])


def _tree_cost(sequence: tuple[int, ...], degrees: list[int], cost: dict[tuple[int, int], int]) -> int:
    total = 0
    for k in sequence:
        leaf = degrees.index(1)
        total += cost[min(leaf, k), max(leaf, k)]
        degrees[leaf], degrees[k] = 0, degrees[k] - 1
    i, j = (k for k in range(6) if degrees[k] == 1)
    return total + cost[i, j]


_FLOWS = (
    (
        (
            "Water flows through one-way pipes from the spring S to the town T. Litres a second that each"
            " pipe can carry at most:"
        ),
        "litres a second",
    ),
    (
        (
            "Cars drive on one-way roads from the stadium S to the motorway T. Cars a minute that each road"
            " can take at most:"
        ),
        "cars a minute",
    ),
    (
        (
            "Data run over one-way links from the server S to the client T. Megabits a second that each link"
            " can carry at most:"
        ),
        "megabits a second",
    ),
)


@family("opt", "optimisation")
def largest_flow(rng: Random) -> Draft | None:
    """The largest flow through a network."""
    intro, unit = rng.choice(_FLOWS)
    nodes = "SABCDET"
    room: dict[tuple[str, str], int] = {}
    for i, a in enumerate(nodes):
        for j in range(i + 1, min(i + 4, len(nodes))):
            if rng.random() < 0.8 and (a, nodes[j]) != ("S", "T"):
                room[a, nodes[j]] = rng.randint(3, 20)
    room["D", "B"] = rng.randint(2, 9)
    left = dict(room)
    flow = 0
    while path := _widening(left, nodes):
        amount = min(left[step] for step in path)
        for a, b in path:
            left[a, b] -= amount
            left[b, a] = left.get((b, a), 0) + amount
        flow += amount
    ends = [
        sum(n for (a, b), n in room.items() if a == "S"),
        sum(n for (a, b), n in room.items() if b == "T"),
    ]
    if flow in (0, *ends):
        return None
    order = rng.sample(list(room), len(room))
    lines = bullets(f"{a} to {b}: {room[a, b]}" for a, b in order)
    text = f"{intro}\n{lines}\nNothing is stored or lost at {listed(list(nodes[1:-1]))}. How many {unit} can get from S to T at the most?"
    return numeric(rng, text, flow)


def _widening(left: dict[tuple[str, str], int], nodes: str) -> list[tuple[str, str]]:
    """Give a shortest path with room left, as its steps; empty when there is none (Edmonds and Karp 1972)."""
    came: dict[str, str] = {"S": ""}
    queue = ["S"]
    for a in queue:
        for b in nodes:
            if b not in came and left.get((a, b), 0) > 0:
                came[b] = a
                queue.append(b)
    if "T" not in came:
        return []
    path, at = [], "T"
    while came[at]:
        path.append((came[at], at))
        at = came[at]
    return path


FAMILIES = (
    facility_location,
    limited_network,
    largest_flow,
)
