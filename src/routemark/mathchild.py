"""The program of the child that `mathcheck` starts: compares LaTeX expressions with math-verify.

Run by its path, so that it loads nothing of Routemark. A line of JSON ``[expected, given]`` comes in, a
line goes out: true, false, null when one of the two cannot be read, or a string that names what broke.
The text is parsed with a grammar, never evaluated as code. The process has limits on memory and files, and
ends itself when a pair takes longer than its time or its parent is gone.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from typing import Any

MEMORY_BYTES = 2 * 1024**3
"""Address space that the process may have."""


def serve(timeout_s: float) -> None:
    """Answer the pairs on standard input, a line of JSON each, until there are no more."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not be taken for a reply
    compare = _comparer()
    _limit()
    print("ready", file=replies, flush=True)
    for line in sys.stdin:
        expected, given = json.loads(line)
        _alarm(timeout_s)
        try:
            reply: bool | str | None = compare(expected, given)
        except Exception as error:  # noqa: BLE001  border: whatever a parser chokes on is told, not fatal
            reply = type(error).__name__
        _alarm(0)
        print(json.dumps(reply), file=replies, flush=True)


def _comparer() -> Any:
    """Load math-verify, and give the function that compares a pair."""
    from math_verify import LatexExtractionConfig, parse, verify  # noqa: PLC0415  slow, and an extra

    logging.disable()
    targets = [LatexExtractionConfig()]  # never ExprExtractionConfig: it evaluates text as Python

    def read(latex: str) -> list[Any]:
        found: list[Any] = parse(f"${latex}$", targets, "no_fallback", "first_match", parsing_timeout=None)
        return [item for item in found if not isinstance(item, str)]

    def compare(expected: str, given: str) -> bool | None:
        wanted, offered = read(expected), read(given)
        if not wanted or not offered:
            return None
        return bool(
            verify(wanted, offered, allow_set_relation_comp=True, timeout_seconds=None, raise_on_error=True)
        )

    return compare


def _limit() -> None:
    if sys.platform != "win32":
        import resource  # noqa: PLC0415  not on every system

        for kind, most in (
            (resource.RLIMIT_AS, MEMORY_BYTES),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.setrlimit(kind, (most, most))


def _alarm(seconds: float) -> None:
    """Let the system end this process after so many seconds, whatever it is doing; 0: not at all."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)


if __name__ == "__main__":
    serve(float(sys.argv[1]))
