"""The lists of single questions: made once for a state of the journal, kept beside the index, and made anew when it is another."""

import msgspec
import pytest

import journals
from routemark import main
from routemark.journal import encode
from routemark.report.lists import lists as of_report
from routemark.report.telling import Collector
from routemark.rundir import RunDirectory
from routemark.viewer import child, lists
from routemark.viewer.opened import OpenRun
from routemark.viewer.shelf import summary_of

ASKED = journals.questions(40)


@pytest.fixture
def directory(tmp_path):
    directory = RunDirectory(journals.make(tmp_path, "run", ASKED, journals.full(ASKED)))
    main.summarise(directory, files=[directory.results])
    return directory


def of_run(directory, progress=lambda done, of: None):
    run, folder = directory.read(), directory.path / "index"
    return lists.of_run(
        OpenRun(directory, folder).reader(), run, summary_of(directory, run), folder, progress
    )


def test_they_are_what_the_reports_collector_gives(directory):
    run = directory.read()
    reader, collector = OpenRun(directory, directory.path / "index").reader(), Collector(run)
    for row in reader.rows(range(len(reader.table))):
        collector.add(row)
    said = []
    found = of_run(directory, lambda *at: said.append(at))
    assert said == [(0, len(reader.table))]
    assert found == list(of_report(run, summary_of(directory, run), collector))
    assert [part.total for listing in found for part in listing.parts]


def test_they_are_kept_until_the_journal_is_another(directory, monkeypatch):
    first, file = of_run(directory), directory.path / "index" / "lists.json"
    monkeypatch.setattr(lists, "_made", lambda *_: pytest.fail("made again"))
    assert of_run(directory) == first
    monkeypatch.undo()
    with directory.journal.open("ab") as journal:
        journal.write(encode(journals.grade(ASKED[0], journals.ARMS[0], 0.5)))
    before = file.read_bytes()
    assert of_run(directory) != first
    assert file.read_bytes() != before


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"version":1,"lists":[]}'])
def test_what_is_kept_and_cannot_be_read_is_made_anew(directory, content):
    first, file = of_run(directory), directory.path / "index" / "lists.json"
    file.write_bytes(content)
    assert of_run(directory) == first
    assert msgspec.json.decode(file.read_bytes())["lists"]


def test_the_process_for_large_runs_makes_them_too_and_says_so(directory, tmp_path, capsys):
    expected = of_run(directory)
    child.make(directory, tmp_path / "other")
    assert child.LISTING in capsys.readouterr().out
    kept = tmp_path / "other" / "lists.json"
    assert kept.read_bytes() == (directory.path / "index" / "lists.json").read_bytes()
    assert expected
