"""Algebra: unknowns from sums, riddles, roots and recurrences, and the cheapest order of a product."""

from __future__ import annotations

from functools import cache
from random import Random

from routemark.families.base import Draft, bullets, family, listed, numeric
from routemark.families.names import people

_PRICES = (
    (
        "At a museum, {a} adult tickets and {b} child tickets cost {s} dollars together, while {c} adult"
        " tickets and {d} child tickets cost {t} dollars. What does one adult ticket cost in dollars?"
    ),
    (
        "A nursery sells {a} rose bushes and {b} bags of soil for {s} dollars. Another customer pays {t}"
        " dollars for {c} rose bushes and {d} bags of soil at the same prices. What is the price of one rose"
        " bush in dollars?"
    ),
    (
        "The weight of {a} bricks and {b} tiles is {s} kg; the weight of {c} bricks and {d} tiles of the same"
        " kinds is {t} kg. Every brick weighs a whole number of kg, and so does every tile. How many kg does"
        " one brick weigh?"
    ),
    (
        "In a café {a} lunches and {b} teas come to {s} dollars; at the next table {c} lunches and {d} teas"
        " come to {t} dollars. How many dollars is one lunch?"
    ),
    (
        "On a ferry {a} cars and {b} bicycles are charged {s} dollars in all, and {c} cars and {d} bicycles"
        " are charged {t} dollars. What is the charge for one car in dollars?"
    ),
)


@family("easy", "algebra")
def two_prices(rng: Random) -> Draft | None:
    """Two unknown prices, two totals."""
    x, y = rng.randint(11, 34), rng.randint(4, 19)
    a, b, c, d = (rng.randint(2, 7) for _ in range(4))
    if a * d == b * c or y >= x:
        return None
    text = rng.choice(_PRICES).format(a=a, b=b, c=c, d=d, s=a * x + b * y, t=c * x + d * y)
    return Draft(f"{text} Answer with a number only.", x)


_RIDDLES = (
    (
        "I think of a whole number. I multiply it by {a}, subtract {b}, divide the result by {c} and add {d}."
        " I get {r}. What was my number?"
    ),
    (
        "A machine takes in a whole number, multiplies it by {a}, subtracts {b}, divides by {c}, adds {d} and"
        " shows {r}. Which number went in?"
    ),
    (
        "{who} wrote down a whole number. Then the number was multiplied by {a}, {b} was subtracted, the"
        " result was divided by {c}, and after adding {d} the sheet showed {r}. Which number had been written"
        " down?"
    ),
    (
        "The house number of {who} is a whole number. Multiplied by {a}, lessened by {b}, divided by {c} and"
        " enlarged by {d}, it becomes {r}. What is the house number?"
    ),
)


@family("easy", "algebra")
def undo_the_steps(rng: Random) -> Draft | None:
    """Which number went in."""
    x = rng.randint(12, 90)
    a, b, c, d = rng.randint(3, 9), rng.randint(5, 40), rng.randint(2, 6), rng.randint(11, 50)
    result, rest = divmod(a * x - b, c)
    if a == c or rest or result <= 0:
        return None
    (who,) = people(rng, 1)
    text = rng.choice(_RIDDLES).format(a=a, b=b, c=c, d=d, r=result + d, who=who)
    return Draft(f"{text} Answer with a number only.", x)


@family("easy", "algebra")
def two_ages(rng: Random) -> Draft | None:
    """Ages now, from how they compare at two times."""
    young, times = rng.randint(5, 20), rng.choice([2, 3, 4, 5])
    old = young * times
    later_times = rng.randint(2, times) if times > 2 else 0
    if later_times in (0, times) or old > 75:
        return None
    years, rest = divmod(old - later_times * young, later_times - 1)
    if rest or years < 2 or years > 60:
        return None
    words = {2: "twice", 3: "three times", 4: "four times", 5: "five times"}
    one, two = people(rng, 2)
    asked, age = rng.choice([(one, old), (two, young)])
    text = (
        f"Today {one} is {words[times]} as old as {two}. In {years} years {one} will be {words[later_times]}"
        f" as old as {two}. How old is {asked} today, in years?"
    )
    return numeric(rng, text, age)


_POWERS = (
    "Let a, b and c be the three complex roots of {p} = 0. What is the value of a^{k} + b^{k} + c^{k}?",
    "The polynomial {p} has the three complex zeros a, b and c. Find a^{k} + b^{k} + c^{k}.",
    "For the three complex solutions a, b, c of the equation {p} = 0, find a^{k} + b^{k} + c^{k}.",
)


@family("hard", "algebra")
def power_sums_of_roots(rng: Random) -> Draft | None:
    """Power sums of the roots of a cubic."""
    p, q, r = (rng.choice([-7, -6, -5, -4, -3, -2, 2, 3, 4, 5, 6, 7]) for _ in range(3))
    power = rng.choice([3, 4, 5])
    sums = [3, -p, p * p - 2 * q]  # Newton's identities
    while len(sums) <= power:
        sums.append(-p * sums[-1] - q * sums[-2] - r * sums[-3])
    if not 20 < abs(sums[power]) < 6000:
        return None
    terms = [f"{'+' if value > 0 else '-'} {abs(value)}" for value in (p, q, r)]
    shown = f"x^3 {terms[0]}x^2 {terms[1]}x {terms[2]}"
    return numeric(rng, rng.choice(_POWERS).format(p=shown, k=power), sums[power])


@family("hard", "algebra")
def recurrence(rng: Random) -> Draft | None:
    """A late term of a sequence with a remainder in its rule."""
    a, b, c = rng.randint(2, 7), rng.randint(2, 6), rng.randint(1, 9)
    modulus, wanted = rng.choice([37, 41, 43, 47, 53, 59, 61, 67, 71]), rng.randint(9, 16)
    first, second = rng.randint(1, 9), rng.randint(1, 9)
    terms = [first, second]
    while len(terms) < wanted:
        terms.append((a * terms[-1] + b * terms[-2] + c) % modulus)
    if a == b or terms[-1] < 3:
        return None
    text = (
        f"A sequence begins with the terms t(1) = {first} and t(2) = {second}. For n of at least 3, the term"
        f" t(n) is the remainder of {a} t(n-1) + {b} t(n-2) + {c} when divided by {modulus}. What is"
        f" t({wanted})?"
    )
    return numeric(rng, text, terms[-1])


_GOODS = (
    ("stall", "apples, pears and quinces", "dollars"),
    ("bakery", "loaves, rolls and cakes", "dollars"),
    ("quarry", "slabs, kerbs and posts", "kg"),
    ("print works", "maps, posters and cards", "cents"),
)


@family("hard", "algebra")
def three_unknowns(rng: Random) -> Draft | None:
    """Three unknowns from three totals."""
    place, things, unit = rng.choice(_GOODS)
    names = things.replace(" and", ",").split(", ")
    values = [rng.randint(3, 25) for _ in range(3)]
    rows = [[rng.randint(2, 9) for _ in range(3)] for _ in range(3)]
    (a, b, c), (d, e, f), (g, h, i) = rows
    if a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) == 0 or len(set(values)) < 3:
        return None
    verb = "weigh" if unit == "kg" else "cost"
    lines = [
        f"{listed([f'{n} {name}' for n, name in zip(row, names, strict=True)])} {verb}"
        f" {sum(n * value for n, value in zip(row, values, strict=True))} {unit}"
        for row in rows
    ]
    weights = [rng.randint(2, 6) for _ in range(3)]
    answer = sum(w * value for w, value in zip(weights, values, strict=True))
    basket = listed([f"{n} {name}" for n, name in zip(weights, names, strict=True)])
    text = (
        f"At a {place}, all {names[0]} are alike, and so are all {names[1]} and all {names[2]}. It is known"
        " that\n"
        f"{bullets(lines)}\nHow many {unit} do {basket} {verb} together?"
    )
    return numeric(rng, text, answer)


_PRODUCTS = (
    ("Matrices", "M"),
    ("The factors of a camera's projection", "P"),
    ("The layers of a small linear network", "L"),
    ("The steps of a change of coordinates", "C"),
)


@family("opt", "algebra")
def matrix_chain(rng: Random) -> Draft | None:
    """Fewest multiplications for a product of matrices."""
    intro, letter = rng.choice(_PRODUCTS)
    sizes = [rng.choice([2, 3, 4, 5, 6, 8, 10, 12, 15, 20]) for _ in range(rng.choice([6, 7]))]
    n = len(sizes) - 1

    @cache
    def cost(i: int, j: int) -> int:
        """Give the least cost of multiplying the factors i to j - 1."""
        if j - i == 1:
            return 0
        return min(cost(i, k) + cost(k, j) + sizes[i] * sizes[k] * sizes[j] for k in range(i + 1, j))

    left = sum(sizes[0] * sizes[k] * sizes[k + 1] for k in range(1, n))
    right = sum(sizes[k - 1] * sizes[k] * sizes[n] for k in range(1, n))
    if len(set(sizes)) < n - 1 or cost(0, n) in (left, right):
        return None
    lines = bullets(f"{letter}{k + 1}: {sizes[k]} x {sizes[k + 1]}" for k in range(n))
    text = (
        f"{intro} {letter}1 to {letter}{n} are multiplied in this order, {letter}1 first. Their sizes (rows x"
        f" columns) are:\n{lines}\nMultiplying a p x q matrix by a q x r matrix takes p q r multiplications"
        " of numbers. The brackets may be set in any way. What is the smallest total number of"
        " multiplications of numbers for the whole product?"
    )
    return numeric(rng, text, cost(0, n))


FAMILIES = (
    two_prices,
    undo_the_steps,
    two_ages,
    power_sums_of_roots,
    recurrence,
    three_unknowns,
    matrix_chain,
)
