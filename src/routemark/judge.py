"""Opens the judge of a run: its client, its pace, its purse, and the replies that the journal holds already."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

import msgspec

from routemark import graders
from routemark.clock import now
from routemark.config import Settings, without_userinfo
from routemark.engine.catalogue import fetch_catalogue
from routemark.engine.gate import Gate
from routemark.engine.judging import Judge
from routemark.engine.purse import BudgetPurse, account
from routemark.errors import RunError
from routemark.graders.judge import Rival, baseline_arm
from routemark.journal import Event, Journal, replay
from routemark.judgements import JUDGED, Replies, consultation_of
from routemark.policy.budget import Accounts, Budget
from routemark.policy.pacing import Pace
from routemark.policy.retry import RetryPolicy
from routemark.prepare import dialect_at, judge_arm
from routemark.pricing import page_client
from routemark.records import Arm, Outcome, Question
from routemark.router import OpenRouterClient
from routemark.rundir import Ledger, is_final
from routemark.tools import at_hand, let_go
from routemark.transport import make_transport
from routemark.wire.dialect import catalogue_of
from routemark.wire.prices import Ceiling, UnboundedError, ceiling, pico, read_prices
from routemark.wire.request import RequestOptions

_OF_JUDGE = "judge_"
"""Put before the names of the purse's events, so that the run's own accounts pass them over."""


def is_wanted(settings: Settings, questions: Iterable[Question]) -> bool:
    """Tell whether a judge is set and some question has use for it."""
    return settings.judge is not None and any(map(graders.judge_options, questions))


@contextlib.asynccontextmanager
async def open_judge(
    settings: Settings, questions: Iterable[Question], journal: Journal, *, base_url: str, key: str | None
) -> AsyncIterator[Judge | None]:
    """Give the judge that the settings name; None where none is wanted. At the end it answers no more.

    ``base_url``: of the run's gateway, which is the judge's, too, unless its settings name another.
    Raises: RunError when its budget needs prices that cannot be had, UsageError when they have no bound.
    """
    if settings.judge is None or not is_wanted(settings, questions):
        yield None
        return
    wanted, arm = settings.judge, judge_arm(settings.judge)
    where = base_url if settings.simulate else wanted.base_url or base_url
    options = RequestOptions(
        max_tokens=wanted.max_tokens,
        temperature=wanted.temperature,
        stream=settings.stream,
        dialect=dialect_at(settings, where),
    )
    purse = None
    if wanted.max_cost is not None:
        async with page_client(settings, where, key) as pages:
            bound = await _bound(pages, arm, options, without_userinfo(where))
        purse = _purse(wanted.max_cost, arm, bound, journal)
    gate = Gate(Pace(wanted.concurrency))
    client = OpenRouterClient(
        api_key=key,
        base_url=where,
        transport=make_transport(settings.transport, wanted.concurrency),
        options=options,
        timeout_s=settings.timeout,
        idle_timeout_s=settings.idle_timeout,
        retry=RetryPolicy(max_attempts=settings.max_attempts),
        pacer=gate,
        purse=purse,
        sleep=gate.sleep,
    )
    with contextlib.ExitStack() as stack:
        replies = stack.enter_context(contextlib.closing(Replies(journal, now)))
        tools = at_hand(allow_code=settings.allow_code_execution)
        stack.callback(let_go, tools)
        async with (
            client,
            Judge(
                arm, options, client, replies, mode=wanted.mode, workers=wanted.concurrency, tools=tools
            ) as judge,
        ):
            if purse is not None:
                purse.on_empty = judge.empty
            yield judge


def rivals(ledger: Ledger) -> Callable[[Question, Outcome], Rival | None]:
    """Give what tells the baseline's answer to the question of an outcome; None while it has none."""
    run = ledger.run
    named = run.settings.get("baseline")
    baseline = baseline_arm(run.arms, named if isinstance(named, str) else None)

    def rival(question: Question, outcome: Outcome) -> Rival | None:
        if outcome.arm == baseline:
            return Rival("", itself=True)
        other = ledger.outcome_of(question.id, baseline, min(outcome.repeat, run.repeats - 1))
        if other is None or not is_final(other):
            return None
        return Rival(other.completion.text if other.completion is not None else "")

    return rival


# --------------------------------------------------------------------------- its budget


async def _bound(pages: OpenRouterClient, arm: Arm, options: RequestOptions, where: str) -> Ceiling:
    """Give what one request to the judge costs at most, by the gateway's own prices."""
    try:
        own = catalogue_of(options.dialect)
        catalogue = await fetch_catalogue(pages, [arm], where) if own is None else own
        return ceiling(read_prices(catalogue), arm, options)
    except (RunError, UnboundedError) as error:
        raise type(error)(f"[judge] max_cost cannot be kept: {error}") from None


def _purse(max_cost: float, arm: Arm, bound: Ceiling, journal: Journal) -> BudgetPurse:
    """Give the purse, with what the journal says was spent on judging."""
    spent = _spent(journal.path, bound)
    return BudgetPurse(
        Budget(pico(max_cost), spent.spent, spent.assumed),
        {arm.name: bound},
        record=lambda name, data: journal.append(Event(event=_OF_JUDGE + name, at=now(), data=data)),
        run=str(journal.path.parent),
    )


def _spent(journal: Path, bound: Ceiling) -> Accounts:
    """Read what was spent on judging; what is not known counts at the bound of the judge that is set now."""
    request_bytes = 0
    accounts = Accounts(lambda outcome: bound.pico(request_bytes))  # noqa: ARG005
    for _, record in replay(journal):
        if not isinstance(record, Event):
            continue
        if record.event == JUDGED:
            consultation = consultation_of(record)
            request_bytes = consultation.request_bytes
            accounts.ended(consultation.outcome)
        elif record.event.startswith(_OF_JUDGE):
            account(msgspec.structs.replace(record, event=record.event.removeprefix(_OF_JUDGE)), accounts)
    return accounts
