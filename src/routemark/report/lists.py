"""Lists of single questions that explain a verdict: which answers decide it, and where the router picked badly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from routemark.records import Run, Summary
from routemark.report import views
from routemark.report.telling import Collector, Listed, Telling


class Part(NamedTuple):
    """A part of a section: a heading with a list."""

    title: str
    questions: list[Telling]
    total: int


class Listing(NamedTuple):
    """A section of lists."""

    short: str
    """For a table of contents."""
    title: str
    how: str
    """One line on how to read it."""
    own: str
    """Heading of the columns of the arm that is judged."""
    other: str
    parts: list[Part]


def lists(run: Run, summary: Summary, collected: Collector) -> Iterator[Listing]:
    """Yield the sections that there is something to list for."""
    subject, pair = views.subject(summary), views.headline(run, summary)
    if subject is None or subject != collected.subject or not summary.graded:
        return
    found = [_picked(subject, collected)]
    if pair is not None and pair.arm == subject:
        found.insert(0, _deciding(subject, pair.baseline, collected))
    yield from (one for one in found if one.parts)


def _deciding(subject: str, baseline: str, collected: Collector) -> Listing:
    alone, ahead = collected.deciding(baseline)
    return Listing(
        short="Answers that decide",
        title=f"The answers that decide: {subject} beside {baseline}",
        how=(
            "Only questions on which the two disagree tell them apart: these decide the quality figure. Look here "
            "first for a wrong reference, or for a kind of question that one of them cannot do."
        ),
        own=subject,
        other=baseline,
        parts=[
            *_part(f"Only {baseline} is right, or more so", alone),
            *_part(f"Only {subject} is right, or more so", ahead),
        ],
    )


def _picked(subject: str, collected: Collector) -> Listing:
    return Listing(
        short="Too dear, too cheap",
        title=f"Where {subject} picked too dear or too cheap",
        how=(
            "The router's answer beside the cheapest right answer of a fixed model in this run. Seen afterwards, and "
            "by chance in part: read them for a pattern, not as what a router could have known."
        ),
        own=subject,
        other="cheapest right answer",
        parts=[
            *_part("A dear model where a cheap one was right, too", collected.overpaid()),
            *_part("A cheap model was wrong where a dearer one was right", collected.underpaid()),
        ],
    )


def _part(title: str, found: Listed) -> Iterator[Part]:
    if found.total:
        yield Part(title, found.questions, found.total)
