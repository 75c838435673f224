"""Fetches the prices that a budget or a forecast needs: the catalogue, and what providers charge."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from routemark.errors import APIError, RunError
from routemark.records import Arm
from routemark.router import OpenRouterClient
from routemark.wire import values
from routemark.wire.prices import UnboundedError, read_prices, to_look_up

AT_ONCE = 8
"""Look-ups in flight."""


async def fetch_catalogue(client: OpenRouterClient, arms: Sequence[Arm], where: str) -> dict[str, Any]:
    """Give the document of ``/models``, with ``endpoints`` of the models whose providers' prices matter.

    ``where``: what is asked, for people. A model without a page of endpoints keeps its listed price.
    Raises: RunError, with a sentence, when there is no catalogue.
    """
    try:
        document = values.table(await client.get_json("models"))
        return await with_offers(client, document, arms)
    except (APIError, UnboundedError) as error:
        raise RunError(f"{where}/models: the prices cannot be read: {error}") from None


async def with_offers(
    client: OpenRouterClient, catalogue: dict[str, Any], arms: Sequence[Arm]
) -> dict[str, Any]:
    """Give a catalogue with the ``endpoints`` of those models, too, whose providers' prices matter to the arms.

    Raises: UnboundedError when it is no catalogue.
    """
    known = values.table(catalogue.get("endpoints"))
    wanted = [slug for slug in to_look_up(read_prices(catalogue), arms) if slug not in known]
    limit = asyncio.Semaphore(AT_ONCE)

    async def endpoints(slug: str) -> dict[str, Any]:
        async with limit:
            try:
                page = values.table(await client.get_json(f"models/{slug}/endpoints"))
            except APIError:
                return {}
        return values.table(page.get("data"))

    pages = await asyncio.gather(*map(endpoints, wanted))
    return {**catalogue, "endpoints": {**known, **dict(zip(wanted, pages, strict=True))}}
