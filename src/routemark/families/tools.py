"""Tool calls: which tool is called with which arguments, spelt out as JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from random import Random
from typing import Any

from routemark.families.base import Draft, bullets, clock, family, graded, split
from routemark.families.calendar import FIRST, long_date
from routemark.families.names import PEOPLE, TOWNS, WEEKDAYS, WORDS

_ENDING = 'Answer with the call only, as one JSON object of the form {"name": ..., "arguments": {...}}.'
Call = tuple[str, str, dict[str, Any]]
"""What the user says, the tool, and its arguments."""

# --------------------------------------------------------------------------- one plain request

_TOOLS = {
    "set_timer": "set_timer(minutes: integer, label: string)",
    "play_song": "play_song(title: string, volume: integer from 0 to 100)",
    "send_text": "send_text(to: string, message: string)",
    "set_light": 'set_light(room: string, on: boolean, colour: string, one of "white", "warm", "red", "blue")',
    "convert_money": "convert_money(amount: number, from: string, to: string), currencies as three-letter"
    " codes",
    "add_to_list": "add_to_list(list: string, items: list of strings)",
}


def _timer(rng: Random) -> Call:
    minutes, label = (
        rng.choice([3, 7, 12, 18, 25, 40, 55]),
        rng.choice(["tea", "eggs", "bread", "laundry", "dough", "soup"]),
    )
    return (
        rng.choice(
            [
                f'Set a timer of {minutes} minutes with the label "{label}".',
                f'I need a timer labelled "{label}"; it should ring in {minutes} minutes.',
            ]
        ),
        "set_timer",
        {"minutes": minutes, "label": label},
    )


def _song(rng: Random) -> Call:
    title, volume = f"{rng.choice(WORDS).title()} {rng.choice(WORDS).title()}", rng.randrange(5, 100, 5)
    return (
        f'Please play the song "{title}" at volume {volume}.',
        "play_song",
        {"title": title, "volume": volume},
    )


def _text(rng: Random) -> Call:
    to, message = rng.choice(PEOPLE), f"The {rng.choice(WORDS)} is in the {rng.choice(WORDS)}"
    return (
        rng.choice([f'Text {to}: "{message}"', f'Send the words "{message}" to {to} as a text.']),
        "send_text",
        {"to": to, "message": message},
    )


def _light(rng: Random) -> Call:
    room, colour = (
        rng.choice(split("kitchen hall study attic cellar")),
        rng.choice(split("white warm red blue")),
    )
    return (
        f"Switch on the light in the {room} and make it {colour}.",
        "set_light",
        {"room": room, "on": True, "colour": colour},
    )


def _money(rng: Random) -> Call:
    amount = rng.choice([rng.randint(15, 900), rng.randint(100, 9000) / 10])
    (one, code_one), (two, code_two) = rng.sample(
        [
            ("euros", "EUR"),
            ("US dollars", "USD"),
            ("Swiss francs", "CHF"),
            ("pounds sterling", "GBP"),
            ("Japanese yen", "JPY"),
        ],
        2,
    )
    return (
        f"How much are {amount} {one} in {two}?",
        "convert_money",
        {"amount": amount, "from": code_one, "to": code_two},
    )


def _list(rng: Random) -> Call:
    name, items = rng.choice(split("shopping packing workshop garden")), rng.sample(WORDS, rng.randint(2, 4))
    said = ", ".join(items[:-1]) + f" and {items[-1]}"
    return f"Put {said} on my {name} list, in this order.", "add_to_list", {"list": name, "items": items}


@family("easy", "tool-calls")
def one_call(rng: Random) -> Draft | None:
    """One request, one of several tools."""
    makers: list[Callable[[Random], Call]] = [_timer, _song, _text, _light, _money, _list]
    said, name, arguments = rng.choice(makers)(rng)
    others = rng.sample([tool for tool in _TOOLS if tool != name], 3)
    shown = [_TOOLS[tool] for tool in sorted([name, *others])]
    text = f"An assistant can call these tools; every argument must be given:\n{bullets(shown)}\n\nThe user says: {said}\n\nWhich call is right? {_ENDING}"
    return graded("tool_call", text, {"name": name, "arguments": arguments})


# --------------------------------------------------------------------------- requests that need some working out

_BOOKING_TOOLS = (
    (
        'book_room(room_id: string, date: string "YYYY-MM-DD", start: string "HH:MM", minutes: integer,'
        " projector: boolean)"
    ),
    "cancel_room(booking_id: string)",
    'list_rooms(date: string "YYYY-MM-DD")',
)


@family("hard", "tool-calls")
def room_booking(rng: Random) -> Draft | None:
    """A booking call whose arguments must be worked out."""
    today = FIRST + dt.timedelta(days=rng.randrange(700))
    rooms = rng.sample(TOWNS, 4)
    ids = [f"R-{n}" for n in rng.sample(range(100, 999), 4)]
    seats = rng.sample([4, 6, 8, 10, 12, 14, 16, 20, 24], 4)
    screens = [rng.random() < 0.6 for _ in rooms]
    needed = rng.choice([5, 7, 9, 11, 13])
    fits = [k for k in range(4) if seats[k] >= needed and screens[k]]
    weekday, weeks = rng.randrange(5), rng.choice([0, 1])
    ahead = (weekday - today.weekday()) % 7 or 7
    date = today + dt.timedelta(days=ahead + 7 * weeks)
    start, length = 60 * rng.randint(8, 15) + rng.choice([0, 15, 30, 45]), rng.choice([45, 75, 90, 105, 150])
    if len(fits) < 2 or fits[0] == min(range(4), key=seats.__getitem__):
        return None
    best = min(fits, key=seats.__getitem__)
    when = f"the {'first' if weeks == 0 else 'second'} {WEEKDAYS[weekday]} after today"
    lines = bullets(
        f"{name}: id {room_id}, {places} seats, {'with' if screen else 'without'} projector"
        for name, room_id, places, screen in zip(rooms, ids, seats, screens, strict=True)
    )
    text = (
        "An assistant can call these tools; every argument must be"
        f" given:\n{bullets(_BOOKING_TOOLS)}\n\nRooms:\n{lines}\n\nToday is {WEEKDAYS[today.weekday()]},"
        f" {long_date(today)}. The user says: Book us the smallest room that seats {needed} people and has a"
        f" projector, for {when}, from {clock(start)} to {clock(start + length)}. We shall use the"
        f" projector.\n\nWhich call is right? {_ENDING}"
    )
    arguments = {
        "room_id": ids[best],
        "date": date.isoformat(),
        "start": clock(start),
        "minutes": length,
        "projector": True,
    }
    return graded("tool_call", text, {"name": "book_room", "arguments": arguments})


_SHIPPING_TOOLS = (
    (
        'ship(order_ids: list of strings in ascending order, carrier: string, one of "bike", "van", "rail",'
        " insured: boolean, total_grams: integer)"
    ),
    "hold(order_ids: list of strings in ascending order, reason: string)",
    "refund(order_id: string, cents: integer)",
)


@family("hard", "tool-calls")
def shipping_call(rng: Random) -> Draft | None:
    """A shipping call under rules, with sums and units."""
    town = rng.choice(TOWNS)
    towns = [town, *rng.sample([name for name in TOWNS if name != town], 2)]
    orders = [
        (
            f"A{number}",
            rng.choice(towns),
            rng.randint(2, 90) / 10,
            rng.randrange(20, 400, 10),
            rng.random() < 0.8,
        )
        for number in sorted(rng.sample(range(1000, 9999), 7))
    ]
    rng.shuffle(orders)
    chosen = sorted((order for order in orders if order[1] == town and order[4]), key=lambda order: order[0])
    grams = sum(round(1000 * kilos) for _, _, kilos, _, _ in chosen)
    value = sum(dollars for *_, dollars, _ in chosen)
    light, heavy, limit = rng.choice([4, 6, 8]), rng.choice([12, 15, 20]), rng.choice([300, 400, 500])
    if not 2 <= len(chosen) <= 4 or not any(order[1] == town and not order[4] for order in orders):
        return None
    carrier = "bike" if grams <= 1000 * light else "van" if grams <= 1000 * heavy else "rail"
    lines = bullets(
        f"order {order_id} to {place}: {kilos} kg, {dollars} dollars, {'paid' if paid else 'not paid'}"
        for order_id, place, kilos, dollars, paid in orders
    )
    text = (
        "An assistant can call these tools; every argument must be"
        f" given:\n{bullets(_SHIPPING_TOOLS)}\n\nRules: Only paid orders are shipped. All paid orders to one"
        f" town go together in one shipment. A shipment of up to {light} kg goes by bike, a heavier one of up"
        f" to {heavy} kg by van, any other by rail. A shipment is insured if its orders are worth more than"
        f" {limit} dollars together.\n\nOrders:\n{lines}\n\nThe user says: Ship everything that may go to"
        f" {town}.\n\nWhich call is right? {_ENDING}"
    )
    arguments = {
        "order_ids": [order[0] for order in chosen],
        "carrier": carrier,
        "insured": value > limit,
        "total_grams": grams,
    }
    return graded("tool_call", text, {"name": "ship", "arguments": arguments})


FAMILIES = (one_call, room_booking, shipping_call)
