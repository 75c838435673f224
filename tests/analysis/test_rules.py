"""Routing by rule: a structure that is there is found and told, one that is not there is not believed."""

import msgspec
import numpy as np
import pytest

from analysis.worlds import answer, failure, grade, question, run, summarise
from routemark.analysis.matrix.outcomes import DIRECT, FILE, LIVE, Asked, Grouping, Outcomes, Picks, one_each
from routemark.analysis.rules import rules
from routemark.analysis.rules.prompt_features import FEATURES, Prompts, features, skeleton
from routemark.analysis.rules.rules import routing_rules
from routemark.records import Rule, RuleBranch, Rules

MODELS = ("big", "mid", "small")
WORDS = ["the", "river", "carries", "boats", "past", "quiet", "mills", "and", "under", "seven", "bridges"]


def texts(rng, n):
    """Prompts of several lengths, some with code, some with questions; of one family each unless told."""
    found = []
    for _ in range(n):
        words = rng.choice(WORDS, rng.integers(5, 120)).tolist()
        text = " ".join(words) + "?" * int(rng.integers(0, 3))
        found.append(text + ("\n```\nx = y\n```" if rng.random() < 0.4 else ""))
    return found


def prompts_of(found):
    skeletons = [skeleton(text) for text in found]
    return Prompts(np.array([features(text) for text in found]), np.unique(skeletons, return_inverse=True)[1])


def matrix(score, cost, *, family=None, difficulty=None, category=None, source=DIRECT, models=None):
    n, m = score.shape
    zero = np.zeros(n, dtype=np.int32)
    asked = Asked(
        np.arange(n, dtype=np.int32) if family is None else family,
        Grouping(zero if difficulty is None else difficulty, ["easy", "hard", "opt"]),
        Grouping(zero - 1 if category is None else category, [f"c{i}" for i in range(20)]),
        np.zeros(n, dtype=np.int64),
    )
    shape = np.full((n, m), np.nan)
    names = models or tuple(f"m{i}" for i in range(m))
    return Outcomes(asked, names, score, cost, shape, np.full((n, m), source, dtype=np.int8))


def picks(choice, models, score=None, cost=None):
    unknown = np.full(len(choice), np.nan)
    none = (unknown if score is None else score, unknown if cost is None else cost)
    return Picks("router", one_each(choice, models), *none)


@pytest.fixture(scope="module")
def planted():
    """Prompts with code want the big model; of the others the long ones the mid one, else the small one."""
    rng = np.random.default_rng(0)
    found = texts(rng, 600)
    prompts = prompts_of(found)
    code, long = prompts.features[:, 2] == 1, prompts.features[:, 0] > 300
    wanted = np.where(code, 0, np.where(long, 1, 2))
    right = np.where(np.arange(3) == wanted[:, None], 0.95, 0.4)
    score = (rng.random((600, 3)) < right).astype(float)
    cost = np.tile([0.02, 0.012, 0.01], (600, 1)) * rng.lognormal(0, 0.3, (600, 3))
    outcomes = matrix(score, cost, models=MODELS)
    return found, prompts, outcomes, picks(rng.choice(3, 600, p=[0.8, 0.1, 0.1]), 3)


@pytest.fixture(scope="module")
def told(planted):
    _, prompts, outcomes, picked = planted
    return routing_rules(outcomes, picked, prompts, seed=0)


def run_source(rule: Rule):
    space = {}
    exec(rule.python, space)
    return space["route"]


def follow(tree, prompt):
    """Walk the stored tree by the names of its features, without the code that made it."""
    found = dict(zip((feature.name for feature in FEATURES), features(prompt), strict=True))
    while isinstance(tree, RuleBranch):
        tree = tree.yes if found[tree.test.feature] > tree.test.above else tree.no
    return tree


def test_a_planted_rule_is_found_and_holds_out_of_fold(told):
    rule = told.prompt
    assert rule.accuracy > 0.85
    assert rule.accuracy_ci95[0] > 0.8
    assert rule.accuracy_difference < -0.2
    assert rule.difference_ci95[1] < -0.15
    assert rule.same_in_folds >= 4
    assert not rule.unstable
    assert rule.n == 600


def test_the_sentence_can_be_read(told):
    assert told.prompt.sentence.startswith("If the prompt has code: big. Else if the prompt is longer than ")
    assert told.prompt.sentence.endswith(" characters: mid. Else: small.")


def test_the_function_stands_alone_and_routes_as_the_tree_does(planted, told):
    prompts, rule = planted[0], told.prompt
    route = run_source(rule)
    choices = [route(prompt) for prompt in prompts]
    assert choices == [follow(rule.tree, prompt) for prompt in prompts]
    assert set(choices) == set(MODELS)
    assert [route(prompt) for prompt in ("", "\ud800", "é" * 2_000)] == ["small", "small", "mid"]


def test_the_refit_is_the_best_on_all_and_its_figure_is_not_taken_from_there(planted, told):
    prompts, _, outcomes, _ = planted
    route = run_source(told.prompt)
    column = [MODELS.index(route(prompt)) for prompt in prompts]
    in_sample = outcomes.score[np.arange(600), column].mean()
    assert told.prompt.accuracy != in_sample
    assert told.prompt.accuracy == pytest.approx(in_sample, abs=0.03)


def test_rules_are_the_same_again_and_survive_the_file(planted, told):
    _, prompts, outcomes, picked = planted
    assert routing_rules(outcomes, picked, prompts, seed=0) == told
    assert msgspec.json.decode(msgspec.json.encode(told), type=Rules) == told


def test_the_rule_keeps_to_the_routers_cost(planted):
    _, prompts, outcomes, _ = planted
    cheap, dear = (np.full(600, column) for column in (2, 0))
    costs = []
    for pick in (cheap, dear):
        rule = routing_rules(outcomes, picks(pick, 3), prompts, seed=0).prompt
        costs.append(rule.cost_per_1k_usd)
        assert rule.cost_ratio > 0.97
    assert costs[0] < costs[1]


def test_live_scores_of_the_router_come_before_those_of_its_picks(planted):
    _, prompts, outcomes, picked = planted
    live = routing_rules(
        outcomes, picks(np.full(600, 0), 3, np.ones(600), np.full(600, 0.5)), prompts, seed=0
    ).prompt
    assert live.accuracy_difference == pytest.approx(1 - live.accuracy)
    assert live.cost_ratio == pytest.approx(0.5 / (live.cost_per_1k_usd / 1_000))
    own = routing_rules(outcomes, picked, prompts, seed=0).prompt
    there = picked.of(outcomes.score).mean()
    assert own.accuracy_difference == pytest.approx(there - own.accuracy)


def test_labels_make_a_rule_of_their_own():
    rng = np.random.default_rng(1)
    difficulty, category = (rng.integers(0, k, 500).astype(np.int32) for k in (3, 4))
    right = np.where((difficulty == 1)[:, None], [0.9, 0.3], [0.5, 0.85])
    score = (rng.random((500, 2)) < right).astype(float)
    outcomes = matrix(score, np.full((500, 2), 0.01), difficulty=difficulty, category=category, source=FILE)
    told = routing_rules(outcomes, picks(rng.integers(0, 2, 500), 2), None, seed=0)
    assert told.prompt is None
    assert told.labels.sentence == "If the difficulty is hard: m0. Else: m1."
    assert (told.labels.tree.test.feature, told.labels.tree.test.equals) == ("difficulty", "hard")
    route = run_source(told.labels)
    assert [route(label, None) for label in ("easy", "hard")] == ["m1", "m0"]


def test_names_of_models_and_labels_are_text_in_the_function():
    rng = np.random.default_rng(2)
    half = (rng.random(300) < 0.5).astype(np.int32)
    score = np.column_stack([half, 1 - half]).astype(float)
    outcomes = matrix(score, np.full((300, 2), 0.01), difficulty=half)
    bad = "x'); import os; ('"
    asked = outcomes.asked._replace(difficulty=Grouping(half, ["easy\n", bad]))
    told = routing_rules(
        outcomes._replace(models=(bad, "b"), asked=asked), picks(half, 2), None, seed=0
    ).labels
    assert {run_source(told)("easy\n"), run_source(told)(bad)} == {"b", bad}


def test_without_any_difference_the_rule_is_the_best_single_model():
    score = np.tile([1.0, 0.0], (200, 1))
    outcomes = matrix(score, np.full((200, 2), 0.01), difficulty=np.arange(200, dtype=np.int32) % 3)
    told = routing_rules(outcomes, picks(np.ones(200, dtype=int), 2), None, seed=0)
    assert told.labels.tree == "m0"
    assert told.labels.sentence == "Always m0."
    assert told.labels.same_in_folds == 5
    assert run_source(told.labels)("easy") == "m0"


@pytest.mark.parametrize("spoil", ["few", "few families", "one model", "live", "no cost", "no router"])
def test_no_rule_where_too_little_is_known(planted, spoil):
    _, prompts, outcomes, picked = planted
    if spoil == "few":
        rows = np.arange(99)
        prompts = Prompts(prompts.features[rows], prompts.skeleton[rows])
        outcomes, picked = outcomes.where(rows), picked.where(rows)
    elif spoil == "few families":
        outcomes = outcomes._replace(
            asked=outcomes.asked._replace(cluster=np.arange(600, dtype=np.int32) // 32)
        )
    elif spoil == "one model":
        score = outcomes.score.copy()
        score[:130, 1:] = np.nan
        outcomes, picked = outcomes._replace(score=score), picks(np.zeros(600, dtype=int), 3)
    elif spoil == "live":
        outcomes = outcomes._replace(source=np.full((600, 3), LIVE, dtype=np.int8))
    elif spoil == "no cost":
        outcomes = outcomes._replace(cost=np.full((600, 3), np.nan))
    else:
        picked = picks(np.full(600, -1), 3)
    assert routing_rules(outcomes, picked, prompts, seed=0) is None


def test_unknown_cells_leave_their_questions_out(planted):
    _, prompts, outcomes, _ = planted
    score = outcomes.score.copy()
    score[:50, 0] = np.nan
    score[:400, 2] = np.nan
    told = routing_rules(outcomes._replace(score=score), picks(np.ones(600, dtype=int), 3), prompts, seed=0)
    assert told.models == ["big", "mid"]
    assert told.prompt.n == 550


def test_of_very_many_questions_whole_families_are_drawn():
    rng = np.random.default_rng(3)
    n = 6_000
    family = (np.arange(n) // 4).astype(np.int32)
    score = (rng.random((n, 2)) < 0.5).astype(float)
    difficulty = rng.integers(0, 3, n).astype(np.int32)
    outcomes = matrix(score, np.full((n, 2), 0.01), family=family, difficulty=difficulty)
    told = routing_rules(outcomes, picks(rng.integers(0, 2, n), 2), None, seed=0)
    assert told.labels.n == 5_000


def noise(rng, n_families=28, per_family=12, models=4):
    """14 categories without any meaning, families that differ, one model as good as another."""
    n = n_families * per_family
    family = (np.arange(n) // per_family).astype(np.int32)
    category = (family % 14).astype(np.int32)
    truth = np.clip(0.7 + rng.normal(0, 0.25, (n_families, models)), 0.05, 0.95)
    score = (rng.random((n, models)) < truth[family]).astype(float)
    difficulty = rng.integers(0, 3, n_families)[family].astype(np.int32)
    outcomes = matrix(
        score, np.full((n, models), 0.01), family=family, difficulty=difficulty, category=category
    )
    return outcomes, picks(rng.integers(0, models, n), models)


def leak(runs):
    """The mean of (figure out of fold - truth), where every rule is as good as any."""
    found = []
    for seed in range(runs):
        outcomes, picked = noise(np.random.default_rng(seed))
        told = routing_rules(outcomes, picked, None, seed=seed)
        found.append(told.labels.accuracy)
    truth = np.mean(np.clip(0.7 + np.random.default_rng(0).normal(0, 0.25, 100_000), 0.05, 0.95))
    return np.mean(found) - truth, np.std(found) / np.sqrt(runs)


def test_out_of_fold_by_family_nothing_leaks():
    excess, error = leak(3)
    assert excess < 3 * error


@pytest.mark.slow
def test_folds_of_single_questions_would_leak(monkeypatch):
    excess, error = leak(5)
    assert excess < 2.5 * error
    by_family = rules.folds
    monkeypatch.setattr(
        rules, "folds", lambda group, *rest, **seed: by_family(np.arange(len(group)), *rest, **seed)
    )
    assert leak(5)[0] > excess + 0.02


def test_near_duplicates_are_not_parted():
    """Each prompt stands there twice with another number; a rule cannot learn the one from the other."""
    rng = np.random.default_rng(5)
    base = texts(rng, 150)
    found = [f"{text} {i}" for text in base for i in (1, 2)]
    prompts = prompts_of(found)
    assert len(np.unique(prompts.skeleton)) <= 150
    score = np.repeat((rng.random((150, 4)) < 0.5).astype(float), 2, axis=0)
    outcomes = matrix(score, np.full((300, 4), 0.01), difficulty=np.zeros(300, dtype=np.int32))
    told = routing_rules(outcomes, picks(rng.integers(0, 4, 300), 4), prompts, seed=0)
    assert told.prompt.accuracy < 0.62


def a_run(n=120, models=("a", "b")):
    trials = []
    for i in range(n):
        item = question(f"q{i}", question=f"{'word ' * (i + 1)}{i}", difficulty=("easy", "hard")[i % 2])
        served = models[i % 2]
        trials.append((item, answer("auto", item.id, model=served), grade(float(i % 3 > 0))))
        trials += [
            (item, answer(name, item.id), grade(float((i + k) % 3 > 0))) for k, name in enumerate(models)
        ]
    return trials


def test_a_run_tells_its_rules_in_any_order():
    trials = a_run()
    manifest = run("auto", "a", "b", routers=["auto"], questions=120)
    told = summarise(trials, manifest).rules
    assert (told.router, told.models) == ("auto", ["a", "b"])
    assert told.prompt.n == told.labels.n == 120
    assert summarise(trials, manifest, shuffle=1).rules == told


def test_a_run_without_two_models_or_with_few_questions_tells_none():
    trials = a_run(99)
    assert summarise(trials, run("auto", "a", "b", routers=["auto"], questions=99)).rules is None
    alone = [one for one in a_run() if one[1].arm != "b"]
    assert summarise(alone, run("auto", "a", routers=["auto"], questions=120)).rules is None
    fixed = [one for one in a_run() if one[1].arm != "auto"]
    assert summarise(fixed, run("a", "b", questions=120)).rules is None


def test_without_a_cost_of_the_router_there_is_nothing_to_keep_to():
    trials = [
        (
            item,
            failure("auto", item.id) if outcome.arm == "auto" else outcome,
            mark if outcome.arm != "auto" else None,
        )
        for item, outcome, mark in a_run()
    ]
    told = summarise(trials, run("auto", "a", "b", routers=["auto"], questions=120)).rules
    assert told is None
