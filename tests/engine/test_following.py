"""The source of a run that follows its router: who waits, for what, and who wakes them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from routemark import baselines
from routemark.engine.following import Following
from routemark.engine.roster import Roster
from routemark.journal import Journal
from routemark.policy import plan
from routemark.questions import load
from routemark.records import Arm, Completion, Failure, Outcome, Run, Trial
from routemark.rundir import Ledger
from routemark.wire.request import RequestOptions
from routemark.wire.slugs import Slugs

ROUTER = Arm(name="openrouter/auto", model="openrouter/auto", is_router=True)


class Manifest:
    """Keeps what was written, in order."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.written: list[Run] = []

    def update(self, **changes: Any) -> None:
        self.run = msgspec.structs.replace(self.run, **changes)
        self.written.append(self.run)


class World:
    """A run of four questions in windows of two, and the source of its trials."""

    def __init__(self, folder: Path, admitted: asyncio.Event | None = None, **settings: Any) -> None:
        lines = "".join(f'{{"id":"q{i}","difficulty":"x","question":"{i}?"}}\n' for i in range(4))
        (folder / "q.jsonl").write_text(lines)
        questions = load(str(folder / "q.jsonl"))
        run = Run(
            id="r",
            status="running",
            simulated=False,
            started_at="2026-01-01T00:00:00Z",
            questions_sha256="",
            questions=4,
            arms=[ROUTER],
            window=2,
            base_url="http://x",
            routemark_version="0",
            settings={"baselines": "picked", **settings},
        )
        Journal(folder / "journal.jsonl").close()
        ledger = Ledger(run, questions, folder / "journal.jsonl")
        cells = baselines.new_cells(ledger)
        assert cells is not None
        made_of = plan.Plan(run_id="r", arms=[ROUTER], options=RequestOptions(), repeats=1, window=2, seed=0)
        planned = plan.trials(made_of, questions, plan.places(made_of, ledger.order))

        async def admit(arm: Arm) -> str | None:
            if admitted is not None:
                await admitted.wait()
            return "too dear" if arm.model == "v/dear" else None

        self.ledger = ledger
        self.manifest = Manifest(run)
        self.source = Following(planned, made_of, ledger, cells, Roster(self.manifest, Slugs(None), admit))

    async def take(self) -> Trial:
        trial = await asyncio.wait_for(self.source.take(), 1)
        assert trial is not None
        return trial

    def place(self, trial: Trial) -> int:
        """Give the place of a trial's question in the plan."""
        ids = [self.ledger.questions[int(index)].id for index in self.ledger.order]
        return ids.index(trial.question.id)

    def served(self, trial: Trial, model: str) -> None:
        self.source.saw(trial, outcome(trial, completion=Completion(text="", model=model)), None)


def outcome(trial: Trial, **end: Any) -> Outcome:
    return Outcome(
        trial=trial.key,
        question_id=trial.question.id,
        arm=trial.arm.name,
        repeat=trial.repeat,
        session_id=trial.session_id,
        attempts=[],
        window=trial.window,
        **end,
    )


async def blocked(source: Following) -> asyncio.Task[Trial | None]:
    """Start to take a trial, and see that it waits."""
    waiting = asyncio.create_task(source.take())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    return waiting


def test_direct_questions_go_before_the_rest_of_the_plan(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        first, second = await world.take(), await world.take()
        world.served(second, "v/a")
        third = await world.take()
        assert (third.arm, third.window) == (ROUTER, 1), "the window is still open"
        world.served(first, "v/a")
        direct = [await world.take() for _ in range(2)]
        assert {trial.arm.name for trial in direct} == {"v/a"}
        assert {trial.question.id for trial in direct} == {first.question.id, second.question.id}
        assert (await world.take()).arm == ROUTER
        assert world.source.added == 2

    asyncio.run(scenario())


def test_who_finds_nothing_waits_until_the_last_picks_are_known(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        router = [await world.take() for _ in range(4)]
        waiting = await blocked(world.source)
        for trial in router:
            world.served(trial, "v/a")
        assert (await asyncio.wait_for(waiting, 1)) is not None
        for _ in range(3):
            await world.take()
        assert await world.source.take() is None

    asyncio.run(scenario())


def test_a_stop_sends_those_home_who_wait(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        for _ in range(4):
            await world.take()
        waiting = await blocked(world.source)
        world.source.close()
        assert await asyncio.wait_for(waiting, 1) is None

    asyncio.run(scenario())


def test_while_a_model_joins_others_go_on_with_the_plan_and_none_of_it_is_asked(tmp_path: Path) -> None:
    async def scenario() -> None:
        admitted = asyncio.Event()
        world = World(tmp_path, admitted)
        for trial in [await world.take(), await world.take()]:
            world.served(trial, "v/a")
        joining = await blocked(world.source)
        assert [(await world.take()).arm for _ in range(2)] == [ROUTER, ROUTER]
        assert world.manifest.written == []
        admitted.set()
        joined = await asyncio.wait_for(joining, 1)
        assert joined is not None
        assert joined.arm in world.manifest.written[0].baselines, "in the manifest before it is asked"

    asyncio.run(scenario())


def test_a_failed_trial_of_the_router_closes_its_window_without_a_pick(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        failed, answered = await world.take(), await world.take()
        failure = Failure(kind="client_fault", message="ours")
        world.source.saw(failed, outcome(failed, failure=failure), None)
        world.served(answered, "v/a")
        assert (await world.take()).arm.name == "v/a"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("served", "why"), [("v/dear", "too dear"), ("openrouter/auto", "the gateway lists no such model")]
)
def test_a_model_that_may_not_join_is_kept_with_the_reason(tmp_path: Path, served: str, why: str) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        for trial in [await world.take() for _ in range(4)]:
            world.served(trial, served)
        assert await world.source.take() is None
        assert world.manifest.run.unaskable == {served: why}
        assert len(world.manifest.written) == 1, "once"

    asyncio.run(scenario())


def test_another_process_takes_up_what_is_due(tmp_path: Path) -> None:
    """The journal holds the router's answers, the manifest the arm, and one of its four answers."""

    async def scenario() -> None:
        world = World(tmp_path)
        router = [await world.take() for _ in range(4)]
        with Journal(tmp_path / "journal.jsonl") as journal:
            for trial in router:
                done = outcome(trial, completion=Completion(text="", model="v/a"))
                journal.append(done)
                world.source.saw(trial, done, None)
            direct = await world.take()
            journal.append(outcome(direct, completion=Completion(text="", model="v/a")))
        questions = load(str(tmp_path / "q.jsonl"))
        ledger = Ledger(world.manifest.run, questions, tmp_path / "journal.jsonl")
        assert baselines.lacking(ledger)
        cells = baselines.new_cells(ledger)
        assert cells is not None
        made_of = plan.Plan(run_id="r", arms=[ROUTER], options=RequestOptions(), repeats=1, window=2, seed=0)

        async def admit(arm: Arm) -> str | None:
            raise AssertionError(arm)

        roster = Roster(world.manifest, Slugs(None), admit)
        again = Following(iter([]), made_of, ledger, cells, roster)
        left = []
        while (one := await again.take()) is not None:
            left.append(one.key)
        assert len(left) == 3
        assert direct.key not in left

    asyncio.run(scenario())


@pytest.mark.parametrize("quicker", [0, 1])
def test_models_join_in_the_order_of_the_plan_whoever_answered_first(tmp_path: Path, quicker: int) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        asked = [await world.take() for _ in range(2)]
        first = min(asked, key=world.place)
        models = {trial.key: "v/first" if trial is first else "v/second" for trial in asked}
        for trial in (asked[quicker], asked[1 - quicker]):
            world.served(trial, models[trial.key])
        await world.take()
        assert [arm.name for arm in world.manifest.run.baselines] == ["v/first", "v/second"]

    asyncio.run(scenario())
