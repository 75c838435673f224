"""One end of the channel between subject and tester: framed JSON, requests that may cross, exceptions told."""

from __future__ import annotations

import builtins
import json
import socket
import struct
import time
from typing import Any

from routemark.sandbox.inside.values import read, write

LONGEST = 32 << 20
"""Bytes of a message; what is longer is nothing that a test could have asked for."""
DEEPEST = 60
"""Calls between the two sides that may be open inside each other."""
_LENGTH = struct.Struct(">I")
_BASES = 2
"""Classes at the end of every exception's order: BaseException, object."""


class GoneError(BaseException):
    """The other side is gone or talks nonsense; no Exception, so that nobody takes it for the answer's own."""


class TooSlowError(BaseException):
    """The other side did not answer in time."""


class Peer:
    """One end. `perform`, `refer`, `referred` and `builtin` say what this end lets the other do."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.objects: dict[int, Any] = {}
        """What the other side may refer to, by id."""
        self.deadline: float | None = None
        """Monotonic time at which waiting for the other side ends."""
        self._depth = 0

    # messages

    def send(self, message: list[Any]) -> None:
        """Send a message.

        Raises: ValueError when it cannot be carried; GoneError; TooSlowError.
        """
        try:
            data = json.dumps(message).encode()
        except (ValueError, TypeError, RecursionError) as error:
            raise ValueError(f"cannot be carried over: {error}") from None
        if len(data) > LONGEST:
            raise ValueError("is too large to be carried over")
        try:
            self.channel.settimeout(self._left())
            self.channel.sendall(_LENGTH.pack(len(data)) + data)
        except TimeoutError:
            raise TooSlowError from None
        except OSError:
            raise GoneError from None

    def receive(self) -> list[Any]:
        """Wait for a message. Raises: GoneError, TooSlowError."""
        (size,) = _LENGTH.unpack(self._read(_LENGTH.size))
        if size > LONGEST:
            raise GoneError
        try:
            message = json.loads(self._read(size))
        except (ValueError, RecursionError):
            raise GoneError from None
        if not isinstance(message, list) or not message:
            raise GoneError
        return message

    def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            try:
                self.channel.settimeout(self._left())
                part = self.channel.recv(min(size - len(data), 1 << 20))
            except TimeoutError:
                raise TooSlowError from None
            except OSError:
                raise GoneError from None
            if not part:
                raise GoneError
            data += part
        return bytes(data)

    def _left(self) -> float | None:
        return None if self.deadline is None else max(self.deadline - time.monotonic(), 1e-3)

    def request(self, *message: Any) -> list[Any]:
        """Ask the other side, doing meanwhile what it asks; give its reply: ok or error."""
        if self._depth >= DEEPEST:
            raise RecursionError("test and answer call each other too deeply")
        self._depth += 1
        try:
            self.send(list(message))
            while (reply := self.receive())[0] not in ("ok", "error"):
                self.reply_to(reply)
            return reply
        finally:
            self._depth -= 1

    def reply_to(self, message: list[Any]) -> None:
        """Do what the other side asks, and send what comes of it or what went wrong."""
        try:
            reply = self.perform(*message)
        except Exception as error:  # noqa: BLE001  border: whatever it raises belongs to who asked
            reply = self.told(error)
        except (SystemExit, KeyboardInterrupt) as error:
            reply = self.told(RuntimeError(f"{type(error).__name__}: {error}"))
        try:
            self.send(reply)
        except ValueError as error:
            self.send(self.told(ValueError(f"what it gave {error}")))

    # values and exceptions

    def encode(self, value: Any) -> Any:
        """Give a value as JSON can carry it."""
        return write(self, value)

    def decode(self, data: Any) -> Any:
        """Rebuild a value."""
        return read(self, data)

    def told(self, error: BaseException) -> list[Any]:
        """Give an exception as a message: its classes, nearest first, its arguments and its text."""
        classes = [
            [kind.__name__, id(kind) if id(kind) in self.objects else None]
            for kind in type(error).__mro__[:-_BASES]
        ]
        try:
            return ["error", classes, [self.encode(part) for part in error.args], str(error)[:2000]]
        except Exception:  # noqa: BLE001  border: arguments and text are the answer's to break
            return ["error", classes, [], ""]

    def rebuilt(self, reply: list[Any]) -> Exception:
        """Give the exception that a message tells of, as the nearest class that exists here."""
        try:
            _, classes, arguments, text = reply
            kind = next((k for k in (self.exception(*named) for named in classes) if k), Exception)
            try:
                return kind(*[self.decode(part) for part in arguments])
            except Exception:  # noqa: BLE001  border: some classes want other arguments than they keep
                return Exception(text)
        except (TypeError, ValueError):
            return Exception("an error that cannot be read")

    def exception(self, name: str, _reference: Any) -> type[Exception] | None:
        """Give the exception class of a name, if there is one here."""
        return builtin_exception(name)

    # what each end decides

    def perform(self, *message: Any) -> list[Any]:
        """Do what the other side asks; give the reply."""
        raise NotImplementedError

    def refer(self, value: Any) -> Any:
        """Give a reference to something that is no plain data."""
        raise NotImplementedError

    def referred(self, *reference: Any) -> Any:
        """Give a stand-in for something of the other side's."""
        raise NotImplementedError

    def builtin(self, name: str) -> Any:
        """Give a builtin by its name."""
        raise NotImplementedError


def builtin_exception(name: Any) -> type[Exception] | None:
    """Give the builtin exception of a name; None if there is none, or it is no Exception."""
    kind = getattr(builtins, name, None) if isinstance(name, str) else None
    return kind if isinstance(kind, type) and issubclass(kind, Exception) else None
