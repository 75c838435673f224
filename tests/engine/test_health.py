"""The client's own share, from known samples and from a loop that was really blocked."""

import asyncio
import contextlib
import time

import pytest

from routemark.engine.health import HealthMonitor
from routemark.records import Arm, Completion, Outcome, Question, Trial

TRIAL = Trial(
    key="0" * 24,
    question=Question(id="q", difficulty="easy", question="?"),
    arm=Arm(name="a", model="a"),
    repeat=0,
    session_id="s",
)


def outcome(queue_s: float, latency_s: float) -> Outcome:
    return Outcome(
        trial=TRIAL.key,
        question_id="q",
        arm="a",
        repeat=0,
        session_id="s",
        attempts=[],
        completion=Completion(text="", model="m", latency_s=latency_s),
        queue_s=queue_s,
    )


def test_nothing_measured_is_unknown_not_zero() -> None:
    report = HealthMonitor().report()
    assert (report.loop_lag_p99_s, report.queue_p99_s, report.limited) == (None, None, False)


@pytest.mark.parametrize(("queue_s", "limited"), [(0.009, False), (0.011, True)])
def test_a_share_above_five_percent_of_the_median_latency_is_limited(queue_s: float, limited: bool) -> None:
    monitor = HealthMonitor()
    for _ in range(10):
        monitor.saw(TRIAL, outcome(queue_s, 0.2), None)
    report = monitor.report()
    assert report.queue_p99_s == pytest.approx(queue_s)
    assert report.limited is limited


def test_a_blocked_loop_is_seen() -> None:
    async def scenario() -> float | None:
        monitor = HealthMonitor()
        watch = asyncio.create_task(monitor.watch_loop())
        await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251 - the fault itself
        await asyncio.sleep(0.06)
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch
        return monitor.report().loop_lag_p99_s

    lag = asyncio.run(scenario())
    assert lag is not None
    assert lag > 0.2
