"""What models, gateways and question files say is only ever text: nothing of it acts, whatever it is."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

import runs
from lookalike import Lookalike, Reply, Request
from nursery import Nursery

ESCAPES = "\x1b[2J\x1b]0;owned\x07\x1b[31mred\x1b]8;;http://evil.example\x1b\\link\x9b5n"
BIDI = "\u202eevil\u202c \u2066x\u2069 \u200f"
NULS = "a\x00b\x01\x08\x7f"
SURROGATE = "lone \ud800 surrogate \udfff"
MARKUP = "[bold red]rich[/] <script>alert(1)</script> {{7*7}} ${x} `rm -rf` | cell | \\"
FORMULA = '=HYPERLINK("http://evil.example")'
MEGABYTES = "word " * 1_000_000
ALL = {
    "escapes": ESCAPES,
    "bidi": BIDI,
    "nuls": NULS,
    "surrogate": SURROGATE,
    "markup": MARKUP,
    "formula": FORMULA,
    "megabytes": MEGABYTES,
    "lines": "a\r\nb\u2028c\x85d\ve",
    "think": "<think>" * 5000,
    "answer": "the answer is " * 20_000,
}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What acts on a terminal or reorders a line; tab and line feed do not."""


def name_of(request: Request) -> str:
    return request.prompt.split(":")[0]


def script(request: Request, before: int) -> Reply:
    name, text = name_of(request), ALL[name_of(request)]
    if request.body["model"] == "sim/failing":
        message = text[:3000]
        return Reply(
            status=400, error={"code": 400, "message": message, "metadata": {"raw": message, message[:20]: 1}}
        )
    short = text[:300] or "x"
    return Reply(text=text, model=f"vendor/{short}", provider=short, task_type=short, finish_reason=short, cost=0.01,
                 headers={} if name != "markup" else {"x-request-id": "<b>[red]"})  # fmt: skip


@pytest.fixture(scope="module")
def ran(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Give the folder of a run that met everything, and all that it said on the terminal."""
    folder = tmp_path_factory.mktemp("hostile")
    questions = [
        {
            "id": f"../{name}\u202e/..",
            "difficulty": "=1+1<b>",
            "category": "[red]|\u202e",
            "question": f"{name}: \x1b[31m {MARKUP} \u202e?",
            "reference": "42",
        }
        for name in ALL
    ]
    (folder / "my.json").write_text(json.dumps(questions))
    with Lookalike(script) as server:
        arms = (
            "-m",
            "openrouter/auto",
            "-m",
            "sim/failing",
            "-o",
            "out.csv",
            "-o",
            "out.md",
            "-o",
            "out.html",
            "-o",
            "out.json",
        )
        done = nursery.run(
            "run", "my.json", *arms, "--base-url", server.base_url, "--run-id", "one", cwd=folder
        )
    assert done.status in (0, 3), done.stderr
    return folder, done.stdout + done.stderr


def test_the_terminal_sees_no_control_character(ran: tuple[Path, str]) -> None:
    _, said = ran
    assert CONTROL.findall(said) == []


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_every_report_can_be_printed_and_acts_on_nothing(
    nursery: Nursery, ran: tuple[Path, str], form: str
) -> None:
    folder, _ = ran
    done = nursery.run("report", "one", "--format", form, cwd=folder)
    assert done.status == 0, done.stderr
    found = set(CONTROL.findall(done.stdout))
    if form == "json":
        found -= set("\u200f\u202e\u202c\u2066\u2069\x7f\x85\x9b")  # data: as it came, in a JSON string
    assert found == set()
    if form == "html":
        assert "<script>alert" not in done.stdout
        assert "javascript:" not in done.stdout


def test_results_hold_what_was_said(ran: tuple[Path, str]) -> None:
    folder, _ = ran
    raw = (folder / "runs/one/results.json").read_bytes()
    results: Any = json.loads(raw.decode("utf-8"))
    rows = {(name_in(row), row["arm"]): row for row in results["results"]}
    assert len(rows) == 2 * len(ALL)
    for name, text in ALL.items():
        row = rows[name, "openrouter/auto"]
        assert row["status"] == "ok"
        assert row["answer"] == re.sub("[\ud800-\udfff]", "\ufffd" * 3, text)  # three bytes that are no UTF-8
        failed = rows[name, "sim/failing"]
        assert failed["error"]["kind"] == "bad_request"
        assert len(failed["error"]["message"]) <= 500
    assert all(ord(c) < 0xD800 or ord(c) > 0xDFFF for c in raw.decode("utf-8"))


def name_in(row: dict[str, Any]) -> str:
    found = re.fullmatch(r"\.\./(\w+)\u202e/\.\.", row["id"])
    assert found is not None
    return found[1]


def test_a_spreadsheet_finds_no_formula(ran: tuple[Path, str]) -> None:
    folder, _ = ran
    csv.field_size_limit(2**30)
    text = (folder / "out.csv").read_bytes().decode("utf-8")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == 1 + 2 * len(ALL)
    assert len({len(row) for row in rows}) == 1
    assert [cell for row in rows for cell in row if cell.startswith(("=", "@", "+"))] == []


def test_ids_that_look_like_paths_make_no_files(ran: tuple[Path, str]) -> None:
    folder, _ = ran
    assert {path.name for path in folder.iterdir()} == {
        "my.json",
        "runs",
        "out.csv",
        "out.md",
        "out.html",
        "out.json",
    }
    assert {path.name for path in (folder / "runs").iterdir()} == {"one", "latest"}
    assert {path.name for path in (folder / "runs/one").iterdir()} == {
        "run.json", "questions.json", "journal.jsonl", "results.json", "report.html",
    }  # fmt: skip


def test_the_words_that_stop_a_run_act_on_nothing(nursery: Nursery, tmp_path: Path) -> None:
    runs.write_sums(tmp_path, 3)
    error = {"code": 401, "message": f"no {ESCAPES}{BIDI}{NULS} key"}
    with Lookalike(lambda request, before: Reply(status=401, error=error)) as server:
        done = nursery.run("run", "my.jsonl", "-m", "a/b", "--base-url", server.base_url, cwd=tmp_path)
    assert done.status == 1
    assert "OPENROUTER_API_KEY" in done.stderr
    assert CONTROL.findall(done.stdout + done.stderr) == []


@pytest.mark.parametrize("name", ["a\nb", "a\x00b", "\x1b[31m", "a\tb", "a\u2028b"])
def test_an_id_that_is_no_single_line_is_refused(nursery: Nursery, tmp_path: Path, name: str) -> None:
    (tmp_path / "my.json").write_text(json.dumps([{"id": name, "difficulty": "x", "question": "?"}]))
    with Lookalike(script) as server:
        done = nursery.run("run", "my.json", "-m", "a/b", "--base-url", server.base_url, cwd=tmp_path)
        assert server.requests == []
    assert done.status == 2
    assert CONTROL.findall(done.stderr) == []


@pytest.mark.parametrize(
    "run_id", ["../out", "..", ".", "a/b", "/tmp/out", "a\nb", "a\x1b[31m", "latest", "-x", "%2e%2e"]
)
def test_a_run_id_stays_in_the_runs_directory(nursery: Nursery, tmp_path: Path, run_id: str) -> None:
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    runs.write_sums(folder, 1)
    with Lookalike(script) as server:
        done = nursery.run(
            "run", "my.jsonl", f"--run-id={run_id}", "-m", "a/b", "--base-url", server.base_url, cwd=folder
        )
        assert server.requests == []
    assert done.status == 2
    assert CONTROL.findall(done.stderr) == []
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["my.jsonl"]
