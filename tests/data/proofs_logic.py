"""Proofs of puzzles, plans and timetables: family -> answer computed from the prompt."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

from scipy.optimize import linprog

from data.prompts import Proof, bullets, day, find, ints
from routemark.records import Question

# --------------------------------------------------------------------------- puzzles


def family_tree(question: Question) -> object:
    """Follow the parents of everybody upwards."""
    text = question.question
    parent = dict(re.findall(r"(\w+) is a child of (\w+)\.", text))
    two_up = {child: parent[mother] for child, mother in parent.items() if mother in parent}
    if "grandchildren" in text:
        (who,) = find(r"grandchildren does (\w+) have", text)
        return Counter(two_up.values())[who]
    if "cousins" in text:
        (who,) = find(r"cousins does (\w+) have", text)
        return sum(two_up[other] == two_up[who] and parent[other] != parent[who] for other in two_up)
    (who,) = find(r"nephews and nieces does (\w+) have", text)
    return sum(parent[parent[other]] == parent[who] and parent[other] != who for other in two_up)


def lamp_buttons(question: Question) -> object:
    """Press every set of buttons; twice the same button is as good as not at all."""
    text = question.question
    lit = {int(n) for n in re.findall(r"\d+", find(r"lit are the lamps ([^;]+);", text)[0])}
    buttons = [
        (set(ints(lamps)), int(price))
        for lamps, price in bullets(text, r"button [A-J]: lamps ([\d, ]+); (\d) units")
    ]
    costs = []
    for size in range(len(buttons) + 1):
        for chosen in itertools.combinations(buttons, size):
            presses = Counter(lamp for lamps, _ in chosen for lamp in lamps)
            if {lamp for lamp, times in presses.items() if times % 2} == lit:
                costs.append(sum(price for _, price in chosen))
    return min(costs)


def guaranteed_search(question: Question) -> object:
    """Grow every search tree and look at its dearest branch."""
    fees = [int(n) for n in find(r"fee shown: ([\d, ]+) \(for", question.question)[0].split(", ")]

    def trees(left: int, right: int) -> Iterator[int]:
        if right - left < 1:
            yield 0
            return
        for k in range(left, right + 1):
            if k == left:
                sides = ((a, 0) for a in trees(k + 1, right))
            elif k == right:
                sides = ((0, b) for b in trees(left, k - 1))
            else:
                sides = itertools.product(trees(left, k - 1), trees(k + 1, right))
            yield from (fees[k] + max(pair) for pair in sides)

    return min(trees(0, len(fees) - 1))


# --------------------------------------------------------------------------- plans


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)


def common_free_time(question: Question) -> object:
    """Look at every minute of the day."""
    text = question.question
    spans = [(_minutes(a), _minutes(b)) for a, b in re.findall(r"(\d\d:\d\d)-(\d\d:\d\d)", text)]
    length, opens, closes = find(
        r"for (\d+) minutes without a break, between (\d\d:\d\d) and (\d\d:\d\d)\.", text
    )
    busy = {minute for a, b in spans for minute in range(a, b)}
    starts = range(_minutes(opens), _minutes(closes) - int(length) + 1)
    start = next(s for s in starts if not busy & set(range(s, s + int(length))))
    return f"{start // 60:02d}:{start % 60:02d}"


def project_plan(question: Question) -> object:
    """Work day by day at everything that can be worked at."""
    text = question.question
    left: dict[str, int] = {}
    after: dict[str, list[str]] = {}
    for task, days, before in bullets(text, r"(\w+): (\d+) days, (can begin at once|after .+)"):
        left[task] = int(days)
        after[task] = [word for word in re.findall(r"\w+", before) if f"\n- {word}:" in text]
    late, extra = find(r"Unfortunately, (\w+) takes (\d+) days longer", text)
    left[late] += int(extra)
    days_gone = 0
    while any(left.values()):
        days_gone += 1
        running = [task for task in left if left[task] and not any(left[t] for t in after[task])]
        for task in running:
            left[task] -= 1
    return days_gone


def rota(question: Question) -> object:
    """Count the duty days up to each date; the remainder names the person."""
    text = question.question
    names = find(r"one person a day: ([\w, ]+), and then", text)[0].split(", ")
    first, weekday, start, closed, holiday, other = find(
        r"beginning\. (\w+) begins on (\w+), (\d+ \w+ \d+)\. There is no duty on any (\w+), nor on the"
        r" holidays (\d+ \w+ \d+) and (\d+ \w+ \d+);",
        text,
    )
    one, two, asked = find(
        r"turn it was on (\d+ \w+ \d+) and the person whose turn it was on (\d+ \w+ \d+) swapped.* on (\d+"
        r" \w+ \d+)\?",
        text,
    )
    assert names[0] == first
    assert f"{day(start):%A}" == weekday

    def on_duty(date: str) -> str:
        days = (day(start) + dt.timedelta(days=n) for n in range((day(date) - day(start)).days))
        worked = sum(f"{d:%A}" != closed and d not in (day(holiday), day(other)) for d in days)
        return names[worked % len(names)]

    return on_duty({one: two, two: one}.get(asked, asked))


# --------------------------------------------------------------------------- walks and stocks


def _map(text: str) -> dict[tuple[int, int], str]:
    """Give what the squares of the printed map show, by row and column from 1."""
    rows = [line for line in text.splitlines() if re.fullmatch(r"[.#SGKD]{5,}", line)]
    return {(r, c): char for r, row in enumerate(rows, 1) for c, char in enumerate(row, 1)}


def robot_run(question: Question) -> object:
    text = question.question
    squares = _map(text)
    row, column, way, seconds = find(
        r"stands in row (\d), column (\d) and faces (\w+)\..* after (\d+) seconds\?", text
    )
    place = complex(int(row), int(column))
    ahead = {"up": -1 + 0j, "right": 1j, "down": 1 + 0j, "left": -1j}[way]
    for _ in range(int(seconds)):
        front = place + ahead
        if squares.get((int(front.real), int(front.imag))) == ".":
            place = front
        else:
            ahead *= -1j  # down the rows is the real axis: a right turn leads from up to right
    return f"{int(place.real)}, {int(place.imag)}"


def lasting_stock(question: Question) -> object:
    """Balance everything that came and went up to each day, instead of day by day."""
    text = question.question
    start, daily, change, later = (
        int(n)
        for n in find(
            r"has (\d+) [a-z ]+ on the morning of day 1\. Each day it \w+ (\d+) of them; from day (\d+) on,"
            r" it \w+ (\d+) a day",
            text,
        )
    )
    first, second, a, b = (
        int(n) for n in find(r"of day (\d+) and day (\d+), (\d+) and (\d+) more are delivered", text)
    )
    evening, percent = (
        int(n) for n in find(r"evening of day (\d+), after that day's use, (\d+) % of what is", text)
    )

    def used(until: int) -> int:
        return sum(daily if n < change else later for n in range(1, until + 1))

    def left(until: int) -> Fraction:
        """Give what is left on the evening of a day, if there was always enough."""
        stock = Fraction(start - used(until) + a * (until >= first) + b * (until >= second))
        if until >= evening:
            kept = start - used(evening) + a * (evening >= first) + b * (evening >= second)
            stock -= Fraction(kept * percent, 100)
        return stock

    def enough(number: int) -> bool:
        if number == evening:  # the loss comes after that day's use
            return start - used(number) + a * (number >= first) + b * (number >= second) >= 0
        return left(number) >= 0

    return next(number for number in itertools.count(1) if not enough(number))


# --------------------------------------------------------------------------- routes


def pick_up_and_deliver(question: Question) -> object:
    """Extend routes place by place; a delivery is open once its pick-up is on the route."""
    text = question.question
    jobs = {b: a for a, b in re.findall(r"(?m)^- \w+ \d: from (\w+) to (\w+)$", text)}
    times = {frozenset((a, b)): int(x) for a, b, x in re.findall(r"(?m)^- (\w+) - (\w+): (\d+)$", text)}
    places = {place for pair in times for place in pair} - {"base"}
    assert len(places) == 2 * len(jobs) == 6

    def shortest(route: tuple[str, ...]) -> int:
        if len(route) == len(places) + 1:
            return 0
        return min(
            times[frozenset((route[-1], place))] + shortest((*route, place))
            for place in places - set(route)
            if jobs.get(place, "base") in route
        )

    return shortest(("base",))


def key_and_door(question: Question) -> object:
    """Lower the step counts of all states until none gets lower."""
    squares = _map(question.question)
    (start,) = [place for place, char in squares.items() if char == "S"]
    steps = {(start, False): 0}
    changed = True
    while changed:
        changed = False
        for ((r, c), key), count in list(steps.items()):
            for place in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
                char = squares.get(place, "#")
                if char == "#" or (char == "D" and not key):
                    continue
                state = (place, key or char == "K")
                if count + 1 < steps.get(state, 10**6):
                    steps[state] = count + 1
                    changed = True
    return min(count for (place, _), count in steps.items() if squares[place] == "G")


def fuel_stops(question: Question) -> object:
    """Solve the linear programme of litres bought; whole litres are optimal, as its matrix is an interval matrix."""
    text = question.question
    tank, start = (int(n) for n in find(r"tank holds (\d+) litres, and at the start (\d+) litres", text))
    stations = [
        (int(gap), int(price))
        for gap, price in bullets(text, r"station \d: (\d+) km after [a-z0-9 ]+, (\d+) dollars a litre")
    ]
    (last,) = find(r"The goal is (\d+) km after station", text)
    gaps = [gap for gap, _ in stations] + [int(last)]
    count = len(stations)
    reach = [[-1.0] * k + [0.0] * (count - k) for k in range(count + 1)]  # litres bought before each arrival
    needed = [start - sum(gaps[: k + 1]) for k in range(count + 1)]
    full = [[1.0] * (k + 1) + [0.0] * (count - k - 1) for k in range(count)]
    room = [tank - start + sum(gaps[: k + 1]) for k in range(count)]
    solved = linprog([price for _, price in stations], A_ub=reach + full, b_ub=needed + room, method="highs")
    assert solved.success
    assert abs(solved.fun - round(solved.fun)) < 1e-6
    return round(solved.fun)


PROOFS: dict[str, Proof] = {
    "robot-run": robot_run,
    "lasting-stock": lasting_stock,
    "pick-up-and-deliver": pick_up_and_deliver,
    "key-and-door": key_and_door,
    "fuel-stops": fuel_stops,
    "common-free-time": common_free_time,
    "project-plan": project_plan,
    "rota": rota,
    "family-tree": family_tree,
    "lamp-buttons": lamp_buttons,
    "guaranteed-search": guaranteed_search,
}
