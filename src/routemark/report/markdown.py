"""The summary as a comment on a pull request, in GitHub's Markdown.

Names and sentences hold text of others: they are escaped so that they can neither format, link, embed
an image, mention a person, nor refer to an issue.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from routemark.files import replaced
from routemark.records import ArmSummary, Comparison, ResultRow, Run, Summary
from routemark.report import numbers, views
from routemark.report.clean import one_line

MAX_COMPARISONS = 30

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>()#!|~&$^]")
_STARTING = re.compile(r"^([-+=]|\d+(?=[.)]))")
"""What begins a list or a heading at the start of a line."""
_LINKING = re.compile(r"@|://|(?<=\b[Ww])(?=[Ww][Ww]\.)|\\#(?=\d)|\b[Gg][Hh](?=-\d)")
_NOTHING = "\u200b"
"""Zero width: breaks what GitHub links by itself (people, issues, addresses) and shows as it was."""


def escape(text: str, limit: int = 2000) -> str:
    """Give the text on one line so that it reads in Markdown as it stands, and as nothing else."""
    escaped = _SPECIAL.sub(r"\\\g<0>", one_line(text, limit))
    escaped = _STARTING.sub(lambda found: found[0] + "\\" if found[0].isdigit() else "\\" + found[0], escaped)
    return _LINKING.sub(lambda found: found[0] + _NOTHING, escaped)


def render(run: Run, summary: Summary) -> str:
    """Give verdict, arms and comparisons as Markdown, for a comment on a pull request."""
    return "\n".join(_lines(run, summary)) + "\n"


def write_markdown(path: Path, run: Run, summary: Summary, rows: Iterable[ResultRow]) -> None:  # noqa: ARG001 - as all writers
    """Write the comment to a file; the rows are not needed."""
    with replaced(path) as file:
        file.write(render(run, summary).encode())


def _lines(run: Run, summary: Summary) -> Iterator[str]:
    yield "### Routemark"
    yield ""
    if run.simulated:
        yield f"> **SIMULATED.** {views.SIMULATED}"
        yield ""
    stopped = views.incomplete(run, summary)
    if stopped is not None:
        yield f"**{escape(stopped)}**"
        yield ""
    yield from _verdict(run, summary)
    yield from _arms(run, summary)
    yield from _comparisons(summary)
    yield from _failures(summary)


def _verdict(run: Run, summary: Summary) -> Iterator[str]:
    verdict = summary.verdict
    yield f"**{escape(verdict.sentence)}** {escape(verdict.skill)}".rstrip()
    yield ""
    if verdict.notes:
        yield from (f"- {escape(note)}" for note in verdict.notes)
        yield ""
    yield f"{views.basis(run, summary)} Margin {numbers.margin(verdict.margin)}, {escape(verdict.date)}."
    yield ""


def _arms(run: Run, summary: Summary) -> Iterator[str]:
    arms = views.ordered_arms(run, summary)
    limited = run.client.limited
    yield from _table(
        ["Arm", "Accuracy [95 %]", "Per 1,000", "Per right answer", "Latency p50", "p90", "Failed"],
        ([escape(name, 120), *_figures(arm, summary, limited=limited)] for name, arm in arms.items()),
    )
    if limited:
        yield escape(views.LIMITED)
        yield ""
    oddities = views.oddities(summary)
    if oddities:
        yield from (f"- {escape(line)}" for line in oddities)
        yield ""


def _figures(arm: ArmSummary, summary: Summary, *, limited: bool) -> list[str]:
    graded = summary.graded and arm.accuracy is not None
    return [
        numbers.percent_ci(arm.accuracy, arm.accuracy_ci95) if graded else "not graded",
        numbers.usd(arm.cost_per_1k_usd),
        numbers.usd(arm.cost_per_correct_usd),
        escape(numbers.latency(arm.latency_s.p50, limited=limited)),
        escape(numbers.latency(arm.latency_s.p90, limited=limited)),
        numbers.share(arm.failed, arm.n),
    ]


def _comparisons(summary: Summary) -> Iterator[str]:
    shown = summary.comparisons[:MAX_COMPARISONS]
    if not shown:
        return
    yield from _table(
        ["Compared", "with", "Accuracy, points [95 %]", "Cost ratio [95 %, approximate]", "Questions"],
        ([escape(c.arm, 120), escape(c.baseline, 120), *_compared(c)] for c in shown),
    )
    if len(summary.comparisons) > len(shown):
        yield f"and {len(summary.comparisons) - len(shown):,} more in results.json"
        yield ""


def _compared(c: Comparison) -> list[str]:
    return [
        numbers.points_ci(c.accuracy_difference, c.ci95),
        numbers.ratio_ci(c.cost_ratio, c.cost_ratio_ci95),
        numbers.count(c.n),
    ]


def _failures(summary: Summary) -> Iterator[str]:
    kinds = views.failures(summary)
    if not kinds:
        return
    total = {kind: numbers.count(sum(by_arm.values())) for kind, by_arm in kinds.items()}
    yield "Failures: " + ", ".join(f"{escape(kind)} {n}" for kind, n in total.items()) + "."


def _table(titles: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield "| " + " | ".join(titles) + " |"
    yield "|---" + "|---:" * (len(titles) - 1) + "|"
    yield from ("| " + " | ".join(row) + " |" for row in rows)
    yield ""
