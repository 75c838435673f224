"""A run written in a foreign format is read back as what it was, but for what the format cannot carry."""

import csv
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routemark import questions
from routemark.errors import UsageError
from routemark.interop import exporting, formats, routerarena, tables
from routemark.interop.cells import bare, harmless
from routemark.interop.importing import import_file
from routemark.records import Arm, ErrorRow, GradeRow, ResultRow, Usage

AUTO = Arm(name="openrouter/auto", model="openrouter/auto", is_router=True)
CHEAP, DEAR = Arm(name="cheap", model="cheap"), Arm(name="dear", model="dear")
ARMS = [AUTO, CHEAP, DEAR]


def result(name="q1", arm="cheap", model=None, score=1.0, cost=0.001, **fields):
    ok = fields.get("status", "ok") == "ok"
    given = {
        "id": name, "difficulty": "easy", "category": "sums", "question": f"{name}?", "reference": "97",
        "arm": arm, "repeat": 0, "status": "ok", "model": model or arm, "provider": "p", "task_type": None,
        "answer": "97" if ok else None, "finish_reason": "stop",
        "grade": GradeRow(score=score, grader="exact", extracted="97", reason="") if ok else None,
        "usage": Usage(prompt_tokens=10, completion_tokens=3), "cost_usd": cost, "cost_source": "billed",
        "latency_s": 0.5, "ttft_s": 0.1, "queue_s": 0.0, "attempts": 1, "generation_id": None, "error": None,
        "counted": True,
    }  # fmt: skip
    return ResultRow(**{**given, **fields})


def run_of(*rows, arms=ARMS, metrics=None):
    return exporting.Told(rows, arms, metrics or {})


RUN = run_of(
    result("q1", "openrouter/auto", "cheap-2026"),
    result("q2", "openrouter/auto", "dear", score=0.5, cost=0.02),
    result("q1", "cheap", "cheap-2026"),
    result("q1", "dear", score=0.0, cost=0.01),
    result("q2", "cheap", "cheap-2026", score=0.0),
    result("q2", "dear", score=0.5, cost=0.01),
    result("q2", "dear", score=1.0, cost=0.03, repeat=1),
    result("q1#typos", "dear", perturbed_from="q1", perturbation="typos"),
)


def cells(path):
    table = tables.read_outcomes(str(path))
    return {
        (table.questions[row], table.outcomes.models[column]): (
            float(table.outcomes.score[row, column]),
            float(table.outcomes.cost[row, column]),
        )
        for row, column in np.argwhere(~np.isnan(table.outcomes.score)).tolist()
    }


FIXED = {("q1", "cheap"): (1.0, 0.001), ("q1", "dear"): (0.0, 0.01), ("q2", "cheap"): (0.0, 0.001), ("q2", "dear"): (0.75, 0.02)}  # fmt: skip
ROUTED = {("q1", "openrouter/auto"): (1.0, 0.001), ("q2", "openrouter/auto"): (0.5, 0.02)}


@pytest.mark.parametrize(
    ("name", "ending", "expected"),
    [
        *(("long", ending, FIXED) for ending in (".csv", ".jsonl", ".json", ".parquet")),
        *(("wide", ending, FIXED | ROUTED) for ending in (".csv", ".jsonl", ".json", ".parquet")),
        *(("routerbench", ending, FIXED | ROUTED) for ending in (".csv", ".parquet")),
    ],
)
def test_outcomes_come_back(tmp_path, name, ending, expected):
    if ending == ".parquet":
        pytest.importorskip("polars")
    path = tmp_path / f"out{ending}"
    count, lost = exporting.export(name, RUN, path)
    assert formats.detected(str(path)) in {name, formats.FORMATS.get(name)}
    assert cells(path) == expected
    assert count == (4 if name == "long" else 2)
    assert "perturbed copies of questions" in lost


def test_long_outcomes_and_picks_are_judged_together(tmp_path):
    exporting.export("long", RUN, tmp_path / "outcomes.csv")
    exporting.export("picks", RUN, tmp_path / "picks.csv")
    table = tables.read_outcomes(str(tmp_path / "outcomes.csv"))
    (chosen,) = tables.read_picks(str(tmp_path / "picks.csv"), table)
    assert chosen.picks.arm == "openrouter/auto"
    assert chosen.picks.share.tolist() == [[1.0, 0.0], [0.0, 1.0]]  # the dated name is the arm that had it
    assert table.outcomes.asked.difficulty.names == ("easy",)


def test_a_failure_of_the_service_is_a_wrong_answer(tmp_path):
    failed = result("q1", "cheap", status="failed", error=ErrorRow(kind="reset", status=None, message="m"), cost=None, latency_s=None)  # fmt: skip
    exporting.export("long", run_of(failed), tmp_path / "o.csv")
    table = tables.read_outcomes(str(tmp_path / "o.csv"))
    assert table.outcomes.score.tolist() == [[0.0]]
    assert np.isnan(table.outcomes.cost).all()


def test_predictions_come_back_and_have_what_routerarena_asks_for(tmp_path):
    path = tmp_path / "auto.json"
    count, lost = exporting.export("routerarena-predictions", RUN, path)
    records = json.loads(path.read_text())
    assert (count, len(records)) == (2, 2)
    assert {"global index", "prompt", "prediction", "generated_result", "cost", "accuracy"} == records[
        0
    ].keys()
    assert {"generated_answer", "success", "token_usage"} <= records[0]["generated_result"].keys()
    assert records[0]["generated_result"]["token_usage"] == {
        "input_tokens": 10,
        "output_tokens": 3,
        "total_tokens": 13,
    }
    assert "latency and time to first token" in lost
    assert tables.read_pick_rows(str(path)) == [("q1", "auto", "cheap-2026"), ("q2", "auto", "dear")]
    assert cells(path) == {("q1", "cheap-2026"): (1.0, 0.001), ("q2", "dear"): (0.5, 0.02)}


def test_an_arm_is_named_when_it_is_not_the_only_router(tmp_path):
    path = tmp_path / "p.json"
    two = run_of(*RUN.rows, arms=[*ARMS, Arm(name="b", model="b", is_router=True)])
    with pytest.raises(UsageError, match="openrouter/auto and b"):
        exporting.export("routerarena-predictions", two, path)
    assert exporting.export("routerarena-predictions", two, path, arm="dear")[0] == 2
    with pytest.raises(UsageError, match="no such arm"):
        exporting.export("routerarena-predictions", RUN, path, arm="none")
    with pytest.raises(UsageError, match="holds a single arm"):
        exporting.export("long", RUN, tmp_path / "o.csv", arm="dear")


def test_cached_results_come_back_as_outcomes_recordings_and_questions(tmp_path):
    path = tmp_path / "cached.jsonl"
    run = run_of(
        *(row for row in RUN.rows if row.arm == "dear" and not row.repeat), metrics={"q1": "math_metric"}
    )
    assert exporting.export("routerarena", run, path)[0] == 2
    assert cells(path) == {("q1", "dear"): (0.0, 0.01), ("q2", "dear"): (0.5, 0.01)}
    assert [each.text for each in routerarena.read_recordings(path)] == ["97", "97"]
    first, second = routerarena.questions(path)
    assert (first.grader.name, first.reference) == ("math", "97")
    assert second.grader is None


@pytest.mark.parametrize(("name", "file", "says"), [
    ("routerarena", "x.csv", "is written as .jsonl"),
    ("routerarena-predictions", "x.jsonl", "is written as .json"),
    ("routerbench", "x.json", "is written as .csv or .parquet"),
        ("long", "x.xlsx", "tables are written as .csv, .jsonl, .json, .parquet"),
    ("long", "none/x.csv", "cannot be written"),
    ("picks", "x.csv", "nothing to write"),
])  # fmt: skip
def test_what_cannot_be_written_is_told(tmp_path, name, file, says):
    with pytest.raises(UsageError, match=says):
        exporting.export(name, run_of(result()), tmp_path / file)


LABEL = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)
SCORE = st.none() | st.floats(0, 1)
COST = st.none() | st.floats(0, 1e6)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.tuples(LABEL, LABEL.filter(lambda name: "|" not in name)), st.tuples(SCORE, COST), min_size=1, max_size=8),
    st.sampled_from([".csv", ".jsonl", ".json"]),
    st.sampled_from(["long", "wide"]),
)  # fmt: skip
def test_any_names_scores_and_costs_come_back(tmp_path_factory, given, ending, name):
    rows = [
        result(question, model, score=score, cost=cost, category=None, latency_s=1.0)
        for (question, model), (score, cost) in given.items()
    ]
    path = tmp_path_factory.mktemp("trip") / f"t{ending}"
    exporting.export(name, run_of(*rows), path)
    table = tables.read_outcomes(str(path), name)
    found = {
        (table.questions[row], table.outcomes.models[column]): (table.outcomes.score[row, column], table.outcomes.cost[row, column])
        for row, column in np.argwhere(table.outcomes.source > 0).tolist()
    }  # fmt: skip
    nan = float("nan")
    expected = {
        key: tuple(nan if value is None else value for value in values) for key, values in given.items()
    }
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[key], expected[key], equal_nan=True) for key in expected)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=20))
def test_taking_the_sting_out_of_a_cell_can_be_undone(text):
    guarded = harmless(text)
    assert bare(guarded) == text or bare(text) != text
    assert not guarded.startswith(("=", "@", "\t"))


def test_no_cell_is_a_formula(tmp_path):
    path = tmp_path / "o.csv"
    exporting.export(
        "routerbench", run_of(result("=1+1", "cheap", answer="=cmd|' /C calc'!A0", question="@SUM(1)")), path
    )
    with path.open(newline="") as file:
        found = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in found if cell.startswith(("=", "@", "+"))]
    assert cells(path) == {("=1+1", "cheap"): (1.0, 0.001)}


def test_the_prompt_of_routerbench_comes_back(tmp_path):
    asked = 'It\'s "quoted"\nand \\ more, [1]'
    exporting.export("routerbench", run_of(result("q1", "cheap", question=asked)), tmp_path / "o.csv")
    import_file(str(tmp_path / "o.csv"), tmp_path / "q.jsonl")
    (found,) = questions.load(tmp_path / "q.jsonl")
    assert (found.question, found.category) == (asked, "sums")


def test_of_two_answers_of_a_model_the_one_it_was_asked_for_itself_is_kept(tmp_path):
    exporting.export("routerarena", RUN, tmp_path / "all.jsonl")
    assert cells(tmp_path / "all.jsonl") == {
        ("q1", "cheap-2026"): (1.0, 0.001),
        ("q1", "dear"): (0.0, 0.01),
        ("q2", "cheap-2026"): (0.0, 0.001),
        ("q2", "dear"): (0.5, 0.01),
    }


# --------------------------------------------------------------------------- formats of tools that judge routers

WHOLE = run_of(
    result("q1", "openrouter/auto", "cheap"),
    result("q2", "openrouter/auto", "dear", cost=0.02),
    result("q1", "cheap"),
    result("q1", "dear", score=0.0, cost=0.01),
    result("q2", "cheap", score=0.0),
    result("q2", "dear", score=1.0, cost=0.02),
    result("q3", "dear", score=None),
)


def scores(path, form):
    table = tables.read_outcomes(str(path), form)
    known = np.argwhere(~np.isnan(table.outcomes.score)).tolist()
    return {
        (table.questions[row], table.outcomes.models[column]): float(table.outcomes.score[row, column])
        for row, column in known
    }


def test_a_table_of_routellm_comes_back_with_its_prompts_and_verdicts(tmp_path):
    path = tmp_path / "mmlu.csv"
    count, lost = exporting.export("routellm", WHOLE, path)
    assert count == 2  # nobody graded q3
    assert any("True from 0.5 on" in what for what in lost)
    assert path.read_text().splitlines() == ["prompt,cheap,dear", "q1?,True,False", "q2?,False,True"]
    assert sorted(scores(path, None).values()) == [0.0, 0.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("name", "file", "prefix"),
    [("llmrouterbench", "dear.json", "routemark/test/"), ("openrouter-bench", "dear.parquet", "routemark/")],
)
def test_a_file_of_one_arm_comes_back_as_it_was(tmp_path, name, file, prefix):
    exporting.export(name, WHOLE, tmp_path / file, arm="dear")
    assert scores(tmp_path / file, None) == {(f"{prefix}q1", "dear"): 0.0, (f"{prefix}q2", "dear"): 1.0}
    done = import_file(str(tmp_path / file), tmp_path / "q.jsonl", "questions")
    assert [one.question for one in questions.load(tmp_path / "q.jsonl")] == ["q1?", "q2?", "q3?"]
    assert done.number == 3
    with pytest.raises(UsageError, match="no such arm"):
        exporting.export(name, WHOLE, tmp_path / file, arm="other")


def test_costs_of_llmrouterbench_come_back_too(tmp_path):
    exporting.export("llmrouterbench", WHOLE, tmp_path / "dear.json", arm="dear")
    assert cells(tmp_path / "dear.json")["routemark/test/q2", "dear"] == (1.0, 0.02)


def test_policies_of_omnisbench_come_back_as_picks_and_outcomes(tmp_path):
    path = tmp_path / "results.json"
    exporting.export("omnisbench", WHOLE, path)
    assert cells(path) == {
        ("q1", "cheap"): (1.0, 0.001),
        ("q1", "dear"): (0.0, 0.01),
        ("q2", "cheap"): (0.0, 0.001),
        ("q2", "dear"): (1.0, 0.02),
    }
    arms = tables.read_picks(str(path), tables.read_outcomes(str(path)))
    assert {chosen.picks.arm for chosen in arms} == {"openrouter/auto", "always_cheap", "always_dear"}


@pytest.mark.parametrize("name", ["routellm", "llmrouterbench", "omnisbench", "openrouter-bench"])
def test_other_tools_files_have_their_own_endings(tmp_path, name):
    with pytest.raises(UsageError, match="is written as"):
        exporting.export(name, WHOLE, tmp_path / "x.jsonl")
