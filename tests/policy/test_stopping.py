"""Which outcome ends the run, and in which words."""

import pytest

from routemark.errors import RULES, FailureKind
from routemark.policy.retry import NEVER_REACHED
from routemark.policy.stopping import UNKNOWN_IN_A_ROW, StopRules
from routemark.records import Arm, Attempt, Completion, Failure, Outcome, Question, Trial

QUESTION = Question(id="q", difficulty="e", question="?")


def after(
    rules: StopRules,
    kind: FailureKind | None,
    *,
    arm: str = "a/b",
    begun: float = 10.0,
    heard_at: float = 5.0,
    last: str | None = None,
) -> str | None:
    model = Arm(name=arm, model=arm)
    trial = Trial(key="k", question=QUESTION, arm=model, repeat=0, session_id="s")
    outcome = Outcome(
        trial="k",
        question_id="q",
        arm=arm,
        repeat=0,
        session_id="s",
        attempts=[Attempt(started_at="t", duration_s=1.0, kind=last or kind)],
        completion=None if kind else Completion(text="4", model="m"),
        failure=Failure(kind=kind, message="own words") if kind else None,
    )
    return rules.after(trial, outcome, begun=begun, heard_at=heard_at)


@pytest.mark.parametrize("kind", [kind for kind, rule in RULES.items() if rule.stops_run])
def test_a_run_stopping_kind_stops_with_what_to_do_and_the_gateways_words(kind: FailureKind) -> None:
    said = after(StopRules("http://x"), kind)
    assert said is not None
    assert RULES[kind].advice in said
    assert "own words" in said


@pytest.mark.parametrize("kind", sorted(NEVER_REACHED))
def test_an_outage_stops_unless_something_was_heard_since_the_trial_began(kind: FailureKind) -> None:
    said = after(StopRules("http://x/api"), kind, begun=10.0, heard_at=9.9)
    assert said is not None
    assert "cannot be reached at http://x/api: own words" in said
    assert after(StopRules("http://x/api"), kind, begun=10.0, heard_at=10.1) is None


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind, rule in RULES.items()
        if not rule.stops_run and kind not in {*NEVER_REACHED, FailureKind.OVER_BUDGET}
    ],
)
def test_any_other_failure_is_the_trials_own(kind: FailureKind) -> None:
    assert after(StopRules("http://x"), kind) is None


def test_what_never_reached_the_gateway_is_our_failure() -> None:
    assert {RULES[kind].cause for kind in NEVER_REACHED} == {"ours"}


@pytest.mark.parametrize("kind", [FailureKind.UNKNOWN_MODEL, FailureKind.MODEL_GONE])
def test_a_model_that_is_not_served_stops_after_some_in_a_row(kind: FailureKind) -> None:
    rules = StopRules("http://x")
    for _ in range(UNKNOWN_IN_A_ROW - 1):
        assert after(rules, kind) is None
        assert after(rules, kind, arm="other") is None
    said = after(rules, kind)
    assert said is not None
    assert "a/b" in said
    assert rules.unknown_slug == "a/b"


def test_another_failure_between_begins_the_count_anew() -> None:
    rules = StopRules("http://x")
    for _ in range(10):
        for _ in range(UNKNOWN_IN_A_ROW - 1):
            assert after(rules, FailureKind.UNKNOWN_MODEL) is None
        assert after(rules, FailureKind.BAD_GATEWAY) is None


def test_an_arm_that_was_answered_is_served() -> None:
    rules = StopRules("http://x")
    assert after(rules, None) is None
    for _ in range(10):
        assert after(rules, FailureKind.MODEL_GONE) is None
    assert rules.unknown_slug is None


@pytest.mark.parametrize(
    ("arm", "last", "stops"),
    [
        ("a/b:free", FailureKind.RATE_LIMIT_PLATFORM, True),
        ("a/b:free", FailureKind.RATE_LIMIT_PROVIDER, False),
        ("a/b", FailureKind.RATE_LIMIT_PLATFORM, False),
    ],
)
def test_a_free_limit_of_the_day_ends_the_run(arm: str, last: FailureKind, stops: bool) -> None:
    said = after(StopRules("http://x"), FailureKind.RETRY_AFTER_TOO_LONG, arm=arm, last=last)
    assert (said is not None) == stops
    assert said is None or "midnight UTC" in said
