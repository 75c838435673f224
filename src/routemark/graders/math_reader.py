r"""Constants as text, read with a grammar of our own.

Numbers with thousands separators, fractions, mixed numbers, ``\sqrt``, powers, percent, pi and e, their sums
and products, ``\pm``; sets, tuples and intervals of such, and unions of intervals. Everything else
(variables, functions, matrices, inequalities) is `Beyond` it.
"""

from __future__ import annotations

import re
from decimal import DecimalException, localcontext
from typing import Literal

from routemark.graders.math_values import (
    CONSTANTS,
    PRECISION,
    Beyond,
    Collection,
    Number,
    Value,
    add,
    divide,
    literal,
    multiply,
    power,
    root,
    signed,
    whole,
)

_LONGEST = 300
"""Characters of what is read."""

_PIECE = re.compile(r"\\[A-Za-z]+|\\[{}]|\d+(?:\.\d+)?|\.\d+|[A-Za-z]+|\S")
_GROUPED = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:,\d{3})+(?![\d,])")
_OPENING = {"(": 1, "[": 1, "{": 1, "\\{": 1, ")": -1, "]": -1, "}": -1, "\\}": -1}
_DEEPEST = 20
_AND = re.compile(r"(?<![A-Za-z\\])(?:and|or)(?![A-Za-z])")
_KINDS: dict[tuple[str, str], Literal["set", "()", "[)", "(]", "[]"]] = {
    ("\\{", "\\}"): "set",
    ("{", "}"): "set",
    ("(", ")"): "()",
    ("[", ")"): "[)",
    ("(", "]"): "(]",
    ("[", "]"): "[]",
}


def value(text: str) -> Value:
    """Give the value of a text in the notation of `plain`.

    Raises: Beyond for anything but constants and collections of them.
    """
    if not text.strip() or len(text) > _LONGEST:
        raise Beyond
    if text.lstrip()[0] not in "([{\\":  # within brackets a comma parts elements: (1,200) is a pair
        text = _GROUPED.sub(lambda match: match[0].replace(",", ""), text)
    try:
        with localcontext(PRECISION):
            return _value(_PIECE.findall(_AND.sub(",", text)))
    except (DecimalException, ZeroDivisionError, OverflowError):
        raise Beyond from None


def _value(pieces: list[str]) -> Value:
    for separators, kind in ((("\\cup",), "union"), ((",", ";"), "set")):
        parts = _split(pieces, separators)
        if len(parts) > 1:
            items = [_value(part) for part in parts if part]
            return Collection("union" if kind == "union" else "set", tuple(_flat(items)))
    if len(pieces) > 2 and (ends := _KINDS.get((pieces[0], pieces[-1]))) and _is_enclosed(pieces):
        inner = [part for part in _split(pieces[1:-1], (",", ";")) if part]
        if inner and (len(inner) > 1 or pieces[0] == "\\{"):
            items = [_value(part) for part in inner]
            return Collection(ends, tuple(_flat(items) if ends == "set" else items))
    if "\\pm" in pieces:
        signs = [[sign if piece == "\\pm" else piece for piece in pieces] for sign in "+-"]
        return Collection("set", tuple(_Reader(signed).number() for signed in signs))
    return _Reader(pieces).number()


def _flat(items: list[Value]) -> list[Value]:
    """Give the members of a set, in which "\u00b1 2" stands for two."""
    found: list[Value] = []
    for item in items:
        found += item.items if isinstance(item, Collection) and item.kind == "set" else [item]
    return found


def _split(pieces: list[str], separators: tuple[str, ...]) -> list[list[str]]:
    """Give the runs of pieces between separators that stand in no bracket."""
    parts: list[list[str]] = [[]]
    depth = 0
    for piece in pieces:
        depth += _OPENING.get(piece, 0)
        if depth > _DEEPEST:
            raise Beyond
        if depth == 0 and piece in separators:
            parts.append([])
        else:
            parts[-1].append(piece)
    return parts


def _is_enclosed(pieces: list[str]) -> bool:
    """Tell whether the first bracket closes with the last piece."""
    depth = 0
    for index, piece in enumerate(pieces):
        depth += _OPENING.get(piece, 0)
        if depth == 0:
            return index == len(pieces) - 1
    return False


class _Reader:
    """Reads one number by recursive descent: sums of products of powers."""

    def __init__(self, pieces: list[str]) -> None:
        self._pieces = pieces
        self._at = 0

    def number(self) -> Number:
        result = self._sum()
        if self._at != len(self._pieces):
            raise Beyond
        return result

    def _peek(self) -> str:
        return self._pieces[self._at] if self._at < len(self._pieces) else ""

    def _take(self, *wanted: str) -> str:
        """Take the next piece, if it is a wanted one; give "" when it is not."""
        piece = self._peek()
        if piece and piece in wanted:
            self._at += 1
            return piece
        return ""

    def _expect(self, wanted: str) -> None:
        if not self._take(wanted):
            raise Beyond

    def _sum(self) -> Number:
        result = self._signed_product()
        while sign := self._take("+", "-"):
            result = add(result, signed(self._product(), sign))
        return result

    def _signed_product(self) -> Number:
        sign = self._take("+", "-")
        return signed(self._product(), sign)

    def _product(self) -> Number:
        started = self._at
        result = self._power()
        while True:
            if operator := self._take("*", "/"):
                factor = signed(self._power(), sign) if (sign := self._take("+", "-")) else self._power()
                result = divide(result, factor) if operator == "/" else multiply(result, factor)
            elif self._peek() == "\\frac" and self._is_mixed(started):
                result = add(result, self._power())
            elif self._peek() in ("(", "{", "\\frac", "\\sqrt", "\\pi", "e"):
                result = multiply(result, self._power())
            else:
                return result

    def _is_mixed(self, started: int) -> bool:
        r"""Tell whether a whole number alone stands before a fraction of digits, as in ``2\frac{1}{3}``."""
        before = self._pieces[started : self._at]
        fraction = "".join(self._pieces[self._at + 1 : self._at + 7])
        return len(before) == 1 and before[0].isdigit() and bool(re.match(r"\{\d+\}\{\d+\}|\d\d", fraction))

    def _power(self) -> Number:
        base = self._primary()
        if self._take("^"):
            braced = self._peek() == "{"
            sign = "" if braced else self._take("+", "-")
            base = power(base, signed(self._primary() if braced else self._power(), sign))
        if self._take("%"):
            base = divide(base, whole(100))
        return base

    def _primary(self) -> Number:
        piece = self._peek()
        self._at += 1
        if re.fullmatch(r"\d*\.?\d+", piece):
            return literal(piece)
        if piece in ("(", "{"):
            result = self._sum()
            self._expect(")" if piece == "(" else "}")
            return result
        if piece == "\\frac":
            return divide(self._argument(), self._argument())
        if piece == "\\sqrt":
            return self._root()
        if piece in CONSTANTS:
            return CONSTANTS[piece]
        raise Beyond

    def _argument(self) -> Number:
        r"""Give what stands in braces, or a digit alone, as in ``\frac12``."""
        if self._take("{"):
            result = self._sum()
            self._expect("}")
            return result
        piece = self._peek()
        if not piece.isdigit():
            raise Beyond
        self._pieces[self._at : self._at + 1] = list(piece)
        self._at += 1
        return literal(piece[0])

    def _root(self) -> Number:
        degree = 2
        if self._take("["):
            piece = self._peek()
            if not piece.isdigit() or not 2 <= int(piece) <= 20:
                raise Beyond
            degree = int(piece)
            self._at += 1
            self._expect("]")
        return root(self._argument(), degree)
