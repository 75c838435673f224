"""Rows as files of their own: every format holds the same rows, one by one."""

import csv
import io
import json
import tracemalloc
from pathlib import Path

import polars as pl
import pytest

import report_factory as factory
from routemark.errors import RunError, SettingsError
from routemark.report import export
from routemark.report.rows import columns

ROWS = factory.make_rows(6)
RUN, SUMMARY = factory.make_run(), factory.make_summary(ROWS)


def written(path: Path, rows: list = ROWS) -> Path:
    assert export.write(path, RUN, SUMMARY, iter(rows)) == len(rows)
    return path


def test_every_format_holds_every_row_in_order(tmp_path: Path) -> None:
    listed = json.loads(written(tmp_path / "a.json").read_text())
    lines = [json.loads(line) for line in written(tmp_path / "a.jsonl").read_text().splitlines()]
    table = list(csv.DictReader(io.StringIO(written(tmp_path / "a.csv").read_bytes().decode())))
    frame = pl.read_parquet(written(tmp_path / "a.parquet"))
    assert listed == lines
    wanted = [(row.id, row.arm) for row in ROWS]
    assert [(row["id"], row["arm"]) for row in listed] == wanted
    assert [(row["id"], row["arm"]) for row in table] == wanted
    assert list(zip(frame["id"], frame["arm"], strict=True)) == wanted
    assert list(table[0]) == frame.columns == columns()
    assert listed[0]["grade"]["grader"] == table[0]["grade_grader"] == "numeric"


def test_no_row_is_an_empty_file_of_its_kind(tmp_path: Path) -> None:
    assert json.loads(written(tmp_path / "a.json", []).read_text()) == []
    assert written(tmp_path / "a.jsonl", []).read_text() == ""


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    def peak(times: int) -> int:
        tracemalloc.start()
        export.write(tmp_path / "a.jsonl", RUN, SUMMARY, (row for _ in range(times) for row in ROWS))
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    assert peak(100) < peak(10) + 100_000


def test_another_ending_and_a_place_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"use \.csv, \.json, \.jsonl, \.parquet"):
        export.writer_for("rows.xls")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        export.write(tmp_path / "file" / "a.csv", RUN, SUMMARY, [])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
