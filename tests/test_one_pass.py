"""Summary and every file of a report come from one pass over the journal, and from nothing else."""

import asyncio
import json
from pathlib import Path

import pytest

from lookalike import Lookalike, Reply, Request
from routemark import api, main
from routemark.rundir import Ledger, RunDirectory

N = 6


def script(request: Request, before: int) -> Reply:
    return Reply(text=str(2 * int(request.prompt.split()[2])), model="vendor/m")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    folder = tmp_path_factory.mktemp("runs")
    questions = [
        {"id": f"q{i}", "difficulty": "easy", "question": f"What is {i} + {i} ?", "reference": 2 * i}
        for i in range(N)
    ]
    with Lookalike(script) as server:
        handle = asyncio.run(
            api.run(questions, arms=["vendor/a", "vendor/b"], runs_dir=str(folder), base_url=server.base_url)
        )
    return RunDirectory(handle.path)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often the journal's trials are gone through."""
    seen: list[int] = []
    real = Ledger.judged
    monkeypatch.setattr(Ledger, "judged", lambda self: seen.append(1) or real(self))
    return seen


def test_summary_and_six_files_take_one_pass(
    directory: RunDirectory, tmp_path: Path, passes: list[int]
) -> None:
    names = ("r.json", "r.html", "r.csv", "r.md", "r.junit.xml", "again.json")
    _, summary = main.summarise(directory, files=[tmp_path / name for name in names])
    assert passes == [1]
    assert summary.total == 2 * N
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    written = json.loads((tmp_path / "r.json").read_bytes())
    assert written == json.loads((tmp_path / "again.json").read_bytes())
    assert len(written["results"]) == written["summary"]["total"] == 2 * N


def test_what_is_written_tomorrow_is_what_the_run_wrote(directory: RunDirectory, tmp_path: Path) -> None:
    main.summarise(directory, files=[tmp_path / "results.json", tmp_path / "report.html"])
    assert (tmp_path / "results.json").read_bytes() == directory.results.read_bytes()
    assert (tmp_path / "report.html").read_bytes() == directory.report.read_bytes()


def test_without_files_no_row_is_made(
    directory: RunDirectory, passes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "result_row", lambda *judged: pytest.fail("a row was made for nobody"))
    assert main.summarise(directory)[1].total == 2 * N
    assert passes == [1]
