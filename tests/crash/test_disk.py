"""A disk that is full, a file that may not grow, a directory that takes nothing: a sentence, and nothing lost."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import runs
from lookalike import Lookalike, Reply, Request
from nursery import Child, Nursery

N = 80
WORKERS = 4


def script(request: Request, before: int) -> Reply:
    return Reply(text=str(2 * int(request.prompt.split()[2])) + " " * 2000, model="vendor/m")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Give a small disk of its own; skip where none may be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no disk may be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def command(server: Lookalike, folder: Path) -> list[str]:
    arms = ("-m", "sim/a", "-m", "sim/b")
    options = ("--runs-dir", str(folder / "runs"), "--run-id", "one", "-j", str(WORKERS), "--quiet")
    return ["run", "my.jsonl", *arms, "--base-url", server.base_url, *options]


def fill(place: Path, leave: int) -> Path:
    """Fill a disk up to so many bytes."""
    filler = place / "filler"
    free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
    filler.write_bytes(b"x" * (free - leave))
    return filler


def sentence(done: Child) -> str:
    """Give what a person is told about a failure of the disk: one line, exit 1."""
    assert done.status == 1, done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert "resume" in line.lower()
    return line


class Lives:
    """Lives of one run, and what each of them asked again."""

    def __init__(self, nursery: Nursery, server: Lookalike, run: Path) -> None:
        self._nursery = nursery
        self._server = server
        self._run = run
        self._stops = 0

    def live(self, *arguments: str, cwd: Path, **how: Any) -> Child:
        """Run the command; check that it lost no outcome and asked for none that was journaled before."""
        kept, asked = self.kept, len(self._server.requests)
        done = self._nursery.run(*arguments, cwd=cwd, **how)
        self._stops += done.status != 0
        assert kept <= self.kept, "an outcome was lost"
        assert not kept & {request.session for request in self._server.requests[asked:]}
        return done

    @property
    def kept(self) -> set[str]:
        return {outcome.session_id for outcome in runs.outcomes(self._run)}

    def check_finished(self) -> None:
        """Check that the run is complete, and that no more was lost than was in flight."""
        results = runs.results(self._run)
        assert results["run"]["status"] == "complete"
        assert results["summary"]["succeeded"] == len(self.kept) == 2 * N
        assert len(self._server.requests) <= 2 * N + self._stops * WORKERS


def test_a_disk_that_fills_up_stops_the_run_and_room_lets_it_go_on(
    nursery: Nursery, tmp_path: Path, disk: Path
) -> None:
    runs.write_sums(tmp_path, N)
    with Lookalike(script) as server:
        lives = Lives(nursery, server, disk / "runs/one")
        for leave in (160_000, 0):
            before = len(lives.kept)
            filler = fill(disk, leave)
            told = sentence(lives.live(*command(server, disk), cwd=tmp_path))
            assert "No space left on device" in told
            assert len(lives.kept) > before or not leave
            filler.unlink()
        assert nursery.run("report", str(disk / "runs/one"), cwd=tmp_path).status == 0
        assert lives.live("resume", str(disk / "runs/one"), cwd=tmp_path).status == 0
        lives.check_finished()


@pytest.mark.parametrize("leave", [0, 20_000])
def test_a_disk_that_is_full_from_the_start(nursery: Nursery, tmp_path: Path, disk: Path, leave: int) -> None:
    runs.write_sums(tmp_path, N)
    with Lookalike(script) as server:
        lives = Lives(nursery, server, disk / "runs/one")
        filler = fill(disk, leave)
        done = lives.live(*command(server, disk), cwd=tmp_path)
        assert done.status in (1, 2)
        assert "No space left on device" in done.stderr
        filler.unlink()
        assert lives.live(*command(server, disk), cwd=tmp_path).status == 0
        lives.check_finished()


def test_a_full_disk_while_the_report_is_written(nursery: Nursery, tmp_path: Path, disk: Path) -> None:
    """Everything was asked; only results.json and report.html did not fit."""
    runs.write_sums(tmp_path, N)
    with Lookalike(script) as server:
        journal = size_of_journal(nursery, tmp_path, server)
        filler = fill(disk, leave=journal + 100_000)
        told = sentence(nursery.run(*command(server, disk), cwd=tmp_path))
        assert "results.json" in told or "report.html" in told
        asked = len(server.requests)
        filler.unlink()
        assert nursery.run(*command(server, disk), cwd=tmp_path).status == 0
        assert len(server.requests) == asked, "the same command only writes"
    assert runs.results(disk / "runs/one")["run"]["status"] == "complete"


def size_of_journal(nursery: Nursery, folder: Path, server: Lookalike) -> int:
    assert nursery.run(*command(server, folder), cwd=folder).status == 0
    return (folder / "runs/one/journal.jsonl").stat().st_size


@pytest.mark.parametrize("limit", [120_000])
def test_a_file_that_may_not_grow(nursery: Nursery, tmp_path: Path, limit: int) -> None:
    runs.write_sums(tmp_path, N)

    with Lookalike(script) as server:
        lives = Lives(nursery, server, tmp_path / "runs/one")
        assert "File too large" in sentence(
            lives.live(*command(server, tmp_path), cwd=tmp_path, file_limit=limit)
        )
        assert lives.kept
        assert lives.live("resume", "one", cwd=tmp_path).status == 0
        lives.check_finished()


# --------------------------------------------------------------------------- read-only


@contextlib.contextmanager
def read_only(place: Path) -> Iterator[None]:
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(place)], check=True)


def test_a_read_only_directory_can_be_reported_but_not_written(
    nursery: Nursery, tmp_path: Path, disk: Path
) -> None:
    runs.write_sums(tmp_path, N)
    with Lookalike(lambda request, before: Reply(status=401, error={"message": "no"})) as server:
        with read_only(disk):
            done = nursery.run(*command(server, disk), cwd=tmp_path)
            assert done.status in (1, 2)
            assert "Read-only file system" in done.stderr
            assert server.requests == []
        assert nursery.run(*command(server, disk), cwd=tmp_path).status == 1
        asked = len(server.requests)
        with read_only(disk):
            for arguments in (["resume", str(disk / "runs/one")], command(server, disk)):
                done = nursery.run(*arguments, cwd=tmp_path)
                assert done.status in (1, 2)
                assert "Read-only file system" in done.stderr.splitlines()[-1]
            assert len(server.requests) == asked
            report = nursery.run("report", str(disk / "runs/one"), cwd=tmp_path)
            assert report.status == 0, report.stderr


@pytest.mark.parametrize("place", ["runs", "runs/one", "runs/one/journal.jsonl"])
def test_what_is_no_directory_where_one_should_be(nursery: Nursery, tmp_path: Path, place: str) -> None:
    runs.write_sums(tmp_path, 2)
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    if place.endswith(".jsonl"):
        (tmp_path / place).mkdir()
    else:
        (tmp_path / place).write_text("a file")
    with Lookalike(script) as server:
        done = nursery.run(*command(server, tmp_path), cwd=tmp_path)
        assert done.status in (1, 2)
        assert place in done.stderr
        assert server.requests == []
