"""What a crash or a disk did to the files: a torn end is mended, damage is told with its place, never a traceback."""

import json
import random
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import runs
from lookalike import Lookalike, Reply, Request
from nursery import Nursery
from routemark.errors import RoutemarkError
from routemark.main import summarise
from routemark.rundir import RunDirectory

N = 20


def script(request: Request, before: int) -> Reply:
    return Reply(text=str(2 * int(request.prompt.split()[2])), model="vendor/m")


def command(server: Lookalike) -> list[str]:
    return ["run", "my.jsonl", "-m", "sim/a", "--base-url", server.base_url, "--run-id", "one", "--quiet"]


@pytest.fixture
def finished(nursery: Nursery, tmp_path: Path) -> Iterator[tuple[Lookalike, Path]]:
    """Give a server, and a run that it has answered."""
    runs.write_sums(tmp_path, N)
    with Lookalike(script) as server:
        assert nursery.run(*command(server), cwd=tmp_path).status == 0
        yield server, tmp_path / "runs/one"


def cut(journal: bytes) -> bytes:
    return journal[: len(journal) * 2 // 3]


def torn(journal: bytes) -> bytes:
    return journal[:-30]


def zeroed(journal: bytes) -> bytes:
    """Do as a file system that gave the file its size, but lost what was in it."""
    return journal[:-3000] + b"\0" * 3000


def scrambled(journal: bytes) -> bytes:
    """Leave the last lines as lines, but of no JSON."""
    lines = journal.splitlines(keepends=True)
    return b"".join(lines[:-3]) + b"".join(b"?" + line for line in lines[-3:])


def emptied(journal: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("harm", [cut, torn, zeroed, scrambled, emptied])
def test_a_journal_that_lost_its_end_is_completed_by_resume(
    nursery: Nursery, finished: tuple[Lookalike, Path], harm: Callable[[bytes], bytes]
) -> None:
    server, run = finished
    whole = runs.timeless(runs.results(run))
    journal = run / "journal.jsonl"
    journal.write_bytes(harm(journal.read_bytes()))
    assert nursery.run("report", "one", cwd=run.parent.parent).status == 0
    before = len(server.requests)
    left = set() if harm is emptied else {outcome.session_id for outcome in runs.outcomes(run)}
    assert nursery.run("resume", "one", "--quiet", cwd=run.parent.parent).status == 0
    asked = [request.session for request in server.requests[before:]]
    assert len(asked) == N - len(left)
    assert not set(asked) & left
    assert runs.timeless(runs.results(run)) == whole


DAMAGE = {
    "no JSON": lambda line: b"?" * (len(line) - 1) + b"\n",
    "half a line": lambda line: line[: len(line) // 2] + b"\n",
    "zeros": lambda line: b"\0" * (len(line) - 1) + b"\n",
    "no UTF-8": lambda line: line.replace(b"What is", b"\xff\xfe\xfd").replace(b"vendor/m", b"vendor\xff\xfe"),
    "another type": lambda line: line.replace(b'"repeat":0', b'"repeat":"no"').replace(b'"version":', b'"version":"x","y":'),
    "no trial": lambda line: line.replace(b'"trial":"', b'"trial":"zz'),
}  # fmt: skip


@pytest.mark.parametrize("harm", DAMAGE)
def test_damage_in_the_middle_is_told_with_its_place(
    nursery: Nursery, finished: tuple[Lookalike, Path], harm: str
) -> None:
    server, run = finished
    journal = run / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    where = next(i for i, line in enumerate(lines[10:], 10) if b'"kind":"outcome"' in line)
    lines[where] = DAMAGE[harm](lines[where])
    journal.write_bytes(b"".join(lines))
    before = len(server.requests)
    for arguments in (["resume", "one"], ["report", "one"], command(server)):
        done = nursery.run(*arguments, cwd=run.parent.parent)
        assert done.status in (1, 2)
        told = done.stderr.strip().splitlines()[-1]
        assert f"damaged at byte {sum(map(len, lines[:where]))}" in told
    assert len(server.requests) == before
    assert journal.read_bytes() == b"".join(lines), "nothing was touched"


FLIPS = 40
"""Of each file. What they hit hangs on the times in it, so each run of this test tries others."""


@pytest.mark.parametrize("name", ["journal.jsonl", "run.json", "questions.json"])
def test_a_flipped_byte_anywhere_is_a_result_or_a_sentence(
    finished: tuple[Lookalike, Path], name: str
) -> None:
    _, run = finished
    directory = RunDirectory(run)
    intact = (run / name).read_bytes()
    rng = random.Random(name)
    for _ in range(FLIPS):
        content = bytearray(intact)
        content[rng.randrange(len(content))] = rng.randrange(256)
        (run / name).write_bytes(content)
        assert str(run) in told_by(directory)


def told_by(directory: RunDirectory) -> str:
    """Give the report of a run, or the sentence that there is instead."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            forms = [Path(folder) / "report.json", Path(folder) / "report.html"]
            summarise(directory, files=forms)
    except RoutemarkError as error:
        return str(error)
    return f"{directory.path}: {len(forms)} reports"


def test_a_second_process_is_refused_and_told_of_the_first(nursery: Nursery, tmp_path: Path) -> None:
    runs.write_sums(tmp_path, N)
    with Lookalike(lambda request, before: Reply(text="4", delay_s=60)) as server:
        first = runs.begin(*command(server), cwd=tmp_path)
        runs.wait_until(lambda: len(server.requests) == N)
        for arguments in (["resume", "one"], command(server)):
            second = nursery.run(*arguments, cwd=tmp_path)
            assert second.status == 1
            assert f"process {first.pid} is writing this run" in second.stderr
        assert len(server.requests) == N
        first.send_signal(signal.SIGKILL)
        first.communicate()
        server._script = script
        assert nursery.run("resume", "one", cwd=tmp_path).status == 0
    assert runs.results(tmp_path / "runs/one")["summary"]["succeeded"] == N


def test_a_run_that_is_still_going_can_be_reported(nursery: Nursery, tmp_path: Path) -> None:
    runs.write_sums(tmp_path, N)

    def half(request: Request, before: int) -> Reply:
        return Reply(text="4", model="vendor/m", delay_s=60.0 if len(server.requests) > N / 2 else 0.0)

    with Lookalike(half) as server:
        process = runs.begin(*command(server), cwd=tmp_path)
        runs.wait_until(lambda: len(server.billed) >= N / 2)
        for form in ("text", "json", "markdown", "html"):
            report = nursery.run("report", "latest", "--format", form, cwd=tmp_path)
            assert report.status == 0, report.stderr
            if form == "json":
                told = json.loads(report.stdout)
                assert told["run"]["status"] == "running"
                assert 0 < len(told["results"]) < N
        assert process.poll() is None
        process.kill()
        process.communicate()
