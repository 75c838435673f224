"""Plugins by entry points: found, loaded when used, and named for people when something is wrong with one."""

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import routemark
import runs
from lookalike import Lookalike, Reply, Request
from routemark import graders, plugins
from routemark.commands.setting_up import schema
from routemark.config import Settings
from routemark.doctor.machine import installed_plugins
from routemark.errors import PluginError, QuestionFileError, RunError, SettingsError, UsageError
from routemark.picking import pick, with_reach
from routemark.prepare import make_arms, open_resumed
from routemark.questions import load
from routemark.records import Completion, GraderSpec, Question, Trial
from routemark.report.outputs import writer_for
from routemark.tools import at_hand
from routemark.wire.arms import parse_arm
from routemark.wire.failures import Refusal
from routemark.wire.prices import ceiling, read_prices
from routemark.wire.request import RequestOptions

EXAMPLE = Path(__file__).parent.parent / "examples/plugin"
NUMBERS = itertools.count()
Bring = Callable[..., None]


@pytest.fixture
def bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bring]:
    """Give what lays an installed package onto the path: entry points by kind, and the code of its module."""

    def lay(code: str = "", version: str = "1.0", **entries: str) -> None:
        module = f"plugin_under_test_{next(NUMBERS)}"
        folder = tmp_path / module
        info = folder / f"{module}-{version}.dist-info"
        info.mkdir(parents=True)
        (folder / f"{module}.py").write_text(code)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: {version}\n")
        lines = [
            f"[routemark.{kind}s]\n" + "".join(f"{name} = {module}:{value}\n" for name, value in pairs)
            for kind, pairs in (
                (kind, [pair.split("=") for pair in text.split()]) for kind, text in entries.items()
            )
        ]
        (info / "entry_points.txt").write_text("\n".join(lines))
        monkeypatch.syspath_prepend(str(folder))
        plugins.forget()

    yield lay
    monkeypatch.undo()
    plugins.forget()


GRADER = """
import time
from routemark.graders import Grader, Verdict
def made(name="shout", version=1, score=1.0, check=lambda question, options: []):
    return Grader(name, version, lambda completion, question, options, tools: Verdict(score, "x"), check,
                  needs_reference=False)
def refuses(question, options): return ["reference: I do not like it"]
def breaks(question, options): raise KeyError("oops")
G = made()
OTHER = made(name="whisper")
DUBIOUS = made(version="1")
HIGH = made(score=2)
NAN = made(score=float("nan"))
TEXT = Grader("shout", 1, lambda *_: "right", lambda *_: [], needs_reference=False)
RAISES = Grader("shout", 1, lambda *_: 1 / 0, lambda *_: [], needs_reference=False)
UNLIMITED = Grader("shout", 1, lambda *_: None, lambda *_: [], limit_s=0)
def loops(*_):
    while True:
        try:
            time.sleep(0.01)
        except Exception:
            pass
ENDLESS = Grader("shout", 1, loops, lambda *_: [], needs_reference=False, limit_s=0.1)
PICKY = made(check=refuses)
BROKEN = made(check=breaks)
def function(): pass
"""


def asked(name: str = "shout") -> Question:
    return Question(id="q", difficulty="d", question="?", grader=GraderSpec(name=name))


def graded(question: Question) -> Any:
    return graders.grade("0" * 24, question, Completion(text="LOUD", model="m"))


# --------------------------------------------------------------------------- graders


def test_a_plugins_grader_grades_by_itself_and_as_a_part(bring: Bring) -> None:
    bring(GRADER, grader="shout=G")
    assert graders.check(asked()) == []
    assert (graded(asked()).score, graded(asked()).grader, graded(asked()).version) == (1.0, "shout", 1)
    parts = {"parts": [{"name": "shout"}, {"name": "contains", "reference": "quiet"}]}
    both = msgspec.structs.replace(asked(), grader=GraderSpec(name="composite", options=parts))
    assert graders.check(both) == []
    assert graded(both).score == 0.5
    assert graders.used([both]) == {"composite", "shout", "contains"}


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("MISSING", "cannot be imported"),
        ("function", "must be a routemark.graders.Grader, not function"),
        ("OTHER", "calls itself 'whisper'"),
        ("DUBIOUS", "version must be a whole number"),
        ("UNLIMITED", "its limit_s must be a number of seconds above 0, not 0"),
        ("PICKY", "I do not like it"),
        ("BROKEN", "could not check it: KeyError"),
    ],
)
def test_what_is_wrong_with_a_grader_is_a_fault_of_the_question(bring: Bring, value: str, word: str) -> None:
    bring(GRADER, grader=f"shout={value}")
    (fault,) = graders.check(asked())
    assert word in fault


def test_a_module_that_fails_to_import_is_named_with_its_reason(bring: Bring) -> None:
    bring("import no_such_library", grader="shout=G")
    (fault,) = graders.check(asked())
    assert "No module named 'no_such_library'" in fault
    assert "plugin_under_test" in fault
    assert graded(asked()).score is None


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="needs alarms")
def test_a_grader_that_takes_too_long_is_ended_and_leaves_no_alarm(bring: Bring) -> None:
    bring(GRADER, grader="shout=ENDLESS")
    before = signal.getsignal(signal.SIGALRM)
    grade = graders.grade("0" * 24, asked(), Completion(text="LOUD", model="m"), at_hand())
    assert grade is not None
    assert (grade.score, grade.reason) == (None, "the grader took longer than 0.1 s")
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_the_schema_of_a_question_file_knows_the_graders_of_plugins(
    bring: Bring, capsys: pytest.CaptureFixture[str]
) -> None:
    schema("questions")
    assert '"shout"' not in capsys.readouterr().out
    bring(GRADER, grader="shout=G")
    schema("questions")
    rules = json.loads(capsys.readouterr().out)["$defs"]["question"]["properties"]["grader"]["anyOf"]
    assert "shout" in rules[1]["enum"]
    assert "shout" in rules[2]["properties"]["name"]["enum"]


@pytest.mark.parametrize("value", ["HIGH", "NAN", "TEXT", "RAISES"])
def test_what_a_grader_says_wrongly_is_no_score(bring: Bring, value: str) -> None:
    bring(GRADER, grader=f"shout={value}")
    grade = graded(asked())
    assert grade.score is None
    assert "grader failed" in grade.reason


def test_an_unknown_grader_is_told_the_nearest_plugins(bring: Bring) -> None:
    bring(GRADER, grader="shout=G")
    assert "did you mean 'shout'?" in graders.check(asked("shuot"))[0]


# --------------------------------------------------------------------------- names


def test_two_plugins_of_one_name_are_refused_with_both_packages(bring: Bring) -> None:
    bring(GRADER, grader="shout=G")
    bring(GRADER, grader="shout=G", version="2.0")
    with pytest.raises(PluginError, match=r"Two packages bring the grader 'shout': \S+ 1.0 and \S+ 2.0"):
        plugins.find("grader", "shout")


@pytest.mark.parametrize(("kind", "name"), [("grader", "exact"), ("reporter", "csv")])
def test_a_name_of_ours_is_refused_before_anything_is_asked(
    bring: Bring, tmp_path: Path, kind: str, name: str
) -> None:
    bring(GRADER, **{kind: f"{name}=G"})
    path = runs.write_sums(tmp_path, 2)
    with pytest.raises(PluginError, match=f"brings a {kind} named '{name}'"):
        asyncio.run(routemark.run(path, simulate=True, runs_dir=str(tmp_path / "runs")))
    assert not (tmp_path / "runs").exists()
    assert next(iter(installed_plugins())).status == "problem"


# --------------------------------------------------------------------------- routers

ROUTER = """
import time
def route(prompt): return "a/small" if len(prompt) < 30 else "a/large"
def listed(prompt): return route(prompt)
listed.models = ["a/small", "a/large"]
def stray(prompt): return "b/other"
stray.models = ["a/small"]
async def slowly(prompt): return "a/small"
class Router:
    def __call__(self, prompt): return "a/small"
instance = Router()
def raises(prompt): raise ValueError("no idea")
def nothing(prompt): return None
def two(prompt): return "a/small a/large"
def sleeps(prompt): time.sleep(0.3); return "a/small"
def no_prompt(): return "a/small"
odd = lambda prompt: "a/small"
odd.models = "a/small"
"""


def picked(name: str, timeout_s: float = 5.0) -> Any:
    question = Question(id="q", difficulty="d", question="What is it?", choices=["this", "that"])
    arm = with_reach(parse_arm(f"plugin/{name}"))
    trial = Trial(key="0" * 24, question=question, arm=arm, repeat=0, session_id="s")
    return asyncio.run(pick(trial, timeout_s)).model


@pytest.mark.parametrize(
    ("name", "model"),
    [("route", "a/small"), ("slowly", "a/small"), ("instance", "a/small"), ("listed", "a/small")],
)
def test_a_router_is_whatever_can_be_called_with_a_prompt(bring: Bring, name: str, model: str) -> None:
    bring(ROUTER, arm=f"{name}={name}")
    assert picked(name) == model


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("raises", "ValueError: no idea"),
        ("nothing", "picked None"),
        ("two", "which is no model's name"),
        ("stray", "not among the models"),
        ("sleeps", "no pick within 0.05 s"),
    ],
)
def test_a_router_that_fails_is_its_own_failure(bring: Bring, name: str, word: str) -> None:
    bring(ROUTER, arm=f"{name}={name}")
    found = picked(name, 0.05 if name == "sleeps" else 5.0)
    assert isinstance(found, Refusal)
    assert found.kind == "router_fault"
    assert word in found.message


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("no_prompt", r"must take \(prompt\), not \(\)"),
        ("odd", "'models' must be a list"),
        ("none", "no installed"),
    ],
)
def test_a_router_that_cannot_be_one_is_refused_before_the_run(bring: Bring, name: str, word: str) -> None:
    bring(ROUTER, arm="no_prompt=no_prompt odd=odd")
    with pytest.raises(PluginError, match=word):
        make_arms(Settings(model=[f"plugin/{name}"]))


def test_a_router_that_names_its_models_costs_at_most_the_dearest_of_them(bring: Bring) -> None:
    bring(ROUTER, arm="listed=listed route=route")
    prices = [("a/small", "1e-6"), ("a/large", "2e-6"), ("z/dearest", "9e-6")]
    rows = [{"id": name, "pricing": {"prompt": usd, "completion": usd}} for name, usd in prices]
    book = read_prices({"data": rows})
    arms = make_arms(Settings(model=["plugin/listed", "plugin/route"]))
    assert [ceiling(book, arm, RequestOptions()).dearest for arm in arms] == ["a/large", "z/dearest"]


def respond(request: Request, before: int) -> Reply:
    slow = 0.2 if request.body["model"] == "a/large" else 0.0
    return Reply(text="4", model=request.body["model"], cost=0.001, task_type=None, delay_s=slow)


def test_a_picked_model_is_asked_and_recorded_as_the_routers_pick(bring: Bring, tmp_path: Path) -> None:
    bring(ROUTER, arm="route=route raises=raises sleeps=sleeps")
    prompts = ["2 + 2?", "What is two and two, please, exactly?"]
    questions = [{"id": p, "difficulty": "d", "question": p, "reference": 4} for p in prompts]
    names = ["plugin/route", "plugin/raises", "plugin/sleeps?temperature=0", "a/small"]
    with Lookalike(respond) as server:
        settings: dict[str, Any] = {"base_url": server.base_url, "runs_dir": str(tmp_path), "quiet": True}
        run = asyncio.run(routemark.run(questions, names, **settings))
    rows = {(row["arm"], row["id"]): row for row in run.table()}
    short, long = (rows["plugin/route", prompt] for prompt in prompts)
    assert (short["model"], short["picked"], long["model"], long["picked"]) == (
        *["a/small"] * 2,
        *["a/large"] * 2,
    )
    assert run.summary.arms["plugin/route"].model_usage == {"a/large": 1, "a/small": 1}
    assert run.summary.arms["plugin/route"].is_router
    assert not any(request.body["model"].startswith("plugin/") for request in server.requests)
    assert {request.body.get("temperature") for request in server.requests} == {None, 0.0}
    slow = rows["plugin/sleeps?temperature=0", prompts[0]]
    assert slow["pick_s"] >= 0.3 > slow["latency_s"]
    assert rows["a/small", prompts[0]]["pick_s"] is None
    failed = rows["plugin/raises", prompts[0]]
    assert (failed["error"]["kind"], failed["attempts"], failed["cost_usd"]) == ("router_fault", 0, None)
    assert run.summary.arms["plugin/raises"].accuracy == 0
    own = run.summary.arms["plugin/sleeps?temperature=0"].pick_s
    assert own is not None
    assert (own.p50 or 0) >= 0.3
    assert set(run.run.plugins) == {"arm raises", "arm route", "arm sleeps"}
    assert "How it was made" in (text := (run.path / "report.html").read_text())
    assert run.run.plugins["arm route"] in text


def test_a_run_goes_on_only_with_the_router_it_was_begun_with(
    bring: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(ROUTER, arm="route=route")
    path = runs.write_sums(tmp_path, 1)
    settings: dict[str, Any] = {
        "simulate": True,
        "runs_dir": str(tmp_path / "runs"),
        "run_id": "r",
        "dry_run": True,
    }
    resolved = Settings(questions=str(path), model=["plugin/route"], **settings)
    from routemark.prepare import open_run, prepare

    run = open_run(prepare(resolved))
    assert open_resumed("r", resolved)
    changed = msgspec.structs.replace(run.run, plugins={"arm route": "plugin_under_test 0.9"})
    run.directory.write(changed)
    with pytest.raises(PluginError, match="whose picks may differ"):
        open_resumed("r", resolved)
    with pytest.raises(UsageError, match="other plugins"):
        open_run(prepare(resolved))


# --------------------------------------------------------------------------- loaders and reporters

LOADER = """
from routemark.records import Question
def good(source):
    yield {"id": "a", "difficulty": "d", "question": source, "reference": 1}
    yield Question(id="b", difficulty="d", question="?", reference="x")
def wrong(source): return [{"id": "a", "difficulty": "d"}, 7]
def late(source):
    yield {"id": "a", "difficulty": "d", "question": "?"}
    raise OSError("gone")
def early(source): raise OSError("gone")
def text(source): return "no rows"
"""


def test_a_loader_gives_questions_that_are_checked_as_those_of_a_file(bring: Bring) -> None:
    bring(LOADER, loader="good=good wrong=wrong")
    found = load("good://hello//there")
    assert [(one.id, one.question) for one in found] == [("a", "hello//there"), ("b", "?")]
    with pytest.raises(QuestionFileError) as fault:
        load("wrong://")
    assert [text.split(":")[0] for text in fault.value.faults] == ["line 1", "line 2"]


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("late://x", r"failed after 1 questions: OSError: gone"),
        ("early://x", r"it failed: OSError: gone"),
        ("text://x", r"must give questions"),
        ("other://x", r"no installed package brings a loader 'other'. There is early://, late://"),
    ],
)
def test_a_loader_that_fails_is_named(bring: Bring, source: str, word: str) -> None:
    bring(LOADER, loader="late=late early=early text=text")
    with pytest.raises(UsageError, match=word):
        load(source)


REPORTER = """
def good(run, summary, rows): return f"{run.id} {summary.total} {[row.id for row in rows]}"
def pieces(run, summary, rows):
    for row in rows: yield row.id + "\\n"
def raises(run, summary, rows): raise ValueError("no ink")
def late(run, summary, rows):
    yield "a"
    raise ValueError("no ink")
def number(run, summary, rows): return 7
def short(run): return ""
"""


def reported(tmp_path: Path, *names: str) -> Path:
    """Run once, and write these files."""
    path = runs.write_sums(tmp_path, 2)
    settings: dict[str, Any] = {"simulate": True, "runs_dir": str(tmp_path / "runs"), "run_id": "r"}
    output = [str(tmp_path / name) for name in names]
    return asyncio.run(routemark.run(path, ["sim/heron"], output=output, **settings)).path


def test_a_reporter_writes_the_files_of_its_ending(bring: Bring, tmp_path: Path) -> None:
    bring(REPORTER, reporter="good=good lines.txt=pieces")
    reported(tmp_path, "out.good", "out.lines.txt")
    assert (tmp_path / "out.good").read_text().startswith("r 2 [")
    assert sorted((tmp_path / "out.lines.txt").read_text().split()) == ["q0", "q1"]


@pytest.mark.parametrize("ending", ["raises", "late", "number"])
def test_a_reporter_that_fails_leaves_no_file_but_all_the_others(
    bring: Bring, tmp_path: Path, ending: str
) -> None:
    bring(REPORTER, reporter="raises=raises late=late number=number")
    (tmp_path / f"out.{ending}").write_text("of before")
    with pytest.raises(RunError, match=r"no ink|must give text"):
        reported(tmp_path, f"out.{ending}")
    assert (tmp_path / f"out.{ending}").read_text() == "of before"
    assert json.loads((tmp_path / "runs/r/results.json").read_text())["summary"]["total"] == 2


def test_a_reporter_of_another_signature_is_refused_beforehand(bring: Bring) -> None:
    bring(REPORTER, reporter="short=short")
    with pytest.raises(PluginError, match=r"must take \(run, summary, rows\), not \(run\)"):
        writer_for("x.short")
    with pytest.raises(SettingsError, match=r"\.short"):
        writer_for("x.other")


def test_looking_for_plugins_imports_none(bring: Bring) -> None:
    bring("raise RuntimeError('was imported')", grader="shout=G", arm="a=b")
    assert plugins.names("grader") == ["shout"]
    assert list(plugins.versions("arm", ["a"])) == ["arm a"]
    assert sorted(one.status for one in installed_plugins()) == ["problem", "problem"]


# --------------------------------------------------------------------------- the example


def test_the_example_installs_without_a_network_and_each_part_works(tmp_path: Path) -> None:
    place = tmp_path / "site"
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", *options, "--target", str(place), str(EXAMPLE)],
        check=True,
        timeout=100,
        capture_output=True,
    )
    (tmp_path / "words.json").write_text(
        json.dumps(
            [{"id": "w", "difficulty": "d", "question": "Say more.", "grader": {"name": "words", "least": 3}}]
        )
    )
    path = os.pathsep.join([str(place), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)

    def command(*arguments: str) -> runs.Done:
        return runs.ended(
            runs.begin(*arguments, cwd=tmp_path, PYTHONPATH=path)
        )  # a fork has its path already

    done = command("validate", "words.json")
    assert done.code == 0
    assert "Graded: 1 of 1" in done[1]
    assert "4 questions, no fault" in command("validate", "squares://4")[1]
    arms = ("-m", "plugin/by-length", "-m", "sim/osprey-max")
    assert (
        command("run", "words.json", "--simulate", "--quiet", *arms, "--run-id", "w", "-o", "arms.tex").code
        == 0
    )
    results = runs.results(tmp_path / "runs/w")
    assert [row["grade"]["grader"] for row in results["results"]] == ["words", "words"]
    assert results["summary"]["arms"]["plugin/by-length"]["model_usage"] == {"sim/abacus-mini": 1}
    assert "plugin/by-length" in (tmp_path / "arms.tex").read_text()
    assert set(results["run"]["plugins"]) == {"arm by-length", "grader words", "reporter tex"}
