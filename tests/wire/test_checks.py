"""Flags: each sign that a setting did not take effect, and nothing where there is none."""

from typing import Any

import pytest

from routemark.records import Completion
from routemark.wire.arms import parse_arm
from routemark.wire.checks import FLAGS, flags, matches, same_model

METADATA = {"requested": "x", "is_byok": False, "pipeline": []}


def answer(model: str = "vendor/model-a", **changes: Any) -> Completion:
    return Completion(**{"text": "4", "model": model, "metadata": METADATA} | changes)


@pytest.mark.parametrize(
    ("arm", "completion", "found"),
    [
        ("vendor/model-a", answer(), []),
        ("openrouter/auto", answer(), []),
        ("openrouter/auto?allowed_models=vendor/*", answer(), []),
        ("openrouter/auto?allowed_models=vendor/*,a/b", answer("a/b"), []),
        ("openrouter/auto?allowed_models=vendor/model-a", answer("vendor/model-a-20260217"), []),
        ("openrouter/auto?allowed_models=vendor/model-a", answer("vendor/model-a:free"), []),
        ("openrouter/auto?allowed_models=vendor/*", answer("other/model"), ["outside_allowed_models"]),
        ("openrouter/auto?allowed_models=vendor/model", answer(), ["outside_allowed_models"]),
        ("typesafe/jev-router?allowed_models=x/y", answer(), ["outside_allowed_models"]),
        ("openrouter/auto?excluded_models=other/*", answer(), []),
        ("openrouter/auto?excluded_models=vendor/model", answer(), []),
        ("openrouter/auto?excluded_models=*/model-*", answer(), ["inside_excluded_models"]),
        ("openrouter/auto?excluded_models=vendor/model-a", answer("vendor/model-a-20260217"), ["inside_excluded_models"]),
        (
            "openrouter/auto?allowed_models=x/*&excluded_models=vendor/*",
            answer(),
            ["outside_allowed_models", "inside_excluded_models"],
        ),
        ("openrouter/auto?allowed_models=x/*", answer("unknown"), []),
        ("vendor/model-a", answer("vendor/model-b"), ["other_model"]),
        ("vendor/model-a", answer("other/model-a"), ["other_model"]),
        ("vendor/model-a:free", answer("vendor/model-a"), []),
        ("vendor/model-a", answer("vendor/model-a-20260217"), []),
        ("vendor/model-a?models=b/c,d/e", answer("d/e"), []),
        ("vendor/model-a?models=b/c,d/e", answer("f/g"), ["other_model"]),
        ("~vendor/model-latest", answer("vendor/model-9"), []),
        ("~vendor/model-latest", answer("other/model-9"), ["other_model"]),
        ("@preset/mine", answer("vendor/model-9"), []),
        ("openrouter/new-router", answer("vendor/model-9"), []),
        ("vendor/model-a", answer(cache_status="HIT"), ["cache_hit"]),
        ("vendor/model-a", answer(cache_status="hit"), ["cache_hit"]),
        ("vendor/model-a", answer(cache_status="MISS"), []),
        ("vendor/model-a", answer(usage_raw={"is_byok": True}), ["byok"]),
        ("vendor/model-a", answer(metadata={"is_byok": True}), ["byok"]),
        ("vendor/model-a", answer(usage_raw={"is_byok": "yes"}), []),
        ("vendor/model-a", answer(metadata={"pipeline": [{"type": "context_compression"}]}), ["context_compressed"]),
        (
            "vendor/model-a",
            answer(metadata={"pipeline": [{"type": "plugin", "name": "context-compression"}]}),
            ["context_compressed"],
        ),
        ("vendor/model-a", answer(metadata={"pipeline": [{"type": "guardrail"}, None, 7]}), []),
        ("vendor/model-a", answer(metadata={"pipeline": "odd"}), []),
        ("vendor/model-a", answer(metadata=None), ["no_metadata"]),
        ("vendor/model-a", answer(metadata="odd"), ["no_metadata"]),
    ],
)  # fmt: skip
def test_an_answer_gets_the_flags_it_earned(arm: str, completion: Completion, found: list[str]) -> None:
    assert flags(parse_arm(arm), completion) == found
    assert set(found) <= set(FLAGS)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a/b", "a/b", True),
        ("a/b", "A/B", True),
        ("a/b", "a/b-20260217", True),
        ("a/b-2024-08-06", "a/b", True),
        ("a/b-2024-08-06", "a/b-20240806", True),
        ("a/b-2024-08-06", "a/b-2024-11-20", False),
        ("anthropic/claude-sonnet-4.6", "anthropic/claude-4.6-sonnet-20260217", True),
        ("a/b:nitro", "a/b:free", True),
        ("a/b@preset/mine", "a/b", True),
        ("a/b", "b", True),
        ("b", "b-2024-07-18", True),
        ("a/b", "c/b", False),
        ("a/b", "a/b-mini", False),
        ("a/r1", "a/r1-0528", False),
        ("", "a/b", False),
    ],
)
def test_names_are_compared_with_care(one: str, other: str, same: bool) -> None:
    assert same_model(one, other) is same
    assert same_model(other, one) is same


@pytest.mark.parametrize(
    ("model", "pattern", "fits"),
    [
        ("openai/gpt-5-mini", "openai/*", True),
        ("openai/gpt-5-mini", "*/gpt-5*", True),
        ("openai/gpt-5-mini", "*-mini", True),
        ("openai/gpt-5-mini", "*", True),
        ("openai/gpt-5-mini", "openai/gpt-5", False),
        ("openai/gpt-5-mini", "*/claude-*", False),
        ("openai/gpt", "openai/gpt*gpt", False),
        ("ab", "ab*b", False),
        ("abcb", "a*b*b", True),
        ("x/abc", "a*c", False),
    ],
)
def test_a_star_stands_for_anything(model: str, pattern: str, fits: bool) -> None:
    assert matches(model, [pattern]) is fits


def test_patterns_take_no_long_time_and_are_no_regular_expressions() -> None:
    assert not matches("a" * 5_000_000, ["*a" * 60 + "*b"])
    assert not matches("vendorXmodel", ["vendor.model"])
    assert matches("vendor/model.1", ["vendor/model.*"])
