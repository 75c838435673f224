"""How far the pool of models could have gone: bounds from above and from below.

The oracle over one answer of each model knows those very answers, the lucky ones too: an upper bound. What
was shown to be reachable without knowing them is a lower bound: the cross-fitted best single model, a fresh
answer of the oracle's pick, or with repeats the pick of one half scored on the other.
"""

from __future__ import annotations

import numpy as np

from routemark.analysis.controls.oracles import NOTHING, best_scores
from routemark.analysis.matrix.outcomes import Outcomes, Picks
from routemark.analysis.stats.arrays import Codes, Floats
from routemark.records import Regret


def to_confirm(outcomes: Outcomes) -> Codes:
    """Give the model (n,) whose fresh answer confirms the oracle; NOTHING where every model scored 0.

    The model with the highest score, ties to the one with the higher mean, not the cheaper: it is the one
    that most probably knows. The mean of the fresh answers (0 where nothing is asked) is unbiased for this
    policy, and a lower bound of the true oracle.
    """
    choice = _by_score_then_mean(outcomes.score, outcomes.mean_score())
    return np.where(best_scores(outcomes) > 0, choice, NOTHING).astype(np.int32)


def split_halves(outcomes: Outcomes) -> float | None:
    """Give the oracle of repeats: chosen on one half of them, scored on the other, averaged both ways.

    Ties go to the model with the higher mean on the half that chooses. None without repeats.
    """
    if outcomes.halves is None:
        return None
    first, second = outcomes.halves
    both = ~(np.isnan(first) | np.isnan(second))
    if not both.any():
        return None
    first, second = np.where(both, first, np.nan), np.where(both, second, np.nan)
    return (_chosen_on(first, second) + _chosen_on(second, first)) / 2


def luck(outcomes: Outcomes) -> tuple[float | None, int]:
    """Give the share of choice questions that the oracle gets right if all models guess, and their number.

    1 - (1 - 1/k)^models for a question of k choices that so many models answered; None without a choice
    question.
    """
    models, choices = outcomes.known.sum(axis=1), outcomes.asked.choices
    at = (choices > 0) & (models > 0)
    if not at.any():
        return None, 0
    level = 1 - (1 - 1 / choices[at]) ** models[at]
    return float(level.mean()), int(at.sum())


def regret(outcomes: Outcomes, picks: Picks) -> Regret | None:
    """Give what the picks miss: 1 - accuracy = (1 - oracle) + (oracle - accuracy), by direct answers.

    The oracle is an upper bound, so "the pool could not" is at least the first part, "the router did not"
    at most the second. None without a pick whose score is known.
    """
    models = outcomes.direct()
    score, best = picks.of(models.score), best_scores(models)
    rows = ~np.isnan(score)
    if not rows.any():
        return None
    accuracy, oracle = float(score[rows].mean()), float(best[rows].mean())
    return Regret(
        n=int(rows.sum()),
        accuracy=accuracy,
        pool_could_not=1 - oracle,
        router_did_not=oracle - accuracy,
    )


def _chosen_on(choosing: Floats, scoring: Floats) -> float:
    known = ~np.isnan(choosing)
    rows = known.any(axis=1)
    means = np.where(known, choosing, 0.0).sum(axis=0) / np.maximum(1, known.sum(axis=0))
    choice = _by_score_then_mean(choosing, means)
    return float(scoring[np.flatnonzero(rows), choice[rows]].mean())


def _by_score_then_mean(score: Floats, means: Floats) -> Codes:
    """Give the model (n,) with the highest known score, ties to the higher mean, then to the first."""
    order = np.argsort(-means, kind="stable")
    ranked = np.where(np.isnan(score), -np.inf, score)[:, order]
    choice: Codes = order[ranked.argmax(axis=1)].astype(np.int32)
    return choice
