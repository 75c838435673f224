"""The grader ``sql``: the result of the answer's query beside the result of the reference.

Where the query stands in an answer, after reasoning was set aside: the last fenced block of SQL, else the
last fenced block without a language, else what begins with the last line that starts with SELECT or WITH,
else the whole answer.

Two results are equal when they have as many columns and the same rows. Columns go by position: their names do
not count, their order does. Rows count as often as they occur, in any order unless ``ordered``. Whole numbers
are equal or not, others within a millionth; 3 equals 3.0, NULL equals NULL alone, texts are equal to the letter.

The query runs on a fresh database in memory. It may select and nothing else; work, memory, rows and the
length of texts are limited by counting, not by the clock, so that a grade does not depend on the machine.
"""

from __future__ import annotations

import functools
import importlib.resources
import math
import re
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from typing import Any, NamedTuple, TypeVar

from routemark.graders.base import Grader, Option, Options, Tools, Verdict, brief, flag, show
from routemark.graders.extract import visible
from routemark.records import Completion, Question

SHIPPED = ("library", "shop")
"""Databases that come with Routemark: scripts in ``data/sql``."""
MOST_ROWS = 10_000
TOLERANCE = 1e-6
"""Relative, between numbers of which one is not whole."""
_NEAR_ZERO = 1e-9
_CHUNK, _MOST_STEPS = 10_000, 5_000_000
"""Instructions of SQLite's machine between two looks, and in all: some tenths of a second."""
_MOST_LOOKUPS = 20_000
"""Tables, columns and functions named while a query is compiled, views and subqueries unfolded."""
_HEAP_BYTES = 256 << 20
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 1_000_000,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 200,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 100,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 100,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
_MAY = frozenset(
    (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
)
_NEVER = frozenset(("load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"))
"""Functions that reach beyond the database."""

Cell = None | int | float | str | bytes
Row = tuple[Cell, ...]
Result = TypeVar("Result")


class QueryError(Exception):
    """A query that gives no result, and why."""


class _Result(NamedTuple):
    columns: int
    rows: list[Row]


# --------------------------------------------------------------------------- the answer's query

_FENCE = re.compile(
    r"^[ \t]*(?P<mark>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]*)[^\n`]*\n(?P<code>.*?)(?:^[ \t]*(?P=mark)[`~]*[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)
_SQL = frozenset(("sql", "sqlite", "sqlite3", "postgresql", "mysql"))
_START = re.compile(r"^[ \t]*(?:SELECT|WITH|VALUES)\b", re.MULTILINE | re.IGNORECASE)


def extract(answer: str) -> str:
    """Give the query of an answer from which reasoning was set aside."""
    blocks = [(block["language"].lower(), block["code"]) for block in _FENCE.finditer(answer)]
    named = [code for language, code in blocks if language in _SQL]
    plain = [code for language, code in blocks if not language]
    if named or plain:
        return (named or plain)[-1].strip()
    inline = re.findall(r"`([^`\n]+)`", answer)
    queries = [code for code in inline if _START.match(code)]
    if queries:
        return str(queries[-1]).strip()
    starts = [match.start() for match in _START.finditer(answer)]
    if not starts:
        return answer.strip()
    first = next(
        (s for s in reversed(starts) if not answer[:s].strip() or answer[:s].endswith("\n\n")), starts[0]
    )
    return answer[first:].split("\n\n", maxsplit=1)[0].strip()


# --------------------------------------------------------------------------- the database


class _Guard:
    """What a connection asks before it does anything."""

    def __init__(self) -> None:
        self.steps = 0
        self.lookups = 0

    def may(self, action: int, _table: str | None, name: str | None, *_: object) -> int:
        """Let a query read and compute, and nothing else."""
        self.lookups += 1
        allowed = action in _MAY and (action != sqlite3.SQLITE_FUNCTION or name not in _NEVER)
        return sqlite3.SQLITE_OK if allowed and self.lookups <= _MOST_LOOKUPS else sqlite3.SQLITE_DENY

    def may_build(self, action: int, *_: object) -> int:
        """Let a script do anything inside its own database."""
        beyond = (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA)
        return sqlite3.SQLITE_DENY if action in beyond else sqlite3.SQLITE_OK

    def enough(self) -> int:
        """Tell whether the work is to be broken off."""
        self.steps += _CHUNK
        return self.steps > _MOST_STEPS


def result_of(query: str, database: str) -> _Result:
    """Run a query on a database, given by the name of a shipped one or as a script.

    Raises: QueryError when the script or the query cannot be run, or takes more than it may.
    """
    guard = _Guard()
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA hard_heap_limit = {_HEAP_BYTES}")
        connection.execute("PRAGMA temp_store = MEMORY")
        for limit, most in _LIMITS.items():
            connection.setlimit(limit, most)
        connection.set_progress_handler(guard.enough, _CHUNK)
        connection.set_authorizer(guard.may_build)
        _attempt(guard, connection.executescript, _script(database))
        guard.steps = 0
        connection.set_authorizer(guard.may)
        return _attempt(guard, functools.partial(_rows, connection), query)


def _rows(connection: sqlite3.Connection, query: str) -> _Result:
    cursor = connection.execute(query)
    rows = cursor.fetchmany(MOST_ROWS + 1)
    if cursor.description is None:
        raise QueryError("is no query that gives rows")
    if len(rows) > MOST_ROWS:
        raise QueryError(f"gives more than {MOST_ROWS:,} rows")
    return _Result(len(cursor.description), rows)


def _attempt(guard: _Guard, work: Callable[[str], Result], text: str) -> Result:
    """Run SQL; make of everything that SQLite says a QueryError."""
    try:
        return work(text)
    except MemoryError:
        raise QueryError("needs too much memory") from None
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        if guard.steps > _MOST_STEPS or guard.lookups > _MOST_LOOKUPS:
            raise QueryError("takes too much work") from None
        raise QueryError(f"cannot be run: {brief(str(error))}") from None


def _script(database: str) -> str:
    return _shipped(database) if database in SHIPPED else database


@functools.cache
def _shipped(name: str) -> str:
    """Give the script of a shipped database: part of the program, as its code is."""
    return (importlib.resources.files("routemark") / "data" / "sql" / f"{name}.sql").read_text("utf-8")


# --------------------------------------------------------------------------- comparing


def equal(given: list[Row], wanted: list[Row], *, ordered: bool) -> bool:
    """Tell whether two results hold the same rows; both have rows of one length."""
    if len(given) != len(wanted):
        return False
    if ordered:
        return all(map(_same_row, given, wanted))
    missing = Counter(map(_rounded, wanted))
    missing.subtract(Counter(map(_rounded, given)))
    if not any(missing.values()):
        return True
    return _paired(*_unmatched(given, wanted, missing))


def _unmatched(given: list[Row], wanted: list[Row], missing: Counter[Row]) -> tuple[list[Row], list[Row]]:
    """Give the rows of both sides that rounding does not pair."""
    over, under = -missing, +missing
    return [row for row in given if _used_up(over, row)], [row for row in wanted if _used_up(under, row)]


def _used_up(left: Counter[Row], row: Row) -> bool:
    key = _rounded(row)
    left[key] -= 1
    return left[key] >= 0


def _paired(given: list[Row], wanted: list[Row]) -> bool:
    """Pair rows that lie within the tolerance of each other, but on two sides of a rounding."""
    if len(given) > 300:
        return False
    for row in wanted:
        match = next((n for n, other in enumerate(given) if _same_row(other, row)), None)
        if match is None:
            return False
        del given[match]
    return True


def _same_row(given: Row, wanted: Row) -> bool:
    return all(map(_same, given, wanted))


def _same(given: Cell, wanted: Cell) -> bool:
    if given == wanted:
        return True
    numbers = isinstance(given, int | float) and isinstance(wanted, int | float)
    if not numbers or (isinstance(given, int) and isinstance(wanted, int)):
        return False
    return math.isclose(given, wanted, rel_tol=TOLERANCE, abs_tol=_NEAR_ZERO)  # type: ignore[arg-type]  # numbers


def _rounded(row: Row) -> Row:
    """Give a row as a key: rows with one key are equal, finer than the tolerance asks."""
    return tuple(float(f"{cell:.8g}") if isinstance(cell, float) else cell for cell in row)


# --------------------------------------------------------------------------- grading


def grade(completion: Completion, question: Question, options: Options, _tools: Tools) -> Verdict:
    """Score 1 when the answer's query gives what the reference gives."""
    query = extract(visible(completion.text))
    if not query:
        return Verdict(0.0, None, "no answer")
    try:
        wanted = _wanted(question.reference, options["database"])
    except QueryError as error:
        return Verdict(None, None, f"the reference {error}")
    try:
        given = result_of(query, options["database"])
    except QueryError as error:
        return Verdict(0.0, brief(query, 1000), f"the query {error}")
    return Verdict(*_judged(given, wanted, ordered=options["ordered"], query=brief(query, 1000)))


def _judged(given: _Result, wanted: _Result, *, ordered: bool, query: str) -> tuple[float, str, str]:
    if wanted.rows and given.columns != wanted.columns:
        return 0.0, query, f"gives {given.columns} columns instead of {wanted.columns}"
    if equal(given.rows, wanted.rows, ordered=ordered):
        return 1.0, query, ""
    if len(given.rows) != len(wanted.rows):
        return 0.0, query, f"gives {len(given.rows)} rows instead of {len(wanted.rows)}"
    told = " or their order" if ordered else ""
    return 0.0, query, f"gives other rows{told}, beginning with {show(given.rows[0])}"


def _wanted(reference: Any, database: str) -> _Result:
    """Give the rows of the reference: given, or by its query."""
    return _result(reference, database) if isinstance(reference, str) else _given(reference)


@functools.lru_cache(maxsize=256)
def _result(query: str, database: str) -> _Result:
    return result_of(query, database)


def _given(rows: list[Any]) -> _Result:
    """Read rows from JSON; a row of one column may stand without brackets."""
    lists = [row if isinstance(row, list) else [row] for row in rows]
    return _Result(len(lists[0]) if lists else 0, [tuple(row) for row in lists])


def check(question: Question, options: Options) -> list[str]:
    """Give the faults of database and reference; both are tried."""
    reference, database = question.reference, options["database"]
    if database is None:
        return [f"grader.database: missing; the name of a shipped one ({', '.join(SHIPPED)}) or a script"]
    try:
        result_of("SELECT 1", database)
    except QueryError as error:
        return [f"grader.database: {error}; shipped are {', '.join(SHIPPED)}"]
    if isinstance(reference, list):
        return _row_faults(reference)
    if not isinstance(reference, str):
        return [f"reference: must be a query, or a list of rows, not {show(reference)}"]
    try:
        _result(reference, database)
    except QueryError as error:
        return [f"reference: {error}"]
    return []


def _row_faults(rows: list[Any]) -> list[str]:
    lists = [row if isinstance(row, list) else [row] for row in rows]
    if len({len(row) for row in lists}) > 1:
        return ["reference: its rows are not of one length"]
    if not all(cell is None or isinstance(cell, int | float | str) for row in lists for cell in row):
        return ["reference: its cells must be numbers, texts or null"]
    return []


SQL = Grader(
    "sql",
    1,
    grade,
    check,
    {
        "database": Option(
            None, lambda value: isinstance(value, str) and bool(value.strip()), "a name or a script"
        ),
        "ordered": flag(),
    },
)
