"""Constants and collections of them: exact where they are rational, to 50 digits where not.

Arithmetic is bounded: what would make numbers of thousands of digits raises `Beyond`.
"""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

TOLERANCE = Fraction(1, 10**6)
"""Relative tolerance where one of the two is written with a decimal point."""
PRECISION = Context(prec=50)
"""In which all arithmetic here is to be done."""
_CLOSE = Decimal("1e-40")
_MOST_BITS = 4_000
"""Size of the whole numbers that powers may make."""
_MOST_DIGITS = 100
"""Digits of a number as written."""


class Number(NamedTuple):
    """A constant."""

    exact: Fraction | None
    """None: irrational, or not known to be rational."""
    approximate: Decimal
    """To about 50 digits."""
    is_decimal: bool
    """Written with a decimal point."""


class Collection(NamedTuple):
    """Several values: a set, or what stands between brackets in order, such as a tuple or an interval."""

    kind: Literal["set", "()", "[)", "(]", "[]", "union"]
    items: tuple[Value, ...]


Value = Number | Collection


class Beyond(Exception):  # noqa: N818  no error: it says who must read on
    """The text is not a constant that `value` reads."""


def same(one: Value, other: Value) -> bool | None:
    """Tell whether two values are equal; None for kinds that cannot be compared here (a set and a tuple)."""
    if isinstance(one, Number) and isinstance(other, Number):
        return _same_number(one, other)
    one, other = _as_set(one, other), _as_set(other, one)
    if not (isinstance(one, Collection) and isinstance(other, Collection) and one.kind == other.kind):
        return None
    if one.kind in ("set", "union"):
        return _covers(one.items, other.items) and _covers(other.items, one.items)
    if len(one.items) != len(other.items):
        return False
    results = [same(*pair) for pair in zip(one.items, other.items, strict=True)]
    return None if None in results else all(results)


def _as_set(one: Value, other: Value) -> Value:
    """Give a number beside a set as the set of it alone."""
    beside_set = isinstance(other, Collection) and other.kind == "set"
    return Collection("set", (one,)) if isinstance(one, Number) and beside_set else one


def _covers(items: tuple[Value, ...], others: tuple[Value, ...]) -> bool:
    return all(any(same(item, other) for item in items) for other in others)


def _same_number(one: Number, other: Number) -> bool:
    if one.approximate.is_infinite() or other.approximate.is_infinite():
        return one.approximate == other.approximate
    if one.is_decimal or other.is_decimal:
        left, right = (number.exact or Fraction(number.approximate) for number in (one, other))
        return abs(left - right) <= TOLERANCE * max(abs(left), abs(right))
    if one.exact is not None and other.exact is not None:
        return one.exact == other.exact
    size = max(abs(one.approximate), abs(other.approximate), Decimal(1))
    return abs(one.approximate - other.approximate) <= size * _CLOSE


# --------------------------------------------------------------------------- arithmetic


def literal(digits: str) -> Number:
    """Give the number that digits with or without a decimal point mean."""
    if len(digits) > _MOST_DIGITS:
        raise Beyond
    return Number(Fraction(digits), Decimal(digits), "." in digits)


def whole(number: int) -> Number:
    """Give a whole number."""
    return Number(Fraction(number), Decimal(number), False)


def signed(number: Number, sign: str) -> Number:
    """Give a number, or its opposite when the sign is "-"."""
    return multiply(number, whole(-1)) if sign == "-" else number


def add(one: Number, other: Number) -> Number:
    """Give the sum of two numbers."""
    exact = None if one.exact is None or other.exact is None else one.exact + other.exact
    return Number(exact, one.approximate + other.approximate, one.is_decimal or other.is_decimal)


def multiply(one: Number, other: Number) -> Number:
    """Give the product of two numbers."""
    exact = None if one.exact is None or other.exact is None else one.exact * other.exact
    return Number(exact, one.approximate * other.approximate, one.is_decimal or other.is_decimal)


def divide(one: Number, other: Number) -> Number:
    """Give the quotient of two numbers."""
    exact = None if one.exact is None or other.exact is None else one.exact / other.exact
    return Number(exact, one.approximate / other.approximate, one.is_decimal or other.is_decimal)


def power(base: Number, exponent: Number) -> Number:
    """Give a power; complex and very large ones are `Beyond`."""
    is_decimal = base.is_decimal or exponent.is_decimal
    if base.exact is not None and exponent.exact is not None and exponent.exact.denominator == 1:
        whole_power = int(exponent.exact)
        bits = max(base.exact.numerator.bit_length(), base.exact.denominator.bit_length())
        if bits * abs(whole_power) > _MOST_BITS:
            raise Beyond
        exact = base.exact**whole_power
        return Number(exact, Decimal(exact.numerator) / Decimal(exact.denominator), is_decimal)
    if base.approximate <= 0 or abs(exponent.approximate * base.approximate.log10()) > 500:
        raise Beyond
    if exponent.exact is not None and exponent.exact.denominator <= 20 and abs(exponent.exact) <= 100:
        base_root = root(base, exponent.exact.denominator)
        if base_root.exact is not None:
            return power(base_root, whole(exponent.exact.numerator))._replace(is_decimal=is_decimal)
    return Number(None, base.approximate**exponent.approximate, is_decimal)


def root(number: Number, degree: int) -> Number:
    """Give a real root of a whole degree; complex ones are `Beyond`."""
    if number.approximate < 0:
        if degree % 2 == 0:
            raise Beyond
        return signed(root(signed(number, "-"), degree), "-")
    if number.exact is not None:
        above, below = (_whole_root(part, degree) for part in number.exact.as_integer_ratio())
        if above is not None and below is not None:
            exact = Fraction(above, below)
            return Number(exact, Decimal(above) / Decimal(below), number.is_decimal)
    if not number.approximate:
        return whole(0)
    return Number(None, number.approximate ** (Decimal(1) / degree), number.is_decimal)


def _whole_root(number: int, degree: int) -> int | None:
    """Give the whole number whose power a whole number is, if there is one."""
    if number.bit_length() > _MOST_BITS:
        return None
    low, high = 0, 1 << (number.bit_length() // degree + 1)
    while low < high:
        middle = (low + high + 1) // 2
        if middle**degree <= number:
            low = middle
        else:
            high = middle - 1
    return low if low**degree == number else None


CONSTANTS = {
    "\\pi": Number(None, Decimal("3.14159265358979323846264338327950288419716939937510582097494"), False),
    "e": Number(None, Decimal("2.71828182845904523536028747135266249775724709369995957496697"), False),
    "\\infty": Number(None, Decimal("Infinity"), False),
}
