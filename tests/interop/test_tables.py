"""Tables of outcomes and picks: every format gives the same, every fault has its place."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routemark.analysis.matrix.outcomes import FILE, UNKNOWN
from routemark.errors import TableError, UsageError
from routemark.interop import checked, columns
from routemark.interop.tables import read_outcomes, read_picks

ROWS = [
    {"question_id": "q2", "model": "b", "score": 1, "cost_usd": 0.5, "difficulty": "hard", "family": "f"},
    {
        "question_id": "q1",
        "model": "b",
        "score": 0.25,
        "cost_usd": None,
        "difficulty": "easy",
        "latency_s": 2.5,
    },
    {"question_id": "q1", "model": "a", "score": None, "cost_usd": 0.0, "choices": 4},
    {"question_id": "q3", "model": "a", "score": 0, "cost_usd": 1e-6, "category": "math", "family": "f"},
]
NAMES = [
    "question_id",
    "model",
    "score",
    "cost_usd",
    "difficulty",
    "category",
    "family",
    "latency_s",
    "choices",
]


def save(folder, ending, rows=ROWS):
    path = folder / f"outcomes{ending}"
    if ending == ".parquet":
        polars = pytest.importorskip("polars")
        polars.DataFrame(rows, infer_schema_length=None).write_parquet(path)
    elif ending == ".csv":
        lines = [",".join("" if row.get(n) is None else str(row[n]) for n in NAMES) for row in rows]
        path.write_text("\n".join([",".join(NAMES), *lines]) + "\n")
    elif ending == ".json":
        path.write_text(json.dumps(rows, indent=1))
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def csv(folder, text, name="outcomes.csv"):
    path = folder / name
    path.write_text(text)
    return str(path)


def faults(call):
    with pytest.raises(TableError) as caught:
        call()
    return caught.value


def same(a, b):
    assert a.questions == b.questions
    for name in ("score", "cost", "latency"):
        np.testing.assert_array_equal(getattr(a.outcomes, name), getattr(b.outcomes, name))
    assert a.outcomes.models == b.outcomes.models
    np.testing.assert_array_equal(a.outcomes.source, b.outcomes.source)
    np.testing.assert_array_equal(a.outcomes.asked.choices, b.outcomes.asked.choices)
    np.testing.assert_array_equal(a.outcomes.asked.cluster, b.outcomes.asked.cluster)
    for grouping in ("difficulty", "category"):
        x, y = getattr(a.outcomes.asked, grouping), getattr(b.outcomes.asked, grouping)
        np.testing.assert_array_equal(x.code, y.code)
        assert list(x.names) == list(y.names)


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".json", ".parquet"])
def test_every_format_gives_the_same_matrix(tmp_path, ending):
    found = read_outcomes(save(tmp_path, ending))
    assert found.questions == ("q1", "q2", "q3")
    assert found.outcomes.models == ("a", "b")
    nan = math.nan
    np.testing.assert_array_equal(found.outcomes.score, [[nan, 0.25], [nan, 1], [0, nan]])
    np.testing.assert_array_equal(found.outcomes.cost, [[0, nan], [nan, 0.5], [1e-6, nan]])
    np.testing.assert_array_equal(found.outcomes.latency, [[nan, 2.5], [nan, nan], [nan, nan]])
    np.testing.assert_array_equal(found.outcomes.source, [[FILE, FILE], [UNKNOWN, FILE], [FILE, UNKNOWN]])
    asked = found.outcomes.asked
    assert [asked.difficulty.names[c] if c >= 0 else None for c in asked.difficulty.code] == [
        "easy",
        "hard",
        None,
    ]
    assert [asked.category.names[c] if c >= 0 else None for c in asked.category.code] == [None, None, "math"]
    assert list(asked.choices) == [4, 0, 0]
    assert asked.cluster[1] == asked.cluster[2] != asked.cluster[0]
    assert found.outcomes.single


@given(order=st.permutations(range(len(ROWS))))
def test_order_of_rows_does_not_matter(tmp_path_factory, order):
    folder = tmp_path_factory.mktemp("order")
    straight = read_outcomes(save(folder, ".jsonl"))
    same(straight, read_outcomes(save(folder, ".csv", [ROWS[i] for i in order])))


def test_chunks_join_without_a_seam(tmp_path, monkeypatch):
    whole = read_outcomes(save(tmp_path, ".csv")), read_outcomes(save(tmp_path, ".jsonl"))
    monkeypatch.setattr(columns, "ROWS", 1)
    same(whole[0], read_outcomes(save(tmp_path, ".csv")))
    same(whole[1], read_outcomes(save(tmp_path, ".jsonl")))


def test_names_that_differ_in_what_surrounds_them_are_one(tmp_path):
    text = "question_id,model,score,cost_usd\nq1,a,1,1\n q1 ,b,1,1\nq2 ,'=a,0,1\nq2,\tb,0,1\n"
    found = read_outcomes(csv(tmp_path, text))
    assert found.questions == ("q1", "q2")
    assert found.outcomes.models == ("=a", "a", "b")


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_byte_order_mark_crlf_and_blank_lines(tmp_path, delimiter):
    text = delimiter.join(["question_id", "model", "score", "cost_usd"]) + "\r\n\r\n"
    text += delimiter.join(["q", '"a name\nof two lines"', " 0.5 ", "NaN"]) + "\r\n"
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    error = faults(lambda: read_outcomes(str(path)))
    assert error.faults == ["line 3: model: holds the control character U+000A"]
    path.write_bytes(b"\xef\xbb\xbf\r\n" + text.replace("\nof", " of").encode())
    found = read_outcomes(str(path))
    assert (found.outcomes.models, found.outcomes.score[0, 0]) == (("a name of two lines",), 0.5)
    assert math.isnan(found.outcomes.cost[0, 0])


def test_line_numbers_count_line_ends_inside_cells(tmp_path):
    text = 'question_id,model,score,cost_usd,category\nq1,a,1,0,"two\nlines"\nq2,a,7,0,x\n'
    told = faults(lambda: read_outcomes(csv(tmp_path, text))).faults
    assert told[1] == 'line 4: score: "7" is not between 0 and 1'


def test_nan_in_json_is_unknown_and_whole_numbers_are_names(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"question_id": 7, "model": "m", "score": NaN, "cost_usd": 1}\n\n')
    found = read_outcomes(str(path))
    assert found.questions == ("7",)
    assert math.isnan(found.outcomes.score[0, 0])


HEAD = "question_id,model,score,cost_usd,difficulty\n"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("q,m,1.1,0,", 'line 2: score: "1.1" is not between 0 and 1'),
        ("q,m,-0.1,0,", 'line 2: score: "-0.1" is not between 0 and 1'),
        ("q,m,inf,0,", 'line 2: score: "inf" is not between 0 and 1'),
        ("q,m,right,0,", 'line 2: score: "right" is not a number'),
        ("q,m,1,-1,", 'line 2: cost_usd: "-1" is not 0 or more, and finite'),
        ("q,m,1,inf,", 'line 2: cost_usd: "inf" is not 0 or more, and finite'),
        ("q,m,1,$1,", 'line 2: cost_usd: "$1" is not a number'),
        (" ,m,1,0,", "line 2: question_id: is empty"),
        ("q,,1,0,", "line 2: model: is empty"),
        ("q,m,1,0", "line 2: has 4 cells, but the header has 5"),
        ("q,m\x1b[2J,1,0,", "line 2: model: holds the control character U+001B"),
        ("q,m,1,0,easy\nq,m,0,0,easy", 'line 3: question_id "q" and model "m" stand together again, as in line 2'),
        ("q,m,1,0,easy\nq,n,0,0,hard", 'line 3: difficulty of "q" is "hard" here, but "easy" in line 2'),
        ('q,"m,1,0,', "line 2: not valid CSV: unexpected end of data"),
    ],
)  # fmt: skip
def test_each_fault_is_told_with_its_line(tmp_path, row, says):
    path = csv(tmp_path, f"{HEAD}{row}\n")
    error = faults(lambda: read_outcomes(path))
    assert error.faults == [says]
    assert str(error) == f"{path}: 1 fault; nothing was judged.\n  {says}"
    assert error.exit_code == 2


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"question_id": "q", "model": "m", "score": true, "cost_usd": 0}', "score: true is not a number"),
        ('{"question_id": "q", "model": "m", "score": "1", "cost_usd": [1]}', "cost_usd: [1] is not a number"),
        ('{"question_id": "q", "model": {}, "score": 1, "cost_usd": 0}', "model: must be text, not an object"),
        ('{"question_id": "q", "model": "m", "score": 1, "cost_usd": 0, "choices": 2.5}', "choices: 2.5 is not a whole number from 0"),
        ('{"question_id": null, "model": "m", "score": 1, "cost_usd": 0}', "question_id: is empty"),
        ("[1]", "must be an object with named values, not a list"),
        ('{"question_id": ', "not valid JSON at column 16: expecting value"),
    ],
)  # fmt: skip
def test_faults_of_json_lines(tmp_path, line, says):
    path = tmp_path / "t.jsonl"
    path.write_text('{"question_id": "q0", "model": "m", "score": 1, "cost_usd": 0}\n' + line + "\n")
    assert faults(lambda: read_outcomes(str(path))).faults == [f"line 2: {says}"]


def test_a_parquet_fault_names_its_row(tmp_path):
    rows = [
        {"question_id": f"q{i}", "model": "m", "score": 1.0 + (i == 2), "cost_usd": 0.0} for i in range(3)
    ]
    path = save(tmp_path, ".parquet", rows)
    assert faults(lambda: read_outcomes(path)).faults == ["row 3: score: 2.0 is not between 0 and 1"]


def test_unknown_columns_are_refused_with_the_nearest_known(tmp_path):
    path = csv(tmp_path, "question_id,modle,score,cost_usd,price\nq,m,1,0,0\n")
    told = faults(lambda: read_outcomes(path)).faults
    assert told[0].startswith(
        "there is no column model; this table needs question_id, model, score and cost_usd"
    )
    assert told[1] == 'line 2: unknown column "modle"; did you mean "model"?'
    assert told[2].startswith('line 2: unknown column "price"; known are question_id, model,')


def test_twenty_faults_are_told_in_file_order_and_the_rest_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(columns, "ROWS", 7)
    rows = "".join(f"q{i},m,2,0,\n" for i in range(50)) + "q0,m,1,0,\n"
    error = faults(lambda: read_outcomes(csv(tmp_path, HEAD + rows)))
    assert [fault.split(":")[0] for fault in error.faults] == [f"line {i}" for i in range(2, 22)]
    assert len(error.faults) == checked.MOST_SHOWN
    assert str(error).endswith("... and 30 more")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.csv", None, "there is no such file"),
        ("none.parquet", None, "there is no such file"),
        ("empty.csv", b"", "the file is empty"),
        ("head.csv", HEAD.encode(), "the table has no rows"),
        ("zip.csv", b"PK\x03\x04", "packed or binary"),
        ("wide.csv", "q".encode("utf-16"), "not UTF-8"),
        ("not.parquet", b"nothing of the sort", "not a Parquet file"),
        ("list.json", b"[]", "the table has no rows"),
    ],
)
def test_files_that_cannot_be_read_at_all(tmp_path, name, content, says):
    if name.endswith(".parquet"):
        pytest.importorskip("polars")
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=says) as caught:
        read_outcomes(str(path))
    assert name in str(caught.value)


def test_bytes_that_are_no_utf8_are_a_fault_of_their_row(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(HEAD.encode() + b"q\xff,m,1,0,\n")
    assert "0xFF, which is not UTF-8" in faults(lambda: read_outcomes(str(path))).faults[0]


def test_too_many_cells_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("routemark.interop.tables.MOST_CELLS", 5)
    with pytest.raises(UsageError, match="3 questions by 2 models"):
        read_outcomes(save(tmp_path, ".csv"))


def test_without_polars_parquet_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(UsageError, match=r"needs polars: pip install 'routemark\[data\]'"):
        read_outcomes(str(tmp_path / "t.parquet"))


# ------------------------------------------------------------------------------------------------ picks

PICKS = "question_id,arm,model\nq2,r,b\nq1,r,b\nq1,s,b\nq3,s,a\n"


def test_picks_lie_in_the_cells_of_the_matrix(tmp_path):
    table = read_outcomes(save(tmp_path, ".csv"))
    r, s = read_picks(csv(tmp_path, PICKS, "picks.csv"), table)
    assert (r.picks.arm, r.left_out, s.picks.arm) == ("r", 0, "s")
    np.testing.assert_array_equal(r.picks.share, [[0, 1], [0, 1], [0, 0]])
    np.testing.assert_array_equal(s.picks.share, [[0, 1], [0, 0], [1, 0]])
    np.testing.assert_array_equal(r.picks.of(table.outcomes.score), [0.25, 1, math.nan])


BAD = [
    ("q9,r,a", 'question "q9" is not among the outcomes'),
    ("q1,r,bb", 'model "bb" is not among the outcomes; did you mean "b"?'),
    ("q2,r,a", 'question "q2", model "a": the outcomes have no such row'),
    ("q1,r,a", 'question "q1", model "a": the outcomes have no score there'),
]


@pytest.mark.parametrize(("row", "says"), BAD)
def test_a_pick_that_cannot_be_scored_is_named(tmp_path, row, says):
    table = read_outcomes(save(tmp_path, ".csv"))
    path = csv(tmp_path, f"question_id,arm,model\n{row}\n", "picks.csv")
    assert faults(lambda: read_picks(path, table)).faults == [f"line 2: {says}"]


def test_allow_missing_leaves_such_picks_out_and_counts_them(tmp_path):
    table = read_outcomes(save(tmp_path, ".csv"))
    rows = "\n".join(f"{row}" for row, _ in BAD[:3])
    path = csv(tmp_path, f"question_id,arm,model\n{rows}\nq3,r,a\n", "picks.csv")
    (chosen,) = read_picks(path, table, allow_missing=True)
    assert chosen.left_out == 3
    assert list(chosen.picks.picked) == [False, False, True]
    assert not chosen.ungraded.any()
    path = csv(tmp_path, f"question_id,arm,model\n{BAD[3][0]}\n", "picks.csv")
    assert list(read_picks(path, table, allow_missing=True)[0].ungraded) == [True, False, False]


def test_faults_between_picks(tmp_path):
    table = read_outcomes(save(tmp_path, ".csv"))
    path = csv(tmp_path, "question_id,arm,model\nq1,r,b\nq1,r,b\nq2,b,b\n", "picks.csv")
    assert faults(lambda: read_picks(path, table, allow_missing=True)).faults == [
        'line 3: question_id "q1" and arm "r" stand together again, as in line 2',
        'line 4: arm "b" has the name of a model; give it another',
    ]
