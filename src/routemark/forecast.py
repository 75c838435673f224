"""Foresee a run: what it would send, and what that may cost. No model is asked."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from routemark.analysis.stopping.deciding import contest
from routemark.config import Settings, without_userinfo
from routemark.errors import JournalError, RunError, UsageError
from routemark.main import summarise
from routemark.policy.added import Asking, added_by_baselines, added_by_confirming, nothing_known
from routemark.policy.detect import Detection, Dollars, Savings, detection, savings
from routemark.policy.forecast import Added, ArmForecast, Forecast, forecast_arm, in_all, unknown, windows
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
        perturbed=prepared.perturbed,
        repeats=settings.repeats,
        trials=prepared.trials,
        window=window,
        windows=count,
        arms=arms,
        added=list(_added(prepared, book, sizes, earlier)),
        cost_worst_usd=worst,
        cost_expected_usd=expected,
        detection=_detection(prepared, expected, earlier),
        savings=_savings(prepared, expected, earlier),
        max_cost_usd=settings.max_cost,
        max_tokens=settings.max_tokens,
    )


def _arm(
    prepared: Prepared, arm: Arm, book: PriceBook | str, sizes: array[int], earlier: _Earlier
) -> ArmForecast:
    """Foresee one arm; what the latest run paid for it goes before an assumed length of answers."""
    repeats, options = prepared.settings.repeats, prepared.options
    if isinstance(book, str):
        found = unknown(arm, len(sizes) * repeats, book)
    else:
        first = prepared.questions[0]
        beside = len(encode_shared(first, arm, options)) - message_bytes(first)
        found = forecast_arm(book, arm, options, [size + beside for size in sizes], repeats)
    if arm.name not in earlier.cost_usd:
        return found
    cost = earlier.cost_usd[arm.name] * found.trials
    return msgspec.structs.replace(found, cost_expected_usd=(cost, cost), expected_from="latest run")


def _detection(prepared: Prepared, cost_usd: Dollars, earlier: _Earlier) -> Detection | None:
    """Tell what ``--detect`` asks about."""
    if prepared.settings.detect is None:
        return None
    measured = earlier.discordance(prepared.arms, prepared.settings)
    copies = sum(kind.copies for kind in prepared.perturbed.values())
    return detection(prepared.settings.detect, len(prepared.questions) - copies, cost_usd, measured)


def _savings(prepared: Prepared, cost_usd: Dollars, earlier: _Earlier) -> Savings | None:
    """Foresee what ``--until-decided`` saves."""
    of = contest(prepared.arms, prepared.settings, len(prepared.questions))
    if of is None:
        return None
    measured = earlier.discordance(prepared.arms, prepared.settings)
    return savings(of.design, cost_usd, measured, seed=prepared.settings.seed)


def _added(
    prepared: Prepared, book: PriceBook | str, sizes: array[int], earlier: _Earlier
) -> Iterator[Added]:
    """Foresee what may join the planned trials."""
    settings = prepared.settings
    mode, confirms = settings.baselines, settings.confirm_oracle
    if isinstance(book, str):
        options = [f"--baselines {mode}"] * (mode is not None) + ["--confirm-oracle"] * confirms
        yield from (nothing_known(option, book) for option in options)
        return
    originals = len(sizes) - sum(kind.copies for kind in prepared.perturbed.values())
    first = prepared.questions[0]
    beside = len(encode_shared(first, prepared.arms[0], prepared.options)) - message_bytes(first)
    asking = Asking(prepared.options, np.asarray(sizes[:originals]) + beside, settings.repeats)
    if mode is not None:
        shares = {
            router: _by_slug(served, earlier.asked_as, book) for router, served in earlier.served.items()
        }
        yield added_by_baselines(book, prepared.arms, asking, mode, shares)
    if confirms:
        yield added_by_confirming(book, prepared.arms, asking, with_baselines=mode is not None)


def _by_slug(served: dict[str, int], asked_as: dict[str, str], book: PriceBook) -> dict[str, float]:
    """Give the share of each model by its slug, from how often each served."""
    shares: dict[str, float] = {}
    for name, count in served.items():
        listed = book.find(asked_as.get(name, name))
        slug = name if listed is None else listed.id
        shares[slug] = shares.get(slug, 0.0) + count / sum(served.values())
    return shares


class _Earlier(NamedTuple):
    """What the latest run of the same gateway tells."""

    cost_usd: dict[str, float] = {}  # noqa: RUF012 - never written to
    """Arm -> mean cost of a trial, US dollars."""
    served: dict[str, dict[str, int]] = {}  # noqa: RUF012
    """Router's arm -> name of a model -> how often it served."""
    asked_as: dict[str, str] = {}  # noqa: RUF012
    """Name of a model -> its slug, where that is known."""
    spread: dict[tuple[str, str], float] = {}  # noqa: RUF012
    """Two arms -> variance of their paired difference."""

    def discordance(self, arms: Sequence[Arm], settings: Settings) -> float | None:
        """Give how often the first router and what it is judged by scored differently; the most, of several."""
        try:
            of = contest(arms, msgspec.structs.replace(settings, until_decided="closed"), 1)
        except UsageError:
            return None
        if of is None:
            return None
        pairs = [(arms[of.router].name, arms[rival].name) for rival in of.rivals]
        return max((self.spread[pair] for pair in pairs if pair in self.spread), default=None)


def _earlier(settings: Settings) -> _Earlier:
    """Read the latest run of the same gateway."""
    directory = RunDirectory(named(Path(settings.runs_dir) / LATEST))
    try:
        run = directory.read()
        theirs, ours = (run.settings.get("simulate"), run.base_url), (settings.simulate, settings.base_url)
        if theirs != (ours[0], without_userinfo(ours[1])):
            return _Earlier()
        _, summary = summarise(directory)
    except (UsageError, JournalError):
        return _Earlier()
    return _Earlier(
        cost_usd={
            name: arm.cost_per_1k_usd / 1_000
            for name, arm in summary.arms.items()
            if arm.cost_per_1k_usd is not None
        },
        served={name: arm.model_usage for name, arm in summary.arms.items() if arm.is_router},
        asked_as=run.asked_as,
        spread={(one.arm, one.baseline): one.spread for one in summary.comparisons if one.spread},
    )
