"""Several files from one pass: whole or not at all, one that fails does not take the others with it."""

import json

import pytest

import report_factory as factory
from routemark.errors import RunError, SettingsError
from routemark.report import rows
from routemark.report.outputs import opened, writer_for

ROWS = factory.make_rows(6)
SUMMARY = factory.make_summary(ROWS)
NAMES = ["r.json", "r.csv", "r.md", "r.junit.xml", "deep/er/r.html"]


def write(paths, rows=ROWS):
    with opened(paths, factory.make_run()) as files:
        for row in rows:
            files.row(row)
        files.close(SUMMARY)


def test_one_pass_writes_every_format(tmp_path):
    write([tmp_path / name for name in NAMES], iter(ROWS))
    assert sorted(path.name for path in tmp_path.rglob("r.*")) == sorted(
        name.split("/")[-1] for name in NAMES
    )
    assert len(json.loads((tmp_path / "r.json").read_bytes())["results"]) == len(ROWS)


def test_an_error_on_the_way_leaves_every_file_as_it_was(tmp_path):
    for name in NAMES[:4]:
        (tmp_path / name).write_text("old")

    def broken():
        yield ROWS[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write([tmp_path / name for name in NAMES[:4]], broken())
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(NAMES[:4], "old")


def test_files_that_were_never_finished_are_as_they_were(tmp_path):
    with opened([tmp_path / "r.json"], factory.make_run()) as files:
        files.row(ROWS[0])
    assert list(tmp_path.iterdir()) == []


def test_one_file_that_cannot_be_written_does_not_take_the_others_with_it(tmp_path):
    (tmp_path / "file").write_text("")
    paths = [tmp_path / "r.json", tmp_path / "file" / "r.csv", tmp_path / "r.md"]
    with pytest.raises(RunError, match=r"file/r\.csv: cannot be written"):
        write(paths)
    assert (tmp_path / "r.json").exists()
    assert (tmp_path / "r.md").exists()


def test_a_disk_that_fills_up_half_way_costs_only_the_file_that_it_holds(tmp_path, monkeypatch):
    real = rows.open_csv

    class Full:
        def __init__(self, sink):
            self.close = sink.close

        def row(self, row):
            raise OSError(28, "No space left on device")

    from contextlib import contextmanager

    @contextmanager
    def full(path, run):
        with real(path, run) as sink:
            yield Full(sink)

    monkeypatch.setattr(rows, "open_csv", full)
    with pytest.raises(RunError, match=r"No space left on device\. The journal has everything"):
        write([tmp_path / "r.csv", tmp_path / "r.json"])
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


@pytest.mark.parametrize("name", ["r.xlsx", "r.xml", "r", ".json.gz", "json"])
def test_an_ending_without_a_writer_is_refused(name):
    with pytest.raises(SettingsError, match=r"use \.csv, \.html, \.json, \.junit\.xml, \.md, \.parquet"):
        writer_for(name)
