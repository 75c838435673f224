"""Charts as specifications: valid, complete, labelled, and text of others as data alone."""

import json
import subprocess
import sys

import msgspec
import pytest

import report_factory as factory
from routemark.records import WeightedArm
from routemark.report import bundle
from routemark.report.charts import charts
from routemark.report.charts_cost import bounds, drawn, hull_line
from routemark.report.control import NEUTRAL_USD, chart_data, control

ROWS = factory.make_rows()
RUN = factory.make_run()
SUMMARY = factory.charted(ROWS)


def test_every_chart_is_valid_vega_lite_and_says_what_it_shows():
    altair = pytest.importorskip("altair")
    found = charts(RUN, SUMMARY)
    assert list(found) == ["cost", "latency", "ttft", "answers", "failed", "spend", "pace"]
    for chart in found.values():
        altair.Chart.from_dict(json.loads(json.dumps(chart.spec)), validate=True)
        assert "http" not in json.dumps(chart.spec)
    assert found["answers"].label == "Answers over the run: 175 answers."
    assert found["failed"].label == "Failed attempts over the run: 11 rate_limit."
    assert found["pace"].label == "Requests allowed in flight over the run, 32 to 40."
    assert found["spend"].label == "Known cost over the run, $4.00 at its end."
    assert all(name in found["latency"].label for name in ("p50 of arm 1", "p99 of arm 4"))


def test_the_picture_of_cost_and_quality_holds_arms_mixtures_and_bounds():
    data = charts(RUN, SUMMARY)["cost"].spec["datasets"]
    assert [point["arm"] for point in data["arms"]] == list(SUMMARY.arms)
    assert [point["n"] for point in data["arms"]] == [1, 2, 3, 4]
    assert [point["kind"] for point in data["bounds"]] == ["mix", "oracle"]
    costs = [point["cost"] for point in data["hull"]]
    assert costs == sorted(costs)
    assert data["iso"] == []


def test_a_mixture_is_straight_between_two_models():
    line = hull_line(SUMMARY)
    first, second = SUMMARY.oracle.zero_router[:2]
    for point in line[:21]:
        share = (point["cost"] - first.cost_per_1k_usd) / (second.cost_per_1k_usd - first.cost_per_1k_usd)
        expected = first.accuracy + share * (second.accuracy - first.accuracy)
        assert point["accuracy"] == pytest.approx(expected)


def test_what_costs_nothing_is_drawn_left_of_all_others():
    free = msgspec.structs.replace(
        SUMMARY.arms["sim/sparrow-mini"], cost_per_1k_usd=0.0, cost_per_1k_ci95=None
    )
    arms = {**SUMMARY.arms, "sim/sparrow-mini": free}
    spec = charts(RUN, msgspec.structs.replace(SUMMARY, arms=arms))["cost"].spec
    (param,) = spec["params"]
    assert param == {
        "name": "free",
        "value": pytest.approx(SUMMARY.arms["sim/heron-pro"].cost_per_1k_usd / 3),
    }


def test_with_weights_the_weighted_figures_are_drawn_and_nothing_that_is_not_weighted():
    weighted = WeightedArm(accuracy=0.5, accuracy_ci95=(0.4, 0.6), cost_per_1k_usd=1.0)
    arms = {name: msgspec.structs.replace(arm, weighted=weighted) for name, arm in SUMMARY.arms.items()}
    summary = msgspec.structs.replace(SUMMARY, arms=arms, weights={"easy": 0.5, "hard": 0.5, "opt": 0.0})
    assert {(point["accuracy"], point["cost"], point["cost_low"]) for point in drawn(arms)} == {
        (0.5, 1.0, None)
    }
    data = charts(RUN, summary)["cost"].spec["datasets"]
    assert data["bounds"] == data["hull"] == []
    assert [part.share for part in control(RUN, summary).mix] == [0.5, 0.5, 0.0]


def test_without_grades_or_times_there_is_nothing_to_draw():
    plain = factory.make_summary(ROWS)
    assert list(charts(RUN, plain)) == ["cost"]
    arms = {name: msgspec.structs.replace(arm, accuracy=None) for name, arm in plain.arms.items()}
    assert charts(RUN, msgspec.structs.replace(plain, arms=arms)) == {}
    assert control(RUN, plain) is None


def test_the_control_starts_where_the_choice_flips_and_reaches_beyond_every_mark():
    start = control(RUN, SUMMARY)
    assert (start.price_usd, start.tie_usd) == (0.12, 0.12)
    assert (start.lowest_usd, start.highest_usd) == (pytest.approx(1e-4), pytest.approx(100))
    assert [part.label for part in start.mix] == ["easy", "hard", "opt"]
    pairs = [msgspec.structs.replace(pair, indifference_price_usd=None) for pair in SUMMARY.comparisons]
    assert control(RUN, msgspec.structs.replace(SUMMARY, comparisons=pairs)).price_usd == NEUTRAL_USD


def test_data_for_the_scripts_cannot_end_its_element():
    evil = "</script><!-- & \u2028"
    rows = [
        msgspec.structs.replace(row, arm=evil if row.arm == "sim/condor-max" else row.arm) for row in ROWS
    ]
    summary = factory.charted(rows)
    text = str(chart_data(RUN, summary, charts(RUN, summary)))
    assert not {"<", ">", "&", "\u2028"} & set(text)
    names = [arm["arm"] for arm in json.loads(text)["moments"]["arms"]]
    assert evil in names


def test_bounds_without_a_cost_are_left_out():
    oracle = msgspec.structs.replace(
        SUMMARY.oracle,
        best_then_cheapest=msgspec.structs.replace(SUMMARY.oracle.best_then_cheapest, cost_per_1k_usd=None),
    )
    assert [point["kind"] for point in bounds(msgspec.structs.replace(SUMMARY, oracle=oracle))] == ["mix"]


def test_the_bundle_is_kept_once_made_and_made_anew_where_it_cannot_be_kept(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(bundle, "_bundled", lambda: made.append(1) or "window.vegaEmbed = 1;")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert [bundle.vega.__wrapped__() for _ in range(3)] == ["window.vegaEmbed = 1;"] * 3
    assert len(made) == 1
    (tmp_path / "no").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "no"))
    assert bundle.vega.__wrapped__() == "window.vegaEmbed = 1;"
    assert len(made) == 2


def test_the_bundle_cannot_end_the_element_that_holds_it():
    text = bundle.vega()
    assert "</script" not in text.lower()
    assert "<!--" not in text
    assert len(text) < 1_000_000


def test_what_draws_is_not_imported_by_who_only_begins_a_run():
    code = "import sys, routemark.main; print(sorted({'altair', 'vl_convert', 'polars'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
