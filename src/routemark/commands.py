"""The commands of `routemark`, one function each; see `cli` for errors and exit codes.

A command resolves its options, calls one function of the house, and renders what comes back: data
to standard output, progress and notices to standard error.
"""
# ruff: noqa: PLC0415 - a command imports what it needs when it is called

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec
from cyclopts import App, Parameter

from routemark import commands_setup, flags
from routemark._version import __version__
from routemark.config import (
    ExportFormat,
    GatewayOptions,
    OfflineOptions,
    Settings,
    ViewOptions,
    api_key,
    option_names,
    resolve,
)

if TYPE_CHECKING:
    from rich.console import Console

    from routemark.main import Finished
    from routemark.prepare import Opened, Prepared
    from routemark.records import GateResult, Run, Summary
    from routemark.rundir import RunDirectory

app = App(
    name="routemark",
    help="""Tells whether an LLM router earns its keep on your own questions.

    Examples: `routemark run --simulate` tries everything without a key;
    `routemark run my.jsonl -m openrouter/auto -m openai/gpt-5-mini` asks your questions;
    `routemark COMMAND --help` explains a command.""",
    version=__version__,
    help_epilogue="Every option can also be set as ROUTEMARK_OPTION or in routemark.toml.",
)
commands_setup.register(app)
Config = Annotated[str | None, Parameter(name="--config", help="Settings file. [default: routemark.toml]")]
ForeignFormat = Annotated[
    str | None, Parameter(name="--format", help="Format of the file, when what it holds does not tell.")
]
Result = TypeVar("Result")
Options = TypeVar("Options", bound=msgspec.Struct)
Format = Literal["text", "json", "markdown", "html", "junit"]
_OF_RESUME = {
    "runs_dir",
    "output",
    "json",
    "quiet",
    "max_cost",
    "allow_code_execution",
    "gate",
    "executor",
    "ray_address",
    "workers",
}
_OF_SUMMARY = ("baseline", "margin", "weights", "traffic", "gate")
"""What a run that is finished can be told anew."""
_OF_GRADE = {"runs_dir", "output", "json", "quiet", "allow_code_execution"}
_OF_OFFLINE = {
    "picks",
    "allow_missing",
    "all_metrics",
    "output",
    "json",
    "baseline",
    "margin",
    "seed",
    "gate",
}
_OPTIONS = option_names()


@app.command
@flags.taken_from(Settings, leave_out=("questions", "detect"))
def run(questions: str | None = None, /, *, config: Config = None, **given: Any) -> int:
    """Ask every arm every question, grade, summarise, write.

    The same command again, after it was stopped, asks only what is still missing.

    Examples: `routemark run --simulate`;
    `routemark run my.jsonl -m openrouter/auto -m openai/gpt-5-mini --max-tokens 4096`

    Parameters
    ----------
    questions
        Question file: JSON, JSONL or CSV. [default: the shipped questions]
    """
    from routemark.prepare import open_run, prepare, require_key

    settings = _settings(given, config, questions)
    prepared = prepare(settings)
    if settings.dry_run:
        return _say_plan(prepared)
    key = require_key(settings, api_key(os.environ))
    prepared = _priced(prepared, key)
    return _ask(prepared, open_run(prepared), key)


@app.command
@flags.taken_from(Settings, leave_out=("questions", "dry_run"))
def plan(questions: str | None = None, /, *, config: Config = None, **given: Any) -> int:
    """Tell what a run with these options would send, and cost at worst and as expected.

    The gateway is asked for its prices; no model is asked, and no key is needed.

    Example: `routemark plan my.jsonl -m openrouter/auto -m openai/gpt-5-mini --detect 0.05`

    Parameters
    ----------
    questions
        Question file: JSON, JSONL or CSV. [default: the shipped questions]
    """
    from routemark.prepare import prepare

    return _say_plan(prepare(_settings(given, config, questions)))


@app.command
@flags.taken_from(Settings, leave_out=tuple(_OPTIONS - _OF_RESUME))
def resume(run: str, /, *, config: Config = None, **given: Any) -> int:
    """Finish a run that stopped, with the settings it was begun with.

    Examples: `routemark resume latest`; `routemark resume latest --max-cost 10`

    Parameters
    ----------
    run
        Run directory, or its name in the runs directory.
    """
    from routemark.prepare import open_resumed, require_key

    prepared, opened = open_resumed(run, _settings(given, config))
    key = require_key(prepared.settings, api_key(os.environ))
    return _ask(_priced(prepared, key), opened, key)


@app.command
@flags.taken_from(Settings, leave_out=tuple(_OPTIONS - _OF_GRADE))
def grade(
    run: str | None = None,
    /,
    *,
    calibrate: Annotated[str | None, Parameter(help="Measure the judge against this file of labels.")] = None,
    config: Config = None,
    **given: Any,
) -> int:
    """Grade a run again with today's graders, from its journal.

    Requests are sent only where a model judges: with a [judge] table in the settings file, for questions whose
    grader is judge, and only for what the journal does not hold. New grades are appended where they differ, and
    results.json and report.html are written anew.

    With --calibrate and no run, the judge of the settings is measured against labelled answers: JSONL of
    question, reference or rubric, answer and score, or of question, answer_a, answer_b and winner.

    Examples: `routemark grade latest`; `routemark grade --calibrate labels.jsonl`

    Parameters
    ----------
    run
        Run directory, or its name in the runs directory.
    """
    from routemark.errors import UsageError
    from routemark.prepare import require_sandbox
    from routemark.regrade import in_words, regrade
    from routemark.rundir import find

    settings = _settings(given, config)
    if (run is None) == (calibrate is None):
        raise UsageError("grade: name a run, or --calibrate FILE, one of the two.")
    if run is None:
        return _calibrate(Path(calibrate or ""), settings)
    require_sandbox(settings)
    directory = find(run, Path(settings.runs_dir))
    result = _in_loop(regrade(directory, settings, api_key(os.environ)))
    _print_result(settings, result.regraded, in_words(result.regraded))
    return 0


def _calibrate(path: Path, settings: Settings) -> int:
    from routemark.calibrate import calibrate
    from routemark.report.calibration import render

    found = _in_loop(calibrate(path, settings, api_key(os.environ)))
    _print_result(settings, found, render(found, _width()))
    return 0


@app.command
@flags.taken_from(Settings, leave_out=tuple(_OPTIONS - {"runs_dir", "output", *_OF_SUMMARY}))
def report(
    run: str,
    /,
    *,
    format: Annotated[Format, Parameter(help="What to print.")] = "text",  # noqa: A002 - the option's name
    config: Config = None,
    **given: Any,
) -> int:
    """Print everything again from the journal; no request is sent.

    Examples: `routemark report latest --format markdown`;
    `routemark report latest --gate 'failed_share(auto) < 0.01'`

    Parameters
    ----------
    run
        Run directory, or its name in the runs directory.
    """
    import shutil
    import tempfile

    from routemark import main
    from routemark.analysis.gates import gates
    from routemark.report import outputs
    from routemark.rundir import find

    settings = _settings(given, config)
    for name in settings.output:
        outputs.writer_for(name)
    directory = find(run, Path(settings.runs_dir))
    kept = {name: getattr(settings, name) for name in _OF_SUMMARY if name in given}
    files = [Path(name) for name in settings.output]
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder) / f"report{outputs.ENDINGS.get(format, '')}"
        printed = [shown] if format in outputs.ENDINGS else []
        ledger, summary = main.summarise(directory, files=[*files, *printed], **kept)
        if not printed:
            _print_text(ledger.run, summary, directory)
        for path in printed:
            with path.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
    return gates.GATE_FAILED if _say_failed(summary.gates) else 0


@app.command
@flags.taken_from(Settings, leave_out=tuple(_OPTIONS - {"runs_dir", "json", "margin"}))
def compare(
    run_a: str,
    run_b: str,
    /,
    *,
    format: Annotated[Literal["text", "json", "markdown"], Parameter(help="What to print.")] = "text",  # noqa: A002 - the option's name
    output: Annotated[
        list[str],
        Parameter(
            name=["--output", "-o"],
            help="Also write FILE, by its ending: .json .md .txt. Repeatable.",
            negative=(),
            consume_multiple=False,
            show_default=False,
        ),
    ] = [],  # noqa: B006 - never written to
    config: Config = None,
    **given: Any,
) -> int:
    """Tell what changed between two runs of the same questions, on two dates or with two settings.

    Changes are B minus A, ratios B / A; no request is sent.

    Example: `routemark compare march april`

    Parameters
    ----------
    run_a
        Run directory, or its name in the runs directory.
    run_b
        The other run.
    """
    from routemark import drift
    from routemark.report import compare as faces
    from routemark.rundir import find

    settings = _settings(given, config)
    for name in output:
        faces.check_output(name)
    directories = [find(run, Path(settings.runs_dir)) for run in (run_a, run_b)]
    found = drift.compare(*directories, margin=settings.margin)
    for name in output:
        faces.write(Path(name), found)
    if settings.json or format == "json":
        sys.stdout.write(faces.to_json(found))
    else:
        sys.stdout.write(faces.markdown(found) if format == "markdown" else faces.render(found, _width()))
    return 0


@app.command
@flags.taken_from(OfflineOptions, Settings, leave_out=tuple(_OPTIONS - _OF_OFFLINE))
def offline(
    outcomes: str,
    /,
    *,
    format: ForeignFormat = None,  # noqa: A002 - the option's name
    config: Config = None,
    **given: Any,
) -> int:
    """Judge routing decisions that exist in files; no request is sent.

    Results of RouterArena, RouterBench, OmnisBench and others are read as they are (see `import`).

    Examples: `routemark offline outcomes.csv --picks picks.csv`;
    `routemark offline cached_results/ --picks predictions/my-router.json`

    Files that --output can name end in .json or .txt.

    Parameters
    ----------
    outcomes
        Table with a row for each question and model: question_id, model, score, cost_usd, and optionally
        difficulty, category, family, latency_s, choices. CSV, JSON, JSONL or Parquet.
    """
    from routemark.analysis.gates import gates
    from routemark.analysis.gates.figures import OFFLINE_FIGURES, of_offline
    from routemark.analysis.published.offline import Asking, judge
    from routemark.interop.tables import read_outcomes, read_picks
    from routemark.report import offline as faces

    settings, options = _settings(given, config), _options(OfflineOptions, given, config)
    for name in settings.output:
        faces.check_output(name)
    table = read_outcomes(outcomes, format)
    arms = []
    if options.picks is not None:
        arms = read_picks(options.picks, table, allow_missing=options.allow_missing)
    sides = [*(chosen.picks.arm for chosen in arms), *table.outcomes.models]
    known = gates.Known(dict(zip(sides, sides, strict=True)), settings.baseline, bool(arms), has_fixed=True)
    conditions = gates.read_gates(settings.gate, known, OFFLINE_FIGURES)
    asking = Asking(settings.baseline, settings.margin, settings.seed, options.all_metrics)
    found = judge(table.outcomes, arms, asking)
    results = gates.decide(conditions, of_offline(found))
    if results:
        found = msgspec.structs.replace(found, gates=results)
    for name in settings.output:
        faces.write(Path(name), found)
    sys.stdout.write(faces.to_json(found) if settings.json else faces.render(found, width=_width()))
    return gates.GATE_FAILED if _say_failed(results) else 0


@app.command
def validate(questions: str, /) -> int:
    """Check a question file; every fault with its place, and what is doubtful, as warnings.

    Example: `routemark validate my.jsonl`

    Parameters
    ----------
    questions
        Question file: JSON, JSONL or CSV.
    """
    from collections import Counter

    from routemark import graders
    from routemark.questions import load
    from routemark.questions.doubts import doubts

    found = load(questions)
    labels = Counter(question.difficulty for question in found)
    ungraded = sum(graders.resolve(question) is None for question in found)
    judged = sum(bool(graders.judge_options(question)) for question in found)
    needs = "a judge, which the [judge] table of the settings must name"
    by_judge = f", {judged:,} of them by {needs}" if judged else ""
    sys.stdout.write(
        f"{questions}: {len(found):,} questions, no fault. "
        f"Difficulty: {', '.join(f'{label} {count:,}' for label, count in labels.most_common(10))}. "
        f"Graded: {len(found) - ungraded:,} of {len(found):,}{by_judge}.\n"
    )
    sys.stderr.writelines(f"warning: {doubt}.\n" for doubt in doubts(found))
    return 0


@app.command
def questions(  # noqa: PLR0913 - its options, by name
    *,
    fresh: Annotated[
        int | None, Parameter(help="Draw new questions by this seed; the same seed gives the same file.")
    ] = None,
    from_: Annotated[
        str | None, Parameter(name="--from", help="Make questions of this log of requests.")
    ] = None,
    n: Annotated[int, Parameter(name="-n", help="Number of questions.")] = 360,
    seed: Annotated[int, Parameter(help="With --from: which requests are drawn.")] = 0,
    judge: Annotated[
        bool,
        Parameter(negative=(), help="With --from: a judge compares answers with the baseline's."),
    ] = False,
    format: Annotated[  # noqa: A002 - the option's name
        str | None, Parameter(help="With --from: chat, litellm, langfuse or otel, if content does not tell.")
    ] = None,
    output: Annotated[str, Parameter(name=["--output", "-o"], help="File to write: .json or .jsonl.")],
) -> int:
    """Draw new questions from the shipped templates, or make questions of a log.

    A log is OpenAI-style chat JSON Lines, LiteLLM spend logs, a Langfuse export or OpenTelemetry GenAI spans. Repeats
    are left out, a sample is drawn that looks like the whole, secrets and personal data are masked.

    Examples: `routemark questions --fresh 7 -n 600 -o fresh.jsonl`;
    `routemark questions --from requests.jsonl -n 200 -o mine.jsonl`
    """
    from routemark.errors import UsageError

    if (fresh is None) == (from_ is None):
        raise UsageError("questions: say --fresh SEED or --from FILE, one of the two.")
    if n < 1 or seed < 0:
        raise UsageError("questions: -n must be at least 1, and --seed not below 0.")
    if from_ is not None:
        return _questions_of_log(Path(from_), Path(output), n=n, seed=seed, judge=judge, kind=format)
    if judge or format or seed:
        raise UsageError("questions: --judge, --format and --seed go with --from.")
    from routemark.questions.fresh import fresh as draw
    from routemark.questions.writing import write

    count = write(draw(fresh or 0, n), Path(output))
    sys.stdout.write(f"{output}: {count:,} questions, drawn by the seed {fresh}\n")
    return 0


def _questions_of_log(log: Path, output: Path, **wished: Any) -> int:
    from routemark.interop.logs.making import Wish, in_words, make
    from routemark.report.numbers import counted

    made = make(log, output, Wish(**wished))
    questions, requests = counted(made.questions, "question"), counted(made.different, "different request")
    sys.stdout.write(f"{output}: {questions} of {requests}\n")
    sys.stderr.writelines(f"{line}\n" for line in in_words(made))
    return 0


@app.command
@flags.taken_from(GatewayOptions)
def gateway(
    *,
    list_faults: Annotated[bool, Parameter(negative=(), help="Name all faults and stop.")] = False,
    config: Config = None,
    **given: Any,
) -> int:
    """Serve the simulated OpenRouter, or one that replays recorded answers, on this machine.

    Example: `routemark gateway --port 8080 --faults 429:0.05`
    """
    from routemark.gateway.serve import fault_names, serve

    if list_faults:
        sys.stdout.writelines(f"{name:18} {what}\n" for name, what in fault_names())
        return 0
    serve(_options(GatewayOptions, given, config))
    return 0


@app.command
@flags.taken_from(ViewOptions)
def view(runs_dir: str | None = None, /, *, config: Config = None, **given: Any) -> int:
    """Show runs in the browser, on this machine alone: finished ones, and one under way as it goes.

    Prints the address to open; Ctrl-C ends it.

    Example: `routemark view`

    Parameters
    ----------
    runs_dir
        Directory that holds the runs, or one run. [default: runs]
    """
    from routemark.viewer.serve import serve

    port = _options(ViewOptions, given, config).port
    serve(Path(runs_dir or _settings({}, config).runs_dir), port)
    return 0


@app.command
@flags.taken_from(Settings, leave_out=tuple(_OPTIONS - {"runs_dir"}))
def export(
    run: str,
    /,
    *,
    output: Annotated[
        str, Parameter(name=["--output", "-o"], help="File to write: .csv, .json, .jsonl or .parquet.")
    ],
    format: Annotated[  # noqa: A002 - the option's name
        ExportFormat | None,
        Parameter(help="Write outcomes, picks or another tool's format instead of rows."),
    ] = None,
    arm: Annotated[str | None, Parameter(help="Whose answers, for a format that holds one arm.")] = None,
    config: Config = None,
    **given: Any,
) -> int:
    """Write the rows of a run, one a trial, as a table: no report, no request.

    Examples: `routemark export latest -o rows.parquet`;
    `routemark export latest --format picks -o picks.csv`

    Parameters
    ----------
    run
        Run directory, or its name in the runs directory.
    """
    from routemark import main
    from routemark.report import export as rows
    from routemark.rundir import find

    if format is not None:
        return _export_foreign(run, Path(output), format, arm, _settings(given, config))
    rows.writer_for(output)
    directory = find(run, Path(_settings(given, config).runs_dir))
    ledger, summary = main.summarise(directory)
    count = rows.write(Path(output), ledger.run, summary, main.rows(ledger))
    sys.stdout.write(f"{output}: {count:,} rows\n")
    return 0


def _export_foreign(run: str, output: Path, name: Any, arm: str | None, settings: Settings) -> int:
    from routemark import main
    from routemark.interop import exporting
    from routemark.rundir import find

    exporting.check(name, output)
    ledger, _ = main.summarise(find(run, Path(settings.runs_dir)))
    asked = ((question.id, question.metadata.get("metric")) for question in ledger.questions)
    metrics = {question: metric for question, metric in asked if isinstance(metric, str)}
    told = exporting.Told(main.rows(ledger), ledger.run.all_arms, metrics)
    count, lost = exporting.export(name, told, output, arm=arm)
    sys.stdout.write(f"{output}: {count:,} records\n")
    sys.stderr.write(f"note: not carried by this format: {'; '.join(lost)}.\n")
    if ledger.run.simulated:
        sys.stderr.write(
            "note: SIMULATED: the models of this run are fictitious, which the file does not say.\n"
        )
    return 0


@app.command(name="import")
def import_(
    file: str,
    /,
    *,
    output: Annotated[str, Parameter(name=["--output", "-o"], help="File to write.")],
    as_: Annotated[
        Literal["questions", "outcomes", "picks"] | None,
        Parameter(
            name="--as", help="What to make of it. Default: questions for .json and .jsonl, else a table."
        ),
    ] = None,
    format: ForeignFormat = None,  # noqa: A002 - the option's name
) -> int:
    """Make a question file, or a table for `offline`, of another tool's results.

    Known are RouterArena, RouterBench, RouteLLM, LLMRouterBench, OmnisBench, OpenRouter's harness, Inspect,
    lm-evaluation-harness, promptfoo, tables long and wide, and data sets by hf://.

    Examples: `routemark import cached_results/ -o questions.jsonl`;
    `routemark import logs/run.eval -o outcomes.csv`

    Parameters
    ----------
    file
        File, or folder of files, to read.
    """
    from routemark.interop.importing import import_file, in_words

    done = import_file(file, Path(output), as_, format)
    sys.stdout.write(in_words(Path(output), done))
    sys.stderr.writelines(f"note: {note}\n" for note in done.notes)
    return 0


@app.command
@flags.taken_from(Settings, leave_out=tuple(_OPTIONS - {"runs_dir", "json"}))
def merge(
    *runs: str,
    output: Annotated[str, Parameter(name=["--output", "-o"], help="Run directory to make.")],
    config: Config = None,
    **given: Any,
) -> int:
    """Join the runs of shards of one plan into one run; no request is sent.

    Plan, questions, settings and version must be the same. Where shards are missing, `routemark resume` asks
    the rest.

    Example: `routemark merge runs/nightly.*-of-4 -o runs/nightly`

    Parameters
    ----------
    runs
        Run directories, or their names in the runs directory.
    """
    from routemark.errors import UsageError
    from routemark.merge import merge as join
    from routemark.report.clean import clean
    from routemark.report.results import results_head
    from routemark.rundir import find

    settings = _settings(given, config)
    if not runs:
        raise UsageError("merge: name the run directories that are to be joined.")
    finished, lines = join([find(run, Path(settings.runs_dir)) for run in runs], Path(output))
    if settings.json:
        sys.stdout.buffer.write(msgspec.json.encode(results_head(finished.run, finished.summary)) + b"\n")
    else:
        _print_text(finished.run, finished.summary, finished.directory)
    sys.stderr.write(f"routemark: joined {len(runs):,} runs in {output}, {lines:,} lines.\n")
    if finished.run.stop_reason:
        reason = clean(finished.run.stop_reason)
        sys.stderr.write(f"routemark: {reason} To ask the rest: routemark resume {finished.directory.path}\n")
    _say_failed(finished.summary.gates)
    return finished.exit_code


@app.command
@flags.taken_from(Settings, leave_out=tuple(_OPTIONS - {"runs_dir", "json", "quiet"}))
def audit(run: str, /, *, config: Config = None, **given: Any) -> int:
    """Look up what each generation cost and who served it, and settle what a crash left open.

    Exit 1 when nothing could be looked up; differences are findings, and exit 0.

    Example: `routemark audit latest`

    Parameters
    ----------
    run
        Run directory, or its name in the runs directory.
    """
    from routemark.audit import audit as look_up
    from routemark.report.audit import render
    from routemark.rundir import find

    settings = _settings(given, config)
    directory = find(run, Path(settings.runs_dir))
    notices = _notices(quiet=settings.quiet)
    note = functools.partial(notices.print, markup=False)
    result = _in_loop(look_up(directory, api_key(os.environ), note=note))
    _print_result(settings, result, render(result))
    return 1 if result.failed else 0


@app.command
@flags.taken_from(
    Settings, leave_out=tuple(_OPTIONS - {"base_url", "gateway", "model", "transport", "runs_dir", "json"})
)
def doctor(
    *,
    speed: Annotated[
        bool, Parameter(help="Measure this machine only: nothing leaves it.", negative=())
    ] = False,
    config: Config = None,
    **given: Any,
) -> int:
    """Check machine, gateway, key and account; ask a few tiny requests and say what they cost.

    With --speed, measure instead for some seconds how fast this machine asks, and with how many requests in
    flight its latencies are still true. Exit 1 when there is a problem.

    Example: `routemark doctor`
    """
    import shutil

    from routemark.doctor import examine
    from routemark.doctor.speed import measure
    from routemark.report.doctor import render

    settings = _settings(given, config)
    result = _in_loop(measure(settings.transport) if speed else examine(settings, api_key(os.environ)))
    _print_result(settings, result, render(result, shutil.get_terminal_size((80, 24)).columns))
    return 1 if result.status == "problem" else 0


def _in_loop(work: Coroutine[Any, Any, Result]) -> Result:
    import asyncio

    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def _print_result(settings: Settings, result: msgspec.Struct, text: str) -> None:
    if settings.json:
        sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
    else:
        sys.stdout.write(text)


def _options(kind: type[Options], given: dict[str, Any], config: str | None) -> Options:
    return resolve(kind, {**given, "config": config}, os.environ, others=_OPTIONS)


def _settings(given: dict[str, Any], config: str | None, questions: str | None = None) -> Settings:
    flags_given = {**given, "config": config, **({"questions": questions} if questions else {})}
    return resolve(Settings, flags_given, os.environ, others=_OPTIONS)


# --------------------------------------------------------------------------- asking, seen by a person


def _ask(prepared: Prepared, opened: Opened, key: str | None) -> int:
    """Ask with progress on standard error and the summary, or JSON, on standard output."""
    from routemark.engine.purse import BUDGET_SPENT
    from routemark.report.clean import clean
    from routemark.report.results import results_head

    settings = prepared.settings
    notices = _notices(quiet=settings.quiet)
    if opened.resumed:
        notices.print(
            f"Resuming {opened.directory.path} (another --run-id begins a new run).",
            markup=False,
            soft_wrap=True,
        )
    finished = _run_loop(prepared, opened, key, notices)
    if settings.json:
        sys.stdout.buffer.write(msgspec.json.encode(results_head(finished.run, finished.summary)) + b"\n")
    else:
        _print_text(finished.run, finished.summary, finished.directory)
    if finished.run.decided:
        sys.stderr.write(
            f"routemark: stopped: {clean(finished.run.stop_reason or '')} To ask the rest all the same: the same "
            f"command without --until-decided and with --run-id {finished.run.id}\n"
        )
    elif finished.run.stop_reason and finished.exit_code == BUDGET_SPENT:  # says how to go on
        sys.stderr.write(f"routemark: stopped: {clean(finished.run.stop_reason)}\n")
    elif finished.run.stop_reason:
        sys.stderr.write(
            f"routemark: stopped: {clean(finished.run.stop_reason)} "
            f"Nothing answered is lost: routemark resume {finished.directory.path}\n"
        )
    _say_failed(finished.summary.gates)
    return finished.exit_code


def _say_failed(gates: Sequence[GateResult]) -> bool:
    """Tell whether a gate failed, and say so on standard error."""
    failed = sum(not gate.passed for gate in gates)
    if failed:
        sys.stderr.write(f"routemark: {failed} of {len(gates)} gates failed.\n")
    return failed > 0


def _run_loop(prepared: Prepared, opened: Opened, key: str | None, notices: Console) -> Finished:
    import asyncio
    import contextlib

    import uvloop

    from routemark import main
    from routemark.engine.local import LocalExecutor
    from routemark.engine.run import Observer
    from routemark.report.progress import Progress

    with contextlib.ExitStack() as stack:

        def observers(executor: LocalExecutor, done: int) -> list[Observer]:
            _drain_on_signal(executor)
            progress = Progress(
                notices,
                total=prepared.trials,
                done=done,
                in_flight=lambda: executor.gate.in_flight,
                to_grade=executor.to_grade,
                added=lambda: executor.added(),  # noqa: PLW0108 - it is set later
            )
            return [stack.enter_context(progress)]

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(main.ask(prepared, opened, key, observers=observers))


def _drain_on_signal(executor: Any) -> None:
    """Let the first Ctrl-C (or SIGTERM) drain the run and the second stop it; after it they act as ever."""
    import asyncio
    import signal

    from routemark.main import INTERRUPTED

    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def over() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)

    def interrupted() -> None:
        if executor.stop.reason is None:
            sys.stderr.write("\nWaiting for what is in flight; Ctrl-C again stops at once.\n")
            executor.stop("Interrupted.", INTERRUPTED)
        elif task is not None:
            over()
            task.cancel()

    for number in numbers:
        loop.add_signal_handler(number, interrupted)
    executor.on_end = over


def _priced(prepared: Prepared, key: str | None) -> Prepared:
    """Fetch the prices that ``--max-cost`` needs, if it is given."""
    import asyncio

    from routemark import pricing

    return asyncio.run(pricing.priced(prepared, key))


def _say_plan(prepared: Prepared) -> int:
    """Say what would be asked, and what it may cost."""
    import asyncio

    from routemark.forecast import forecast
    from routemark.report import forecast as words

    foreseen = asyncio.run(forecast(prepared, api_key(os.environ)))
    if prepared.settings.json:
        sys.stdout.buffer.write(msgspec.json.encode(foreseen) + b"\n")
    else:
        sys.stdout.write(words.render(foreseen, width=_width()))
    return 0


def _notices(*, quiet: bool) -> Console:
    from rich.console import Console

    return Console(stderr=True, quiet=quiet)


def _print_text(run: Run, summary: Summary, directory: RunDirectory) -> None:
    from routemark.report.text import render

    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    files = [str(path) for path in (directory.report, directory.results) if path.exists()]
    sys.stdout.write(render(run, summary, width=_width(), color=color, files=files).rstrip("\n") + "\n")


def _width() -> int:
    import shutil

    return shutil.get_terminal_size((80, 24)).columns
