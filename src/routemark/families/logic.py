"""Logic puzzles: orders, families, truth and lies, rows with traits, games, lamps and guesses."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from random import Random

import numpy as np
import numpy.typing as npt

from routemark.families.base import (
    Draft,
    bullets,
    exact,
    family,
    listed,
    number_name,
    numeric,
    ordinal,
    sequence,
    split,
)
from routemark.families.names import initials, people

# --------------------------------------------------------------------------- easy

_ROWS = (
    ("runners, {names}, finished a race at different times", "finished", "Who finished {place}?", ""),
    (
        "books, {names}, stand side by side on a shelf and are counted from the left",
        "stands",
        "Which book stands {place}?",
        "Atlas Botany Cookbook Dictionary Encyclopedia Fables Grammar Handbook",
    ),
    (
        "talks, {names}, follow one another on a conference day",
        "comes",
        "Which talk comes {place}?",
        "Gravity Heat Light Magnets Optics Pressure Sound Waves",
    ),
    ("pupils, {names}, stand in a queue", "stands", "Who stands {place}?", ""),
    (
        "stops, {names}, are served one after another by a tram",
        "comes",
        "Which stop comes {place}?",
        "Abbey Bridge Castle Docks Exchange Forum Garden Hospital",
    ),
)
Clue = tuple[str, Callable[[dict[str, int]], bool]]


def _order_clues(rng: Random, order: list[str], verb: str) -> list[Clue]:
    """Give all clues of three kinds that are true of an order, shuffled."""
    clues: list[Clue] = []
    for (i, a), (j, b) in itertools.combinations(enumerate(order), 2):
        clues.append((f"{a} {verb} somewhere before {b}.", _before(a, b)))
        if j == i + 1:
            clues.append((f"{a} {verb} immediately before {b}.", _just_before(a, b)))
    for i, a in enumerate(order):
        k = rng.choice([k for k in range(len(order)) if k != i])
        clues.append((f"{a} is not {ordinal(k + 1)}.", _not_at(a, k)))
    rng.shuffle(clues)
    return clues


def _before(a: str, b: str) -> Callable[[dict[str, int]], bool]:
    return lambda places: places[a] < places[b]


def _just_before(a: str, b: str) -> Callable[[dict[str, int]], bool]:
    return lambda places: places[a] + 1 == places[b]


def _not_at(a: str, place: int) -> Callable[[dict[str, int]], bool]:
    return lambda places: places[a] != place


@family("easy", "logic-puzzles", quotes=True)
def order_of_five(rng: Random) -> Draft | None:
    """Order of five from clues."""
    intro, verb, asked, things = rng.choice(_ROWS)
    names = sorted(rng.sample(split(things), 5)) if things else initials(rng, 5)
    order = rng.sample(names, 5)
    clues = _order_clues(rng, order, verb)[:5]
    worlds = [{name: k for k, name in enumerate(p)} for p in itertools.permutations(names)]

    def fits(chosen: list[Clue]) -> int:
        return sum(all(holds(world) for _, holds in chosen) for world in worlds)

    if fits(clues) != 1 or any(fits(clues[:k] + clues[k + 1 :]) == 1 for k in range(5)):
        return None
    place = rng.choice([2, 3, 4])
    text = (
        f"Five {intro.format(names=listed(names))}. {' '.join(words for words, _ in clues)}"
        f" {asked.format(place=ordinal(place))} Answer with the name only."
    )
    return exact(text, order[place - 1])


@family("easy", "logic-puzzles")
def family_tree(rng: Random) -> Draft | None:
    """How many grandchildren, cousins or nephews and nieces somebody has."""
    names = people(rng, 13)
    rng.shuffle(names)
    root, children, rest = names[0], names[1:4], names[4:]
    counts = [rng.randint(1, 4) for _ in range(3)]
    if sum(counts) > len(rest):
        return None
    parents: dict[str, str] = dict.fromkeys(children, root)
    grandchildren = rest[: sum(counts)]
    for child, count in zip(children, counts, strict=True):
        for _ in range(count):
            parents[rest.pop(0)] = child
    statements = [f"{child} is a child of {parent}." for child, parent in parents.items()]
    rng.shuffle(statements)
    who = rng.choice(grandchildren)
    asked, answer = rng.choice(
        [
            (f"How many grandchildren does {root} have?", len(grandchildren)),
            (
                f"How many cousins does {who} have among these people?",
                sum(parents[g] != parents[who] for g in grandchildren),
            ),
            (
                f"How many nephews and nieces does {parents[who]} have among these people?",
                sum(parents[g] != parents[who] for g in grandchildren),
            ),
        ]
    )
    if answer < 2:
        return None
    text = f"In a family, {' '.join(statements)} These people are all different, and nobody here has children other than those named. {asked}"
    return numeric(rng, text, answer)


# --------------------------------------------------------------------------- hard

Claim = tuple[str, Callable[[tuple[int, ...]], bool]]


def _claim(rng: Random, names: list[str], speaker: str) -> Claim:
    a, b = rng.sample([name for name in names if name != speaker], 2)
    i, j, k = names.index(a), names.index(b), rng.randint(2, len(names) - 1)
    claims: list[Claim] = [
        (f"Exactly {k} of us are knights.", lambda w: sum(w) == k),
        (f"{a} is a knave.", lambda w: not w[i]),
        (f"{a} and {b} are of the same kind.", lambda w: w[i] == w[j]),
        (f"{a} and {b} are of different kinds.", lambda w: w[i] != w[j]),
        (f"At least one of {a} and {b} is a knave.", lambda w: not (w[i] and w[j])),
        (f"At most {k} of us are knights.", lambda w: sum(w) <= k),
    ]
    return rng.choice(claims)


@family("hard", "logic-puzzles")
def knights_and_knaves(rng: Random) -> Draft | None:
    """Who tells the truth."""
    names = initials(rng, rng.choice([5, 6, 7]))
    claims = [_claim(rng, names, name) for name in names]
    worlds = [
        world
        for world in itertools.product((0, 1), repeat=len(names))
        if all(bool(knight) == bool(holds(world)) for knight, (_, holds) in zip(world, claims, strict=True))
    ]
    if (
        len(worlds) != 1
        or not 2 <= sum(worlds[0]) < len(names)
        or len({words[-9:] for words, _ in claims}) < 3
    ):
        return None
    knights = [name for name, knight in zip(names, worlds[0], strict=True) if knight]
    said = "\n".join(f'{name} says: "{words}"' for name, (words, _) in zip(names, claims, strict=True))
    text = (
        "On an island every inhabitant is either a knight, whose statements are all true, or a knave, whose"
        " statements are all false."
        f' {number_name(len(names))} of them, {listed(names)}, speak; "us" means these {len(names)}'
        f" people.\n{said}\nWho are the knights? Give their names in alphabetical order, separated by commas."
        " You may reason first; end with a line of"
        ' the form "Final answer: <names>".'
    )
    return sequence(text, knights)


_STREETS = (
    (
        (
            "Five neighbours live in a row of houses numbered 1 to 5 from left to right. Each has a different"
            " drink and a different pet."
        ),
        ("drinks", "tea milk cocoa juice water", "drinker"),
        ("pets", "cat dog owl fox hen", "owner"),
        "houses",
    ),
    (
        (
            "Five stalls stand in a row, numbered 1 to 5 from left to right. Each stallholder sells a"
            " different fruit and has an awning of a different colour."
        ),
        ("fruits", "plum lime pear kiwi date", "seller"),
        ("colours", "red blue green white black", "awning holder"),
        "stalls",
    ),
    (
        (
            "Five dancers stand on places numbered 1 to 5 from left to right. Each dances a different dance"
            " and wears a different hat."
        ),
        ("dances", "tango waltz polka rumba samba", "dancer"),
        ("hats", "straw felt silk wool paper", "hat wearer"),
        "places",
    ),
    (
        (
            "Five boats lie at berths numbered 1 to 5 from left to right. Each captain has a different cargo"
            " and a different flag."
        ),
        ("cargoes", "salt tin wool wine corn", "carrier"),
        ("flags", "lion star moon wheel crown", "flag bearer"),
        "berths",
    ),
)
_PLACES = np.array(list(itertools.permutations(range(5))))
"""Places of the five things of a group, one row for each arrangement."""
_RELATIONS: dict[str, Callable[[npt.NDArray[np.int64]], npt.NDArray[np.bool_]]] = {
    "is directly to the left of": lambda gap: gap == 1,
    "is somewhere to the left of": lambda gap: gap > 0,
    "is next to": lambda gap: abs(gap) == 1,
    "is": lambda gap: gap == 0,
}
Thing = tuple[int, int]
"""Group (0: names, 1 and 2: traits) and index."""
Link = tuple[str, Thing, Thing]


def _fitting(links: list[Link]) -> int:
    """Give the number of arrangements of three groups that fit all links, by products of matrices over pairs of groups."""
    allowed = {pair: np.ones((120, 120), dtype=np.int64) for pair in ((0, 1), (0, 2), (1, 2))}
    inside = [np.ones(120, dtype=np.int64) for _ in range(3)]
    for relation, (g, i), (h, j) in links:
        if g == h:
            inside[g] *= _RELATIONS[relation](_PLACES[:, j] - _PLACES[:, i])
        else:
            fits = _RELATIONS[relation](_PLACES[None, :, j] - _PLACES[:, None, i])
            allowed[min(g, h), max(g, h)] *= fits if g < h else fits.T
    left = allowed[0, 1] * inside[0][:, None] * inside[1][None, :]
    through = (allowed[0, 2] * inside[2][None, :]) @ allowed[1, 2].T
    return int((left * through).sum())


def _true_links(rng: Random, places: list[tuple[int, ...]]) -> list[Link]:
    """Give the links that hold, in random order, the close ones first for the most part."""
    things = [(g, i) for g in range(3) for i in range(5)]
    found: list[tuple[float, Link]] = []
    for one, two in itertools.permutations(things, 2):
        gap = places[two[0]][two[1]] - places[one[0]][one[1]]
        if gap == 1:
            found.append((rng.random(), ("is directly to the left of", one, two)))
        if gap > 1:
            found.append((rng.random() + 0.5, ("is somewhere to the left of", one, two)))
        if abs(gap) == 1 and one < two:
            found.append((rng.random(), ("is next to", one, two)))
        if gap == 0 and one[0] < two[0]:
            found.append((rng.random() + 0.3, ("is", one, two)))
    return [link for _, link in sorted(found)]


@family("hard", "logic-puzzles")
def five_in_a_row(rng: Random) -> Draft | None:
    """Order of five with two traits each."""
    intro, first, second, unit = rng.choice(_STREETS)
    names = initials(rng, 5)
    traits = [split(first[1]), split(second[1])]
    places = [tuple(rng.sample(range(5), 5)) for _ in range(3)]
    links = _true_links(rng, places)[: rng.randint(11, 14)]
    if _fitting(links) != 1:
        return None
    for link in list(links):
        if _fitting([other for other in links if other != link]) == 1:
            links.remove(link)

    def shown(thing: Thing) -> str:
        g, i = thing
        return names[i] if g == 0 else f"the {traits[g - 1][i]} {(first, second)[g - 1][2]}"

    clues = [f"{shown(one)} {relation} {shown(two)}." for relation, one, two in links]
    order = [names[places[0].index(k)] for k in range(5)]
    text = (
        f"{intro} The names are {listed(names)}; the {first[0]} are {listed(traits[0])}; the {second[0]} are"
        f" {listed(traits[1])}.\n"
        + bullets(clue[0].upper() + clue[1:] for clue in clues)
        + f"\nGive the five names in the order of their {unit}, from 1 to 5, separated by commas. You may"
        " reason first; end with a line of the"
        ' form "Final answer: <names>".'
    )
    return sequence(text, order)


# --------------------------------------------------------------------------- opt


FAMILIES = (
    order_of_five,
    family_tree,
    knights_and_knaves,
    five_in_a_row,
)
