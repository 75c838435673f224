"""The grader ``tool_call``: the name and the arguments of the one tool that an answer calls.

Taken from the answer's tool calls, else from JSON in its text: ``{"name": ..., "arguments": {...}}``, also
with ``parameters`` or ``input`` for the arguments, ``tool`` for the name, inside ``function`` or a list
``tool_calls``. Arguments are compared as JSON values (see `json_text`): 5 is not "5", and one more
or one less is wrong.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from routemark.graders.base import Grader, Options, Tools, Verdict, brief, show
from routemark.graders.extract import visible
from routemark.graders.json_text import canonical, find, loads
from routemark.records import Completion, Question

_NAMES = ("name", "tool", "tool_name", "function_name", "function")
_ARGUMENTS = ("arguments", "parameters", "args", "input", "params")


class Call(NamedTuple):
    """A tool's name and its arguments; None where they are no JSON object."""

    name: str
    arguments: dict[str, Any] | None


def grade(completion: Completion, question: Question, _options: Options, _tools: Tools) -> Verdict:
    """Score 1 when exactly the expected tool is called, with exactly the expected arguments."""
    found = calls(completion)
    if not found:
        return Verdict(0.0, None, "no tool is called" if completion.text.strip() else "no answer")
    shown = brief(", ".join(f"{call.name}({_written(call.arguments)})" for call in found[:5]), 500)
    if len(found) > 1:
        return Verdict(0.0, shown, f"{len(found)} tools are called, not one")
    (call,) = found
    wanted = question.reference
    if call.name != wanted["name"]:
        return Verdict(0.0, shown, f"calls another tool than {wanted['name']}")
    if call.arguments is None:
        return Verdict(0.0, shown, "the arguments are no JSON object")
    wrong = sorted(
        name
        for name in wanted["arguments"] | call.arguments
        if not (name in wanted["arguments"] and name in call.arguments)
        or canonical(call.arguments[name]) != canonical(wanted["arguments"][name])
    )
    if wrong:
        return Verdict(0.0, shown, f"wrong arguments: {', '.join(wrong[:5])}")
    return Verdict(1.0, shown)


def calls(completion: Completion) -> list[Call]:
    """Give the calls of an answer: its own, or else those that its text spells out."""
    if completion.tool_calls:
        return _calls(completion.tool_calls)
    found = find(visible(completion.text), dict)
    return _calls(found.value) if found else []


def _calls(value: Any) -> list[Call]:
    """Give the calls that a JSON value means, in any of the usual shapes."""
    if isinstance(value, list):
        return [call for item in value[:100] for call in _calls_of_object(item)]
    return _calls_of_object(value)


def _calls_of_object(value: Any) -> list[Call]:
    if not isinstance(value, dict):
        return []
    if isinstance(value.get("tool_calls"), list):
        return [call for item in value["tool_calls"][:100] for call in _calls_of_object(item)]
    if isinstance(value.get("function"), dict):
        return _calls_of_object(value["function"])
    name = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), None)
    if not name:
        return []
    arguments: Any = next((value[key] for key in _ARGUMENTS if key in value), {})
    return [Call(name.removeprefix("functions.").strip(), _object(arguments))]


def _object(arguments: Any) -> dict[str, Any] | None:
    """Give arguments that are an object, or the text of one; an empty text means none."""
    if isinstance(arguments, str):
        try:
            arguments = loads(arguments) if arguments.strip() else {}
        except ValueError:
            return None
    if arguments is None:
        return {}
    return arguments if isinstance(arguments, dict) else None


def _written(arguments: dict[str, Any] | None) -> str:
    if arguments is None:
        return "?"
    return ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items())


def check(question: Question, _options: Options) -> list[str]:
    """Give the fault of a reference that is no call."""
    reference = question.reference
    if not (
        isinstance(reference, dict)
        and set(reference) == {"name", "arguments"}
        and isinstance(reference["name"], str)
        and reference["name"].strip()
        and isinstance(reference["arguments"], dict)
    ):
        return [
            f'reference: must be {{"name": a text, "arguments": an object}} and no more, not {show(reference)}'
        ]
    return []


TOOL_CALL = Grader("tool_call", 1, grade, check, needs_text=False)
