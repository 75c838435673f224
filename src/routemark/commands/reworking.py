"""The commands that add to finished runs, or join them: `grade`, `merge`, `audit`."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from routemark import flags
from routemark.commands.loop import in_loop
from routemark.commands.options import Config, all_but, directory_of, settings_of
from routemark.commands.printing import notices_to, print_finished, print_result, say_failed, width
from routemark.config import Settings, api_key


@flags.taken_from(Settings, leave_out=all_but("runs_dir", "output", "json", "quiet", "allow_code_execution"))
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

    settings = settings_of(given, config)
    if (run is None) == (calibrate is None):
        raise UsageError("grade: name a run, or --calibrate FILE, one of the two.")
    if run is None:
        return _calibrate(Path(calibrate or ""), settings)
    require_sandbox(settings)
    directory = directory_of(run, settings)
    result = in_loop(regrade(directory, settings, api_key(os.environ)))
    print_result(settings, result.regraded, in_words(result.regraded))
    return 0


def _calibrate(path: Path, settings: Settings) -> int:
    from routemark.calibrate import calibrate
    from routemark.report.calibration import render

    found = in_loop(calibrate(path, settings, api_key(os.environ)))
    print_result(settings, found, render(found, width()))
    return 0


@flags.taken_from(Settings, leave_out=all_but("runs_dir", "json"))
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

    settings = settings_of(given, config)
    if not runs:
        raise UsageError("merge: name the run directories that are to be joined.")
    finished, lines = join([directory_of(run, settings) for run in runs], Path(output))
    print_finished(settings, finished)
    sys.stderr.write(f"routemark: joined {len(runs):,} runs in {output}, {lines:,} lines.\n")
    if finished.run.stop_reason:
        reason = clean(finished.run.stop_reason)
        sys.stderr.write(f"routemark: {reason} To ask the rest: routemark resume {finished.directory.path}\n")
    say_failed(finished.summary.gates)
    return finished.exit_code


@flags.taken_from(Settings, leave_out=all_but("runs_dir", "json", "quiet"))
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

    settings = settings_of(given, config)
    directory = directory_of(run, settings)
    notices = notices_to(quiet=settings.quiet)
    note = functools.partial(notices.print, markup=False)
    result = in_loop(look_up(directory, api_key(os.environ), note=note))
    print_result(settings, result, render(result))
    return 1 if result.failed else 0
