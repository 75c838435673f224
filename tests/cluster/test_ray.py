"""A run on a real Ray cluster of two nodes: nodes are shot, the driver is killed, and the results are those of one process."""

import importlib.util
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from benchmarks.nodes import Nodes

from lookalike import Lookalike, Reply, Request
from routemark import sandbox
from routemark.journal import replay
from routemark.records import Grade
from runs import (
    KEY,
    begin,
    clean_environ,
    ended,
    events,
    gateway,
    outcomes,
    results,
    routemark,
    stats,
    timeless,
    write_sums,
)

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed (pip install 'routemark[ray]')"
)

N = 150
TRIALS = 2 * N
TMP = Path(tempfile.gettempdir()) / f"ray-{os.getpid()}"
"""Of Ray's sockets, whose paths must be short."""
ASK = (
    "-m",
    "sim/pebble-nano",
    "-m",
    "sim/heron-pro",
    "--quiet",
    "-j",
    "16",
    "--fixed-concurrency",
    "--seed",
    "3",
)
MADE_OF_TIMES = {"service", "timeline", "arena_score", "flags"}


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    made = Nodes(TMP, clean_environ())
    yield made
    made.close()
    shutil.rmtree(TMP, ignore_errors=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ray")
    write_sums(made, N)
    return made


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    """A gateway whose counters tell the truth about what was asked."""
    with gateway(folder / "my.jsonl", "--seed", "5", "--latency", "fixed:0.25") as base_url:
        yield base_url


@pytest.fixture(scope="module")
def local(folder: Path) -> object:
    """The results of the same run, asked by one process."""
    with gateway(folder / "my.jsonl", "--seed", "5", "--latency", "fixed:0.001") as base_url:
        done = routemark("run", "my.jsonl", *ASK, "--base-url", base_url, "--run-id", "local", cwd=folder)
        assert done.code == 0, done.stderr
    return comparable(folder / "runs/local")


def comparable(run: Path) -> object:
    """Give the results without times, attempts and what only says where a run was made."""

    def without(value: object) -> object:
        if isinstance(value, dict):
            kept = {n: inner for n, inner in value.items() if n not in MADE_OF_TIMES | {"attempts"}}
            return {name: without(inner) for name, inner in kept.items()}
        return [without(inner) for inner in value] if isinstance(value, list) else value

    found = without(timeless(results(run)))
    assert isinstance(found, dict)
    return found["results"], {name: value for name, value in found["summary"].items() if name != "verdict"}


def grades(run: Path) -> list[Grade]:
    return [entry.record for entry in replay(run / "journal.jsonl") if isinstance(entry.record, Grade)]


def on_cluster(nodes: Nodes, url: str, name: str) -> tuple[str, ...]:
    cluster = ("--executor", "ray", "--ray-address", nodes.address, "--workers", "2")
    return ("run", "my.jsonl", *ASK, *cluster, "--base-url", url, "--run-id", name)


def wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def test_a_node_that_is_shot_loses_no_outcome_and_only_what_it_had_is_asked_twice(
    folder: Path, nodes: Nodes, url: str, local: object
) -> None:
    run = folder / "runs/shot"
    process = begin(*on_cluster(nodes, url, "shot"), cwd=folder)
    wait_until(lambda: len(outcomes(run)) >= 60)
    nodes.tell("kill")
    time.sleep(1.0)
    nodes.tell("add")
    done = ended(process, timeout=120)
    assert done.code == 0, done.stderr
    found = outcomes(run)
    assert len({one.trial for one in found}) == len(found) == TRIALS
    assert [(one.attempts, one.failure) for one in found if one.completion is None] == []
    (lost,) = events(run, "worker_lost")
    flagged = {one.trial for one in found if one.attempts[0].kind == "worker_lost"}
    assert flagged == set(lost["trials"])
    assert 0 < len(flagged) <= 16
    told = stats(url)
    assert told["distinct_sessions"] == TRIALS
    assert told["requests"] - TRIALS <= len(flagged), "something else was asked twice"
    assert comparable(run) == local
    assert KEY not in done[1] + done.stderr


def test_a_driver_that_is_killed_is_resumed_and_nothing_journaled_is_asked_again(
    folder: Path, nodes: Nodes, url: str, local: object
) -> None:
    run = folder / "runs/killed"
    process = begin(*on_cluster(nodes, url, "killed"), cwd=folder)
    wait_until(lambda: len(outcomes(run)) >= 60)
    process.kill()
    process.communicate()
    wait_until(lambda: stats(url)["in_flight"] == 0)
    kept, asked = len(outcomes(run)), stats(url)["requests"]
    assert asked - kept <= 16, "more was lost than was in flight"
    done = routemark("resume", str(run), "--quiet", cwd=folder)
    assert done.code == 0, done.stderr
    assert stats(url)["requests"] == asked + TRIALS - kept
    found = outcomes(run)
    assert len({one.trial for one in found}) == len(found) == TRIALS
    assert comparable(run) == local


HEAVY = 6
CODE = "```python\ndef double(n):\n    return 2 * n\n```"


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Questions whose answers are work to grade; code among them where there is a sandbox for it."""
    made = tmp_path_factory.mktemp("heavy")
    kinds = [{"name": "math"}]
    if sandbox.trouble() is None:
        kinds.append({"name": "code", "tests": ["import time; time.sleep(0.2); assert double(2) == 4"]})
    rows = (
        {
            "id": f"h{i}",
            "difficulty": "easy",
            "question": kinds[i % len(kinds)]["name"],
            "reference": r"\frac{1}{2}",
            "grader": kinds[i % len(kinds)],
        }
        for i in range(HEAVY)
    )
    (made / "my.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return made


def test_heavy_grades_are_made_on_the_nodes_and_those_of_a_lost_one_again(heavy: Path, nodes: Nodes) -> None:
    def script(request: Request, before: int) -> Reply:
        return Reply(text=CODE if request.prompt == "code" else "$0.5$", model=str(request.body["model"]))

    allow = ["--allow-code-execution"] if sandbox.trouble() is None else []
    with Lookalike(script) as server:
        command = on_cluster(nodes, server.base_url, "graded")
        process = begin(*command, *allow, cwd=heavy)
        nodes.tell("kill grading")
        done = ended(process, timeout=100)
    assert done.code == 0, done.stderr
    nodes.tell("add")
    found = grades(heavy / "runs/graded")
    assert len({grade.trial for grade in found}) == len(found) == 2 * HEAVY
    assert [(grade.score, grade.reason) for grade in found if grade.score != 1.0] == []


def test_no_key_is_left_in_rays_logs(folder: Path, nodes: Nodes) -> None:
    written = [path for path in TMP.rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if KEY.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--executor", "ray", "--ray-address", "127.0.0.1:9"), 1, "No Ray cluster can be reached"),
        (("--executor", "ray", "--ray-address", "ray://127.0.0.1:9"), 2, "on a machine of the cluster"),
        (("--workers", "3"), 2, "goes with --executor ray"),
        (("--executor", "ray", "-m", "a/b:free"), 2, "20 times a minute"),
    ],
)
def test_wrong_use_is_said(folder: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    command = ("run", "my.jsonl", "--base-url", "http://127.0.0.1:9/api/v1", "--quiet", *arguments)
    done = routemark(*command, cwd=folder)
    assert done.code == code
    assert said in done.stderr
