"""Foresee a run: what it would send, and what that may cost. No model is asked."""

from __future__ import annotations

from array import array
from pathlib import Path

import msgspec

from routemark.config import Settings, without_userinfo
from routemark.errors import JournalError, RunError, UsageError
from routemark.main import summarise
from routemark.policy.forecast import ArmForecast, Forecast, forecast_arm, in_all, unknown, windows
from routemark.prepare import Prepared
from routemark.pricing import check_sizes, fetch_prices
from routemark.records import Arm
from routemark.rundir import LATEST, RunDirectory, named
from routemark.wire.prices import PriceBook, UnboundedError, read_prices
from routemark.wire.request import encode_shared, message_bytes


async def forecast(prepared: Prepared, key: str | None) -> Forecast:
    """Foresee a run; where prices cannot be had, its costs are unknown, with the reason."""
    settings = prepared.settings
    try:
        check_sizes(prepared.questions)
        book: PriceBook | str = read_prices(await fetch_prices(prepared, key))
    except (RunError, UnboundedError) as error:
        book = str(error)
    sizes = array("q", map(message_bytes, prepared.questions))
    earlier = _earlier(settings)
    arms = {arm.name: _arm(prepared, arm, book, sizes, earlier) for arm in prepared.arms}
    worst, expected = in_all(arms)
    window, count = windows(len(prepared.questions), settings.concurrency, len(arms))
    return Forecast(
        simulated=settings.simulate,
        questions=len(prepared.questions),
        repeats=settings.repeats,
        trials=prepared.trials,
        window=window,
        windows=count,
        arms=arms,
        cost_worst_usd=worst,
        cost_expected_usd=expected,
        max_cost_usd=settings.max_cost,
        max_tokens=settings.max_tokens,
    )


def _arm(
    prepared: Prepared, arm: Arm, book: PriceBook | str, sizes: array[int], earlier: dict[str, float]
) -> ArmForecast:
    """Foresee one arm; what the latest run paid for it goes before an assumed length of answers."""
    repeats, options = prepared.settings.repeats, prepared.options
    if isinstance(book, str):
        found = unknown(arm, len(sizes) * repeats, book)
    else:
        first = prepared.questions[0]
        beside = len(encode_shared(first, arm, options)) - message_bytes(first)
        found = forecast_arm(book, arm, options, [size + beside for size in sizes], repeats)
    if arm.name not in earlier:
        return found
    cost = earlier[arm.name] * found.trials
    return msgspec.structs.replace(found, cost_expected_usd=(cost, cost), expected_from="latest run")


def _earlier(settings: Settings) -> dict[str, float]:
    """Give the mean cost of a trial by the arm's name, US dollars, in the latest run of the same gateway."""
    directory = RunDirectory(named(Path(settings.runs_dir) / LATEST))
    try:
        run = directory.read()
        theirs, ours = (run.settings.get("simulate"), run.base_url), (settings.simulate, settings.base_url)
        if theirs != (ours[0], without_userinfo(ours[1])):
            return {}
        _, summary = summarise(directory)
    except (UsageError, JournalError):
        return {}
    return {
        name: arm.cost_per_1k_usd / 1_000
        for name, arm in summary.arms.items()
        if arm.cost_per_1k_usd is not None
    }
