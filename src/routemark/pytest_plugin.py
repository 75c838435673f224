"""The pytest plugin: a fixture ``routemark`` that runs a benchmark inside a test, and a marker that describes it.

    @pytest.mark.routemark("my.jsonl", arms=["openrouter/auto", "openai/gpt-5-mini"], gate=["failed_share(auto) < 0.01"])
    def test_the_router_earns_its_keep(routemark):
        run = routemark()
        assert run.summary.verdict.row in (2, 3)

pytest loads every plugin that is installed, so this module imports nothing of Routemark before the fixture is used.
"""
# ruff: noqa: PLC0415 - what is heavy is imported when a test wants it

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from routemark.api import Questions, RunHandle

_RUNS = pytest.StashKey[dict[str, Any]]()
_MARKER = (
    "routemark(questions=None, arms=None, **settings): what the fixture `routemark` runs: a question file or a list, "
    "arms, and any setting of `routemark run` with _ for -, among them gate=[...] and simulate=True."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the one option."""
    parser.getgroup("routemark").addoption(
        "--routemark-simulate",
        action="store_true",
        help="Let the fixture `routemark` ask the simulated gateway: no key, no cost, fictitious models.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)
    config.stash[_RUNS] = {}


@pytest.fixture
def routemark(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Give what runs a benchmark: call it, with nothing where the marker says all."""
    return Bench(request, tmp_path_factory)


class Bench:
    """Runs benchmarks for one test; the same one is asked once a session, however many tests look at it."""

    def __init__(self, request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> None:
        self._request = request
        self._folders = folders
        marker = request.node.get_closest_marker("routemark")
        names = ("questions", "arms")
        self._given = {**dict(zip(names, marker.args, strict=False)), **marker.kwargs} if marker else {}

    def __call__(
        self, questions: Questions | None = None, arms: list[str] | None = None, **settings: Any
    ) -> RunHandle:
        """Give the finished run. What is named here goes before what the marker says.

        The test fails where the run cannot begin or stops before its end, and where a gate fails.
        """
        here = {"questions": questions, "arms": arms, **settings}
        asked = {**self._given, **{name: value for name, value in here.items() if value is not None}}
        if self._request.config.getoption("--routemark-simulate"):
            asked["simulate"] = True
        known = self._request.config.stash[_RUNS]
        key = repr(sorted(asked.items()))
        if key not in known:
            known[key] = self._run(asked)
        run: RunHandle = known[key]
        self._request.node.user_properties.append(("routemark", str(run.path)))
        self._check(run)
        return run

    def _run(self, asked: dict[str, Any]) -> RunHandle:
        import asyncio

        from routemark import api
        from routemark.errors import RoutemarkError

        asked.setdefault("runs_dir", str(self._folders.mktemp("routemark")))
        try:
            return asyncio.run(api.run(**asked))
        except RoutemarkError as error:
            pytest.fail(f"routemark: {error}", pytrace=False)

    def _check(self, run: RunHandle) -> None:
        """Fail the test where the run says that it must."""
        gates = run.summary.gates
        failed = sum(not gate.passed for gate in gates)
        if failed:
            pytest.fail(f"routemark: {failed} of {len(gates)} gates failed.\n{run!r}", pytrace=False)
        if run.run.status != "complete" and not run.run.decided:
            pytest.fail(f"routemark: the run stopped: {run.run.stop_reason}", pytrace=False)
