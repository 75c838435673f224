"""Proofs of questions about code and tables: the printed programs and queries are run."""

from __future__ import annotations

import ast
import contextlib
import itertools
import re
import sqlite3
from collections import Counter, deque
from collections.abc import Callable

from data.prompts import Proof, bullets, fenced, find, ints, namespace, printed, queried
from routemark.records import Question


def gaps(question: Question) -> object:
    """Write every choice of numbers into the program and run its tests; one choice passes."""
    text = question.question
    code = fenced(text, "python")
    letters = sorted(set(re.findall(r"\b[ABC]\b", code)))
    tests = [test for (test,) in bullets(text, r"(\w+\(\d+\) == -?\d+)")]
    fits = []
    for values in itertools.product(range(2, 10), repeat=len(letters)):
        filled = code
        for letter, value in zip(letters, values, strict=True):
            filled = re.sub(rf"\b{letter}\b", str(value), filled)
        scope = namespace(filled)
        if all(eval(test, scope) for test in tests):
            fits.append(values)
    (values,) = fits
    return ", ".join(map(str, values))


def _smallest_cover(n: int, room: int) -> int:
    return next(boxes for boxes in itertools.count(1) if boxes * room >= n)


def wrong_call(question: Question) -> object:
    text = question.question
    code = fenced(text, "python")
    (name,) = find(r"def (\w+)\(", code)
    room = ints(code)[0] if name == "boxes" else 0
    meant: dict[str, Callable[..., int]] = {
        "largest": max,
        "boxes": lambda n: _smallest_cover(n, room),
        "digits": lambda n: len(str(n)),
        "median": lambda xs: sorted(xs)[2],
        "longest_run": lambda xs: max(len(list(g)) for _, g in itertools.groupby(xs)),
    }
    calls = [ast.literal_eval(argument) for (argument,) in bullets(text, rf"{name}\((.+)\)")]
    written = namespace(code)[name]
    (wrong,) = [call for call in calls if written(call) != meant[name](call)]
    return written(wrong)


def _fewest(n: int, coins: list[int]) -> int:
    """Give the fewest coins by growing the set of amounts that k coins can pay."""
    amounts, count = {0}, 0
    while n not in amounts:
        amounts = {amount + coin for amount in amounts for coin in coins if amount + coin <= n}
        count += 1
    return count


def first_failure(question: Question) -> object:
    text = question.question
    code = fenced(text, "python")
    (name,) = find(r"def (\w+)\(", code)
    intro = text.partition("```")[0]
    meant: dict[str, Callable[[int], object]] = {
        "fewest_coins": lambda n: _fewest(n, ints(intro)),
        "fits": lambda n: n % ints(intro)[0] == 0,
        "is_prime": lambda n: sum(n % d == 0 for d in range(1, n + 1)) == 2,
        "is_square": lambda n: any(k * k == n for k in range(n + 1)),
        "divisors": lambda n: sum(n % d == 0 for d in range(1, n + 1)),
    }
    written = namespace(code)[name]
    return next(n for n in range(1, 1000) if written(n) != meant[name](n))


def cheapest_program(question: Question) -> object:
    """Lower the costs of all numbers up to far above both ends until none gets lower."""
    text = question.question.partition("Answer with")[0].partition("You may reason")[0]
    start, up, up_cost, times, times_cost, down, down_cost, target = ints(text)
    costs = {start: 0}
    changed = deque([start])
    while changed:
        number = changed.popleft()
        for after, price in (
            (number + up, up_cost),
            (number * times, times_cost),
            (number - down, down_cost),
        ):
            if 0 <= after <= 1500 and costs[number] + price < costs.get(after, 10**6):
                costs[after] = costs[number] + price
                changed.append(after)
    assert (1500 - target) // down * down_cost > costs[target], "a way beyond the bound could be cheaper"
    return costs[target]


# --------------------------------------------------------------------------- queries and functions to be written

Cells = list[tuple[object, ...]]


def _tables(script: str) -> dict[str, Cells]:
    """Read the rows of a script's INSERT statements."""
    found = {}
    for name, values in re.findall(r"INSERT INTO (\w+) VALUES (.+);", script):
        found[name] = list(ast.literal_eval(f"[{values.replace('NULL', 'None')}]"))
    return found


def written_query(question: Question) -> object:
    """Compute the rows that are wanted, and compare them with what the reference query gives."""
    assert question.grader is not None
    script = question.grader.options["database"]
    with contextlib.closing(sqlite3.connect(":memory:")) as base:
        base.executescript(script)
        given = base.execute(str(question.reference)).fetchall()
    (asked,) = find(r"Wanted: (.+)\.\n", question.question)
    tables = _tables(script)
    wanted = (
        _joined_rows(asked, *tables.values()) if len(tables) == 2 else _simple_rows(asked, *tables.values())
    )
    ordered = question.grader.options["ordered"]
    assert ordered == ("rows in any order" not in asked)
    assert wanted
    return given == wanted if ordered else sorted(given, key=repr) == sorted(wanted, key=repr)


def _simple_rows(asked: str, rows: Cells) -> Cells:
    kinds = re.findall(r"of the kind '(\w+)'", asked)
    outside = re.findall(r"outside (\w+) ", asked)
    rows = [row for row in rows if row[1] not in outside]
    sizes = {row[0]: int(str(row[2])) for row in rows}
    if match := re.search(r"whose \w+ is above (\d+)", asked):
        return [(row[0],) for row in rows if row[3] in kinds and sizes[row[0]] > int(match[1])]
    if match := re.search(r"at least (\d) ", asked):
        counts = Counter(row[1] for row in rows if row[3] in kinds)
        return [(town, n) for town, n in counts.items() if n >= int(match[1])]
    if "each kind with the largest" in asked:
        return [
            (kind, max(sizes[row[0]] for row in rows if row[3] == kind)) for kind in {row[3] for row in rows}
        ]
    if match := re.search(r"order of the sum .* that have a \w+ above (\d+), largest sum first", asked):
        sums = Counter[object]()
        for row in rows:
            sums[row[1]] += sizes[row[0]] if sizes[row[0]] > int(match[1]) else 0
        return sums.most_common()
    assert "the three" in asked
    return [(key,) for key in sorted(sizes, key=lambda key: (-sizes[key], key))[:3]]


def _joined_rows(asked: str, people: Cells, items: Cells) -> Cells:
    """Give the rows that are wanted; None stands for what is unknown."""
    own: dict[object, list[int | None]] = {who: [] for who, _, _ in people}
    for _, who, number in items:
        own[who].append(None if number is None else int(str(number)))
    known = {who: [n for n in numbers if n is not None] for who, numbers in own.items()}
    if match := re.search(r"is at least (\d+); those without any get 0", asked):
        return [(name, sum(n >= int(match[1]) for n in known[who])) for who, name, _ in people]
    if match := re.search(r"is known to be above (\d+), in alphabetical", asked):
        rows = [(name,) for who, name, _ in people if not any(n > int(match[1]) for n in known[who])]
        return sorted(rows, key=repr)
    if match := re.search(r"where this sum is above (\d+)", asked):
        sums = Counter[object]()
        for who, _, place in people:
            sums[place] += sum(known[who])
        return [
            (place, total) for place, total in sums.items() if place is not None and total > int(match[1])
        ]
    if match := re.search(
        r"at least (\d) \w+, of which at least one has an unknown \w+ and at least one a \w+ above (\d+)",
        asked,
    ):
        least, limit = int(match[1]), int(match[2])
        mixed = {
            who
            for who, numbers in own.items()
            if len(numbers) >= least and None in numbers and max(known[who], default=0) > limit
        }
        return sorted([(name,) for who, name, _ in people if who in mixed], key=repr)
    (limit_,) = find(r"is above (\d+), with the largest \w+ and how much less", asked)
    return [
        (name, max(known[w]), max(known[w]) - min(known[w]))
        for w, name, _ in people
        if max(known[w], default=0) > int(limit_)
    ]


def written_function(question: Question) -> object:
    """Run the tests on a function of one's own, made from the numbers of the prompt, and on the example."""
    assert question.grader is not None
    text, options = question.question, question.grader.options
    name = options["entry_point"]
    own = {
        "fee": _own_fee, "shorten": _own_shorten, "total_inside": _own_total, "tags": _own_tags,
        "merge": _own_merge, "squeeze": _own_squeeze, "best": _own_best, "walk": _own_walk,
    }[name](text)  # fmt: skip
    example = namespace(fenced(question.metadata["example"] + "\n", "python"))
    for test in options["tests"]:
        exec(test, {name: own})
        exec(test, dict(example))
    return len(options["tests"]) >= 5


def _own_fee(text: str) -> Callable[[int], int]:
    free, base, price, step = (
        int(n)
        for n in find(
            r"up to (\d+) hours, else (\d+) dollars plus (\d+) dollars for every (\d+) hours",
            text.replace("\n", " "),
        )
    )

    def fee(hours: int) -> int:
        total = base if hours > free else 0
        while hours > free:
            total, hours = total + price, hours - step
        return total

    return fee


def _own_shorten(text: str) -> Callable[[str], str]:
    length, mark = find(r"at most (\d+) characters.* followed by '(.)'", text)
    return lambda given: given[: int(length) - 1] + mark if given[int(length) :] else given


def _own_total(text: str) -> Callable[[list[int]], int]:
    low, high = find(r"at least (\d+) and below (\d+),", text)
    return lambda items: sum(n for n in items if n in range(int(low), int(high)))


def _own_tags(text: str) -> Callable[[str], str]:
    first, least, joint = find(r"the first (\d) letters .* at least (\d) letters .* joined by '(.)'", text)

    def tags(given: str) -> str:
        found = ""
        for word in given.split(" "):
            if word[int(least) - 1 :]:
                found += joint * bool(found) + word[: int(first)].swapcase()
        return found

    return tags


def _own_merge(text: str) -> Callable[[list[tuple[int, int]]], list[tuple[int, int]]]:
    gap, shortest = (
        int(n) for n in find(r"starts at most (\d) after .* end - start of at least (\d),", text)
    )

    def merge(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
        for one, two in itertools.permutations(range(len(spans)), 2):
            (a, b), (c, d) = spans[one], spans[two]
            if a <= c <= b + gap:
                rest = [span for k, span in enumerate(spans) if k not in (one, two)]
                return merge([*rest, (min(a, c), max(b, d))])
        return sorted((a, b) for a, b in spans if b - a >= shortest)

    return merge


def _own_squeeze(text: str) -> Callable[[str], str]:
    least, most, mark = find(r"run of (\d) to (\d) equal letters is replaced by '(.)', the length", text)

    def short(run: re.Match[str]) -> str:
        if len(run[0]) < int(least):
            return run[0]
        return mark + (str(len(run[0])) if len(run[0]) <= int(most) else "") + run[1]

    return lambda given: re.sub(r"([a-z])\1*", short, given)


def _own_best(text: str) -> Callable[[list[tuple[str, int]]], list[str]]:
    top, often, bonus = find(
        r"list of the (\d) names with.* at least (\d) times gets (\d) extra points", text
    )

    def best(results: list[tuple[str, int]]) -> list[str]:
        names = sorted({name for name, _ in results})
        scores = {}
        for name in names:
            own = [points for other, points in results if other == name]
            scores[name] = sum(own) + (int(bonus) if len(own) >= int(often) else 0)
        return sorted(names, key=scores.__getitem__, reverse=True)[: int(top)]

    return best


def _own_walk(text: str) -> Callable[[str], tuple[int, int, int]]:
    right, top, x, y, step = (
        int(n)
        for n in find(
            r"x from 0 to (\d) and y from 0 to (\d), beginning at \((\d), (\d)\):.* change x by \+(\d) and",
            text,
        )
    )
    board = {complex(u, v) for u in range(right + 1) for v in range(top + 1)}

    def walk(moves: str) -> tuple[int, int, int]:
        at, bumps = complex(x, y), 0
        for move in moves:
            to = at + {"N": 1j, "S": -1j, "E": step, "W": -step}[move]
            at, bumps = (to, bumps) if to in board else (at, bumps + 1)
        return int(at.real), int(at.imag), bumps

    return walk


PROOFS: dict[str, Proof] = {
    "simple-query": written_query,
    "joined-query": written_query,
    "write-function": written_function,
    "write-algorithm": written_function,
    "loop-program": printed,
    "word-program": printed,
    "state-program": printed,
    "recursive-program": printed,
    "two-gaps": gaps,
    "three-gaps": gaps,
    "wrong-call": wrong_call,
    "first-failure": first_failure,
    "cheapest-program": cheapest_program,
    "filtered-sum": queried,
    "grouped-pick": queried,
    "outer-join": queried,
    "row-windows": queried,
    "missing-partners": queried,
}
