"""The tools that graders have at hand: the one place where pure graders meet processes and files."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from routemark.graders.base import Tool, ToolError, Tools
from routemark.graders.plugged import IN_TIME
from routemark.mathcheck import MathChecker
from routemark.sandbox import run


def at_hand(*, allow_code: bool = False) -> Tools:
    """Give the tools of this machine, by the grader that each serves. None of them starts anything yet.

    ``allow_code``: code in answers may be run, in the sandbox.
    """
    tools: dict[str, Tool] = {"math": MathChecker(), "code": _not_allowed, IN_TIME: in_time}
    if allow_code:
        tools["code"] = run
    return tools


def let_go(tools: Tools) -> None:
    """End the processes that the tools keep; they are started again when they are needed."""
    for tool in tools.values():
        if isinstance(tool, MathChecker):
            tool.close()


class _Late(BaseException):
    """Ends work that takes too long; no `Exception`, since work may catch those and go on."""


def in_time(work: Callable[[], Any], limit_s: float) -> Any:
    """Give what work gives, ended by an alarm after so many seconds.

    Alarms reach the main thread alone, as in the processes that grade; in another thread work is not ended.
    Raises: ToolError when it was ended, and whatever the work raises.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()

    def late(*_: object) -> NoReturn:
        raise _Late

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        return work()
    except _Late:
        raise ToolError(f"the grader took longer than {limit_s:g} s") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _not_allowed(*_: object) -> NoReturn:
    raise ToolError("the code was not run: --allow-code-execution allows it, in a sandbox")
