"""Killed at the worst of moments - half a file, half a line, between two files - twice, and then left alone."""

import json
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import runs
from lookalike import Lookalike, Reply, Request
from nursery import Child, Nursery

N = 12
ARMS = ("-m", "openrouter/auto", "-m", "sim/b")
WORKERS = 4
FROZEN = "routemark.questions.frozen"
POINTS: list[tuple[str, str, int]] = [
    ("after", f"{FROZEN}.FrozenFile.written", 1),  # a whole file under its temporary name
    ("after", f"{FROZEN}.QuestionSet.freeze", 1),
    ("before", "routemark.rundir.Path.replace", 1),
    ("after", "routemark.rundir.RunDirectory.write", 1),
    ("after", "routemark.rundir.RunDirectory.name_latest", 1),
    ("after", "routemark.journal._open_locked", 1),
    ("before", "routemark.journal.Journal.append", 1),
    ("half", "routemark.journal.os.write", 1),
    ("after", "routemark.rundir.RunDirectory.write", 2),
    ("half", "routemark.journal.os.write", 7),
    ("half", "routemark.journal.os.write", 9),
    ("after", "routemark.journal.os.write", 20),
    ("before", "routemark.journal.Journal.append", 21),
    ("before", "routemark.main.result_row", 9),  # half of the rows of results.json
    ("before", "routemark.main.outputs.Files.close", 1),  # every row, no summary
    ("before", "routemark.report.page.status", 9),  # results.json is there, report.html is not
    ("after", "routemark.main.outputs.Files.close", 1),
    ("before", "routemark.rundir.RunDirectory.write", 3),
]


def script(request: Request, before: int) -> Reply:
    n = int(request.prompt.split()[2])
    return Reply(text=str(2 * n + (n % 5 == 0)), model="vendor/m", delay_s=0.002)


@pytest.fixture(scope="module")
def server() -> Iterator[Lookalike]:
    with Lookalike(script) as running:
        yield running


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, server: Lookalike) -> Any:
    """Give what a run that nobody disturbed says."""
    folder = tmp_path_factory.mktemp("calm")
    runs.write_sums(folder, N)
    assert runs.routemark(*command(server), cwd=folder).code == 0
    return told(folder / "runs/latest")


def command(server: Lookalike) -> list[str]:
    return ["run", "my.jsonl", *ARMS, "--base-url", server.base_url, "-j", str(WORKERS), "--quiet"]


def told(run: Path) -> Any:
    results = runs.timeless(runs.results(run))
    del results["run"]["id"]
    return results


def is_complete(run: Path) -> bool:
    manifest = run / "run.json"
    return manifest.exists() and json.loads(manifest.read_bytes())["status"] == "complete"


def lived(child: Child) -> bool:
    """Tell whether a process came to its end."""
    assert child.wait(30)
    assert child.status in (0, -signal.SIGKILL), child.stderr
    assert "Traceback" not in child.stderr
    return child.status == 0


@pytest.mark.parametrize("point", POINTS, ids=lambda point: "-".join(map(str, point)))
def test_a_run_killed_there_twice_ends_as_if_nothing_had_been(
    tmp_path: Path, server: Lookalike, nursery: Nursery, expected: Any, point: tuple[str, str, int]
) -> None:
    runs.write_sums(tmp_path, N)
    first_request = len(server.requests)
    deaths = 0
    for trap in (point, point, None):
        if lived(nursery.begin(*command(server), cwd=tmp_path, die=trap)):
            break
        deaths += 1
        journaled = Counter(outcome.session_id for outcome in runs.outcomes(tmp_path / "runs/latest"))
        assert set(journaled.values()) <= {1}
        if is_complete(tmp_path / "runs/latest"):  # it died with nothing left to do
            break
    assert deaths, "the point was never reached"
    assert told(tmp_path / "runs/latest") == expected
    asked = Counter(request.session for request in server.requests[first_request:])
    assert len(asked) == 2 * N, "one run, not two"
    assert asked.total() <= 2 * N + deaths * WORKERS
    assert not list((tmp_path / "runs/latest").glob(".*")), "half-written files are left"
