"""Prices for a run: fetched before the first trial, and turned into the purse that keeps ``--max-cost``."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from functools import cached_property
from typing import Any

import msgspec

from routemark.config import Settings, without_userinfo
from routemark.engine.catalogue import fetch_catalogue
from routemark.engine.purse import BudgetPurse, account
from routemark.errors import RunError, UsageError
from routemark.files import replaced
from routemark.gateway.process import simulated_gateway
from routemark.journal import Event, Journal, replay
from routemark.policy.budget import Accounts, Budget
from routemark.policy.retry import RetryPolicy
from routemark.prepare import Prepared, now
from routemark.questions import QuestionSet
from routemark.records import Outcome
from routemark.router import OpenRouterClient
from routemark.rundir import RunDirectory
from routemark.transport import make_transport
from routemark.wire.prices import (
    Ceiling,
    PriceBook,
    UnboundedError,
    ceiling,
    has_known_size,
    pico,
    read_prices,
)
from routemark.wire.request import encode_shared

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
    ceilings(read_prices(catalogue), prepared)
    check_sizes(prepared.questions)
    return prepared._replace(catalogue=catalogue)


async def fetch_prices(prepared: Prepared, key: str | None) -> dict[str, Any]:
    """Give the gateway's catalogue. Raises: RunError."""
    settings = prepared.settings
    async with _gateway(settings) as base_url:
        client = OpenRouterClient(
            api_key=key,
            base_url=base_url,
            transport=make_transport(settings.transport, settings.concurrency),
            timeout_s=PAGE_S,
            idle_timeout_s=PAGE_S,
            retry=RetryPolicy(max_attempts=ATTEMPTS),
        )
        async with client:
            return await fetch_catalogue(client, prepared.arms, without_userinfo(base_url))


@contextlib.asynccontextmanager
async def _gateway(settings: Settings) -> AsyncIterator[str]:
    """Give where the prices are: at the gateway of the settings, or at a simulated one."""
    if not settings.simulate:
        yield settings.base_url
        return
    async with simulated_gateway(seed=settings.seed) as base_url:
        yield base_url


def ceilings(book: PriceBook, prepared: Prepared) -> dict[str, Ceiling]:
    """Give what a request of each arm costs at most, by the arm's name. Raises: UsageError."""
    return {arm.name: ceiling(book, arm, prepared.options) for arm in prepared.arms}


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
    prepared: Prepared, directory: RunDirectory, questions: QuestionSet, journal: Journal
) -> BudgetPurse | None:
    """Give the purse of a run, with what its journal says was spent; None without ``--max-cost``."""
    if prepared.settings.max_cost is None:
        return None
    if prepared.catalogue is None:
        raise UsageError("--max-cost needs the gateway's prices: see routemark.pricing.priced.")
    with replaced(directory.models) as file:
        file.write(msgspec.json.encode(prepared.catalogue) + b"\n")
    bounds = ceilings(read_prices(prepared.catalogue), prepared)
    spent = _spent(directory, _Worst(prepared, questions, bounds))
    return BudgetPurse(
        Budget(pico(prepared.settings.max_cost), spent.spent, spent.assumed),
        bounds,
        record=lambda name, data: journal.append(Event(event=name, at=now(), data=data)),
        run=str(directory.path),
    )


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

    def __init__(self, prepared: Prepared, questions: QuestionSet, bounds: dict[str, Ceiling]) -> None:
        self._arms = {arm.name: arm for arm in prepared.arms}
        self._options = prepared.options
        self._questions = questions
        self._bounds = bounds

    def __call__(self, outcome: Outcome) -> int:
        question = self._questions[self._index[outcome.question_id]]
        shared = encode_shared(question, self._arms[outcome.arm], self._options)
        return self._bounds[outcome.arm].pico(len(shared))

    @cached_property
    def _index(self) -> dict[str, int]:
        """Made only when something of unknown cost was met."""
        return {name: index for index, name in enumerate(self._questions.ids())}
