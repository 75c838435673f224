"""What a run would send and cost, before anything is asked: at worst, and as expected.

At worst, every request costs its bound (see wire.prices); that is what ``--max-cost`` reckons with. As
expected, prompts have a token for every four bytes and answers a stated length, at listed prices; for a
router from the cheapest to the dearest model it may pick, since nobody knows which it will.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from routemark.policy.detect import Detection, Savings
from routemark.policy.plan import window_size
from routemark.records import Arm, Copies, Record
from routemark.wire.prices import PriceBook, UnboundedError, ceiling, dollars, expected_range, reach
from routemark.wire.request import RequestOptions

BYTES_A_TOKEN = 4
ANSWER_TOKENS = 500
"""Assumed length of an answer, reasoning included."""


class ArmForecast(Record, frozen=True, kw_only=True):
    """What is foreseen of one arm."""

    trials: int
    is_router: bool
    models: int | None
    """Number of models that may serve; None: not known."""
    dearest: str | None
    """The one that makes the worst case."""
    cost_worst_usd: float | None
    """If every trial's one request cost its bound."""
    cost_worst_request_usd: float | None
    """Bound of the dearest single request: what must fit beside all that is spent."""
    cost_expected_usd: tuple[float, float] | None
    """From the cheapest to the dearest model that may serve; equal where only one can."""
    expected_from: Literal["prices", "latest run"] | None
    note: str | None = None
    """Why a cost is not known."""


class Added(Record, frozen=True, kw_only=True):
    """What is foreseen to join the planned trials."""

    option: str
    """As on the command line."""
    trials_most: int | None
    """None: the models within reach are not known."""
    trials_expected: int | None
    cost_worst_usd: float | None
    """Of ``trials_most``, if every request cost its bound."""
    cost_expected_usd: tuple[float, float] | None
    expected_from: Literal["latest run", "assumed", "plan"] | None
    note: str | None = None
    """Why something is not known."""


class Forecast(Record, frozen=True, kw_only=True):
    """What a run would send, and what it may cost."""

    schema: str = "routemark.plan/1"
    simulated: bool
    questions: int
    """Perturbed copies included."""
    perturbed: dict[str, Copies] = {}  # noqa: RUF012 - a record: copied, never shared
    """The perturbed copies among them, by kind."""
    repeats: int
    trials: int
    window: int
    """Questions a window."""
    windows: int
    arms: dict[str, ArmForecast]
    added: list[Added] = []  # noqa: RUF012 - a record: copied, never shared
    """What may join the planned trials, which ``trials`` and the costs below leave out."""
    cost_worst_usd: float | None
    cost_expected_usd: tuple[float, float] | None
    detection: Detection | None = None
    """None without ``--detect``."""
    savings: Savings | None = None
    """None without ``--until-decided``."""
    max_cost_usd: float | None
    max_tokens: int | None
    answer_tokens: int = ANSWER_TOKENS
    """Assumed for what is expected from prices."""
    bytes_a_token: int = BYTES_A_TOKEN


def forecast_arm(
    book: PriceBook, arm: Arm, options: RequestOptions, sizes: Sequence[int], repeats: int
) -> ArmForecast:
    """Foresee one arm; ``sizes``: bytes of each question's request."""
    trials = len(sizes) * repeats
    try:
        bound = ceiling(book, arm, options)
    except UnboundedError as error:
        return unknown(arm, trials, str(error))
    models = reach(book, arm)
    answer = min(ANSWER_TOKENS, bound.completion_tokens)
    low, high = expected_range(models, repeats * sum(sizes) / BYTES_A_TOKEN, trials * answer, trials)
    return ArmForecast(
        trials=trials,
        is_router=arm.is_router,
        models=len(models),
        dearest=bound.dearest,
        cost_worst_usd=dollars(repeats * sum(map(bound.pico, sizes))),
        cost_worst_request_usd=dollars(bound.pico(max(sizes))),
        cost_expected_usd=(dollars(low), dollars(high)),
        expected_from="prices",
    )


def unknown(arm: Arm, trials: int, why: str) -> ArmForecast:
    """Give the forecast of an arm whose costs are not known."""
    return ArmForecast(
        trials=trials,
        is_router=arm.is_router,
        models=None,
        dearest=None,
        cost_worst_usd=None,
        cost_worst_request_usd=None,
        cost_expected_usd=None,
        expected_from=None,
        note=why,
    )


def in_all(
    arms: Mapping[str, ArmForecast],
) -> tuple[float | None, tuple[float, float] | None]:
    """Give the worst and the expected cost of all arms; None where one of them is not known."""
    worst = [arm.cost_worst_usd for arm in arms.values() if arm.cost_worst_usd is not None]
    expected = [arm.cost_expected_usd for arm in arms.values() if arm.cost_expected_usd is not None]
    return (
        sum(worst) if len(worst) == len(arms) else None,
        (sum(low for low, _ in expected), sum(high for _, high in expected))
        if len(expected) == len(arms)
        else None,
    )


def windows(questions: int, concurrency: int, arms: int) -> tuple[int, int]:
    """Give the questions in a window, and the number of windows."""
    size = window_size(concurrency, arms)
    return size, -(-questions // size)
