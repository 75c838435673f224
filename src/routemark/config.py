"""Settings: everything a run can be told, made once from flags, environment, file and defaults.

Precedence: command-line flag, ``ROUTEMARK_<OPTION>`` in the environment, ``routemark.toml`` (or the
file named by ``--config``), default. A `.env` file fills environment variables that are not set.
The API key is read from the environment alone and is never part of the settings, so nothing that
prints or stores settings can leak it.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Meta, field
from msgspec.inspect import is_struct_type

from routemark.errors import SettingsError
from routemark.records import Estimand, Record, StoppingMode

DEFAULT_BASE_URL = "https://openrouter.ai/api/v1"
SIMULATED_KEY = "no-key"
"""What the simulated gateway is sent for a key."""
CONFIG_FILE = "routemark.toml"
ENV_PREFIX = "ROUTEMARK_"
FLAG_PREFIX = "--"
LISTS = ("model", "output", "perturb")
"""Options that may be given more than once; in the environment, at white space."""

Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]

ExportFormat = Literal[
    "long",
    "wide",
    "picks",
    "routerbench",
    "routerarena",
    "routerarena-predictions",
    "routellm",
    "llmrouterbench",
    "omnisbench",
    "openrouter-bench",
]
"""What `export` writes beside rows: tables of ours, and other tools' formats."""


class JudgeSettings(Record, frozen=True, kw_only=True):
    """The ``[judge]`` table: the model that grades where a question's grader is ``judge``."""

    model: Annotated[str, Meta(description="The judge, as an arm is named; required.", min_length=1)]
    mode: Annotated[
        Literal["rubric", "pairwise"],
        Meta(
            description="How answers are judged where the question does not say: on a scale, or each against "
            "the baseline's answer."
        ),
    ] = "rubric"
    max_cost: Annotated[
        Annotated[float, Meta(ge=0, le=1e6)] | None,
        Meta(description="Spend at most USD on judging, surely; apart from --max-cost."),
    ] = None
    base_url: Annotated[str | None, Meta(description="The judge's gateway. Default: the run's.")] = None
    temperature: Annotated[Annotated[float, Meta(ge=0, le=2)] | None, Meta(description="Of the judge.")] = 0.0
    max_tokens: Annotated[Count, Meta(description="Limit on a verdict's tokens, reasoning included.")] = 4096
    concurrency: Annotated[
        Annotated[int, Meta(ge=1, le=256)], Meta(description="Answers that are judged at once.")
    ] = 8


Preset = Literal["openrouter", "openai", "litellm", "vllm-semantic-router", "azure", "notdiamond"]
"""Gateways whose manners are known by name (see wire.dialect)."""


class TokenPrice(Record, frozen=True, kw_only=True):
    """A ``[gateway.prices."MODEL"]`` table: US dollars per million tokens."""

    prompt: Annotated[float, Meta(ge=0, le=1e6)]
    completion: Annotated[float, Meta(ge=0, le=1e6)]
    cached: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    """Of prompt tokens from a cache; None: as any other."""


class GatewaySettings(Record, frozen=True, kw_only=True):
    """The ``[gateway]`` table: how a gateway other than OpenRouter is asked, and where it tells what it did."""

    preset: Annotated[
        Preset | None, Meta(description="The gateway it is, or is like. Default: by the host of base_url.")
    ] = None
    headers: Annotated[
        dict[str, str],
        Meta(
            description="Headers to send with every request. $NAME stands for an environment variable, and a "
            "secret must be given so."
        ),
    ] = field(default_factory=dict)
    body: Annotated[
        dict[str, Any], Meta(description="Fields to send with every request, beside those of an arm.")
    ] = field(default_factory=dict)
    openrouter_fields: Annotated[
        bool | None,
        Meta(
            description="Send what only OpenRouter understands (plugins, session_id). Default: the preset's."
        ),
    ] = None
    model: Annotated[
        list[str],
        Meta(
            description="Where the model that served is told: header:NAME or body:PATH, the first that tells it."
        ),
    ] = field(default_factory=list)
    cost: Annotated[list[str], Meta(description="Likewise, where the cost in US dollars is told.")] = field(
        default_factory=list
    )
    task_type: Annotated[list[str], Meta(description="Likewise, what the router took the prompt for.")] = (
        field(default_factory=list)
    )
    keep: Annotated[
        list[str], Meta(description="Beginnings of names of response headers to keep with each answer.")
    ] = field(default_factory=list)
    routers: Annotated[
        list[str], Meta(description="Names, as given with -m, that are routers and not models.")
    ] = field(default_factory=list)
    prices: Annotated[
        dict[str, TokenPrice],
        Meta(description="By model, for gateways that tell no cost: US dollars per million tokens."),
    ] = field(default_factory=dict)


class Settings(Record, frozen=True, kw_only=True):
    """What one run is told. Field names are the options' names; descriptions are their help."""

    questions: Annotated[
        str | None, Meta(description="Question file: JSON, JSONL or CSV. Default: the shipped questions.")
    ] = None
    model: Annotated[
        list[str],
        Meta(
            description="What to ask, an arm each: a router or a fixed model, with settings as a query: "
            "'openrouter/auto?cost_tier=low&excluded_models=meta-llama/*'. Repeatable. "
            "Default: openrouter/auto.",
            extra={"short": "-m"},
        ),
    ] = field(default_factory=list)
    arm: Annotated[
        list[dict[str, Any]], Meta(description="[[arm]] tables of the settings file.", extra={"flag": False})
    ] = field(default_factory=list)
    judge: Annotated[
        JudgeSettings | None,
        Meta(description="[judge] table of the settings file.", extra={"flag": False}),
    ] = None
    sweep: Annotated[
        Literal["cost_tier"] | None, Meta(description="One arm for each value of this router setting.")
    ] = None
    baseline: Annotated[
        str | None,
        Meta(
            description="The arm you use today: every other arm is compared with it.",
        ),
    ] = None
    weights: Annotated[
        str | None,
        Meta(
            description="Your traffic's mix of difficulties, LABEL=NUMBER,...: accuracy, cost and verdict are "
            "weighted to it, e.g. easy=70,hard=20,opt=10."
        ),
    ] = None
    traffic: Annotated[
        Count | None,
        Meta(description="Your calls a month: says how many dollars a month are saved beside --baseline."),
    ] = None
    baselines: Annotated[
        Literal["picked", "missing"] | None,
        Meta(
            description="Also ask the models that the routers pick directly: every question, rare picks a "
            "sample (picked), or only what the router did not answer with them (missing)."
        ),
    ] = None
    confirm_oracle: Annotated[
        bool,
        Meta(
            description="At the end, ask each question's best right model once afresh: what knowing the "
            "answers beforehand would really reach."
        ),
    ] = False
    base_url: Annotated[str, Meta(description="The gateway (also OPENROUTER_BASE_URL).")] = DEFAULT_BASE_URL
    gateway: Annotated[
        Preset | GatewaySettings | None,
        Meta(
            description="What kind of gateway that is; its [gateway] table in the settings file tells more. "
            "Default: by its host, else as OpenRouter."
        ),
    ] = None
    concurrency: Annotated[
        Count,
        Meta(
            description="Ceiling on requests in flight; the pace adapts below it.",
            extra={"short": "-j"},
        ),
    ] = 100
    fixed_concurrency: Annotated[
        bool, Meta(description="Keep --concurrency requests in flight from the start, whatever comes back.")
    ] = False
    set: Annotated[
        Literal["core", "full"],
        Meta(description="Of the shipped questions: the balanced core of 360, or all 1,080."),
    ] = "core"
    limit: Annotated[Count | None, Meta(description="Ask only N questions, drawn by --seed.")] = None
    shard: Annotated[
        str | None,
        Meta(
            description="Ask share I of N of the questions, I/N; other processes ask the others, and "
            "`routemark merge` joins them."
        ),
    ] = None
    repeats: Annotated[Count, Meta(description="Ask every question N times of every arm.")] = 1
    perturb: Annotated[
        list[str],
        Meta(
            description="Also ask copies of questions, changed in ways that should not matter: typos, case, "
            "space, polite, choices (reordered), or all. Repeatable, or with commas.",
        ),
    ] = field(default_factory=list)
    perturb_limit: Annotated[
        Count, Meta(description="Questions that each kind of --perturb copies at most, drawn by --seed.")
    ] = 120
    seed: Annotated[
        Annotated[int, Meta(ge=0)],
        Meta(description="Order of questions and of everything drawn."),
    ] = 0
    max_cost: Annotated[
        Annotated[float, Meta(ge=0, le=1e6)] | None,
        Meta(
            description="Spend at most USD, surely: stop before a request that may exceed it. "
            "Resume with more.",
        ),
    ] = None
    max_tokens: Annotated[
        Count,
        Meta(description="Limit on an answer's tokens, reasoning included."),
    ] = 16384
    temperature: Annotated[
        Annotated[float, Meta(ge=0, le=2)] | None,
        Meta(description="Not sent unless given."),
    ] = None
    timeout: Annotated[Seconds, Meta(description="Limit on one request, seconds.")] = 600.0
    idle_timeout: Annotated[
        Seconds,
        Meta(
            description="Limit on the silence between two pieces of a response, seconds.",
        ),
    ] = 120.0
    max_attempts: Annotated[Count, Meta(description="Requests for one trial, the first included.")] = 6
    stream: Annotated[bool, Meta(description="Stream answers (measures the time to the first token).")] = True
    transport: Annotated[Literal["pyreqwest", "httpx"], Meta(description="HTTP library underneath.")] = (
        "pyreqwest"
    )
    executor: Annotated[
        Literal["local", "ray"] | None,
        Meta(description="Ask from this process (local, the default), or from the workers of a Ray cluster."),
    ] = None
    ray_address: Annotated[
        str | None,
        Meta(
            description="The Ray cluster: auto, or HOST:PORT. Default: RAY_ADDRESS, else one on this machine, "
            "started if need be."
        ),
    ] = None
    workers: Annotated[
        Count | None, Meta(description="Workers on the Ray cluster. Default: one on each node.")
    ] = None
    runs_dir: Annotated[str, Meta(description="Where runs are kept.")] = "runs"
    run_id: Annotated[
        str | None,
        Meta(
            description="Name of the run; the same name again resumes it. Default: made from the date.",
        ),
    ] = None
    output: Annotated[
        list[str],
        Meta(
            description="Also write FILE, by its ending: .json .csv .parquet .md .html .junit.xml. Repeatable.",
            extra={"short": "-o"},
        ),
    ] = field(default_factory=list)
    simulate: Annotated[
        bool, Meta(description="Ask the shipped simulated gateway: no key, no cost, fictitious models.")
    ] = False
    margin: Annotated[
        Annotated[float, Meta(gt=0, lt=1)],
        Meta(description="Accuracy difference that does not matter to you, in [0, 1]."),
    ] = 0.03
    until_decided: Annotated[
        StoppingMode | None,
        Meta(
            description="Stop as soon as the first router is surely better, worse or equivalent (within --margin) "
            "beside --baseline, else beside every fixed model. =open: the file may be extended later.",
            extra={"bare": "closed"},
        ),
    ] = None
    estimand: Annotated[
        Estimand,
        Meta(
            description="With --until-decided, what is claimed: about questions like these, or about exactly "
            "these questions (file)."
        ),
    ] = "population"
    detect: Annotated[
        Annotated[float, Meta(gt=0, lt=1)] | None,
        Meta(description="Tell how many questions an accuracy difference of this size needs, in [0, 1]."),
    ] = None
    gate: Annotated[
        list[str],
        Meta(
            description="Exit 10 unless this holds at the end, e.g. 'accuracy(auto) >= accuracy(best_single) - "
            "0.02' or 'failed_share(auto) < 0.01'. Repeatable.",
        ),
    ] = field(default_factory=list)
    fail_on_error: Annotated[
        Annotated[float, Meta(ge=0, le=1)],
        Meta(description="Exit 3 when a larger share of trials than this failed."),
    ] = 0.5
    allow_code_execution: Annotated[
        bool,
        Meta(
            description="Run code in answers to grade it, in a bubblewrap sandbox without network (grader code)."
        ),
    ] = False
    dry_run: Annotated[
        bool, Meta(description="Say what would be asked and what it may cost; ask no model.")
    ] = False
    json: Annotated[bool, Meta(description="One JSON object on standard output and nothing else there.")] = (
        False
    )
    quiet: Annotated[bool, Meta(description="No progress.")] = False

    def public(self) -> dict[str, Any]:
        """Give the settings as stored in manifest and results: plain data, no secret."""
        settings: dict[str, Any] = msgspec.to_builtins(self)
        settings["base_url"] = without_userinfo(self.base_url)
        if self.judge is not None and self.judge.base_url is not None:
            settings["judge"]["base_url"] = without_userinfo(self.judge.base_url)
        return settings


class OfflineOptions(Record, frozen=True, kw_only=True):
    """What judging files is told, beside the settings it shares with a run."""

    picks: Annotated[
        str | None,
        Meta(description="Table of picks: question_id, arm, model (CSV, JSONL or Parquet)."),
    ] = None
    allow_missing: Annotated[
        bool, Meta(description="Leave out picks whose answer OUTCOMES lacks, and count them.")
    ] = False
    all_metrics: Annotated[bool, Meta(description="Also what only specialists read.")] = False


class GatewayOptions(Record, frozen=True, kw_only=True):
    """What the simulated or replaying gateway is told. Descriptions are the help of the options."""

    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[
        Annotated[int, Meta(ge=0, le=65535)],
        Meta(description="Port; 0 takes a free one."),
    ] = 0
    seed: Annotated[Annotated[int, Meta(ge=0)], Meta(description="Decides every answer, pick and fault.")] = 0
    questions: Annotated[
        str | None,
        Meta(description="Question file whose prompts the models know. Default: the shipped questions."),
    ] = None
    latency: Annotated[
        str,
        Meta(
            description="Factor on every model's own latency, or fixed:SECONDS for all.",
        ),
    ] = "0.01"
    faults: Annotated[
        str,
        Meta(description="Faults as kind:share pairs, e.g. 429:0.05,midstream:0.01."),
    ] = ""
    replay: Annotated[
        str | None,
        Meta(
            description="Serve recorded answers: a run directory, or RouterArena results.",
        ),
    ] = None
    api_key: Annotated[
        str | None,
        Meta(description="The only key that is let in. Default: any key."),
    ] = None
    unsafe_host: Annotated[bool, Meta(description="Allow a --host that other machines can reach.")] = False
    generation_lag_s: Annotated[
        Seconds, Meta(description="Delay before a finished answer can be looked up.", extra={"flag": False})
    ] = 30.0
    exit_on_eof: Annotated[bool, Meta(description="Stop when standard input closes.")] = False


class ViewOptions(Record, frozen=True, kw_only=True):
    """What the viewer is told."""

    port: Annotated[
        Annotated[int, Meta(ge=0, le=65535)],
        Meta(description="Port on 127.0.0.1; 0 takes a free one."),
    ] = 0


OPTION_RECORDS: tuple[type[Record], ...] = (Settings, OfflineOptions, GatewayOptions, ViewOptions)
"""All that a settings file may hold belongs to one of them."""


def option_names() -> set[str]:
    """Give the names of all options of all commands."""
    return {one.name for kind in OPTION_RECORDS for one in msgspec.structs.fields(kind)}


def without_userinfo(url: str) -> str:
    """Give the URL without the ``user:password@`` that some put before the host."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


OptionsT = TypeVar("OptionsT", bound=msgspec.Struct)


def resolve(
    kind: type[OptionsT],
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    *,
    cwd: Path | None = None,
    others: Collection[str] = (),
) -> OptionsT:
    """Merge flags (those given), environment and settings file into options of one kind.

    The flag ``config`` (or ``ROUTEMARK_CONFIG``) names the settings file; without it,
    ``routemark.toml`` in ``cwd`` is read if there. ``others``: names of options that other commands
    know; they are passed over. Raises SettingsError naming the source and, for an unknown key, the
    nearest known one.
    """
    flags = dict(flags)
    config = flags.pop("config", None) or environ.get(ENV_PREFIX + "CONFIG")
    path, values = _from_file(config, cwd or Path())
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
    merged: dict[str, Any] = {}
    for source, more in (
        (f"{path}: ", values),
        (ENV_PREFIX, _from_environ(environ)),
        (FLAG_PREFIX, flags),
    ):
        if "model" in more:  # whoever names arms names all of them
            merged = {key: value for key, value in merged.items() if key not in ("arm", "model")}
        merged.update(_checked(source, more, fields, others))
    return kind(**merged)


def api_key(environ: Mapping[str, str]) -> str | None:
    """Give the key from ``OPENROUTER_API_KEY``; None when unset or blank."""
    return environ.get("OPENROUTER_API_KEY", "").strip() or None


def nearest(word: str, known: list[str]) -> str:
    """Give `` Did you mean "..."?`` when a known word is near, else an empty string."""
    near = difflib.get_close_matches(word, known, n=1)
    return f' Did you mean "{near[0]}"?' if near else ""


def _from_file(config: str | None, cwd: Path) -> tuple[Path, dict[str, Any]]:
    path = cwd / (config or CONFIG_FILE)
    if config is None and not path.is_file():
        return path, {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}.") from None
    return path, {key.replace("-", "_"): value for key, value in values.items()}


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    """Give the options set in the environment, lists split at white space."""
    found: dict[str, Any] = {}
    if base_url := environ.get("OPENROUTER_BASE_URL"):
        found["base_url"] = base_url
    for name, value in environ.items():
        if name.startswith(ENV_PREFIX) and name != ENV_PREFIX + "CONFIG" and value:
            key = name.removeprefix(ENV_PREFIX).lower()
            found[key] = value.split() if key in LISTS else value
    return found


def _checked(
    source: str, values: Mapping[str, Any], fields: Mapping[str, Any], others: Collection[str]
) -> dict[str, Any]:
    """Convert each value to its field's type, or raise SettingsError naming source and key."""
    checked = {}
    for key, value in values.items():
        where = source + {ENV_PREFIX: key.upper(), FLAG_PREFIX: key.replace("_", "-")}.get(source, key)
        if key in fields:
            checked[key] = _converted(where, fields[key], _listed(fields[key], value))
        elif key not in others:
            raise SettingsError(f"{where}: no such setting.{nearest(key, sorted({*fields, *others}))}")
    return checked


def _listed(kind: Any, value: Any) -> Any:
    """Give a text as a list of one where a list is wanted."""
    wants_list = any(get_origin(part) is list for part in _parts_of(kind))
    return [value] if wants_list and isinstance(value, str) else value


def _converted(where: str, kind: Any, value: Any) -> Any:
    table = next(filter(is_struct_type, _parts_of(kind)), None)
    if table is not None and isinstance(value, dict):
        return _filled(where, table, value)
    try:
        return msgspec.convert(value, kind, strict=not isinstance(value, str))
    except msgspec.ValidationError as error:
        raise SettingsError(f"{where}: {_plainly(str(error))} (got {value!r}).") from None


def _filled(where: str, table: type[msgspec.Struct], values: dict[str, Any]) -> msgspec.Struct:
    """Make a record of a table of the settings file, or raise SettingsError naming the key at fault."""
    fields = {one.name: one for one in msgspec.structs.fields(table)}
    named = {key.replace("-", "_"): value for key, value in values.items()}
    checked = _checked(f"{where}.", named, {name: one.type for name, one in fields.items()}, ())
    for name, one in fields.items():
        if one.required and name not in checked:
            raise SettingsError(f"{where}.{name}: missing; it must be given.")
    return table(**checked)


def _parts_of(kind: Any) -> list[Any]:
    """Give a type and the types that it is made of; a table with names of its own is one thing."""
    if get_origin(kind) is dict:
        return [kind]
    return [kind, *(part for inner in get_args(kind) for part in _parts_of(inner))]


def _plainly(message: str) -> str:
    """Turn msgspec's words into a person's."""
    for theirs, ours in (
        ("`", ""),
        ("float", "a number"),
        ("int", "a whole number"),
        ("bool", "true or false"),
        ("array", "a list"),
        ("object", "a table"),
    ):
        message = message.replace(theirs, ours)
    return message[:1].lower() + message[1:]
