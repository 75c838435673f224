"""How often the verdict says something false, in worlds whose truth is known.

Six models over a factor of 400 in cost, abilities spread or tied; whether a model answers right follows a
logistic law of its ability and the question's difficulty. The router is a lucky constant, a coin over the
models, or knows half of the time which model suits the question.
"""

import numpy as np
import pytest

from analysis.worlds import arm_summary_of
from routemark.analysis.compare import Matrix, compare, pairs_to_compare
from routemark.analysis.controls import cost
from routemark.analysis.verdict import decide, is_usable

MODELS, MARGIN = 6, 0.03
COSTS = np.geomspace(1, 400, MODELS) * 1e-5
ABILITIES = {"spread": np.linspace(-1, 1.5, MODELS), "tied": np.full(MODELS, 0.8)}


def _chances(rng, abilities, n):
    """Each model's chance on each question; models differ in what they are good at."""
    difficulty, taste = rng.normal(0, 1, (n, 1)), rng.normal(0, 0.7, (n, MODELS))
    return 1 / (1 + np.exp(-1.5 * (abilities - difficulty + taste)))


def _picks(rng, router, chances):
    """Give the model picked for each question."""
    n = len(chances)
    if router == "constant":
        return np.full(n, 3)
    coin = rng.integers(0, MODELS, n)
    if router == "coin":
        return coin
    return np.where(rng.random(n) < 0.5, chances.argmax(axis=1), coin)


def _truth(router, abilities):
    """Give the true score and the true mean cost of every arm, router first."""
    rng = np.random.default_rng(0)
    chances = _chances(rng, abilities, 200_000)
    picks = _picks(rng, router, chances)
    scores = np.concatenate([[chances[np.arange(len(picks)), picks].mean()], chances.mean(axis=0)])
    return scores, np.concatenate([[COSTS[picks].mean()], COSTS])


def _run(rng, router, abilities, n):
    """Give row and named model (an index among all arms) of one simulated run."""
    chances = _chances(rng, abilities, n)
    picks = _picks(rng, router, chances)
    every = np.column_stack([chances[np.arange(n), picks], chances])
    dollars = np.column_stack([COSTS[picks], np.tile(COSTS, (n, 1))]) * rng.lognormal(0, 0.6, (n, 1 + MODELS))
    score = (rng.random(every.shape) < every).astype(float)
    cells = Matrix(score, dollars, np.arange(n), [True] * (1 + MODELS), np.zeros_like(score, dtype=bool))
    arms = {
        str(i): arm_summary_of(cells.score[:, i].mean(), dollars[:, i].mean() * 1000, n, is_router=i == 0)
        for i in range(1 + MODELS)
    }
    pairs = compare(
        cells,
        arms,
        pairs_to_compare([True] + [False] * MODELS, None),
        margin=MARGIN,
        seed=int(rng.integers(2**31)),
    )
    pairs.sort(key=lambda pair: -arms[pair.comparison.baseline].accuracy)
    row, named = decide([pair for pair in pairs if is_usable(pair)], MARGIN)
    return row, int(named.comparison.baseline)


def _is_false(row, named, scores, costs):
    """Say whether the sentence of a row claims what is not so."""
    difference, ratio = scores[0] - scores, costs[0] / costs
    return {
        1: difference[named] > MARGIN or ratio[named] <= 1,
        2: (difference[1:] <= 0).any(),
        3: (difference[1:] < -MARGIN).any() or ratio[named] >= 1,
        4: (difference[1:] < -MARGIN).any(),
        5: difference[named] >= 0 or ratio[named] >= 1,
        6: difference[named] >= 0,
        7: False,
    }[row]


def _share_of_false_sentences(router, abilities, runs, n=360):
    rng = np.random.default_rng(1)
    scores, costs = _truth(router, ABILITIES[abilities])
    return np.mean(
        [_is_false(*_run(rng, router, ABILITIES[abilities], n), scores, costs) for _ in range(runs)]
    )


WORLDS = [(router, abilities) for router in ("constant", "coin", "informed") for abilities in ABILITIES]


@pytest.mark.parametrize(("router", "abilities"), WORLDS)
def test_false_sentences_are_rare(router, abilities, monkeypatch):
    monkeypatch.setattr(cost, "REPLICATES", 400)
    assert _share_of_false_sentences(router, abilities, runs=40) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(("router", "abilities"), WORLDS)
def test_false_sentences_are_rare_on_1_000_questions(router, abilities, monkeypatch):
    monkeypatch.setattr(cost, "REPLICATES", 400)
    assert _share_of_false_sentences(router, abilities, runs=100, n=1_000) <= 0.05


def test_worse_than_a_fixed_model_among_14_tied_ones_is_said_in_few_runs(monkeypatch):
    """Rows 5 and 6 need some model to be better by Holm and by its interval."""
    monkeypatch.setattr(cost, "REPLICATES", 10)
    rng = np.random.default_rng(2)
    n, models, runs, said = 120, 14, 250, 0
    pairs = pairs_to_compare([True] + [False] * models, None)
    arms = {str(i): arm_summary_of(0.8, 1.0, n, is_router=i == 0) for i in range(1 + models)}
    for _ in range(runs):
        difficulty = rng.beta(2, 0.5, (n, 1))
        score = (rng.random((n, 1 + models)) < difficulty).astype(float)
        none = np.zeros_like(score, dtype=bool)
        cells = Matrix(score, np.ones_like(score), np.arange(n), [True] * (1 + models), none)
        found = compare(cells, arms, pairs, margin=MARGIN, seed=0)
        said += any(p.comparison.p_value_holm < 0.05 and p.comparison.ci95[1] < 0 for p in found)
    assert said / runs <= 0.05
