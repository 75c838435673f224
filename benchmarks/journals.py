"""Run directories with many outcomes, made without asking anyone."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from benchmarks.machine import questions
from routemark._version import __version__
from routemark.config import Settings
from routemark.journal import encode
from routemark.policy import plan
from routemark.questions import load
from routemark.records import Arm, Attempt, Completion, Grade, Outcome, Run, Usage
from routemark.rundir import RunDirectory

ARMS = ("openrouter/auto", "bench/a", "bench/b", "bench/c")
AT = "2026-01-01T00:00:00.000Z"


def make(folder: Path, outcomes: int) -> Path:
    """Write a complete run of so many outcomes, four arms to a question, and give its directory."""
    directory = RunDirectory(folder / "run")
    directory.path.mkdir()
    asked = load(questions(folder / "q.jsonl", outcomes // len(ARMS))).freeze(directory.questions)
    run = Run(
        id="run",
        status="complete",
        simulated=False,
        started_at=AT,
        questions_sha256=asked.sha256,
        questions=len(asked),
        arms=[Arm(name=name, model=name, is_router=name == ARMS[0]) for name in ARMS],
        repeats=1,
        seed=0,
        window=250,
        base_url="http://127.0.0.1",
        routemark_version=__version__,
        settings=Settings().public(),
    )
    directory.write(run)
    draw = random.Random(1)
    ids = list(asked.ids())
    with directory.journal.open("wb") as file:
        for index in plan.order(ids, run.seed).tolist():
            for arm in run.arms:
                for record in _records(ids[index], arm.name, draw):
                    file.write(encode(record))
    return directory.path


def _records(question: str, arm: str, draw: random.Random) -> tuple[Outcome, Grade]:
    key = hashlib.blake2b(f"{question}\0{arm}".encode(), digest_size=12).hexdigest()
    model = draw.choice(ARMS[1:]) if arm == ARMS[0] else arm
    right = draw.random() < 0.5 + 0.1 * ARMS.index(model)
    latency = draw.lognormvariate(0, 0.4)
    answer = Completion(
        text="The answer is 42." if right else "The answer is 41. " + "x" * 300,
        model=model,
        provider="Bench",
        finish_reason="stop",
        usage=Usage(prompt_tokens=20, completion_tokens=10, reasoning_tokens=0, cached_tokens=0),
        cost_usd=1e-4 * (1 + ARMS.index(model)) * draw.lognormvariate(0, 0.3),
        cost_source="billed",
        latency_s=latency,
        generation_id=f"gen-{key}",
    )
    outcome = Outcome(
        trial=key,
        question_id=question,
        arm=arm,
        repeat=0,
        session_id=f"rm-{key}.r0",
        attempts=[Attempt(started_at=AT, duration_s=latency, status=200, generation_id=f"gen-{key}")],
        completion=answer,
        queue_s=1e-4,
        request_sha256="0" * 64,
        response_sha256="0" * 64,
    )
    return outcome, Grade(
        trial=key, grader="exact", version=1, score=float(right), extracted="42" if right else "41"
    )
