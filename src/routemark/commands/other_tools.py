"""The commands for what other tools wrote, or read: `offline`, `import`, `export`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter

from routemark import flags
from routemark.commands.options import Config, ForeignFormat, all_but, directory_of, options_of, settings_of
from routemark.commands.printing import say_failed, width
from routemark.config import ExportFormat, OfflineOptions, Settings

_OF_OFFLINE = (
    "picks",
    "allow_missing",
    "all_metrics",
    "output",
    "json",
    "baseline",
    "margin",
    "seed",
    "gate",
)


@flags.taken_from(OfflineOptions, Settings, leave_out=all_but(*_OF_OFFLINE))
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

    settings, options = settings_of(given, config), options_of(OfflineOptions, given, config)
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
    sys.stdout.write(faces.to_json(found) if settings.json else faces.render(found, width=width()))
    return gates.GATE_FAILED if say_failed(results) else 0


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


@flags.taken_from(Settings, leave_out=all_but("runs_dir"))
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

    if format is not None:
        return _export_foreign(run, Path(output), format, arm, settings_of(given, config))
    rows.writer_for(output)
    directory = directory_of(run, settings_of(given, config))
    ledger, summary = main.summarise(directory)
    count = rows.write(Path(output), ledger.run, summary, main.rows(ledger))
    sys.stdout.write(f"{output}: {count:,} rows\n")
    return 0


def _export_foreign(run: str, output: Path, name: Any, arm: str | None, settings: Settings) -> int:
    from routemark import main
    from routemark.interop import exporting

    exporting.check(name, output)
    ledger, _ = main.summarise(directory_of(run, settings))
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
