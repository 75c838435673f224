"""Proofs of the `easy` questions: family -> answer computed from the prompt."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import re
from collections.abc import Callable
from fractions import Fraction

from data.prompts import Proof, bullets, day, find, ints, numbers, queried, table
from routemark.records import Question


def receipt_total(question: Question) -> object:
    cents = 0
    for count, _, price in bullets(question.question, r"(\d+) x (.+) at \$(\d+\.\d\d) each"):
        cents += int(count) * round(100 * float(price))
    percent, fee = find(
        r"takes (\d+) % off the sum of the lines; after that a \w+ fee of \$(\d+\.\d\d)", question.question
    )
    return Fraction(cents * (100 - int(percent)), 10_000) + Fraction(fee)


def stage_sums(question: Question) -> object:
    n = ints(question.question)
    if question.id.endswith("005"):
        monday = n[0] - sum(1 for box in range(n[0]) if box % 8 < 3)  # three of every eight
        tuesday = monday + n[1]
        return sum(1 for box in range(tuesday) if box % 3)  # two of every three stay
    if question.id.endswith("006"):
        ride, slow, rest, fast = n
        metres_a_minute = (
            [Fraction(slow * 1000, 60)] * ride + [Fraction(0)] * rest + [Fraction(fast * 1000, 60)] * 60
        )
        return sum(metres_a_minute) / len(metres_a_minute) * 60 / 1000
    pages, fast, slow, together = n
    half_minutes = 0
    while pages > 0:
        pages -= (fast + (slow if half_minutes < 2 * together else 0)) // 2
        half_minutes += 1
    assert pages == 0
    return Fraction(half_minutes, 2)


def two_prices(question: Question) -> object:
    n = ints(question.question)
    a, b, s, c, d, t = (n[0], n[1], n[2], n[4], n[5], n[3]) if "pays" in question.question else n
    pairs = itertools.product(range(1, 500), repeat=2)
    ((first, _),) = {(x, y) for x, y in pairs if a * x + b * y == s and c * x + d * y == t}
    return first


def undo_the_steps(question: Question) -> object:
    times, less, by, more, shown = ints(question.question)
    (start,) = [x for x in range(-2000, 2000) if Fraction(x * times - less, by) + more == shown]
    return start


def composite_area(question: Question) -> object:
    n = [Fraction(number) for number in numbers(question.question)]
    if question.id.endswith("002"):
        long, wide, high = n
        return sum([long * wide, long * high, long * high, wide * high, wide * high])
    legs = [int(leg) for leg in n]
    third = math.isqrt(legs[0] ** 2 + legs[1] ** 2)
    assert third**2 == legs[0] ** 2 + legs[1] ** 2
    return sum(legs) + 3 * third


def two_draws(question: Question) -> object:
    (counts,) = re.findall(r"(\d+) (\w+), (\d+) (\w+) and (\d+) (\w+)", question.question)
    things = [kind for count, kind in zip(counts[::2], counts[1::2], strict=True) for _ in range(int(count))]
    rest = question.question.rpartition("probability that ")[2].partition("?")[0]
    tests: dict[str, Callable[[str, str], bool]] = {
        "both are the same colour": lambda one, two: one == two,
        "both are alike": lambda one, two: one == two,
        "neither of them is": lambda one, two: rest.split()[-1] not in (one, two),
        "exactly one of them is": lambda one, two: (one == rest.split()[-1]) != (two == rest.split()[-1]),
    }
    (holds,) = [test for asked, test in tests.items() if rest.startswith(asked)]
    draws = list(itertools.permutations(things, 2))
    return Fraction(sum(holds(*draw) for draw in draws), len(draws))


def meeting_times(question: Question) -> object:
    hour, minute, *periods = ints(question.question.partition("Answer")[0])
    now = start = 60 * hour + minute
    while now == start or any((now - start) % period for period in periods):
        now += 1
    return f"{now // 60:02d}:{now % 60:02d}"


def date_steps(question: Question) -> object:
    weekday, date, count = find(r"on (Monday), (\d+ \w+ \d{4}),.* the (\d+)th meeting", question.question)
    assert f"{day(date):%A}" == weekday
    meetings = [day(date) + dt.timedelta(days=7 * week) for week in range(int(count))]
    return meetings[-1].isoformat()


def unit_steps(question: Question) -> object:
    n = [Fraction(number) for number in numbers(question.question)]
    if question.id.endswith("005"):
        cubic_metres, rate, one, litres = n
        return cubic_metres / one * litres / rate
    if question.id.endswith("006"):
        yards, metres, chains = n
        return round(chains * yards * metres, 1)
    distance, minutes, seconds, walked, speed = n
    return distance * (minutes * 60 + seconds) / 60 + walked / speed * 60


_FIELDS = {
    "easy-extraction-002": r"(?s)meeting therefore takes place on \d+ March at (\d+:\d+).*secretary by (\d+)"
    r" March",
    "easy-extraction-003": r"band 9, that is between [\d,]+ and ([\d,]+) dollars a year for full-time work",
    "easy-extraction-004": r"there is Friday the (\d+)th at (\d+:\d+) with Dr Osei\.\nCaller: Perfect, that"
    r" one",
}


def message_fields(question: Question) -> object:
    found = find(_FIELDS[question.id], question.question)
    return "/".join(sorted(found, key=len)).replace(",", "")  # the day is shorter than the time


def first_rule_that_fits(question: Question) -> object:
    (message,) = find(r'Text: "(.*)"\n', question.question)
    words = re.findall(r"[a-z]+", message.lower())
    for one, two, label in re.findall(r'\d\. contains "(\w+)" or "(\w+)": (.+)', question.question):
        if one in words or two in words:
            return label
    return find(r"\d\. anything else: (.+)", question.question)[0]


# --------------------------------------------------------------------------- numbers in words

_DE = "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn".split()  # noqa: SIM905
_DE_TENS = "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split()  # noqa: SIM905
_FR = "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf".split()  # noqa: SIM905
_FR_TENS = {20: "vingt", 30: "trente", 40: "quarante", 50: "cinquante", 60: "soixante", 80: "quatre-vingt"}
_ES = "cero uno dos tres cuatro cinco seis siete ocho nueve".split()  # noqa: SIM905
_ES_TENS = {40: "cuarenta", 50: "cincuenta", 60: "sesenta", 70: "setenta", 80: "ochenta", 90: "noventa"}
_ES_HUNDREDS = {100: "ciento", 200: "doscientos", 300: "trescientos", 900: "novecientos"}
_IT = "zero uno due tre quattro cinque sei sette otto nove".split()  # noqa: SIM905
_IT_TENS = {50: "cinquanta", 60: "sessanta", 70: "settanta", 80: "ottanta"}


def german(n: int) -> str:
    if n >= 100:
        return _DE[n // 100] + "hundert" + (german(n % 100) if n % 100 else "")
    if n < 20:
        return _DE[n]
    return (_DE[n % 10] + "und" if n % 10 else "") + _DE_TENS[n // 10 - 2]


def french(n: int) -> str:
    if n >= 100:
        head = "cent" if n < 200 else f"{_FR[n // 100]} cent" + ("" if n % 100 else "s")
        return head + (f" {french(n % 100)}" if n % 100 else "")
    base = max((tens for tens in _FR_TENS if tens <= n), default=0)
    rest = n - base
    if not base or not rest:
        return _FR[n] if not base else _FR_TENS[base] + ("s" if base == 80 else "")
    joint = " et " if rest in (1, 11) and base != 80 else "-"
    return _FR_TENS[base] + joint + _FR[rest]


def spanish(n: int) -> str:
    if n >= 1000:
        return "mil" + (f" {spanish(n % 1000)}" if n % 1000 else "")
    if n >= 100:
        return _ES_HUNDREDS[n // 100 * 100] + (f" {spanish(n % 100)}" if n % 100 else "")
    if n < 10:
        return _ES[n]
    return _ES_TENS[n // 10 * 10] + (f" y {_ES[n % 10]}" if n % 10 else "")


def italian(n: int) -> str:
    if n >= 100:
        return "cento" + (italian(n % 100) if n % 100 else "")
    if n < 10:
        return _IT[n]
    tens = _IT_TENS[n // 10 * 10]
    return (tens[:-1] if n % 10 in (1, 8) else tens) + (_IT[n % 10] if n % 10 else "")


def number_words(question: Question) -> object:
    """Spell every number in the language; exactly two of the spellings stand in the sentence, the longest ones."""
    (sentence,) = find(r'"(.+)"', question.question)
    spell, known = {
        "German": (german, range(20, 1000)),
        "French": (french, range(20, 1000)),
        "Spanish": (
            spanish,
            [n for n in range(40, 2000) if n % 100 >= 40 and n // 100 % 10 in (0, 1, 2, 3, 9)],
        ),
        "Italian": (italian, [n for n in range(50, 200) if 50 <= n % 100 < 90]),
    }[find(r"\b(German|French|Spanish|Italian)\b", question.question)[0]]
    found = []
    for word, value in sorted(((spell(n), n) for n in known), key=lambda pair: -len(pair[0])):
        spot = re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", sentence)
        if spot:
            found.append((spot.start(), value))
            sentence = sentence.replace(word, "#" * len(word))
    (_, first), (_, second) = sorted(found)
    return first - second if "unsold" in question.question else first + second


# --------------------------------------------------------------------------- lists and tables


def staff_list(question: Question) -> object:
    text = question.question
    rows = re.findall(r"(?m)^(.+), (\w+), room (\w+), extension (\d+)$", text)
    wanted = text.rpartition("\n")[2]
    by_extension = [name for name, _, _, extension in rows if extension in wanted]
    if by_extension:
        (name,) = by_extension
        return name
    (name,) = find(r"(?:extension of|does|asks for) ([A-Z][\w ]+?)(?:\?| sit|\.)", wanted)
    ((_, _, room, extension),) = [row for row in rows if row[0] == name]
    return room if "room" in wanted else extension


_PLACES = ("first", "second", "third", "fourth", "fifth")


def _in_order(clue: str, order: tuple[str, ...]) -> bool:
    if match := re.fullmatch(r"(\w+) (?:finished|stands|comes) (somewhere|immediately) before (\w+)", clue):
        gap = order.index(match[3]) - order.index(match[1])
        return gap == 1 if match[2] == "immediately" else gap > 0
    name, place = find(r"^(\w+) is not (\w+)$", clue)
    return order[_PLACES.index(place)] != name


def order_of_five(question: Question) -> object:
    intro, *clues, asked, _ = re.split(r"(?<=[.?]) ", question.question)
    clues = [clue.rstrip(".") for clue in clues]
    _, *names = re.findall(r"\b[A-Z][a-z]+\b", intro)
    assert len(names) == 5
    (order,) = [p for p in itertools.permutations(names) if all(_in_order(clue, p) for clue in clues)]
    return order[_PLACES.index(find(r"(\w+)\?", asked)[0])]


def timetable(question: Question) -> object:
    rows = {name: times for name, *times in table(question.question)}
    start, end, limit = find(
        r"from ([\w ]+) to ([\w ]+) without changing and be there at (\d\d:\d\d)", question.question
    )
    runs = zip(rows[start], rows[end], strict=True)
    return max(leave for leave, arrive in runs if "-" not in (leave, arrive) and arrive <= limit)


PROOFS: dict[str, Proof] = {
    "receipt-total": receipt_total,
    "stage-sums": stage_sums,
    "two-prices": two_prices,
    "undo-the-steps": undo_the_steps,
    "composite-area": composite_area,
    "two-draws": two_draws,
    "meeting-times": meeting_times,
    "date-steps": date_steps,
    "unit-steps": unit_steps,
    "one-table": queried,
    "message-fields": message_fields,
    "first-rule-that-fits": first_rule_that_fits,
    "number-words": number_words,
    "staff-list": staff_list,
    "order-of-five": order_of_five,
    "timetable": timetable,
}
