"""Question sets on disk: freezing is lossless, samples nest, memory stays flat."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import routemark
from routemark.questions import QuestionSet, load, open_frozen
from routemark.questions.frozen import _Line
from routemark.records import Question

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
LABEL = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=20).filter(
    str.strip
)
JSON = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
WORD = st.text("uvwxyzéß", min_size=2, max_size=8)
ROW: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"id": LABEL, "difficulty": LABEL, "question": TEXT.filter(str.strip)},
    optional={
        "reference": WORD | st.integers() | st.lists(WORD, min_size=1, max_size=3),
        "category": LABEL,
        "grader": st.sampled_from(["exact", {"name": "contains", "all": True}]),
        "choices": st.lists(WORD, min_size=2, max_size=4, unique_by=str.casefold),
        "metadata": st.dictionaries(TEXT, JSON, max_size=3),
        "extra": JSON,
    },
).map(lambda row: row | ({"reference": "A"} if "grader" in row or "choices" in row else {}))


def written(directory: Path, rows: list[dict[str, Any]], name: str = "q.jsonl") -> QuestionSet:
    path = directory / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return load(path)


def plain(n: int) -> list[dict[str, Any]]:
    return [
        {"id": f"q{i}", "difficulty": "x", "question": f"{i}?", "metadata": {"b": i, "a": 1}}
        for i in range(n)
    ]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(ROW, min_size=1, max_size=5, unique_by=lambda row: str(row["id"]).strip()))
def test_freezing_and_loading_again_changes_nothing(rows: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        source = written(Path(directory), rows)
        frozen = source.freeze(Path(directory) / "questions.json")
        again = load(frozen.path)
        assert list(source) == list(frozen) == list(again)
        assert source.sha256 == frozen.sha256 == again.sha256
        assert again.freeze(Path(directory) / "b.json").path.read_bytes() == frozen.path.read_bytes()


def test_the_frozen_file_is_a_json_list_with_a_question_a_line(tmp_path: Path) -> None:
    written(tmp_path, plain(2)).freeze(tmp_path / "questions.json")
    assert (tmp_path / "questions.json").read_text() == (
        "[\n"
        '{"id":"q0","difficulty":"x","question":"0?","metadata":{"a":1,"b":0}},\n'
        '{"id":"q1","difficulty":"x","question":"1?","metadata":{"a":1,"b":1}}\n'
        "]\n"
    )


def test_a_line_has_the_fields_of_a_question() -> None:
    assert _Line.__struct_fields__ == Question.__struct_fields__


def test_freezing_leaves_the_file_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = written(tmp_path, plain(3))
    target = tmp_path / "questions.json"
    target.write_text("old")

    def fail(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        questions.freeze(target)
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["q.jsonl", "questions.json"]


def test_a_set_can_be_frozen_over_its_own_file(tmp_path: Path) -> None:
    questions = written(tmp_path, plain(5))
    questions[1:3].freeze(questions.path)
    assert [question.id for question in load(questions.path)] == ["q1", "q2"]
    assert questions[4].id == "q4"


def test_the_hash_tells_content_and_not_order(tmp_path: Path) -> None:
    rows = plain(50)
    questions = written(tmp_path, rows)
    assert written(tmp_path, random.Random(1).sample(rows, 50), "b.jsonl").sha256 == questions.sha256
    assert questions.sample(50, 3).sha256 == questions.sha256
    changed = [*rows[:-1], rows[-1] | {"reference": "x"}]
    assert written(tmp_path, changed, "c.jsonl").sha256 != questions.sha256
    assert questions[:49].sha256 != questions.sha256


def test_a_set_behaves_as_a_sequence(tmp_path: Path) -> None:
    questions = written(tmp_path, plain(10))
    assert (len(questions), questions[-1].id, questions[3:5][1].id) == (10, "q9", "q4")
    assert [question.id for question in questions[::-3]] == ["q9", "q6", "q3", "q0"]
    assert questions[2] in questions
    assert repr(questions).endswith("10 questions)")
    with pytest.raises(IndexError):
        questions[10]


def test_samples_are_seeded_nested_and_independent_of_file_order(tmp_path: Path) -> None:
    rows = plain(200)
    questions = written(tmp_path, rows)
    sample = [question.id for question in questions.sample(20, 7)]
    assert sample == [question.id for question in questions.sample(50, 7)][:20]
    assert sample == [question.id for question in written(tmp_path, rows[::-1], "b.jsonl").sample(20, 7)]
    assert sample != [question.id for question in questions.sample(20, 8)]
    assert len(set(sample)) == 20
    assert len(questions.sample(1000, 7)) == 200
    frozen = questions.sample(20, 7).freeze(tmp_path / "sample.json")
    assert [question.id for question in frozen] == sample
    with pytest.raises(ValueError, match="at least one"):
        questions.sample(0, 7)


def test_a_sample_favours_no_part_of_the_file(tmp_path: Path) -> None:
    questions = written(tmp_path, plain(400))
    drawn = [int(question.id[1:]) for seed in range(50) for question in questions.sample(10, seed)]
    assert abs(sum(drawn) / len(drawn) - 199.5) < 4 * 115.5 / len(drawn) ** 0.5


_MEASURE = """
import resource, sys
from pathlib import Path
from routemark.questions import load
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
path = Path(sys.argv[1])
load(path.with_name("small" + path.suffix)).freeze(path.with_name("small-frozen.json"))
before = peak()
questions = load(path).freeze(path.with_name("frozen.json"))
questions.sample(100, 1).sha256
print(len(questions), (peak() - before) // 1024)
"""


@pytest.mark.parametrize("ending", [".jsonl", ".json"])
def test_memory_stays_flat_however_long_the_file(tmp_path: Path, ending: str) -> None:
    rows = [{"id": f"q{i}", "difficulty": "x", "question": f"{i} " + "word " * 600} for i in range(20_000)]
    for name, part in (("large", rows), ("small", rows[:2000])):
        text = "".join(json.dumps(row) + "\n" for row in part) if ending == ".jsonl" else json.dumps(part)
        (tmp_path / (name + ending)).write_text(text)
    package = str(Path(routemark.__file__).parent.parent)
    command = [sys.executable, "-c", _MEASURE, str(tmp_path / ("large" + ending))]
    result = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONPATH": package})
    count, grown_mb = map(int, result.stdout.split())
    assert count == 20_000
    assert grown_mb < 20  # the file has 60 MB


@pytest.mark.parametrize("n", [1, 2, 300])
def test_a_frozen_file_opens_again_as_it_was(tmp_path: Path, n: int) -> None:
    rows = [
        {"id": f"q{i}", "difficulty": "easy", "question": "line\nbreak, [ ] " + "x" * (i * 37)}
        for i in range(n)
    ]
    frozen = written(tmp_path, rows).freeze(tmp_path / "frozen.json")
    opened = open_frozen(tmp_path / "frozen.json")
    assert list(opened) == list(frozen)
    assert opened.sha256 == frozen.sha256
    assert list(opened.ids()) == [row["id"] for row in rows]


@pytest.mark.parametrize("content", ["", "[]", "[\n]\n", '[{"id":"a"}]', "{}\n", '[\n{"id":"a"}\n'])
def test_another_file_is_not_taken_for_a_frozen_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(ValueError, match="not in the format"):
        open_frozen(tmp_path / "other.json")
