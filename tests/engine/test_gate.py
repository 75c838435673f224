"""The gate: never more in flight than the pace allows, and nobody waits for ever."""

import asyncio
import math
import time

import pytest

from routemark.engine.gate import Gate
from routemark.errors import FailureKind
from routemark.policy.free import FreeLimits
from routemark.policy.pacing import Pace
from routemark.records import Arm
from routemark.wire.failures import Refusal, refused


def refusal(kind: FailureKind, retry_after_s: float | None = None) -> Refusal:
    return Refusal(kind=kind, message="", retryable=True, retry_after_s=retry_after_s)


def test_no_more_than_the_limit_are_in_flight_and_all_get_through() -> None:
    async def scenario() -> int:
        gate = Gate(Pace(7, fixed=True))
        through = 0

        async def one() -> None:
            nonlocal through
            await gate.admit("a")
            assert gate.in_flight <= 7
            await asyncio.sleep(0)
            through += 1
            gate.release("a", None)

        async with asyncio.TaskGroup() as group:
            for _ in range(500):
                group.create_task(one())
        assert gate.peak == 7
        return through

    assert asyncio.run(scenario()) == 500


def test_waiters_go_first_come_first_served() -> None:
    async def scenario() -> list[int]:
        gate = Gate(Pace(1, fixed=True))
        order: list[int] = []

        async def one(n: int) -> None:
            await gate.admit("a")
            order.append(n)
            gate.release("a", None)

        async with asyncio.TaskGroup() as group:
            for n in range(20):
                group.create_task(one(n))
        return order

    assert asyncio.run(scenario()) == list(range(20))


def test_a_cancelled_waiter_passes_its_turn_on() -> None:
    async def scenario() -> None:
        gate = Gate(Pace(1, fixed=True))
        await gate.admit("a")
        waiters = [asyncio.create_task(gate.admit("a")) for _ in range(2)]
        await asyncio.sleep(0)
        gate.release("a", None)
        waiters[0].cancel()  # it has just been given the turn
        await asyncio.wait_for(waiters[1], 1)

    asyncio.run(scenario())


def test_closing_cancels_those_who_wait_and_those_who_sleep_but_not_those_in_flight() -> None:
    async def scenario() -> None:
        gate = Gate(Pace(1, fixed=True))
        await gate.admit("a")
        waiting = asyncio.create_task(gate.admit("a"))
        sleeping = asyncio.create_task(gate.sleep(3600))
        await asyncio.sleep(0.01)
        gate.close()
        for task in (waiting, sleeping):
            with pytest.raises(asyncio.CancelledError):
                await task
        gate.release("a", None)
        with pytest.raises(asyncio.CancelledError):
            await gate.admit("a")

    asyncio.run(scenario())


def test_the_platforms_pause_holds_everybody_back() -> None:
    async def scenario() -> float:
        gate = Gate(Pace(5, fixed=True))
        await gate.admit("a")
        gate.release("a", refusal(FailureKind.RATE_LIMIT_PLATFORM, 0.1))
        start = time.monotonic()
        await gate.admit("b")
        return time.monotonic() - start

    assert asyncio.run(scenario()) >= 0.09


def test_a_providers_pause_holds_only_its_arm_back() -> None:
    async def scenario() -> None:
        gate = Gate(Pace(5, fixed=True))
        await gate.admit("a")
        gate.release("a", refusal(FailureKind.RATE_LIMIT_PROVIDER, 600))
        await asyncio.wait_for(gate.admit("b"), 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(gate.admit("a"), 0.05)

    asyncio.run(scenario())


def test_every_change_of_the_pace_is_told_when_it_happens() -> None:
    async def scenario() -> list[str]:
        gate, heard = Gate(Pace(100)), list[str]()
        gate.on_change = lambda change: heard.append(f"{change.limit:g} {change.reason}")
        for _ in range(20):
            await gate.admit("a")
            gate.release("a", None)
        assert heard == ["40 a clean round"]
        await gate.admit("a")
        gate.release("a", refusal(FailureKind.RATE_LIMIT_PLATFORM))
        return heard

    assert asyncio.run(scenario()) == ["40 a clean round", "32 rate_limit_platform"]


def test_only_a_response_counts_as_heard() -> None:
    async def scenario() -> None:
        gate = Gate(Pace(5))
        await gate.admit("a")
        gate.release("a", refusal(FailureKind.CONNECT_REFUSED))
        assert gate.heard_at == -math.inf
        await gate.admit("a")
        gate.release("a", refused(FailureKind.BAD_GATEWAY, "m", status=502))
        first = gate.heard_at
        assert first > 0
        await gate.admit("a")
        gate.release("a", None)
        assert gate.heard_at >= first

    asyncio.run(scenario())


def test_a_day_that_is_used_up_lets_nobody_through_and_says_so() -> None:
    async def scenario() -> None:
        free = FreeLimits([Arm(name="f", model="x:free")])
        free.remaining = 2
        gate, told = Gate(Pace(5, free=free)), list[str]()
        gate.on_spent = lambda: told.append("spent")
        for _ in range(2):
            await gate.admit("f")
        with pytest.raises(asyncio.CancelledError):
            await gate.admit("f")
        await gate.admit("paid")
        assert (told, gate.in_flight) == (["spent"], 3)

    asyncio.run(scenario())


def test_free_requests_beyond_the_minute_wait_and_others_do_not() -> None:
    async def scenario() -> None:
        gate = Gate(Pace(50, fixed=True, free=FreeLimits([Arm(name="f", model="x:free")])))
        for _ in range(20):
            await asyncio.wait_for(gate.admit("f"), 1)
        await asyncio.wait_for(gate.admit("paid"), 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(gate.admit("f"), 0.05)

    asyncio.run(scenario())
