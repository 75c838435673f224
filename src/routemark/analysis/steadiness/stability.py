"""How steady an arm is over the repeats of the same question.

With R repeats of question i, K_i pairs of them have both models known, and A_i of those one model twice::

    same pick         = mean_i A_i / K_i
    entropy           = mean_i -sum_m f_im log2 f_im,   f_im the share of model m in the repeats of i
    self-disagreement = mean_i (pairs whose scores differ) / (pairs with both scores)
    score changes     = mean over questions with such pairs of |score - score'|: other models served; one model
    flip effect       = mean over questions with both kinds of pairs of the first minus the second

The flip effect stays within the question, since those on which a router wavers are not like the others; it takes
three repeats, of which two got the same model. Repeats with fresh sessions are independent draws, so the first is the probability that two draws agree. The
entropy is that of the repeats seen, which is low for few of them: R repeats show at most log2 R bits.
"""

from __future__ import annotations

import math

import numpy as np

from routemark.analysis.matrix.columns import NONE
from routemark.analysis.stats.arrays import Codes, Floats
from routemark.analysis.stats.clusters import covariance_of_means
from routemark.analysis.stats.distributions import student_t_quantile
from routemark.analysis.steadiness.repeats import (
    Repeats,
    difference,
    disagreements,
    flips,
    score_changes,
    share,
)
from routemark.records import Estimate, Stability


def stability(repeats: Repeats, *, sticky: bool = False) -> Stability | None:
    """Give what the repeats of an arm show; None where no question was asked twice.

    Shares have the interval of an accuracy (Wilson with the effective size, from whole clusters), entropy
    and flip effect Student's t over clusters.
    """
    changed, disagreed = flips(repeats), disagreements(repeats)
    if not changed.number.any() and not disagreed.number.any():
        return None
    other, same = score_changes(repeats, flipped=True), score_changes(repeats, flipped=False)
    return Stability(
        repeats=repeats.model.shape[1],
        sticky=sticky,
        same_pick=share(changed.others(), repeats.cluster),
        pick_entropy_bits=pick_entropy(repeats),
        self_disagreement=share(disagreed, repeats.cluster),
        score_change_other_model=share(other, repeats.cluster),
        pairs_other_model=int(other.number.sum()),
        score_change_same_model=share(same, repeats.cluster),
        pairs_same_model=int(same.number.sum()),
        flip_effect=difference(other.mean() - same.mean(), repeats.cluster),
    )


def discordance(one: Repeats, other: Repeats) -> float | None:
    """Give the probability that an answer of each arm to one question score differently.

    The mean over questions of the share of pairs of repeats, one of each arm, whose scores differ; with one
    repeat each, the share of discordant questions. To be read beside the self-disagreement of both arms.
    """
    values = disagreements(one, other).mean()
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def pick_entropy(repeats: Repeats) -> Estimate | None:
    """Give the mean entropy, bits, of the models that served a question; of questions answered at least twice.

    Interval: t over clusters; None where all questions are alike, for that gives no width.
    """
    bits = _entropies(repeats.model)
    known = ~np.isnan(bits)
    bits, cluster = bits[known], repeats.cluster[known]
    if not len(bits):
        return None
    clusters, mean = len(np.unique(cluster)), float(bits.mean())
    variance = float(covariance_of_means(bits[:, None], cluster)[0, 0])
    interval = None
    if clusters > 1 and variance > 0:
        half = student_t_quantile(0.95, clusters - 1) * math.sqrt(variance)
        interval = (max(0.0, mean - half), mean + half)
    return Estimate(value=mean, ci95=interval, n=len(bits), clusters=clusters)


def _entropies(model: Codes) -> Floats:
    """Give the entropy of each row of codes, bits; NaN with fewer than two known."""
    known = (model != NONE).sum(axis=1)
    bits = np.zeros(len(model))
    for column in range(model.shape[1]):  # -sum f log2 f is the mean over repeats of -log2 f of its model
        mine = model[:, column]
        alike = (model == mine[:, None]).sum(axis=1)
        at = mine != NONE
        bits[at] += np.log2(known[at] / alike[at]) / known[at]
    return np.where(known > 1, bits, np.nan)
