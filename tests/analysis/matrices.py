"""Builders of outcome matrices and picks for the tests of analysis."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from routemark.analysis.matrix.outcomes import DIRECT, Asked, Grouping, Outcomes, Picks, one_each


def matrix(
    score, cost=None, *, cluster=None, difficulty=None, category=None, choices=None, **fields
) -> Outcomes:
    """Give a matrix of models m0, m1, ...; labels are numbers, 0 the first by name."""
    score = np.array(score, dtype=float)
    n, models = score.shape
    cost = np.ones(score.shape) if cost is None else np.broadcast_to(np.array(cost, dtype=float), score.shape)
    asked = Asked(
        np.arange(n, dtype=np.int32) if cluster is None else np.array(cluster, dtype=np.int32),
        labels(n, difficulty),
        labels(n, category),
        np.zeros(n, dtype=np.int64) if choices is None else np.array(choices),
    )
    source = np.where(np.isnan(score), 0, DIRECT).astype(np.int8)
    names = tuple(f"m{i}" for i in range(models))
    return Outcomes(
        **{
            "asked": asked,
            "models": names,
            "score": score,
            "cost": cost.copy(),
            "latency": np.full(score.shape, np.nan),
            "source": source,
        }
        | fields
    )


def labels(n, code) -> Grouping:
    if code is None:
        return Grouping(np.full(n, -1, dtype=np.int32), ())
    code = np.array(code, dtype=np.int32)
    return Grouping(code, tuple(f"l{i}" for i in range(int(code.max(initial=0)) + 1)))


def picks(choice, models, *, score=None, cost=None) -> Picks:
    """Give the picks of one router, one model a question by index; -1 for none."""
    choice = np.array(choice, dtype=np.int32)
    nothing = np.full(len(choice), np.nan)
    return Picks(
        "router",
        one_each(choice, models),
        nothing if score is None else np.array(score, dtype=float),
        nothing if cost is None else np.array(cost, dtype=float),
    )


@st.composite
def small_matrices(draw, *, unknown=True, models=(1, 4), questions=(1, 6)):
    """Small matrices full of ties, free models, partial credit and unknown cells."""
    n, m = draw(st.integers(*questions)), draw(st.integers(*models))
    scores = st.sampled_from([0.0, 0.5, 1.0, np.nan] if unknown else [0.0, 0.5, 1.0])
    costs = st.sampled_from([0.0, 1.0, 2.0, np.nan] if unknown else [0.0, 1.0, 2.0])
    score = [[draw(scores) for _ in range(m)] for _ in range(n)]
    cost = [[draw(costs) for _ in range(m)] for _ in range(n)]
    return matrix(score, cost)


def answers(rng, n, models=6, *, abilities=None):
    """Give (chance of a right answer, cost) of a logistic world with costs spread over a factor of 400."""
    abilities = np.linspace(-1, 1.5, models) if abilities is None else abilities
    logit = 1.5 * (abilities - rng.normal(0, 1, (n, 1)) + rng.normal(0, 0.7, (n, models)))
    cost = np.geomspace(1, 400, models) * 1e-5 * rng.lognormal(0, 0.6, (n, models))
    return 1 / (1 + np.exp(-logit)), cost


def drawn(rng, chance):
    return (rng.random(chance.shape) < chance).astype(float)
