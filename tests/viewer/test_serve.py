"""`routemark view` as a command: one line with the address, an end on a signal, and sentences where it cannot begin."""

import signal
import socket
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import journals
import runs
from routemark.errors import UsageError
from routemark.viewer.opened import Jobs, Library, Working
from routemark.viewer.serve import serve
from routemark.viewer.shelf import Shelf

ASKED = journals.questions(3)


def made(folder: Path, name: str = "one") -> Path:
    return journals.make(folder / "runs", name, ASKED, journals.full(ASKED))


@pytest.mark.parametrize(("argument", "page"), [([], ""), (["runs/latest"], "runs/one")])
def test_it_says_where_it_is_and_ends_on_a_signal(tmp_path, argument, page):
    made(tmp_path)
    (tmp_path / "runs" / "latest").symlink_to("one")
    viewer = runs.begin("view", *argument, cwd=tmp_path)
    assert viewer.stdout is not None
    line = viewer.stdout.readline()
    try:
        assert line.startswith("http://127.0.0.1:")
        assert urlsplit(line.rstrip()).path == f"/{page}"
        with urllib.request.urlopen(line.strip(), timeout=10) as answer:
            assert b"one" in answer.read()
    finally:
        viewer.send_signal(signal.SIGINT)
    assert runs.ended(viewer, 20) == (0, "", "")


def test_what_cannot_be_shown_is_told_in_a_sentence(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere: no such directory\. Name the one"):
        serve(tmp_path / "nowhere", 0)
    made(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"--port {port}: cannot listen there"):
            serve(tmp_path / "runs", port)


def test_long_work_is_done_once_and_tried_again_only_where_it_failed():
    jobs, calls = Jobs(), []

    def work():
        calls.append(1)
        if len(calls) == 1:
            raise OSError("once")
        return 7

    with pytest.raises(OSError, match="once"):
        jobs.result(("a",), "Working", work)
    assert [jobs.result(("a",), "Working", work) for _ in range(3)] == [7, 7, 7]
    assert len(calls) == 2
    jobs.close()


def test_long_work_tells_that_it_goes_on(monkeypatch):
    import threading

    monkeypatch.setattr("routemark.viewer.opened.PATIENCE_S", 0.01)
    jobs, go = Jobs(), threading.Event()
    with pytest.raises(Working, match="Comparing"):
        jobs.result(("a",), "Comparing", lambda: go.wait(10))
    go.set()
    monkeypatch.setattr("routemark.viewer.opened.PATIENCE_S", 10)
    assert jobs.result(("a",), "Comparing", lambda: None) is True
    jobs.close()


def test_runs_are_let_go_of_when_there_are_many(tmp_path, monkeypatch):
    for i in range(4):
        made(tmp_path, f"run{i}")
    library = Library(Shelf(tmp_path / "runs"))
    opened = [library.open(f"run{i}") for i in range(4)]
    assert library.open("run0") is opened[0]
    monkeypatch.setattr("routemark.viewer.opened.KEPT", 2)
    assert library.open("run3") is opened[3]
    assert library.open("run1") is not opened[1]
    monkeypatch.setattr("routemark.viewer.opened.KEPT_OUTCOMES", 1)
    library.open("run1").reader()
    last = library.open("run2")
    last.reader()
    assert library.open("run2") is last
    library.close()
