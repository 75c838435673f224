"""The commands that show runs, and send nothing: `report`, `compare`, `view`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from routemark import flags
from routemark.commands.options import Config, all_but, directory_of, options_of, settings_of
from routemark.commands.printing import print_text, say_failed, width
from routemark.config import Settings, ViewOptions

Format = Literal["text", "json", "markdown", "html", "junit"]
_OF_SUMMARY = ("baseline", "margin", "weights", "traffic", "gate")
"""What a run that is finished can be told anew."""


@flags.taken_from(Settings, leave_out=all_but("runs_dir", "output", *_OF_SUMMARY))
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

    settings = settings_of(given, config)
    for name in settings.output:
        outputs.writer_for(name)
    directory = directory_of(run, settings)
    kept = {name: getattr(settings, name) for name in _OF_SUMMARY if name in given}
    files = [Path(name) for name in settings.output]
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder) / f"report{outputs.ENDINGS.get(format, '')}"
        printed = [shown] if format in outputs.ENDINGS else []
        ledger, summary = main.summarise(directory, files=[*files, *printed], **kept)
        if not printed:
            print_text(ledger.run, summary, directory)
        for path in printed:
            with path.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
    return gates.GATE_FAILED if say_failed(summary.gates) else 0


@flags.taken_from(Settings, leave_out=all_but("runs_dir", "json", "margin"))
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

    settings = settings_of(given, config)
    for name in output:
        faces.check_output(name)
    directories = [directory_of(run, settings) for run in (run_a, run_b)]
    found = drift.compare(*directories, margin=settings.margin)
    for name in output:
        faces.write(Path(name), found)
    if settings.json or format == "json":
        sys.stdout.write(faces.to_json(found))
    else:
        sys.stdout.write(faces.markdown(found) if format == "markdown" else faces.render(found, width()))
    return 0


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

    port = options_of(ViewOptions, given, config).port
    serve(Path(runs_dir or settings_of({}, config).runs_dir), port)
    return 0
