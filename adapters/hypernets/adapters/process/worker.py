"""A process that runs one trial after another, where none can be forked off a zygote.

The coordinator lets it go after a number of trials, with the memory that they have left behind. A
thread waits for the death of the coordinator, and takes the process with it.

Run as `python -P -m hypernets.adapters.process.worker LINE LIFELINE SCRATCH MODULE...`.
"""

import importlib
import os
import pathlib
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Sequence

from hypernets.adapters.process.child import read_header, run_trial
from hypernets.adapters.process.frame import read_frame
from hypernets.adapters.process.scratch import remove_scratch

__all__ = ["main"]


def _go_with(lifeline: int, scratch: pathlib.Path) -> None:
    """End this process and what it has started when the other end of a pipe is closed."""
    os.read(lifeline, 1)
    remove_scratch(scratch)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main(arguments: Sequence[str]) -> None:
    """Serve a coordinator (see the module)."""
    number, lifeline, scratch, *modules = arguments
    threading.Thread(
        target=_go_with, args=(int(lifeline), pathlib.Path(scratch)), daemon=True
    ).start()
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception:  # it is not needed here: a trial that needs it will say so
            traceback.print_exc()
    line = socket.socket(fileno=int(number))
    while True:
        order = read_frame(line)
        if order is None:
            break
        _, handed, _, _ = socket.recv_fds(line, 1, 1)
        with socket.socket(fileno=handed[0]) as channel:
            run_trial(read_header(order["header"]), channel)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # threads of the trials may still be there


if __name__ == "__main__":
    main(sys.argv[1:])
