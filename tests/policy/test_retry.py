"""Asking again is bounded by kind, by count and by time, and obeys what the gateway asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routemark.errors import RULES, FailureKind
from routemark.policy.retry import NEVER_REACHED, RetryPolicy, Stop
from routemark.wire.failures import Refusal, refused

POLICY = RetryPolicy()


def refusal(wait: float | None = None, *, retryable: bool = True) -> Refusal:
    return Refusal(kind=FailureKind.BAD_GATEWAY, message="m", retryable=retryable, retry_after_s=wait)


@pytest.mark.parametrize("kind", FailureKind)
def test_a_kind_is_asked_again_as_its_rule_says(kind: FailureKind) -> None:
    again = POLICY.delay(1, refused(kind, "m"), 0.0, 0.5)
    assert isinstance(again, float) == RULES[kind].retried
    assert again is Stop.FINAL or RULES[kind].retried


def test_the_ceiling_doubles_up_to_the_cap() -> None:
    policy = RetryPolicy(max_attempts=99)
    waits = [policy.delay(attempt, refusal(), 0.0, 0.5) for attempt in range(1, 9)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert RetryPolicy(max_attempts=10**9).delay(10**6, refusal(), 0.0, 0.5) == 30.0


def test_attempts_are_counted_the_first_included() -> None:
    assert isinstance(POLICY.delay(5, refusal(), 0.0, 0.5), float)
    assert POLICY.delay(6, refusal(), 0.0, 0.5) is Stop.ATTEMPTS_SPENT
    assert RetryPolicy(max_attempts=1).delay(1, refusal(3.0), 0.0, 0.5) is Stop.ATTEMPTS_SPENT


def test_a_wait_beyond_the_time_budget_has_a_name_of_its_own() -> None:
    policy = RetryPolicy(time_budget_s=100.0)
    assert policy.delay(1, refusal(101.0), 0.0, 0.0) is Stop.RETRY_AFTER_TOO_LONG
    assert policy.delay(1, refusal(50.0), 60.0, 0.0) is Stop.RETRY_AFTER_TOO_LONG
    assert policy.delay(1, refusal(50.0), 10.0, 0.0) == 50.0
    assert policy.delay(1, refusal(), 99.5, 0.9) is Stop.TIME_SPENT
    assert policy.delay(1, refusal(101.0, retryable=False), 0.0, 0.0) is Stop.FINAL


@pytest.mark.parametrize("kind", sorted(NEVER_REACHED))
def test_an_outage_of_fifteen_seconds_is_outlasted_whatever_the_dice_say(kind: FailureKind) -> None:
    waits = [POLICY.delay(attempt, refused(kind, "m"), 0.0, 0.0) for attempt in range(1, 6)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert POLICY.delay(1, refused(kind, "m"), 0.0, 0.5) == 0.75


def test_a_machine_that_stood_still_for_an_hour_begins_no_attempt_after_its_time() -> None:
    """Monotonic time that jumps: the trial ends, it does not ask for ever."""
    assert POLICY.delay(1, refusal(), 3600.0, 0.5) is Stop.TIME_SPENT
    assert POLICY.delay(1, refusal(1.0), 3600.0, 0.5) is Stop.RETRY_AFTER_TOO_LONG


@given(
    attempt=st.integers(1, 5),
    asked=st.none() | st.floats(0, 1000),
    elapsed=st.floats(0, 2000),
    random=st.floats(0, 1, exclude_max=True),
)
def test_a_wait_is_never_less_than_asked_nor_beyond_the_budget(
    attempt: int, asked: float | None, elapsed: float, random: float
) -> None:
    again = POLICY.delay(attempt, refusal(asked), elapsed, random)
    if isinstance(again, float):
        assert again >= (asked or 0.0)
        assert elapsed + again <= POLICY.time_budget_s
        assert again <= max(POLICY.cap_s, (asked or 0.0) + POLICY.base_s)
    else:
        assert elapsed + max(POLICY.cap_s, (asked or 0.0) + POLICY.base_s) > POLICY.time_budget_s
