"""A model's names: whatever it served as, the slug under which it can be asked."""

from typing import Any

import pytest

from routemark.wire.slugs import Slugs

CATALOGUE: dict[str, Any] = {
    "data": [
        {"id": "openai/gpt-5-mini", "canonical_slug": "openai/gpt-5-mini-2025-08-07"},
        {"id": "a/free", "canonical_slug": "a/free-20260101"},
        {"id": "a/free:free", "canonical_slug": "a/free-20260101"},
        {"id": "openrouter/auto", "canonical_slug": "openrouter/auto"},
        {"id": None, "canonical_slug": 7},
        "no row",
    ]
}


@pytest.mark.parametrize(
    ("served", "slug"),
    [
        ("openai/gpt-5-mini", "openai/gpt-5-mini"),
        ("openai/gpt-5-mini-2025-08-07", "openai/gpt-5-mini"),
        ("a/free-20260101", "a/free"),
        ("a/free-20260101:free", "a/free:free"),
        ("a/free:free", "a/free:free"),
        ("openai/gpt-5-mini:free", None),
        ("openai/gpt-5", None),
        ("openrouter/auto", None),
    ],
)
def test_a_served_name_gives_the_slug_to_send(served: str, slug: str | None) -> None:
    assert Slugs(CATALOGUE).of(served) == slug


@pytest.mark.parametrize("document", [None, {}, {"data": []}, "nonsense"])
def test_without_a_catalogue_a_name_is_its_slug_but_never_a_routers(document: Any) -> None:
    assert Slugs(document).of("any/model-2025") == "any/model-2025"
    assert Slugs(document).of("openrouter/auto") is None
