"""When a run may stop: outcomes and grades come in any order, questions are looked at in the order of the plan.

A question is looked at once all its trials have ended and are graded or cannot be, and all the questions
before it are: the longest finished prefix. What is decided is hence a function of that prefix alone, the same
whoever was faster, however often the run was taken up again, and whether it is asked while the run goes on or
of its journal afterwards.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from routemark.analysis.stats.arrays import Floats
from routemark.analysis.stopping.sequential import Design
from routemark.analysis.stopping.sequential import Sequence as Looks
from routemark.analysis.sureness import is_enough
from routemark.config import Settings
from routemark.errors import UsageError, rule
from routemark.policy.plan import order_key
from routemark.records import Arm, Claim, Grade, Outcome, Run, Stopping


class Contest(NamedTuple):
    """What a run is to decide: the first router against ``--baseline``, else against every fixed model."""

    router: int
    """Index among the arms of the run."""
    rivals: list[int]
    design: Design


def contest(arms: Sequence[Arm], settings: Settings, questions: int) -> Contest | None:
    """Give what ``--until-decided`` is about; None without it. Raises UsageError when there is nothing to decide."""
    if settings.until_decided is None:
        return None
    baseline = _baseline(arms, settings.baseline)
    routers = [i for i, arm in enumerate(arms) if arm.is_router and i != baseline]
    if not routers:
        raise UsageError(
            "--until-decided: no router to decide about: add one with -m, e.g. -m openrouter/auto."
        )
    rivals = [i for i, arm in enumerate(arms) if not arm.is_router] if baseline is None else [baseline]
    if not rivals:
        raise UsageError(
            f"--until-decided: nothing to compare {arms[routers[0]].name} with: add a fixed model with -m, "
            "or --baseline MODEL."
        )
    design = Design(settings.until_decided, settings.estimand, settings.margin, questions)
    return Contest(routers[0], rivals, design)


def _baseline(arms: Sequence[Arm], named: str | None) -> int | None:
    """Give the arm that ``--baseline`` names, by its name, else by its model."""
    by_name = [i for i, arm in enumerate(arms) if arm.name == named]
    by_model = [i for i, arm in enumerate(arms) if arm.model == named]
    return next(iter(by_name + by_model), None)


class Deciding:
    """Looks at a run question by question until it is decided."""

    def __init__(self, of: Contest, run: Run, question_ids: Iterable[str]) -> None:
        """``question_ids``: all that count, i.e. without perturbed copies, in any order."""
        self.contest = of
        self.decision: Claim | None = None
        """None: not decided yet, or not before the last question."""
        self._names = [arm.name for arm in run.arms]
        self._arms = {name: i for i, name in enumerate(self._names)}
        self._seed, self._repeats = run.seed, run.repeats
        self._keys = np.sort(_keys(question_ids, run.seed))
        self._scores = array("d")
        self._pending: dict[int, _Trials] = {}
        self._ungraded: dict[str, Outcome] = {}
        self._lost = np.zeros(len(run.arms))
        self._pairs = [Looks(of.design, len(of.rivals)) for _ in of.rivals]

    @property
    def questions(self) -> int:
        """Number of questions looked at; once decided, those that it took."""
        return len(self._scores) // len(self._arms)

    @property
    def early(self) -> bool:
        """Tell whether it was decided before the last question."""
        return self.decision is not None and self.questions < len(self._keys)

    @property
    def scores(self) -> Floats:
        """Give the scores of the questions looked at (questions, arms), in the order of the plan; NaN unknown."""
        return np.array(self._scores).reshape(-1, len(self._arms))

    def stopping(self) -> Stopping:
        """Give how far the run went, and what was decided while it went on."""
        of = self.contest
        return Stopping(
            mode=of.design.mode,
            estimand=of.design.estimand,
            margin=of.design.margin,
            arm=self._names[of.router],
            baselines=[self._names[rival] for rival in of.rivals],
            decision=self.decision,
            worse_than=[
                self._names[rival]
                for rival, looks in zip(of.rivals, self._pairs, strict=True)
                if self.decision == "worse" and looks.worse
            ],
            questions=self.questions,
            planned=of.design.questions,
            early=self.early,
        )

    def saw(self, outcome: Outcome, grade: Grade | None) -> None:
        """Take a trial that has ended; an answer without a grade counts once `graded` brings it."""
        position = self._position(outcome.question_id)
        if outcome.arm not in self._arms or not 0 <= outcome.repeat < self._repeats:
            return  # of an arm that joined later, or to confirm something
        if position is None or position < self.questions or self.decision is not None:
            return
        failure = outcome.failure
        if failure is not None and rule(failure.kind).cause != "service":
            return  # not asked, as far as the arm is concerned: it will be asked again
        if failure is None and grade is None:
            self._ungraded[outcome.trial] = outcome
            return
        self._ungraded.pop(outcome.trial, None)
        score = 0.0 if grade is None else math.nan if grade.score is None else grade.score
        trials = self._pending.setdefault(position, _Trials(len(self._arms), self._repeats))
        trials.add(self._arms[outcome.arm], outcome.repeat, score, failed=failure is not None)
        self._look()

    def graded(self, grade: Grade) -> None:
        """Take the grade of an answer that came before."""
        outcome = self._ungraded.pop(grade.trial, None)
        if outcome is not None:
            self.saw(outcome, grade)

    def _position(self, question_id: str) -> int | None:
        """Give the place in the order of the plan; None for a question that does not count."""
        key = order_key(self._seed, question_id)
        place = int(np.searchsorted(self._keys, np.uint64(key)))
        return place if place < len(self._keys) and int(self._keys[place]) == key else None

    def _look(self) -> None:
        """Look at every question whose turn it is, until decided."""
        while self.decision is None and (trials := self._pending.get(self.questions)) is not None:
            if not trials.complete:
                return
            del self._pending[self.questions]
            scores = trials.means()
            self._lost += trials.lost()
            self._scores.extend(scores.tolist())
            router = scores[self.contest.router]
            for looks, rival in zip(self._pairs, self.contest.rivals, strict=True):
                looks.add(router - scores[rival])
            self.decision = self._decided()

    def _decided(self) -> Claim | None:
        """Give what is sure of all rivals, if the answers so far are of a kind that a verdict judges by."""
        contest, pairs = self.contest, self._pairs
        lost = self._lost[[contest.router, *contest.rivals]] / self.questions
        if not is_enough(min(looks.n for looks in pairs), float(lost.max())):
            return None
        if all(looks.better for looks in pairs):
            return "better"
        if any(looks.worse for looks in pairs):
            return "worse"
        return "equivalent" if all(looks.better or looks.equivalent for looks in pairs) else None


class _Trials:
    """The trials of one question, as they come."""

    def __init__(self, arms: int, repeats: int) -> None:
        self._score = np.full((arms, repeats), math.nan)
        self._failed = np.zeros((arms, repeats), dtype=bool)
        self._there = np.zeros((arms, repeats), dtype=bool)

    @property
    def complete(self) -> bool:
        return bool(self._there.all())

    def add(self, arm: int, repeat: int, score: float, *, failed: bool) -> None:
        """Take a trial; one that was asked again replaces its former self."""
        self._score[arm, repeat], self._failed[arm, repeat] = score, failed
        self._there[arm, repeat] = True

    def means(self) -> Floats:
        """Give the mean known score of each arm; NaN without one."""
        known = ~np.isnan(self._score)
        total, count = np.where(known, self._score, 0.0).sum(axis=1), known.sum(axis=1)
        means: Floats = np.divide(total, count, out=np.full(len(total), math.nan), where=count > 0)
        return means

    def lost(self) -> Floats:
        """Give the share of each arm's trials that failed or have no score."""
        share: Floats = (self._failed | np.isnan(self._score)).mean(axis=1)
        return share


def _keys(question_ids: Iterable[str], seed: int) -> npt.NDArray[np.uint64]:
    return np.fromiter((order_key(seed, name) for name in question_ids), dtype=np.uint64)
