"""A journal of 200,000 lines: a fifth of the size, and of the time, that docs/viewer.md promises for a million.

Times are the process's own, so that a busy machine does not fail them.
"""

import time
from urllib.parse import urlencode

import pytest

import journals
from routemark.rundir import RunDirectory
from routemark.viewer import pages
from routemark.viewer.filters import Filter
from routemark.viewer.opened import OpenRun
from viewing import serving

LINES = 200_000
ASKED = journals.questions(LINES // 8 + 260)
SHARE = LINES / 1_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scale")
    path = journals.make(folder, "large", ASKED, journals.large(ASKED))
    with (path / "journal.jsonl").open("rb") as file:
        assert sum(1 for _ in file) >= LINES
    return folder


@pytest.fixture(scope="module")
def opened(folder):
    """The run, once the server has had it indexed by a process of its own, and other pages meanwhile."""
    with serving(folder) as client:
        slowest, said = 0.0, []
        while (answer := client.send("GET", "/runs/large/questions?status=wrong")).status == 202:
            said.append(answer.text)
            begun = time.perf_counter()
            assert client.send("GET", "/static/viewer.css").status == 200
            slowest = max(slowest, time.perf_counter() - begun)
        assert answer.status == 200
        assert said
        assert all("Reading the journal" in text for text in said)
        assert slowest < 1
        state = client.events("/runs/large/events", 1)[0]["data"]
        assert state["done"] == len(ASKED) * 4
    directory = RunDirectory(folder / "large")
    return OpenRun(directory, directory.path / "index")


def took(work):
    begun = time.process_time()
    result = work()
    return result, time.process_time() - begun


def test_it_opens_and_filters_in_its_share_of_the_time(opened):
    reader, seconds = took(opened.reader)
    assert len(reader.table) == len(ASKED) * 4
    assert seconds < 3 * SHARE
    for wanted, some in [
        (Filter(arm=journals.ARMS[0], status="wrong"), True),
        (Filter(disagree=True, difficulty="hard", category="logic"), True),
        (Filter(model=journals.ARMS[2], sort="slow"), True),
        (Filter(q="zebra"), True),
        (Filter(q="explain step number", sort="cost"), True),
        (Filter(q="nowhere to be found"), False),
    ]:
        found, seconds = took(lambda wanted=wanted: opened.select(reader, wanted))
        assert bool(len(found.questions)) is some
        assert seconds < 0.3 * SHARE, wanted
        _, seconds = took(lambda found=found, wanted=wanted: pages.questions(reader, found, wanted))
        assert seconds < 0.1, wanted


def test_a_line_more_is_read_on(opened):
    before = len(opened.reader().table)
    with opened.directory.journal.open("ab") as file:
        file.write(next(journals.full(ASKED[:1])))
    (_, index), seconds = took(opened.index)
    assert index.head.size == opened.directory.journal.stat().st_size
    assert seconds < 0.3
    assert len(opened.reader().table) == before


def test_the_export_of_a_filter_starts_at_once_and_streams(folder, opened):
    import http.client

    with serving(folder) as client:
        client.get("/runs/large/questions")
        connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=20)
        connection.request("GET", f"/runs/large/export.csv?{urlencode({'status': 'wrong'})}")
        answer = connection.getresponse()
        assert answer.headers.get("content-length") is None
        assert answer.readline().startswith(b"id,difficulty")
        assert answer.read(100_000).count(b"\r\n") > 20
        connection.close()  # in the middle: the server goes on
        assert client.send("GET", "/").status == 200
