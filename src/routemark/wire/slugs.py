"""Names of models: under which one served, and under which it can be asked.

A router's answer may name its model as the catalogue lists it (``openai/gpt-5-mini``) or by its dated name
(``openai/gpt-5-mini-2025-08-07``, the catalogue's ``canonical_slug``); both mean the same model.
"""

from __future__ import annotations

from typing import Any

from routemark.wire import values
from routemark.wire.arms import router_of


class Slugs:
    """Gives the slug to send for the name of a model that served."""

    def __init__(self, document: Any) -> None:
        """Read a ``/models`` document; without one (None), every name is taken for a slug."""
        rows = [values.table(row) for row in values.rows(values.table(document).get("data"))]
        self._ids = {row["id"] for row in rows if isinstance(row.get("id"), str)}
        self._dated: dict[str, str] = {}
        for row in rows:
            name, slug = row.get("canonical_slug"), row.get("id")
            # a free variant shares the dated name of its model
            if isinstance(name, str) and isinstance(slug, str) and ":" not in slug:
                self._dated.setdefault(name, slug)

    def of(self, served: str) -> str | None:
        """Give the slug under which a model can be asked; None for a router's name, and for what is not listed."""
        if router_of(served) is not None:
            return None
        if served in self._ids or not self._ids:
            return served
        model, colon, variant = served.partition(":")
        slug = self._dated.get(model, model) + colon + variant
        return slug if slug in self._ids else None
