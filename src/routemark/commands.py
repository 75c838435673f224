"""The commands of `routemark`, one function each; see `cli` for errors and exit codes.

A command resolves its options, calls one function of the house, and renders what comes back: data
to standard output, progress and notices to standard error.
"""
# ruff: noqa: PLC0415 - a command imports what it needs when it is called

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec
from cyclopts import App, Parameter

from routemark import flags
from routemark._version import __version__
from routemark.config import GatewayOptions, Settings, api_key, resolve

if TYPE_CHECKING:
    from rich.console import Console

    from routemark.main import Finished
    from routemark.prepare import Opened, Prepared
    from routemark.records import Run, Summary
    from routemark.rundir import RunDirectory

app = App(
    name="routemark",
    help="Tells whether an LLM router earns its keep on your own questions.",
    version=__version__,
    help_epilogue="Every option can also be set as ROUTEMARK_OPTION or in routemark.toml.",
)
Config = Annotated[str | None, Parameter(name="--config", help="Settings file. [default: routemark.toml]")]
Result = TypeVar("Result")
Format = Literal["text", "json", "markdown", "html"]
_OF_RESUME = {"runs_dir", "output", "json", "quiet", "max_cost", "allow_code_execution"}
_OF_GRADE = {"runs_dir", "output", "json", "quiet", "allow_code_execution"}
_OPTIONS = {field.name for kind in (Settings, GatewayOptions) for field in msgspec.structs.fields(kind)}


@app.command
@flags.taken_from(Settings, leave_out=("questions",))
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
def grade(run: str, /, *, config: Config = None, **given: Any) -> int:
    """Grade a run again with today's graders, from its journal; no request is sent.

    New grades are appended where they differ, and results.json and report.html are written anew.

    Parameters
    ----------
    run
        Run directory, or its name in the runs directory.
    """
    from routemark.prepare import require_sandbox
    from routemark.regrade import in_words, regrade
    from routemark.rundir import find

    settings = _settings(given, config)
    require_sandbox(settings)
    result = _in_loop(regrade(find(run, Path(settings.runs_dir)), settings))
    _print_result(settings, result.regraded, in_words(result.regraded))
    return 0


@app.command
@flags.taken_from(Settings, leave_out=tuple(_OPTIONS - {"runs_dir", "output", "baseline", "margin"}))
def report(
    run: str,
    /,
    *,
    format: Annotated[Format, Parameter(help="What to print.")] = "text",  # noqa: A002 - the option's name
    config: Config = None,
    **given: Any,
) -> int:
    """Print everything again from the journal; no request is sent.

    Parameters
    ----------
    run
        Run directory, or its name in the runs directory.
    """
    from routemark import main
    from routemark.report import outputs
    from routemark.rundir import find

    settings = _settings(given, config)
    directory = find(run, Path(settings.runs_dir))
    kept = {name: given[name] for name in ("baseline", "margin") if name in given}
    ledger, summary = main.summarise(directory, **kept)
    for path in settings.output:
        outputs.write(Path(path), ledger.run, summary, main.rows(ledger))
    if format == "text":
        _print_text(ledger.run, summary, directory)
    else:
        sys.stdout.write(outputs.as_text(format, ledger.run, summary, main.rows(ledger)))
    return 0


@app.command
def validate(questions: str, /) -> int:
    """Check a question file; every fault with its place, and what is doubtful, as warnings.

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
    sys.stdout.write(
        f"{questions}: {len(found):,} questions, no fault. "
        f"Difficulty: {', '.join(f'{label} {count:,}' for label, count in labels.most_common(10))}. "
        f"Graded: {len(found) - ungraded:,} of {len(found):,}.\n"
    )
    sys.stderr.writelines(f"warning: {doubt}.\n" for doubt in doubts(found))
    return 0


@app.command
def questions(
    *,
    fresh: Annotated[int, Parameter(help="Draw by this seed; the same seed gives the same file.")],
    n: Annotated[int, Parameter(name="-n", help="Number of questions.")] = 360,
    output: Annotated[str, Parameter(name=["--output", "-o"], help="File to write: .json or .jsonl.")],
) -> int:
    """Draw new questions from the shipped templates: new numbers and names, new answers.

    Example: `routemark questions --fresh 7 -n 600 -o fresh.jsonl`
    """
    from routemark.questions.fresh import fresh as draw
    from routemark.questions.writing import write

    count = write(draw(fresh, n), Path(output))
    sys.stdout.write(f"{output}: {count:,} questions, drawn by the seed {fresh}\n")
    return 0


@app.command
@flags.taken_from(GatewayOptions)
def gateway(
    *,
    list_faults: Annotated[bool, Parameter(negative=(), help="Name all faults and stop.")] = False,
    config: Config = None,
    **given: Any,
) -> int:
    """Serve the simulated OpenRouter, or one that replays recorded answers, on this machine."""
    from routemark.gateway.serve import fault_names, serve

    if list_faults:
        sys.stdout.writelines(f"{name:18} {what}\n" for name, what in fault_names())
        return 0
    serve(resolve(GatewayOptions, {**given, "config": config}, os.environ, others=_OPTIONS))
    return 0


@app.command(name="import")
def import_(
    file: str,
    /,
    *,
    output: Annotated[str, Parameter(name=["--output", "-o"], help="Question file to write.")],
) -> int:
    """Make a question file of another tool's recorded results (RouterArena).

    Parameters
    ----------
    file
        File, or folder of files, to read.
    """
    from routemark.interop import routerarena

    count = routerarena.write_questions(Path(file), Path(output))
    sys.stdout.write(f"{output}: {count:,} questions\n")
    return 0


@app.command
@flags.taken_from(Settings, leave_out=tuple(_OPTIONS - {"runs_dir", "json", "quiet"}))
def audit(run: str, /, *, config: Config = None, **given: Any) -> int:
    """Look up what each generation cost and who served it, and settle what a crash left open.

    Exit 1 when nothing could be looked up; differences are findings, and exit 0.

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
@flags.taken_from(Settings, leave_out=tuple(_OPTIONS - {"base_url", "transport", "runs_dir", "json"}))
def doctor(*, config: Config = None, **given: Any) -> int:
    """Check machine, gateway, key and account; ask a few tiny requests and say what they cost.

    Exit 1 when there is a problem.
    """
    import shutil

    from routemark.doctor import examine
    from routemark.report.doctor import render

    settings = _settings(given, config)
    result = _in_loop(examine(settings, api_key(os.environ)))
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
    if finished.run.stop_reason and finished.exit_code == BUDGET_SPENT:  # says how to go on
        sys.stderr.write(f"routemark: stopped: {clean(finished.run.stop_reason)}\n")
    elif finished.run.stop_reason:
        sys.stderr.write(
            f"routemark: stopped: {clean(finished.run.stop_reason)} "
            f"Nothing answered is lost: routemark resume {finished.directory.path}\n"
        )
    return finished.exit_code


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
