"""Each sentence about two dates says what holds, and no more."""

import pytest

from routemark.analysis.drift import drift_words
from routemark.analysis.drift.drift_words import Dates, Finding
from routemark.records import Adjusted, ArmChange, PickDrift

DATES = Dates("2026-03-01", "2026-04-02")


def change(**fields):
    return ArmChange(
        **{
            "arm_a": "openrouter/auto",
            "arm_b": "openrouter/auto",
            "is_router": True,
            "n": 360,
            "clusters": 360,
            "accuracy_a": 0.7,
            "accuracy_b": 0.75,
            "accuracy_change": 0.05,
            "ci95": (0.01, 0.09),
            "p_value": 0.01,
            "lost_share": 0.0,
            "cost_per_1k_usd_a": 1.0,
            "cost_per_1k_usd_b": 1.5,
            "cost_ratio": 1.5,
            "cost_ratio_ci95": (1.3, 1.7),
            "cost_rests_on": None,
            "cost_n": 360,
            "latency_p50": None,
            "latency_p90": None,
        }
        | fields
    )


def anchors(*names, n=350):
    return Adjusted(n=n, clusters=n, change=0.05, ci95=(0.01, 0.09), anchors=list(names))


@pytest.mark.parametrize(
    ("interval", "kind"),
    [
        ((0.01, 0.09), "better"),
        ((-0.09, -0.01), "worse"),
        ((-0.02, 0.02), "within_margin"),
        ((-0.03, 0.02), "open"),
        ((0.0, 0.09), "open"),
    ],
)
def test_the_interval_decides(interval, kind):
    assert drift_words.decide(change(), interval, 360, graded=True, margin=0.03) == kind


@pytest.mark.parametrize(
    ("fields", "interval", "n", "graded", "kind"),
    [
        ({}, (0.1, 0.2), 29, True, "too_little"),
        ({"lost_share": 0.21}, (0.1, 0.2), 360, True, "too_little"),
        ({}, None, 360, True, "too_little"),
        ({}, (0.1, 0.2), 360, False, "not_graded"),
    ],
)
def test_too_little_is_not_judged(fields, interval, n, graded, kind):
    one = change(**fields)
    assert drift_words.decide(one, interval, n, graded=graded, margin=0.03) == kind
    said = drift_words.sentence(Finding(kind, one, None, interval, None), DATES, 0.03)
    assert said.startswith("Too little to judge" if kind == "too_little" else "Quality was not graded")


def sentence(kind, interval, adjusted, needed=900, **fields):
    return drift_words.sentence(Finding(kind, change(**fields), adjusted, interval, needed), DATES, 0.03)


def test_with_anchors_the_router_itself_is_named_with_both_dates():
    assert sentence("worse", (-0.084, -0.021), anchors("a", "b")) == (
        "openrouter/auto changed for the worse between 2026-03-01 and 2026-04-02: by 2.1-8.4 points, beside the 2 "
        "fixed models asked on both dates, on 350 questions."
    )
    assert sentence("within_margin", (-0.02, 0.01), anchors("a")) == (
        "openrouter/auto did not change by more than 3 points between 2026-03-01 and 2026-04-02: between 2.0 points "
        "worse and 1.0 better, beside the one fixed model asked on both dates, on 350 questions."
    )


def test_without_anchors_it_may_be_the_models():
    assert sentence("better", (0.021, 0.084), None) == (
        "The router or its models changed for the better between 2026-03-01 and 2026-04-02: openrouter/auto by "
        "2.1-8.4 points, on 360 questions."
    )


def test_what_is_open_says_what_would_settle_it():
    said = sentence("open", (-0.05, 0.02), anchors("a"))
    assert said.startswith("Whether openrouter/auto changed between 2026-03-01 and 2026-04-02 cannot be told")
    assert said.endswith("About 550 more questions on both dates would settle a difference of 3 points.")
    assert "no way to settle" in sentence("open", (-0.05, 0.02), None, needed=None)
    assert "four runs of five" in sentence("open", (-0.05, 0.02), None, needed=300)


@pytest.mark.parametrize("kind", ["better", "worse", "within_margin", "open"])
def test_two_settings_are_named_each_with_its_date(kind):
    interval = {"better": (0.01, 0.02), "worse": (-0.02, -0.01)}.get(kind, (-0.02, 0.01))
    said = sentence(kind, interval, None, arm_a="auto?cost_tier=low", arm_b="auto?cost_tier=high")
    assert said.startswith("auto?cost_tier=high (2026-04-02) ")
    assert "auto?cost_tier=low (2026-03-01)" in said
    assert "changed" not in said


@pytest.mark.parametrize(
    ("interval", "words"),
    [((1.3, 1.7), "50 % more (30-70)"), ((0.97, 1.03), "the same"), ((0.9, 1.7), "10 % less to 70 % more")],
)
def test_cost_says_what_is_sure(interval, words):
    said = drift_words.cost(change(cost_ratio_ci95=interval))
    assert said.startswith("Cost per 1,000 questions: $1.00 in A, $1.50 in B: ")
    assert words in said


def test_cost_without_interval_or_without_cost():
    assert "too few" in drift_words.cost(change(cost_ratio_ci95=None))
    assert drift_words.cost(change(cost_per_1k_usd_a=None)) == "Cost is not known on both dates."


def picks(**fields):
    return PickDrift(
        **{
            "n": 360,
            "changed": 0.3,
            "flip_a": 0.1,
            "flip_b": 0.14,
            "excess": 0.18,
            "excess_ci95": (0.12, 0.24),
            "p_value": 0.001,
            "shares_a": {},
            "shares_b": {},
            "matrix": [],
        }
        | fields
    )


def test_picks_are_held_against_the_flicker_of_one_day():
    changed, mix = drift_words.picks(picks())
    assert changed == (
        "Another model was picked on 30 % of 360 questions; asked twice on one day, it picks another on 12 %: the "
        "dates add 12-24 points."
    )
    assert mix == "Its mix of models changed, by more than chance would (95 %)."
    shown = drift_words.picks(picks(excess=0.01, excess_ci95=(-0.02, 0.04), p_value=0.4))
    assert shown[0].endswith("no more than its ordinary flicker can be seen.")
    assert shown[1] == "That its mix of models is as it was cannot be excluded."


def test_without_repeats_flicker_is_named():
    (said, _) = drift_words.picks(picks(flip_a=None, flip_b=None, excess=None, excess_ci95=None))
    assert "some of this is its ordinary flicker." in said
    (said, _) = drift_words.picks(picks(flip_b=None, excess=None, excess_ci95=None))
    assert "(asked twice on one day: 10 %)" in said


def test_no_picks_and_no_changed_pick():
    assert drift_words.picks(None) == ["Which models it picked is not known on both dates."]
    assert drift_words.picks(picks(changed=0.0)) == ["It picked the same models on all 360 questions."]
