"""`--until-decided` from outside: when a run stops, what it says, and that no order of events changes either."""

import json
import random
import shutil
import signal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

import runs
from lookalike import Lookalike, Reply, Request
from nursery import Child, Nursery
from routemark.config import Settings
from routemark.journal import encode, replay
from routemark.main import summarise
from routemark.prepare import open_run, prepare
from routemark.questions import shipped
from routemark.records import Grade, Outcome
from routemark.report import markdown, text
from routemark.report.results import results_head
from routemark.rundir import RunDirectory

N = 300
WORKERS = 8
AUTO, FIXED = "openrouter/auto", "sim/fixed"


def number(request: Request) -> int:
    return int(request.prompt.split()[2])


def errs(model: str, n: int) -> bool:
    """Tell that the fixed model errs, on three questions in ten; the router never does."""
    return model == FIXED and n % 10 in {1, 4, 7}


def better(request: Request, before: int = 0) -> Reply:
    n = number(request)
    wrong = errs(str(request.body["model"]), n)
    return Reply(text=str(2 * n + wrong), model=str(request.body["model"]), cost=0.001, delay_s=0.002)


def alike(request: Request, before: int = 0) -> Reply:
    """Each errs on a tenth of the questions, another tenth each."""
    n = number(request)
    wrong = n % 10 == (1 if request.body["model"] == AUTO else 2)
    return Reply(text=str(2 * n + wrong), model=str(request.body["model"]), cost=0.001)


def command(server: Lookalike, *more: str, run_id: str = "one", n: int = N) -> list[str]:
    asked = ["run", "my.jsonl", "-m", AUTO, "-m", FIXED, "--base-url", server.base_url, "-j", str(WORKERS)]
    return [*asked, "--quiet", "--run-id", run_id, "--limit", str(n), *more]


def summary(folder: Path, run_id: str = "one") -> Any:
    return runs.results(folder / "runs" / run_id)["summary"]


def decided(found: Any) -> Any:
    """Give everything that the decision is made of."""
    pairs = [{name: pair[name] for name in ("n", "ci95", "sequential")} for pair in found["comparisons"]]
    return found["stopping"], found["finished_questions"], pairs


def good(child: Child) -> Child:
    assert child.status == 0, child.stderr
    return child


class Decided(NamedTuple):
    """A run that was decided early, and all that was seen of it."""

    folder: Path
    child: Child
    requests: int
    stopping: Any
    summary: Any

    @property
    def run(self) -> RunDirectory:
        return RunDirectory(self.folder / "runs/one")


@pytest.fixture(scope="module")
def once(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Decided:
    folder = tmp_path_factory.mktemp("decided")
    runs.write_sums(folder, N)
    with Lookalike(better) as server:
        child = good(nursery.run(*command(server, "--until-decided"), cwd=folder))
        found = summary(folder)
        return Decided(folder, child, len(server.requests), found["stopping"], found)


def test_a_clear_difference_ends_the_run_early(once: Decided) -> None:
    used = once.stopping["questions"]
    assert 30 <= used < 150
    assert once.requests <= 2 * (used + 2 * 32 + WORKERS), "no more than two windows ahead"
    assert (once.stopping["decision"], once.stopping["early"], once.stopping["planned"]) == (
        "better",
        True,
        N,
    )
    run = once.run.read()
    assert (run.status, run.decided) == ("stopped", True)
    said = f"Decided after {used} of {N} questions: {AUTO} is surely better than {FIXED}."
    assert run.stop_reason == said
    assert said in once.child.stderr


def test_the_sequential_interval_stands_where_the_ordinary_one_would(once: Decided) -> None:
    used = once.stopping["questions"]
    assert once.summary["finished_questions"] == used
    assert once.summary["total"] == 2 * used
    (pair,) = once.summary["comparisons"]
    assert pair["n"] == pair["sequential"]["questions"] == used
    assert pair["ci95"] == pair["sequential"]["interval"]
    assert pair["ci95"][0] > 0
    assert (pair["p_value"], pair["p_value_holm"], pair["mcnemar"]) == (None, None, None)
    assert once.summary["verdict"]["row"] == 2


def test_what_was_in_flight_is_paid_and_kept_but_does_not_count(once: Decided) -> None:
    results = runs.results(once.run.path)["results"]
    assert len(results) == once.requests
    assert once.summary["cost_usd"] == pytest.approx(0.001 * once.requests)
    assert sum(row["counted"] for row in results) == 2 * once.stopping["questions"] < once.requests


@pytest.mark.parametrize("face", ["text", "markdown", "html"])
def test_every_face_says_where_it_stopped_and_how_sure_the_intervals_are(once: Decided, face: str) -> None:
    run = once.run.read()
    _, found = summarise(once.run)
    assert results_head(run, found)["summary"] == once.summary
    match face:
        case "text":
            shown = text.render(run, found, color=False)
        case "markdown":
            shown = markdown.render(run, found)
        case _:
            shown = once.run.report.read_text(encoding="utf-8")
    flat = " ".join(shown.replace("\\", "").split())
    assert f"Stopped after {once.stopping['questions']} of {N} questions: decided." in flat
    assert "95 % or better" in flat


def test_another_order_of_the_journal_tells_the_same(once: Decided, tmp_path: Path) -> None:
    for seed in range(2):
        copy = RunDirectory(tmp_path / f"copy-{seed}")
        shutil.copytree(once.run.path, copy.path)
        records = [record for _, record in replay(copy.journal)]
        outcomes = [record for record in records if isinstance(record, Outcome)]
        grades = [record for record in records if isinstance(record, Grade)]
        others = [record for record in records if not isinstance(record, Outcome | Grade)]
        random.Random(seed).shuffle(outcomes)
        random.Random(seed).shuffle(grades)
        copy.journal.write_bytes(b"".join(map(encode, [*others, *outcomes, *grades])))
        assert msgspec.json.encode(summarise(copy)[1]) == msgspec.json.encode(summarise(once.run)[1])


def test_the_same_command_begins_a_new_run_and_without_the_option_takes_the_old_one_up(
    once: Decided, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(once.folder)
    kept = msgspec.structs.replace(
        msgspec.convert(once.run.read().settings, Settings), run_id=None, runs_dir="runs"
    )
    rest = open_run(prepare(msgspec.structs.replace(kept, until_decided=None)))
    assert (rest.resumed, rest.directory.path.name) == (True, "one")
    assert not open_run(prepare(kept)).resumed


def test_resume_asks_nothing_more_and_without_the_option_the_rest(nursery: Nursery, tmp_path: Path) -> None:
    runs.write_sums(tmp_path, 150)
    with Lookalike(better) as server:
        good(nursery.run(*command(server, "--until-decided", n=150), cwd=tmp_path))
        asked, before = len(server.requests), decided(summary(tmp_path))
        again = good(nursery.run("resume", "one", "--quiet", cwd=tmp_path))
        assert len(server.requests) == asked
        assert "Decided after" in again.stderr
        assert "without --until-decided" in again.stderr
        assert decided(summary(tmp_path)) == before
        good(nursery.run(*command(server, n=150), cwd=tmp_path))
        assert len(server.requests) == 300
    found = summary(tmp_path)
    assert found["stopping"] is None
    assert found["comparisons"][0]["sequential"] is None
    assert found["comparisons"][0]["p_value"] is not None
    assert found["finished_questions"] == 150


def test_two_that_are_alike_are_asked_to_the_last_question(nursery: Nursery, tmp_path: Path) -> None:
    runs.write_sums(tmp_path, 100)
    with Lookalike(alike) as server:
        child = good(nursery.run(*command(server, "--until-decided", n=100), cwd=tmp_path))
        assert len(server.requests) == 200
    found = summary(tmp_path)
    assert (found["stopping"]["decision"], found["stopping"]["early"]) == (None, False)
    (pair,) = found["comparisons"]
    half = (pair["ci95"][1] - pair["ci95"][0]) / 2
    assert half == pytest.approx(2.0537 * (22 / 102 / 102) ** 0.5, rel=1e-4)
    assert "Not decided on 100 of 100 questions." in " ".join(child.stdout.split())


def test_exactly_these_questions_always_decide_and_say_so(nursery: Nursery, tmp_path: Path) -> None:
    runs.write_sums(tmp_path, 60)
    with Lookalike(alike) as server:
        good(nursery.run(*command(server, "--until-decided", "--estimand", "file", n=60), cwd=tmp_path))
    found = summary(tmp_path)
    assert found["stopping"]["decision"] == "equivalent"
    assert found["verdict"]["sentence"].startswith("On these 60 questions: as good as sim/fixed")


def test_a_slow_answer_holds_back_what_is_asked_behind_it(nursery: Nursery, tmp_path: Path) -> None:
    """Only what lies behind the slow question could be looked at; to ask on meanwhile would save nothing."""
    runs.write_sums(tmp_path, N)
    slow: list[int] = []

    def script(request: Request, before: int) -> Reply:
        reply = better(request)
        if not slow:
            slow.append(number(request))
            reply.delay_s = 1.5
        return reply

    with Lookalike(script) as server:
        good(nursery.run(*command(server, "--until-decided"), cwd=tmp_path))
        used = summary(tmp_path)["stopping"]["questions"]
        assert len(server.requests) <= 2 * (used + 2 * 32 + WORKERS)


# --------------------------------------------------------------------------- whatever happens on the way


@pytest.mark.parametrize("before_the_decision", [True, False])
def test_killed_midway_and_resumed_it_decides_the_same(
    nursery: Nursery, once: Decided, tmp_path: Path, before_the_decision: bool
) -> None:
    runs.write_sums(tmp_path, N)
    used = once.stopping["questions"]
    with Lookalike(better) as server:
        child = nursery.begin(*command(server, "--until-decided"), cwd=tmp_path)
        wanted = used if before_the_decision else 2 * used + 2
        runs.wait_until(lambda: len(server.requests) >= wanted or child.wait(0))
        child.send_signal(signal.SIGKILL)
        assert child.wait(10)
        good(nursery.run("resume", "one", "--quiet", cwd=tmp_path))
    assert decided(summary(tmp_path)) == decided(once.summary)


# --------------------------------------------------------------------------- the shipped gateway


def test_the_gateways_own_counter_sees_fewer_requests(nursery: Nursery, tmp_path: Path) -> None:
    arms = ["-m", AUTO, "-m", "sim/osprey-max", "--quiet", "-j", "32"]
    with runs.gateway(shipped(), "--latency", "fixed:0.002") as base_url:
        good(nursery.run("run", *arms, "--base-url", base_url, "--until-decided", cwd=tmp_path))
        counted = runs.stats(base_url)
    run = json.loads((tmp_path / "runs/latest/run.json").read_text())
    assert run["decided"]
    assert counted["requests"] < 2 * 360 * 0.7


# --------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-m", FIXED], "no router to decide about"),
        (["-m", AUTO], "nothing to compare openrouter/auto with"),
        (["-m", AUTO, "-m", FIXED, "--confirm-oracle"], "Use one of them"),
        (["-m", AUTO, "-m", FIXED, "--estimand", "file", "--until-decided=open"], "Use one of them"),
        (["-m", AUTO, "-m", FIXED, "--until-decided=perhaps"], "until-decided"),
    ],
)
def test_what_cannot_be_decided_is_refused(
    nursery: Nursery, tmp_path: Path, arguments: list[str], says: str
) -> None:
    runs.write_sums(tmp_path, 4)
    given = arguments if any("until" in one for one in arguments) else [*arguments, "--until-decided"]
    child = nursery.run("run", "my.jsonl", "--base-url", "http://127.0.0.1:9/v1", *given, cwd=tmp_path)
    assert child.status == 2 or (child.status == 1 and "perhaps" in arguments[-1])
    assert says in child.stderr + child.stdout


def test_questions_without_a_reference_and_a_lone_estimand_are_refused(
    nursery: Nursery, tmp_path: Path
) -> None:
    (tmp_path / "my.jsonl").write_text('{"id": "a", "difficulty": "e", "question": "?"}\n')
    arms = ["-m", AUTO, "-m", FIXED, "--base-url", "http://127.0.0.1:9/v1"]
    child = nursery.run("run", "my.jsonl", *arms, "--until-decided", cwd=tmp_path)
    assert child.status == 2
    assert "1 of 1 questions have neither a reference nor a grader" in child.stderr
    child = nursery.run("run", "my.jsonl", *arms, "--estimand", "file", cwd=tmp_path)
    assert child.status == 2
    assert "--until-decided" in child.stderr
