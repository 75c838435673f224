"""Values as JSON can carry them, and back. Rebuilding one never evaluates anything.

Plain data travels by value, tagged where JSON has no word for its type: ``["tuple", [1, 2]]``. Subclasses of
plain types travel as the plain type. Anything else is for the two ends to refer to (see `peer.Peer.refer`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

EXACT = 1 << 53
"""Whole numbers below this are the same for every reader of JSON."""


class Ends(Protocol):
    """What a codec asks of its end of the channel."""

    def encode(self, value: Any) -> Any:
        """Give a value as JSON can carry it."""

    def decode(self, data: Any) -> Any:
        """Rebuild a value."""

    def refer(self, value: Any) -> Any:
        """Give a reference to what is no plain data."""


def write(end: Ends, value: Any) -> Any:
    """Give a value as JSON can carry it."""
    for kind, writer in _WRITERS:
        if isinstance(value, kind):
            return writer(end, value)
    return end.refer(value)


def read(end: Ends, data: Any) -> Any:
    """Rebuild a value from what `write` gave.

    Raises: ValueError (or another of the value's own making) when it is no such thing.
    """
    if not isinstance(data, list):
        return data
    reader = READERS.get(data[0]) if data and isinstance(data[0], str) else None
    if reader is None:
        raise ValueError("this is no value")
    return reader(end, *data[1:])


# --------------------------------------------------------------------------- writing


def _float(_end: Ends, value: float) -> Any:
    value = float.__float__(value)
    return value if math.isfinite(value) else ["float", repr(value)]


def _int(_end: Ends, value: int) -> Any:
    value = int.__int__(value)
    return value if abs(value) < EXACT else ["int", hex(value)]


def _many(kind: Any) -> Callable[[Ends, Any], Any]:
    return lambda end, value: [kind.__name__, [end.encode(part) for part in list(kind.__iter__(value))]]


def _dict(end: Ends, value: dict[Any, Any]) -> Any:
    return ["dict", [[end.encode(key), end.encode(part)] for key, part in list(dict.items(value))]]


def _known(end: Ends, value: Any) -> Any:
    """Write the standard library's value types by their parts; refer to anything else."""
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    parts = _PARTS.get(name)
    return end.refer(value) if parts is None else [name, *map(end.encode, parts(value))]


_PARTS: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "collections.deque": lambda v: (list(v), v.maxlen),
    "decimal.Decimal": lambda v: (str(v),),
    "fractions.Fraction": lambda v: (v.numerator, v.denominator),
    "datetime.datetime": lambda v: (v.isoformat(),),
    "datetime.date": lambda v: (v.isoformat(),),
    "datetime.time": lambda v: (v.isoformat(),),
    "datetime.timedelta": lambda v: (v.days, v.seconds, v.microseconds),
    "builtins.range": lambda v: (v.start, v.stop, v.step),
    "builtins.slice": lambda v: (v.start, v.stop, v.step),
    "builtins.dict_keys": lambda v: (list(v),),
    "builtins.dict_values": lambda v: (list(v),),
    "builtins.dict_items": lambda v: (list(v),),
}
"""Value types by name, and the parts that they are rebuilt from. Views of a dictionary become lists."""

_WRITERS: list[tuple[Any, Callable[[Ends, Any], Any]]] = [
    (type(None), lambda _end, _value: None),
    (bool, lambda _end, value: value),
    (int, _int),
    (float, _float),
    (str, lambda _end, value: str.__str__(value)),
    (list, _many(list)),
    (tuple, _many(tuple)),
    (dict, _dict),
    (set, _many(set)),
    (frozenset, _many(frozenset)),
    (bytes, lambda _end, value: ["bytes", bytes.hex(value)]),
    (bytearray, lambda _end, value: ["bytearray", bytearray.hex(value)]),
    (complex, lambda _end, value: ["complex", repr(value.real), repr(value.imag)]),
    (object, _known),
]


# --------------------------------------------------------------------------- reading


def _rebuilt(name: str) -> Callable[..., Any]:
    module, _, kind = name.partition(".")

    def reader(end: Ends, *parts: Any) -> Any:
        values = [end.decode(part) for part in parts]
        found = getattr(__import__(module), kind)
        return found.fromisoformat(*values) if hasattr(found, "fromisoformat") else found(*values)

    return reader


READERS: dict[str, Callable[..., Any]] = {
    "int": lambda _end, text: int(text, 16),
    "float": lambda _end, text: float(text),
    "complex": lambda _end, real, imaginary: complex(float(real), float(imaginary)),
    "bytes": lambda _end, text: bytes.fromhex(text),
    "bytearray": lambda _end, text: bytearray.fromhex(text),
    "list": lambda end, parts: [end.decode(part) for part in parts],
    "tuple": lambda end, parts: tuple([end.decode(part) for part in parts]),
    "set": lambda end, parts: {end.decode(part) for part in parts},
    "frozenset": lambda end, parts: frozenset([end.decode(part) for part in parts]),
    "dict": lambda end, pairs: {end.decode(key): end.decode(part) for key, part in pairs},
    "ref": lambda end, *reference: end.referred(*reference),
    "own": lambda end, reference: end.objects[reference],
    "builtin": lambda end, name: end.builtin(name),
    **{name: _rebuilt(name) for name in _PARTS if not name.startswith("builtins.dict_")},
    **{name: lambda end, parts: end.decode(parts) for name in _PARTS if name.startswith("builtins.dict_")},
}
"""What rebuilds a value, by its tag."""
