"""Gates: what is refused before anything is asked, and how each figure decides."""

import math
import re
import string
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import report_factory as factory
from routemark.analysis.gates.figures import FIGURES, Facts, Value, of_summary
from routemark.analysis.gates.gates import ALIASES, Known, decide, read_gates
from routemark.analysis.gates.language import DEEPEST, LONGEST, Gate
from routemark.errors import GateError
from routemark.records import (
    ArmSummary,
    Estimate,
    GateResult,
    Perturbation,
    Robustness,
    Run,
    Stability,
    Summary,
    WeightedArm,
)

RUN = factory.make_run()
ROWS = factory.make_rows()
SUMMARY = factory.make_summary(ROWS)
ODD = 'my "own" arm, (a)'
KNOWN = Known(
    models={**{arm.name: arm.model for arm in RUN.arms}, "twice?cost_tier=low&x=a*": "twice", "twice": "twice", ODD: "sim/odd"},
    baseline="sim/heron-pro",
    has_router=True,
    has_fixed=True,
)  # fmt: skip


def decided(
    expression: str, *, run: Run = RUN, summary: Summary = SUMMARY, known: Known = KNOWN
) -> GateResult:
    (result,) = decide(read_gates([expression], known), of_summary(run, summary))
    return result


def with_arm(name: str = factory.ROUTER, **changes) -> Summary:
    arm = msgspec.structs.replace(SUMMARY.arms[name], **changes)
    return msgspec.structs.replace(SUMMARY, arms={**SUMMARY.arms, name: arm})


AUTO = SUMMARY.arms[factory.ROUTER]
CONDOR = SUMMARY.arms["sim/condor-max"]
PAIR = next(one for one in SUMMARY.comparisons if one.baseline == "sim/heron-pro")


# --------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 4 - 3", 3),
        ("24 / 4 / 3", 2),
        ("-2 * -3", 6),
        ("- (1 - 4)", 3),
        ("2 - -1", 3),
        ("1e-2 + .5 + 3.", 3.51),
        ("accuracy(auto)", AUTO.accuracy),
        ("accuracy( openrouter/auto )", AUTO.accuracy),
        ('accuracy("openrouter/auto")', AUTO.accuracy),
        ("lower(accuracy(auto))", AUTO.accuracy_ci95[0]),
        ("upper(accuracy(auto))", AUTO.accuracy_ci95[1]),
        ("accuracy_answered(auto)", AUTO.accuracy_answered),
        ("cost_per_1k_usd(sim/condor-max)", CONDOR.cost_per_1k_usd),
        ("cost_per_correct_usd(auto)", AUTO.cost_per_correct_usd),
        ("cost_usd(auto)", AUTO.cost_usd),
        ("failed_share(auto)", AUTO.failed / AUTO.n),
        ("truncated_share(auto)", AUTO.truncated / AUTO.n),
        ("latency_p50(auto)", AUTO.latency_s.p50),
        ("latency_p99(auto)", AUTO.latency_s.p99),
        ("ttft_p90(auto)", AUTO.ttft_s.p90),
        ("pick_entropy_bits(auto)", 1.4),
        ("gain(auto)", 0.024),
        ("lower(gain(auto))", -0.011),
        ("n(auto)", 120),
        ("accuracy(best_single)", CONDOR.accuracy),
        ("cost_per_1k_usd(cheapest)", SUMMARY.arms["sim/sparrow-mini"].cost_per_1k_usd),
        ("cost_per_1k_usd(dearest)", CONDOR.cost_per_1k_usd),
        ("accuracy(baseline)", SUMMARY.arms["sim/heron-pro"].accuracy),
        ("difference(auto, baseline)", PAIR.accuracy_difference),
        ("difference(baseline, auto)", -PAIR.accuracy_difference),
        ("lower(difference(baseline, auto))", -PAIR.ci95[1]),
        ("upper(difference(baseline, auto))", -PAIR.ci95[0]),
        ("cost_ratio(auto, baseline)", PAIR.cost_ratio),
        ("cost_ratio(baseline, auto)", 1 / PAIR.cost_ratio),
        ("lower(cost_ratio(baseline, auto))", 1 / PAIR.cost_ratio_ci95[1]),
        ("difference(auto, auto)", 0),
        ("cost_ratio(auto, auto)", 1),
        ("verdict_row()", 7),
        ("total_cost_usd()", SUMMARY.cost_usd),
        ("questions()", 120),
        ("detectable_difference()", 0.098),
    ],
)  # fmt: skip
def test_a_number_has_the_value_that_the_summary_has(number: str, value: float) -> None:
    result = decided(f"{number} > -1e9")
    assert result.passed
    assert result.left == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("expression", "passed"),
    [
        ("1 < 2", True), ("2 < 2", False), ("2 <= 2", True), ("2 > 2", False), ("2 >= 2", True), ("1 >= 2", False),
        ("2 == 2", True), ("2 != 2", False), ("1 != 2", True),
        ("0.1 + 0.2 <= 0.3", True), ("0.3 < 0.1 + 0.2", False), ("0.68 - 0.02 >= 0.66", True), ("0.1 + 0.2 - 0.3 == 0", True),
        ("1 < 2 and 2 < 3", True), ("1 < 2 and 3 < 2", False), ("3 < 2 or 1 < 2", True), ("3 < 2 or 2 < 1", False),
        ("not 2 < 1", True), ("not (1 < 2 or 2 < 1)", False), ("not not 1 < 2", True),
        ("1 < 2 or 1 < 2 and 2 < 1", True), ("(1 < 2 or 1 < 2) and 2 < 1", False), ("not 1 < 2 and 2 < 1", False),
    ],
)  # fmt: skip
def test_conditions_hold_or_not(expression: str, passed: bool) -> None:
    assert decided(expression).passed is passed


def test_arms_are_named_in_quotes_by_an_escape_and_by_their_model() -> None:
    odd = with_arm()
    odd = msgspec.structs.replace(odd, arms={**odd.arms, ODD: CONDOR, "twice?cost_tier=low&x=a*": AUTO})
    escaped = r'"my \"own\" arm, (a)"'
    for name in (escaped, "sim/odd"):
        assert decided(f"accuracy({name}) > 0", summary=odd).left == CONDOR.accuracy
    for name in ('"twice?cost_tier=low&x=a*"', "twice?cost_tier=low&x=a*"):
        assert decided(f"accuracy({name}) > 0", summary=odd).left == AUTO.accuracy


def test_every_figure_has_its_place_in_a_summary() -> None:
    of_arms = {name for name, signature in FIGURES.items() if signature.arms == 1}
    facts = of_summary(RUN, SUMMARY)
    assert set(facts.arms[factory.ROUTER]) == of_arms
    assert set(facts.whole) == {name for name, signature in FIGURES.items() if signature.arms == 0}


def test_intervals_stand_where_the_language_says_that_there_are_some() -> None:
    estimate = Estimate(value=0.4, ci95=(0.3, 0.5), n=10, clusters=10)
    one = Perturbation(
        copies=1, left_out=0, flip_rate=estimate, robustness=None, excess_flips=None, score_change=None
    )
    names = [field.name for field in msgspec.structs.fields(Stability)]
    stability = Stability(**{
        name: estimate for name in names if name not in ("repeats", "sticky", "pairs_other_model", "pairs_same_model")
    }, repeats=2, sticky=False, pairs_other_model=1, pairs_same_model=1)  # fmt: skip
    summary = with_arm(stability=stability, robustness=Robustness(overall=one, by_kind={}))
    for name in ("same_pick", "self_disagreement", "flip_rate"):
        assert decided(
            f"lower({name}(auto)) == 0.3 and upper({name}(auto)) == 0.5", summary=summary
        ).passed, name


def test_weighted_figures_take_the_place_of_the_others() -> None:
    weighted = WeightedArm(accuracy=0.99, accuracy_ci95=(0.98, 1.0), cost_per_1k_usd=3.0)
    summary = with_arm(weighted=weighted)
    own = msgspec.structs.replace(PAIR, weighted=msgspec.structs.replace(PAIR, accuracy_difference=0.5))
    summary = msgspec.structs.replace(summary, comparisons=[own])
    assert decided("accuracy(auto) == 0.99 and cost_per_1k_usd(auto) == 3", summary=summary).passed
    assert decided("difference(auto, baseline) == 0.5", summary=summary).passed


# --------------------------------------------------------------------------- what is told


def test_the_result_holds_both_sides_and_the_figures_behind_them() -> None:
    result = decided("  accuracy(auto) >= accuracy(best_single) - 0.02 ")
    assert result == GateResult(
        expression="accuracy(auto) >= accuracy(best_single) - 0.02",
        passed=False,
        left=AUTO.accuracy,
        right=CONDOR.accuracy - 0.02,
        reason="0.725 >= 0.813333 does not hold; accuracy(auto: openrouter/auto) = 0.725, "
        "accuracy(best_single: sim/condor-max) = 0.833333",
    )
    both = decided("lower(accuracy(auto)) > 0.9 or n(auto) >= 100")
    assert (both.passed, both.left, both.right) == (True, None, None)
    assert both.reason.startswith("0.6")
    assert "> 0.9 does not hold, 120 >= 100 holds; lower(accuracy(auto: " in both.reason


def test_two_numbers_that_differ_never_look_alike() -> None:
    assert decided("1.00000001 > 1").reason == "1.00000001 > 1.0 holds"


@pytest.mark.parametrize(
    ("expression", "unknown"),
    [
        ("hull_gap(auto) > 0", "hull_gap(auto: openrouter/auto) is unknown"),
        ("upper(gain(sim/heron-pro)) > 0", "upper(gain(sim/heron-pro)) is unknown"),
        ("1 > 0 or hull_gap(auto) > 0", "hull_gap(auto: openrouter/auto) is unknown"),
        ("not hull_gap(auto) > 0", "hull_gap(auto: openrouter/auto) is unknown"),
        ("1 / (n(auto) - 120) > 0", "1 / 0 is unknown"),
        ("1e308 * 10 > 1", "too large"),
        ("1e999 > 1", "too large"),
        ("difference(sim/heron-pro, sim/condor-max) < 1", "were not compared"),
        ("accuracy(twice) > 0", "twice is unknown: it has no answers in this run"),
    ],
)  # fmt: skip
def test_a_gate_with_an_unknown_value_fails_whatever_else_it_says(expression: str, unknown: str) -> None:
    result = decided(expression)
    assert not result.passed
    assert result.reason.startswith("cannot be decided: ")
    assert unknown in result.reason


def test_an_alias_that_nobody_fills_and_a_figure_that_is_no_number_are_unknown() -> None:
    alone = msgspec.structs.replace(SUMMARY, arms={factory.ROUTER: AUTO})
    assert decided("accuracy(best_single) > 0", summary=alone).reason == (
        "cannot be decided: best_single is unknown: no arm of this run is one"
    )
    assert "is unknown" in decided("accuracy(auto) > 0", summary=with_arm(accuracy=math.nan)).reason


@pytest.mark.parametrize(("status", "was_decided", "passes"), [
    ("complete", False, True), ("stopped", True, True), ("stopped", False, False), ("running", False, False),
])  # fmt: skip
def test_a_run_that_did_not_come_to_its_end_passes_nothing(
    status: str, was_decided: bool, passes: bool
) -> None:
    result = decided("n(auto) > 0", run=factory.make_run(status=status, decided=was_decided))
    assert result.passed is passes
    assert passes or result.reason == f"cannot be decided: the run has not finished ({status})"


def test_models_asked_a_sample_only_are_no_best_single() -> None:
    assert (
        "best_single: sim/heron-pro"
        in decided("accuracy(best_single) > 0", summary=with_arm("sim/condor-max", sample=20)).reason
    )


# --------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("expression", "position", "says"),
    [
        ("", 0, "empty"),
        ("   ", 0, "empty"),
        ("acuracy(auto) > 1", 0, 'Did you mean "accuracy"?'),
        ("accuracy(atuo) > 1", 9, 'Did you mean "auto"?'),
        ("accuracy(sim/heronpro) > 1", 9, 'Did you mean "sim/heron-pro"?'),
        ('accuracy("auto") > 1', 9, "leave the quotes out"),
        ("accuracy(twicer?a=b) > 1", 9, "no arm is called"),
        ("accuracy(auto", 13, 'expected ","'),
        ("accuracy()", 0, "one arm, not 0"),
        ("accuracy(auto, auto) > 1", 0, "one arm, not 2"),
        ("difference(auto) > 1", 0, "2 arms, not 1"),
        ("verdict_row(auto) > 1", 0, "no arm, not 1"),
        ("accuracy > 1", 9, "accuracy is written accuracy(auto)"),
        ("difference > 1", 11, "difference(auto, best_single)"),
        ("accuracy(auto)", 0, "a number, not a condition"),
        ("accuracy(auto) > ", 17, "expected a figure or a number, found the end"),
        ("> 1", 0, "expected a figure or a number"),
        ("accuracy(auto) = 1", 15, "Write =="),
        ("accuracy(auto) =< 1", 15, "Write <="),
        ("accuracy(auto) \N{GREATER-THAN OR EQUAL TO} 1", 15, "Write >="),
        ("accuracy(\x1b[2J) > 1", 9, r'no arm is called "\u001b[2J"'),
        ("1 < 2 && 2 < 3", 6, "Write and"),
        ("1 < 2 || 2 < 3", 6, "Write or"),
        ("! 1 < 2", 0, "Write not"),
        ("accuracy(auto) > 5 %", 19, "1 % is 0.01"),
        ("1 < 2 < 3", 6, "two numbers at a time"),
        ("1 + (1 < 2) > 3", 4, '"+" takes numbers'),
        ("(1 < 2) > 3", 0, '">" takes numbers'),
        ("-(1 < 2) > 3", 1, '"-" takes numbers'),
        ("1 and 1 < 2", 0, '"and" takes conditions'),
        ("1 < 2 or 3", 9, '"or" takes conditions'),
        ("not 3", 4, '"not" takes conditions'),
        ("lower(cost_usd(auto)) > 1", 6, "cost_usd has no interval. These have: accuracy, "),
        ("lower(0.5) > 1", 6, "lower takes a figure"),
        ("lower(lower(accuracy(auto))) > 1", 6, "lower takes a figure"),
        ("lower > 1", 6, "lower takes a figure"),
        ("lower(acuracy(auto)) > 1", 6, 'Did you mean "accuracy"?'),
        ("1 < 2 3", 6, 'found "3"'),
        ("1 < 2 accuracy(auto)", 6, 'found "accuracy"'),
        ("1_000 > 2", 0, "found"),
        ("0x10 > 2", 0, "found"),
        ("accuracy(auto) > 1)", 18, 'found ")"'),
        ("__import__('os') > 1", 0, "no figure is called"),
        ("1 < 2 AND 1 < 2", 6, 'found "AND"'),
        ("(" * 200 + "1 < 2", DEEPEST + 1, "deep"),
        ("not " * 200 + "1 < 2", 4 * (DEEPEST + 1), "deep"),
        ("-" * 200 + "1 < 2", DEEPEST + 1, "deep"),
        ("1 < 2 and " * 300 + "1 < 2", LONGEST, "longer than 2,000"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_place(expression: str, position: int, says: str) -> None:
    with pytest.raises(GateError, match=re.escape(says)) as caught:
        decided(expression)
    assert caught.value.position == position
    assert caught.value.exit_code == 2
    *_, shown, caret = str(caught.value).split("\n")
    assert max(len(shown), len(caret)) <= 81
    if expression[position : position + 1].strip():
        at = expression[position]
        assert shown[caret.index("^")] == (at if at.isprintable() else " ")


@pytest.mark.parametrize(
    ("changes", "alias", "says"),
    [
        ({"baseline": None}, "baseline", "no --baseline"),
        ({"has_router": False}, "auto", "no arm is known to be a router"),
        ({"has_fixed": False}, "best_single", "no fixed model is asked"),
        ({"has_fixed": False}, "dearest", "no fixed model is asked"),
        ({"models": {"a?x=1": "twice", "b": "twice"}}, "twice", "2 arms ask twice"),
    ],
)  # fmt: skip
def test_an_alias_that_nobody_can_fill_is_refused_before_anything_is_asked(
    changes, alias: str, says: str
) -> None:
    with pytest.raises(GateError, match=re.escape(says)):
        decided(f"accuracy({alias}) > 0", known=KNOWN._replace(**changes))


def test_models_that_may_join_may_be_named() -> None:
    with pytest.raises(GateError):
        decided("accuracy(sim/tern) > 0")
    assert "no answers" in decided("accuracy(sim/tern) > 0", known=KNOWN._replace(may_join=True)).reason


def test_a_long_chain_is_no_deep_one() -> None:
    assert decided("+".join(["1"] * 990) + " == 990").passed
    assert decided(" or ".join(["1<2"] * 250)).passed
    assert decided(" and ".join(["(-(1) < 2)"] * 100)).passed


def test_a_place_far_into_a_long_expression_is_shown_with_what_is_around_it() -> None:
    with pytest.raises(GateError) as caught:
        decided("1 < 2 and " * 20 + "nonsense(auto) > 1 " + "and 1 < 2 " * 20)
    *_, shown, caret = str(caught.value).split("\n")
    assert shown.startswith("  ...")
    assert shown.endswith("...")
    assert shown[caret.index("^") :].startswith("nonsense")


# --------------------------------------------------------------------------- laws

PIECES = st.sampled_from([
    *FIGURES, *ALIASES, *KNOWN.models, "and", "or", "not", "lower", "upper", "(", ")", "((", "))", ",", '"', "\\", "+", "-", "*",
    "/", "<", "<=", ">", ">=", "==", "!=", "=", "0", "1", "0.5", "1e999", "1e-320", ".", "..", "\n", "\t", "\x00", "\u202e", "accuracy(auto)",
    "lower(accuracy(auto))", "difference(auto, baseline)", " > 0", "1 < 2", "%", "é", "\uff11",
])  # fmt: skip


def outcome_of(expression: str) -> Gate | GateError:
    try:
        (gate,) = read_gates([expression], KNOWN)
    except GateError as error:
        return error
    (result,) = decide([gate], of_summary(RUN, SUMMARY))
    assert result.passed is True or result.passed is False
    return gate


@given(
    st.text(max_size=60)
    | st.text(string.printable, max_size=60)
    | st.lists(PIECES, max_size=30).map(" ".join)
    | st.lists(PIECES, max_size=30).map("".join)
)
@settings(max_examples=300, deadline=None)
def test_no_expression_raises_anything_but_a_gate_error(expression: str) -> None:
    read = outcome_of(expression)
    assert isinstance(read, Gate) or 0 <= read.position <= len(expression)


NUMBERS = st.recursive(
    st.floats(0, 1e6).map(repr) | st.sampled_from(["accuracy(auto)", "n(sim/heron-pro)", "lower(difference(auto, baseline))", "gain(cheapest)"]),
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner) | inner.map("-{}".format),
    max_leaves=12,
)  # fmt: skip
CONDITIONS = st.recursive(
    st.builds("{} {} {}".format, NUMBERS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), NUMBERS),
    lambda inner: st.builds("({}) {} ({})".format, inner, st.sampled_from(["and", "or"]), inner) | inner.map("not ({})".format),
    max_leaves=6,
)  # fmt: skip


@given(CONDITIONS)
@settings(max_examples=200, deadline=None)
def test_every_sound_expression_is_read_and_a_condition_and_its_negation_do_not_both_pass(
    expression: str,
) -> None:
    gate = outcome_of(expression)
    assert isinstance(gate, Gate)
    results = decide(
        read_gates([expression, f"not ({expression})"], KNOWN._replace()), of_summary(RUN, SUMMARY)
    )
    known = not results[0].reason.startswith("cannot be decided")
    assert [one.passed for one in results].count(True) == known


@given(st.floats(-100, 100), st.floats(-100, 100), st.floats(-100, 100))
@settings(max_examples=100, deadline=None)
def test_arithmetic_is_pythons(a: float, b: float, c: float) -> None:
    facts = Facts({"x": {"accuracy": Value(a), "n": Value(b), "regret": Value(c)}}, {}, {}, {})
    known = Known({"x": "x"}, None, has_router=True, has_fixed=True)
    (gate,) = read_gates(["accuracy(x) - n(x) * regret(x) + accuracy(x) > 0"], known)
    assert decide([gate], facts)[0].left == pytest.approx(a - b * c + a, rel=1e-12, abs=1e-12)


def test_the_language_is_documented_figure_by_figure() -> None:
    page = (Path(__file__).parents[2] / "docs/gates.md").read_text()
    rows = re.findall(r"^\| `(\w+)\(", page, re.MULTILINE)
    assert rows == [*FIGURES]
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == set(ALIASES)
    summary_fields = {field.name for field in msgspec.structs.fields(ArmSummary)}
    assert {"accuracy", "cost_per_1k_usd", "pick_entropy_bits"} <= summary_fields
