"""Arithmetic: bills, stocks, tanks and mixtures, and the largest value of an expression."""

from __future__ import annotations

import itertools
from fractions import Fraction
from random import Random

from routemark.families.base import Draft, bullets, clock, exact, family, numeric, reasoned, split
from routemark.families.names import WEEKDAYS, people

_SHOPS = (
    (
        "A café receipt lists these lines:",
        "flat white|almond croissant|orange juice|lentil soup|cheese toast|oat biscuit",
        "A loyalty card",
        "packing",
    ),
    (
        "A stationer writes this bill:",
        "notebook|ink cartridge|ruler|box of envelopes|sketch pad|glue stick",
        "A voucher",
        "delivery",
    ),
    (
        "At a hardware store a customer buys:",
        "bag of screws|paint brush|sheet of plywood|tin of varnish|door handle|roll of tape",
        "The staff discount",
        "cutting",
    ),
    (
        "A market stall sells one customer the following:",
        "jar of honey|bunch of radishes|goat cheese|sack of potatoes|basket of plums",
        "The Friday offer",
        "bag",
    ),
    (
        "A garden centre prints this till slip:",
        "lavender pot|bag of compost|clay saucer|climbing rose|packet of seeds",
        "The club card",
        "transport",
    ),
    (
        "A print shop invoices these items:",
        "poster|flyer bundle|laminated menu|business card box|banner",
        "The early-bird offer",
        "proof",
    ),
)


@family("easy", "arithmetic")
def receipt_total(rng: Random) -> Draft | None:
    """A bill with a percentage and a fee."""
    intro, names, offer, fee_name = rng.choice(_SHOPS)
    chosen = rng.sample(split(names), rng.randint(3, 5))
    rows = [(rng.randint(2, 6), name, rng.randrange(110, 980, 10)) for name in chosen]
    percent, fee = rng.choice([5, 10, 15, 20]), rng.choice([50, 75, 120, 250, 390])
    total = sum(count * cents for count, _, cents in rows)
    if total * (100 - percent) % 1000:
        return None
    lines = bullets(f"{count} x {name} at ${cents / 100:.2f} each" for count, name, cents in rows)
    tail = (
        f"{offer} takes {percent} % off the sum of the lines; after that a {fee_name} fee of ${fee / 100:.2f}"
        " is added. How much is paid in all, in dollars?"
    )
    paid = Fraction(total * (100 - percent) // 100 + fee, 100)
    return Draft(f"{intro}\n{lines}\n{tail} Answer with a number only.", _plain(paid))


def _plain(value: Fraction) -> float | int:
    return int(value) if value.denominator == 1 else float(value)


_STORES = (
    ("A warehouse", "boxes", "ships", "arrive"),
    ("A library van", "books", "lends out", "are brought back"),
    ("A fish farm", "trout", "sells", "hatch"),
    ("A tile maker", "crates of tiles", "delivers", "come from the kiln"),
    ("A bicycle hire", "bicycles", "rents out", "are returned"),
    ("A seed bank", "packets", "gives away", "are donated"),
)
_SHARES = {
    Fraction(1, 3): "a third",
    Fraction(2, 3): "two thirds",
    Fraction(1, 4): "a quarter",
    Fraction(3, 4): "three quarters",
    Fraction(2, 5): "two fifths",
    Fraction(3, 5): "three fifths",
    Fraction(3, 8): "three eighths",
    Fraction(5, 8): "five eighths",
    Fraction(1, 6): "a sixth",
}


@family("easy", "arithmetic")
def stock_days(rng: Random) -> Draft | None:
    """What is left of a stock after three days of comings and goings."""
    who, things, sends, come = rng.choice(_STORES)
    start, more = rng.randrange(240, 1200, 8), rng.randrange(30, 240, 6)
    first, second = rng.sample(list(_SHARES), 2)
    day = rng.randrange(4)
    left = start * (1 - first) + more
    end = left * (1 - second)
    if (start * first).denominator > 1 or end.denominator > 1:
        return None
    text = (
        f"{who} starts the week with {start} {things}. On {WEEKDAYS[day]} it {sends} {_SHARES[first]} of"
        f" them. On {WEEKDAYS[day + 1]} {more} {things} {come}. On {WEEKDAYS[day + 2]} it {sends}"
        f" {_SHARES[second]} of what it then has. How many {things} does it have on {WEEKDAYS[day + 2]}"
        " evening?"
    )
    return numeric(rng, text, int(end))


_PLANTS = (
    ("Two machines of a bottling plant", "bottles", "fills"),
    ("Two presses of a print shop", "sheets", "prints"),
    ("Two robots of a car maker", "seams", "welds"),
    ("Two ovens of a tile works", "tiles", "fires"),
)


@family("easy", "arithmetic")
def joint_work(rng: Random) -> Draft | None:
    """Two work together, then one alone."""
    intro, things, does = rng.choice(_PLANTS)
    slow = rng.randrange(6, 30)
    fast = slow + rng.randrange(2, 16)
    together, alone = rng.randint(3, 15), rng.randint(4, 25)
    total = together * (fast + slow) + alone * fast
    text = (
        f"{intro} are switched on at the same moment for an order of {total} {things}. Machine one {does}"
        f" {fast} {things} per minute and machine two {slow}. Machine two breaks down {together} minutes"
        " later and stays out of use; machine one goes on until the order is complete. How many minutes after"
        " the start is that?"
    )
    return numeric(rng, text, together + alone)


@family("hard", "arithmetic")
def tank_hours(rng: Random) -> Draft | None:
    """When a tank is full, with pipes opened and closed in between."""
    fill_a, fill_b = rng.sample([4, 5, 6, 8, 9, 10, 12, 15, 16, 18, 20], 2)
    drain = rng.choice([8, 10, 12, 15, 18, 20, 24])
    start, open_b, drain_from = rng.choice([6, 7, 8]), rng.choice([1, 2]), rng.choice([2, 3])
    drain_hours = rng.choice([1, 2])
    if open_b > drain_from:
        return None
    level, hour = Fraction(0), 0
    while True:
        draining = drain_from <= hour < drain_from + drain_hours
        rate = Fraction(1, fill_a) + (Fraction(1, fill_b) if hour >= open_b else 0)
        rate -= Fraction(1, drain) if draining else 0
        if level + rate >= 1:
            break
        level, hour = level + rate, hour + 1
    minutes = 60 * (start + hour) + (1 - level) / rate * 60
    if minutes.denominator > 1 or hour < drain_from + drain_hours or minutes % 60 == 0:
        return None
    text = (
        f"Pipe A alone fills an empty tank in {fill_a} hours, pipe B alone in {fill_b} hours, and the open"
        f" drain alone empties a full tank in {drain} hours. At {start:02d}:00 the tank is empty, the drain"
        f" is closed, and pipe A is opened. At {start + open_b:02d}:00 pipe B is opened too. At"
        f" {start + drain_from:02d}:00 the drain is opened by mistake; it is closed again at"
        f" {start + drain_from + drain_hours:02d}:00. Both pipes stay open all the time. At what time is the"
        " tank full? Give it in the form HH:MM (24-hour clock). "
    )
    return exact(text + reasoned(rng, "the time"), clock(int(minutes)))


_MIXES = (
    ("barrel", "syrup", "sugar", "water"),
    ("vat", "brine", "salt", "water"),
    ("tank", "fuel", "ethanol", "petrol"),
    ("basin", "dye", "pigment", "solvent"),
)


@family("hard", "arithmetic")
def drawn_and_refilled(rng: Random) -> Draft | None:
    """The strength of a mixture that is drawn off and refilled three times."""
    vessel, mixture, solute, plain = rng.choice(_MIXES)
    litres = rng.choice([20, 25, 40, 50, 80])
    percent, stronger = rng.choice([20, 25, 30, 36, 40, 60]), rng.choice([50, 55, 70, 75, 80, 90])
    outs = [rng.choice([2, 4, 5, 8, 10, 16, 20]) for _ in range(3)]
    if stronger <= percent or max(outs) > litres // 2:
        return None
    share = Fraction(percent, 100)
    for out, refill in zip(outs, (Fraction(0), Fraction(stronger, 100), Fraction(0)), strict=True):
        share += Fraction(out, litres) * (refill - share)
    result = 100 * share
    if result * 100 % 1 or result % 1 == 0:
        return None
    text = (
        f"A {vessel} is full: {litres} litres of {mixture} with {percent} % {solute}. First, {outs[0]} litres"
        f" are drawn off and replaced by {plain}. After stirring, {outs[1]} litres are drawn off and replaced"
        f" by {mixture} with {stronger} % {solute}. After stirring again, {outs[2]} litres are drawn off and"
        f" replaced by {plain}. How many percent of {solute} does the {vessel} hold in the end? (Percentages"
        f" are by volume, volumes add up, and the {plain} holds no {solute}.)"
    )
    return numeric(rng, text, result, percent=True, abs_tol=0.001)


@family("opt", "arithmetic")
def largest_expression(rng: Random) -> Draft | None:
    """The largest value that signs between given numbers can make."""
    signs = ["+", "-", "x", *rng.choice(["+-", "+x", "-x", "-xx", "+-x", "+xx"])]
    numbers = [rng.randint(2, 9) for _ in range(len(signs) + 1)]
    values = {_value(numbers, order) for order in set(itertools.permutations(signs))}
    smallest = rng.random() < 0.4
    best = min(values) if smallest else max(values)
    if len(values) < 8 or abs(best) < 10:
        return None
    (name,) = people(rng, 1)
    times = {1: "once", 2: "twice", 3: "three times"}
    stock = ", ".join(f"{sign} {times[signs.count(sign)]}" for sign in "+-x" if sign in signs)
    text = (
        f"{name} writes the numbers {', '.join(map(str, numbers))} in this order and puts one sign into each"
        f" of the {len(signs)} gaps between neighbours. The signs to be used up are: {stock}. Multiplications"
        " (x) are done before additions and subtractions, and there are no brackets. What is the"
        f" {'smallest' if smallest else 'largest'} value that the expression can have?"
    )
    return numeric(rng, text, best)


def _value(numbers: list[int], signs: tuple[str, ...]) -> int:
    """Give the value of a sum of products: each sign but x begins a new term."""
    terms = [numbers[0]]
    for sign, number in zip(signs, numbers[1:], strict=True):
        if sign == "x":
            terms[-1] *= number
        else:
            terms.append(number if sign == "+" else -number)
    return sum(terms)


FAMILIES = (receipt_total, stock_days, joint_work, tank_hours, drawn_and_refilled, largest_expression)
