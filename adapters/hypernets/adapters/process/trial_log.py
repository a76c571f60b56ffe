"""The log of a trial: all that its process writes to the terminal, in a file of its own."""

import contextlib
import io
import os
import pathlib
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO

__all__ = ["Echo", "log_tail", "logged"]

_TAIL_BYTES = 4_096


def log_tail(path: pathlib.Path, count: int = _TAIL_BYTES) -> str:
    """Return the end of a log, from the beginning of a line where that is near."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - count))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    if size > count:
        text = text[text.find("\n") + 1 :]
    return text.strip()


@contextlib.contextmanager
def logged(
    log: pathlib.Path, printed: pathlib.Path | None, is_terminal: bool
) -> Iterator["Printed"]:
    """Send everything that this process writes to a log.

    Args:
        log: the file; what is there already stays.
        printed: gets what is printed as well, for the coordinator to show; `None` for nothing.
        is_terminal: what `sys.stdout.isatty()` is to say, so that what is printed is what would be
            without a process of its own.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    before = os.dup(1), os.dup(2)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)
    copy = None if printed is None else printed.open("ab")
    out, err = sys.stdout, sys.stderr
    printer = Printed(1, copy, is_terminal)
    sys.stdout, sys.stderr = printer, _writer(2)
    try:
        yield printer
    finally:
        printer.end_copy()
        sys.stderr.flush()
        sys.stdout, sys.stderr = out, err
        for number, kept in zip((1, 2), before, strict=True):
            os.dup2(kept, number)
            os.close(kept)


class Printed(io.TextIOWrapper):
    """A standard output that goes to a log, with a copy of what is printed."""

    def __init__(self, number: int, copy: BinaryIO | None, is_terminal: bool) -> None:
        raw = os.fdopen(number, "wb", closefd=False)
        super().__init__(raw, encoding="utf-8", errors="backslashreplace", line_buffering=True)
        self._copy = copy
        self._is_terminal = is_terminal

    def write(self, text: str) -> int:
        """Write text to both."""
        if self._copy is not None:
            self._copy.write(text.encode("utf-8", "backslashreplace"))
            if "\n" in text:
                self._copy.flush()
        return super().write(text)

    def flush(self) -> None:
        """Hand on what is buffered to both."""
        super().flush()
        if self._copy is not None:
            self._copy.flush()

    def end_copy(self) -> None:
        """Hand on what is buffered, and copy no more."""
        self.flush()
        if self._copy is not None:
            self._copy.close()
            self._copy = None

    def isatty(self) -> bool:
        """Return what the coordinator's own standard output says."""
        return self._is_terminal

    def position(self) -> int:
        """Return how many bytes have been printed by now; they have reached the copy."""
        self.flush()
        return 0 if self._copy is None else self._copy.tell()


def _writer(number: int) -> TextIO:
    return os.fdopen(
        number, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False
    )


class Echo:
    """Shows in the coordinator what a trial prints, in order.

    Args:
        path: the copy of what is printed.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._shown = 0

    def remove(self) -> None:
        """Remove the copy."""
        self._path.unlink(missing_ok=True)

    def show(self, until: int | None = None) -> None:
        """Print what is new, up to a position in bytes if one is given."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._shown)
                new = file.read(-1 if until is None else max(0, until - self._shown))
        except OSError:
            return
        whole = _whole_characters(new)
        if not whole:
            return
        self._shown += len(whole)
        out: Any = sys.stdout
        out.write(whole.decode("utf-8", "replace"))
        out.flush()


def _whole_characters(text: bytes) -> bytes:
    """Return the text without the bytes of a character at its end that is not complete."""
    for back in range(1, min(4, len(text)) + 1):
        first = text[-back]
        if first < 0x80:
            return text
        if first >= 0xC0:
            needed = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
            return text if back >= needed else text[:-back]
    return text
