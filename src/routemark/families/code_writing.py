"""Code writing and debugging: gaps to fill, inputs that go wrong, and the shortest program of a tiny machine."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable
from random import Random

from routemark.families.base import Draft, bullets, family, listed, numeric, reasoned, sequence

# --------------------------------------------------------------------------- gaps

Formula = Callable[..., int]
_GAPS: dict[int, list[tuple[str, str, Formula]]] = {
    2: [
        ("fare(km)", "    return {A} + {B} * km", lambda n, a, b: a + b * n),
        ("boxes(items)", "    return (items + {A}) // {B}", lambda n, a, b: (n + a) // b),
        (
            "points(n)",
            "    return n * {A} if n < 5 else n * {A} + {B}",
            lambda n, a, b: n * a + (0 if n < 5 else b),
        ),
        ("tail(n)", "    return ({A} * n + 1) % {B}", lambda n, a, b: (a * n + 1) % b),
        ("rent(days)", "    return {A} * days - {B} * (days // 7)", lambda n, a, b: a * n - b * (n // 7)),
        ("height(n)", "    return max({A} * n, n + {B})", lambda n, a, b: max(a * n, n + b)),
    ],
    3: [
        ("price(n)", "    return {A} * n - (n // {B}) * {C}", lambda n, a, b, c: a * n - (n // b) * c),
        ("slot(n)", "    return ({A} * n + {B}) % ({C} + 6)", lambda n, a, b, c: (a * n + b) % (c + 6)),
        (
            "wait(n)",
            (
                "    total = {A}\n    for k in range(n):\n        total += {B} if k % {C} == 0 else 1\n"
                "    return total"
            ),
            lambda n, a, b, c: a + sum(b if k % c == 0 else 1 for k in range(n)),
        ),
        (
            "score(n)",
            "    s = 0\n    while n > 0:\n        s += (n % {A}) * {B}\n        n //= {C} + 1\n    return s",
            lambda n, a, b, c: sum((n // (c + 1) ** k % a) * b for k in range(12)),
        ),
        (
            "level(n)",
            "    if n < {A}:\n        return n * {B}\n    return {A} * {B} + (n - {A}) // {C}",
            lambda n, a, b, c: n * b if n < a else a * b + (n - a) // c,
        ),
    ],
}


def _gapped(rng: Random, count: int) -> Draft | None:
    head, body, formula = rng.choice(_GAPS[count])
    gaps = "ABC"[:count]
    values = [rng.randint(2, 9) for _ in gaps]
    inputs = sorted(rng.sample(range(1, 40), rng.choice([count + 1, count + 2])))
    shown = [formula(n, *values) for n in inputs]
    fits = [
        guess
        for guess in itertools.product(range(2, 10), repeat=count)
        if all(formula(n, *guess) == result for n, result in zip(inputs, shown, strict=True))
    ]
    if len(fits) != 1 or len(set(shown)) < len(shown) - 1:
        return None
    name = head.partition("(")[0]
    code = f"def {head}:\n{body.format(A='A', B='B', C='C')}"
    text = (
        f"In this Python function each of the letters {listed(gaps)} stands for a whole number from 2 to 9"
        f" that is still to be written in (two letters may stand for the same number):\n\n```python\n{code}\n```\n\nThe"
        " finished function must pass these"
        f" tests:\n{bullets(f'{name}({n}) == {result}' for n, result in zip(inputs, shown, strict=True))}\n\nWhich"
        f" numbers must be written for {listed(gaps)}? Give them in this order, separated by commas."
        f" {reasoned(rng, 'the numbers')}"
    )
    return sequence(text, [str(value) for value in values])


@family("easy", "code-writing")
def two_gaps(rng: Random) -> Draft | None:
    """Two numbers missing in a function that must pass tests."""
    return _gapped(rng, 2)


@family("hard", "code-writing")
def three_gaps(rng: Random) -> Draft | None:
    """Three numbers missing in a function that must pass tests."""
    return _gapped(rng, 3)


# --------------------------------------------------------------------------- what goes wrong


def _largest(rng: Random) -> tuple[str, str, list[str], int]:
    wrong = sorted(rng.sample(range(11, 70), rng.randint(3, 5)))
    calls = []
    for _ in range(4):
        numbers = rng.sample(range(11, 70), rng.randint(3, 5))
        at = numbers.index(max(numbers))
        if at == len(numbers) - 1:
            numbers[0], numbers[at] = numbers[at], numbers[0]
        calls.append(numbers)
    mixed = [*rng.sample(wrong[:-1], len(wrong) - 1), wrong[-1]]
    code = (
        "def largest(xs):\n    best = xs[0]\n    for i in range(1, len(xs) - 1):\n        if xs[i] > best:\n"
        "            best = xs[i]\n    return best"
    )
    return "the largest number of a list", code, [str(c) for c in [mixed, *calls]], wrong[-2]


def _ceiling(rng: Random) -> tuple[str, str, list[str], int]:
    room = rng.randint(4, 12)
    wrong = room * rng.randint(3, 9)
    calls = [room * rng.randint(3, 12) + rng.randint(1, room - 1) for _ in range(4)]
    what = f"the smallest number of boxes for n things (n at least 1) when a box holds {room}"
    return (
        what,
        f"def boxes(n):\n    return n // {room} + 1",
        [str(c) for c in [wrong, *calls]],
        wrong // room + 1,
    )


def _digits(rng: Random) -> tuple[str, str, list[str], int]:
    power = rng.randint(2, 4)
    calls = [int(f"{rng.randint(11, 99)}" + "".join(rng.choices("0123456789", k=k))) for k in range(4)]
    code = "def digits(n):\n    count = 0\n    while n > 10:\n        n //= 10\n        count += 1\n    return count + 1"
    return (
        "the number of digits of a positive whole number",
        code,
        [str(c) for c in [10**power, *calls]],
        power,
    )


def _median(rng: Random) -> tuple[str, str, list[str], int]:
    odd = [sorted(rng.sample(range(1, 60), 5)) for _ in range(4)]
    wrong = sorted(rng.sample(range(1, 60), 5))
    while wrong == (mixed := rng.sample(wrong, 5)) or mixed[2] == wrong[2]:
        pass
    code = "def median(xs):\n    return xs[len(xs) // 2]"
    what = "the median (the middle value in order of size) of a list of five different numbers"
    return what, code, [str(c) for c in [mixed, *odd]], mixed[2]


def _longest(rng: Random) -> tuple[str, str, list[str], int]:
    def run_list(*, ends: bool) -> list[int]:
        lengths = rng.sample([1, 2, 3, 4], 3)
        lengths.sort(reverse=not ends)
        if not ends:
            lengths = [lengths[1], lengths[0], lengths[2]]
        digits = rng.sample(range(1, 10), 3)
        return [digit for digit, length in zip(digits, lengths, strict=True) for _ in range(length)]

    wrong = run_list(ends=True)
    code = (
        "def longest_run(xs):\n    best = run = 0\n    last = None\n    for x in xs:\n        if x == last:\n"
        "            run += 1\n"
        "        else:\n            best = max(best, run)\n            run = 1\n        last = x\n    return"
        " best"
    )
    what = "the length of the longest run of equal neighbours in a list of numbers"
    lengths = [len(list(group)) for _, group in itertools.groupby(wrong)]
    return what, code, [str(wrong), *(str(run_list(ends=False)) for _ in range(4))], max(lengths[:-1])


@family("easy", "code-debugging")
def wrong_call(rng: Random) -> Draft | None:
    """What a faulty function returns for the one call that it gets wrong."""
    what, code, arguments, returned = rng.choice([_largest, _ceiling, _digits, _median, _longest])(rng)
    name = code.removeprefix("def ").partition("(")[0]
    if len(set(arguments)) < len(arguments):
        return None
    rng.shuffle(arguments)
    text = (
        f"The function below should give {what}, but it has a fault.\n\n```python\n{code}\n```\n\nFor exactly"
        " one of these calls it returns a wrong"
        f" result:\n{bullets(f'{name}({argument})' for argument in arguments)}\n\nWhat does the function, as"
        " it is written, return for that call?"
    )
    return numeric(rng, text, returned)


def _coins(rng: Random) -> tuple[str, str, int]:
    coins = [1, *sorted(rng.sample(range(3, 26), 3))]
    fewest, n = [0], 0
    while True:
        n += 1
        fewest.append(1 + min(fewest[n - coin] for coin in coins if coin <= n))
        left, count = n, 0
        for coin in reversed(coins):
            count, left = count + left // coin, left % coin
        if count != fewest[n] or n > 300:
            break
    code = (
        f"def fewest_coins(n):\n    count = 0\n    for coin in {tuple(reversed(coins))}:\n        count += n"
        " // coin\n"
        "        n = n % coin\n    return count"
    )
    what = (
        "the smallest number of coins that pay an amount of n cents exactly, with coins of"
        f" {listed(list(map(str, coins)))} cents, as many as needed of each"
    )
    return what, code, n if n <= 300 else 0


def _multiple(rng: Random) -> tuple[str, str, int]:
    p, q = rng.sample([4, 6, 8, 9, 10, 12, 14, 15, 18, 20, 21, 24, 28, 30], 2)
    code = f"def fits(n):\n    return n % {p} == 0 and n % {q} == 0"
    wrong = math.lcm(p, q) if math.lcm(p, q) < p * q and p % q and q % p else 0
    return f"True exactly when n is a multiple of {p * q}, and else False", code, wrong


def _prime(rng: Random) -> tuple[str, str, int]:
    divisors = sorted(rng.sample([2, 3, 5, 7, 11, 13, 17], rng.choice([4, 5, 6])))
    code = f"def is_prime(n):\n    return n > 1 and all(n % d or n == d for d in {tuple(divisors)})"
    missing = next(p for p in (2, 3, 5, 7, 11, 13, 17, 19) if p not in divisors)
    return "True exactly when n is a prime number, and else False", code, missing**2


def _square(rng: Random) -> tuple[str, str, int]:
    m = rng.choice([16, 20, 24, 28, 32, 36, 40, 44, 45, 48, 56, 60, 63, 64, 72, 80])
    rests = sorted({k * k % m for k in range(m)})
    code = f"def is_square(n):\n    return n % {m} in {tuple(rests)}"
    wrong = next(n for n in range(1, 10**4) if n % m in rests and math.isqrt(n) ** 2 != n)
    return (
        (
            "True exactly when the whole number n is a perfect square (the square of a whole number), and"
            " else False"
        ),
        code,
        wrong,
    )


def _divisors(rng: Random) -> tuple[str, str, int]:
    start = rng.choice([20, 30, 40, 50, 60, 70, 90, 110, 130, 150, 170, 200])
    code = (
        "def divisors(n):\n    count = 2 if n > 1 else 1\n    d = 2\n    while d * d <= n:\n        if n % d"
        " == 0:\n"
        f"            count += 2\n            if d * d == n and n < {start}:\n                count -= 1\n"
        "        d += 1\n    return count"
    )
    return "the number of divisors of n, 1 and n among them", code, (math.isqrt(start - 1) + 1) ** 2


@family("hard", "code-debugging")
def first_failure(rng: Random) -> Draft | None:
    """Smallest input that a faulty function gets wrong."""
    what, code, answer = rng.choice([_coins, _multiple, _prime, _square, _divisors])(rng)
    if answer == 0:
        return None
    text = (
        f"The function below should give {what}.\n\n```python\n{code}\n```\n\nWhat is the smallest positive"
        " whole number n for which it gives a wrong result?"
    )
    return numeric(rng, text, answer)


# --------------------------------------------------------------------------- the shortest program

_MACHINES = (
    ("A tiny machine has one register, which holds {} at first", "instruction", "cycles"),
    ("A toy processor keeps one number, which is {} at first", "instruction", "nanojoules"),
    ("A pump controller has one counter, which stands at {} at first", "command", "milliseconds"),
)


@family("opt", "code-writing")
def cheapest_program(rng: Random) -> Draft | None:
    """The cheapest program from one number to another."""
    intro, noun, unit = rng.choice(_MACHINES)
    up, times, down = rng.randint(3, 19), rng.choice([2, 3]), rng.randint(2, 17)
    prices = rng.sample(range(2, 12), 3)
    start, target = rng.randint(1, 12), rng.randint(60, 400)
    best, queue = {start: 0}, [(0, start)]
    while queue:
        cost, number = heapq.heappop(queue)
        if number == target or cost > 90:
            break
        for after, price in zip((number + up, number * times, number - down), prices, strict=True):
            if 0 <= after <= 4000 and cost + price < best.get(after, 10**6):
                best[after] = cost + price
                heapq.heappush(queue, (cost + price, after))
    if best.get(target, 0) < 20 or best[target] > 90:
        return None
    text = (
        f"{intro.format(start)}. There are three {noun}s: ADD adds {up} and takes {prices[0]} {unit}; MUL"
        f" multiplies by {times} and takes {prices[1]} {unit}; SUB subtracts {down} and takes {prices[2]}"
        f" {unit}. A program is a sequence of {noun}s, each used as often as wanted, and the number must"
        f" never become negative. What is the smallest total number of {unit} of a program after which the"
        f" number is exactly {target}?"
    )
    return numeric(rng, text, best[target])


FAMILIES = (two_gaps, three_gaps, wrong_call, first_failure, cheapest_program)
