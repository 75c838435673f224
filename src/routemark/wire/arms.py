"""An arm's spelling: ``SLUG?setting=value&setting=value``, or an ``[[arm]]`` table.

A gateway ignores settings that are sent under another router's plugin id, silently, and the run would
measure something else. So every slug's settings are known here, with their types, and whatever does
not belong is refused with the nearest name that does.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin
from urllib.parse import unquote

import msgspec
from msgspec import Meta

from routemark.errors import SettingsError
from routemark.records import Arm

# --------------------------------------------------------------------------- what may be set

_Name = Annotated[str, Meta(min_length=1, max_length=1024)]
_Names = Annotated[list[_Name], Meta(min_length=1, max_length=1024)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Price = Annotated[float, Meta(ge=0, le=1e6)]
_Tier = Literal["low", "medium", "high", "xhigh", "max"]
_Effort = Literal["max", "xhigh", "high", "medium", "low", "minimal", "none"]

Settings = dict[str, Any]
"""Name of a setting -> its type, as `msgspec.convert` reads it."""

REQUEST_SETTINGS: Settings = {
    "temperature": Annotated[float, Meta(ge=0, le=2)],
    "top_p": _Share,
    "max_tokens": Annotated[int, Meta(ge=1)],
    "seed": int,
    "reasoning_effort": _Effort,
    "models": _Names,
    "provider.order": _Names,
    "provider.only": _Names,
    "provider.ignore": _Names,
    "provider.allow_fallbacks": bool,
    "provider.require_parameters": bool,
    "provider.sort": Literal["price", "throughput", "latency", "exacto"],
    "provider.quantizations": _Names,
    "provider.data_collection": Literal["allow", "deny"],
    "provider.zdr": bool,
    "provider.max_price.prompt": _Price,
    "provider.max_price.completion": _Price,
}
"""Settings of every arm. ``max_tokens`` is sent as ``max_completion_tokens``; prices are US dollars per
million tokens."""

PLUGIN = "plugin/"
"""Beginning of the slug of a router that a plugin brings; the name of the plugin follows."""

STICKY = "sticky"
"""The one setting that is not sent: the repeats of a question share a session."""

_SENT_AS = {"max_tokens": "max_completion_tokens"}

_MARKET: Settings = {
    "allowed_models": _Names,
    "excluded_models": _Names,
    "cost_tier": _Tier,
    "cost_quality_tradeoff": Annotated[int, Meta(ge=0, le=10)],
}


class Router(NamedTuple):
    """A slug that routes, with the plugin that takes its settings."""

    plugin: str | None = None
    settings: Settings = {}  # noqa: RUF012 - never written to


_AUTO = Router("auto-router", {**_MARKET, "pin_model": bool})
_FUSION = Router(
    "fusion",
    {
        "analysis_models": Annotated[list[_Name], Meta(min_length=1, max_length=8)],
        "model": _Name,
        "preset": Literal["general-high", "general-budget", "general-fast"],
        "max_tool_calls": Annotated[int, Meta(ge=1, le=16)],
    },
)

ROUTERS: dict[str, Router] = {
    "openrouter/auto": _AUTO,
    "auto": _AUTO,
    "openrouter/auto-beta": Router("auto-beta-router", _MARKET),
    "openrouter/pareto-code": Router(
        "pareto-router",
        {"min_coding_score": _Share, "max_price": _Price, "price_source": Literal["prompt", "weighted_avg"]},
    ),
    "typesafe/jev-router": Router(
        "jev-router",
        {
            "cost_tier": Literal["low", "medium", "high"],
            "allowed_models": _Names,
            "excluded_models": _Names,
        },
    ),
    "nvidia/switchyard": Router(
        "switchyard-router",
        {
            "algorithm": Literal["capability", "stage", "auto", "random", "composite", "passthrough"],
            "judge_model": _Name,
        },
    ),
    "openrouter/fusion": _FUSION,
    "openrouter/fusion-flash": _FUSION,
    "openrouter/free": Router(),
    "openrouter/auto-code": Router(),
    "openrouter/bodybuilder": Router(),
    "switchpoint/router": Router(),
}
"""Slugs that are known to route. Those without a plugin take the settings of every arm only."""


def router_of(slug: str) -> Router | None:
    """Give the router a slug names, whatever variant (``:free``) follows; None for a model."""
    return ROUTERS.get(slug.partition(":")[0])


def plugin_name(slug: str) -> str | None:
    """Give the name of the plugin whose router a slug names; None for what the gateway is asked itself."""
    return slug.removeprefix(PLUGIN) if slug.startswith(PLUGIN) else None


# --------------------------------------------------------------------------- reading a spelling


def parse_arm(spec: str) -> Arm:
    """Give the arm of ``SLUG?setting=value&setting=value``.

    Values are URL-decoded, lists separated by commas. The name is the spelling itself, normalised.
    Raises: SettingsError.
    """
    slug, _, query = spec.partition("?")
    _check_slug(slug, spec)
    settings: dict[str, Any] = {}
    for pair in filter(None, query.split("&")):
        name, equals, value = pair.partition("=")
        name = unquote(name)
        if not equals:
            raise SettingsError(f"{slug}: {name!r} has no value; write {name}=VALUE.")
        if name in settings:
            raise SettingsError(f"{slug}: {name} is set twice.")
        settings[name] = _from_text(_type_of(slug, name), value)
    return _arm(slug, settings)


def arm_from_table(table: dict[str, Any]) -> Arm:
    """Give the arm of an ``[[arm]]`` table: ``model``, optionally ``name``, and settings by name.

    ``provider`` may be nested or dotted. Raises: SettingsError.
    """
    slug = table.get("model")
    if not isinstance(slug, str):
        raise SettingsError('[[arm]]: model is missing: the slug to send, e.g. model = "openrouter/auto".')
    _check_slug(slug, slug)
    arm = _arm(slug, dict(_flat({k: v for k, v in table.items() if k not in {"model", "name"}})), strict=True)
    name = table.get("name", arm.name)
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise SettingsError(f"[[arm]] {slug}: name must be a text that can be printed, not {name!r}.")
    return msgspec.structs.replace(arm, name=name)


def _check_slug(slug: str, spec: str) -> None:
    if not slug or not slug.isprintable() or re.search(r"\s", slug):
        raise SettingsError(
            f"{spec!r}: the slug must not be empty or hold white space, e.g. openrouter/auto."
        )


def _flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give (dotted name, value) of nested tables."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _type_of(slug: str, name: str) -> Any:
    """Give the type of a setting. Raises: SettingsError for one that the slug does not have."""
    router = router_of(slug)
    known = {**REQUEST_SETTINGS, **(router.settings if router else {}), STICKY: bool}
    if name in known:
        return known[name]
    owners = sorted(owner for owner, entry in ROUTERS.items() if name in entry.settings)
    what = f"a setting of {', '.join(owners)}, not of {slug}" if owners else "not a setting"
    raise SettingsError(f"{slug}: {name} is {what}. {_nearest(name, known)}")


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Did you mean {near[0]}?" if near else f"Known: {', '.join(sorted(known))}."


def _from_text(kind: Any, value: str) -> Any:
    """Cut a list at its commas and decode; `_convert` reads numbers and flags from the text."""
    if _is_list(kind):
        return [unquote(part).strip() for part in value.split(",")]
    return unquote(value)


def _is_list(kind: Any) -> bool:
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return get_origin(kind) is list


def _convert(slug: str, name: str, value: Any, *, strict: bool) -> Any:
    kind = _type_of(slug, name)
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as fault:
        allowed = [str(choice) for choice in get_args(kind)] if get_origin(kind) is Literal else []
        hint = f" {_nearest(str(value), allowed)} Allowed: {', '.join(allowed)}." if allowed else ""
        raise SettingsError(f"{slug}: {name}={value!r}: {fault}.{hint}") from None


# --------------------------------------------------------------------------- building an arm


def _arm(slug: str, settings: dict[str, Any], *, strict: bool = False) -> Arm:
    """Sort the settings into plugin, fallback list and body fields, and name the arm by them."""
    values = {name: _convert(slug, name, value, strict=strict) for name, value in settings.items()}
    router = router_of(slug)
    own = {name: value for name, value in values.items() if router and name in router.settings}
    rest = {n: value for n, value in values.items() if n not in own and n not in {"models", STICKY}}
    return Arm(
        name=slug + "".join(f"{'&' if i else '?'}{n}={_spell(v)}" for i, (n, v) in enumerate(values.items())),
        model=slug,
        models=values.get("models"),
        plugin={"id": router.plugin, **own} if router and own else None,
        body=_nested(rest),
        is_router=router is not None or plugin_name(slug) is not None,
        sticky=values.get(STICKY, False),
    )


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    """Turn dotted names into the nested objects that are sent."""
    result: dict[str, Any] = {}
    for name, value in flat.items():
        *path, last = _SENT_AS.get(name, name).split(".")
        inner = result
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return result


def _spell(value: Any) -> str:
    """Spell a value so that `parse_arm` reads it back."""
    if isinstance(value, list):
        return ",".join(_spell(item).replace(",", "%2C") for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return re.sub(r"[%&#\s]", lambda found: "".join(f"%{b:02X}" for b in found[0].encode()), str(value))


def may_pick(arm: Arm) -> bool:
    """Tell whether an arm may be served by one model or another: a router, or a fallback list."""
    return arm.is_router or bool(arm.models)


def direct_arm(router: Arm, slug: str) -> Arm:
    """Give the arm that asks a model itself with what the router's arm sets beside its routing.

    It has the name that such a fixed model has when it is given with ``-m``.
    """
    names = {sent: name for name, sent in _SENT_AS.items()}
    settings = {names.get(name, name): value for name, value in _flat(router.body)}
    return _arm(slug, settings, strict=True)


def is_direct(arm: Arm, router: Arm) -> bool:
    """Tell whether an arm asks one model itself, with what the router's arm sets beside its routing."""
    return not (arm.is_router or arm.models or arm.plugin or arm.sticky) and arm.body == router.body


# --------------------------------------------------------------------------- many arms


def sweep(arms: list[Arm], setting: str) -> list[Arm]:
    """Give one arm per value of a setting in place of each router that has it; others unchanged.

    Raises: SettingsError when no arm has such a setting, or when its values are not a closed list.
    """
    swept = [_swept(arm, setting) for arm in arms]
    if not any(swept):
        raise SettingsError(
            f"--sweep {setting}: no arm has a setting {setting} with a closed list of values."
        )
    result: list[Arm] = []
    for group, arm in zip(swept, arms, strict=True):
        result += [new for new in group if new not in result] if group else [arm]
    return result


def _swept(arm: Arm, setting: str) -> list[Arm]:
    router = router_of(arm.model)
    kind = router.settings.get(setting) if router else None
    if router is None or get_origin(kind) is not Literal:
        return []
    plugin = {"id": router.plugin, **(arm.plugin or {})}
    return [
        msgspec.structs.replace(
            arm, name=_renamed(arm.name, setting, value), plugin={**plugin, setting: value}
        )
        for value in get_args(kind)
    ]


def _renamed(name: str, setting: str, value: str) -> str:
    base, _, query = name.partition("?")
    kept = [pair for pair in query.split("&") if pair and not pair.startswith(f"{setting}=")]
    return f"{base}?{'&'.join([*kept, f'{setting}={value}'])}"


def check_names(arms: list[Arm]) -> None:
    """Refuse arms that share a name, which is their key in every output. Raises: SettingsError."""
    twice = [name for name, times in Counter(arm.name for arm in arms).items() if times > 1]
    if twice:
        raise SettingsError(f"two arms have the same name: {', '.join(twice)}. Give one another name.")
