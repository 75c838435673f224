"""Proofs of questions about texts: what is looked up, extracted, sorted into classes, edited or translated."""

from __future__ import annotations

import calendar
import functools
import itertools
import re

from data.prompts import Proof, bullets, find
from routemark.records import Question

# --------------------------------------------------------------------------- long texts


def stock_list(question: Question) -> object:
    text = question.question
    rows = re.findall(r"(?m)^[KLMN]\d{3}: ([a-z ]+), ([a-z]+), (\d+) pieces, [a-z]+ (\d+)$", text)
    assert len(rows) == 40
    asked = text.rpartition("\n\n")[0].rpartition("\n\n")[2]
    if asked.startswith("How many pieces"):
        name, kind = find(r"pieces of ([a-z ]+), ([a-z]+), are there", asked)
        return sum(int(pieces) for thing, variant, pieces, _ in rows if (thing, variant) == (name, kind))
    name, limit = find(r"entries of ([a-z ]+) with fewer than (\d+) pieces", asked)
    return sum(int(where) for thing, _, pieces, where in rows if thing == name and int(pieces) < int(limit))


def handed_on(question: Question) -> object:
    """Go backwards from the moment asked for to the last line that changed hands."""
    text = question.question
    thing, moment = find(r"Who had (.+) at (\d\d:\d\d)\?", text)
    lines = re.findall(r"(?m)^(\d\d:\d\d) (.+)$", text)
    for _, line in reversed([(time, line) for time, line in lines if time <= moment]):
        if f" {thing}" not in line or line.endswith("who declines"):
            continue
        if "passes it on" in line:
            return find(r"passes it on to (\w+) at once$", line)[0]
        if " gives " in line:
            return line.rpartition(" to ")[2]
        return line.split()[0]
    raise AssertionError(text)


def price_lists(question: Question) -> object:
    """Order each article at each shop in turn, and pay the fees of the shops that were used."""
    text = question.question
    shops = {}
    for name, fee, block in re.findall(
        r"Price list of (\w+) \(delivery fee (\d+) dollars\):\n((?:- .+\n)+)", text
    ):
        shops[name] = (
            int(fee),
            {item: int(price) for item, price in bullets(block, r"([a-z ]+): (\d+) dollars")},
        )
    wanted = re.findall(r"(\d) x ([a-z ]+?)(?=,| and \d|\. Every)", text)
    assert (len(shops), len(wanted)) == (5, 5)
    totals = []
    for plan in itertools.product(shops, repeat=len(wanted)):
        goods = sum(int(n) * shops[shop][1][item] for (n, item), shop in zip(wanted, plan, strict=True))
        totals.append(goods + sum(shops[shop][0] for shop in set(plan)))
    return min(totals)


# --------------------------------------------------------------------------- fields


def order_mail(question: Question) -> object:
    body, asked = find(r"(?s)(.*)\n\n([A-Z][^\n]+)$", question.question)
    places = {
        "Under which shipment number does the replacement": r"is on its way today as shipment ([A-Z]+-[\d-]+)",
        "Under which shipment number did the goods go out": r"left our house on \d+ \w+ with shipment"
        r" ([A-Z]+-[\d-]+)",
        "Under which invoice number": r"under invoice ([A-Z]+-\d+)",
        "Which claim must be closed": r"until claim ([A-Z]+-\d+) has been closed",
    }
    (pattern,) = [pattern for words, pattern in places.items() if asked.startswith(words)]
    return find(pattern, body)[0]


def booking_note(question: Question) -> object:
    """Take the fields by their shapes; the two counts by the words around them."""
    note = question.question.split("\n\n")[1]
    ((phone,), (time,), (day,)) = (
        find(r"\b(0\d\d \d{3} \d\d)\b", note),
        find(r"\b(\d\d:\d\d)\b", note),
        find(r"\b([A-Z][a-z]+day)\b", note),
    )
    (name,) = find(r"(?:^|Name |name )([A-Z][a-z]+ [A-Z][a-z]+)(?: called|,)", note)
    guests = [g or h or i for g, h, i in re.findall(r"(\d+) people|Party of (\d+)|(\d+) guests", note)]
    diet = [g or h for g, h in re.findall(r"(\d+) (?:of them eat no meat|take the)|Vegetarian: (\d+)", note)]
    assert (len(guests), len(diet)) == (1, 1)
    return {
        "name": name,
        "day": day,
        "time": time,
        "guests": int(guests[0]),
        "vegetarians": int(diet[0]),
        "phone": phone,
    }


def dictated_order(question: Question) -> object:
    speech = question.question.split("\n\n")[1]
    order: dict[str, int] = {}
    branch = ""
    for sentence in re.findall(r"[^.]+\.", speech):
        if "We need" in sentence:
            order = {item: int(n) for n, item in re.findall(r"(\d+) ([a-z]+)", sentence)}
        elif match := re.search(r"make it (twice|three times) as many ([a-z]+)", sentence):
            order[match[2]] = sum([order[match[2]]] * {"twice": 2, "three times": 3}[match[1]])
        elif match := re.search(r"add (\d+) to the ([a-z]+)", sentence):
            order[match[2]] += int(match[1])
        elif match := re.search(
            r"Leave out the ([a-z]+) altogether; take as many ([a-z]+) instead", sentence
        ):
            order[match[2]] = order[match[1]]
            del order[match[1]]
        elif match := re.search(r"Then take as many ([a-z]+) as there are ([a-z]+) now", sentence):
            order[match[1]] = order[match[2]]
        else:
            (branch,) = find(r"(?:goes to|mean) the (\w+) branch", sentence)
    return {"branch": branch, "items": order}


def tenancy_terms(question: Question) -> object:
    text = question.question
    (tenant,) = find(r"Lane; ([A-Z]\w+ [A-Z]\w+) ", text)
    month, year, months = find(r"from 1 ([A-Z]\w+) (\d{4}) for (\d+)\smonths", text)
    rent, percent = find(r"is (\d+) dollars, payable.* it is (\d+) %", text)
    (heating,) = find(r"(\d+) dollars a month are paid for heating", text)
    (deposits,) = find(r"A deposit of (\d) full", text)
    (notice,) = find(r"notice of (\d) weeks", text)
    first = int(year), _MONTHS.index(month)
    for _ in range(int(months) - 1):
        first = (first[0] + 1, 0) if first[1] == 11 else (first[0], first[1] + 1)
    paid = int(rent) * (100 - int(percent))
    assert paid % 100 == 0
    return {
        "tenant": tenant,
        "last_month": f"{first[0]}-{first[1] + 1:02d}",
        "deposit": sum([int(rent)] * int(deposits)),
        "first_payment": paid // 100 + int(heating),
        "notice_weeks": int(notice),
    }


_MONTHS = [calendar.month_name[n] for n in range(1, 13)]


# --------------------------------------------------------------------------- rules


def size_classes(question: Question) -> object:
    text = question.question
    rows = re.findall(r"(?m)^- (\w+): (?:at most (\d+) kg and at most (\d+) cm long|all others)$", text)
    mark, top = find(r'marked "(\w+)" then goes one class up, but not beyond (\w+)\.', text)
    weight, length = find(r"weighs (\d+) kg\s+and is (\d+) cm long", text)
    names = [name for name, _, _ in rows]
    assert names[-1] == top
    fits = [name for name, w, n in rows[:-1] if int(weight) <= int(w) and int(length) <= int(n)]
    name = fits[0] if fits else top
    if f'It is marked "{mark}"' in text:
        return name if name == top else names[names.index(name) + 1]
    assert "It bears no mark" in text
    return name


def club_levels(question: Question) -> object:
    text = question.question
    levels = find(r"from lowest to highest: ([\w, ]+)\.", text)[0].split(", ")
    (level,) = find(r"A member starts at (\w+);", text)
    years, spent = (
        int(n)
        for n in find(
            r"is in year (\d+) of membership and paid bills of (\d+) dollars this year\. Late", text
        )
    )
    late, friends, complaints = (
        int(n) for n in find(r"payments: (\d)\. Friends brought in: (\d)\. Open complaints: (\d)\.", text)
    )
    for step in re.findall(r"(?m)^\d\. (.+)$", text):
        level = _after_step(step, level, levels, (years, spent, late, friends, complaints))
    return level


def _after_step(step: str, level: str, levels: list[str], member: tuple[int, ...]) -> str:
    years, spent, late, friends, complaints = member
    at = levels.index(level)
    if match := re.match(r"If this year's bills exceed (\d+) dollars, go up (one|two)", step):
        at += {"one": 1, "two": 2}[match[2]] if spent > int(match[1]) else 0
    elif match := re.match(r"If this is at least the (\d)th year of membership, go up one", step):
        at += years >= int(match[1])
    elif step == "Go down one level for every late payment.":
        at -= late
    elif step == "Go up one level for every friend brought in.":
        at += friends
    elif match := re.match(
        r"If a complaint is open and the level is (\w+) or higher, it becomes (\w+)", step
    ):
        at = levels.index(match[2]) if complaints and at >= levels.index(match[1]) else at
    else:
        limit, name = find(
            r"year of membership comes before the (\d)th and the level is (\w+), go down one level", step
        )
        at -= years < int(limit) and level == name
    return levels[min(max(at, 0), len(levels) - 1)]


def house_rules(question: Question) -> object:
    """Find the topic of each request by the words it shares with nothing but its topic's other requests."""
    text = question.question
    refused = re.split(r", | and ", find(r"1\. Requests about ([^.]+) are refused\.", text)[0])
    (exception,) = find(r"2\. Rule 1 does not hold for staff who ask about ([^.]+)\.", text)
    (staff_only,) = find(r"3\. Requests about ([^.]+) are answered for staff only", text)
    assert exception in refused
    assert staff_only not in refused
    must = []
    for number, who, request in re.findall(r"(?m)^(\d)\. \((customer|staff)\) (.+)$", text):
        topic = _topic(request)
        if topic == staff_only:
            refuse = who == "customer"
        else:
            refuse = topic in refused and (topic != exception or who == "customer")
        must += [number] if refuse else []
    return ", ".join(must)


_TOPIC_WORDS = {
    "prices": "cost cheaper",
    "opening hours": "open close tonight",
    "doses": "tablets syrup",
    "other customers": "neighbour bakery brother mayor",
    "stock": "glasses stock",
    "other readers": "colleague borrowed",
    "book advice": "recommend bees",
    "fines": "fee",
    "legal questions": "copy lawful",
    "exchange rates": "francs krone",
    "account balances": "money salary",
    "share tips": "shares copper",
    "branches": "nearest lift",
}


def _topic(request: str) -> str:
    words = set(re.findall(r"[a-z]+", request.lower()))
    (topic,) = [topic for topic, marks in _TOPIC_WORDS.items() if words & set(marks.split())]
    return topic


PROOFS: dict[str, Proof] = {
    "size-classes": size_classes,
    "club-levels": club_levels,
    "house-rules": house_rules,
    "order-mail": order_mail,
    "booking-note": booking_note,
    "dictated-order": dictated_order,
    "tenancy-terms": tenancy_terms,
    "stock-list": stock_list,
    "handed-on": handed_on,
    "price-lists": price_lists,
}
assert functools
