"""An examination as lines for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from routemark import numbers
from routemark.doctor import Examination
from routemark.doctor.findings import Finding
from routemark.report import views
from routemark.report.clean import one_line

_NAME = 12
_STATUS = 9
_MIN_TEXT = 30


def render(examination: Examination, width: int = 80) -> str:
    """Give a line or more for each finding, then what the probes cost; others' words are made harmless."""
    return "\n".join(_lines(examination, width)) + "\n"


def _lines(examination: Examination, width: int) -> Iterator[str]:
    if examination.simulated:
        yield from textwrap.wrap(f"*** SIMULATED *** {views.SIMULATED}", width)
    for finding in examination.findings:
        yield from _finding(finding, width)
    if examination.requests:
        cost = numbers.usd(examination.cost_usd)
        if examination.cost_unknown:
            cost = f"{cost} and what {numbers.counted(examination.cost_unknown, 'answer')} did not tell"
        yield f"{numbers.counted(examination.requests, 'request')} asked a model, for {cost} in all."


def _finding(finding: Finding, width: int) -> Iterator[str]:
    text = " ".join(one_line(part, 600) for part in (finding.message, finding.advice) if part)
    lead = f"{finding.status:<{_STATUS}}{finding.name:<{_NAME}}"
    yield from textwrap.wrap(
        text,
        max(width, len(lead) + _MIN_TEXT),
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_on_hyphens=False,
    )
