"""Rules that route without a router: what one would have done on the same questions."""

from __future__ import annotations

from typing import Literal

from routemark.records.base import Record

RuleKind = Literal["prompt", "labels"]


class RuleTest(Record, frozen=True, kw_only=True):
    """A yes-or-no question about a prompt, or about its labels."""

    feature: str
    """Of the prompt: ``characters``, ``digits``, ``code``, ...; of the labels: ``difficulty``, ``category``."""
    above: float | None = None
    """Yes when the feature is above it (a number, a share in [0, 1], 0 for what is there or not)."""
    equals: str | None = None
    """Yes when the label is this one."""


class RuleBranch(Record, frozen=True, kw_only=True):
    """A test, and the model, or the next test, for either answer."""

    test: RuleTest
    yes: RuleBranch | str
    no: RuleBranch | str


class Rule(Record, frozen=True, kw_only=True):
    """The best small rule of its kind, and how it does on questions that it was not made on."""

    kind: RuleKind
    """``prompt``: from the prompt alone; ``labels``: from category and difficulty, which somebody must give."""
    tree: RuleBranch | str
    """Made on all questions; a name alone: always this model."""
    sentence: str
    python: str
    """Source of a function ``route`` that needs nothing else."""
    price: float
    """Score that one US dollar counts for: what the rule is made to maximise is score - price * cost."""
    n: int
    """Questions."""
    accuracy: float
    """Mean score out of fold: each question by a rule made without it and its family."""
    accuracy_ci95: tuple[float, float] | None
    cost_per_1k_usd: float
    """Out of fold."""
    accuracy_difference: float
    """The router minus the rule, out of fold, on the same questions."""
    difference_ci95: tuple[float, float] | None
    cost_ratio: float | None
    """Cost of the router / of the rule, out of fold."""
    cost_ratio_ci95: tuple[float, float] | None
    same_in_folds: int
    """In how many of the 5 folds the rule had the same leaves; below 4 it is unstable."""

    @property
    def unstable(self) -> bool:
        """The rule depends on which questions it is made on."""
        return self.same_in_folds < 4


class Rules(Record, frozen=True, kw_only=True):
    """The rules beside one router."""

    router: str
    models: list[str]
    """Among which the rules choose."""
    prompt: Rule | None
    """None where the prompts are not known, as in a file of scores."""
    labels: Rule | None
    """None where all questions have one label."""
