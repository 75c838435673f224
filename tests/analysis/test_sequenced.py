"""Comparisons of a run that was looked at after every question."""

import math

import msgspec
import numpy as np
import pytest

from analysis.worlds import arm_summary_of
from routemark.analysis.compare import Matrix, compare, compare_at_worst
from routemark.analysis.stats.paired import difference_interval
from routemark.analysis.stopping.sequenced import Looked, sequenced, sequenced_doubt, stopping
from routemark.analysis.stopping.sequential import Design, Sequence
from routemark.analysis.stopping.stopping_words import about_these, note
from routemark.analysis.verdict import decide
from routemark.records import Stopping

R, F, G = "openrouter/auto", "sim/f", "sim/g"


def world(n, chances, *, planned, costs=(1.0, 1.0, 1.0), seed=0, unknown=()):
    """Scores (n, 3) of router and two models, right with these chances, compared as in any run."""
    rng = np.random.default_rng(seed)
    score = (rng.random((n, 3)) < chances).astype(float)
    for cell in unknown:
        score[cell] = math.nan
    cost = np.array(costs) * rng.lognormal(0, 0.3, (n, 3))
    cells = Matrix(score, cost, np.arange(n), [True] * 3, np.isnan(score))
    names = (R, F, G)
    arms = {
        name: arm_summary_of(np.nanmean(score[:, i]), cost[:, i].mean(), n, is_router=name == R)
        for i, name in enumerate(names)
    }
    found = Stopping(
        mode="closed", estimand="population", margin=0.03, arm=R, baselines=[F, G], decision=None,
        questions=n, planned=planned, early=False,
    )  # fmt: skip
    looked = Looked(names, Design("closed", "population", 0.03, planned), score, found)
    pairs = compare(cells, arms, [(0, 1), (0, 2)], margin=0.03, seed=0)
    return pairs, cells, arms, looked


def seen(pairs, cells, arms, looked, margin=0.03):
    return sequenced(pairs, cells, arms, looked, margin=margin)


def test_before_the_last_question_the_sequence_stands_in_the_place_of_the_interval():
    pairs, cells, arms, looked = world(200, (0.9, 0.6, 0.7), planned=1_000)
    for before, pair, rival in zip(pairs, seen(pairs, cells, arms, looked), (1, 2), strict=True):
        sequence = Sequence(looked.design, 2)
        for difference in cells.score[:, 0] - cells.score[:, rival]:
            sequence.add(difference)
        comparison = pair.comparison
        assert comparison.ci95 == comparison.sequential.interval == sequence.interval()
        assert pair.ci_all == sequence.interval(2)
        assert comparison.ci95 != before.comparison.ci95
        assert (comparison.p_value, comparison.p_value_holm, comparison.mcnemar) == (None, None, None)
        assert comparison.sequential.early
        assert comparison.sequential.decides
        assert comparison.sequential.decision == "better"
        assert comparison.accuracy_difference == before.comparison.accuracy_difference


def test_at_the_last_question_of_a_closed_run_the_interval_kept_for_it_is_shown():
    pairs, cells, arms, looked = world(200, (0.8, 0.8, 0.5), planned=200)
    for before, pair in zip(pairs, seen(pairs, cells, arms, looked), strict=True):
        assert pair.comparison.ci95 == difference_interval(before.difference, 0.96)
        assert pair.ci_all == difference_interval(before.difference, 0.98)
        assert not pair.comparison.sequential.early


def test_at_the_last_question_of_an_open_run_there_is_no_last_look():
    pairs, cells, arms, looked = world(200, (0.8, 0.8, 0.5), planned=200)
    looked = looked._replace(design=Design("open", "population", 0.03, 200))
    (first, _) = seen(pairs, cells, arms, looked)
    assert first.comparison.ci95 != difference_interval(first.difference, 0.96)


@pytest.mark.parametrize(
    ("chances", "n", "decision", "worse_than"),
    [
        ((0.9, 0.5, 0.6), 400, "better", []),
        ((0.7, 0.5, 0.95), 400, "worse", [G]),
        ((0.8, 0.8, 0.8), 400, None, []),
        ((1.0, 1.0, 1.0), 400, "equivalent", []),
        ((1.0, 1.0, 0.5), 400, "equivalent", []),
    ],
)
def test_what_the_last_question_decides_beside_all(chances, n, decision, worse_than):
    pairs, cells, arms, looked = world(n, chances, planned=n)
    found = stopping(seen(pairs, cells, arms, looked), looked)
    assert (found.decision, found.worse_than) == (decision, worse_than)


def test_not_worse_is_told_at_the_last_question():
    pairs, cells, arms, looked = world(900, (0.82, 0.8, 0.8), planned=900, seed=2)
    found = stopping(seen(pairs, cells, arms, looked), looked)
    assert found.decision == "not worse"
    assert "surely not worse than any of sim/f and sim/g by more than 3 points" in note(found)


def test_what_was_decided_on_the_way_stays_decided():
    pairs, cells, arms, looked = world(100, (0.8, 0.8, 0.8), planned=100)
    decided = looked._replace(stopping=msgspec.structs.replace(looked.stopping, decision="better"))
    assert stopping(seen(pairs, cells, arms, decided), decided).decision == "better"


def test_the_verdict_goes_by_the_sequential_tests():
    equal = world(3_000, (0.95, 0.95, 0.95), planned=20_000, costs=(0.3, 1.0, 1.0))
    row, named = decide(seen(*equal), 0.03)
    assert row == 3
    assert named.comparison.sequential.not_worse
    worse = world(300, (0.6, 0.9, 0.6), planned=1_000, costs=(0.3, 1.0, 1.0))
    row, named = decide(seen(*worse), 0.03)
    assert (row, named.comparison.baseline) == (5, F)
    assert named.ci_all[1] < 0


def test_not_worse_has_a_test_of_its_own_that_the_interval_need_not_agree_with():
    """It needs 100 times the stake, a bound of the interval 200 times."""
    sequence = Sequence(Design("closed", "population", 0.03, 20_000))
    while not sequence.not_worse:
        assert sequence.n < 20_000
        sequence.add(0.0)
    assert sequence.interval()[0] <= -0.03
    pairs = seen(*world(sequence.n, (1.0, 1.0, 1.0), planned=20_000, costs=(0.3, 1.0, 1.0)))
    assert all(pair.comparison.ci95[0] <= -0.03 for pair in pairs)
    assert decide(pairs, 0.03)[0] == 3


def test_costs_have_an_interval_from_question_100_on():
    early = seen(*world(99, (0.9, 0.5, 0.5), planned=1_000, costs=(0.2, 1.0, 1.0)))
    assert {pair.comparison.cost_ratio_ci95 for pair in early} == {None}
    later = seen(*world(100, (0.9, 0.5, 0.5), planned=1_000, costs=(0.2, 1.0, 1.0)))
    low, high = later[0].comparison.cost_ratio_ci95
    assert low < 0.2 < high < 1
    assert later[0].ratio.interval_all[1] > high


def test_an_answer_that_nobody_could_grade_is_looked_at_both_ways():
    pairs, cells, arms, looked = world(
        200, (0.9, 0.6, 0.6), planned=1_000, unknown=[(i, 0) for i in range(30)]
    )
    found = seen(pairs, cells, arms, looked)
    doubt = compare_at_worst(found, cells, arms, subject=R, margin=0.03)
    doubt = sequenced_doubt(doubt, cells, arms, looked, subject=R, margin=0.03)
    against, as_it_is, for_it = (
        some[0].comparison.sequential for some in (doubt.against, found, doubt.for_it)
    )
    assert as_it_is.questions == 170
    assert against.questions == for_it.questions == 200
    assert against.interval[0] < as_it_is.interval[0] <= for_it.interval[0] + 0.01


def test_a_sentence_about_exactly_these_questions_says_so():
    _, _, _, looked = world(10, (1, 1, 1), planned=360)
    about_file = msgspec.structs.replace(looked.stopping, estimand="file")
    assert about_these(about_file, "Better than all.") == "On these 360 questions: better than all."
    assert about_these(looked.stopping, "Better than all.") == "Better than all."
    assert about_these(None, "Better than all.") == "Better than all."
