"""The command line from outside: exit codes, streams, and sentences instead of tracebacks."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import runs
from lookalike import Lookalike, Page, Reply, Request
from routemark import __version__

COMMANDS = [
    "run", "plan", "resume", "report", "grade", "validate", "questions", "gateway", "import", "offline", "audit", "doctor",
    "export", "init", "completion", "schema",
]  # fmt: skip


OWN = [sys.executable, "-m", "routemark"]
"""A process of its own, with its own start and hashes of strings; the others are children of the nursery."""


def routemark(
    *arguments: str, cwd: Path | None = None, program: list[str] | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ROUTEMARK_", "OPENROUTER_"))}
    return subprocess.run(
        [*(program or runs.NURSERY.program), *arguments],
        cwd=cwd or tempfile.gettempdir(),
        env={**kept, **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_version_is_answered_at_once() -> None:
    before = os.times()
    done = routemark("--version", program=OWN)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    assert done.stdout == f"routemark {__version__}\n"
    assert cpu < 0.15


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    done = routemark(command, "--help")
    assert done.returncode == 0
    assert f"routemark {command}" in done.stdout
    assert max(map(len, done.stdout.split("\n"))) <= 80


def test_help_names_every_command() -> None:
    shown = routemark("--help", program=OWN).stdout
    assert [c for c in COMMANDS if f" {c} " not in shown] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rum"], "run"),
        (["run", "--concurency", "3"], "--concurrency"),
        (["run", "--simulate", "-j", "0"], "--concurrency"),
        (["run", "--simulate", "-m", "openrouter/auto?cost_teir=low"], "cost_tier"),
        (["run", "--simulate", "--run-id", "../x"], "--run-id"),
        (["run", "gone.jsonl", "--simulate"], "gone.jsonl"),
        (["report", "gone"], "gone"),
        (["run", "--simulate", "--weights", "easy=1"], "no weight for hard, opt"),
        (
            ["run", "--simulate", "--until-decided", "-m", "sim/heron", "--weights", "easy=1,hard=1,opt=1"],
            "Use one of the two",
        ),
        (["resume", "gone"], "gone"),
        (["audit", "gone"], "gone"),
        (["export", "gone", "-o", "rows.csv"], "gone"),
        (["export", "gone", "-o", "rows.xls"], ".parquet"),
        (["schema", "questoins"], "questions"),
        (["doctor", "--base-url", "nowhere"], "nowhere"),
        (["validate", "gone.csv"], "gone.csv"),
        (["gateway", "--host", "0.0.0.0"], "--unsafe-host"),
        (["gateway", "--faults", "4299:0.1"], "429"),
        (["gateway", "--replay", "gone"], "gone"),
        (["import", "gone", "-o", "x.jsonl"], "gone"),
    ],
)
def test_wrong_use_exits_2_with_a_sentence_that_helps(
    tmp_path: Path, arguments: list[str], says: str
) -> None:
    done = routemark(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_key_in_the_settings_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "routemark.toml").write_text("concurency = 3\n")
    done = routemark("run", "--simulate", "--dry-run", cwd=tmp_path)
    assert done.returncode == 2
    assert 'concurency: no such setting. Did you mean "concurrency"?' in done.stderr


def test_settings_come_from_file_and_environment_and_env_file(tmp_path: Path) -> None:
    (tmp_path / "routemark.toml").write_text(
        'limit = 5\nport = 1\n[[arm]]\nmodel = "sim/heron"\nname = "mine"\n'
    )
    (tmp_path / ".env").write_text("ROUTEMARK_REPEATS=3\nROUTEMARK_LIMIT=9\n")
    done = routemark("run", "--dry-run", "--simulate", cwd=tmp_path, ROUTEMARK_LIMIT="4")
    assert done.stdout.startswith("12 trials: 4 questions x 1 arms (mine) x 3 repeats")


def test_a_simulated_run_says_so_everywhere(tmp_path: Path) -> None:
    endings = (".json", ".csv", ".md", ".html", ".junit.xml", ".parquet")
    outputs = [part for ending in endings for part in ("-o", f"out/r{ending}")]
    done = routemark(
        "run",
        "--simulate",
        "--limit",
        "20",
        "-m",
        "openrouter/auto",
        "-m",
        "sim/heron",
        *outputs,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "SIMULATED" in done.stdout
    assert max(map(len, done.stdout.split("\n"))) <= 80
    assert "\x1b" not in done.stdout + done.stderr
    assert "40/40 trials" in done.stderr
    for name in ("r.md", "r.html", "r.junit.xml"):
        assert "SIMULATED" in (tmp_path / "out" / name).read_text()
    results = json.loads((tmp_path / "out/r.json").read_text())
    assert results["run"]["simulated"] is True
    assert len(results["results"]) == 40
    assert (tmp_path / "out/r.csv").read_text().count("\n") >= 41
    for form, begins in (
        ("json", "{"),
        ("markdown", ""),
        ("html", "<!doctype html>"),
        ("junit", "<?xml"),
        ("text", "*** SIMULATED"),
    ):
        again = routemark("report", "latest", "--format", form, cwd=tmp_path)
        assert again.returncode == 0, again.stderr
        assert again.stdout.lower().startswith(begins.lower())
        if form == "json":
            assert json.loads(again.stdout) == results
        else:
            assert "SIMULATED" in again.stdout


def test_the_same_seed_gives_the_same_results(tmp_path: Path) -> None:
    def rows(run_id: str, *more: str, program: list[str] | None = None) -> list[object]:
        arguments = [
            "run",
            "--simulate",
            "--limit",
            "8",
            "-m",
            "openrouter/auto",
            "-m",
            "sim/abacus",
            "--quiet",
        ]
        done = routemark(*arguments, "--run-id", run_id, *more, cwd=tmp_path, program=program)
        assert done.returncode == 0, done.stderr
        results = json.loads((tmp_path / f"runs/{run_id}/results.json").read_text())["results"]
        volatile = ("latency_s", "ttft_s", "queue_s", "generation_id")
        return [{k: v for k, v in row.items() if k not in volatile} for row in results]

    first = rows("a", "--repeats", "2")
    how = ("-j", "4", "--transport", "httpx", "--no-stream")
    assert first == rows("b", "--repeats", "2", *how, program=OWN)
    assert first != rows("c", "--repeats", "2", "--seed", "5")


def test_json_alone_stands_on_standard_output(tmp_path: Path) -> None:
    done = routemark("run", "--simulate", "--limit", "5", "--json", "--quiet", cwd=tmp_path)
    assert json.loads(done.stdout)["summary"]["total"] == 5
    assert done.stderr == ""


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    assert routemark("run", "--simulate", "--limit", "3", "--quiet", cwd=tmp_path).returncode == 0
    command = f"{shlex.join(runs.NURSERY.program)} report latest --format json | head -c 10"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_report_takes_another_baseline_and_margin_and_refuses_an_unknown_arm(tmp_path: Path) -> None:
    arms = ["-m", "openrouter/auto", "-m", "sim/heron", "-m", "sim/abacus"]
    routemark("run", "--simulate", "--limit", "40", *arms, "--quiet", cwd=tmp_path)
    other = routemark("report", "latest", "--baseline", "sim/abacus", "--margin", "0.2", cwd=tmp_path)
    assert other.returncode == 0, other.stderr
    assert "Margin 20 points" in other.stdout
    assert other.stdout.index("sim/abacus", other.stdout.index("Arms")) < other.stdout.index(
        "openrouter/auto", other.stdout.index("Arms")
    )
    wrong = routemark("report", "latest", "--baseline", "sim/herno", cwd=tmp_path)
    assert wrong.returncode == 2
    assert 'Did you mean "sim/heron"?' in wrong.stderr


def test_a_finished_run_is_told_anew_for_the_users_traffic(tmp_path: Path) -> None:
    arms = ["-m", "openrouter/auto", "-m", "sim/heron"]
    more = ["--limit", "40", "--baseline", "sim/heron", "--traffic", "9000"]
    ran = routemark("run", "--simulate", *arms, *more, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    summary = json.loads((tmp_path / "runs/latest/results.json").read_text())["summary"]
    assert summary["weights"] is None
    assert summary["comparisons"][0]["monthly_usd"] is not None
    mix = ["--weights", "easy=80,hard=15,opt=5", "--traffic", "50000"]
    told = json.loads(routemark("report", "latest", *mix, "--format", "json", cwd=tmp_path).stdout)["summary"]
    assert told["weights"] == {"easy": 0.8, "hard": 0.15, "opt": 0.05}
    asked, weighted = told["comparisons"][0], told["comparisons"][0]["weighted"]
    assert asked["monthly_usd"] == pytest.approx(summary["comparisons"][0]["monthly_usd"] * 50_000 / 9_000)
    assert weighted["monthly_usd"] != asked["monthly_usd"]
    assert asked["accuracy_difference"] == summary["comparisons"][0]["accuracy_difference"]
    for wrong in (["--weights", "easy=1"], ["--weights", "easy=1,hard=1,opt=1,odd=1"], ["--traffic", "0"]):
        refused = routemark("report", "latest", *wrong, cwd=tmp_path)
        assert refused.returncode == 2
        assert wrong[0] in refused.stderr


def test_audit_and_doctor_from_outside(tmp_path: Path) -> None:
    with Lookalike(lambda request, before: Reply(text="1", model="vendor/model-a"), _pages) as server:
        environ = {"OPENROUTER_API_KEY": "sk-or-v1-MARKERKEY", "OPENROUTER_BASE_URL": server.base_url}
        routemark("run", "--limit", "3", "-m", "vendor/model-a", "--quiet", cwd=tmp_path, **environ)
        audited = routemark("audit", "latest", "--json", cwd=tmp_path, **environ)
        told = routemark("audit", "latest", cwd=tmp_path, **environ)
        examined = routemark("doctor", "--json", cwd=tmp_path, **environ)
        keyless = routemark("doctor", cwd=tmp_path, OPENROUTER_BASE_URL=server.base_url)
    assert (audited.returncode, audited.stderr) == (0, "")
    assert {one["difference"]["what"] for one in json.loads(audited.stdout)["differences"]} == {"cost"}
    assert told.returncode == 0
    assert "3 differences" in told.stdout
    examination = json.loads(examined.stdout)
    assert (examined.returncode, examination["status"]) == (1, "problem")
    assert [one["name"] for one in examination["findings"] if one["status"] == "problem"] == ["limit"]
    assert keyless.returncode == 0
    assert "warning  key" in keyless.stdout
    for done in (audited, told, examined, keyless):
        assert "MARKERKEY" not in done.stdout + done.stderr
    gone = routemark("audit", "latest", cwd=tmp_path, **environ)
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "does not answer" in gone.stderr
    unreachable = routemark("doctor", cwd=tmp_path, **environ)
    assert unreachable.returncode == 1
    assert "problem  gateway" in unreachable.stdout


def _pages(request: Request) -> Page | None:
    if "/generation?" in request.path:
        return 200, {}, {"data": {"total_cost": 0.5, "model": "vendor/model-a", "router": None}}
    price = {"prompt": "0.1", "completion": "0.1"}
    pages: dict[str, object] = {
        "/api/v1/models": {"data": [{"id": "vendor/model-a", "pricing": price}]},
        "/api/v1/key": {"data": {"limit": 1, "limit_remaining": 0}},
    }
    return (200, {}, pages[request.path]) if request.path in pages else None


def test_a_run_of_the_simulated_gateway_cannot_be_audited_afterwards(tmp_path: Path) -> None:
    routemark("run", "--simulate", "--limit", "2", "--quiet", cwd=tmp_path)
    done = routemark("audit", "latest", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "simulated" in done.stderr
