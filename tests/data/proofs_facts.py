"""Proofs of drawn questions of fact, from tables written down here again; the questions name their sources, too."""

from __future__ import annotations

import re

from data.prompts import Proof, find, numbers
from routemark.records import Question

_SYMBOLS = [
    "H",
    "He",
    "Li",
    "Be",
    "B",
    "C",
    "N",
    "O",
    "F",
    "Ne",
    "Na",
    "Mg",
    "Al",
    "Si",
    "P",
    "S",
    "Cl",
    "Ar",
    "K",
    "Ca",
    "Sc",
    "Ti",
    "V",
    "Cr",
    "Mn",
    "Fe",
    "Co",
    "Ni",
    "Cu",
    "Zn",
    "Ga",
    "Ge",
    "As",
    "Se",
    "Br",
    "Kr",
    "Rb",
    "Sr",
    "Y",
    "Zr",
    "Nb",
    "Mo",
    "Tc",
    "Ru",
    "Rh",
    "Pd",
    "Ag",
    "Cd",
    "In",
    "Sn",
    "Sb",
    "Te",
    "I",
    "Xe",
    "Cs",
    "Ba",
    "La",
    "Ce",
    "Pr",
    "Nd",
    "Pm",
    "Sm",
    "Eu",
    "Gd",
    "Tb",
    "Dy",
    "Ho",
    "Er",
    "Tm",
    "Yb",
    "Lu",
    "Hf",
    "Ta",
    "W",
    "Re",
    "Os",
    "Ir",
    "Pt",
    "Au",
    "Hg",
    "Tl",
    "Pb",
    "Bi",
    "Po",
    "At",
    "Rn",
    "Fr",
    "Ra",
    "Ac",
    "Th",
    "Pa",
    "U",
]
_NAMES = {
    "hydrogen": 1, "helium": 2, "lithium": 3, "beryllium": 4, "boron": 5, "carbon": 6, "nitrogen": 7, "oxygen": 8, "fluorine": 9, "neon": 10,
    "sodium": 11, "magnesium": 12, "aluminium": 13, "silicon": 14, "phosphorus": 15, "sulfur": 16, "chlorine": 17, "argon": 18,
    "potassium": 19, "calcium": 20, "scandium": 21, "titanium": 22, "vanadium": 23, "chromium": 24, "manganese": 25, "iron": 26, "cobalt": 27,
    "nickel": 28, "copper": 29, "zinc": 30, "gallium": 31, "germanium": 32, "arsenic": 33, "selenium": 34, "bromine": 35, "krypton": 36,
    "rubidium": 37, "strontium": 38, "yttrium": 39, "zirconium": 40, "niobium": 41, "molybdenum": 42, "technetium": 43, "ruthenium": 44,
    "rhodium": 45, "palladium": 46, "silver": 47, "cadmium": 48, "indium": 49, "tin": 50, "antimony": 51, "tellurium": 52, "iodine": 53,
    "xenon": 54, "caesium": 55, "barium": 56, "lanthanum": 57, "cerium": 58, "praseodymium": 59, "neodymium": 60, "promethium": 61,
    "samarium": 62, "europium": 63, "gadolinium": 64, "terbium": 65, "dysprosium": 66, "holmium": 67, "erbium": 68, "thulium": 69,
    "ytterbium": 70, "lutetium": 71, "hafnium": 72, "tantalum": 73, "tungsten": 74, "rhenium": 75, "osmium": 76, "iridium": 77,
    "platinum": 78, "gold": 79, "mercury": 80, "thallium": 81, "lead": 82, "bismuth": 83, "polonium": 84, "astatine": 85, "radon": 86,
    "francium": 87, "radium": 88, "actinium": 89, "thorium": 90, "protactinium": 91, "uranium": 92,
}  # fmt: skip


def _name(number: int) -> str:
    (name,) = [name for name, n in _NAMES.items() if n == number]
    return name


def one_element(question: Question) -> object:
    text = question.question
    if "has the symbol" in text:
        return _name(_SYMBOLS.index(find(r"has the symbol ([A-Z][a-z]?)\?", text)[0]) + 1)
    if "has the atomic number" in text:
        return _name(int(numbers(text)[0]))
    return _NAMES[find(r"of the chemical element (\w+)\?", text)[0]]


def element_sum(question: Question) -> object:
    found = re.findall(
        r"\b([A-Z][a-z]?)\b(?!\w)|\b([a-z]+)\b", question.question.partition(". The result")[0]
    )
    numbers_ = [_SYMBOLS.index(s) + 1 if s else _NAMES[n] for s, n in found if s in _SYMBOLS or n in _NAMES]
    a, b, c = numbers_
    return _name(a + b - c)


_CAPITALS = {
    "Tirana": "Albania", "Buenos Aires": "Argentina", "Yerevan": "Armenia", "Vienna": "Austria", "Baku": "Azerbaijan", "Manama": "Bahrain",
    "Minsk": "Belarus", "Sofia": "Bulgaria", "Phnom Penh": "Cambodia", "Ottawa": "Canada", "Santiago": "Chile", "Bogotá": "Colombia",
    "Zagreb": "Croatia", "Havana": "Cuba", "Copenhagen": "Denmark", "Quito": "Ecuador", "Cairo": "Egypt", "Asmara": "Eritrea",
    "Tallinn": "Estonia", "Addis Ababa": "Ethiopia", "Helsinki": "Finland", "Tbilisi": "Georgia", "Accra": "Ghana", "Athens": "Greece",
    "Budapest": "Hungary", "Reykjavik": "Iceland", "Tehran": "Iran", "Baghdad": "Iraq", "Dublin": "Ireland", "Kingston": "Jamaica",
    "Amman": "Jordan", "Nairobi": "Kenya", "Vientiane": "Laos", "Riga": "Latvia", "Beirut": "Lebanon", "Vilnius": "Lithuania",
    "Antananarivo": "Madagascar", "Valletta": "Malta", "Ulaanbaatar": "Mongolia", "Rabat": "Morocco", "Maputo": "Mozambique",
    "Windhoek": "Namibia", "Wellington": "New Zealand", "Oslo": "Norway", "Muscat": "Oman", "Lima": "Peru", "Warsaw": "Poland",
    "Lisbon": "Portugal", "Doha": "Qatar", "Bucharest": "Romania", "Kigali": "Rwanda", "Dakar": "Senegal", "Belgrade": "Serbia",
    "Bratislava": "Slovakia", "Ljubljana": "Slovenia", "Khartoum": "Sudan", "Damascus": "Syria", "Bangkok": "Thailand", "Tunis": "Tunisia",
    "Kampala": "Uganda", "Montevideo": "Uruguay", "Tashkent": "Uzbekistan", "Caracas": "Venezuela", "Hanoi": "Vietnam", "Lusaka": "Zambia",
    "Harare": "Zimbabwe",
}  # fmt: skip


def one_capital(question: Question) -> object:
    if "What is the capital" in question.question:
        (country,) = find(r"the capital of ([A-Z][\w ]+)\?", question.question)
        (capital,) = [city for city, land in _CAPITALS.items() if land == country]
        return capital
    return _CAPITALS[find(r"country is ([A-Z][\w ]+) the capital\?", question.question)[0]]


_YEARS = {
    "Hastings": 1066, "Magna Carta": 1215, "Agincourt": 1415, "Constantinople": 1453, "Columbus": 1492, "Theses": 1517, "Copernicus": 1543,
    "Armada": 1588, "Nantes": 1598, "Westphalia": 1648, "Charles I": 1649, "Fire of London": 1666, "Principia": 1687, "Lisbon": 1755,
    "Declaration of Independence": 1776, "Cook": 1779, "Bastille": 1789, "Trafalgar": 1805, "Waterloo": 1815, "Crystal Palace": 1851,
    "Origin of Species": 1859, "Suez": 1869, "Krakatoa": 1883, "Eiffel": 1889, "X-rays": 1895, "Olympic": 1896, "Wright": 1903,
    "San Francisco": 1906, "Amundsen": 1911, "Titanic": 1912, "Panama": 1914, "Versailles": 1919, "penicillin": 1928, "World Cup": 1930,
    "Golden Gate": 1937, "United Nations": 1945, "Everest": 1953, "Sputnik": 1957, "Moon": 1969, "Berlin Wall": 1989,
}  # fmt: skip


def years_between(question: Question) -> object:
    text = question.question
    events = re.findall(r"the year in which (.+?)(?=,| to the year|\. |$)", text)
    years = []
    for event in events:
        (year,) = {year for mark, year in _YEARS.items() if mark in event}
        years.append(year)
    first, second, third = years
    if "As many years after" in text:
        return third - first + second
    spans = sorted([second - first, third - second])
    return spans[1] - spans[0]


PROOFS: dict[str, Proof] = {
    "one-element": one_element,
    "element-sum": element_sum,
    "one-capital": one_capital,
    "years-between": years_between,
}
