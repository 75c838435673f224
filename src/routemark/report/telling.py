"""Collect, while rows pass, the questions that tell most about a router, a bounded number of each kind.

Which answers decide between it and another arm; where it paid for more than was needed; where something a
little dearer was right. Rows of one question stand together, as in plan order. Only trials that are in the
summary count.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import NamedTuple

from routemark.errors import rule
from routemark.records import ResultRow, Run
from routemark.report.clean import one_line

MOST = 40
"""Questions listed of one kind."""
MUCH_CHEAPER = 0.5
"""Share of a cost below which another one is named beside it."""


class Side(NamedTuple):
    """One arm's answers to a question, repeats averaged."""

    arm: str
    score: float
    cost_usd: float | None
    models: str
    """That served."""


class Telling(NamedTuple):
    """One question, with the router's answer and another one."""

    place: int
    """Of the question among all."""
    id: str
    difficulty: str
    prompt: str
    own: Side
    other: Side


class Listed(NamedTuple):
    """The first questions of a kind, and how many there are."""

    questions: list[Telling]
    total: int


class Collector:
    """Takes rows; memory is bounded by the number of arms."""

    def __init__(self, run: Run) -> None:
        self._fixed = {arm.name for arm in run.all_arms if not arm.is_router}
        routers = [arm.name for arm in run.all_arms if arm.is_router]
        self.subject = next(iter([*routers, *(arm.name for arm in run.arms)]), None)
        self._rows: list[ResultRow] = []
        self._place = 0
        self._ahead: dict[str, _Best] = {}
        self._behind: dict[str, _Best] = {}
        self._overpaid, self._underpaid = _Best(), _Best()

    def add(self, row: ResultRow) -> None:
        """Take a row."""
        if self._rows and self._rows[0].id != row.id:
            self._end_question()
        if row.counted:
            self._rows.append(row)

    def deciding(self, other: str) -> tuple[Listed, Listed]:
        """Give the questions on which only the other arm, and only the router, scored (higher)."""
        self._end_question()
        return tuple(found.get(other, _Best()).listed() for found in (self._behind, self._ahead))  # type: ignore[return-value]

    def overpaid(self) -> Listed:
        """Give the questions that it got right at more than twice the cost of a right answer; the dearest first."""
        self._end_question()
        return self._overpaid.listed()

    def underpaid(self) -> Listed:
        """Give the questions that it got wrong and a dearer model right; the smallest difference first."""
        self._end_question()
        return self._underpaid.listed()

    def _end_question(self) -> None:
        rows, self._rows = self._rows, []
        if not rows:
            return
        self._place += 1
        sides = {side.arm: side for side in _sides(rows)}
        own = sides.pop(self.subject or "", None)
        if own is None:
            return
        first = rows[0]
        about = (self._place, first.id, first.difficulty, one_line(first.question, 160), own)
        for name, side in sides.items():
            if side.score != own.score:
                found = self._behind if side.score > own.score else self._ahead
                found.setdefault(name, _Best()).add(-self._place, Telling(*about, side))
        if own.arm not in self._fixed:
            self._weigh_cost(about, own, [side for name, side in sides.items() if name in self._fixed])

    def _weigh_cost(self, about: tuple[int, str, str, str, Side], own: Side, fixed: Iterable[Side]) -> None:
        right = [side for side in fixed if side.score == 1 and side.cost_usd is not None]
        cheapest = min(right, key=lambda side: side.cost_usd or 0.0, default=None)
        if cheapest is None or cheapest.cost_usd is None or own.cost_usd is None:
            return
        more = own.cost_usd - cheapest.cost_usd
        if own.score == 1 and cheapest.cost_usd < MUCH_CHEAPER * own.cost_usd:
            self._overpaid.add(more, Telling(*about, cheapest))
        elif own.score < 1 and more < 0:
            self._underpaid.add(more, Telling(*about, cheapest))


class _Best:
    """The questions of the highest rank."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Telling]] = []
        self._total = 0

    def add(self, rank: float, one: Telling) -> None:
        self._total += 1
        item = (rank, -one.place, one)  # no two have one place
        if len(self._heap) < MOST:
            heapq.heappush(self._heap, item)
        else:
            heapq.heappushpop(self._heap, item)

    def listed(self) -> Listed:
        return Listed([one for _, _, one in sorted(self._heap, reverse=True)], self._total)


def _sides(rows: list[ResultRow]) -> Iterable[Side]:
    """Yield each arm's mean score and cost; an arm whose score is not known is left out."""
    by_arm: dict[str, list[ResultRow]] = {}
    for row in rows:
        by_arm.setdefault(row.arm, []).append(row)
    for arm, own in by_arm.items():
        scores = [score for row in own if (score := _score(row)) is not None]
        costs = [row.cost_usd for row in own if row.cost_usd is not None]
        if scores:
            models = dict.fromkeys(row.model for row in own if row.model is not None)
            cost = sum(costs) / len(costs) if costs else None
            yield Side(arm, sum(scores) / len(scores), cost, one_line(", ".join(models), 80))


def _score(row: ResultRow) -> float | None:
    """Give the score; that of a call which the service failed is 0, of one that we failed unknown."""
    if row.error is not None:
        return 0.0 if rule(row.error.kind).cause == "service" and row.reference is not None else None
    return row.grade.score if row.grade is not None else None
