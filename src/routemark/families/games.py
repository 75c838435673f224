"""Logic of games: heaps to take from, lamps to put out, and searches that surely end."""

from __future__ import annotations

from random import Random

from routemark.families.base import (
    Draft,
    bullets,
    family,
    listed,
    numeric,
)

_HEAPS = (
    (
        "Two players take turns at a heap of counters. Whoever is to move takes {moves} counters; a player"
        " who cannot move because fewer than {least} counters are left loses. Both play perfectly. For how"
        " many heap sizes from 1 to {top} does the player who moves first lose?"
    ),
    (
        "Two players take turns removing {moves} matches from a heap. Whoever takes the last match loses."
        " Both play perfectly. For how many heap sizes from 1 to {top} does the player who moves first lose?"
    ),
)


@family("hard", "logic-puzzles")
def take_away_game(rng: Random) -> Draft | None:
    """Lost positions of a take-away game."""
    last_loses = rng.random() < 0.5
    moves = sorted({1 if last_loses else rng.choice([2, 3]), *rng.sample(range(3, 10), 2)})
    top = rng.choice([40, 45, 50, 55, 60, 70])
    wins = [last_loses]
    for heap in range(1, top + 1):
        wins.append(any(move <= heap and not wins[heap - move] for move in moves))
    lost = top - sum(wins[1:])
    if len(moves) < 3 or lost < 10:
        return None
    shown = f"{', '.join(map(str, moves[:-1]))} or {moves[-1]}"
    return numeric(rng, _HEAPS[last_loses].format(moves=shown, least=moves[0], top=top), lost)


@family("opt", "logic-puzzles")
def lamp_buttons(rng: Random) -> Draft | None:
    """The cheapest presses of buttons that put out all lamps."""
    lamps, count = rng.choice([6, 7, 8]), rng.choice([8, 9, 10])
    buttons = [sorted(rng.sample(range(1, lamps + 1), rng.randint(2, 4))) for _ in range(count)]
    prices = [rng.randint(2, 9) for _ in buttons]
    masks = [sum(1 << lamp for lamp in button) for button in buttons]
    start = 0
    for mask in rng.sample(masks, rng.randint(4, 6)):
        start ^= mask
    best = {start: 0}
    for mask, price in zip(masks, prices, strict=True):  # each button is pressed once or not at all
        for lit, cost in list(best.items()):
            best[lit ^ mask] = min(best.get(lit ^ mask, 10**6), cost + price)
    lit_lamps = [str(lamp) for lamp in range(1, lamps + 1) if start >> lamp & 1]
    if len(set(masks)) < count or best[0] < 12 or len(lit_lamps) < 3:
        return None
    lines = bullets(
        f"button {'ABCDEFGHIJ'[k]}: lamps {', '.join(map(str, button))}; {price} units"
        for k, (button, price) in enumerate(zip(buttons, prices, strict=True))
    )
    text = (
        f"A panel has {lamps} lamps. Now lit are the lamps {listed(lit_lamps)}; the others are off. Pressing"
        " a button switches each of its lamps over (from on to off or from off to on) and uses up some"
        f" energy:\n{lines}\nWhat is the smallest total number of units of energy with which all lamps can be"
        " put out?"
    )
    return numeric(rng, text, best[0])


_SEARCHES = (
    (
        "A coin lies under one of {n} cups in a row, numbered 1 to {n}. Lifting cup k costs the fee shown",
        "cup",
    ),
    (
        (
            "A pipe of {n} sections in a row, numbered 1 to {n}, is blocked in one of them. Opening section k"
            " costs the fee shown"
        ),
        "section",
    ),
    (
        (
            "A page is missing from one of {n} binders in a row, numbered 1 to {n}. Searching binder k costs"
            " the fee shown"
        ),
        "binder",
    ),
)


@family("opt", "logic-puzzles")
def guaranteed_search(rng: Random) -> Draft | None:
    """The least fee that surely suffices to find a place by left-right hints."""
    intro, noun = rng.choice(_SEARCHES)
    n = rng.choice([7, 8, 9])
    fees = [rng.randint(2, 25) for _ in range(n)]
    worst = [
        [0] * (n + 2) for _ in range(n + 2)
    ]  # worst[i][j]: least fee that surely finds a place among i..j
    for length in range(2, n + 1):
        for i in range(1, n - length + 2):
            j = i + length - 1
            worst[i][j] = min(
                fees[k - 1] + max(worst[i][k - 1] if k > i else 0, worst[k + 1][j] if k < j else 0)
                for k in range(i, j + 1)
            )
    middle = fees[n // 2]
    if worst[1][n] <= middle:
        return None
    shown = ", ".join(map(str, fees))
    text = (
        f"{intro.format(n=n)}: {shown} (for k = 1 to {n}). Each try tells whether the place is that {noun},"
        f" one to its left or one to its right. The search may stop as soon as it is certain which {noun} it"
        " is, without a further try. Choosing each try by what is known so far, what is the smallest amount"
        " of money that is sure to be enough, however the place was chosen?"
    )
    return numeric(rng, text, worst[1][n])


FAMILIES = (
    take_away_game,
    lamp_buttons,
    guaranteed_search,
)
