"""docs/methods.md and the code name the same figures."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

from routemark import analysis
from routemark.records import ArmSummary, Comparison, Stability, Summary, Verdict

DOC = (Path(__file__).parents[2] / "docs" / "methods.md").read_text(encoding="utf-8")
FIGURES = ("arms", "compare", "controls", "cost", "intervals", "metrics", "paired", "power", "samemix")
FIGURES += ("significance", "value", "verdict", "agreement")
FIGURES += ("cells", "drift", "baselines", "bounds", "equalcost", "hull", "oracles")
FIGURES += ("repeats", "robustness", "stability", "sweep")
FIGURES += ("folds", "trees", "rules", "strata", "weights", "resampling", "monthly")
FIGURES += ("reweighting", "sequential", "service", "spreads")
HOMES = {
    name.rpartition(".")[2]: name
    for _, name, _ in pkgutil.walk_packages(analysis.__path__, "routemark.analysis.")
}
"""The full name of each module, rooms before the modules of the same name inside."""
NAMED = set(re.findall(r"`([a-z]+)\.([A-Za-z_0-9]+)`", DOC)) - {("metadata", "family"), ("results", "json")}
NOT_EXPLAINED = {"planned", "finished_questions", "oracle", "delivery", "arm", "baseline"}
NOT_EXPLAINED |= {"arms", "comparisons", "row", "sentence", "margin"}


@pytest.mark.parametrize(("module", "name"), sorted(NAMED))
def test_what_the_page_names_exists(module, name):
    assert hasattr(importlib.import_module(HOMES[module]), name)


@pytest.mark.parametrize("module", FIGURES)
def test_every_function_that_gives_a_figure_is_on_the_page(module):
    loaded = importlib.import_module(HOMES[module])
    public = {
        name
        for name, value in inspect.getmembers(loaded, inspect.isfunction)
        if value.__module__ == loaded.__name__ and not name.startswith("_")
    }
    assert {(module, name) for name in public} <= NAMED


@pytest.mark.parametrize("record", [Summary, ArmSummary, Comparison, Verdict, Stability])
def test_every_figure_of_the_results_is_explained(record):
    explained = set(re.findall(r"`([a-z_0-9]+)`", DOC))
    assert set(record.__struct_fields__) - NOT_EXPLAINED <= explained
