"""What happens before the first request: settings to questions and arms, and a run directory to fill.

Everything that can be wrong is found here, so that nothing is sent on behalf of a faulty file.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from routemark import sandbox
from routemark._version import __version__
from routemark.config import Settings, without_userinfo
from routemark.errors import SettingsError, UsageError
from routemark.policy import plan
from routemark.questions import QuestionSet, load, shipped
from routemark.records import Arm, Run
from routemark.report import outputs
from routemark.rundir import LATEST, RunDirectory, find, named, new_directory
from routemark.wire.arms import arm_from_table, check_names, parse_arm, sweep
from routemark.wire.request import RequestOptions

DEFAULT_ARM = "openrouter/auto"
PLAN_SETTINGS = ("max_tokens", "temperature", "stream", "simulate")
"""Settings that decide what is sent; with questions, arms, repeats, seed and gateway they make a plan."""


class Prepared(NamedTuple):
    """What is known before anything is sent."""

    settings: Settings
    questions: QuestionSet
    arms: list[Arm]
    catalogue: dict[str, Any] | None = None
    """What the gateway's models cost; fetched when ``--max-cost`` needs it (see pricing)."""

    @property
    def options(self) -> RequestOptions:
        """What every request has in common."""
        settings = self.settings
        return RequestOptions(
            max_tokens=settings.max_tokens, temperature=settings.temperature, stream=settings.stream
        )

    @property
    def trials(self) -> int:
        """Number of trials planned."""
        return len(self.questions) * len(self.arms) * self.settings.repeats


class Opened(NamedTuple):
    """A run directory that is ready to be worked on."""

    directory: RunDirectory
    run: Run
    resumed: bool


def prepare(settings: Settings) -> Prepared:
    """Load and check everything that can be wrong before the first request.

    Raises UsageError with every fault of the question file, or the first of the settings.
    """
    require_sandbox(settings)
    for name in settings.output:
        outputs.writer_for(name)
    arms = make_arms(settings)
    questions = load(settings.questions or shipped())
    if settings.questions is None and settings.set == "core":
        questions = questions.where(lambda question: question.metadata.get("core") is True)
    if settings.limit is not None and settings.limit < len(questions):
        questions = questions.sample(settings.limit, settings.seed)
    return Prepared(settings, questions, arms)


def require_sandbox(settings: Settings) -> None:
    """Refuse to allow code where it cannot be kept in a sandbox; raise SettingsError with the reason."""
    hindered = sandbox.trouble() if settings.allow_code_execution else None
    if hindered is not None:
        raise SettingsError(f"--allow-code-execution: {hindered} Nothing was sent.")


def make_arms(settings: Settings) -> list[Arm]:
    """Give the arms that the settings name, the baseline among them."""
    arms = [parse_arm(spec) for spec in settings.model] + [arm_from_table(table) for table in settings.arm]
    if settings.baseline is not None and settings.baseline not in [arm.name for arm in arms]:
        arms = [*(arms or [parse_arm(DEFAULT_ARM)]), parse_arm(settings.baseline)]
    arms = arms or [parse_arm(DEFAULT_ARM)]
    if settings.sweep is not None:
        arms = sweep(arms, settings.sweep)
    check_names(arms)
    return arms


def require_key(settings: Settings, key: str | None) -> str | None:
    """Give the key to send; raise SettingsError when OpenRouter itself is asked without one."""
    if settings.simulate:
        return "no-key"
    if key is None and "openrouter.ai" in settings.base_url:
        raise SettingsError(
            "No API key. Set OPENROUTER_API_KEY (in the environment or in .env), "
            "or try --simulate, which needs none."
        )
    return key


# --------------------------------------------------------------------------- new run, or resumed


def open_run(prepared: Prepared) -> Opened:
    """Begin a run, or take up the one that ``run_id``, or the same command before it, left unfinished.

    Raises UsageError when the named run has another plan.
    """
    settings = prepared.settings
    runs_dir = Path(settings.runs_dir)
    if settings.run_id is None:
        if opened := _unfinished_latest(prepared, runs_dir):
            return opened
        run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        return _begin(new_directory(runs_dir, run_id), prepared)
    directory = new_directory(runs_dir, settings.run_id)
    if not directory.manifest.exists():
        return _begin(directory, prepared)
    run = directory.read()
    if differences := _differences(run, prepared):
        raise UsageError(
            f"{directory.path}: holds a run with other {', '.join(differences)}. "
            "Give it another --run-id, or the same settings to resume."
        )
    return Opened(directory, run, resumed=True)


def open_resumed(run: str, base: Settings) -> tuple[Prepared, Opened]:
    """Take up a run by its path or id with the settings it was begun with."""
    directory = find(run, Path(base.runs_dir))
    manifest = directory.read()
    try:
        kept = msgspec.convert(manifest.settings, Settings)
    except msgspec.ValidationError as error:
        raise UsageError(f"{directory.manifest}: settings cannot be read: {error}") from None
    settings = msgspec.structs.replace(
        kept,
        quiet=base.quiet,
        json=base.json,
        output=base.output,
        max_cost=kept.max_cost if base.max_cost is None else base.max_cost,
        allow_code_execution=kept.allow_code_execution or base.allow_code_execution,
    )
    require_sandbox(settings)
    return Prepared(settings, directory.load_questions(), manifest.arms), Opened(
        directory, manifest, resumed=True
    )


def _begin(directory: RunDirectory, prepared: Prepared) -> Opened:
    settings = prepared.settings
    try:
        directory.path.mkdir(parents=True, exist_ok=True)
        questions = prepared.questions.freeze(directory.questions)
        run = Run(
            id=directory.path.name,
            status="running",
            simulated=settings.simulate,
            started_at=now(),
            questions_sha256=questions.sha256,
            questions=len(questions),
            arms=prepared.arms,
            repeats=settings.repeats,
            seed=settings.seed,
            window=plan.window_size(settings.concurrency, len(prepared.arms)),
            base_url=without_userinfo(settings.base_url),
            routemark_version=__version__,
            settings=settings.public(),
        )
        directory.write(run)
        directory.name_latest()
    except OSError as error:
        raise UsageError(f"{directory.path}: cannot be written: {error.strerror}.") from None
    return Opened(directory, run, resumed=False)


def _unfinished_latest(prepared: Prepared, runs_dir: Path) -> Opened | None:
    """Give the latest run if it has the same plan and did not come to its end."""
    directory = RunDirectory(named(runs_dir / LATEST))
    if not directory.manifest.exists():
        return None
    run = directory.read()
    if run.status == "complete" or _differences(run, prepared):
        return None
    return Opened(directory, run, resumed=True)


def _differences(run: Run, prepared: Prepared) -> list[str]:
    """Name what differs between a run's plan and the one at hand."""
    settings = prepared.settings
    pairs = {
        "questions": (run.questions_sha256, prepared.questions.sha256),
        "arms": (run.arms, prepared.arms),
        "repeats": (run.repeats, settings.repeats),
        "seed": (run.seed, settings.seed),
        "base_url": (run.base_url, without_userinfo(settings.base_url)),
    }
    pairs |= {name: (run.settings.get(name), getattr(settings, name)) for name in PLAN_SETTINGS}
    return [name for name, (theirs, ours) in pairs.items() if theirs != ours]


def now() -> str:
    """Give the time of day in UTC, ISO 8601 with milliseconds: for people and files, never for durations."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
