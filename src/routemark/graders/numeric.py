"""The grader ``numeric``: a number against a number, within a tolerance.

Numbers are compared exactly (as fractions) before the tolerance is applied. The number is that of the
final answer (see `extract`): behind the last "=", the one that a labelled answer begins with, else the
last one. Several different numbers offered as the answer ("2 or 3") are none.
"""

from __future__ import annotations

import re
from fractions import Fraction

from routemark.graders.base import Grader, Options, Tools, Verdict, flag, is_number, show, tolerance
from routemark.graders.extract import Final, Source, final_answer, first_sentence, last_lines, visible
from routemark.graders.numbers import Quantity, Reading, read
from routemark.graders.units import UNITS
from routemark.records import Completion, Question

# --------------------------------------------------------------------------- the question's side


def wanted(reference: object) -> Quantity | None:
    """Give the number that a reference means; None when it is not exactly one number."""
    if not is_number(reference) and not isinstance(reference, str):
        return None
    reading = read(str(reference))
    if len(reading.quantities) != 1 or reading.expression:
        return None
    quantity = reading.quantities[0]
    rest = reading.text[: quantity.start] + reading.text[quantity.end :]
    return quantity if len(rest.split()) <= 3 and not re.search(r"[\d:]", rest) else None


def check(question: Question, _options: Options) -> list[str]:
    """Give the fault of a reference that is not one number."""
    if wanted(question.reference) is None:
        shown = show(question.reference)
        return [
            f'reference: must be a number, a fraction such as "3/4" or a number with its unit, not {shown}'
        ]
    return []


# --------------------------------------------------------------------------- the answer's side


def grade(completion: Completion, question: Question, options: Options, _tools: Tools) -> Verdict:
    """Score 1 when the number of the final answer is the reference, within ``abs_tol`` or ``rel_tol`` of it."""
    reference = wanted(question.reference)
    if reference is None:
        return Verdict(None, None, "the reference is not a number")
    answer = visible(completion.text)
    if not answer:
        return Verdict(0.0, None, "no answer")
    candidates = numbers_of(answer, final_answer(answer))
    if isinstance(candidates, Verdict):
        return candidates
    shown = " \u2248 ".join(written(quantity, options) for quantity in candidates)
    if any(equal(quantity, reference, options) for quantity in candidates):
        return Verdict(1.0, shown)
    return Verdict(0.0, shown, f"is not {written(reference, options)} within the tolerance")


def numbers_of(answer: str, final: Final) -> list[Quantity] | Verdict:
    """Give the number of a final answer (or the sides of its "\u2248"), or the verdict when it is none."""
    phrase = _phrase(answer, final)
    shown = phrase[:200]
    sides = [read(side) for side in read(before_reasons(phrase)).text.split("\u2248")]
    found = [_number(side, result, final.source) for side in sides if (result := _result(side)) is not None]
    if found and None not in found:
        return [quantity for quantity in found if quantity is not None]
    if found:
        return Verdict(0.0, shown, "several different numbers are given as the answer")
    if any(side.quantities or side.expression for side in sides):
        return Verdict(
            None, shown, "the final answer is an expression, not a number: the grader 'math' reads those"
        )
    return Verdict(0.0, shown or None, "there is no number in the final answer")


def _phrase(answer: str, final: Final) -> str:
    """Give the part of a final answer that holds its number; without a label, the last line that has one."""
    if final.source == "line":
        return next((line for line in last_lines(answer) if read(line).quantities), final.text)
    if final.source in ("marker", "head"):
        sentence = first_sentence(final.text)
        return sentence if read(sentence).quantities else final.text
    return final.text


_REASONS = re.compile(
    r",?\s(?:because|since|as|given|which|where|so that|for)\b|\s\(|;|,?\s(?:i\.e\.|e\.g\.)"
    r"|,?\s(?:achieved|attained|obtained|reached)\b|,\s(?:when|with|at|by|using|if)\b",
    re.IGNORECASE,
)


def before_reasons(phrase: str) -> str:
    """Give a phrase up to where its reasons begin, if it has its number by then."""
    for reason in _REASONS.finditer(phrase):
        if read(phrase[: reason.start()]).quantities:
            return phrase[: reason.start()]
    return phrase


def _result(reading: Reading) -> Reading | None:
    """Give the side of an equation that is its result: the last, or the first when it is a number alone."""
    first, equals, rest = reading.text.partition("=")
    last = read(rest.rpartition("=")[2]) if equals else reading
    if last.quantities and not last.expression:
        return last
    alone = read(first.strip())
    bare = [quantity.start == 0 and quantity.end == len(alone.text) for quantity in alone.quantities]
    return alone if equals and bare == [True] else None


_NAMED = re.compile(r"(?<![\w)])[A-Za-z]\s?=\s?(?=[-+\d.])")
_LINK = re.compile(
    r"\s?(?:[A-Za-z]+\s){0,2}[A-Za-z]*\s?(?:,|;|/|\bor\b|\band\b|\bto\b|-|\u2013|,\s?and|,\s?or)\s?"
)
_LEAD = re.compile(
    r"[\W_]*(?:(?:about|approximately|approx|roughly|around|exactly|only|just|nearly|almost|usd|eur|rs|x|y|n)\b[\W_]*){0,2}",
    re.IGNORECASE,
)


def _number(reading: Reading, behind: Reading, source: Source) -> Quantity | None:
    """Give the one number that a phrase offers; None when it offers several different ones."""
    named = [quantity for side in _NAMED.split(reading.text)[1:] for quantity in read(side).quantities[:1]]
    if len(_values(named)) > 1:
        return None
    numbers = behind.quantities
    if len(_values(numbers)) == 1:
        return numbers[-1]
    before, last = numbers[-2:]
    if (total := _sum(before, last, behind.text)) is not None and len(numbers) == 2:
        return total
    if before.value != last.value and _LINK.fullmatch(behind.text[before.end : last.start]):
        return None
    lead = _LEAD.match(behind.text)
    leads = source != "line" and lead is not None and lead.end() >= numbers[0].start
    return numbers[0] if leads else last


def _sum(large: Quantity, small: Quantity, text: str) -> Quantity | None:
    """Give the whole of a quantity in two units ("2 hours and 30 minutes"), in the smaller one."""
    if not (large.unit and small.unit and re.fullmatch(r"\s?,?\s?(?:and\s)?", text[large.end : small.start])):
        return None
    (dimension, factor), (small_dimension, small_factor) = UNITS[large.unit], UNITS[small.unit]
    if dimension != small_dimension or factor <= small_factor:
        return None
    return small._replace(value=large.value * factor / small_factor + small.value, start=large.start)


def _values(quantities: list[Quantity]) -> set[tuple[Fraction, str | None]]:
    return {(q.value / 100 if q.percent else q.value, q.unit) for q in quantities}


# --------------------------------------------------------------------------- comparing


def equal(answer: Quantity, reference: Quantity, options: Options) -> bool:
    """Tell whether a quantity is the expected one, within ``abs_tol`` or ``rel_tol``; units must fit."""
    given, expected = _scaled(answer, options), _scaled(reference, options)
    if answer.unit and reference.unit:
        dimension, factor = UNITS[answer.unit]
        expected_dimension, expected_factor = UNITS[reference.unit]
        if dimension != expected_dimension:
            return False
        given *= factor / expected_factor
    allowed = max(Fraction(str(options["abs_tol"])), Fraction(str(options["rel_tol"])) * abs(expected))
    return abs(given - expected) <= allowed


def _scaled(quantity: Quantity, options: Options) -> Fraction:
    return quantity.value / 100 if quantity.percent and not options["percent"] else quantity.value


def written(quantity: Quantity, options: Options) -> str:
    """Give a quantity as it is shown in a grade."""
    value = _scaled(quantity, options)
    try:
        number = (
            str(value.numerator) if value.denominator == 1 and abs(value) < 10**15 else f"{float(value):.12g}"
        )
    except OverflowError:
        number = "a number beyond 1e308"
    return f"{number} {quantity.unit}" if quantity.unit else number


NUMERIC = Grader(
    "numeric",
    1,
    grade,
    check,
    {"abs_tol": tolerance(0), "rel_tol": tolerance(1e-6), "percent": flag()},
)
