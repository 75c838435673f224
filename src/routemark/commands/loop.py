"""The event loop of a command, and what Ctrl-C does to a run in it."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from routemark.engine.local import LocalExecutor

Result = TypeVar("Result")


def in_loop(work: Coroutine[Any, Any, Result]) -> Result:
    """Run work to its end in a loop of its own, uvloop's."""
    import asyncio

    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def drain_on_signal(executor: LocalExecutor) -> None:
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
