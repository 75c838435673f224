"""What happens before the first request: settings to questions and arms, and a run directory to fill.

Everything that can be wrong is found here, so that nothing is sent on behalf of a faulty file.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from routemark import graders, plugins, sandbox
from routemark._version import __version__
from routemark.analysis.gates.gates import Known, read_gates
from routemark.analysis.gates.language import Gate
from routemark.analysis.stopping.deciding import contest
from routemark.analysis.traffic.weights import parse_weights
from routemark.clock import now
from routemark.config import SIMULATED_KEY, JudgeSettings, Settings, without_userinfo
from routemark.engine.ray_team import require_ray
from routemark.errors import PluginError, SettingsError, UsageError
from routemark.graders.plugged import plugged
from routemark.picking import with_reach
from routemark.policy import plan
from routemark.policy.free import is_free
from routemark.policy.sharding import parse_shard
from routemark.questions import QuestionSet, load, shipped
from routemark.questions.copies import kinds_named, with_copies
from routemark.questions.plugged import scheme_of
from routemark.questions.sharing import copies_in, share
from routemark.records import Arm, Copies, Question, Run, Shard
from routemark.report import outputs
from routemark.rundir import LATEST, RunDirectory, find, named, new_directory
from routemark.wire.arms import arm_from_table, check_names, may_pick, parse_arm, plugin_name, sweep
from routemark.wire.dialect import OPENROUTER, Dialect, dialect_of, resolved_headers
from routemark.wire.request import RequestOptions

DEFAULT_ARM = "openrouter/auto"
PLAN_SETTINGS = (
    "max_tokens",
    "temperature",
    "stream",
    "simulate",
    "baselines",
    "confirm_oracle",
    "gateway",
)
"""Settings that decide what is sent; with questions, arms, repeats, seed and gateway they make a plan."""


class Prepared(NamedTuple):
    """What is known before anything is sent."""

    settings: Settings
    questions: QuestionSet
    arms: list[Arm]
    perturbed: dict[str, Copies] = {}  # noqa: RUF012 - never written to
    """The perturbed copies at the end of the questions, by kind."""
    shard: Shard | None = None
    """The share of an undivided plan that the questions are; None: all of it."""
    undivided: QuestionSet | None = None
    """The questions of that plan; None without a shard, and once they are frozen."""
    catalogue: dict[str, Any] | None = None
    """What the gateway's models cost; fetched when ``--max-cost`` needs it (see pricing)."""
    plugins: dict[str, str] = {}  # noqa: RUF012 - never written to
    """What of it is plugins, and which package brings each (see records.Run)."""

    @property
    def options(self) -> RequestOptions:
        """What every request has in common."""
        settings = self.settings
        return RequestOptions(
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            stream=settings.stream,
            dialect=dialect(settings),
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
    check_executor(settings)
    for name in settings.output:
        outputs.writer_for(name)
    kinds = kinds_named(settings.perturb)
    if settings.judge is not None:
        judge_arm(settings.judge)
    arms = make_arms(settings)
    gates_of(settings, arms)
    questions = load(settings.questions or shipped())
    if settings.questions is None and settings.set == "core":
        questions = questions.where(lambda question: question.metadata.get("core") is True)
    if settings.limit is not None and settings.limit < len(questions):
        questions = questions.sample(settings.limit, settings.seed)
    weights_of(settings, questions)
    questions, perturbed = with_copies(questions, kinds, seed=settings.seed, most=settings.perturb_limit)
    check_deciding(settings, arms, questions)
    return divided(
        Prepared(settings, questions, arms, perturbed, plugins=plugins_used(settings, questions, arms))
    )


def divided(prepared: Prepared) -> Prepared:
    """Give the share of a plan that ``--shard`` names; without that option, as it is.

    Raises: SettingsError where there is nothing in the share, or what is to be shown needs the other shares.
    """
    settings, questions = prepared.settings, prepared.questions
    if settings.shard is None:
        return prepared
    number, count = parse_shard(settings.shard)
    if settings.until_decided is not None:
        raise SettingsError(
            "--until-decided: one shard cannot tell when all of them together are decided. Use one of the two."
        )
    own = share(questions, number, count, settings.seed)
    if not len(own):
        raise SettingsError(
            f"--shard {settings.shard}: none of the {len(questions):,} questions falls into this shard. "
            "Leave it out; merge does without it."
        )
    weights_of(settings, own)
    shard = Shard(
        number=number,
        count=count,
        questions=len(questions),
        questions_sha256=questions.sha256,
        perturbed=prepared.perturbed,
    )
    return prepared._replace(
        questions=own, perturbed=copies_in(own, prepared.perturbed), shard=shard, undivided=questions
    )


def gates_of(settings: Settings, arms: Sequence[Arm]) -> list[Gate]:
    """Give the gates of ``--gate``, checked against the arms; raise GateError for one that cannot be read."""
    joins = settings.baselines is not None
    known = Known(
        models={arm.name: arm.model for arm in arms},
        baseline=settings.baseline,
        has_router=any(map(may_pick, arms)),
        has_fixed=joins or not all(map(may_pick, arms)),
        may_join=joins,
    )
    return read_gates(settings.gate, known)


def weights_of(settings: Settings, questions: Iterable[Question]) -> dict[str, float] | None:
    """Give the share of each difficulty in the user's traffic; None without ``--weights``.

    Raises SettingsError where they are not weights of the questions' difficulties.
    """
    if settings.weights is None:
        return None
    if settings.until_decided is not None:
        raise SettingsError(
            "--weights: a run with --until-decided is decided on the questions as they are asked, and what it "
            "then says holds for them alone. Use one of the two."
        )
    return parse_weights(settings.weights, {question.difficulty for question in questions})


def check_deciding(settings: Settings, arms: Sequence[Arm], questions: QuestionSet) -> None:
    """Refuse what cannot be decided while the run goes on; raise UsageError."""
    if settings.until_decided is None:
        if settings.estimand == "file":
            raise SettingsError("--estimand file: it says what --until-decided claims; give that, too.")
        return
    if settings.until_decided == "open" and settings.estimand == "file":
        raise SettingsError(
            "--until-decided=open is for a file that may be extended; --estimand file claims something about "
            "exactly the questions that it has. Use one of them."
        )
    for name, wanted in (("--perturb", settings.perturb), ("--confirm-oracle", settings.confirm_oracle)):
        if wanted:
            raise SettingsError(
                f"--until-decided: {name} asks after the last question, which a decided run does not reach. "
                "Use one of them."
            )
    contest(arms, settings, len(questions))
    ungraded = sum(graders.resolve(question) is None for question in questions)
    if ungraded:
        raise UsageError(
            f"--until-decided: {ungraded:,} of {len(questions):,} questions have neither a reference nor a grader, "
            "so no score can decide. Add references, or leave those questions out."
        )


def judge_arm(judge: JudgeSettings) -> Arm:
    """Give the judge as an arm. Raises: SettingsError when its name cannot be one."""
    try:
        return parse_arm(judge.model)
    except SettingsError as error:
        raise SettingsError(f"[judge] model: {error}") from None


def check_executor(settings: Settings) -> None:
    """Refuse an executor that is not there, or options of another one; raise UsageError."""
    if settings.executor == "ray":
        require_ray(settings.ray_address)
        return
    for name, value in (("--ray-address", settings.ray_address), ("--workers", settings.workers)):
        if value is not None:
            raise SettingsError(f"{name} {value}: goes with --executor ray.")


def check_free(settings: Settings, arms: Sequence[Arm]) -> None:
    """Refuse to ask free models from a cluster; raise SettingsError."""
    free = [arm.name for arm in arms if is_free(arm)]
    if settings.executor == "ray" and free:
        raise SettingsError(
            f"--executor ray: {free[0]} may be asked 20 times a minute, for which one process is plenty. "
            "Leave the option out, or the arm."
        )


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
    arms = [with_reach(known_as_router(arm, dialect(settings))) for arm in arms]
    if settings.sweep is not None:
        arms = sweep(arms, settings.sweep)
    check_names(arms)
    check_baselines(settings, arms)
    check_sticky(settings, arms)
    check_free(settings, arms)
    check_dialect(settings, arms)
    return arms


def dialect(settings: Settings) -> Dialect:
    """Give the manners of the gateway that is asked; the simulated one has OpenRouter's. Raises: SettingsError."""
    return OPENROUTER if settings.simulate else dialect_of(settings.gateway, settings.base_url)


def dialect_at(settings: Settings, base_url: str) -> Dialect:
    """Give the manners of a gateway that may be another than the run's, such as the judge's."""
    ours = settings.simulate or base_url == settings.base_url
    return dialect(settings) if ours else dialect_of(None, base_url)


def known_as_router(arm: Arm, spoken: Dialect) -> Arm:
    """Give an arm as a router's where the gateway's settings say that its name is one."""
    routes = arm.is_router or arm.model in spoken.routers
    return msgspec.structs.replace(arm, is_router=routes)


def check_dialect(settings: Settings, arms: Sequence[Arm]) -> None:
    """Refuse what only OpenRouter understands, where another gateway is asked; raise SettingsError."""
    spoken = dialect(settings)
    resolved_headers(spoken, os.environ)
    if spoken.openrouter_fields:
        return
    for arm in arms:
        if arm.sticky:
            raise SettingsError(
                f"{arm.name}: sticky=true needs session ids, which a {spoken.name} gateway does not take."
            )
        if arm.plugin and plugin_name(arm.model) is None:
            names = ", ".join(name for name in arm.plugin if name != "id")
            raise SettingsError(
                f"{arm.name}: {names} is a setting of OpenRouter's own, which a {spoken.name} gateway does not take. "
                "What it takes itself can stand in [gateway] body."
            )


def plugins_used(settings: Settings, questions: QuestionSet, arms: Sequence[Arm]) -> dict[str, str]:
    """Give which package brings each plugin of a run. Raises: PluginError where a name is ambiguous."""
    plugins.refuse_shadows("grader", graders.GRADERS)
    plugins.refuse_shadows("reporter", [ending.lstrip(".") for ending in outputs.WRITERS])
    graded = graders.used(questions) if plugins.names("grader") else set()
    routers = {name for arm in arms if (name := plugin_name(arm.model)) is not None}
    loader = scheme_of(settings.questions or "")
    reporters = {name for file in settings.output if (name := outputs.plugin_for(file)) is not None}
    return {
        **plugins.versions("grader", graded),
        **plugins.versions("arm", routers),
        **plugins.versions("loader", {loader} if loader else ()),
        **plugins.versions("reporter", reporters),
    }


def check_sticky(settings: Settings, arms: Sequence[Arm]) -> None:
    """Refuse a sticky arm whose questions are asked once, with nothing to share a session with."""
    for arm in arms:
        if arm.sticky and settings.repeats == 1:
            raise SettingsError(
                f"{arm.name}: sticky=true lets the repeats of a question share a session, and there is one of "
                "each. Give --repeats 2 or more."
            )


def check_baselines(settings: Settings, arms: Sequence[Arm]) -> None:
    """Refuse what needs picks, or models to choose from, where the arms have none; raise SettingsError."""
    if settings.baselines is not None and not any(map(may_pick, arms)):
        raise SettingsError(
            f"--baselines {settings.baselines}: no arm is a router, so no model will be picked. Add one with -m, "
            f"for example -m {DEFAULT_ARM}."
        )
    if settings.confirm_oracle and settings.baselines is None and all(map(may_pick, arms)):
        raise SettingsError(
            "--confirm-oracle: no fixed model is asked directly, so there is none to choose from. "
            "Add fixed models with -m, or --baselines picked."
        )


def require_key(settings: Settings, key: str | None) -> str | None:
    """Give the key to send; raise SettingsError when OpenRouter itself is asked without one."""
    if settings.simulate:
        return SIMULATED_KEY
    judge_url = settings.judge.base_url if settings.judge is not None else None
    if key is None and "openrouter.ai" in settings.base_url + (judge_url or ""):
        raise SettingsError(
            "No API key. Set OPENROUTER_API_KEY (in the environment or in .env), "
            "or try --simulate, which needs none."
        )
    return key


def routers_of(used: dict[str, str]) -> dict[str, str]:
    """Give those of a run's plugins that pick models, and so decide what is asked."""
    return {what: package for what, package in used.items() if what.startswith("arm ")}


def require_plugins(run: Run) -> None:
    """Refuse to go on with a run without the plugins it was begun with.

    Raises: PluginError where one is missing or cannot be used, or a router has another version now.
    """
    for what, package in run.plugins.items():
        kind, _, name = what.partition(" ")
        if kind == "grader" and plugged(name) is None:
            raise PluginError(f"The run needs the grader {name!r}, of {package}, which is not installed.")
    for arm in run.all_arms:
        with_reach(arm)
    names = [what.removeprefix("arm ") for what in routers_of(run.plugins)]
    now_there = plugins.versions("arm", names)
    for what, package in routers_of(run.plugins).items():
        if now_there.get(what) != package:
            raise PluginError(
                f"The run's {what} was of {package} and is of {now_there.get(what)} now, whose picks may differ. "
                "Install the version it was begun with, or start a new run."
            )


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
        return _begin(runs_dir, run_id, prepared)
    directory = _directory(runs_dir, settings.run_id, prepared.shard)
    if not directory.manifest.exists():
        return _begin(runs_dir, settings.run_id, prepared)
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
        gate=base.gate or kept.gate,
        max_cost=kept.max_cost if base.max_cost is None else base.max_cost,
        judge=kept.judge if base.judge is None else base.judge,
        executor=base.executor or kept.executor,
        ray_address=base.ray_address or kept.ray_address,
        workers=base.workers or kept.workers,
        allow_code_execution=kept.allow_code_execution or base.allow_code_execution,
    )
    if settings.executor != "ray":
        settings = msgspec.structs.replace(settings, ray_address=None, workers=None)
    require_sandbox(settings)
    check_executor(settings)
    require_plugins(manifest)
    resolved_headers(dialect(settings), os.environ)
    check_free(settings, manifest.all_arms)
    gates_of(settings, manifest.all_arms)
    return Prepared(settings, directory.load_questions(), manifest.arms), Opened(
        directory, manifest, resumed=True
    )


def _directory(runs_dir: Path, run_id: str, shard: Shard | None) -> RunDirectory:
    """Give the directory of a run; the shards of one plan have one each, so that they may share ``runs_dir``."""
    part = f".{shard.number}-of-{shard.count}" if shard is not None else ""
    new_directory(runs_dir, run_id)
    return new_directory(runs_dir, run_id + part)


def _begin(runs_dir: Path, run_id: str, prepared: Prepared) -> Opened:
    settings, questions, shard = prepared.settings, prepared.questions, prepared.shard
    directory = _directory(runs_dir, run_id, shard)
    try:
        directory.path.mkdir(parents=True, exist_ok=True)
        if prepared.undivided is None:
            questions = questions.freeze(directory.questions)
        else:
            prepared.undivided.freeze(directory.questions)
        run = Run(
            id=directory.path.name,
            status="running",
            simulated=settings.simulate,
            started_at=now(),
            questions_sha256=questions.sha256,
            questions=len(questions),
            perturbed=prepared.perturbed,
            shard=shard,
            plan_id=run_id if shard is not None else None,
            arms=prepared.arms,
            repeats=settings.repeats,
            seed=settings.seed,
            window=plan.window_size(settings.concurrency, len(prepared.arms)),
            base_url=without_userinfo(settings.base_url),
            routemark_version=__version__,
            settings=settings.public(),
            plugins=prepared.plugins,
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
    ended = run.status == "complete" or (run.decided and prepared.settings.until_decided is not None)
    if ended or _differences(run, prepared):
        return None
    return Opened(directory, run, resumed=True)


def _differences(run: Run, prepared: Prepared) -> list[str]:
    """Name what differs between a run's plan and the one at hand."""
    settings = prepared.settings
    pairs = {
        "questions": (run.questions_sha256, prepared.questions.sha256),
        "shard": (run.shard, prepared.shard),
        "arms": (run.arms, prepared.arms),
        "repeats": (run.repeats, settings.repeats),
        "seed": (run.seed, settings.seed),
        "base_url": (run.base_url, without_userinfo(settings.base_url)),
        "plugins": (routers_of(run.plugins), routers_of(prepared.plugins)),
    }
    kept = msgspec.convert(
        run.settings, Settings
    )  # a setting that is newer than the run has its default there
    pairs |= {name: (getattr(kept, name), getattr(settings, name)) for name in PLAN_SETTINGS}
    return [name for name, (theirs, ours) in pairs.items() if theirs != ours]
