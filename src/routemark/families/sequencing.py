"""Optimisation of when: machines, sequences, intervals, crews and shifts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from random import Random

from routemark.families.base import Draft, bullets, family, numeric

_MACHINES = (
    (
        (
            "{m} identical kilns stand ready at the same moment. Every batch is fired without a break in one"
            " kiln, one batch at a time per kiln. Firing times in minutes:"
        ),
        "What is the shortest possible time, in minutes, until all batches are done?",
        "batch",
    ),
    (
        (
            "{m} equally fast servers are idle. Each job runs on one server from start to end, and a server"
            " runs one job at a time. Job lengths in seconds:"
        ),
        "How many seconds pass, at the very least, until the last job has finished?",
        "job",
    ),
    (
        (
            "{m} volunteers share out the letters to be translated. Each letter is translated by one person,"
            " and nobody works on two at once. Working times in minutes:"
        ),
        ("What is the earliest possible time, in minutes from the start, at which everything is translated?"),
        "letter",
    ),
    (
        (
            "{m} lorries of the same kind shuttle loads from a quarry. A load occupies one lorry for the"
            " whole time given, and a lorry carries one load at a time. Times in minutes:"
        ),
        "What is the smallest number of minutes in which all loads can be moved?",
        "load",
    ),
)


@family("opt", "scheduling")
def parallel_machines(rng: Random) -> Draft | None:
    """Shortest makespan."""
    intro, asked, noun = rng.choice(_MACHINES)
    machines, n = rng.choice([(2, 9), (2, 10), (3, 8), (3, 9), (4, 8)])
    times = [rng.randint(14, 59) for _ in range(n)]
    states: list[tuple[int, ...]] = [(0,) * machines]
    for time in times:
        states = sorted(
            {tuple(sorted((*s[:i], s[i] + time, *s[i + 1 :]))) for s in states for i in range(machines)}
        )
    best = min(map(max, states))
    loads = [0] * machines
    for time in sorted(times, reverse=True):
        loads.sort()
        loads[0] += time
    bound = max(-(-sum(times) // machines), *times)
    if max(loads) <= best or (machines > 2 and best == bound):
        return None
    word = {2: "Two", 3: "Three", 4: "Four"}[machines]
    lines = bullets(f"{noun} {k}: {time}" for k, time in enumerate(times, 1))
    return numeric(rng, f"{intro.format(m=word)}\n{lines}\n{asked}", best)


_SHOPS = (
    (
        (
            "Every part passes through three machines in the order cutting, milling, polishing. Each machine"
            " handles one part at a time, all machines take the parts in the same order, and a part may wait"
            " between machines for as long as needed. Minutes per part:"
        ),
        ("cutting", "milling", "polishing"),
        "part",
        (
            "What is the shortest possible time in minutes from the start of the first cut to the end of the"
            " last polish?"
        ),
    ),
    (
        (
            "A bakery makes several orders. Each goes through kneading, proving and baking in that order;"
            " each station serves one order at a time and all stations serve the orders in the same sequence."
            " Orders may wait between stations. Minutes per order:"
        ),
        ("kneading", "proving", "baking"),
        "order",
        "In how many minutes, at the least, can all orders be finished?",
    ),
    (
        (
            "A laboratory tests samples in three steps, washing, heating and scanning, always in this order."
            " There is one device for each step, it takes one sample at a time, and the samples keep the same"
            " sequence on all three devices, with waiting allowed in between. Minutes per sample:"
        ),
        ("washing", "heating", "scanning"),
        "sample",
        ("What is the smallest number of minutes from start to finish?"),
    ),
)


def _flow_end(jobs: Sequence[Sequence[int]]) -> int:
    a = b = c = 0
    for first, second, third in jobs:
        a += first
        b = max(a, b) + second
        c = max(b, c) + third
    return c


@family("opt", "scheduling")
def flow_shop(rng: Random) -> Draft | None:
    """Three-machine flow shop."""
    intro, steps, noun, asked = rng.choice(_SHOPS)
    jobs = [[rng.randint(3, 19) for _ in range(3)] for _ in range(rng.choice([5, 6, 6]))]
    ends = sorted(map(_flow_end, itertools.permutations(jobs)))
    early = sorted((j for j in jobs if j[0] < j[2]), key=lambda j: j[0] + j[1])
    late = sorted((j for j in jobs if j[0] >= j[2]), key=lambda j: -(j[1] + j[2]))
    if ends[0] in (_flow_end(jobs), _flow_end([*early, *late])) or ends.count(ends[0]) > 0.03 * len(ends):
        return None
    lines = bullets(
        f"{noun} {k}: " + ", ".join(f"{step} {time}" for step, time in zip(steps, job, strict=True))
        for k, job in enumerate(jobs, 1)
    )
    return numeric(rng, f"{intro}\n{lines}\n{asked}", ends[0])


_FINES = (
    (
        (
            "One workshop repairs these instruments one after another without a break, starting at minute 0."
            " Each minute that a repair is finished after its due minute costs the fine given; finishing"
            " early costs nothing:"
        ),
        ("What is the lowest total fine in dollars?"),
        "instrument",
        "dollars a minute",
    ),
    (
        (
            "One interpreter handles these calls one at a time, beginning at minute 0, with no pauses between"
            " them. For each minute by which a call ends after its due minute, the penalty is added; ending"
            " early is free:"
        ),
        ("What is the smallest possible total penalty in points?"),
        "call",
        "points a minute",
    ),
    (
        (
            "A single crane unloads these barges one by one from minute 0 on, without pauses. Each minute"
            " that a barge is finished beyond its due minute costs demurrage; there is no bonus for being"
            " early:"
        ),
        "What is the lowest total demurrage in dollars?",
        "barge",
        "dollars a minute",
    ),
)


@family("opt", "scheduling")
def weighted_lateness(rng: Random) -> Draft | None:
    """One machine, least total fine."""
    intro, asked, noun, unit = rng.choice(_FINES)
    n = rng.choice([6, 7])
    jobs = [(rng.randint(8, 30), rng.randint(15, 95), rng.randint(2, 7)) for _ in range(n)]
    best = {0: 0}
    for mask in range(1, 1 << n):
        end = sum(jobs[j][0] for j in range(n) if mask >> j & 1)
        best[mask] = min(
            best[mask & ~(1 << j)] + max(0, end - jobs[j][1]) * jobs[j][2] for j in range(n) if mask >> j & 1
        )
    answer = best[(1 << n) - 1]
    rules: list[Callable[[tuple[int, int, int]], float]] = [
        lambda j: j[1],
        lambda j: j[0] / j[2],
        lambda j: j[0],
    ]
    if answer <= 30 or min(_fine(sorted(jobs, key=rule)) for rule in rules) <= answer:
        return None
    lines = bullets(
        f"{noun} {k}: takes {t} minutes, due at minute {d}, {w} {unit}" for k, (t, d, w) in enumerate(jobs, 1)
    )
    return numeric(rng, f"{intro}\n{lines}\n{asked}", answer)


def _fine(jobs: list[tuple[int, int, int]]) -> int:
    end = total = 0
    for time, due, price in jobs:
        end += time
        total += max(0, end - due) * price
    return total


FAMILIES = (
    parallel_machines,
    flow_shop,
    weighted_lateness,
)
