"""Judging files: every figure by another way, and the laws that hold for any matrix."""

import math
from itertools import product

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routemark.analysis.matrix.outcomes import FILE, UNKNOWN, Asked, Grouping, Outcomes, Picks, one_each
from routemark.analysis.published.offline import Asking, Chosen, judge
from routemark.errors import UsageError

NAN = math.nan


def outcomes(score, cost, cluster=None):
    score, cost = np.array(score, dtype=float), np.array(cost, dtype=float)
    n, m = score.shape
    groups = np.arange(n, dtype=np.int32) if cluster is None else np.array(cluster, dtype=np.int32)
    none = Grouping(np.full(n, -1, dtype=np.int32), ())
    there = ~(np.isnan(score) & np.isnan(cost))
    source = np.where(there, FILE, UNKNOWN).astype(np.int8)
    asked = Asked(groups, none, none, np.zeros(n, dtype=np.int64))
    return Outcomes(asked, tuple("abcdefgh"[:m]), score, cost, np.full((n, m), NAN), source)


def arm(name, choice, matrix, left_out=0):
    n, m = matrix.score.shape
    choice = np.array(choice, dtype=np.int32)
    known = np.where(choice >= 0, ~np.isnan(matrix.score[np.arange(n), choice]), False)
    unknown = np.full(n, NAN)
    picks = Picks(name, one_each(np.where(known, choice, -1).astype(np.int32), m), unknown, unknown)
    return Chosen(picks, left_out + int((choice >= 0).sum() - known.sum()), (choice >= 0) & ~known)


def world(seed=0, n=60, m=3, partial=True):
    rng = np.random.default_rng(seed)
    ability = np.linspace(0.4, 0.8, m)
    score = (rng.random((n, m)) < ability).astype(float)
    if partial:
        score[:, 0] = np.round(rng.random(n), 2)
    return outcomes(score, np.exp(rng.normal(0, 0.6, (n, m))) * 10.0 ** np.arange(-5, m - 5)), rng


def plain(found):
    return msgspec.to_builtins(found)


def test_every_figure_of_an_arm_computed_otherwise():
    matrix, rng = world()
    n, m = matrix.score.shape
    choice = rng.integers(0, m, n)
    found = judge(matrix, [arm("r", choice, matrix)], Asking(baseline="b", all_metrics=True, seed=3))
    score, cost = matrix.score[np.arange(n), choice], matrix.cost[np.arange(n), choice]
    r, means = found.arms["r"], matrix.score.mean(axis=0)
    assert r.n == n
    assert r.accuracy == pytest.approx(score.mean(), abs=1e-12)
    assert r.cost_per_1k_usd == pytest.approx(1000 * cost.mean(), abs=1e-12)
    assert r.cost_per_correct_usd == pytest.approx(cost.sum() / score.sum(), abs=1e-12)
    c = min(max(1000 * cost.mean(), 0.0044), 200)
    cheap = (math.log2(200) - math.log2(c)) / (math.log2(200) - math.log2(0.0044))
    assert r.arena_score == pytest.approx(
        1.1 * score.mean() * cheap / (0.1 * score.mean() + cheap), abs=1e-12
    )
    counts = np.bincount(choice, minlength=m)
    assert r.pick_shares == pytest.approx({name: counts[i] / n for i, name in enumerate("abc")})
    assert r.pick_entropy_bits == pytest.approx(-sum(x / n * math.log2(x / n) for x in counts), abs=1e-12)
    assert r.same_mix.accuracy == pytest.approx(counts / n @ means, abs=1e-12)
    assert r.same_mix.gain == pytest.approx(n / (n - 1) * (score.mean() - counts / n @ means), abs=1e-12)
    assert r.regret == pytest.approx(matrix.score.max(axis=1).mean() - score.mean(), abs=1e-12)
    best = means.max()
    assert r.metrics.gain_at_best_single == pytest.approx((score.mean() - best) / best, abs=1e-12)
    assert r.metrics.gain_at_random == pytest.approx(score.mean() / means.mean() - 1, abs=1e-12)
    top = matrix.score.max(axis=1).mean()
    assert r.metrics.gap_at_oracle == pytest.approx((top - score.mean()) / top, abs=1e-12)
    assert r.metrics.v_r == pytest.approx(score.mean() / means[1], abs=1e-12)
    assert r.metrics.v_b == pytest.approx(score.mean() / best, abs=1e-12)
    assert r.metrics.e_p_bits == r.pick_entropy_bits
    assert r.metrics.pgr is None  # three models


def test_models_oracles_and_hull_computed_otherwise():
    matrix, _ = world(1)
    found = judge(matrix, [], Asking())
    n, m = matrix.score.shape
    for i, name in enumerate("abc"):
        assert found.models[name].accuracy == pytest.approx(matrix.score[:, i].mean(), abs=1e-12)
        assert found.models[name].cost_per_1k_usd == pytest.approx(1000 * matrix.cost[:, i].mean(), abs=1e-12)
        low, high = found.models[name].accuracy_ci95
        assert low < found.models[name].accuracy < high
    total = spent = 0.0
    for scores, costs in zip(matrix.score, matrix.cost, strict=True):
        best = max(scores)
        total += best
        spent += min(c for s, c in zip(scores, costs, strict=True) if s == best) if best > 0 else 0
    assert found.oracles.best_then_cheapest.accuracy == pytest.approx(total / n, abs=1e-12)
    assert found.oracles.best_then_cheapest.cost_per_1k_usd == pytest.approx(1000 * spent / n, abs=1e-9)
    full = [min(c[s >= 1]) for s, c in zip(matrix.score, matrix.cost, strict=True) if (s >= 1).any()]
    assert found.oracles.cheapest_full_score.questions == len(full)
    assert found.oracles.cheapest_full_score.cost_per_1k_usd == pytest.approx(1000 * np.mean(full), abs=1e-9)
    assert found.zero_router.hull == ["a", "b", "c"]
    means, costs = matrix.score.mean(axis=0), matrix.cost.mean(axis=0)
    area = sum((costs[i + 1] - costs[i]) * (means[i] + means[i + 1]) / 2 for i in range(m - 1))
    assert found.zero_router.aiq == pytest.approx(area / (costs[2] - costs[0]), abs=1e-12)
    assert found.zero_router.aiq_code == pytest.approx(area / costs[2], abs=1e-12)
    assert found.best_single.model == "c"


def test_every_arm_is_compared_with_every_model_and_every_other_arm():
    matrix, rng = world(2)
    arms = [arm(name, rng.integers(0, 3, 60), matrix) for name in ("r", "s")]
    pairs = judge(matrix, arms, Asking()).comparisons
    assert {(p.arm, p.baseline) for p in pairs} == {*product("rs", "abc"), ("r", "s")}
    assert [p.p_value_holm is None for p in pairs] == [p.baseline == "s" for p in pairs]
    first = next(p for p in pairs if (p.arm, p.baseline) == ("r", "b"))
    score = arms[0].picks.of(matrix.score)
    assert first.accuracy_difference == pytest.approx((score - matrix.score[:, 1]).mean(), abs=1e-12)
    assert first.mcnemar is None  # partial credit
    again = judge(matrix, arms, Asking(baseline="b")).comparisons
    assert {(p.arm, p.baseline) for p in again} - {(p.arm, p.baseline) for p in pairs} == {
        ("a", "b"),
        ("c", "b"),
    }


def test_mcnemar_where_all_is_right_or_wrong():
    matrix, rng = world(3, partial=False)
    pair = judge(matrix, [arm("r", rng.integers(0, 3, 60), matrix)], Asking()).comparisons[0]
    assert pair.mcnemar.only_arm - pair.mcnemar.only_baseline == pytest.approx(60 * pair.accuracy_difference)


def test_without_arms_models_are_compared_with_the_best_or_the_baseline():
    matrix, _ = world(4)
    assert {p.baseline for p in judge(matrix, [], Asking()).comparisons} == {"c"}
    assert {p.baseline for p in judge(matrix, [], Asking(baseline="a")).comparisons} == {"a"}


def test_one_question_and_one_model_say_what_they_can():
    matrix = outcomes([[1.0]], [[0.0]])
    found = judge(matrix, [arm("r", [0], matrix)], Asking(all_metrics=True))
    r = found.arms["r"]
    assert (r.accuracy, r.cost_per_1k_usd, r.arena_score, r.opt_sel, r.opt_cost) == (1, 0, None, 1, None)
    assert (r.same_mix, r.hull_gap, r.pick_entropy_bits, r.cost_per_correct_usd) == (None, None, 0, 0)
    assert (found.zero_router.aiq, found.zero_router.aiq_code) == (None, None)
    assert r.verdict.row == 0
    assert r.verdict.date == ""
    assert judge(outcomes([[NAN]], [[NAN]]), [], Asking(all_metrics=True)).models["a"].accuracy is None


def test_nothing_right_has_no_cost_per_right_answer():
    matrix = outcomes([[0.0, 0.0]] * 3, [[1.0, 2.0]] * 3)
    found = judge(matrix, [arm("r", [0, 1, 0], matrix)], Asking(all_metrics=True))
    assert found.arms["r"].cost_per_correct_usd is None
    assert (
        found.arms["r"].opt_acc
        is found.arms["r"].metrics.v_b
        is found.arms["r"].metrics.gap_at_oracle
        is None
    )
    assert found.oracles.best_then_cheapest.cost_per_1k_usd == 0


def test_unknown_cells_stay_out_of_denominators():
    matrix = outcomes([[1, 0], [NAN, 1], [1, NAN], [0, 1]], [[1, 2], [NAN, 2], [1, NAN], [NAN, 2]])
    found = judge(matrix, [arm("r", [0, 0, 0, -1], matrix)], Asking())
    assert (found.models["a"].n, found.models["a"].accuracy) == (3, pytest.approx(2 / 3))
    assert found.models["a"].cost_per_1k_usd == 1000
    r = found.arms["r"]
    assert (r.n, r.left_out, r.accuracy, r.pick_shares) == (2, 1, 1.0, {"a": 1.0})
    assert any("r has scored picks on 2 of 4 questions." in note for note in r.verdict.notes)


def test_an_arm_without_a_scored_pick_is_told_as_such():
    matrix = outcomes([[NAN, 1]] * 40, [[1, 1]] * 40)
    found = judge(matrix, [arm("r", [0] * 40, matrix)], Asking(all_metrics=True))
    r = found.arms["r"]
    assert (r.n, r.left_out, r.accuracy, r.pick_shares, r.opt_sel) == (0, 40, None, {}, None)
    assert r.verdict.row == 0
    assert found.metrics.routers["r"].perf_gain is None


@pytest.mark.parametrize(("lost", "judged"), [(18, True), (21, False)])
def test_an_arm_that_lost_more_than_a_fifth_of_its_picks_is_not_judged(lost, judged):
    matrix, rng = world(6, n=100)
    matrix.score[:lost, 0] = NAN
    choice = np.where(np.arange(100) < lost, 0, rng.integers(1, 3, 100))
    r = judge(matrix, [arm("r", choice, matrix)], Asking()).arms["r"]
    assert r.left_out == lost
    assert (r.verdict.row > 0) == judged


def test_answers_without_a_score_that_would_change_the_verdict_are_told():
    rng = np.random.default_rng(0)
    score = np.column_stack([rng.random(200) < 0.5, rng.random(200) < 0.62]).astype(float)
    matrix = outcomes(score, np.column_stack([np.full(200, 1e-5), np.full(200, 1e-3)]))
    matrix.score[:30, 1] = NAN
    found = judge(matrix, [arm("r", [0] * 200, matrix)], Asking())
    assert "could not be graded" in found.arms["r"].verdict.sentence


def test_a_baseline_that_is_not_in_the_files_is_refused_with_the_nearest():
    matrix, _ = world()
    with pytest.raises(UsageError, match=r'neither a model nor an arm of the files. Did you mean "c"'):
        judge(matrix, [], Asking(baseline="cc"))


def test_metrics_are_there_only_when_asked_for():
    matrix, rng = world()
    found = plain(judge(matrix, [arm("r", rng.integers(0, 3, 60), matrix)], Asking()))
    assert "metrics" not in found
    assert "metrics" not in found["arms"]["r"]


def test_arms_of_one_router_are_one_curve():
    matrix, _ = world(5, n=80, m=2, partial=False)
    order = np.argsort(matrix.score[:, 0], kind="stable")
    arms = []
    for share in (0.25, 0.5, 0.75):
        choice = np.zeros(80, dtype=int)
        choice[order[: int(80 * share)]] = 1
        arms.append(arm(f"r?t={share}", choice, matrix))
    found = judge(matrix, [*arms, arm("s", np.zeros(80, dtype=int), matrix)], Asking(all_metrics=True))
    curve = found.metrics.routers["r"]
    assert list(found.metrics.routers) == ["r", "s"]
    assert (curve.arms, curve.weak, curve.strong) == ([a.picks.arm for a in arms], "a", "b")
    weak, strong = matrix.score.mean(axis=0)
    height = [weak, *(found.arms[a.picks.arm].accuracy for a in arms), strong]
    share = [0, 0.25, 0.5, 0.75, 1]
    auc = sum((share[i + 1] - share[i]) * (height[i] + height[i + 1]) / 2 for i in range(4))
    assert curve.apgr == pytest.approx((auc - weak) / (strong - weak), abs=1e-12)
    assert set(curve.cpt) == {"0.2", "0.5", "0.8"}
    assert curve.perf_gain == pytest.approx(max(height[1:4]) / max(weak, strong) - 1, abs=1e-12)
    first = found.arms[arms[0].picks.arm]
    assert first.metrics.pgr == pytest.approx((first.accuracy - weak) / (strong - weak), abs=1e-12)
    assert found.metrics.best_buys[0].model == "a"
    assert found.metrics.random.accuracy == pytest.approx((weak + strong) / 2)


# ------------------------------------------------------------------------------------------------ laws

CELL = st.sampled_from([0.0, 0.3, 1.0, NAN])
PRICE = st.sampled_from([0.0, 0.001, 0.002, 0.5, NAN])


@st.composite
def files(draw):
    n, m = draw(st.integers(1, 8)), draw(st.integers(1, 3))
    score = draw(st.lists(st.lists(CELL, min_size=m, max_size=m), min_size=n, max_size=n))
    cost = draw(st.lists(st.lists(PRICE, min_size=m, max_size=m), min_size=n, max_size=n))
    choice = draw(st.lists(st.integers(-1, m - 1), min_size=n, max_size=n))
    return outcomes(score, cost), choice


@settings(deadline=None, max_examples=20)
@given(files())
def test_laws_of_any_file(file):
    matrix, choice = file
    found = judge(matrix, [arm("r", choice, matrix)], Asking(all_metrics=True))
    r, oracle = found.arms["r"], found.oracles.best_then_cheapest
    assert r.regret is None or r.regret >= 0
    for share in (r.opt_sel, r.opt_acc, r.opt_cost, r.accuracy, oracle.accuracy):
        assert share is None or 0 <= share <= 1
    if r.n == found.questions:
        assert r.accuracy <= oracle.accuracy + 1e-12
    assert sum(r.pick_shares.values()) == pytest.approx(1 if r.n else 0)
    assert r.metrics.gap_at_oracle is None or r.metrics.gap_at_oracle >= 0
    msgspec.json.encode(found)


@settings(deadline=None, max_examples=5)
@given(st.integers(0, 50), st.randoms(use_true_random=False))
def test_order_of_questions_does_not_matter(seed, random):
    matrix, rng = world(seed, n=30)
    choice = rng.integers(0, 3, 30)
    order = list(range(30))
    random.shuffle(order)
    straight = judge(matrix, [arm("r", choice, matrix)], Asking(all_metrics=True))
    shuffled = matrix.where(np.array(order))
    again = judge(shuffled, [arm("r", choice[order], shuffled)], Asking(all_metrics=True))
    for name in (
        "accuracy",
        "arena_score",
        "opt_sel",
        "opt_cost",
        "regret",
        "cost_per_correct_usd",
        "hull_gap",
    ):
        assert getattr(again.arms["r"], name) == pytest.approx(getattr(straight.arms["r"], name), abs=1e-9)
    assert again.arms["r"].same_mix.p_value == straight.arms["r"].same_mix.p_value
    assert again.oracles.best_then_cheapest.picks == straight.oracles.best_then_cheapest.picks


@settings(deadline=None, max_examples=4)
@given(st.integers(0, 50), st.sampled_from([0.125, 2.0, 1024.0]))
def test_scaling_all_costs_scales_only_costs(seed, factor):
    matrix, rng = world(seed, n=40)
    choice = rng.integers(0, 3, 40)
    one = judge(matrix, [arm("r", choice, matrix)], Asking(all_metrics=True))
    scaled = matrix._replace(cost=matrix.cost * factor)
    two = judge(scaled, [arm("r", choice, scaled)], Asking(all_metrics=True))
    assert two.arms["r"].cost_per_1k_usd == pytest.approx(factor * one.arms["r"].cost_per_1k_usd)
    assert two.zero_router.aiq == pytest.approx(one.zero_router.aiq)
    assert two.zero_router.aiq_code == pytest.approx(one.zero_router.aiq_code)
    for name in ("accuracy", "opt_sel", "opt_acc", "opt_cost", "regret", "hull_gap", "pick_entropy_bits"):
        assert getattr(two.arms["r"], name) == pytest.approx(getattr(one.arms["r"], name), abs=1e-12)
    for a, b in zip(one.comparisons, two.comparisons, strict=True):
        assert (a.ci95, a.p_value) == (b.ci95, b.p_value)
        assert b.cost_ratio == pytest.approx(a.cost_ratio)
        assert b.cost_ratio_ci95 == pytest.approx(a.cost_ratio_ci95)
    curves = [found.metrics.routers["r"] for found in (one, two)]
    for name in ("aiq", "aiq_code", "cost_save", "pareto_dist", "perf_gain"):
        assert getattr(curves[1], name) == pytest.approx(getattr(curves[0], name), abs=1e-9)
    buys = [[buy.from_usd for buy in found.metrics.best_buys] for found in (one, two)]
    assert buys[1] == pytest.approx([factor * price for price in buys[0]])


def test_a_constant_arm_is_its_model():
    matrix, _ = world(7)
    found = judge(matrix, [arm("r", [2] * 60, matrix)], Asking())
    r, c = found.arms["r"], found.models["c"]
    assert (r.accuracy, r.accuracy_ci95, r.cost_per_1k_usd) == (
        c.accuracy,
        c.accuracy_ci95,
        c.cost_per_1k_usd,
    )
    assert r.same_mix.accuracy == pytest.approx(r.accuracy)
    assert r.same_mix.gain == pytest.approx(0, abs=1e-12)
    assert r.hull_gap == pytest.approx(0, abs=1e-12)
    pair = next(p for p in found.comparisons if p.baseline == "c")
    assert (pair.accuracy_difference, pair.cost_ratio) == (0, 1)
