"""The pace as a table of events on a fake clock."""

import pytest

from routemark.errors import FailureKind
from routemark.policy.pacing import COOLDOWN_S, Pace


def answer(pace: Pace, count: int, now: float = 0.0) -> None:
    for _ in range(count):
        pace.answered(now)


def test_starts_at_20_and_doubles_after_each_clean_round_up_to_the_ceiling() -> None:
    pace = Pace(100)
    seen = [pace.limit]
    for _ in range(4):
        answer(pace, int(pace.limit))
        seen.append(pace.limit)
    assert seen == [20, 40, 80, 100, 100]


def test_a_low_ceiling_is_the_start() -> None:
    assert Pace(5).limit == 5


def test_a_round_that_is_not_full_changes_nothing() -> None:
    pace = Pace(100)
    answer(pace, 19)
    assert pace.limit == 20


def test_a_rate_limit_shrinks_once_an_episode() -> None:
    pace = Pace(100)
    for _ in range(10):
        pace.refused("a", FailureKind.RATE_LIMIT_PLATFORM, None, now=1.0)
    assert pace.limit == 16
    pace.refused("a", FailureKind.RATE_LIMIT_PLATFORM, None, now=1.0 + COOLDOWN_S)
    assert pace.limit == pytest.approx(12.8)


def test_after_a_rate_limit_growth_is_slow_and_waits_for_the_cooldown() -> None:
    pace = Pace(100)
    pace.refused("a", FailureKind.RATE_LIMIT_PROVIDER, None, now=0.0)
    answer(pace, 100, now=1.0)
    assert pace.limit == 16
    answer(pace, 16, now=COOLDOWN_S + 1)
    assert 16 < pace.limit < 18


@pytest.mark.parametrize("kind", [FailureKind.BAD_GATEWAY, FailureKind.TIMEOUT, FailureKind.RESET])
def test_server_errors_and_timeouts_stop_growth_but_do_not_shrink(kind: FailureKind) -> None:
    pace = Pace(100)
    pace.refused("a", kind, None, now=0.0)
    answer(pace, 50, now=1.0)
    assert pace.limit == 20
    answer(pace, 50, now=COOLDOWN_S + 1)
    assert pace.limit > 20


def test_a_refusal_that_says_nothing_of_load_disturbs_nothing_but_the_round() -> None:
    pace = Pace(100)
    pace.refused("a", FailureKind.BAD_REQUEST, 30.0, now=0.0)
    assert pace.ready_at("a") == 0
    answer(pace, 20, now=0.0)
    assert pace.limit == 40


def test_the_platforms_retry_after_pauses_all_arms_a_providers_only_its_own() -> None:
    pace = Pace(100)
    pace.refused("a", FailureKind.RATE_LIMIT_PROVIDER, 5.0, now=10.0)
    assert (pace.ready_at("a"), pace.ready_at("b")) == (15.0, 0.0)
    pace.refused("a", FailureKind.RATE_LIMIT_PLATFORM, 2.0, now=10.0)
    assert (pace.ready_at("a"), pace.ready_at("b")) == (15.0, 12.0)


def test_the_limit_never_falls_below_one() -> None:
    pace = Pace(3)
    for episode in range(50):
        pace.refused("a", FailureKind.IN_FLIGHT_BUDGET, None, now=episode * 100.0)
    assert pace.limit == 1


def test_a_fixed_pace_stays_but_still_waits_when_asked_to() -> None:
    pace = Pace(64, fixed=True)
    pace.refused("a", FailureKind.RATE_LIMIT_PLATFORM, 3.0, now=0.0)
    answer(pace, 1000)
    assert pace.limit == 64
    assert pace.ready_at("b") == 3.0


def test_every_change_is_kept_with_its_reason() -> None:
    pace = Pace(100)
    answer(pace, 20, now=1.0)
    pace.refused("a", FailureKind.RATE_LIMIT_PLATFORM, None, now=2.0)
    assert [(c.at_s, c.limit, c.reason) for c in pace.history] == [
        (1.0, 40.0, "a clean round"),
        (2.0, 32.0, "rate_limit_platform"),
    ]


def test_a_wait_longer_than_a_trial_may_take_pauses_nobody() -> None:
    pace = Pace(100, longest_pause_s=60.0)
    pace.refused("a", FailureKind.RATE_LIMIT_PLATFORM, 86400.0, now=0.0)
    pace.refused("a", FailureKind.RATE_LIMIT_PROVIDER, 61.0, now=0.0)
    assert pace.ready_at("a") == 0.0
    assert pace.limit == 16
    pace.refused("a", FailureKind.RATE_LIMIT_PLATFORM, None, now=COOLDOWN_S)
    assert pace.limit == pytest.approx(12.8), "the episode did not last for a day"
    pace.refused("a", FailureKind.RATE_LIMIT_PLATFORM, 60.0, now=0.0)
    assert pace.ready_at("b") == 60.0


def test_an_hour_of_standing_still_ends_pauses_and_breaks_nothing() -> None:
    pace = Pace(100)
    pace.refused("a", FailureKind.RATE_LIMIT_PLATFORM, 30.0, now=0.0)
    later = 3600.0
    assert pace.ready_at("a") < later
    answer(pace, 16, now=later)
    assert pace.limit > 16
