"""The run directory: the ledger joins outcomes and grades in plan order, whatever order they came in."""

import hashlib
import random
from pathlib import Path

import msgspec
import pytest

from routemark import generations
from routemark.errors import UsageError
from routemark.journal import Event, Journal
from routemark.policy import plan
from routemark.questions import QuestionSet, load
from routemark.records import Arm, Attempt, Completion, Copies, Failure, Grade, Outcome, Run
from routemark.rundir import Ledger, RunDirectory, find, new_directory

ARMS = [Arm(name="a", model="a"), Arm(name="b", model="b")]


def make(
    folder: Path, n: int = 10, repeats: int = 2, status: str = "running"
) -> tuple[RunDirectory, Run, QuestionSet]:
    source = folder / "q.jsonl"
    source.write_text("".join(f'{{"id":"q{i}","difficulty":"easy","question":"{i}?"}}\n' for i in range(n)))
    directory = RunDirectory(folder / "run")
    directory.path.mkdir()
    questions = load(source).freeze(directory.questions)
    run = Run(
        id="run",
        status=status,  # type: ignore[arg-type]
        simulated=False,
        started_at="2026-01-01T00:00:00Z",
        questions_sha256=questions.sha256,
        questions=n,
        arms=ARMS,
        repeats=repeats,
        base_url="http://127.0.0.1",
        routemark_version="0",
    )
    directory.write(run)
    return directory, run, questions


def outcome(question: str, arm: str, repeat: int, text: str = "x", kind: str | None = None) -> Outcome:
    return Outcome(
        trial=key(question, arm, repeat),
        question_id=question,
        arm=arm,
        repeat=repeat,
        session_id="s",
        attempts=[],
        completion=None if kind else Completion(text=text, model=arm),
        failure=Failure(kind=kind, message="") if kind else None,
    )


def key(question: str, arm: str, repeat: int) -> str:
    return hashlib.blake2b(f"{question} {arm} {repeat}".encode(), digest_size=12).hexdigest()


def grade(question: str, arm: str, repeat: int, score: float) -> Grade:
    return Grade(trial=key(question, arm, repeat), grader="exact", version=1, score=score)


def all_places(n: int, repeats: int) -> list[tuple[str, str, int]]:
    return [(f"q{i}", arm.name, r) for i in range(n) for arm in ARMS for r in range(repeats)]


def test_every_trial_comes_back_with_its_grade_in_plan_order(tmp_path: Path) -> None:
    directory, run, questions = make(tmp_path)
    places = all_places(10, 2)
    random.Random(1).shuffle(places)
    with Journal(directory.journal) as journal:
        for place in places:
            journal.append(outcome(*place, text=repr(place)))
            journal.append(grade(*place, score=int(place[0][1:]) / 10))
    ledger = Ledger(run, questions, directory.journal)
    judged = list(ledger.judged())
    assert len(judged) == 40
    assert ledger.prefix == 10
    assert ledger.done == 40
    order = [f"q{i}" for i in plan.order((q.id for q in questions), run.seed)]
    assert [j.question.id for j in judged] == [name for name in order for _ in range(4)]
    for j in judged:
        assert j.outcome.completion is not None
        assert j.outcome.completion.text == repr((j.question.id, j.outcome.arm, j.outcome.repeat))
        assert j.grade is not None
        assert j.grade.score == int(j.question.id[1:]) / 10
        assert j.counted


def test_the_prefix_ends_at_the_first_question_that_lacks_a_trial(tmp_path: Path) -> None:
    directory, run, questions = make(tmp_path)
    order = [f"q{i}" for i in plan.order((q.id for q in questions), run.seed)]
    with Journal(directory.journal) as journal:
        for place in all_places(10, 2):
            if place != (order[3], "b", 1):
                journal.append(outcome(*place))
    ledger = Ledger(run, questions, directory.journal)
    assert ledger.prefix == 3
    counted = {j.question.id for j in ledger.judged() if j.counted}
    assert counted == set(order[:3])
    assert len(list(ledger.judged())) == 39


def test_a_failure_of_ours_is_not_final_and_the_newest_outcome_counts(tmp_path: Path) -> None:
    directory, run, questions = make(tmp_path, n=1, repeats=1)
    with Journal(directory.journal) as journal:
        journal.append(outcome("q0", "a", 0, kind="bad_key"))
        journal.append(outcome("q0", "b", 0, kind="bad_gateway"))
    assert Ledger(run, questions, directory.journal).finished.tolist() == [[[False], [True]]]
    with Journal(directory.journal) as journal:
        journal.append(outcome("q0", "a", 0, text="at last"))
        journal.append(grade("q0", "a", 0, 1.0))
        journal.append(grade("q0", "a", 0, 0.5))
    ledger = Ledger(run, questions, directory.journal)
    a, b = ledger.judged()
    assert (a.outcome.completion and a.outcome.completion.text, a.grade and a.grade.score) == ("at last", 0.5)
    assert b.outcome.failure is not None
    assert ledger.prefix == 1


def test_lines_of_other_questions_and_arms_are_left_out(tmp_path: Path) -> None:
    directory, run, questions = make(tmp_path, n=1, repeats=1)
    with Journal(directory.journal) as journal:
        journal.append(outcome("gone", "a", 0))
        journal.append(outcome("q0", "gone", 0))
        journal.append(outcome("q0", "a", 5))
    assert list(Ledger(run, questions, directory.journal).judged()) == []


def test_an_empty_journal_and_none_at_all(tmp_path: Path) -> None:
    directory, run, questions = make(tmp_path)
    assert Ledger(run, questions, directory.journal).done == 0
    directory.journal.touch()
    ledger = Ledger(run, questions, directory.journal)
    assert (ledger.done, ledger.prefix, list(ledger.judged())) == (0, 0, [])


@pytest.mark.parametrize("run_id", ["../up", "a/b", "", ".hidden", "latest", "a\nb", "x" * 200, "a b"])
def test_a_run_id_cannot_lead_out_of_the_runs_directory(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(UsageError, match="--run-id"):
        new_directory(tmp_path, run_id)


def test_a_run_is_found_by_path_and_by_name(tmp_path: Path) -> None:
    directory, _, _ = make(tmp_path)
    directory.name_latest()
    for name in ("run", "latest", str(directory.path)):
        assert find(name, tmp_path).path == directory.path
    with pytest.raises(UsageError, match="no run here"):
        find("other", tmp_path)


def test_a_broken_manifest_is_told_in_a_sentence(tmp_path: Path) -> None:
    directory, _, _ = make(tmp_path)
    directory.manifest.write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        directory.read()


# --------------------------------------------------------------------------- costs looked up, flags


def failed_attempt(generation: str, cost_usd: float | None = None) -> Attempt:
    return Attempt(
        started_at="", duration_s=0.1, kind="bad_gateway", generation_id=generation, cost_usd=cost_usd
    )


def looked_up(question: str, generation: str, cost_usd: float, *, left_open: bool = False) -> Event:
    trial = key(question, "a", 0)
    return generations.looked_up(trial, generation, "", cost_usd=cost_usd, left_open=left_open)


def test_costs_that_were_looked_up_stand_in_the_outcomes_as_they_are_read(tmp_path: Path) -> None:
    directory, run, questions = make(tmp_path, n=3, repeats=1, status="complete")
    answered = outcome("q0", "a", 0)
    assert answered.completion is not None
    answered = msgspec.structs.replace(
        answered,
        attempts=[failed_attempt("g1"), failed_attempt("g2", 0.5)],
        completion=msgspec.structs.replace(answered.completion, generation_id="g3"),
    )
    with Journal(directory.journal) as journal:
        journal.append(answered)
        journal.append(outcome("q1", "a", 0))
        journal.append(looked_up("q0", "g3", 0.25))
        journal.append(looked_up("q0", "g1", 0.125))
        journal.append(looked_up("q2", "g9", 4.0, left_open=True))
    ledger = Ledger(run, questions, directory.journal)
    costs = {judged.question.id: judged.outcome.cost_usd for judged in ledger.judged()}
    assert costs == {"q0": 0.875, "q1": None}
    assert list(ledger.costs_beside()) == [4.0]


def test_the_cost_of_a_trial_that_was_asked_again_is_not_forgotten(tmp_path: Path) -> None:
    directory, run, questions = make(tmp_path, n=1, repeats=1)
    first = outcome("q0", "a", 0, kind="connect_refused")
    with Journal(directory.journal) as journal:
        journal.append(
            msgspec.structs.replace(first, attempts=[failed_attempt("g1", 0.5), failed_attempt("g2")])
        )
        journal.append(looked_up("q0", "g2", 0.25))
        journal.append(outcome("q0", "a", 0))
    ledger = Ledger(run, questions, directory.journal)
    assert [judged.outcome.cost_usd for judged in ledger.judged()] == [None]
    assert list(ledger.costs_beside()) == [0.75]


def test_a_session_that_two_trials_shared_is_flagged_on_both(tmp_path: Path) -> None:
    directory, run, questions = make(tmp_path, n=3, repeats=1)
    with Journal(directory.journal) as journal:
        for name, session in (("q0", "one"), ("q1", "two"), ("q2", "one"), ("q2", "one")):
            journal.append(msgspec.structs.replace(outcome(name, "a", 0), session_id=session))
    flagged = {one.question.id: list(one.flags) for one in Ledger(run, questions, directory.journal).judged()}
    assert flagged == {
        "q0": ["no_metadata", "session_reused"],
        "q1": ["no_metadata"],
        "q2": ["no_metadata", "session_reused"],
    }


def test_a_shared_session_is_odd_unless_the_arm_is_sticky(tmp_path: Path) -> None:
    directory, run, questions = make(tmp_path, n=2, repeats=2)
    sticky = Arm(name="a", model="a", sticky=True)
    with Journal(directory.journal) as journal:
        for question, arm, repeat in all_places(2, 2):
            session = f"{arm} {question}" if arm == "a" else "b of all"
            journal.append(msgspec.structs.replace(outcome(question, arm, repeat), session_id=session))
    for arms, odd in ([[sticky, ARMS[1]], {"b"}], [ARMS, {"a", "b"}]):
        ledger = Ledger(msgspec.structs.replace(run, arms=arms), questions, directory.journal)
        assert {j.outcome.arm for j in ledger.judged() if "session_reused" in j.flags} == odd


def test_a_session_of_two_questions_is_odd_in_a_sticky_arm_too(tmp_path: Path) -> None:
    directory, run, questions = make(tmp_path, n=2, repeats=2)
    with Journal(directory.journal) as journal:
        for question, _, repeat in all_places(2, 2):
            journal.append(msgspec.structs.replace(outcome(question, "a", repeat), session_id="one"))
    arms = [Arm(name="a", model="a", sticky=True), ARMS[1]]
    ledger = Ledger(msgspec.structs.replace(run, arms=arms), questions, directory.journal)
    assert all("session_reused" in j.flags for j in ledger.judged())


def test_copies_come_last_and_do_not_shorten_the_prefix_of_the_others(tmp_path: Path) -> None:
    directory, run, questions = make(tmp_path, n=10, repeats=1)
    run = msgspec.structs.replace(run, perturbed={"case": Copies(copies=4)})
    with Journal(directory.journal) as journal:
        for place in all_places(9, 1):
            journal.append(outcome(*place))
    ledger = Ledger(run, questions, directory.journal)
    judged = list(ledger.judged())
    copies = {j.question.id for j in judged if j.copy}
    assert copies == {"q6", "q7", "q8"}
    assert {j.question.id for j in judged[-len(copies) * 2 :]} == copies
    assert all(j.counted for j in judged if not j.copy)
    assert ledger.prefix >= 6


@pytest.mark.parametrize(("fixed", "first"), [(False, 20.0), (True, 50.0)])
def test_the_pace_begins_with_what_each_process_began_with(tmp_path: Path, fixed: bool, first: float) -> None:
    directory, run, questions = make(tmp_path, n=1, repeats=1)
    run = msgspec.structs.replace(run, settings={"concurrency": 50, "fixed_concurrency": fixed})
    with Journal(directory.journal) as journal:
        for minute, since, limit in ((0, 4.0, 40.0), (0, 4.5, 50.0), (9, 1.0, 32.0)):  # killed, and resumed
            at = f"2026-01-01T00:0{minute}:{10 + since:04.1f}Z"
            journal.append(Event(event="pace", at=at, data={"at_s": since, "limit": limit, "reason": "x"}))
    pace = Ledger(run, questions, directory.journal).pace
    assert [step.limit for step in pace] == [first, 40.0, 50.0, first, 32.0]
    start = pace[0].at
    assert [step.at - start for step in pace] == pytest.approx([0, 4.0, 4.5, 540.0, 541.0])
    unknown = msgspec.structs.replace(run, settings={})
    assert [step.limit for step in Ledger(unknown, questions, directory.journal).pace] == [40.0, 50.0, 32.0]
