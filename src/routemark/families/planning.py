"""Planning: walks of a robot, stocks that run out, mazes, crossings and pourings."""

from __future__ import annotations

import itertools
from random import Random

from routemark.families.base import Draft, bullets, family, number_name, numeric, sequence
from routemark.families.names import initials

# --------------------------------------------------------------------------- hard


def _maze(rng: Random, rows: int, columns: int, share: float) -> list[str]:
    return ["".join("#" if rng.random() < share else "." for _ in range(columns)) for _ in range(rows)]


_ROBOTS = (
    ("A cleaning robot stands in a hall", "pillar"),
    ("A toy tank stands on a board", "block"),
    ("A mowing robot stands in a garden", "tree"),
)


@family("hard", "planning")
def robot_run(rng: Random) -> Draft | None:
    """Where a robot ends that turns when something is in its way."""
    intro, thing = rng.choice(_ROBOTS)
    rows, columns = rng.choice([(6, 8), (7, 7), (7, 9)])
    grid = _maze(rng, rows, columns, 0.2)
    free = [(r, c) for r in range(rows) for c in range(columns) if grid[r][c] == "."]
    start, steps = rng.choice(free), rng.randint(22, 34)
    heading = rng.randrange(4)
    (row, column), turns, way = start, 0, heading
    for _ in range(steps):
        r, c = row + (-1, 0, 1, 0)[way], column + (0, 1, 0, -1)[way]
        if 0 <= r < rows and 0 <= c < columns and grid[r][c] == ".":
            row, column = r, c
        else:
            way, turns = (way + 1) % 4, turns + 1
    if turns < 6 or (row, column) == start:
        return None
    compass = ("up", "right", "down", "left")[heading]
    text = (
        f"{intro} that is mapped below; # marks a {thing}, . a free square. Rows are counted from the top,"
        " columns from the left, both from 1.\n"
        + "\n".join(grid)
        + f"\nIt stands in row {start[0] + 1}, column {start[1] + 1} and faces {compass}. Each second it"
        " moves one square ahead if that square is on the map and free; otherwise it stays where it is and"
        f" turns a quarter turn to the right. Where does it stand after {steps} seconds? Give the number of"
        " the row and the number of the column, in this order, separated by a comma. You may reason first;"
        " end"
        ' with a line of the form "Final answer: <row>, <column>".'
    )
    return sequence(text, [str(row + 1), str(column + 1)])


_RATIONS = (
    ("An expedition", "kg of food", "eats"),
    ("A ship", "tonnes of coal", "burns"),
    ("A mountain hut", "cubic metres of water", "uses"),
)


@family("hard", "planning")
def lasting_stock(rng: Random) -> Draft | None:
    """On which day a stock runs out, with deliveries and changing use."""
    who, what, uses = rng.choice(_RATIONS)
    start, daily, more = rng.randint(150, 400), rng.randint(9, 19), rng.randint(3, 9)
    change, first, second = rng.randint(8, 14), rng.randint(5, 11), rng.randint(15, 22)
    a, b, spoilt = rng.randint(25, 90), rng.randint(25, 90), rng.choice([10, 20, 25])
    spoil_day = rng.randint(first + 1, 20)
    stock, day = start, 0
    lost = False
    while True:
        day += 1
        stock += a * (day == first) + b * (day == second)
        need = daily + (more if day >= change else 0)
        if stock < need:
            break
        stock -= need
        if day == spoil_day:
            if stock * spoilt % 100:
                return None
            stock -= stock * spoilt // 100
            lost = True
    if day <= second + 1 or not lost or day in (change, first, second, spoil_day):
        return None
    text = (
        f"{who} has {start} {what} on the morning of day 1. Each day it {uses} {daily} of them; from day"
        f" {change} on, it {uses} {daily + more} a day. On the mornings of day {first} and day {second}, {a}"
        f" and {b} more are delivered. On the evening of day {spoil_day}, after that day's use, {spoilt} % of"
        " what is left is lost. Which is the first day for which there is no longer enough (counting what is"
        " delivered that morning)?"
    )
    return numeric(rng, text, day)


# --------------------------------------------------------------------------- opt


@family("opt", "planning")
def key_and_door(rng: Random) -> Draft | None:
    """Fewest steps through a maze with a key and a door."""
    rows, columns = rng.choice([(7, 9), (8, 9), (8, 10)])
    cells = [list(row) for row in _maze(rng, rows, columns, 0.27)]
    marks = rng.sample([(r, c) for r in range(rows) for c in range(columns)], 4)
    for mark, (r, c) in zip("SKDG", marks, strict=True):
        cells[r][c] = mark
    grid = ["".join(row) for row in cells]
    steps, around = (
        _steps_with_key(grid, marks[0], use_door=True),
        _steps_with_key(grid, marks[0], use_door=False),
    )
    if steps is None or steps < 11 or (around is not None and around <= steps):
        return None
    text = (
        "This is the map of a cellar. # is a wall, . is free, S the start, G the goal, K a key, D a locked"
        " door:\n"
        + "\n".join(grid)
        + "\nA step leads to one of the up to four neighbouring squares (up, down, left, right). Walls cannot"
        " be entered, and the door only after the key's square has been visited. What is the smallest number"
        " of steps from S to G?"
    )
    return numeric(rng, text, steps)


def _steps_with_key(grid: list[str], start: tuple[int, int], *, use_door: bool) -> int | None:
    """Give the fewest steps by breadth-first search over (square, key); None when there is no way."""
    level, seen, steps = [(start, False)], {(start, False)}, 0
    while level:
        following = []
        for (r, c), key in level:
            if grid[r][c] == "G":
                return steps
            for x, y in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
                if not (0 <= x < len(grid) and 0 <= y < len(grid[0])) or grid[x][y] == "#":
                    continue
                if grid[x][y] == "D" and not (key and use_door):
                    continue
                state = ((x, y), key or grid[x][y] == "K")
                if state not in seen:
                    seen.add(state)
                    following.append(state)
        level, steps = following, steps + 1
    return None


_CROSSINGS = (
    (
        (
            "{N} miners must cross a narrow rope bridge at night with one lamp. At most two cross together,"
            " at the slower one's pace, and whoever crosses, in either direction, must carry the lamp."
            " Crossing times in minutes:"
        ),
        ("What is the shortest possible time in minutes until all {n} are across?"),
    ),
    (
        (
            "{N} actors have to get through a dark tunnel with a single torch. No more than two can walk at"
            " once, two together walk at the pace of the slower, and the torch must be carried on every"
            " passage, back and forth. Times in minutes:"
        ),
        "In how many minutes can the whole group be through, at the earliest?",
    ),
    (
        (
            "{N} climbers pass a ledge with one safety rope. One or two may pass at a time, two together as"
            " slowly as the slower of them, and the rope has to be taken along on each passage and brought"
            " back for the next. Times in minutes:"
        ),
        "What is the least number of minutes in which all {n} can be on the far side?",
    ),
)


def _crossing(times: list[int]) -> int:
    """Give the least time by the known strategy: the two slowest go with one of two escorts (Rote 2002)."""
    if len(times) <= 2:
        return times[-1]
    if len(times) == 3:
        return sum(times)
    a, b, *_, y, z = times
    return min(a + 2 * b + z, 2 * a + y + z) + _crossing(times[:-2])


@family("opt", "planning")
def one_lamp_crossing(rng: Random) -> Draft | None:
    """Bridge and lamp."""
    intro, asked = rng.choice(_CROSSINGS)
    n = rng.choice([5, 6])
    times = rng.sample(range(1, 28), n)
    ordered = sorted(times)
    best = _crossing(ordered)
    escort = sum(ordered[1:]) + (n - 2) * ordered[0]
    ferry, rest = 0, ordered
    while len(rest) > 3:
        ferry, rest = ferry + rest[0] + 2 * rest[1] + rest[-1], rest[:-2]
    ferry += _crossing(rest)
    if escort == ferry or (n == 6 and best in (escort, ferry)):
        return None
    word = number_name(n)
    lines = bullets(f"{name}: {time}" for name, time in zip(initials(rng, n), times, strict=True))
    return numeric(rng, f"{intro.format(N=word)}\n{lines}\n{asked.format(n=word.lower())}", best)


_JUGS = (
    (
        (
            "Three jugs hold {a}, {b} and {c} litres. The {a}-litre jug is full and the other two are empty."
            " A pour empties one jug into another until the first is empty or the second is full; there is no"
            " other source of water and nothing may be spilled."
        ),
        "What is the smallest number of pours after which some jug holds exactly {t} litres?",
    ),
    (
        (
            "A cook has a full {a}-litre can of oil and two empty cans of {b} and {c} litres, all without"
            " marks. The only allowed move is to pour from one can into another until either the first is"
            " empty or the second is full."
        ),
        "How few moves are needed until one of the cans holds exactly {t} litres?",
    ),
    (
        (
            "In a cellar stand a full barrel of {a} litres and two empty casks of {b} and {c} litres. One may"
            " only pour from one vessel into another, stopping when the giver is empty or the taker is full."
        ),
        ("After how many pours, at the fewest, can exactly {t} litres be in one of the three vessels?"),
    ),
)


@family("opt", "planning")
def pouring_jugs(rng: Random) -> Draft | None:
    """Fewest pours."""
    intro, asked = rng.choice(_JUGS)
    b = rng.randint(7, 16)
    c = rng.randint(3, b - 2)
    a = rng.randint(b + c - 1, b + c + 5)
    target = rng.randint(1, a - 1)
    pours = _pours((a, b, c), target)
    if target in (a, b, c) or pours is None or pours < 8 or pours in (a, b, c, target):
        return None
    return numeric(rng, f"{intro.format(a=a, b=b, c=c)} {asked.format(t=target)}", pours)


def _pours(sizes: tuple[int, int, int], target: int) -> int | None:
    start = (sizes[0], 0, 0)
    level, seen, pours = [start], {start}, 0
    while level:
        if any(target in state for state in level):
            return pours
        following = []
        for state in level:
            for i, j in itertools.permutations(range(3), 2):
                amount = min(state[i], sizes[j] - state[j])
                after = list(state)
                after[i] -= amount
                after[j] += amount
                new = (after[0], after[1], after[2])
                if new not in seen:
                    seen.add(new)
                    following.append(new)
        level, pours = following, pours + 1
    return None


FAMILIES = (robot_run, lasting_stock, key_and_door, one_lamp_crossing, pouring_jugs)
