"""Proofs of the `opt` questions: family -> best value over every possible decision, read from the prompt.

Each function tries all decisions (subsets, orders, assignments, paths), so that what it gives is the
optimum by exhaustion; only `bin_packing`, `cutting_stock` and the two riddles search states instead.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator
from fractions import Fraction

from scipy.optimize import LinearConstraint, milp

from data.prompts import Proof, bullets, find, ints, number_table, table
from routemark.records import Question


def _subsets(n: int) -> Iterator[tuple[int, ...]]:
    return itertools.chain.from_iterable(itertools.combinations(range(n), size) for size in range(n + 1))


def _only_list(text: str, pattern: str) -> list[tuple[int, ...]]:
    return [tuple(map(int, groups)) for groups in bullets(text, pattern)]


# --------------------------------------------------------------------------- subsets


def knapsack(question: Question) -> object:
    (capacity,) = find(r"^(?:.*?)(\d+)[^\n]*\n", question.question.partition("\n")[0] + "\n")
    items = _only_list(question.question, r"[\w ]+: (\d+) [a-zA-Z ]+, (\d+) [a-z ]+")
    loads = (
        (sum(items[i][0] for i in chosen), sum(items[i][1] for i in chosen))
        for chosen in _subsets(len(items))
    )
    return max(value for weight, value in loads if weight <= int(capacity))


def weighted_cover(question: Question) -> object:
    intro = question.question.partition("\n")[0]
    wanted = set(re.findall("[A-J]", find(r"\b([A-J](?:, [A-J])+ and [A-J])\b", intro)[0]))
    options = [
        (int(cost), set(parts.split(", ")))
        for cost, parts in bullets(question.question, r"\w+ \d+: (\d+) [a-z ]+; ([A-J, ]+)")
    ]
    covers = (
        chosen for chosen in _subsets(len(options)) if set().union(*(options[i][1] for i in chosen)) == wanted
    )
    return min(sum(options[i][0] for i in chosen) for chosen in covers)


def interval_selection(question: Question) -> object:
    rows = _only_list(question.question, r"request \d+: (\d\d):(\d\d) to (\d\d):(\d\d), (\d+) \w+")
    spans = [(60 * a + b, 60 * c + d, value) for a, b, c, d, value in rows]
    best = 0
    for chosen in _subsets(len(spans)):
        picked = sorted(spans[i] for i in chosen)
        if all(one[1] <= two[0] for one, two in itertools.pairwise(picked)):
            best = max(best, sum(value for _, _, value in picked))
    return best


def lineup(question: Question) -> object:
    text = question.question
    people = bullets(text, r"(\w+) \((\w+)\): skill (\d+), (\d+) dollars")
    rivals = set(find(r"(\w+) and (\w+) refuse to appear together", text))
    (cap,) = find(r"not exceed (\d+) dollars", text)
    (kind,) = re.findall(r"at least two of the four must (?:be|play the) (junior|viola|climber)s?[.\s]", text)
    teams = [
        team
        for team in itertools.combinations(people, 4)
        if sum(int(p[3]) for p in team) <= int(cap)
        and [p[1] for p in team].count(kind) >= 2
        and not rivals <= {p[0] for p in team}
    ]
    return max(sum(int(p[2]) for p in team) for team in teams)


def facility_location(question: Question) -> object:
    rows = number_table(question.question)
    assert table(question.question)[0][1] == "fixed"
    totals = []
    for chosen in _subsets(len(rows)):
        if chosen:
            served = sum(min(rows[i][column] for i in chosen) for column in range(1, len(rows[0])))
            totals.append(served + sum(rows[i][0] for i in chosen))
    return min(totals)


# --------------------------------------------------------------------------- orders and assignments


def assignment(question: Question) -> object:
    costs = number_table(question.question)
    totals = [
        sum(row[column] for row, column in zip(costs, order, strict=True))
        for order in itertools.permutations(range(len(costs)))
    ]
    return max(totals) if "largest" in question.question else min(totals)


def pairing(question: Question) -> object:
    value = {frozenset((a, b)): int(x) for a, b, x in bullets(question.question, r"(\w+) and (\w+): (\d+)")}
    names = sorted(set().union(*value))
    assert len(value) == len(names) * (len(names) - 1) // 2
    totals = [sum(value[pair] for pair in pairs) for pairs in _pairings(names)]
    return max(totals) if "largest" in question.question else min(totals)


def _pairings(names: list[str]) -> Iterator[list[frozenset[str]]]:
    if not names:
        yield []
    for other in names[1:]:
        rest = [name for name in names if name not in (names[0], other)]
        for pairs in _pairings(rest):
            yield [frozenset((names[0], other)), *pairs]


def round_trip(question: Question) -> object:
    times: dict[frozenset[str], int] = {}
    for a, b, time in bullets(question.question, r"(\w+) - (\w+): (\d+)"):
        times[frozenset((a, b))] = int(time)
    names = sorted(set().union(*times))
    assert len(times) == len(names) * (len(names) - 1) // 2
    start, *others = names
    trips = ([start, *order, start] for order in itertools.permutations(others))
    return min(sum(times[frozenset(leg)] for leg in itertools.pairwise(trip)) for trip in trips)


def flow_shop(question: Question) -> object:
    jobs = _only_list(question.question, r"\w+ \d+: \w+ (\d+), \w+ (\d+), \w+ (\d+)")
    return min(_flow_end(order) for order in itertools.permutations(jobs))


def _flow_end(order: Iterable[tuple[int, ...]]) -> int:
    """A machine starts when it is free and the machine before has passed the job on."""
    free = [0, 0, 0]
    for job in order:
        ready = 0
        for machine, time in enumerate(job):
            free[machine] = ready = max(ready, free[machine]) + time
    return free[-1]


def weighted_lateness(question: Question) -> object:
    jobs = _only_list(
        question.question, r"\w+ \d+: takes (\d+) minutes, due at minute (\d+), (\d+) \w+ a minute"
    )
    totals = []
    for order in itertools.permutations(jobs):
        ends = itertools.accumulate(time for time, _, _ in order)
        totals.append(
            sum(max(0, end - due) * price for end, (_, due, price) in zip(ends, order, strict=True))
        )
    return min(totals)


def parallel_machines(question: Question) -> object:
    machines = {"Two": 2, "Three": 3, "Four": 4}[question.question.split()[0]]
    (times,) = zip(*_only_list(question.question, r"\w+ \d+: (\d+)"), strict=True)
    best = sum(times)
    for homes in itertools.product(range(machines), repeat=len(times) - 1):
        loads = [0] * machines
        for home, time in zip((0, *homes), times, strict=True):  # the first job's home is a name only
            loads[home] += time
        best = min(best, max(loads))
    return best


def colour_sum(question: Question) -> object:
    pairs = [(int(a) - 1, int(b) - 1) for a, b in bullets(question.question, r"[MXQ](\d) and [MXQ](\d)")]
    numberings = itertools.product(range(1, 5), repeat=8)
    best = min(sum(x) for x in numberings if all(x[a] != x[b] for a, b in pairs))
    # A fifth number and seven times 1 is the least that a numbering with a 5 could sum to, if 1..4 were
    # also used once each, as an optimal one does: 1+2+3+4+5 and three times 1.
    assert best <= 18
    return best


# --------------------------------------------------------------------------- amounts


def exact_change(question: Question) -> object:
    (total,) = find(r"exactly (\d+) (?:cents|grams)", question.question)
    stock = _only_list(question.question, r"(\d+) x (\d+) (?:cent|gram) \w+")
    counts = itertools.product(*(range(have + 1) for have, _ in stock))
    values = [value for _, value in stock]
    return min(sum(c) for c in counts if sum(n * v for n, v in zip(c, values, strict=True)) == int(total))


def unit_allocation(question: Question) -> object:
    (units,) = find(r"has (\d) (?:grants|sacks|extra editors)", question.question)
    rows = [[int(x) for x in row.split(", ")] for (row,) in bullets(question.question, r"[\w ]+: ([\d, ]+)")]
    splits = itertools.product(range(int(units) + 1), repeat=len(rows))
    return max(
        sum(row[n] for row, n in zip(rows, split, strict=True))
        for split in splits
        if sum(split) <= int(units)
    )


def transport(question: Question) -> object:
    costs = number_table(question.question)
    listed = re.findall(r"(?:available|needed|to spare|missing|ordered): ([^.]+)\.", question.question)
    supply, demand = (ints(amounts) for amounts in listed)
    return min(_shipping(costs, tuple(supply), demand))


def _shipping(costs: list[list[int]], supply: tuple[int, ...], demand: list[int]) -> Iterator[int]:
    """Yield the cost of every way to fill the demands one after the other in whole units."""
    if not demand:
        yield 0
        return
    column = len(costs[0]) - len(demand)
    for sent in itertools.product(*(range(have + 1) for have in supply)):
        if sum(sent) == demand[0]:
            price = sum(n * costs[row][column] for row, n in enumerate(sent))
            left = tuple(have - n for have, n in zip(supply, sent, strict=True))
            for rest in _shipping(costs, left, demand[1:]):
                yield price + rest


def _packings(sizes: list[int], room: int) -> Iterator[list[list[int]]]:
    """Yield every way to share things out among boxes of which none holds more than its room."""
    if not sizes:
        yield []
        return
    *others, last = sizes
    for boxes in _packings(others, room):
        for i, box in enumerate(boxes):
            if sum(box) + last <= room:
                yield [*boxes[:i], [*box, last], *boxes[i + 1 :]]
        yield [*boxes, [last]]


def bin_packing(question: Question) -> object:
    (room,) = find(r"(\d+) (?:MB each|kg each|minutes;)", question.question.partition("\n")[0])
    sizes = [size for (size,) in _only_list(question.question, r"\w+ \d+: (\d+)")]
    return min(len(boxes) for boxes in _packings(sorted(sizes, reverse=True), int(room)))


def cutting_stock(question: Question) -> object:
    text = question.question
    offers = [(int(a), int(b)) for a, b in re.findall(r"of (\d+) cm (?:at|cost) (\d+) dollars", text)]
    assert len(offers) == 2
    needed = [length for count, length in _only_list(text, r"(\d+) x (\d+) cm") for _ in range(count)]
    longest = max(length for length, _ in offers)

    def price(box: list[int]) -> int:
        return min(cost for length, cost in offers if sum(box) <= length)

    return min(sum(map(price, boxes)) for boxes in _packings(sorted(needed, reverse=True), longest))


# --------------------------------------------------------------------------- networks


def budgeted_path(question: Question) -> object:
    text = question.question
    edges = [
        (a, b, int(x), int(y))
        for a, b, x, y in bullets(text, r"([A-Z]) to ([A-Z]): (\d+) [a-z]+, (\d+) [a-z ]+")
    ]
    start, end = find(
        r"(?:from|from node|from hut) ([A-Z]) to (?:node |hut )?([A-Z])(?:\.| over| along)", text
    )
    (budget,) = find(r"(?:at most|more than) (\d+) (?:dollars|risk|metres)", text)

    def walks(place: str, seen: set[str], time: int, spent: int) -> Iterator[int]:
        if spent > int(budget):
            return
        if place == end:
            yield time
        for a, b, x, y in edges:
            if a == place and b not in seen:
                yield from walks(b, seen | {b}, time + x, spent + y)

    return min(walks(start, {start}, 0, 0))


def grid_route(question: Question) -> object:
    rows = [
        [int(x) for x in line.split()]
        for line in question.question.splitlines()
        if re.fullmatch(r"[\d ]+", line)
    ]
    size = len(rows)
    assert all(len(row) == size for row in rows)
    totals = []
    for downs in itertools.combinations(range(2 * size - 2), size - 1):
        x = y = 0
        total = rows[0][0]
        for step in range(2 * size - 2):
            x, y = (x, y + 1) if step in downs else (x + 1, y)
            total += rows[y][x]
        totals.append(total)
    return max(totals) if "largest" in question.question else min(totals)


def limited_network(question: Question) -> object:
    text = question.question
    edges = [(a, b, int(x)) for a, b, x in bullets(text, r"(\w+) and (\w+): (\d+)")]
    names = {name for edge in edges for name in edge[:2]}
    (limit,) = find(r"(?:more than|at most) (two|three) (?:cables|pipes)", text)
    most = {"two": 2, "three": 3}[limit]
    totals = []
    for chosen in itertools.combinations(edges, len(names) - 1):
        ends = [name for edge in chosen for name in edge[:2]]
        if max(map(ends.count, names)) <= most and _reached(chosen, min(names)) == names:
            totals.append(sum(cost for _, _, cost in chosen))
    return min(totals)


def _reached(edges: Iterable[tuple[str, str, int]], start: str) -> set[str]:
    found, before = {start}, 0
    while len(found) > before:
        before = len(found)
        found |= {name for edge in edges if found & {*edge[:2]} for name in edge[:2]}
    return found


# --------------------------------------------------------------------------- riddles


def one_lamp_crossing(question: Question) -> object:
    """Relax the times of all states (who is still here, where the lamp is) until none gets better."""
    times = [time for (time,) in _only_list(question.question, r"\w+: (\d+)")]
    everyone = frozenset(range(len(times)))
    best: dict[tuple[frozenset[int], bool], int] = {(everyone, True): 0}
    queue = [(everyone, True)]
    while queue:
        here, lamp_here = queue.pop()
        group = here if lamp_here else everyone - here
        for walkers in (*itertools.combinations(group, 1), *itertools.combinations(group, 2)):
            state = (here - set(walkers) if lamp_here else here | set(walkers), not lamp_here)
            time = best[here, lamp_here] + max(times[w] for w in walkers)
            if time < best.get(state, 10**9):
                best[state] = time
                queue.append(state)
    return best[frozenset(), False]


def pouring_jugs(question: Question) -> object:
    """Take all states that exactly k pours can reach, for k = 0, 1, 2, ..."""
    start, wanted = find(r"(?s)(.*)exactly (\d+) litres", question.question)
    sizes = ints(re.sub(r"The \d+-litre jug is full", "", start))
    target = int(wanted)
    assert len(sizes) == 3
    assert sizes[0] == max(sizes)
    states: set[tuple[int, ...]] = {(sizes[0], 0, 0)}
    pours = 0
    while all(target not in state for state in states):
        states = {
            _poured(state, i, j, sizes) for state in states for i, j in itertools.permutations(range(3), 2)
        }
        pours += 1
    return pours


def _poured(state: tuple[int, ...], giver: int, taker: int, sizes: list[int]) -> tuple[int, ...]:
    amount = min(state[giver], sizes[taker] - state[taker])
    after = list(state)
    after[giver] -= amount
    after[taker] += amount
    return tuple(after)


# --------------------------------------------------------------------------- codes, flows, crews and shifts


def prefix_code(question: Question) -> object:
    """Try all lengths that the words of a full code can have (Kraft's equality), the short ones for the frequent words."""
    counts = sorted(
        (count for (count,) in _only_list(question.question, r"\w+: (\d+) times an? \w+")), reverse=True
    )

    def lengths(words: int, least: int, left: Fraction) -> Iterator[tuple[int, ...]]:
        """Yield all ascending lengths of so many words whose shares of the code's tree fill what is left."""
        if words == 0:
            if left == 0:
                yield ()
            return
        for length in range(least, len(counts)):
            share = Fraction(1, 2**length)
            if share <= left <= words * share:
                for rest in lengths(words - 1, length, left - share):
                    yield (length, *rest)

    codes = lengths(len(counts), 1, Fraction(1))
    return min(sum(n * length for n, length in zip(counts, code, strict=True)) for code in codes)


def largest_flow(question: Question) -> object:
    """Give the smallest cut, which is as large as the largest flow (Ford and Fulkerson 1956)."""
    rooms = [(a, b, int(n)) for a, b, n in bullets(question.question, r"([A-Z]) to ([A-Z]): (\d+)")]
    inner = sorted({place for a, b, _ in rooms for place in (a, b)} - {"S", "T"})
    cuts = []
    for chosen in itertools.chain.from_iterable(
        itertools.combinations(inner, n) for n in range(len(inner) + 1)
    ):
        near = {"S", *chosen}
        cuts.append(sum(n for a, b, n in rooms if a in near and b not in near))
    return min(cuts)


def two_crews(question: Question) -> object:
    """Search over what is running and done: whenever a crew is free it begins a task that it may, or waits."""
    rows = bullets(question.question, r"\w+ ([A-G]): (\d+) \w+, (at any time|after [A-G, and]+)")
    times = {name: int(time) for name, time, _ in rows}
    after = {name: set(re.findall(r"\b[A-G]\b", before)) for name, _, before in rows}

    @functools.cache
    def rest(done: frozenset[str], running: tuple[tuple[int, str], ...]) -> int:
        """Give the least time from now to the end; running tasks with the time they still need, ascending."""
        if len(done) == len(times):
            return 0
        options = []
        if running:  # wait until the first of them ends
            (wait, name), *others = running
            later = tuple((left - wait, other) for left, other in others)
            options.append(wait + rest(done | {name}, later))
        if len(running) < 2:
            busy = {name for _, name in running}
            ready = [name for name in times.keys() - done - busy if after[name] <= done]
            options += [rest(done, tuple(sorted((*running, (times[name], name))))) for name in ready]
        return min(options)

    return rest(frozenset(), ())


def shift_cover(question: Question) -> object:
    """Solve the integer programme of people per shift."""
    text = question.question
    needs = ints(find(r"one after another, are: ([\d, ]+)\. These shifts", text)[0])
    first = int(find(r"in every hour from (\d+):00", text)[0])
    shifts = _only_list(text, r"shift from (\d+):00 to (\d+):00: (\d+) dollars a person")
    covers = [[float(a <= first + hour < b) for a, b, _ in shifts] for hour in range(len(needs))]
    solved = milp(
        [price for _, _, price in shifts],
        constraints=LinearConstraint(covers, lb=needs),
        integrality=[1] * len(shifts),
    )
    assert solved.success
    return round(solved.fun)


PROOFS: dict[str, Proof] = {
    "prefix-code": prefix_code,
    "largest-flow": largest_flow,
    "two-crews": two_crews,
    "shift-cover": shift_cover,
    "knapsack": knapsack,
    "weighted-cover": weighted_cover,
    "interval-selection": interval_selection,
    "lineup": lineup,
    "facility-location": facility_location,
    "assignment": assignment,
    "pairing": pairing,
    "round-trip": round_trip,
    "flow-shop": flow_shop,
    "weighted-lateness": weighted_lateness,
    "parallel-machines": parallel_machines,
    "colour-sum": colour_sum,
    "exact-change": exact_change,
    "unit-allocation": unit_allocation,
    "transport": transport,
    "bin-packing": bin_packing,
    "cutting-stock": cutting_stock,
    "budgeted-path": budgeted_path,
    "grid-route": grid_route,
    "limited-network": limited_network,
    "one-lamp-crossing": one_lamp_crossing,
    "pouring-jugs": pouring_jugs,
}
