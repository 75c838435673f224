"""Joins the runs of shares of one plan into one run directory, on which every command works as on one run.

Shares may overlap, and some may be missing: the run is then a stopped one, and `resume` asks the rest.
"""

from __future__ import annotations

import filecmp
import math
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from routemark import baselines, graders, journals
from routemark.config import Settings
from routemark.direct import Confirmation
from routemark.errors import RunError, UsageError
from routemark.main import Finished, conclude, planned_by
from routemark.prepare import Prepared
from routemark.questions import QuestionSet, open_frozen
from routemark.records import Arm, ClientHealth, Copies, Run, RunStatus
from routemark.rundir import Ledger, RunDirectory, new_directory

OF_THE_PLACE = frozenset(
    {
        "questions", "shard", "runs_dir", "run_id", "output", "json", "quiet", "dry_run", "detect", "concurrency",
        "fixed_concurrency", "executor", "ray_address", "workers", "max_cost", "allow_code_execution",
    }
)  # fmt: skip
"""Settings that may differ between shares: where and how fast they ran, and what they might spend."""


class Share(NamedTuple):
    """A run that is to be joined with others."""

    directory: RunDirectory
    run: Run

    @property
    def name(self) -> str:
        """How a person names it."""
        return str(self.directory.path)


class Merged(NamedTuple):
    """What came of it."""

    finished: Finished
    lines: int
    """Of the new journal."""


def merge(directories: Sequence[RunDirectory], output: Path) -> Merged:
    """Join runs into a new run directory, and write its results and report.

    Raises: UsageError when they are not of one plan, disagree about a trial, or ``output`` is there already;
    JournalError where a journal is damaged; RunError when something cannot be written.
    """
    target = new_directory(output.parent, output.name)
    if target.path.exists():
        raise UsageError(f"{target.path}: is there already and is left as it is. Name another -o.")
    shares = [Share(directory, directory.read()) for directory in directories]
    check_agreement(shares)
    whole = _questions(shares)
    run = merged_run(shares, target.path, whole)
    lines = _written(shares, target, run, whole)
    return Merged(_concluded(target, run, shares), lines)


# --------------------------------------------------------------------------- do they agree


def check_agreement(shares: Sequence[Share]) -> None:
    """Raise UsageError, naming all that differs, unless the runs are of one plan."""
    first = shares[0]
    ours = _identity(first.run)
    for share in shares[1:]:
        theirs = _identity(share.run)
        differing = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
        if differing:
            listed = "\n".join(f"  {name}: {ours.get(name)} and {theirs.get(name)}" for name in differing)
            raise UsageError(
                f"{first.name} and {share.name} are not of one plan; nothing was written. They differ in\n{listed}"
            )


def _identity(run: Run) -> dict[str, Any]:
    """Give what shares of one plan have in common, by the name that a person knows it by."""
    settings = msgspec.to_builtins(msgspec.convert(run.settings, Settings))  # newer ones have their default
    kept = {f"--{name.replace('_', '-')}": value for name, value in settings.items()}
    place = {f"--{name.replace('_', '-')}" for name in OF_THE_PLACE}
    return {
        **{name: value for name, value in kept.items() if name not in place},
        "questions (SHA-256)": run.questions_sha256 if run.shard is None else run.shard.questions_sha256,
        "number of questions": run.questions if run.shard is None else run.shard.questions,
        "perturbed copies": msgspec.to_builtins(_copies(run)),
        "arms": [msgspec.to_builtins(arm) for arm in run.arms],
        "gateway": run.base_url,
        "version of Routemark": run.routemark_version,
        **({"window of the plan": run.window} if settings["baselines"] is not None else {}),
    }


def _copies(run: Run) -> dict[str, Copies]:
    return run.perturbed if run.shard is None else run.shard.perturbed


def _questions(shares: Sequence[Share]) -> QuestionSet:
    """Give the questions of the undivided plan. Raises: UsageError when a run's own were changed."""
    first = shares[0]
    for share in shares:
        path = share.directory.questions
        try:
            same = share is not first and filecmp.cmp(first.directory.questions, path, shallow=False)
            questions = open_frozen(path)
        except (OSError, ValueError) as error:
            raise UsageError(f"{path}: cannot be read: {error}") from None
        sha256 = _identity(share.run)["questions (SHA-256)"]
        if not same and questions.sha256 != sha256:
            raise UsageError(f"{path}: was changed after the run began; nothing was written.")
    return open_frozen(first.directory.questions)


# --------------------------------------------------------------------------- the manifest


def merged_run(shares: Sequence[Share], path: Path, whole: QuestionSet) -> Run:
    """Give the manifest of the joined run, as of one that still goes on."""
    runs = [share.run for share in shares]
    first = runs[0]
    plan_ids = {run.plan_id or run.id for run in runs}
    return msgspec.structs.replace(
        first,
        id=path.name,
        status="running",
        stop_reason=None,
        decided=False,
        simulated=any(run.simulated for run in runs),
        started_at=min(run.started_at for run in runs),
        finished_at=max((run.finished_at for run in runs if run.finished_at is not None), default=None),
        questions=len(whole),
        questions_sha256=first.questions_sha256 if first.shard is None else first.shard.questions_sha256,
        shard=None,
        plan_id=plan_ids.pop() if len(plan_ids) == 1 else None,
        perturbed=_copies(first),
        settings=_settings(runs, path),
        client=_health([run.client for run in runs]),
        **_joined(shares),
    )


def _settings(runs: Sequence[Run], path: Path) -> dict[str, Any]:
    """Give the settings of the joined run; it may spend what the shares might spend together."""
    kept = [msgspec.convert(run.settings, Settings) for run in runs]
    costs = [settings.max_cost for settings in kept]
    settings = msgspec.structs.replace(
        kept[0],
        shard=None,
        run_id=path.name,
        runs_dir=str(path.parent),
        output=[],
        max_cost=None if None in costs else math.fsum(cost for cost in costs if cost is not None),
        allow_code_execution=any(each.allow_code_execution for each in kept),
    )
    return settings.public()


def _health(clients: Sequence[ClientHealth]) -> ClientHealth:
    """Give the worst of the shares' own part of what they measured."""

    def worst(values: Iterator[float | None]) -> float | None:
        return max((value for value in values if value is not None), default=None)

    return ClientHealth(
        loop_lag_p99_s=worst(client.loop_lag_p99_s for client in clients),
        queue_p99_s=worst(client.queue_p99_s for client in clients),
        limited=any(client.limited for client in clients),
    )


def _joined(shares: Sequence[Share]) -> dict[str, Any]:
    """Give the arms that joined in some share. Raises: UsageError when one name means two arms."""
    arms: dict[str, Arm] = {}
    asked_as: dict[str, str] = {}
    unaskable: dict[str, str] = {}
    for share in shares:
        for arm in share.run.baselines:
            if arms.setdefault(arm.name, arm) != arm:
                raise UsageError(
                    f"{share.name}: asks {arm.name} with other settings than another of the runs; nothing was written."
                )
        asked_as |= share.run.asked_as
        unaskable |= share.run.unaskable
    models = {arm.model for arm in arms.values()}
    somewhere = {served for served, slug in asked_as.items() if slug in models}
    return {
        "baselines": list(arms.values()),
        "asked_as": asked_as,
        "unaskable": {served: why for served, why in unaskable.items() if served not in somewhere},
    }


# --------------------------------------------------------------------------- writing


def _written(shares: Sequence[Share], target: RunDirectory, run: Run, whole: QuestionSet) -> int:
    """Write the run directory, which takes its name when all is in it; give the number of lines of its journal."""
    made = RunDirectory(target.path.with_name(f".{target.path.name}.{os.getpid()}.tmp"))
    try:
        made.path.mkdir(parents=True)
        whole.freeze(made.questions)
        scratch = made.path / "scratch"
        scratch.mkdir()
        joined = journals.join([share.directory.journal for share in shares], scratch)
        with made.journal.open("wb") as file:
            lines = journals.write(joined, file)
            file.flush()
            os.fsync(file.fileno())
        shutil.rmtree(scratch)
        prices = next((s.directory.models for s in shares if s.directory.models.exists()), None)
        if prices is not None:
            shutil.copyfile(prices, made.models)
        made.write(run)
        made.path.rename(target.path)
        target.name_latest()
    except OSError as error:
        raise RunError(f"{target.path}: cannot be written: {error.strerror}. Nothing was merged.") from None
    finally:
        shutil.rmtree(made.path, ignore_errors=True)
    return lines


def _concluded(target: RunDirectory, run: Run, shares: Sequence[Share]) -> Finished:
    """Tell what is missing, and write what comes of the run."""
    settings = msgspec.convert(run.settings, Settings)
    questions = target.load_questions()
    missing = _missing(
        Ledger(run, questions, target.journal), Prepared(settings, questions, run.arms), shares
    )
    status: RunStatus = "complete" if missing is None else "stopped"
    return conclude(target, msgspec.structs.replace(run, status=status, stop_reason=missing), settings, 0)


def _missing(ledger: Ledger, prepared: Prepared, shares: Sequence[Share]) -> str | None:
    """Say, in a sentence, what a run lacks to be complete; None when nothing."""
    planned = ledger.finished[:, : len(ledger.run.arms)]
    left = int(planned.size - planned.sum())
    if left:
        return f"{left:,} of {planned.size:,} planned trials have no answer yet{_absent(shares)}."
    if baselines.lacking(ledger):
        return "Picked models have not been asked all that they are to be asked."
    confirmation = Confirmation(planned_by(prepared, ledger.run), ledger) if len(ledger.confirmed) else None
    if confirmation is not None and next(confirmation.trials(), None) is not None:
        return "The oracle's picks have not all been asked afresh."
    without = sum(
        outcome.completion is not None and graders.resolve(question) is not None
        for question, outcome in ledger.without_grade()
    )
    return f"{without:,} answers have no grade yet." if without else None


def _absent(shares: Sequence[Share]) -> str:
    """Name the shards that are not among the runs, where all runs are shards of as many."""
    shards = [share.run.shard for share in shares]
    if None in shards or len({shard.count for shard in shards if shard is not None}) != 1:
        return ""
    there = {shard.number for shard in shards if shard is not None}
    count = next(shard.count for shard in shards if shard is not None)
    absent = [str(number) for number in range(1, count + 1) if number not in there]
    if not absent:
        return ""
    named = ", ".join(absent[:10]) + (", ..." if len(absent) > 10 else "")
    return f"; of {count} shards, {len(absent)} {'is' if len(absent) == 1 else 'are'} not among the runs: {named}"
