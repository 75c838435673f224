"""Optimisation of time: requests without overlap, dependent tasks for two crews, and shifts."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from random import Random

from routemark.families.base import Draft, bullets, clock, family, listed, numeric

_REQUESTS = (
    (
        (
            "A concert hall can host one event at a time; an event may start at the very minute at which"
            " another ends. Requests:"
        ),
        "dollars",
        "What is the largest total rent in dollars?",
    ),
    (
        (
            "A solar telescope observes one region at a time, and a window may begin exactly when another"
            " ends. Proposals for one day:"
        ),
        "points",
        "What is the largest total of points?",
    ),
    (
        (
            "A ferry captain can accept private charters that do not overlap; one may begin at the moment"
            " another ends. Offers for one day:"
        ),
        "dollars",
        "What is the largest total income in dollars?",
    ),
)


@family("opt", "scheduling")
def interval_selection(rng: Random) -> Draft | None:
    """Best set of intervals without overlap."""
    intro, unit, asked = rng.choice(_REQUESTS)
    spans = []
    for _ in range(rng.choice([10, 11, 12])):
        start = rng.randrange(8 * 60, 19 * 60, 15)
        end = start + rng.randrange(45, 260, 15)
        spans.append((start, end, int((end - start) * rng.uniform(0.6, 1.3)) + 20))
    by_end = sorted(spans, key=lambda span: span[1])
    best = [0]
    for k, (start, _, value) in enumerate(by_end):
        before = max(j for j in range(k + 1) if j == 0 or by_end[j - 1][1] <= start)
        best.append(max(best[k], best[before] + value))
    rules: list[Callable[[tuple[int, int, int]], float]] = [
        lambda s: s[1],
        lambda s: -s[2],
        lambda s: -s[2] / (s[1] - s[0]),
    ]
    if (
        max(_taken(sorted(spans, key=rule)) for rule in rules) >= best[-1]
        or max(end for _, end, _ in spans) >= 1440
    ):
        return None
    lines = bullets(
        f"request {k}: {clock(a)} to {clock(b)}, {value} {unit}" for k, (a, b, value) in enumerate(spans, 1)
    )
    return numeric(rng, f"{intro}\n{lines}\n{asked}", best[-1])


def _taken(spans: list[tuple[int, int, int]]) -> int:
    chosen: list[tuple[int, int, int]] = []
    for span in spans:
        if all(span[1] <= other[0] or span[0] >= other[1] for other in chosen):
            chosen.append(span)
    return sum(value for _, _, value in chosen)


_CREWS = (
    (
        (
            "Two crews renovate a house. Each task is done by one crew from start to end without a break, in"
            " days:"
        ),
        "task",
        "days",
    ),
    (
        (
            "Two cooks prepare a banquet. Each dish part is done by one cook from start to end without a"
            " break, in minutes:"
        ),
        "part",
        "minutes",
    ),
    (
        (
            "Two processors run a program. Each block runs on one processor from start to end without a"
            " break, in milliseconds:"
        ),
        "block",
        "milliseconds",
    ),
)


@family("opt", "scheduling")
def two_crews(rng: Random) -> Draft | None:
    """Shortest plan of dependent tasks for two crews."""
    intro, noun, unit = rng.choice(_CREWS)
    n = 7
    times = [rng.randint(3, 14) for _ in range(n)]
    after = [sorted(rng.sample(range(k), min(k, rng.choice([0, 1, 1, 2])))) if k else [] for k in range(n)]
    if sum(map(len, after)) < 5:
        return None
    best, in_order = 10**6, 10**6
    for order in itertools.permutations(range(n)):
        place = {k: i for i, k in enumerate(order)}
        if all(place[b] < place[k] for k in range(n) for b in after[k]):
            end = _two_crew_end(order, times, after)
            best = min(best, end)
            if order == tuple(range(n)):
                in_order = end
    longest: list[int] = []
    for k in range(n):
        longest.append(times[k] + max((longest[b] for b in after[k]), default=0))
    if best in (in_order, max(longest), -(-sum(times) // 2)):
        return None
    lines = bullets(
        f"{noun} {'ABCDEFG'[k]}: {times[k]} {unit}, "
        + (f"after {listed(['ABCDEFG'[b] for b in after[k]])}" if after[k] else "at any time")
        for k in range(n)
    )
    text = (
        f'{intro}\n{lines}\nA {noun} can begin only when all those named behind "after" are finished. Both'
        f" start at the same moment, each does one {noun} at a time and may also wait. What is the smallest"
        f" number of {unit} until everything is finished?"
    )
    return numeric(rng, text, best)


def _two_crew_end(order: tuple[int, ...], times: list[int], after: list[list[int]]) -> int:
    """Give the end when the tasks are begun in an order, each by the crew that can begin it first; some order is optimal."""
    free = [0, 0]
    finished: dict[int, int] = {}
    for k in order:
        free.sort()
        start = max(free[0], max((finished[b] for b in after[k]), default=0))
        if free[1] <= start:  # both are free by then: the one that waits less takes it
            free = [free[0], start + times[k]]
        else:
            free[0] = start + times[k]
        finished[k] = start + times[k]
    return max(free)


_SHIFTS = (
    ("A call centre must have enough people at their desks in every hour from {a}:00 to {b}:00.", "people"),
    ("A swimming pool needs enough lifeguards in every hour from {a}:00 to {b}:00.", "lifeguards"),
    ("A museum needs enough guards in every hour from {a}:00 to {b}:00.", "guards"),
)


@family("opt", "scheduling")
def shift_cover(rng: Random) -> Draft | None:
    """Least pay for shifts that cover a day's demand."""
    intro, who = rng.choice(_SHIFTS)
    first, hours, length = rng.choice([7, 8, 9]), 8, rng.choice([3, 4])
    need = [rng.randint(1, 5) for _ in range(hours)]
    pay = [rng.randint(5, 12) for _ in range(hours - length + 1)]
    best: dict[tuple[int, ...], int] = {(0,) * length: 0}  # people who began in the last hours -> least pay
    for hour in range(hours):
        following: dict[tuple[int, ...], int] = {}
        for began, cost in best.items():
            most = max(need) if hour <= hours - length else 0
            for new in range(most + 1):
                state = (*began[1:], new)
                if sum(state) >= need[hour]:
                    price = cost + (new * pay[hour] if new else 0)
                    following[state] = min(following.get(state, 10**6), price)
        best = following
    if not best:
        return None
    answer = min(best.values())
    greedy = _greedy_shifts(need, pay, length)
    if greedy <= answer:
        return None
    needs = ", ".join(str(n) for n in need)
    wages = bullets(
        f"shift from {first + k}:00 to {first + k + length}:00: {price} dollars a person"
        for k, price in enumerate(pay)
    )
    text = (
        f"{intro.format(a=first, b=first + hours)} The numbers of {who} needed in the hours, one after"
        f" another, are: {needs}. These shifts can be staffed, each by any number of {who}:\n{wages}\nThere"
        f" may be more {who} than needed. What is the smallest total pay in dollars?"
    )
    return numeric(rng, text, answer)


def _greedy_shifts(need: list[int], pay: list[int], length: int) -> int:
    """Give the pay when each hour's lack is filled by the latest shift that still covers it."""
    present, total = [0] * len(need), 0
    for hour, wanted in enumerate(need):
        lack = max(0, wanted - present[hour])
        start = min(hour, len(pay) - 1)
        total += lack * pay[start]
        for h in range(start, start + length):
            present[h] += lack
    return total


FAMILIES = (
    interval_selection,
    two_crews,
    shift_cover,
)
