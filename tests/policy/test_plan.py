"""Laws of the plan."""

from itertools import islice

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from routemark.policy import plan
from routemark.records import Arm, Question
from routemark.wire.request import RequestOptions

ARMS = [Arm(name=name, model=name) for name in ("openrouter/auto", "sim/a", "sim/b")]


def make(arms: int = 2, repeats: int = 1, window: int = 32, seed: int = 0, run_id: str = "r") -> plan.Plan:
    return plan.Plan(
        run_id=run_id, arms=ARMS[:arms], options=RequestOptions(), repeats=repeats, window=window, seed=seed
    )


def questions(n: int) -> list[Question]:
    return [Question(id=f"q{i}", difficulty="easy", question=f"What is {i} + {i}?") for i in range(n)]


@given(
    n=st.integers(0, 200),
    arms=st.integers(1, 3),
    repeats=st.integers(1, 3),
    window=st.integers(1, 70),
    seed=st.integers(0, 9),
)
def test_every_trial_is_planned_exactly_once(n: int, arms: int, repeats: int, window: int, seed: int) -> None:
    planned = make(arms, repeats, window, seed)
    places = list(plan.places(planned, plan.order((f"q{i}" for i in range(n)), seed)))
    triples = {(place.question, place.arm, place.repeat) for place in places}
    assert len(places) == len(triples) == n * planned.trials_per_question


def test_a_window_ends_before_the_next_begins_and_is_shuffled_inside() -> None:
    planned = make(arms=3, window=10)
    order = plan.order((f"q{i}" for i in range(30)), 0)
    places = list(plan.places(planned, order))
    assert [place.window for place in places] == sorted(place.window for place in places)
    first = places[:30]
    assert {place.question for place in first} == set(order[:10])
    assert [place.arm for place in first] != sorted(place.arm for place in first)


def test_order_depends_on_seed_and_ids_but_not_on_the_files_order() -> None:
    ids = [f"q{i}" for i in range(100)]
    order = [ids[i] for i in plan.order(ids, 7)]
    back = ids[::-1]
    assert order == [back[i] for i in plan.order(back, 7)]
    assert order != [ids[i] for i in plan.order(ids, 8)]
    fewer = [name for name in ids if name != "q50"]
    assert [name for name in order if name != "q50"] == [fewer[i] for i in plan.order(fewer, 7)]


def test_the_order_is_the_same_on_every_machine() -> None:
    assert plan.order(["a", "b", "c", "d", "e", "f"], 0).tolist() == [0, 2, 5, 4, 3, 1]


def test_window_size_fills_every_slot() -> None:
    assert [plan.window_size(c, a) for c, a in [(100, 1), (100, 3), (10, 4), (1000, 3)]] == [100, 34, 32, 334]


def test_trials_are_made_lazily() -> None:
    class Endless(list[Question]):
        def __getitem__(self, index: int) -> Question:  # type: ignore[override]
            assert index < 64, "a question beyond the first window was read"
            return Question(id=f"q{index}", difficulty="easy", question="?")

    places = plan.places(make(), np.arange(1_000_000))
    assert len(list(islice(plan.trials(make(), Endless(), places), 64))) == 64


def test_keys_name_question_arm_repeat_and_what_is_sent() -> None:
    def keys(planned: plan.Plan, asked: list[Question]) -> set[str]:
        places = plan.places(planned, plan.order((q.id for q in asked), 0))
        return {trial.key for trial in plan.trials(planned, asked, places)}

    base = keys(make(arms=2, repeats=2), questions(5))
    assert len(base) == 20
    assert keys(make(arms=2, repeats=2, run_id="other", seed=3), questions(5)) == base
    assert keys(make(arms=2, repeats=1), questions(5)) < base
    other_text = [
        Question(id=q.id, difficulty="easy", question=q.question + " Really?") for q in questions(5)
    ]
    assert not keys(make(arms=2, repeats=2), other_text) & base


def test_a_session_belongs_to_one_trial_of_one_run() -> None:
    def sessions(run_id: str) -> list[str]:
        planned = make(arms=2, repeats=3, run_id=run_id)
        asked = questions(10)
        places = plan.places(planned, plan.order((q.id for q in asked), 0))
        return [trial.session_id for trial in plan.trials(planned, asked, places)]

    assert len(set(sessions("one"))) == 60
    assert sessions("one") == sessions("one")
    assert not set(sessions("one")) & set(sessions("two"))
    assert all(len(session) <= 256 for session in sessions("one"))
    assert {session[-3:] for session in sessions("one")} == {".r0", ".r1", ".r2"}


STICKY = Arm(name="openrouter/auto?sticky=true", model="openrouter/auto", sticky=True)


@given(n=st.integers(1, 60), repeats=st.integers(2, 4), window=st.integers(1, 40), seed=st.integers(0, 9))
def test_a_sticky_arms_repeats_keep_their_order_and_the_rest_is_as_without_it(
    n: int, repeats: int, window: int, seed: int
) -> None:
    planned = make(arms=2, repeats=repeats, window=window, seed=seed)
    order = plan.order((f"q{i}" for i in range(n)), seed)
    plain = list(plan.places(planned, order))
    sticky = list(plan.places(msgspec.structs.replace(planned, arms=[STICKY, ARMS[1]]), order))
    assert [place for place in sticky if place.arm] == [place for place in plain if place.arm]
    assert [place._replace(repeat=0) for place in sticky] == [place._replace(repeat=0) for place in plain]
    assert set(sticky) == set(plain)
    for question in range(n):
        turns = [place.repeat for place in sticky if (place.question, place.arm) == (question, 0)]
        assert turns == list(range(repeats))


def test_only_a_sticky_questions_repeats_share_a_session() -> None:
    planned = msgspec.structs.replace(make(arms=2, repeats=3), arms=[STICKY, ARMS[0]])
    asked = questions(10)
    trials = list(plan.trials(planned, asked, plan.places(planned, plan.order((q.id for q in asked), 0))))
    shared = {trial.question.id: trial.session_id for trial in trials if trial.arm.sticky}
    assert all(shared[trial.question.id] == trial.session_id for trial in trials if trial.arm.sticky)
    assert len(set(shared.values())) == 10
    own = {trial.session_id for trial in trials if not trial.arm.sticky}
    assert len(own) == 30
    assert not own & set(shared.values())
    assert len({trial.key for trial in trials}) == 60


@given(n=st.integers(0, 50), copies=st.integers(0, 20), seed=st.integers(0, 9))
def test_copies_come_behind_all_others_which_keep_their_order(n: int, copies: int, seed: int) -> None:
    ids = [f"q{i}" for i in range(n)]
    order = plan.order([*ids, *(f"c{i}" for i in range(copies))], seed, copies).tolist()
    assert order[:n] == plan.order(ids, seed).tolist()
    assert sorted(order[n:]) == list(range(n, n + copies))
