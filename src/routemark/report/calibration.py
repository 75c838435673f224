"""A calibration as lines for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from routemark import numbers
from routemark.records import Calibration, Measured
from routemark.report import views
from routemark.report.clean import one_line
from routemark.report.layout import Column, grid

_NAME = 16
_FIGURE = 26


def render(found: Calibration, width: int = 80) -> str:
    """Give the figures, each with its interval and what it means, the table of verdicts, and the cost."""
    return "\n".join(_lines(found, width)) + "\n"


def _lines(found: Calibration, width: int) -> Iterator[str]:
    if found.simulated:
        yield from textwrap.wrap(f"*** SIMULATED *** {views.SIMULATED}", width)
        yield ""
    yield from textwrap.wrap(_about(found), width)
    yield ""
    for name, figure, meaning in _figures(found):
        yield from _figure(name, figure, meaning, width)
    if found.judged:
        yield from _table(found, width)
    yield from _unable(found, width)
    yield ""
    asked = numbers.counted(found.asked, "prompt")
    yield f"{asked} put to the judge, for {numbers.usd(found.cost_usd)}."


def _about(found: Calibration) -> str:
    if found.mode == "pairwise":
        what = numbers.counted(found.n, "labelled pair") + ", each judged in both orders"
    else:
        scale = f"scale {found.levels[0]} to {found.levels[-1]}"
        what = f"{numbers.counted(found.n, 'labelled answer')}, {scale}"
    served = ", ".join(one_line(model, 80) for model in found.served)
    by = f" (served by {served})" if found.served not in ([], [found.judge]) else ""
    return f"Judge {one_line(found.judge, 80)}{by} on {what}. In brackets: 95 % intervals."


def _figures(found: Calibration) -> Iterator[tuple[str, str, str]]:
    """Yield name, figure and meaning of what was measured."""
    yield "Agreement", _percent(found.agreement), "of the verdicts are the label's"
    yield "Cohen's kappa", _number(found.kappa), "agreement beyond chance; 1 is perfect"
    if found.kappa_quadratic is not None:
        yield "  quadratic", _number(found.kappa_quadratic), "a near miss counts less than a far one"
    if found.orders_disagree is not None:
        yield "Orders disagree", _percent(found.orders_disagree), "of the pairs: another winner when swapped"
    if found.first_preferred is not None:
        yield "First preferred", _percent(found.first_preferred), "of the winners; 50 % without position bias"
    if found.prefers_longer is not None:
        meaning = "points more often for the longer answer than the labels are"
        yield "Longer preferred", _points(found.prefers_longer), meaning
    if found.error_with_length is not None:
        meaning = "correlation of verdict minus label with log length"
        yield "Length and error", _number(found.error_with_length), meaning
    yield "Not judged", _percent(found.not_judged), "of all; in no figure above"


def _figure(name: str, figure: str, meaning: str, width: int) -> list[str]:
    lead = f"{name:<{_NAME}}  {figure:<{_FIGURE}}"
    return textwrap.wrap(
        meaning, max(width, len(lead) + 20), initial_indent=lead, subsequent_indent=" " * len(lead)
    )


def _table(found: Calibration, width: int) -> Iterator[str]:
    """Yield the table of verdicts; where it is too wide, only what is off the diagonal, the most frequent first."""
    columns = [
        Column(level, [numbers.count(row[at]) for row in found.confusion])
        for at, level in enumerate(found.levels)
    ]
    laid = grid("Label", found.levels, columns, width)
    yield ""
    if max(line.cell_len for line in laid.lines) <= width:
        yield "Verdicts (columns) by label (rows)"
        yield from (line.plain.rstrip() for line in laid.lines)
        return
    yield "Verdicts that are not the label's, the most frequent first"
    wrong = [
        (count, label, verdict)
        for label, row in zip(found.levels, found.confusion, strict=True)
        for verdict, count in zip(found.levels, row, strict=True)
        if count and label != verdict
    ]
    for count, label, verdict in sorted(wrong, key=lambda one: -one[0])[:10]:
        yield f"  {numbers.count(count)}: label {label}, verdict {verdict}"


def _unable(found: Calibration, width: int) -> Iterator[str]:
    for reason, count in found.reasons.items():
        text = f"{numbers.count(count)} not judged: {one_line(reason, 300)}"
        yield from ("", *textwrap.wrap(text, width))


def _percent(figure: Measured) -> str:
    return numbers.percent_ci(figure.value, figure.ci95)


def _points(figure: Measured) -> str:
    return numbers.points_ci(figure.value, figure.ci95)


def _number(figure: Measured) -> str:
    return numbers.plain_ci(figure.value, figure.ci95)
