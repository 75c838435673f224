"""The commented settings file that `routemark init` writes, made from the settings records themselves."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from routemark.config import CONFIG_FILE, GatewaySettings, JudgeSettings, Settings
from routemark.errors import UsageError
from routemark.flags import description, plain_type

_WIDTH = 100
_HEAD = """\
# Settings of Routemark. Remove "# " before a line to set it; the value that stands there is the default, or an
# example where there is none.
#
# A flag on the command line goes before ROUTEMARK_<OPTION> in the environment, and both before this file.
# The API key is no setting: it is read from OPENROUTER_API_KEY, in the environment or in a .env file.
"""
_EXAMPLES: dict[str, Any] = {
    "questions": "my.jsonl",
    "model": ["openrouter/auto", "openai/gpt-5-mini"],
    "baseline": "openai/gpt-5-mini",
    "weights": "easy=70,hard=20,opt=10",
    "traffic": 100_000,
    "limit": 50,
    "shard": "2/4",
    "perturb": ["typos", "polite"],
    "max_cost": 5.0,
    "temperature": 0.0,
    "ray_address": "auto",
    "workers": 8,
    "run_id": "nightly",
    "output": ["results.csv", "comment.md"],
    "gate": ["accuracy(auto) >= accuracy(best_single) - 0.02", "failed_share(auto) < 0.01"],
    "detect": 0.05,
}
"""For options without a default; those that are not here show a value of their type."""
_JUDGE_EXAMPLES: dict[str, Any] = {
    "model": "anthropic/claude-sonnet-4.5",
    "max_cost": 2.0,
    "base_url": "http://127.0.0.1:8080/api/v1",
}
_GATEWAY_EXAMPLES: dict[str, Any] = {
    "preset": "litellm",
    "headers": {"x-team": "evals", "x-api-key": "$MY_GATEWAY_KEY"},
    "body": {"user": "routemark"},
    "openrouter_fields": False,
    "model": ["header:x-served-by", "body:model"],
    "cost": ["header:x-cost-usd", "body:usage.cost"],
    "task_type": ["header:x-route"],
    "keep": ["x-route-"],
    "routers": ["my-router"],
    "prices": {"gpt-5-mini": {"prompt": 0.25, "completion": 2.0}},
}
_ARM = """
# Arms that are easier to write as tables than after -m; each table is an arm.
# [[arm]]
# model = "openrouter/auto"
# name = "cheap"
# cost_tier = "low"
"""


def write_settings_file(path: Path = Path(CONFIG_FILE)) -> None:
    """Write the file. Raises: UsageError when there is one, or it cannot be written."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(commented())
    except FileExistsError:
        raise UsageError(
            f"{path}: is there already and is left as it is. Move it away to have it written."
        ) from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}.") from None


def commented() -> str:
    """Give the whole file: every setting with what it does, commented out, tables at the end."""
    skipped = {"arm", "judge", "gateway"}
    fields = [field for field in msgspec.structs.fields(Settings) if field.name not in skipped]
    parts = [_HEAD, *(_setting(field, _EXAMPLES) for field in fields), _ARM]
    about = msgspec.structs.fields(JudgeSettings)
    judge = [_comment(JudgeSettings.__doc__ or ""), "# [judge]\n"]
    told = msgspec.structs.fields(GatewaySettings)
    gateway = [_comment(GatewaySettings.__doc__ or ""), "# [gateway]\n"]
    return "\n".join(
        [
            *parts,
            "".join(judge),
            *(_setting(field, _JUDGE_EXAMPLES) for field in about),
            "".join(gateway),
            *(_setting(field, _GATEWAY_EXAMPLES) for field in told),
        ]
    )


def _setting(field: msgspec.structs.FieldInfo, examples: dict[str, Any]) -> str:
    value = examples.get(field.name, _default(field))
    return f"{_comment(description(field))}# {field.name} = {_toml(value)}\n"


def _comment(text: str) -> str:
    lines = textwrap.wrap(text.replace("``", ""), _WIDTH - 3, break_on_hyphens=False)
    return "".join(f"## {line}\n" for line in lines)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    """Give the default, or a value of the type."""
    if field.default is not msgspec.NODEFAULT and field.default is not None:
        return field.default
    return _of_type(plain_type(field.type))


def _of_type(kind: Any) -> Any:
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if get_origin(kind) is list:
        return [_of_type(get_args(kind)[0])]
    return {int: 1, float: 0.5, bool: True}.get(kind, "...")


def _toml(value: Any) -> str:
    """Write a value as TOML does, which for these types is JSON's way, but for large whole numbers."""
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_toml(name)} = {_toml(inner)}' for name, inner in value.items())} }}"
    return msgspec.json.encode(value).decode()
