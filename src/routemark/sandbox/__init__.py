"""Runs code of models where it can do no harm, and says what came of it.

`run` takes a job - a program with its input, or code with tests - and blocks until it is over: call it from a
thread or process of its own. `trouble` says why no sandbox can be made here. `docs/sandbox.md` tells what the
sandbox protects from; `bubblewrap` how it is made, `job` and `program` how one is run, `inside` what runs in it.
"""

from routemark.sandbox.bubblewrap import trouble
from routemark.sandbox.job import run

__all__ = ["run", "trouble"]
