"""What each page shows, as data for its template: text stays as it came, and is cleaned where it is put."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
import numpy as np
from jinja2 import Environment
from markupsafe import Markup, escape

from routemark import numbers
from routemark.records import Arm, Question
from routemark.report import page
from routemark.report.clean import clip
from routemark.report.lists import Listing
from routemark.report.sample import Sample
from routemark.report.tally import FIELDS, Tally
from routemark.viewer.figures import Told
from routemark.viewer.filters import ODD, SORTS, STATUSES, Filter
from routemark.viewer.index import key_of
from routemark.viewer.opened import OpenRun
from routemark.viewer.shelf import Listed
from routemark.viewer.table import Codes, Selection, Table
from routemark.viewer.trials import Reader, Trial

PER_PAGE = 50
RUNS_PER_PAGE = 100
MAX_ARMS = 5
"""Arms with a column of their own in the list of questions."""
MAX_SHOWN = 200_000
"""Characters of one text on a question's page."""
_HERE = Path(__file__).parent
MARKS = {"right": "\u2713", "wrong": "\u2717", "partial": "\u00bd", "failed": "!", "not graded": "?"}


def environment() -> Environment:
    """Give the templates of the report and the viewer, with one cleaning and escaping for both."""
    made = page.environment(_HERE / "templates")
    made.filters.update(clipped=lambda text: clip(text, MAX_SHOWN), slashed=_slashed, marked=_marked)
    made.globals.update(marks=MARKS, odd=ODD, sorts=SORTS, statuses=STATUSES)
    return made


def _slashed(name: str) -> Markup:
    """Give a cleaned name that may be broken behind a slash rather than anywhere."""
    return escape(name).replace("/", Markup("/<wbr>"))


def _marked(text: str, words: list[str]) -> Markup:
    """Give a cleaned text in which the words stand out."""
    wanted = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    parts = re.split(f"({wanted})", text, flags=re.IGNORECASE)
    return Markup().join(
        Markup("<mark>{}</mark>").format(part) if i % 2 else part for i, part in enumerate(parts)
    )


# ------------------------------------------------------------------------------------ the runs


def runs(listed: list[Listed], query: Mapping[str, str]) -> dict[str, Any]:
    """Give the list of runs that have the words, the state and the tag asked for."""
    q, state, tag = query.get("q", "")[:400], query.get("state", ""), query.get("tag", "")
    words = q.casefold().split()
    found = [
        one
        for one in listed
        if (not state or one.state == state)
        and (not tag or tag in one.tags)
        and all(word in one.text for word in words)
    ]
    return {
        "runs": found[:RUNS_PER_PAGE],
        "found": len(found),
        "all": len(listed),
        "q": q,
        "state": state,
        "tag": tag,
        "tags": sorted({tag for one in listed for tag in one.tags}, key=str.casefold),
    }


# ------------------------------------------------------------------------------------- one run


def summary(opened: OpenRun, reader: Reader, told: Told) -> dict[str, Any]:
    """Give what the report's own templates show."""
    run, name = reader.table.run, opened.directory.path.name
    everything = Sample([], len(reader.table), len(reader.table))
    shown = page.summary_context(run, told.summary, _tally(reader))
    return {**shown, "taken": everything, "lists": told.lists, "places": _places(name, reader, told.lists)}


def _places(name: str, reader: Reader, listed: list[Listing]) -> dict[str, str]:
    """Give the page of each question in the lists."""
    ids = list(
        dict.fromkeys(one.id for listing in listed for part in listing.parts for one in part.questions)
    )
    numbers_of = reader.table.prompts.places(np.array([key_of(one) for one in ids], dtype=np.uint64))
    base = f"/runs/{quote(name)}/questions"
    return {one: f"{base}/{n}" for one, n in zip(ids, numbers_of.tolist(), strict=True)}


def _tally(reader: Reader) -> Tally:
    """Count graded answers by arm, label and model, as the report does from the rows."""
    table, names = reader.table, reader.table.names
    counts = (table.rank < min(reader.counted, table.run.originals)) & ~np.isnan(table.score)
    question = table.prompts.in_order[table.rank]
    heads = {"difficulty": table.prompts.head.difficulties, "category": table.prompts.head.categories}
    arms = [arm.name for arm in table.run.all_arms]
    tally = Tally()
    for field in FIELDS:
        labels = heads.get(field, names.task_type)
        codes = table.prompts.table[field][question] if field in heads else table.task_type
        at = np.flatnonzero(counts & (codes >= 0) & (table.model >= 0))
        if not len(at):
            continue
        shape = len(arms), len(labels), len(names.model)
        # one number for each arm, label and model: far faster than rows of three
        cells, which = np.unique(
            np.ravel_multi_index((table.arm[at], codes[at], table.model[at]), shape), return_inverse=True
        )
        graded = np.bincount(which, minlength=len(cells))
        scores = np.bincount(which, weights=table.score[at], minlength=len(cells))
        places = zip(*(place.tolist() for place in np.unravel_index(cells, shape)), strict=True)
        for (arm, label, model), n, score in zip(places, graded.tolist(), scores.tolist(), strict=True):
            tally.count((arms[arm], field, labels[label], names.model[model]), n, score)
    return tally


# ------------------------------------------------------------------------------------ questions


class Mark(NamedTuple):
    """One trial in the list of questions."""

    status: str
    model: str | None
    """None: the arm's own, or nobody."""
    cost: str
    repeat: int
    matches: bool
    """It is one of those that the filter is about."""


class Line(NamedTuple):
    """One question in the list."""

    n: int
    question: Question
    cells: list[tuple[str, list[Mark]]]
    """Arm and its trials, an entry an arm."""
    disagree: bool


class Choices(NamedTuple):
    """What the filter offers."""

    arms: list[str]
    models: list[str]
    kinds: list[str]
    difficulties: list[str]
    categories: list[str]


def choices(table: Table) -> Choices:
    """Give all labels that there are; models, the busiest first."""
    head, names = table.prompts.head, table.names
    models = np.bincount(table.model[table.model >= 0], minlength=len(names.model))
    return Choices(
        arms=[arm.name for arm in table.run.all_arms],
        models=[names.model[code] for code in np.argsort(-models, kind="stable").tolist()],
        kinds=sorted(names.failure),
        difficulties=sorted(head.difficulties),
        categories=sorted(head.categories),
    )


def questions(reader: Reader, selection: Selection, wanted: Filter) -> dict[str, Any]:
    """Give one page of the questions that a filter leaves."""
    pages = max(1, -(-len(selection.questions) // PER_PAGE))
    here = min(wanted.page, pages)
    shown = selection.questions[(here - 1) * PER_PAGE : here * PER_PAGE]
    return {
        "filter": wanted,
        "choices": choices(reader.table),
        "lines": lines(reader, shown, selection),
        "arms": [arm.name for arm in reader.table.run.all_arms],
        "compact": len(reader.table.run.all_arms) > MAX_ARMS,
        "found": len(selection.questions),
        "trials": selection.trials,
        "all": len(reader.table.first),
        "page": here,
        "pages": pages,
    }


def lines(reader: Reader, places: Codes, selection: Selection) -> list[Line]:
    """Give the questions at these places of the table."""
    return [_line(reader, place, selection) for place in places.tolist()]


def _line(reader: Reader, place: int, selection: Selection) -> Line:
    table, n = reader.table, int(reader.table.question[place])
    arms = table.run.all_arms
    cells: list[tuple[str, list[Mark]]] = [(arm.name, []) for arm in arms]
    for row in table.rows_of(place):
        arm = int(table.arm[row])
        cells[arm][1].append(_mark(table, row, arms[arm], matches=bool(selection.rows[row])))
    return Line(n, reader.questions[n], cells, bool(table.disagree[place]))


def _mark(table: Table, row: int, arm: Arm, *, matches: bool) -> Mark:
    model = table.names.model[table.model[row]] if table.model[row] >= 0 else None
    own = model is None or model == arm.model
    cost = numbers.usd(float(table.cost[row]))
    return Mark(STATUSES[table.status[row]], None if own else model, cost, int(table.repeat[row]), matches)


# ----------------------------------------------------------------------------------- one question


class Answer(NamedTuple):
    """One trial on the page of its question."""

    trial: Trial
    status: str


def answers(reader: Reader, place: int | None) -> list[Answer]:
    """Give all trials of a question in full, by arm and repeat."""
    at = range(0) if place is None else reader.table.rows_of(place)
    return [Answer(trial, page.status(trial.row)) for trial in reader.trials(at)]


def conversation(question: Question) -> list[tuple[str, str]]:
    """Give role and text of each message of a conversation; nothing for a plain prompt."""
    return [
        (str(message.get("role", "")), _content(message.get("content")))
        for message in question.messages or []
    ]


def _content(content: object) -> str:
    return content if isinstance(content, str) else msgspec.json.encode(content).decode()
