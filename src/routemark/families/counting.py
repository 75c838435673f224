"""Combinatorics: choices, rows under rules, routes around obstacles, code words, and best selections."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from random import Random

from routemark.families.base import Draft, bullets, family, listed, number_name, numeric
from routemark.families.names import initials

_TEAMS = (
    (
        "A quiz team is made of {a} of {n} chemists and {b} of {m} historians.",
        "How many different teams are possible?",
    ),
    (
        "A bouquet takes {a} of {n} different roses and {b} of {m} different lilies.",
        "How many different bouquets are there?",
    ),
    (
        "A tasting menu lists {a} of {n} starters and {b} of {m} desserts.",
        "How many different menus are there?",
    ),
    (
        "A jury consists of {a} of {n} critics and {b} of {m} musicians.",
        "How many different juries can be formed?",
    ),
)


@family("easy", "combinatorics")
def two_groups(rng: Random) -> Draft | None:
    """Choosing some of two groups."""
    n, m = rng.randint(4, 9), rng.randint(4, 8)
    a, b = rng.randint(2, 3), rng.randint(1, 3)
    if a >= n or b >= m:
        return None
    intro, asked = rng.choice(_TEAMS)
    text = f"{intro.format(a=a, b=b, n=n, m=m)} The order does not matter. {asked}"
    return numeric(rng, text, math.comb(n, a) * math.comb(m, b))


_CODES = ("A locker code", "A voucher code", "The name of a gate", "A radio call sign")


@family("easy", "combinatorics")
def short_codes(rng: Random) -> Draft | None:
    """How many codes a rule allows."""
    letters, digits = rng.randint(3, 7), rng.randint(4, 9)
    places, numbers = rng.randint(2, 4), rng.randint(1, 3)
    repeat = rng.random() < 0.5
    if places >= letters or places + numbers > 6:
        return None
    first = letters**places if repeat else math.perm(letters, places)
    rule = "may repeat" if repeat else "must all be different"
    last = "ABCDEFG"[letters - 1]
    text = (
        f"{rng.choice(_CODES)} consists of {places} letters, each from A to {last}, followed by {numbers}"
        f" digit{'s' if numbers > 1 else ''} from 1 to {digits}. The letters"
        f" {rule}{', and the digits may repeat' if numbers > 1 else ''}. How many such codes are there?"
    )
    return numeric(rng, text, first * digits**numbers)


_ROWS = (
    ("people", "sit in a row of seven chairs", "sits", "sit"),
    ("singers", "stand side by side in one row", "stands", "stand"),
    ("floats", "drive one behind another in a parade", "drives", "drive"),
)
Rule = tuple[str, Callable[[dict[str, int]], bool]]


def _row_rule(rng: Random, kind: int, names: list[str], verbs: tuple[str, str]) -> Rule:
    """Give a rule of a kind about one or two of the names."""
    a, b = rng.sample(names, 2)
    place, ends, before = (
        ("in the parade", "is neither the first nor the last", "somewhere in front of")
        if verbs[1] == "drive"
        else ("in the row", "is not at either end", "somewhere to the left of")
    )
    rules: list[Rule] = [
        (f"{a} and {b} are neighbours {place}.", lambda p: abs(p[a] - p[b]) == 1),
        (f"{a} {ends}.", lambda p: 0 < p[a] < 6),
        (f"{a} is {before} {b}.", lambda p: p[a] < p[b]),
        (f"{a} and {b} are not neighbours {place}.", lambda p: abs(p[a] - p[b]) != 1),
        (f"Exactly one other {verbs[0]} between {a} and {b}.", lambda p: abs(p[a] - p[b]) == 2),
        (f"Exactly two others {verbs[1]} between {a} and {b}.", lambda p: abs(p[a] - p[b]) == 3),
    ]
    return rules[kind]


@family("hard", "combinatorics")
def restricted_rows(rng: Random) -> Draft | None:
    """Number of orders under rules."""
    what, how, stands, stand = rng.choice(_ROWS)
    names = initials(rng, 7)
    kinds = rng.sample([0, 1, 2, 2, 3, 4, 5], 4)
    rules = [_row_rule(rng, kind, names, (stands, stand)) for kind in kinds]
    total = 0
    for order in itertools.permutations(names):
        places = {name: k for k, name in enumerate(order)}
        total += all(holds(places) for _, holds in rules)
    if total < 30:
        return None
    text = (
        f"Seven {what}, {listed(names)}, {how}. These rules hold: {' '.join(words for words, _ in rules)} In"
        " how many different orders can they be arranged?"
    )
    return numeric(rng, text, total)


_STREETS = (
    ("A courier walks from the south-west corner of a street grid to its north-east corner", "crossings"),
    (
        "A toy tram runs from the south-west corner of a square lattice of rails to its north-east corner",
        "switches",
    ),
    (
        "Water flows from the south-west corner of a square lattice of pipes to its north-east corner",
        "joints",
    ),
)


@family("hard", "combinatorics")
def blocked_routes(rng: Random) -> Draft | None:
    """Number of shortest routes around closed points."""
    intro, points = rng.choice(_STREETS)
    width, height = rng.randint(5, 7), rng.randint(4, 6)
    inner = [(x, y) for x in range(width + 1) for y in range(height + 1) if 0 < x + y < width + height]
    closed = sorted(rng.sample(inner, rng.randint(3, 5)))
    ways = {(0, 0): 1}
    for x, y in itertools.product(range(width + 1), range(height + 1)):
        if (x, y) != (0, 0):
            open_ = (x, y) not in closed
            ways[x, y] = (ways.get((x - 1, y), 0) + ways.get((x, y - 1), 0)) if open_ else 0
    total = ways[width, height]
    useful = sum(_routes(x, y) * _routes(width - x, height - y) > 10 for x, y in closed)
    if total < 25 or useful < 3:
        return None
    text = (
        f"{intro}, {width} blocks east and {height} blocks north, and only ever goes east or north along the"
        f" lines. {points.capitalize()} are named (x, y), x blocks east and y blocks north of the start. The"
        f" {points} {listed([f'({x}, {y})' for x, y in closed])} are closed and must not be passed. How many"
        " different routes are there?"
    )
    return numeric(rng, text, total)


def _routes(x: int, y: int) -> int:
    return math.comb(x + y, x)


_SIGNALS = (
    ("A lighthouse sends signals of {n} flashes, each red (R), green (G) or white (W).", "RGW", "signals"),
    ("A border of {n} tiles in a row uses black (B), cream (C) and teal (T) tiles.", "BCT", "borders"),
    ("A straight string of {n} beads is made of amber (A), jade (J) and onyx (O) beads.", "AJO", "strings"),
)


@family("hard", "combinatorics")
def forbidden_patterns(rng: Random) -> Draft | None:
    """Number of strings without certain neighbours."""
    intro, letters, plural = rng.choice(_SIGNALS)
    n = rng.randint(6, 9)
    pairs = ["".join(pair) for pair in itertools.product(letters, repeat=2)]
    forbidden = sorted(rng.sample(pairs, rng.choice([2, 3])))
    first = rng.choice(letters)
    counts = {letter: int(letter != first) for letter in letters}
    for _ in range(n - 1):
        counts = {
            letter: sum(count for before, count in counts.items() if before + letter not in forbidden)
            for letter in letters
        }
    total = sum(counts.values())
    if total < 40:
        return None
    text = (
        f"{intro.format(n=n)} From left to right, none of these pairs may stand side by side in this order:"
        f" {', '.join(forbidden)}. The first must not be {first}. How many different {plural} are possible?"
    )
    return numeric(rng, text, total)


_PARTIES = (
    (
        "A host may invite any of these people to a dinner, each bringing some bottles of wine",
        "bottles",
        "But each of these pairs has quarrelled, and at most one of the two may come",
        "number of bottles",
    ),
    (
        "A gallery may hang any of these paintings, each worth some points to the visitors",
        "points",
        "But each of these pairs clashes, and at most one of the two may hang",
        "number of points",
    ),
    (
        "A farmer may grow any of these crops, each earning some coins",
        "coins",
        "But each of these pairs harms each other, and at most one of the two may be grown",
        "number of coins",
    ),
)


@family("opt", "combinatorics")
def guest_list(rng: Random) -> Draft | None:
    """The best selection without forbidden pairs."""
    intro, unit, rule, asked = rng.choice(_PARTIES)
    n = rng.choice([8, 9, 10])
    names = ["ABCDEFGHIJ"[k] for k in range(n)]
    worth = [rng.randint(3, 20) for _ in names]
    pairs = [pair for pair in itertools.combinations(range(n), 2) if rng.random() < 0.32]

    def best(left: tuple[int, ...]) -> int:
        """Give the largest worth among those left: with or without the first."""
        if not left:
            return 0
        first, *rest = left
        friends = tuple(k for k in rest if (first, k) not in pairs)
        return max(best(tuple(rest)), worth[first] + best(friends))

    answer = best(tuple(range(n)))
    free, greedy = list(range(n)), 0
    while free:
        top = max(free, key=lambda k: worth[k])
        greedy += worth[top]
        free = [k for k in free if k != top and (k, top) not in pairs and (top, k) not in pairs]
    if greedy >= answer or len(pairs) < n:
        return None
    text = (
        f"{intro}:\n{bullets(f'{name}: {value} {unit}' for name, value in zip(names, worth, strict=True))}\n{rule}:"
        f" {', '.join(f'{names[i]}-{names[j]}' for i, j in pairs)}. What is the largest total {asked}?"
    )
    return numeric(rng, text, answer)


_SERIES = (
    ("Shops stand along a street in this order, each paying the number of coins shown for a visit", "coins"),
    ("Stones lie along a path in this order, each with the number of points written on it", "points"),
    ("Offers arrive one after another, each worth the number of dollars shown", "dollars"),
)


@family("opt", "combinatorics")
def best_rising(rng: Random) -> Draft | None:
    """The best rising selection from a row of numbers."""
    intro, unit = rng.choice(_SERIES)
    values = [rng.randint(3, 40) for _ in range(rng.choice([11, 12, 13]))]
    best: list[int] = []
    for k, value in enumerate(values):
        best.append(value + max((best[j] for j in range(k) if values[j] < value), default=0))
    greedy, last = 0, 0
    for value in values:
        if value > last:
            greedy, last = greedy + value, value
    if greedy >= max(best) or max(best) in values:
        return None
    text = (
        f"{intro}: {', '.join(map(str, values))}. Some of them are taken, from left to right, such that each"
        " number taken is larger than the one taken before it; the others are passed over. What is the"
        f" largest total of {unit}?"
    )
    return numeric(rng, text, max(best))


_LOADS = (
    ("Two rowing boats take {n} people with these weights in kg", "boat", "weight", "heavier"),
    ("{N} boxes with these weights in kg go onto the two sides of a mule", "side", "weight", "heavier"),
    ("{N} songs with these lengths in seconds go onto the two sides of a record", "side", "length", "longer"),
    ("{N} players with these scores form two teams", "team", "score", "stronger"),
)


@family("opt", "combinatorics")
def fair_split(rng: Random) -> Draft | None:
    """The fairest split into two groups of equal size."""
    intro, group, what, more = rng.choice(_LOADS)
    n = rng.choice([8, 10])
    values = rng.sample(range(41, 140), n)
    total = sum(values)
    answer = min(
        half for chosen in itertools.combinations(values, n // 2) if 2 * (half := sum(chosen)) >= total
    )
    zigzag = sum(value for k, value in enumerate(sorted(values)) if k % 4 in (0, 3))
    if 2 * answer == total or max(zigzag, total - zigzag) == answer:
        return None
    shown = intro.format(n=number_name(n).lower(), N=number_name(n))
    text = (
        f"{shown}: {', '.join(map(str, values))}. Exactly {n // 2} go to each {group}, and the two {group}s"
        f" shall differ as little as possible in their total {what}. What is then the total {what} of the"
        f" {more} {group}?"
    )
    return numeric(rng, text, answer)


FAMILIES = (
    two_groups,
    short_codes,
    restricted_rows,
    blocked_routes,
    forbidden_patterns,
    guest_list,
    best_rising,
    fair_split,
)
