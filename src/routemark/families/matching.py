"""Optimisation of who goes with what: assignments, pairs, shipments, sites, networks and flows."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache
from random import Random

from routemark.families.base import Draft, bullets, family, numeric, split, table
from routemark.families.names import people

_JOBS = (
    (
        (
            "A workshop has {n} jobs and {n} fitters; each fitter does exactly one job. Hours needed (rows:"
            " fitters, columns: jobs):"
        ),
        "What is the smallest possible total number of hours?",
        "gearbox pump lathe crane press valve",
    ),
    (
        (
            "Each of {n} translators takes exactly one of {n} manuscripts. Fee in dollars (rows: translators,"
            " columns: manuscripts):"
        ),
        "What is the lowest total fee, in dollars?",
        "atlas novel manual diary play essays",
    ),
    (
        (
            "A school pairs {n} coaches with {n} teams, one coach to a team. Expected wins this season (rows:"
            " coaches, columns: teams):"
        ),
        "What is the largest total of expected wins?",
        "rowing fencing judo hockey tennis archery",
    ),
    (
        (
            "A dispatcher gives each of {n} drivers exactly one of {n} tours. Distance driven in km (rows:"
            " drivers, columns: tours):"
        ),
        "What is the smallest total distance in km?",
        "harbour airport old-town campus market hills",
    ),
)


@family("opt", "optimisation")
def assignment(rng: Random) -> Draft | None:
    """Best one-to-one assignment."""
    intro, asked, jobs = rng.choice(_JOBS)
    n = rng.choice([5, 6, 6])
    best_of: Callable[..., int] = max if "largest" in asked else min
    costs = [[rng.randint(12, 48) for _ in range(n)] for _ in range(n)]

    @cache
    def best(row: int, free: int) -> int:
        if row == n:
            return 0
        return best_of(costs[row][c] + best(row + 1, free & ~(1 << c)) for c in range(n) if free >> c & 1)

    answer = best(0, (1 << n) - 1)
    cells = sorted(((costs[r][c], r, c) for r in range(n) for c in range(n)), reverse="largest" in asked)
    rows, columns, greedy = set[int](), set[int](), 0
    for cost, r, c in cells:
        if r not in rows and c not in columns:
            rows.add(r)
            columns.add(c)
            greedy += cost
    bounds = [sum(map(best_of, costs)), sum(map(best_of, zip(*costs, strict=True)))]
    if answer in (greedy, *bounds):
        return None
    names = people(rng, n)
    shown = table(["", *split(jobs)[:n]], [[name, *row] for name, row in zip(names, costs, strict=True)])
    return numeric(rng, f"{intro.format(n={5: 'five', 6: 'six'}[n])}\n{shown}\n{asked}", answer)


_PAIRS = (
    (
        "{N} rowers are put into {h} double boats. The table of points says how well two rowers go together:",
        "What is the largest total of points over all boats?",
        "",
    ),
    (
        "{N} wagons must be coupled in {h} pairs. Coupling cost in dollars for each pair:",
        "What is the lowest total coupling cost in dollars?",
        "W1 W2 W3 W4 W5 W6 W7 W8",
    ),
    (
        "{N} speakers share {h} hotel rooms, two to a room. Disturbance score of each pair:",
        "What is the smallest total disturbance score?",
        "",
    ),
)


@family("opt", "optimisation")
def pairing(rng: Random) -> Draft | None:
    """Best perfect matching."""
    intro, asked, things = rng.choice(_PAIRS)
    n = rng.choice([6, 8])
    names = split(things)[:n] if things else people(rng, n)
    best_of: Callable[..., int] = max if "largest" in asked else min
    value = {(i, j): rng.randint(11, 49) for i, j in itertools.combinations(range(n), 2)}

    @cache
    def best(left: int) -> int:
        if not left:
            return 0
        i = (left & -left).bit_length() - 1
        return best_of(
            value[i, j] + best(left & ~(1 << i) & ~(1 << j)) for j in range(i + 1, n) if left >> j & 1
        )

    answer = best((1 << n) - 1)
    used, greedy = set[int](), 0
    for (i, j), worth in sorted(value.items(), key=lambda item: item[1], reverse="largest" in asked):
        if not used & {i, j}:
            used |= {i, j}
            greedy += worth
    if greedy == answer:
        return None
    words = {6: ("Six", "three"), 8: ("Eight", "four")}[n]
    lines = bullets(f"{names[i]} and {names[j]}: {worth}" for (i, j), worth in value.items())
    return numeric(rng, f"{intro.format(N=words[0], h=words[1])}\n{lines}\n{asked}", answer)


_GOODS = (
    (
        (
            "Lorry loads of gravel go from quarries to building sites, whole loads only. Loads available:"
            " {s}. Loads needed: {d}. Cost in dollars per load (rows: quarries, columns: sites):"
        ),
        ("Every site must get exactly what it needs. What is the lowest total cost in dollars?"),
        "Grey Marl Flint",
        "bridge school dock",
    ),
    (
        (
            "Hire bicycles must be moved from stations with too many to stations with too few. Bicycles to"
            " spare: {s}. Bicycles missing: {d}. Minutes per bicycle moved (rows: from, columns: to):"
        ),
        ("All missing bicycles must be brought. What is the smallest total number of minutes?"),
        "park station beach",
        "museum stadium harbour",
    ),
    (
        (
            "Greenhouses send crates of seedlings to shops. Crates available: {s}. Crates ordered: {d}. Cost"
            " in dollars per crate (rows: greenhouses, columns: shops):"
        ),
        "Every order is filled exactly. What is the lowest total cost in dollars?",
        "Lund Moss Roth",
        "Alma Bea Cora",
    ),
)


@family("opt", "optimisation")
def transport(rng: Random) -> Draft | None:
    """Cheapest shipping plan."""
    intro, asked, sources, sinks = rng.choice(_GOODS)
    supply = [rng.randint(4, 8) for _ in range(3)]
    demand = [rng.randint(3, 7) for _ in range(3)]
    if not 0 <= sum(supply) - sum(demand) <= 3:
        return None
    costs = [[rng.randint(4, 25) for _ in range(3)] for _ in range(3)]

    @cache
    def best(column: int, left: tuple[int, ...]) -> int:
        if column == 3:
            return 0
        options = []
        for a, b in itertools.product(range(left[0] + 1), range(left[1] + 1)):
            c = demand[column] - a - b
            if 0 <= c <= left[2]:
                price = a * costs[0][column] + b * costs[1][column] + c * costs[2][column]
                options.append(price + best(column + 1, (left[0] - a, left[1] - b, left[2] - c)))
        return min(options, default=10**6)

    answer = best(0, tuple(supply))
    have, need, greedy = supply[:], demand[:], 0
    for cost, r, c in sorted((costs[r][c], r, c) for r in range(3) for c in range(3)):
        moved = min(have[r], need[c])
        have[r], need[c], greedy = have[r] - moved, need[c] - moved, greedy + moved * cost
    if greedy <= answer:
        return None
    rows, columns = split(sources), split(sinks)
    shown = table(["", *columns], [[name, *row] for name, row in zip(rows, costs, strict=True)])
    s, d = (
        ", ".join(f"{name} {n}" for name, n in zip(names, amounts, strict=True))
        for names, amounts in ((rows, supply), (columns, demand))
    )
    return numeric(rng, f"{intro.format(s=s, d=d)}\n{shown}\n{asked}", answer)


FAMILIES = (
    assignment,
    pairing,
    transport,
)
