"""The trials of a run that follows its routers: the plan's, and behind each window what its picks make due.

Whoever takes a trial while only trials in flight can tell what comes next waits for their outcomes, and for
nothing else; so workers stay until the last window's picks are known.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from routemark import baselines
from routemark.engine.roster import Roster
from routemark.policy import plan
from routemark.policy.baselines import Cells, Due, Pick
from routemark.policy.plan import Place, Plan
from routemark.policy.stopping import NOT_SERVED_SO, Unserved
from routemark.records import Grade, Outcome, Trial
from routemark.rundir import Ledger


class Following:
    """Gives trials to workers, and hears of their outcomes; an Observer, too."""

    def __init__(
        self, planned: Iterator[Trial], made_of: Plan, ledger: Ledger, cells: Cells, roster: Roster
    ) -> None:
        """``planned``: the trials of the plan ``made_of`` that the ledger lacks; ``cells``: no window closed."""
        run = ledger.run
        self._planned = planned
        self._plan = made_of
        self._ledger = ledger
        self._cells = cells
        self._roster = roster
        self._routers = {run.arms[index].name: index for index in baselines.routers(run)}
        self._joined_before = {arm.name: index for index, arm in enumerate(run.all_arms)}
        self._left = baselines.left_in_windows(ledger, cells)
        self._served: dict[int, list[tuple[int, int, str]]] = {}
        """Window -> (router, position, model that served) of the answers of this process."""
        self._position: dict[int, dict[str, int]] = {}
        """Window that is under way -> question id -> position."""
        self._due: deque[Iterator[Trial]] = deque()
        self._unserved = Unserved(NOT_SERVED_SO)
        self._closing = self._stopped = False
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def added(self) -> int:
        """Number of trials that joined the plan so far, earlier processes' included."""
        return self._cells.total * self._plan.repeats

    # ----------------------------------------------------------------- for workers

    async def take(self) -> Trial | None:
        """Give what is due behind a window, else the plan's next trial; None: there will be no more."""
        while not self._stopped:
            if self._is_ready() and not self._closing:
                await self._close_windows()
            trial = self._next_due() or next(self._planned, None)
            if trial is not None:
                return trial
            if self._cells.closed == self._cells.windows and not self._closing:
                return None
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter
        return None

    def close(self) -> None:
        """Let nobody wait any more: the run stops."""
        self._stopped = True
        self._wake()

    def saw(self, trial: Trial, outcome: Outcome, grade: Grade | None) -> None:  # noqa: ARG002 - an Observer
        """Note who served a router's trial, and whether an arm that joined is served at all."""
        router = self._routers.get(trial.arm.name)
        if router is not None:
            self._note(trial, router, outcome)
        elif self._roster.arm(trial.arm.name) is not None and self._unserved.after(outcome):
            said = outcome.failure.message if outcome.failure else ""
            self._roster.give_up(trial.arm.name, f"the gateway does not serve it: {said}")

    # ----------------------------------------------------------------- windows

    def _note(self, trial: Trial, router: int, outcome: Outcome) -> None:
        window = trial.window
        if window >= self._cells.windows:
            return  # of perturbed copies alone
        position = self._positions(window).get(trial.question.id)
        if position is None:
            return  # a perturbed copy
        self._left[window] -= 1
        if outcome.completion is not None:
            answers = self._served.setdefault(window, [])
            answers.append((router, position, outcome.completion.model))
        if self._is_ready():
            self._wake()

    def _positions(self, window: int) -> dict[str, int]:
        if window not in self._position:
            start, end = self._cells.bounds(window)
            asked = (self._ledger.questions[int(index)].id for index in self._ledger.order[start:end])
            self._position[window] = {name: start + place for place, name in enumerate(asked)}
        return self._position[window]

    def _is_ready(self) -> bool:
        closed = self._cells.closed
        return closed < self._cells.windows and self._left[closed] == 0

    async def _close_windows(self) -> None:
        """Close what can be closed: let picked models join, and queue what is due."""
        self._closing = True
        try:
            while self._is_ready():
                window = self._cells.closed
                answers = sorted(  # by arm and place in the plan: who was quickest leaves no trace
                    [
                        *baselines.served_in(self._ledger, *self._cells.bounds(window)),
                        *self._served.pop(window, []),
                    ]
                )
                self._position.pop(window, None)
                arms = self._ledger.run.arms
                await self._roster.join(
                    {
                        (arms[router].name, served): (arms[router], served) for router, _, served in answers
                    }.values()
                )
                due = self._cells.close(
                    Pick(router, position, self._roster.name_for(arms[router], served))
                    for router, position, served in answers
                )
                if due:
                    self._due.append(self._trials(due, window))
        finally:
            self._closing = False
            self._wake()

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    # ----------------------------------------------------------------- trials

    def _next_due(self) -> Trial | None:
        while self._due:
            trial = next(self._due[0], None)
            if trial is not None:
                return trial
            self._due.popleft()
        return None

    def _trials(self, due: list[Due], window: int) -> Iterator[Trial]:
        """Give the trials of these cells, shuffled, without those that have ended before or were given up.

        All belong to the window that made them due: where it is not the one of the question, the router was
        asked in other weather.
        """
        arms = [self._roster.arm(one.model) for one in due]
        asked = [arm for arm in arms if arm is not None]
        made_of = msgspec.structs.replace(self._plan, arms=asked)
        numbers = [None if arm is None else asked.index(arm) for arm in arms]
        return plan.trials(made_of, self._ledger.questions, self._places(due, numbers, window))

    def _places(self, due: list[Due], numbers: list[int | None], window: int) -> Iterator[Place]:
        """Yield the places of these cells; ``numbers``: index of the arm of each due model, None without one."""
        for number, position, repeat in self._shuffled(due, window).tolist():
            name, arm = due[number].model, numbers[number]
            question = int(self._ledger.order[position])
            before = self._joined_before.get(name)
            ended = before is not None and self._ledger.finished[question, before, repeat]
            if arm is not None and not ended and self._roster.arm(name) is not None:
                yield Place(question, arm, repeat, window)

    def _shuffled(self, due: list[Due], window: int) -> NDArray[np.int64]:
        """Give (number in ``due``, position, repeat) of every trial, in the order in which they are asked."""
        sizes = [len(one.positions) for one in due]
        models = np.repeat(np.arange(len(due)), sizes)
        positions = np.concatenate([one.positions for one in due])
        repeats = self._plan.repeats
        cells = np.column_stack(
            [
                np.repeat(models, repeats),
                np.repeat(positions, repeats),
                np.tile(np.arange(repeats), len(models)),
            ]
        )
        return np.random.default_rng([self._plan.seed, window]).permutation(cells)
