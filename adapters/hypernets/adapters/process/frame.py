"""Frames: what a trial's process and the coordinator say to each other, as JSON with a length.

Nothing that comes from a trial is ever unpickled.
"""

import json
import socket
import struct
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["FrameReader", "ProtocolError", "read_frame", "send_frame"]

_LENGTH = struct.Struct(">I")
_LONGEST = 256 * 2**20
_CHUNK = 2**16


class ProtocolError(Exception):
    """The other side says what is no frame."""


def send_frame(channel: socket.socket, frame: Mapping[str, Any]) -> None:
    """Send a frame, whole.

    Raises:
        OSError: the other side is gone.
        TypeError, ValueError: it holds something that JSON does not know.
    """
    body = json.dumps(frame).encode()
    channel.sendall(_LENGTH.pack(len(body)) + body)


def read_frame(channel: socket.socket) -> dict[str, Any] | None:
    """Wait for the next frame and return it; `None` when the other side is gone.

    Raises:
        ProtocolError: what came is no frame.
    """
    head = _read(channel, _LENGTH.size)
    body = head and _read(channel, _checked(head))
    return _parsed(body) if body else None


def _read(channel: socket.socket, count: int) -> bytes:
    """Return that many bytes, or none where the other side is gone before."""
    found = bytearray()
    while len(found) < count:
        try:
            part = channel.recv(min(count - len(found), _CHUNK))
        except ConnectionError:
            part = b""
        if not part:
            return b""
        found += part
    return bytes(found)


class FrameReader:
    """Reads frames as far as they have come, and never waits.

    Args:
        channel: a socket; it is not closed here.

    Attributes:
        ended: whether the other side has closed it.
    """

    def __init__(self, channel: socket.socket) -> None:
        self.ended = False
        self._channel = channel
        self._buffer = bytearray()

    def frames(self) -> Iterator[dict[str, Any]]:
        """Yield the frames that are complete by now.

        Raises:
            ProtocolError: what came is no frame.
        """
        self._receive()
        buffer = self._buffer
        while len(buffer) >= _LENGTH.size:
            end = _LENGTH.size + _checked(bytes(buffer[: _LENGTH.size]))
            if len(buffer) < end:
                return
            body = bytes(buffer[_LENGTH.size : end])
            del buffer[:end]
            yield _parsed(body)

    def _receive(self) -> None:
        while not self.ended:
            try:
                part = self._channel.recv(_CHUNK, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:  # reset: whatever it had sent before is in the buffer
                part = b""
            self.ended = not part
            self._buffer += part


def _checked(head: bytes) -> int:
    (length,) = _LENGTH.unpack(head)
    if length > _LONGEST:
        raise ProtocolError(f"a frame must be at most {_LONGEST} bytes long; received {length}")
    return int(length)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        frame = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"a frame must be JSON; received {body[:80]!r}") from error
    if not isinstance(frame, dict):
        raise ProtocolError(f"a frame must be an object; received {body[:80]!r}")
    return frame
