"""What perturbed copies show beside their originals."""

import math

import msgspec
import numpy as np
import pytest

from analysis.worlds import answer, failure, grade, question, run
from routemark.analysis.steadiness.repeats import Repeats
from routemark.analysis.steadiness.robustness import perturbation
from routemark.analysis.summary import Fold
from routemark.records import Copies

NAN = math.nan


def repeats(models, scores=None, cluster=None):
    model = np.array(models, dtype=np.int32)
    score = np.full(model.shape, NAN) if scores is None else np.array(scores, dtype=float)
    return Repeats(model, score, np.arange(len(model)) if cluster is None else np.array(cluster))


def test_flips_are_counted_as_routerarena_does():
    found = perturbation(repeats([[0], [1], [2], [0]]), repeats([[0], [0], [2], [1]]))
    assert found.flip_rate.value == 0.5
    assert found.robustness == 0.5
    assert found.flip_rate.n == found.copies == 4
    assert found.excess_flips is None, "one repeat does not tell flicker from flips"
    assert found.score_change is None


def test_the_ordinary_flicker_is_taken_off():
    """A coin between two models: half of all pairs differ, perturbed or not."""
    coin = repeats([[0, 1]] * 10)
    found = perturbation(coin, coin)
    assert found.flip_rate.value == 0.5
    assert found.excess_flips.value == 0.5 - (1 + 1) / 2
    steady = perturbation(repeats([[1, 1]] * 10), repeats([[0, 0]] * 10))
    assert steady.excess_flips.value == 1.0


def test_in_one_session_repeats_do_not_tell_the_flicker():
    assert perturbation(repeats([[1, 1]]), repeats([[0, 0]]), sticky=True).excess_flips is None


def test_the_score_change_is_paired():
    copy, original = repeats([[0]] * 4, [[1], [0], [0], [NAN]]), repeats([[0]] * 4, [[1], [1], [1], [1]])
    found = perturbation(copy, original).score_change
    assert found.value == pytest.approx(-2 / 3)
    assert found.n == 3
    # Bonett and Price by hand: b = 0, c = 2, n = 3
    p1, p2 = 1 / 5, 3 / 5
    half = 1.96 * math.sqrt((p1 + p2 - (p1 - p2) ** 2) / 5)
    assert found.ci95 == pytest.approx((-1, p1 - p2 + half))


@pytest.mark.parametrize(("clusters", "least"), [(40, 0.86), (120, 0.92), (360, 0.93)])
def test_the_excess_covers_nothing_where_nothing_was_done(clusters, least):
    draw = np.random.default_rng(clusters)
    hits, runs = 0, 400
    for _ in range(runs):
        favourite = draw.beta(4, 1, clusters)[:, None]
        copy, original = (
            repeats((draw.random((clusters, 2)) > favourite).astype(np.int32)) for _ in range(2)
        )
        low, high = perturbation(copy, original).excess_flips.ci95
        hits += low <= 0 <= high
    assert least <= hits / runs <= 0.98


# ----------------------------------------------------------------------------- in the summary


def copy_of(name, kind, **fields):
    return question(
        f"{name}~{kind}",
        metadata={"perturbed_from": name, "perturbation": kind, **fields.pop("metadata", {})},
    )


def fold_of(originals, copies, manifest):
    fold = Fold()
    for item, outcome, mark in originals:
        fold.add(item, outcome, mark, counted=True)
    for item, outcome, mark in copies:
        fold.add(item, outcome, mark, counted=True, copy=True)
    return fold.close(
        manifest, planned=len(originals), finished_questions=len(originals), margin=0.03, baseline=None
    )


def world():
    originals = [(question(f"q{i}"), answer("r", f"q{i}", model="a"), grade(1)) for i in range(6)]
    copies = [
        (copy_of(f"q{i}", "typos"), answer("r", f"q{i}~typos", model="ab"[i % 2]), grade(i < 4))
        for i in range(6)
    ]
    copies += [(copy_of("q0", "case"), answer("r", "q0~case", model="b"), grade(1))]
    made = {"typos": Copies(copies=6, left_out=2), "case": Copies(copies=1)}
    return originals, copies, run("r", routers=["r"], questions=13, perturbed=made)


def test_copies_count_in_robustness_and_cost_and_nowhere_else():
    originals, copies, manifest = world()
    plain = fold_of(originals, [], msgspec.structs.replace(manifest, questions=6, perturbed={}))
    summary = fold_of(originals, copies, manifest)
    found = summary.arms["r"].robustness
    assert plain.arms["r"].robustness is None
    assert msgspec.structs.replace(summary.arms["r"], robustness=None) == plain.arms["r"]
    assert (summary.total, summary.comparisons, summary.verdict) == (
        plain.total,
        plain.comparisons,
        plain.verdict,
    )
    assert summary.model_usage == {"a": 6}
    assert summary.cost_usd == pytest.approx(13 * 0.001)
    assert found.by_kind["typos"].flip_rate.value == 0.5
    assert found.by_kind["typos"].left_out == 2
    assert found.by_kind["typos"].score_change.value == pytest.approx(-2 / 6)
    assert found.by_kind["case"].robustness == 0.0
    assert found.overall.copies == 7
    assert found.overall.flip_rate.value == pytest.approx(4 / 7)
    assert found.overall.flip_rate.clusters == 6, "two copies of one question are no two questions"


def test_copies_of_a_family_share_its_cluster():
    family = {"family": "f"}
    originals = [
        (question(f"q{i}", metadata=family), answer("r", f"q{i}", model="a"), grade(1)) for i in range(4)
    ]
    copies = [
        (copy_of(f"q{i}", "case", metadata=family), answer("r", f"q{i}~case", model="a"), grade(1))
        for i in range(4)
    ]
    manifest = run("r", routers=["r"], questions=8, perturbed={"case": Copies(copies=4)})
    assert fold_of(originals, copies, manifest).arms["r"].robustness.overall.flip_rate.clusters == 1


def test_a_copy_whose_original_does_not_count_is_left_out_and_failures_have_no_pick():
    originals = [(question("q0"), answer("r", "q0", model="a"), grade(1))]
    copies = [
        (copy_of("q0", "case"), failure("r", "q0~case"), None),
        (copy_of("q9", "case"), answer("r", "q9~case", model="b"), grade(1)),
    ]
    manifest = run("r", routers=["r"], questions=4, perturbed={"case": Copies(copies=2)})
    found = fold_of(originals, copies, manifest).arms["r"].robustness.overall
    assert found.copies == 1
    assert found.flip_rate is None
    assert found.score_change.value == -1.0
