"""The commands of `routemark`, one function each; see `cli` for errors and exit codes.

A command resolves its options, calls one function of the house, and renders what comes back: data to standard output,
progress and notices to standard error. It imports what it needs when it is called, so that help comes at once.

Reading order: `options`, `printing` and `loop`, which the commands share; `asking`, `showing`, `reworking`,
`question_files`, `other_tools`, `gateways`, `setting_up`, each of whose first lines names its commands.
"""

from __future__ import annotations

from cyclopts import App

from routemark._version import __version__
from routemark.commands import setting_up
from routemark.commands.asking import plan, resume, run
from routemark.commands.gateways import doctor, gateway
from routemark.commands.other_tools import export, import_, offline
from routemark.commands.question_files import questions, validate
from routemark.commands.reworking import audit, grade, merge
from routemark.commands.showing import compare, report, view

EXIT_CODES = {
    0: "Done.",
    1: "Failed while running.",
    2: "Wrong use, settings, gate or question file; nothing was sent.",
    3: "Done, but a larger share of trials failed than --fail-on-error allows.",
    4: "Stopped at the budget.",
    10: "Done, but a gate failed (--gate).",
    130: "Interrupted; resume goes on.",
}
"""By code; one that stands for a run that stopped, or 3, goes before 10."""

app = App(
    name="routemark",
    help="""Tells whether an LLM router earns its keep on your own questions.

    Examples: `routemark run --simulate` tries everything without a key;
    `routemark run my.jsonl -m openrouter/auto -m openai/gpt-5-mini` asks your questions;
    `routemark COMMAND --help` explains a command.""",
    version=__version__,
    help_epilogue="Every option can also be set as ROUTEMARK_OPTION or in routemark.toml.",
)
setting_up.register(app)
for command in (
    *(run, plan, resume, grade, report, compare, offline, validate, questions),
    *(gateway, view, export, import_, merge, audit, doctor),
):
    app.command(command)
