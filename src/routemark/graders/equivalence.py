r"""The grader ``math``: whether an expression is equivalent to the expected one, however it is written.

1. Where the reference is a number, answers that are numbers are judged as ``numeric`` judges them: exact
   where both are whole, else within 1e-6 of each other.
2. Constants and sets, tuples and intervals of them are compared by value (see `math_reader`).
3. Everything else (variables, equations, functions, matrices) goes to the tool, math-verify.

The expression is that of the final answer (see `extract`): the formula in it, if there is one in dollar
signs; behind "x =" where the reference is no equation; without its unit.
"""

from __future__ import annotations

import re
from typing import Protocol

from routemark.graders.base import Grader, Options, Tools, Verdict, brief, is_number, need, show
from routemark.graders.extract import Final, final_answer, first_sentence, last_lines, visible
from routemark.graders.math_notation import plain
from routemark.graders.math_reader import value
from routemark.graders.math_values import Beyond, Number, same
from routemark.graders.numeric import before_reasons, equal, numbers_of, wanted, written
from routemark.graders.units import UNITS
from routemark.records import Completion, Question


class Compare(Protocol):
    """The tool of this grader."""

    def __call__(self, expected: str, given: str) -> bool | None:
        """Tell whether two LaTeX expressions are equivalent; None when one of them cannot be read.

        Raises: base.ToolError when it could not find out.
        """


def grade(completion: Completion, question: Question, _options: Options, tools: Tools) -> Verdict:
    """Score 1 when the final answer is equivalent to the reference."""
    answer = visible(completion.text)
    if not answer:
        return Verdict(0.0, None, "no answer")
    final = final_answer(answer)
    verdict = _as_numbers(question.reference, answer, final)
    if verdict is not None:
        return verdict
    given = _phrase(answer, final)
    shown = brief(given)
    if not _is_formula(given):
        return Verdict(0.0, shown or None, "there is no expression in the final answer")
    expected, offered = _sides(_notation(str(question.reference)), _notation(given))
    results = [_compare(expected, side, tools) for side in offered]
    if True in results:
        return Verdict(1.0, shown)
    if None in results:
        return Verdict(None, shown, "the final answer, or the reference, cannot be read as mathematics")
    return Verdict(0.0, shown, f"is not equivalent to {brief(str(question.reference))}")


def _compare(expected: str, given: str, tools: Tools) -> bool | None:
    """Tell whether two expressions are equivalent; None when they cannot be read."""
    if "".join(expected.split()) == "".join(given.split()):
        return True
    try:
        result = same(value(expected), value(given))
    except Beyond:
        result = None
    if result is not None:
        return result
    tool: Compare = need(tools, "math")
    return tool(expected, given)


# --------------------------------------------------------------------------- numbers

_NO_PLAIN_NUMBER = re.compile(r"!|\||\\(?:binom|frac\s?\{[^{}]*[^-\d.,{}\s])|\b(?:lcm|gcd|C|P)\s?\(")


def _as_numbers(reference: object, answer: str, final: Final) -> Verdict | None:
    """Give the verdict on a number against a number; None when one of them is more than that."""
    expected = wanted(reference)
    if expected is None or not _is_rational(str(reference)) or _NO_PLAIN_NUMBER.search(final.text):
        return None
    found = numbers_of(answer, final)
    if isinstance(found, Verdict):
        return None if found.score is None else found
    whole = all(quantity.value.denominator == 1 for quantity in (expected, *found))
    options = {"abs_tol": 0, "rel_tol": 0 if whole else 1e-6, "percent": False}
    shown = " \u2248 ".join(written(quantity, options) for quantity in found)
    if any(equal(quantity, expected, options) for quantity in found):
        return Verdict(1.0, shown)
    return Verdict(0.0, shown, f"is not {written(expected, options)}")


def _is_rational(reference: str) -> bool:
    """Tell whether a reference is one number, not something that has one in it: "x + 1", "(1, 2)"."""
    try:
        constant = value(_notation(reference))
    except Beyond:
        return False
    return isinstance(constant, Number) and constant.exact is not None


# --------------------------------------------------------------------------- expressions

_FORMULA = re.compile(
    r"\$\$?([^$]{1,500})\$\$?|\\\(((?:(?!\\\)).){1,500})\\\)|\\\[((?:(?!\\\]).){1,500})\\\]", re.DOTALL
)
_JOINED = re.compile(r"\s*(?:,|;|,?\s?and|,?\s?or)\s*")
_HAS_FORMULA = re.compile(r"[\\$=^\d]")
_LEAD = re.compile(r".*(?::|\b(?:is|are|equals|get|have|becomes)\b:?)\s+", re.DOTALL)


def _phrase(answer: str, final: Final) -> str:
    """Give the part of a final answer that holds its expression."""
    if final.source == "box":
        return final.raw
    if final.source in ("marker", "head"):
        formulas = _formulas(final.raw)
        if formulas:
            return formulas[0]
        sentence = first_sentence(final.text)
        return before_reasons(sentence).rstrip(". ,;")
    line = next((line for line in last_lines(answer) if _HAS_FORMULA.search(line)), final.text)
    formulas = _formulas(line)
    return formulas[-1] if formulas else _LEAD.sub("", line.rstrip(". ,;"))


def _formulas(text: str) -> list[str]:
    """Give the formulas of a text, those that are only joined by "and", "or" or a comma as one."""
    found: list[str] = []
    end = -1
    for match in _FORMULA.finditer(text):
        content = next(group for group in match.groups() if group)
        if end >= 0 and _JOINED.fullmatch(text[end : match.start()]):
            found[-1] = f"{found[-1]}, {content}"
        else:
            found.append(content)
        end = match.end()
    return found


_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,}")
_FUNCTIONS = frozenset(
    "sin cos tan cot sec csc arcsin arccos arctan log exp sqrt inf infinity lcm gcd min max and".split()  # noqa: SIM905
)


def _is_formula(text: str) -> bool:
    """Tell whether a text is an expression, not a sentence or a word."""
    if not re.search(r"[\d\\^=+*/<>\u03c0\u221a\u221e]", text):
        letters = re.findall(r"[A-Za-z]+", text)  # variables and their products: "x", "ab - c", "(a, b)"
        return 0 < len(letters) <= 8 and all(len(run) <= 2 for run in letters)
    words = [
        word
        for word in _WORD.findall(re.sub(r"\\text\s?\{[^{}]*\}", " ", text))
        if word.lower() not in _FUNCTIONS
    ]
    return len(words) <= 3


_UNIT_NAMES = "|".join(sorted(map(re.escape, [*UNITS, "unit", "units"]), key=len, reverse=True))
_LONG_UNITS = "|".join(name for name in [*UNITS, "unit", "units"] if len(name) > 1 and name.isalpha())
_UNIT = re.compile(
    rf"\s*(?:\\(?:text|mathrm)\s?\{{\s*(?:square\s|cubic\s)?(?:{_UNIT_NAMES})\.?\s*\}}"
    rf"|(?<=[\d)}}\s])(?:square\s|cubic\s)?(?:{_LONG_UNITS})|\^\s?\{{?\\circ\}}?|\u00b0)"
    r"(?:\^\s?\{?[23]\}?)?[\s.$]*\Z"
)
_NAME = r"[A-Za-z](?:_\{?\w\}?)?(?:\s?\(\s?[A-Za-z]\s?\))?(?:'|\^\{-1\})?"
_ASSIGNED = re.compile(rf"(\A|[,;]|\band|\bor)\s*{_NAME}\s*(?:=|\\in(?![A-Za-z]))\s*")
_ALONE = re.compile(rf"\s*{_NAME}\s*")
_MOST_SIDES = 3
_RELATION = re.compile(r"[=<>]|\\(?:leq|geq|neq|in)(?![A-Za-z])")


def _notation(text: str) -> str:
    text = _UNIT.sub("", text.replace("\\$", " "), count=1)
    return plain(text).rstrip(". ,;")


def _sides(expected: str, given: str) -> tuple[str, list[str]]:
    r"""Give what is to be compared: without "x =" in front where only one of the two has it.

    The sides of an "\u2248" are each an answer.
    """
    if len(_RELATION.findall(expected)) == 1 and (named := _ASSIGNED.match(expected)):
        also = _ASSIGNED.match(given)
        if also is None or "".join(also[0].split()) == "".join(named[0].split()):
            expected = expected[named.end() :]
    if not _RELATION.search(expected):
        given = _ASSIGNED.sub(
            lambda match: match[1] if match[1] in (",", ";") else ", " if match[1] else "", given
        )
    sides = [side.strip() for side in given.split("\u2248") if side.strip()] or [given]
    if not _RELATION.search(expected):
        sides = [_last_side(side) for side in sides]
    return expected, sides[:_MOST_SIDES]


def _last_side(equation: str) -> str:
    """Give the result of a chain of equations: its last side, or the first when the last is a name alone."""
    first, *rest = equation.split("=")
    if not rest:
        return equation
    return first if _ALONE.fullmatch(rest[-1]) and not _ALONE.fullmatch(first) else rest[-1]


# --------------------------------------------------------------------------- the question's side


def check(question: Question, _options: Options) -> list[str]:
    """Give the fault of a reference that is no expression."""
    reference = question.reference
    is_text = isinstance(reference, str) and 0 < len(reference.strip()) <= 1_000
    if is_number(reference) or (is_text and _is_formula(str(reference))):
        return []
    return [f"reference: must be an expression, as LaTeX or plain text, or a number, not {show(reference)}"]


MATH = Grader("math", 1, grade, check)
