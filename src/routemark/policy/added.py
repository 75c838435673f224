"""What ``--baselines`` and ``--confirm-oracle`` may add to a plan, foreseen: at most, and as expected.

At most, the routers pick every model within their reach often enough for it to be asked every question. As
expected, they pick the models of the latest run of the same gateway with its shares; without one,
`ASSUMED_MODELS` of them, from the cheapest to the dearest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from routemark.policy.baselines import Mode, expected_cells
from routemark.policy.forecast import ANSWER_TOKENS, BYTES_A_TOKEN, Added
from routemark.records import Arm
from routemark.wire.arms import direct_arm, is_direct, may_pick
from routemark.wire.prices import (
    Ceiling,
    Listed,
    PriceBook,
    UnboundedError,
    ceiling,
    dollars,
    expected_range,
    reach,
)
from routemark.wire.request import RequestOptions

ASSUMED_MODELS = 5
"""Models that a router is taken to pick often, where no earlier run tells."""

Sizes = npt.NDArray[np.int64]
Picked = Mapping[str, Mapping[str, float]]
"""Router's arm -> model's slug -> its share of the answers, in the latest run."""


class Asking(NamedTuple):
    """What the trials of a plan have in common."""

    options: RequestOptions
    sizes: Sizes
    """(questions,) bytes of each question's request, perturbed copies left out."""
    repeats: int


class _Candidate(NamedTuple):
    """A model that a router may pick, and the cost of putting every question to it once a repeat, US dollars."""

    listed: Listed
    router: str
    worst_usd: float
    expected_usd: float


def added_by_baselines(
    book: PriceBook, arms: Sequence[Arm], asking: Asking, mode: Mode, picked: Picked
) -> Added:
    """Foresee the direct questions to picked models."""
    option = f"--baselines {mode}"
    try:
        found = _candidates(book, arms, asking)
    except UnboundedError as error:
        return nothing_known(option, str(error))
    questions = len(asking.sizes)
    # each question has at least one answer of a router's own
    live = sorted(found, key=lambda one: one.worst_usd)[:1] if mode == "missing" else []
    trials, cost, source = _expected(found, asking, mode, picked)
    return Added(
        option=option,
        trials_most=questions * asking.repeats * (len(found) - len(live)),
        trials_expected=trials,
        cost_worst_usd=sum(one.worst_usd for one in found) - sum(one.worst_usd for one in live),
        cost_expected_usd=cost,
        expected_from=source,
    )


def added_by_confirming(
    book: PriceBook, arms: Sequence[Arm], asking: Asking, *, with_baselines: bool
) -> Added:
    """Foresee one fresh question each to the oracle's picks."""
    once = asking._replace(repeats=1)
    option, fixed = "--confirm-oracle", [arm for arm in arms if not may_pick(arm)]
    try:
        found = [_candidate(book, arm, arm.name, once) for arm in fixed]
        found += _candidates(book, arms, once) if with_baselines else []
    except UnboundedError as error:
        return nothing_known(option, str(error))
    return Added(
        option=option,
        trials_most=len(once.sizes),
        trials_expected=len(once.sizes),
        cost_worst_usd=max((one.worst_usd for one in found), default=0.0),
        cost_expected_usd=(
            min((one.expected_usd for one in found), default=0.0),
            max((one.expected_usd for one in found), default=0.0),
        ),
        expected_from="plan",
    )


def nothing_known(option: str, why: str) -> Added:
    """Give the forecast where the prices, or the models within reach, are not known."""
    return Added(
        option=option,
        trials_most=None,
        trials_expected=None,
        cost_worst_usd=None,
        cost_expected_usd=None,
        expected_from=None,
        note=why,
    )


def _candidates(book: PriceBook, arms: Sequence[Arm], asking: Asking) -> list[_Candidate]:
    """Give the models that routers may pick and no arm asks, each with its router's settings once."""
    found: dict[str, _Candidate] = {}
    for router in filter(may_pick, arms):
        asked = {arm.model for arm in arms if is_direct(arm, router)}
        for listed in reach(book, router):
            arm = direct_arm(router, listed.id)
            if listed.id not in asked and arm.name not in found:
                found[arm.name] = _candidate(book, arm, router.name, asking)
    return list(found.values())


def _candidate(book: PriceBook, arm: Arm, router: str, asking: Asking) -> _Candidate:
    bound = ceiling(book, arm, asking.options)
    (listed,) = reach(book, arm)
    trials = len(asking.sizes) * asking.repeats
    answers = trials * min(ANSWER_TOKENS, bound.completion_tokens)
    prompts = asking.repeats * float(asking.sizes.sum()) / BYTES_A_TOKEN
    expected, _ = expected_range([listed], prompts, answers, trials)
    return _Candidate(listed, router, asking.repeats * _worst_usd(bound, asking.sizes), dollars(expected))


def _worst_usd(bound: Ceiling, sizes: Sizes) -> float:
    """Give the bounds of one request a size, summed, US dollars."""
    distinct, count = np.unique(sizes, return_counts=True)
    return dollars(
        sum(bound.pico(size) * n for size, n in zip(distinct.tolist(), count.tolist(), strict=True))
    )


def _expected(
    found: Sequence[_Candidate], asking: Asking, mode: Mode, picked: Picked
) -> tuple[int, tuple[float, float], Literal["latest run", "assumed"]]:
    """Give trials, costs, and what they are taken from."""
    questions = len(asking.sizes)
    shares = [(one, picked[one.router].get(one.listed.id, 0.0)) for one in found if one.router in picked]
    if shares:
        cells = [expected_cells(questions, [share], mode) if share else 0 for _, share in shares]
        cost = sum(one.expected_usd * n / questions for (one, _), n in zip(shares, cells, strict=True))
        return sum(cells) * asking.repeats, (cost, cost), "latest run"
    models = min(ASSUMED_MODELS, len(found))
    part = expected_cells(questions, [1 / max(1, models)] * models, mode) / max(1, questions * models)
    by_cost = sorted(one.expected_usd for one in found)
    paid = [cost for cost in by_cost if cost] or by_cost
    low, high = part * sum(paid[:models]), part * sum(paid[len(paid) - models :])
    return round(part * questions * models) * asking.repeats, (low, high), "assumed"
