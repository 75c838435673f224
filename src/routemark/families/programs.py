"""Python functions to be written; they are judged by tests that run in a sandbox, where that is allowed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from random import Random

from routemark.families.base import Draft, family, graded
from routemark.families.names import WORDS

Task = tuple[str, str, str, list[tuple[object, ...]], Callable[..., object]]
"""Head of the function, what it should give, a solution, arguments to test, and what it should give for them."""
_ENDING = "Answer with the function in one Python code block; it must not print or read anything."


def _asked(task: Task) -> Draft:
    head, what, solution, inputs, meant = task
    name = head.partition("(")[0]
    tests = [f"assert {name}({', '.join(map(repr, given))}) == {meant(*given)!r}" for given in inputs]
    text = f"Write a Python 3 function `{head}` that {what}.\n\n{_ENDING}"
    return graded("code", text, example=f"```python\n{solution}\n```", tests=tests, entry_point=name)


# --------------------------------------------------------------------------- easy


def _fee(rng: Random) -> Task:
    free, base, step, price = rng.randint(2, 6), rng.randint(5, 20), rng.randint(2, 5), rng.randint(3, 9)
    return (
        "fee(hours)",
        (
            "gives a parking fee in dollars for a whole number of hours of at least 0: nothing for up to"
            f" {free} hours, else {base} dollars plus {price} dollars for every {step} hours, or part of"
            f" them, beyond {free} hours"
        ),
        (
            f"def fee(hours):\n    if hours <= {free}:\n        return 0\n    return {base} + {price} *"
            f" -(-(hours - {free}) // {step})"
        ),
        [(n,) for n in (0, free, free + 1, free + step, free + step + 1, 40)],
        lambda n: 0 if n <= free else base + price * ((n - free + step - 1) // step),
    )


def _shorten(rng: Random) -> Task:
    length, mark = rng.randint(5, 9), rng.choice(["~", "+", "*"])
    words = rng.sample(WORDS, 3)
    return (
        "shorten(text)",
        (
            f"gives a text as it is when it has at most {length} characters, and else its first {length - 1}"
            f" characters followed by {mark!r}"
        ),
        f"def shorten(text):\n    return text if len(text) <= {length} else text[:{length - 1}] + {mark!r}",
        [("",), ("x" * length,), ("x" * (length + 1),), (" ".join(words),), (words[0][:4],)],
        lambda text: text if len(text) <= length else text[: length - 1] + mark,
    )


def _kept(rng: Random) -> Task:
    low, high = sorted(rng.sample(range(5, 60), 2))
    numbers = [rng.randint(0, 70) for _ in range(8)]
    return (
        "total_inside(numbers)",
        (
            f"gives the sum of those numbers of a list that are at least {low} and below {high}, and 0 when"
            " there are none"
        ),
        f"def total_inside(numbers):\n    return sum(n for n in numbers if {low} <= n < {high})",
        [([],), ([low],), ([high],), ([low - 1, high - 1],), (numbers,), ([low, low, high],)],
        lambda items: sum(n for n in items if low <= n < high),
    )


def _tags(rng: Random) -> Task:
    least, first, joint = rng.randint(4, 7), rng.randint(2, 4), rng.choice([".", "-", "/"])
    words = rng.sample(WORDS, 4)
    return (
        "tags(text)",
        (
            f"gives the first {first} letters of every word of a text that has at least {least} letters"
            f" (words are parted by single spaces), in capitals and joined by {joint!r}, and an empty text"
            " when there is no such word"
        ),
        (
            f"def tags(text):\n    return {joint!r}.join(w[:{first}].upper() for w in text.split() if len(w)"
            f" >= {least})"
        ),
        [
            ("",),
            ("x" * least,),
            ("x" * (least - 1),),
            (" ".join(words[:2]),),
            (" ".join(words) + " " + "y" * (least - 1),),
        ],
        lambda text: joint.join(word[:first].upper() for word in text.split() if len(word) >= least),
    )


@family("easy", "code-writing")
def write_function(rng: Random) -> Draft | None:
    """A short function from a description (runs code)."""
    makers: list[Callable[[Random], Task]] = [_fee, _shorten, _kept, _tags]
    return _asked(rng.choice(makers)(rng))


# --------------------------------------------------------------------------- hard


def _merged(rng: Random) -> Task:
    gap, shortest = rng.randint(1, 5), rng.randint(3, 8)

    def meant(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for start, end in sorted(spans):
            if found and start - found[-1][1] <= gap:
                found[-1] = (found[-1][0], max(found[-1][1], end))
            else:
                found.append((start, end))
        return [(start, end) for start, end in found if end - start >= shortest]

    def drawn(n: int) -> list[tuple[int, int]]:
        return [(start, start + rng.randint(1, 6)) for start in rng.choices(range(60), k=n)]

    solution = (
        "def merge(spans):\n    out = []\n    for a, b in sorted(spans):\n        if out and a - out[-1][1]"
        f" <= {gap}:\n"
        "            out[-1] = (out[-1][0], max(out[-1][1], b))\n        else:\n            out.append((a,"
        " b))\n"
        f"    return [(a, b) for a, b in out if b - a >= {shortest}]"
    )
    what = (
        "takes a list of pairs (start, end) of whole numbers with start < end, in any order. Two pairs are"
        f" joined to one whenever the later one starts at most {gap} after the end of the earlier one (or"
        " before that end), until no two can be joined; a joined pair reaches from the smallest start to the"
        " largest end. Of the pairs that are then left, the function gives those with end - start of at least"
        f" {shortest}, as a list of tuples in ascending order"
    )
    edge = [(0, shortest), (2, 3), (shortest + gap, shortest + gap + 1)]
    return (
        "merge(spans)",
        what,
        solution,
        [([],), ([(3, 3 + shortest)],), (edge,), (drawn(6),), (drawn(9),), (drawn(12),)],
        meant,
    )


def _encoded(rng: Random) -> Task:
    least, most, mark = rng.randint(3, 5), rng.randint(7, 9), rng.choice(["#", "$", "%"])

    def meant(text: str) -> str:
        runs = [(char, len(list(group))) for char, group in itertools.groupby(text)]
        return "".join(
            char * n if n < least else f"{mark}{n}{char}" if n <= most else f"{mark}{char}"
            for char, n in runs
        )

    texts = ["".join(char * rng.randint(1, 10) for char in rng.choices("abcd", k=5)) for _ in range(3)]
    solution = (
        "def squeeze(text):\n    out, i = '', 0\n    while i < len(text):\n        j = i\n        while j <"
        " len(text) and text[j] == text[i]:\n            j += 1\n"
        f"        n = j - i\n        if n < {least}:\n            out += text[i:j]\n        elif n <="
        f" {most}:\n            out += f'{mark}{{n}}{{text[i]}}'\n"
        f"        else:\n            out += '{mark}' + text[i]\n        i = j\n    return out"
    )
    what = (
        f"shortens a text of the letters a to z. Every longest run of {least} to {most} equal letters is"
        f" replaced by {mark!r}, the length of the run in decimal digits, and the letter once; every longer"
        f" run is replaced by {mark!r} and the letter once, without the length; shorter runs stay as they are"
    )
    given: list[tuple[object, ...]] = [
        ("",),
        ("a" * least,),
        ("a" * (least - 1),),
        ("b" * most,),
        ("b" * (most + 1),),
        *((text,) for text in texts),
    ]
    return "squeeze(text)", what, solution, given, meant


def _ranked(rng: Random) -> Task:
    bonus, often, top = rng.randint(2, 9), rng.randint(2, 5), rng.randint(2, 3)

    def meant(results: list[tuple[str, int]]) -> list[str]:
        totals: dict[str, int] = {}
        seen: dict[str, int] = {}
        for name, points in results:
            seen[name] = seen.get(name, 0) + 1
            totals[name] = totals.get(name, 0) + points + (bonus if seen[name] == often else 0)
        return sorted(totals, key=lambda name: (-totals[name], name))[:top]

    names = rng.sample(WORDS, 4)
    games = [(rng.choice(names), rng.randint(1, 9)) for _ in range(14)]
    solution = (
        "def best(results):\n    totals, seen = {}, {}\n    for name, points in results:\n        seen[name]"
        " = seen.get(name, 0) + 1\n"
        f"        totals[name] = totals.get(name, 0) + points + ({bonus} if seen[name] == {often} else 0)\n"
        f"    return sorted(totals, key=lambda name: (-totals[name], name))[:{top}]"
    )
    what = (
        f"takes a list of pairs (name, points) and gives the list of the {top} names with the most points in"
        " all, the best first, names with equal points in alphabetical order, and fewer names if there are"
        f" fewer; a name that occurs at least {often} times gets {bonus} extra points once"
    )
    same = [(names[0], 5), (names[1], 5), (names[2], 5)]
    return (
        "best(results)",
        what,
        solution,
        [([],), (same,), (games,), (games[:7],), ([(names[3], 1)] * often + same,)],
        meant,
    )


def _walked(rng: Random) -> Task:
    width, height, step, x0, y0 = (
        rng.randint(5, 9),
        rng.randint(5, 9),
        rng.randint(2, 4),
        rng.randint(0, 4),
        rng.randint(0, 4),
    )

    def meant(moves: str) -> tuple[int, int, int]:
        x, y, bumps = x0, y0, 0
        for move in moves:
            u, v = x + {"E": step, "W": -step}.get(move, 0), y + {"N": 1, "S": -1}.get(move, 0)
            if 0 <= u < width and 0 <= v < height:
                x, y = u, v
            else:
                bumps += 1
        return x, y, bumps

    walks = ["".join(rng.choices("NESW", weights=(3, 3, 1, 1), k=n)) for n in (9, 16, 25)]
    solution = (
        f"def walk(moves):\n    x, y, bumps = {x0}, {y0}, 0\n    for move in moves:\n"
        f"        u = x + {{'E': {step}, 'W': -{step}}}.get(move, 0)\n        v = y + {{'N': 1, 'S':"
        " -1}.get(move, 0)\n"
        f"        if 0 <= u < {width} and 0 <= v < {height}:\n            x, y = u, v\n        else:\n"
        "            bumps += 1\n    return x, y, bumps"
    )
    what = (
        f"follows moves on a board whose squares are (x, y) with x from 0 to {width - 1} and y from 0 to"
        f" {height - 1}, beginning at ({x0}, {y0}): in a text of the letters N, E, S and W, N and S change y"
        f" by +1 and -1, E and W change x by +{step} and -{step}; a move that would leave the board is not"
        " made. It gives the tuple (x, y, moves not made)"
    )
    return (
        "walk(moves)",
        what,
        solution,
        [("",), ("W" * 3,), ("N" * height,), ("E" * 6,), *((walk,) for walk in walks)],
        meant,
    )


@family("hard", "code-writing")
def write_algorithm(rng: Random) -> Draft | None:
    """A function with several rules from a description (runs code)."""
    makers: list[Callable[[Random], Task]] = [_merged, _encoded, _ranked, _walked]
    return _asked(rng.choice(makers)(rng))


FAMILIES = (write_function, write_algorithm)
