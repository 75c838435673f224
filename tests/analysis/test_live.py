"""From trials to matrix and picks: which cells, from where, and of which mean."""

import math

import numpy as np
import pytest

from analysis.worlds import answer, failure, grade, question, run, summarise
from routemark.analysis.arms import arm_summary
from routemark.analysis.matrix.columns import Columns, Table
from routemark.analysis.matrix.live import pools
from routemark.analysis.matrix.outcomes import DIRECT, LIVE, UNKNOWN
from routemark.records import Arm

R, A, B = "openrouter/auto", "sim/a", "sim/b"


def _table(trials, names):
    columns = Columns()
    for item, outcome, mark in trials:
        columns.append(item, outcome, mark)
    return Table(columns, names)


def _pools(trials, manifest, samples=None):
    arms = manifest.all_arms
    table = _table(trials, [arm.name for arm in arms])
    summaries = {arm.name: arm_summary(table.rows(i), table.columns, arm) for i, arm in enumerate(arms)}
    return pools(table, summaries, manifest, samples)


def _trial(arm, name, score, **fields):
    labels = {
        key: fields.pop(key) for key in ("difficulty", "category", "choices", "metadata") if key in fields
    }
    return question(name, **labels), answer(arm, name, **fields), grade(score)


def _by_question(values, trials):
    """Give the rows of a matrix by question id: the table has them by the hash of the id."""
    places = _table(trials, []).question
    return {trial[0].id: values[place] for trial, place in zip(trials, places, strict=True)}


BASIC = [
    _trial(R, "q1", 1.0, model=A, cost_usd=0.5),
    _trial(R, "q2", 0.0, model=B, cost_usd=0.6),
    _trial(A, "q1", 0.0, cost_usd=0.1, latency_s=3.0, difficulty="hard", category="c", choices=["x", "y"]),
    _trial(A, "q2", 1.0, cost_usd=0.2, difficulty="easy"),
    _trial(B, "q1", 0.5, cost_usd=None),
    (question("q2"), failure(B, "q2"), None),
]


def test_direct_cells_are_those_of_fixed_arms():
    (pool,) = _pools(BASIC, run(R, A, B, routers=[R], questions=2))
    outcomes = pool.outcomes
    assert outcomes.models == (A, B)
    score, cost, latency = (
        _by_question(of, BASIC) for of in (outcomes.score, outcomes.cost, outcomes.latency)
    )
    assert score["q1"].tolist() == [0.0, 0.5]
    assert score["q2"].tolist() == [1.0, 0.0], "a failure of the service is wrong"
    assert cost["q1"][0] == 0.1
    assert math.isnan(cost["q1"][1])
    assert latency["q1"][0] == 3.0
    assert (outcomes.source == DIRECT).all()
    assert outcomes.single
    assert outcomes.halves is outcomes.sampled is None


def test_picks_hold_what_the_router_took_and_its_own_answers():
    (pool,) = _pools(BASIC, run(R, A, B, routers=[R], questions=2))
    picks = pool.picks[R]
    assert _by_question(picks.share, BASIC)["q1"].tolist() == [1.0, 0.0]
    assert _by_question(picks.share, BASIC)["q2"].tolist() == [0.0, 1.0]
    assert _by_question(picks.score, BASIC) == {"q1": 1.0, "q2": 0.0}
    assert _by_question(picks.cost, BASIC) == {"q1": 0.5, "q2": 0.6}


def test_questions_carry_family_labels_and_choices():
    trials = [
        _trial(A, "q1", 1.0, difficulty="opt", category="c", choices=["x", "y"], metadata={"family": "f"}),
        _trial(A, "q2", 1.0, difficulty="easy", metadata={"family": "f"}),
        _trial(A, "q3", 1.0, difficulty="hard"),
    ]
    (pool,) = _pools(trials, run(A, questions=3))
    asked = pool.outcomes.asked
    assert asked.difficulty.names == ["easy", "hard", "opt"]
    assert _by_question(asked.difficulty.code, trials) == {"q1": 2, "q2": 0, "q3": 1}
    assert _by_question(asked.category.code, trials) == {"q1": 0, "q2": -1, "q3": -1}
    assert _by_question(asked.choices, trials) == {"q1": 2, "q2": 0, "q3": 0}
    cluster = _by_question(asked.cluster, trials)
    assert cluster["q1"] == cluster["q2"] != cluster["q3"]


def test_a_model_that_nobody_asked_has_a_column_of_the_routers_answers():
    trials = [trial for trial in BASIC if trial[1].arm != B]
    (pool,) = _pools(trials, run(R, A, routers=[R], questions=2))
    outcomes = pool.outcomes
    assert outcomes.models == (A, B)
    assert _by_question(outcomes.source, trials)["q1"].tolist() == [DIRECT, UNKNOWN]
    assert _by_question(outcomes.source, trials)["q2"].tolist() == [DIRECT, LIVE]
    assert _by_question(outcomes.score, trials)["q2"].tolist() == [1.0, 0.0]
    assert np.isnan(outcomes.measured().score[:, 1]).all()


def test_live_answers_stand_in_only_where_the_model_was_not_asked():
    trials = [
        _trial(R, "q1", 1.0, model=A),
        _trial(R, "q2", 1.0, model=A),
        _trial(R, "q3", 1.0, model=A),
        _trial(A, "q1", 0.0),
        (question("q2"), answer(A, "q2"), grade(None)),
    ]
    (pool,) = _pools(trials, run(R, A, routers=[R], questions=3))
    score, source = (_by_question(of[:, 0], trials) for of in (pool.outcomes.score, pool.outcomes.source))
    assert (score["q1"], source["q1"]) == (0.0, DIRECT)
    assert math.isnan(score["q2"])
    assert (score["q3"], source["q3"]) == (1.0, LIVE)
    assert pool.outcomes.measured().known.sum() == 2
    assert pool.outcomes.direct().known.sum() == 1


def test_repeats_are_averaged_and_halved():
    marks = {"q1": [1.0, 0.0, 1.0], "q2": [0.0, 0.0, None]}
    trials = [
        (question(name), answer(A, name, repeat=i, cost_usd=i), grade(mark))
        for name, scores in marks.items()
        for i, mark in enumerate(scores)
    ]
    trials += [
        (question("q1"), answer(R, "q1", repeat=i, model=model), grade(mark))
        for i, (model, mark) in enumerate([(A, 1.0), (B, 0.0), (A, 0.0)])
    ]
    trials += [(question("q2"), failure(R, "q2"), None)]
    (pool,) = _pools(trials, run(R, A, routers=[R], questions=2, repeats=3))
    outcomes, picks = pool.outcomes, pool.picks[R]
    assert not outcomes.single
    assert _by_question(outcomes.score, trials)["q1"][0] == pytest.approx(2 / 3)
    assert _by_question(outcomes.cost, trials)["q1"][0] == pytest.approx(1.0)
    first, second = (_by_question(half, trials) for half in outcomes.halves)
    assert (first["q1"][0], second["q1"][0]) == (1.0, 0.5)
    assert (first["q2"][0], second["q2"][0]) == (0.0, 0.0)
    assert _by_question(picks.share, trials)["q1"] == pytest.approx([2 / 3, 1 / 3])
    assert _by_question(picks.share, trials)["q2"].tolist() == [0.0, 0.0]
    assert _by_question(picks.score, trials)["q1"] == pytest.approx(1 / 3)
    assert _by_question(picks.score, trials)["q2"] == 0.0


def test_a_model_is_known_by_the_name_under_which_it_served():
    trials = [
        _trial(R, "q1", 1.0, model="sim/a-2026"),
        _trial(R, "q2", 1.0, model="b"),
        _trial(A, "q1", 1.0, model="sim/a-2026"),
        _trial(B, "q1", 1.0),
    ]
    manifest = run(R, A, B, routers=[R], questions=2, asked_as={"b": B})
    (pool,) = _pools(trials, manifest)
    assert pool.outcomes.models == (A, B)
    assert _by_question(pool.picks[R].share, trials)["q1"].tolist() == [1.0, 0.0]
    assert _by_question(pool.picks[R].share, trials)["q2"].tolist() == [0.0, 1.0]


def test_arms_with_other_settings_are_another_pool():
    trials = [_trial(arm, "q1", 1.0, model=A) for arm in (R, A, "hot", "hot router")]
    hot = {"temperature": 1}
    manifest = run(R, A, routers=[R], questions=1)
    arms = [
        *manifest.arms,
        Arm(name="hot", model=A, body=hot),
        Arm(name="hot router", model=R, body=hot, is_router=True),
    ]
    found = _pools(trials, run(questions=1, arms=arms))
    assert [list(pool.picks) for pool in found] == [[R], ["hot router"]]
    assert [pool.outcomes.models for pool in found] == [(A,), (A,)]


def test_without_a_router_the_arms_that_share_most_are_the_pool():
    trials = [_trial(arm, "q1", 1.0, model=arm) for arm in (A, B)]
    (pool,) = _pools(trials, run(A, B, questions=1))
    assert (pool.outcomes.models, pool.picks) == ((A, B), {})


def test_a_sample_tells_the_mean_and_other_cells_do_not():
    trials = [_trial(A, f"q{i}", float(i < 3)) for i in range(6)] + [
        _trial(B, f"q{i}", 1.0) for i in range(6)
    ]
    (pool,) = _pools(trials, run(A, B, questions=6), {A: ["q0", "q3", "q4", "beyond the prefix"]})
    assert pool.outcomes.mean_score().tolist() == [1 / 3, 1.0]
    assert pool.outcomes.sampled.sum(axis=0).tolist() == [3, 6]


def test_nothing_asked_is_no_pool_of_anything():
    (pool,) = _pools([], run(R, A, routers=[R], questions=3))
    assert pool.outcomes.score.shape == (0, 1)
    assert _pools([], run(questions=0)) == []


def test_a_summary_has_the_controls_of_its_router():
    trials = []
    rng = np.random.default_rng(0)
    for i in range(60):
        item = question(f"q{i}", difficulty=["easy", "hard"][i % 2])
        picked = [A, B][int(rng.integers(2))]
        for arm, model, cost in ((R, picked, 0.002), (A, A, 0.001), (B, B, 0.003)):
            trials.append(
                (item, answer(arm, item.id, model=model, cost_usd=cost), grade(float(rng.random() < 0.6)))
            )
    summary = summarise(trials, run(R, A, B, routers=[R], questions=60))
    arm = summary.arms[R]
    assert arm.same_mix.n == arm.delivery.n == arm.equal_cost.n == arm.regret.n == 60
    assert arm.same_mix.by_difficulty.strata == 2
    assert summary.oracle.models == [A, B]
    assert summary.oracle.best_then_cheapest.accuracy >= arm.regret.accuracy
    for fixed in (A, B):
        one = summary.arms[fixed]
        assert one.same_mix is one.delivery is one.equal_cost is one.regret is None
    alone = summarise([trial for trial in trials if trial[1].arm == R], run(R, routers=[R], questions=60))
    assert alone.oracle is None
    assert alone.arms[R].same_mix is alone.arms[R].delivery is alone.arms[R].equal_cost is None
