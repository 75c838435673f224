"""What happened when: bins, pauses, the pace, and no trace of the order of arrival."""

import random

from routemark.analysis.timeline import MOST_BINS, MOST_STEPS, Attempts, PaceChanged, seconds_since_1970
from routemark.records import Attempt, Completion, Failure, Outcome

START = 1_790_000_000.0


def iso(at: float) -> str:
    whole, part = divmod(round(at * 1000), 1000)
    from datetime import UTC, datetime

    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{part:03d}Z"


def attempt(at: float, kind: str | None = None, cost: float | None = None, duration: float = 0.5) -> Attempt:
    return Attempt(started_at=iso(START + at), duration_s=duration, kind=kind, cost_usd=cost)


def answered(*attempts: Attempt, cost: float | None = 0.01) -> Outcome:
    return _outcome(list(attempts), completion=Completion(text="4", model="m", cost_usd=cost))


def _outcome(attempts: list[Attempt], **ending: Completion | Failure) -> Outcome:
    return Outcome(trial="t", question_id="q", arm="a", repeat=0, session_id="s", attempts=attempts, **ending)


def line(outcomes, pace=()):
    attempts = Attempts()
    for outcome in outcomes:
        attempts.append(outcome)
    return attempts.close(pace)


def test_answers_failed_attempts_and_spending_fall_into_their_bins():
    found = line(
        [
            answered(attempt(0), cost=0.5),
            answered(attempt(10, "rate_limit", cost=0.25), attempt(20), cost=1.0),
            _outcome(
                [attempt(29, "bad_gateway"), attempt(29.2, "rate_limit")],
                failure=Failure(kind="rate_limit", message=""),
            ),
        ]
    )
    assert (found.bin_s, len(found.answers)) == (0.5, 60)
    assert [i for i, count in enumerate(found.answers) if count] == [1, 41]
    assert {kind: sum(counts) for kind, counts in found.failed.items()} == {"rate_limit": 2, "bad_gateway": 1}
    assert list(found.failed) == ["rate_limit", "bad_gateway"], "the most frequent first"
    assert [(i, cost) for i, cost in enumerate(found.spend_usd) if cost] == [(1, 0.5), (21, 0.25), (41, 1.0)]
    assert found.started_at == iso(START)


def test_bins_are_round_and_few_whatever_the_length():
    for last, bin_s in ((0.1, 0.1), (3.0, 0.1), (59.0, 1), (250.0, 5), (3000.0, 60), (9e5, 43200)):
        many = [answered(attempt(last * i / 2000, duration=0.0)) for i in range(2001)]
        found = line(many)
        assert found.bin_s == bin_s
        assert len(found.answers) <= MOST_BINS
        assert sum(found.answers) == 2001


def test_a_pause_is_cut_out_and_told():
    pace = [PaceChanged(START + 5, 40.0, "a clean round"), PaceChanged(START + 50_005, 32.0, "rate_limit")]
    found = line([answered(attempt(0)), answered(attempt(9.5)), answered(attempt(50_010))], pace)
    (pause,) = found.pauses
    assert (pause.at_s, round(pause.length_s, 3)) == (10.0, 50_000.5)
    assert found.bin_s * len(found.answers) < 12
    assert sum(found.answers) == 3
    assert [(step.at_s, step.limit) for step in found.pace] == [(5.0, 40.0), (10.0, 32.0)]


def test_the_order_of_arrival_leaves_no_trace():
    draw = random.Random(3)
    outcomes = [answered(attempt(draw.random() * 40), cost=draw.random()) for _ in range(300)]
    told = line(outcomes)
    draw.shuffle(outcomes)
    assert line(outcomes) == told


def test_a_long_history_of_the_pace_is_thinned():
    pace = [PaceChanged(START + i / 100, float(i), "") for i in range(10_000)]
    found = line([answered(attempt(0)), answered(attempt(100))], pace)
    assert len(found.pace) <= MOST_STEPS
    assert (found.pace[0].limit, found.pace[-1].limit) == (0.0, 9999.0)


def test_without_a_time_there_is_no_line():
    assert line([]) is None
    assert (
        line([_outcome([Attempt(started_at="soon", duration_s=1.0)], failure=Failure(kind="x", message=""))])
        is None
    )
    assert seconds_since_1970("2026-11-24T06:48:28") == seconds_since_1970("2026-11-24T06:48:28Z")
