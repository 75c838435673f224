"""The budget: what is spent and what is set aside never exceed the limit, and nothing unknown is free."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routemark.policy.budget import Accounts, Budget, bill_of, may_be_billed
from routemark.records import Attempt, Completion, Outcome
from routemark.wire.prices import PICO

AMOUNTS = st.integers(0, 10**15)


@given(
    limit=AMOUNTS,
    steps=st.lists(st.tuples(st.booleans(), AMOUNTS, st.none() | st.floats(0, 1)), max_size=60),
    spent=AMOUNTS,
)
def test_spent_and_reserved_never_exceed_the_limit(
    limit: int, steps: list[tuple[bool, int, float | None]], spent: int
) -> None:
    budget = Budget(limit, min(spent, limit))
    held: list[int] = []
    for reserve, worst, share in steps:
        if reserve and budget.reserve(worst):
            held.append(worst)
        elif held:
            oldest = held.pop(0)
            budget.settle(oldest, None if share is None else int(share * oldest))
        assert budget.spent + budget.reserved <= limit
        assert budget.reserved == sum(held)
        assert budget.left == limit - budget.spent - budget.reserved


@given(limit=AMOUNTS, worst=AMOUNTS, spent=AMOUNTS)
def test_what_fits_exactly_is_let_through_and_no_more(limit: int, worst: int, spent: int) -> None:
    budget = Budget(limit, spent)
    assert budget.reserve(worst) == (spent + worst <= limit)
    assert budget.reserved == (worst if spent + worst <= limit else 0)


def test_sums_are_exact() -> None:
    budget = Budget(PICO)
    for _ in range(10):
        assert budget.reserve(PICO // 10)
    for _ in range(10):
        budget.settle(PICO // 10, PICO // 10)
    assert (budget.spent, budget.left) == (PICO, 0)
    assert not budget.reserve(1)
    assert budget.reserve(0)


def test_an_unknown_cost_counts_as_the_worst_case_and_says_so() -> None:
    budget = Budget(100, spent=10, assumed=5)
    assert budget.reserve(40)
    budget.settle(40, None)
    assert (budget.spent, budget.assumed) == (50, 45)


def test_more_may_have_been_spent_than_is_allowed_now() -> None:
    assert not Budget(100, spent=101).reserve(0)


# --------------------------------------------------------------------------- bills


def attempt(kind: str | None = "bad_gateway", status: int | None = None, **more: Any) -> Attempt:
    return Attempt(started_at="2026-11-24T00:00:00.000Z", duration_s=1.0, kind=kind, status=status, **more)


@pytest.mark.parametrize(
    ("kind", "status", "maybe"),
    [
        ("dns", None, False),
        ("connect_refused", None, False),
        ("connect_timeout", None, False),
        ("tls", None, False),
        ("reset", None, True),
        ("timeout", None, True),
        ("idle_timeout", 200, True),
        ("stream_truncated", 200, True),
        ("bad_gateway", 200, True),  # an error object inside a 200: the model had begun
        ("rate_limit_provider", 429, False),
        ("rate_limit_provider", 200, True),
        ("bad_request", 400, False),
        ("no_endpoint", 404, False),
        ("in_flight_budget", 402, False),
        ("redirect", 302, False),
        ("request_timeout", 408, True),
        ("server_error", 500, True),
        ("bad_gateway", 502, False),
        ("unavailable", 503, False),
        ("overloaded", 529, False),
        ("gateway_timeout", 504, True),
        ("edge_timeout", 524, True),
        ("server_error", 599, True),
        ("a kind of a later version", None, True),
    ],
)
def test_which_failures_may_have_been_billed(kind: str, status: int | None, *, maybe: bool) -> None:
    assert may_be_billed(attempt(kind, status)) is maybe
    assert bill_of(attempt(kind, status)) == (None if maybe else 0)
    assert bill_of(attempt(kind, status, cost_usd=0.5)) == PICO // 2


def test_the_bill_of_an_answer() -> None:
    answered = attempt(None, 200)
    assert bill_of(answered, Completion(text="4", model="m", cost_usd=0.1)) == PICO // 10
    assert bill_of(answered, Completion(text="4", model="m", cost_usd=0.0)) == 0
    assert bill_of(answered, Completion(text="4", model="m")) is None


# --------------------------------------------------------------------------- accounts

WORST = 10**9


def outcome(*attempts: Attempt, trial: str = "t", cost_usd: float | None = None) -> Outcome:
    answered = bool(attempts) and attempts[-1].kind is None
    return Outcome(
        trial=trial,
        question_id="q",
        arm="a",
        repeat=0,
        session_id="s",
        attempts=list(attempts),
        completion=Completion(text="4", model="m", cost_usd=cost_usd) if answered else None,
    )


CUT = attempt("stream_truncated", 200, generation_id="gen-1")
LIMITED = attempt("rate_limit_provider", 429)
PAID = attempt("stream_error", 200, cost_usd=0.25)
ANSWER = attempt(None, 200)


def accounts() -> Accounts:
    return Accounts(lambda outcome: WORST)


def test_every_attempt_of_every_outcome_counts() -> None:
    books = accounts()
    books.ended(outcome(LIMITED, PAID, ANSWER, cost_usd=0.5))
    books.ended(outcome(PAID))  # the same trial, asked again
    assert (books.spent, books.assumed) == (PICO, 0)


def test_attempts_of_unknown_cost_count_as_their_reservations_did() -> None:
    books = accounts()
    books.reserved("t", 7)
    books.reserved("t", 8)
    assert (books.spent, books.assumed) == (15, 15)
    books.ended(outcome(LIMITED, CUT))
    assert (books.spent, books.assumed) == (8, 8)


def test_without_a_reservation_the_worst_case_is_reckoned_anew() -> None:
    books = accounts()
    books.ended(outcome(CUT, ANSWER))
    assert (books.spent, books.assumed) == (2 * WORST, 2 * WORST)


def test_what_a_crash_left_open_counts_at_its_worst_case() -> None:
    books = accounts()
    books.reserved("t", 7)  # the process died here
    books.reserved("t", 7)
    books.reserved("u", 3)
    books.ended(outcome(ANSWER, cost_usd=0.5))
    assert (books.spent, books.assumed) == (PICO // 2 + 10, 10)


def test_a_trial_that_was_given_up_counts_what_it_had_spent() -> None:
    books = accounts()
    books.reserved("t", 7)
    books.reserved("t", 7)
    books.abandoned("t", 2, known=1, assumed=4)
    assert (books.spent, books.assumed) == (5, 4)


def test_a_cost_that_was_looked_up_takes_the_place_of_the_worst_case() -> None:
    books = accounts()
    books.ended(outcome(CUT))
    for _ in range(2):  # looked up twice: told once
        books.looked_up("t", "gen-1", 5, left_open=False)
    assert (books.spent, books.assumed) == (5, 0)
    books.reserved("u", 7)
    books.looked_up("u", "gen-2", 2, left_open=True)
    assert (books.spent, books.assumed) == (7, 0)
    books.looked_up("t", "gen-9", 100, left_open=False)
    assert books.spent == 7


@given(
    st.lists(st.tuples(st.sampled_from("tu"), st.lists(st.sampled_from([LIMITED, CUT, PAID]), min_size=1)))
)
def test_journaling_reservations_changes_no_sum_when_nothing_crashed(
    trials: list[tuple[str, list[Attempt]]],
) -> None:
    with_lines, without = accounts(), accounts()
    for trial, attempts in trials:
        for _ in attempts:
            with_lines.reserved(trial, WORST)
        with_lines.ended(outcome(*attempts, trial=trial))
        without.ended(outcome(*attempts, trial=trial))
    assert (with_lines.spent, with_lines.assumed) == (without.spent, without.assumed)
