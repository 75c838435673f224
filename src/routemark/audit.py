"""`audit`: look up what every generation of a run cost and who served it, and settle what is open.

The bill in an answer is the truth while a run goes on; the lookup is the gateway's second word on it. It
lags: what is not there yet is asked for again, in rounds, so that waiting takes a minute whatever the
number of generations. Costs that no outcome knows, of answers that broke off and of requests that a crash
cut off, are journaled, and from then on count in the run's cost. Unknown stays unknown.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from routemark import generations, main
from routemark.clock import now
from routemark.config import Settings
from routemark.errors import APIError, FailureKind, RunError, UsageError, rule
from routemark.generations import Wanted, wanted
from routemark.journal import Journal
from routemark.policy.retry import RetryPolicy
from routemark.prepare import dialect, require_key
from routemark.records import Arm, Failure, Record
from routemark.report.clean import one_line
from routemark.router import OpenRouterClient
from routemark.rundir import RunDirectory
from routemark.transport import make_transport
from routemark.wire.lookup import Difference, Lookup, differences, read_lookup

AT_ONCE = 8
POLL_S = 5.0
AGAIN = 12
"""Rounds after the first, `POLL_S` apart, for what is not there yet."""
OLD_S = 600.0
"""A generation older than this that is not there will not come: it is asked for once."""


class Denied(NamedTuple):
    """A lookup that told nothing."""

    kind: str
    """Failure kind."""
    missing: bool
    """The gateway does not know the generation; else the lookup itself failed."""
    again: bool
    """Asking later may help."""


class Found(Record, frozen=True, kw_only=True):
    """A difference between the journal and a lookup."""

    generation_id: str
    trial: str
    question_id: str | None
    arm: str | None
    difference: Difference


class Count(msgspec.Struct, kw_only=True):
    """Generations of one kind, as the lookups go on."""

    generations: int = 0
    told: int = 0
    missing: int = 0
    """Not known to the gateway."""
    refused: int = 0
    """Neither told nor denied: the lookup itself failed."""
    settled: int = 0
    """Costs that were unknown and are known now."""
    settled_usd: float = 0.0
    unknown: int = 0
    """Costs that stay unknown."""


class Audit(msgspec.Struct, kw_only=True):
    """The result; what ``--json`` prints."""

    schema: str = "routemark.audit/1"
    run: str
    simulated: bool
    """Answered by fictitious models."""
    answers: Count = msgspec.field(default_factory=Count)
    """Generations that gave an answer."""
    attempts: Count = msgspec.field(default_factory=Count)
    """Generations of attempts that failed."""
    open: Count = msgspec.field(default_factory=Count)
    """Generations without an outcome: a crash, or a stop at once, cut them off."""
    agree: int = 0
    """Generations that were told and differ in nothing."""
    billed_usd: float = 0.0
    """Billed in all for the generations whose cost both the journal and the lookup know."""
    lookup_usd: float = 0.0
    """Their cost by the lookups."""
    differences: list[Found] = msgspec.field(default_factory=list)
    cost_usd: float | None = None
    """All known cost of the run, with what was settled."""
    refusals: dict[str, int] = msgspec.field(default_factory=dict)
    """Why lookups failed: failure kind and how often."""

    @property
    def counts(self) -> dict[str, Count]:
        """Counts by the kind of `Wanted`."""
        return {"answer": self.answers, "attempt": self.attempts, "open": self.open}

    @property
    def failed(self) -> bool:
        """Nothing could be looked up, though there was something to."""
        counts = self.counts.values()
        return any(one.generations for one in counts) and not any(one.told for one in counts)


# --------------------------------------------------------------------------- looking up


class Lookups:
    """Asks for generations, a few at once, and again in rounds for what is not there yet."""

    def __init__(
        self,
        client: OpenRouterClient,
        take: Callable[[Wanted, Lookup | Denied], None],
        *,
        note: Callable[[str], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``take`` hears of each generation once; ``note`` hears why it takes long; ``clock``: as time.time."""
        self._client = client
        self._take = take
        self._note = note
        self._sleep = sleep
        self._clock = clock
        self._unreachable: str | None = ""
        """Why nothing has answered so far; None for good once something has."""

    async def run(self, these: Iterable[Wanted]) -> None:
        """Look them all up. Raises RunError when the key is refused, or when nothing answers."""
        for rounds_left in range(AGAIN, -1, -1):
            later = await self._round(these, last=not rounds_left)
            if not later:
                return
            if self._unreachable:
                raise RunError(
                    f"The gateway does not answer ({self._unreachable}). Audit again when it does."
                )
            self._note(f"{len(later):,} not there yet; asking again in {POLL_S:g} s.")
            await self._sleep(POLL_S)
            these = later

    async def _round(self, these: Iterable[Wanted], *, last: bool) -> list[Wanted]:
        """Ask once for each; give those to ask for again."""
        queue = iter(these)
        later: list[Wanted] = []

        async def worker() -> None:
            for one in queue:
                answer = await self._ask(one)
                if isinstance(answer, Denied) and answer.again and not last:
                    later.append(one)
                else:
                    self._take(one, answer)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(worker())
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return later

    async def _ask(self, one: Wanted) -> Lookup | Denied:
        try:
            body = await self._client.get_json(f"/generation?id={quote(one.id, safe='')}")
        except APIError as error:
            return self._denied(one, error.failure)
        self._unreachable = None
        return read_lookup(body) or Denied(FailureKind.BODY_NOT_JSON.value, missing=False, again=False)

    def _denied(self, one: Wanted, failure: Failure) -> Denied:
        about = rule(failure.kind)
        if about.stops_run:
            raise RunError(f"{about.advice} The gateway said: {one_line(failure.message)}")
        if failure.status is not None:
            self._unreachable = None
        elif self._unreachable is not None:
            self._unreachable = one_line(failure.message)
        missing = failure.status == 404
        return Denied(failure.kind, missing, self._is_young(one) if missing else about.retried)

    def _is_young(self, one: Wanted) -> bool:
        """Tell whether a generation may be missing only because lookups lag."""
        try:
            at = datetime.fromisoformat(one.at).timestamp()
        except ValueError:
            return False
        return self._clock() - at < OLD_S


# --------------------------------------------------------------------------- what comes of it


class Books:
    """Holds the journal against the lookups, and journals what it did not know."""

    def __init__(self, result: Audit, arms: list[Arm], journal: Journal) -> None:
        self._result = result
        self._arms = {arm.name: arm for arm in arms}
        self._journal = journal

    def take(self, one: Wanted, answer: Lookup | Denied) -> None:
        """Enter one generation."""
        count = self._result.counts[one.kind]
        count.generations += 1
        if isinstance(answer, Lookup):
            count.told += 1
            self._compare(one, answer)
            if one.cost_usd is None and answer.cost_usd is not None:
                self._settle(one, answer.cost_usd, count)
                return
        elif answer.missing:
            count.missing += 1
        else:
            count.refused += 1
            self._result.refusals[answer.kind] = self._result.refusals.get(answer.kind, 0) + 1
        count.unknown += one.cost_usd is None

    def _compare(self, one: Wanted, lookup: Lookup) -> None:
        result = self._result
        if one.cost_usd is not None and lookup.cost_usd is not None:
            result.billed_usd += one.cost_usd
            result.lookup_usd += lookup.cost_usd
        found = differences(self._arms.get(one.arm or ""), one.model, one.cost_usd, lookup)
        result.agree += not found
        result.differences += [
            Found(
                generation_id=one.id,
                trial=one.trial,
                question_id=one.question_id,
                arm=one.arm,
                difference=difference,
            )
            for difference in found
        ]

    def _settle(self, one: Wanted, cost_usd: float, count: Count) -> None:
        count.settled += 1
        count.settled_usd += cost_usd
        left_open = one.kind == "open"
        self._journal.append(
            generations.looked_up(one.trial, one.id, now(), cost_usd=cost_usd, left_open=left_open)
        )


async def audit(
    directory: RunDirectory,
    key: str | None,
    *,
    note: Callable[[str], None] = lambda line: None,  # noqa: ARG005
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.time,
) -> Audit:
    """Look up the generations of a run, journal the costs that it did not know, and write its files anew.

    Raises: UsageError for a run that cannot be looked up or without a key, RunError while it is being written, when the key
    is refused, or when nothing answers.
    """
    run = directory.read()
    settings = msgspec.convert(run.settings, Settings)
    if settings.simulate:
        raise UsageError(
            f"{directory.path}: was answered by a simulated gateway that is gone; there is nothing to look up."
        )
    if not dialect(settings).openrouter_fields:
        raise UsageError(
            f"{directory.path}: was answered by a {dialect(settings).name} gateway, which has no lookup of "
            "generations: what answers told of their cost is all there is to know."
        )
    key = require_key(settings, key)
    result = Audit(run=run.id, simulated=run.simulated)
    with Journal(directory.journal) as journal:
        books = Books(result, run.all_arms, journal)
        async with _client(settings, key) as client:
            await Lookups(client, books.take, note=note, sleep=sleep, clock=clock).run(
                wanted(directory.journal)
            )
    result.differences.sort(key=lambda one: (one.arm or "", one.question_id or "", one.generation_id))
    result.cost_usd = _write_anew(directory, settled=any(one.settled for one in result.counts.values()))
    return result


def _client(settings: Settings, key: str | None) -> OpenRouterClient:
    """Give a client that asks once: `Lookups` asks again."""
    return OpenRouterClient(
        api_key=key,
        base_url=settings.base_url,
        transport=make_transport(settings.transport, AT_ONCE),
        timeout_s=settings.timeout,
        idle_timeout_s=settings.idle_timeout,
        retry=RetryPolicy(max_attempts=1),
    )


def _write_anew(directory: RunDirectory, *, settled: bool) -> float | None:
    """Give the run's cost from the journal; where it has changed, so do the files that show it."""
    files = (directory.results, directory.report) if settled else ()
    return main.summarise(directory, files=files)[1].cost_usd
