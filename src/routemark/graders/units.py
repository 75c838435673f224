"""Units, magnitudes and number words that stand beside numbers."""

from __future__ import annotations

from fractions import Fraction

_TABLE: dict[str, dict[str, str]] = {
    # dimension: factor to its base unit -> the ways to write it
    "length": {
        "1/1000": "mm millimeter millimeters millimetre millimetres",
        "1/100": "cm centimeter centimeters centimetre centimetres",
        "1": "m meter meters metre metres",
        "1000": "km kilometer kilometers kilometre kilometres",
        "0.0254": "inch inches",
        "0.3048": "ft foot feet",
        "0.9144": "yd yard yards",
        "1609.344": "mi mile miles",
    },
    "mass": {
        "1/1000": "mg milligram milligrams",
        "1": "g gram grams",
        "1000": "kg kilogram kilograms kgs",
        "453.59237": "lb lbs",
        "28.349523125": "oz ounce ounces",
    },
    "time": {
        "1/1000": "ms millisecond milliseconds",
        "1": "s sec secs second seconds",
        "60": "min mins minute minutes",
        "3600": "h hr hrs hour hours",
        "86400": "day days",
        "604800": "week weeks",
    },
    "volume": {
        "1/1000": "ml milliliter milliliters millilitre millilitres",
        "1": "l L liter liters litre litres",
    },
    "speed": {"1": "m/s", "1/3.6": "km/h kph", "0.44704": "mph"},
    "area": {"1": "m^2", "1/10000": "cm^2", "1000000": "km^2"},
    "angle": {"1": "\u00b0 degree degrees deg"},
    "temperature C": {"1": "\u00b0C"},
    "temperature F": {"1": "\u00b0F"},
    "money": {"1": "dollar dollars usd", "1/100": "cent cents"},
    "euro": {"1": "euro euros eur"},
}


def _factor(text: str) -> Fraction:
    above, _, below = text.partition("/")
    return Fraction(above) / Fraction(below or 1)


UNITS: dict[str, tuple[str, Fraction]] = {
    name: (dimension, _factor(factor))
    for dimension, factors in _TABLE.items()
    for factor, names in factors.items()
    for name in names.split()
}
"""Unit as written -> its dimension, and how many base units of it one is."""

MAGNITUDES: dict[str, int] = {
    "k": 10**3,
    "K": 10**3,
    "M": 10**6,
    "B": 10**9,
    "bn": 10**9,
    "hundred": 10**2,
    "thousand": 10**3,
    "million": 10**6,
    "millions": 10**6,
    "billion": 10**9,
    "billions": 10**9,
    "trillion": 10**12,
}
"""Words and letters that multiply the number before them."""

ORDINALS = frozenset({"st", "nd", "rd", "th"})

_UP_TO_TWENTY = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty
"""
_TENS = "thirty forty fifty sixty seventy eighty ninety"

WORDS: dict[str, int] = {word: value for value, word in enumerate(_UP_TO_TWENTY.split())} | {
    word: 10 * tens for tens, word in enumerate(_TENS.split(), start=3)
}
"""Number words, zero to ninety, without those that are put together."""
