"""`routemark offline` from outside: the contract's object, real recorded outcomes, exit codes."""

import csv
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

import runs

ARENA = Path(__file__).parents[2] / "shared" / "data" / "routerarena"


def offline(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ROUTEMARK_", "OPENROUTER_"))}
    return subprocess.run(
        [*runs.NURSERY.program, "offline", *arguments],
        cwd=cwd, env={**kept, "COLUMNS": "80"}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> Path:
    rows = ["question_id,model,score,cost_usd,difficulty"]
    picks = ["question_id,arm,model"]
    for i in range(40):
        rows += [f"q{i},cheap,{int(i % 3 == 0)},0.001,easy", f"q{i},dear,{int(i % 5 > 0)},0.01,easy"]
        picks += [
            f"q{i},auto,{'cheap' if i % 3 == 0 else 'dear'}",
            f"q{i},lots,{'cheap' if i % 2 else 'dear'}",
        ]
    (tmp_path / "outcomes.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "picks.csv").write_text("\n".join(picks) + "\n")
    return tmp_path


def test_the_object_is_the_contracts(files: Path) -> None:
    done = offline("outcomes.csv", "--picks", "picks.csv", "--json", cwd=files)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {"questions", "models", "oracles", "zero_router", "arms", "comparisons"} <= found.keys()
    assert found["questions"] == 40
    assert set(found["models"]["dear"]) == {"n", "accuracy", "accuracy_ci95", "cost_per_1k_usd"}
    assert {"accuracy", "cost_per_1k_usd", "picks"} <= found["oracles"]["best_then_cheapest"].keys()
    assert {"questions", "cost_per_1k_usd", "picks"} <= found["oracles"]["cheapest_full_score"].keys()
    assert {"hull", "aiq", "aiq_code"} == found["zero_router"].keys()
    arm = found["arms"]["auto"]
    assert {
        "n", "accuracy", "accuracy_ci95", "cost_per_1k_usd", "arena_score", "opt_sel", "opt_acc", "opt_cost",
        "pick_shares", "pick_entropy_bits", "same_mix", "hull_gap", "hull_gap_ci95", "regret", "cost_per_correct_usd",
    } <= arm.keys()  # fmt: skip
    assert {"accuracy", "cost_per_1k_usd", "gain", "gain_ci95", "p_value"} <= arm["same_mix"].keys()
    assert {
        "arm", "baseline", "n", "accuracy_difference", "ci95", "p_value", "p_value_holm", "mcnemar", "cost_ratio",
        "cost_ratio_ci95", "indifference_price_usd", "questions_to_decide",
    } <= found["comparisons"][0].keys()  # fmt: skip
    right = sum(i % 3 == 0 or i % 5 > 0 for i in range(40))
    assert arm["accuracy"] == right / 40 == found["oracles"]["best_then_cheapest"]["accuracy"]
    assert "metrics" not in found
    again = json.loads(
        offline("outcomes.csv", "--picks", "picks.csv", "--json", "--all-metrics", cwd=files).stdout
    )
    assert again["metrics"]["routers"]["auto"]["strong"] == "dear"
    assert again["arms"]["auto"]["metrics"]["v_r"] is None
    assert {key: again[key] for key in ("models", "oracles", "comparisons")} == {
        key: found[key] for key in ("models", "oracles", "comparisons")
    }


def test_text_and_files(files: Path) -> None:
    done = offline("outcomes.csv", "--picks", "picks.csv", "-o", "found.json", "-o", "found.txt", cwd=files)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("40 questions, answers of 2 models and the picks of 2 arms")
    assert (files / "found.txt").read_text() == done.stdout
    assert json.loads((files / "found.json").read_text())["questions"] == 40


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none.csv"], "none.csv: there is no such file."),
        (["outcomes.csv", "--picks", "none.csv"], "none.csv: there is no such file."),
        (["outcomes.csv", "--picks", "bad.csv"], 'line 2: model "cheep" is not among the outcomes; did you mean "cheap"?'),
        (["outcomes.csv", "--picks", "outcomes.csv"], "there is no column arm"),
        (["outcomes.csv", "--baseline", "deer"], 'Did you mean "dear"?'),
        (["outcomes.csv", "-o", "x.pdf"], "--output x.pdf: no such format; use .json or .txt."),
        (["outcomes.csv", "--margin", "2"], "--margin"),
        (["outcomes.csv", "--pick", "picks.csv"], "--pick"),
    ],
)  # fmt: skip
def test_wrong_use_says_what_is_wrong(files: Path, arguments: list[str], says: str) -> None:
    (files / "bad.csv").write_text("question_id,arm,model\nq1,auto,cheep\n")
    done = offline(*arguments, cwd=files)
    assert done.returncode != 0
    assert says in " ".join((done.stderr + done.stdout).split())
    if done.returncode == 2:
        assert "Traceback" not in done.stderr


@pytest.mark.skipif(not ARENA.is_dir(), reason="needs ../shared/data/routerarena")
def test_recorded_outcomes_give_the_known_difference(tmp_path: Path) -> None:
    with (tmp_path / "outcomes.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["question_id", "model", "score", "cost_usd"])
        for path in sorted(ARENA.glob("*.jsonl")):
            for row in map(json.loads, path.read_text().splitlines()):
                result = row["evaluation_result"]
                table.writerow(
                    [
                        row["global_index"],
                        row["llm_selected"],
                        max(0.0, result["score"]),
                        result["inference_cost"],
                    ]
                )
    found = json.loads(offline("outcomes.csv", "--json", cwd=tmp_path).stdout)
    (pair,) = found["comparisons"]
    assert found["questions"] == pair["n"] == 809
    assert abs(pair["accuracy_difference"]) == pytest.approx(0.167, abs=0.0005)
    assert pair["mcnemar"] is None  # some metrics give partial credit


def test_no_digit_hangs_on_the_number_of_threads(tmp_path: Path) -> None:
    """Enough questions for products that several threads would share."""
    draw, models = random.Random(3), range(5)
    rows, picks = ["question_id,model,score,cost_usd,difficulty"], ["question_id,arm,model"]
    for i in range(12_000):
        hard = ("easy", "hard")[i % 2]
        rows += [
            f"q{i},m{model},{draw.randint(0, 1 + model) and 1},{draw.random() * 4**model:.6f},{hard}"
            for model in models
        ]
        picks.append(f"q{i},auto,m{draw.choice(models)}")
    (tmp_path / "outcomes.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "picks.csv").write_text("\n".join(picks) + "\n")
    command = [sys.executable, "-m", "routemark", "offline", "outcomes.csv", "--picks", "picks.csv", "--json"]
    one, two = (
        subprocess.run(
            [*command, "--all-metrics"],
            cwd=tmp_path, env={**runs.clean_environ(), "OPENBLAS_NUM_THREADS": threads},
            capture_output=True, text=True, timeout=100, check=True,
        ).stdout
        for threads in ("1", "2")
    )  # fmt: skip
    assert one == two
