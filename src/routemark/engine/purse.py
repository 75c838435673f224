"""The purse: where trials wait until their next request fits into the budget. The async side of policy.budget.

Trials are served in the order in which they come, which is plan order; asking again goes before trials
that have not begun. Whoever is first and does not fit waits, and everybody waits behind: nothing cheaper
is slipped in. Once no trial is under way whose end could make room, the run stops.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, Decimal
from types import TracebackType
from typing import Any, Literal, Self

from routemark import generations
from routemark.journal import Event
from routemark.policy.budget import Accounts, Budget, bill_of
from routemark.records import Attempt, Completion, Trial
from routemark.wire.prices import Ceiling, dollars, pico

BUDGET_SPENT = 4
"""Exit code of a run that stopped at its budget."""

RESERVED = "reserved"
"""Name of the event that a request goes out, with its worst case."""
ABANDONED = "abandoned"
"""Name of the event that a trial was given up without an outcome, with what it had spent."""


class BudgetPurse:
    """Pays for the requests of a run, never more than the budget."""

    def __init__(
        self,
        budget: Budget,
        ceilings: Mapping[str, Ceiling],
        *,
        record: Callable[[str, dict[str, Any]], None],
        run: str,
    ) -> None:
        """Take the bound of each arm's requests by the arm's name.

        ``record`` journals an event by its name and data; ``run`` is how a person names the run.
        """
        self.budget = budget
        self.on_empty: Callable[[str, int], None] = lambda reason, exit_code: None  # noqa: ARG005
        """Called, with the reason and exit code, when the run must stop."""
        self.record = record
        self._ceilings = dict(ceilings)
        self._run = run
        self._waiting: deque[_Waiter] = deque()
        self._begun = 0
        """Trials under way that wait for nothing here: their end makes room."""
        self._state: Literal["open", "empty", "closed"] = "open"

    def open(self, trial: Trial, request_bytes: int) -> TrialTab:
        """Give the tab of a trial whose requests have so many bytes of JSON."""
        return TrialTab(self, trial, self._ceilings[trial.arm.name].pico(request_bytes))

    def admit(self, arm: str, ceiling: Ceiling) -> None:
        """Take the bound of the requests of an arm that joins."""
        self._ceilings[arm] = ceiling

    def close(self) -> None:
        """Let nobody wait any more: the run stops for another reason."""
        if self._state == "open":
            self._state = "closed"
            for waiter in self._waiting:
                waiter.granted.cancel()
            self._waiting.clear()

    # ----------------------------------------------------------------- for tabs

    async def grant(self, tab: TrialTab) -> bool:
        """Wait until the tab's next request fits; False: it never will. Cancelled once closed."""
        if self._state == "closed":
            raise asyncio.CancelledError
        if self._state == "empty":
            return False
        waiter = _Waiter(tab)
        if tab.begun:
            self._begun -= 1
            self._waiting.insert(sum(other.tab.begun for other in self._waiting), waiter)
        else:
            self._waiting.append(waiter)
        self._serve()
        try:
            return await waiter.granted
        finally:
            if not tab.held:  # turned away, or cancelled
                self._begun += tab.begun
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def settle(self, tab: TrialTab, billed: int | None) -> None:
        """Put what a request was billed in the place of what was set aside for it."""
        self.budget.settle(tab.worst, billed)
        if billed is not None and billed > tab.worst:
            self._empty(self._why_bound_broke(tab, billed))
        self._serve()

    def leave(self, tab: TrialTab) -> None:
        """Take a trial that has ended off the list of those under way."""
        self._begun -= tab.begun
        self._serve()

    def _serve(self) -> None:
        """Let through whoever is first in line and fits; stop the run when nothing can change any more."""
        while self._waiting and self._state == "open":
            tab, granted = self._waiting[0].tab, self._waiting[0].granted
            if granted.cancelled():
                return  # its task is about to leave the line and serve it
            if not self.budget.reserve(tab.worst):
                if not self._begun:
                    self._empty(self._why_empty(tab))
                return
            self._waiting.popleft()
            tab.held = tab.begun = True
            self._begun += 1
            granted.set_result(True)

    def _empty(self, reason: str) -> None:
        """Turn everybody away who waits, and stop the run."""
        if self._state == "open":
            self._state = "empty"
            for waiter in self._waiting:
                if not waiter.granted.done():
                    waiter.granted.set_result(False)
            self._waiting.clear()
            self.on_empty(reason, BUDGET_SPENT)

    # ----------------------------------------------------------------- words

    def _why_empty(self, tab: TrialTab) -> str:
        ceiling = self._ceilings[tab.trial.arm.name]
        return (
            f"{self._account()} The next request, of {tab.trial.arm.name}, may cost up to "
            f"{usd(tab.worst)} ({ceiling.completion_tokens:,} tokens of {ceiling.dearest}). "
            f"To go on: routemark resume {self._run} --max-cost MORE (at least {usd(self.budget.spent + tab.worst)})."
        )

    def _why_bound_broke(self, tab: TrialTab, billed: int) -> str:
        return (
            f"A request of {tab.trial.arm.name} was billed {usd(billed)}, more than the "
            f"{usd(tab.worst)} that the listed prices allow, so --max-cost cannot be kept. "
            f"{self._account()} To go on: routemark resume {self._run} --max-cost MORE."
        )

    def _account(self) -> str:
        budget = self.budget
        assumed = (
            f" ({usd(budget.assumed)} of it the worst case of requests that did not tell their cost)"
            if budget.assumed
            else ""
        )
        return f"{usd(budget.spent)} of --max-cost {usd(budget.limit)} is spent{assumed}."


def usd(picodollars: int) -> str:
    """Write a sum, rounded up to four digits: "$0.04131"."""
    exact = Decimal(picodollars).scaleb(-12)
    places = max(2, 3 - exact.adjusted()) if exact else 0
    rounded = exact.quantize(Decimal(1).scaleb(-places), ROUND_CEILING)
    return f"${rounded.normalize():,f}"


class _Waiter:
    """A trial in line."""

    def __init__(self, tab: TrialTab) -> None:
        self.tab = tab
        self.granted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()


class TrialTab:
    """What one trial spends, request by request."""

    def __init__(self, purse: BudgetPurse, trial: Trial, worst: int) -> None:
        self.trial = trial
        self.worst = worst
        """Of each request, in picodollars."""
        self.held = False
        """A request's worst case is set aside."""
        self.begun = False
        """Some request was let through."""
        self._purse = purse
        self._sent = False
        self._requests = self._known = self._assumed = 0

    async def reserve(self) -> bool:
        """Set the worst case of a request aside, unless it is already; False: it will not fit any more."""
        return self.held or await self._purse.grant(self)

    def send(self) -> None:
        """Journal that the request goes out: if this process dies, it may have been billed."""
        self._purse.record(RESERVED, {"trial": self.trial.key, "worst_usd": dollars(self.worst)})
        self._sent = True

    def settle(self, attempt: Attempt, completion: Completion | None) -> None:
        """Put the bill of the request in the place of what was set aside."""
        self._settle(bill_of(attempt, completion))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back what is set aside, or count it when its request was cut off.

        A trial that was cancelled has no outcome to tell what it spent: that is journaled here.
        """
        if self.held:
            self._settle(None if self._sent else 0)
        if self._requests and kind is asyncio.CancelledError:
            spent = {"known_usd": dollars(self._known), "assumed_usd": dollars(self._assumed)}
            self._purse.record(ABANDONED, {"trial": self.trial.key, "requests": self._requests, **spent})
        self._purse.leave(self)

    def _settle(self, billed: int | None) -> None:
        self._requests += self._sent
        self._known += billed or 0
        self._assumed += self.worst if billed is None else 0
        self.held = self._sent = False
        self._purse.settle(self, billed)


def account(event: Event, accounts: Accounts) -> None:
    """Add what an event of the journal says about money."""
    data = event.data
    if event.event == RESERVED:
        accounts.reserved(data["trial"], pico(data["worst_usd"]))
    elif event.event == ABANDONED:
        known, assumed = pico(data["known_usd"]), pico(data["assumed_usd"])
        accounts.abandoned(data["trial"], data["requests"], known, assumed)
    elif event.event == generations.LOOKED_UP:
        cost = pico(generations.cost_of(event))
        accounts.looked_up(data["trial"], generations.id_of(event), cost, left_open=data["left_open"])
