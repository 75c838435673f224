"""The pytest plugin, from inside pytest: fixture, marker, gates, and what plain pytest pays for it."""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

import runs
from lookalike import Lookalike, Reply
from routemark import api, pytest_plugin

pytest_plugins = ["pytester"]

LOADED = (api, pytest_plugin)
"""Before pytest runs inside pytest, which takes back what it imports itself."""
HEAD = "import pytest\nQUESTIONS = [{'id': 'a', 'difficulty': 'easy', 'question': 'What is 2 + 2?', 'reference': 4}]\n"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lookalike]:
    with Lookalike(lambda request, before: Reply(text="4")) as running:
        for name, value in runs.clean_environ(ROUTEMARK_BASE_URL=running.base_url).items():
            monkeypatch.setenv(name, value)
        yield running


def test_the_marker_describes_what_the_fixture_runs_and_a_run_is_asked_once(
    pytester: pytest.Pytester, server: Lookalike
) -> None:
    pytester.makepyfile(
        HEAD
        + """
marked = pytest.mark.routemark(QUESTIONS, arms=["openrouter/auto", "sim/b"], gate=["accuracy(auto) == 1"])

@marked
def test_one(routemark):
    run = routemark()
    assert run.summary.arms["sim/b"].accuracy == 1
    assert [gate.passed for gate in run.summary.gates] == [True]

@marked
def test_two(routemark):
    assert routemark().summary.total == 2

@marked
def test_what_is_named_in_the_test_goes_before(routemark):
    run = routemark(arms=["sim/c"], gate=["accuracy(sim/c) == 1"])
    assert list(run.summary.arms) == ["sim/c"]

def test_without_a_marker(routemark):
    assert routemark(QUESTIONS, ["sim/d"]).summary.succeeded == 1
"""
    )
    done = pytester.runpytest_inprocess("--strict-markers", "--junitxml=j.xml", plugins=[pytest_plugin])
    done.assert_outcomes(passed=4)
    assert len(server.requests) == 4, "two for the first two tests together, one for each other"
    assert (pytester.path / "j.xml").read_text().count('<property name="routemark"') == 4
    assert not (pytester.path / "runs").exists()


def test_a_failed_gate_a_stop_and_a_mistake_fail_the_test_with_a_sentence(
    pytester: pytest.Pytester, server: Lookalike
) -> None:
    pytester.makepyfile(
        HEAD
        + """
def test_gate(routemark):
    routemark(QUESTIONS, ["sim/b"], gate=["accuracy(sim/b) > 2", "n(sim/b) == 1"])

def test_mistake(routemark):
    routemark(QUESTIONS, ["sim/b"], gate=["acuracy(sim/b) > 2"])

def test_setting(routemark):
    routemark(QUESTIONS, ["sim/b"], concurency=3)
"""
    )
    done = pytester.runpytest_inprocess(plugins=[pytest_plugin])
    done.assert_outcomes(failed=3)
    done.stdout.fnmatch_lines([
        "routemark: 1 of 2 gates failed.",
        "*gate FAILED: accuracy(sim/b) > 2 (1 > 2 does not hold; accuracy(sim/b) = 1)",
        'routemark: --gate: no figure is called "acuracy". Did you mean "accuracy"?',
        '*no such setting. Did you mean "concurrency"?*',
    ])  # fmt: skip
    done.stdout.no_fnmatch_line("*pytest_plugin.py:*")


def test_one_option_lets_every_test_ask_the_simulated_gateway(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    async def run(**given: Any) -> Mock:
        asked.append(given)
        return Mock(summary=Mock(gates=[]), run=Mock(status="complete"))

    monkeypatch.setattr(api, "run", run)
    pytester.makepyfile("def test_wiring(routemark):\n    routemark(arms=['sim/heron'])\n")
    for options in ([], ["--routemark-simulate"]):
        pytester.runpytest_inprocess(*options, plugins=[pytest_plugin]).assert_outcomes(passed=1)
    assert [given.get("simulate") for given in asked] == [None, True]


def test_plain_pytest_does_not_pay_for_it() -> None:
    code = "import sys, pytest; before = set(sys.modules); import routemark.pytest_plugin; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"routemark", "routemark._version", "routemark.pytest_plugin"}


def test_it_is_found_by_pytest_once_it_is_installed() -> None:
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"routemark.pytest_plugin": "routemark.pytest_plugin"}
