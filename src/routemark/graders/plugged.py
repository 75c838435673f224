"""Graders that plugins bring: held to what ours are held to, so that a stranger's mistake never becomes a score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from routemark import plugins
from routemark.graders.base import Grader, Options, Tools, Verdict, is_number
from routemark.records import Completion, Question

IN_TIME = "in time"
"""The tool that ends work which takes too long: called with it and its seconds, it gives what the work gives."""


def _untimed(work: Callable[[], object], _limit_s: float) -> object:
    return work()


def plugged(name: str) -> Grader | None:
    """Give the grader of this name that a plugin brings; None without one.

    Raises: PluginError when it cannot be imported, or is no grader.
    """
    plugin = plugins.find("grader", name)
    if plugin is None:
        return None
    grader = plugin.value
    if not isinstance(grader, Grader):
        raise plugin.wrong(f"must be a routemark.graders.Grader, not {type(grader).__name__}.")
    if grader.name != name:
        raise plugin.wrong(f"calls itself {grader.name!r}; entry point and grader must have the same name.")
    if not isinstance(grader.version, int):
        raise plugin.wrong(f"its version must be a whole number, not {grader.version!r}.")
    if not is_number(grader.limit_s) or not grader.limit_s > 0:
        raise plugin.wrong(f"its limit_s must be a number of seconds above 0, not {grader.limit_s!r}.")
    return _held(grader, plugin)


def _held(grader: Grader, plugin: plugins.Plugin) -> Grader:
    """Give the grader with a guard around what it says, and around its time where the tool for that is at hand."""

    def grade(completion: Completion, question: Question, options: Options, tools: Tools) -> Verdict:
        in_time = tools.get(IN_TIME, _untimed)
        verdict = in_time(lambda: grader.grade(completion, question, options, tools), grader.limit_s)
        if not isinstance(verdict, Verdict):
            raise TypeError(f"it gave no Verdict but {type(verdict).__name__}")
        if verdict.score is not None and not (is_number(verdict.score) and 0 <= verdict.score <= 1):
            raise ValueError(f"its score {verdict.score!r} is not in [0, 1]")
        return verdict

    def check(question: Question, options: Options) -> list[str]:
        try:
            return [str(fault) for fault in grader.check(question, options)]
        except Exception as error:  # noqa: BLE001  border: a stranger's check
            return [f"grader: {plugin} could not check it: {plugins.told(error)}"]

    return replace(grader, grade=grade, check=check)
