"""report.html: the whole run as one file that works offline, asks nobody for anything, and can be shared.

Everything is in the page without its scripts, which draw charts and filter questions. Text of others is
cleaned and escaped wherever a template puts it (`environment`), and the page's policy lets nothing run
or load but the one style sheet and the scripts whose hashes it names.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from routemark import numbers
from routemark.errors import rule
from routemark.files import replaced
from routemark.records import ArmSummary, ResultRow, Run, Slice, Summary
from routemark.report import bundle, sample, telling, views
from routemark.report.charts import charts
from routemark.report.charts_cost import bounds
from routemark.report.clean import Clip, clean, clip, one_line
from routemark.report.control import chart_data, control
from routemark.report.figures import figures
from routemark.report.lists import lists
from routemark.report.sections import sections
from routemark.report.sinks import Sink
from routemark.report.tally import Field, Tally

MOST_BYTES = 2_000_000
"""Of a page with up to 1,000 results."""
_TABLES = 290_000
"""Bytes kept for the style and all tables of many arms."""
_PER_ROW = 620
"""Bytes of a trial in a page, its texts not counted."""
_LEAST_TEXT = 400
"""Bytes of prompts and answers a trial in a page of more results; beyond, the longest are cut."""
MAX_COLUMNS = 8
"""Models with a column of their own in "who answered what"."""
MAX_LABELS = 40

_HERE = Path(__file__).parent


class _Page:
    """Keeps of the rows what one page can hold, and writes it when the summary is there.

    Of more than `sample.MAX_ROWS` rows a sample stratified by difficulty is embedded, and the page says so;
    memory does not grow with the rest.
    """

    def __init__(self, file: IO[bytes], run: Run) -> None:
        self._file = file
        self._run = run
        self._tally = Tally()
        self._sampler = sample.Sampler()
        self._telling = telling.Collector(run)

    def row(self, row: ResultRow) -> None:
        """Take a row."""
        self._tally.add(row)
        self._sampler.add(row)
        self._telling.add(row)

    def close(self, summary: Summary) -> None:
        """Write the page."""
        context = _context(self._run, summary, self._tally, self._sampler.taken(), self._telling)
        stream = environment().get_template("page.html.j2").stream(context)
        stream.enable_buffering(500)
        for piece in stream:
            self._file.write(piece.encode())


@contextmanager
def open_page(path: Path, run: Run) -> Iterator[Sink]:
    """Begin the page; see `sinks`."""
    with replaced(path) as file:
        yield _Page(file, run)


def environment(*more: Path) -> Environment:
    """Give a jinja2 environment in which no text reaches the page without being cleaned and escaped.

    ``more``: folders of templates that come before the report's.
    """
    environment = Environment(
        loader=FileSystemLoader([*more, _HERE / "templates"]),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(short=one_line, written=_written, tied=_tied)
    environment.globals.update(n=numbers, views=views)
    return environment


def _finalize(value: Any) -> Any:
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


_UNIT = re.compile(r"(?<=\d) (?=%|(?:ms|s|points?)\b)")
_OPTION = re.compile(r"(?<![\w-])-(?:-[a-z][a-z-]*|[a-z]\b)")


def _tied(text: str) -> Markup:
    """Give a text, cleaned and escaped, in which no line ends in an option or between a number and its unit."""
    safe = escape(clean(_UNIT.sub("\N{NO-BREAK SPACE}", text)))
    return Markup(_OPTION.sub(r'<span class="option">\g<0></span>', safe))  # noqa: S704 - escaped above


def _written(value: object) -> str:
    """Write a value of the settings or of a question as a person would read it, not too long."""
    text = value if isinstance(value, str) else msgspec.json.encode(value, enc_hook=str).decode()
    shown = clip(text, 1000)
    return shown.text + ("..." if shown.cut else "")


def _context(
    run: Run, summary: Summary, tally: Tally, taken: sample.Sample, collected: telling.Collector
) -> dict[str, Any]:
    style = _static("report.css")
    shown = summary_context(run, summary, tally)
    scripts = [*([_static("charts.js")] if shown["charts"] else []), _static("report.js")]
    packed = Markup(bundle.packed()) if shown["charts"] else Markup()  # noqa: S704 - base64
    models = sorted({row.model for entry in taken.entries for row, _ in entry.trials if row.model})
    fixed = sum(len(text.encode()) for text in (*scripts, packed, shown["chart_data"]))
    return {
        **shown,
        "style": style,
        "scripts": scripts,
        "packed": packed,
        "policy": policy(style, *scripts, *([bundle.vega()] if packed else [])),
        "questions": _questions(taken, list(shown["arms"]), MOST_BYTES - _TABLES - fixed),
        "taken": taken,
        "models": models,
        "model_places": {model: place for place, model in enumerate(models)},
        "lists": list(lists(run, summary, collected)),
        "places": {entry.id: f"#q{place}" for place, entry in enumerate(taken.entries)},
    }


def summary_context(run: Run, summary: Summary, tally: Tally) -> dict[str, Any]:
    """Give what the head of the page and summary.html.j2 show."""
    arms = views.ordered_arms(run, summary)
    found = charts(run, summary)
    return {
        "run": run,
        "summary": summary,
        "arms": arms,
        "figures": figures(run, summary),
        "charts": found,
        "bounds": bounds(summary) if found.get("cost") else [],
        "control": control(run, summary) if found.get("cost") else None,
        "chart_data": chart_data(run, summary, found),
        "undrawn": [
            name for name, arm in arms.items() if arm.accuracy is None or arm.cost_per_1k_usd is None
        ],
        "answered": list(_answered(run, summary, tally)),
        "by_label": list(_by_label(arms)),
        "sections": list(sections(run, summary)),
        "failures": [(kind, by_arm, rule(kind).advice) for kind, by_arm in views.failures(summary).items()],
    }


def _static(name: str) -> Markup:
    return Markup((_HERE / "static" / name).read_text("utf-8"))  # noqa: S704 - our own file


def policy(style: str, *scripts: str) -> str:
    """Give the Content-Security-Policy under which only these texts act, and nothing is loaded."""
    hashes = " ".join(f"'{_digest(script)}'" for script in scripts)
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src {hashes}; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


# --------------------------------------------------------------------------------- who answered what


class AnsweredCell(NamedTuple):
    """One model's answers for one label."""

    answers: int
    said: str
    """How many there are, and how many of them are right."""
    shade: int
    """Share of the label's answers in steps of 0-5; 0 for labels of fewer than 20."""


class AnsweredRow(NamedTuple):
    """One label of the questions."""

    label: str
    part: Slice
    accuracy: numbers.Cell
    cells: list[AnsweredCell]
    others: int
    """Answers by models without a column."""


class Answered(NamedTuple):
    """Which models answered for one arm, by one field of the questions."""

    arm: str
    by: str
    models: list[tuple[str, int]]
    rows: list[AnsweredRow]
    more_models: int
    more_labels: int


_FIELDS: tuple[tuple[Field, str], ...] = (
    ("difficulty", "difficulty"),
    ("category", "category"),
    ("task_type", "task type"),
)


def _answered(run: Run, summary: Summary, tally: Tally) -> Iterator[Answered]:
    for name, arm in views.choosers(run, summary).items():
        for field, by in _FIELDS:
            slices: dict[str, Slice] = getattr(arm, f"by_{field}")
            if slices:
                yield _answered_by(name, arm, field, by, tally)


def _answered_by(name: str, arm: ArmSummary, field: Field, by: str, tally: Tally) -> Answered:
    table = views.served(arm, getattr(arm, f"by_{field}"), limit=MAX_LABELS)
    models = table.models[:MAX_COLUMNS]
    rows = []
    for i, (label, part) in enumerate(zip(table.labels, table.slices, strict=True)):
        answers = sum(part.model_usage.values())
        cells = [
            AnsweredCell(
                per[i], _said(per[i], tally.cell(name, field, label, model)), _shade(per[i], answers)
            )
            for model, _, per in models
        ]
        others = answers - sum(cell.answers for cell in cells)
        rows.append(AnsweredRow(label, part, _cell(part), cells, others))
    columns = [(model, count) for model, count, _ in models]
    return Answered(name, by, columns, rows, len(table.models) - len(models), table.more)


def _cell(part: Slice) -> numbers.Cell:
    return numbers.cell(part.accuracy, part.graded, part.accuracy_ci95)


def _said(answers: int, accuracy: numbers.Cell) -> str:
    """Give "2 of 3", "7/12 [32, 81]", "83.3 % of 120", or the answers alone where none was graded."""
    if accuracy.weight == "none":
        return numbers.count(answers)
    return accuracy.text if accuracy.weight != "full" else f"{accuracy.text} of {numbers.count(answers)}"


def _shade(count: int, answers: int) -> int:
    return round(5 * count / answers) if numbers.weight(answers) == "full" else 0


class ByLabel(NamedTuple):
    """All arms' accuracy by one field of the questions."""

    by: str
    rows: list[tuple[str, int, list[numbers.Cell]]]
    """Label, trials of the first arm that has it, and a cell for each arm."""
    more: int


def _by_label(arms: dict[str, ArmSummary]) -> Iterator[ByLabel]:
    for field, by in _FIELDS[:2]:
        slices = [getattr(arm, f"by_{field}") for arm in arms.values()]
        labels = list(dict.fromkeys(label for of_arm in slices for label in of_arm))
        rows = [
            (
                label,
                max(s[label].n for s in slices if label in s),
                [_label_cell(s.get(label)) for s in slices],
            )
            for label in labels[:MAX_LABELS]
        ]
        if rows:
            yield ByLabel(by, rows, len(labels) - len(rows))


def _label_cell(part: Slice | None) -> numbers.Cell:
    return numbers.Cell(numbers.UNKNOWN, "none") if part is None else _cell(part)


# ------------------------------------------------------------------------------------- the questions


class Answer(NamedTuple):
    """One trial as the page shows it."""

    row: ResultRow
    text: Clip | None
    status: str
    """``right``, ``wrong``, ``partial``, ``failed`` or ``not graded``."""
    arm: int
    """Place of the arm in the filter."""


class Shown(NamedTuple):
    """One question as the page shows it."""

    entry: sample.Entry
    prompt: Clip
    answers: list[Answer]
    disagree: bool


def _questions(taken: sample.Sample, arms: list[str], room: int) -> list[Shown]:
    """Give what is shown of each question; ``room``: bytes for all of them where the results are 1,000 or fewer."""
    limit = sample.level(_weights(taken), max(_LEAST_TEXT * taken.kept, room - _PER_ROW * taken.kept))
    places = {name: place for place, name in enumerate(arms)}
    return [_shown(entry, places, limit) for entry in taken.entries]


def _weights(taken: sample.Sample) -> Iterator[int]:
    for entry in taken.entries:
        yield sample.weight(entry.prompt.text)
        for _, answer in entry.trials:
            if answer is not None:
                yield sample.weight(answer.text)


def _shown(entry: sample.Entry, places: dict[str, int], limit: int) -> Shown:
    answers = [
        Answer(
            row, sample.shorten(text, limit) if text else None, status(row), places.get(row.arm, len(places))
        )
        for row, text in entry.trials
    ]
    answers.sort(key=lambda answer: (answer.arm, answer.row.arm, answer.row.repeat))
    prompt = sample.shorten(entry.prompt, limit)
    return Shown(entry, prompt, answers, disagree([answer.row for answer in answers]))


def status(row: ResultRow) -> str:
    """Give what became of a trial, in the words of the page's filter."""
    if row.status == "failed":
        return "failed"
    if row.grade is None or row.grade.score is None:
        return "not graded"
    return {0.0: "wrong", 1.0: "right"}.get(row.grade.score, "partial")


def disagree(rows: list[ResultRow]) -> bool:
    """Say whether the arms' graded answers to a question have different scores."""
    scores = {row.grade.score for row in rows if row.grade is not None and row.grade.score is not None}
    return len(scores) > 1
