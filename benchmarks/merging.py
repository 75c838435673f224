"""Times `merge`, and `report` on what it made: `python -m benchmarks.merging OUTCOMES SHARDS` (four arms, all graded)."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import msgspec

from benchmarks import machine
from benchmarks.journals import make
from routemark.policy.sharding import shard_of
from routemark.records import Shard
from routemark.rundir import RunDirectory


class _Asked(msgspec.Struct):
    question_id: str = ""


def main() -> None:
    """Make a run, divide it, join it again, report."""
    outcomes, count = int(sys.argv[1]), int(sys.argv[2])
    print(machine.line())
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        whole = RunDirectory(make(folder, outcomes))
        shards = divide(whole, folder, count)
        print(f"{outcomes:,} outcomes in {count} shards, {whole.journal.stat().st_size / 1e9:.2f} GB")
        joined = str(folder / "joined")
        machine.timed(
            "merge, with its report", outcomes, ["merge", *map(str, shards), "-o", joined, "--json"]
        )
        machine.timed("report", outcomes, ["report", joined, "--format", "json"])


def divide(whole: RunDirectory, folder: Path, count: int) -> list[Path]:
    """Write the run directories of the shards of a run."""
    run = whole.read()
    made = []
    for number in range(1, count + 1):
        directory = RunDirectory(folder / f"run.{number}-of-{count}")
        directory.path.mkdir()
        directory.questions.hardlink_to(whole.questions)
        shard = Shard(
            number=number, count=count, questions=run.questions, questions_sha256=run.questions_sha256
        )
        directory.write(msgspec.structs.replace(run, id=directory.path.name, plan_id=run.id, shard=shard))
        own = directory.load_questions()
        directory.write(
            msgspec.structs.replace(directory.read(), questions=len(own), questions_sha256=own.sha256)
        )
        made.append(directory)
    journals = [directory.journal.open("wb") for directory in made]
    decode = msgspec.json.Decoder(_Asked).decode
    place = 0
    with whole.journal.open("rb") as lines:
        for line in lines:
            question = decode(line).question_id
            if question:  # a grade stands behind its outcome
                place = shard_of(question, run.seed, count) - 1
            journals[place].write(line)
    for file in journals:
        file.close()
    return [directory.path for directory in made]


if __name__ == "__main__":
    main()
