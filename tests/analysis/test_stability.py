"""How steady an arm is: by hand, against brute force, and over many simulated runs."""

import itertools
import math
import random
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.worlds import answer, failure, grade, question, run, summarise
from routemark.analysis.steadiness.repeats import Pairs, Repeats, share
from routemark.analysis.steadiness.stability import discordance, pick_entropy, stability

NAN = math.nan


def repeats(models, scores=None, cluster=None):
    model = np.array(models, dtype=np.int32)
    score = np.full(model.shape, NAN) if scores is None else np.array(scores, dtype=float)
    return Repeats(model, score, np.arange(len(model)) if cluster is None else np.array(cluster))


def test_by_hand():
    found = stability(repeats([[0, 0, 1], [0, 0, 0]], [[1, 0, 1], [1, 1, 1]]))
    assert found.repeats == 3
    assert found.same_pick.value == pytest.approx((1 / 3 + 1) / 2)
    assert found.pick_entropy_bits.value == pytest.approx((math.log2(3) - 2 / 3) / 2)
    assert found.self_disagreement.value == pytest.approx((2 / 3 + 0) / 2)
    assert found.score_change_other_model.value == pytest.approx(0.5)
    assert found.pairs_other_model == 2
    assert found.score_change_same_model.value == pytest.approx((1 + 0) / 2)
    assert found.pairs_same_model == 4
    assert (found.flip_effect.value, found.flip_effect.n) == (-0.5, 1)


def test_one_repeat_tells_nothing():
    assert stability(repeats([[0], [1]], [[1], [0]])) is None


def test_a_failed_repeat_has_no_model_but_a_score():
    found = stability(repeats([[0, -1], [0, 0]], [[1, 0], [1, 1]]))
    assert (found.same_pick.value, found.same_pick.n) == (1, 1)
    assert (found.self_disagreement.value, found.self_disagreement.n) == (0.5, 2)


def test_without_grades_there_are_picks_alone():
    found = stability(repeats([[0, 1], [0, 0]]))
    assert found.same_pick.value == 0.5
    assert found.self_disagreement is None
    assert found.score_change_other_model is None
    assert found.flip_effect is None


@given(st.data())
def test_brute_force_agrees(data):
    n, r = data.draw(st.integers(1, 6)), data.draw(st.integers(2, 4))
    cells = st.lists(st.lists(st.integers(-1, 2), min_size=r, max_size=r), min_size=n, max_size=n)
    models = data.draw(cells)
    scores = [[NAN if c < 0 else c / 2 for c in row] for row in data.draw(cells)]
    found = stability(repeats(models, scores))
    same, differ, bits = [], [], []
    for model, score in zip(models, scores, strict=True):
        pairs = [(a, b) for a, b in itertools.combinations(model, 2) if a >= 0 and b >= 0]
        known = [(a, b) for a, b in itertools.combinations(score, 2) if not math.isnan(a + b)]
        same += [statistics.mean(a == b for a, b in pairs)] if pairs else []
        differ += [statistics.mean(a != b for a, b in known)] if known else []
        picked = [m for m in model if m >= 0]
        shares = [picked.count(m) / len(picked) for m in set(picked)]
        bits += [-sum(f * math.log2(f) for f in shares)] if len(picked) > 1 else []
    for estimate, values in (
        (found and found.same_pick, same),
        (found and found.self_disagreement, differ),
        (found and found.pick_entropy_bits, bits),
    ):
        assert (estimate is None) == (not values)
        if values:
            assert estimate.value == pytest.approx(statistics.mean(values), abs=1e-9)
            assert estimate.n == len(values)


def test_order_of_the_repeats_does_not_matter():
    draw = np.random.default_rng(1)
    model, score = draw.integers(0, 3, (30, 4)), draw.integers(0, 2, (30, 4))
    for name, one in vars_of(stability(repeats(model, score))).items():
        other = vars_of(stability(repeats(model[:, ::-1], score[:, ::-1])))[name]
        assert one == other or one.value == pytest.approx(other.value)


def vars_of(record):
    return {name: getattr(record, name) for name in record.__struct_fields__}


def test_discordance_is_over_the_pairs_of_repeats_of_both_arms():
    one = repeats([[0, 0], [0, 0]], [[1, 0], [1, 1]])
    other = repeats([[1], [1]], [[1], [0]])
    assert discordance(one, other) == pytest.approx((1 / 2 + 1) / 2)
    assert discordance(other, one) == discordance(one, other)
    assert discordance(repeats([[0]]), other.where(np.array([0]))) is None


def test_entropy_has_no_width_where_all_are_alike_and_stays_above_zero():
    assert pick_entropy(repeats([[0, 0]] * 9)).ci95 is None
    found = pick_entropy(repeats([[0, 0]] * 9 + [[0, 1]]))
    assert found.ci95[0] == 0.0
    assert found.ci95[1] > found.value


def test_families_widen_the_interval():
    pairs = Pairs(np.ones(60, dtype=np.int64), np.repeat([0.0, 1.0], 30))
    alone = share(pairs, np.arange(60))
    families = share(pairs, np.arange(60) // 6)
    assert families.clusters == 10
    assert families.ci95[1] - families.ci95[0] > 1.5 * (alone.ci95[1] - alone.ci95[0])


@pytest.mark.parametrize(("n", "family", "r"), [(120, 1, 2), (120, 1, 3), (120, 3, 3)])
def test_the_interval_covers_the_truth_in_19_of_20_runs(n, family, r):
    """Each question's router picks its favourite with probability p ~ Beta(5, 1), shared within a family."""
    truth = 1 - 2 * 5 / (6 * 7)
    draw = np.random.default_rng(n + family + r)
    hits, runs = 0, 400
    for _ in range(runs):
        favourite = np.repeat(draw.beta(5, 1, n // family), family)
        model = (draw.random((n, r)) > favourite[:, None]).astype(np.int32)
        found = stability(repeats(model, cluster=np.arange(n) // family)).same_pick
        hits += found.ci95[0] <= truth <= found.ci95[1]
    assert 0.92 <= hits / runs <= 0.98


def test_a_flip_that_changes_nothing_is_rarely_called_a_change():
    """Scores hang on the question alone, and questions on which the router wavers are easier."""
    draw = np.random.default_rng(3)
    wrong, runs = 0, 300
    for _ in range(runs):
        wavers = draw.random(150) < 0.4
        model = np.where(wavers[:, None], draw.random((150, 3)) < 0.5, False).astype(np.int32)
        score = (draw.random((150, 3)) < np.where(wavers, 0.8, 0.5)[:, None]).astype(float)
        low, high = stability(repeats(model, score)).flip_effect.ci95
        wrong += low > 0 or high < 0
    assert wrong / runs <= 0.08


# ----------------------------------------------------------------------------- in the summary


def trials(arm, models, scores, *, model_of=str):
    for i, (picked, marks) in enumerate(zip(models, scores, strict=True)):
        for r, (model, mark) in enumerate(zip(picked, marks, strict=True)):
            if model is None:
                yield question(f"q{i}"), failure(arm, f"q{i}", repeat=r), None
            else:
                yield question(f"q{i}"), answer(arm, f"q{i}", repeat=r, model=model_of(model)), grade(mark)


def test_the_summary_has_it_for_every_arm_and_each_comparison():
    routed = list(trials("r", [["a", "b"], ["a", "a"], ["a", None]], [[1, 0], [1, 1], [1, 0]]))
    fixed = list(trials("m", [["m", "m"]] * 3, [[1, 1], [0, 1], [0, 0]]))
    summary = summarise([*routed, *fixed], run("r", "m", routers=["r"], questions=3, repeats=2), shuffle=4)
    router, model = summary.arms["r"].stability, summary.arms["m"].stability
    assert (router.same_pick.value, router.same_pick.n) == (0.5, 2)
    assert router.self_disagreement.value == pytest.approx(2 / 3)
    assert model.self_disagreement.value == pytest.approx(1 / 3)
    assert not router.sticky
    assert summary.comparisons[0].discordance == pytest.approx((0.5 + 0.5 + 0.5) / 3)


def test_a_run_without_repeats_has_none_but_a_discordance():
    answers = [*trials("r", [["a"]], [[1]]), *trials("m", [["m"]], [[0]])]
    summary = summarise(answers, run("r", "m", routers=["r"], questions=1))
    assert summary.arms["r"].stability is None
    assert summary.comparisons[0].discordance == 1.0


def test_order_of_arrival_leaves_no_trace():
    draw = random.Random(5)
    models = [[draw.choice("ab") for _ in range(3)] for _ in range(20)]
    scores = [[draw.random() for _ in range(3)] for _ in range(20)]
    answers = list(trials("r", models, scores))
    found = [
        summarise(answers, run("r", routers=["r"], questions=20, repeats=3), shuffle=seed).arms["r"].stability
        for seed in (0, 1)
    ]
    assert found[0] == found[1]
