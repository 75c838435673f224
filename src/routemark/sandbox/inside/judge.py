"""Runs the tests, one after another, and reports on each."""

from __future__ import annotations

import ast
import builtins
import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from routemark.sandbox.inside.peer import GoneError, TooSlowError
from routemark.sandbox.inside.remote import own
from routemark.sandbox.inside.tester import TESTS, CarryError, Tester

Report = dict[str, Any]


def judge(peer: Tester, task: Mapping[str, Any]) -> None:
    """Run the tests from ``first`` on; write a JSON line about each to standard output.

    ``passed`` is true, false, or null when the test itself cannot be run. After a test that broke the
    answer's process, no other is run.
    """
    with os.fdopen(os.dup(1), "w", encoding="ascii") as report:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        trouble = _loading(peer, task["timeout_s"])
        if trouble:
            report.write(json.dumps({"loaded": False, "reason": trouble}))
            return
        for index in range(task["first"], len(task["tests"])):
            peer.deadline = time.monotonic() + task["timeout_s"]
            told = _verdict(peer, task["tests"][index], task["entry_point"])
            report.write(json.dumps({"test": index, **told}) + "\n")
            report.flush()
            if peer.broken or (task["stop"] and told["passed"] is False):
                return


def _loading(peer: Tester, timeout_s: float) -> str:
    """Wait until the answer's code has been loaded; say what went wrong, if anything."""
    peer.deadline = time.monotonic() + timeout_s
    try:
        reply = peer.receive()
    except TooSlowError:
        return "took too long to load"
    except GoneError:
        return "the answer's process ended while its code was loaded"
    if reply[0] == "ok":
        return ""
    error = peer.rebuilt(reply)
    return f"{_first_name(reply) or type(error).__name__}: {error}"[:300]


def _first_name(reply: list[Any]) -> str:
    """Give the name of the exception's own class, which may not exist here."""
    try:
        return str(reply[1][0][0])[:50]
    except (LookupError, TypeError):
        return ""


def _verdict(peer: Tester, source: str, entry_point: str | None) -> Report:
    """Run one test: it has passed when it came to its end and the answer's process is still well."""
    peer.gave = None
    try:
        scope = _scope(peer, source, entry_point)
        exec(compile(source, "test", "exec"), scope)  # noqa: S102 - the tests, in a sandbox of their own
    except CarryError as error:
        return {"passed": None, "reason": str(error)}
    except AssertionError as error:
        reason = _not_so(peer, source, error)
    except (GoneError, TooSlowError):
        reason = ""
    except BaseException as error:  # noqa: BLE001  border: test and answer may raise anything
        reason = f"{type(error).__name__}: {error}"[:300]
    else:
        return {"passed": not peer.broken, "reason": peer.broken}
    return {"passed": False, "reason": peer.broken or reason}


def _scope(peer: Tester, source: str, entry_point: str | None) -> dict[str, Any]:
    """Give the names that a test sees: those that it uses and the answer defines."""
    used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    wanted = (used - set(dir(builtins))) | ({entry_point} if entry_point else set())
    scope = {name: own(value) for name, value in peer.names(sorted(wanted)).items()}
    if entry_point is not None:
        if entry_point not in scope:
            raise NameError(f"the answer defines no {entry_point}")
        scope["candidate"] = scope[entry_point]
    modules = {name: __import__(name) for name in (used - scope.keys()) & sys.stdlib_module_names}
    return {"__name__": TESTS, **modules, **scope}


def _not_so(peer: Tester, source: str, error: AssertionError) -> str:
    told = f" ({str(error)[:120]})" if str(error) else ""
    gave = "" if peer.gave is None else f"; the answer gave {_short(peer.gave)}"
    return f"not so: {' '.join(source.split())[:120]}{told}{gave}"


def _short(value: Any) -> str:
    try:
        return repr(value)[:120]
    except Exception:  # noqa: BLE001  border: the representation may be the answer's own
        return type(value).__name__
