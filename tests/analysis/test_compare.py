import numpy as np
import pytest

from analysis.worlds import answer, arm_summary_of, failure, grade, question, run, summarise
from routemark.analysis.compare import Matrix, compare, compare_at_worst, pairs_to_compare
from routemark.analysis.stats.paired import difference_interval

R, F, G = "router", "fixed", "good"


@pytest.mark.parametrize(
    ("routers", "baseline", "pairs"),
    [
        ([True, False, False], None, [(0, 1), (0, 2)]),
        ([False, True, False], None, [(1, 0), (1, 2)]),
        ([True, True, False], None, [(0, 1), (0, 2), (1, 2)]),
        ([True, True, False], 0, [(1, 0), (0, 2), (1, 2)]),
        ([True, False, False], 1, [(0, 1), (0, 2), (2, 1)]),
        ([False, False, False], None, [(1, 0), (2, 0)]),
        ([False, False, False], 1, [(0, 1), (2, 1)]),
        ([True], None, []),
        ([], None, []),
    ],
)
def test_pairs_are_compared_once_router_first(routers, baseline, pairs):
    assert pairs_to_compare(routers, baseline) == pairs


def _trials(columns, costs=None):
    """One row of marks an arm; None ungraded, "ours" or "service" a failure."""
    trials = []
    for arm, marks in columns.items():
        for i, mark in enumerate(marks):
            item = question(f"q{i:04}")
            cost = costs[arm][i] if costs else 0.001
            if isinstance(mark, str):
                kind = {"ours": "no_credit", "service": "bad_gateway"}[mark]
                trials.append((item, failure(arm, item.id, kind), None))
            else:
                trials.append((item, answer(arm, item.id, cost_usd=cost), grade(mark)))
    return trials


def _compare(columns, costs=None, **fields):
    n = len(next(iter(columns.values())))
    return summarise(_trials(columns, costs), run(*columns, routers=[R], questions=n), **fields)


def test_a_pair_is_compared_on_questions_that_both_have_a_score_for():
    summary = _compare({R: [1, 1, 0, "service", "ours", None, 1], F: [0, 1, 1, 1, 1, 1, None]})
    (found,) = summary.comparisons
    assert (found.arm, found.baseline, found.n, found.clusters) == (R, F, 4, 4)
    assert found.accuracy_difference == pytest.approx(-1 / 4)
    assert (found.mcnemar.only_arm, found.mcnemar.only_baseline) == (1, 2)
    assert found.mcnemar.p_value == 1.0
    assert found.failed_or_ungraded == pytest.approx(3 / 7)


def test_partial_credit_has_no_mcnemar():
    (found,) = _compare({R: [1, 0.5] * 20, F: [0, 1] * 20}).comparisons
    assert found.mcnemar is None
    assert found.p_value is not None


def test_holm_runs_over_routers_against_fixed_models_only():
    marks = {R: [1] * 40, F: [1] * 28 + [0] * 12, G: [1] * 34 + [0] * 6}
    summary = _compare(marks, baseline=F)
    found = {(c.arm, c.baseline): c for c in summary.comparisons}
    first, second, outside = found[R, F], found[R, G], found[G, F]
    assert first.p_value_holm == pytest.approx(2 * first.p_value)
    assert second.p_value_holm == pytest.approx(max(second.p_value, first.p_value_holm))
    assert outside.p_value_holm is None


def test_money_of_a_pair():
    marks = {R: [1, 0, 0, 0] * 10, F: [1, 1, 0, 0] * 10}
    costs = {R: [0.01] * 40, F: [0.03] * 40}
    (found,) = _compare(marks, costs).comparisons
    assert found.cost_ratio == pytest.approx(1 / 3)
    assert found.indifference_price_usd == pytest.approx(0.02 / 0.25)
    assert found.cost_rests_on is None
    swapped = {R: costs[F], F: costs[R]}
    assert _compare(marks, swapped).comparisons[0].indifference_price_usd is None


def test_without_grades_cost_is_still_compared():
    (found,) = _compare({R: [None] * 30, F: [None] * 30}).comparisons
    assert (found.accuracy_difference, found.ci95, found.p_value, found.questions_to_decide) == (None,) * 4
    assert found.n == 30
    assert found.cost_ratio == pytest.approx(1.0)


def test_questions_to_decide_come_from_the_margin():
    marks = {R: [1, 0, 1, 1, 0] * 40, F: [1, 1, 1, 1, 0] * 40}
    wide, narrow = (_compare(marks, margin=m).comparisons[0].questions_to_decide for m in (0.05, 0.03))
    assert wide < narrow
    assert _compare(marks, margin=0.001).comparisons[0].questions_to_decide is None


def test_the_smallest_difference_is_that_against_the_best_fixed_model():
    marks = {R: [1, 0] * 60, F: [0, 1] * 60, G: [1, 0] * 59 + [1, 1]}
    assert _compare(marks).detectable_difference == pytest.approx(
        _compare({R: marks[R], G: marks[G]}).detectable_difference
    )
    assert _compare({R: marks[R]}).detectable_difference is None


def test_the_baseline_may_be_named_by_its_model():
    summary = _compare({R: [1] * 30, F: [1] * 30, G: [0] * 30}, baseline=G)
    assert [(c.arm, c.baseline) for c in summary.comparisons] == [(R, F), (R, G), (F, G)]


def test_intervals_for_all_fixed_models_at_once_are_wider():
    generator = np.random.default_rng(0)
    score, cost = generator.integers(0, 2, (60, 4)).astype(float), generator.lognormal(size=(60, 4))
    arms = {str(i): arm_summary_of(0.5, 1.0, 60, is_router=i == 0) for i in range(4)}
    cells = Matrix(score, cost, np.arange(60), [True] * 4, np.zeros((60, 4), dtype=bool))
    for found in compare(cells, arms, [(0, 1), (0, 2), (0, 3)], margin=0.03, seed=1):
        assert found.ci_all == difference_interval(found.difference, 1 - 0.05 / 3)
        assert found.ci_all[0] < found.comparison.ci95[0] < found.comparison.ci95[1] < found.ci_all[1]
        assert found.ratio.interval_all[0] < found.comparison.cost_ratio_ci95[0]


def test_without_a_router_the_leaders_are_named_after_all_pairs():
    marks = {F: [1] * 30 + [0] * 10, G: [1] * 32 + [0] * 8, "bad": [0] * 36 + [1] * 4}
    verdict = summarise(_trials(marks), run(*marks, questions=40)).verdict
    assert verdict.row == 0
    assert verdict.sentence.endswith(
        f"On 40 questions, {G} scored best; it cannot be told apart from {F} and is better than bad."
    )


def test_a_free_model_that_does_as_well_makes_the_router_needless():
    marks = {R: [1, 0] * 100, F: [1, 0] * 100}
    costs = {R: [0.01] * 200, F: [0.0] * 200}
    summary = _compare(marks, costs)
    assert (summary.comparisons[0].cost_ratio, summary.comparisons[0].cost_ratio_ci95) == (None, None)
    assert summary.verdict.row == 1


def test_at_worst_ungraded_answers_count_for_and_against_the_arm_alone():
    score = np.array([[1.0, 1.0]] * 20 + [[np.nan, 1.0]] * 3 + [[0.0, np.nan]] * 2)
    cells = Matrix(score, np.ones_like(score), np.arange(25), [True] * 2, np.isnan(score))
    arms = {"r": arm_summary_of(0.5, 1.0, 25, is_router=True), "f": arm_summary_of(0.5, 1.0, 25)}
    found = compare(cells, arms, [(0, 1)], margin=0.03, seed=0)
    doubt = compare_at_worst(found, cells, arms, subject="r", margin=0.03)
    (plain,), (against,), (for_it,) = found, doubt.against, doubt.for_it
    assert plain.comparison.n == 20
    assert against.comparison.accuracy_difference == pytest.approx(-5 / 25)
    assert for_it.comparison.accuracy_difference == pytest.approx(0.0)
    assert against.ratio == for_it.ratio == plain.ratio
    assert doubt.answers == 5
