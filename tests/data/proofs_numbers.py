"""Proofs of questions about numbers, shapes, chances and dates: family -> answer computed from the prompt."""

from __future__ import annotations

import calendar as stdlib_calendar
import itertools
import re
import string
from collections.abc import Callable
from fractions import Fraction

from data.prompts import Proof, bullets, day, find, ints, numbers
from routemark.records import Question

# --------------------------------------------------------------------------- arithmetic

_SHARES = {"third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "eighth": 8}
_COUNTS = {"a": 1, "two": 2, "three": 3, "five": 5}


def stock_days(question: Question) -> object:
    """Deal the stock out one by one, in rounds as long as the denominator of the share."""
    start, more = ints(question.question)
    shares = re.findall(r"\b(a|two|three|five) (third|quarter|fifth|sixth|eighth)s? of", question.question)
    stock = start
    for position, (count, name) in enumerate(shares):
        part, whole = _COUNTS[count], _SHARES[name]
        assert stock % whole == 0
        stock = sum(1 for n in range(stock) if n % whole >= part)
        stock += more if position == 0 else 0
    assert len(shares) == 2
    return stock


def joint_work(question: Question) -> object:
    total, fast, slow, together = ints(question.question)
    minutes = 0
    while total > 0:
        total -= fast + (slow if minutes < together else 0)
        minutes += 1
    assert total == 0
    return minutes


def tank_hours(question: Question) -> object:
    """Fill the tank minute by minute in parts of a common denominator; it must be full at a whole minute."""
    fill_a, fill_b, drain = (int(n) for n in re.findall(r"in (\d+) hours", question.question))
    start, open_b, drain_from, drain_to = (int(h) for h in re.findall(r"(\d\d):00", question.question))
    full = 60 * fill_a * fill_b * drain
    level, now = 0, 60 * start
    while level < full:
        level += full // (60 * fill_a)
        level += full // (60 * fill_b) if now >= 60 * open_b else 0
        level -= full // (60 * drain) if 60 * drain_from <= now < 60 * drain_to else 0
        now += 1
    assert level == full
    return f"{now // 60:02d}:{now % 60:02d}"


def drawn_and_refilled(question: Question) -> object:
    litres, percent, out1, out2, stronger, out3 = (Fraction(n) for n in numbers(question.question))
    solute, rest = litres * percent / 100, litres * (100 - percent) / 100
    for out, refill in ((out1, Fraction(0)), (out2, stronger / 100), (out3, Fraction(0))):
        solute, rest = solute - solute / litres * out, rest - rest / litres * out
        solute, rest = solute + out * refill, rest + out * (1 - refill)
    assert solute + rest == litres
    return solute / litres * 100


def largest_expression(question: Question) -> object:
    """Let Python evaluate every filling of the gaps."""
    text = question.question
    numbers_ = find(r"writes the numbers ([\d, ]+) in this order", text)[0].split(", ")
    counts = {"once": 1, "twice": 2, "three times": 3}
    stock = find(r"signs to be used up are: ([^.]+)\.", text)[0].split(", ")
    signs = [s for item in stock for s in [item[0]] * counts[item[2:]]]
    values = []
    for order in itertools.permutations(signs):
        parts = itertools.zip_longest(numbers_, order, fillvalue="")
        values.append(eval("".join(itertools.chain.from_iterable(parts)).replace("x", "*")))
    return max(values) if "largest" in text else min(values)


# --------------------------------------------------------------------------- algebra

_TIMES = {"twice": 2, "three times": 3, "four times": 4, "five times": 5}


def two_ages(question: Question) -> object:
    text = question.question
    one, now, two, years, later, asked = find(
        r"Today (\w+) is (twice|\w+ times) as old as (\w+)\. In (\d+) years \w+ will be (twice|\w+ times) as"
        r" old as \w+\. How old is (\w+) today",
        text,
    )
    ((old, young),) = [
        (x, y)
        for x, y in itertools.product(range(1, 130), repeat=2)
        if x == _TIMES[now] * y and x + int(years) == _TIMES[later] * (y + int(years))
    ]
    return {one: old, two: young}[asked]


def recurrence(question: Question) -> object:
    """Climb down from the wanted term instead of up from the first two."""
    first, second, a, b, c, modulus, wanted = (
        int(n)
        for n in find(
            r"t\(1\) = (\d+) and t\(2\) = (\d+)\. .* of (\d+) t\(n-1\) \+ (\d+) t\(n-2\) \+ (\d+) when"
            r" divided by (\d+)\. What is t\((\d+)\)",
            question.question,
        )
    )

    def term(n: int) -> int:
        return {1: first, 2: second}[n] if n < 3 else (a * term(n - 1) + b * term(n - 2) + c) % modulus

    return term(wanted)


def three_unknowns(question: Question) -> object:
    """Try all whole prices of the first two things; the third follows, and one triple fits."""
    rows = [ints(line) for (line,) in bullets(question.question, r"(.+)")]
    weights = ints(question.question.rpartition("How many")[2])
    (a, b, c, s), *others = rows
    fits = []
    for x, y in itertools.product(range(1, 200), repeat=2):
        z, rest = divmod(s - a * x - b * y, c)
        if rest == 0 and z > 0 and all(d * x + e * y + f * z == t for d, e, f, t in others):
            fits.append((x, y, z))
    (values,) = fits
    return sum(w * value for w, value in zip(weights, values, strict=True))


def matrix_chain(question: Question) -> object:
    """Multiply neighbours in every possible order of the products."""
    rows = [(int(p), int(q)) for p, q in bullets(question.question, r"[MPLC]\d: (\d+) x (\d+)")]
    assert all(one[1] == two[0] for one, two in itertools.pairwise(rows))
    sizes = [rows[0][0], *(q for _, q in rows)]
    costs = []
    for order in itertools.permutations(range(1, len(sizes) - 1)):
        left, cost = sizes[:], 0
        places = list(range(len(sizes)))
        for inner in order:
            at = places.index(inner)
            cost += left[at - 1] * left[at] * left[at + 1]
            del left[at], places[at]
        costs.append(cost)
    return min(costs)


# --------------------------------------------------------------------------- whole numbers


def common_beat(question: Question) -> object:
    hour, minute, *periods = ints(question.question.partition("Answer")[0])
    start = 60 * hour + minute
    beats = [{start + period * n for n in range(1, 1440 // period)} for period in periods]
    assert len(beats) == 3
    now = min(set.intersection(*beats))
    return f"{now // 60:02d}:{now % 60:02d}"


def count_multiples(question: Question) -> object:
    first, last, p, q = ints(question.question)
    hits = [(n % p == 0) + (n % q == 0) for n in range(first, last + 1)]
    return hits.count(1) + (0 if "not of both" in question.question else hits.count(2))


def other_base(question: Question) -> object:
    x, y, z, base, shown_in = find(
        r"the sum (\d+) \+ (\d+) - (\d+) are written in base (\d)\. .* write it in base (\d)\.",
        question.question,
    )
    value = int(x, int(base)) + int(y, int(base)) - int(z, int(base))
    return int(_written(value, int(shown_in)))


def _written(value: int, base: int) -> str:
    """Give the digits of a number, the highest power first."""
    powers = [base**n for n in range(20, -1, -1) if base**n <= value]
    digits = ""
    for power in powers:
        digit = next(d for d in range(base - 1, -1, -1) if d * power <= value)
        value -= digit * power
        digits += str(digit)
    return digits


def digit_cards(question: Question) -> object:
    """Walk through all multiples and keep those whose digits are on the cards."""
    text = question.question
    cards = find(r"digit cards: ([\d, ]+)\.", text)[0].split(", ")
    used, divisor = int(find(r"Exactly (\d) of them", text)[0]), int(find(r"divisible by (\d+)", text)[0])
    parity = ("even", "odd").index(find(r"digits must be (even|odd)", text)[0])
    fits = [
        number
        for number in range(0, 10**used, divisor)
        if len(str(number)) == used
        and all(str(number).count(digit) <= cards.count(digit) for digit in str(number))
        and sum(map(int, str(number))) % 2 == parity
    ]
    return max(fits) if "largest" in text else min(fits)


# --------------------------------------------------------------------------- shapes


def edge_path(question: Question) -> object:
    """Count cells of half a metre."""
    long, wide, path = (int(2 * Fraction(n)) for n in numbers(question.question))
    if "runs along the outside" in question.question:
        long, wide = long + 2 * path, wide + 2 * path
    cells = itertools.product(range(long), range(wide))
    return Fraction(sum(min(x, y, long - 1 - x, wide - 1 - y) < path for x, y in cells), 4)


def notched_sheet(question: Question) -> object:
    """Put the sheet together from square centimetres; an edge lies between a cell and none."""
    long, wide, notch, depth = ints(question.question)
    assert (long - notch) % 2 in (0, 1)
    at = (long - notch) // 2  # half a centimetre off the middle changes neither area nor border
    cells = {(x, y) for x in range(long) for y in range(wide) if not (at <= x < at + notch and y < depth)}
    if "area left" in question.question:
        return len(cells)
    assert "the length of the whole edge" in question.question
    around = ((0, 1), (1, 0), (0, -1), (-1, 0))
    return sum((x + dx, y + dy) not in cells for x, y in cells for dx, dy in around)


def folded_box(question: Question) -> object:
    long, wide, cut = ints(question.question)
    floor = [(x, y) for x in range(cut, long - cut) for y in range(cut, wide - cut)]
    if "full to the brim" in question.question:
        return sum(1 for _ in floor for _ in range(cut))
    walls = 2 * (long - 2 * cut) * cut + 2 * (wide - 2 * cut) * cut
    return len(floor) + walls


def grid_walk(question: Question) -> object:
    """Walk with complex numbers: a quarter turn is a factor of i."""
    times, listed, last = find(
        r"(?s)commands (\d) times in a row: (.+?)\. Then it goes forward (\d) once more", question.question
    )
    place, heading = 0j, 1j
    seen = {place}
    for step in listed.split(", ") * int(times) + [f"forward {last}"]:
        if step.startswith("turn"):
            heading *= {"turn left": 1j, "turn right": -1j}[step]
        else:
            for _ in range(int(step.removeprefix("forward "))):
                place += heading
                seen.add(place)
    return len(seen)


def _map(text: str) -> list[str]:
    return [line for line in text.splitlines() if re.fullmatch(r"[.#]{5,}", line)]


def largest_rectangle(question: Question) -> object:
    """Try every pair of corners."""
    rows = _map(question.question)
    best = 0
    for top, bottom in itertools.combinations(range(len(rows) + 1), 2):
        for left, right in itertools.combinations(range(len(rows[0]) + 1), 2):
            if not any("#" in row[left:right] for row in rows[top:bottom]):
                best = max(best, (bottom - top) * (right - left))
    return best


def largest_triangle(question: Question) -> object:
    """Try every triangle, its area as what is left of its bounding box."""
    points = [(int(x), int(y)) for x, y in re.findall(r"\((\d+), (\d+)\)", question.question)]
    return max(_boxed(*corners) for corners in itertools.permutations(points, 3))


def _boxed(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> Fraction:
    """Give the signed area between the sides and the x axis."""
    strips = ((p[0] - q[0]) * (p[1] + q[1]) for p, q in ((a, b), (b, c), (c, a)))
    return Fraction(sum(strips), 2)


# --------------------------------------------------------------------------- chances


def two_wheels(question: Question) -> object:
    one, two = (
        [int(n) for n in listed.split(", ")]
        for listed in re.findall(r"with the numbers (\d+(?:, \d+)+)", question.question)
    )
    kind, limit = find(r"add up to (more than|exactly|less than) (\d+)\?", question.question)
    sign = {"more than": 1, "exactly": 0, "less than": -1}[kind]
    spins = [(a + b > int(limit)) - (a + b < int(limit)) for a, b in itertools.product(one, two)]
    return Fraction(spins.count(sign), len(spins))


Roll = tuple[int, ...]


def _said_of_dice(phrase: str) -> Callable[[Roll], bool]:
    """Give what a phrase says of a roll."""
    (number,) = map(int, re.findall(r"\d+", phrase) or ["0"])
    tests: dict[str, Callable[[Roll], bool]] = {
        "their sum is at least N": lambda roll: sum(roll) > number - 1,
        "at least one of them shows N": lambda roll: roll.count(number) > 0,
        "their product is even": lambda roll: any(face in (2, 4, 6, 8) for face in roll),
        "no two of them show the same number": lambda roll: max(map(roll.count, roll)) == 1,
        "none of them shows N": lambda roll: roll.count(number) == 0,
        "their sum is a multiple of N": lambda roll: sum(roll) in range(0, 100, number),
        "the highest number shown is N": lambda roll: max(roll) == number,
        "their sum is less than N": lambda roll: sum(roll) <= number - 1,
        "at least two of them show the same number": lambda roll: max(map(roll.count, roll)) >= 2,
    }
    return tests[re.sub(r"\d+", "N", phrase)]


def dice_given(question: Question) -> object:
    count, faces, known, asked = find(
        r"(Three|Four) fair dice, each with the faces 1 to (\d), are rolled again and again\. Only those"
        r" rolls are looked at in which (.+)\. What is the probability that in such a roll (.+)\?",
        question.question,
    )
    dice = {"Three": 3, "Four": 4}[count]
    rolls = [r for r in itertools.product(range(1, int(faces) + 1), repeat=dice) if _said_of_dice(known)(r)]
    return Fraction(sum(map(_said_of_dice(asked), rolls)), len(rolls))


def unfinished_match(question: Question) -> object:
    """Play all games that could be needed; who has enough of them by then has won."""
    text = question.question
    needed, top, bottom, a, b = ints(text.partition("Answer")[0])
    games = 2 * needed - 1 - a - b
    chance = Fraction(top, bottom)
    total = Fraction(0)
    for won in itertools.product((True, False), repeat=games):
        if a + sum(won) >= needed:
            total += chance ** sum(won) * (1 - chance) ** (games - sum(won))
    first, second = find(r"^(\w+) and (\w+) play a match", text)
    assert f"Each game is won by {first}" in text
    assert f"Games won so far: {first} {a}, {second} {b}." in text
    assert f"probability that {first} wins" in text
    return total


def when_to_stop(question: Question) -> object:
    """Try every way of playing: for each try but the last, which faces to take."""
    text = question.question
    faces = [int(n) for n in find(r": (\d+(?:, \d+){5})\.", text)[0].split(", ")]
    tries = int(find(r"up to (\d) times", text)[0])
    fees = re.findall(r"Every try after the first costs (\d) ", text)
    fee = int(fees[0]) if fees else 0
    best: set[Fraction] = {Fraction(sum(faces), 6)}
    for _ in range(tries - 1):  # the values that the rest can have under any way of playing
        taken = (c for n in range(7) for c in itertools.combinations(range(6), n))
        top = max(best)
        best = {Fraction(sum(faces[i] for i in c), 6) + (top - fee) * Fraction(6 - len(c), 6) for c in taken}
    return max(best)


# --------------------------------------------------------------------------- counting


def two_groups(question: Question) -> object:
    a, n, b, m = ints(question.question)
    first, second = itertools.combinations(range(n), a), list(itertools.combinations(range(m), b))
    return sum(1 for _ in first for _ in second)


def short_codes(question: Question) -> object:
    text = question.question
    places, last, numbers_, top = find(
        r"of (\d) letters, each from A to ([A-G]), followed by (\d) digits? from 1 to (\d)", text
    )
    letters = string.ascii_uppercase[: string.ascii_uppercase.index(last) + 1]
    words = list(itertools.product(letters, repeat=int(places)))
    if "The letters must all be different" in text:
        words = [word for word in words if len(set(word)) == len(word)]
    else:
        assert "The letters may repeat" in text
    return sum(1 for _ in words for _ in itertools.product(range(int(top)), repeat=int(numbers_)))


def blocked_routes(question: Question) -> object:
    """Walk every route step by step."""
    text = question.question
    width, height = (int(n) for n in find(r"(\d) blocks east and (\d) blocks north, and", text))
    closed = {(int(x), int(y)) for x, y in re.findall(r"\((\d), (\d)\)", text)}

    def routes(x: int, y: int) -> int:
        if (x, y) in closed or x > width or y > height:
            return 0
        return 1 if (x, y) == (width, height) else routes(x + 1, y) + routes(x, y + 1)

    return routes(0, 0)


def forbidden_patterns(question: Question) -> object:
    text = question.question
    length = int(find(r"of (\d) ", text)[0])
    letters = re.findall(r"\(([A-Z])\)", text)
    pairs = find(r"in this order: ([A-Z]{2}(?:, [A-Z]{2})*)\.", text)[0].split(", ")
    (first,) = find(r"The first must not be ([A-Z])\.", text)
    words = map("".join, itertools.product(letters, repeat=length))
    return sum(word[0] != first and not any(pair in word for pair in pairs) for word in words)


def guest_list(question: Question) -> object:
    text = question.question
    worth = {name: int(value) for name, value in bullets(text, r"([A-J]): (\d+) \w+")}
    pairs = re.findall(r"\b([A-J])-([A-J])\b", text)
    best = 0
    for size in range(len(worth) + 1):
        for chosen in itertools.combinations(worth, size):
            if not any(a in chosen and b in chosen for a, b in pairs):
                best = max(best, sum(worth[name] for name in chosen))
    return best


def best_rising(question: Question) -> object:
    values = [int(n) for n in find(r": (\d+(?:, \d+){9,})\.", question.question)[0].split(", ")]
    chosen = (c for size in range(1, len(values)) for c in itertools.combinations(values, size))
    return max(sum(c) for c in chosen if all(a < b for a, b in itertools.pairwise(c)))


def fair_split(question: Question) -> object:
    values = [int(n) for n in find(r": (\d+(?:, \d+){7,})\.", question.question)[0].split(", ")]
    signs = itertools.product((1, -1), repeat=len(values))
    splits = (sum(s * v for s, v in zip(side, values, strict=True)) for side in signs if sum(side) == 0)
    return (sum(values) + min(split for split in splits if split >= 0)) // 2


# --------------------------------------------------------------------------- dates and units

_LONG_DATE = r"\d{1,2} [A-Z][a-z]+ \d{4}"


def days_later(question: Question) -> object:
    """Turn the calendar's leaves month by month."""
    (start,) = re.findall(_LONG_DATE, question.question)
    (days,) = set(re.findall(r"\b(\d+) days", question.question))
    date = day(start)
    year, month, number = date.year, date.month, date.day + int(days)
    while number > (length := stdlib_calendar.monthrange(year, month)[1]):
        number -= length
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return f"{year}-{month:02d}-{number:02d}"


def which_weekday(question: Question) -> object:
    start, named, end = find(
        rf"^({_LONG_DATE}) is a ([A-Z][a-z]+)\. Which day of the week is ({_LONG_DATE})\?", question.question
    )
    assert f"{day(start):%A}" == named
    return f"{day(end):%A}"


def old_measures(question: Question) -> object:
    """Count down from the big unit with exact shares of it."""
    per_big, per_middle, a, b, c, times = ints(re.sub(r"1 [a-z ]+ is", "", question.question))
    middle = Fraction(1, per_big)
    small = middle / per_middle
    return times * (a + b * middle + c * small) / small


def cheapest_passes(question: Question) -> object:
    """For each way to choose which pass covers the first day left, pay it and go on."""
    text = question.question
    days = [int(n) for n in find(r"days of \w+: (\d+(?:, \d+)+)\.", text)[0].split(", ")]
    offers = [
        (int(n), int(p)) for n, p in bullets(text, r"a pass for (\d+) days?(?: in a row)?: (\d+) dollars")
    ]

    def cost(left: tuple[int, ...]) -> int:
        if not left:
            return 0
        return min(price + cost(tuple(d for d in left if d >= left[0] + n)) for n, price in offers)

    return cost(tuple(days))


PROOFS: dict[str, Proof] = {
    "days-later": days_later,
    "which-weekday": which_weekday,
    "old-measures": old_measures,
    "cheapest-passes": cheapest_passes,
    "edge-path": edge_path,
    "notched-sheet": notched_sheet,
    "folded-box": folded_box,
    "grid-walk": grid_walk,
    "largest-rectangle": largest_rectangle,
    "largest-triangle": largest_triangle,
    "two-wheels": two_wheels,
    "dice-given": dice_given,
    "unfinished-match": unfinished_match,
    "when-to-stop": when_to_stop,
    "two-groups": two_groups,
    "short-codes": short_codes,
    "blocked-routes": blocked_routes,
    "forbidden-patterns": forbidden_patterns,
    "guest-list": guest_list,
    "best-rising": best_rising,
    "fair-split": fair_split,
    "two-ages": two_ages,
    "recurrence": recurrence,
    "three-unknowns": three_unknowns,
    "matrix-chain": matrix_chain,
    "common-beat": common_beat,
    "count-multiples": count_multiples,
    "other-base": other_base,
    "digit-cards": digit_cards,
    "stock-days": stock_days,
    "joint-work": joint_work,
    "tank-hours": tank_hours,
    "drawn-and-refilled": drawn_and_refilled,
    "largest-expression": largest_expression,
}
