"""What the obvious rule of thumb gives for some `opt` families; a question worth asking wants better."""

from __future__ import annotations

import heapq
import itertools
import re
from collections.abc import Callable

from data.prompts import bullets, ints
from routemark.records import Question


def _rows(question: Question, pattern: str) -> list[tuple[int, ...]]:
    return [tuple(map(int, groups)) for groups in bullets(question.question, pattern)]


def fill_by_ratio(question: Question) -> int:
    """Knapsack: take what gives most per unit as long as it fits."""
    room = ints(question.question)[0]
    value = 0
    items = _rows(question, r"[\w ]+: (\d+) [a-zA-Z ]+, (\d+) [a-z ]+")
    for weight, worth in sorted(items, key=lambda item: -item[1] / item[0]):
        if weight <= room:
            room, value = room - weight, value + worth
    return value


def nearest_next(question: Question) -> int:
    """Round trip: go on to the nearest place not yet seen."""
    legs = bullets(question.question, r"(\w+) - (\w+): (\d+)")
    times = {(a, b): int(x) for a, b, x in legs} | {(b, a): int(x) for a, b, x in legs}
    start = here = legs[0][0]
    left = {b for _, b, _ in legs}
    total = 0
    while left:
        there = min(left, key=lambda place: times[here, place])
        total, here = total + times[here, there], there
        left.remove(there)
    return total + times[here, start]


def longest_first(question: Question) -> int:
    """Parallel machines: give the longest job left to the machine that is free first."""
    loads = [0] * {"Two": 2, "Three": 3, "Four": 4}[question.question.split()[0]]
    for (time,) in sorted(_rows(question, r"\w+ \d+: (\d+)"), reverse=True):
        heapq.heapreplace(loads, loads[0] + time)
    return max(loads)


def earliest_end(question: Question) -> int:
    """Intervals: take what ends first and does not overlap."""
    spans = re.findall(r"(\d\d:\d\d) to (\d\d:\d\d), (\d+)", question.question)
    free, total = "", 0
    for start, end, value in sorted(spans, key=lambda span: span[1]):
        if start >= free:
            free, total = end, total + int(value)
    return total


def best_pair_first(question: Question) -> int:
    """Pairing: take the best pair, then the best of those left."""
    pairs = bullets(question.question, r"(\w+) and (\w+): (\d+)")
    taken: set[str] = set()
    total = 0
    for a, b, value in sorted(pairs, key=lambda pair: int(pair[2]), reverse="largest" in question.question):
        if not taken & {a, b}:
            taken |= {a, b}
            total += int(value)
    return total


def due_date_order(question: Question) -> int:
    """Lateness: serve what is due first."""
    jobs = _rows(question, r"\w+ \d+: takes (\d+) minutes, due at minute (\d+), (\d+) \w+ a minute")
    jobs.sort(key=lambda job: job[1])
    ends = itertools.accumulate(time for time, _, _ in jobs)
    return sum(max(0, end - due) * price for end, (_, due, price) in zip(ends, jobs, strict=True))


GREEDY: dict[str, Callable[[Question], int]] = {
    "knapsack": fill_by_ratio,
    "round-trip": nearest_next,
    "parallel-machines": longest_first,
    "interval-selection": earliest_end,
    "pairing": best_pair_first,
    "weighted-lateness": due_date_order,
}
