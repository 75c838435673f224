r"""Numbers as people and models write them: "1,000", "3.2 \times 10^5", "\frac{3}{4}", "1 3/4", "-$5", "50 %".

`read` gives every number in a text, exactly, with its unit. What only looks like one is none: the 2 in
"2x", "H2O", "2\pi", the parts of "17:03" and of "3.10.2".
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

from routemark.graders.units import MAGNITUDES, ORDINALS, UNITS, WORDS


class Quantity(NamedTuple):
    """A number in a text."""

    value: Fraction
    """Percent are not divided yet."""
    percent: bool
    unit: str | None
    """The word or sign behind it, when it is a known unit."""
    start: int
    end: int
    """Where it stands in the text that `plain` gave, unit included."""


class Reading(NamedTuple):
    """What a text says in numbers."""

    text: str
    """The text as `plain` gave it."""
    quantities: list[Quantity]
    expression: bool
    """Numbers stand in an expression (roots, powers, variables, arithmetic) that is not evaluated."""


_VULGAR = {
    "\u00bd": "1/2",
    "\u00bc": "1/4",
    "\u00be": "3/4",
    "\u2153": "1/3",
    "\u2154": "2/3",
    "\u215b": "1/8",
}
_SUPER = str.maketrans(
    "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207a\u207b", "0123456789+-"
)
_SUPERSCRIPT = re.compile("[\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u207a\u207b]+")
_FRACTION = re.compile(r"\\[dt]?frac\s?(?:\{\s*(-?[\d.,]+)\s*\}\s?\{\s*([\d.,]+)\s*\}|(\d)\s?(\d))")
_REPLACED = (
    (re.compile(r"\\(?:times|cdot)\b|[\u00d7\u00b7\u22c5]"), "*"),
    (re.compile(r"\\(?:approx|simeq|sim)\b|[\u2248\u2243]|~(?=\s?[-\d])"), "\u2248"),
    (re.compile(r"\\(?:pi)(?![a-z])"), "\u03c0"),
    (re.compile(r"\\sqrt"), "\u221a"),
    (re.compile(r"\^\s?\\circ|\^\s?\{\s?\\circ\s?\}"), "\u00b0"),
    (re.compile(r"\^\s?\{\s?([-+]?\d{1,5})\s?\}"), r"^\1"),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"[\u2212\ufe63]|(?<![\w)])\u2013(?=\s?[\d.])"), "-"),
    (re.compile(r"\s?(?:\u00b1|\\pm|\+/-)\s?\d[\d.,]*"), ""),
    (re.compile(r"(?:\b(?:US|CA|AU|HK|NZ|C|A|R))?[$\u20ac\u00a3\u00a5\u20b9](?:\s?(?=[\d.]))?"), ""),
    (
        re.compile(r"(?<=[\d%)])\s?,?\s(?:or|which is|i\.e\.,?)\s(?:about|approximately|roughly)\s"),
        " \u2248 ",
    ),
    (re.compile(r"[{}]"), " "),
    (re.compile(r"\s+"), " "),
)


def plain(text: str) -> str:
    """Give a text with its typography of numbers reduced to ASCII digits, signs and the characters ``≈ π √ °``."""
    for sign, written in _VULGAR.items():
        text = text.replace(sign, f" {written} ")
    text = _SUPERSCRIPT.sub(lambda match: "^" + match[0].translate(_SUPER), text)
    text = unicodedata.normalize("NFKC", text)
    text = _FRACTION.sub(lambda match: f" {match[1] or match[3]}/{match[2] or match[4]} ", text)
    for pattern, replacement in _REPLACED:
        text = pattern.sub(replacement, text)
    return re.sub(r"(?<![\w)])-\s*(?=\d+/|[\d.])", "-", text)


_DIGITS = r"""
    (?: [1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?        # 1,000.5
      | [1-9]\d?(?:,\d{2})+,\d{3}(?:\.\d+)?      # 1,00,000
      | [1-9]\d{0,2}(?:[ ]\d{3})+(?:[.,]\d+)?(?!\d)   # 1 000,5
      | [1-9]\d{0,2}(?:['\u2019_]\d{3})+(?:\.\d+)?    # 1'000.5
      | [1-9]\d{0,2}(?:\.\d{3})+,\d+             # 1.000,50
      | [1-9]\d{0,2}(?:\.\d{3}){2,}              # 1.000.000
      | \d+,\d{1,2}(?!\d) | 0,\d+ | \d+,\d{4,}   # 3,14
      | \d+(?:\.\d+)? | \.\d+ )
"""
_NUMBER = re.compile(
    rf"""
    (?<![\w.^\u221a])(?<!\d[:,/])(?P<sign>(?<![\w)])[-+])?
    (?P<number>{_DIGITS}) (?![.,]?\d) (?!:\d)
    (?: [eE](?P<e>[-+]?\d{{1,4}})(?!\w)
      | \s?[*xX]\s?10\s?(?:\^|\*\*)\s?\(?(?P<ten>[-+]?\d{{1,4}})\)?(?!\w)
      | \s?(?:\^|\*\*)\s?\(?(?P<power>[-+]?\d{{1,4}})\)?(?!\w)
      | \s?/\s?(?P<below>\d+(?:\.\d+)?)(?![\w/]|[.,]\d)
      | \s(?P<above>\d{{1,6}})\s?/\s?(?P<under>[1-9]\d{{0,5}})(?![\w/]|[.,]\d) )?
    """,
    re.VERBOSE,
)
_UNIT = re.compile(
    r"\s?(%|\u00b0[CF]?|per\s?cent(?!age)|percent(?!age)|[A-Za-z\u00b5\u03bc]+(?:/[A-Za-z]+|\^\d)*)"
)
_PERCENT = re.compile(r"%|per\s?cent")
_DATE = re.compile(r"\d+/\d+/\d+")
_EXPRESSION = re.compile(
    r"[\u03c0\u221a]|\\[A-Za-z]+|\b(?:sqrt|log|ln|sin|cos|tan|exp)\b|\^|\d\s?[*\u00f7]\s?[\d(]|[\d)]\s[-+/]\s[\d(]|[\d)][+/*(]|[)]\s?[-+*/]"
    r"|\d[A-Za-z]\s?[-+*/^]|[-+*/]\s?\d*[A-Za-z]\b"
)


def read(text: str) -> Reading:
    """Give the numbers of a text; number words up to 99 count where there are no digits."""
    text = plain(text)
    found: list[Quantity] = []
    covered = list(text)
    for match in islice(_NUMBER.finditer(text), 200):
        quantity = _quantity(match, text)
        if quantity is not None:
            found.append(quantity)
            unit = _UNIT.match(text, match.end())
            end = max(quantity.end, unit.end() if unit else 0)
            covered[quantity.start : end] = "0" * (quantity.end - quantity.start) + " " * (end - quantity.end)
    if not found and not re.search(r"\d", text):
        found = _in_words(text)
    return Reading(text, found, bool(_EXPRESSION.search(_DATE.sub(" ", "".join(covered)))))


def _quantity(match: re.Match[str], text: str) -> Quantity | None:
    value = _value(match)
    if value is None:
        return None
    end = match.end()
    after = _UNIT.match(text, end)
    word = after[1] if after else ""
    glued = bool(after) and not after[0][0].isspace() if after else False
    magnitude = MAGNITUDES.get(word) or (None if glued else MAGNITUDES.get(word.lower()))
    if after and magnitude is not None:
        return Quantity(value * magnitude, False, None, match.start(), after.end())
    known = word if word in UNITS else word.lower()
    percent = bool(_PERCENT.fullmatch(word))
    if after and (known in UNITS or percent):
        return Quantity(value, percent, None if percent else known, match.start(), after.end())
    if glued and word.lower() not in ORDINALS:
        return None
    if end < len(text) and text[end] in "\u03c0\u221a^\\(":
        return None
    return Quantity(value, False, None, match.start(), end)


def _value(match: re.Match[str]) -> Fraction | None:
    value = _decimal(match["number"])
    if match["e"] or match["ten"]:
        exponent = int(match["e"] or match["ten"])
        if abs(exponent) > 400:
            return None
        value *= Fraction(10) ** exponent
    elif match["power"]:
        exponent = int(match["power"])
        if (
            value.denominator != 1
            or value.numerator.bit_length() * abs(exponent) > 10_000
            or (not value and exponent < 0)
        ):
            return None
        value = Fraction(value) ** exponent
    elif match["below"]:
        below = _decimal(match["below"])
        if not below:
            return None
        value /= below
    elif match["above"]:
        value += Fraction(int(match["above"]), int(match["under"]))
    return -value if match["sign"] == "-" else value


def _decimal(digits: str) -> Fraction:
    """Give the value of digits with separators; which of them is the decimal one follows from the form."""
    digits = re.sub(r"[ '\u2019_]", "", digits)
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}", digits):
        digits = digits.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"\d+,\d{1,2}|0,\d+|\d+,\d{4,}", digits):
        digits = digits.replace(",", ".")
    return Fraction(digits.replace(",", ""))


_TENS = r"twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_NUMBER_WORD = re.compile(
    rf"\b(?:({_TENS})(?:[-\s](one|two|three|four|five|six|seven|eight|nine))?|({'|'.join(WORDS)}))\b"
    rf"(?:\s({'|'.join(name for name in MAGNITUDES if len(name) > 2)})\b)?",
    re.IGNORECASE,
)


def _in_words(text: str) -> list[Quantity]:
    found = []
    for match in _NUMBER_WORD.finditer(text):
        *words, magnitude = match.groups()
        value = sum(WORDS[word.lower()] for word in words if word) * MAGNITUDES.get(
            (magnitude or "").lower(), 1
        )
        found.append(Quantity(Fraction(value), False, None, match.start(), match.end()))
    return found
