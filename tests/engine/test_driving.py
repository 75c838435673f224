"""The driver with 200 workers, real but for the gateway and the clock: no slot lies idle, no dollar is spent twice."""

from collections import Counter

from benchmarks.driving import WORST_USD, World, drive

from routemark.engine.cluster_worker import HEARTBEAT_S
from routemark.wire.prices import PICO


def test_two_hundred_workers_are_kept_busy_by_slots_and_dollars_that_the_driver_hands_out() -> None:
    done = drive(1500, 200, slots=300, concurrency=600, max_cost_usd=1500 * WORST_USD)
    assert len({one.trial for one in done.outcomes}) == len(done.outcomes) == 1500
    assert done.world.peak <= 300
    assert done.world.busy_s / (300 * done.took_s) > 0.7, "slots lie idle"
    heartbeats = 200 * done.took_s / HEARTBEAT_S
    assert done.world.messages - heartbeats < 3 * 1500, "they speak more than they ask"
    assert done.budget is not None
    assert done.budget.reserved == 0
    assert len({id(here) for here in done.world.team}) == 200


def test_a_budget_holds_while_workers_die_and_lost_requests_count_at_their_worst() -> None:
    limit = 300 * WORST_USD

    def shoot(world: World, done: int) -> None:
        assert world.billed_usd <= limit
        if done % 40 == 0:
            world.team[done // 40].dismiss()

    done = drive(1000, 200, slots=100, concurrency=400, max_cost_usd=limit, during=shoot)
    assert done.stopped is not None
    assert "--max-cost" in done.stopped
    assert 0.5 * limit < done.world.billed_usd <= limit
    lost = [one for one in done.outcomes if one.attempts[0].kind == "worker_lost"]
    assert lost
    assert done.budget is not None
    assert done.budget.spent <= done.budget.limit
    assert done.budget.reserved == 0
    assert done.budget.assumed >= len(lost) * WORST_USD * PICO
    asked_twice = Counter(times for times in done.world.sent.values())
    assert set(asked_twice) <= {1, 2}
    assert asked_twice[2] <= len(lost)
