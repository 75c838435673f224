"""Dates and units: due dates, old measures, working days, time zones, and the cheapest passes."""

from __future__ import annotations

import datetime as dt
from random import Random

from routemark.families.base import DATE, Draft, bullets, clock, exact, family, listed, numeric, reasoned
from routemark.families.names import MONTHS, PEOPLE, WEEKDAYS

DAY = dt.timedelta(days=1)
FIRST = dt.date(2026, 1, 1)


def long_date(day: dt.date) -> str:
    """Give a date as "9 February 2027"."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _some_day(rng: Random) -> dt.date:
    return FIRST + rng.randrange(900) * DAY


_POSTS = (
    (
        "A parcel is posted on {day} and travels {n} days, so that the day after posting counts as day 1 and"
        " it arrives on day {n}. On which date does it arrive?"
    ),
    (
        "A library lends a book on {day} for {n} days: the due date is the date {n} days after the lending"
        " date. What is the due date?"
    ),
    (
        "A seedling is planted on {day} and is moved to the field exactly {n} days later. On which date is it"
        " moved?"
    ),
    (
        "A loan is paid out on {day} and must be paid back {n} days after that date. On which date must it be"
        " paid back?"
    ),
)


@family("easy", "dates-and-units")
def days_later(rng: Random) -> Draft | None:
    """A date so many days on."""
    start, n = _some_day(rng), rng.randint(24, 120)
    leap = "2028 is a leap year. " if start.year <= 2028 <= (start + n * DAY).year else ""
    text = rng.choice(_POSTS).format(day=long_date(start), n=n)
    return exact(f"{leap}{text} {DATE}", (start + n * DAY).isoformat())


@family("easy", "dates-and-units")
def which_weekday(rng: Random) -> Draft | None:
    """The weekday of a date, from that of another."""
    start, n = _some_day(rng), rng.randint(40, 300)
    end = start + n * DAY
    if start.year != end.year or n % 7 == 0:
        return None
    leap = " (2028 is a leap year.)" if start.year == 2028 else ""
    text = (
        f"{long_date(start)} is a {WEEKDAYS[start.weekday()]}. Which day of the week is"
        f" {long_date(end)}?{leap} Answer with the English name of the day only."
    )
    return exact(text, WEEKDAYS[end.weekday()])


_MEASURES = (
    ("the old measures of Veldon", ("rod", "span", "thumb"), "long", "rope"),
    ("the old weights of Tarnmouth", ("load", "stone bag", "cup"), "heavy", "sack of grain"),
    ("the vineyard measures of Orsa", ("tun", "pail", "dram"), "big", "cask"),
    ("the field measures of Grimby", ("hide", "patch", "pace"), "big", "meadow"),
)


@family("easy", "dates-and-units")
def old_measures(rng: Random) -> Draft | None:
    """Sums in invented measures, in their smallest unit."""
    place, (big, middle, small), size, thing = rng.choice(_MEASURES)
    per_big, per_middle = rng.randint(3, 16), rng.randint(4, 15)
    a, b, c = rng.randint(2, 9), rng.randint(1, per_big - 1), rng.randint(1, per_middle - 1)
    times = rng.randint(2, 6)
    total = times * ((a * per_big + b) * per_middle + c)
    text = (
        f"In {place}, 1 {big} is {per_big} {middle}s and 1 {middle} is {per_middle} {small}s. A {thing} is"
        f" {a} {big}s, {b} {middle}{'s' if b > 1 else ''} and {c} {small}{'s' if c > 1 else ''} {size}. How"
        f" many {small}s do {times} such"
        f" {thing.replace('sack of', 'sacks of') if ' of ' in thing else thing + 's'} measure together?"
    )
    return numeric(rng, text, total)


_WORKS = (
    (
        (
            "A crew starts a job on {start}. It works from Monday to Friday, but not on these holidays:"
            " {off}. The starting day counts as the first working day, and the job takes {n} working days."
            " What is the date of the last working day?"
        ),
        (5, 6),
    ),
    (
        (
            "A shop is open from Tuesday to Saturday. It closes on {off}. A sale begins on {start} and lasts"
            " {n} opening days, the first day included. On which date is the last day of the sale?"
        ),
        (6, 0),
    ),
    (
        (
            "A laboratory is staffed from Monday to Friday, but not on these holidays: {off}. A series of"
            " measurements begins on {start}, one on each of {n} working days, the first day included. On"
            " which date is the last one made?"
        ),
        (5, 6),
    ),
)


@family("hard", "dates-and-units")
def working_days(rng: Random) -> Draft | None:
    """Last day of so many working days."""
    text, weekend = rng.choice(_WORKS)
    start, n = _some_day(rng), rng.randint(22, 45)
    holidays = sorted(start + k * DAY for k in rng.sample(range(1, 55), rng.randint(4, 6)))
    if start.weekday() in weekend or not any(day.weekday() in weekend for day in holidays):
        return None
    day, left = start, n
    while True:
        left -= day.weekday() not in weekend and day not in holidays
        if left == 0:
            break
        day += DAY
    if sum(holiday <= day for holiday in holidays) in (0, len(holidays)):
        return None
    shown = f"{WEEKDAYS[start.weekday()]}, {long_date(start)}"
    asked = text.format(
        start=shown + ("," if "and lasts" in text else ""), off=listed(list(map(long_date, holidays))), n=n
    )
    return exact(f"{asked} Give it in the form YYYY-MM-DD. {reasoned(rng, 'the date')}", day.isoformat())


_TRIPS = (
    (
        "A plane leaves a city whose clocks are {out} UTC at {clock} local time on {day}. It flies for {h}"
        " hours {m} minutes and lands in a city whose clocks are {into} UTC. What are the local date and time"
        " there at landing?"
    ),
    (
        "A research ship sails from an island whose clocks are {out} UTC at {clock} local time on {day}. The"
        " voyage takes {h} hours {m} minutes and ends in a port whose clocks are {into} UTC. What are the"
        " local date and time in the port when the ship arrives?"
    ),
    (
        "A night train starts in a town whose clocks are {out} UTC at {clock} local time on {day}. Its"
        " journey takes {h} hours {m} minutes and ends in a town whose clocks are {into} UTC. What are the"
        " local date and time there on arrival?"
    ),
)


@family("hard", "dates-and-units")
def time_zones(rng: Random) -> Draft | None:
    """Local time of an arrival."""
    offsets = [rng.choice([-1, 1]) * (60 * rng.randint(2, 11) + rng.choice([0, 0, 30, 45])) for _ in range(2)]
    kind = rng.randrange(3)
    hours = rng.randint(*((6, 17), (40, 90), (9, 30))[kind])
    minutes, leaves = rng.randrange(5, 60, 5), rng.randrange(0, 1440, 5)
    start = dt.datetime.combine(_some_day(rng), dt.time(leaves // 60, leaves % 60))
    end = start + dt.timedelta(minutes=60 * hours + minutes - offsets[0] + offsets[1])
    if abs(offsets[0] - offsets[1]) < 180 or end.date() == start.date():
        return None
    shown = []
    for offset in offsets:
        part = f"{abs(offset) // 60} hours" + (f" {abs(offset) % 60} minutes" if offset % 60 else "")
        shown.append(f"{part} {'ahead of' if offset > 0 else 'behind'}")
    text = _TRIPS[kind].format(
        out=shown[0], into=shown[1], clock=clock(leaves), day=long_date(start.date()), h=hours, m=minutes
    )
    leap = " (2028 is a leap year.)" if start.year == 2028 else ""
    form = "Give them in the form YYYY-MM-DD HH:MM."
    return exact(f"{text}{leap} {form} {reasoned(rng, 'date and time')}", f"{end:%Y-%m-%d %H:%M}")


_PASSES = (
    ("{who} rides the city trams on these days of {month}", "tram"),
    ("{who} uses the swimming pool on these days of {month}", "pool"),
    ("{who} rents a desk on these days of {month}", "desk"),
    ("{who} parks in the harbour garage on these days of {month}", "parking"),
)


@family("opt", "dates-and-units")
def cheapest_passes(rng: Random) -> Draft | None:
    """The cheapest passes that cover given days."""
    intro, noun = rng.choice(_PASSES)
    days = sorted(rng.sample(range(1, 31), rng.randint(11, 15)))
    prices = {1: rng.randint(4, 8)}
    prices[4] = prices[1] * 4 * rng.randint(55, 85) // 100
    prices[9] = prices[4] * 9 * rng.randint(60, 85) // 400
    cost = {len(days): 0}
    for k in range(len(days) - 1, -1, -1):
        ends = {
            length: next((j for j in range(k, len(days)) if days[j] >= days[k] + length), len(days))
            for length in prices
        }
        cost[k] = min(price + cost[ends[length]] for length, price in prices.items())
    singles = [_cover(days, length) * price for length, price in prices.items()]
    if cost[0] in singles or _greedy(days, prices) <= cost[0]:
        return None
    who, month = rng.choice(PEOPLE), rng.choice(["April", "June", "September", "November"])
    offers = bullets(
        f"a pass for {length} day{'s in a row' if length > 1 else ''}: {price} dollars"
        for length, price in prices.items()
    )
    text = (
        f"{intro.format(who=who, month=month)}: {', '.join(map(str, days))}. On each of these days a valid"
        f" {noun} pass is needed. Passes can begin on any day:\n{offers}\nWhat is the lowest total price in"
        " dollars?"
    )
    return numeric(rng, text, cost[0])


def _cover(days: list[int], length: int) -> int:
    """Give how many passes of one length are needed when each begins on the first day not covered."""
    count, until = 0, 0
    for day in days:
        if day > until:
            count, until = count + 1, day + length - 1
    return count


def _greedy(days: list[int], prices: dict[int, int]) -> int:
    """Give the price when each pass bought is the one that is cheapest for each day it serves."""
    total, left = 0, days
    while left:
        length = min(prices, key=lambda n: prices[n] / sum(day < left[0] + n for day in left))
        total += prices[length]
        left = [day for day in left if day >= left[0] + length]
    return total


FAMILIES = (days_later, which_weekday, old_measures, working_days, time_zones, cheapest_passes)
