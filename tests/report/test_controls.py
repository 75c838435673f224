"""The controls as sections: what is shown, and what is not when it was not measured."""

import msgspec
import pytest

from analysis.worlds import answer, grade, question, run
from routemark.analysis.summary import Fold
from routemark.report import controls

ROUTER, GOOD, POOR = "openrouter/auto", "m/good", "m/poor"


@pytest.fixture(scope="module")
def summary():
    """A router that knows which model is right, beside both; the good one right on two of three, the poor on others."""
    fold = Fold()
    for i in range(90):
        right = {GOOD: i % 3 != 0, POOR: i % 3 == 0}
        picked = GOOD if right[GOOD] else POOR
        for arm, model in ((ROUTER, picked), (GOOD, GOOD), (POOR, POOR)):
            cost = 0.002 if model == GOOD else 0.001
            hard = "hard" if i % 3 == 0 else "easy"
            asked = msgspec.structs.replace(question(f"q{i}"), difficulty=hard)
            fold.add(
                asked, answer(arm, f"q{i}", model=model, cost_usd=cost), grade(float(right[model])), True
            )
    manifest = run(ROUTER, GOOD, POOR, routers=(ROUTER,), questions=90)
    return fold.close(manifest, planned=270, finished_questions=90, margin=0.03, baseline=None)


def test_a_router_that_knows_beats_its_mix_and_misses_nothing(summary):
    (section,) = controls.picking(summary.arms)
    cells = {column.title.split("\n")[0]: column.cells[0] for column in section.columns}
    assert section.names == [ROUTER]
    assert cells["Over its"].startswith("+44")
    assert cells["Over the"].startswith("+44")
    assert cells["Delivery"].startswith("0.0")
    assert cells["Missed,"] == "0 points"
    assert any("telling one difficulty from another" in note for note in section.notes)


def test_the_pool_is_shown_with_its_bounds(summary):
    (section,) = controls.pool(summary.oracle)
    accuracy = dict(zip(section.names, section.columns[0].cells, strict=True))
    assert accuracy["oracle, upper bound"] == "100.0 %"
    assert accuracy[f"best single, {GOOD} (optimistic)"] == accuracy[f"dearest, {GOOD}"] == "66.7 %"
    assert accuracy[f"cheapest, {POOR}"] == "33.3 %"
    assert accuracy["any model at random"] == "50.0 %"


def test_nothing_is_said_of_what_was_not_measured(summary):
    bare = {
        name: msgspec.structs.replace(arm, same_mix=None, equal_cost=None, delivery=None)
        for name, arm in summary.arms.items()
    }
    assert list(controls.picking(bare)) == []
    assert list(controls.pool(None)) == []
    lone = msgspec.structs.replace(summary.oracle, models=[GOOD])
    assert list(controls.pool(lone)) == []
