"""How the simulated models word their answers, right and wrong ones alike.

A right answer is worded in one of several ways that a correct grader accepts. A wrong one is worded
the same way around a wrong content; a small share is cut off at the token limit, refused, or
empty instead. Prompts that the models were not given get a sentence that says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Literal

from routemark.gateway import contents
from routemark.gateway.catalogue import Family, Model
from routemark.gateway.knowledge import Known, is_right
from routemark.gateway.seeding import normal, pick, unit
from routemark.records import GraderSpec, Record

Kind = Literal["right", "wrong", "runaway", "refusal", "empty", "unknown"]

_RARE_SHARE = 0.03
"""Share of the wrong answers that are cut off; as many are refused, and as many empty."""

_STEPS: dict[Family, tuple[str, ...]] = {
    "knowledge": (
        "This is a question of fact, so the point is to recall it and not to guess.",
        "Several sources agree on this, and the usual confusion does not arise here.",
        "The wording narrows it down to one candidate.",
    ),
    "reasoning": (
        "Let us go through the statements in order and see what each one rules out.",
        "Taking the conditions together leaves only one case that is consistent.",
        "Checking the remaining case against every condition finds no contradiction.",
    ),
    "math": (
        "First write down what is given, then what is asked.",
        "Substituting and simplifying step by step gives the value directly.",
        "A quick check by working backwards confirms it.",
    ),
    "code": (
        "Tracing the program line by line shows what each variable holds.",
        "The edge cases do not change the outcome here.",
        "Running through it once more gives the same result.",
    ),
    "language": (
        "The tone and the context decide which reading is meant.",
        "Reading the passage again supports this choice of words.",
        "The shorter phrasing keeps the meaning.",
    ),
    "extraction": (
        "The needed part stands in the text itself.",
        "Everything else in the input is beside the point.",
        "Copying it over without changes is the safest course.",
    ),
}


class Said(Record, frozen=True, kw_only=True):
    """What a model says to a prompt, before any token limit."""

    kind: Kind
    text: str
    reasoning: str | None
    """An excerpt of its thinking; None for models that do not think first."""
    reasoning_tokens: int
    """Tokens of all its thinking."""


def say(model: Model, known: Known | None, prompt_key: int, seed: int, repeat: int) -> Said:
    """Give what a model says to a prompt; the same arguments always give the same answer.

    ``prompt_key`` names the prompt when it is not known.
    """
    if known is None or known.spec is None:
        return _unknown(model, prompt_key, seed, repeat)
    about = (seed, model.id, known.question.id, repeat)
    if is_right(model, known, seed, repeat):
        content = contents.right(known.question, known.spec, *about)
        if content is None:
            return _unknown(model, prompt_key, seed, repeat)
        return _said(model, known, "right", _word(content, model, known, *about), *about)
    kind = _wrong_kind(known.spec, unit(*about, "kind"))
    return _said(model, known, kind, _wrong_text(kind, model, known, *about), *about)


def ramble(family_text: str, size: int) -> str:
    """Give at least ``size`` characters of an answer that does not find its end."""
    line = f"{family_text} But wait, let me look at this from another side once more. "
    return line * (size // len(line) + 1)


def _wrong_kind(spec: GraderSpec, roll: float) -> Kind:
    if spec.name in ("refusal", "instructions", "composite"):  # of which a refusal may be a right answer
        return "wrong"
    rare: tuple[Kind, ...] = ("runaway", "refusal", "empty")
    place = int(roll / _RARE_SHARE)
    return rare[place] if place < len(rare) else "wrong"


def _wrong_text(kind: Kind, model: Model, known: Known, *about: object) -> str:
    if kind == "wrong":
        assert known.spec is not None
        return _word(contents.wrong(known.question, known.spec, known.others, *about), model, known, *about)
    if kind == "refusal":
        return pick(contents.REFUSALS, *about, "refusal")
    return _STEPS[known.family][0] if kind == "runaway" else ""


def _said(model: Model, known: Known, kind: Kind, text: str, *about: object) -> Said:
    thinking = _reasoning_tokens(known.difficulty, *about) if model.reasons else 0
    excerpt = " ".join(_STEPS[known.family]) if model.reasons else None
    return Said(kind=kind, text=text, reasoning=excerpt, reasoning_tokens=thinking)


def _reasoning_tokens(difficulty: float, *about: object) -> int:
    """Draw how long a model thinks: log-normal, harder questions longer."""
    return round(250 * math.exp(0.3 * (difficulty + 2) + 0.5 * normal(*about, "thinking")))


def _unknown(model: Model, prompt_key: int, seed: int, repeat: int) -> Said:
    opening = pick(
        (
            "I was not given this prompt.",
            "This prompt is not among those that I know.",
            "I cannot answer this one.",
        ),
        seed,
        model.id,
        prompt_key,
        repeat,
        "unknown",
    )
    text = (
        f"{opening} I am {model.id}, a simulated model of Routemark's gateway: I only answer the questions"
        " of the question file that the gateway was started with."
    )
    return Said(
        kind="unknown",
        text=text,
        reasoning="Nothing to think about." if model.reasons else None,
        reasoning_tokens=8 if model.reasons else 0,
    )


# --------------------------------------------------------------------------- wordings

Wording = Callable[[str, str], str]
"""Takes the content and an explanation."""

_SENTENCE = re.compile(r"(?!.*\. )[\w \-+/.,%°$'()]{0,79}[\w%°)]")
"""Contents that may stand inside a sentence without blurring where it ends."""
_BOXABLE = re.compile(r"[\w \-+/.,]{1,60}")
"""Contents that mean the same inside LaTeX."""


def _word(content: str, model: Model, known: Known, *about: object) -> str:
    explains = unit(*about, "explains") < model.verbosity
    wordings = _wordings(content, known, explains=explains)
    count = 1 + int(unit(*about, "steps") * len(_STEPS[known.family]))
    explanation = " ".join(_STEPS[known.family][:count])
    return pick(wordings, *about, "wording")(content, explanation)


def _wordings(content: str, known: Known, *, explains: bool) -> list[Wording]:
    """Give the ways to word a content that leave no doubt about it."""
    if "\n" in content or not _takes_wording(known):
        return [lambda text, _: text]
    found: list[Wording] = []
    if explains:
        found.append(lambda text, why: f"{why}\n\nFinal answer: {text}")
        if "*" not in content and not _is_overlap(known):
            found.append(lambda text, why: f"{why}\n\n**{text}**")
        if _SENTENCE.fullmatch(content):
            found.append(lambda text, why: f"{why}\n\nThe answer is {text}.")
    else:
        found.append(lambda text, _: text)
        if "*" not in content:
            found.append(lambda text, _: f"**{text}**")
        if _SENTENCE.fullmatch(content):
            found.append(lambda text, _: f"The answer is {text}.")
    if _BOXABLE.fullmatch(content):
        found.append(lambda text, why: f"{why if explains else ''}\n\n\\boxed{{{text}}}".lstrip())
    return found


def _is_overlap(known: Known) -> bool:
    """Tell whether all words of an answer count, so that an explanation must be told from its result."""
    return known.spec is not None and known.spec.name == "f1"


def _takes_wording(known: Known) -> bool:
    """Tell whether the grader looks for the content inside an answer, not at the answer as a whole."""
    if known.spec is None or known.spec.name in {
        "json",
        "refusal",
        "sql",
        "code",
        "instructions",
        "tool_call",
        "composite",
    }:
        return False
    pattern = str(known.spec.options.get("pattern", "")) if known.spec.name == "regex" else ""
    return not (known.spec.options.get("full") or re.search(r"[\^$]|\\[AZ]", pattern))
