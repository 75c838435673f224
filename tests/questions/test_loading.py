"""Whole files: formats, places, encodings, repeated ids, and files that are none."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routemark.errors import QuestionFileError, RunError, UsageError
from routemark.questions import load, shipped
from routemark.records import Question

ROWS: list[dict[str, Any]] = [
    {"id": "a", "difficulty": "easy", "question": "Capital of France?", "reference": "Paris"},
    {"id": "b", "difficulty": "hard", "question": '6 * 7?\nThink, "please".', "reference": 42, "category": "maths"},
    {"id": "c", "difficulty": "opt", "question": "Pick.", "choices": ["red", "blue, or so"], "reference": "B"},
    {"id": "d", "difficulty": "1", "question": "Größe?", "reference": ["m", "meter"], "metadata": {"family": "f"}},
    {"id": "e", "difficulty": "easy", "question": "q", "reference": "7", "grader": {"name": "contains", "all": True}},
]  # fmt: skip


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def table(rows: list[dict[str, Any]], delimiter: str = ",") -> str:
    columns = sorted({name for row in rows for name in row})
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(columns)
    for row in rows:
        cells = [row.get(name, "") for name in columns]
        writer.writerow([json.dumps(cell) if isinstance(cell, list | dict) else cell for cell in cells])
    return out.getvalue()


def loaded(directory: Path, name: str, content: str | bytes) -> list[Question]:
    return list(load(put(directory, name, content)))


def put(directory: Path, name: str, content: str | bytes) -> Path:
    path = directory / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def faults_of(directory: Path, name: str, content: str | bytes) -> list[str]:
    with pytest.raises(QuestionFileError) as caught:
        load(put(directory, name, content))
    assert caught.value.exit_code == 2
    return caught.value.faults


def row(number: int = 0, **fields: Any) -> dict[str, Any]:
    return {"id": f"q{number}", "difficulty": "easy", "question": f"{number}?"} | fields


# ------------------------------------------------------------------------------- formats


def test_the_same_questions_are_equal_in_every_format(tmp_path: Path) -> None:
    aliased = [{"input" if name == "question" else name: row[name] for name in reversed(row)} for row in ROWS]
    sets = [
        load(put(tmp_path, "a.json", json.dumps(ROWS, indent=2))),
        load(put(tmp_path, "b.json", json.dumps(ROWS))),
        load(put(tmp_path, "c.jsonl", lines(*ROWS))),
        load(put(tmp_path, "d.csv", table(ROWS))),
        load(put(tmp_path, "e.csv", table(ROWS, ";"))),
        load(put(tmp_path, "f.csv", table(ROWS, "\t"))),
        load(put(tmp_path, "g.ndjson", lines(*aliased))),
    ]
    assert len(sets[0]) == len(ROWS)
    assert sets[0][1].reference == 42
    for other in sets[1:]:
        assert list(other) == list(sets[0])
        assert other.sha256 == sets[0].sha256


def test_questions_in_parquet_are_the_same_and_a_fault_names_its_row(tmp_path: Path) -> None:
    pl = pytest.importorskip("polars")
    rows = [{"id": f"q{i}", "difficulty": "easy", "question": f"{i}?", "reference": i} for i in range(3)]
    pl.DataFrame(rows).write_parquet(tmp_path / "q.parquet")
    assert list(load(tmp_path / "q.parquet")) == loaded(tmp_path, "q.jsonl", lines(*rows))
    pl.DataFrame([*rows, {**rows[0], "difficulty": None}]).write_parquet(tmp_path / "q.parquet")
    with pytest.raises(QuestionFileError) as caught:
        load(tmp_path / "q.parquet")
    assert caught.value.faults == [
        "line 4: difficulty: is missing; any label will do",
        'line 4: id: "q0" is the id of line 1, too',
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("lines.json", lines(row(0), row(1))),
        ("one.json", lines(row(0)) + "\n" + lines(row(1))),
        ("list.jsonl", json.dumps([row(0), row(1)])),
        ("list.csv", json.dumps([row(0), row(1)])),
        ("list.txt", "\n " + json.dumps([row(0), row(1)])),
        ("UPPER.JSONL", lines(row(0), row(1))),
        ("noending", lines(row(0), row(1))),
    ],
)
def test_content_decides_where_the_ending_misleads(tmp_path: Path, name: str, content: str) -> None:
    assert [question.id for question in loaded(tmp_path, name, content)] == ["q0", "q1"]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.csv"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path, name: str, newline: str) -> None:
    text = {"a.json": json.dumps([row()], indent=1), "a.jsonl": lines(row()), "a.csv": table([row()])}[name]
    content = b"\xef\xbb\xbf" + text.replace("\r\n", "\n").replace("\n", newline).encode()
    assert loaded(tmp_path, name, content) == [Question(id="q0", difficulty="easy", question="0?")]


def test_a_long_question_in_a_cell_is_read(tmp_path: Path) -> None:
    (question,) = loaded(tmp_path, "a.csv", table([row(question="x" * 300_000)]))
    assert len(question.question) == 300_000


# ------------------------------------------------------------------------------- all faults at once


FOURTEEN = [
    (lines(row(0)), None),
    ('{"id": "q1", "difficulty": "easy", "question": \n', "line 2: not valid JSON at column"),
    ("[1, 2]\n", "line 3: a question is an object, not a list: [1, 2]"),
    ("\n", None),
    (lines(row(4, question="")), "line 5: question: is empty"),
    ('{"id": "q5", "question": "5?"}\n', "line 6: difficulty: is missing"),
    (lines(row(0)), 'line 7: id: "q0" is the id of line 1, too'),
    (lines(row(7, refrence="x")), 'line 8: refrence: unknown field; did you mean "reference"?'),
    (lines(row(8, choices=["only"])), "line 9: choices: needs at least two"),
    (lines(row(9, grader="exat", reference="x")), "line 10: grader: unknown grader"),
    (lines(row(10, metadata=[])), "line 11: metadata: must be an object"),
    (lines(row(11, input="other")), 'line 12: input: means the same as "question"'),
    ('{"id": "q12", "difficulty": "easy", "question": "12?", "reference": NaN}\n', "line 13: reference: holds nan"),
    ('{"id": "q13", "difficulty": "easy", "question": "caf\udce9"}\n', "line 14: question: holds the byte 0xE9"),
    (lines(row(14, question="\ud83d")), "line 15: question: holds half of a surrogate pair"),
    ('{"id": "q15", "difficulty": "a", "difficulty": "b", "question": "q"}\n', "line 16: difficulty: stands more than"),
    (lines(row(16, messages=[{"role": "bot", "content": "x"}])), "line 17: messages: message 0"),
    (lines(row(17, id="a\tb")), "line 18: id: holds the control character U+0009"),
    (lines(row(18, question=["x"])), "line 19: question: message 0"),
    (lines({"id": "q0", "difficulty": [], "question": "q"}), "line 20: difficulty: must be text or a number"),
    (None, 'line 20: id: "q0" is the id of line 1, too'),
]  # fmt: skip


def test_one_run_lists_every_fault_of_a_file_in_its_order(tmp_path: Path) -> None:
    content = "".join(text for text, _ in FOURTEEN if text).encode(errors="surrogateescape")
    faults = faults_of(tmp_path, "bad.jsonl", content)
    expected = [fault for _, fault in FOURTEEN if fault]
    assert len(faults) == len(expected), "\n".join(faults)
    for fault, start in zip(faults, expected, strict=True):
        assert fault.startswith(start)


def test_a_list_tells_index_line_and_id(tmp_path: Path) -> None:
    rows = [row(0), row(1, difficulty=""), {"question": "q"}, row(0), 7]
    assert faults_of(tmp_path, "a.json", json.dumps(rows, indent=1)) == [
        'item 1 (from 0; line 7; id "q1"): difficulty: is empty',
        "item 2 (from 0; line 12): difficulty: is missing; any label will do",
        'item 3 (from 0; line 15; id "q0"): id: "q0" is the id of item 0 (from 0; line 2), too',
        "item 4 (from 0; line 20): a question is an object, not a number: 7",
    ]


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        ('[\n{"id": 1, "difficulty": "a",\n "question": }, {}]', ["item 0 (from 0; line 2): not valid JSON at line 3 column 14: expecting value; nothing after it was checked"]),
        ('[{"difficulty": "a", "question": "q"},\n]', ["item 1 (from 0; line 2): a comma without a question behind it"]),
        ('[{"difficulty": "a", "question": "q"}\n {"difficulty": "a"}]', ["item 1 (from 0; line 2): the comma between this and the item before it is missing", "item 1 (from 0; line 2): question: is missing"]),
        ('[{"difficulty": "a", "question": "q"}', ["item 1 (from 0; line 1): the file ends before the list does: its closing ] is missing"]),
        ('[{"difficulty": "a", "ques', ["item 0 (from 0; line 1): not valid JSON at line 1 column 22: unterminated string; nothing after it was checked"]),
        ('[{"difficulty": "a", "question": "q"}] x', ["item 1 (from 0; line 1): text follows after the end of the list"]),
        ('[{"difficulty": "a", "question": "q", "reference": ' + "9" * 5000 + "}]", ["item 0 (from 0; line 1): not valid JSON at line 1 column 2: a number in it has more digits than can be read; nothing after it was checked"]),
        ("[" * 100_000, ["item 0 (from 0; line 1): not valid JSON at line 1 column 2: it is nested too deeply; nothing after it was checked"]),
    ],
)  # fmt: skip
def test_broken_json_is_a_fault_with_line_and_column(tmp_path: Path, content: str, faults: list[str]) -> None:
    assert faults_of(tmp_path, "a.json", content) == faults


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ('{"questions": [{"id": "a"}]}', "line 1: one object holds the whole file"),
        ('{\n "id": "a",\n "difficulty": "x"\n}', "line 1: one object holds the whole file"),
        ('\n"text"', "line 2: the file must hold a list of questions"),
    ],
)
def test_only_a_list_may_stand_at_the_top_of_json(tmp_path: Path, content: str, fault: str) -> None:
    (found,) = faults_of(tmp_path, "a.json", content)
    assert found.startswith(fault)


def test_many_faults_are_counted_when_too_many_to_list(tmp_path: Path) -> None:
    content = lines(*[row(number // 2, difficulty="" if number % 2 else "x") for number in range(3000)])
    with pytest.raises(QuestionFileError) as caught:
        load(put(tmp_path, "a.jsonl", content))
    assert len(caught.value.faults) == 1000
    assert caught.value.more == 2000
    assert caught.value.faults[:2] == [
        "line 2: difficulty: is empty",
        'line 2: id: "q0" is the id of line 1, too',
    ]
    assert "3000 faults" in str(caught.value)


def test_questions_without_ids_that_ask_the_same_are_told_apart_only_by_ids(tmp_path: Path) -> None:
    same = {"difficulty": "x", "question": "q"}
    (fault,) = faults_of(tmp_path, "a.jsonl", lines(same, same))
    assert fault.startswith("line 2: id: ")
    assert "line 1, too" in fault
    assert "give each an id" in fault


def test_equal_hashes_of_different_ids_are_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routemark.questions.loading.hash", lambda _: 1, raising=False)
    assert len(loaded(tmp_path, "a.jsonl", lines(row(0), row(1)))) == 2


# ------------------------------------------------------------------------------- CSV


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        ("id,difficulty,question\na,x,q\nb,x\n", ["line 3: has 2 cells, but the header has 3"]),
        ('id,difficulty,question\na,x,"q\nq"\n\nb,x,q,r\n', ["line 5: has 4 cells, but the header has 3"]),
        ("id,id,difficulty,question\n", ["line 1: id: this column stands more than once in the header"]),
        ("id,question\na,\n", ["line 1: difficulty: the header has no such column", "line 2: question: is missing"]),
        ("id,difficulty\na,\n", ["line 1: question: the header has no such column", "line 2: difficulty: is missing; any label will do"]),
        ("id,dificulty,question,refrence\na,x,q,r\nb,x,q,\n", ['line 1: dificulty: unknown column; did you mean "difficulty"?', 'line 1: refrence: unknown column; did you mean "reference"?']),
        ('id,difficulty,question\na,x,"q" z\nb,,q\n', ["line 2: not valid CSV: ',' expected after '\"'", "line 3: difficulty: is missing; any label will do"]),
        ('id,difficulty,question\na,x,"q\n', ["line 2: not valid CSV: unexpected end of data"]),
        ("id,difficulty,question,choices\na,x,q,one\n", ["line 2: choices: needs at least two texts, has 1"]),
        ("id,difficulty,question,metadata\na,x,q,oops\n", ['line 2: metadata: must be an object, not text: "oops"']),
        ("id,difficulty,question\na,x,q\na,x,q\n", ['line 3: id: "a" is the id of line 2, too']),
        ("id;difficulty;question\na;;q\n", ["line 2: difficulty: is missing; any label will do"]),
    ],
)  # fmt: skip
def test_faults_of_a_table_name_line_and_column(tmp_path: Path, content: str, faults: list[str]) -> None:
    assert faults_of(tmp_path, "a.csv", content) == faults


@pytest.mark.parametrize(
    ("grader", "choices", "cell", "reference"),
    [
        ("", "", "Paris", "Paris"), ("", "", "42", 42), ("numeric", "", "4.5", 4.5), ("", "", "007", "007"),
        ("exact", "", "42", "42"), ("contains", "", '["a", "b"]', ["a", "b"]), ("", "", '["a", "b"]', ["a", "b"]),
        ("", "", "[0, 1]", "[0, 1]"), ("", "", '"42"', "42"), ("", "", "true", "true"), ("", "", "null", "null"),
        ("", "1|4.50", "4.50", "4.50"), ("", "", '{"a"', '{"a"'), ('{"name": "exact"}', "", "5", "5"),
    ],
)  # fmt: skip
def test_a_reference_cell_is_text_unless_it_is_plainly_more(
    tmp_path: Path, grader: str, choices: str, cell: str, reference: Any
) -> None:
    rows = [row(grader=grader, choices=choices, target=cell)]
    (question,) = loaded(tmp_path, "a.csv", table(rows))
    assert question.reference == reference
    assert type(question.reference) is type(reference)


def test_other_columns_are_metadata_and_empty_rows_are_skipped(tmp_path: Path) -> None:
    content = ",id,difficulty,question,source,choices\n0,a,x,q,wiki,red | blue\n,,,,,\n\n1,b,x,q,,\n"
    first, second = loaded(tmp_path, "a.csv", content)
    assert first.metadata == {"column_1": "0", "source": "wiki"}
    assert first.choices == ["red", "blue"]
    assert second == Question(id="b", difficulty="x", question="q", metadata={"column_1": "1"})


# ------------------------------------------------------------------------------- no question files


@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff", "[]", "[\n]\n", "id,difficulty,question\n"])
def test_a_file_without_questions_is_refused(tmp_path: Path, content: str) -> None:
    (fault,) = faults_of(tmp_path, "a.csv", content)
    assert fault in ("line 1: the file is empty", "the file holds no questions")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_one_fault(tmp_path: Path, encoding: str) -> None:
    (fault,) = faults_of(tmp_path, "a.json", json.dumps([row()]).encode(encoding))
    assert "not UTF-8" in fault


def test_bytes_that_are_not_utf8_are_told_per_field(tmp_path: Path) -> None:
    content = table([row(0), row(1, question="café"), row(2)]).encode("latin-1")
    assert faults_of(tmp_path, "a.csv", content) == [
        "line 3: question: holds the byte 0xE9, which is not UTF-8; save the file as UTF-8"
    ]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.parquet", b"PAR1", "not a Parquet file that can be read"),
        ("a.jsonl.gz", b"\x1f\x8b\x08\x00", "compressed"),
        ("a.xlsx", b"PK\x03\x04", "cannot tell the format"),
    ],
)
def test_formats_that_are_not_read_are_named(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load(put(tmp_path, name, content))


def test_what_is_no_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such question file"):
        load(tmp_path / "none.json")
    with pytest.raises(UsageError, match="this is a directory"):
        load(tmp_path)


@settings(deadline=None, derandomize=True)
@given(st.sampled_from([".json", ".jsonl", ".csv"]), st.data())
def test_whatever_a_file_holds_is_loaded_or_refused_with_its_faults(ending: str, data: st.DataObject) -> None:
    good = {".json": json.dumps(ROWS), ".jsonl": lines(*ROWS), ".csv": table(ROWS)}[ending].encode()
    at, upto = sorted(data.draw(st.tuples(st.integers(0, len(good)), st.integers(0, len(good)))))
    content = good[:at] + data.draw(st.binary(max_size=8)) + good[upto:]
    with tempfile.TemporaryDirectory() as directory:
        path = put(Path(directory), "q" + ending, content)
        try:
            questions = load(path)
        except UsageError as error:
            str(error).encode()
        else:
            assert len({question.id for question in questions}) == len(questions) > 0


def test_no_space_for_the_copy_is_told_with_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.BytesIO):
        def write(self, _: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", lambda *_, **__: Full())
    with pytest.raises(RunError, match=r"could not be copied to .*: No space left on device. TMPDIR"):
        load(put(tmp_path, "a.jsonl", lines(row())))


def test_a_pipe_is_read_like_a_file() -> None:
    reader, writer = os.pipe()
    os.write(writer, lines(row(0), row(1)).encode())
    os.close(writer)
    try:
        assert len(load(f"/dev/fd/{reader}")) == 2
    finally:
        os.close(reader)


def test_the_shipped_questions_are_a_json_list_inside_the_package() -> None:
    path = shipped()
    assert path.name == "questions-benchmark-easy-hard-opt.json"
    assert path.parent.name == "data"
