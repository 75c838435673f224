"""Routing: classes, bands, patterns, flicker, and what the router does not listen to."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routemark.gateway.catalogue import BY_ID
from routemark.gateway.refusals import RefusedError
from routemark.gateway.request import parse
from routemark.gateway.restrictions import TIERS, Restrictions, matches, read_restrictions, survivors
from routemark.gateway.router import BY_PRICE, ranking, route
from routemark.gateway.tasks import TASK_TYPES, classify

ASK = {"messages": [{"role": "user", "content": "Solve the quadratic equation x^2 - 5x + 6 = 0."}]}


def request(model="openrouter/auto", plugin=None, **fields):
    plugins = [] if plugin is None else [{"id": "auto-router", **plugin}]
    return parse(json.dumps({"model": model, "plugins": plugins, **ASK, **fields}).encode(), {})


def served(*args, seed=0, repeat=0, sticky=None, **fields):
    chosen = route(request(*args, **fields), seed, repeat, sticky)
    return [candidate.slug for candidate in chosen.candidates]


@pytest.mark.parametrize(
    ("prompt", "task"),
    [
        ("Fix the bug: this raises an exception. Traceback: ...", "code:debugging"),
        ("Translate into French: good morning", "translation"),
        ("What is the area of a triangle with base 3 and perimeter 12?", "math:geometry"),
        ("SELECT name FROM users WHERE id = 3; what does this query return?", "code:data_query"),
        ("What is the minimum number of boats?", "math:optimization"),
        ("I want a refund, my order was not shipped", "customer_support"),
        ("Blorf.", "qa_knowledge"),
    ],
)
def test_prompts_are_classified_by_their_words(prompt, task):
    assert classify(prompt).name == task


def test_there_are_about_thirty_task_types():
    assert 28 <= len(TASK_TYPES) <= 40


def test_market_shares_are_a_distribution_over_all_models():
    for task in TASK_TYPES:
        shares = [share for _, share in ranking(task)]
        assert sum(shares) == pytest.approx(1)
        assert shares == sorted(shares, reverse=True)
        assert len(shares) == len(BY_ID)


def test_tiers_part_the_models_by_price():
    bands = {tier: survivors(BY_PRICE, Restrictions(cost_tier=tier)) for tier in TIERS}
    assert sum(map(len, bands.values())) == len(BY_PRICE)
    assert [name for tier in TIERS for name in BY_PRICE if name in bands[tier]] == list(BY_PRICE)
    assert BY_PRICE[0] in bands["low"]
    assert BY_PRICE[-1] in bands["max"]


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_is_a_band_that_the_pick_stays_in(tier):
    band = survivors(BY_PRICE, Restrictions(cost_tier=tier))
    for repeat in range(10):
        assert set(served(plugin={"cost_tier": tier}, repeat=repeat)) <= band


def test_the_tradeoff_is_a_ceiling_and_loses_to_the_tier():
    sizes = [len(survivors(BY_PRICE, Restrictions(tradeoff=value))) for value in range(11)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] < len(BY_PRICE)
    assert 1 <= sizes[10] <= 2
    both = Restrictions(tradeoff=10, cost_tier="max")
    assert survivors(BY_PRICE, both) == survivors(BY_PRICE, Restrictions(cost_tier="max"))


def test_without_a_cost_setting_the_pick_is_cheap():
    assert set(served()) <= survivors(BY_PRICE, Restrictions(cost_tier="low"))


def test_an_allowed_model_is_found_in_any_band_unless_a_tier_is_asked_for():
    assert served(plugin={"allowed_models": ["sim/colossus"]}) == ["sim/colossus"]
    with pytest.raises(RefusedError) as refused:
        served(plugin={"allowed_models": ["sim/colossus"], "cost_tier": "low"})
    assert refused.value.problem.status == 404
    assert refused.value.problem.message == "No models match your request and model restrictions"


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("sim/quill", {"sim/quill"}),
        ("sim/quill*", {"sim/quill", "sim/quill-lite"}),
        ("*/abacus-*", {"sim/abacus-mini"}),
        ("SIM/QUILL", set()),
        ("sim/quil.", set()),
        ("openai/*", set()),
    ],
)
def test_patterns_take_stars_and_nothing_else(pattern, fits):
    assert {name for name in BY_PRICE if matches(name, [pattern])} == fits


@given(
    st.lists(st.sampled_from(["sim/*", "*-mini", "sim/heron*", "sim/quill", "*"]), max_size=3), st.booleans()
)
def test_an_exclusion_always_wins(excluded, tiered):
    restrictions = Restrictions(
        allowed=("sim/*",), excluded=tuple(excluded), cost_tier="low" if tiered else None
    )
    assert not any(matches(name, excluded) for name in survivors(BY_PRICE, restrictions))


def test_settings_under_the_other_slugs_plugin_are_ignored():
    plain = served(model="openrouter/auto-beta")
    assert served(model="openrouter/auto-beta", plugin={"cost_tier": "max"}) == plain
    beta = {"plugins": [{"id": "auto-beta-router", "cost_tier": "max"}]}
    assert served(model="openrouter/auto-beta", **beta) != plain


@pytest.mark.parametrize(
    "plugin",
    [
        {"cost_tier": "cheap"},
        {"cost_quality_tradeoff": 11},
        {"cost_quality_tradeoff": True},
        {"allowed_models": "sim/*"},
        {"excluded_models": ["x" * 1025]},
        {"allowed_models": ["x"] * 1025},
    ],
)
def test_settings_out_of_range_are_400(plugin):
    with pytest.raises(RefusedError) as refused:
        read_restrictions({"id": "auto-router", **plugin})
    assert refused.value.problem.status == 400


def test_the_router_flickers_between_its_best_two_and_only_them():
    tops = [tuple(served(plugin={"cost_tier": "high"}, repeat=repeat))[:2] for repeat in range(200)]
    assert len(set(tops)) == 2
    assert set(tops[0]) == {name for top in tops for name in top}
    assert 0 < tops.count(min(set(tops), key=tops.count)) < 60
    assert tops == [tuple(served(plugin={"cost_tier": "high"}, repeat=n))[:2] for n in range(200)]


def test_a_sticky_model_goes_first_while_it_is_a_top_candidate():
    top = served()
    assert served(sticky=top[-1])[0] == top[-1]
    assert served(sticky="sim/colossus") == top


def test_a_pinned_model_is_the_one_that_wrote_the_last_assistant_message():
    messages = [
        {"role": "user", "content": "2 + 2?"},
        {"role": "assistant", "content": "4", "model": "sim/marble"},
        {"role": "user", "content": "And doubled?"},
    ]
    assert served(plugin={"pin_model": True}, messages=messages)[0] == "sim/marble"
    assert served(plugin={"pin_model": False}, messages=messages)[0] != "sim/marble"


def test_max_price_filters_what_a_router_may_pick():
    limit = {"max_price": {"prompt": "0.05", "completion": 0.06}}
    assert served(provider=limit) == ["sim/pebble-nano"]
    with pytest.raises(RefusedError, match="No models match"):
        served(provider={"max_price": {"prompt": 0.001}})
    with pytest.raises(RefusedError, match="No endpoints found"):
        served(model="sim/quill", provider={"max_price": {"prompt": 0.001}})


@pytest.mark.parametrize(
    "slug", ["sim/none", "gpt-5", "sim/quill:free", "sim/quill:online", "openrouter/none"]
)
def test_unknown_models_are_400(slug):
    with pytest.raises(RefusedError, match="is not a valid model ID") as refused:
        served(model=slug)
    assert refused.value.problem.status == 400


def test_the_free_router_spreads_over_the_free_models():
    picks = [served(model="openrouter/free", repeat=repeat)[0] for repeat in range(60)]
    assert set(picks) == {f"{model.id}:free" for model in BY_ID.values() if model.has_free_variant}
