"""SQL: what a query returns. The answer is computed here from the rows, not by a database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from random import Random

from routemark.families.base import Draft, exact, family, numeric, split, table
from routemark.families.names import TOWNS, initials

Rows = list[tuple[object, ...]]


def _shown(name: str, head: str, rows: Rows) -> str:
    return f"Table {name}:\n\n{table(split(head), rows)}\n"


def _intro(count: int, *, nulls: bool) -> str:
    empty = " An empty cell stands for NULL." if nulls else ""
    return f"{'One table' if count == 1 else 'Two tables'}.{empty}\n\n"


# --------------------------------------------------------------------------- easy: one table

_THINGS = (
    ("parcels", "id town weight sent", "weight", "sent", ("yes", "no")),
    ("orders", "id town pieces paid", "pieces", "paid", ("yes", "no")),
    ("trees", "id town height kind", "height", "kind", ("oak", "lime")),
    ("bookings", "id town nights season", "nights", "season", ("summer", "winter")),
)


@family("easy", "sql-reading")
def filtered_sum(rng: Random) -> Draft | None:
    """A sum, count or maximum over filtered rows."""
    name, head, number, flag, values = rng.choice(_THINGS)
    towns = rng.sample(TOWNS, 3)
    rows = [
        (k, rng.choice(towns), rng.randint(2, 30), rng.choice(values)) for k in range(1, rng.randint(8, 10))
    ]
    value, other, limit = rng.choice(values), rng.choice(towns), rng.randint(5, 15)
    low, high = sorted(rng.sample(range(4, 28), 2))
    condition, kept = rng.choice(
        [
            (
                f"{flag} = '{value}' AND town <> '{other}'",
                [r for r in rows if r[3] == value and r[1] != other],
            ),
            (f"{flag} = '{value}' OR {number} < {limit}", [r for r in rows if r[3] == value or r[2] < limit]),
            (
                f"town IN ('{towns[0]}', '{towns[1]}') AND {number} BETWEEN {low} AND {high}",
                [r for r in rows if r[1] in towns[:2] and low <= r[2] <= high],
            ),
        ]
    )
    numbers = [row[2] for row in kept]
    wanted, answer = rng.choice(
        [
            (f"SUM({number})", sum(numbers)),
            (f"MAX({number}) - MIN({number})", max(numbers, default=0) - min(numbers, default=0)),
            ("COUNT(*) * 10 + COUNT(DISTINCT town)", len(kept) * 10 + len({row[1] for row in kept})),
        ]
    )
    if not 3 <= len(kept) < len(rows) - 1:
        return None
    text = (
        f"{_shown(name, head, list(rows))}\nWhat single value does this query return?\n\n```sql\nSELECT"
        f" {wanted} FROM {name} WHERE {condition};\n```"
    )
    return numeric(rng, text, answer)


@family("easy", "sql-reading", quotes=True)
def grouped_pick(rng: Random) -> Draft | None:
    """Which group a query with GROUP BY and HAVING returns."""
    depts = rng.sample(split("lab shop office field kitchen archive"), 4)
    rows = [
        (k, name, rng.choice(depts), rng.randrange(2000, 6000, 100))
        for k, name in enumerate(initials(rng, 9), 1)
    ]
    groups: dict[str, list[int]] = defaultdict(list)
    for _, _, dept, pay in rows:
        groups[dept].append(pay)
    least, descending = rng.choice([2, 3]), rng.random() < 0.5
    keys: dict[str, Callable[[list[int]], float]] = {
        "AVG(pay)": lambda pays: sum(pays) / len(pays),
        "SUM(pay)": sum,
        "MAX(pay)": max,
    }
    by, key = rng.choice(list(keys.items()))
    ranked = sorted(
        ((key(pays), dept) for dept, pays in groups.items() if len(pays) >= least), reverse=descending
    )
    if len(ranked) < 2 or ranked[0][0] == ranked[1][0]:
        return None
    text = (
        f"{_shown('staff', 'id name dept pay', list(rows))}\nWhich single value does this query"
        f" return?\n\n```sql\nSELECT dept FROM staff GROUP BY dept HAVING COUNT(*) >= {least} ORDER BY"
        f" {by}{' DESC' if descending else ''} LIMIT 1;\n```\n\nAnswer with the value only."
    )
    return exact(text, ranked[0][1])


# --------------------------------------------------------------------------- hard: joins, NULLs, windows


@family("hard", "sql-reading")
def outer_join(rng: Random) -> Draft | None:
    """Counts and sums over an outer join with NULLs."""
    cities = rng.sample(TOWNS, 3)
    people = [
        (k, name, None if rng.random() < 0.15 else rng.choice(cities))
        for k, name in enumerate(initials(rng, 6), 1)
    ]
    orders = [
        (
            k,
            None if rng.random() < 0.12 else rng.randint(1, 7),
            None if rng.random() < 0.2 else rng.randrange(5, 95, 5),
        )
        for k in range(1, 11)
    ]
    a, b, least = rng.choice([10, 100]), rng.choice([1, 3, 5]), rng.choice([2, 3])
    groups: dict[str | None, list[int | None]] = defaultdict(list)
    for key, _, city in people:
        amounts = [amount for _, customer, amount in orders if customer == key]
        groups[city] += amounts or [None]
    total = 0
    used = 0
    for city, amounts in groups.items():
        if city is None or len(amounts) < least:
            continue
        used += 1
        total += a * len(amounts) + b * sum(amount is not None for amount in amounts)
    nulls = sum(city is None for _, _, city in people) + sum(amount is None for _, _, amount in orders)
    if used < 2 or nulls < 2 or not any(customer == 7 for _, customer, _ in orders):
        return None
    text = (
        _intro(2, nulls=True)
        + f"{_shown('customers', 'id name city', list(people))}\n{_shown('orders', 'id customer_id amount', list(orders))}\n"
        + f"What single number does this query return?\n\n```sql\nSELECT SUM({a} * t.n + {b} * t.k)\nFROM"
        " (SELECT c.city, COUNT(*) AS n, COUNT(o.amount) AS k\n      FROM customers c LEFT JOIN orders o ON"
        " o.customer_id = c.id\n"
        "      GROUP BY c.city\n"
        f"      HAVING COUNT(*) >= {least}) t\nWHERE t.city IS NOT NULL;\n```"
    )
    return numeric(rng, text, total)


@family("hard", "sql-reading")
def row_windows(rng: Random) -> Draft | None:
    """A query with a window function over ordered rows."""
    sensors = "abc"
    rows: list[tuple[int, str, int, int | None]] = []
    for day in range(1, 6):
        for sensor in sensors:
            if rng.random() < 0.8:
                value = None if rng.random() < 0.18 else rng.randint(5, 30)
                rows.append((len(rows) + 1, sensor, day, value))
    series = {
        s: [value for _, sensor, _, value in rows if sensor == s and value is not None] for s in sensors
    }
    steps = [late - early for s in sensors for early, late in zip(series[s], series[s][1:], strict=False)]
    limit = rng.choice([0, 1, 2])
    kind = rng.choice(["LAG", "LEAD", "RANK"])
    if kind == "RANK":
        place = rng.choice([1, 2])
        ranked = [sorted(values, reverse=True) for values in series.values()]
        if any(len(set(values)) < len(values) or len(values) < 3 for values in ranked):
            return None
        answer = sum(values[place - 1] for values in ranked)
        inner = "value, RANK() OVER (PARTITION BY sensor ORDER BY value DESC) AS r"
        query = f"SELECT SUM(value)\nFROM (SELECT {inner}\n      FROM readings\n      WHERE value IS NOT NULL) s\nWHERE r = {place};"
    else:
        sign = 1 if kind == "LAG" else -1
        answer = sum(d for d in (sign * step for step in steps) if d > limit)
        inner = f"value - {kind}(value) OVER (PARTITION BY sensor ORDER BY day) AS d"
        query = f"SELECT SUM(d)\nFROM (SELECT {inner}\n      FROM readings\n      WHERE value IS NOT NULL) s\nWHERE d > {limit};"
    if len(steps) < 6 or answer < 12 or all(value is not None for *_, value in rows):
        return None
    text = (
        _intro(1, nulls=True)
        + f"{_shown('readings', 'id sensor day value', list(rows))}\nWhat single number does this query"
        f" return?\n\n```sql\n{query}\n```"
    )
    return numeric(rng, text, answer)


@family("hard", "sql-reading")
def missing_partners(rng: Random) -> Draft | None:
    """A self-join with NOT IN or NOT EXISTS, where NULL matters."""
    names = initials(rng, 8)
    mentors = [
        None if k == 1 or rng.random() < 0.2 else rng.choice([j for j in range(1, 9) if j != k])
        for k in range(1, 9)
    ]
    people: Rows = [(k, name, mentor) for k, (name, mentor) in enumerate(zip(names, mentors, strict=True), 1)]
    badges = [(rng.randint(1, 8), rng.randint(1, 5)) for _ in range(7)]
    level = rng.choice([2, 3])
    weak = {member for member, points in badges if points < level}
    is_mentor = {mentor for mentor in mentors if mentor is not None}
    must = rng.random() < 0.5
    pairs = [
        (k, mentor)
        for k, mentor in enumerate(mentors, 1)
        if mentor is not None and mentor not in weak and (k in is_mentor) == must
    ]
    count = points_sum = 0
    for k, _ in pairs:
        own = [points for member, points in badges if member == k]
        count += max(1, len(own))
        points_sum += sum(own)
    if count < 2 or not points_sum:
        return None
    text = (
        _intro(2, nulls=True)
        + f"{_shown('members', 'id name mentor_id', people)}\n{_shown('badges', 'member_id level', list(badges))}\n"
        + "What single number does this query return?\n\n```sql\nSELECT COUNT(*) * 100 + SUM(b.level)\nFROM"
        " members m\nJOIN members s ON m.mentor_id = s.id\nLEFT JOIN badges b ON b.member_id = m.id\nWHERE"
        f" s.id NOT IN (SELECT member_id FROM badges WHERE level < {level})\n  AND"
        f" {'' if must else 'NOT '}EXISTS (SELECT 1 FROM members x WHERE x.mentor_id = m.id);\n```"
    )
    return numeric(rng, text, 100 * count + points_sum)


FAMILIES = (filtered_sum, grouped_pick, outer_join, row_windows, missing_partners)
