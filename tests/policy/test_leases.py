"""Leases: what workers have in flight together never exceeds the limit, nothing lies idle, nobody starves.

The workers are simulated with a clock of our own: messages take a random time, and workers die and join.
"""

import functools
import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routemark.policy.leases import Lease, Leases


def dealt(limit: float, wishes: dict[str, int]) -> dict[str, int]:
    leases = Leases(limit)
    for name, wanted in wishes.items():
        leases.join(name)
        leases.wants(name, wanted)
    return {name: lease.slots for name, lease in leases.deal().items()}


@pytest.mark.parametrize(
    ("limit", "wishes", "given"),
    [
        (20, {"a": 33}, {"a": 20}),
        (20, {"a": 5}, {"a": 5}),
        (20, {"a": 33, "b": 33, "c": 33}, {"a": 7, "b": 7, "c": 6}),
        (20, {"a": 2, "b": 33, "c": 33}, {"a": 2, "b": 9, "c": 9}),
        (20, {"a": 0, "b": 3}, {"b": 3}),
        (20.9, {"a": 33}, {"a": 20}),
        (1, {"a": 9, "b": 9}, {"a": 1}),
        (0.3, {"a": 9}, {"a": 1}),
    ],
)
def test_slots_are_shared_fairly(limit: float, wishes: dict[str, int], given: dict[str, int]) -> None:
    assert dealt(limit, wishes) == given


def test_a_settled_share_is_not_dealt_anew() -> None:
    leases = Leases(20)
    for name in "abc":
        leases.join(name)
        leases.wants(name, 33)
    leases.deal()
    for wanted in (30, 34, 31):
        leases.wants("b", wanted)
        assert leases.deal() == {}
    leases.wants("a", 0)
    leases.wants("b", 5)
    assert leases.deal() == {"a": Lease(2, 0), "b": Lease(2, 5)}, "c is short, so it is taken back"
    leases.acknowledged("a", 2, in_flight=0)
    leases.acknowledged("b", 2, in_flight=5)
    assert leases.deal() == {"c": Lease(2, 15)}


def test_a_slot_is_given_on_only_when_its_worker_has_acknowledged() -> None:
    leases = Leases(4)
    leases.join("a")
    leases.wants("a", 4)
    assert leases.deal() == {"a": Lease(1, 4)}
    leases.acknowledged("a", 1, in_flight=4)
    leases.join("b")
    leases.wants("b", 4)
    assert leases.deal() == {"a": Lease(2, 2)}
    leases.acknowledged("a", 1, in_flight=4)
    assert leases.deal() == {}, "it has not seen it"
    leases.acknowledged("a", 2, in_flight=3)
    assert leases.deal() == {"b": Lease(1, 1)}
    leases.acknowledged("a", 2, in_flight=2)
    assert leases.deal() == {"b": Lease(2, 2)}


def test_one_slot_goes_round() -> None:
    leases = Leases(1)
    for name in "abc":
        leases.join(name)
        leases.wants(name, 5)
    served = []
    for _ in range(9):
        told = leases.deal()
        for name, lease in told.items():
            served += [name] * lease.slots
            leases.acknowledged(name, lease.number, in_flight=0)
    assert set(served) == set("abc")


def test_what_a_worker_held_is_free_once_it_is_gone() -> None:
    leases = Leases(4)
    for name in "ab":
        leases.join(name)
        leases.wants(name, 4)
    leases.deal()
    assert leases.held == 4
    leases.leave("a")
    assert leases.held == 2
    assert leases.deal() == {"b": Lease(2, 4)}


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40), st.booleans()), max_size=60), st.data())
@settings(max_examples=150, deadline=None)
def test_bounds_never_exceed_the_limit_while_it_does_not_fall(
    events: list[tuple[int, int, bool]], data: st.DataObject
) -> None:
    leases = Leases(data.draw(st.integers(1, 30)))
    seen: dict[str, Lease] = {}
    flying: dict[str, int] = {}
    for number, wanted, goes in events:
        name = str(number)
        if goes and name in flying:
            leases.leave(name)
            del flying[name]
        else:
            if name not in flying:
                leases.join(name)
                seen[name], flying[name] = Lease(0, 0), 0
            leases.wants(name, wanted)
        arrived = [change for change in leases.deal().items() if data.draw(st.booleans())]
        seen.update(arrived)  # the others are on their way
        for each, before in flying.items():
            flying[each] = data.draw(st.integers(0, max(before, seen[each].slots)))
            leases.acknowledged(each, seen[each].number, flying[each])
        assert sum(flying.values()) <= leases.held <= leases.limit


# --------------------------------------------------------------------------- 200 workers, a clock of our own


NOTHING = Lease(0, 0)


@dataclass
class Worker:
    """Has trials, sends as many requests as its lease allows, and reports after each change."""

    name: str
    trials: int = 0
    in_flight: int = 0
    lease: Lease = NOTHING
    alive: bool = True
    served: int = 0


@dataclass
class World:
    """Workers, a driver that keeps them stocked, and messages that take up to 50 ms."""

    limit: float
    workers: int
    concurrency: int
    trials: int
    seed: int = 0
    now: float = 0.0
    messages: int = 0
    peak: int = 0
    busy: float = 0.0
    done: int = 0
    lost: int = 0
    left: int = 0
    falls_until: float = 0.0
    due: bool = False
    crew: dict[str, Worker] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        self.leases = Leases(self.limit)
        self.given = Counter[str]()
        self.left = self.trials
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.ids = itertools.count()
        for number in range(self.workers):
            self.join(f"w{number}")

    def later(self, delay: float, what: Callable[[], None]) -> None:
        heapq.heappush(self.events, (self.now + delay, next(self.ids), what))

    def send(self, what: Callable[[], None]) -> None:
        self.messages += 1
        self.later(self.draw.uniform(0.001, 0.05), what)

    def join(self, name: str) -> None:
        self.crew[name] = Worker(name)
        self.leases.join(name)

    def kill(self, name: str) -> None:
        worker = self.crew[name]
        worker.alive = False
        self.left += self.given.pop(name)
        self.lost += worker.in_flight
        self.leases.leave(name)
        del self.crew[name]
        self.stock_soon()

    # the driver
    def stock_soon(self) -> None:
        """Stock once for all that comes in within 2 ms."""
        if not self.due:
            self.due = True
            self.later(0.002, self.stock)

    def stock(self) -> None:
        """Give trials to those who have the fewest, as the driver does, and deal."""
        self.due = False
        room = self.concurrency - sum(self.given.values())
        order = [(self.given[name], name) for name in self.crew]
        heapq.heapify(order)
        fresh = Counter[str]()
        for _ in range(min(room, self.left)):
            load, name = heapq.heappop(order)
            fresh[name] += 1
            heapq.heappush(order, (load + 1, name))
        self.left -= sum(fresh.values())
        for name, count in fresh.items():
            self.given[name] += count
            self.leases.wants(name, self.given[name])
            worker = self.crew[name]
            self.send(functools.partial(self.take, worker, count))
        for name, lease in self.leases.deal().items():
            worker = self.crew[name]
            self.send(functools.partial(self.told, worker, lease))
        if not self.falls_until or self.now > self.falls_until:
            assert sum(worker.in_flight for worker in self.crew.values()) <= int(self.leases.limit)

    def reported(self, worker: Worker, number: int, in_flight: int, ended: int) -> None:
        name = worker.name
        if not worker.alive:
            return
        self.done += ended
        self.given[name] -= ended
        self.leases.wants(name, self.given[name])
        self.leases.acknowledged(name, number, in_flight)
        self.stock_soon()

    # a worker
    def take(self, worker: Worker, count: int) -> None:
        worker.trials += count
        self.go(worker)

    def told(self, worker: Worker, lease: Lease) -> None:
        if lease.number > worker.lease.number:
            worker.lease = lease
            self.go(worker)
            self.report(worker, 0)

    def go(self, worker: Worker) -> None:
        while worker.alive and worker.trials and worker.in_flight < worker.lease.slots:
            worker.trials -= 1
            worker.in_flight += 1
            self.later(self.draw.uniform(0.5, 2.0), functools.partial(self.ended, worker))

    def ended(self, worker: Worker) -> None:
        worker.in_flight -= 1
        worker.served += 1
        if worker.alive:
            self.go(worker)
            self.report(worker, 1)

    def report(self, worker: Worker, ended: int) -> None:
        number, in_flight = worker.lease.number, worker.in_flight
        self.send(functools.partial(self.reported, worker, number, in_flight, ended))

    def run(self, until: float = float("inf")) -> None:
        if not self.now:
            self.stock()
        while self.events and self.events[0][0] <= until:
            at, _, what = heapq.heappop(self.events)
            flying = sum(worker.in_flight for worker in self.crew.values())
            self.busy += flying * (at - self.now)
            self.now = at
            what()


def test_two_hundred_workers_use_the_limit_and_never_exceed_it() -> None:
    world = World(limit=1000, workers=200, concurrency=2000, trials=5000)
    world.run()
    assert world.done == 5000
    assert world.busy / (1000 * world.now) > 0.8, "slots lie idle"
    assert world.messages < 3 * 5000, "leases are told more often than trials"
    assert min(worker.served for worker in world.crew.values()) > 0


def test_fewer_slots_than_workers_go_round() -> None:
    world = World(limit=10, workers=200, concurrency=400, trials=600)
    world.run()
    assert world.done == 600
    assert world.busy / (10 * world.now) > 0.7
    assert min(worker.served for worker in world.crew.values()) > 0, "a worker starved"


def test_a_limit_that_falls_and_rises_is_followed() -> None:
    world = World(limit=800, workers=200, concurrency=1600, trials=4000)
    world.run(until=2)
    world.leases.limit, world.falls_until = 50, 2 + 2.0 + 0.1  # the longest request, and a message
    world.run(until=6)
    assert sum(worker.in_flight for worker in world.crew.values()) <= 50
    world.leases.limit = 800
    world.run()
    assert world.done == 4000


def test_workers_that_die_return_what_they_held_and_others_take_their_place() -> None:
    world = World(limit=400, workers=200, concurrency=800, trials=3500)
    world.run(until=3)
    for number in range(100):
        world.kill(f"w{number}")
    world.run(until=6)
    assert sum(worker.in_flight for worker in world.crew.values()) > 300, "the others have the slots now"
    for number in range(50):
        world.join(f"n{number}")
    world.run()
    assert world.done == 3500
    assert all(world.crew[f"n{number}"].served for number in range(50))
    assert world.leases.held <= 400
