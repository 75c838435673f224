"""One nursery for all tests of a process."""

from collections.abc import Iterator

import pytest

import runs
from nursery import Nursery


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(tmp_path_factory.mktemp("nursery"), runs.clean_environ()) as running:
        yield running
