"""The side that holds the tests. What comes from the other side is data, never code."""

from __future__ import annotations

import builtins
import types
from collections.abc import Callable
from typing import Any

from routemark.sandbox.inside.peer import GoneError, Peer, TooSlowError, builtin_exception

TESTS = "tests"
"""``__module__`` of what tests define."""
_FUNCTIONS = (types.FunctionType, types.MethodType, type)


class CarryError(Exception):
    """A test passes something that cannot be carried over: the test's fault, not the answer's."""


class Tester(Peer):
    """Asks the subject, and lets it do little."""

    stand_in: Callable[[Tester, int, str, str], Any]
    """Makes the stand-in for something of the answer's that is no plain data."""

    def __init__(self, channel: Any) -> None:
        super().__init__(channel)
        self.classes: set[str] = set()
        """The answer's classes that the test at hand names; capitalised ones, so that no function can pose as one."""
        self.broken = ""
        """Why the other side was given up; empty while it is well."""
        self.gave: Any = None
        """What the answer's code gave last."""
        self._exceptions: dict[int, type[Exception]] = {}
        """Local doubles of the answer's exception classes, by the id of the original."""

    def request(self, *message: Any) -> list[Any]:
        """Ask the subject; once it is broken, always raise."""
        if self.broken:
            raise GoneError
        try:
            return super().request(*message)
        except TooSlowError:
            self.broken = "took too long"
            raise
        except GoneError:
            self.broken = "the answer's process ended"
            raise

    def names(self, wanted: list[str]) -> dict[str, Any]:
        """Fetch those of the wanted names that the answer defines; modules are left out."""
        reply = self.request("names", wanted)
        if reply[0] != "ok" or not isinstance(reply[1], dict):
            raise ValueError("the answer's names cannot be read")
        self.objects.clear()
        self._exceptions.clear()
        found = {name: data for name, data in reply[1].items() if name in wanted and _kind(data) != "module"}
        named = [
            (name, data[3]) for name, data in found.items() if _kind(data) == "class" and name[:1].isupper()
        ]
        self.classes = {name for both in named for name in both}
        return {name: self.decode(data) for name, data in found.items()}

    def do(self, operation: str, /, *arguments: Any, **keywords: Any) -> Any:
        """Let the subject apply an operation to its own first argument; give its value, or raise its error."""
        reply = self.request("do", operation, self.encode(list(arguments)), self.encode(keywords))
        if reply[0] == "error":
            raise self.rebuilt(reply)
        try:
            value = self.decode(reply[1])
            self._change([*arguments[1:], *keywords.values()], reply[2])
        except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            raise ValueError(f"what the answer gave cannot be read: {error}") from None
        self.gave = value
        return value

    def _change(self, arguments: list[Any], changed: list[Any]) -> None:
        """Change arguments in place as the answer's code has changed its copies of them."""
        for position, data in changed:
            old, new = arguments[position], self.decode(data)
            if type(old) is not type(new):
                raise ValueError("an argument has changed its type")
            if isinstance(old, list | bytearray):
                old[:] = new
                continue
            old.clear()
            (old.update if isinstance(old, dict | set) else old.extend)(new)

    # what the subject may do

    def refer(self, value: Any) -> Any:
        """Refer to what a test passes: builtins by name, functions, iterators, objects of the tests' classes."""
        if isinstance(value, self.stand_in):  # type: ignore[arg-type]  # a class
            return ["own", object.__getattribute__(value, "_id")]
        name = getattr(value, "__name__", None)
        if isinstance(name, str) and getattr(builtins, name, None) is value:
            return ["builtin", name]
        if isinstance(value, _FUNCTIONS):
            kind = "function"
        elif hasattr(type(value), "__next__"):
            kind = "iterator"
        elif type(value).__module__ == TESTS:
            kind = "object"
        else:
            raise CarryError(f"the test passes a {type(value).__name__}, which cannot be carried over")
        self.objects[id(value)] = value
        return ["ref", id(value), kind]

    def perform(self, action: str, reference: Any, *parts: Any) -> list[Any]:
        """Do what the answer's code asks of something that a test passed to it, and nothing else."""
        thing: Any = self.objects.get(reference)
        values = [self.decode(part) for part in parts]
        if action == "call" and isinstance(thing, _FUNCTIONS):
            arguments, keywords = values
            return ["ok", self.encode(thing(*arguments, **keywords))]
        if action == "next" and hasattr(type(thing), "__next__"):
            return ["ok", self.encode(next(thing))]
        public = bool(values) and isinstance(values[0], str) and not values[0].startswith("_")
        if action == "get" and public and type(thing).__module__ == TESTS:
            return ["ok", self.encode(getattr(thing, *values))]
        if action == "set" and public and type(thing).__module__ == TESTS:
            setattr(thing, *values)
            return ["ok", None]
        raise AttributeError("a test's object does not allow this")

    def referred(self, reference: Any, kind: Any, name: Any) -> Any:
        """Give a stand-in; of an exception class, a local double that tests can catch."""
        if not (isinstance(reference, int) and isinstance(kind, str) and isinstance(name, str)):
            raise ValueError("this is no reference")  # noqa: TRY004 - of what was sent, not of an argument
        if kind != "exception":
            return self.stand_in(self, reference, kind, name)
        if reference not in self._exceptions:
            base = builtin_exception(name) or Exception
            self._exceptions[reference] = type("AnswerError", (base,), {})
        return self._exceptions[reference]

    def exception(self, name: str, reference: Any) -> type[Exception] | None:
        """Give the double of the answer's exception class, else the builtin of that name."""
        return self._exceptions.get(reference) or builtin_exception(name)


def _kind(data: Any) -> str | None:
    is_reference = isinstance(data, list) and len(data) == 4 and data[0] == "ref" and isinstance(data[3], str)
    return data[2] if is_reference else None
