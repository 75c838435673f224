"""Probability: draws, spinners, sources, dice under a condition, unfinished matches, and when to stop."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations_with_replacement
from random import Random

from routemark.families.base import Draft, bullets, family, fraction, split
from routemark.families.names import people

_URNS = (
    (
        "A bag holds {} marbles. One is drawn at random and not put back, then a second one is drawn.",
        "red blue green",
    ),
    (
        (
            "A box contains {} mangoes. Two are taken out at random, one after the other, without putting the"
            " first back."
        ),
        "ripe green spoiled",
    ),
    (
        (
            "A drawer has {} socks. In the dark two socks are taken out at random, one after the other and"
            " without putting the first back."
        ),
        "black grey white",
    ),
    (
        "In a tray lie {} chips. Two of them are picked at random, the second without returning the first.",
        "gold silver copper",
    ),
    ("A kennel keeps {} puppies. Two of them are chosen at random for a walk.", "brown black spotted"),
)


@family("easy", "probability")
def two_draws(rng: Random) -> Draft | None:
    """Probability of two draws."""
    intro, kinds = rng.choice(_URNS)
    names = split(kinds)
    counts = rng.sample(range(2, 10), 3)
    n, special = sum(counts), rng.randrange(3)
    k, pairs = counts[special], n * (n - 1)
    asked, hits = rng.choice(
        [
            ("both are alike", sum(count * (count - 1) for count in counts)),
            (f"neither of them is {names[special]}", (n - k) * (n - k - 1)),
            (f"exactly one of them is {names[special]}", 2 * k * (n - k)),
        ]
    )
    (a, b, c), (x, y, z) = counts, names
    intro = intro.format(f"{a} {x}, {b} {y} and {c} {z}")
    return fraction(f"{intro} What is the probability that {asked}?", Fraction(hits, pairs))


@family("easy", "probability")
def two_wheels(rng: Random) -> Draft | None:
    """Probability of a sum on two wheels of fortune."""
    one, two = ([rng.randint(1, 12) for _ in range(rng.choice([4, 5, 6]))] for _ in range(2))
    sums = Counter(a + b for a in one for b in two)
    limit = rng.randint(8, 16)
    kind = rng.choice(["more than", "exactly", "less than"])
    tests: dict[str, Callable[[int], bool]] = {
        "more than": lambda total: total > limit,
        "exactly": lambda total: total == limit,
        "less than": lambda total: total < limit,
    }
    hits, total = sum(count for value, count in sums.items() if tests[kind](value)), len(one) * len(two)
    if not 2 <= hits < total - 1 or Fraction(hits, total).denominator < 4:
        return None
    text = (
        f"Wheel A has {len(one)} equal sectors with the numbers {', '.join(map(str, one))}; wheel B has"
        f" {len(two)} equal sectors with the numbers {', '.join(map(str, two))}. Both are spun once. What is"
        f" the probability that the two numbers add up to {kind} {limit}?"
    )
    return fraction(text, Fraction(hits, total))


_SOURCES = (
    (
        "Every bin of screws in a store was filled by a single machine:",
        "machine",
        "bins",
        "bin",
        "screw",
        "by machine",
        "was filled",
    ),
    (
        "Every tray of glass beads was fired in a single oven:",
        "oven",
        "trays",
        "tray",
        "bead",
        "in oven",
        "was fired",
    ),
    (
        "Every roll of labels was printed on a single press:",
        "press",
        "rolls",
        "roll",
        "label",
        "on press",
        "was printed",
    ),
)


@family("hard", "probability")
def which_source(rng: Random) -> Draft | None:
    """Bayes: which source made the part."""
    intro, noun, plural, lot, piece, where, made = rng.choice(_SOURCES)
    shares = rng.choice([(50, 30, 20), (40, 40, 20), (60, 25, 15), (20, 30, 50), (45, 35, 20), (10, 60, 30)])
    rates = rng.sample([4, 5, 8, 10, 15, 20, 25, 40, 50], 3)
    wanted, seen = rng.randrange(3), rng.choice(["Exactly one", "At least one"])
    weights = []
    for share, rate in zip(shares, rates, strict=True):
        fault = Fraction(rate, 100)
        chance = 2 * fault * (1 - fault) if seen == "Exactly one" else 1 - (1 - fault) ** 2
        weights.append(share * chance)
    lines = bullets(
        f"{noun} {name}: {share} % of the {plural}, fault rate {rate} %"
        for name, share, rate in zip("ABC", shares, rates, strict=True)
    )
    text = (
        f"{intro}\n{lines}\nA {lot} is picked at random, and two {piece}s from it are tested. Take the two"
        f" tests as independent, each with the fault rate of the {noun}. {seen} {piece} is faulty. What is"
        f" the probability that the {lot} {made} {where} {'ABC'[wanted]}?"
    )
    return fraction(text, weights[wanted] / sum(weights))


Test = Callable[[tuple[int, ...]], bool]


def _conditions(rng: Random, dice: int, faces: int) -> list[tuple[str, Test]]:
    least, face = rng.randint(dice * faces // 2, dice * faces - faces), rng.randint(1, faces)
    return [
        (f"their sum is at least {least}", lambda roll: sum(roll) >= least),
        (f"at least one of them shows {face}", lambda roll: face in roll),
        ("their product is even", lambda roll: math.prod(roll) % 2 == 0),
        ("no two of them show the same number", lambda roll: len(set(roll)) == len(roll)),
        (f"none of them shows {face}", lambda roll: face not in roll),
    ]


def _events(rng: Random, dice: int, faces: int) -> list[tuple[str, Test]]:
    modulus, top = rng.choice([3, 4, 5]), rng.randint(faces - 2, faces)
    middle = dice * (faces + 1) // 2
    return [
        (f"their sum is a multiple of {modulus}", lambda roll: sum(roll) % modulus == 0),
        (f"the highest number shown is {top}", lambda roll: max(roll) == top),
        (f"their sum is less than {middle}", lambda roll: sum(roll) < middle),
        ("at least two of them show the same number", lambda roll: len(set(roll)) < len(roll)),
    ]


@family("hard", "probability")
def dice_given(rng: Random) -> Draft | None:
    """Probability for dice when something is known about the roll."""
    dice, faces = rng.choice([(3, 6), (3, 8), (4, 6)])
    (known, given), (asked, event) = (
        rng.choice(_conditions(rng, dice, faces)),
        rng.choice(_events(rng, dice, faces)),
    )
    ways: Counter[bool] = Counter()
    for roll in combinations_with_replacement(range(1, faces + 1), dice):
        if given(roll):
            orders = math.factorial(dice) // math.prod(map(math.factorial, Counter(roll).values()))
            ways[event(roll)] += orders
    if not ways[True] or not ways[False]:
        return None
    chance = Fraction(ways[True], ways.total())
    if chance.denominator < 10:
        return None
    count = {3: "Three", 4: "Four"}[dice]
    text = (
        f"{count} fair dice, each with the faces 1 to {faces}, are rolled again and again. Only those rolls are"
        f" looked at in which {known}. What is the probability that in such a roll {asked}?"
    )
    return fraction(text, chance)


@family("hard", "probability")
def unfinished_match(rng: Random) -> Draft | None:
    """Who wins a match that stands at some score."""
    one, two = people(rng, 2)
    top, bottom = rng.choice([(1, 3), (2, 3), (2, 5), (3, 5), (1, 4), (3, 4), (1, 2)])
    needed = rng.choice([4, 5, 6])
    a, b = needed - rng.randint(1, 4), needed - rng.randint(1, 4)
    p = Fraction(top, bottom)

    def wins(x: int, y: int) -> Fraction:
        """Give the chance of the first player who needs x more, the other y."""
        if x == 0 or y == 0:
            return Fraction(x == 0)
        return p * wins(x - 1, y) + (1 - p) * wins(x, y - 1)

    chance = wins(needed - a, needed - b)
    if chance.denominator < 20:
        return None
    text = (
        f"{one} and {two} play a match: whoever first has won {needed} games wins it. Each game is won by"
        f" {one} with probability {top}/{bottom} and else by {two}, whatever happened before. Games won so"
        f" far: {one} {a}, {two} {b}. What is the probability that {one} wins the match?"
    )
    return fraction(text, chance)


_PRIZES = (
    (
        (
            "A fair six-sided die carries these amounts in dollars on its faces: {}. It may be rolled up to"
            " {} times."
        ),
        "dollars",
    ),
    ("A wheel with six equal sectors shows these points: {}. It may be spun up to {} times.", "points"),
    (
        (
            "A machine pays one of these six numbers of tokens, each equally likely at every pull: {}. It may"
            " be pulled up to {} times."
        ),
        "tokens",
    ),
)


@family("opt", "probability")
def when_to_stop(rng: Random) -> Draft | None:
    """The best expected prize when one may try again."""
    intro, unit = rng.choice(_PRIZES)
    faces = sorted(rng.randint(1, 30) for _ in range(6))
    tries, fee = rng.choice([3, 4]), rng.choice([0, 1, 2])
    value = Fraction(sum(faces), 6)
    for _ in range(tries - 1):
        again = value - fee
        value = sum((max(Fraction(face), again) for face in faces), Fraction(0)) / 6
    if value.denominator < 4 or len(set(faces)) < 5:
        return None
    cost = f" Every try after the first costs {fee} {unit}." if fee else ""
    text = (
        f"{intro.format(', '.join(map(str, faces)), tries)} After each try the player either takes what it"
        " showed and stops, or gives it up and tries again; what the last possible try shows must be"
        f" taken.{cost} What is the largest expected gain, in"
        f" {unit}{' and after these costs' if fee else ''}, that any way of playing can reach?"
    )
    return fraction(text, value)


FAMILIES = (two_draws, two_wheels, which_source, dice_given, unfinished_match, when_to_stop)
