"""`routemark doctor` against gateways that behave, and against accounts that bend a benchmark."""

import asyncio
import json
import shutil
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from lookalike import Lookalike, Page, Reply, Request
from routemark.config import Settings
from routemark.doctor import Examination, examine, machine
from routemark.gateway.process import simulated_gateway
from routemark.report.doctor import render

KEY = "sk-or-v1-MARKERKEY0123456789"
MODELS = [
    {"id": "vendor/cheap", "pricing": {"prompt": "0.0000001", "completion": "0.0000001"}},
    {"id": "vendor/dear", "pricing": {"prompt": "0.00001", "completion": "0.00001"}},
    {"id": "openrouter/auto", "pricing": {"prompt": "-1", "completion": "-1"}},
]
Answer = Callable[[Request, int], Reply]


def obedient(request: Request, before: int) -> Reply:
    """Serve what is asked; as a router, what is allowed, else the cheap model unless it is excluded."""
    plugin = next((one for one in request.body["plugins"] if one["id"] == "auto-router"), {})
    asked = request.body["model"]
    if asked == "openrouter/auto":
        free = "vendor/dear" if plugin.get("excluded_models") == ["vendor/cheap"] else "vendor/cheap"
        asked = plugin.get("allowed_models", [free])[0]
    return Reply(text="ok", model=asked, cost=0.0001)


def pages(**told: Page | None) -> Callable[[Request], Page | None]:
    """Give the pages of a gateway in good order, some of them replaced; names hold _ for /."""
    known: dict[str, Page | None] = {
        "models": at(0, MODELS),
        "models_user": (200, {}, {"data": MODELS}),
        "key": (200, {}, {"data": {"label": KEY, "limit": 10, "limit_remaining": 8}}),
        **told,
    }

    def answer(request: Request) -> Page | None:
        page = known.get(request.path.removeprefix("/api/v1/").replace("/", "_"))
        if page is None or "skew" not in page[1]:
            return page
        return page[0], {"Date": formatdate(time.time() + float(page[1]["skew"]), usegmt=True)}, page[2]

    return answer


def at(skew_s: float, models: list[dict[str, Any]]) -> Page:
    """Give the catalogue of a gateway whose clock is so many seconds ahead."""
    return 200, {"skew": str(skew_s)}, {"data": models}


def examined(
    answer: Answer = obedient, api_key: str | None = KEY, **told: Page | None
) -> tuple[Examination, Lookalike]:
    with Lookalike(answer, pages(**told)) as server:
        return asyncio.run(examine(Settings(base_url=server.base_url, runs_dir="/tmp"), api_key)), server


def statuses(examination: Examination) -> dict[str, str]:
    return {one.name: one.status for one in examination.findings if one.status != "ok"}


@pytest.fixture(autouse=True)
def in_good_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the sandbox works where the tests run is no matter here."""
    monkeypatch.setattr(machine, "sandbox", lambda: machine.ok("sandbox", "works"))


def test_all_is_well_with_an_obedient_gateway() -> None:
    examination, server = examined()
    assert (examination.status, statuses(examination)) == ("ok", {})
    assert examination.requests == 3
    assert examination.cost_usd == pytest.approx(0.0003)
    asked = [request for request in server.requests if request.path.endswith("/chat/completions")]
    assert [request.body["model"] for request in asked] == ["vendor/cheap", "vendor/cheap", "openrouter/auto"]
    assert {request.body["max_completion_tokens"] for request in asked} == {16}
    assert asked[0].raw == asked[1].raw  # the same bytes, or a cache would not show
    assert "3 requests asked a model, for $0.00030 in all." in render(examination)


def test_the_shipped_gateway_is_in_order() -> None:
    async def ask() -> Examination:
        async with simulated_gateway(latency="0") as base_url:
            return await examine(Settings(base_url=base_url, runs_dir="/tmp"), "any-key")

    examination = asyncio.run(ask())
    assert (examination.status, statuses(examination)) == ("ok", {})
    assert examination.simulated
    assert render(examination).startswith("*** SIMULATED ***")


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (lambda r, b: Reply(model="vendor/dear"), {"probe": "problem", "settings": "problem"}),
        (
            lambda r, b: Reply(
                model="vendor/dear" if r.body["model"] == "openrouter/auto" else "vendor/cheap"
            ),
            {"settings": "problem"},
        ),
        (
            lambda r, b: _with(r, b, headers={"X-OpenRouter-Cache-Status": "HIT"} if b else {}),
            {"cache": "problem"},
        ),
        (lambda r, b: _with(r, b, is_byok=True), {"byok": "warning"}),
        (lambda r, b: _with(r, b, tells_metadata=False), {"metadata": "warning"}),
        (lambda r, b: _with(r, b, cost=None), {"billing": "warning"}),
    ],
)
def test_what_bends_a_benchmark_is_found(answer: Answer, found: dict[str, str]) -> None:
    examination, _ = examined(answer)
    assert statuses(examination) == found
    assert all(one.advice for one in examination.findings if one.status == "problem")
    assert examination.status == ("problem" if "problem" in found.values() else "warning")


def _with(request: Request, before: int, **changes: Any) -> Reply:
    reply = obedient(request, before)
    for name, value in changes.items():
        setattr(reply, name, value)
    return reply


@pytest.mark.parametrize("obeys", [True, False])
def test_a_router_that_does_not_know_the_cheapest_model_is_checked_by_exclusion(obeys: bool) -> None:
    def answer(request: Request, before: int) -> Reply:
        plugin = next((one for one in request.body["plugins"] if one["id"] == "auto-router"), {})
        if plugin.get("allowed_models"):
            return Reply(status=404, error={"code": 404, "message": "No models match your request"})
        if request.body["model"] == "openrouter/auto" and plugin and not obeys:
            return Reply(model="vendor/cheap")
        return obedient(request, before)

    examination, _ = examined(answer)
    assert statuses(examination) == ({} if obeys else {"settings": "problem"})


def test_the_next_cheapest_model_is_asked_when_the_first_is_out_of_order() -> None:
    def answer(request: Request, before: int) -> Reply:
        if request.body["model"] == "vendor/cheap":
            return Reply(status=404, error={"code": 404, "message": "No endpoints found"})
        return obedient(request, before)

    examination, _ = examined(answer)
    assert statuses(examination) == {}
    assert any("vendor/dear answered" in one.message for one in examination.findings)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"key": (401, {}, {"error": {"code": 401, "message": f"bad key {KEY}"}})}, {"key": "problem"}),
        ({"models": at(-30, MODELS)}, {"clock": "warning"}),
        ({"models": at(3600, MODELS)}, {"clock": "problem"}),
        ({"models_user": (200, {}, {"data": MODELS[:1]})}, {"account": "warning"}),
        ({"models_user": None}, {}),
        ({"models": (503, {}, {})}, {"gateway": "problem"}),
        ({"models": at(0, [])}, {"probe": "warning"}),
        ({"models": at(0, MODELS[:2])}, {}),
    ],
)  # fmt: skip
def test_pages_are_looked_at(told: dict[str, Page | None], found: dict[str, str]) -> None:
    if "models" in told:
        told = {"models_user": None, **told}
    examination, _ = examined(**told)
    assert statuses(examination) == found
    assert KEY not in render(examination)


def test_no_credit_is_found_by_asking() -> None:
    error = {"code": 402, "message": "Insufficient credits"}
    examination, server = examined(lambda request, before: Reply(status=402, error=error))
    assert statuses(examination) == {"probe": "problem"}
    assert sum(request.path.endswith("/chat/completions") for request in server.requests) == 1


def test_without_a_key_nothing_is_asked_and_the_key_is_sent_to_no_public_page() -> None:
    examination, server = examined(api_key=None)
    assert statuses(examination) == {"key": "warning"}
    assert [request.path for request in server.requests] == ["/api/v1/models"]
    _, server = examined()
    assert "authorization" not in server.requests[0].headers


def test_a_gateway_that_is_not_there_is_a_problem() -> None:
    settings = Settings(base_url="http://127.0.0.1:9/api/v1", runs_dir="/tmp")
    examination = asyncio.run(examine(settings, KEY))
    assert statuses(examination) == {"gateway": "problem"}


def test_disk_and_sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for free, status in ((10 << 30, "ok"), (500 << 20, "warning"), (1 << 20, "problem")):
        monkeypatch.setattr(
            shutil, "disk_usage", lambda path, free=free: shutil._ntuple_diskusage(free, 0, free)
        )
        assert machine.disk(tmp_path / "not" / "there").status == status
    (tmp_path / "file").write_text("")
    assert machine.disk(tmp_path / "file").status == "problem"


@pytest.mark.parametrize(("why", "status"), [(None, "ok"), ("bubblewrap is not installed.", "warning")])
def test_a_sandbox_that_cannot_be_made_is_a_warning_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, why: str | None, status: str
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(machine, "trouble", lambda: why)
    finding = machine.sandbox()
    assert finding.status == status
    assert why is None or why in finding.message


def test_what_a_gateway_says_does_not_act_on_the_terminal() -> None:
    evil = "\x1b[2J\u202e" + "x" * 5000
    examination, _ = examined(lambda request, before: Reply(model=evil.replace("\u202e", "")))
    text = render(examination, 80)
    assert "\x1b" not in text
    assert max(map(len, text.split("\n"))) < 700
    json.dumps(text)
