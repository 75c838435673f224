"""What of a run is looked at: filters as they stand in a URL, there and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args
from urllib.parse import urlencode

import msgspec

Status = Literal["right", "wrong", "partial", "failed", "not graded"]
STATUSES: tuple[Status, ...] = get_args(Status)
ODD = {"truncated": "cut off at the token limit", "empty": "empty"}
"""What may be odd about an answer."""
SORTS = {
    "plan": "as planned",
    "newest": "newest first",
    "cost": "dearest first",
    "slow": "slowest first",
}
MAX_WORDS = 20
MAX_TEXT = 400
"""Characters of a search that are looked at."""


class Filter(msgspec.Struct, frozen=True, omit_defaults=True):
    """Filters, each narrowing what the others leave; empty: does not narrow."""

    q: str = ""
    """Words, all of which stand in the prompt or the id."""
    arm: str = ""
    model: str = ""
    status: str = ""
    kind: str = ""
    """Of failure."""
    odd: str = ""
    difficulty: str = ""
    category: str = ""
    disagree: bool = False
    """The scores of a question's answers differ."""
    sort: str = "plan"
    page: int = 1

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> Filter:
        """Read a URL's query; what is no filter is passed over, and a value may be anything."""
        texts = {
            name: query.get(name, "")
            for name in ("q", "arm", "model", "status", "kind", "odd", "difficulty", "category")
        }
        texts["q"] = texts["q"][:MAX_TEXT]
        sort, page = query.get("sort", ""), query.get("page", "")
        return cls(
            **texts,
            disagree=query.get("disagree") == "1",
            sort=sort if sort in SORTS else "plan",
            page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 9 else 1,
        )

    @property
    def words(self) -> list[str]:
        """What is searched in the prompts."""
        return self.q.split()[:MAX_WORDS]

    def url(self, **changes: Any) -> str:
        """Give the query of this filter with changes; empty when nothing is filtered."""
        shown = msgspec.to_builtins(msgspec.structs.replace(self, **changes))
        return urlencode({name: "1" if value is True else value for name, value in shown.items()})

    @property
    def narrows(self) -> bool:
        """Tell whether anything is filtered at all."""
        return bool(self.url(sort="plan", page=1))
