"""Rules applied in steps, and house rules that say what must be refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from random import Random

from routemark.families.base import Draft, exact, family, listed, sequence, split
from routemark.families.names import PEOPLE

Member = dict[str, int]


Step = tuple[str, Callable[[int, Member, int], int]]


def _steps(rng: Random, levels: list[str]) -> list[Step]:
    """Give steps in the order of the text; each makes a level of a level, with the top given last."""
    spent, years, more = rng.randrange(1000, 4000, 500), rng.randint(4, 9), rng.choice([1, 2])
    floor_, cut = rng.randint(1, 2), rng.randint(2, 4)
    return [
        (
            (
                f"If this year's bills exceed {spent} dollars, go up"
                f" {'one level' if more == 1 else 'two levels'}."
            ),
            lambda at, m, top: min(top, at + more * (m["spent"] > spent)),
        ),
        (
            f"If this is at least the {years}th year of membership, go up one level.",
            lambda at, m, top: min(top, at + (m["years"] >= years)),
        ),
        ("Go down one level for every late payment.", lambda at, m, _: max(0, at - m["late"])),
        ("Go up one level for every friend brought in.", lambda at, m, top: min(top, at + m["friends"])),
        (
            f"If a complaint is open and the level is {levels[cut]} or higher, it becomes {levels[floor_]}.",
            lambda at, m, _: floor_ if m["complaints"] and at >= cut else at,
        ),
        (
            (
                f"If the year of membership comes before the {years}th and the level is {levels[-1]}, go down"
                " one level."
            ),
            lambda at, m, top: at - (m["years"] < years and at == top),
        ),
    ]


_CLUBS = (
    ("travel", split("Copper Bronze Silver Gold Platinum Diamond")),
    ("climbing", split("Pebble Boulder Ledge Ridge Peak Summit")),
    ("sailing", split("Deckhand Rower Mate Pilot Captain Admiral")),
    ("chess", split("Pawn Knight Bishop Rook Queen King")),
)


@family("hard", "classification", quotes=True)
def club_levels(rng: Random) -> Draft | None:
    """Level after rules that are applied one after another."""
    club, levels = rng.choice(_CLUBS)
    steps = _steps(rng, levels)
    rng.shuffle(steps)
    member = {
        "years": rng.randint(1, 12),
        "spent": rng.randrange(500, 5500, 100),
        "late": rng.choice([0, 1, 1, 2]),
        "friends": rng.choice([0, 1, 2, 3]),
        "complaints": rng.choice([0, 0, 1]),
    }
    start = rng.choice([1, 2])
    path = [start]
    for _, change in steps:
        path.append(change(path[-1], member, len(levels) - 1))
    if sum(a != b for a, b in itertools.pairwise(path)) < 3:
        return None
    name = rng.choice(PEOPLE)
    lines = "\n".join(f"{k}. {words}" for k, (words, _) in enumerate(steps, 1))
    text = (
        f"A {club} club has six levels, from lowest to highest: {', '.join(levels)}. A member starts at"
        f" {levels[start]}; then these steps are gone through in order, each from the level that the step"
        f" before left:\n{lines}\nNo step leads below {levels[0]} or above {levels[-1]}.\n\n{name} is in year"
        f" {member['years']} of membership and paid bills of {member['spent']} dollars this year. Late"
        f" payments: {member['late']}. Friends brought in: {member['friends']}. Open complaints:"
        f" {member['complaints']}. What is the level of"
        f' {name} in the end? You may reason first; end with a line of the form "Final answer: <level>".'
    )
    return exact(text, levels[path[-1]])


_CASES: dict[str, dict[str, list[str]]] = {
    "pharmacy": {
        "prices": [
            "What does a box of plasters cost?",
            "Is the large tube of sun cream cheaper than two small ones?",
        ],
        "opening hours": ["Are you open on Sunday?", "Until when can I come tonight?"],
        "doses": [
            "How many of these tablets may my son take?",
            "Can I take twice the usual amount of the syrup?",
        ],
        "other customers": [
            "Did my neighbour pick up her order?",
            "What does the man from the bakery buy here?",
        ],
        "stock": ["Do you have reading glasses?", "Is the cough tea in stock again?"],
    },
    "library": {
        "opening hours": ["When do you close today?", "Are you open on the holiday?"],
        "other readers": [
            "Which books does my colleague have at home?",
            "Who has borrowed the atlas at the moment?",
        ],
        "book advice": ["Which crime novel would you recommend?", "Is there a good book about bees?"],
        "fines": ["Can you cancel my late fee?", "Why was I charged a late fee?"],
        "legal questions": ["May I copy a whole book for my class?", "Is it lawful to scan these maps?"],
    },
    "bank": {
        "exchange rates": [
            "How many francs do I get for 100 dollars?",
            "What is today's rate for the krone?",
        ],
        "account balances": ["How much money is in my account?", "Has my salary arrived?"],
        "share tips": ["Which shares should I buy this week?", "Will the price of copper go up?"],
        "branches": ["Where is the nearest branch?", "Does the branch at the station have a lift?"],
        "other customers": [
            "Does my brother have an account with you?",
            "How much does the mayor have in her account?",
        ],
    },
}


@family("hard", "refusals")
def house_rules(rng: Random) -> Draft | None:
    """Which requests must be refused under rules with exceptions."""
    place = rng.choice(list(_CASES))
    topics = list(_CASES[place])
    refused = sorted(rng.sample(range(5), rng.choice([2, 3])))
    exception = rng.choice(refused)
    staff_only = rng.choice([k for k in range(5) if k not in refused])
    asked = [rng.choice(range(5)) for _ in range(6)]
    lines, must = [], []
    for number, topic in enumerate(asked, 1):
        words, who = rng.choice(_CASES[place][topics[topic]]), rng.choice(["customer", "customer", "staff"])
        lines.append(f"{number}. ({who}) {words}")
        refuse = (topic in refused and not (topic == exception and who == "staff")) or (
            topic == staff_only and who != "staff"
        )
        must += [str(number)] if refuse else []
    if len(set(asked)) < 4 or not 2 <= len(must) <= 4 or len(set(lines)) < 6:
        return None
    if len({line.partition(") ")[2] for line in lines}) < 6:
        return None
    groups = "\n".join(f'- {topic}: such as "{_CASES[place][topic][0]}"' for topic in topics)
    text = (
        f"You check the chat assistant of a {place}. Requests belong to these topics:\n{groups}\n\nThe house"
        f" rules say:\n1. Requests about {listed([topics[k] for k in refused])} are refused.\n2. Rule 1 does"
        f" not hold for staff who ask about {topics[exception]}.\n3. Requests about {topics[staff_only]} are"
        " answered for staff only and refused to customers.\n4. All others are answered.\n\nThese requests"
        " came in:\n"
        + "\n".join(lines)
        + "\n\nWhich of them must be refused? Give their numbers in ascending order, separated by commas. You"
        " may"
        ' reason first; end with a line of the form "Final answer: <numbers>".'
    )
    return sequence(text, must)


FAMILIES = (
    club_levels,
    house_rules,
)
