"""Whole numbers from 20 to 999 spelt in German, French, Spanish and Italian.

Numbers whose spelling depends on what follows, or that writers of one of the languages spell in more than one
way, are left out by `is_plain`: those that end in 1 or 3, round hundreds, and some with an 8.
"""

from __future__ import annotations

from routemark.families.base import split

LANGUAGES = ("German", "French", "Spanish", "Italian")

_GERMAN = split(
    "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn"
    " siebzehn achtzehn neunzehn"
)
_GERMAN_TENS = split("- - zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig")
_FRENCH = split(
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept"
    " dix-huit dix-neuf"
)
_FRENCH_TENS = split("- - vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt")
_SPANISH = split(
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis"
    " diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco"
    " veintiséis veintisiete veintiocho veintinueve"
)
_SPANISH_TENS = split("- - - treinta cuarenta cincuenta sesenta setenta ochenta noventa")
_SPANISH_HUNDREDS = split(
    "- ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos"
)
_ITALIAN = split(
    "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici"
    " sedici diciassette diciotto diciannove"
)
_ITALIAN_TENS = split("- - venti trenta quaranta cinquanta sessanta settanta ottanta novanta")


def is_plain(n: int) -> bool:
    """Tell whether a number is spelt in one way in all four languages, whatever follows."""
    return 20 <= n <= 999 and n % 10 not in (1, 3) and n % 100 not in (0, 8, 11) and n % 100 // 10 != 8


def spell(n: int, language: str) -> str:
    """Give the words of a number; German and Italian write one word."""
    return {"German": _german, "French": _french, "Spanish": _spanish, "Italian": _italian}[language](n)


def _german(n: int) -> str:
    if n >= 100:
        return f"{_GERMAN[n // 100]}hundert{_german(n % 100) if n % 100 else ''}"
    if n < 20:
        return _GERMAN[n]
    ones = f"{_GERMAN[n % 10]}und" if n % 10 else ""
    return ones + _GERMAN_TENS[n // 10]


def _french(n: int) -> str:
    if n >= 100:
        hundreds = "cent" if n < 200 else f"{_FRENCH[n // 100]} cent"
        return f"{hundreds} {_french(n % 100)}" if n % 100 else hundreds + ("s" if n >= 200 else "")
    if n < 20:
        return _FRENCH[n]
    tens = n // 10
    rest = n % 10 + (10 if tens in (7, 9) else 0)
    if n == 80:
        return "quatre-vingts"
    if rest == 0:
        return _FRENCH_TENS[tens]
    joint = " et " if rest in (1, 11) and tens < 8 else "-"
    return f"{_FRENCH_TENS[tens]}{joint}{_FRENCH[rest]}"


def _spanish(n: int) -> str:
    if n >= 100:
        return (
            f"{_SPANISH_HUNDREDS[n // 100]} {_spanish(n % 100)}"
            if n % 100
            else ("cien" if n == 100 else _SPANISH_HUNDREDS[n // 100])
        )
    if n < 30:
        return _SPANISH[n]
    return _SPANISH_TENS[n // 10] + (f" y {_SPANISH[n % 10]}" if n % 10 else "")


def _italian(n: int) -> str:
    if n >= 100:
        return ("cento" if n < 200 else f"{_ITALIAN[n // 100]}cento") + (_italian(n % 100) if n % 100 else "")
    if n < 20:
        return _ITALIAN[n]
    tens = _ITALIAN_TENS[n // 10]
    return (tens[:-1] if n % 10 in (1, 8) else tens) + (_ITALIAN[n % 10] if n % 10 else "")
