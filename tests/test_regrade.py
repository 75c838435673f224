"""Grading again, and grades that a crash or a full queue has cost: from the journal, without a request."""

import json
import os
import subprocess
from pathlib import Path

import pytest

import runs
from lookalike import Lookalike, Reply, Request
from routemark import sandbox
from routemark.journal import replay
from routemark.records import Grade, Outcome

ANSWERS = {
    "code": "```python\ndef double(x):\n    return 2 * x\n```",
    "sql": "```sql\nSELECT COUNT(*) FROM orders\n```",
    "number": "The answer is 4.",
    "wrong": "The answer is 5.",
}
QUESTIONS = [
    {"id": "code", "difficulty": "easy", "question": "code", "grader": {"name": "code", "tests": ["assert double(2) == 4"]}},
    {"id": "sql", "difficulty": "easy", "question": "sql", "reference": [[15]], "grader": {"name": "sql", "database": "shop"}},
    {"id": "number", "difficulty": "easy", "question": "number", "reference": 4},
    {"id": "wrong", "difficulty": "easy", "question": "wrong", "reference": 4},
    {"id": "open", "difficulty": "easy", "question": "open"},
]  # fmt: skip
needs_sandbox = pytest.mark.skipif(sandbox.trouble() is not None, reason=str(sandbox.trouble()))


def script(request: Request, _before: int) -> Reply:
    return Reply(text=ANSWERS.get(request.prompt, "Well."))


def routemark(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ROUTEMARK_", "OPENROUTER_"))}
    return subprocess.run(
        [*runs.NURSERY.program, *arguments],
        cwd=folder,
        env={**kept, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def asked(folder: Path, *options: str) -> Path:
    """Run the questions against the look-alike; give the run directory."""
    (folder / "q.json").write_text(json.dumps(QUESTIONS))
    with Lookalike(script) as server:
        done = routemark(
            folder,
            "run",
            "q.json",
            "--base-url",
            server.base_url,
            "-m",
            "vendor/a",
            "--run-id",
            "r",
            "--quiet",
            *options,
        )
    assert done.returncode == 0, done.stderr
    return folder / "runs/r"


def grades(run: Path) -> dict[str, list[Grade]]:
    """Give all grades of each question, oldest first."""
    records = [entry.record for entry in replay(run / "journal.jsonl")]
    name = {record.trial: record.question_id for record in records if isinstance(record, Outcome)}
    found: dict[str, list[Grade]] = {}
    for record in records:
        if isinstance(record, Grade):
            found.setdefault(name[record.trial], []).append(record)
    return found


def newest(run: Path) -> dict[str, float | None]:
    return {name: history[-1].score for name, history in grades(run).items()}


def shown(run: Path) -> dict[str, float | None]:
    """Give the scores in results.json."""
    rows = json.loads((run / "results.json").read_text())["results"]
    return {row["id"]: row["grade"]["score"] if row["grade"] else None for row in rows}


def edited(run: Path, change: object) -> None:
    """Change lines of the journal: a function from a line to what stands in its place."""
    journal = run / "journal.jsonl"
    lines = [change(json.loads(line)) for line in journal.read_text().splitlines()]  # type: ignore[operator]
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines if line))


@needs_sandbox
def test_code_is_run_only_when_allowed_and_a_later_grade_makes_up_for_it(tmp_path: Path) -> None:
    run = asked(tmp_path)
    (refused,) = grades(run)["code"]
    assert (refused.score, refused.reason) == (
        None,
        "the code was not run: --allow-code-execution allows it, in a sandbox",
    )
    assert newest(run) == {"code": None, "sql": 1, "number": 1, "wrong": 0}
    done = routemark(tmp_path, "grade", "r", "--allow-code-execution")
    assert (
        done.stdout
        == "4 answers graded again, 0 scores changed: 0 went up, 0 went down.\n1 have a score that had none.\n"
    )
    assert [grade.score for grade in grades(run)["code"]] == [None, 1]
    assert (
        newest(run) | {"open": None}
        == shown(run)
        == {"code": 1, "sql": 1, "number": 1, "wrong": 0, "open": None}
    )


@needs_sandbox
def test_a_score_is_not_taken_back_by_a_grader_that_cannot_tell_today(tmp_path: Path) -> None:
    run = asked(tmp_path, "--allow-code-execution")
    assert newest(run)["code"] == 1
    manifest = json.loads((run / "run.json").read_text())
    manifest["settings"]["allow_code_execution"] = False
    (run / "run.json").write_text(json.dumps(manifest))
    done = routemark(tmp_path, "grade", "r", "--json")
    counts = json.loads(done.stdout)
    assert (counts["graded"], counts["same"], counts["kept"]) == (4, 3, 1)
    assert newest(run)["code"] == 1


def test_grading_again_tells_what_changed_and_keeps_the_history(tmp_path: Path) -> None:
    run = asked(tmp_path)
    old = {"number": 0.0, "wrong": 1.0, "sql": 1.0}

    def outdated(line: dict) -> dict:
        if line["kind"] == "grade" and line["grader"] in ("numeric", "sql"):
            line |= {
                "version": 0,
                "score": 1.0 - line["score"] if line["grader"] == "numeric" else line["score"],
            }
        return line

    edited(run, outdated)
    assert {name: newest(run)[name] for name in old} == old
    done = routemark(tmp_path, "grade", "r", "--json")
    assert json.loads(done.stdout) == {
        "graded": 4, "same": 0, "up": 1, "down": 1, "explained": 1, "first": 0, "kept": 0, "ungraded": 1,
    }  # fmt: skip
    assert [grade.score for grade in grades(run)["number"]] == [0, 1]
    assert [grade.version for grade in grades(run)["sql"]] == [0, 1]
    assert {name: shown(run)[name] for name in old} == {"number": 1, "wrong": 0, "sql": 1}
    before = grades(run)
    assert json.loads(routemark(tmp_path, "grade", "r", "--json").stdout)["same"] == 3
    assert grades(run) == before, "grading twice adds nothing"


def test_resume_gives_the_grades_that_a_crash_has_cost_and_asks_nothing(tmp_path: Path) -> None:
    run = asked(tmp_path)
    edited(run, lambda line: None if line["kind"] == "grade" else line)
    manifest = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(manifest | {"status": "running"}))
    done = routemark(tmp_path, "resume", "r", "--quiet")  # the server is gone: a request would fail
    assert done.returncode == 0, done.stderr
    assert newest(run) == {"code": None, "sql": 1, "number": 1, "wrong": 0}
    assert shown(run)["sql"] == 1
    assert json.loads((run / "run.json").read_text())["status"] == "complete"


@pytest.mark.parametrize("command", [["run", "--simulate", "--limit", "1"], ["grade", "r"]])
def test_allowing_code_without_a_sandbox_is_refused_before_anything_is_done(
    tmp_path: Path, command: list[str]
) -> None:
    done = routemark(tmp_path, *command, "--allow-code-execution", PATH="/nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--allow-code-execution: bubblewrap (bwrap) is not installed: install the package" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_run_that_is_being_written_is_not_graded(tmp_path: Path) -> None:
    import fcntl

    run = asked(tmp_path)
    with (run / "journal.jsonl").open("ab") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        done = routemark(tmp_path, "grade", "r")
    assert done.returncode == 1
    assert "is writing this run" in done.stderr
