"""A judge held against labels: the file, what is asked, and every figure from verdicts that are known."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

import runs
from lookalike import Lookalike, Page, Reply, Request
from routemark.calibrate import calibrate
from routemark.config import JudgeSettings, Settings
from routemark.errors import QuestionFileError, SettingsError, UsageError
from routemark.questions.labelled import read_labels
from routemark.records import Calibration, Measured
from routemark.report.calibration import render


def rated(n: int, score: Any, says: Any, **more: Any) -> dict[str, Any]:
    """Give a row whose judge will say what stands in the answer."""
    return {"question": f"Q{n}?", "reference": "r", "answer": f"{n} SAY={says} ", "score": score} | more


def pair(n: int, winner: str, says: str, *, longer: str = "a") -> dict[str, Any]:
    """Give a pair of which the judge will prefer what ``says`` names: a, b, tie, or always the first."""
    texts = {name: f"{n} {name} SAY={says} " + "word " * (8 if name == longer else 1) for name in "ab"}
    return {"question": f"Q{n}?", "answer_a": texts["a"], "answer_b": texts["b"], "winner": winner}


def script(request: Request, _before: int) -> Reply:
    found = re.search(r"SAY=(\S+)", request.prompt)
    assert found is not None
    said = found[1]
    if said == "prose":
        return Reply(text="Well.", cost=0.01)
    if "FIRST ANSWER" not in request.prompt:
        return Reply(text=json.dumps({"reason": "r", "score": int(said)}), cost=0.01)
    a_first = re.search(r"BEGIN FIRST ANSWER \w+\n\d+ a ", request.prompt) is not None
    winner = said if said in ("first", "tie") else "first" if (said == "a") == a_first else "second"
    return Reply(text=json.dumps({"reason": "r", "winner": winner}), cost=0.01)


def prices(request: Request) -> Page | None:
    row = {"id": "v/j", "pricing": {"prompt": "0", "completion": "0.00001"}, "context_length": 100_000}
    return (200, {}, {"data": [row]}) if request.path.endswith("/models") else None


def write(folder: Path, rows: list[Any]) -> Path:
    path = folder / "labels.jsonl"
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def measure(folder: Path, rows: list[dict[str, Any]], **judge: Any) -> tuple[Calibration, Lookalike]:
    with Lookalike(script, prices) as server:
        settings = Settings(judge=JudgeSettings(model="v/j", **judge), base_url=server.base_url)
        return asyncio.run(calibrate(write(folder, rows), settings, runs.KEY)), server


def test_levels_are_held_against_labels(tmp_path: Path) -> None:
    said = [(1, 1)] * 4 + [(3, 3)] * 3 + [(5, 5)] * 6 + [(5, 4)] * 2 + [(1, 3)] + [(3, "prose")]
    found, server = measure(tmp_path, [rated(n, *one) for n, one in enumerate(said)])
    assert (found.mode, found.n, found.judged, found.judge) == ("rubric", 17, 16, "v/j")
    assert found.served == ["vendor/model-a"]
    assert found.agreement.value == pytest.approx(13 / 16)
    assert found.levels == ["1", "2", "3", "4", "5"]
    assert found.confusion == [[4, 0, 1, 0, 0], [0] * 5, [0, 0, 3, 0, 0], [0] * 5, [0, 0, 0, 2, 6]]
    assert found.kappa.value is not None
    assert found.kappa_quadratic is not None
    assert found.kappa_quadratic.value is not None
    assert found.kappa.value < found.kappa_quadratic.value
    assert found.not_judged.value == pytest.approx(1 / 17)
    assert found.reasons == {"could not grade: the judge's verdict could not be read, asked twice": 1}
    assert (found.asked, found.cost_usd) == (18, pytest.approx(0.18))
    assert len(server.requests) == 18
    assert found.orders_disagree is found.first_preferred is found.prefers_longer is None


def test_scores_that_lean_on_length_are_seen(tmp_path: Path) -> None:
    rows = [rated(n, 3, 1 + n // 5, answer=f"SAY={1 + n // 5} " + "x" * 4**(n // 5)) for n in range(25)]  # fmt: skip
    found, _ = measure(tmp_path, rows)
    assert found.error_with_length is not None
    assert found.error_with_length.value is not None
    assert found.error_with_length.value > 0.9


def test_right_and_wrong_need_no_scale(tmp_path: Path) -> None:
    found, server = measure(tmp_path, [rated(n, n % 2, n % 2) for n in range(10)])
    assert (found.levels, found.confusion) == (["0", "1"], [[5, 0], [0, 5]])
    assert found.kappa_quadratic is None
    schema = server.requests[0].body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["score"]["enum"] == [0, 1]


def test_a_scale_holds_for_the_whole_file(tmp_path: Path) -> None:
    found, _ = measure(tmp_path, [rated(0, 10, 10, scale=[0, 10]), rated(1, 3, 2)])
    assert found.levels == [str(level) for level in range(11)]


def test_pairs_are_asked_in_both_orders_and_their_leanings_are_measured(tmp_path: Path) -> None:
    said = (
        [("a", "a", "a")] * 6 + [("b", "b", "b")] * 4 + [("tie", "tie", "a")] * 2 + [("b", "first", "a")] * 3
    )
    said += [("b", "a", "a")] * 3
    rows = [pair(n, label, says, longer=longer) for n, (label, says, longer) in enumerate(said)]
    found, server = measure(tmp_path, rows)
    assert (found.mode, found.n, found.judged, len(server.requests)) == ("pairwise", 18, 18, 36)
    assert found.levels == ["a", "b", "tie"]
    assert found.confusion == [[6, 0, 0], [3, 4, 3], [0, 0, 2]]
    assert found.agreement.value == pytest.approx(12 / 18)
    assert found.orders_disagree is not None
    assert found.orders_disagree.value == pytest.approx(3 / 18)
    assert found.first_preferred is not None
    assert found.first_preferred.value == pytest.approx((13 + 6) / 32)
    assert found.prefers_longer is not None
    assert found.prefers_longer.value == pytest.approx((3 * 0.5 + 3 * 1) / 18)
    assert found.kappa_quadratic is None
    assert found.error_with_length is None


def test_the_budget_of_the_judge_holds_here_too(tmp_path: Path) -> None:
    rows = [rated(n, 3, 3) for n in range(6)]
    found, server = measure(tmp_path, rows, max_cost=0.035, max_tokens=1000, concurrency=1)
    asked = [request for request in server.requests if request.path.endswith("completions")]
    assert (len(asked), found.judged) == (3, 3)
    assert found.reasons == {"could not grade: the judge's budget is spent": 3}
    assert found.cost_usd == pytest.approx(0.03)


# --------------------------------------------------------------------------- the file


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["{"], "line 1: is not JSON"),
        ([[1]], "line 1: must be a JSON object"),
        ([rated(0, 3, 3), {}], "line 2: question: missing"),
        ([rated(0, 3, 3) | {"answer": " "}], "line 1: answer: is blank"),
        ([rated(0, 3, 3) | {"answer": "<think>x</think>"}], "line 1: answer: is blank"),
        ([rated(0, 3, 3) | {"answer": 5}], "line 1: answer: must be a text"),
        ([rated(0, 7, 3)], "line 1: score: must be a whole number from 1 to 5, not 7"),
        ([rated(0, 2.5, 3)], "line 1: score: must be a whole number"),
        ([rated(0, True, 3)], "line 1: score: must be a whole number"),
        ([rated(0, "3", 3)], "line 1: score: must be a whole number"),
        ([rated(0, 3, 3, reference=None)], "line 1: reference: missing"),
        ([rated(0, 3, 3, rubric=" ")], "line 1: grader.rubric: must be a text"),
        ([rated(0, 3, 3, scale=7)], "line 1: scale: must be the worst and the best level"),
        ([rated(0, 3, 3, scale=[5, 1])], "line 1: score: must be a whole number from 5 to 1"),
        (
            [rated(0, 3, 3, scale=[0, 9]), rated(1, 3, 3, scale=[0, 4])],
            "line 2: scale: is [0, 4], but [0, 9]",
        ),
        ([pair(0, "A", "a")], "line 1: winner: must be 'a', 'b' or 'tie', not 'A'"),
        ([pair(0, "a", "a"), rated(1, 3, 3)], "line 2: is an answer with its score, but line 1 is a pair"),
        ([rated(0, 3, 3), "", "nope"], "line 3: is not JSON"),
    ],
)
def test_a_faulty_row_is_told_by_its_line(tmp_path: Path, rows: list[Any], told: str) -> None:
    with pytest.raises(QuestionFileError, match=re.escape(told)):
        read_labels(write(tmp_path, rows))


def test_faults_come_in_the_order_of_the_lines_and_are_counted(tmp_path: Path) -> None:
    with pytest.raises(QuestionFileError, match="30 faults") as caught:
        read_labels(write(tmp_path, [rated(n, 9, 3) if n % 2 else "x" for n in range(30)]))
    assert [fault.partition(":")[0] for fault in caught.value.faults] == [f"line {n}" for n in range(1, 21)]


def test_files_that_cannot_be_read_or_are_empty_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_labels(tmp_path / "none.jsonl")
    with pytest.raises(UsageError, match="holds no labelled answer"):
        read_labels(write(tmp_path, [""]))


def test_a_judge_must_be_set(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no judge is set"):
        asyncio.run(calibrate(write(tmp_path, [rated(0, 3, 3)]), Settings(), None))


# --------------------------------------------------------------------------- what a person sees


def test_the_text_fits_a_terminal_and_tells_every_figure(tmp_path: Path) -> None:
    levels, _ = measure(tmp_path, [rated(n, 1 + n % 5, 1 + n % 3) for n in range(30)])
    pairs, _ = measure(tmp_path, [pair(n, "ab"[n % 2], "a") for n in range(30)])
    wide, _ = measure(tmp_path, [rated(n, n, 50, scale=[0, 60]) for n in range(30)])
    for found in (levels, pairs, wide):
        lines = render(found, 80).splitlines()
        assert max(map(len, lines)) <= 80
        assert any(line.startswith("Agreement") and "[" in line for line in lines)
    assert "of the winners; 50 % without" in render(pairs, 80)
    assert "label 0, verdict 50" in render(wide, 80)
    assert "put to the judge, for $0.30." in render(levels, 80)


def test_the_text_of_a_judge_that_never_judged(tmp_path: Path) -> None:
    found, _ = measure(tmp_path, [rated(n, 3, "prose") for n in range(3)])
    assert found.agreement == Measured(value=None, ci95=None)
    text = render(found, 80)
    assert re.search(r"Agreement +n/a", text)
    assert "3 not judged: could not grade: the judge's verdict could not be read" in text


def test_the_command_prints_text_and_json(tmp_path: Path) -> None:
    write(tmp_path, [rated(n, 1 + 4 * (n % 2), 3) for n in range(6)])
    (tmp_path / "routemark.toml").write_text('simulate = true\n[judge]\nmodel = "sim/heron"\n')
    done = runs.routemark("grade", "--calibrate", "labels.jsonl", "--json", cwd=tmp_path)
    assert done.code == 0, done.stderr
    found = json.loads(done[1])
    assert (found["schema"], found["simulated"], found["n"]) == ("routemark.calibration/1", True, 6)
    done = runs.routemark("grade", cwd=tmp_path)
    assert (done.code, done.stderr) == (
        2,
        "routemark: grade: name a run, or --calibrate FILE, one of the two.\n",
    )
