"""Routing by rule: what a few lines of code would have done in the place of the router.

The best small tree (see ``trees``) is made on some questions and scored on others. Everything about it is
chosen without the questions it is scored on: five outer folds that part no family and no near-duplicates;
inside each, tree, cuts, default model and price are chosen in four inner folds. The price of a dollar is the
smallest at which the rule, out of the inner folds, costs no more than the router. The rule that is shown is
made on all questions, and shown with its figure out of fold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from routemark.analysis.controls.cost import cost_ratios
from routemark.analysis.matrix.outcomes import DIRECT, FILE, Outcomes, Picks
from routemark.analysis.rules.prompt_features import Prompts
from routemark.analysis.rules.rule_words import Names, python_source, sentence, tree_record
from routemark.analysis.rules.trees import Grower, Sample, Split, Tree, choose, labels, leaves, terciles
from routemark.analysis.stats.arrays import Bools, Codes, Floats, Ints
from routemark.analysis.stats.clusters import grouped_means
from routemark.analysis.stats.folds import folds
from routemark.analysis.stats.intervals import accuracy_interval
from routemark.analysis.stats.paired import difference_interval, paired
from routemark.records import Rule, RuleKind, Rules

OUTER, INNER = 5, 4
PRICES = 25
FEWEST_QUESTIONS = 100
FEWEST_GROUPS = 20
"""Families and near-duplicates, below which folds hold too little to choose anything by."""
MOST_QUESTIONS = 5_000
"""Above, the rules are made and scored on about so many: whole families, drawn at random."""
LEAST_COMPLETE = 0.8
"""Share of the router's questions on which a model must be known to be chosen from."""

_Splits = Callable[[Floats], list[Split]]


class _Router(NamedTuple):
    """What is known of the questions beside the sample: (n,) each."""

    score: Floats
    cost: Floats
    group: Codes
    """Never parted by a fold."""
    stratum: Codes

    def where(self, rows: Bools) -> _Router:
        return _Router(self.score[rows], self.cost[rows], self.group[rows], self.stratum[rows])


class _OutOfFold(NamedTuple):
    """What a rule scores and costs (n,) where it was made without the question, and the trees of the folds."""

    score: Floats
    cost: Floats
    trees: list[Tree]


def routing_rules(outcomes: Outcomes, picks: Picks, prompts: Prompts | None, *, seed: int) -> Rules | None:
    """Give the two rules beside the router of ``picks``.

    None below 100 questions, 20 families or two models.
    ``outcomes``: cells from direct calls or files count, with score and cost. ``prompts``: of the same
    questions; without them there is the rule from labels alone. The router's own score and cost are taken
    where known, else those of the cells it picked. Some seconds for 1,080 questions x 14 models.
    """
    known = outcomes.known & ~np.isnan(outcomes.cost) & np.isin(outcomes.source, (DIRECT, FILE))
    score = picks.of(outcomes.score) if np.isnan(picks.score).all() else picks.score
    cost = picks.of(outcomes.cost) if np.isnan(picks.cost).all() else picks.cost
    of_router = ~(np.isnan(score) | np.isnan(cost))
    if np.count_nonzero(of_router) < FEWEST_QUESTIONS:
        return None
    models = np.flatnonzero(known[of_router].mean(axis=0) >= LEAST_COMPLETE)
    rows = np.flatnonzero(of_router & known[:, models].all(axis=1))
    rows = _drawn(rows, outcomes.asked.cluster, seed)
    if len(models) < 2 or len(rows) < FEWEST_QUESTIONS:
        return None
    asked = outcomes.asked.where(rows)
    group = asked.cluster if prompts is None else _groups(asked.cluster, prompts.skeleton[rows])
    if len(np.unique(group)) < FEWEST_GROUPS:
        return None
    by_label = np.column_stack([asked.difficulty.code, asked.category.code]).astype(float)
    names = Names(
        tuple(outcomes.models[model] for model in models), (asked.difficulty.names, asked.category.names)
    )
    maker = _Maker(
        outcomes.score[np.ix_(rows, models)],
        outcomes.cost[np.ix_(rows, models)],
        asked.cluster,
        _Router(score[rows], cost[rows], group, asked.difficulty.code),
        names,
        outcomes.single,
        seed,
    )
    return Rules(
        router=picks.arm,
        models=list(names.models),
        prompt=None if prompts is None else maker.make("prompt", prompts.features[rows], terciles),
        labels=maker.make("labels", by_label, labels) if (by_label != by_label[0]).any() else None,
    )


class _Maker(NamedTuple):
    """Makes rules of either kind from the same questions."""

    score: Floats
    cost: Floats
    cluster: Codes
    router: _Router
    names: Names
    single: bool
    seed: int

    def make(self, kind: RuleKind, features: Floats, splits: _Splits) -> Rule:
        """Give the rule of one kind; ``features`` (n, k) is what it may ask about."""
        sample = Sample(features, self.score, self.cost, self.cluster)
        tree, price = _fitted(sample, self.router, splits, self.seed)
        held_out = _out_of_fold(sample, self.router, splits, self.seed)
        n, router = len(features), self.router
        mean = grouped_means(
            1, np.zeros(n, dtype=np.int32), np.arange(n, dtype=np.int32), self.cluster, held_out.score
        )[0]
        difference = paired(router.score, held_out.score, self.cluster, single=self.single)
        (ratio,) = cost_ratios([(router.cost, held_out.cost)], seed=self.seed)
        return Rule(
            kind=kind,
            tree=tree_record(kind, tree, self.names),
            sentence=sentence(kind, tree, self.names),
            python=python_source(kind, tree, self.names, n),
            price=price,
            n=n,
            accuracy=mean.value,
            accuracy_ci95=accuracy_interval(mean),
            cost_per_1k_usd=float(held_out.cost.mean()) * 1000,
            accuracy_difference=difference.mean,
            difference_ci95=difference_interval(difference),
            cost_ratio=ratio.ratio,
            cost_ratio_ci95=ratio.interval,
            same_in_folds=sum(leaves(other) == leaves(tree) for other in held_out.trees),
        )


def _out_of_fold(sample: Sample, router: _Router, splits: _Splits, seed: int) -> _OutOfFold:
    """Score each question by the rule that was made on the other outer folds."""
    fold = folds(router.group, router.stratum, OUTER, seed=seed)
    choice = np.zeros(len(fold), dtype=np.int32)
    trees = []
    for held in range(OUTER):
        rest, out = fold != held, fold == held
        tree, _ = _fitted(sample.where(rest), router.where(rest), splits, seed)
        choice[out] = choose(tree, sample.features[out])
        trees.append(tree)
    rows = np.arange(len(choice))
    return _OutOfFold(sample.score[rows, choice], sample.cost[rows, choice], trees)


def _fitted(sample: Sample, router: _Router, splits: _Splits, seed: int) -> tuple[Tree, float]:
    """Give the rule made on a sample and its price: the smallest that keeps to the router's cost.

    Where no price does, the highest: the cheapest rule there is.
    """
    budget = float(router.cost.mean())
    fold = folds(router.group, router.stratum, INNER, seed=seed)
    inner = []
    for held in range(INNER):
        rest, out = sample.where(fold != held), sample.where(fold == held)
        inner.append((Grower(rest, splits(rest.features)), out))
    whole = Grower(sample, splits(sample.features))
    prices = _prices(sample.cost.mean(axis=0), budget)
    price = next((price for price in prices if _cost_out_of_fold(inner, price) <= budget), prices[-1])
    return whole.grow(price), price


def _cost_out_of_fold(inner: list[tuple[Grower, Sample]], price: float) -> float:
    """Give the mean cost, US dollars a question, of the rules on the folds they were made without."""
    total, n = 0.0, 0
    for grower, out in inner:
        choice = choose(grower.grow(price), out.features)
        total += float(out.cost[np.arange(len(choice)), choice].sum())
        n += len(choice)
    return total / n


def _prices(cost: Floats, budget: float) -> list[float]:
    """Give 0 and 25 log-spaced prices, score a dollar, between those that hardly matter and that surely do.

    The lowest takes 0.01 from the score of the dearest model against the cheapest. The highest takes 2, more
    than any score makes good, from the cheapest of the models that cost more than ``budget``.
    """
    above = cost - cost.min()
    too_dear = above[(cost > budget) & (above > 0)]
    if not len(too_dear):
        return [0.0] if not above.any() else [0.0, *_spaced(0.01 / above.max(), 2 / above[above > 0].min())]
    return [0.0, *_spaced(0.01 / above.max(), 2 / too_dear.min())]


def _spaced(low: float, high: float) -> list[float]:
    prices: list[float] = np.geomspace(low, high, PRICES).tolist()
    return prices


def _groups(cluster: Codes, skeleton: Codes) -> Codes:
    """Give what no fold may part: families, and near-duplicates of questions without a family."""
    _, inverse, sizes = np.unique(cluster, return_inverse=True, return_counts=True)
    return np.where(sizes[inverse] > 1, inverse, len(sizes) + skeleton).astype(np.int32)


def _drawn(rows: Ints, cluster: Codes, seed: int) -> Ints:
    """Give the rows, of too many those of some clusters drawn at random, in their order."""
    if len(rows) <= MOST_QUESTIONS:
        return rows
    _, inverse, sizes = np.unique(cluster[rows], return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(sizes))
    kept = order[: max(1, int(np.searchsorted(np.cumsum(sizes[order]), MOST_QUESTIONS, side="right")))]
    return rows[np.isin(inverse, kept)]
