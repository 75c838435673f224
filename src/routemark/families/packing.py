"""Optimisation of what to take: loads, covers, coins, cuts, teams, shares and codes."""

from __future__ import annotations

from random import Random

from routemark.families.base import Draft, bullets, family, listed, numeric, split

_LOADS = (
    (
        (
            "A field team has room for {cap} kg of equipment on its sledge. Each item can be taken once or"
            " left behind, never in part:"
        ),
        "kg",
        "points",
        "What is the largest total of points that the sledge can carry?",
        (
            "drill|weather mast|spare battery|camera|sonar|tent heater|core sampler|drone|radio relay|tool"
            " chest|winch"
        ),
    ),
    (
        (
            "A travelling exhibition has {cap} square metres of floor in its lorry trailer. Each exhibit"
            " comes whole or not at all:"
        ),
        "square metres",
        "visitors a day",
        (
            "The figures for visitors simply add up. What is the largest number of visitors a day that can be"
            " had?"
        ),
        (
            "tidal pool|hall of mirrors|fossil wall|model railway|planetarium|clock room|bee"
            " hive|loom|printing press|echo cave|sand clock"
        ),
    ),
    (
        (
            "A data centre has {cap} kW of cooling left this summer. Each job below runs for the whole season"
            " or not at all:"
        ),
        "kW",
        "thousand dollars",
        "What is the largest total revenue, in thousand dollars, within the cooling limit?",
        (
            "genome search|film rendering|weather ensemble|fraud scan|route planning|speech archive|crash"
            " test|tax audit|map tiles|photo index|ocean model"
        ),
    ),
    (
        (
            "A radio station must fill at most {cap} minutes of a Sunday slot. Each feature is broadcast in"
            " full or dropped:"
        ),
        "minutes",
        "listener points",
        "What is the largest total of listener points that fits?",
        (
            "harbour report|jazz hour|garden letters|book talk|science quiz|choir concert|radio play|chess"
            " column|travel diary|night prayer|farm news"
        ),
    ),
)


@family("opt", "optimisation")
def knapsack(rng: Random) -> Draft | None:
    """Best load within a limit."""
    intro, unit, worth, asked, things = rng.choice(_LOADS)
    names = rng.sample(split(things), rng.choice([9, 10, 11]))
    weights = [rng.randint(7, 38) for _ in names]
    values = [int(weight * rng.uniform(1.4, 2.6)) + rng.randint(0, 6) for weight in weights]
    capacity = int(sum(weights) * rng.uniform(0.4, 0.55))
    best = [0] * (capacity + 1)
    for weight, value in zip(weights, values, strict=True):
        for room in range(capacity, weight - 1, -1):
            best[room] = max(best[room], best[room - weight] + value)
    items = list(zip(weights, values, strict=True))
    by_ratio, by_value = (
        _filled(sorted(items, key=key), capacity) for key in (lambda i: -i[1] / i[0], lambda i: -i[1])
    )
    if max(by_ratio, by_value) >= best[capacity]:
        return None
    lines = bullets(
        f"{name}: {weight} {unit}, {value} {worth}"
        for name, (weight, value) in zip(names, items, strict=True)
    )
    return numeric(rng, f"{intro.format(cap=capacity)}\n{lines}\n{asked}", best[capacity])


def _filled(items: list[tuple[int, int]], room: int) -> int:
    """Give the value when items are taken in order as long as they fit."""
    total = 0
    for weight, value in items:
        if weight <= room:
            room, total = room - weight, total + value
    return total


_COVERS = (
    (
        (
            "A town wants every one of its districts {u} to be served by at least one clinic. Possible"
            " clinics, with yearly cost and the districts they serve:"
        ),
        "What is the lowest total yearly cost, in thousand dollars?",
        "thousand dollars",
        "clinic",
    ),
    (
        "A festival needs every skill {u} on its crew. Freelancers, with daily fee and skills:",
        "What is the lowest total daily fee, in dollars, of a crew that has all the skills?",
        "dollars",
        "freelancer",
    ),
    (
        (
            "A test plan must exercise all features {u}. Available test suites, with running time and the"
            " features they touch:"
        ),
        (
            "What is the shortest total running time in minutes of a choice of suites that touches every"
            " feature?"
        ),
        "minutes",
        "suite",
    ),
    (
        (
            "A publisher wants at least one catalogue rack in each shop {u}. Distributors offer bundles; a"
            " bundle is bought whole:"
        ),
        "What is the lowest total price in dollars?",
        "dollars",
        "bundle",
    ),
)


@family("opt", "optimisation")
def weighted_cover(rng: Random) -> Draft | None:
    """Cheapest set cover."""
    intro, asked, unit, noun = rng.choice(_COVERS)
    wanted = "ABCDEFGHIJ"[: rng.choice([8, 9])]
    offers: list[tuple[int, int, str]] = []
    for _ in range(rng.choice([9, 10, 11])):
        size = rng.randint(2, 4)
        has = "".join(sorted(rng.sample(wanted, size)))
        offers.append(
            (sum(1 << wanted.index(x) for x in has), int(size * rng.uniform(9, 15)) + rng.randint(0, 6), has)
        )
    best = {0: (0, 0)}  # covered -> (cost, offers taken)
    for mask, cost, _ in offers:
        for covered, (spent, taken) in list(best.items()):
            new = (spent + cost, taken + 1)
            best[covered | mask] = min(best.get(covered | mask, new), new)
    full = (1 << len(wanted)) - 1
    if full not in best or best[full][1] < 4 or _greedy_cover(offers, full) <= best[full][0]:
        return None
    lines = bullets(
        f"{noun} {k}: {cost} {unit}; {', '.join(has)}" for k, (_, cost, has) in enumerate(offers, 1)
    )
    return numeric(rng, f"{intro.format(u=listed(list(wanted)))}\n{lines}\n{asked}", best[full][0])


def _greedy_cover(offers: list[tuple[int, int, str]], left: int) -> int:
    total = 0
    while left:
        mask, cost, _ = min(offers, key=lambda o: o[1] / ((left & o[0]).bit_count() or 0.001))
        total, left = total + cost, left & ~mask
    return total


_CHANGE = (
    (
        "A vending machine must hand back exactly {t} cents. It holds only these coins:",
        "cent coin",
        "What is the smallest number of coins that makes the exact amount?",
    ),
    (
        (
            "A post office clerk has to stick exactly {t} cents of postage on a parcel and has these stamps"
            " left:"
        ),
        "cent stamp",
        "What is the smallest number of stamps that gives exactly this postage?",
    ),
    (
        (
            "A chemist wants exactly {t} grams on the balance, using as few weights as possible, all in the"
            " same pan. The box holds:"
        ),
        "gram weight",
        "How many weights does she need at the least?",
    ),
)


@family("opt", "optimisation")
def exact_change(rng: Random) -> Draft | None:
    """Fewest coins from a limited stock."""
    intro, noun, asked = rng.choice(_CHANGE)
    values = sorted(rng.sample([3, 4, 7, 9, 11, 13, 16, 19, 23, 27, 31, 37, 41], 6), reverse=True)
    stock = [(value, rng.randint(2, 4)) for value in values]
    total = rng.randint(150, 340)
    best = {0: 0}
    for value, have in stock:
        for amount, coins in list(best.items()):
            for n in range(1, have + 1):
                reached = amount + n * value
                if reached <= total:
                    best[reached] = min(best.get(reached, 99), coins + n)
    left, greedy, bound, rest = total, 0, 0, total
    for value, have in stock:
        n = min(have, left // value)
        left, greedy = left - n * value, greedy + n
        n = min(have, -(-rest // value)) if rest > 0 else 0
        rest, bound = rest - n * value, bound + n
    answer = best.get(total, 0)
    if (
        answer < 7
        or (answer < 9 and rng.random() < 0.6)
        or (left == 0 and greedy == answer)
        or answer == bound
    ):
        return None
    lines = bullets(f"{have} x {value} {noun}" for value, have in stock)
    return numeric(rng, f"{intro.format(t=total)}\n{lines}\n{asked}", answer)


_CUTS = (
    (
        "A carpenter needs these pieces of moulding:",
        (
            "Shops sell bars of {a} cm at {p} dollars and bars of {b} cm at {q} dollars, as many as wanted."
            " Pieces are sawn from bars without loss and may not be joined from parts. What is the lowest"
            " cost in dollars?"
        ),
    ),
    (
        "A plumber has to cut these lengths of pipe:",
        (
            "Pipe comes in rods of {a} cm at {p} dollars and rods of {b} cm at {q} dollars; any number of"
            " each can be bought. A length must come from one rod; sawing loses nothing. What is the least"
            " the plumber has to pay, in dollars?"
        ),
    ),
    (
        "A sail maker cuts these strips from rolls:",
        (
            "Rolls of {a} cm cost {p} dollars and rolls of {b} cm cost {q} dollars, without limit of number."
            " Every strip is one piece and cutting wastes nothing. What is the lowest total price in dollars?"
        ),
    ),
)


@family("opt", "optimisation")
def cutting_stock(rng: Random) -> Draft | None:
    """Cheapest stock of two lengths."""
    intro, asked = rng.choice(_CUTS)
    lengths = rng.sample(range(45, 175, 5), 4)
    needed = [rng.randint(1, 4) for _ in lengths]
    pieces = sorted((n for n, count in zip(lengths, needed, strict=True) for _ in range(count)), reverse=True)
    if len(pieces) not in (8, 9):
        return None
    a, b = rng.choice([(240, 390), (250, 400), (300, 420), (200, 350)])
    p = rng.randint(17, 24)
    q = int(p * b / a * rng.uniform(0.88, 1.03))
    best = _cheapest_cuts(pieces, ((a, p), (b, q)))
    if best >= min(_first_fit(pieces, a) * p, _first_fit(pieces, b) * q):
        return None
    lines = bullets(f"{count} x {length} cm" for length, count in zip(lengths, needed, strict=True))
    return numeric(rng, f"{intro}\n{lines}\n{asked.format(a=a, b=b, p=p, q=q)}", best)


def _cheapest_cuts(pieces: list[int], offers: tuple[tuple[int, int], ...]) -> int:
    """Give the least price by dynamic programming over the sets of pieces already cut."""
    n = len(pieces)
    sums = [sum(pieces[i] for i in range(n) if mask >> i & 1) for mask in range(1 << n)]
    prices = [min((price for length, price in offers if total <= length), default=10**6) for total in sums]
    best = [0] + [10**6] * ((1 << n) - 1)
    for mask in range(1, 1 << n):
        lowest = mask & -mask
        part = mask
        while part:  # every bar that holds the first piece still to be cut
            if part & lowest and prices[part] < 10**6:
                best[mask] = min(best[mask], best[mask ^ part] + prices[part])
            part = (part - 1) & mask
    return best[-1]


def _first_fit(pieces: list[int], room: int) -> int:
    bars: list[int] = []
    for piece in pieces:
        for k, used in enumerate(bars):
            if used + piece <= room:
                bars[k] += piece
                break
        else:
            bars.append(piece)
    return len(bars)


FAMILIES = (
    knapsack,
    weighted_cover,
    exact_change,
    cutting_stock,
)
