"""The forecast: sums of bounds, stated assumptions, and unknown where something is unknown."""

import pytest

from routemark.policy.forecast import ANSWER_TOKENS, BYTES_A_TOKEN, forecast_arm, in_all, unknown, windows
from routemark.wire.arms import parse_arm
from routemark.wire.prices import OVERHEAD_TOKENS, PriceBook, read_prices
from routemark.wire.request import RequestOptions

OPTIONS = RequestOptions(max_tokens=1_000)


def book() -> PriceBook:
    rows = [("a/cheap", "0.000001", "0.000002"), ("a/dear", "0.000010", "0.000020"), ("a/free", "0", "0")]
    return read_prices(
        {"data": [{"id": slug, "pricing": {"prompt": p, "completion": c}} for slug, p, c in rows]}
    )


def test_a_models_worst_and_expected_cost() -> None:
    found = forecast_arm(book(), parse_arm("a/cheap"), OPTIONS, [100, 300], repeats=3)
    assert (found.trials, found.models, found.dearest, found.is_router) == (6, 1, "a/cheap", False)
    prompt = 3 * (400 + 2 * OVERHEAD_TOKENS)
    assert found.cost_worst_usd == pytest.approx(prompt * 1e-6 + 6 * 1_000 * 2e-6)
    assert found.cost_worst_request_usd == pytest.approx((300 + OVERHEAD_TOKENS) * 1e-6 + 1_000 * 2e-6)
    expected = 3 * 400 / BYTES_A_TOKEN * 1e-6 + 6 * ANSWER_TOKENS * 2e-6
    assert found.cost_expected_usd == (pytest.approx(expected), pytest.approx(expected))
    assert (found.expected_from, found.note) == ("prices", None)


def test_a_router_is_expected_to_cost_something_between_its_cheapest_and_its_dearest() -> None:
    found = forecast_arm(book(), parse_arm("openrouter/auto"), OPTIONS, [400], repeats=1)
    alone = [forecast_arm(book(), parse_arm(name), OPTIONS, [400], 1) for name in ("a/cheap", "a/dear")]
    assert found.models == 3
    assert found.cost_worst_usd == alone[1].cost_worst_usd
    ends = [arm.cost_expected_usd for arm in alone]
    assert found.cost_expected_usd == tuple(end[0] for end in ends if end)


def test_answers_are_expected_to_be_no_longer_than_the_limit() -> None:
    found = forecast_arm(book(), parse_arm("a/cheap?max_tokens=100"), OPTIONS, [400], repeats=1)
    assert found.cost_expected_usd is not None
    assert found.cost_expected_usd[0] == pytest.approx(100e-6 + 100 * 2e-6)


def test_what_is_not_known_is_not_known_in_all() -> None:
    known = forecast_arm(book(), parse_arm("a/cheap"), OPTIONS, [400], repeats=1)
    lost = forecast_arm(book(), parse_arm("a/gone"), OPTIONS, [400], repeats=1)
    assert lost == unknown(parse_arm("a/gone"), 1, lost.note or "")
    assert "lists no price for a/gone" in (lost.note or "")
    assert in_all({"x": known, "y": lost}) == (None, None)
    worst, expected = in_all({"x": known, "y": known})
    assert worst == pytest.approx(2 * (known.cost_worst_usd or 0))
    assert expected == tuple(2 * bound for bound in known.cost_expected_usd or ())


def test_windows_cover_all_questions() -> None:
    assert windows(210, 100, 4) == (32, 7)
    assert windows(1, 100, 1) == (100, 1)
