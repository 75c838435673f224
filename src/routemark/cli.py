"""The command line: arguments to settings to `main`, and errors to sentences and exit codes.

Each command imports what it needs when it is called: `routemark --version` and ``--help`` answer at
once.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from routemark._version import __version__

if TYPE_CHECKING:
    pass


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"routemark {__version__}\n")
        return
    try:
        code = _guarded(sys.argv[1:])
    except KeyboardInterrupt:  # at any instant, while modules are imported, too
        code = 130
    sys.exit(code)


def _guarded(arguments: list[str]) -> int:
    """Run one command; say what a person did wrong in a sentence, without a traceback."""
    from dotenv import load_dotenv

    from routemark import flags
    from routemark.commands import app
    from routemark.config import Settings
    from routemark.errors import RoutemarkError
    from routemark.report.clean import clean

    load_dotenv(Path(".env"))
    # numpy reads it when it is loaded: threads that share a product wait for each other longer than they compute
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        return app(flags.completed(arguments, Settings), result_action="return_value") or 0
    except RoutemarkError as error:
        sys.stderr.write(f"routemark: {clean(str(error))}\n")  # it may quote what others wrote
        return error.exit_code
    except BrokenPipeError:  # the reader of our output went away, e.g. `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
