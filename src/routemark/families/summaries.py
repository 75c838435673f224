"""Summaries that can be checked: lines of a given form, and sentences under rules that can be counted."""

from __future__ import annotations

from random import Random

from routemark.families.base import Draft, exact, family, graded, listed, split
from routemark.families.names import PEOPLE, SURNAMES, TOWNS, WEEKDAYS, people

_DIARIES = (
    (
        "a museum",
        "visitors",
        "Visitors",
        (
            "The {day} brought {n} visitors.",
            "On {day} {n} people came.",
            "{day}: {n} visitors, as the desk noted.",
        ),
    ),
    (
        "a ferry",
        "passengers",
        "Passengers",
        (
            "On {day} the ferry carried {n} passengers.",
            "{day}: {n} passengers crossed.",
            "The {day} saw {n} people on board.",
        ),
    ),
    (
        "a repair shop",
        "bicycles",
        "Bicycles",
        (
            "On {day} {n} bicycles were mended.",
            "{day}: {n} bicycles left the shop.",
            "The {day} list has {n} bicycles.",
        ),
    ),
)
_ASIDES = (
    "It rained at noon.",
    "The radio was on.",
    "Nobody complained.",
    "A window was left open.",
    "The tea was cold.",
    "Two lamps were changed.",
)


@family("easy", "summarising")
def week_line(rng: Random) -> Draft | None:
    """A week's notes as one line of a given form."""
    place, noun, title, forms = rng.choice(_DIARIES)
    days = WEEKDAYS[: rng.choice([5, 6, 7])]
    numbers = rng.sample(range(21, 240), len(days))
    notes = []
    for day, number in zip(days, numbers, strict=True):
        notes.append(rng.choice(forms).format(day=day, n=number))
        if rng.random() < 0.4:
            notes.append(rng.choice(_ASIDES))
    best = days[numbers.index(max(numbers))]
    worst = days[numbers.index(min(numbers))]
    text = (
        f"Summarise this diary of {place} in one line.\n\n{' '.join(notes)}\n\nThe line must have exactly"
        f" this form, with the right values in place of the words in brackets: {title}: [sum of all {noun}];"
        " most: [weekday]; fewest: [weekday]. Answer with this line only."
    )
    return exact(text, f"{title}: {sum(numbers)}; most: {best}; fewest: {worst}")


_TOPICS = (
    ("opened a {thing} in {town}", split("bakery|bookshop|cinema|workshop|swimming pool")),
    ("won the {thing} race in {town}", split("rowing|cycling|sack|sledge|swimming")),
    ("found an old {thing} near {town}", split("coin|map|bell|sword|bridge")),
)


@family("easy", "summarising")
def one_sentence(rng: Random) -> Draft | None:
    """A news item in one short sentence with given words."""
    who, town, day = f"{rng.choice(PEOPLE)} {rng.choice(SURNAMES)}", rng.choice(TOWNS), rng.choice(WEEKDAYS)
    what, things = rng.choice(_TOPICS)
    thing, number, limit = rng.choice(things), rng.randint(12, 480), rng.choice([14, 16, 18, 20])
    did = what.format(thing=thing, town=town)
    item = (
        f"On {day}, {who} {did}. The weather was mild, and {number} people had come to watch; some had been"
        " waiting since early in the morning. The mayor spoke for a quarter of an hour and thanked all"
        f" helpers. A band played until it got dark. {who} said that the idea was years old and that the"
        " hardest part had been the paperwork."
    )
    keyword = thing.split()[0]
    banned = rng.choice(["mayor", "band", "weather", "helpers"])
    text = (
        f"{item}\n\nSummarise this news item in exactly one sentence of at most {limit} words. The sentence"
        f" must contain the name {who}, the name {town},"
        f' the word "{keyword}" and the number {number} in digits. It must not contain the word "{banned}".'
        " Write nothing but the sentence."
    )
    rules: list[dict[str, object]] = [
        {"rule": "sentences", "exact": 1},
        {"rule": "words", "max": limit},
        {"rule": "required_words", "words": [who, town, keyword, str(number)]},
        {"rule": "forbidden_words", "words": [banned]},
    ]
    return graded("instructions", text, example=f"{who} {did} before {number} people.", rules=rules)


_POLLS = (
    ("Should the market square be closed to cars?", split("for against undecided")),
    ("Should the library open on Sundays?", split("yes no unsure")),
    ("Which day suits the street festival?", split("Friday Saturday Sunday")),
)


@family("hard", "summarising")
def poll_line(rng: Random) -> Draft | None:
    """A protocol with changes of mind as one line of a given form."""
    question, options = rng.choice(_POLLS)
    names = people(rng, rng.choice([9, 11, 13]))
    opinions: dict[str, str] = {}
    lines = []
    for name in rng.sample(names, len(names)):
        opinions[name] = rng.choice(options)
        lines.append(
            rng.choice(
                [
                    f"{name}: {opinions[name]}.",
                    f"{name} says {opinions[name]}.",
                    f"{name} is noted as {opinions[name]}.",
                ]
            )
        )
    for _ in range(rng.randint(4, 6)):
        one, two = rng.sample(names, 2)
        kind = rng.randrange(3)
        if kind == 0:
            new = rng.choice([option for option in options if option != opinions[one]])
            lines.append(f"{one} has had second thoughts: {new}.")
            opinions[one] = new
        elif kind == 1 and opinions[one] != opinions[two]:
            lines.append(f"{one} now joins {two}.")
            opinions[one] = opinions[two]
        elif kind == 2 and one in opinions and len(opinions) > 7:
            lines.append(f"{one} wishes not to be counted at all.")
            del opinions[one]
            names.remove(one)
    counts = {option: sum(opinion == option for opinion in opinions.values()) for option in options}
    top = sorted(counts.values(), reverse=True)
    if top[0] == top[1] or min(counts.values()) < 1:
        return None
    text = (
        f'Protocol of a poll: "{question}" Later lines change earlier ones; who joins somebody takes over'
        " that person's opinion at that moment.\n\n"
        + "\n".join(lines)
        + "\n\nSummarise the result as it stands at the end in one line of exactly this form, with numbers in"
        " place of the brackets: "
        + "; ".join(f"{option} [number]" for option in options)
        + "; most common: [option]; counted: [number]. You may reason first; end with a line of the form"
        ' "Final answer: <line>".'
    )
    winner = max(counts, key=lambda option: counts[option])
    line = (
        "; ".join(f"{option} {count}" for option, count in counts.items())
        + f"; most common: {winner}; counted: {len(opinions)}"
    )
    return exact(text, line)


_REGIONS = split("North South East West Centre")


@family("hard", "summarising")
def sales_summary(rng: Random) -> Draft | None:
    """A sales report as a JSON summary, with returns and a late booking."""
    products = rng.sample(split("lamps chairs tables shelves mirrors rugs"), 4)
    regions = rng.sample(_REGIONS, 3)
    sales: dict[str, dict[str, int]] = {region: {} for region in regions}
    parts = []
    for region in regions:
        for product in rng.sample(products, 3):
            sales[region][product] = rng.randint(12, 160)
        shown = listed([f"{n} {product}" for product, n in sales[region].items()])
        parts.append(
            rng.choice(
                [
                    f"{region} reports {shown}.",
                    f"From {region} come {shown}.",
                    f"In {region} {shown} were sold.",
                ]
            )
        )
    back = rng.choice(regions)
    returned = rng.choice(list(sales[back]))
    pieces = rng.randint(2, sales[back][returned] - 5)
    giver, taker = rng.sample(regions, 2)
    shared = [product for product in sales[giver] if product in sales[taker]]
    if not shared:
        return None
    moved = rng.choice(shared)
    count = rng.randint(2, 9)
    parts += [
        f"Of the {returned} in {back}, {pieces} were returned and do not count as sold.",
        (
            f"By mistake, {count} of the {moved} sold in {taker} had been booked in {giver}; they belong to"
            f" {taker}."
        ),
    ]
    sales[back][returned] -= pieces
    sales[giver][moved] -= count
    sales[taker][moved] += count
    by_region = {region: sum(numbers.values()) for region, numbers in sales.items()}
    by_product = {product: sum(numbers.get(product, 0) for numbers in sales.values()) for product in products}
    ranked = sorted(by_product.values(), reverse=True)
    if (
        ranked[0] == ranked[1]
        or min(min(numbers.values()) for numbers in sales.values()) < 1
        or min(by_product.values()) < 1
    ):
        return None
    text = (
        f"Summarise this sales report.\n\n{' '.join(parts)}\n\nGive one JSON object and nothing else, with"
        ' the keys "total" (pieces sold in all, number), "by_region" (object: region to pieces sold) and'
        ' "best_product" (the product with the most pieces'
        " sold, plural as written, string)."
    )
    reference = {
        "total": sum(by_region.values()),
        "by_region": by_region,
        "best_product": max(by_product, key=lambda p: by_product[p]),
    }
    return graded("json", text, reference)


FAMILIES = (week_line, one_sentence, poll_line, sales_summary)
