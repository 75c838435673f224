"""The runs directory in short: fast with many runs, from the ends of files alone; and the words a person puts on runs."""

import json
import os
import time

import pytest

import journals
from routemark.errors import RunError, UsageError
from routemark.rundir import RunDirectory
from routemark.viewer import tags
from routemark.viewer.shelf import Shelf, summary_of

ASKED = journals.questions(2)
RESULTS = (
    '{"schema":"routemark.results/1",\n"run":{},\n"results":[\n%s\n],\n"gates":[],\n"summary":{"total":8,"planned":8,'
    '"finished_questions":2,"cost_usd":0.5,"verdict":{"sentence":"It is so."},"more":1}}\n'
)


def row(size: int) -> str:
    return json.dumps({"id": "q", "answer": '\n"summary":{"verdict":' + "x" * size})


def test_the_verdict_is_read_from_the_end_of_results_json(tmp_path):
    path = journals.make(tmp_path, "run", ASKED, [])
    (path / "results.json").write_text(RESULTS % ",\n".join(row(1000) for _ in range(3000)))
    (listed,) = Shelf(tmp_path).listed()
    assert (listed.brief.verdict.sentence, listed.brief.total, listed.brief.cost_usd) == ("It is so.", 8, 0.5)


def test_a_long_summary_is_read_to_its_beginning(tmp_path):
    path = journals.make(tmp_path, "run", ASKED, [])
    text = (RESULTS % row(10)).replace('"more":1', f'"more":"{"y" * 700_000}"')
    (path / "results.json").write_text(text)
    assert Shelf(tmp_path).listed()[0].brief.verdict.sentence == "It is so."


@pytest.mark.parametrize(
    "content", ["", "{}", '\n"summary":', '\n"summary":{"total":"x"}}\n', "\x00" * 100, '\n"summary":{}}']
)
def test_results_that_cannot_be_read_are_no_summary(tmp_path, content):
    path = journals.make(tmp_path, "run", ASKED, [])
    (path / "results.json").write_text(content)
    assert Shelf(tmp_path).listed()[0].brief is None
    assert summary_of(RunDirectory(path), RunDirectory(path).read()) is None


def test_a_run_that_was_taken_up_again_has_no_summary_yet(tmp_path):
    path = journals.make(tmp_path, "run", ASKED, [], status="running")
    (path / "results.json").write_text(RESULTS % row(10))
    (listed,) = Shelf(tmp_path).listed()
    assert (listed.state, listed.brief) == ("interrupted", None)


def test_hundreds_of_runs_are_listed_in_no_time_the_newest_first(tmp_path):
    for i in range(200):
        at = f"2026-{1 + i % 12:02d}-{1 + i // 12:02d}T00:00:00{'Z' if i % 2 else ''}"
        path = journals.make(tmp_path, f"run{i}", ASKED, [], started_at=at)
        (path / "results.json").write_text(RESULTS % row(20_000))
    shelf = Shelf(tmp_path)
    begun = time.perf_counter()
    first = shelf.listed()
    took = time.perf_counter() - begun
    assert [one.run.started_at[:10] for one in first] == sorted(
        (one.run.started_at[:10] for one in first), reverse=True
    )
    assert len(first) == 200
    assert took < 3  # a tenth of it on an idle machine
    (tmp_path / "run7" / "results.json").write_text((RESULTS % row(5)).replace("It is so.", "It is not."))
    said = {one.name: one.brief.verdict.sentence for one in shelf.listed()}
    assert (said["run7"], said["run8"]) == ("It is not.", "It is so.")


def test_a_pipe_in_the_place_of_a_file_keeps_nobody_waiting(tmp_path):
    path = journals.make(tmp_path, "run", ASKED, [])
    (path / "journal.jsonl").unlink()
    os.mkfifo(path / "journal.jsonl")
    assert Shelf(tmp_path).find("run") is None
    assert Shelf(tmp_path).listed() == []


def test_what_is_no_directory_is_told(tmp_path):
    with pytest.raises(UsageError, match="no such directory"):
        Shelf(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []), (" , ,", []), ("a", ["a"]), ("b, a ,b", ["b", "a"]), ("two words", ["two words"]),
        ("\x1b[31mred\x1b[0m\u202e", ["red"]), ("x" * 100, ["x" * 57 + "..."]), (",".join(map(str, range(50))), [*map(str, range(20))]),
        ("a\nb", ["a b"]), ("<b>", ["<b>"]),
    ],
)  # fmt: skip
def test_tags_are_words_between_commas(text, expected):
    assert tags.parse(text) == expected


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'["a"', b"\xff", b"[" + b'"a",' * 50_000 + b'"b"]'])
def test_tags_that_cannot_be_read_are_none(tmp_path, content):
    path = journals.make(tmp_path, "run", ASKED, [])
    (path / "tags.json").write_bytes(content)
    assert tags.read(RunDirectory(path)) == []


def test_tags_are_written_beside_the_run_and_never_through_a_link(tmp_path):
    directory = RunDirectory(journals.make(tmp_path / "runs", "run", ASKED, []))
    (tmp_path / "other.json").write_text('["theirs"]')
    (directory.path / "tags.json").symlink_to(tmp_path / "other.json")
    assert tags.read(directory) == []
    tags.write(directory, ["mine"])
    assert tags.read(directory) == ["mine"]
    assert (tmp_path / "other.json").read_text() == '["theirs"]'
    with pytest.raises(RunError, match="cannot be written"):
        tags.write(RunDirectory(tmp_path / "nowhere"), ["x"])
