"""What an answer costs: tokens times price, in whole picodollars, so that sums are exact.

Reasoning tokens are billed as output. A long prompt that the same model was sent before, within the
cache's lifetime, is read from the provider's prompt cache at a lower price.
"""

from __future__ import annotations

from collections.abc import Callable

from routemark.gateway.bounded import BoundedDict
from routemark.gateway.catalogue import PICO, Model
from routemark.records import Record

CACHEABLE_TOKENS = 1_024
"""Prompts shorter than this are not cached."""
_CACHE_STEP = 128
_CACHE_LIFETIME_S = 300.0
_CACHED_PROMPTS = 50_000


class Bill(Record, frozen=True, kw_only=True):
    """The price of one answer."""

    prompt_pico: int
    completion_pico: int
    saved_pico: int
    """What the prompt cache saved."""

    @property
    def cost_usd(self) -> float:
        """US dollars to pay."""
        return (self.prompt_pico + self.completion_pico) / PICO


FREE = Bill(prompt_pico=0, completion_pico=0, saved_pico=0)


def bill(model: Model, prompt_tokens: int, cached_tokens: int, completion_tokens: int) -> Bill:
    """Compute the bill; ``cached_tokens`` are part of ``prompt_tokens``."""
    prompt_price, completion_price = prices(model, prompt_tokens)
    saved = cached_tokens * (prompt_price - model.cache_read_pico)
    return Bill(
        prompt_pico=prompt_tokens * prompt_price - saved,
        completion_pico=completion_tokens * completion_price,
        saved_pico=saved,
    )


def prices(model: Model, prompt_tokens: int) -> tuple[int, int]:
    """Give the prices of a prompt and a completion token for a prompt of this length, in picodollars."""
    longer = model.long_prompt
    if longer is not None and prompt_tokens > longer.min_prompt_tokens:
        return longer.prompt_pico, longer.completion_pico
    return model.prompt_pico, model.completion_pico


class PromptCache:
    """Remembers which long prompts a provider of a model has seen lately."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        """Monotonic seconds."""
        self._seen: BoundedDict[tuple[str, str, int], float] = BoundedDict(_CACHED_PROMPTS)

    def read(self, model: str, provider: str, prompt_key: int, prompt_tokens: int) -> int:
        """Give how many tokens of a prompt come from the cache, and remember the prompt."""
        if prompt_tokens < CACHEABLE_TOKENS:
            return 0
        now = self._clock()
        before = self._seen.get((model, provider, prompt_key))
        self._seen[(model, provider, prompt_key)] = now
        if before is None or now - before > _CACHE_LIFETIME_S:
            return 0
        return prompt_tokens // _CACHE_STEP * _CACHE_STEP
