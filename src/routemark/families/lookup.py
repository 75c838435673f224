"""Long texts in which something is to be looked up, followed or added up."""

from __future__ import annotations

import datetime as dt
import itertools
from random import Random

from routemark.families.base import Draft, bullets, clock, exact, family, listed, numeric, split
from routemark.families.names import people

_FIRST = split("Jan Jana Marek Marko Elena Elina Tomas Thomas Karin Karina Dario Daria")
_LAST = split("Novak|Nowak|Larsen|Larson|Meier|Meyer|Silva|Da Silva|Koch|Kock")
_DEPARTMENTS = split("Archive Bindery Copying Design Editing Finance")
_LISTS = (
    "Staff list of the Lindau publishing house. Read it carefully; several names look alike.",
    "Below is the telephone list of a printing works.",
    "Copy of the floor plan list, sorted by nothing in particular.",
    "The list below was made for the switchboard.",
    "Room and telephone list of a map publisher, as of this morning.",
)


@family("easy", "long-context-lookup", quotes=True)
def staff_list(rng: Random) -> Draft | None:
    """One entry of a list of similar names."""
    n = rng.choice([36, 44, 52])
    names = rng.sample([f"{first} {last}" for first in _FIRST for last in _LAST], n)
    extensions = rng.sample(range(2100, 2999), n)
    rooms = rng.sample([f"{floor}{k}" for floor in "ABCD" for k in range(101, 140)], n)
    rows = [
        (name, rng.choice(_DEPARTMENTS), room, extension)
        for name, room, extension in zip(names, rooms, extensions, strict=True)
    ]
    name, _, room, extension = rows[rng.randint(n // 4, n - 6)]
    text = f"{rng.choice(_LISTS)}\n\n" + "\n".join(
        f"{a}, {b}, room {c}, extension {d}" for a, b, c, d in rows
    )
    kind = rng.randrange(4)
    if kind == 0:
        return exact(f"{text}\n\nIn which room does {name} sit? Answer with the room code only.", room)
    if kind == 1:
        return exact(
            f"{text}\n\nWhose telephone extension is {extension}? Answer with the full name only.", name
        )
    asked = (
        f"What is the telephone extension of {name}?",
        f"A caller asks for {name}. Which extension do you dial?",
    )
    return Draft(f"{text}\n\n{asked[kind - 2]} Answer with a number only.", extension)


_STOCKS = (
    (
        "Stock list of a hardware wholesaler",
        "hinge|bracket|castor|latch|drawer slide|hook",
        "steel brass zinc nylon",
        "bin",
    ),
    (
        "Stock list of a yarn shop",
        "sock yarn|lace yarn|bulky yarn|cotton yarn|felt yarn",
        "red teal ochre ivory",
        "shelf",
    ),
    (
        "Stock list of a seed merchant",
        "carrot|leek|spinach|radish|lettuce|fennel",
        "early late hardy dwarf",
        "drawer",
    ),
    ("Stock list of a paper mill", "bond|card|vellum|kraft|tissue", "white cream grey black", "rack"),
)


@family("easy", "long-context-lookup")
def stock_list(rng: Random) -> Draft | None:
    """A count over the entries of a long list that fit two conditions."""
    intro, things, kinds, place = rng.choice(_STOCKS)
    names, variants = split(things), split(kinds)
    rows = [
        (
            f"{rng.choice('KLMN')}{code}",
            rng.choice(names),
            rng.choice(variants),
            rng.randint(3, 95),
            rng.randint(1, 30),
        )
        for code in rng.sample(range(100, 999), 40)
    ]
    name, variant, limit = rng.choice(names), rng.choice(variants), rng.choice([30, 40, 50])
    fits = [row for row in rows if row[1] == name and row[2] == variant]
    low = [row for row in rows if row[1] == name and row[3] < limit]
    if not 3 <= len(fits) <= 6 or not 3 <= len(low) <= 7:
        return None
    shown = "\n".join(
        f"{code}: {thing}, {kind}, {pieces} pieces, {place} {where}"
        for code, thing, kind, pieces, where in rows
    )
    asked, answer = rng.choice(
        [
            (f"How many pieces of {name}, {variant}, are there in all?", sum(row[3] for row in fits)),
            (
                (
                    f"Add up the {place} numbers of all entries of {name} with fewer than {limit} pieces."
                    " What is the sum?"
                ),
                sum(row[4] for row in low),
            ),
        ]
    )
    return numeric(
        rng,
        f"{intro}. Each line gives code, article, kind, pieces and {place}.\n\n{shown}\n\n{asked}",
        answer,
    )


_BOOKS = (
    (
        "Cash book of a cooperative. Columns: entry number, date, account, direction, goods, amount in"
        " dollars. Lines marked correction change earlier entries."
    ),
    (
        "The following pages come from the cash book of an island estate. Each line gives entry number, date,"
        " account, direction, goods and amount in dollars; a line marked correction changes an earlier entry."
    ),
    (
        "Read this cash book with care: a line marked correction changes an entry above it. Columns: entry"
        " number, date, account, direction, goods, amount in dollars."
    ),
)


@family("hard", "long-context-lookup")
def corrected_ledger(rng: Random) -> Draft | None:
    """Total of a cash book with corrections."""
    accounts, goods = split("Orchard Harbour Mill"), split("timber seed fuel rope")
    entries: dict[int, list[object]] = {}
    corrected: set[int] = set()
    lines = []
    day = dt.date(2027, rng.choice([2, 3, 5, 8, 9]), rng.randint(1, 4))
    first_day = day
    for number in range(1, rng.choice([44, 47, 51])):
        day += dt.timedelta(days=rng.choice([0, 1, 1, 1, 2]))
        pool = [k for k in entries if k < number - 3 and k not in corrected]
        if number > 10 and rng.random() < 0.25 and pool:
            target = rng.choice(pool)
            amount = rng.choice([0, rng.randint(20, 190)])
            what = (
                f"the amount of entry {target:03d} is {amount}" if amount else f"entry {target:03d} is void"
            )
            lines.append(f"{number:03d} | {day} | correction | {what}")
            entries[target][-1] = amount
            corrected.add(target)
            continue
        direction = "received" if rng.random() < 0.33 else "paid out"
        entry: list[object] = [
            day,
            rng.choice(accounts),
            direction,
            rng.choice([*goods[:3], *goods[:3], "rope"]),
        ]
        entries[number] = [*entry, rng.randint(20, 190)]
        lines.append(" | ".join(map(str, [f"{number:03d}", *entries[number]])))
    start, end = first_day + dt.timedelta(days=rng.randint(3, 6)), day - dt.timedelta(days=rng.randint(3, 7))
    asked = [(account, thing) for account in accounts for thing in goods[:3]]
    rng.shuffle(asked)
    for account, thing in asked:
        fits = [k for k, e in entries.items() if e[1:4] == [account, "paid out", thing]]
        inside = [k for k in fits if start <= _date(entries[k][0]) <= end]
        if len(inside) >= 4 and len(corrected & set(inside)) >= 2 and len(fits) > len(inside):
            break
    else:
        return None
    total = sum(int(str(entries[k][-1])) for k in inside)
    text = (
        f"{rng.choice(_BOOKS)}\n\n"
        + "\n".join(lines)
        + f"\n\nAfter all corrections, how many dollars did the {account} account"
        f" pay out for {thing} in entries dated from {start} to {end}, both days included? A correction"
        " counts whatever its own date is; the date of the corrected entry decides."
    )
    return numeric(rng, text, total)


def _date(value: object) -> dt.date:
    assert isinstance(value, dt.date)
    return value


_PASSED = (
    ("the key of the archive", "Journal of a porter's lodge"),
    ("the red folder", "Notes of an office messenger"),
    ("the theodolite", "Equipment book of a survey team"),
    ("the spare radio", "Watch log of a rescue station"),
)


@family("hard", "long-context-lookup", quotes=True)
def handed_on(rng: Random) -> Draft | None:
    """Who held a thing at some time, after it was handed on many times."""
    thing, title = rng.choice(_PASSED)
    names = people(rng, 8)
    decoys = ["the trolley", "the ladder", "the visitors' book"]
    holder = dict(zip([thing, *decoys], rng.sample(names, 4), strict=True))
    minute = 8 * 60 + rng.randint(0, 20)
    lines = [f"{clock(minute)} {who} takes over {what}" for what, who in holder.items()]
    history = [(minute, holder[thing])]
    for _ in range(34):
        minute += rng.randint(3, 14)
        what = rng.choice([thing, *decoys])
        giver, taker = holder[what], rng.choice([name for name in names if name != holder[what]])
        kind = rng.random()
        if kind < 0.2:
            lines.append(f"{clock(minute)} {giver} offers {what} to {taker}, who declines")
            continue
        if kind < 0.35:
            lines.append(f"{clock(minute)} {taker} fetches {what} from {giver}")
        elif kind < 0.5:
            third = rng.choice([name for name in names if name not in (giver, taker)])
            lines.append(
                f"{clock(minute)} {giver} gives {what} to {third}, who passes it on to {taker} at once"
            )
        else:
            lines.append(f"{clock(minute)} {giver} gives {what} to {taker}")
        holder[what] = taker
        if what == thing:
            history.append((minute, taker))
    if len(history) < 9:
        return None
    at, who = history[rng.randint(5, len(history) - 2)]
    until = next(time for time, _ in history if time > at)
    if until - at < 6 or who in (history[0][1], history[-1][1]):
        return None
    moment = rng.randint(at + 2, until - 2)
    text = (
        f"{title}. Each line tells what happened at that time.\n\n"
        + "\n".join(lines)
        + f"\n\nWho had {thing} at"
        f" {clock(moment)}? Answer with the name only."
    )
    return exact(text, who)


_BASKETS = (
    ("groceries", split("rice|beans|oil|tea|sugar|flour")),
    ("bathroom fittings", split("tap|basin|mirror|shelf|towel rail|hook")),
    ("camping things", split("tent|stove|lamp|mat|rope|bottle")),
)


@family("opt", "long-context-lookup")
def price_lists(rng: Random) -> Draft | None:
    """The cheapest way to buy from several long price lists with delivery fees."""
    what, items = rng.choice(_BASKETS)
    shops = people(rng, 5)
    extra = split("brush|basket|clock|candle|ribbon|vase|tray|jug")
    prices = {shop: {item: rng.randint(9, 60) for item in [*items, *extra]} for shop in shops}
    fees = {shop: rng.randint(6, 22) for shop in shops}
    wanted = {item: rng.randint(1, 3) for item in rng.sample(items, 5)}
    totals = {}
    for size in range(1, 6):
        for chosen in itertools.combinations(shops, size):
            goods = sum(count * min(prices[shop][item] for shop in chosen) for item, count in wanted.items())
            totals[chosen] = goods + sum(fees[shop] for shop in chosen)
    best = min(totals.values())
    if best in (min(totals[shop,] for shop in shops), totals[tuple(shops)]):
        return None
    lists = []
    for shop in shops:
        rows = list(prices[shop].items())
        rng.shuffle(rows)
        lists.append(
            f"Price list of {shop} (delivery fee {fees[shop]} dollars):\n"
            + bullets(f"{a}: {b} dollars" for a, b in rows)
        )
    basket = listed([f"{count} x {item}" for item, count in wanted.items()])
    text = "\n\n".join(lists) + (
        f"\n\nSomebody orders these {what}: {basket}. Every price is for one piece, any number of pieces of"
        " an article can be had from any shop, an article may be split between shops, and the delivery fee of"
        " a shop is charged once if anything is ordered there. What is the lowest possible total in dollars,"
        " delivery fees included?"
    )
    return numeric(rng, text, best)


FAMILIES = (staff_list, stock_list, corrected_ledger, handed_on, price_lists)
