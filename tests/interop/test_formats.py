"""Every foreign format: known by what it holds, read as outcomes, picks and questions, its faults told."""

import json
import sys
import zipfile

import numpy as np
import pytest

import foreign_files as samples
from routemark import questions
from routemark.errors import TableError, UsageError
from routemark.interop import formats, inspect_log, routerbench, tables
from routemark.interop.heads import keys
from routemark.interop.importing import import_file

MAKERS = {
    "routerarena": samples.routerarena,
    "routerarena-predictions": samples.predictions,
    "routerbench": samples.routerbench,
    "routellm": samples.routellm,
    "llmrouterbench": samples.llmrouterbench,
    "omnisbench": samples.omnisbench,
    "openrouter-bench": samples.benchharness,
    "lm-eval": samples.lm_eval,
    "promptfoo": samples.promptfoo,
}
COSTLESS = {"routellm", "openrouter-bench", "lm-eval"}


def matrix(path, form=None):
    """Give scores and costs as {(question, model): (score, cost)}."""
    table = tables.read_outcomes(str(path), form)
    found = {}
    for row, question in enumerate(table.questions):
        for column, model in enumerate(table.outcomes.models):
            if not np.isnan(table.outcomes.score[row, column]):
                cost = table.outcomes.cost[row, column]
                found[question, model] = (
                    float(table.outcomes.score[row, column]),
                    None if np.isnan(cost) else float(cost),
                )
    return found


def made(name, folder):
    if name == "openrouter-bench":
        pytest.importorskip("polars")
    return MAKERS[name](folder)


@pytest.mark.parametrize("name", MAKERS)
def test_a_format_is_known_by_what_it_holds(tmp_path, name):
    assert formats.detected(str(made(name, tmp_path))).name == name


@pytest.mark.parametrize("name", sorted(MAKERS.keys() - {"routerarena-predictions"}))
def test_its_outcomes_are_those_in_it(tmp_path, name):
    found = matrix(made(name, tmp_path))
    models = sorted({model for _, model in found})
    assert models == ["cheap", "dear"]
    by_question = [[found[question, model] for model in models] for question in sorted({q for q, _ in found})]
    expected = [[samples.RESULTS[q, m] for m in models] for q in ("q1", "q2")]
    if name in COSTLESS:
        expected = [[(score, None) for score, _ in row] for row in expected]
    assert sorted(by_question) == sorted(expected)


def test_predictions_are_picks_with_what_came_of_them(tmp_path):
    path = samples.predictions(tmp_path)
    assert tables.read_pick_rows(str(path)) == [("q1", "my-router", "cheap"), ("q2", "my-router", "dear")]
    assert matrix(path) == {("q1", "cheap"): (1.0, 0.001), ("q2", "dear"): (1.0, 0.02)}


def test_cached_results_and_predictions_are_judged_together(tmp_path):
    cached = tmp_path / "cached"
    cached.mkdir()
    table = tables.read_outcomes(str(samples.routerarena(cached)))
    (chosen,) = tables.read_picks(str(samples.predictions(tmp_path)), table)
    assert (chosen.picks.arm, chosen.left_out) == ("my-router", 0)
    assert chosen.picks.share.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_policies_are_arms_and_answers_in_common_count_once(tmp_path):
    path = str(samples.omnisbench(tmp_path))
    assert ("gsm/q2", "mine", "dear") in tables.read_pick_rows(path)
    assert len(matrix(path)) == 4
    table = tables.read_outcomes(path)
    assert table.outcomes.latency[0, 0] == 0.5


def test_a_price_that_was_not_known_is_no_price_of_zero(tmp_path):
    path = samples.omnisbench(tmp_path)
    found = json.loads(path.read_text())
    found["provenance"]["unpriced_models"] = ["cheap"]
    samples.document(path, found)
    assert matrix(path)["gsm/q1", "cheap"] == (1.0, None)


@pytest.mark.parametrize("name", sorted(MAKERS.keys() - {"omnisbench"}))
@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_its_questions_make_a_valid_question_file(tmp_path, name, ending):
    folder = tmp_path / "in"
    folder.mkdir()
    output = tmp_path / f"questions{ending}"
    done = import_file(str(made(name, folder)), output)
    assert (done.what, done.number) == ("questions", 2)
    assert sorted(question.question for question in questions.load(output)) == sorted(
        samples.PROMPTS.values()
    )
    assert all(note.startswith("The file does not tell:") for note in done.notes)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl", ".json"])
def test_a_table_made_of_it_is_read_as_the_same(tmp_path, name, ending):
    if ending == ".parquet":
        pytest.importorskip("polars")
    folder = tmp_path / "in"
    folder.mkdir()
    source = made(name, folder)
    output = tmp_path / f"outcomes{ending}"
    assert import_file(str(source), output, "outcomes").what == "outcomes"
    assert matrix(output) == matrix(source)


def test_what_is_made_hangs_on_the_ending_unless_it_is_said(tmp_path):
    path = str(samples.predictions(tmp_path))
    assert import_file(path, tmp_path / "a.csv").what == "picks"
    assert import_file(path, tmp_path / "a.jsonl").what == "questions"
    assert import_file(path, tmp_path / "b.jsonl", "picks").what == "picks"
    assert tables.read_pick_rows(str(tmp_path / "a.csv")) == tables.read_pick_rows(str(tmp_path / "b.jsonl"))
    with pytest.raises(UsageError, match="hold outcomes and picks, but no questions"):
        import_file(str(samples.omnisbench(tmp_path)), tmp_path / "q.json", "questions")


def test_a_format_can_be_forced_and_must_exist(tmp_path):
    path = samples.routellm(tmp_path)
    path.write_text(path.read_text().replace("True", "yes"))
    assert formats.detected(str(path)) is None
    with pytest.raises(TableError, match="cheap: must be True or False"):
        matrix(path, "routellm")
    with pytest.raises(UsageError, match="Did you mean routerbench"):
        matrix(path, "routrbench")


# --------------------------------------------------------------------------- promptfoo


def answer(text, provider, *, score=1.0, cost=0.001, reported=True, column=0, test=0):
    """Give a result as promptfoo has it; ``column`` counts prompts times providers."""
    return {
        "promptIdx": column, "testIdx": test, "provider": {"id": provider, "label": ""}, "success": score > 0,
        "prompt": {"raw": text, "label": "p"}, "response": {"output": "x", **({"cost": cost} if reported else {})},
        "score": score, "latencyMs": 5, "cost": cost,
    }  # fmt: skip


def test_models_that_were_sent_the_same_prompt_share_the_question_and_repeats_are_averaged(tmp_path):
    rows = [
        answer("one?", "a"),
        answer("two?", "a", column=1),
        answer("one?", "b", column=2),
        answer("two?", "b", column=3),
        answer("one?", "b", column=2, test=1, score=0.0),
    ]
    path = tmp_path / "results.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert formats.detected(str(path)).name == "promptfoo"
    table = tables.read_outcomes(str(path))
    assert table.outcomes.models == ("a", "b")
    assert sorted(table.outcomes.score.tolist()) == [[1.0, 0.5], [1.0, 1.0]]


def test_a_cost_of_0_that_no_provider_reported_is_unknown(tmp_path):
    path = tmp_path / "results.json"
    rows = [answer("one?", "a", cost=0), answer("two?", "a", cost=0, reported=False), answer("three?", "a")]
    path.write_text(json.dumps({"evalId": "e", "results": {"version": 3, "results": rows}}))
    assert sorted(cost for _, cost in matrix(path).values() if cost is not None) == [0.0, 0.001]
    assert [cost for _, cost in matrix(path).values()].count(None) == 1


# --------------------------------------------------------------------------- lm-evaluation-harness


def test_older_samples_are_one_list(tmp_path):
    new = samples.lm_eval(tmp_path)
    old = tmp_path / "older" / "org__cheap"
    old.mkdir(parents=True)
    rows = [json.loads(line) for line in next(new.glob("*cheap/*.jsonl")).read_text().splitlines()]
    (old / "gsm8k.jsonl").write_text(json.dumps(rows, indent=2))
    assert formats.detected(str(old / "gsm8k.jsonl")).name == "lm-eval"
    assert {model for _, model in matrix(old / "gsm8k.jsonl")} == {"org__cheap"}


def test_what_is_in_no_format_says_so_and_which_there_are(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{"a": 1}')
    with pytest.raises(UsageError, match=r"nothing was written[\s\S]*no other format[\s\S]*lm-eval"):
        import_file(str(path), tmp_path / "o.jsonl")


# --------------------------------------------------------------------------- Inspect


def test_epochs_are_averaged_and_a_fixed_model_is_itself(tmp_path):
    for model in ("cheap", "dear"):
        samples.inspect_log(tmp_path / f"{model}.eval", f"openai/{model}")
    found = matrix(tmp_path)
    assert found["t/q2", "openai/cheap"] == (0.0, 0.002)
    assert len(found) == 4
    assert tables.read_outcomes(str(tmp_path)).outcomes.latency[0, 0] == 2.0
    with pytest.raises(TableError, match="the table has no rows"):
        tables.read_pick_rows(str(tmp_path))


def test_a_routers_log_tells_what_it_picked(tmp_path):
    path = samples.inspect_log(tmp_path / "a.eval", "openrouter/openrouter/auto", served="dear")
    assert set(tables.read_pick_rows(str(path))) == {
        (f"t/{q}", "openrouter/openrouter/auto", "dear") for q in ("q1", "q2")
    }


@pytest.mark.parametrize(
    ("value", "score"),
    [("C", 1.0), ("P", 0.5), ("I", 0.0), ("N", 0.0), (True, 1.0), (0.25, 0.25), ("no", 0.0), ("0.75", 0.75), ({"a": 1}, 1.0), ("?", None), ([1], None), ({"a": 1, "b": 0}, None)],
)  # fmt: skip
def test_a_score_is_a_number_or_none(value, score):
    assert inspect_log._score({"s": {"value": value}}) == score


def test_a_log_that_is_one_json_is_read_as_the_archive_is(tmp_path):
    packed = samples.inspect_log(tmp_path / "a.eval", "openai/cheap")
    with zipfile.ZipFile(packed) as archive:
        members = {name: json.loads(archive.read(name)) for name in archive.namelist()}
    path = tmp_path / "log.json"
    whole = {**members["header.json"], "samples": [one for name, one in members.items() if "/" in name]}
    path.write_text(json.dumps(whole))
    assert formats.detected(str(path)).name == "inspect"
    assert matrix(path) == matrix(packed)
    path.write_text(json.dumps({**whole, "samples": []}))
    with pytest.raises(UsageError, match="without samples"):
        matrix(path)


@pytest.mark.parametrize(
    ("content", "asked"),
    [
        ([{"type": "text", "text": "What is"}, {"type": "text", "text": "this?"}], "What is\nthis?"),
        ([{"type": "text", "text": "What is this?"}, {"type": "image", "image": "attachment://7"}], None),
        (None, None),
    ],
)
def test_a_message_with_more_than_text_is_no_question(content, asked):
    sample = inspect_log._Sample(id=1, epoch=1, input=[{"role": "user", "content": content}])
    found = inspect_log._question("t/1", sample, "t")
    assert (found and found.question) == asked


def test_a_zip_bomb_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    path = samples.inspect_log(tmp_path / "a.eval", "openai/cheap")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("samples/bomb_epoch_1.json", b" " * 3_000_000)
    monkeypatch.setattr(inspect_log, "_LARGEST", 1_000_000)
    with pytest.raises(UsageError, match="unpacks to more than a log may hold"):
        matrix(path)


def test_all_of_a_log_is_bounded_too(tmp_path, monkeypatch):
    path = samples.inspect_log(tmp_path / "a.eval", "openai/cheap")
    monkeypatch.setattr(inspect_log, "_MOST", 700)
    with pytest.raises(UsageError, match="unpacks to more"):
        matrix(path)


def test_logs_packed_with_zstandard_are_read_or_say_what_they_need(tmp_path, monkeypatch):
    zstd = pytest.importorskip("backports.zstd")
    path = tmp_path / "a.eval"
    with (
        zstd.zipfile.ZipFile(path, "w", zstd.zipfile.ZIP_ZSTANDARD) as archive,
        zipfile.ZipFile(samples.inspect_log(tmp_path / "b.zip", "openai/cheap")) as plain,
    ):
        for name in plain.namelist():
            archive.writestr(name, plain.read(name))
    assert matrix(path)["t/q1", "openai/cheap"] == (1.0, 0.001)
    monkeypatch.setitem(sys.modules, "backports.zstd", None)
    if sys.version_info < (3, 14):
        with pytest.raises(UsageError, match="packed with Zstandard"):
            matrix(path)


def test_a_sample_that_cannot_be_read_is_a_fault_of_its_own(tmp_path):
    path = samples.inspect_log(tmp_path / "a.eval", "openai/cheap")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("samples/x_epoch_1.json", '{"id": "x", "epoch": "first"}')
        archive.writestr("samples/y_epoch_1.json", "[" * 100_000)
    with pytest.raises(TableError) as caught:
        matrix(path)
    assert caught.value.faults == [
        "sample 5: epoch: expected a whole number, got text",
        "sample 6: not valid JSON: it is nested too deeply",
    ]


# --------------------------------------------------------------------------- single formats


def test_of_several_filters_the_first_counts_and_the_results_name_the_model(tmp_path):
    found = matrix(samples.lm_eval(tmp_path))
    assert {score for score, _ in found.values()} == {0.0, 1.0}
    (tmp_path / "org__cheap" / "results_2026-01-01T00-00-00.1.json").unlink()
    assert {model for _, model in matrix(tmp_path)} == {"org__cheap", "dear"}


def test_choices_compared_by_likelihood_are_no_questions(tmp_path):
    path = samples.lm_eval(tmp_path) / "org__cheap" / "samples_gsm8k_2026-01-01T00-00-00.1.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]["arguments"]["gen_args_1"] = {"arg_0": "What is 17 + 4?", "arg_1": " 21"}
    samples.lines(path, *rows)
    done = import_file(str(path), tmp_path / "q.jsonl")
    assert done.number == 1
    assert done.notes[0].startswith("1 questions were left out")


@pytest.mark.parametrize(
    ("cell", "prompt"),
    [
        ("['a b']", "a b"),
        (r"['it\'s \\n']", "it's \\n"),
        ('["x"]', "x"),
        ("['a', 'b']", None),
        (["a"], "a"),
        (["a", "b"], None),
        ("plain", "plain"),
        ("[__import__('os')]", "[__import__('os')]"),
        ("[" * 50_000, "[" * 50_000),
        (None, None),
        (" ", None),
    ],
)
def test_a_prompt_written_as_python_is_read_without_being_run(cell, prompt):
    assert routerbench.one_prompt(cell) == prompt


def test_of_several_results_the_newest_counts_and_demonstrations_do_not(tmp_path):
    samples.llmrouterbench(tmp_path)
    assert {score for score, _ in matrix(tmp_path).values()} == {0.0, 1.0}
    for path in tmp_path.rglob("*cheap-2026*.json"):
        samples.document(path, {**json.loads(path.read_text()), "demo": True})
    assert {model for _, model in matrix(tmp_path)} == {"dear"}


def test_a_prompt_that_stands_twice_is_a_repeat(tmp_path):
    path = tmp_path / "mmlu_x.csv"
    path.write_text("prompt,cheap,dear\np,True,False\np,False,False\nr,True,True\n")
    assert sorted(matrix(path).values()) == [(0.0, None), (0.5, None), (1.0, None), (1.0, None)]


# --------------------------------------------------------------------------- our own wide tables


def test_wide_tables_are_long_ones_on_their_side(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text(
        "question_id,difficulty,cheap,cheap|cost_usd,dear|score,dear|latency_s\nq1,easy,1,0.1,0,2\nq2,hard,,,1,\n"
    )
    assert formats.detected(str(path)) == formats.WIDE
    assert matrix(path) == {
        ("q1", "cheap"): (1.0, 0.1),
        ("q1", "dear"): (0.0, None),
        ("q2", "dear"): (1.0, None),
    }
    picks = tmp_path / "picks.jsonl"
    samples.lines(
        picks,
        {"question_id": "q1", "auto": "cheap", "lots": "dear"},
        {"question_id": "q2", "auto": "dear", "lots": None},
    )
    assert tables.read_pick_rows(str(picks)) == [
        ("q1", "auto", "cheap"),
        ("q1", "lots", "dear"),
        ("q2", "auto", "dear"),
    ]


def test_a_fault_in_a_wide_table_names_its_line(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text("question_id,cheap,dear\nq1,1,0\nq2,2,0\n")
    with pytest.raises(TableError, match='line 3: score: "2" is not between 0 and 1'):
        matrix(path)


# --------------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("routerarena", lambda row: row["evaluation_result"].update(score="high"), "cheap.jsonl, line 2: evaluation_result.score: expected a number, got text"),
        ("routerarena", lambda row: row["evaluation_result"].update(score=2), "cheap.jsonl, line 2: score: 2.0 is not between 0 and 1"),
        ("routerarena", lambda row: row["evaluation_result"].update(inference_cost=-1), "cheap.jsonl, line 2: cost_usd: -1.0 is not 0 or more"),
        ("routerarena", lambda row: row.pop("llm_selected"), "cheap.jsonl, line 2: object missing required field llm_selected"),
        ("routerarena", lambda row: row.update(global_index="q1"), 'question_id "q1" and model "cheap" stand together again'),
        ("routerarena", lambda row: row.update(llm_selected="a\x1bb"), "model: holds the control character U+001B"),
    ],
)  # fmt: skip
def test_a_fault_names_file_row_and_field(tmp_path, name, change, says):
    path = MAKERS[name](tmp_path)
    file = path / "cheap.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    change(rows[1])
    samples.lines(file, *rows)
    with pytest.raises(TableError) as caught:
        matrix(path)
    assert len(caught.value.faults) == 1
    assert says in caught.value.faults[0]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("[" * 100_000, "not valid JSON: it is nested too deeply"),
        ('{"global_index": ', "not valid JSON: expecting value"),
        ('{"global_index": "q3"}', "missing required field question"),
        ("7", "expected object, got a whole number"),
    ],
)
def test_a_line_that_is_no_row_is_told_and_the_rest_is_read(tmp_path, line, says):
    samples.routerarena(tmp_path)
    with (tmp_path / "dear.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(TableError) as caught:
        matrix(tmp_path)
    assert len(caught.value.faults) == 1
    assert "dear.jsonl, line 3: " in caught.value.faults[0]
    assert says in caught.value.faults[0]


@pytest.mark.parametrize("name", ["routerarena-predictions", "llmrouterbench", "omnisbench", "promptfoo"])
@pytest.mark.parametrize(
    "content", ["", "[" * 100_000, '{"a": 1', "[1, 2]", '{"results": 1, "items": {}}', "\x00\x01"]
)
def test_a_document_that_is_something_else_is_told_in_a_sentence(tmp_path, name, content):
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=r"x\.json"):
        matrix(path, name)


def test_nothing_is_written_when_something_is_wrong(tmp_path):
    path = samples.promptfoo(tmp_path)
    path.write_text(path.read_text().replace('"score": 1.0', '"score": "one"', 1))
    output = tmp_path / "out.csv"
    with pytest.raises(
        TableError, match=r"nothing was written.\n  result 1: score: expected a number, got text"
    ):
        import_file(str(path), output)
    assert not output.exists()


def test_files_that_are_not_there_or_of_no_format(tmp_path):
    for name in ("none.json", "none.eval", "none.parquet"):
        with pytest.raises(UsageError, match="there is no such file"):
            import_file(str(tmp_path / name), tmp_path / "o.csv")
    with pytest.raises(UsageError, match="is a directory"):
        import_file(str(tmp_path), tmp_path / "o.csv", "outcomes")
    with pytest.raises(UsageError, match="no RouterArena results here"):
        import_file(str(tmp_path), tmp_path / "o.csv", "outcomes", "routerarena")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": {"b": 1}, "c": [{"d": 2}], "e": "x: {", "f', ("a", "c", "e")),
        ('[{"x\\"y": 1}', ('x\\"y',)),
        ("[1, 2]", ()),
        ("{", ()),
    ],
)
def test_keys_are_those_of_the_first_object(text, found):
    assert keys(text) == found


# --------------------------------------------------------------------------- data sets


def test_a_data_set_is_read_by_its_columns(tmp_path):
    datasets = pytest.importorskip("datasets")
    asked = datasets.Dataset.from_list(
        [{"question": prompt, "answer": "97"} for prompt in samples.PROMPTS.values()]
    )
    asked.save_to_disk(tmp_path / "asked")
    done = import_file(f"hf://{tmp_path / 'asked'}", tmp_path / "q.jsonl")
    assert (done.what, done.number) == ("questions", 2)
    (first, _) = questions.load(tmp_path / "q.jsonl")
    assert (first.reference, first.difficulty) == ("97", "unlabelled")
    rows = [
        {"question_id": q, "model": m, "score": score, "cost_usd": cost} for (q, m), (score, cost) in samples.RESULTS.items()
    ]  # fmt: skip
    datasets.DatasetDict({"a": datasets.Dataset.from_list(rows), "b": asked}).save_to_disk(tmp_path / "two")
    assert matrix(f"hf://{tmp_path / 'two'}:a") == samples.RESULTS
    with pytest.raises(UsageError, match="there are a, b"):
        matrix(f"hf://{tmp_path / 'two'}")


def test_without_the_library_a_data_set_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UsageError, match=r"pip install 'routemark\[hf\]'"):
        matrix("hf://org/name")


def test_a_score_below_zero_is_zero_and_a_failed_request_a_wrong_answer(tmp_path):
    path = samples.routerarena(tmp_path) / "cheap.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]["evaluation_result"]["score"] = -0.03
    rows[1] |= {"success": False, "generated_answer": "", "evaluation_result": None}
    samples.lines(path, *rows)
    assert matrix(path) == {("q1", "cheap"): (0.0, 0.001), ("q2", "cheap"): (0.0, None)}
