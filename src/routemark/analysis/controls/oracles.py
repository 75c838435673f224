"""Oracles: which model to ask each question, had one known every answer beforehand.

Two rules are in use, and with partial credit they differ a lot. RouterBench (arXiv 2403.12031) takes the
highest score, ties to the cheapest, and buys nothing where every model scores 0. RouterArena (arXiv
2510.00202) takes the cheapest model with full score, and leaves out questions that have none.

An oracle knows these very answers, also the lucky ones, so its score is an upper bound of any router's.
An unknown cell is never bought and never counts as 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from routemark.analysis.matrix.outcomes import Outcomes
from routemark.analysis.stats.arrays import Bools, Codes, Floats

NOTHING = -1
"""The choice where nothing is bought."""


class Oracle(NamedTuple):
    """What an oracle reaches."""

    questions: int
    """Questions that the figures rest on."""
    accuracy: float | None
    """Mean score over them; None without a question."""
    cost_per_1k_usd: float | None
    """Over those of them whose cost is known; None without one."""
    picks: dict[str, int]
    """How often each model is bought, the most frequent first, then by name."""


def best_then_cheapest(outcomes: Outcomes) -> Oracle:
    """Give the oracle by RouterBench's rule, over all questions with a known score.

    The highest score, ties to the cheapest; where the best score is 0 nothing is bought, at cost 0.
    """
    best = best_scores(outcomes)
    choice, cost = cheapest(outcomes, outcomes.score == best[:, None])
    cost = np.where(best == 0, 0.0, cost)
    choice = np.where(best == 0, NOTHING, choice).astype(np.int32)
    return _oracle(outcomes, np.isfinite(best), best, choice, cost)


def cheapest_full_score(outcomes: Outcomes) -> Oracle:
    """Give the oracle by RouterArena's rule, over the questions that some model gets fully right."""
    choice, cost = cheapest(outcomes, outcomes.score >= 1)
    return _oracle(outcomes, np.not_equal(choice, NOTHING), best_scores(outcomes), choice, cost)


def best_scores(outcomes: Outcomes) -> Floats:
    """Give the highest known score of each question (n,); NaN without one."""
    best = np.where(outcomes.known, outcomes.score, -np.inf).max(axis=1, initial=-np.inf)
    scores: Floats = np.where(np.isfinite(best), best, np.nan)
    return scores


def cheapest(outcomes: Outcomes, candidates: Bools) -> tuple[Codes, Floats]:
    """Give the cheapest candidate (n,) of each question and its cost (n,), US dollars an answer.

    ``candidates``: (n, m). Of models alike in cost the first by name is given; NOTHING and NaN without a
    candidate. A cost that is unknown loses against any other, and is NaN where it is all there is.
    """
    by_name = np.argsort(np.array(outcomes.models), kind="stable")
    price = np.where(np.isnan(outcomes.cost), np.finfo(float).max, outcomes.cost)
    price = np.where(candidates, price, np.inf)[:, by_name]
    if not len(by_name):
        return np.full(len(price), NOTHING, dtype=np.int32), np.full(len(price), np.nan)
    choice = by_name[price.argmin(axis=1)]
    cost = outcomes.cost[np.arange(len(choice)), choice]
    some = candidates.any(axis=1)
    return np.where(some, choice, NOTHING).astype(np.int32), np.where(some, cost, np.nan)


def _oracle(outcomes: Outcomes, at: Bools, score: Floats, choice: Codes, cost: Floats) -> Oracle:
    """Sum up the questions ``at``."""
    bought = choice[at & (choice != NOTHING)]
    counts = np.bincount(bought, minlength=len(outcomes.models))
    picks = {outcomes.models[model]: int(counts[model]) for model in np.flatnonzero(counts)}
    known = at & ~np.isnan(cost)
    return Oracle(
        questions=int(at.sum()),
        accuracy=float(score[at].mean()) if at.any() else None,
        cost_per_1k_usd=float(cost[known].mean()) * 1000 if known.any() else None,
        picks=dict(sorted(picks.items(), key=lambda item: (-item[1], item[0]))),
    )
