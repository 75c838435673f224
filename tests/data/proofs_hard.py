"""Proofs of the `hard` questions that need numbers, code or look-up: family -> answer computed from the prompt."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from data.prompts import Proof, bullets, day, fenced, find, namespace, numbers, printed, queried
from routemark.records import Question

# --------------------------------------------------------------------------- numbers


def rates_in_stages(question: Question) -> object:
    n = [Fraction(number) for number in numbers(question.question)]
    if question.id.endswith("002"):
        litres, percent, out1, out2, percent_in, out3 = n
        sugar, water = litres * percent / 100, litres * (100 - percent) / 100
        for out, refill in ((out1, Fraction(0)), (out2, percent_in / 100), (out3, Fraction(0))):
            kept = (litres - out) / litres
            sugar, water = sugar * kept + out * refill, water * kept + out * (1 - refill)
        assert sugar + water == litres
        return sugar / litres * 100
    euros, fee_percent, rate, bus, back, flat = n
    dollars = euros * (100 - fee_percent) / 100 * rate
    return (dollars / 4 - bus) / back - flat


def power_sums_of_roots(question: Question) -> object:
    (polynomial,) = re.findall(r"x\^3 ([+-] \d+)x\^2 ([+-] \d+)x ([+-] \d+)", question.question)
    roots = np.roots([1.0, *(float(term.replace(" ", "")) for term in polynomial)])
    (power,) = set(re.findall(r"[abc]\^(\d)", question.question))
    total = complex((roots ** int(power)).sum())
    assert abs(total - round(total.real)) < 1e-6
    return round(total.real)


def conditional_dice(question: Question) -> object:
    small, large = range(1, 7), range(1, 9)
    rolls: Iterable[tuple[int, ...]]
    if "sum is at least 12" in question.question:
        rolls = [r for r in itertools.product(small, small, small) if r[0] + r[1] + r[2] >= 12]
        hits = [r for r in rolls if r[0] != r[1] and r[1] != r[2] and r[0] != r[2]]
    else:
        assert "product of the three numbers is even" in question.question
        rolls = [r for r in itertools.product(large, large, small) if any(x in (2, 4, 6, 8) for x in r)]
        hits = [r for r in rolls if sum(r) in (5, 10, 15, 20)]
    return Fraction(len(hits), len(rolls))


def which_source(question: Question) -> object:
    sources = bullets(question.question, r"\w+ ([ABC]): (\d+) % of the \w+, fault rate (\d+) %")
    (asked,) = find(r"(?:by machine|on press|in oven) ([ABC])\?", question.question)
    seen: Callable[[int], bool] = (
        (lambda f: f == 1) if "Exactly one" in question.question else (lambda f: f >= 1)
    )
    weight: dict[str, Fraction] = defaultdict(Fraction)
    for name, share, rate in sources:
        for first, second in itertools.product(range(100), repeat=2):  # which hundredth each test falls into
            if seen((first < int(rate)) + (second < int(rate))):
                weight[name] += int(share)
    return weight[asked] / sum(weight.values())


def remainders(question: Question) -> object:
    text = question.question
    (top,) = re.findall(r"fewer than (\d+)", text) or re.findall(r"between 0 and (\d+)", text)
    by_groups = re.findall(r"in groups of (\d+) there are (\d+) left", text)
    pairs = by_groups or [(m, r) for r, m in re.findall(r"(\d+) when divided by (\d+)", text)]
    assert len(pairs) == 3
    (only,) = [n for n in range(1, int(top)) if all(n % int(m) == int(r) for m, r in pairs)]
    return only


def big_powers(question: Question) -> object:
    (a, b, c, d) = (int(x) for x in find(r"(\d+)\^(\d+) \+ (\d+)\^(\d+)", question.question))
    value = math.prod([a] * b) + math.prod([c] * d)
    if "last three digits" in question.question:
        return value % 1000
    return value % int(find(r"is divided by (\d+)\?", question.question)[0])


def lattice_polygon(question: Question) -> object:
    corners = [(int(x), int(y)) for x, y in re.findall(r"\((\d+), (\d+)\)", question.question)]
    sides = list(zip(corners, corners[1:] + corners[:1], strict=True))
    assert not any(_cross(one, two) for one, two in itertools.combinations(sides, 2))
    return sum(_inside(x, y, sides) for x in range(40) for y in range(40))


Side = tuple[tuple[int, int], tuple[int, int]]


def _turn(p: tuple[int, int], q: tuple[int, int], r: tuple[int, int]) -> int:
    return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])


def _cross(one: Side, two: Side) -> bool:
    return _turn(*one, two[0]) * _turn(*one, two[1]) < 0 and _turn(*two, one[0]) * _turn(*two, one[1]) < 0


def _inside(x: int, y: int, sides: list[Side]) -> bool:
    """Cast a ray to the right; a point on a side is not inside."""
    odd = False
    for (x1, y1), (x2, y2) in sides:
        on_line = _turn((x1, y1), (x2, y2), (x, y)) == 0
        if on_line and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            return False
        if (y1 > y) != (y2 > y) and x < x1 + Fraction((y - y1) * (x2 - x1), y2 - y1):
            odd = not odd
    return odd


# --------------------------------------------------------------------------- code


def _digital_root(n: int) -> int:
    return 1 + (n - 1) % 9


def _is_prime(n: int) -> bool:
    return sum(n % d == 0 for d in range(1, n + 1)) == 2


def _trailing_zeros(n: int) -> int:
    digits = str(math.factorial(n))
    return len(digits) - len(digits.rstrip("0"))


_MEANT: dict[str, tuple[int, Callable[[int], object]]] = {
    "digital_root": (1, _digital_root),
    "is_prime": (2, _is_prime),
    "trailing_zeros": (1, _trailing_zeros),
}


def first_wrong_input(question: Question) -> object:
    code = fenced(question.question, "python")
    name = find(r"def (\w+)\(", code)[0]
    start, meant = _MEANT[name]
    written = namespace(code)[name]
    return next(n for n in range(start, 2000) if written(n) != meant(n))


def _lists(longest: int, values: Iterable[int]) -> list[list[int]]:
    values = list(values)
    return [list(p) for n in range(longest + 1) for p in itertools.product(values, repeat=n)]


def _balanced(text: str) -> bool:
    while "()" in text.replace("a", ""):
        text = text.replace("a", "").replace("()", "")
    return not text.replace("a", "")


def _cases(name: str) -> list[tuple[tuple[Any, ...], object]]:
    """Give (arguments, right result) of all small inputs of a function to repair."""
    if name == "merge":
        sides = [items for items in _lists(3, range(4)) if items == sorted(items)]
        return [((a, b), sorted(a + b)) for a, b in itertools.product(sides, repeat=2)]
    if name == "longest_run":
        runs = [
            (x, max((len(list(g)) for _, g in itertools.groupby(x)), default=0)) for x in _lists(6, range(3))
        ]
        return [((items,), longest) for items, longest in runs]
    if name == "is_balanced":
        texts = ["".join(p) for n in range(8) for p in itertools.product("()a", repeat=n)]
        return [((text,), _balanced(text)) for text in texts]
    assert name == "second_largest"
    return [((x,), sorted(set(x))[-2]) for x in _lists(5, range(-1, 4)) if len(set(x)) > 1]


def repair_choice(question: Question) -> object:
    code = fenced(question.question, "python")
    name = find(r"def (\w+)\(", code)[0]
    cases = _cases(name)
    (marked,) = [line for line in code.splitlines() if line.endswith("  # faulty")]
    indent = marked[: len(marked) - len(marked.lstrip())]
    right = []
    for choice in question.choices or []:
        function = namespace(code.replace(marked, indent + choice))[name]
        if all(_result(function, arguments) == expected for arguments, expected in cases):
            right.append(choice)
    assert any(_result(namespace(code)[name], arguments) != expected for arguments, expected in cases)
    (only,) = right
    return only


def _result(function: Callable[..., Any], arguments: tuple[Any, ...]) -> object:
    try:
        return function(*arguments)
    except (TypeError, IndexError) as error:
        return error


# --------------------------------------------------------------------------- long texts


def corrected_ledger(question: Question) -> object:
    entries: dict[str, list[str]] = {}
    for line in re.findall(r"(?m)^\d{3} \| .*$", question.question):
        number, date, what, *rest = line.split(" | ")
        if what != "correction":
            entries[number] = [date, what, *rest]
        elif void := re.fullmatch(r"entry (\d+) is void", rest[0]):
            entries[void[1]][-1] = "0"
        else:
            corrected, amount = find(r"^the amount of entry (\d+) is (\d+)$", rest[0])
            entries[corrected][-1] = amount
    account, goods, first, last = find(
        r"did the (\w+) account pay out for (\w+) in entries dated from (\S+) to (\S+), both",
        question.question,
    )
    chosen = [e for e in entries.values() if e[1:4] == [account, "paid out", goods] and first <= e[0] <= last]
    return sum(int(entry[-1]) for entry in chosen)


def log_audit(question: Question) -> object:
    pattern = r"(?m)^(\d\d):(\d\d):(\d\d) user=(\w+) action=login result=(\w+) ip=(\S+)$"
    logins = [
        (int(h) * 3600 + int(m) * 60 + int(s), user, result == "ok", ip)
        for h, m, s, user, result, ip in re.findall(pattern, question.question)
    ]
    assert logins == sorted(logins)
    if "two or more failed logins" in question.question:
        return _succeeded_after_two_failures(logins)
    if "some other user had logged in successfully" in question.question:
        return _failures_from_used_addresses(logins)
    assert "longest time between two successive successful logins" in question.question
    last: dict[str, int] = {}
    gaps = []
    for time, user, ok, _ in logins:
        if ok:
            gaps.append((time - last.get(user, time), user))
            last[user] = time
    (best,) = {user for gap, user in gaps if gap == max(gaps)[0]}
    return best


Logins = list[tuple[int, str, bool, str]]


def _succeeded_after_two_failures(logins: Logins) -> int:
    failures: dict[str, int] = defaultdict(int)
    found = set()
    for _, user, ok, _ in logins:
        if ok and failures[user] >= 2:
            found.add(user)
        failures[user] += not ok
    return len(found)


def _failures_from_used_addresses(logins: Logins) -> int:
    users: dict[str, set[str]] = defaultdict(set)
    count = 0
    for _, user, ok, address in logins:
        if ok:
            users[address].add(user)
        elif users[address] - {user}:
            count += 1
    return count


# --------------------------------------------------------------------------- dates


def working_days(question: Question) -> object:
    text = question.question
    off = {5, 6} if "from Monday to Friday" in text else {6, 0}
    assert "from Monday to Friday" in text or "from Tuesday to Saturday" in text
    (weekday, start), (steps,) = (
        find(r"([A-Z][a-z]+day), (\d+ \w+ \d{4})", text),
        find(r"(\d+) (?:working|opening) days", text),
    )
    assert f"{day(start):%A}" == weekday
    (listed,) = re.findall(r"(?:these holidays: |closes on )([^.]+)\.", text)
    holidays = set(_days_listed(listed))
    dates = (day(start) + dt.timedelta(days=n) for n in itertools.count())
    worked = (date for date in dates if date.weekday() not in off and date not in holidays)
    return list(itertools.islice(worked, int(steps)))[-1].isoformat()


def _days_listed(text: str) -> list[dt.date]:
    """Give the dates of "25 and 26 December 2026 and on 1, 2 and 6 January 2027", read from the right."""
    month = year = ""
    found = []
    for number, name, in_year in reversed(re.findall(r"(\d+)(?: ([A-Z]\w+))?(?: (\d{4}))?", text)):
        month, year = name or month, in_year or year
        found.append(day(f"{number} {month} {year}"))
    return found


def time_zones(question: Question) -> object:
    text = question.question
    zones = [
        (1 if side == "ahead of" else -1) * dt.timedelta(hours=int(hours), minutes=int(minutes or 0))
        for hours, minutes, side in re.findall(r"(\d+) hours(?: (\d+) minutes)? (ahead of|behind) UTC", text)
    ]
    assert len(zones) == 2
    clock, date = find(r"at (\d\d:\d\d) local time on (\d+ \w+ \d{4})", text)
    hours, minutes = find(r"(?:flies for|takes) (\d+)\shours (\d+)\sminutes", text)
    start = dt.datetime.combine(day(date), dt.time.fromisoformat(clock), tzinfo=dt.timezone(zones[0]))
    end = start + dt.timedelta(hours=int(hours), minutes=int(minutes))
    return f"{end.astimezone(dt.timezone(zones[1])):%Y-%m-%d %H:%M}"


PROOFS: dict[str, Proof] = {
    "rates-in-stages": rates_in_stages,
    "power-sums-of-roots": power_sums_of_roots,
    "conditional-dice": conditional_dice,
    "which-source": which_source,
    "remainders": remainders,
    "big-powers": big_powers,
    "lattice-polygon": lattice_polygon,
    "traced-program": printed,
    "first-wrong-input": first_wrong_input,
    "repair-choice": repair_choice,
    "joins-and-nulls": queried,
    "corrected-ledger": corrected_ledger,
    "log-audit": log_audit,
    "working-days": working_days,
    "time-zones": time_zones,
}
