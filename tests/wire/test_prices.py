"""Prices: exact, worst of all that may apply, and never made up."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routemark.gateway.billing import bill
from routemark.gateway.catalogue import CATALOGUE, Model
from routemark.gateway.pages import endpoints_page, model_rows
from routemark.gateway.request import parse
from routemark.gateway.restrictions import PLUGINS
from routemark.records import Question
from routemark.wire.arms import arm_from_table, parse_arm
from routemark.wire.prices import (
    OVERHEAD_TOKENS,
    PICO,
    PriceBook,
    UnboundedError,
    ceiling,
    expected_range,
    has_known_size,
    pico,
    reach,
    read_prices,
    to_look_up,
)
from routemark.wire.request import RequestOptions, encode_shared

OPTIONS = RequestOptions(max_tokens=1_000)
M = 10**6
"""Picodollars a token of a price of one US dollar per million tokens."""


def row(slug: str, prompt: Any = "0.000001", completion: Any = "0.000002", **more: Any) -> dict[str, Any]:
    pricing = {"prompt": prompt, "completion": completion, **more.pop("pricing", {})}
    return {"id": slug, "pricing": pricing, "context_length": 100_000, **more}


def book(*rows: dict[str, Any], **more: Any) -> PriceBook:
    return read_prices({"data": list(rows), **more})


def bound(prices: PriceBook, spec: str = "a/b", request_bytes: int = 100, **options: Any) -> int:
    return ceiling(prices, parse_arm(spec), RequestOptions(**{"max_tokens": 1_000, **options})).pico(
        request_bytes
    )


def worst(prompt: int, completion: int, *, size: int = 100, tokens: int = 1_000, request: int = 0) -> int:
    """Give the bound by hand, from US dollars per million tokens."""
    return (size + OVERHEAD_TOKENS) * prompt * M + tokens * completion * M + request


# --------------------------------------------------------------------------- reading prices


@pytest.mark.parametrize(
    ("prompt", "completion", "pricing", "expected"),
    [
        ("0.000001", "0.000002", {}, worst(1, 2)),
        (0.000001, 2e-6, {}, worst(1, 2)),
        (" 1E-6 ", "0.000002", {"request": "0.01"}, worst(1, 2, request=PICO // 100)),
        ("0", "0", {}, 0),
        ("0.0000000000001", "0", {}, 100 + OVERHEAD_TOKENS),  # rounded up to one picodollar
        ("0.000001", "0.000002", {"input_cache_write": "0.000003"}, worst(3, 2)),
        ("0.000001", "0.000002", {"internal_reasoning": "0.000005"}, worst(1, 5)),
        ("0.000001", "0.000002", {"image": "nonsense", "discount": 0.5}, worst(1, 2)),
    ],
)
def test_a_models_price(prompt: Any, completion: Any, pricing: dict[str, Any], expected: int) -> None:
    assert bound(book(row("a/b", prompt, completion, pricing=pricing))) == expected


@pytest.mark.parametrize("price", [None, "", "cheap", True, "NaN", "Infinity", "1e999999999", ["1"], "-1"])
@pytest.mark.parametrize("name", ["prompt", "completion", "request", "input_cache_write"])
def test_what_is_no_price_makes_the_model_unknown_and_never_free(price: Any, name: str) -> None:
    prices = book(row("a/b", pricing={name: price}), row("c/d"))
    with pytest.raises(UnboundedError, match="no price for a/b"):
        bound(prices)
    assert bound(prices, "c/d") == worst(1, 2)


def test_a_missing_price_is_unknown() -> None:
    with pytest.raises(UnboundedError, match="no price for a/b"):
        bound(book({"id": "a/b", "pricing": {"prompt": "1"}}, row("c/d")))
    with pytest.raises(UnboundedError, match="no price for a/b"):
        bound(book({"id": "a/b"}, row("c/d")))


def test_a_routers_sentinel_is_no_price_and_its_row_no_model() -> None:
    prices = book(row("a/b"), row("openrouter/auto", "-1", "-1"), row("new/router", "-1", "-1"))
    assert bound(prices, "openrouter/auto") == worst(1, 2)
    with pytest.raises(UnboundedError, match="no price for new/router"):
        bound(prices, "new/router")


def test_a_routers_row_without_the_sentinel_is_not_believed_either() -> None:
    assert bound(book(row("a/b"), row("openrouter/auto", "0", "0")), "openrouter/auto") == worst(1, 2)


def test_routers_that_have_a_price_of_their_own() -> None:
    prices = book(row("a/b"), row("openrouter/free", "0", "0"), row("switchpoint/router", "0.000003", "0"))
    assert bound(prices, "openrouter/free") == 0
    assert bound(prices, "switchpoint/router") == worst(3, 0)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (None, "no models"),
        ([], "no models"),
        ({"data": []}, "no models"),
        ({"data": [{"id": 7}, "x"]}, "no models"),
        ({"data": [row("a/b")], "total_count": 2}, "1 of 2"),
    ],
)
def test_what_is_no_catalogue_or_half_of_one_is_refused(document: Any, says: str) -> None:
    with pytest.raises(UnboundedError, match=says):
        read_prices(document)


# --------------------------------------------------------------------------- conditional prices

LONG = {"min_prompt_tokens": 2_000, "prompt": "0.000004", "completion": "0.000003"}


@pytest.mark.parametrize(
    ("overrides", "size", "expected"),
    [
        ([LONG], 2_000 - OVERHEAD_TOKENS, worst(1, 2, size=2_000 - OVERHEAD_TOKENS)),  # strictly above
        ([LONG], 2_001 - OVERHEAD_TOKENS, worst(4, 3, size=2_001 - OVERHEAD_TOKENS)),
        ([{**LONG, "completion": "0.000001"}], 5_000, worst(4, 2, size=5_000)),  # cheaper ones change nothing
        ([{"min_prompt_tokens": 2_000, "prompt": "0.000004"}], 5_000, worst(4, 2, size=5_000)),
        ([LONG, {"min_prompt_tokens": 3_000, "prompt": "0.000002"}], 5_000, worst(4, 3, size=5_000)),
        ([LONG, {"min_prompt_tokens": 3_000, "prompt": "0.000009"}], 5_000, worst(9, 3, size=5_000)),
        ([{"utc_start": "0800", "utc_end": "1600", "completion": "0.00001"}], 100, worst(1, 10)),
        ([{"utc_start": "0800", "utc_end": "1600", "prompt": "0"}], 100, worst(1, 2)),
        ([{"min_prompt_tokens": None, "request": "1"}], 100, worst(1, 2, request=PICO)),
    ],
)
def test_the_worst_conditional_price_that_may_apply(
    overrides: list[dict[str, Any]], size: int, expected: int
) -> None:
    assert bound(book(row("a/b", pricing={"overrides": overrides})), request_bytes=size) == expected


def test_a_conditional_price_that_cannot_be_read_makes_the_model_unknown() -> None:
    with pytest.raises(UnboundedError):
        bound(book(row("a/b", pricing={"overrides": [{"min_prompt_tokens": 9, "prompt": "-1"}]}), row("c/d")))


# --------------------------------------------------------------------------- what an arm may reach

POOL = book(
    row("x/cheap", "0.000001", "0.000001"),
    row("x/mid", "0.000002", "0.000005"),
    row("y/dear", "0.000030", "0.000120", canonical_slug="y/dear-20260901"),
    row("y/dear:free", "0", "0", canonical_slug="y/dear-20260901"),
    row("z/odd", "0.000009", "?"),
    row("openrouter/auto", "-1", "-1"),
)
EXCEPT_ODD = "excluded_models=z/*"


@pytest.mark.parametrize(
    ("spec", "dearest", "count"),
    [
        ("x/mid", "x/mid", 1),
        ("y/dear-20260901", "y/dear", 1),
        ("y/dear:free", "y/dear:free", 1),
        ("y/dear-20260901:free", "y/dear:free", 1),
        ("y/dear:floor", "y/dear", 1),
        ("x/cheap?models=x/mid,y/dear", "y/dear", 3),
        (f"openrouter/auto?{EXCEPT_ODD}", "y/dear", 4),
        ("auto?excluded_models=z/*,y/dear*", "x/mid", 2),
        ("openrouter/auto?allowed_models=x/*", "x/mid", 2),
        ("openrouter/auto?allowed_models=X/*", "x/mid", 2),  # whether case matters is not known
        ("openrouter/auto?allowed_models=x/cheap", "x/cheap", 1),
        ("openrouter/auto?allowed_models=*/*ea*&excluded_models=y/*", "x/cheap", 1),
        ("openrouter/auto-beta?cost_tier=low&excluded_models=z/odd", "y/dear", 4),
        ("openrouter/auto?allowed_models=x/cheap&models=x/mid", "x/mid", 2),
        # its allow-list is passed over where nothing of its own pool matches
        ("typesafe/jev-router?allowed_models=x/cheap&excluded_models=z/odd", "y/dear", 4),
    ],
)
def test_the_dearest_model_that_may_serve_makes_the_bound(spec: str, dearest: str, count: int) -> None:
    arm = parse_arm(spec)
    assert ceiling(POOL, arm, OPTIONS).dearest == dearest
    assert len(reach(POOL, arm)) == count
    alone = ceiling(POOL, parse_arm(dearest), OPTIONS)
    assert ceiling(POOL, arm, OPTIONS).pico(500) == alone.pico(500)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("x/gone", "lists no price for x/gone"),
        ("x/mid:online", "lists no price for x/mid:online"),
        ("x/mid@preset/mine", "lists no price"),
        ("x/mid?models=x/gone", "x/gone"),
        ("x/mid:nitro", "prices of its providers cannot be read"),
        ("openrouter/auto", r"may pick z/odd.*excluded_models=z/odd"),
        ("openrouter/auto?allowed_models=w/*", "no model that the gateway lists is left"),
        ("openrouter/fusion", "several models for one answer"),
        ("nvidia/switchyard", "several models for one answer"),
    ],
)
def test_what_has_no_bound_is_refused_with_the_arm_and_what_to_do(spec: str, says: str) -> None:
    with pytest.raises(UnboundedError, match=says) as refused:
        ceiling(POOL, parse_arm(spec), OPTIONS)
    assert str(refused.value).startswith(f"{spec}: ")
    assert "--max-cost" in str(refused.value)


def test_the_context_and_the_arms_own_limit_bound_the_answer() -> None:
    prices = book(row("a/b", context_length=600), row("c/d", context_length=None))
    assert bound(prices, "a/b") == worst(1, 2, tokens=600)
    assert bound(prices, "c/d") == worst(1, 2)
    assert bound(prices, "c/d?max_tokens=10") == worst(1, 2, tokens=10)
    assert bound(prices, "a/b", max_tokens=None) == worst(1, 2, tokens=600)
    with pytest.raises(UnboundedError, match="--max-tokens"):
        bound(prices, "c/d", max_tokens=None)


def test_a_longer_answer_of_a_cheaper_model_may_be_the_dearest() -> None:
    prices = book(
        row("a/short", "0", "0.00001", context_length=10), row("a/long", "0", "0.000001", context_length=900)
    )
    found = ceiling(prices, parse_arm("openrouter/auto"), OPTIONS)
    assert (found.dearest, found.completion_tokens) == ("a/long", 900)


def test_max_price_caps_the_offers_but_not_what_is_conditional() -> None:
    arm = arm_from_table({"model": "a/b", "provider": {"max_price": {"prompt": 1, "completion": 1.5}}})
    dear = row("a/b", "0.000005", "0.000009")
    assert ceiling(book(dear), arm, OPTIONS).pico(100) == worst(1, 0) + 1_000 * 3 * M // 2
    dear["pricing"]["overrides"] = [{"min_prompt_tokens": 1, "prompt": "0.00001", "completion": "0.000009"}]
    assert ceiling(book(dear), arm, OPTIONS).pico(100) == worst(10, 9)


# --------------------------------------------------------------------------- providers' prices


def offer(prompt: str, completion: str) -> dict[str, Any]:
    return {"pricing": {"prompt": prompt, "completion": completion}, "context_length": 100_000}


def test_the_dearest_provider_counts() -> None:
    pages = {"a/b": {"endpoints": [offer("0.000001", "0.000007"), offer("0.000004", "0.000002")]}}
    prices = book(row("a/b"), row("c/d"), endpoints=pages)
    assert bound(prices, "a/b") == bound(prices, "a/b:nitro") == worst(4, 7)
    assert bound(prices, "c/d") == worst(1, 2)
    assert bound(prices, "openrouter/auto") == worst(4, 7)


def test_a_provider_whose_price_cannot_be_read_makes_the_model_unknown() -> None:
    pages = {"a/b": {"endpoints": [offer("0.000001", "?")]}}
    with pytest.raises(UnboundedError):
        bound(book(row("a/b"), row("c/d"), endpoints=pages))


def test_only_providers_that_decide_a_bound_are_looked_up() -> None:
    capped = "x/mid?provider.max_price.prompt=1&provider.max_price.completion=1"
    arms = [parse_arm(spec) for spec in ("x/cheap", "y/dear:nitro", "y/dear:free", capped, "w/gone")]
    assert to_look_up(POOL, arms) == ["x/cheap", "y/dear"]
    assert to_look_up(POOL, [parse_arm("openrouter/auto?allowed_models=x/*")]) == ["x/cheap", "x/mid"]
    many = book(*(row(f"m/{n}") for n in range(101)))
    assert to_look_up(many, [parse_arm("openrouter/auto")]) == []
    assert len(to_look_up(many, [parse_arm("openrouter/auto?excluded_models=m/0")])) == 100


# --------------------------------------------------------------------------- laws

SIMULATED = read_prices({"data": model_rows()})


@given(
    model=st.sampled_from(CATALOGUE),
    text=st.text(max_size=300) | st.integers(1, 1_200_000).map(lambda n: "a" * n),
    share=st.floats(0, 1),
    router=st.sampled_from(["", *PLUGINS]),
    choices=st.lists(st.text(max_size=20), max_size=3),
)
def test_no_bill_of_the_simulated_gateway_exceeds_the_bound(
    model: Model, text: str, share: float, router: str, choices: list[str]
) -> None:
    question = Question(id="q", difficulty="easy", question=text or "?", choices=choices or None)
    arm = parse_arm(router or model.id)
    shared = encode_shared(question, arm, OPTIONS)
    request = parse(shared, {})
    billed = bill(model, request.prompt_tokens, 0, round(share * 1_000))
    assert pico(billed.cost_usd) <= ceiling(SIMULATED, arm, OPTIONS).pico(len(shared))


@given(size=st.integers(0, 10**7), more=st.integers(0, 10**6))
def test_the_bound_grows_with_the_request(size: int, more: int) -> None:
    found = ceiling(SIMULATED, parse_arm("sim/heron"), OPTIONS)
    assert found.pico(size) <= found.pico(size + more)


@given(st.decimals(0, 1_000, places=12))
def test_a_float_stands_for_the_decimal_it_is_written_as(usd: Any) -> None:
    assert abs(pico(float(usd)) - int(usd * PICO)) <= 1
    assert pico(usd) == int(usd * PICO)


def test_providers_of_the_simulated_gateway_charge_what_it_lists() -> None:
    pages = {model.id: endpoints_page(model) for model in CATALOGUE}
    looked_up = read_prices({"data": model_rows(), "endpoints": pages})
    for model in CATALOGUE:
        arm = parse_arm(model.id)
        assert ceiling(looked_up, arm, OPTIONS).pico(9) == ceiling(SIMULATED, arm, OPTIONS).pico(9)


# --------------------------------------------------------------------------- the rest


def test_expected_costs_run_from_the_cheapest_to_the_dearest_that_is_not_free() -> None:
    models = reach(POOL, parse_arm(f"openrouter/auto?{EXCEPT_ODD}"))
    assert expected_range(models, 100, 10, 1) == (110 * M, (3_000 + 1_200) * M)
    assert expected_range(reach(POOL, parse_arm("y/dear:free")), 100, 10, 1) == (0, 0)


@pytest.mark.parametrize(
    ("content", "known"),
    [
        ("text", True),
        (None, True),
        ([{"type": "text", "text": "x"}, "y"], True),
        ([{"type": "image_url", "image_url": {"url": "https://example.org/x.png"}}], False),
        ([{"type": "text", "text": "x"}, {"type": "file", "file": {}}], False),
        ([7], False),
    ],
)
def test_only_text_is_billed_by_its_length(content: Any, known: bool) -> None:
    question = Question(id="q", difficulty="e", question="?", messages=[{"role": "user", "content": content}])
    assert has_known_size(question) is known
    assert has_known_size(Question(id="q", difficulty="e", question="?"))
