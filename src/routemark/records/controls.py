"""The controls: what the models, their mixtures and the oracles make of the same questions."""

from __future__ import annotations

from typing import Literal

from routemark.records.base import Record


class MixSplit(Record, frozen=True, kw_only=True):
    """The gain over the same mix, split by a label of the questions: ``within`` + ``between`` = gain."""

    strata: int
    """Labels."""
    within: float
    """Gain over the same mix inside each label, averaged by questions: it knows more than the label."""
    within_ci95: tuple[float, float]
    within_p_value: float
    """One-sided, from permutations of the picks inside the labels."""
    between: float
    """What comes of telling one label from another."""


class SameMix(Record, frozen=True, kw_only=True):
    """The arm's own mix of models, picked at random (RouterBench's idea; see docs/methods.md)."""

    accuracy: float
    cost_per_1k_usd: float | None
    gain: float
    gain_ci95: tuple[float, float]
    p_value: float | None
    """One-sided; None where ``includes_delivery``."""
    n: int = 0
    """Questions that the control rests on."""
    picks_accuracy: float | None = None
    """Mean score of the picks by the models' direct answers; minus ``accuracy`` it is the picking."""
    cost_p_value: float | None = None
    """One-sided: the same picks, dealt at random, cost as little."""
    by_difficulty: MixSplit | None = None
    by_category: MixSplit | None = None
    includes_delivery: bool = False
    """The router's own answers stand in for direct ones: picking and delivery together."""


class Delivery(Record, frozen=True, kw_only=True):
    """What the router's own calls did better or worse than direct calls of the models that it picked."""

    accuracy_difference: float
    """Live minus direct, over the same questions and models."""
    ci95: tuple[float, float] | None
    n: int
    """Questions with both."""
    clusters: int
    live_accuracy: float
    direct_accuracy: float
    cost_difference_per_1k_usd: float | None
    """Live minus direct, over the questions with both costs known."""


class EqualCost(Record, frozen=True, kw_only=True):
    """The router beside the best mixture of fixed models that costs as much."""

    n: int
    accuracy: float
    """Of the router; by its own answers where it has some, else by its picks."""
    cost_per_1k_usd: float
    """Of the router, likewise."""
    mixture_accuracy: float
    """Height of the zero router at that cost."""
    gap: float
    """Router minus mixture."""
    gap_ci95: tuple[float, float]
    gap_ci99: tuple[float, float]
    standing: Literal["above", "below", "open"]
    """Above needs the 95 % interval, below the 99 % interval: the mixture is chosen on the same questions."""
    cheap: str
    dear: str
    """The two models of the mixture; the same where one model alone is the best for the money."""
    dear_share: float
    """Share of the questions that go to ``dear``."""


class Regret(Record, frozen=True, kw_only=True):
    """What the picks miss, by direct answers: 1 - accuracy = pool_could_not + router_did_not."""

    n: int
    """Questions with a pick whose score is known."""
    accuracy: float
    """Mean score of the picks."""
    pool_could_not: float
    """1 - oracle: at least so much was beyond every model."""
    router_did_not: float
    """Oracle - picks: at most so much was missed by picking."""


class Fixed(Record, frozen=True, kw_only=True):
    """One model for every question, or all of them by lot."""

    model: str | None
    """None: uniform over the pool."""
    n: int
    """Questions with a score."""
    accuracy: float | None
    cost_per_1k_usd: float | None


class BestSingle(Record, frozen=True, kw_only=True):
    """The best fixed model of the pool."""

    model: str
    n: int
    accuracy: float
    """Of the model that is best on these very questions: optimistic."""
    cost_per_1k_usd: float | None
    crossfit_accuracy: float | None = None
    """Chosen on nine folds, scored on the tenth; None below two groups of questions."""
    crossfit_cost_per_1k_usd: float | None = None
    crossfit_models: dict[str, int] = {}
    """In how many folds each model was chosen."""


class OraclePoint(Record, frozen=True, kw_only=True):
    """What one oracle reaches."""

    questions: int
    accuracy: float | None
    cost_per_1k_usd: float | None
    picks: dict[str, int]


class Vertex(Record, frozen=True, kw_only=True):
    """A model on the hull of the zero router."""

    model: str
    accuracy: float
    cost_per_1k_usd: float


class OracleSummary(Record, frozen=True, kw_only=True):
    """What the pool of models could have done, from direct answers only."""

    questions: int
    models: list[str]
    best_then_cheapest: OraclePoint
    """RouterBench's rule: an upper bound, it knows these very answers, the lucky ones too."""
    cheapest_full_score: OraclePoint
    """RouterArena's rule, over the questions that some model gets fully right."""
    reachable: float | None
    """The best that was shown to be reachable without knowing these answers: a lower bound."""
    split_halves: float | None
    """With repeats: chosen on one half of them, scored on the other, both ways; else None."""
    confirmed: float | None
    """Accuracy of a fresh answer of the oracle's pick, where asked."""
    luck: float | None
    """Share of the choice questions that the oracle would get right if every model guessed."""
    choice_questions: int
    best_single: BestSingle | None
    cheapest: Fixed | None
    dearest: Fixed | None
    random: Fixed | None
    zero_router: list[Vertex]
    """By rising cost."""
    by_difficulty: dict[str, OraclePoint] = {}
    """``best_then_cheapest`` on the questions of each difficulty."""
