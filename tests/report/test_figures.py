"""The figures of the first screen name their baseline and carry their interval."""

import msgspec
import pytest

import report_factory as factory
from routemark.records import PriceRange, Service
from routemark.report import views
from routemark.report.figures import figures

SUMMARY = factory.make_summary(factory.make_rows())


def by_title(run, summary):
    return {figure.title: figure for figure in figures(run, summary)}


def test_the_router_is_compared_with_the_best_model():
    found = by_title(factory.make_run(), SUMMARY)
    pair = SUMMARY.comparisons[-1]
    assert pair.baseline == "sim/condor-max"
    quality = found["Quality"]
    assert quality.value == f"{100 * pair.accuracy_difference:+.1f} points"
    assert quality.interval == f"{100 * pair.ci95[0]:+.1f} to {100 * pair.ci95[1]:+.1f}"
    assert "minus sim/condor-max, 120 questions" in quality.said
    cost = found["Cost ratio"]
    assert f"{pair.cost_ratio:.2f}x" == cost.value
    assert "per 1,000 questions against $37.69 of sim/condor-max" in cost.said
    assert "rests on the dearest 6 questions" in cost.said
    assert found["Gain over its own mix"].interval == "-1.1 to +5.8"
    assert found["Choice flips at"].value == "$0.12"
    assert list(found) == [
        "Quality", "Cost ratio", "Gain over its own mix", "Choice flips at", "Failed calls, latency p90"
    ]  # fmt: skip


def test_failed_calls_and_slow_answers_are_differences_with_intervals():
    service = Service(
        arm=factory.ROUTER, baseline="sim/condor-max", n=120, failed_difference=-0.0125, failed_ci95=(-0.031, 0.006),
        latency_n=115, latency_p90_s=2.0, baseline_latency_p90_s=4.5, latency_p90_difference_s=-2.5,
        latency_p90_ci95_s=(-3.1, 0.04),
    )  # fmt: skip
    summary = msgspec.structs.replace(SUMMARY, service=service)
    one = by_title(factory.make_run(), summary)["Failed calls, latency p90"]
    assert one.value == "-1.2 points, -2.50 s"
    assert one.interval == "-3.1 to +0.6; -3.10 s to +40 ms"
    assert "openrouter/auto minus sim/condor-max: 0.8 % against" in one.said
    other = factory.make_run(settings={"baseline": "sim/heron-pro"})
    alone = by_title(other, summary)["Failed calls, latency p90"]
    assert alone.interval == "", "a difference to another arm is not shown beside this one"


def test_a_month_stands_with_the_cost():
    pair = msgspec.structs.replace(
        SUMMARY.comparisons[-1], monthly_usd=-2500.0, monthly_usd_ci95=(-2900.0, -2100.0)
    )
    summary = msgspec.structs.replace(SUMMARY, comparisons=[*SUMMARY.comparisons[:-1], pair])
    said = by_title(factory.make_run(settings={"traffic": 100_000}), summary)["Cost ratio"].said
    assert "-$2,500 [-$2,900, -$2,100] a month at 100,000 calls" in said


def test_a_router_whose_mix_was_not_measured_says_how_to():
    arms = {name: msgspec.structs.replace(arm, same_mix=None) for name, arm in SUMMARY.arms.items()}
    one = by_title(factory.make_run(), msgspec.structs.replace(SUMMARY, arms=arms))["Gain over its own mix"]
    assert (one.value, one.interval) == ("not measured", "")
    assert "--baselines picked" in one.said


def test_an_arm_that_is_better_at_every_price_says_so():
    pair = msgspec.structs.replace(
        SUMMARY.comparisons[-1], indifference_price_usd=None, better_at_every_price="sim/condor-max"
    )
    summary = msgspec.structs.replace(SUMMARY, comparisons=[*SUMMARY.comparisons[:-1], pair])
    one = by_title(factory.make_run(), summary)["Choice flips at"]
    assert one.value == "no price"
    assert "as measured, sim/condor-max is better" in one.said


@pytest.mark.parametrize(
    ("better", "worse", "interval"),
    [
        ((0, 0.053), (0.3, None), "$0.053 to $0.30"),
        ((0.3, None), (0, 0.053), "$0.053 to $0.30"),
        ((0, 0.053), None, ""),
        (None, None, ""),
    ],
)
def test_the_price_is_open_between_those_at_which_one_side_is_sure(better, worse, interval):
    sides = (None if one is None else PriceRange(from_usd=one[0], to_usd=one[1]) for one in (better, worse))
    pair = msgspec.structs.replace(
        SUMMARY.comparisons[-1], **dict(zip(("surely_better_usd", "surely_worse_usd"), sides, strict=True))
    )
    summary = msgspec.structs.replace(SUMMARY, comparisons=[*SUMMARY.comparisons[:-1], pair])
    assert by_title(factory.make_run(), summary)["Choice flips at"].interval == interval


def test_the_users_own_baseline_goes_before_the_best_model():
    run = factory.make_run(settings={"baseline": "sim/heron-pro"})
    assert "sim/heron-pro" in by_title(run, SUMMARY)["Quality"].said
    assert views.headline(run, SUMMARY).baseline == "sim/heron-pro"


def test_traffic_gives_dollars_a_month():
    said = by_title(factory.make_run(settings={"traffic": 2_000_000}), SUMMARY)["Cost ratio"].said
    assert f"(${SUMMARY.arms[factory.ROUTER].cost_per_1k_usd * 2000:,.0f} a month)" in said


def test_one_arm_alone_has_its_own_figures():
    rows = [row for row in factory.make_rows(60) if row.arm == factory.ROUTER]
    found = by_title(factory.make_run(), factory.make_summary(rows))
    assert found["Accuracy"].interval.count("%") == 2
    assert found["Cost"].value.startswith("$")


def test_unknown_is_said_not_drawn_as_zero():
    arms = {
        name: msgspec.structs.replace(
            arm, accuracy=None, accuracy_ci95=None, cost_per_1k_usd=None, same_mix=None
        )
        for name, arm in SUMMARY.arms.items()
    }
    found = by_title(
        factory.make_run(), msgspec.structs.replace(SUMMARY, arms=arms, comparisons=[], graded=False)
    )
    assert found["Quality"].value == "not graded"
    assert found["Cost"].value == "n/a"


def test_latencies_of_a_limited_client_are_marked():
    client = msgspec.structs.replace(factory.make_run().client, limited=True)
    latency = by_title(factory.make_run(client=client), SUMMARY)["Failed calls, latency p90"]
    assert latency.value.count("*") == 1
    assert "client-limited: upper bounds" in latency.said


@pytest.mark.parametrize("arms", [{}])
def test_without_arms_there_are_no_figures(arms):
    assert figures(factory.make_run(), msgspec.structs.replace(SUMMARY, arms=arms, comparisons=[])) == []
