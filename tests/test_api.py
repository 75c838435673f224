"""The Python side: run, open, and what a handle gives."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

import routemark
from lookalike import Lookalike, Reply
from routemark.errors import QuestionFileError, SettingsError, UsageError
from routemark.report.views import LIMITED

QUESTIONS = [
    {"id": f"q{i}", "difficulty": "easy", "question": f"{i} + 1?", "reference": i + 1} for i in range(8)
]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("ROUTEMARK_", "OPENROUTER_"))]:
        monkeypatch.delenv(name)


def test_run_and_open_give_the_same_handle() -> None:
    with Lookalike(lambda request, before: Reply(text=str(int(request.prompt.split()[0]) + 1))) as server:
        run = asyncio.run(
            routemark.run(QUESTIONS, arms=["openrouter/auto", "sim/b"], base_url=server.base_url, quiet=True)
        )
    again = routemark.open("runs/latest")
    assert again.summary == run.summary
    assert run.summary.succeeded == 16
    assert run.summary.arms["sim/b"].accuracy == 1.0
    assert [o.trial for o in run.outcomes()] == [o.trial for o in again.outcomes()]
    table = run.table()
    assert len(table) == 16
    assert {row["answer"] for row in table} == {str(i + 1) for i in range(8)}
    assert run.run.id in repr(run)
    with pytest.raises(UsageError, match="Known: rows, polars, pandas"):
        run.table("excel")  # type: ignore[call-overload]
    assert (LIMITED in run._repr_html_()) is ("*</td>" in run._repr_html_())


def test_faults_and_settings_are_raised_as_errors() -> None:
    with pytest.raises(QuestionFileError, match="difficulty"):
        asyncio.run(routemark.run([{"id": "a", "question": "?"}], base_url="http://127.0.0.1:1/v1"))
    with pytest.raises(SettingsError, match="concurrency"):
        asyncio.run(routemark.run(QUESTIONS, concurency=3, base_url="http://127.0.0.1:1/v1"))


def test_every_public_name_is_there_and_documented() -> None:
    for name in routemark.__all__:
        assert getattr(routemark, name).__doc__, name
    with pytest.raises(AttributeError, match="nothing"):
        _ = routemark.nothing


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, routemark; print([m for m in ('numpy', 'httpx', 'rich', 'starlette') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_limit_on_the_cost_can_be_given(tmp_path: Path) -> None:
    questions = [{"id": "a", "difficulty": "easy", "question": "What is 2 + 2?", "reference": 4}]
    given = {"arms": ["sim/heron"], "simulate": True, "runs_dir": str(tmp_path)}
    run = asyncio.run(routemark.run(questions, max_cost_usd=0, **given))
    assert (run.run.status, run.summary.total) == ("stopped", 0)
    assert "--max-cost $0 is spent" in (run.run.stop_reason or "")
    assert asyncio.run(routemark.run(questions, max_cost_usd=5, **given)).summary.total == 1
