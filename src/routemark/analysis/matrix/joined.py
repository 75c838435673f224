"""Arms that joined because a router picked their models: which trials tell of them; and confirming the oracle.

A rarely picked model is judged by its random sample alone: the questions on which it was picked are no fair
sample of all. With ``--baselines missing`` the routers' own answers by a model stand in for the direct ones
that were not asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np

from routemark.analysis.controls.bounds import to_confirm
from routemark.analysis.controls.oracles import NOTHING
from routemark.analysis.matrix.columns import Columns, Rows, Table
from routemark.analysis.matrix.live import pools
from routemark.analysis.matrix.outcomes import Outcomes
from routemark.analysis.stats.arrays import Codes, Floats
from routemark.records import Arm, ArmSummary, Grade, Outcome, Question, Run


class Joined(NamedTuple):
    """What manifest and journal tell of the arms that joined, beside their outcomes."""

    samples: Mapping[str, Collection[str]]
    """Arm -> ids of the questions of its random sample, where it was not asked all of them."""
    stand_ins: Mapping[str, Collection[str]]
    """Arm -> names under which its model served routers whose answers stand in for direct ones."""
    routers: Collection[int] = ()
    """Index of each router's arm in the table."""


NOBODY = Joined({}, {})


def rows_that_tell(table: Table, joined: Joined) -> list[Rows]:
    """Give, for each arm of a table, the trials that its figures rest on."""
    names = table.columns.models.names
    found = []
    for index, name in enumerate(table.arms):
        rows = table.rows(index)
        if name in joined.stand_ins:
            models = np.array([model in joined.stand_ins[name] for model in names], dtype=bool)
            rows = table.rows_served(index, joined.routers, models)
        if name in joined.samples:
            rows = rows.where(table.has(joined.samples[name])[rows.question])
        found.append(rows)
    return found


# --------------------------------------------------------------------------- the oracle's confirmation


class Confirming(NamedTuple):
    """Whom to ask afresh, question by question."""

    arms: list[Arm]
    choice: Codes
    """(questions of the table,) index of an arm; -1: nobody."""


def confirming(table: Table, arms: Mapping[str, ArmSummary], run: Run, joined: Joined) -> Confirming | None:
    """Give each question's best right model by direct answers (see `bounds.to_confirm`); None without a pool.

    Of several pools (routers with different settings) the first is confirmed.
    """
    first = next(iter(pools(table, arms, run, joined.samples)), None)
    if first is None:
        return None
    routers = [arm.body for arm in run.all_arms if arms[arm.name].is_router]
    fixed = [arm for arm in run.all_arms if not (arms[arm.name].is_router or arm.models or arm.plugin)]
    alike = [arm for arm in fixed if not routers or arm.body == routers[0]]
    by_model = {arm.model: index for index, arm in reversed(list(enumerate(alike)))}
    outcomes = first.outcomes.measured()
    askable = [index for index, model in enumerate(outcomes.models) if model in by_model]
    outcomes = outcomes.only(askable)
    asked = np.array([*(by_model[model] for model in outcomes.models), NOTHING], dtype=np.int32)
    choice = asked[to_confirm(outcomes)] if outcomes.models else np.full(table.questions, NOTHING, np.int32)
    return Confirming(alike, choice)


class Confirmations:
    """Fresh answers to the oracle's picks."""

    def __init__(self) -> None:
        self._columns = Columns()
        self._questions: list[str] = []

    def append(self, question: Question, outcome: Outcome, grade: Grade | None) -> None:
        """Take one."""
        self._columns.append(question, outcome, grade)
        self._questions.append(question.id)

    def accuracy(self, table: Table, outcomes: Outcomes) -> float | None:
        """Give the mean score of the fresh answers, 0 where no model was right; None while some are lacking.

        ``outcomes``: the pool that the oracle chose from. A question whose fresh answer could not be graded, or
        that no model has a score on, is left out.
        """
        pool = outcomes.measured()
        score = np.where(pool.known.any(axis=1), 0.0, np.nan)
        wanted = to_confirm(pool) != NOTHING if pool.models else np.zeros(table.questions, dtype=bool)
        place = table.places(self._questions)
        asked = np.zeros(table.questions, dtype=bool)
        asked[place[place >= 0]] = True
        if not asked.any() or (wanted & ~asked).any():
            return None
        fresh: Floats = np.asarray(self._columns.score)
        score[place[place >= 0]] = fresh[place >= 0]
        known = ~np.isnan(score)
        return float(score[known].mean()) if known.any() else None
