"""RouterArena's rows: read, mapped to graders, and graded as they were recorded wherever that is right.

``pytest tests/interop/test_routerarena.py -k agreement -s`` prints the table of docs/grader-agreement.md
and every row on which our score and the recorded one differ.
"""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from routemark import graders, questions
from routemark.errors import UsageError
from routemark.interop import routerarena
from routemark.interop.importing import import_file
from routemark.records import Completion, GraderSpec, Question

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "routerarena"
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the recorded results are not beside the repository"
)

HAIKU, FLASH = "claude-3-haiku-20240307", "gemini-2.0-flash-001"


def row(index="MMLU_1", metric="mcq_accuracy", truth="1", model=HAIKU, **fields):
    return {
        "global_index": index,
        "question": "Which?\n\nOptions:\nA. x\nB. y\nC. z\n",
        "llm_selected": model,
        "generated_answer": r"\boxed{B}",
        "token_usage": {"input_tokens": 10, "output_tokens": 3, "total_tokens": 13},
        "success": True,
        "provider": "anthropic",
        "evaluation_result": {
            "extracted_answer": "B",
            "ground_truth": truth,
            "score": 1.0,
            "metric": metric,
            "inference_cost": 0.00025,
        },
        **fields,
    }


def write(path, *rows):
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


# --------------------------------------------------------------------------- reading


def test_a_row_becomes_a_recording(tmp_path):
    (recording,) = routerarena.read_recordings(write(tmp_path / "a.jsonl", row()))
    assert recording.model == HAIKU
    assert recording.prompt.startswith("Which?")
    assert recording.text == r"\boxed{B}"
    assert (recording.usage.prompt_tokens, recording.usage.completion_tokens) == (10, 3)
    assert recording.cost_usd == 0.00025
    assert (recording.provider, recording.question_id) == ("anthropic", "MMLU_1")


def test_failed_requests_are_no_recordings_and_unevaluated_rows_have_no_cost(tmp_path):
    path = write(
        tmp_path / "a.jsonl",
        row("X_1", success=False),
        row("X_2", generated_answer=None),
        row("X_3", evaluation_result=None),
    )
    (recording,) = routerarena.read_recordings(path)
    assert (recording.question_id, recording.cost_usd) == ("X_3", None)
    assert routerarena.scores(path).keys() == {(HAIKU, "X_1"), (HAIKU, "X_2")}


def test_a_folder_is_all_its_files_and_a_question_comes_once(tmp_path):
    write(tmp_path / "a.jsonl", row("X_1"), row("X_2"))
    write(tmp_path / "b.jsonl", row("X_1", model=FLASH))
    (tmp_path / "LICENSE").write_text("...")
    assert [r.model for r in routerarena.read_recordings(tmp_path)] == [HAIKU, HAIKU, FLASH]
    assert [q.id for q in routerarena.questions(tmp_path)] == ["X_1", "X_2"]
    assert routerarena.scores(tmp_path)[FLASH, "X_1"] == 1.0


def test_detect(tmp_path):
    assert routerarena.detect(write(tmp_path / "a.jsonl", row()))
    assert routerarena.detect(tmp_path)
    assert not routerarena.detect(write(tmp_path / "b.jsonl", {"id": "q", "question": "?"}))
    assert not routerarena.detect(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").touch()
    assert not routerarena.detect(tmp_path / "empty.jsonl")


def test_what_cannot_be_read_is_told_with_its_line(tmp_path):
    path = write(tmp_path / "a.jsonl", row(), {"question": "?"})
    with pytest.raises(UsageError, match="line 2"):
        list(routerarena.read_recordings(path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no RouterArena results"):
        list(routerarena.questions(tmp_path / "empty"))


# --------------------------------------------------------------------------- mapping


@pytest.mark.parametrize(
    ("metric", "truth", "name", "reference"),
    [
        ("mcq_accuracy", "2", "choice", "C"),
        ("mcq_accuracy", "1.0", "choice", "B"),
        ("mcq_accuracy", "b", "choice", "B"),
        ("exact_match", "Las_Vegas", "exact", "Las_Vegas"),
        ("chess_accuracy", "g4f3", "exact", "g4f3"),
        ("chess_accuracy", "0", "choice", "A"),
        ("superglue_clozetest", "LEDs", "exact", "LEDs"),
        ("superglue_exact_match", "0.0", "exact", ["0.0", "0", "A", "False"]),
        ("superglue_exact_match", "No", "exact", ["No", "B", "0", "False"]),
        ("math_metric", "42", "math", "42"),
        ("math_metric", r"-\frac{\pi}{6}", "math", r"-\frac{\pi}{6}"),
        ("math_metric", "17:03", "exact", "17:03"),
        ("math_metric", "Yardley", None, None),
        ("code_accuracy", {"tests": []}, None, None),
        ("meteor_score", "Hallo", None, None),
        ("mcq_accuracy", "no letter", None, None),
    ],
)
def test_metrics_become_graders_where_they_fit(tmp_path, metric, truth, name, reference):
    (question,) = routerarena.questions(write(tmp_path / "a.jsonl", row("Set_x_1", metric, truth)))
    assert (question.grader.name if question.grader else None) == name
    assert question.reference == reference
    assert question.metadata["metric"] == metric
    assert (question.category, question.difficulty) == ("Set", "unlabelled")
    assert graders.check(question) == []
    if name is None:
        assert graders.resolve(question) is None
        assert question.metadata["ground_truth"] == truth


@pytest.mark.parametrize("name", ["q.json", "q.jsonl"])
def test_the_question_file_written_is_a_valid_one(tmp_path, name):
    source = write(tmp_path / "a.jsonl", row("X_1"), row("X_2", "math_metric", "7"))
    assert import_file(str(source), tmp_path / name).number == 2
    assert list(questions.load(tmp_path / name)) == list(routerarena.questions(source))


def test_a_question_file_that_cannot_be_written_is_told(tmp_path):
    source = write(tmp_path / "a.jsonl", row())
    with pytest.raises(UsageError, match="cannot be written"):
        import_file(str(source), tmp_path / "none" / "q.json")


# --------------------------------------------------------------------------- agreement with the recorded scores

PLAIN = {
    "mcq_accuracy": "choice",
    "exact_match": "exact",
    "superglue_clozetest": "exact",
    "math_metric": "numeric",
}
"""Metric -> the grader that somebody would name who only knows the question and its ground truth."""

MAPPED_DIFFERS = {
    ("math_metric", HAIKU, "FinQA_172"),
    ("math_metric", HAIKU, "FinQA_56"),
    ("math_metric", HAIKU, "FinQA_60"),
    ("math_metric", HAIKU, "GSM8K_43"),
    ("math_metric", HAIKU, "GSM8K_174"),
    ("mcq_accuracy", FLASH, "MMLUPro_business_784"),
    ("superglue_exact_match", HAIKU, "SuperGLUE-QA_4102"),
}
PLAIN_DIFFERS = {
    ("mcq_accuracy", HAIKU, "MMLU_formal_logic_116"),
    ("mcq_accuracy", HAIKU, "OpenTDB_Entertainment: Board Games_3779"),
    ("mcq_accuracy", FLASH, "MMLUPro_business_784"),
    ("math_metric", HAIKU, "FinQA_172"),
    ("math_metric", HAIKU, "FinQA_56"),
    ("math_metric", HAIKU, "FinQA_60"),
    ("math_metric", HAIKU, "GSM8K_43"),
    ("math_metric", HAIKU, "GSM8K_174"),
    ("math_metric", FLASH, "FinQA_149"),
}


def plain_questions():
    """Yield the questions as a newcomer would write them: the ground truth as it stands, no options."""
    truth = truths()
    for question in routerarena.questions(DATA):
        metric = question.metadata["metric"]
        if metric not in PLAIN:
            continue
        plain = Question(
            id=question.id,
            difficulty="any",
            question=question.question,
            reference=truth[question.id],
            grader=GraderSpec(name=PLAIN[metric]),
            metadata={"metric": metric},
        )
        if not graders.check(plain):
            yield plain


def truths():
    found = {}
    for line in (DATA / f"{FLASH}.jsonl").read_text().splitlines():
        each = json.loads(line)
        found[each["global_index"]] = each["evaluation_result"]["ground_truth"]
    return found


def agreement(asked):
    """Grade all recorded answers: the table (metric, model) -> sums, and the rows that differ."""
    asked = {question.id: question for question in asked}
    recorded = routerarena.scores(DATA)
    sums = defaultdict(lambda: [0, 0.0, 0.0])
    differing = set()
    for recording in routerarena.read_recordings(DATA):
        question = asked.get(recording.question_id)
        if question is None or graders.resolve(question) is None:
            continue
        grade = graders.grade("t", question, Completion(text=recording.text, model=recording.model))
        score = recorded[recording.model, question.id]
        metric = question.metadata["metric"]
        row = sums[metric, recording.model]
        row[0] += 1
        row[1] += score
        row[2] += grade.score or 0.0
        if grade.score != score:
            differing.add((metric, recording.model, question.id))
            print(
                f"  {recording.model}  {question.id}: recorded {score}, ours {grade.score}", grade.extracted
            )
    for (metric, model), (count, theirs, ours) in sorted(sums.items()):
        print(f"{metric:24}{model:26}{count:5}{theirs:8.0f}{ours:8.0f}")
    return sums, differing


@needs_data
def test_agreement_of_the_mapped_graders():
    sums, differing = agreement(routerarena.questions(DATA))
    assert differing == MAPPED_DIFFERS
    assert sums["mcq_accuracy", HAIKU] == [565, 344, 344]
    assert sums["mcq_accuracy", FLASH] == [565, 437, 438]
    assert sums["exact_match", HAIKU] == [62, 17, 17]
    assert sums["exact_match", FLASH] == [62, 20, 20]
    assert sums["math_metric", HAIKU] == [22, 6, 11]
    assert sums["math_metric", FLASH] == [22, 13, 13]


@needs_data
def test_agreement_of_plain_graders():
    _, differing = agreement(plain_questions())
    assert differing == PLAIN_DIFFERS


@needs_data
def test_every_recorded_answer_and_cost_is_read():
    recordings = list(routerarena.read_recordings(DATA))
    assert len(recordings) == 2 * 809
    assert all(recording.cost_usd is not None for recording in recordings)
    assert routerarena.detect(DATA)
