"""The index tells what the journal holds, grows with it, and knows damage and other journals when it meets them."""

import random

import msgspec
import numpy as np
import pytest

import journals
from routemark import generations, main
from routemark.errors import JournalError, RunError
from routemark.journal import Event, Launch, encode
from routemark.records import Question
from routemark.report.rows import result_row
from routemark.rundir import Ledger, RunDirectory
from routemark.viewer import child, figures, index
from routemark.viewer.opened import OpenRun

ASKED = journals.questions(30)
ARMS = journals.ARMS


def mixed(seed: int) -> list[bytes]:
    """Whatever a journal may hold: answers asked again, grades before, behind and twice, strangers, lookups."""
    draw = random.Random(seed)
    lines: list[bytes] = []
    for question in ASKED:
        for arm in ARMS:
            fate = draw.random()
            if fate < 0.1:
                continue
            if fate < 0.3:
                lines.append(encode(journals.failed(question, arm, kind="rate_limit_platform")))
                if fate < 0.2:
                    lines.append(encode(journals.grade(question, arm, 1.0)))  # of nothing
            if fate < 0.6:
                lines.append(encode(journals.outcome(question, arm, cost_usd=None)))
                lines.append(encode(journals.grade(question, arm, 0.0)))
            if fate > 0.25:
                score = draw.choice([0.0, 1.0, 0.5, None])
                lines.append(encode(journals.outcome(question, arm, cost_usd=draw.choice([None, 0.002]))))
                lines.append(encode(journals.grade(question, arm, score)))
            if draw.random() < 0.3:
                trial, name = journals.key(question.id, arm), f"gen-{question.id}-{arm}"
                settled = generations.looked_up(
                    trial, name, journals.AT, cost_usd=0.01, left_open=draw.random() < 0.1
                )
                lines.append(encode(settled))
    stranger = Question(id="stranger", difficulty="", question="")
    lines.append(encode(journals.outcome(stranger, ARMS[0])))
    lines.append(encode(journals.outcome(ASKED[0], "no/such-arm")))
    lines.append(encode(journals.outcome(ASKED[0], ARMS[0], 7)))
    lines.append(b'{"v":2,"kind":"poem","arm":5}\n')
    lines.append(encode(Event(event="pace", at=journals.AT, data={"limit": 20.0, "peak_in_flight": 3})))
    draw.shuffle(lines)
    return lines


def opened(path) -> OpenRun:
    return OpenRun(RunDirectory(path), path / "index")


def rows_by_ledger(path):
    """What results.json would hold, by the road that reports take."""
    directory = RunDirectory(path)
    ledger = Ledger(directory.read(), directory.load_questions(), directory.journal)
    return [result_row(*judged) for judged in ledger.judged()]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("status", ["running", "stopped", "complete"])
def test_it_gives_the_rows_that_a_report_has(tmp_path, seed, status):
    path = journals.make(tmp_path, "run", ASKED, mixed(seed), status=status)
    reader = opened(path).reader()
    rows = list(reader.rows(range(len(reader.table))))
    assert rows == rows_by_ledger(path)
    assert [row.cost_usd for row in rows] == [None if np.isnan(cost) else cost for cost in reader.table.cost]
    assert (sum(row.counted for row in rows) < len(rows)) is (status != "complete")


def test_reused_sessions_are_flagged_as_a_report_flags_them(tmp_path):
    lines = []
    for question in ASKED[:6]:
        for arm in ARMS[:2]:
            for repeat in range(2):
                answer = journals.outcome(question, arm, repeat)
                session = (
                    f"rm-{question.id}" if arm == ARMS[1] else ("rm-one" if repeat else answer.session_id)
                )
                lines.append(encode(msgspec.structs.replace(answer, session_id=session)))
    path = journals.make(tmp_path, "run", ASKED[:6], lines, repeats=2)
    directory = RunDirectory(path)
    run = directory.read()
    arms = [msgspec.structs.replace(arm, sticky=arm.name == ARMS[1]) for arm in run.arms]
    directory.write(msgspec.structs.replace(run, arms=arms))
    reader = opened(path).reader()
    rows = list(reader.rows(range(len(reader.table))))
    assert rows == rows_by_ledger(path)
    assert [("session_reused" in row.flags) for row in rows] == [
        row.arm == ARMS[0] and row.repeat == 1 for row in rows
    ]


@pytest.mark.parametrize("cut", [0.0, 0.2, 0.5, 0.9])
def test_reading_on_equals_reading_at_once(tmp_path, cut):
    lines = b"".join(mixed(5))
    path = journals.make(tmp_path, "run", ASKED, [])
    journal = path / "journal.jsonl"
    whole = journal.read_bytes() + lines
    journal.write_bytes(whole[: int(len(whole) * cut)])  # mostly in the middle of a line
    first = index.read_on(journal, index.Index.empty())
    assert first.head.size == whole.rfind(b"\n", 0, int(len(whole) * cut)) + 1
    journal.write_bytes(whole)
    on, at_once = index.read_on(journal, first), index.read_on(journal, index.Index.empty())
    assert on.head == at_once.head
    for name in index.TABLES:
        assert getattr(on, name).tobytes() == getattr(at_once, name).tobytes()


def test_a_saved_index_comes_back_as_it_was(tmp_path):
    path = journals.make(tmp_path, "run", ASKED, mixed(6))
    made = index.read_on(path / "journal.jsonl", index.Index.empty())
    index.save(made, tmp_path / "index" / "journal.npz")
    again = index.load(tmp_path / "index" / "journal.npz")
    assert again is not None
    assert again.head == made.head
    for name in index.TABLES:
        assert getattr(again, name).tobytes() == getattr(made, name).tobytes()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"\x93NUMPY", None])
def test_what_is_no_index_is_made_anew(tmp_path, content):
    path = journals.make(tmp_path, "run", ASKED, mixed(6), status="stopped")
    before = len(opened(path).reader().table)
    for file in (path / "index").iterdir():
        if content is None:
            file.unlink()
        else:
            file.write_bytes(content)
    assert len(opened(path).reader().table) == before > 0


def test_another_journal_in_the_place_is_noticed(tmp_path):
    path = journals.make(tmp_path, "run", ASKED, journals.full(ASKED), status="stopped")
    run = opened(path)
    assert len(run.reader().table) == 120
    journal = path / "journal.jsonl"
    head = journal.read_bytes().split(b"\n")[0] + b"\n"
    journal.write_bytes(head + b"".join(journals.full(ASKED[:10], seed=1)))
    assert len(run.reader().table) == 40
    journal.write_bytes(head.replace(b'"pid":1', b'"pid":2') + b"".join(journals.full(ASKED, seed=2)))
    assert len(run.reader().table) == 120
    assert len(opened(path).reader().table) == 120  # from what was saved


def test_a_torn_end_waits_until_it_is_whole(tmp_path):
    path = journals.make(
        tmp_path, "run", ASKED, [encode(journals.outcome(ASKED[0], ARMS[0]))], status="running"
    )
    run, journal = opened(path), path / "journal.jsonl"
    line = encode(journals.outcome(ASKED[1], ARMS[0]))
    seen = []
    for part in (line[:50], line[50:-1], line[-1:]):
        with journal.open("ab") as file:
            file.write(part)
        seen.append(len(run.reader().table))
    assert seen == [1, 1, 2]


def test_a_torn_end_with_a_line_break_in_it_is_set_aside_by_who_resumes(tmp_path):
    path = journals.make(
        tmp_path, "run", ASKED, [encode(journals.outcome(ASKED[0], ARMS[0]))], status="running"
    )
    run, journal = opened(path), path / "journal.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"v":1,"kind":"outc\n\x00\x00')
    assert len(run.reader().table) == 1
    journal.write_bytes(whole + encode(Launch(at=journals.AT, pid=2, routemark_version="1")))
    with journal.open("ab") as file:
        file.write(encode(journals.outcome(ASKED[1], ARMS[0])))
    assert len(run.reader().table) == 2


def test_damage_is_an_error_that_names_its_place(tmp_path):
    good = encode(journals.outcome(ASKED[0], ARMS[0]))
    path = journals.make(tmp_path, "run", ASKED, [good, b"{damaged}\n", good])
    offset = (path / "journal.jsonl").read_bytes().index(b"{damaged}")
    with pytest.raises(JournalError, match=f"damaged at byte {offset}"):
        opened(path).reader()
    nobody = good.replace(journals.key(ASKED[0].id, ARMS[0]).encode(), b"zz")
    path = journals.make(tmp_path, "other", ASKED, [nobody])
    with pytest.raises(JournalError, match="damaged at byte"):
        opened(path).reader()


def test_the_process_for_large_runs_makes_the_same_index(tmp_path, monkeypatch, capsys):
    path = journals.make(tmp_path, "run", ASKED, mixed(8), status="stopped")
    here = list(opened(path).reader().rows(range(20)))
    for file in (path / "index").iterdir():
        file.unlink()
    monkeypatch.setattr("routemark.viewer.opened.AT_ONCE", 0)
    monkeypatch.setattr("routemark.viewer.opened.PATIENCE_S", 60.0)
    assert list(opened(path).reader().rows(range(20))) == here
    assert {file.name for file in (path / "index").iterdir()} == {
        "journal.npz",
        "prompts.txt",
        "questions.npz",
    }
    (path / "journal.jsonl").write_bytes(b"{damaged}\n" * 3 + encode(journals.outcome(ASKED[0], ARMS[0])))
    with pytest.raises(JournalError, match="damaged at byte 0"):
        opened(path).reader()
    monkeypatch.setattr("sys.argv", ["child", str(tmp_path / "nowhere"), str(tmp_path)])
    assert child.main() == 1
    assert "no run here" in capsys.readouterr().err


def test_the_process_for_figures_tells_what_the_thread_does(tmp_path, monkeypatch, capsys):
    path = journals.make(tmp_path, "run", ASKED, mixed(8), status="stopped")
    directory, maker = RunDirectory(path), figures.Figures()
    here = maker.of(directory, path / "index")
    assert here.summary.total > 0
    (path / "index" / "lists.json").unlink()
    monkeypatch.setattr(figures, "AT_ONCE", 0)
    assert maker.of(directory, path / "index") == here
    (path / "journal.jsonl").write_bytes(b"{damaged}\n" * 3 + encode(journals.outcome(ASKED[0], ARMS[0])))
    with pytest.raises(RunError, match="damaged at byte 0"):
        maker.of(directory, path / "index")
    maker.close()
    with pytest.raises(RunError, match="the viewer ends"):
        maker.of(directory, path / "index")


def test_a_directory_that_cannot_be_written_is_indexed_elsewhere(tmp_path, monkeypatch):
    from routemark.viewer.opened import Library
    from routemark.viewer.shelf import Shelf

    path = journals.make(tmp_path, "run", ASKED, mixed(8))
    monkeypatch.setattr("routemark.viewer.opened.os.access", lambda *_: False)
    library = Library(Shelf(tmp_path))
    assert len(library.open("run").reader().table) > 0
    assert not (path / "index").exists()
    library.close()


def test_the_prefix_that_counts_is_that_of_the_ledger(tmp_path):
    path = journals.make(tmp_path, "run", ASKED, mixed(9)[:150], status="running")
    directory = RunDirectory(path)
    ledger = Ledger(directory.read(), directory.load_questions(), directory.journal)
    assert opened(path).reader().table.finished_prefix() == ledger.prefix
    assert main.summarise(directory)[1].finished_questions == ledger.prefix
