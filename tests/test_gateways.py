"""Gateways other than OpenRouter: what they are sent, and where each tells who served and for how much."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

import routemark
from lookalike import Lookalike, Page, Reply, Request
from routemark import prepare
from routemark.audit import audit
from routemark.config import GatewaySettings, Settings, TokenPrice, resolve
from routemark.doctor import examine, machine
from routemark.doctor.findings import ok
from routemark.errors import RunError, SettingsError, UsageError
from routemark.forecast import forecast
from routemark.pricing import priced
from routemark.records import Arm, Outcome, Question, Trial
from routemark.router import OpenRouterClient
from routemark.rundir import RunDirectory
from routemark.wire.arms import parse_arm
from routemark.wire.checks import flags
from routemark.wire.dialect import PRESETS, dialect_of, price_of, resolved_headers
from routemark.wire.request import RequestOptions
from scripted import DONE, Script, ScriptedServer, answer, delta, streamed, usage, whole

QUESTION = Question(id="q", difficulty="easy", question="What is 2 + 2?", reference=4)
SECRET = "sk-very-secret-0123456789"


def ask(
    script: Script,
    arm: Arm,
    gateway: str | GatewaySettings,
    *,
    stream: bool = False,
    key: str | None = None,
) -> tuple[Outcome, Any]:
    """Ask once; give the outcome, and the request as it was heard."""

    async def scenario() -> tuple[Outcome, Any]:
        async with ScriptedServer([script]) as server:
            options = RequestOptions(stream=stream, dialect=dialect_of(gateway, server.base_url))
            trial = Trial(key="0" * 24, question=QUESTION, arm=arm, repeat=0, session_id="rm-s")
            async with OpenRouterClient(api_key=key, base_url=server.base_url, options=options) as client:
                return await client.complete(trial), server.heard[0]

    return asyncio.run(scenario())


def plain(model: str, **more: Any) -> dict[str, Any]:
    """Give an answer in the common format, without a cost."""
    told = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
    return answer(model=model, usage=told, **more)


def served(outcome: Outcome) -> tuple[str, float | None, str | None]:
    assert outcome.completion is not None, outcome.failure
    return outcome.completion.model, outcome.completion.cost_usd, outcome.completion.cost_source


# --------------------------------------------------------------------------- where each tells it

LITELLM = {"x_litellm_model_name": "azure/gpt-5-mini", "x_litellm_response_cost": "4.14e-05"}


def test_a_litellm_proxy_tells_model_and_cost_in_headers() -> None:
    outcome, _ = ask(
        [whole(plain("fast"), x_litellm_attempted_retries="0", **LITELLM)], parse_arm("fast"), "litellm"
    )
    assert served(outcome) == ("azure/gpt-5-mini", 4.14e-05, "billed")
    assert outcome.completion is not None
    assert outcome.completion.metadata["x-litellm-attempted-retries"] == "0"
    assert "x-litellm-response-cost" not in outcome.completion.metadata


def test_a_streaming_litellm_proxy_tells_the_cost_with_the_usage_when_it_is_told_to() -> None:
    script = streamed(delta("4", "stop"), usage(cost=0.5), DONE, x_litellm_model_name="azure/gpt-5-mini")
    assert served(ask(script, parse_arm("fast"), "litellm", stream=True)[0]) == (
        "azure/gpt-5-mini",
        0.5,
        "billed",
    )
    untold = streamed(delta("4", "stop"), usage(cost=None), DONE, x_litellm_model_name="azure/gpt-5-mini")
    assert served(ask(untold, parse_arm("fast"), "litellm", stream=True)[0]) == (
        "azure/gpt-5-mini",
        None,
        None,
    )


@pytest.mark.parametrize("stream", [False, True])
def test_the_semantic_router_tells_its_pick_and_category_in_headers(*, stream: bool) -> None:
    headers = {
        "x_vsr_selected_model": "qwen3-32b",
        "x_vsr_selected_category": "math",
        "x_vsr_selected_reasoning": "on",
    }
    script = (
        streamed(delta("4", "stop"), usage(None), DONE, **headers)
        if stream
        else [whole(plain("auto"), **headers)]
    )
    outcome, _ = ask(script, parse_arm("auto"), "vllm-semantic-router", stream=stream)
    assert outcome.completion is not None
    assert (outcome.completion.model, outcome.completion.task_type) == ("qwen3-32b", "math")
    assert outcome.completion.metadata["x-vsr-selected-reasoning"] == "on"


def test_azures_router_tells_the_model_in_the_body_and_its_cost_comes_from_the_settings() -> None:
    own = GatewaySettings(preset="azure", prices={"gpt-4.1-mini": TokenPrice(prompt=0.4, completion=1.6)})
    router = prepare.known_as_router(parse_arm("model-router"), dialect_of(own, "http://x"))
    assert router.is_router
    outcome, _ = ask([whole(plain("gpt-4.1-mini-2025-04-14"))], router, own)
    cost = 1_000 * 0.4e-6 + 100 * 1.6e-6
    assert served(outcome) == ("gpt-4.1-mini-2025-04-14", pytest.approx(cost), "prices")
    assert flags(router, outcome.completion) == []  # type: ignore[arg-type]


def test_notdiamonds_gateway_is_sent_its_candidates() -> None:
    own = GatewaySettings(preset="notdiamond", body={"tradeoff": "cost"})
    outcome, heard = ask(
        [whole(plain("gpt-4o"))], parse_arm("notdiamond?models=gpt-4o,claude-sonnet-4-5"), own
    )
    assert served(outcome)[0] == "gpt-4o"
    assert heard.json["models"] == ["gpt-4o", "claude-sonnet-4-5"]
    assert heard.json["tradeoff"] == "cost"


def test_places_of_ones_own_go_before_the_presets() -> None:
    own = GatewaySettings(
        preset="openai", model=["header:x-real-model", "body:routing.pick"], cost=["body:routing.usd"]
    )
    body = plain("router", routing={"pick": "small", "usd": "0.25"})
    assert served(ask([whole(body)], parse_arm("router"), own)[0]) == ("small", 0.25, "billed")
    assert served(ask([whole(body, x_real_model="large")], parse_arm("router"), own)[0])[0] == "large"
    event = delta("4", "stop")
    late = streamed(event, usage(None, routing={"pick": "small", "usd": 0.25}), DONE)
    assert served(ask(late, parse_arm("router"), own, stream=True)[0]) == ("small", 0.25, "billed")


def test_what_is_told_nowhere_is_unknown() -> None:
    router = msgspec.structs.replace(parse_arm("auto"), is_router=True)
    assert served(ask([whole(plain("auto"))], router, "vllm-semantic-router")[0]) == ("unknown", None, None)


def test_a_cost_that_is_told_goes_before_the_table_of_prices() -> None:
    own = GatewaySettings(preset="openai", prices={"m": TokenPrice(prompt=1, completion=1)})
    told = answer(model="m", usage={"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.125})
    assert served(ask([whole(told)], parse_arm("m"), own)[0]) == ("m", 0.125, "billed")


def test_cached_prompt_tokens_have_a_price_of_their_own() -> None:
    price = TokenPrice(prompt=2, completion=0, cached=0.5)
    own = GatewaySettings(preset="openai", prices={"m": price})
    body = plain("m")
    body["usage"]["prompt_tokens_details"] = {"cached_tokens": 400}
    assert served(ask([whole(body)], parse_arm("m"), own)[0])[1] == pytest.approx((600 * 2 + 400 * 0.5) / 1e6)


@pytest.mark.parametrize("name", ["gpt-5", "gpt-5-2026-01-31", "openai/gpt-5", "openai/gpt-5-20260131"])
def test_a_price_is_found_without_date_and_author(name: str) -> None:
    assert price_of({"gpt-5": TokenPrice(prompt=1, completion=1)}, name) is not None
    assert price_of({"gpt-5": TokenPrice(prompt=1, completion=1)}, "gpt-5-mini") is None


# --------------------------------------------------------------------------- what each is sent


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "openrouter"])
def test_no_other_gateway_is_sent_what_only_openrouter_knows(preset: str) -> None:
    _, heard = ask(
        streamed(delta("4", "stop"), usage(None), DONE), parse_arm("m"), preset, stream=True, key="k" * 20
    )
    assert set(heard.json) == {"model", "messages", "stream", "stream_options", "max_completion_tokens"}
    assert heard.json["stream_options"] == {"include_usage": True}
    assert not [name for name in heard.headers if name.startswith("x-openrouter") or name == "http-referer"]
    assert heard.headers["authorization"] == "Bearer " + "k" * 20


def test_headers_take_secrets_from_the_environment_and_nothing_keeps_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEAM_KEY", SECRET)
    own = GatewaySettings(preset="openai", headers={"x-api-key": "$TEAM_KEY", "x-team": "evals"})
    outcome, heard = ask(
        [whole(plain("m", provider=f"echo {SECRET}"))], parse_arm("m"), own, key="unused-key-0123"
    )
    assert (heard.headers["x-api-key"], heard.headers["x-team"]) == (SECRET, "evals")
    assert "authorization" not in heard.headers
    assert SECRET not in msgspec.json.encode(outcome).decode()
    assert SECRET not in str(Settings(gateway=own).public())


def test_a_presets_key_is_its_own_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", SECRET)
    _, heard = ask([whole(plain("m"))], parse_arm("m"), "azure", key="for-another-gateway")
    assert heard.headers["api-key"] == SECRET
    assert "authorization" not in heard.headers
    monkeypatch.delenv("AZURE_OPENAI_API_KEY")
    assert resolved_headers(dialect_of("azure", "http://x"), {}) == ({}, [])


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://openrouter.ai/api/v1", "openrouter"),
        ("https://my.openai.azure.com/openai/v1", "azure"),
        ("https://r.services.ai.azure.com/openai/v1", "azure"),
        ("https://proxy.notdiamond.ai/v1/proxy", "notdiamond"),
        ("https://api.openai.com/v1", "openai"),
        ("https://notopenrouter.ai.example/v1", "openrouter"),
        ("http://127.0.0.1:4000/v1", "openrouter"),
    ],
)
def test_the_host_tells_the_gateway_unless_settings_do(url: str, name: str) -> None:
    assert dialect_of(None, url).name == name
    assert dialect_of("litellm", url).name == "litellm"


@pytest.mark.parametrize(
    ("own", "word"),
    [
        ({"headers": {"Authorization": "Bearer abc"}}, "secret"),
        ({"headers": {"x-api-key": "abc"}}, "secret"),
        ({"headers": {"a b": "c"}}, "header"),
        ({"headers": {"x": "a\nb"}}, "header"),
        ({"model": ["x-model"]}, "no place"),
        ({"cost": ["body:"]}, "no place"),
    ],
)
def test_what_cannot_be_sent_or_read_is_refused(own: dict[str, Any], word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        dialect_of(GatewaySettings(**own), "http://x")


def test_a_header_of_the_settings_needs_its_variable() -> None:
    with pytest.raises(SettingsError, match=r"\$NO_SUCH_VARIABLE"):
        resolved_headers(dialect_of(GatewaySettings(headers={"x": "$NO_SUCH_VARIABLE"}), "http://x"), {})


# --------------------------------------------------------------------------- settings


def toml(folder: Path, text: str) -> Settings:
    (folder / "routemark.toml").write_text(text)
    return resolve(Settings, {}, {}, cwd=folder)


def test_the_settings_file_has_a_gateway_table(tmp_path: Path) -> None:
    settings = toml(
        tmp_path,
        '[gateway]\npreset = "azure"\nrouters = ["mr"]\n[gateway.headers]\nx-team = "a"\n'
        '[gateway.prices."gpt-4.1"]\nprompt = 2\ncompletion = 8.0\n',
    )
    assert settings.gateway == GatewaySettings(
        preset="azure",
        routers=["mr"],
        headers={"x-team": "a"},
        prices={"gpt-4.1": TokenPrice(prompt=2, completion=8)},
    )
    assert toml(tmp_path, 'gateway = "litellm"').gateway == "litellm"
    kept = msgspec.convert(settings.public(), Settings)
    assert kept.gateway == settings.gateway


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('gateway = "lite"', "gateway"),
        ('[gateway]\npresett = "azure"', 'Did you mean "preset"'),
        ('[gateway.prices."m"]\nprompt = "x"\ncompletion = 1', "gateway.prices"),
        ('[gateway.prices."m"]\nprompt = 1', "completion"),
    ],
)
def test_a_wrong_gateway_table_is_named(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        toml(tmp_path, text)


@pytest.mark.parametrize("spec", ["openrouter/auto?cost_tier=low", "m?sticky=true"])
def test_settings_of_openrouters_own_are_refused_elsewhere(spec: str) -> None:
    with pytest.raises(SettingsError, match="gateway does not take"):
        prepare.make_arms(Settings(gateway="openai", model=[spec], repeats=2))


# --------------------------------------------------------------------------- the commands

PRICES = {"small": TokenPrice(prompt=1, completion=2), "large": TokenPrice(prompt=10, completion=20)}
ROUTED = GatewaySettings(preset="openai", routers=["router"], prices=PRICES)


def routing(request: Request, before: int) -> Reply:
    """Let the router send every other question to the small model; tell no cost, and know nothing of OpenRouter."""
    assert "plugins" not in request.body
    asked = request.body["model"]
    pick = ("small", "large")[len(request.prompt) % 2] if asked == "router" else asked
    return Reply(text="4", model=pick, cost=None, task_type=None, tells_metadata=False)


def openai_pages(request: Request) -> Page | None:
    if request.path.endswith("/models"):
        rows = [{"id": name, "object": "model", "owned_by": "me"} for name in ("small", "large", "router")]
        return 200, {}, {"object": "list", "data": rows}
    return None


def questions(n: int) -> list[dict[str, Any]]:
    return [
        {"id": f"q{i}", "difficulty": "easy", "question": f"What is 2 + 2{'?' * i}", "reference": 4}
        for i in range(n)
    ]


def test_a_run_behaves_on_a_gateway_without_pages_cost_or_lookups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Lookalike(routing) as server:  # no catalogue at all

        def run(**more: Any) -> routemark.RunHandle:
            settings = {
                "base_url": server.base_url,
                "runs_dir": str(tmp_path / "runs"),
                "quiet": True,
                **more,
            }
            return asyncio.run(routemark.run(questions(6), ["router", "small", "large"], **settings))

        found = run(gateway=ROUTED, max_cost_usd=1, run_id="a", baselines="picked")
        arm = found.summary.arms["router"]
        assert (arm.is_router, arm.model_usage, arm.flags) == (True, {"small": 3, "large": 3}, {})
        assert arm.cost_unknown == 0
        assert {row["cost_source"] for row in found.table()} == {"prices"}
        with pytest.raises(UsageError, match="no lookup of generations"):
            asyncio.run(audit(RunDirectory(found.path), None, note=lambda _: None))
        with pytest.raises(RunError, match="--max-cost cannot be kept"):
            run(gateway="openai", max_cost_usd=1, run_id="b")
        unpriced = run(gateway="openai", run_id="c")
        assert unpriced.summary.arms["small"].cost_unknown == 6
        assert unpriced.summary.arms["small"].cost_per_1k_usd is None


def test_plan_says_what_it_cannot_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "q.json").write_text(json.dumps(questions(3)))
    with Lookalike(routing, openai_pages) as server:
        asked = {"base_url": server.base_url, "questions": "q.json", "model": ["small"]}
        unknown = asyncio.run(forecast(prepare.prepare(Settings(gateway="openai", **asked)), None))  # type: ignore[arg-type]
        assert unknown.cost_worst_usd is None
        assert "[gateway.prices" in unknown.arms["small"].note
        known = prepare.prepare(Settings(gateway=ROUTED, **asked))  # type: ignore[arg-type]
        assert (asyncio.run(forecast(known, None)).cost_worst_usd or 0) > 0
        before = len(server.requests)
        asyncio.run(
            priced(known._replace(settings=msgspec.structs.replace(known.settings, max_cost=1.0)), None)
        )
        assert len(server.requests) == before


def statuses(
    gateway: Any, pages: Any = openai_pages, key: str | None = None, **more: Any
) -> Mapping[str, tuple[str, str]]:
    with Lookalike(routing, pages) as server:
        settings = Settings(base_url=server.base_url, runs_dir="/tmp", gateway=gateway, **more)
        found = asyncio.run(examine(settings, key))
    assert all(request.path.endswith(("/models", "/chat/completions")) for request in server.requests)
    return {one.name: (one.status, f"{one.message} {one.advice}") for one in found.findings}


@pytest.fixture
def in_good_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "sandbox", lambda: ok("sandbox", "works"))


@pytest.mark.usefixtures("in_good_order")
def test_doctor_tells_who_served_and_what_stays_unknown() -> None:
    found = statuses(ROUTED, model=["router"])
    assert found["gateway"][0] == found["model"][0] == found["billing"][0] == "ok"
    assert "by [gateway.prices]" in found["billing"][1]
    unpriced = statuses("openai", model=["small"])
    assert unpriced["billing"][0] == "warning"
    assert "[gateway.prices" in unpriced["billing"][1]
    assert statuses("openai", lambda _: None)["gateway"][0] == "warning"
    assert statuses("openai")["probe"] == (
        "warning",
        "No model is set, so nothing was asked. Give one: routemark doctor -m MODEL.",
    )


@pytest.mark.usefixtures("in_good_order")
def test_doctor_recognises_a_gateway_that_is_not_openrouter() -> None:
    status, told = statuses(None)["gateway"]
    assert status == "problem"
    assert "--gateway openai" in told

    def litellm(request: Request) -> Page | None:
        return 401, {"x-litellm-version": "1.2.3"}, {"error": {"message": "no key"}}

    assert "--gateway litellm" in statuses(None, litellm)["gateway"][1]
