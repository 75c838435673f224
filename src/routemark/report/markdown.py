"""The summary as a comment on a pull request, in GitHub's Markdown.

Names and sentences hold text of others: they are escaped so that they can neither format, link, embed
an image, mention a person, nor refer to an issue.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from routemark import numbers
from routemark.files import replaced
from routemark.records import ArmSummary, Comparison, ResultRow, Run, Summary
from routemark.report import views
from routemark.report.clean import clean, one_line
from routemark.report.figures import figures
from routemark.report.layout import Section
from routemark.report.sections import sections
from routemark.report.sinks import Sink

MAX_COMPARISONS = 30
MOST_CHARACTERS = 60_000
"""GitHub takes 65,536."""

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
    """Give verdict and figures, and folded below them all tables that fit a comment."""
    text = "\n".join(_lines(run, summary)) + "\n"
    folded = list(_folded(run, summary))
    for i, part in enumerate(folded):
        if len(text) + len(part) > MOST_CHARACTERS:
            return f"{text}and {numbers.counted(len(folded) - i, 'more table')} in report.html\n"
        text += part
    return text


class _Comment:
    def __init__(self, file: IO[bytes], run: Run) -> None:
        self._file = file
        self._run = run

    def row(self, row: ResultRow) -> None:
        """Do nothing: rows are not needed."""

    def close(self, summary: Summary) -> None:
        """Write the comment."""
        self._file.write(render(self._run, summary).encode())


@contextmanager
def open_comment(path: Path, run: Run) -> Iterator[Sink]:
    """Begin the comment; see `sinks`."""
    with replaced(path) as file:
        yield _Comment(file, run)


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


def _folded(run: Run, summary: Summary) -> Iterator[str]:
    """Yield each table as a part that opens on a click, the first open."""
    yield _fold("Arms", _arms(run, summary))
    if summary.comparisons:
        yield _fold("Compared, question by question", _comparisons(run, summary))
    for section in sections(run, summary):
        yield _fold(section.title, _section(section))
    if views.failures(summary):
        yield _fold("Failures", _failures(summary))


def _fold(title: str, lines: Iterable[str]) -> str:
    """Give a part that is folded; the empty lines make GitHub read what is inside as Markdown."""
    body = "\n".join(lines).strip("\n")
    return f"\n<details><summary>{_in_html(title)}</summary>\n\n{body}\n\n</details>\n"


def _in_html(text: str) -> str:
    """Give the text for the inside of an HTML tag, where Markdown does not act, but GitHub's links do."""
    plain = re.sub(r"#(?=\d)", f"#{_NOTHING}", one_line(text, 200))
    return _LINKING.sub(lambda found: found[0] + _NOTHING, html.escape(plain))


def _verdict(run: Run, summary: Summary) -> Iterator[str]:
    verdict = summary.verdict
    judged = views.router(summary)
    about = "" if judged is None else f"{escape(judged, 120)}: "
    yield f"**{about}{escape(verdict.sentence)}** {escape(verdict.skill)}".rstrip()
    yield ""
    notes = views.notes(run, summary)
    if notes:
        yield from (f"- {escape(note)}" for note in notes)
        yield ""
    yield from _table(
        ["", "", "95 %", ""],
        (
            [escape(one.title), f"**{escape(one.value)}**", escape(one.interval), escape(one.said)]
            for one in figures(run, summary)
        ),
        right="",
    )
    settled = f"{verdict.date}; margin {numbers.in_points(verdict.margin)}."
    yield escape(f"{views.basis(run, summary)} {settled}")


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


def _comparisons(run: Run, summary: Summary) -> Iterator[str]:
    shown = views.ordered_comparisons(run, summary)[:MAX_COMPARISONS]
    if not shown:
        return
    yield from _table(
        [
            "Compared",
            "with",
            f"Accuracy, points [{views.level(summary)}]",
            "Cost ratio [95 %, approximate]",
            "Questions",
        ],
        ([escape(c.arm, 120), escape(c.baseline, 120), *_compared(c)] for c in shown),
    )
    if len(summary.comparisons) > len(shown):
        yield f"and {numbers.count(len(summary.comparisons) - len(shown))} more in results.json"
        yield ""


def _compared(c: Comparison) -> list[str]:
    return [
        numbers.points_ci(c.accuracy_difference, c.ci95),
        numbers.ratio_ci(c.cost_ratio, c.cost_ratio_ci95),
        numbers.count(c.n),
    ]


def _section(section: Section) -> Iterator[str]:
    if section.columns:
        titles = [section.stub, *(column.title.replace("\n", " ").strip() for column in section.columns)]
        cells = ([column.cells[row] for column in section.columns] for row in range(len(section.names)))
        yield from _table(
            [escape(title) for title in titles],
            ([escape(name, 160), *row] for name, row in zip(section.names, cells, strict=True)),
        )
    if section.notes:
        yield from (f"- {escape(note)}" for note in section.notes)
        yield ""
    if section.code:
        yield from _fenced(section.code)


def _fenced(code: str) -> Iterator[str]:
    """Show Python source; the fence is longer than any run of backticks in it."""
    fence = "`" * max(4, 1 + max(map(len, re.findall("`+", code)), default=0))
    yield f"{fence}python"
    yield from map(clean, code.split("\n"))
    yield fence
    yield ""


def _failures(summary: Summary) -> Iterator[str]:
    kinds = views.failures(summary)
    if not kinds:
        return
    total = {kind: numbers.count(sum(by_arm.values())) for kind, by_arm in kinds.items()}
    yield "Failures: " + ", ".join(f"{escape(kind)} {n}" for kind, n in total.items()) + "."


def _table(titles: list[str], rows: Iterable[list[str]], *, right: str = ":") -> Iterator[str]:
    """Lay out a table; ``right`` is ":" where all columns but the first are numbers."""
    yield "| " + " | ".join(titles) + " |"
    yield "|---" + f"|---{right}" * (len(titles) - 1) + "|"
    yield from ("| " + " | ".join(row) + " |" for row in rows)
    yield ""
