"""How a gateway speaks: what it wants to be sent beside the question, and where it tells what it did.

OpenRouter is the one that all else here is written for. Other gateways share the OpenAI chat-completions format and
differ in few things, which are data: the entries of `PRESETS`, and whatever a ``[gateway]`` table adds to one.
Where a gateway tells nothing, nothing is invented: the model is then unknown, and so is the cost, unless a table of
prices says what its tokens are worth.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import field

from routemark.config import GatewaySettings, TokenPrice
from routemark.errors import SettingsError
from routemark.records import Record, Usage
from routemark.wire import values
from routemark.wire.failures import Head

PRESETS: dict[str, GatewaySettings] = {
    "openrouter": GatewaySettings(openrouter_fields=True),
    "openai": GatewaySettings(openrouter_fields=False),
    "litellm": GatewaySettings(
        openrouter_fields=False,
        headers={"Authorization": "Bearer $LITELLM_API_KEY"},
        model=[
            "header:x-litellm-adaptive-router-model",
            "header:x-litellm-model-name",
            "body:model",
        ],
        cost=["header:x-litellm-response-cost", "body:usage.cost"],
        keep=["x-litellm-model-", "x-litellm-attempted-", "x-litellm-overhead-", "x-litellm-version"],
    ),
    "vllm-semantic-router": GatewaySettings(
        openrouter_fields=False,
        model=["header:x-vsr-selected-model", "body:model"],
        task_type=["header:x-vsr-selected-category", "header:x-vsr-selected-decision"],
        keep=["x-vsr-"],
        routers=["auto", "MoM"],
    ),
    "azure": GatewaySettings(
        openrouter_fields=False,
        headers={"api-key": "$AZURE_OPENAI_API_KEY"},
        routers=["model-router"],
    ),
    "notdiamond": GatewaySettings(
        openrouter_fields=False,
        headers={"Authorization": "Bearer $NOTDIAMOND_API_KEY"},
        routers=["notdiamond"],
    ),
}
"""What is known of gateways by name. Sources: docs/gateways.md."""

HOSTS: dict[str, str] = {
    "openrouter.ai": "openrouter",
    "api.openai.com": "openai",
    "openai.azure.com": "azure",
    "services.ai.azure.com": "azure",
    "cognitiveservices.azure.com": "azure",
    "notdiamond.ai": "notdiamond",
}
"""Ends of host names that tell the preset; whatever else there is speaks as OpenRouter, unless settings say otherwise."""

AUTHORIZATION = "authorization"
_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_SECRET = re.compile(r"authorization|cookie|token|secret|key$|^key", re.IGNORECASE)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_DATE = re.compile(r"-20\d{2}-?\d{2}-?\d{2}$")
_PER_MILLION = Decimal(1_000_000)


class Dialect(Record, frozen=True, kw_only=True):
    """A gateway's manners, complete; it holds no secret."""

    name: str = "openrouter"
    """Of the preset."""
    openrouter_fields: bool = True
    """Send, and expect, what OpenRouter has beyond the common format."""
    headers: dict[str, str] = field(default_factory=dict)
    """To send beside ours, with variables unresolved."""
    optional: list[str] = field(default_factory=list)
    """Those of the headers that are left out while their variable is not set."""
    body: dict[str, Any] = field(default_factory=dict)
    """Fields to send with every request."""
    model: list[str] = field(default_factory=list)
    cost: list[str] = field(default_factory=list)
    task_type: list[str] = field(default_factory=list)
    """Places, ``header:NAME`` or ``body:PATH``, of which the first that tells counts; empty: as OpenRouter."""
    keep: list[str] = field(default_factory=list)
    """Beginnings of the names of headers to keep."""
    routers: list[str] = field(default_factory=list)
    prices: dict[str, TokenPrice] = field(default_factory=dict)


OPENROUTER = Dialect()


def dialect_of(settings: str | GatewaySettings | None, base_url: str) -> Dialect:
    """Give the manners of the gateway at a URL; what the settings name goes before what the host tells.

    Raises: SettingsError for a header or a place that cannot be one.
    """
    own = settings if isinstance(settings, GatewaySettings) else GatewaySettings()
    name = settings if isinstance(settings, str) else own.preset or _by_host(base_url)
    preset = PRESETS[name]
    _check(own)
    given = {header.lower() for header in own.headers}
    kept = {header: value for header, value in preset.headers.items() if header.lower() not in given}
    fields = own.openrouter_fields if own.openrouter_fields is not None else preset.openrouter_fields
    return Dialect(
        name=name,
        openrouter_fields=bool(fields),
        headers={**kept, **own.headers},
        optional=list(kept),
        body={**preset.body, **own.body},
        model=own.model or preset.model,
        cost=own.cost or preset.cost,
        task_type=own.task_type or preset.task_type,
        keep=[start.lower() for start in (*preset.keep, *own.keep)],
        routers=[*preset.routers, *own.routers],
        prices=own.prices,
    )


def _by_host(base_url: str) -> str:
    host = (urlsplit(base_url).hostname or "").lower()
    ends = (preset for end, preset in HOSTS.items() if host == end or host.endswith(f".{end}"))
    return next(ends, "openrouter")


def _check(own: GatewaySettings) -> None:
    for name, value in own.headers.items():
        if not _HEADER_NAME.fullmatch(name) or not value.isprintable():
            raise SettingsError(f"[gateway] headers: {name!r} cannot be sent as a header.")
        if _SECRET.search(name) and not _VARIABLE.search(value):
            raise SettingsError(
                f"[gateway] headers: {name} looks like a secret, which the run's files would then hold. Put it "
                f'into the environment and write {name} = "$NAME_OF_THE_VARIABLE".'
            )
    for told in ("model", "cost", "task_type"):
        for place in getattr(own, told):
            kind, _, rest = place.partition(":")
            if kind not in {"header", "body"} or not rest:
                raise SettingsError(
                    f"[gateway] {told}: {place!r} is no place. Write header:NAME or body:PATH, such as "
                    "header:x-model or body:usage.cost."
                )


def resolved_headers(dialect: Dialect, environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Give the headers with their variables' values, and those values, which are secret.

    Raises: SettingsError for a header of the settings whose variable is not set.
    """
    found: dict[str, str] = {}
    secrets: list[str] = []
    for name, template in dialect.headers.items():
        wanted = _VARIABLE.findall(template)
        lacking = [variable for variable in wanted if not environ.get(variable, "").strip()]
        if lacking and name in dialect.optional:
            continue
        if lacking:
            raise SettingsError(f"[gateway] headers: {name} needs ${lacking[0]}, which is not set.")
        values_of = {variable: environ[variable].strip() for variable in wanted}
        found[name] = _VARIABLE.sub(lambda named: values_of[named[1]], template)  # noqa: B023 - used at once
        if not found[name].isprintable() or not found[name].isascii():
            raise SettingsError(f"[gateway] headers: what the environment holds for {name} cannot be sent.")
        secrets += values_of.values()
    return found, secrets


# --------------------------------------------------------------------------- what it tells


class _Place(NamedTuple):
    in_header: bool
    path: tuple[str, ...]


class Told:
    """Finds in a response what a gateway tells in its own places."""

    def __init__(self, dialect: Dialect) -> None:
        self._model = [_place(text) for text in dialect.model]
        self._cost = [_place(text) for text in dialect.cost]
        self._task_type = [_place(text) for text in dialect.task_type]
        self._keep = tuple(dialect.keep)
        self._prices = dialect.prices
        self._has_metadata = dialect.openrouter_fields
        places = (*self._model, *self._cost, *self._task_type)
        self.fields = tuple({place.path[0] for place in places if not place.in_header})
        """Names in the body, at its top, that hold some of it."""

    def models(self, response: dict[str, Any], head: Head) -> list[str]:
        """Give the names that it tells for the model that served, the most telling first."""
        return [text for place in self._model if (text := values.text(_at(place, response, head)))]

    def cost(self, response: dict[str, Any], head: Head) -> float | None:
        """Give the cost that it tells, US dollars."""
        found = (values.amount(_at(place, response, head)) for place in self._cost)
        return next((cost for cost in found if cost is not None), None)

    def task_type(self, response: dict[str, Any], head: Head) -> str | None:
        """Give what it took the prompt for."""
        found = (values.text(_at(place, response, head)) for place in self._task_type)
        return next(filter(None, found), None)

    def metadata(self, own: Any, head: Head) -> Any:
        """Give the routing metadata: OpenRouter's ``own`` where there is some, else the headers that are to be kept."""
        if own is not None or (self._has_metadata and not self._keep):
            return own
        return {name: value[:256] for name, value in head.headers.items() if name.startswith(self._keep)}

    def priced(self, model: str, usage: Usage) -> float | None:
        """Give what an answer cost by the table of prices, US dollars; None where it has no such model."""
        price = price_of(self._prices, model)
        if price is None or usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        cached = min(usage.cached_tokens or 0, usage.prompt_tokens)
        dear = price.prompt if price.cached is None else price.cached
        tokens = (usage.prompt_tokens - cached) * price.prompt + cached * dear
        return (tokens + usage.completion_tokens * price.completion) / 1e6


def told_by(dialect: Dialect) -> Told | None:
    """Give what understands a gateway's responses; None where it tells all in OpenRouter's places."""
    same = Dialect(name=dialect.name, headers=dialect.headers, body=dialect.body, optional=dialect.optional)
    return None if dialect == same else Told(dialect)


def _place(text: str) -> _Place:
    kind, _, rest = text.partition(":")
    return _Place(kind == "header", (rest.lower(),) if kind == "header" else tuple(rest.split(".")))


def _at(place: _Place, response: dict[str, Any], head: Head) -> Any:
    if place.in_header:
        return head.headers.get(place.path[0], "").strip()[:256] or None
    value: Any = response
    for name in place.path:
        value = values.table(value).get(name)
    return value


def price_of(prices: Mapping[str, TokenPrice], model: str) -> TokenPrice | None:
    """Give the price of a model by the name under which it served: as it is, without its date, its author, or both."""
    bare = model.rpartition("/")[2]
    names = (model, _DATE.sub("", model), bare, _DATE.sub("", bare))
    return next((prices[name] for name in names if name in prices), None)


def catalogue_of(dialect: Dialect) -> dict[str, Any] | None:
    """Give the table of prices as a ``/models`` document, whose providers charge just that; None without one."""
    if not dialect.prices:
        return None
    rows = [{"id": name, "pricing": _pricing(price)} for name, price in dialect.prices.items()]
    return {"data": rows, "endpoints": {name: {} for name in dialect.prices}}


def _pricing(price: TokenPrice) -> dict[str, str]:
    told: dict[str, float | None] = msgspec.structs.asdict(price)
    return {
        name: f"{Decimal(repr(float(value))) / _PER_MILLION:f}"
        for name, value in told.items()
        if value is not None and name != "cached"
    }
