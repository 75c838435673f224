"""The purse: in plan order, never over the limit, and nobody waits for ever."""

import asyncio
import contextlib
import random
from typing import Any

import pytest

from routemark.engine.purse import ABANDONED, RESERVED, BudgetPurse, TrialTab, account, usd
from routemark.journal import Event
from routemark.policy.budget import Accounts, Budget
from routemark.records import Arm, Attempt, Completion, Question, Trial
from routemark.wire.prices import PICO, Ceiling, Step

CENT = PICO // 100
QUESTION = Question(id="q", difficulty="easy", question="?")


def trial(n: int, arm: str) -> Trial:
    return Trial(
        key=f"{n:024x}", question=QUESTION, arm=Arm(name=arm, model=arm), repeat=0, session_id=f"s{n}"
    )


class World:
    """A purse, what it journaled, and the stop it called for."""

    def __init__(self, limit: int, *, spent: int = 0, **worst: int) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.stops: list[tuple[str, int]] = []
        self.sent: list[str] = []
        ceilings = {
            name: Ceiling(steps=(Step(-1, 0, amount),), dearest=f"model-{name}", completion_tokens=1_000)
            for name, amount in worst.items()
        }
        self.purse = BudgetPurse(
            Budget(limit, spent),
            ceilings,
            record=lambda name, data: self.events.append((name, data)),
            run="r",
        )
        self.purse.on_empty = lambda reason, code: self.stops.append((reason, code))

    def open(self, n: int, arm: str) -> TrialTab:
        return self.purse.open(trial(n, arm), 0)


def attempt(status: int = 200, cost_usd: float | None = None, kind: str | None = "stream_error") -> Attempt:
    return Attempt(started_at="", duration_s=0.0, status=status, kind=kind, cost_usd=cost_usd)


def paid(tab: TrialTab, cents: float) -> None:
    tab.send()
    tab.settle(attempt(kind=None), Completion(text="", model="m", cost_usd=cents / 100))


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_nothing_cheaper_is_slipped_in_behind_who_waits() -> None:
    async def scenario() -> None:
        world = World(10 * CENT, dear=6 * CENT, cheap=1 * CENT)
        first, second, third = world.open(1, "dear"), world.open(2, "dear"), world.open(3, "cheap")
        assert await first.reserve()
        waiting = [asyncio.create_task(tab.reserve()) for tab in (second, third)]
        await turn()
        assert not any(task.done() for task in waiting), "cheap would fit, but is not its turn"
        paid(first, 1)
        await turn()
        assert [task.result() for task in waiting] == [True, True]
        assert world.stops == []

    asyncio.run(scenario())


def test_who_asks_again_goes_before_who_has_not_begun() -> None:
    async def scenario() -> None:
        world = World(12 * CENT, a=6 * CENT)
        one, two, new = (world.open(n, "a") for n in range(3))
        assert await one.reserve()
        assert await two.reserve()
        waiting = asyncio.create_task(new.reserve())
        one.send()
        one.settle(attempt(), None)  # may have been billed: 6 of 12 are gone, 6 are set aside
        again = asyncio.create_task(one.reserve())
        await turn()
        assert not waiting.done()
        assert not again.done()
        paid(two, 0)
        await turn()
        assert again.result() is True
        assert not waiting.done()

    asyncio.run(scenario())


def test_the_run_stops_when_nothing_under_way_can_make_room() -> None:
    async def scenario() -> None:
        world = World(10 * CENT, a=6 * CENT)
        with world.open(1, "a") as first:
            assert await first.reserve()
            waiting = asyncio.create_task(world.open(2, "a").reserve())
            paid(first, 5)
            await turn()
            assert not waiting.done(), "the first may ask again, and goes before"
            assert world.stops == []
        await turn()
        assert waiting.result() is False
        ((reason, code),) = world.stops
        assert code == 4
        for words in ("$0.05 of --max-cost $0.1 is spent", "up to $0.06", "model-a", "(at least $0.11)"):
            assert words in reason
        assert "routemark resume r --max-cost MORE" in reason
        assert await world.open(3, "a").reserve() is False

    asyncio.run(scenario())


def test_a_retry_that_no_longer_fits_is_turned_away_and_stops_the_run() -> None:
    async def scenario() -> None:
        world = World(10 * CENT, a=6 * CENT)
        with world.open(1, "a") as tab:
            assert await tab.reserve()
            tab.send()
            tab.settle(attempt(), None)
            assert await tab.reserve() is False
        assert "$0.06 of it the worst case of requests that did not tell their cost" in world.stops[0][0]

    asyncio.run(scenario())


def test_a_first_request_that_cannot_fit_sends_nothing() -> None:
    async def scenario() -> None:
        world = World(5 * CENT, a=6 * CENT)
        assert await world.open(1, "a").reserve() is False
        assert world.events == []
        assert "$0 of --max-cost $0.05" in world.stops[0][0]

    asyncio.run(scenario())


def test_closing_cancels_who_waits_and_stops_nothing_again() -> None:
    async def scenario() -> None:
        world = World(10 * CENT, a=6 * CENT)
        first = world.open(1, "a")
        assert await first.reserve()
        waiting = asyncio.create_task(world.open(2, "a").reserve())
        await turn()
        world.purse.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(asyncio.CancelledError):
            await world.open(3, "a").reserve()
        paid(first, 5)
        assert world.stops == []

    asyncio.run(scenario())


def test_a_cancelled_waiter_passes_its_turn_on() -> None:
    async def scenario() -> None:
        world = World(10 * CENT, dear=20 * CENT, a=6 * CENT)

        async def ask(n: int, arm: str) -> bool:
            with world.open(n, arm) as tab:
                return await tab.reserve()

        with world.open(1, "a") as first:
            assert await first.reserve()
            dear, cheap = asyncio.create_task(ask(2, "dear")), asyncio.create_task(ask(3, "a"))
            await turn()
            dear.cancel()
            paid(first, 1)
            await asyncio.wait_for(cheap, 1)
        assert world.stops == []

    asyncio.run(scenario())


async def cut_off(tab: TrialTab) -> None:
    with contextlib.suppress(asyncio.CancelledError), tab:
        assert await tab.reserve()
        tab.send()
        raise asyncio.CancelledError


def test_what_is_set_aside_and_not_sent_is_given_back_and_what_was_sent_is_not() -> None:
    async def scenario() -> None:
        world = World(100 * CENT, a=6 * CENT)
        with world.open(1, "a") as tab:
            assert await tab.reserve()
        assert world.purse.budget.spent == 0
        assert world.events == []
        await cut_off(world.open(2, "a"))
        assert world.purse.budget.spent == world.purse.budget.assumed == 6 * CENT
        names = [name for name, _ in world.events]
        assert names == [RESERVED, ABANDONED]
        assert world.events[1][1] | {"trial": ""} == {
            "trial": "", "requests": 1, "known_usd": 0.0, "assumed_usd": 0.06,
        }  # fmt: skip
        assert world.purse.budget.reserved == 0

    asyncio.run(scenario())


def test_a_bill_above_the_listed_prices_stops_the_run() -> None:
    async def scenario() -> None:
        world = World(100 * CENT, a=6 * CENT)
        tab = world.open(1, "a")
        assert await tab.reserve()
        paid(tab, 7)
        ((reason, code),) = world.stops
        assert code == 4
        assert "billed $0.07, more than the $0.06 that the listed prices allow" in reason

    asyncio.run(scenario())


async def live(world: World, n: int, draw: random.Random) -> None:
    """Let one trial live and die: it asks again, is answered, or is cut off."""
    with contextlib.suppress(asyncio.CancelledError), world.open(n, draw.choice("abc")) as tab:
        while await tab.reserve():
            assert world.purse.budget.spent + world.purse.budget.reserved <= world.purse.budget.limit
            await asyncio.sleep(draw.random() / 1_000)
            tab.send()
            await asyncio.sleep(draw.random() / 1_000)
            fate = draw.random()
            if fate < 0.1:
                asyncio.current_task().cancel()  # type: ignore[union-attr]
                await asyncio.sleep(0)
            elif fate < 0.7:
                paid(tab, draw.random() * tab.worst / CENT)
                break
            else:
                tab.settle(attempt(draw.choice([200, 429])), None)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_the_limit_holds_and_the_end_comes(seed: int) -> None:
    """Fifty at once, retries, trials cut off and unknown bills, prices over three decades."""
    draw = random.Random(seed)
    world = World(draw.randrange(1, 300) * CENT, a=CENT // 10, b=3 * CENT, c=80 * CENT)

    async def scenario() -> None:
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            for n in range(400):
                group.create_task(live(world, n, draw))

    asyncio.run(scenario())
    budget = world.purse.budget
    assert budget.spent <= budget.limit
    assert budget.reserved == world.purse._begun == 0
    assert len(world.stops) <= 1


def test_the_journals_events_add_up_again() -> None:
    books = Accounts(lambda outcome: 0)
    for name, data in (
        (RESERVED, {"trial": "t", "worst_usd": 0.07}),
        (RESERVED, {"trial": "u", "worst_usd": 0.01}),
        (ABANDONED, {"trial": "t", "requests": 1, "known_usd": 0.02, "assumed_usd": 0.0}),
        ("audit", {"trial": "u", "generation_id": "g", "cost_usd": 0.005, "left_open": True}),
        ("pace", {"limit": 3}),
    ):
        account(Event(event=name, at="", data=data), books)
    assert (books.spent, books.assumed) == (25 * CENT // 10, 0)


@pytest.mark.parametrize(
    ("picodollars", "text"),
    [
        (0, "$0"),
        (PICO, "$1"),
        (5 * PICO // 10, "$0.5"),
        (123_456_789_012, "$0.1235"),
        (1_234_567_890, "$0.001235"),
        (1_234_567 * PICO, "$1,234,567"),
        (1, "$0.000000000001"),
    ],
)
def test_sums_are_never_written_as_less_than_they_are(picodollars: int, text: str) -> None:
    assert usd(picodollars) == text
