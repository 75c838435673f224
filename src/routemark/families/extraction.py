"""Extraction: fields of messages, notes and orders into JSON, and questions to a server log."""

from __future__ import annotations

import itertools
from random import Random

from routemark.families.base import Draft, clock, exact, family, graded, listed, numeric, split
from routemark.families.names import MONTHS, PEOPLE, SURNAMES, TOWNS, WEEKDAYS, people

# --------------------------------------------------------------------------- easy


def _code(rng: Random, letters: str, digits: int) -> str:
    return f"{letters}-{rng.randrange(10 ** (digits - 1), 10**digits)}"


_GOODS = split("lamps|chairs|globes|kettles|clocks|vases|pumps|scales")
_MAIL_ASKS = (
    ("new", "Under which shipment number does the replacement travel?", "the shipment number"),
    ("old", "Under which shipment number did the goods go out first?", "the shipment number"),
    ("invoice", "Under which invoice number is the replacement billed?", "the invoice number"),
    ("claim", "Which claim must be closed before the broken pieces may be thrown away?", "the claim number"),
)


@family("easy", "extraction", quotes=True)
def order_mail(rng: Random) -> Draft | None:
    """One number from a business mail with many."""
    first, last = rng.choice(PEOPLE), rng.choice(SURNAMES)
    goods, town = rng.choice(_GOODS), rng.choice(TOWNS)
    order, own, claim = _code(rng, "PO", 5), _code(rng, "NL", 5), _code(rng, "C", 4)
    old, new, invoice = _code(rng, "DX", 6), _code(rng, "DX", 6), _code(rng, "R", 4)
    kind, asked, form = rng.choice(_MAIL_ASKS)
    answer = {"new": new, "old": old, "invoice": invoice, "claim": claim}[kind]
    day, month = rng.randint(2, 27), rng.choice(MONTHS)
    text = (
        "Read the e-mail and answer the question below it.\n\n"
        f"From: {first} {last}, {town} Trading\nTo: Purchasing\nSubject: Your order {order}\n\nGood"
        f" morning,\nyour order {order} (our order number {own}) left our house on {day} {month} with"
        f" shipment {old}. As you told us, {rng.choice(['two', 'three', 'four'])} of the {goods} arrived"
        f" broken. We are sorry. The replacement is on its way today as shipment {new} and will be billed at"
        f" zero under invoice {invoice}. Please keep the broken pieces until claim {claim} has been closed by"
        f" the carrier.\nKind regards,\n{first} {last}\n\n{asked} Answer with {form} only."
    )
    return exact(text, answer)


_NOTES = (
    (
        "{who} called: {count} people for {day}, table at {time}, in the {room}; {diet} of them eat no meat."
        " Ring back on {phone}."
    ),
    (
        "Booking taken by telephone. Name {who}, {day}, {time}. Party of {count}, wants the {room}."
        " Vegetarian: {diet}. Contact {phone}."
    ),
    (
        "For the book: {day} at {time}, {count} guests under the name {who}, number {phone}. They asked for"
        " the {room}, and {diet} take the vegetarian menu."
    ),
)
_BOOKING_KEYS = (
    'Keys: "name" (string), "day" (the English weekday, string), "time" (string, HH:MM), "guests" (number),'
    ' "vegetarians" (number), "phone" (string, exactly as written).'
)


@family("easy", "extraction")
def booking_note(rng: Random) -> Draft | None:
    """A booking note as a JSON object."""
    who = f"{rng.choice(PEOPLE)} {rng.choice(SURNAMES)}"
    count, diet = rng.randint(4, 18), rng.randint(1, 6)
    day, time = rng.choice(WEEKDAYS), clock(60 * rng.randint(17, 20) + rng.choice([0, 15, 30, 45]))
    phone, room = (
        f"0{rng.randint(30, 89)} {rng.randint(200, 999)} {rng.randint(10, 99)}",
        rng.choice(["garden room", "blue room", "arcade"]),
    )
    if diet >= count:
        return None
    note = rng.choice(_NOTES).format(
        who=who, count=count, day=day, time=time, room=room, diet=diet, phone=phone
    )
    text = f"Turn this note into one JSON object and write nothing else.\n\n{note}\n\n{_BOOKING_KEYS}"
    reference = {"name": who, "day": day, "time": time, "guests": count, "vegetarians": diet, "phone": phone}
    return graded("json", text, reference)


# --------------------------------------------------------------------------- hard


@family("hard", "extraction")
def dictated_order(rng: Random) -> Draft | None:
    """An order that is changed while it is dictated, as JSON."""
    items = rng.sample(split("screws hinges brackets bolts washers hooks nails rivets"), 5)
    order = {item: rng.randrange(20, 400, 10) for item in items[:4]}
    lines = [f"We need {listed([f'{n} {item}' for item, n in order.items()])}, please."]
    names = list(order)
    a, b, c, d = rng.sample(names, 4)
    more, double_of = rng.randrange(10, 90, 10), rng.choice([2, 3])
    changes = [
        ("double", f"No wait, make it {'twice' if double_of == 2 else 'three times'} as many {a}."),
        ("more", f"And add {more} to the {b}."),
        ("swap", f"Leave out the {c} altogether; take as many {items[4]} instead."),
        ("as", f"Then take as many {d} as there are {b} now."),
    ]
    chosen = rng.sample(changes, 3)
    for kind, words in chosen:
        lines.append(words)
        if kind == "double":
            order[a] = order.get(a, 0) * double_of
        elif kind == "more":
            order[b] += more
        elif kind == "swap":
            order[items[4]] = order.pop(c)
        else:
            order[d] = order[b]
    if any(n <= 0 for n in order.values()):
        return None
    ship = rng.choice(TOWNS)
    first = rng.choice([town for town in TOWNS if town != ship])
    lines.insert(
        rng.randint(1, len(lines)), f"It goes to the {first} branch. Sorry, I mean the {ship} branch."
    )
    text = (
        "A customer dictates an order. Every sentence is carried out once, in the order spoken, on the order"
        " as it stands then.\n\n"
        + " ".join(lines)
        + '\n\nGive the final order as one JSON object and nothing else: {"branch": the town (string),'
        ' "items": an object with the article'
        " (plural, as written) as key and the number of pieces as value; leave out what is not ordered}."
    )
    return graded("json", text, {"branch": ship, "items": order})


_USERS = split("maro nils opal pia quen ruth sven tilo ugo vera")
Login = tuple[int, str, str, bool, str]


def _log(rng: Random) -> list[Login]:
    time, rows = 9 * 3600, []
    for _ in range(rng.choice([44, 50, 56])):
        time += rng.randint(7, 200)
        action = rng.choice(["login"] * 5 + ["logout"])
        ok = rng.random() < 0.34 or action == "logout"
        rows.append((time, rng.choice(_USERS), action, ok, f"10.0.{rng.randint(1, 3)}.{rng.randint(1, 4)}"))
    return rows


def _after_two_failures(logins: list[Login]) -> int:
    return sum(
        any(
            ok and sum(v == user and not fine and t < time for t, v, _, fine, _ in logins) >= 2
            for time, who, _, ok, _ in logins
            if who == user
        )
        for user in _USERS
    )


def _from_used_address(logins: list[Login]) -> int:
    return sum(
        not ok and any(fine and place == ip and who != user and t < time for t, who, _, fine, place in logins)
        for time, user, _, ok, ip in logins
    )


def _longest_gap(logins: list[Login]) -> str | None:
    gaps = []
    for user in _USERS:
        times = [time for time, who, _, ok, _ in logins if who == user and ok]
        gaps += [(late - early, user) for early, late in itertools.pairwise(times)]
    gaps.sort(reverse=True)
    clear = len(gaps) > 7 and gaps[0][0] > gaps[1][0] > 0.7 * gaps[0][0] and gaps[0][1] != gaps[1][1]
    return gaps[0][1] if clear else None


@family("hard", "extraction", quotes=True)
def log_audit(rng: Random) -> Draft | None:
    """Count or find in a server log."""
    rows = _log(rng)
    logins = [row for row in rows if row[2] == "login"]
    shown = "\n".join(
        f"{t // 3600:02d}:{t // 60 % 60:02d}:{t % 60:02d} user={u} action={a} result={'ok' if ok else 'fail'}"
        f" ip={ip}"
        for t, u, a, ok, ip in rows
    )
    text = f"Read this log of a small server.\n\n{shown}\n\n"
    kind = rng.randrange(3)
    if kind == 0:
        user = _longest_gap(logins)
        asked = "Which user has the longest time between two successive successful logins of that same user?"
        return exact(f"{text}{asked} Answer with the user name only.", user) if user else None
    if kind == 1:
        asked = (
            "How many different users have at least one login that succeeded and was preceded, at any earlier"
            " time in this log, by two or more failed logins of the same user?"
        )
        count, low, high = _after_two_failures(logins), 4, 8
    else:
        asked = (
            "How many failed logins came from an address (ip) from which some other user had logged in"
            " successfully at an earlier time in this log?"
        )
        count, low, high = _from_used_address(logins), 9, 26
    return numeric(rng, text + asked, count) if low <= count <= high else None


_CONTRACTS = (
    ("rents", "flat", "rent"),
    ("leases", "studio", "lease"),
    ("takes on", "allotment", "rent"),
)


@family("hard", "extraction")
def tenancy_terms(rng: Random) -> Draft | None:
    """Terms of a contract, some of them to be worked out, as JSON."""
    verb, thing, rent = rng.choice(_CONTRACTS)
    one, two = (f"{name} {rng.choice(SURNAMES)}" for name in people(rng, 2))
    monthly, months = rng.randrange(310, 990, 10), rng.choice([12, 18, 24, 30])
    deposit, percent, notice = rng.choice([2, 3]), rng.choice([5, 10, 20]), rng.choice([4, 6, 8])
    month, year = rng.randrange(12), rng.choice([2026, 2027])
    last = month + months - 1
    extra = rng.randrange(20, 90, 5)
    if monthly * percent % 100:
        return None
    text = (
        "Read the agreement.\n\n"
        f"{one} lets a {thing} at {rng.randint(2, 90)} {rng.choice(TOWNS)} Lane; {two} {verb} it from 1"
        f" {MONTHS[month]} {year} for {months} months. The monthly {rent} is {monthly} dollars, payable on"
        f" the third working day; in the first three months it is {percent} % lower. {extra} dollars a month"
        f" are paid for heating besides. A deposit of {deposit} full monthly {rent}s, heating not included,"
        f" is due before the keys are handed over. Either side may give notice of {notice} weeks, but not"
        " within the first half of the"
        ' term.\n\nGive one JSON object and nothing else, with the keys "tenant" (string), "last_month" (the'
        " last month of the term,"
        ' string, YYYY-MM), "deposit" (dollars, number), "first_payment" (dollars for the first month,'
        " heating included, number) and"
        ' "notice_weeks" (number).'
    )
    reference = {
        "tenant": two,
        "last_month": f"{year + last // 12}-{last % 12 + 1:02d}",
        "deposit": deposit * monthly,
        "first_payment": monthly - monthly * percent // 100 + extra,
        "notice_weeks": notice,
    }
    return graded("json", text, reference)


FAMILIES = (order_mail, booking_note, dictated_order, log_audit, tenancy_terms)
