"""Costs that were looked up fill what an outcome does not know, and change nothing else."""

from routemark.generations import arrived, cost_of, id_of, looked_up, settled
from routemark.journal import decode, encode
from routemark.records import Attempt, Completion, Failure, Outcome


def attempt(generation: str | None, kind: str | None = "bad_gateway", cost: float | None = None) -> Attempt:
    return Attempt(started_at="", duration_s=1, kind=kind, generation_id=generation, cost_usd=cost)


def outcome(*attempts: Attempt, **end: object) -> Outcome:
    about = {"trial": "t", "question_id": "q", "arm": "a", "repeat": 0, "session_id": "s"}
    return Outcome(**about, attempts=list(attempts), **end)  # type: ignore[arg-type]


def test_unknown_costs_of_answers_and_failed_attempts_are_filled_and_named() -> None:
    before = outcome(
        attempt("g1"), attempt("g2", cost=0.5), attempt(None), attempt("g3", kind=None),
        completion=Completion(text="", model="m", generation_id="g3"),
    )  # fmt: skip
    after = settled(before, {"g1": 0.1, "g2": 9.0, "g3": 0.2, "other": 5.0})
    assert [one.cost_usd for one in after.attempts] == [0.1, 0.5, None, None]
    assert [one.cost_source for one in after.attempts] == ["lookup", None, None, None]
    assert after.completion is not None
    assert (after.completion.cost_usd, after.completion.cost_source) == (0.2, "lookup")
    assert after.cost_usd == 0.1 + 0.5 + 0.2


def test_a_generation_that_failed_and_then_answered_is_paid_once() -> None:
    before = outcome(attempt("g"), completion=Completion(text="", model="m", generation_id="g"))
    assert settled(before, {"g": 0.25}).cost_usd == 0.25


def test_unknown_stays_unknown() -> None:
    before = outcome(attempt("g1"), failure=Failure(kind="bad_gateway", message=""))
    assert settled(before, {}) == before
    assert settled(before, {"g9": 1.0}) == before


def test_both_lines_come_back_from_the_journal() -> None:
    for event in (arrived("t", "gen-1", "now"), looked_up("t", "gen-1", "now", cost_usd=0.5, left_open=True)):
        line = encode(event)
        assert decode(line) == event
        assert id_of(event) == "gen-1"
    assert cost_of(event) == 0.5
    assert encode(arrived("t", "gen-1", "now")) == (
        b'{"v":1,"kind":"event","event":"generation","at":"now","data":{"trial":"t","generation_id":"gen-1"}}\n'
    )
