"""Number theory: common multiples, counting multiples, remainders, powers, other bases, and digit cards."""

from __future__ import annotations

import itertools
import math
from random import Random

from routemark.families.base import CLOCK, Draft, clock, exact, family, listed, numeric
from routemark.families.names import people

_MEETINGS = (
    ("{n} lighthouses flash together at {t}.", "flashes", "At what time do all {m} next flash together?"),
    (
        "{n} ring buses leave the market square together at {t}.",
        "leaves again",
        "At what time do all {m} next leave the square together?",
    ),
    (
        "{n} ovens in a bakery ring their bells together at {t}.",
        "rings",
        "At what time do all {m} next ring together?",
    ),
    (
        "{n} cable cars set out from the valley together at {t}.",
        "sets out again",
        "At what time do all {m} next set out together?",
    ),
    (
        "{n} pumps of a mine start together at {t}.",
        "starts again",
        "At what time do all {m} next start together?",
    ),
)


@family("easy", "number-theory")
def common_beat(rng: Random) -> Draft | None:
    """When periodic events next fall together."""
    intro, verb, asked = rng.choice(_MEETINGS)
    periods = sorted(
        rng.sample([6, 8, 9, 10, 12, 14, 15, 16, 18, 20, 21, 24, 25, 28, 30, 35, 36, 40, 45, 50], 3)
    )
    start, after = rng.randrange(300, 720, 5), math.lcm(*periods)
    if not 100 <= after <= 700 or start + after >= 1440 or after in periods:
        return None
    each = listed([f"one {verb} every {period} minutes" for period in periods])
    text = f"{intro} From then on {each}. {asked}".format(n="Three", m="three", t=clock(start))
    return exact(f"{text} {CLOCK}", clock(start + after))


_COUNTED = (
    ("a ticket", "Tickets are numbered from {a} to {b}.", "How many tickets win?"),
    ("a locker", "Lockers are numbered from {a} to {b}.", "How many lockers are painted?"),
    ("a page", "The pages of a catalogue run from {a} to {b}.", "How many pages carry a picture?"),
    ("a seat", "Seats are numbered from {a} to {b}.", "How many seats are reserved?"),
)


@family("easy", "number-theory")
def count_multiples(rng: Random) -> Draft | None:
    """How many numbers of a range are multiples of one of two numbers."""
    thing, intro, asked = rng.choice(_COUNTED)
    first, last = rng.choice([1, rng.randint(20, 120)]), rng.randint(200, 600)
    p, q = sorted(rng.sample([3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 2))
    both = rng.random() < 0.4
    if q % p == 0:
        return None

    def multiples(m: int) -> int:
        return last // m - (first - 1) // m

    common = multiples(math.lcm(p, q))
    total = multiples(p) + multiples(q) - (2 if both else 1) * common
    verb = {
        "a ticket": "wins",
        "a locker": "is painted",
        "a page": "carries a picture",
        "a seat": "is reserved",
    }
    rule = f"its number is a multiple of {p} or of {q}{', but not of both' if both else ' (or of both)'}"
    text = f"{intro.format(a=first, b=last)} {thing.capitalize()} {verb[thing]} exactly when {rule}. {asked}"
    return numeric(rng, text, total)


_GROUPS = (
    (
        "A box holds fewer than {top} beads. Counted in groups of {m0} there are {r0} left over, in groups of"
        " {m1} there are {r1} left over, and in groups of {m2} there are {r2} left over. How many beads are"
        " in the box?"
    ),
    (
        "A whole number between 0 and {top} leaves the remainder {r0} when divided by {m0}, {r1} when divided"
        " by {m1} and {r2} when divided by {m2}. Only one number does. Which is it?"
    ),
    (
        "A parade has fewer than {top} dancers. Lined up in groups of {m0} there are {r0} left over, in"
        " groups of {m1} there are {r1} left over, and in groups of {m2} there are {r2} left over. How many"
        " dancers are there?"
    ),
)


@family("hard", "number-theory")
def remainders(rng: Random) -> Draft | None:
    """Number with given remainders."""
    moduli = sorted(rng.sample([5, 7, 8, 9, 11, 13, 14, 15, 16, 17, 19], 3))
    top = math.lcm(*moduli)
    if top != math.prod(moduli) or not 900 < top < 4500:
        return None
    rests = [rng.randrange(2, m) for m in moduli]
    answer = sum(r * (top // m) * pow(top // m, -1, m) for r, m in zip(rests, moduli, strict=True)) % top
    if answer < top // 3:
        return None
    values = {f"m{i}": m for i, m in enumerate(moduli)} | {f"r{i}": r for i, r in enumerate(rests)}
    return numeric(rng, rng.choice(_GROUPS).format(top=top, **values), answer)


_POWERS = (
    ("What are the last three digits of {a}^{b} + {c}^{d}? Give them as a number.", 1000),
    ("What is the remainder when {a}^{b} + {c}^{d} is divided by {m}?", 0),
)


@family("hard", "number-theory")
def big_powers(rng: Random) -> Draft | None:
    """Remainder of a sum of large powers."""
    text, modulus = rng.choice(_POWERS)
    modulus = modulus or rng.choice([997, 991, 983, 977, 971, 967, 953])
    a, c = rng.sample([3, 7, 11, 13, 17, 19, 23, 27, 29, 31], 2)
    b, d = rng.randint(60, 190), rng.randint(60, 190)
    value = (pow(a, b, modulus) + pow(c, d, modulus)) % modulus
    if not 100 < value < 950:
        return None
    return numeric(rng, text.format(a=a, b=b, c=c, d=d, m=modulus), value)


@family("hard", "number-theory")
def other_base(rng: Random) -> Draft | None:
    """A sum or difference in one base, written in another."""
    base, shown_in = rng.sample([3, 4, 5, 6, 7, 8, 9, 11, 12], 2)
    if base > 9 or shown_in > 9:
        return None
    x, y, z = (rng.randint(200, 1900) for _ in range(3))
    value = x + y - z
    if value < 100 or _digits(value, shown_in) in (_digits(value, base), str(value)):
        return None
    text = (
        f"All numbers in the sum {_digits(x, base)} + {_digits(y, base)} - {_digits(z, base)} are written in"
        f" base {base}. Work out its value and write it in base {shown_in}. What are its digits?"
    )
    return numeric(rng, text, int(_digits(value, shown_in)), rel_tol=0)


def _digits(value: int, base: int) -> str:
    """Give the digits of a positive number in a base up to 10."""
    found = ""
    while value:
        value, digit = divmod(value, base)
        found = str(digit) + found
    return found


@family("opt", "number-theory")
def digit_cards(rng: Random) -> Draft | None:
    """The largest number from digit cards under two rules."""
    count, used = rng.choice([(6, 4), (6, 5), (7, 4), (7, 5)])
    cards = sorted(rng.choices(range(1, 10), k=count))
    divisor, sum_parity = rng.choice([7, 11, 13, 17, 19, 23, 29, 31]), rng.choice(["even", "odd"])
    fits = {
        int("".join(map(str, order)))
        for order in itertools.permutations(cards, used)
        if sum(order) % 2 == (sum_parity == "odd")
    }
    good = [number for number in fits if number % divisor == 0]
    smallest = rng.random() < 0.4
    if len(good) < 5:
        return None
    best = min(good) if smallest else max(good)
    if best == (min(fits) if smallest else max(fits)):
        return None
    (who,) = people(rng, 1)
    text = (
        f"{who} has {count} digit cards: {', '.join(map(str, cards))}. Exactly {used} of them, each used at"
        f" most once, are laid side by side to form a {used}-digit number (a digit may repeat only if it"
        f" stands on several cards). The number must be divisible by {divisor}, and the sum of its digits"
        f" must be {sum_parity}. What is the {'smallest' if smallest else 'largest'} such number?"
    )
    return numeric(rng, text, best)


FAMILIES = (common_beat, count_multiples, remainders, big_powers, other_base, digit_cards)
