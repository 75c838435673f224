"""Stickiness, perturbed copies and cost tiers from outside, against the simulated gateway."""

import json
from pathlib import Path

import msgspec
import pytest

from routemark.policy.forecast import Forecast
from routemark.report.forecast import render
from runs import gateway, outcomes, results, routemark, stats

AUTO, STUCK = "openrouter/auto", "openrouter/auto?sticky=true"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run with all of it: a fresh and a sticky arm, repeats, copies."""
    folder = tmp_path_factory.mktemp("steady")
    done = routemark(
        "run", "--simulate", "--limit", "40", "--repeats", "3", "-m", AUTO, "-m", STUCK,
        "--perturb", "typos,polite", "--perturb", "choices", "--perturb-limit", "15", "--run-id", "one", "--quiet",
        cwd=folder,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    (folder / "stdout").write_text(done[1])
    return folder


def test_a_sticky_session_keeps_its_model_and_fresh_ones_do_not(folder: Path) -> None:
    arms = results(folder / "runs/one")["summary"]["arms"]
    stuck, fresh = arms[STUCK]["stability"], arms[AUTO]["stability"]
    assert stuck["sticky"]
    assert stuck["same_pick"]["value"] == 1.0
    assert fresh["same_pick"]["value"] < 1.0
    assert fresh["same_pick"]["ci95"][0] < fresh["same_pick"]["value"] < fresh["same_pick"]["ci95"][1]
    assert fresh["pick_entropy_bits"]["value"] > stuck["pick_entropy_bits"]["value"] == 0
    assert stuck["self_disagreement"]["value"] > 0, "the model is the same, its answers are not"
    assert arms[STUCK]["flags"] == arms[AUTO]["flags"] == {}


def test_sticky_repeats_are_asked_one_after_another_in_one_session(folder: Path) -> None:
    by_session: dict[str, list[tuple[int, str, float]]] = {}
    for one in outcomes(folder / "runs/one"):
        if one.arm == STUCK:
            first = one.attempts[0]
            by_session.setdefault(one.session_id, []).append((one.repeat, first.started_at, first.duration_s))
    assert len(by_session) == 40 + 30
    for turns in by_session.values():
        assert [repeat for repeat, _, _ in turns] == [0, 1, 2]
        assert sorted(turns, key=lambda turn: turn[1]) == turns


def test_copies_are_asked_behind_the_others_and_counted_apart(folder: Path) -> None:
    found = results(folder / "runs/one")
    summary, rows = found["summary"], found["results"]
    assert summary["total"] == summary["planned"] == 40 * 2 * 3
    assert summary["finished_questions"] == 40
    assert len(rows) == (40 + 30) * 2 * 3
    copies = [row for row in rows if row["perturbed_from"]]
    assert len(copies) == 30 * 2 * 3
    assert not any(row["counted"] for row in copies)
    assert {row["perturbation"] for row in copies} == {"typos", "polite"}
    assert all(row["id"] == f"{row['perturbed_from']}~{row['perturbation']}" for row in copies)
    spent = sum(row["cost_usd"] for row in rows)
    assert summary["cost_usd"] == pytest.approx(spent)
    robustness = summary["arms"][AUTO]["robustness"]
    assert robustness["overall"]["copies"] == 30
    assert robustness["overall"]["left_out"] == 40, "no question of these has choices"
    typos = robustness["by_kind"]["typos"]
    assert typos["robustness"] == pytest.approx(1 - typos["flip_rate"]["value"])
    assert typos["excess_flips"] is not None
    manifest = json.loads((folder / "runs/one/run.json").read_text())
    assert manifest["perturbed"]["typos"] == {"copies": 15, "left_out": 0}


def test_the_flip_rate_can_be_counted_from_the_rows(folder: Path) -> None:
    found = results(folder / "runs/one")
    rows = [row for row in found["results"] if row["arm"] == AUTO]
    models: dict[str, list[str]] = {}
    for row in rows:
        models.setdefault(row["id"], []).append(row["model"])
    shares = []
    for row in rows:
        if row["perturbation"] == "polite" and row["repeat"] == 0:
            mine, theirs = models[row["id"]], models[row["perturbed_from"]]
            shares.append(sum(a != b for a in mine for b in theirs) / (len(mine) * len(theirs)))
    by_kind = found["summary"]["arms"][AUTO]["robustness"]["by_kind"]
    assert by_kind["polite"]["flip_rate"]["value"] == pytest.approx(sum(shares) / len(shares))


def test_the_report_says_it_and_fits_the_terminal(folder: Path) -> None:
    shown = (folder / "stdout").read_text()
    for words in ("Asked 3 times", "How much of it is noise", "Changes to the prompt that should not matter"):
        assert words in shown
    assert routemark("report", "one", cwd=folder)[1].split("Files")[0] == shown.split("Files")[0]


def test_a_stopped_run_resumes_with_the_same_copies_and_sessions(folder: Path) -> None:
    journal = folder / "runs/one/journal.jsonl"
    before = {(one.question_id, one.arm, one.repeat): one.session_id for one in outcomes(folder / "runs/one")}
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[: len(lines) // 2]))
    manifest = folder / "runs/one/run.json"
    run = json.loads(manifest.read_text()) | {"status": "stopped"}
    manifest.write_text(json.dumps(run))
    done = routemark("resume", "one", "--quiet", cwd=folder)
    assert done.code == 0, done.stderr
    after = {(one.question_id, one.arm, one.repeat): one.session_id for one in outcomes(folder / "runs/one")}
    assert after == before
    assert results(folder / "runs/one")["summary"]["arms"][AUTO]["robustness"]["overall"]["copies"] == 30


def test_every_trial_but_sticky_repeats_has_a_session_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "my.jsonl").write_text(
        "".join(f'{{"id":"q{i}","difficulty":"easy","question":"What is {i}?"}}\n' for i in range(8))
    )
    with gateway(tmp_path / "my.jsonl") as base_url:
        done = routemark(
            "run", "my.jsonl", "--base-url", base_url, "--repeats", "2", "-m", AUTO, "-m", STUCK, "--quiet",
            cwd=tmp_path,
        )  # fmt: skip
        assert done.code == 0, done.stderr
        assert stats(base_url)["distinct_sessions"] == 8 * 2 + 8


def test_plan_counts_the_copies(tmp_path: Path) -> None:
    done = routemark("plan", "--simulate", "--limit", "20", "--perturb", "all", "--json", cwd=tmp_path)
    foreseen = json.loads(done[1])
    assert foreseen["questions"] == 20 + sum(made["copies"] for made in foreseen["perturbed"].values())
    assert foreseen["trials"] == foreseen["questions"]
    assert list(foreseen["perturbed"]) == ["typos", "case", "space", "polite", "choices"]
    forecast = msgspec.convert(foreseen, Forecast)
    said = " ".join(render(forecast).split())
    assert f"Of the questions, {foreseen['questions'] - 20} are perturbed copies of others: typos 20" in said
    assert "choices 0 (not applicable to 20 looked at)." in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--perturb", "typo"], 'Did you mean "typos"?'),
        (["-m", STUCK], "Give --repeats 2 or more"),
    ],
)
def test_wrong_use_is_refused_in_a_sentence(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = routemark("run", "--simulate", *arguments, cwd=tmp_path)
    assert done.code == 2
    assert said in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_sweep_gives_the_routers_own_curve(tmp_path: Path) -> None:
    done = routemark(
        "run", "--simulate", "--limit", "40", "--sweep", "cost_tier", "-m", AUTO, "-m", "sim/heron", "--run-id",
        "swept", "--quiet", "-o", "c.md", cwd=tmp_path,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    (curve,) = results(tmp_path / "runs/swept")["summary"]["sweep"]
    costs = [point["cost_per_1k_usd"] for point in curve["points"]]
    assert {point["value"] for point in curve["points"]} == {"low", "medium", "high", "xhigh", "max"}
    assert costs == sorted(costs)
    assert any(point["hull_gap"] is not None for point in curve["points"])
    assert curve["sentence"] in " ".join(done[1].split())
    assert "own cost-quality curve" in (tmp_path / "c.md").read_text()
