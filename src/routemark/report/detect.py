"""How many questions a difference needs, and what stopping early may save, for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from routemark import numbers
from routemark.policy.detect import Detection, Dollars, Needs, Savings
from routemark.report.layout import Column, grid


def detection(found: Detection, width: int) -> Iterator[str]:
    """Give the table of what a difference needs, as blocks of lines."""
    points = numbers.in_points(found.difference)
    yield _filled(
        f"To tell an accuracy difference of {points} between the router and one fixed model, in four runs of five "
        f"and with 5 % error; and to show that the router is not worse by {points}, if it is as good:",
        width,
    )
    needs = found.needs
    columns = [
        Column("Questions\nto tell", [_tell(found, each) for each in needs]),
        Column("Expected\ncost", [_dollars(each.cost_tell_usd) for each in needs], 2),
        Column("Questions,\nnot worse", [_many(each.not_worse) for each in needs], 1),
        Column("Expected\ncost", [_dollars(each.cost_not_worse_usd) for each in needs], 3),
        Column(f"These {numbers.count(found.questions)}\ntell", [_points(each.detectable) for each in needs]),
    ]
    names = [numbers.percent(each.discordance) + " (latest run)" * each.measured for each in needs]
    yield _table("Scores differ on", names, columns, width)
    yield _filled(
        "- How often router and model score differently decides it; nobody knows it before a first run. Questions of "
        "one family count for less: all are taken for independent here.",
        width,
    )


def savings(found: Savings, width: int) -> Iterator[str]:
    """Give the table of what stopping early saves, as blocks of lines."""
    source = "as in the latest run" if found.measured else "an assumption"
    yield _filled(
        f"--until-decided, of {numbers.count(found.questions)} questions, beside one fixed model, if scores differ on "
        f"{numbers.percent(found.discordance)} of the questions ({source}):",
        width,
    )
    worlds = found.worlds
    columns = [
        Column("Decided\nearly", [numbers.percent(world.early) for world in worlds]),
        Column("Decided\nin all", [numbers.percent(world.decided) for world in worlds]),
        Column("Questions asked,\non average", [numbers.count(round(world.questions)) for world in worlds]),
        Column("Saved,\non average", [_dollars(world.saved_usd) for world in worlds], 1),
    ]
    yield _table("True difference", [numbers.in_points(world.difference) for world in worlds], columns, width)
    yield _filled(
        f"- Savings are large for differences above about twice the margin ({numbers.in_points(found.margin)}) and nil "
        "near it. Against several fixed models it takes longer; what is in flight when the run stops is paid, too.",
        width,
    )


def _tell(found: Detection, each: Needs) -> str:
    return numbers.UNKNOWN if found.difference >= each.discordance else _many(each.tell)


def _many(questions: int | None) -> str:
    return "above 20,000" if questions is None else numbers.count(questions)


def _points(share: float | None) -> str:
    return numbers.UNKNOWN if share is None else numbers.in_points(share)


def _dollars(bounds: Dollars) -> str:
    if bounds is None:
        return numbers.UNKNOWN
    low, high = map(numbers.usd, bounds)
    return low if low == high else f"{low} to {high}"


def _table(stub: str, names: list[str], columns: list[Column], width: int) -> str:
    return "\n".join(line.plain.rstrip() for line in grid(stub, names, columns, width).lines)


def _filled(text: str, width: int) -> str:
    return "\n".join(textwrap.wrap(text, width, subsequent_indent="  " if text.startswith("- ") else ""))
