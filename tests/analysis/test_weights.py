"""The user's mix: what is refused, what is weighted, and that the verdict says so; dollars a month."""

import msgspec
import numpy as np
import pytest
from scipy import stats

from analysis.worlds import answer, arm_summary_of, grade, question, run, summarise
from routemark.analysis.compare import Matrix, compare
from routemark.analysis.controls.cost import cost_ratios
from routemark.analysis.controls.value import price
from routemark.analysis.matrix.outcomes import Grouping
from routemark.analysis.stats import resampling
from routemark.analysis.stats.strata import Strata, stratified
from routemark.analysis.traffic.monthly import monthly_usd, with_months
from routemark.analysis.traffic.traffic import Traffic
from routemark.analysis.traffic.traffic_words import month
from routemark.analysis.traffic.weights import (
    Mix,
    as_asked,
    parse_weights,
    strata_of,
    weigh,
    weighted_arms,
    weighted_cost_ratio,
    weighted_price,
)
from routemark.errors import SettingsError

LABELS = {"easy", "hard", "opt"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("easy=70,hard=20,opt=10", (0.7, 0.2, 0.1)),
        (" hard = 1 , easy=1,opt=0 ", (0.5, 0.5, 0.0)),
        ("easy=1e3,hard=0.0,opt=1000", (0.5, 0.0, 0.5)),
    ],
)
def test_weights_are_shares(text, wanted):
    found = parse_weights(text, LABELS)
    assert tuple(found[label] for label in ("easy", "hard", "opt")) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("easy=1,hard=1", "no weight for opt"),
        ("", "no weight for easy, hard, opt"),
        (
            "easy=1,hard=1,opt=1,medium=1",
            "no question has the difficulty 'medium'. There are: easy, hard, opt.",
        ),
        ("easy=1,hard=-1,opt=1", "the weight of 'hard' must be 0 or more"),
        ("easy=1,hard=inf,opt=1", "the weight of 'hard' must be 0 or more"),
        ("easy=0,hard=0,opt=0", "at least one weight must be above 0"),
        ("easy=1,easy=2,hard=1,opt=1", "'easy' stands there twice"),
        ("easy,hard=1,opt=1", "'easy' is no LABEL=NUMBER"),
        ("easy=x,hard=1,opt=1", "'easy=x' is no LABEL=NUMBER"),
        ("easy=nan,hard=1,opt=1", "'easy=nan' is no LABEL=NUMBER"),
        ("=1,easy=1,hard=1,opt=1", "'=1' is no LABEL=NUMBER"),
    ],
)
def test_what_is_no_mix_is_refused_in_a_sentence(text, said):
    with pytest.raises(SettingsError, match="--weights") as caught:
        parse_weights(text, LABELS)
    assert said in str(caught.value)


def test_a_label_may_hold_an_equals_sign():
    assert parse_weights("a=b=2,c=2", {"a=b", "c"}) == {"a=b": 0.5, "c": 0.5}


def test_no_mix_where_a_difficulty_with_a_weight_has_no_question():
    code = Grouping(np.array([0, 0, 1]), ["easy", "hard"])
    assert strata_of(code, {"easy": 0.5, "hard": 0.5}) is not None
    assert strata_of(code, {"easy": 0.5, "opt": 0.5}) is None
    assert strata_of(code, {"easy": 1.0, "opt": 0.0}) is not None
    assert strata_of(Grouping(np.array([0, 0]), ["easy", "hard"]), {"easy": 0.5, "hard": 0.5}) is None


def cells(seed=0, n=240):
    rng = np.random.default_rng(seed)
    code = rng.integers(0, 3, n).astype(np.int32)
    right = np.array([[0.95, 0.9], [0.5, 0.75], [0.3, 0.6]])[code]
    score = (rng.random((n, 2)) < right).astype(float)
    cost = rng.lognormal(0, 0.6, (n, 2)) * np.array([0.001, 0.004]) * (1 + code[:, None])
    found = Matrix(score, cost, np.arange(n), [True, True], np.zeros((n, 2), dtype=bool))
    arms = {name: arm_summary_of(0.6, 1.0, n, is_router=name == "r") for name in ("r", "f")}
    return found, arms, code


WEIGHTS = np.array([0.8, 0.15, 0.05])


def test_weighing_changes_every_figure_to_the_mix():
    found, arms, code = cells()
    pairs = compare(found, arms, [(0, 1)], margin=0.03, seed=0)
    mix = Mix(found, arms, Strata(code, WEIGHTS), 0)
    (weighted,) = weigh(pairs, mix, margin=0.03)
    one = weighted.comparison
    by_label = [[found.score[code == h, arm].mean() for h in range(3)] for arm in (0, 1)]
    assert one.accuracy_difference == pytest.approx(WEIGHTS @ np.subtract(*by_label))
    costs = [WEIGHTS @ [found.cost[code == h, arm].mean() for h in range(3)] for arm in (0, 1)]
    assert one.cost_ratio == pytest.approx(costs[0] / costs[1])
    assert one.cost_ratio_ci95[0] < one.cost_ratio < one.cost_ratio_ci95[1]
    assert one.indifference_price_usd == pytest.approx((costs[0] - costs[1]) / one.accuracy_difference)
    assert one.ci95[0] < one.accuracy_difference < one.ci95[1]
    assert one.mcnemar is None
    assert one.p_value_holm == one.p_value
    assert one.accuracy_difference > pairs[0].comparison.accuracy_difference + 0.05
    arm = weighted_arms(mix)["r"].weighted
    assert arm.accuracy == pytest.approx(WEIGHTS @ by_label[0])
    assert arm.cost_per_1k_usd == pytest.approx(1_000 * costs[0])


def test_one_label_is_no_mix_at_all():
    """With a single stratum every weighted figure is the ordinary one."""
    found, arms, _ = cells()
    mix = as_asked(found, arms, 0)
    assert weighted_cost_ratio(mix, "r", "f", at_once=0.95).interval == pytest.approx(
        cost_ratios([(found.cost[:, 0], found.cost[:, 1])], seed=0)[0].interval
    )
    plain = price(*(column[:, 0] - column[:, 1] for column in (found.score, found.cost)), found.cluster)
    same = weighted_price(mix, "r", "f")
    assert same.indifference_usd == pytest.approx(plain.indifference_usd)
    assert same.surely_better.to_usd == pytest.approx(plain.surely_better.to_usd)


def test_a_free_baseline_has_no_ratio_but_is_surely_cheaper():
    found, arms, code = cells()
    free = found._replace(cost=found.cost * [1.0, 0.0])
    ratio = weighted_cost_ratio(Mix(free, arms, Strata(code, WEIGHTS), 0), "r", "f", at_once=0.95)
    assert (ratio.ratio, ratio.interval_all) == (None, (np.inf, np.inf))
    other = weighted_cost_ratio(Mix(free, arms, Strata(code, WEIGHTS), 0), "f", "r", at_once=0.95)
    assert (other.ratio, other.interval) == (0.0, (0.0, 0.0))


# ------------------------------------------------------------------------------------ dollars a month


def test_a_month_is_the_mean_difference_times_the_calls():
    found, arms, code = cells()
    paid = found.cost[:, 0] - found.cost[:, 1]
    usd, (low, high) = monthly_usd(as_asked(found, arms, 0), "r", "f", 50_000)
    assert usd == pytest.approx(50_000 * paid.mean())
    t = stats.t.interval(0.95, 239, paid.mean(), paid.std(ddof=1) / np.sqrt(240))
    assert low <= 50_000 * t[0] * (1 - 1e-9) + 1e-9
    assert high >= 50_000 * t[1] - 1e-9
    weighted, _ = monthly_usd(Mix(found, arms, Strata(code, WEIGHTS), 0), "r", "f", 50_000)
    means = stratified(paid[:, None], found.cluster, Strata(code, WEIGHTS)).mean
    assert weighted == pytest.approx(50_000 * means[0])


def test_unknown_costs_are_left_out_and_few_tell_nothing():
    found, arms, _ = cells(n=40)
    found.cost[:21, 1] = np.nan
    pairs = compare(found, arms, [(0, 1)], margin=0.03, seed=0)
    (pair,) = with_months(pairs, as_asked(found, arms, 0), 1_000)
    assert (pair.comparison.monthly_usd, pair.comparison.monthly_usd_ci95) == (None, None)


def covers(n, runs, monkeypatch, *, mix=None, factor=1.0):
    """How often the interval holds the truth; log-sd 1, families of two."""
    monkeypatch.setattr(resampling, "REPLICATES", 400)
    arms = {name: arm_summary_of(0.6, 1.0, n) for name in "ab"}
    truth, hits = np.exp(0.5) * (factor - np.exp(0.3)), 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        cost = np.column_stack([factor * rng.lognormal(0, 1, n), rng.lognormal(0.3, 1, n)])
        found = Matrix(cost, cost, np.arange(n) // 2, [True, True], cost > 1e9)
        strata = as_asked(found, arms, seed).strata if mix is None else Strata(rng.integers(0, 3, n), mix)
        _, (low, high) = monthly_usd(Mix(found, arms, strata, seed), "a", "b", 1)
        hits += low <= truth <= high
    return hits / runs


def test_the_month_covers(monkeypatch):
    assert covers(120, 100, monkeypatch) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1.0, 0.1])
def test_the_month_covers_in_many_worlds(factor, monkeypatch):
    assert covers(240, 150, monkeypatch, factor=factor) >= 0.92
    assert covers(360, 100, monkeypatch, mix=np.array([0.6, 0.25, 0.15]), factor=factor) >= 0.92


@pytest.mark.parametrize(
    ("usd", "interval", "said"),
    [
        (-120, (-150, -90), "At 9,000 calls a month it saves about $120.00 ($90.00 to $150.00) beside f."),
        (120, (90, 150), "At 9,000 calls a month it costs about $120.00 more ($90.00 to $150.00) than f."),
        (
            -20,
            (-50, 10),
            (
                "At 9,000 calls a month it costs between $50.00 less and $10.00 more than f: "
                "whether it saves money is open."
            ),
        ),
        (-5, (-5, -5), "At 9,000 calls a month it costs about $5.00 less than f."),
        (None, None, None),
    ],
)
def test_a_month_in_words(usd, interval, said):
    found, arms, _ = cells()
    (pair,) = compare(found, arms, [(0, 1)], margin=0.03, seed=0)
    assert (
        month(msgspec.structs.replace(pair.comparison, monthly_usd=usd, monthly_usd_ci95=interval), 9_000)
        == said
    )


# ------------------------------------------------------------------------------------ a whole run


def a_run(n=90):
    """The router is right on easy questions alone and cheap; the model is always right and dear."""
    trials = []
    for i in range(n):
        item = question(f"q{i}", difficulty=("easy", "hard")[i % 3 == 0])
        easy = item.difficulty == "easy"
        for name, right, cost in (("auto", easy or i % 2 == 0, 0.001), ("dear", True, 0.01)):
            spread = 1 + (i % 7) / 10
            trials.append((item, answer(name, item.id, cost_usd=cost * spread), grade(float(right))))
    return trials, run("auto", "dear", routers=["auto"], questions=n)


def test_a_run_is_judged_for_the_traffic_and_keeps_what_was_asked():
    trials, manifest = a_run()
    plain = summarise(trials, manifest)
    told = summarise(trials, manifest, traffic=Traffic({"easy": 1.0, "hard": 0.0}, 10_000), baseline="dear")
    comparison, weighted = told.comparisons[0], told.comparisons[0].weighted
    assert comparison.accuracy_difference == plain.comparisons[0].accuracy_difference < -0.1
    assert weighted.accuracy_difference == 0
    assert told.arms["auto"].accuracy == plain.arms["auto"].accuracy
    assert told.arms["auto"].weighted.accuracy == 1.0
    assert told.weights == {"easy": 1.0, "hard": 0.0}
    assert (plain.weights, plain.comparisons[0].weighted, plain.arms["auto"].weighted) == (None, None, None)
    assert plain.verdict.row == 5
    assert told.verdict.row in {3, 7}
    assert told.verdict.sentence.startswith("Weighted to your traffic: ")
    assert "At 10,000 calls a month it saves about $" in told.verdict.sentence
    assert any("easy 100 %" in note for note in told.verdict.notes)
    assert comparison.monthly_usd == pytest.approx(
        10_000 * -0.009 * np.mean([1 + (i % 7) / 10 for i in range(90)])
    )


def test_a_mix_that_the_finished_questions_lack_is_not_weighted_and_says_so():
    trials, manifest = a_run()
    easy = [one for one in trials if one[0].difficulty == "easy"]
    told = summarise(easy, manifest, traffic=Traffic({"easy": 0.5, "hard": 0.5}))
    assert told.weights is None
    assert told.comparisons[0].weighted is None
    assert not told.verdict.sentence.startswith("Weighted")
    assert any(note.startswith("Not weighted to your traffic") for note in told.verdict.notes)


def test_answers_that_nobody_could_grade_are_doubted_for_the_mix_too():
    trials, manifest = a_run()
    ungraded = [(q, o, None if o.arm == "auto" and i % 11 == 0 else g) for i, (q, o, g) in enumerate(trials)]
    told = summarise(ungraded, manifest, traffic=Traffic({"easy": 0.5, "hard": 0.5}))
    assert "could not be graded" in told.verdict.sentence or told.verdict.row == 5


def test_weights_change_nothing_else():
    trials, manifest = a_run()
    plain = summarise(trials, manifest)
    told = summarise(trials, manifest, traffic=Traffic({"easy": 0.5, "hard": 0.5}))
    assert told.detectable_difference == plain.detectable_difference
    assert told.rules == plain.rules
    assert told.cost_usd == plain.cost_usd
