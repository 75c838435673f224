"""The peers' command reads its options, and what needs no other harness holds: questions, readings, accounts, table."""

import json
import os
import sys
import zipfile
from pathlib import Path

import pytest
from benchmarks.peers.__main__ import available, options
from benchmarks.peers.accounts import Account, measure, tree
from benchmarks.peers.adapters import OURS, PEERS
from benchmarks.peers.adapters.inspect_ai import right_of as inspect_right
from benchmarks.peers.adapters.lm_eval import right_of as lm_right
from benchmarks.peers.adapters.promptfoo import configuration, passed
from benchmarks.peers.environments import UnavailableError, python
from benchmarks.peers.job import Cell, Job, write_samples
from benchmarks.peers.server import Watch, Window, running
from benchmarks.peers.table import Figures, figures, middle, table

CELL = Cell(questions=250, in_flight=100, delay_s=0.2, deadline_s=10)
JOB = Job(CELL, "http://127.0.0.1:1", Path())
ACCOUNT = Account(cpu_s=3.49, wall_s=4.0, rss_mb=80.0, others=0.5, status=0, said="", complaint="no key")
WINDOW = Window(requests=250, seconds=1.2, peak=100)


def test_options_have_the_documented_defaults_and_are_refused_when_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain = options([])
    assert (plain.questions, plain.in_flight, plain.delay) == ([2_000], [100, 1_000], [0, 200])
    assert plain.peer == list(PEERS)
    few = options(["--peer", "lm_eval", OURS, "--questions", "20000", "--delay", "50"])
    assert (few.peer, few.questions, few.delay) == (["lm_eval", OURS], [20_000], [50.0])
    for wrong in (["--peer", "nobody"], ["--questions", "0"], ["--in-flight", "many"]):
        with pytest.raises(SystemExit) as refused:
            options(wrong)
        assert refused.value.code == 2
    assert "must be at least 1" in capsys.readouterr().err


@pytest.mark.parametrize("name", PEERS)
def test_every_harness_is_pinned_and_keeps_its_files_in_the_jobs_folder(name: str, tmp_path: Path) -> None:
    peer = PEERS[name]
    job = Job(CELL, "http://127.0.0.1:1", tmp_path)
    peer.prepare(job)
    assert all(str(tmp_path) in value for key, value in peer.environ(job).items() if key.endswith("_HOME"))
    questions = [line for file in tmp_path.iterdir() for line in file.read_text().split("what is six times")]
    assert name.startswith("loop-") or len(questions) > CELL.questions


def test_the_ideal_is_full_waves_of_one_delay_each() -> None:
    assert CELL.ideal_s == pytest.approx(0.6)


def test_questions_are_lines_with_the_fields_of_the_other_harnesses(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in write_samples(tmp_path / "q.jsonl", 3).read_text().splitlines()]
    assert rows[2] == {"id": "q0000002", "input": "Question 2: what is six times seven?", "target": "42"}
    assert [row["id"] for row in rows] == ["q0000000", "q0000001", "q0000002"]


def test_what_each_harness_writes_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "log.eval", "w") as log:
        header = {
            "results": {"completed_samples": 250, "scores": [{"metrics": {"accuracy": {"value": 0.996}}}]}
        }
        log.writestr("header.json", json.dumps(header))
    assert inspect_right(tmp_path / "log.eval") == 249
    (tmp_path / "results.json").write_text('{"results": {"bench": {"exact_match,number": 0.5}}}')
    assert lm_right(tmp_path / "results.json", 250) == 125
    assert passed("Results:\n  ✓ 1,250 passed (100%)\n  0 failed (0%)") == 1250
    assert passed("no summary") == 0


def test_promptfoo_is_told_every_question_and_our_server() -> None:
    told = json.loads(json.dumps(configuration(JOB)))
    assert len(told["tests"]) == 250
    assert told["providers"][0]["config"]["apiBaseUrl"] == JOB.url


def test_figures_are_rates_of_the_window_and_cpu_beyond_start_up() -> None:
    found = figures(JOB, ACCOUNT, WINDOW, start_cpu_s=1.0, right=250)
    assert found.rate == pytest.approx(250 / 1.2)
    assert found.ideal == pytest.approx(0.5)
    assert found.cpu_ms == pytest.approx(10.0)
    assert found.trouble == ""


@pytest.mark.parametrize(
    ("account", "window", "right", "says"),
    [
        (
            ACCOUNT._replace(status=None),
            WINDOW._replace(requests=40),
            0,
            "not done within 4 s: 40 of 250 asked",
        ),
        (ACCOUNT._replace(status=3), WINDOW, 0, "exit status 3: no key"),
        (ACCOUNT, WINDOW._replace(requests=251), 250, "251 requests for 250 questions"),
        (ACCOUNT, WINDOW, 249, "249 of 250 right"),
    ],
)
def test_work_that_is_not_whole_says_so(account: Account, window: Window, right: int, says: str) -> None:
    assert figures(JOB, account, window, start_cpu_s=1.0, right=right).trouble == says


def test_repeats_become_medians_and_keep_their_trouble() -> None:
    one = figures(JOB, ACCOUNT, WINDOW, start_cpu_s=1.0, right=250)
    runs = [one._replace(rate=rate, trouble=trouble) for rate, trouble in ((1, ""), (5, "late"), (3, ""))]
    assert middle(runs).rate == 3
    assert middle(runs).trouble == "late"


def test_the_table_holds_every_row_against_ours() -> None:
    row = Figures(1234.5, None, 0.5, 0.4, 61.0, 100, 2.0, 0.1, "")
    lines = table({OURS: row, "other": row._replace(cpu_ms=5.0, trouble="late")}, OURS).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2] == f"| {OURS} | 1,234 | - | 0.50 | 1.00 | 0.4 | 61 | - | 2.0 | 0.1 |"
    assert lines[3].startswith("| other (late) |")
    assert "| 10.00 |" in lines[3]


def test_a_harness_that_cannot_be_installed_is_named_and_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise UnavailableError("no wheel")

    monkeypatch.setattr(PEERS["lm_eval"], "install", fail)
    assert available([PEERS["lm_eval"], PEERS[OURS]]) == [PEERS[OURS]]
    assert "lm_eval: not measured, it cannot be installed here: no wheel" in capsys.readouterr().out


def test_an_environment_that_is_there_is_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUTEMARK_PEERS", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    (tmp_path / "some").mkdir()
    (tmp_path / "some/packages.txt").write_text("one==1\ntwo==2")
    assert python("some", ["one==1", "two==2"]) == tmp_path / "some/bin"


def test_the_window_is_what_came_since_the_last_time_of_asking() -> None:
    watch = Watch()
    for step in (watch.came, watch.came, watch.went, watch.came, watch.went, watch.went):
        step()
    told = watch.window()
    assert (told["requests"], told["peak"]) == (3, 2)
    assert watch.window() == {"requests": 0, "seconds": 0.0, "peak": 0}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_whole_tree_is_accounted_for_and_ended_at_its_deadline(tmp_path: Path) -> None:
    spin = "import time\nwhile time.process_time() < 0.3: pass\n"
    parent = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {spin!r}])\nprint('done')"
    mine = set(tree(os.getpid()))
    with running(0.0) as server:
        done = measure([sys.executable, "-c", parent], tmp_path, {}, deadline_s=30, server=server.pid)
        assert (done.status, done.said) == (0, "done\n")
        assert done.cpu_s > 0.3
        forever = (
            "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
        )
        late = measure([sys.executable, "-c", forever], tmp_path, {}, deadline_s=0.5, server=server.pid)
        assert late.status is None
        assert late.wall_s < 20
        assert set(tree(os.getpid())) <= mine | set(tree(server.pid))
        assert server.window().requests == 0
