"""The side that holds the answer's code. It does whatever it is asked: nothing here is a secret."""

from __future__ import annotations

import builtins
import operator
import os
import sys
import types
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from routemark.sandbox.inside.peer import GoneError, Peer, builtin_exception

MODULE = "answer"
_MUTABLE = ("list", "dict", "set", "bytearray", "deque")


class Subject(Peer):
    """Applies operations to the answer's functions and objects."""

    module: types.ModuleType

    def perform(self, action: str, *parts: Any) -> list[Any]:
        """Give the values of names, or apply an operation."""
        if action == "names":
            self.objects.clear()
            scope = self.module.__dict__
            return ["ok", {name: self.encode(scope[name]) for name in parts[0] if name in scope}]
        operation, arguments, keywords = parts
        return self._apply(operation, self.decode(arguments), self.decode(keywords))

    def _apply(self, operation: str, arguments: list[Any], keywords: dict[str, Any]) -> list[Any]:
        """Apply an operation; give its value and what became of arguments that were changed in place."""
        passed = [*arguments[1:], *keywords.values()]
        before = [self._content(value) for value in passed]
        value = self.encode(_operation(operation)(*arguments, **keywords))
        after = [self._content(value) for value in passed]
        return ["ok", value, [[n, now] for n, now in enumerate(after) if now != before[n]]]

    def _content(self, value: Any) -> Any:
        return self.encode(value) if type(value).__name__ in _MUTABLE else None

    def refer(self, value: Any) -> Any:
        """Refer to an object with its kind and the name of its class; of an exception class, of its base."""
        self.objects[id(value)] = value
        kind, name = _kind(value), type(value).__name__
        if kind == "exception":
            name = next((base.__name__ for base in value.__mro__ if builtin_exception(base.__name__)), "")
        elif kind == "class":
            name = value.__name__
        return ["ref", id(value), kind, name]

    def referred(self, reference: int, kind: str) -> Any:
        """Give a stand-in for what a test passed."""
        return Callback(self, reference, kind)

    def builtin(self, name: str) -> Any:
        """Give the builtin that a test passed."""
        return getattr(builtins, name)


def _operation(name: str) -> Callable[..., Any]:
    """Give the function of an operator or a builtin by its name."""
    found: Callable[..., Any] = (
        _call if name == "call" else getattr(operator, name, None) or getattr(builtins, name)
    )
    return found


def _call(target: Any, /, *arguments: Any, **keywords: Any) -> Any:
    return target(*arguments, **keywords)


def _kind(value: Any) -> str:
    if isinstance(value, types.ModuleType):
        return "module"
    if isinstance(value, type):
        return "exception" if issubclass(value, BaseException) else "class"
    if hasattr(type(value), "__next__"):
        return "iterator"
    return "function" if callable(value) and type(value).__module__ in ("builtins", "functools") else "object"


class Callback:
    """A stand-in, on the answer's side, for something that a test passed."""

    def __init__(self, peer: Subject, reference: int, kind: str) -> None:
        self.__dict__["_at"] = (peer, reference, kind)

    def _ask(self, action: str, *parts: Any) -> Any:
        peer, reference, _ = self.__dict__["_at"]
        reply = peer.request(action, reference, *map(peer.encode, parts))
        if reply[0] == "error":
            raise peer.rebuilt(reply)
        return peer.decode(reply[1])

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Let the tester call it."""
        return self._ask("call", list(arguments), keywords)

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return self._ask("next")

    def __getattr__(self, name: str) -> Any:
        return self._ask("get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask("set", name, value)


def serve(peer: Subject, code: str) -> None:
    """Load the answer's code, say how that went, and do what the tester asks until it hangs up."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    peer.module = sys.modules[MODULE] = types.ModuleType(MODULE)
    try:
        exec(compile(code, "answer.py", "exec"), peer.module.__dict__)  # noqa: S102 - what the sandbox is for
    except BaseException as error:  # noqa: BLE001  border: the answer's code may raise anything
        peer.send(peer.told(error))
        return
    peer.send(["ok"])
    with suppress(GoneError):
        while True:
            peer.reply_to(peer.receive())
