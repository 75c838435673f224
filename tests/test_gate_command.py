"""Gates from outside: exit codes, every face, resume and report, files, GitHub's action, and JUnit."""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import msgspec
import pytest

import report_factory as factory
import runs
from lookalike import Lookalike, Reply, Request
from routemark import cli, main
from routemark.analysis.gates.figures import OFFLINE_FIGURES, of_offline
from routemark.api import offline
from routemark.config import Settings
from routemark.records import GateResult
from routemark.report import markdown, outputs, text

ROOT = Path(__file__).parent.parent
ARMS = ("-m", "openrouter/auto", "-m", "sim/heron", "--quiet")
PASSES, FAILS = "failed_share(auto) < 0.5", "accuracy(auto) > accuracy(best_single) + 1"
GATES = [
    GateResult(expression=PASSES, passed=True, left=0.0, right=0.5, reason="0 < 0.5 holds"),
    GateResult(expression=FAILS, passed=False, left=None, right=1.5, reason="cannot be decided: <b>| x is unknown"),
]  # fmt: skip


@contextlib.contextmanager
def standing_in(folder: Path, environ: dict[str, str]) -> Iterator[None]:
    """Stand in a folder, with an environment that holds nothing else for us."""
    kept, here = dict(os.environ), Path.cwd()
    os.environ.clear()
    os.environ.update(runs.clean_environ(**environ))
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(kept)


def routemark(*arguments: str, cwd: Path, **environ: str) -> runs.Done:
    """Run a command in this process, which is as good as one of its own and does not start Python again."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with standing_in(cwd, environ), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli._guarded(list(arguments))
        except SystemExit as stop:
            code = int(str(stop.code))
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]  # as made above
    return runs.Done((code, *texts))


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """A gateway whose router answers right, and whose fixed model does not."""

    def reply(request: Request, before: int) -> Reply:
        doubled = 2 * int(re.findall(r"\d+", request.prompt)[0])
        return Reply(
            text=str(doubled if request.body["model"] == "openrouter/auto" else 7), model="sim/heron"
        )

    with Lookalike(reply) as server:
        yield server.base_url


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, base_url: str) -> Path:
    """A folder with a finished run that was begun with two gates, of which one failed."""
    folder = tmp_path_factory.mktemp("gates")
    runs.write_sums(folder, 6)
    gates = ("--gate", PASSES, "--gate", FAILS)
    done = routemark("run", "my.jsonl", *ARMS, *gates, "--json", "--base-url", base_url, cwd=folder)
    assert done.code == 10, done.stderr
    assert done.stderr == "routemark: 1 of 2 gates failed.\n"
    head = json.loads(done[1])
    assert list(head) == ["schema", "run", "gates", "summary"]
    assert "gates" not in head["summary"]
    assert [(gate["expression"], gate["passed"]) for gate in head["gates"]] == [
        (PASSES, True),
        (FAILS, False),
    ]
    assert (head["gates"][0]["left"], head["gates"][0]["right"]) == (0.0, 0.5)
    return folder


def test_a_failed_gate_is_told_everywhere(finished: Path) -> None:
    results = runs.results(finished / "runs/latest")
    assert list(results) == ["schema", "run", "results", "gates", "summary"]
    assert [gate["passed"] for gate in results["gates"]] == [True, False]
    said = routemark("report", "latest", cwd=finished)
    assert (said.code, said.stderr) == (10, "routemark: 1 of 2 gates failed.\n")
    assert max(map(len, said[1].split("\n"))) <= 80
    assert re.search(r"Gates\n  - passed: failed_share\(auto\) < 0\.5 \(0 < 0\.5 holds;", said[1])
    assert f"- FAILED: {FAILS}" in " ".join(said[1].split())
    assert "Gates" in (finished / "runs/latest/report.html").read_text()


def test_an_old_run_is_held_against_new_gates_and_a_resumed_one_against_its_own(finished: Path) -> None:
    assert routemark("report", "latest", "--gate", PASSES, cwd=finished).code == 0
    assert routemark("resume", "latest", "--quiet", cwd=finished).code == 10
    assert routemark("resume", "latest", "--quiet", "--gate", PASSES, cwd=finished).code == 0
    assert [gate["expression"] for gate in runs.results(finished / "runs/latest")["gates"]] == [PASSES]
    assert (
        routemark("resume", "latest", "--quiet", "--gate", FAILS, "--gate", PASSES, cwd=finished).code == 10
    )


@pytest.mark.parametrize(
    ("command", "gate", "says"),
    [
        (
            ("run", "my.jsonl", *ARMS),
            "acuracy(auto) > 0",
            'Did you mean "accuracy"?\n  acuracy(auto) > 0\n  ^\n',
        ),
        (("run", "my.jsonl", *ARMS), "accuracy(baseline) > 0", "no --baseline"),
        (("plan", "my.jsonl", *ARMS), "accuracy(sim/herno) > 0", 'Did you mean "sim/heron"?'),
        (("report", "latest"), "accuracy(auto) > (", "the end"),
        (("resume", "latest"), "accuracy(auto)", "a number, not a condition"),
    ],
)
def test_a_gate_that_cannot_be_read_exits_2_and_nothing_is_sent(
    finished: Path, command: tuple[str, ...], gate: str, says: str
) -> None:
    before = sorted((finished / "runs").iterdir())
    done = routemark(*command, "--gate", gate, cwd=finished)
    assert (done.code, done[1]) == (2, "")
    assert says in done.stderr
    assert sorted((finished / "runs").iterdir()) == before


@pytest.mark.parametrize(
    ("stopped", "failed", "gates", "code"),
    [
        (0, 0, [], 0),
        (0, 0, GATES[:1], 0),
        (0, 0, GATES, 10),
        (0, 60, GATES, 10),
        (0, 61, GATES, 3),
        (4, 0, GATES, 4),
        (130, 61, GATES, 130),
    ],
)
def test_why_a_run_stopped_and_too_many_failures_go_before_a_gate(
    monkeypatch: pytest.MonkeyPatch, stopped: int, failed: int, gates: list[GateResult], code: int
) -> None:
    summary = factory.make_summary(factory.make_rows(30), failed=failed, gates=gates)
    assert summary.total == 120
    directory = Mock(results=Path("a.json"), report=Path("a.html"))
    monkeypatch.setattr(main, "summarise", lambda *given, **named: (Mock(run=factory.make_run()), summary))
    finished = main.conclude(directory, factory.make_run(), Settings(), stopped)
    assert finished.exit_code == code


def test_gates_may_stand_in_the_settings_file_and_one_in_the_environment(
    tmp_path: Path, base_url: str
) -> None:
    runs.write_sums(tmp_path, 2)
    (tmp_path / "routemark.toml").write_text(
        f'base_url = "{base_url}"\ngate = ["{PASSES}", "n(auto) == 2"]\n'
    )
    done = routemark("run", "my.jsonl", *ARMS, "--json", cwd=tmp_path)
    assert [gate["passed"] for gate in json.loads(done[1])["gates"]] == [True, True]
    assert routemark("report", "latest", cwd=tmp_path, ROUTEMARK_GATE="n(auto) == 3").code == 0, (
        "only what is typed"
    )
    assert (
        routemark("resume", "latest", cwd=tmp_path, ROUTEMARK_GATE="n(auto) == 3 and n(auto) > 0").code == 10
    )


# --------------------------------------------------------------------------- faces


def test_every_format_shows_passed_and_failed_gates_and_is_not_broken_by_them(tmp_path: Path) -> None:
    rows = factory.make_rows(6)
    summary = factory.make_summary(rows, gates=GATES)
    run = factory.make_run()
    shown = text.render(run, summary, color=False)
    assert "- passed: failed_share(auto) < 0.5 (0 < 0.5 holds)" in shown
    comment = markdown.render(run, summary)
    assert re.search(r"<summary>Gates</summary>\n\n- passed: failed", comment)
    assert "<b>" not in comment
    for name in ("r.html", "r.junit.xml"):
        with outputs.opened([tmp_path / name], run) as files:
            for row in rows:
                files.row(row)
            files.close(summary)
    assert "FAILED: accuracy(auto) &gt; accuracy(best_single)" in (tmp_path / "r.html").read_text()
    suite = ET.parse(tmp_path / "r.junit.xml").getroot().findall("testsuite")[-1]
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("gates", "2", "1")
    right, wrong = suite.findall("testcase")
    assert (right.get("name"), list(right)) == (PASSES, [])
    assert wrong.find("failure").get("message") == GATES[1].reason  # type: ignore[union-attr]


def test_without_gates_no_format_speaks_of_them() -> None:
    summary = factory.make_summary(factory.make_rows(6))
    assert "Gates" not in text.render(factory.make_run(), summary, color=False)


# --------------------------------------------------------------------------- offline


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    outcomes = [
        f"q{i},{model},{int(i % 4 < right)},{cost}"
        for i in range(40)
        for model, right, cost in [("m1", 3, 0.1), ("m2", 1, 0.01)]
    ]
    (tmp_path / "outcomes.csv").write_text("question_id,model,score,cost_usd\n" + "\n".join(outcomes) + "\n")
    picks = [f"q{i},router,{'m1' if i % 2 else 'm2'}" for i in range(40)]
    (tmp_path / "picks.csv").write_text("question_id,arm,model\n" + "\n".join(picks) + "\n")
    return tmp_path


def test_files_are_held_against_gates(tables: Path) -> None:
    given = ("offline", "outcomes.csv", "--picks", "picks.csv")
    gates = (
        "--gate",
        "cost_per_1k_usd(auto) < cost_per_1k_usd(best_single)",
        "--gate",
        "accuracy(auto) >= accuracy(m1)",
    )
    done = routemark(*given, *gates, cwd=tables)
    assert (done.code, done.stderr) == (10, "routemark: 1 of 2 gates failed.\n")
    assert "- passed: cost_per_1k_usd(auto)" in done[1]
    assert [g["passed"] for g in json.loads(routemark(*given, *gates, "--json", cwd=tables)[1])["gates"]] == [
        True,
        False,
    ]
    assert "gates" not in json.loads(routemark(*given, "--json", cwd=tables)[1])
    for gate, says in (
        ("failed_share(auto) < 1", "no figure"),
        ("accuracy(m3) > 0", "no arm"),
        ("accuracy(baseline) > 0", "--baseline"),
    ):
        refused = routemark(*given, "--gate", gate, cwd=tables)
        assert (refused.code, refused[1]) == (2, "")
        assert says in refused.stderr


def test_files_know_every_figure_that_is_promised_of_them(tables: Path) -> None:
    facts = of_offline(offline(tables / "outcomes.csv", tables / "picks.csv"))
    of_arm, whole = set(facts.arms["router"]), set(facts.whole)
    assert of_arm == {name for name, signature in OFFLINE_FIGURES.items() if signature.arms == 1}
    assert whole == {name for name, signature in OFFLINE_FIGURES.items() if signature.arms == 0}
    assert facts.aliases == {"auto": "router", "best_single": "m1", "cheapest": "m2", "dearest": "m1"}
    alone = of_offline(offline(tables / "outcomes.csv"))
    assert "auto" not in alone.aliases
    assert msgspec.structs.asdict(offline(tables / "outcomes.csv"))["gates"] is msgspec.UNSET


# --------------------------------------------------------------------------- GitHub's action


def inputs_of(action: str) -> set[str]:
    declared = action.partition("\ninputs:\n")[2].partition("\noutputs:\n")[0]
    return set(re.findall(r"^  ([a-z-]+):$", declared, re.MULTILINE))


def test_the_action_hands_every_input_to_the_script_and_none_into_a_command_line() -> None:
    action = (ROOT / "action.yml").read_text()
    script = (ROOT / "scripts/github-action").read_text()
    assert set(re.findall(r"\$\{\{ inputs\.([a-z-]+) \}\}", action)) | {"comment"} == inputs_of(action)
    assert set(re.findall(r"INPUT_[A-Z_]+", script)) <= set(re.findall(r"INPUT_[A-Z_]+", action)) | {"INPUT_"}
    commands = re.findall(r"^ +run: (\|\n(?:(?: {8,}.*)?\n)+|.*\n)", action, re.MULTILINE)
    assert len(commands) == 4
    assert not any("${{" in command for command in commands), "what others write would be run"


def test_the_actions_script_runs_with_its_gates_and_keeps_what_the_next_steps_take(tmp_path: Path) -> None:
    runs.write_sums(tmp_path, 4)
    environ = {
        "INPUT_QUESTIONS": "my.jsonl",
        "INPUT_MODELS": "openrouter/auto\n\n  \nsim/heron\r\n",
        "INPUT_GATES": f"{PASSES}\n{FAILS}\n",
        "INPUT_OPTIONS": "--simulate\n--limit=3\n",
        "INPUT_MAX_COST": "5",
        "GITHUB_OUTPUT": "output",
        "GITHUB_STEP_SUMMARY": "step.md",
    }
    done = subprocess.run(
        ["bash", ROOT / "scripts/github-action"],
        cwd=tmp_path, env=runs.clean_environ(**environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}"),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "output").read_text() == "exit-code=10\nfolder=routemark-report\n"
    kept = {path.name for path in (tmp_path / "routemark-report").iterdir()}
    assert kept == {"results.json", "report.html", "comment.md", "results.junit.xml"}
    assert "<summary>Gates</summary>" in (tmp_path / "step.md").read_text()
    results = json.loads((tmp_path / "routemark-report/results.json").read_text())
    assert [arm["name"] for arm in json.loads((tmp_path / "runs/latest/run.json").read_text())["arms"]] == [
        "openrouter/auto",
        "sim/heron",
    ]
    assert (len(results["results"]), results["run"]["settings"]["max_cost"]) == (6, 5)
