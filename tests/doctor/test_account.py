"""What a key's page, the catalogue and the clock mean."""

from datetime import UTC, datetime
from typing import Any

import pytest

from routemark.doctor.account import catalogue_finding, cheapest_models, clock_finding, key_findings, slugs
from routemark.wire.failures import Head, clock_skew_s

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FREE = {"used": 3, "limit": 50, "remaining": 47}


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({}, {}),
        ({"limit": None, "limit_remaining": None}, {}),
        ({"limit": 10, "limit_remaining": 8.5}, {}),
        ({"limit": 10, "limit_remaining": 0.5}, {"limit": "warning"}),
        ({"limit": 10, "limit_remaining": 0}, {"limit": "problem"}),
        ({"limit": 10, "limit_remaining": -2}, {"limit": "problem"}),
        ({"is_free_tier": True}, {"tier": "warning"}),
        ({"is_management_key": True}, {"key": "warning"}),
        ({"is_provisioning_key": True}, {"key": "warning"}),
        ({"expires_at": "2026-11-24T11:00:00Z"}, {"expiry": "problem"}),
        ({"expires_at": "2026-11-24T20:00:00Z"}, {"expiry": "warning"}),
        ({"expires_at": "2027-11-24T20:00:00"}, {}),
        ({"expires_at": "soon"}, {}),
        ({"budgets": [{"scope": "workspace", "remaining_usd": 0}]}, {"budget": "problem"}),
        ({"budgets": [{"scope": "workspace", "remaining_usd": 3}, None, {}]}, {}),
        ({"allowed_data_regions": ["eu"]}, {"regions": "warning"}),
        ({"free_model_daily_requests": FREE}, {}),
        ({"free_model_daily_requests": FREE | {"remaining": 0}}, {"free models": "warning"}),
        ({"limit": "odd", "budgets": 7, "free_model_daily_requests": []}, {}),
    ],
)
def test_a_key_page_is_judged(data: dict[str, Any], found: dict[str, str]) -> None:
    findings = list(key_findings({"data": data}, NOW))
    assert {one.name: one.status for one in findings if one.status != "ok"} == found
    assert all(one.advice for one in findings if one.status != "ok")


def test_a_key_page_says_what_is_left_and_never_its_label() -> None:
    data = {
        "label": "sk-or-v1-abc...def",
        "limit": 10,
        "limit_remaining": 8.5,
        "free_model_daily_requests": FREE,
    }
    text = " ".join(one.message for one in key_findings({"data": data}, NOW))
    assert "$8.50 left of the key's limit of $10.00" in text
    assert "47 of 50 requests" in text
    assert "sk-or" not in text


def row(slug: str, prompt: Any = "0.000001", completion: Any = "0.000002", **more: Any) -> dict[str, Any]:
    return {"id": slug, "pricing": {"prompt": prompt, "completion": completion}, **more}


def test_the_cheapest_models_are_fixed_and_priced_and_write_text() -> None:
    rows = [
        row("a/dear", "0.1", "0.1"), row("a/mid"), row("a/cheap", "0.0000001", "0.0000001"),
        row("a/cheap:free", "0", "0"), row("a/gift", "0", "0"), row("openrouter/auto", "-1", "-1"),
        row("openrouter/other", "0.00000001", "0"), row("~a/latest", "0.00000001", "0"), row("a/odd", "x", "y"),
        row("a/picture", "0.00000001", "0", architecture={"output_modalities": ["image", "text"]}),
        row("a/b?c=d", "0.00000001", "0"), row("a/fee", "0", "0" ) | {"pricing": {"prompt": "0", "completion": "0", "request": "0.5"}},
        {"id": None}, {"id": "a/none"}, None, 7,
    ]  # fmt: skip
    page = {"data": rows}
    assert cheapest_models(page, 10) == ["a/cheap", "a/mid", "a/fee", "a/dear"]
    assert cheapest_models(page, 1) == ["a/cheap"]
    assert cheapest_models({"data": None}, 3) == cheapest_models(None, 3) == []
    assert "a/none" in slugs(page)


def test_models_that_the_account_hides_are_counted() -> None:
    assert catalogue_finding(["a", "b"], ["b", "a", "c"]).status == "ok"
    hidden = catalogue_finding(["a", "b", "c"], ["b"])
    assert hidden.status == "warning"
    assert "2 of 3" in hidden.message


@pytest.mark.parametrize(
    ("skew", "status"),
    [(None, "warning"), (0.0, "ok"), (-5.0, "ok"), (5.1, "warning"), (-60.0, "warning"), (60.1, "problem"), (-1e9, "problem")],
)  # fmt: skip
def test_a_clock_is_judged_by_its_distance(skew: float | None, status: str) -> None:
    assert clock_finding(skew).status == status


@pytest.mark.parametrize(
    ("date", "skew"),
    [
        ("Tue, 24 Nov 2026 12:00:00 GMT", 9.5),
        ("Tue, 24 Nov 2026 12:00:30 GMT", -20.5),
        ("soon", None),
        ("", None),
    ],
)
def test_skew_is_how_far_our_clock_is_ahead(date: str, skew: float | None) -> None:
    assert clock_skew_s(Head(200, {"date": date} if date else {}, NOW.timestamp() + 10)) == skew
