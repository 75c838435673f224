"""Rows as Parquet: the columns of the CSV with their types, in parts of bounded size."""

import importlib.util
import math

import msgspec
import pytest

import report_factory as factory
from routemark.errors import SettingsError
from routemark.report import outputs, parquet
from routemark.report.parquet import open_parquet
from routemark.report.rows import columns

polars = pytest.importorskip("polars")
ROWS = factory.make_rows()
SUMMARY = factory.make_summary(ROWS)


def read(tmp_path, rows):
    path = factory.written(open_parquet, tmp_path / "r.parquet", factory.make_run(), SUMMARY, rows)
    assert [one.name for one in tmp_path.iterdir()] == ["r.parquet"]
    return polars.read_parquet(path)


def test_it_holds_what_the_rows_hold_with_its_types(tmp_path):
    frame = read(tmp_path, ROWS)
    assert frame.columns == columns()
    assert frame["answer"].to_list() == [row.answer for row in ROWS]
    assert frame["cost_usd"].to_list() == [row.cost_usd for row in ROWS]
    assert frame["reference"].to_list() == [str(row.reference) for row in ROWS], (
        "JSON of what is no plain value"
    )
    kinds = {
        name: str(frame[name].dtype) for name in ("repeat", "grade_score", "counted", "error_status", "flags")
    }
    assert kinds == {
        "repeat": "Int64", "grade_score": "Float64", "counted": "Boolean", "error_status": "Int64", "flags": "String",
    }  # fmt: skip


def test_a_formula_stays_as_it_is_and_an_unknown_number_is_null(tmp_path):
    odd = msgspec.structs.replace(ROWS[0], answer="=1+1", cost_usd=math.nan)
    frame = read(tmp_path, [odd])
    assert frame["answer"].to_list() == ["=1+1"]
    assert frame["cost_usd"].to_list() == [None]


def test_parts_become_one_file_in_order_whatever_their_size(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "MOST_ROWS", 7)
    assert read(tmp_path, ROWS)["id"].to_list() == [row.id for row in ROWS]


def test_a_long_answer_ends_a_part_early(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "MOST_CHARACTERS", 5000)
    long = [msgspec.structs.replace(row, answer="x" * 4000) for row in ROWS[:20]]
    frame = read(tmp_path, [*ROWS, *long])
    assert len(frame) == len(ROWS) + 20


def test_a_run_without_results_is_an_empty_table(tmp_path):
    frame = read(tmp_path, [])
    assert (len(frame), frame.columns) == (0, columns())


def test_without_polars_there_is_a_sentence_before_anything_is_done(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"pip install 'routemark\[data\]'"):
        outputs.writer_for("rows.parquet")
