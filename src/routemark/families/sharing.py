"""Optimisation of shares: teams under rules, units to hand out, and codes of least length."""

from __future__ import annotations

import heapq
import itertools
from random import Random

from routemark.families.base import Draft, bullets, family, numeric, split
from routemark.families.names import people

_TEAMS = (
    (
        "A quiz team fields four of these {n} players:",
        (
            "The four salaries together may not exceed {cap} dollars, and at least two of the four must be"
            " juniors. What is the largest possible total of skill points?"
        ),
        "senior junior",
    ),
    (
        "A string ensemble hires four of these {n} musicians:",
        (
            "Their fees together may not exceed {cap} dollars, and at least two of the four must play the"
            " viola. What is the largest possible total of skill points?"
        ),
        "violin viola",
    ),
    (
        "A cycling team enters four of these {n} riders for a relay:",
        (
            "The four entry fees together may not exceed {cap} dollars, and at least two of the four must be"
            " climbers. What is the largest possible total of skill points?"
        ),
        "sprinter climber",
    ),
)


@family("opt", "planning")
def lineup(rng: Random) -> Draft | None:
    """Best team under three rules."""
    intro, asked, words = rng.choice(_TEAMS)
    kinds = split(words)
    n = rng.choice([8, 9])
    names = people(rng, n)
    rows = [(name, kinds[k % 2], rng.randint(40, 95), rng.randint(30, 90)) for k, name in enumerate(names)]
    rivals, cap = set(rng.sample(range(n), 2)), rng.randint(200, 260)

    def best(*, kind: bool, peace: bool) -> int:
        fits = [
            sum(rows[i][2] for i in team)
            for team in itertools.combinations(range(n), 4)
            if sum(rows[i][3] for i in team) <= cap
            and (not kind or sum(rows[i][1] == kinds[1] for i in team) >= 2)
            and (not peace or not rivals <= set(team))
        ]
        return max(fits, default=0)

    answer = best(kind=True, peace=True)
    if not 0 < answer < best(kind=True, peace=False) < best(kind=False, peace=False):
        return None
    one, two = (names[i] for i in sorted(rivals))
    lines = bullets(f"{name} ({kind}): skill {skill}, {fee} dollars" for name, kind, skill, fee in rows)
    count = {8: "eight", 9: "nine"}[n]
    text = f"{intro.format(n=count)}\n{lines}\n{one} and {two} refuse to appear together. {asked.format(cap=cap)}"
    return numeric(rng, text, answer)


_SHARES = (
    (
        (
            "A foundation has {n} grants of equal size to give to four institutes; an institute may get none,"
            " one or several. Expected papers for 0, 1, 2, ... grants:"
        ),
        "What is the largest expected number of papers in total?",
        "Institute North|Institute South|Institute East|Institute West",
    ),
    (
        (
            "A grower has {n} sacks of fertiliser for four fields and uses only whole sacks; none need be"
            " used. Extra yield in kg for 0, 1, 2, ... sacks on a field:"
        ),
        "What is the largest total extra yield in kg?",
        "Hill field|Brook field|Long field|Mill field",
    ),
    (
        (
            "A studio has {n} extra editors to place among four films. Days saved for 0, 1, 2, ... extra"
            " editors:"
        ),
        "What is the largest total number of days that can be saved?",
        ("Film Orchid|Film Anvil|Film Harbor|Film Comet"),
    ),
)


@family("opt", "optimisation")
def unit_allocation(rng: Random) -> Draft | None:
    """Best split of equal units."""
    intro, asked, places = rng.choice(_SHARES)
    units = rng.choice([6, 7, 8])
    rows = []
    for _ in range(4):
        gains = [rng.choice([0, 1, 2, 3, 5, 8, 11, 14, 19]) for _ in range(units)]
        rows.append([0, *itertools.accumulate(gains)])
    best = [0] * (units + 1)
    for row in rows:
        best = [max(best[n - k] + row[k] for k in range(n + 1)) for n in range(units + 1)]
    placed = [0] * 4
    for _ in range(units):
        gains = [row[k + 1] - row[k] if k < units else -1 for row, k in zip(rows, placed, strict=True)]
        placed[gains.index(max(gains))] += 1
    greedy = sum(row[k] for row, k in zip(rows, placed, strict=True))
    if max(greedy, *(row[-1] for row in rows)) >= best[units]:
        return None
    lines = bullets(
        f"{place}: {', '.join(map(str, row))}" for place, row in zip(split(places), rows, strict=True)
    )
    return numeric(rng, f"{intro.format(n=units)}\n{lines}\n{asked}", best[units])


_MESSAGES = (
    ("A probe reports its state by one of these words", "times a day"),
    ("A sensor sends one of these readings", "times an hour"),
    ("A game writes one of these moves to its record", "times a match"),
)


_STATES = split("idle warm cold wet dry open shut left right stop")


@family("opt", "optimisation")
def prefix_code(rng: Random) -> Draft | None:
    """Fewest bits of a code in which no word begins another."""
    intro, often = rng.choice(_MESSAGES)
    counts = {name: rng.randint(2, 60) for name in rng.sample(_STATES, rng.choice([6, 7, 8]))}
    heap = sorted(counts.values())
    bits = 0
    while len(heap) > 1:  # Huffman 1952
        both = heapq.heappop(heap) + heapq.heappop(heap)
        bits += both
        heapq.heappush(heap, both)
    fixed = 3 * sum(counts.values())
    if bits >= fixed - 10 or len(set(counts.values())) < len(counts):
        return None
    lines = bullets(f"{name}: {count} {often}" for name, count in counts.items())
    text = (
        f"{intro}, so many times:\n{lines}\nEach word gets a code of zeros and ones, and no code may be the"
        " beginning of another. The codes are sent one after another without gaps. What is the smallest total"
        f" number of binary digits for all the words sent in {often.removeprefix('times ')}?"
    )
    return numeric(rng, text, bits)


FAMILIES = (
    lineup,
    unit_allocation,
    prefix_code,
)
