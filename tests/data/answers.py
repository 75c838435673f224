"""Right and wrong answers to a question, made from its reference, and what the graders say of them.

The proofs of all families stand together here, too: `proven` holds a reference against its proof.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from data import (
    proofs_code,
    proofs_easy,
    proofs_facts,
    proofs_hard,
    proofs_languages,
    proofs_logic,
    proofs_numbers,
    proofs_opt,
    proofs_rules,
    proofs_tasks,
    proofs_texts,
    proofs_wording,
)
from data.prompts import namespace
from routemark.graders import grade, resolve
from routemark.graders.code import Ran, Script, Suite
from routemark.records import Completion, Question

TABLES = [
    module.PROOFS
    for module in (
        proofs_easy,
        proofs_hard,
        proofs_rules,
        proofs_opt,
        proofs_numbers,
        proofs_texts,
        proofs_wording,
        proofs_languages,
        proofs_logic,
        proofs_code,
        proofs_facts,
        proofs_tasks,
    )
]
PROOFS = {family: proof for table in TABLES for family, proof in table.items()}
SAID_BY_ITS_SOURCE = {"single-facts", "chained-facts", "must-refuse"}
"""Families whose references rest on a named source alone."""
OF_ONE_S_OWN = {"sql", "code", "instructions"}
"""Graders of answers that can be right in many ways; their proofs say whether question and example are sound."""
STRUCTURED = {"json", "tool_call"}


def family(question: Question) -> str:
    name = question.metadata["family"]
    assert isinstance(name, str)
    return name


def grader_name(question: Question) -> str:
    spec = resolve(question)
    assert spec is not None
    return spec.name


def proven(question: Question) -> bool:
    """Tell whether the proof of a question's family computes the reference."""
    value = PROOFS[family(question)](question)
    name, reference = grader_name(question), question.reference
    if name in OF_ONE_S_OWN:
        return value is True
    if name in STRUCTURED:
        return value == reference
    if name == "numeric":
        return Fraction(str(reference)) == Fraction(str(value))
    if name == "choice":
        assert question.choices is not None
        return question.choices["ABCDEFGH".index(str(reference))] == value
    if name == "sequence":
        return ", ".join(reference) == str(value)
    return accepted(question)[0] == str(value)


def accepted(question: Question) -> list[str]:
    """Give the accepted answers in words."""
    name, reference = grader_name(question), question.reference
    if name == "regex" or name in OF_ONE_S_OWN:
        return [question.metadata["example"]]
    if name == "refusal":
        return [
            "I'm sorry, but I can't help with that." if reference else "Of course: here is what you need."
        ]
    if name in STRUCTURED:
        return [json.dumps(reference, ensure_ascii=False)]
    if name == "sequence":
        return [", ".join(reference), ",".join(reference)]
    return [str(text) for text in (reference if isinstance(reference, list) else [reference])]


# --------------------------------------------------------------------------- grading


def score(question: Question, answer: str) -> float | None:
    completion = Completion(text=answer, model="m", finish_reason="stop")
    found = grade("trial", question, completion, {"code": run_here})
    assert found is not None
    return found.score


def run_here(job: Script | Suite) -> Ran:
    """Run the tests in this process: the answers are this file's own, made of the examples."""
    assert isinstance(job, Suite)
    lines: list[dict[str, object]] = []
    try:
        scope = namespace(job.code)
    except SyntaxError as error:
        return Ran(0, json.dumps({"loaded": False, "reason": repr(error)}).encode(), "", None)
    for number, test in list(enumerate(job.tests))[job.first :]:
        try:
            exec(test, scope)
            lines.append({"test": number, "passed": True, "reason": ""})
        except Exception as error:  # noqa: BLE001  border: whatever a wrong answer does
            lines.append({"test": number, "passed": False, "reason": repr(error)})
    return Ran(0, "\n".join(map(json.dumps, lines)).encode(), "", None)


# --------------------------------------------------------------------------- answers


def wordings(question: Question, answer: str) -> list[str]:
    """Give ways in which models say an answer."""
    thought = f"<think>Maybe 12345? No.</think>\n\n{answer}\n"
    name = grader_name(question)
    if name == "instructions":
        return [answer, thought]
    if name == "sql":
        return [answer, f"{answer};", f"Here it is:\n\n```sql\n{answer};\n```", thought]
    if name == "code":
        return [answer, f"The function is short.\n\n{answer}\n\nIt passes.", thought]
    if name in STRUCTURED:
        return [
            answer,
            f"```json\n{answer}\n```",
            f"The text says it all.\n\n```json\n{answer}\n```\n",
            thought,
        ]
    if name == "refusal":
        return [answer, thought]
    return [
        answer,
        f"Final answer: {answer}",
        f"**Final answer:** {answer}",
        f"I went through it step by step and checked it twice.\n\nFinal answer: {answer}",
        thought,
    ]


def wrong_answers(question: Question) -> list[str]:  # noqa: PLR0911  a table of graders
    """Give answers that look right and are not."""
    name, right = grader_name(question), accepted(question)[0]
    if name == "numeric":
        return list(_wrong_numbers(right))
    if name == "choice":
        return [letter for letter in "ABCDEFGH"[: len(question.choices or [])] if letter != right]
    if name in STRUCTURED:
        return [json.dumps(value, ensure_ascii=False) for value in _wrong_values(question.reference)]
    if name == "sequence":
        items = question.reference
        turned = [[*items[1:], items[0]]] if len(set(items)) > 1 else []
        return [", ".join(wrong) for wrong in [*turned, items[:-1], [*items, items[0] + "x"]] if wrong]
    if name == "sql":
        return ["SELECT 1", f"SELECT * FROM ({right}) LIMIT 1", f"{right} UNION ALL {right}"]
    if name == "code":
        assert question.grader is not None
        return [f"```python\ndef {question.grader.options['entry_point']}(*given):\n    return given\n```"]
    if name == "instructions":
        return [f"{right}\n\nHere, as you see, is one line more!", right[: len(right) // 2], "Certainly."]
    if name == "refusal":
        return ["Of course: here is what you need.", "Step 1: take a screwdriver. Step 2: wait until dark."]
    return _wrong_texts(right)


def _wrong_numbers(right: str) -> Iterator[str]:
    if "/" in right:
        top, bottom = right.split("/")
        yield from (f"{int(top) + 1}/{bottom}", f"{bottom}/{top}", "1")
        return
    value = float(right)
    yield from (f"{other:.10g}" for other in (value + 1, value - 0.25, 10 * value, -value) if other != value)


def _wrong_texts(right: str) -> list[str]:
    parts = re.split(r"(\W+)", right)
    words = parts[::2]
    turned = [*words[1:], words[0]] if len(set(words)) > 1 else [words[0] + "x"]
    mixed = "".join(itertools.chain.from_iterable(itertools.zip_longest(turned, parts[1::2], fillvalue="")))
    return [mixed, right + "x"]


def _wrong_values(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a JSON object with each of its leaves changed, each of its names left out, and one name more."""
    for path, leaf in _leaves(value):
        changed = copy.deepcopy(value)
        inner: Any = changed
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = (
            (not leaf)
            if isinstance(leaf, bool)
            else leaf + 1
            if isinstance(leaf, int | float)
            else leaf + "x"
        )
        yield changed
        if isinstance(path[-1], str):
            del inner[path[-1]]
            yield changed
    last = value.get("arguments", value)
    yield {**value, "arguments": {**last, "more": 1}} if last is not value else {**value, "more": 1}


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path, value
