"""The commands that ask models, or tell what asking would cost: `run`, `plan`, `resume`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from routemark import flags
from routemark.commands.loop import drain_on_signal, in_loop
from routemark.commands.options import Config, all_but, settings_of
from routemark.commands.printing import notices_to, print_finished, print_result, say_failed, width
from routemark.config import Settings, api_key

if TYPE_CHECKING:
    from rich.console import Console

    from routemark.engine.local import LocalExecutor
    from routemark.engine.run import Observer
    from routemark.main import Finished
    from routemark.prepare import Opened, Prepared

_OF_RESUME = (
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
)


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

    settings = settings_of(given, config, questions)
    prepared = prepare(settings)
    if settings.dry_run:
        return _say_plan(prepared)
    key = require_key(settings, api_key(os.environ))
    prepared = _priced(prepared, key)
    return _ask(prepared, open_run(prepared), key)


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

    return _say_plan(prepare(settings_of(given, config, questions)))


@flags.taken_from(Settings, leave_out=all_but(*_OF_RESUME))
def resume(run: str, /, *, config: Config = None, **given: Any) -> int:
    """Finish a run that stopped, with the settings it was begun with.

    Examples: `routemark resume latest`; `routemark resume latest --max-cost 10`

    Parameters
    ----------
    run
        Run directory, or its name in the runs directory.
    """
    from routemark.prepare import open_resumed, require_key

    prepared, opened = open_resumed(run, settings_of(given, config))
    key = require_key(prepared.settings, api_key(os.environ))
    return _ask(_priced(prepared, key), opened, key)


def _ask(prepared: Prepared, opened: Opened, key: str | None) -> int:
    """Ask with progress on standard error and the summary, or JSON, on standard output."""
    settings = prepared.settings
    notices = notices_to(quiet=settings.quiet)
    if opened.resumed:
        notices.print(
            f"Resuming {opened.directory.path} (another --run-id begins a new run).",
            markup=False,
            soft_wrap=True,
        )
    finished = _ask_watched(prepared, opened, key, notices)
    print_finished(settings, finished)
    _say_stopped(finished)
    say_failed(finished.summary.gates)
    return finished.exit_code


def _say_stopped(finished: Finished) -> None:
    """Say on standard error why a run stopped, and how it goes on."""
    from routemark.engine.purse import BUDGET_SPENT
    from routemark.report.clean import clean

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


def _ask_watched(prepared: Prepared, opened: Opened, key: str | None, notices: Console) -> Finished:
    """Ask with a line of progress, and a first Ctrl-C that drains the run."""
    import contextlib

    from routemark import main
    from routemark.report.progress import Progress

    with contextlib.ExitStack() as stack:

        def observers(executor: LocalExecutor, done: int) -> list[Observer]:
            drain_on_signal(executor)
            progress = Progress(
                notices,
                total=prepared.trials,
                done=done,
                in_flight=lambda: executor.gate.in_flight,
                to_grade=executor.to_grade,
                added=lambda: executor.added(),  # noqa: PLW0108 - it is set later
            )
            return [stack.enter_context(progress)]

        return in_loop(main.ask(prepared, opened, key, observers=observers))


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
    print_result(prepared.settings, foreseen, words.render(foreseen, width=width()))
    return 0
