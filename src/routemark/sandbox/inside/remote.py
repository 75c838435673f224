"""Stand-ins, on the tests' side, for things of the answer's that are no plain data.

What a stand-in allows depends on what the tests name. Where they name functions only, an object that comes
back is of no use: it could claim to equal, contain or exceed anything. Where they name a class of the answer,
they test how its objects behave, so objects can be used; but

* none ever equals plain data;
* operators that show the other operand (ordering, adding, "in") meet plain data only in objects that the test
  has made itself, not in those that a method gave;
* objects of other classes have attributes and items, but no methods.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from routemark.sandbox.inside.tester import Tester


class Remote:
    """One thing on the other side."""

    __slots__ = ("_class", "_id", "_kind", "_own", "_peer")

    def __init__(self, peer: Tester, reference: int, kind: str, name: str) -> None:
        for slot, value in zip(Remote.__slots__, (name, reference, kind, False, peer), strict=True):
            object.__setattr__(self, slot, value)

    def _refusal(self) -> TypeError:
        return TypeError(f"the answer gave an object ({self._class}) where a plain value was expected")

    def _use(self, *kinds: str) -> Tester:
        """Give the peer if a test may use the thing: one of these kinds, the test's own, or where classes are tested."""
        if self._kind in kinds or self._own or self._peer.classes:
            return self._peer  # type: ignore[no-any-return]
        raise self._refusal()

    def _tell(self, operation: str, *arguments: Any) -> Any:
        """Apply an operator that shows its operands; see the rules at the top."""
        tells_nothing = all(isinstance(argument, Remote) for argument in arguments)
        if self._class not in self._peer.classes or not (self._own or tells_nothing):
            raise self._refusal()
        value = self._peer.do(operation, *arguments)
        return own(value) if self._own else value

    def __call__(self, /, *arguments: Any, **keywords: Any) -> Any:
        """Let the subject call it."""
        value = self._use("function", "class").do("call", self, *arguments, **keywords)
        return own(value) if self._kind == "class" and self._class in self._peer.classes else value

    def __iter__(self) -> Any:
        peer = self._use("iterator")
        return self if self._kind == "iterator" else peer.do("iter", self)

    def __next__(self) -> Any:
        return self._use("iterator").do("next", self)

    def __getattr__(self, name: str) -> Any:
        value = self._use().do("getattr", self, name)
        known = self._own or self._class in self._peer.classes
        if isinstance(value, Remote) and value._kind in ("function", "class") and not known:  # noqa: SLF001 - its own class
            raise self._refusal()
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        self._use().do("setattr", self, name, value)

    def __instancecheck__(self, thing: Any) -> bool:
        return isinstance(thing, Remote) and self._use().do("isinstance", thing, self) is True

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Remote):
            return False
        if self._id == other._id:
            return True
        return self._class in self._peer.classes and self._peer.do("eq", self, other) is True

    def __hash__(self) -> int:
        return hash(self._peer.do("hash", self) if self._class in self._peer.classes else self._id)

    def __bool__(self) -> bool:
        return self._kind != "object" or self._use().do("bool", self) is True

    def __repr__(self) -> str:
        if self._kind == "object" and self._class in self._peer.classes:
            return str(self._peer.do("repr", self))
        return f"<{self._kind} {self._class} of the answer>"

    def __str__(self) -> str:
        return str(self._use().do("str", self)) if self._kind == "object" else repr(self)

    def __enter__(self) -> Any:
        return self._use().do("getattr", self, "__enter__")()

    def __exit__(self, *_: object) -> None:
        self._use().do("getattr", self, "__exit__")(None, None, None)


def own(value: Any) -> Any:
    """Mark a stand-in as the test's own: called by its name, or made by the test."""
    if isinstance(value, Remote):
        object.__setattr__(value, "_own", True)
    return value


def _open(operation: str) -> Callable[..., Any]:
    return lambda self, *arguments: self._use().do(operation, self, *arguments)


def _telling(operation: str) -> Callable[..., Any]:
    return lambda self, *arguments: self._tell(operation, self, *arguments)


def _reflected(operation: str) -> Callable[..., Any]:
    return lambda self, other: self._tell(operation, other, self)


_OPEN = "getitem setitem delitem neg pos abs invert index len int float complex reversed round format"
_TELLING = "lt le gt ge contains"
_BOTH = {name: name for name in "add sub mul truediv floordiv mod pow matmul lshift rshift".split()}  # noqa: SIM905
_BOTH |= {"and": "and_", "or": "or_", "xor": "xor"}

for _name in _OPEN.split():
    setattr(Remote, f"__{_name}__", _open(_name))
for _name in _TELLING.split():
    setattr(Remote, f"__{_name}__", _telling(_name))
for _name, _operation in _BOTH.items():
    setattr(Remote, f"__{_name}__", _telling(_operation))
    setattr(Remote, f"__r{_name}__", _reflected(_operation))
Tester.stand_in = Remote
