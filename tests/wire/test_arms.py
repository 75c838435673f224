"""An arm's spelling is read exactly, or refused with the name that was probably meant."""

from typing import Any

import pytest

from routemark.errors import SettingsError
from routemark.wire.arms import ROUTERS, arm_from_table, check_names, parse_arm, sweep


@pytest.mark.parametrize(
    ("slug", "plugin"),
    [
        ("openrouter/auto", "auto-router"),
        ("auto", "auto-router"),
        ("openrouter/auto-beta", "auto-beta-router"),
        ("typesafe/jev-router", "jev-router"),
    ],
)
def test_settings_go_under_the_plugin_id_of_the_slug(slug: str, plugin: str) -> None:
    arm = parse_arm(f"{slug}?cost_tier=low&excluded_models=meta-llama/*,x-ai/grok-4:free")
    assert arm.plugin == {
        "id": plugin,
        "cost_tier": "low",
        "excluded_models": ["meta-llama/*", "x-ai/grok-4:free"],
    }
    assert arm.is_router
    assert arm.name == f"{slug}?cost_tier=low&excluded_models=meta-llama/*,x-ai/grok-4:free"


@pytest.mark.parametrize(
    ("spec", "plugin"),
    [
        (
            "openrouter/pareto-code?min_coding_score=0.5&max_price=3&price_source=weighted_avg",
            {
                "id": "pareto-router",
                "min_coding_score": 0.5,
                "max_price": 3.0,
                "price_source": "weighted_avg",
            },
        ),
        ("nvidia/switchyard?algorithm=random", {"id": "switchyard-router", "algorithm": "random"}),
        (
            "openrouter/fusion-flash?max_tool_calls=2&model=a/b",
            {"id": "fusion", "max_tool_calls": 2, "model": "a/b"},
        ),
        (
            "openrouter/auto?cost_quality_tradeoff=7&pin_model=true",
            {"id": "auto-router", "cost_quality_tradeoff": 7, "pin_model": True},
        ),
    ],
)
def test_each_router_has_its_own_settings(spec: str, plugin: dict[str, Any]) -> None:
    assert parse_arm(spec).plugin == plugin


@pytest.mark.parametrize(
    "slug", [*ROUTERS, "openai/gpt-5-mini", "~openai/gpt-latest", "a/b:free", "@preset/x"]
)
def test_a_slug_alone_is_its_name_and_sends_no_plugin(slug: str) -> None:
    arm = parse_arm(slug)
    assert (arm.name, arm.model, arm.plugin, arm.body) == (slug, slug, None, {})
    assert arm.is_router == (slug in ROUTERS)


def test_a_variant_of_a_router_is_a_router() -> None:
    assert parse_arm("openrouter/auto:nitro?cost_tier=max").plugin == {
        "id": "auto-router",
        "cost_tier": "max",
    }


def test_request_settings_become_body_fields() -> None:
    arm = parse_arm(
        "a/b?temperature=0.50&top_p=1&max_tokens=64&seed=-3&reasoning_effort=low&models=c/d,e/f"
        "&provider.order=openai,azure/eu&provider.allow_fallbacks=false&provider.max_price.prompt=1.5"
        "&provider.max_price.completion=3"
    )
    assert arm.models == ["c/d", "e/f"]
    assert arm.plugin is None
    assert arm.body == {
        "temperature": 0.5,
        "top_p": 1.0,
        "max_completion_tokens": 64,
        "seed": -3,
        "reasoning_effort": "low",
        "provider": {
            "order": ["openai", "azure/eu"],
            "allow_fallbacks": False,
            "max_price": {"prompt": 1.5, "completion": 3.0},
        },
    }
    assert arm.name.startswith("a/b?temperature=0.5&top_p=1&max_tokens=64&seed=-3&")


def test_values_are_url_decoded_and_the_name_reads_back() -> None:
    arm = parse_arm("openrouter/auto?allowed_models=a%2Fb%2Cc,%26d%20e,100%25")
    assert arm.plugin == {"id": "auto-router", "allowed_models": ["a/b,c", "&d e", "100%"]}
    assert parse_arm(arm.name) == arm


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("openrouter/auto?cost_teir=low", ["openrouter/auto", "cost_teir", "Did you mean cost_tier?"]),
        ("openrouter/auto?cost_tier=lo", ["cost_tier='lo'", "Did you mean low?", "xhigh"]),
        ("openrouter/auto-beta?pin_model=true", ["openrouter/auto-beta", "pin_model", "not of"]),
        ("openai/gpt-5?cost_tier=low", ["openai/gpt-5", "cost_tier", "openrouter/auto"]),
        ("openrouter/auto?min_coding_score=1", ["min_coding_score", "openrouter/pareto-code"]),
        ("typesafe/jev-router?cost_tier=xhigh", ["cost_tier='xhigh'", "low, medium, high"]),
        ("openrouter/auto?cost_quality_tradeoff=11", ["cost_quality_tradeoff", "11", "<= 10"]),
        ("openrouter/auto?cost_quality_tradeoff=1.5", ["cost_quality_tradeoff", "int"]),
        ("a/b?temperature=nan", ["temperature", "nan"]),
        ("a/b?temperature=inf", ["temperature", "inf"]),
        ("a/b?temperature=hot", ["temperature", "hot"]),
        ("a/b?max_tokens=0", ["max_tokens", ">= 1"]),
        ("a/b?provider.sort=cheap", ["provider.sort", "price"]),
        ("a/b?provider.allow_fallbacks=maybe", ["provider.allow_fallbacks", "maybe"]),
        ("a/b?provider.max_price.prompt=-1", ["provider.max_price.prompt", "-1"]),
        ("a/b?models=", ["models"]),
        ("a/b?models=c/d,,e/f", ["models"]),
        ("a/b?seed=1&seed=1", ["a/b", "seed", "twice"]),
        ("a/b?seed", ["seed", "no value"]),
        ("a/b?=1", ["a/b"]),
        ("", ["slug"]),
        ("?cost_tier=low", ["slug"]),
        ("a b", ["slug"]),
        ("a/b\n", ["slug"]),
        ("a/\x1b[31mb", ["slug"]),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(spec: str, told: list[str]) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_arm(spec)
    for part in told:
        assert part in str(refused.value)


def test_a_table_says_the_same_as_a_spelling() -> None:
    table = {
        "model": "openrouter/auto",
        "cost_tier": "low",
        "allowed_models": ["a/*"],
        "models": ["x/y"],
        "temperature": 1,
        "provider": {"order": ["p"], "max_price": {"prompt": 2}},
    }
    spelling = "openrouter/auto?cost_tier=low&allowed_models=a/*&models=x/y&temperature=1&provider.order=p"
    assert arm_from_table(table) == parse_arm(spelling + "&provider.max_price.prompt=2")
    assert arm_from_table({**table, "name": "cheap"}).name == "cheap"
    assert arm_from_table({"model": "a/b", "provider.order": ["p"]}).body == {"provider": {"order": ["p"]}}


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"model": 3},
        {"model": ""},
        {"model": "a/b", "name": ""},
        {"model": "a/b", "name": "two\nlines"},
        {"model": "a/b", "temprature": 1},
        {"model": "a/b", "temperature": "1"},
        {"model": "a/b", "models": "c/d"},
        {"model": "openrouter/auto", "pin_model": 1},
        {"model": "a/b", "provider": {"ordr": ["p"]}},
    ],
)
def test_a_bad_table_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        arm_from_table(table)


def test_a_sweep_makes_one_arm_a_tier_of_each_router_that_has_tiers() -> None:
    arms = sweep([parse_arm("openrouter/auto?temperature=1&cost_tier=low"), parse_arm("a/b")], "cost_tier")
    assert [arm.name for arm in arms] == [
        *(f"openrouter/auto?temperature=1&cost_tier={t}" for t in ("low", "medium", "high", "xhigh", "max")),
        "a/b",
    ]
    assert arms[4].plugin == {"id": "auto-router", "cost_tier": "max"}
    assert arms[4].body == {"temperature": 1.0}
    jev = sweep([parse_arm("typesafe/jev-router")], "cost_tier")
    assert [arm.name.partition("=")[2] for arm in jev] == ["low", "medium", "high"]


def test_a_sweep_of_two_tiers_of_one_router_asks_each_tier_once() -> None:
    arms = sweep([parse_arm(f"openrouter/auto?cost_tier={tier}") for tier in ("low", "high")], "cost_tier")
    assert len(arms) == 5
    check_names(arms)


@pytest.mark.parametrize("setting", ["cost_tier", "allowed_models", "nonsense"])
def test_a_sweep_that_no_arm_can_make_is_refused(setting: str) -> None:
    spec = "a/b" if setting == "cost_tier" else "openrouter/auto"
    with pytest.raises(SettingsError, match=setting):
        sweep([parse_arm(spec)], setting)


def test_names_must_differ() -> None:
    check_names([parse_arm("a/b"), parse_arm("a/b?seed=1")])
    with pytest.raises(SettingsError, match="a/b"):
        check_names([parse_arm("a/b"), parse_arm("a/b")])


def test_sticky_is_a_setting_of_every_arm_that_is_never_sent() -> None:
    for spec in (
        "openrouter/auto?sticky=true",
        "sim/heron?sticky=true",
        "openrouter/auto?cost_tier=low&sticky=true",
    ):
        arm = parse_arm(spec)
        assert arm.sticky
        assert arm.name == spec
        assert arm.body == {}
        assert "sticky" not in (arm.plugin or {})
    assert not parse_arm("openrouter/auto").sticky
    assert not parse_arm("openrouter/auto?sticky=false").sticky
    table = arm_from_table({"model": "openrouter/auto", "sticky": True, "name": "stuck"})
    assert (table.sticky, table.plugin, table.name) == (True, None, "stuck")
    assert all(arm.sticky for arm in sweep([parse_arm("openrouter/auto?sticky=true")], "cost_tier"))
    with pytest.raises(SettingsError, match="sticky"):
        parse_arm("openrouter/auto?sticky=perhaps")
