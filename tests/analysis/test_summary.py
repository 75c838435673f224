"""The fold as a whole: what it counts, what it leaves out, and the laws of its figures."""

import math
import random

import msgspec
import pytest

from analysis.worlds import answer, failure, grade, question, run, summarise
from routemark.analysis.published.metrics import arena_score
from routemark.analysis.stats.intervals import wilson
from routemark.analysis.summary import Fold
from routemark.records import GraderSpec

ROUTER, CHEAP, DEAR = "openrouter/auto", "sim/cheap", "sim/dear"


def _world(n=60, *, seed=0, repeats=1, family=None, scale=1.0):
    """A router over two models, with some failures, unknown costs and ungraded answers."""
    rng = random.Random(seed)
    trials = []
    for i in range(n):
        fields = {"difficulty": ["opt", "easy", "zeta", "hard"][i % 4], "category": f"c{i % 3}"}
        item = question(f"q{i}", metadata={"family": f"f{i // family}"} if family else {}, **fields)
        for repeat in range(repeats):
            for arm, right, cost in [(ROUTER, 0.8, 0.003), (CHEAP, 0.6, 0.001), (DEAR, 0.85, 0.01)]:
                served = arm if arm != ROUTER else rng.choice([CHEAP, DEAR])
                known = rng.random() < 0.95
                outcome = answer(
                    arm,
                    item.id,
                    repeat=repeat,
                    model=served,
                    cost_usd=scale * cost * rng.lognormvariate(0, 0.5) if known else None,
                    latency_s=rng.random(),
                    ttft_s=rng.random() / 10,
                    task_type=rng.choice(["code", "math"]) if arm == ROUTER else None,
                    provider=rng.choice(["p", "q"]),
                )
                mark = grade(float(rng.random() < right) if rng.random() < 0.97 else None)
                if rng.random() < 0.04:
                    outcome = failure(arm, item.id, rng.choice(["server_error", "bad_key"]), repeat=repeat)
                trials.append((item, outcome, mark if outcome.completion else None))
    return trials, run(ROUTER, CHEAP, DEAR, routers=[ROUTER], questions=n, repeats=repeats)


@pytest.mark.parametrize(("repeats", "family"), [(1, None), (3, None), (1, 5)])
def test_order_of_arrival_leaves_no_trace(repeats, family):
    trials, manifest = _world(repeats=repeats, family=family)
    first = summarise(trials, manifest)
    for seed in range(3):
        assert summarise(trials, manifest, shuffle=seed) == first


def test_scaling_all_costs_scales_costs_and_nothing_else():
    plain = summarise(*_world())
    dear = summarise(*_world(scale=1_000))
    assert dear.cost_usd == pytest.approx(1_000 * plain.cost_usd)
    for name, arm in plain.arms.items():
        other = dear.arms[name]
        assert other.cost_per_correct_usd == pytest.approx(1_000 * arm.cost_per_correct_usd)
        assert (other.accuracy, other.accuracy_ci95) == (arm.accuracy, arm.accuracy_ci95)
    for one, other in zip(plain.comparisons, dear.comparisons, strict=True):
        assert other.cost_ratio == pytest.approx(one.cost_ratio)
        assert other.cost_ratio_ci95 == pytest.approx(one.cost_ratio_ci95)
        assert (other.ci95, other.p_value, other.mcnemar) == (one.ci95, one.p_value, one.mcnemar)
    assert dear.verdict.row == plain.verdict.row


def test_accuracy_counts_service_failures_as_wrong_and_ours_not_at_all():
    marks = [1.0, 1.0, 0.0, 1.0, None]
    trials = [(q := question(f"a{i}"), answer(CHEAP, q.id), grade(m)) for i, m in enumerate(marks)]
    trials += [(question("s"), failure(CHEAP, "s", "bad_gateway"), None)]
    trials += [(question("o"), failure(CHEAP, "o", "no_credit"), None)]
    trials += [(question("u"), answer(CHEAP, "u"), None)]
    arm = summarise(trials, run(CHEAP, questions=8)).arms[CHEAP]
    assert arm.accuracy == pytest.approx(3 / 5)
    assert arm.accuracy_ci95 == wilson(3 / 5, 5, 1.96)
    assert arm.accuracy_answered == pytest.approx(3 / 4)
    assert (arm.n, arm.succeeded, arm.failed, arm.graded, arm.ungraded, arm.clusters) == (8, 6, 2, 5, 2, 5)
    assert arm.failures == {"bad_gateway": 1, "no_credit": 1}
    assert arm.cost_unknown == 2


def test_a_failure_on_a_question_that_nobody_can_grade_is_not_wrong():
    trials = [
        (question("graded"), answer(CHEAP, "graded"), grade(1.0)),
        (question("free", reference=None), failure(CHEAP, "free"), None),
        (question("rules", reference=None, grader=GraderSpec(name="regex")), failure(CHEAP, "rules"), None),
    ]
    assert summarise(trials, run(CHEAP, questions=3)).arms[CHEAP].accuracy == pytest.approx(1 / 2)


def test_without_any_grade_failures_do_not_make_an_accuracy():
    trials = [(question("a"), answer(CHEAP, "a"), None), (question("b"), failure(CHEAP, "b"), None)]
    summary = summarise(trials, run(CHEAP, questions=2))
    arm = summary.arms[CHEAP]
    assert not summary.graded
    assert (arm.accuracy, arm.accuracy_ci95, arm.cost_per_correct_usd, arm.arena_score) == (None,) * 4
    assert arm.by_difficulty["easy"].accuracy is None
    assert arm.cost_per_1k_usd == pytest.approx(1.0)


def test_repeats_are_averaged_within_the_question_first():
    trials = [(question("a"), answer(CHEAP, "a", repeat=r), grade(m)) for r, m in enumerate([1.0, 0.0, 1.0])]
    trials += [(question("b"), answer(CHEAP, "b"), grade(1.0))]
    arm = summarise(trials, run(CHEAP, questions=2, repeats=3)).arms[CHEAP]
    assert arm.accuracy == pytest.approx((2 / 3 + 1) / 2)
    assert (arm.graded, arm.clusters) == (4, 2)


def test_families_are_the_independent_groups():
    trials = [
        (q := question(f"q{i}", metadata={"family": i // 4}), answer(CHEAP, q.id), grade(float(i % 3 > 0)))
        for i in range(40)
    ]
    arm = summarise(trials, run(CHEAP, questions=40)).arms[CHEAP]
    assert arm.clusters == 10
    low, high = arm.accuracy_ci95
    plain_low, plain_high = wilson(arm.accuracy, 40, 1.96)
    assert low < plain_low < arm.accuracy < plain_high < high


def test_an_empty_family_is_none():
    trials = [
        (q := question(f"q{i}", metadata={"family": ""}), answer(CHEAP, q.id), grade(1.0)) for i in range(4)
    ]
    assert summarise(trials, run(CHEAP, questions=4)).arms[CHEAP].clusters == 4


def test_costs_of_one_arm():
    costs = [0.01, None, 0.03, 0.02]
    marks = [1.0, 1.0, 0.0, None]
    trials = [
        (q := question(f"q{i}"), answer(CHEAP, q.id, cost_usd=c), grade(m))
        for i, (c, m) in enumerate(zip(costs, marks, strict=True))
    ]
    arm = summarise(trials, run(CHEAP, questions=4)).arms[CHEAP]
    assert arm.cost_usd == pytest.approx(0.06)
    assert arm.cost_per_1k_usd == pytest.approx(20)
    assert arm.cost_per_correct_usd == pytest.approx(0.04)
    assert arm.cost_unknown == 1
    assert arm.arena_score == arena_score(2 / 3, arm.cost_per_1k_usd)


def test_cost_of_the_run_takes_trials_beyond_the_prefix_which_count_nowhere_else():
    fold = Fold()
    fold.add(question("a"), answer(CHEAP, "a", cost_usd=0.1), grade(1.0), counted=True)
    fold.add(question("b"), answer(CHEAP, "b", cost_usd=0.2), grade(0.0), counted=False)
    fold.add(question("c"), failure(CHEAP, "c"), None, counted=False)
    closing = {"planned": 9, "finished_questions": 1, "margin": 0.03, "baseline": None}
    summary = fold.close(run(CHEAP, questions=9), **closing)
    assert summary.cost_usd == pytest.approx(0.3)
    assert (summary.total, summary.planned, summary.finished_questions) == (1, 9, 1)
    assert summary.failed_questions == []
    assert summary.arms[CHEAP].accuracy == 1
    # a look at a running fold leaves it whole
    fold.add(question("d"), answer(CHEAP, "d", cost_usd=0.1), grade(0.0), counted=True)
    assert fold.close(run(CHEAP, questions=9), **closing).arms[CHEAP].accuracy == pytest.approx(0.5)


def test_cost_is_unknown_where_nothing_is_known():
    summary = summarise([(question("a"), failure(CHEAP, "a"), None)], run(CHEAP, questions=1))
    assert (summary.cost_usd, summary.arms[CHEAP].cost_usd, summary.arms[CHEAP].cost_unknown) == (
        None,
        None,
        1,
    )


def test_counts_of_the_run():
    trials, manifest = _world()
    summary = summarise(trials, manifest)
    outcomes = [outcome for _, outcome, _ in trials]
    answered = [outcome.completion for outcome in outcomes if outcome.completion]
    assert (summary.total, summary.succeeded) == (len(outcomes), len(answered))
    assert summary.failed == len(outcomes) - len(answered)
    assert sum(summary.model_usage.values()) == len(answered)
    assert summary.failed_questions == sorted({o.question_id for o in outcomes if o.completion is None})
    assert summary.cost_usd == pytest.approx(
        math.fsum(c.cost_usd for c in answered if c.cost_usd is not None)
    )


def test_truncated_and_empty_answers_are_counted():
    trials = [
        (question("a"), answer(CHEAP, "a", finish_reason="length"), grade(0.0)),
        (question("b"), answer(CHEAP, "b", text=" \n", finish_reason="length"), grade(0.0)),
        (question("c"), answer(CHEAP, "c", text=""), grade(0.0)),
    ]
    arm = summarise(trials, run(CHEAP, questions=3)).arms[CHEAP]
    assert (arm.truncated, arm.empty) == (2, 2)


def test_slices_hold_the_trials_of_their_label_in_a_stated_order():
    trials, manifest = _world(repeats=2)
    arms = summarise(trials, manifest).arms
    router = arms[ROUTER]
    assert list(router.by_difficulty) == ["easy", "hard", "opt", "zeta"]
    assert list(router.by_category) == ["c0", "c1", "c2"]
    assert set(router.by_task_type) == {"code", "math"}
    assert arms[CHEAP].by_task_type == {}
    for label, found in router.by_difficulty.items():
        alone = summarise([t for t in trials if t[0].difficulty == label and t[1].arm == ROUTER], manifest)
        arm = alone.arms[ROUTER]
        assert (found.n, found.graded, found.model_usage) == (arm.n, arm.graded, arm.model_usage)
        assert found.accuracy == pytest.approx(arm.accuracy)
        assert found.accuracy_ci95 == pytest.approx(arm.accuracy_ci95)
        assert found.cost_per_1k_usd == pytest.approx(arm.cost_per_1k_usd)


def test_questions_without_a_category_are_in_no_category():
    trials = [(question("a"), answer(CHEAP, "a"), grade(1.0))]
    assert summarise(trials, run(CHEAP, questions=1)).arms[CHEAP].by_category == {}


def test_an_arm_that_several_models_served_is_a_router():
    trials = [
        (q := question(f"q{i}"), answer("x/alias", q.id, model=f"m{i % 2}"), grade(1.0)) for i in range(4)
    ]
    arm = summarise(trials, run("x/alias", questions=4)).arms["x/alias"]
    assert arm.is_router
    assert arm.pick_entropy_bits == pytest.approx(1.0)
    assert arm.model_usage == {"m0": 2, "m1": 2}
    assert summarise(trials[::2], run("x/alias", questions=2)).arms["x/alias"].pick_entropy_bits is None


def test_arms_come_in_the_order_of_the_run_and_are_there_without_an_outcome():
    trials = [(question("a"), answer("late", "a"), grade(1.0))]
    summary = summarise(trials, run("z", "late", "b", questions=1))
    assert list(summary.arms) == ["z", "late", "b"]
    assert (summary.arms["z"].n, summary.arms["z"].accuracy, summary.arms["z"].latency_s.p50) == (
        0,
        None,
        None,
    )


def test_a_run_without_outcomes_has_a_summary():
    summary = summarise([], run(ROUTER, CHEAP, routers=[ROUTER], questions=3))
    assert (summary.total, summary.cost_usd, summary.verdict.row) == (0, None, 0)
    assert summarise([], run(questions=0)).comparisons == []


def test_an_outcome_without_an_end_is_refused():
    broken = msgspec.structs.replace(answer(CHEAP, "a"), completion=None)
    with pytest.raises(ValueError, match="either a completion or a failure"):
        Fold().add(question("a"), broken, None, counted=True)


def test_same_mix_needs_every_model_that_was_picked_as_an_arm():
    trials, manifest = _world()
    summary = summarise(trials, manifest)
    control = summary.arms[ROUTER].same_mix
    assert control is not None
    assert summary.arms[CHEAP].same_mix is None
    low, high = sorted(summary.arms[name].accuracy for name in (CHEAP, DEAR))
    assert low < control.accuracy < high
    cheap, dear = (summary.arms[name].cost_per_1k_usd for name in (CHEAP, DEAR))
    assert cheap < control.cost_per_1k_usd < dear
    assert control.gain_ci95[0] < control.gain < control.gain_ci95[1]
    without = [trial for trial in trials if trial[1].arm != DEAR]
    fewer = run(ROUTER, CHEAP, routers=[ROUTER], questions=60)
    assert summarise(without, fewer).arms[ROUTER].same_mix is None


def test_same_mix_takes_only_models_asked_with_the_routers_settings():
    trials, manifest = _world()
    arms = [
        msgspec.structs.replace(arm, body={"temperature": 1}) if arm.name == DEAR else arm
        for arm in manifest.arms
    ]
    assert summarise(trials, msgspec.structs.replace(manifest, arms=arms)).arms[ROUTER].same_mix is None


def test_summary_survives_json():
    summary = summarise(*_world())
    assert msgspec.json.decode(msgspec.json.encode(summary), type=type(summary)) == summary


def test_fractions_and_intervals_stay_within_bounds():
    summary = summarise(*_world(repeats=2, family=4))
    for arm in summary.arms.values():
        for part in [arm, *arm.by_difficulty.values(), *arm.by_category.values(), *arm.by_task_type.values()]:
            low, high = part.accuracy_ci95
            assert 0 <= low <= part.accuracy <= high <= 1
    for comparison in summary.comparisons:
        assert comparison.ci95[0] < comparison.accuracy_difference < comparison.ci95[1]
        assert comparison.cost_ratio_ci95[0] < comparison.cost_ratio < comparison.cost_ratio_ci95[1]
