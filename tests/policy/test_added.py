"""What ``--baselines`` and ``--confirm-oracle`` may add, against sums made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from routemark.policy.added import Asking, added_by_baselines, added_by_confirming
from routemark.records import Arm
from routemark.wire.arms import parse_arm
from routemark.wire.prices import OVERHEAD_TOKENS, PriceBook, read_prices
from routemark.wire.request import RequestOptions

PRICES = {"v/one": 1e-6, "v/two": 2e-6, "v/four": 4e-6}
"""Of a token, prompt or completion, US dollars."""
N, SIZE, ANSWER = 40, 400, 500
ASKING = Asking(RequestOptions(max_tokens=ANSWER), np.full(N, SIZE), repeats=2)
EACH = N * 2 * (SIZE / 4 + ANSWER)
"""Tokens that all questions to one model are expected to take."""
WORST = N * 2 * (SIZE + OVERHEAD_TOKENS + ANSWER)


def book() -> PriceBook:
    rows = [
        {"id": slug, "context_length": 9_999, "pricing": {"prompt": f"{usd:.7f}", "completion": f"{usd:.7f}"}}
        for slug, usd in PRICES.items()
    ]
    return read_prices({"data": rows})


def arms(*specs: str) -> list[Arm]:
    return [parse_arm(spec) for spec in specs]


def test_at_most_every_model_within_reach_is_asked_everything() -> None:
    added = added_by_baselines(book(), arms("openrouter/auto"), ASKING, "picked", {})
    assert added.trials_most == 3 * 2 * N
    assert added.cost_worst_usd == pytest.approx(WORST * 7e-6)
    assert (added.trials_expected, added.expected_from) == (3 * 2 * N, "assumed")
    assert added.cost_expected_usd == pytest.approx((EACH * 7e-6, EACH * 7e-6))


def test_what_is_out_of_reach_or_an_arm_already_is_not_counted() -> None:
    given = arms("openrouter/auto?excluded_models=v/four", "v/one")
    assert added_by_baselines(book(), given, ASKING, "picked", {}).trials_most == 2 * N
    other = arms("openrouter/auto?temperature=1", "v/one")
    assert added_by_baselines(book(), other, ASKING, "picked", {}).trials_most == 3 * 2 * N


def test_two_routers_with_the_same_settings_share_their_direct_arms() -> None:
    given = arms("openrouter/auto?cost_tier=low", "openrouter/auto?cost_tier=high")
    assert added_by_baselines(book(), given, ASKING, "picked", {}).trials_most == 3 * 2 * N


def test_missing_leaves_out_one_answer_a_question() -> None:
    added = added_by_baselines(book(), arms("openrouter/auto"), ASKING, "missing", {})
    assert added.trials_most == 2 * 2 * N
    assert added.cost_worst_usd == pytest.approx(WORST * 6e-6), "the cheapest was the router's own"
    assert added.trials_expected == pytest.approx(2 * 2 * N, abs=2)


def test_the_latest_run_tells_the_shares() -> None:
    picked = {"openrouter/auto": {"v/one": 0.75, "v/two": 0.25}}
    added = added_by_baselines(book(), arms("openrouter/auto"), ASKING, "picked", picked)
    assert (added.trials_expected, added.expected_from) == (2 * 2 * N, "latest run")
    assert added.cost_expected_usd == pytest.approx((EACH * 3e-6, EACH * 3e-6))


def test_confirming_asks_each_question_once_more() -> None:
    added = added_by_confirming(book(), arms("v/one", "v/two"), ASKING, with_baselines=False)
    assert (added.trials_most, added.trials_expected) == (N, N)
    assert added.cost_worst_usd == pytest.approx(WORST / 2 * 2e-6)
    assert added.cost_expected_usd == pytest.approx((EACH / 2 * 1e-6, EACH / 2 * 2e-6))
    given = arms("openrouter/auto", "v/one")
    assert added_by_confirming(book(), given, ASKING, with_baselines=True).cost_worst_usd == pytest.approx(
        WORST / 2 * 4e-6
    )


def test_a_reach_that_is_not_known_is_said() -> None:
    added = added_by_baselines(book(), arms("openrouter/fusion"), ASKING, "picked", {})
    assert (added.trials_most, added.cost_worst_usd) == (None, None)
    assert "no bound" in (added.note or "")
