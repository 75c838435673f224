"""Run directories made up for the viewer's tests: any size in little time, with text that attacks if asked for."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

import report_factory as factory
from routemark.journal import Launch, encode
from routemark.questions.frozen import FrozenFile, frozen_line
from routemark.records import Arm, Attempt, Completion, Failure, Grade, Outcome, Question, Usage
from routemark.rundir import RunDirectory

ARMS = ["openrouter/auto", "sim/sparrow-mini", "sim/heron-pro", "sim/condor-max"]
CATEGORIES = ["algebra", "chemistry", "geography", "history", "logic"]
DIFFICULTIES = ["easy", "hard", "opt"]
AT = "2026-11-24T06:48:28.000Z"


def questions(n: int) -> list[Question]:
    """Numbered questions; every hundredth speaks of a zebra."""
    return [
        Question(
            id=f"q{i:06d}",
            difficulty=DIFFICULTIES[i % 3],
            category=CATEGORIES[i % 5],
            question=f"What is {i} + {i}? Explain how you got there, step by step, then give the number alone on the "
            f"last line, as a person would{' who owns a Zebra' if i % 100 == 0 else ''}.",
            reference=2 * i,
        )
        for i in range(n)
    ]


def key(question: str, arm: str, repeat: int = 0) -> str:
    return hashlib.blake2b(f"{question}\0{arm}\0{repeat}".encode(), digest_size=12).hexdigest()


def outcome(question: Question, arm: str, repeat: int = 0, **changes) -> Outcome:
    """An answer to a question; ``changes`` of the completion."""
    cost = changes.pop("cost_usd", 0.001)
    completion = Completion(
        text=changes.pop("text", "Final answer: 4"),
        model=changes.pop("model", arm if arm != ARMS[0] else ARMS[1]),
        provider="Simcloud",
        finish_reason=changes.pop("finish_reason", "stop"),
        usage=Usage(prompt_tokens=38, completion_tokens=12),
        cost_usd=cost,
        cost_source=None if cost is None else "billed",
        latency_s=changes.pop("latency_s", 0.5),
        generation_id=changes.pop("generation_id", f"gen-{question.id}-{arm}"),
        metadata={},
        simulated=True,
        **changes,
    )
    attempt = Attempt(started_at=AT, duration_s=0.5, status=200)
    return Outcome(
        trial=key(question.id, arm, repeat), question_id=question.id, arm=arm, repeat=repeat,
        session_id=f"rm-{key(question.id, arm, repeat)}", attempts=[attempt], completion=completion, queue_s=0.0001,
    )  # fmt: skip


def failed(question: Question, arm: str, repeat: int = 0, kind: str = "bad_gateway") -> Outcome:
    return Outcome(
        trial=key(question.id, arm, repeat), question_id=question.id, arm=arm, repeat=repeat,
        session_id=f"rm-{key(question.id, arm, repeat)}",
        attempts=[Attempt(started_at=AT, duration_s=0.5, status=502, kind=kind, message="Provider returned error")],
        failure=Failure(kind=kind, message="Provider returned error", status=502),
    )  # fmt: skip


def grade(question: Question, arm: str, score: float | None, repeat: int = 0, **changes) -> Grade:
    return Grade(
        trial=key(question.id, arm, repeat), grader="numeric", version=1, score=score,
        extracted="4", reason="equal" if score else "not equal", **changes,
    )  # fmt: skip


def make(
    folder: Path, name: str, asked: list[Question], lines: Iterator[bytes] | list[bytes], **changes
) -> Path:
    """A run directory with these questions and these lines in its journal."""
    directory = RunDirectory(folder / name)
    directory.path.mkdir(parents=True)
    with directory.questions.open("w+b") as file:
        FrozenFile.written(file, map(frozen_line, asked))
    sha = hashlib.sha256(directory.questions.read_bytes()).hexdigest()
    arms = [Arm(name=ARMS[0], model=ARMS[0], is_router=True), *(Arm(name=one, model=one) for one in ARMS[1:])]
    directory.write(
        msgspec.structs.replace(
            factory.make_run(),
            id=name,
            arms=arms,
            questions=len(asked),
            questions_sha256=sha,
            settings={},
            **changes,
        )
    )
    with directory.journal.open("wb") as file:
        file.write(encode(Launch(at=AT, pid=1, routemark_version="0.1.0")))
        file.writelines(lines)
    return directory.path


def full(asked: list[Question], *, seed: int = 7) -> Iterator[bytes]:
    """An outcome and, behind it, a grade, of every arm for every question."""
    draw = random.Random(seed)
    for question in asked:
        for arm in ARMS:
            fate = draw.random()
            if fate < 0.02:
                yield encode(failed(question, arm))
                continue
            yield encode(outcome(question, arm, cost_usd=0.001 * fate, latency_s=1 + fate))
            yield encode(grade(question, arm, float(fate < 0.7)))


def large(asked: list[Question]) -> Iterator[bytes]:
    """As `full`, from templates: a million lines in seconds."""
    draw = random.Random(7)
    probe = Question(id="@id@", difficulty="", question="")
    right, wrong = (encode(grade(probe, "@arm@", score)) for score in (1.0, 0.0))
    answered, broken = (
        encode(outcome(probe, "@arm@", text="Step by step: it is so. " * 20)),
        encode(failed(probe, "@arm@")),
    )
    name = key("@id@", "@arm@").encode()
    for question in asked:
        for arm in ARMS:
            fate = draw.random()
            lines = broken if fate < 0.02 else answered + (right if fate < 0.7 else wrong)
            served = ARMS[1 + int(fate * 30) % 3] if arm == ARMS[0] else arm
            lines = lines.replace(b'"model":"@arm@"', b'"model":"%b"' % served.encode())
            lines = lines.replace(name, key(question.id, arm).encode()).replace(b"@id@", question.id.encode())
            yield lines.replace(b"@arm@", arm.encode())


Maker = Callable[..., Path]
