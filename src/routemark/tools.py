"""The tools that graders have at hand: the one place where pure graders meet processes and files."""

from __future__ import annotations

from typing import NoReturn

from routemark.graders.base import Tool, ToolError, Tools
from routemark.mathcheck import MathChecker
from routemark.sandbox import run


def at_hand(*, allow_code: bool = False) -> Tools:
    """Give the tools of this machine, by the grader that each serves. None of them starts anything yet.

    ``allow_code``: code in answers may be run, in the sandbox.
    """
    tools: dict[str, Tool] = {"math": MathChecker(), "code": _not_allowed}
    if allow_code:
        tools["code"] = run
    return tools


def let_go(tools: Tools) -> None:
    """End the processes that the tools keep; they are started again when they are needed."""
    for tool in tools.values():
        if isinstance(tool, MathChecker):
            tool.close()


def _not_allowed(*_: object) -> NoReturn:
    raise ToolError("the code was not run: --allow-code-execution allows it, in a sandbox")
