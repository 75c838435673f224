"""docs/python.md runs as it stands, block after block, as a notebook, a script and pytest would run it."""

import ast
import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import routemark
import runs
from routemark import api, pytest_plugin

PAGE = (Path(__file__).parent.parent / "docs/python.md").read_text()

pytest_plugins = ["pytester"]


def blocks(kind: str) -> list[str]:
    """Give the Python blocks behind a comment of this word, or without one."""
    found = re.findall(r"(?:<!-- (\w+) -->\n)?^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return [text for word, text in found if word == kind]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory with the files that the page speaks of."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in runs.os.environ if name.startswith(("ROUTEMARK_", "OPENROUTER_"))]:
        monkeypatch.delenv(name)
    runs.write_sums(tmp_path, 2)
    rows = [f"q{i},{model},{i % 2},{cost}" for i in range(4) for model, cost in (("m1", 0.1), ("m2", 0.01))]
    (tmp_path / "outcomes.csv").write_text("\n".join(["question_id,model,score,cost_usd", *rows]))
    picks = [f"q{i},router,m{1 + i % 2}" for i in range(4)]
    (tmp_path / "picks.csv").write_text("\n".join(["question_id,arm,model", *picks]))
    return tmp_path


def test_a_notebook_runs_every_cell(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cells are compiled as notebooks compile them, and awaited in a loop that is running and has other work."""
    cells = blocks("")
    assert len(cells) >= 7
    names: dict[str, Any] = {}

    async def kernel() -> int:
        beats = 0

        async def heart() -> None:
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0.01)

        beating = asyncio.create_task(heart())
        for cell in cells:
            done = eval(compile(cell, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
            if inspect.isawaitable(done):
                await done
        beating.cancel()
        return beats

    assert asyncio.run(kernel()) > 10, "the loop of the notebook is not kept busy"
    assert capsys.readouterr().out == '--concurency: no such setting. Did you mean "concurrency"?\n'
    assert names["run"].run.simulated
    assert names["small"].run.id == "small"
    assert names["frame"].columns == ["id", "arm", "model", "grade_score", "cost_usd"]


def test_the_script_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (script,) = blocks("script")
    exec(compile(script, "<script>", "exec"), {})
    assert capsys.readouterr().out == "Too little to judge: 2 answers to compare (30 needed).\n"


def test_the_test_runs(pytester: pytest.Pytester) -> None:
    assert api.run
    (test,) = blocks("test")
    runs.write_sums(pytester.path, 2)
    pytester.makepyfile(test)
    pytester.runpytest_inprocess("--strict-markers", plugins=[pytest_plugin]).assert_outcomes(passed=1)


def examples(docstring: str | None) -> list[str]:
    return re.findall(r"^ *>>> (.*)$", docstring or "", re.MULTILINE)


def test_the_examples_in_docstrings_run(folder: Path) -> None:
    """They are written for real models; here the simulated gateway answers instead."""
    public = [api.run, api.open, api.offline, api.RunHandle, api.compare]
    lines = [(one.__name__, line) for one in public for line in examples(one.__doc__)]
    assert {name for name, _ in lines} == {one.__name__ for one in public}
    names: dict[str, Any] = {"routemark": routemark, "print": lambda sentence: None}
    for _, line in lines:
        simulated = line.replace("max_cost_usd=5", "simulate=True").replace("openai/gpt-5-mini", "sim/heron")
        done = eval(compile(simulated, "<example>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        if inspect.iscoroutine(done):
            asyncio.run(done)
        for name in ("march", "april"):
            Path("runs", name).unlink(missing_ok=True)
            Path("runs", name).symlink_to(Path("runs/latest").readlink())
    assert names["found"].arms["router"].n == 4
    assert names["drift"].questions == 2
