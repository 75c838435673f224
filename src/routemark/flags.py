"""Command-line flags made from an options record: one list of options, with one text of help each."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec
from cyclopts import Parameter

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_fields = functools.cache(msgspec.structs.fields)
"""Most commands share their options, whose annotations take milliseconds to evaluate."""


def taken_from(
    *kinds: type[msgspec.Struct], leave_out: tuple[str, ...] = ()
) -> Callable[[CommandT], CommandT]:
    """Decorate a command whose ``**flags`` are the fields of these records.

    Only flags that were typed are passed, so that environment and settings file can fill the rest.
    """
    fields = [field for kind in kinds for field in _fields(kind)]
    parameters = [_parameter(field) for field in fields if _is_flag(field, leave_out)]

    def decorate(command: CommandT) -> CommandT:
        signature = inspect.signature(command, eval_str=True)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        whole = signature.replace(parameters=[*own, *parameters])
        command.__signature__ = whole  # type: ignore[attr-defined]  # what the command line reads
        command.__annotations__ = {name: p.annotation for name, p in whole.parameters.items()}
        return command

    return decorate


def completed(arguments: Sequence[str], *kinds: type[msgspec.Struct]) -> list[str]:
    """Give the arguments with the value that an option has when it stands alone, where it may (``--option[=VALUE]``)."""
    bare = {
        _name(field): f"{_name(field)}={_meta(field)['bare']}"
        for kind in kinds
        for field in _fields(kind)
        if "bare" in _meta(field)
    }
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return [*(bare.get(one, one) for one in arguments[:end]), *arguments[end:]]


def _is_flag(field: msgspec.structs.FieldInfo, leave_out: tuple[str, ...]) -> bool:
    return field.name not in leave_out and _meta(field).get("flag", True)


def _parameter(field: msgspec.structs.FieldInfo) -> inspect.Parameter:
    name = _name(field)
    extra = _meta(field)
    parameter = Parameter(
        name=[name, *([extra["short"]] if "short" in extra else [])],
        negative="--no-stream" if name == "--stream" else (),
        help=description(field) + _default(field),
        show_default=False,
        consume_multiple=False,
    )
    kind = plain_type(field.type)
    hint = kind if kind is bool else kind | None  # a shell completes no value behind what is plainly a switch
    annotation = Annotated[hint, parameter]  # type: ignore[valid-type]  # made at run time
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _name(field: msgspec.structs.FieldInfo) -> str:
    return "--" + field.name.replace("_", "-")


def plain_type(kind: Any) -> Any:
    """Give the type without msgspec's bounds (they are checked with the other sources) and None."""
    if get_origin(kind) is Annotated:
        return plain_type(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return plain_type(next(part for part in get_args(kind) if part is not type(None)))
    return kind


def _metas(field: msgspec.structs.FieldInfo) -> list[msgspec.Meta]:
    return [part for part in get_args(field.type) if isinstance(part, msgspec.Meta)]


def _meta(field: msgspec.structs.FieldInfo) -> dict[str, Any]:
    return {key: value for meta in _metas(field) for key, value in (meta.extra or {}).items()}


def description(field: msgspec.structs.FieldInfo) -> str:
    """Give what an option does, in its own words."""
    return " ".join(meta.description for meta in _metas(field) if meta.description)


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default
    return (
        f" [default: {value:g}]"
        if isinstance(value, int | float) and not isinstance(value, bool)
        else (f" [default: {value}]" if isinstance(value, str) else "")
    )
