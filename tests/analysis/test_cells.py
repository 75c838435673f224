"""Small cells: what each may show, and when one may be named."""

import numpy as np
import pytest

from analysis import worlds
from routemark import numbers
from routemark.analysis.matrix import cells
from routemark.analysis.stats.intervals import bonett_price


@pytest.mark.parametrize(
    ("graded", "weight", "text"),
    [
        (0, "none", "n/a"),
        (4, "few", "2 of 4"),
        (5, "grey", "2.5/5"),
        (19, "grey", "9.5/19"),
        (20, "full", "50.0 %"),
    ],
)
def test_one_rule_says_what_a_cell_shows(graded, weight, text):
    assert numbers.weight(graded) == weight
    assert numbers.cell(0.5, graded) == (text, weight)


def scores(*cells_of):
    """Give labels and scores from (only arm, only baseline, both) a cell."""
    label, arm, baseline = [], [], []
    for code, (b, c, both) in enumerate(cells_of):
        label += [code] * (b + c + both)
        arm += [1.0] * b + [0.0] * c + [1.0] * both
        baseline += [0.0] * b + [1.0] * c + [1.0] * both
    return np.array(label, dtype=np.int32), (np.array(arm), np.array(baseline))


def worst(label, pair, **fields):
    own = np.arange(len(label), dtype=np.int32)
    return cells.worst(label, pair, own, **{"single": (True, True)} | fields)


def test_the_worst_cell_is_named_with_the_interval_that_holds_for_all():
    label, pair = scores((0, 12, 8), (0, 0, 30), (0, 30, 20), (0, 19, 0))
    found = worst(label, pair)
    assert (found.label, found.cells) == (0, 3)  # both are 60 points behind; the first of them
    assert found.difference.mean == -0.6
    assert found.interval == bonett_price(0, 12, 20, 1 - 0.05 / 3)


def test_a_cell_below_twenty_is_neither_named_nor_counted():
    label, pair = scores((0, 19, 0), (1, 1, 30))
    assert worst(label, pair) is None
    label, pair = scores((0, 20, 0), (1, 1, 30))
    assert worst(label, pair).label == 0


def test_what_is_not_sure_with_all_cells_together_is_not_named():
    one = (1, 8, 16)
    assert worst(*scores(one)) is not None
    assert worst(*scores(one, *[(0, 0, 20)] * 9)) is None


def test_being_better_hurts_nowhere_and_nothing_is_nothing():
    assert worst(*scores((20, 0, 10))) is None
    label, pair = scores((0, 20, 0))
    assert worst(np.full(20, -1, dtype=np.int32), pair) is None
    assert worst(label, (pair[0] * np.nan, pair[1])) is None
    assert worst(label[:0], (pair[0][:0], pair[1][:0])) is None


def test_among_equal_arms_a_cell_is_hardly_ever_named():
    rng = np.random.default_rng(3)
    label = np.repeat(np.arange(12, dtype=np.int32), 30)
    named = 0
    for _ in range(300):
        ability = rng.beta(2, 1, 360)
        pair = tuple((rng.random(360) < ability).astype(float) for _ in range(2))
        named += worst(label, pair) is not None
    assert named / 300 <= 0.05


# --------------------------------------------------------------------------------- in a summary


def run_of(categories=("x", "y"), *, wrong="y", n=30, **fields):
    """A router that is right but for one category, beside two fixed models that are right."""
    trials = []
    for i in range(n * len(categories)):
        category = categories[i % len(categories)]
        item = worlds.question(f"q{i}", category=category)
        trials += [
            (item, worlds.answer("auto", item.id, model="m"), worlds.grade(float(category != wrong))),
            (item, worlds.answer("m", item.id), worlds.grade(1.0)),
            (item, worlds.answer("k", item.id), worlds.grade(float(i % 5 > 0))),
        ]
    manifest = worlds.run("auto", "m", "k", routers=["auto"], questions=n * len(categories))
    return worlds.summarise(trials, manifest, **fields)


def test_the_summary_and_a_note_of_the_verdict_say_where_it_hurts():
    summary = run_of()
    found = summary.where_it_hurts
    assert (found.by, found.label, found.arm, found.baseline, found.n, found.cells) == (
        "category", "y", "auto", "m", 30, 2,
    )  # fmt: skip
    assert found.accuracy_difference == -1.0
    low, high = (100 * abs(bound) for bound in found.ci_all)
    assert (
        f"Where it hurts: category y, {high:.0f}-{low:.0f} points behind m on 30 questions, the worst of 2 looked "
        "at together."
    ) in summary.verdict.notes


def test_it_is_measured_against_the_model_in_use():
    assert run_of(baseline="k").where_it_hurts.baseline == "k"


@pytest.mark.parametrize("categories", [(None, None), tuple("abcdef")])
def test_without_a_category_of_twenty_questions_it_is_the_difficulty(categories):
    found = run_of(categories, wrong=categories[-1], n=60 // len(categories)).where_it_hurts
    assert (found.by, found.label, found.cells) == ("difficulty", "easy", 1)


def test_where_nothing_hurts_nothing_is_said():
    summary = run_of(wrong="none")
    assert summary.where_it_hurts is None
    assert not any("hurts" in note for note in summary.verdict.notes)


def test_a_category_of_less_than_twenty_questions_is_not_named():
    assert run_of(("x", "x", "x", "y"), n=19).where_it_hurts is None
    assert run_of(("x", "x", "x", "y"), n=20).where_it_hurts.label == "y"
