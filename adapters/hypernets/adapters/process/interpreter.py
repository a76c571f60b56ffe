"""Starting a fresh interpreter that runs a module of this package."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Sequence

from hypernets.domain.error import SearchError

__all__ = ["start_module"]


def start_module(
    module: str, arguments: Sequence[str], handed: Sequence[int], log: pathlib.Path
) -> subprocess.Popen[bytes]:
    """Return a new interpreter that runs a module; it gets no script and no input.

    It has a session of its own, so that Ctrl-C in a terminal reaches the coordinator only.

    Args:
        module: its full name; found as an installed module, not in the working directory.
        arguments: of the command line.
        handed: descriptors that it inherits, under the same numbers.
        log: what it writes to the terminal is added to this file.

    Raises:
        SearchError: there is no interpreter to start, or no way to hand it descriptors.
    """
    if not sys.executable or os.name != "posix":
        raise SearchError(
            "trials in processes of their own must be started by a Python on Linux or macOS; "
            f"received {sys.executable or 'no interpreter'!r} on {sys.platform}; run them in this "
            'process: isolation="inline"'
        )
    # a pool of threads, which the linear algebra of numpy starts when it is imported, would stand
    # in the way of forking
    environ = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - this interpreter, and modules of this package
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=handed,
            start_new_session=True,
            env=environ,
        )
