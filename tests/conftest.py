"""One nursery for all tests of a process, and for the gateways that they start; the longest files come first."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import runs
from nursery import Nursery
from routemark.engine import grading
from routemark.gateway import process

LONGEST = (
    "test_max_cost.py",
    "crash/test_kill_loop.py",
    "cluster/test_ray.py",
    "test_docs_run.py",
    "crash/test_damage.py",
    "engine/test_cluster.py",
    "browser/test_viewer.py",
    "crash/test_kill_points.py",
    "test_cli.py",
    "test_until_decided.py",
    "test_steadiness.py",
    "analysis/test_error_rates.py",
)
"""Files of more than about ten seconds. Begun last, one would keep a worker busy when the others are done."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files; `--dist loadfile` hands files out in this order."""
    ranks = {Path(__file__).parent / name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path, len(LONGEST)))


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with runs.NURSERY as running:
        yield running


@pytest.fixture(scope="session", autouse=True)
def runs_start_quickly(nursery: Nursery) -> Iterator[None]:
    """Let `simulated_gateway` give a child of the nursery, and one child grade the few answers of a run.

    tests/gateway/test_serve.py has gateways of their own.
    """

    def command(options: dict[str, Any]) -> list[str]:
        return [*nursery.program, *runs.START_OF_A_GATEWAY(options)[3:]]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "_command", command)
        patch.setattr(grading, "MOST_CHILDREN", 1)
        yield
