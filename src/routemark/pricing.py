"""Prices for a run: fetched before the first trial, and turned into the purse that keeps ``--max-cost``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec

from routemark.clock import now
from routemark.config import Settings, without_userinfo
from routemark.engine.catalogue import fetch_catalogue, with_offers
from routemark.engine.purse import BudgetPurse, account
from routemark.errors import RunError, UsageError
from routemark.files import replaced
from routemark.gateway.process import gateway_for
from routemark.journal import Event, Journal, replay
from routemark.policy.budget import Accounts, Budget
from routemark.policy.retry import RetryPolicy
from routemark.prepare import Prepared, dialect, dialect_at
from routemark.questions import QuestionSet
from routemark.records import Arm, Outcome, Question, Run
from routemark.router import OpenRouterClient
from routemark.rundir import RunDirectory
from routemark.transport import make_transport
from routemark.wire.dialect import catalogue_of
from routemark.wire.prices import (
    Ceiling,
    PriceBook,
    UnboundedError,
    ceiling,
    has_known_size,
    pico,
    read_prices,
)
from routemark.wire.request import RequestOptions, encode_shared

ATTEMPTS = 3
"""Requests for one page of prices."""
PAGE_S = 60.0
"""Limit on one of them, seconds."""


async def priced(prepared: Prepared, key: str | None) -> Prepared:
    """Give the plan with the prices that ``--max-cost`` needs; without that option, as it is.

    Raises: RunError when the gateway's prices cannot be had, UsageError when something in the plan may
    cost more than anybody can tell.
    """
    if prepared.settings.max_cost is None:
        return prepared
    try:
        catalogue = await fetch_prices(prepared, key)
    except RunError as error:
        raise RunError(f"{error} --max-cost cannot be kept without them; nothing was asked.") from None
    ceilings(read_prices(catalogue), prepared, prepared.arms)
    check_sizes(prepared.questions)
    return prepared._replace(catalogue=catalogue)


async def fetch_prices(prepared: Prepared, key: str | None) -> dict[str, Any]:
    """Give the gateway's catalogue, or the settings' own prices in its place. Raises: RunError."""
    own = catalogue_of(dialect(prepared.settings))
    if own is not None:
        return own
    async with (
        gateway_for(prepared.settings) as base_url,
        page_client(prepared.settings, base_url, key) as client,
    ):
        return await fetch_catalogue(client, prepared.arms, without_userinfo(base_url))


async def with_joined(prepared: Prepared, run: Run, key: str | None) -> Prepared:
    """Give the plan with the prices of the arms, too, that joined the run before it was resumed."""
    if prepared.catalogue is None or not run.baselines or dialect(prepared.settings).prices:
        return prepared
    async with (
        gateway_for(prepared.settings) as base_url,
        page_client(prepared.settings, base_url, key) as client,
    ):
        return prepared._replace(catalogue=await with_offers(client, prepared.catalogue, run.baselines))


def page_client(settings: Settings, base_url: str, key: str | None) -> OpenRouterClient:
    """Give a client for the gateway's pages."""
    return OpenRouterClient(
        api_key=key,
        base_url=base_url,
        transport=make_transport(settings.transport, settings.concurrency),
        options=RequestOptions(dialect=dialect_at(settings, base_url)),
        timeout_s=PAGE_S,
        idle_timeout_s=PAGE_S,
        retry=RetryPolicy(max_attempts=ATTEMPTS),
    )


def ceilings(book: PriceBook, prepared: Prepared, arms: Sequence[Arm]) -> dict[str, Ceiling]:
    """Give what a request of each arm costs at most, by the arm's name. Raises: UsageError."""
    return {arm.name: ceiling(book, arm, prepared.options) for arm in arms}


def check_sizes(questions: QuestionSet) -> None:
    """Raise UnboundedError when a question is not billed by its length."""
    for question in questions:
        if not has_known_size(question):
            raise UnboundedError(
                f"question {question.id!r}: holds pictures, sound or files, and what these cost is not known "
                "beforehand. Leave it out, or --max-cost."
            )


# --------------------------------------------------------------------------- the purse of a run


def open_purse(
    prepared: Prepared, run: Run, directory: RunDirectory, questions: QuestionSet, journal: Journal
) -> BudgetPurse | None:
    """Give the purse of a run, with what its journal says was spent; None without ``--max-cost``."""
    if prepared.settings.max_cost is None:
        return None
    if prepared.catalogue is None:
        raise UsageError("--max-cost needs the gateway's prices: see routemark.pricing.priced.")
    keep_prices(directory, prepared.catalogue)
    bounds = ceilings(read_prices(prepared.catalogue), prepared, run.all_arms)
    spent = _spent(directory, _Worst(prepared, run, questions, bounds))
    return BudgetPurse(
        Budget(pico(prepared.settings.max_cost), spent.spent, spent.assumed),
        bounds,
        record=lambda name, data: journal.append(Event(event=name, at=now(), data=data)),
        run=str(directory.path),
    )


def keep_prices(directory: RunDirectory, catalogue: dict[str, Any]) -> None:
    """Keep the prices that the budget rests on with the run."""
    with replaced(directory.models) as file:
        file.write(msgspec.json.encode(catalogue) + b"\n")


def _spent(directory: RunDirectory, worst: _Worst) -> Accounts:
    """Read what the journal says was spent."""
    accounts = Accounts(worst)
    for _, record in replay(directory.journal):
        if isinstance(record, Outcome):
            accounts.ended(record)
        elif isinstance(record, Event):
            account(record, accounts)
    return accounts


class _Worst:
    """What one request of a journaled outcome's trial may have cost, in picodollars."""

    def __init__(
        self, prepared: Prepared, run: Run, questions: QuestionSet, bounds: dict[str, Ceiling]
    ) -> None:
        self._arms = {arm.name: arm for arm in run.all_arms}
        self._options = prepared.options
        self._questions = questions
        self._bounds = bounds

    def __call__(self, outcome: Outcome) -> int:
        question = self._questions[self._index[outcome.question_id]]
        asked = self._arms.get(outcome.arm)
        if asked is None:  # it joined and was given up, so its own bound is not known any more
            return max(self._of(question, arm) for arm in self._arms.values())
        return self._of(question, asked)

    def _of(self, question: Question, arm: Arm) -> int:
        return self._bounds[arm.name].pico(len(encode_shared(question, arm, self._options)))

    @cached_property
    def _index(self) -> dict[str, int]:
        """Made only when something of unknown cost was met."""
        return {name: index for index, name in enumerate(self._questions.ids())}
