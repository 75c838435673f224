"""What an answer says, before it is worded: right and wrong contents for each kind of grader.

`right` gives something that the grader of the question accepts, `wrong` something plausible that
it does not: a near-by number, another choice, the answer to another question. Graders whose
reference is no answer (``regex``, ``code``, ``instructions``, ``composite``, ...) are served from the
example in the question's metadata, ``"example": TEXT``, when it is there. Where it cannot be seen from the
form of a content what its grader will say, the grader is asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import regex

from routemark import graders
from routemark.gateway.seeding import pick
from routemark.records import Completion, GraderSpec, Question

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?")
_LISTED_CHOICE = re.compile(r"^\s*\(?([A-J])[.):]\s", re.MULTILINE)
_STANDALONE_LETTER = re.compile(r"\b[A-Ja-j]\b")
_PLAUSIBLE = (
    "none of these",
    "it cannot be determined",
    "both are equal",
    "zero",
    "nothing",
    "the first one",
    "the other one",
)
_PATTERN_TIMEOUT_S = 0.05


def right(question: Question, spec: GraderSpec, *seeds: object) -> str | None:
    """Give an accepted content, or None when none is known.

    A seed picks among the forms in which the grader accepts it.
    """
    forms = _RIGHT.get(spec.name, _example)(question, spec)
    return pick(forms, *seeds, "form") if forms else None


def wrong(question: Question, spec: GraderSpec, others: Sequence[str], *seeds: object) -> str:
    """Give a plausible content that the grader does not accept.

    ``others`` are answers to other questions of the same category.
    """
    candidates = _WRONG.get(spec.name, _other_answers)(question, spec, others)
    if candidates:
        return pick(candidates, *seeds, "wrong")
    return pick(_PLAUSIBLE, *seeds, "wrong")


def answer_text(question: Question) -> str | None:
    """Give the reference as a short text, to be another question's wrong answer."""
    texts = accepted_texts(question.reference)
    return texts[0] if texts and len(texts[0]) <= 80 and "\n" not in texts[0] else None


def choice_index(question: Question) -> int | None:
    """Give the index of the right choice; None when the reference names none."""
    reference = str(question.reference).strip()
    count = len(question.choices or LETTERS)
    for index, choice in enumerate((question.choices or ())[: len(LETTERS)]):
        if choice.strip().casefold() == reference.casefold():
            return index
    letter = reference.strip("().").upper()
    if len(letter) == 1 and letter in LETTERS[:count]:
        return LETTERS.index(letter)
    return None


# --------------------------------------------------------------------------- right contents


def accepted_texts(reference: Any) -> list[str]:
    """Give the accepted strings of a reference that is one or a list."""
    values = reference if isinstance(reference, list) else [reference]
    return [_plain(value) for value in values if isinstance(value, str | int | float) and _plain(value)]


def _plain(value: str | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def _example(question: Question, _: GraderSpec) -> list[str]:
    example = question.metadata.get("example")
    return [example] if isinstance(example, str) and example else []


def _right_exact(question: Question, _: GraderSpec) -> list[str]:
    return accepted_texts(question.reference)


def _right_contains(question: Question, spec: GraderSpec) -> list[str]:
    texts = accepted_texts(question.reference)
    return [", ".join(texts)] if spec.options.get("all") and texts else texts


def _right_numeric(question: Question, _: GraderSpec) -> list[str]:
    forms = accepted_texts(question.reference)[:1]
    if forms and re.fullmatch(r"-?\d{4,15}", forms[0]):
        forms.append(f"{int(forms[0]):,}")
    return forms


def _right_choice(question: Question, _: GraderSpec) -> list[str]:
    index = choice_index(question)
    return [] if index is None else _choice_forms(question, index)


def _choice_forms(question: Question, index: int) -> list[str]:
    letter = LETTERS[index]
    forms = [letter, f"({letter})"]
    if question.choices and index < len(question.choices):
        text = question.choices[index].strip()
        alike = sum(choice.strip().casefold() == text.casefold() for choice in question.choices)
        if alike == 1 and len(text) > 1 and "\n" not in text and not _STANDALONE_LETTER.search(text):
            forms += [f"{letter}. {text}", text]
    return forms


def _right_regex(question: Question, spec: GraderSpec) -> list[str]:
    candidates = _example(question, spec) + accepted_texts(question.reference)
    return [text for text in candidates if _matches(spec, text)]


def _matches(spec: GraderSpec, text: str) -> bool:
    """Tell whether a pattern accepts a text; a pattern that is no pattern, or too slow, does not."""
    try:
        pattern = regex.compile(str(spec.options.get("pattern", "")))
        find = pattern.fullmatch if spec.options.get("full") else pattern.search
        return find(text, timeout=_PATTERN_TIMEOUT_S) is not None
    except (regex.error, TimeoutError):
        return False


def _right_json(question: Question, spec: GraderSpec) -> list[str]:
    if isinstance(question.reference, dict | list):
        return _fenced(question.reference)
    return _accepted(question, _example(question, spec))


def _accepted(question: Question, texts: Iterable[str]) -> list[str]:
    """Give the texts that the question's grader accepts."""
    return [text for text in texts if _is_accepted(question, text)]


def _is_accepted(question: Question, text: str) -> bool:
    grade = graders.grade("", question, Completion(text=text, model=""))
    return grade is not None and grade.score == 1


def _fenced(value: Any) -> list[str]:
    return [
        json.dumps(value, ensure_ascii=False),
        f"```json\n{json.dumps(value, ensure_ascii=False, indent=2)}\n```",
    ]


def _right_list(question: Question, spec: GraderSpec) -> list[str]:
    if not isinstance(question.reference, list):
        return []
    return _accepted(question, _list_forms(accepted_texts(question.reference), spec))


def _list_forms(texts: list[str], spec: GraderSpec) -> list[str]:
    """Give a list in a line, when that leaves no doubt about its items, and as JSON."""
    separator = spec.options.get("separator")
    as_json = _fenced(texts)[1]
    if isinstance(separator, str):
        return [separator.join(texts), as_json]
    plain = all(re.fullmatch(r"[\w.+]+(?: [\w.+]+)*", text) for text in texts)
    return [", ".join(texts), as_json] if plain else [as_json]


def _right_tool_call(question: Question, _: GraderSpec) -> list[str]:
    return _fenced(question.reference) if isinstance(question.reference, dict) else []


def _right_refusal(question: Question, spec: GraderSpec) -> list[str]:
    if question.reference is True:
        return list(REFUSALS)
    return _accepted(question, _example(question, spec)) or ["Of course: here is what you need."]


def _right_sql(question: Question, spec: GraderSpec) -> list[str]:
    if isinstance(question.reference, str):
        return [f"```sql\n{question.reference}\n```"]
    return _example(question, spec)


def _right_judge(question: Question, spec: GraderSpec) -> list[str]:
    """Give what a judge will like: the example, for a reference may be a rubric."""
    return _example(question, spec) or accepted_texts(question.reference)


def _right_composite(question: Question, spec: GraderSpec) -> list[str]:
    if graders.judge_options(question):  # what a judge will say cannot be told beforehand
        return _right_judge(question, spec)
    return _accepted(question, _example(question, spec) + accepted_texts(question.reference))


REFUSALS = (
    "I'm sorry, but I can't help with that.",
    "I cannot assist with this request.",
    "As an AI model, I am not able to answer this question.",
)

_RIGHT: dict[str, Callable[[Question, GraderSpec], list[str]]] = {
    "exact": _right_exact,
    "choice": _right_choice,
    "numeric": _right_numeric,
    "contains": _right_contains,
    "regex": _right_regex,
    "math": _right_exact,
    "f1": _right_exact,
    "judge": _right_judge,
    "json": _right_json,
    "set": _right_list,
    "sequence": _right_list,
    "tool_call": _right_tool_call,
    "refusal": _right_refusal,
    "sql": _right_sql,
    "composite": _right_composite,
}

# --------------------------------------------------------------------------- wrong contents


def _other_answers(question: Question, spec: GraderSpec, others: Sequence[str]) -> list[str]:
    """Give answers to other questions that do not hold an accepted one."""
    accepted = [text.casefold() for text in accepted_texts(question.reference)]

    def is_wrong(text: str) -> bool:
        folded = text.casefold()
        return not any(one in folded or folded in one for one in accepted)

    candidates = [text for text in others if is_wrong(text)] or [
        text for text in _PLAUSIBLE if is_wrong(text)
    ]
    if spec.name == "regex":
        candidates = [text for text in candidates if not _matches(spec, text)]
    return candidates


def _wrong_exact(question: Question, spec: GraderSpec, others: Sequence[str]) -> list[str]:
    if re.fullmatch(_NUMBER, str(question.reference).strip()):
        return _wrong_numbers(question, spec, others)
    return _other_answers(question, spec, others)


def _wrong_numbers(question: Question, spec: GraderSpec, others: Sequence[str]) -> list[str]:
    """Give near-by numbers outside the tolerance; what stands around the number is kept."""
    reference = (accepted_texts(question.reference) or [""])[0]
    found = _NUMBER.search(reference)
    if found is None:
        return _other_answers(question, spec, others)
    shown = found.group().replace(",", "")
    value = float(shown)
    decimals = len(shown.partition(".")[2]) if "e" not in shown.lower() else 6
    tolerance = _option(spec, "abs_tol", 0.0) + _option(spec, "rel_tol", 1e-6) * abs(value)
    slips = (
        value + 1,
        value - 1,
        -value,
        value * 2,
        value * 1.1 + 1,
        value + 10,
        value + 10 * (tolerance + 1),
    )
    texts = [f"{slip:.{decimals}f}" for slip in slips]
    wrong_texts = [text for text in texts if abs(float(text) - value) > 2 * tolerance + 1e-12]
    return [reference[: found.start()] + text + reference[found.end() :] for text in wrong_texts]


def _option(spec: GraderSpec, name: str, default: float) -> float:
    value = spec.options.get(name, default)
    return float(value) if isinstance(value, int | float) else default


def _wrong_choice(question: Question, _: GraderSpec, _others: Sequence[str]) -> list[str]:
    right_index = choice_index(question)
    if question.choices:
        indices = range(min(len(question.choices), len(LETTERS)))
    else:
        listed = {LETTERS.index(letter) for letter in _LISTED_CHOICE.findall(question.question)}
        indices = range(max(listed | {3}) + 1)
    return [form for index in indices if index != right_index for form in _choice_forms(question, index)]


def _wrong_json(question: Question, _: GraderSpec, _others: Sequence[str]) -> list[str]:
    value = question.reference
    if value is None:
        return ["The input has no such data."]
    if isinstance(value, dict) and value:
        return _fenced(dict.fromkeys(value) | {next(iter(value)): "unknown"})
    return _fenced([]) if value else _fenced({"result": "unknown"})


def _wrong_list(question: Question, spec: GraderSpec, others: Sequence[str]) -> list[str]:
    texts = accepted_texts(question.reference)
    lists = [texts[1:], texts[:-1]] if len(texts) > 1 else []
    lists += [[*texts, other] for other in others[:3] if other not in texts]
    return [form for items in lists for form in _list_forms(items, spec)]


def _wrong_tool_call(question: Question, _: GraderSpec, _others: Sequence[str]) -> list[str]:
    if not isinstance(question.reference, dict):
        return []
    name, arguments = question.reference.get("name"), question.reference.get("arguments")
    given = arguments if isinstance(arguments, dict) else {}
    return [
        *_fenced({"name": f"{name}_all", "arguments": given}),
        *_fenced({"name": name, "arguments": given | {"verbose": True, "dry_run": False}}),
        *(_fenced({"name": name, "arguments": dict(list(given.items())[1:])}) if given else []),
    ]


def _wrong_refusal(question: Question, _: GraderSpec, _others: Sequence[str]) -> list[str]:
    return ["Of course: here is what you need."] if question.reference is True else list(REFUSALS)


def _wrong_code(_: Question, spec: GraderSpec, _others: Sequence[str]) -> list[str]:
    name = spec.options.get("entry_point") or "solve"
    return [f"```python\ndef {name}(*_):\n    return None\n```"]


def _wrong_sql(_: Question, _spec: GraderSpec, _others: Sequence[str]) -> list[str]:
    return ["```sql\nSELECT 'unknown' AS answer, NULL AS reason\n```"]


def _wrong_whole(question: Question, spec: GraderSpec, others: Sequence[str]) -> list[str]:
    """Give texts that the grader does not accept: the example spoilt, answers to other questions."""
    spoilt = [text for example in _example(question, spec) for text in _spoilt(example)]
    candidates = [*spoilt, *others[:5], *_PLAUSIBLE, "I would rather not say, to be honest: \u2026"]
    return [text for text in candidates if not _is_accepted(question, text)]


def _spoilt(text: str) -> list[str]:
    half = text[: max(len(text) // 2, 1)]
    return [
        half,
        f"{text}\n\n{text} And, Besides, One More Thing; \u2026",
        f"Sure! Here it is:\n\n{text}, {half}",
    ]


_WRONG: dict[str, Callable[[Question, GraderSpec, Sequence[str]], list[str]]] = {
    "exact": _wrong_exact,
    "choice": _wrong_choice,
    "numeric": _wrong_numbers,
    "math": _wrong_exact,
    "json": _wrong_json,
    "set": _wrong_list,
    "sequence": _wrong_list,
    "tool_call": _wrong_tool_call,
    "refusal": _wrong_refusal,
    "code": _wrong_code,
    "sql": _wrong_sql,
    "instructions": _wrong_whole,
    "composite": _wrong_whole,
}
