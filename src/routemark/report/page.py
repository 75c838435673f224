"""report.html: the whole run as one file that works offline, asks nobody for anything, and can be shared.

Everything is in the page without its script, which only filters the questions. Text of others is
cleaned and escaped wherever a template puts it (`_environment`), and the page's policy lets nothing run
or load but the one style sheet and the one script whose hashes it names.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from routemark.errors import rule
from routemark.files import replaced
from routemark.records import ArmSummary, ResultRow, Run, Slice, Summary
from routemark.report import numbers, sample, views
from routemark.report.clean import Clip, clean, clip, one_line
from routemark.report.figures import figures
from routemark.report.picture import Point, cost_quality
from routemark.report.tally import Field, Tally

TEXT_BUDGET = 600_000
"""Bytes of prompts and answers in the page; beyond, the longest are cut."""
MAX_COLUMNS = 8
"""Models with a column of their own in "who answered what"."""
MAX_LABELS = 40

_HERE = Path(__file__).parent


def write_page(path: Path, run: Run, summary: Summary, rows: Iterable[ResultRow]) -> None:
    """Write the page whole or not at all.

    Of more than `sample.MAX_ROWS` rows a sample stratified by difficulty is embedded, and the page says
    so; memory does not grow with the rest. Raises: OSError.
    """
    tally = Tally()
    taken = sample.take(tally.watching(rows))
    context = _context(run, summary, tally, taken)
    stream = _environment().get_template("page.html.j2").stream(context)
    stream.enable_buffering(500)
    with replaced(path) as file:
        for piece in stream:
            file.write(piece.encode())


def _environment() -> Environment:
    """Give a jinja2 environment in which no text reaches the page without being cleaned and escaped."""
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(short=one_line, written=_written)
    environment.globals.update(n=numbers, views=views)
    return environment


def _finalize(value: Any) -> Any:
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _written(value: object) -> str:
    """Write a value of the settings or of a question as a person would read it, not too long."""
    text = value if isinstance(value, str) else msgspec.json.encode(value, enc_hook=str).decode()
    shown = clip(text, 1000)
    return shown.text + ("..." if shown.cut else "")


def _context(run: Run, summary: Summary, tally: Tally, taken: sample.Sample) -> dict[str, Any]:
    style, script = _static("report.css"), _static("report.js")
    arms = views.ordered_arms(run, summary)
    return {
        "run": run,
        "summary": summary,
        "arms": arms,
        "style": style,
        "script": script,
        "policy": policy(style, script),
        "figures": figures(run, summary),
        "pictures": _pictures(arms),
        "undrawn": [name for name, arm in arms.items() if _point(0, name, arm) is None],
        "answered": list(_answered(run, summary, tally)),
        "by_label": list(_by_label(arms)),
        "failures": [(kind, by_arm, rule(kind).advice) for kind, by_arm in views.failures(summary).items()],
        "questions": _questions(taken, list(arms)),
        "taken": taken,
    }


def _static(name: str) -> Markup:
    return Markup((_HERE / "static" / name).read_text("utf-8"))  # noqa: S704 - our own file


def policy(style: str, script: str) -> str:
    """Give the Content-Security-Policy under which only these two texts act, and nothing is loaded."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


# ------------------------------------------------------------------------------------- the picture


def _pictures(arms: dict[str, ArmSummary]) -> list[Markup]:
    """Give the picture twice, for wide and for narrow screens; nothing without a graded arm."""
    numbered = enumerate(arms.items(), start=1)
    points = [point for i, (name, arm) in numbered if (point := _point(i, name, arm)) is not None]
    if not points:
        return []
    return [
        cost_quality(points, width=920, height=430, ident="wide"),
        cost_quality(points, width=360, height=380, ident="narrow"),
    ]


def _point(number: int, name: str, arm: ArmSummary) -> Point | None:
    if arm.accuracy is None or arm.cost_per_1k_usd is None:
        return None
    return Point(number, name, arm.cost_per_1k_usd, arm.accuracy, arm.accuracy_ci95, arm.is_router)


# --------------------------------------------------------------------------------- who answered what


class AnsweredCell(NamedTuple):
    """One model's answers for one label."""

    answers: int
    accuracy: numbers.Cell
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
            AnsweredCell(per[i], tally.cell(name, field, label, model), _shade(per[i], answers))
            for model, _, per in models
        ]
        others = answers - sum(cell.answers for cell in cells)
        rows.append(AnsweredRow(label, part, _cell(part), cells, others))
    columns = [(model, count) for model, count, _ in models]
    return Answered(name, by, columns, rows, len(table.models) - len(models), table.more)


def _cell(part: Slice) -> numbers.Cell:
    return numbers.cell(part.accuracy, part.graded, part.accuracy_ci95)


def _shade(count: int, answers: int) -> int:
    return round(5 * count / answers) if answers >= 20 else 0


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


def _questions(taken: sample.Sample, arms: list[str]) -> list[Shown]:
    limit = sample.level(_weights(taken), TEXT_BUDGET)
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
