"""What all suites share: laws as methods, and a folder for those that need one."""

import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["Suite", "broken_laws", "laws", "raised"]

Error = TypeVar("Error", bound=BaseException)


class Suite:
    """Laws, each a method that begins with `test_` and fails with an `AssertionError`.

    pytest finds them in a subclass whose name begins with `Test`; `unittest` in one that derives
    from `TestCase` too; `broken_laws` runs them without either. Assertions are plain `assert`s: do
    not run them under `python -O`.
    """

    _folder: Path | None = None

    @property
    def folder(self) -> Path:
        """A folder of this test's own, removed with it."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="hypernets-testing-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder


def laws(suite: type[Suite]) -> tuple[str, ...]:
    """Return the names of the laws of a suite, without `test_`, in alphabetical order."""
    return tuple(name.removeprefix("test_") for name in dir(suite) if name.startswith("test_"))


def broken_laws(suite: type[Suite]) -> dict[str, Exception]:
    """Return name of a law, without `test_` → how it is broken, for each that is.

    Args:
        suite: a subclass of a suite, which says what is tested.
    """
    broken: dict[str, Exception] = {}
    for law in laws(suite):
        try:
            getattr(suite(), f"test_{law}")()
        except Exception as error:
            broken[law] = error
    return broken


def raised(kind: type[Error], call: Callable[..., Any], *arguments: Any) -> Error:
    """Return the error of a kind that a call raises, and fail where it raises none."""
    try:
        value = call(*arguments)
    except kind as error:
        return error
    name = getattr(call, "__name__", "a call")
    raise AssertionError(f"{name} must raise {kind.__name__}; it returned {value!r}")
