"""From the trials of a run to the outcome matrix, and to what its routers picked.

A column is a model that a fixed arm asked directly, with the same other settings as the routers. Where a
model was not asked, a router's own answers by it fill the cell, marked LIVE; a model that nobody asked
directly has a column of such cells alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from routemark.analysis.arms import label_order
from routemark.analysis.compare import question_means
from routemark.analysis.matrix.columns import NONE, Rows, Table
from routemark.analysis.matrix.outcomes import (
    DIRECT,
    LIVE,
    UNKNOWN,
    Asked,
    Grouping,
    Outcomes,
    Picks,
    Sources,
)
from routemark.analysis.stats.arrays import Bools, Codes, Floats
from routemark.records import Arm, ArmSummary, Run


class Pool(NamedTuple):
    """The arms of a run that share their settings: the models, and the routers that picked from them."""

    outcomes: Outcomes
    picks: dict[str, Picks]
    """By router."""


class _Cells(NamedTuple):
    """What `Outcomes` holds of its cells, by the same names."""

    score: Floats
    cost: Floats
    latency: Floats
    source: Sources
    single: bool = True
    halves: tuple[Floats, Floats] | None = None


def pools(
    table: Table, arms: Mapping[str, ArmSummary], run: Run, samples: Mapping[str, Iterable[str]] | None = None
) -> list[Pool]:
    """Give one pool for each setting that a router has; without a router, the largest one of fixed arms.

    ``arms``: summaries of the table's arms. ``samples``: by fixed arm, the ids of the questions of the
    random sample that it was asked, where it was not asked all of them.
    """
    alike: list[dict[str, Any]] = []
    for arm in run.all_arms:
        if arms[arm.name].is_router and arm.body not in alike:
            alike.append(arm.body)
    if not alike and run.all_arms:
        every = [arm.body for arm in run.all_arms]
        alike.append(max(every, key=every.count))
    return [outcomes_of(table, arms, run, body, samples) for body in alike]


def outcomes_of(
    table: Table,
    arms: Mapping[str, ArmSummary],
    run: Run,
    body: Mapping[str, Any],
    samples: Mapping[str, Iterable[str]] | None = None,
) -> Pool:
    """Give the pool of the arms whose other request fields are ``body``; other arguments as for `pools`."""
    alike = [arm for arm in run.all_arms if arm.body == body]
    routers = [arm.name for arm in alike if arms[arm.name].is_router]
    fixed, place = _columns([arm for arm in alike if arm.name not in routers], arms, run.asked_as)
    own = sorted({model for name in routers for model in arms[name].model_usage} - place.keys())
    place |= {model: len(fixed) + i for i, model in enumerate(own)}
    shape = table.questions, len(fixed) + len(own)
    served = np.array([place.get(model, NONE) for model in (*table.columns.models.names, "")], dtype=np.int32)
    calls = {name: table.rows(table.arms.index(name)) for name in routers}
    cells = _filled(
        _direct(table, [arm.name for arm in fixed], shape),
        _live([(rows, served[rows.model]) for rows in calls.values()], shape),
    )
    outcomes = Outcomes(
        asked=asked_of(table),
        models=(*(arm.model for arm in fixed), *own),
        sampled=_sampled(table, [arm.name for arm in fixed], shape, samples or {}),
        **cells._asdict(),
    )
    return Pool(
        outcomes, {name: _picks(name, rows, served[rows.model], shape) for name, rows in calls.items()}
    )


def asked_of(table: Table) -> Asked:
    """Give what is known of the questions of a table; labels in `label_order`, whichever came first."""
    n = table.questions
    cluster, choices = np.zeros(n, dtype=np.int32), np.zeros(n, dtype=np.int64)
    difficulty, category = np.full(n, NONE, dtype=np.int32), np.full(n, NONE, dtype=np.int32)
    for rows in map(table.rows, range(len(table.arms))):
        question = rows.question
        cluster[question], choices[question] = rows.cluster, rows.choices
        difficulty[question], category[question] = rows.difficulty, rows.category
    names = table.columns
    return Asked(
        cluster,
        _grouping(difficulty, names.difficulties.names),
        _grouping(category, names.categories.names),
        choices,
    )


def _grouping(code: Codes, names: Sequence[str]) -> Grouping:
    ordered = sorted(names, key=label_order)
    place = np.array([*(ordered.index(name) for name in names), NONE], dtype=np.int32)
    return Grouping(place[code], ordered)


def _columns(
    fixed: Iterable[Arm], arms: Mapping[str, ArmSummary], asked_as: Mapping[str, str]
) -> tuple[list[Arm], dict[str, int]]:
    """Give the arms that are columns, and the column of each model by all its names.

    A model is known by the slug that was sent and by the names under which it served; the first arm counts.
    """
    columns: list[Arm] = []
    place: dict[str, int] = {}
    for arm in fixed:
        names = [name for name, slug in asked_as.items() if slug == arm.model]
        names = [arm.model, *arms[arm.name].model_usage, *names]
        if arm.plugin is None and not arm.models and arm.model not in place:
            for name in names:
                place.setdefault(name, len(columns))
            columns.append(arm)
    return columns, place


def _direct(table: Table, names: Sequence[str], shape: tuple[int, int]) -> _Cells:
    """Give the cells of the fixed arms, which are the first columns."""
    repeats = 1
    cells = _nothing(shape)
    first, second = (np.full(shape, np.nan, order="F") for _ in range(2))
    for column, name in enumerate(names):
        rows = table.rows(table.arms.index(name))
        question, score, repeat = rows.question, rows.score, rows.repeat
        repeats = max(repeats, int(repeat.max(initial=0)) + 1)
        cells.source[question, column] = DIRECT
        for into, values in ((cells.score, score), (cells.cost, rows.cost), (cells.latency, rows.latency)):
            into[:, column], _ = question_means(question, values, shape[0])
        half = repeat < (int(repeat.max(initial=0)) + 1) // 2
        for into, some in ((first, half), (second, ~half)):
            into[:, column], _ = question_means(question[some], score[some], shape[0])
    return cells._replace(single=repeats == 1, halves=(first, second) if repeats > 1 else None)


def _live(calls: Sequence[tuple[Rows, Codes]], shape: tuple[int, int]) -> _Cells:
    """Give the cells that the routers' own answers tell, from the trials of each and their columns."""
    cells = _nothing(shape)
    size, single = shape[0] * shape[1], True
    if calls and size:
        column = np.concatenate([column for _, column in calls])
        cell = column * np.int64(shape[0]) + np.concatenate([rows.question for rows, _ in calls])
        served = column != NONE
        for into, name in ((cells.score, "score"), (cells.cost, "cost"), (cells.latency, "latency")):
            values = np.concatenate([getattr(rows, name) for rows, _ in calls])[served]
            means, most = question_means(cell[served], values, size)
            into[:] = means.reshape(shape, order="F")
            single = single and most <= 1
        cells.source.T.reshape(-1)[cell[served]] = LIVE
    return cells._replace(single=single)


def _filled(direct: _Cells, live: _Cells) -> _Cells:
    """Give the direct cells, and live ones where the model was not asked."""
    gap = (direct.source == UNKNOWN) & (live.source == LIVE)
    return direct._replace(
        score=np.where(gap, live.score, direct.score),
        cost=np.where(gap, live.cost, direct.cost),
        latency=np.where(gap, live.latency, direct.latency),
        source=np.where(gap, live.source, direct.source),
        single=direct.single and live.single,
    )


def _nothing(shape: tuple[int, int]) -> _Cells:
    """Give a matrix without a known cell, to be filled."""
    score, cost, latency = (np.full(shape, np.nan, order="F") for _ in range(3))
    return _Cells(score, cost, latency, np.full(shape, UNKNOWN, dtype=np.int8, order="F"))


def _sampled(
    table: Table, fixed: Sequence[str], shape: tuple[int, int], samples: Mapping[str, Iterable[str]]
) -> Bools | None:
    """Give the cells (n, m) of which the means are made."""
    if not samples.keys() & set(fixed):
        return None
    sampled = np.ones(shape, dtype=bool, order="F")
    for column, name in enumerate(fixed):
        if name in samples:
            sampled[:, column] = table.has(samples[name])
    return sampled


def _picks(name: str, rows: Rows, column: Codes, shape: tuple[int, int]) -> Picks:
    """Give what a router picked, from its trials and the column of the model that served each."""
    question, served = rows.question, column != NONE
    cell = column[served] * np.int64(shape[0]) + question[served]
    count = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape, order="F")
    answers = count.sum(axis=1, keepdims=True)
    share: Floats = count / np.maximum(1, answers)
    score, _ = question_means(question, rows.score, shape[0])
    cost, _ = question_means(question, rows.cost, shape[0])
    return Picks(name, share, score, cost)
