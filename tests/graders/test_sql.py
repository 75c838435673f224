"""The grader sql: results, not texts; a query that may only read, and only so much."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routemark import graders
from routemark.graders import sql
from routemark.graders.sql import QueryError, equal, extract, result_of
from routemark.records import Completion, GraderSpec, Question

SCRIPT = "CREATE TABLE t (a INTEGER, b TEXT, c REAL); INSERT INTO t VALUES (1, 'x', 0.1), (2, NULL, 0.2), (2, 'y', 0.3);"


def grade(answer: str, reference: object, **options: object) -> tuple[float | None, str]:
    spec = GraderSpec(name="sql", options={"database": SCRIPT, **options})
    question = Question(id="q", difficulty="e", question="?", reference=reference, grader=spec)
    assert graders.check(question) == []
    told = graders.grade("t", question, Completion(text=answer, model="m"))
    assert told is not None
    return told.score, told.reason


@pytest.mark.parametrize(
    ("answer", "reference", "options", "score"),
    [
        ("SELECT a FROM t", "SELECT a FROM t ORDER BY a DESC", {}, 1),
        ("SELECT a FROM t", "SELECT a FROM t ORDER BY a DESC", {"ordered": True}, 0),
        ("SELECT a FROM t ORDER BY 1 DESC", "SELECT a FROM t ORDER BY a DESC", {"ordered": True}, 1),
        ("SELECT a AS other FROM t", "SELECT a FROM t", {}, 1),
        ("SELECT a, b FROM t", "SELECT b, a FROM t", {}, 0),
        ("SELECT a, b FROM t", "SELECT a FROM t", {}, 0),
        ("SELECT DISTINCT a FROM t", "SELECT a FROM t", {}, 0),
        ("SELECT SUM(c) FROM t", [[0.6]], {}, 1),
        ("SELECT SUM(c) FROM t", [0.6], {}, 1),
        ("SELECT SUM(c) + 0.001 FROM t", [[0.6]], {}, 0),
        ("SELECT 3.0", [[3]], {}, 1),
        ("SELECT '3'", [[3]], {}, 0),
        ("SELECT 123456789", [[123456788]], {}, 0),
        ("SELECT b FROM t WHERE a = 2", [["y"], [None]], {}, 1),
        ("SELECT COALESCE(b, '') FROM t WHERE a = 2", [["y"], [None]], {}, 0),
        ("SELECT 'X'", [["x"]], {}, 0),
        ("SELECT a FROM t WHERE a > 9", "SELECT b FROM t WHERE a > 8", {}, 1),
        ("SELECT a FROM t WHERE a > 9", [], {}, 1),
        ("SELECT a FROM t", [], {}, 0),
        (
            "Here it is:\n```sql\nSELECT 1;\n```\nor rather\n```sql\nSELECT 2; -- two\n```\nDone.",
            [[2]],
            {},
            1,
        ),
        ("<think>SELECT 1</think>\n`SELECT 2`", [[2]], {}, 1),
        ("The query is:\n\nWITH x AS (SELECT 2 AS v)\nSELECT v FROM x;\n\nIt selects 2.", [[2]], {}, 1),
        ("```\nSELECT 2\n```", [[2]], {}, 1),
        ("```sql\nSELECT 2", [[2]], {}, 1),
        ("I do not know.", [[2]], {}, 0),
        ("```sql\n```", [[2]], {}, 0),
    ],
)
def test_results_are_compared(answer: str, reference: object, options: dict, score: float) -> None:
    assert grade(answer, reference, **options)[0] == score


def test_the_shipped_databases_hold_what_they_should() -> None:
    rows = {name: result_of("SELECT name FROM sqlite_master ORDER BY 1", name).rows for name in sql.SHIPPED}
    assert rows["shop"] == [
        ("customers",),
        ("order_lines",),
        ("orders",),
        ("products",),
        ("sqlite_autoindex_order_lines_1",),
    ]
    for name, query in {
        "shop": "SELECT COUNT(*) FROM orders LEFT JOIN customers c ON c.id = customer_id WHERE c.id IS NULL",
        "library": "SELECT COUNT(*) FROM loans LEFT JOIN copies c ON c.id = copy_id WHERE c.id IS NULL",
    }.items():
        assert result_of(query, name).rows == [(0,)]


BAD = {
    "drop": "DROP TABLE t",
    "insert": "INSERT INTO t VALUES (1, 2, 3)",
    "two statements": "SELECT 1; DROP TABLE t",
    "attach": "ATTACH '/tmp/x.db' AS x",
    "vacuum into": "VACUUM INTO '/tmp/x.db'",
    "pragma": "PRAGMA writable_schema = 1",
    "pragma as a table": "SELECT * FROM pragma_database_list",
    "extension": "SELECT load_extension('/tmp/x.so')",
    "create": "CREATE TABLE u AS SELECT 1",
    "begin": "BEGIN",
    "endless": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT SUM(n) FROM r",
    "memory": "WITH RECURSIVE r(n, z) AS (SELECT 1, zeroblob(900000) UNION ALL SELECT n + 1, zeroblob(900000 - n) FROM r) SELECT * FROM r ORDER BY z",
    "long text": "SELECT hex(zeroblob(100000000))",
    "joins": "SELECT COUNT(*) FROM " + ", ".join(f"t t{n}" for n in range(20)),
    "rows": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 20000) SELECT n FROM r",
    "unfolding": "WITH a0 AS (SELECT 1)" + "".join(f", a{n} AS (SELECT * FROM a{n - 1}, a{n - 1})" for n in range(1, 30)) + " SELECT * FROM a29",
    "like": "SELECT hex(zeroblob(400000)) LIKE '" + "%0" * 49 + "%1'",
    "deep": "SELECT " + "(" * 5000 + "1" + ")" * 5000,
    "surrogate": "SELECT '\ud800'",
    "nul": "SELECT 1\0",
}  # fmt: skip


@pytest.mark.parametrize("query", BAD.values(), ids=BAD)
def test_a_query_may_read_and_no_more_and_only_so_much(query: str) -> None:
    start = time.process_time()
    try:
        rows = result_of(query, SCRIPT).rows
    except QueryError:
        rows = []
    assert rows in ([], [(0,)])
    assert time.process_time() - start < 4
    assert grade(f"```sql\n{query}\n```", "SELECT a FROM t")[0] == 0


CELLS = st.none() | st.integers(-3, 3) | st.sampled_from([0.1 + 0.2, 0.3, 1.5]) | st.text("ab", max_size=2)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=8), st.randoms())
def test_order_does_not_count_unless_asked_for(rows: list, random: object) -> None:
    mixed = list(rows)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert equal(mixed, rows, ordered=False)
    assert equal(rows, rows, ordered=True)
    assert not equal([*rows, (9, 9)], rows, ordered=False)
    if rows:
        assert not equal([*rows[1:], ("zzz", 9)], rows, ordered=False)


def test_numbers_on_two_sides_of_a_rounding_are_equal() -> None:
    given_rows, wanted = [(0.123456785000001, "a"), (0.5, "b")], [(0.5, "b"), (0.123456784999999, "a")]
    assert equal(given_rows, wanted, ordered=False)
    assert not equal([(0.1234, "a"), (0.5, "b")], wanted, ordered=False)


@pytest.mark.parametrize(
    ("reference", "options", "told"),
    [
        ("SELECT 1", {}, "grader.database: missing"),
        ("SELECT 1", {"database": "shopp"}, "grader.database: cannot be run"),
        ("SELECT nothing FROM orders", {"database": "shop"}, "reference: cannot be run"),
        ("DELETE FROM orders", {"database": "shop"}, "reference: cannot be run: not authorized"),
        ([[1], [1, 2]], {"database": "shop"}, "reference: its rows are not of one length"),
        ([[{}]], {"database": "shop"}, "reference: its cells must be"),
        (5, {"database": "shop"}, "reference: must be a query"),
    ],
)  # fmt: skip
def test_faults_are_told(reference: object, options: dict, told: str) -> None:
    spec = GraderSpec(name="sql", options=options)
    (fault,) = graders.check(Question(id="q", difficulty="e", question="?", reference=reference, grader=spec))
    assert fault.startswith(told)


def test_the_query_is_found_where_models_put_it() -> None:
    assert extract("SELECT a\nFROM b\nWHERE (\nSELECT 1)") == "SELECT a\nFROM b\nWHERE (\nSELECT 1)"
    assert extract("No query here.") == "No query here."
