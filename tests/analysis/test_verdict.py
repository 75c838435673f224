"""The verdict table row by row, and what each sentence says."""

import math

import msgspec
import pytest

from analysis.worlds import arm_summary_of, run
from routemark.analysis.compare import Doubt, Leaders, Pair
from routemark.analysis.controls.cost import CostRatio
from routemark.analysis.controls.value import Price
from routemark.analysis.stats.paired import Paired
from routemark.analysis.verdict import Evidence, decide, is_usable, verdict
from routemark.records import Comparison, Delivery, EqualCost, PriceRange, SameMix

R, M = "openrouter/auto", 0.03
PRICE = Price(0.05, None, PriceRange(from_usd=0, to_usd=0.03), PriceRange(from_usd=0.09, to_usd=None), [])
CHEAPER, DEARER, SAME, OPEN = (0.32, 0.45), (1.5, 2.5), (0.97, 1.03), (0.7, 1.3)


def pair(name, ci, cost=OPEN, *, n=360, p_holm=1.0, ci_all=None, cost_all=None, **fields):
    """The router against one fixed model; the wider intervals default to the ordinary ones."""
    comparison = Comparison(
        **{
            "arm": R,
            "baseline": name,
            "n": n,
            "clusters": n,
            "accuracy_difference": sum(ci) / 2,
            "ci95": ci,
            "p_value": p_holm,
            "p_value_holm": p_holm,
            "mcnemar": None,
            "cost_ratio": None if cost is None else math.sqrt(cost[0] * cost[1]),
            "cost_ratio_ci95": cost,
            "cost_rests_on": None,
            "indifference_price_usd": 0.05,
            "questions_to_decide": 1_300,
            "failed_or_ungraded": 0.0,
        }
        | fields
    )
    difference = Paired(n, n, sum(ci) / 2, 0.001, None, None)
    ratio = CostRatio(n, comparison.cost_ratio, cost, cost_all or cost, None)
    return Pair(comparison, difference, ci_all or ci, ratio, PRICE)


# (rivals, best first; row; model named)
TABLE = [
    # 1: as good within the margin and surely dearer, at the level for all models
    ([pair("f", (-0.08, 0.02), DEARER)], 1, "f"),
    ([pair("f", (-0.08, 0.02), DEARER, ci_all=(-0.09, 0.031))], 7, "f"),
    ([pair("f", (-0.08, 0.02), DEARER, cost_all=(1.04, 3.0))], 7, "f"),
    ([pair("f", (-0.08, 0.04), DEARER)], 7, "f"),
    ([pair("f", (-0.05, 0.05), DEARER), pair("g", (-0.05, 0.02), DEARER)], 1, "g"),
    ([pair("f", (-0.1, -0.05), CHEAPER, p_holm=0.01), pair("g", (-0.05, 0.02), DEARER)], 1, "g"),
    ([pair("f", (-0.05, 0.02), None, cost_all=(math.inf, math.inf))], 1, "f"),
    # 2: better than every one
    ([pair("f", (0.01, 0.08), OPEN), pair("g", (0.02, 0.2), DEARER)], 2, "f"),
    ([pair("f", (0.0, 0.08), OPEN)], 4, "f"),
    # 3 and 4: not worse than any by the margin
    ([pair("f", (-0.02, 0.05), CHEAPER), pair("g", (0.0, 0.09), DEARER)], 3, "f"),
    ([pair("f", (-0.02, 0.05), SAME)], 4, "f"),
    ([pair("f", (-0.02, 0.05), OPEN)], 4, "f"),
    ([pair("f", (-0.02, 0.05), DEARER)], 4, "f"),
    ([pair("f", (-0.02, 0.05), None)], 4, "f"),
    ([pair("f", (-0.02, 0.05), CHEAPER), pair("g", (-0.03, 0.09), CHEAPER)], 7, "f"),
    # 5 and 6: worse than some
    ([pair("f", (-0.1, -0.02), CHEAPER, p_holm=0.01)], 5, "f"),
    ([pair("f", (-0.1, -0.02), SAME, p_holm=0.01), pair("g", (-0.1, -0.01), CHEAPER, p_holm=0.02)], 5, "g"),
    ([pair("f", (-0.1, -0.02), OPEN, p_holm=0.01)], 6, "f"),
    ([pair("f", (-0.1, -0.02), CHEAPER, p_holm=0.06)], 7, "f"),
    ([pair("f", (-0.1, 0.001), CHEAPER, p_holm=0.04)], 7, "f"),
    # 7: undecided, about the best that cannot be told apart
    ([pair("f", (0.001, 0.08), OPEN), pair("g", (-0.05, 0.08), OPEN)], 7, "g"),
]


@pytest.mark.parametrize(("rivals", "row", "named"), TABLE)
def test_first_row_that_holds(rivals, row, named):
    found, rival = decide(rivals, M)
    assert (found, rival.comparison.baseline) == (row, named)


@pytest.mark.parametrize(
    ("fields", "usable"),
    [
        ({}, True),
        ({"n": 30}, True),
        ({"n": 29}, False),
        ({"failed_or_ungraded": 0.2}, True),
        ({"failed_or_ungraded": 0.21}, False),
        ({"ci95": None}, False),
    ],
)
def test_a_pair_is_judged_by_only_with_enough_answers(fields, usable):
    assert is_usable(pair("f", (0.0, 0.1), **fields)) is usable


def arm(accuracy=0.8, *, cost=1.0, n=360, **fields):
    return arm_summary_of(accuracy, cost, n, **fields)


def evidence(pairs, arms=None, *, routers=(R,), **fields):
    names = dict.fromkeys(name for p in pairs for name in (p.comparison.arm, p.comparison.baseline))
    arms = arms or {name: arm(is_router=name in routers) for name in (names or routers)}
    return Evidence(
        **{
            "run": run(*arms, routers=routers, questions=360),
            "arms": arms,
            "pairs": pairs,
            "leaders": None,
            "graded": True,
            "finished_questions": 360,
            "margin": M,
            "baseline": None,
        }
        | fields
    )


SENTENCES = [
    (
        [pair("f", (-0.08, 0.02), (1.5, 2.5 / 1.5 * 2.4))],
        "You do not need this router here: f alone is as good (at most 3 points behind) for 59 % less.",
    ),
    (
        [pair("f", (-0.08, -0.021), (2, 2))],
        "You do not need this router here: f alone is better, by 2.1-8.0 points, and cheaper, by 50 %.",
    ),
    (
        [pair("f", (-0.05, 0.02), None, cost_all=(math.inf, math.inf))],
        "You do not need this router here: f alone is as good (at most 3 points behind) for 100 % less.",
    ),
    (
        [pair("f", (0.011, 0.08), CHEAPER), pair("g", (0.02, 0.2))],
        "Better than every single model measured, by 1.1-8.0 points over f; costs 62 % less (55-68).",
    ),
    (
        [pair("f", (0.011, 0.08), SAME)],
        "Better than f, the only model measured, by 1.1-8.0 points; costs the same, within 5 %.",
    ),
    (
        [pair("f", (-0.02, 0.05), CHEAPER), pair("g", (0, 0.1))],
        "As good as f, the best of 2 models measured (within 3 points), for 62 % less (55-68).",
    ),
    (
        [pair("f", (-0.02, 0.05), (1.1, 1.3))],
        "As good as f (within 3 points), but dearer: costs 20 % more (10-30).",
    ),
    ([pair("f", (-0.02, 0.05), SAME)], "As good as f (within 3 points), costs the same, within 5 %."),
    (
        [pair("f", (-0.02, 0.05), OPEN)],
        "As good as f (within 3 points), whether it saves money is open: costs 30 % less to 30 % more.",
    ),
    ([pair("f", (-0.02, 0.05), None)], "As good as f (within 3 points), the costs cannot be compared."),
    (
        [pair("f", (-0.1, -0.021), CHEAPER, p_holm=0.01)],
        (
            "Gives up 2.1-10 points against f and costs 62 % less (55-68): worth it only if a right answer is "
            "worth less than $0.050 (surely below $0.030, surely not above $0.090)."
        ),
    ),
    (
        [pair("f", (-0.1, -0.021), (4, 6), p_holm=0.01, ci_all=(-0.1, 0.04))],
        "Worse than f, by 2.1-10 points, and not cheaper: costs 4.9 times as much (4.0-6.0).",
    ),
    (
        [pair("f", (-0.06, 0.05), CHEAPER), pair("g", (-0.06, 0.05))],
        (
            "Cannot be told apart from f, the best of 2 models measured, on 360 questions: between 6.0 points worse "
            "and 5.0 better; costs 62 % less (55-68). About 940 more questions (about $2.82) would settle a "
            "difference of 3 points."
        ),
    ),
    (
        [pair("f", (-0.06, -0.01), CHEAPER, p_holm=0.06, questions_to_decide=None)],
        (
            "Cannot be told apart from f, on 360 questions: 1.0-6.0 points worse, not sure enough among so many "
            "comparisons; costs 62 % less (55-68). Asking more questions is no way to settle a difference of "
            "3 points."
        ),
    ),
    (
        [pair("f", (-0.06, 0.04), CHEAPER, questions_to_decide=300)],
        (
            "Cannot be told apart from f, on 360 questions: between 6.0 points worse and 4.0 better; costs 62 % less "
            "(55-68). So many questions tell a difference of 3 points in four runs of five."
        ),
    ),
]


@pytest.mark.parametrize(("pairs", "sentence"), SENTENCES)
def test_sentences(pairs, sentence):
    assert verdict(evidence(pairs)).sentence == sentence


def test_the_best_fixed_model_is_the_most_accurate_then_the_cheaper():
    pairs = [pair("f", (-0.1, 0.1)), pair("g", (-0.1, 0.1)), pair("h", (-0.1, 0.1))]
    arms = {R: arm(is_router=True), "f": arm(0.7), "g": arm(0.8, cost=2.0), "h": arm(0.8, cost=1.0)}
    assert "apart from h, the best of 3 models" in verdict(evidence(pairs, arms)).sentence


ROW_0 = [
    (evidence([], routers=(R,)), "Nothing to compare with: add a fixed model with -m."),
    (
        evidence([pair("f", (0, 0.1), n=0)], graded=False, finished_questions=0),
        "Nothing to judge: no question has been asked of every arm yet.",
    ),
    (
        evidence([pair("f", (0, 0.1), n=29)]),
        "Too little to judge: 29 answers to compare (30 needed).",
    ),
    (
        evidence([pair("f", (0, 0.1))], graded=False),
        "Quality was not graded: this run judges routing, cost and latency only.",
    ),
    (
        evidence(
            [pair("f", (0, 0.1), failed_or_ungraded=0.25)],
            {R: arm(is_router=True), "f": arm(failed=60, ungraded=30)},
        ),
        "Too little to judge: 25 % of the answers of f failed or were not graded (20 % at most).",
    ),
    (
        evidence([pair("f", (0, 0.1), ci95=None)]),
        "Too little to judge: all questions are of one family, so they count as one.",
    ),
    (
        evidence([], {"f": arm()}, routers=()),
        "No router among the arms: add one with -m, for example -m openrouter/auto.",
    ),
    (
        evidence([], {"f": arm(), "g": arm()}, routers=(), leaders=Leaders(360, "f", ["g"], ["h", "i"])),
        (
            "No router among the arms: add one with -m, for example -m openrouter/auto. On 360 questions, f scored "
            "best; it cannot be told apart from g and is better than h and i."
        ),
    ),
    (
        evidence([], {"f": arm(), "g": arm()}, routers=(), leaders=Leaders(12, "f", ["g"], [])),
        (
            "No router among the arms: add one with -m, for example -m openrouter/auto. Too few answers to tell the "
            "models apart: 12 (30 needed)."
        ),
    ),
]


@pytest.mark.parametrize(("given", "sentence"), ROW_0)
def test_too_little_to_judge_says_what_is_missing(given, sentence):
    found = verdict(given)
    assert (found.row, found.sentence) == (0, sentence)


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ((0.011, 0.05), "Its picks beat the same models picked at random by 1.1-5.0 points."),
        ((-0.05, -0.011), "Its picks are worse than the same models picked at random, by 1.1-5.0 points."),
        ((-0.02, 0.02), "Its picks are no better than the same models picked at random (within 3 points)."),
        (
            (-0.02, 0.05),
            (
                "Whether its picks beat the same models picked at random is open: "
                "between 2.0 points worse and 5.0 better "
                "(about 176 more questions would tell a gain of 3 points)."
            ),
        ),
        (None, "Whether its picks beat the same models picked at random was not measured."),
    ],
)
def test_skill_sentence(interval, said):
    mix = interval and SameMix(
        accuracy=0.8, cost_per_1k_usd=1.0, gain=0.0, gain_ci95=interval, p_value=0.5, n=100
    )
    arms = {R: arm(is_router=True, same_mix=mix), "f": arm()}
    assert verdict(evidence([pair("f", (0, 0.1))], arms)).skill == said


def test_skill_is_not_judged_on_too_few_questions():
    mix = SameMix(accuracy=0.5, cost_per_1k_usd=1.0, gain=0.4, gain_ci95=(0.3, 0.5), p_value=0.001, n=29)
    arms = {R: arm(is_router=True, same_mix=mix), "f": arm()}
    assert verdict(evidence([pair("f", (0, 0.1))], arms)).skill == (
        "Too little to judge whether its picks beat the same models picked at random: 29 questions (30 needed)."
    )


def test_simulated_comes_first_among_the_notes():
    given = evidence([pair("f", (-0.1, 0.1))])
    simulated = given._replace(run=msgspec.structs.replace(given.run, simulated=True))
    assert (
        verdict(simulated).notes[0] == "SIMULATED: fictitious models; this tests the wiring, not any router."
    )
    assert not any("SIMULATED" in note for note in verdict(given).notes)


def test_margins_are_printed_once_and_last():
    notes = verdict(evidence([pair("f", (-0.1, 0.1))])).notes
    assert notes[-1] == (
        '"As good" and "within" mean at most 3 points, surely (95 %); '
        "costs within 5 % of each other count as the same."
    )


def test_notes_name_what_is_missing():
    arms = {R: arm(is_router=True, failed=2), "f": arm(ungraded=3), "g": arm(failed=200)}
    pairs = [pair("f", (-0.1, 0.1)), pair("g", (0.2, 0.4), failed_or_ungraded=0.55)]
    notes = verdict(evidence(pairs, arms, finished_questions=64)).notes
    assert notes[:4] == [
        "Rests on the first 64 of 360 questions in the order of the plan: the run has not finished.",
        f"Failed calls: {R} 2 of 360 and g 200 of 360; where the service failed, they count as wrong answers.",
        "Answers without a grade: f 3 of 360; they are left out.",
        "Left out of the verdict, for too few answers: g.",
    ]


def test_notes_name_models_that_cannot_be_told_apart_and_what_they_save():
    pairs = [pair("f", (-0.1, 0.1)), pair("g", (-0.09, 0.11), (2, 2)), pair("h", (0.1, 0.2))]
    notes = verdict(evidence(pairs)).notes
    assert f"On quality, {R} cannot be told apart from g (50 % cheaper)." in notes


def test_notes_warn_of_costs_and_families_that_carry_too_much():
    notes = verdict(evidence([pair("f", (-0.1, 0.1), cost_rests_on=18, clusters=12)])).notes
    assert any(note.startswith("The costs against f rest on 18 questions") for note in notes)
    assert any("groups of questions (12)" in note for note in notes)


def test_other_routers_and_the_baseline_are_set_beside_the_one_judged():
    other = "openrouter/auto?cost_tier=low"
    pairs = [
        pair("f", (-0.1, 0.1)),
        pair("g", (-0.1, 0.1)),
        pair(other, (-0.01, 0.05), CHEAPER),
        pair("f", (-0.3, 0.1), arm=other),
    ]
    notes = verdict(evidence(pairs, routers=(R, other), baseline="g")).notes
    said = [note for note in notes if "beside" in note]
    assert said == [
        (
            f"{R} beside g: between 10 points worse and 10 better; whether it saves money is open: "
            "costs 30 % less to 30 % more."
        ),
        f"{R} beside {other}: between 1.0 points worse and 5.0 better; costs 62 % less (55-68).",
    ]


def test_the_first_known_router_is_judged_before_one_that_only_turned_out_to_be():
    arms = {"alias": arm(is_router=True), "f": arm(), R: arm(is_router=True)}
    pairs = [pair("f", (-0.2, -0.1), OPEN, arm="alias", p_holm=0.0), pair("f", (0.1, 0.2))]
    assert verdict(evidence(pairs, arms)).row == 2


@pytest.mark.parametrize(
    ("started", "date"),
    [
        ("2026-03-01T23:30:00-02:00", "2026-03-02"),
        ("2026-03-01T23:30:00Z", "2026-03-01"),
        ("2026-03-01T23:30:00", "2026-03-01"),
    ],
)
def test_the_date_is_that_of_the_start_in_utc(started, date):
    given = evidence([])
    manifest = msgspec.structs.replace(given.run, started_at=started)
    assert verdict(given._replace(run=manifest)).date == date


def test_no_sentence_speaks_to_statisticians():
    for pairs, _ in SENTENCES:
        found = verdict(evidence(pairs))
        for text in [found.sentence, found.skill, *found.notes]:
            for word in ("significan", "null", "p-value", "confidence"):
                assert word not in text.lower()


def test_the_sentence_says_when_answers_that_nobody_could_grade_might_change_the_row():
    found, good, bad = ([pair("f", ci, CHEAPER)] for ci in ((-0.02, 0.05), (0.01, 0.09), (-0.05, 0.02)))
    said = {
        name: verdict(evidence(found, doubt=Doubt(against, for_it, 7))).sentence
        for name, against, for_it in (("same", found, found), ("worse", bad, found), ("better", found, good))
    }
    assert said["same"] == verdict(evidence(found)).sentence
    assert said["worse"] == f"{said['same']} This depends on 7 answers that could not be graded."
    assert said["better"] == said["worse"]


def mixture(**fields):
    return EqualCost(
        **{"n": 360, "accuracy": 0.6, "cost_per_1k_usd": 1.0, "mixture_accuracy": 0.7, "gap": -0.1}
        | {"gap_ci95": (-0.15, -0.05), "gap_ci99": (-0.17, -0.03), "standing": "below"}
        | {"cheap": "f", "dear": "h", "dear_share": 0.4}
        | fields
    )


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({}, "was not measured, and a plain mixture of f and h would do better for the same money."),
        ({"dear": "f"}, "was not measured, and f alone would do better for the same money."),
        ({"standing": "open"}, "was not measured."),
    ],
)
def test_skill_names_the_mixture_that_is_better_for_the_same_money(fields, end):
    arms = {R: arm(is_router=True, equal_cost=mixture(**fields)), "f": arm()}
    skill = verdict(evidence([pair("f", (-0.02, 0.05))], arms)).skill
    assert skill.removesuffix(" Add --baselines picked to measure it.").endswith(end), skill


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        (
            (-0.08, -0.02),
            "Its own calls are worse than direct calls of the models it picked, by 2.0-8.0 points",
        ),
        (
            (0.01, 0.05),
            "Its own calls are better than direct calls of the models it picked, by 1.0-5.0 points",
        ),
        ((-0.01, 0.05), None),
        (None, None),
    ],
)
def test_a_note_tells_delivery_that_is_surely_not_zero(interval, said):
    delivered = Delivery(
        accuracy_difference=0.0, ci95=interval, n=360, clusters=360, live_accuracy=0.6, direct_accuracy=0.6,
        cost_difference_per_1k_usd=None,
    )  # fmt: skip
    arms = {R: arm(is_router=True, delivery=delivered), "f": arm()}
    notes = [
        n for n in verdict(evidence([pair("f", (-0.02, 0.05))], arms)).notes if n.startswith("Its own calls")
    ]
    assert [note.partition(":")[0] for note in notes] == ([said] if said else [])
