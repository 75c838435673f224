"""docs/offline.md and the code name the same figures."""

import inspect
import re
from pathlib import Path

import pytest

from routemark.analysis.published import metrics, published
from routemark.interop.tables import _OF_OUTCOMES, _OF_PICKS
from routemark.records import (
    ArmMetrics,
    BestOracle,
    FullScoreOracle,
    Offline,
    OfflineArm,
    OfflineMetrics,
    OfflineModel,
    Oracles,
    RouterCurve,
    ZeroRouter,
)

DOC = (Path(__file__).parents[2] / "docs" / "offline.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([a-z_0-9]+)`", DOC))
RECORDS = [
    ArmMetrics, BestOracle, FullScoreOracle, Offline, OfflineArm, OfflineMetrics, OfflineModel, Oracles, RouterCurve,
    ZeroRouter,
]  # fmt: skip


@pytest.mark.parametrize("record", RECORDS)
def test_every_field_is_explained(record):
    assert set(record.__struct_fields__) - {"schema"} <= NAMED


def test_every_column_is_explained():
    assert {*_OF_OUTCOMES, *_OF_PICKS} <= NAMED


def test_every_published_formula_is_on_the_page_and_every_name_exists():
    functions = {
        name
        for name, value in inspect.getmembers(published, inspect.isfunction)
        if value.__module__ == published.__name__
    }
    named = set(re.findall(r"`published\.([a-z_]+)`", DOC))
    assert named == {name for name in functions if not name.startswith("_")}
    assert all(hasattr(metrics, name) for name in re.findall(r"`metrics\.([a-z_]+)`", DOC))
