"""Two run directories compared: what is read, what is left out, who is compared with whom, and the whole way."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import runs
from routemark.drift import compare, content_key
from routemark.errors import UsageError
from routemark.journal import Journal
from routemark.questions import load
from routemark.records import Arm, Completion, Drift, Failure, Grade, GraderSpec, Outcome, Question, Run
from routemark.rundir import RunDirectory

AUTO = Arm(name="openrouter/auto", model="openrouter/auto", is_router=True)
FIXED = [Arm(name="sim/m0", model="sim/m0"), Arm(name="sim/m1", model="sim/m1")]
ARMS = (AUTO, *FIXED)


def questions(n: int = 60) -> list[dict[str, Any]]:
    return [
        {"id": f"q{i}", "difficulty": "easy", "question": f"{i}?", "reference": i, "category": "cd"[i % 2]}
        for i in range(n)
    ]


class Said:
    """What an arm says: model, score, cost, latency; or a failure."""

    def __init__(self, model: str, score: float | None = 1.0, **fields: Any) -> None:
        self.model, self.score, self.fields = model, score, fields


def answers(question: int, arm: Arm, repeat: int) -> Said:
    """The default: the router takes m0, everybody is right on two questions of three."""
    model = "sim/m0" if arm.is_router else arm.model
    return Said(model, float(question % 3 > 0), cost_usd=0.001, latency_s=1.0 + question / 100)


Answers = Callable[[int, Arm, int], Said | None]


def write(
    folder: Path,
    name: str,
    say: Answers = answers,
    *,
    asked: list[dict[str, Any]] | None = None,
    arms: tuple[Arm, ...] = ARMS,
    version: int = 1,
    body: str = "aa",
    **fields: Any,
) -> RunDirectory:
    """Write a run directory as a run would leave it; ``say`` None: not asked."""
    source = folder / f"{name}.jsonl"
    rows = asked or questions()
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    directory = RunDirectory(folder / name)
    directory.path.mkdir()
    frozen = load(source).freeze(directory.questions)
    run = Run(
        **{
            "id": name,
            "status": "complete",
            "simulated": False,
            "started_at": "2026-03-01T10:00:00Z" if name == "a" else "2026-04-02T10:00:00Z",
            "questions_sha256": frozen.sha256,
            "questions": len(rows),
            "arms": list(arms),
            "base_url": "http://127.0.0.1",
            "routemark_version": "0",
        }
        | fields
    )
    directory.write(run)
    with Journal(directory.journal) as journal:
        for i, row in enumerate(rows):
            for arm in arms:
                for repeat in range(run.repeats):
                    if (said := say(i, arm, repeat)) is not None:
                        for line in lines(name, row["id"], arm, repeat, said, version, body):
                            journal.append(line)
    return directory


def lines(  # noqa: PLR0917
    run: str, question: str, arm: Arm, repeat: int, said: Said, version: int, body: str
):
    key = hashlib.blake2b(f"{question} {arm.name} {repeat}".encode(), digest_size=12).hexdigest()
    failed = said.model == "failed"
    yield Outcome(
        trial=key,
        question_id=question,
        arm=arm.name,
        repeat=repeat,
        session_id=f"{run}-{key}",
        attempts=[],
        completion=None if failed else Completion(text="x", model=said.model, **said.fields),
        failure=Failure(kind="server_error", message="") if failed else None,
        request_sha256=body * 32,
    )
    if not failed and said.score is not None:
        yield Grade(trial=key, grader="numeric", version=version, score=said.score)


def check(drift: Drift, name: str):
    return next(one for one in drift.fairness if one.name == name)


# ----------------------------------------------------------------------------- the figures


def worse(question: int, arm: Arm, repeat: int) -> Said:
    """Date B: the router takes m1 on half the questions and fails there; m1 itself gained six questions."""
    said = answers(question, arm, repeat)
    if arm is AUTO and question % 2:
        return Said("sim/m1", 0.0, cost_usd=0.003, latency_s=3.0)
    if arm.name == "sim/m1" and question % 10 == 0:
        return Said("sim/m1", 1.0, cost_usd=0.001, latency_s=1.0)
    return said


def test_every_figure_of_a_router_that_got_worse(tmp_path):
    drift = compare(write(tmp_path, "a"), write(tmp_path, "b", worse), margin=0.03)
    i = np.arange(60)
    before = (i % 3 > 0).astype(float)
    after = np.where(i % 2, 0.0, before)
    gained = np.where(i % 10 == 0, 1.0 - before, 0.0)
    beyond = after - before - (0.0 + gained) / 2
    (router,) = drift.routers
    assert drift.kind == router.kind == "worse"
    assert drift.sentence.startswith(
        "openrouter/auto changed for the worse between 2026-03-01 and 2026-04-02: by "
    )
    assert router.change.accuracy_change == pytest.approx((after - before).mean())
    assert (router.change.accuracy_a, router.change.accuracy_b) == (before.mean(), after.mean())
    assert router.adjusted.change == pytest.approx(beyond.mean())
    assert router.adjusted.anchors == ["sim/m0", "sim/m1"]
    error = beyond.std(ddof=1) / np.sqrt(60)
    assert router.adjusted.ci95[0] == pytest.approx(beyond.mean() - 2.0009953781 * error)  # t(59)
    assert router.ci_all == router.adjusted.ci95
    assert router.change.cost_ratio == pytest.approx(2.0)
    assert router.change.cost_per_1k_usd_b == pytest.approx(2.0)
    assert router.picks.changed == 0.5
    assert router.picks.shares_b == {"sim/m0": 0.5, "sim/m1": 0.5}
    assert [(m.model_a, m.model_b, m.questions) for m in router.picks.matrix] == [
        ("sim/m0", "sim/m0", 30.0),
        ("sim/m0", "sim/m1", 30.0),
    ]
    assert router.picks.p_value < 0.001
    assert router.change.latency_p90.b_s == 3.0
    assert [(one.label, one.n, one.picks_changed, one.look_at) for one in router.strata] == [
        ("c", 30, 0.0, []),
        ("d", 30, 1.0, ["picks", "accuracy"]),
    ]
    anchor = drift.models[1]
    assert anchor.accuracy_change == pytest.approx(gained.mean())
    assert all(one.fair for one in drift.fairness)


def test_nothing_changed_is_within_the_margin_of_what_so_many_questions_can_tell(tmp_path):
    drift = compare(write(tmp_path, "a"), write(tmp_path, "b"), margin=0.1)
    assert drift.kind == "within_margin"
    assert drift.routers[0].picks.changed == 0
    assert drift.routers[0].picks.p_value == 1.0
    assert drift.routers[0].change.accuracy_change == 0
    assert not any(stratum.look_at for stratum in drift.routers[0].strata)


def test_repeats_tell_the_flicker(tmp_path):
    def flickers(question: int, arm: Arm, repeat: int) -> Said:
        said = answers(question, arm, repeat)
        return Said("sim/m1", said.score, **said.fields) if arm is AUTO and repeat else said

    one = write(tmp_path, "a", flickers, repeats=2)
    other = write(tmp_path, "b", flickers, repeats=2)
    picks = compare(one, other, margin=0.03).routers[0].picks
    assert (picks.changed, picks.flip_a, picks.flip_b, picks.excess) == (0.5, 1.0, 1.0, -0.5)


# ----------------------------------------------------------------------------- which questions


def test_only_questions_of_the_same_content_are_compared(tmp_path):
    other = questions()
    other[0]["question"] = "another?"
    other[1]["reference"] = 7
    other[2]["category"] = "relabelled"
    other[3]["id"] = "renamed"
    drift = compare(write(tmp_path, "a"), write(tmp_path, "b", asked=other[:50]), margin=0.03)
    assert drift.questions == 47
    assert not check(drift, "questions").fair
    assert "left out are 13 of A and 3 of B" in check(drift, "questions").sentence
    assert {one.label for one in drift.routers[0].strata} == {"c", "d"}


def test_a_question_that_only_its_id_has_in_common_is_not_taken_for_the_other(tmp_path):
    asked = questions(1)
    other = [{**asked[0], "question": "another?"}, *questions(2)[1:]]
    one, two = write(tmp_path, "a", asked=questions(2)), write(tmp_path, "b", asked=other)
    drift = compare(one, two, margin=0.03)
    assert drift.routers[0].change.n == drift.questions == 1


def test_the_labels_of_a_count(tmp_path):
    other = [{**row, "category": "other"} for row in questions()]
    drift = compare(write(tmp_path, "a"), write(tmp_path, "b", asked=other), margin=0.03)
    assert [(one.label, one.n) for one in drift.routers[0].strata] == [("c", 30), ("d", 30)]


def test_the_families_of_a_count(tmp_path):
    mine = [{**row, "metadata": {"family": str(i // 3)}} for i, row in enumerate(questions())]
    drift = compare(write(tmp_path, "a", asked=mine), write(tmp_path, "b"), margin=0.03)
    assert drift.routers[0].change.clusters == 20


def test_content_is_what_is_asked_and_how_it_is_judged():
    one = Question(id="1", difficulty="easy", question="?", reference=1)
    same = msgspec.structs.replace(one, difficulty="hard", category="x", metadata={"family": "f"})
    assert content_key(one) == content_key(same)
    for changed in (
        {"id": "2"},
        {"question": "!"},
        {"reference": 2},
        {"choices": ["1"]},
        {"messages": [{"role": "user", "content": "?"}]},
        {"grader": GraderSpec(name="exact")},
    ):
        assert content_key(one) != content_key(msgspec.structs.replace(one, **changed))


def test_without_categories_the_task_types_of_a_make_the_strata(tmp_path):
    def typed(question: int, arm: Arm, repeat: int) -> Said:
        said = answers(question, arm, repeat)
        return Said(said.model, said.score, **said.fields, task_type="code" if question < 40 else None)

    asked = [{k: v for k, v in row.items() if k != "category"} for row in questions()]
    one = write(tmp_path, "a", typed, asked=asked)
    drift = compare(one, write(tmp_path, "b", asked=asked), margin=0.03)
    assert drift.routers[0].strata_by == "task_type"
    assert [(stratum.label, stratum.n) for stratum in drift.routers[0].strata] == [("code", 40)]


def test_an_unfinished_run_counts_with_its_finished_prefix(tmp_path):
    def half(question: int, arm: Arm, repeat: int) -> Said | None:
        return answers(question, arm, repeat) if question != 17 else None

    stopped = write(tmp_path, "b", half, status="stopped")
    drift = compare(write(tmp_path, "a"), stopped, margin=0.03)
    assert drift.questions == drift.run_b.counted < 60
    assert drift.run_a.counted == 60
    assert check(drift, "finished").sentence.startswith("B has not finished")
    assert drift.routers[0].change.n == drift.questions


def test_runs_without_a_question_in_common_are_refused(tmp_path):
    other = [{**row, "question": "other?" + row["id"]} for row in questions()]
    with pytest.raises(UsageError, match="no question in common"):
        compare(write(tmp_path, "a"), write(tmp_path, "b", asked=other), margin=0.03)


# ------------------------------------------------------------------------------ which arms


def test_without_anchors_it_may_be_the_models(tmp_path):
    one, other = (
        write(tmp_path, "a", arms=(AUTO, FIXED[0])),
        write(tmp_path, "b", worse, arms=(AUTO, FIXED[1])),
    )
    drift = compare(one, other, margin=0.03)
    assert drift.sentence.startswith("The router or its models changed for the worse")
    assert drift.routers[0].adjusted is None
    assert not check(drift, "anchors").fair
    assert check(drift, "arms").sentence.endswith("sim/m0 in A; sim/m1 in B.")


def test_a_fixed_model_that_mostly_failed_is_no_anchor(tmp_path):
    def failing(question: int, arm: Arm, repeat: int) -> Said:
        return Said("failed") if arm.name == "sim/m1" and question % 2 else answers(question, arm, repeat)

    drift = compare(write(tmp_path, "a"), write(tmp_path, "b", failing), margin=0.03)
    assert drift.routers[0].adjusted.anchors == ["sim/m0"]
    assert drift.models[1].lost_share == 0.5


def test_the_only_router_of_each_run_is_compared_by_settings(tmp_path):
    low = Arm(name="openrouter/auto?cost_tier=low", model="openrouter/auto", is_router=True)
    day = "2026-03-01T12:00:00Z"
    drift = compare(
        write(tmp_path, "a"), write(tmp_path, "b", arms=(low, *FIXED), started_at=day), margin=0.1
    )
    (router,) = drift.routers
    assert (router.change.arm_a, router.change.arm_b) == ("openrouter/auto", low.name)
    assert router.sentence.startswith(
        f"{low.name} (2026-03-01 12:00 UTC) is as good as openrouter/auto (2026-03-01 10:00 UTC)"
    )
    assert "openrouter/auto in A, openrouter/auto?cost_tier=low in B" in check(drift, "requests").sentence
    assert check(drift, "dates").fair


def test_an_unknown_router_is_known_by_its_several_models(tmp_path):
    mine = Arm(name="my/router", model="my/router")

    def mixed(question: int, arm: Arm, repeat: int) -> Said:
        return Said(f"sim/m{question % 2}", 1.0) if arm is mine else answers(question, arm, repeat)

    one, other = (write(tmp_path, name, mixed, arms=(mine, FIXED[0])) for name in "ab")
    drift = compare(one, other, margin=0.03)
    assert [router.change.arm_a for router in drift.routers] == ["my/router"]
    assert [model.arm_a for model in drift.models] == ["sim/m0"]


def test_without_a_router_the_fixed_models_are_compared(tmp_path):
    one, other = (write(tmp_path, name, arms=tuple(FIXED)) for name in "ab")
    drift = compare(one, other, margin=0.03)
    assert drift.kind == "no_router"
    assert drift.routers == []
    assert [model.arm_a for model in drift.models] == ["sim/m0", "sim/m1"]


def test_runs_with_nothing_to_compare_are_refused(tmp_path):
    one = write(tmp_path, "a", arms=(FIXED[0],))
    with pytest.raises(UsageError, match="A asked sim/m0; B asked sim/m1"):
        compare(one, write(tmp_path, "b", arms=(FIXED[1],)), margin=0.03)


# --------------------------------------------------------------------------------- fairness


def test_grades_of_another_version_are_found_and_how_to_mend_it(tmp_path):
    drift = compare(write(tmp_path, "a"), write(tmp_path, "b", version=2), margin=0.03)
    found = check(drift, "grades")
    assert not found.fair
    assert "Graded differently on 60 questions (numeric 1 in A, numeric 2 in B)" in found.sentence


def test_the_newest_grade_counts(tmp_path):
    one, other = write(tmp_path, "a"), write(tmp_path, "b", version=2)
    with Journal(one.journal) as journal:
        for i in range(60):
            for arm in ARMS:
                for line in lines("a", f"q{i}", arm, 0, answers(i, arm, 0), 2, "aa"):
                    if isinstance(line, Grade):
                        journal.append(line)
    assert check(compare(one, other, margin=0.03), "grades").fair


def test_requests_that_differ_are_found_by_what_was_sent(tmp_path):
    drift = compare(write(tmp_path, "a"), write(tmp_path, "b", body="bb"), margin=0.03)
    assert "What was sent differs, for openrouter/auto on 60 questions" in check(drift, "requests").sentence


def test_a_run_beside_itself_is_no_comparison(tmp_path):
    one = write(tmp_path, "a")
    drift = compare(one, one, margin=0.03)
    assert drift.kind == "not_comparable"
    assert drift.sentence == "A and B are the same run: nothing can have changed."


def test_simulated_and_real_are_never_compared_silently(tmp_path):
    drift = compare(write(tmp_path, "a"), write(tmp_path, "b", simulated=True), margin=0.03)
    assert drift.kind == "not_comparable"
    assert not check(drift, "simulated").fair
    assert drift.simulated


def test_a_run_that_was_not_graded_is_not_judged(tmp_path):
    def ungraded(question: int, arm: Arm, repeat: int) -> Said:
        return Said("sim/m0", None, cost_usd=0.001)

    one, other = (write(tmp_path, name, ungraded) for name in "ab")
    drift = compare(one, other, margin=0.03)
    assert drift.kind == "not_graded"
    assert drift.routers[0].change.cost_ratio == pytest.approx(1.0)
    assert drift.routers[0].adjusted is None


def test_the_order_of_the_journal_leaves_no_trace(tmp_path):
    one = write(tmp_path, "a")
    (tmp_path / "other").mkdir()
    first = compare(one, write(tmp_path, "b", worse), margin=0.03)
    again = write(tmp_path / "other", "b", worse)
    content = again.journal.read_bytes().splitlines(keepends=True)
    outcomes = [line for line in content if b'"kind":"outcome"' in line]
    grades = [line for line in content if b'"kind":"grade"' in line]
    again.journal.write_bytes(b"".join([*reversed(outcomes), *reversed(grades)]))
    assert compare(one, again, margin=0.03) == first


# ---------------------------------------------------------------------------- the whole way


def simulate(folder: Path, source: Path, seed: int, *names: str) -> None:
    """Ask a gateway of this seed once for each name."""
    arms = [part for slug in ("openrouter/auto", "sim/heron") for part in ("-m", slug)]
    with runs.gateway(source, "--seed", str(seed)) as base_url:
        for name in names:
            where = ("--base-url", base_url, "--run-id", name, "--quiet")
            done = runs.routemark("run", str(source), *arms, *where, cwd=folder)
            assert done.code == 0, done.stderr


def test_two_simulated_gateways_and_the_same_one_twice(tmp_path):
    source = runs.write_sums(tmp_path, 30)
    simulate(tmp_path, source, 1, "a", "c")
    simulate(tmp_path, source, 2, "b")
    code, out, _ = runs.routemark(
        "compare", "a", "b", "-o", "c.json", "-o", "c.md", cwd=tmp_path, COLUMNS="80"
    )
    assert code == 0
    assert out.startswith("*** SIMULATED ***")
    assert max(len(line) for line in out.splitlines()) <= 80
    found = msgspec.json.decode((tmp_path / "c.json").read_bytes(), type=Drift)
    assert (found.schema, found.simulated, found.questions) == ("routemark.compare/1", True, 30)
    assert found.routers[0].sentence in " ".join(out.split())
    assert "SIMULATED" in (tmp_path / "c.md").read_text()
    same = compare(RunDirectory(tmp_path / "runs/a"), RunDirectory(tmp_path / "runs/c"), margin=0.03)
    (router,) = same.routers
    assert (router.change.accuracy_change, router.picks.changed, router.change.cost_ratio) == (0, 0, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a", "nowhere"], "nowhere: no run here"),
        (["a", "a", "-o", "x.pdf"], "no such format"),
        (["a", "a", "--margin", "2"], "--margin"),
    ],
)
def test_wrong_use_is_told_in_a_sentence(tmp_path, arguments, words):
    (tmp_path / "runs").mkdir()
    write(tmp_path / "runs", "a")
    code, _, err = runs.routemark("compare", *arguments, cwd=tmp_path)
    assert code == 2
    assert words in err
