"""SQL queries to be written; they are judged by their result on rows that the prompt does not show."""

from __future__ import annotations

from random import Random

from routemark.families.base import Draft, family, graded, split, table
from routemark.families.names import TOWNS, initials
from routemark.graders.sql import result_of

_ENDING = (
    "Write one SQLite query. The rows shown are only an example: the query is run on other rows of the same"
    " kind, so it must not contain the result itself. Answer with the query only."
)


def _literal(value: object) -> str:
    return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)


def _script(name: str, columns: str, rows: list[tuple[object, ...]]) -> str:
    values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
    return f"CREATE TABLE {name} ({columns});\nINSERT INTO {name} VALUES {values};\n"


_TABLES = (
    (
        "parcels",
        "id INTEGER, town TEXT, weight INTEGER, kind TEXT",
        "parcel",
        "weight",
        split("express normal return"),
    ),
    ("trees", "id INTEGER, town TEXT, height INTEGER, kind TEXT", "tree", "height", split("oak lime birch")),
    (
        "bookings",
        "id INTEGER, town TEXT, nights INTEGER, kind TEXT",
        "booking",
        "nights",
        split("single double suite"),
    ),
    ("boats", "id INTEGER, town TEXT, seats INTEGER, kind TEXT", "boat", "seats", split("ferry yacht canoe")),
)


@family("easy", "sql-writing")
def simple_query(rng: Random) -> Draft | None:
    """A query over one table, from a request in words."""
    name, columns, noun, number, kinds = rng.choice(_TABLES)
    towns = rng.sample(TOWNS, 4)
    shown, rows = (
        [(k, rng.choice(towns), rng.randint(2, 40), rng.choice(kinds)) for k in range(1, n + 1)]
        for n in (5, rng.randint(12, 15))
    )
    limit, least, kind, other = rng.randint(8, 25), rng.choice([2, 3]), rng.choice(kinds), rng.choice(towns)
    requests = [
        (
            (
                f"the ids of all {name} of the kind '{kind}' whose {number} is above {limit}, in ascending"
                " order (one column)"
            ),
            f"SELECT id FROM {name} WHERE kind = '{kind}' AND {number} > {limit} ORDER BY id",
            f"{number} > {limit}",
            "1",
            True,
        ),
        (
            (
                f"each town that has at least {least} {name} of the kind '{kind}', with the number of these"
                f" {name} (two columns: town, number; rows in any order)"
            ),
            (
                f"SELECT town, COUNT(*) FROM {name} WHERE kind = '{kind}' GROUP BY town HAVING COUNT(*) >="
                f" {least}"
            ),
            f" HAVING COUNT(*) >= {least}",
            "",
            False,
        ),
        (
            (
                f"each kind with the largest {number} of a {noun} of that kind outside {other} (two columns:"
                f" kind, largest {number}; rows in any order)"
            ),
            f"SELECT kind, MAX({number}) FROM {name} WHERE town <> '{other}' GROUP BY kind",
            f" WHERE town <> '{other}'",
            "",
            False,
        ),
        (
            (
                f"the towns in the order of the sum of {number} over those of their {name} that have a"
                f" {number} above {limit // 2}, largest sum first (two columns: town, sum)"
            ),
            (
                f"SELECT town, SUM({number}) FROM {name} WHERE {number} > {limit // 2} GROUP BY town ORDER BY"
                f" SUM({number}) DESC"
            ),
            f" WHERE {number} > {limit // 2}",
            "",
            True,
        ),
        (
            (
                f"the ids of the three {name} outside {other} with the largest {number}, the largest first;"
                " among equal ones the smaller id comes first (one column)"
            ),
            f"SELECT id FROM {name} WHERE town <> '{other}' ORDER BY {number} DESC, id LIMIT 3",
            f" WHERE town <> '{other}'",
            "",
            True,
        ),
    ]
    asked, query, part, slip, ordered = rng.choice(requests)
    sums = [sum(row[2] for row in rows if row[1] == town and row[2] > limit // 2) for town in towns]
    counts = [sum(row[1] == town and row[3] == kind for row in rows) for town in towns]
    if len(set(sums)) < 4 or not any(0 < n < least for n in counts) or max(counts) < least:
        return None
    if sum(row[3] == kind and row[2] > limit for row in rows) < 2 or min(sums) == 0:
        return None
    if {row[3] for row in rows if row[1] != other} != set(kinds):
        return None
    head = [column.split()[0] for column in columns.split(", ")]
    text = f"A database has this table, in which no cell is empty:\n\n{name}({columns})\n\nSome rows, as an example:\n\n{table(head, shown)}\n\nWanted: {asked}.\n\n{_ENDING}"
    database = _script(name, columns, list(rows))
    if not _tells(query, query.replace(part, slip), database):
        return None
    return graded("sql", text, query, example=query, database=database, ordered=ordered)


def _tells(query: str, slip: str, database: str) -> bool:
    """Tell whether the rows of a database tell a right query from one with a common slip."""
    right, wrong = (result_of(text, database).rows for text in (query, slip))
    return len(right) > 1 and sorted(map(repr, right)) != sorted(map(repr, wrong))


_PARTNERS = (
    ("members", "member", "city", "payments", "payment", "amount"),
    ("drivers", "driver", "depot", "trips", "trip", "km"),
    ("gardeners", "gardener", "village", "harvests", "harvest", "kilos"),
    ("readers", "reader", "branch", "loans", "loan", "days"),
)


def _requests(rng: Random, words: tuple[str, ...]) -> list[tuple[str, str, str, str, bool]]:
    """Give requests in words, a query that answers each, a part of it and a slip in its place, and whether rows have an order."""
    many, one, place, items, item, number = words
    limit, least = rng.randrange(20, 75, 5), rng.choice([2, 3])
    joined = f"{many} m JOIN {items} p ON p.{one}_id = m.id"
    return [
        (
            (
                f"the name of every {one} with the number of his or her {items} whose {number} is at least"
                f" {limit}; those without any get 0 (two columns: name, number; rows in any order)"
            ),
            (
                f"SELECT m.name, COUNT(p.id) FROM {many} m LEFT JOIN {items} p ON p.{one}_id = m.id AND"
                f" p.{number} >= {limit} GROUP BY m.id, m.name"
            ),
            "LEFT JOIN",
            "JOIN",
            False,
        ),
        (
            (
                f"the names of all {many} who have no {item} whose {number} is known to be above {limit}, in"
                " alphabetical order (one column)"
            ),
            (
                f"SELECT name FROM {many} WHERE id NOT IN (SELECT {one}_id FROM {items} WHERE {number} >"
                f" {limit}) ORDER BY name"
            ),
            f" WHERE {number} > {limit}",
            "",
            True,
        ),
        (
            (
                f"each known {place} with the sum of the known {number} over the {items} of its {many}, where"
                f" this sum is above {3 * limit} (two columns: {place}, sum; rows in any order)"
            ),
            (
                f"SELECT m.{place}, SUM(p.{number}) FROM {joined} WHERE m.{place} IS NOT NULL GROUP BY"
                f" m.{place} HAVING SUM(p.{number}) > {3 * limit}"
            ),
            f" HAVING SUM(p.{number}) > {3 * limit}",
            "",
            False,
        ),
        (
            (
                f"the names of the {many} who have at least {least} {items}, of which at least one has an"
                f" unknown {number} and at least one a {number} above {limit}, in alphabetical order (one"
                " column)"
            ),
            (
                f"SELECT m.name FROM {joined} GROUP BY m.id, m.name HAVING COUNT(*) >= {least} AND"
                f" COUNT(p.{number}) < COUNT(*) AND MAX(p.{number}) > {limit} ORDER BY m.name"
            ),
            f" AND COUNT(p.{number}) < COUNT(*)",
            "",
            True,
        ),
        (
            (
                f"each {one} with a {item} whose {number} is above {limit}, with the largest {number} and how"
                f" much less his or her smallest known {number} is (three columns: name, largest, difference;"
                " rows in any order)"
            ),
            (
                f"SELECT m.name, MAX(p.{number}), MAX(p.{number}) - MIN(p.{number}) FROM {joined} WHERE"
                f" p.{number} IS NOT NULL GROUP BY m.id, m.name HAVING MAX(p.{number}) > {limit}"
            ),
            f" HAVING MAX(p.{number}) > {limit}",
            "",
            False,
        ),
    ]


def _partners(
    rng: Random, places: list[str], n: int, items: int
) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Give n people, some of them without a place, and items of theirs, some without a number; not everybody has one."""
    people: list[tuple[object, ...]] = [
        (k, name, None if rng.random() < 0.15 else rng.choice(places))
        for k, name in enumerate(initials(rng, n), 1)
    ]
    owners = sorted(rng.sample(range(1, n + 1), max(2, 2 * n // 3)))
    rows: list[tuple[object, ...]] = [
        (k, rng.choice(owners), None if rng.random() < 0.2 else rng.randrange(5, 95, 5))
        for k in range(1, items + 1)
    ]
    return people, rows


@family("hard", "sql-writing")
def joined_query(rng: Random) -> Draft | None:
    """A query over two tables with missing partners and missing values."""
    words = rng.choice(_PARTNERS)
    many, one, place, items, _, number = words
    places = rng.sample(TOWNS, 3)
    asked, query, part, slip, ordered = rng.choice(_requests(rng, words))
    shown, hidden = _partners(rng, places, 3, 4), _partners(rng, places, 8, 16)
    first, second = f"id INTEGER, name TEXT, {place} TEXT", f"id INTEGER, {one}_id INTEGER, {number} INTEGER"
    text = (
        f"A database has two tables. In {many}({first}), ids and names are never empty and never repeat;"
        f" {place} may be NULL (unknown). In {items}({second}), {one}_id is the id in {many} and never empty;"
        f" {number} may be NULL (unknown). Some rows, as an example (an empty cell is NULL):\n\n"
        f"{table(['id', 'name', place], shown[0])}\n\n{table(['id', f'{one}_id', number], shown[1])}\n\nWanted:"
        f" {asked}.\n\n{_ENDING}"
    )
    unknown = sum(row[2] is None for row in hidden[1])
    if unknown < 2 or all(row[2] is not None for row in hidden[0]):
        return None
    database = _script(many, first, hidden[0]) + _script(items, second, hidden[1])
    if not _tells(query, query.replace(part, slip), database):
        return None
    return graded("sql", text, query, example=query, database=database, ordered=ordered)


FAMILIES = (simple_query, joined_query)
