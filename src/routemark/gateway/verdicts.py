"""How the simulated models judge answers: a request that asks for a verdict by our schema gets one.

An answer is taken to be good when it holds the reference, or the example in the question's metadata; where
neither is known, by a draw of its own words, so that all judges have the same to find out. A model sees what is
true the more often the abler it is: from an even chance up.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from routemark.gateway.answers import Said
from routemark.gateway.catalogue import Model
from routemark.gateway.completed import Completed
from routemark.gateway.contents import accepted_texts
from routemark.gateway.knowledge import DISCRIMINATION, Knowledge
from routemark.gateway.request import ChatRequest
from routemark.gateway.seeding import unit
from routemark.graders.verdicts import VERDICT
from routemark.wire import values

_BLOCK = re.compile(
    r"^BEGIN ([A-Z ]+)\b[^\n]* ([0-9a-f]{16})\n(.*?)\nEND \1\b[^\n]* \2$", re.DOTALL | re.MULTILINE
)
_PROSE = "All in all I would say that this is a rather good answer, though it could be better."


def asked_verdict(request: ChatRequest) -> dict[str, Any] | None:
    """Give the properties of the verdict that a request asks for; None when it asks for none."""
    schema = values.table(request.response_format.get("json_schema"))
    if schema.get("name") != VERDICT:
        return None
    return values.table(values.table(schema.get("schema")).get("properties"))


def judge(
    request: ChatRequest, properties: dict[str, Any], model: Model, knowledge: Knowledge, *seeds: object
) -> Said:
    """Give a model's verdict; the same seeds always give the same."""
    blocks = {name.strip(): text for name, _, text in _BLOCK.findall(request.prompt)}
    accepted = _accepted(blocks, knowledge)

    def seems_good(name: str) -> bool:
        answer = blocks.get(name, "")
        truth = _is_good(answer, accepted)
        return truth == (unit(*seeds, model.id, "sees", name, request.key) < _chance(model))

    if "winner" in properties:
        first, second = seems_good("FIRST ANSWER"), seems_good("SECOND ANSWER")
        verdict: dict[str, Any] = {"winner": "tie" if first == second else "first" if first else "second"}
    else:
        levels = values.rows(values.table(properties.get("score")).get("enum"))
        verdict = {"score": _level(levels, blocks.get("ANSWER", ""), good=seems_good("ANSWER"))}
    return Said(kind="right", text=_worded(verdict), reasoning=None, reasoning_tokens=0)


def struck_verdict(completed: Completed, request: ChatRequest, fault: str) -> Completed:
    """Give a verdict as a fault leaves it; what is no verdict stays as it is."""
    properties = asked_verdict(request)
    if properties is None or (fault == "verdict-first" and "winner" not in properties):
        return completed
    text = _worded({"winner": "first"}) if fault == "verdict-first" else _PROSE
    return msgspec.structs.replace(completed, text=text)


def _chance(model: Model) -> float:
    ability = sum(model.ability.values()) / len(model.ability)
    return 0.5 + 0.5 / (1 + math.exp(-DISCRIMINATION * ability))


def _accepted(blocks: dict[str, str], knowledge: Knowledge) -> list[str]:
    """Give the texts that make an answer good."""
    reference: Any = blocks.get("REFERENCE", "")
    if reference[:1] in ("[", "{"):
        with contextlib.suppress(ValueError):
            reference = json.loads(reference)
    found = accepted_texts(reference)
    known = knowledge.find([{"role": "user", "content": blocks.get("QUESTION", "")}])
    example = known.question.metadata.get("example") if known is not None else None
    return [*found, example] if isinstance(example, str) and example else found


def _is_good(answer: str, accepted: Sequence[str]) -> bool:
    if not accepted:
        return unit("quality", answer) < 0.5
    return any(text.casefold() in answer.casefold() for text in accepted)


def _level(levels: list[Any], answer: str, *, good: bool) -> Any:
    """Give a level near the best or the worst; how near, the answer's own words decide."""
    if not levels:
        return None
    slack = int(unit("nuance", answer) * ((len(levels) - 1) // 4 + 1))
    return levels[-1 - slack] if good else levels[slack]


def _worded(verdict: dict[str, Any]) -> str:
    return json.dumps({"reason": "It was held against what a good answer says.", **verdict})
