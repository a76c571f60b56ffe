"""What the process of a trial does: reads its job, runs it, hands the result in.

Reports are asked and answered: `report` returns only when the coordinator has said whether to go
on. So a trial stops after the same report on every machine, however fast it is.
"""

import faulthandler
import json
import os
import pathlib
import random
import signal
import socket
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from hypernets.adapters.process.frame import read_frame, send_frame
from hypernets.adapters.process.limit import anonymous_bytes, memory_limited
from hypernets.adapters.process.parcel import unpack
from hypernets.adapters.process.result import failed_document, outcome_document
from hypernets.adapters.process.trial_log import Printed, logged
from hypernets.application.in_process.attempt import attempt
from hypernets.application.port import Job
from hypernets.domain.history import Report

__all__ = ["TRACE_SIGNAL", "read_header", "run_trial"]

TRACE_SIGNAL = signal.SIGUSR1
"""Makes a trial's process write to its log where each of its threads is."""

_NUMPY_SEEDS = 2**32


def read_header(path: str) -> dict[str, Any]:
    """Return what the coordinator has written about a trial."""
    header: dict[str, Any] = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    return header


def run_trial(header: Mapping[str, Any], channel: socket.socket) -> None:
    """Run a trial in this process and hand its result in.

    Args:
        header: `job`, `log`, `printed`, `artifact` (paths); `sys_path`, `argv`, `cwd`, `environ`,
            `is_terminal` of the coordinator; `threads`, `memory_limit_bytes`, `seed`.
        channel: to the coordinator.
    """
    send_frame(
        channel,
        {"kind": "begun", "at_s": time.monotonic(), "memory_bytes": anonymous_bytes(os.getpid())},
    )
    printed = header["printed"] and pathlib.Path(header["printed"])
    with logged(pathlib.Path(header["log"]), printed, header["is_terminal"]) as printer:
        faulthandler.enable(sys.stderr)
        faulthandler.register(TRACE_SIGNAL, sys.stderr)
        try:
            document = _outcome(header, _Line(channel, printer))
        except BaseException as error:  # SystemExit and the like included
            document = failed_document(error)
        frame = {"kind": "result", "outcome": document, "printed": printer.position()}
        send_frame(channel, frame)
        # its file is closed with the log
        faulthandler.unregister(TRACE_SIGNAL)
        faulthandler.disable()


def _outcome(header: Mapping[str, Any], line: "_Line") -> dict[str, Any]:
    _take_place(header)
    artifact = pathlib.Path(header["artifact"])
    with memory_limited(header["memory_limit_bytes"]):
        job: Job = unpack(pathlib.Path(header["job"]))
        prepare = getattr(job.estimator, "prepare_process", None)
        if prepare is not None:
            prepare(header["threads"])
        outcome = attempt(job, line.report, None)
        if outcome.failure is not None:
            return outcome_document(outcome, job, artifact)
    return outcome_document(outcome, job, artifact)


def _take_place(header: Mapping[str, Any]) -> None:
    """Make this process one that could have been started where the coordinator was."""
    sys.path[:] = header["sys_path"]
    sys.argv[:] = header["argv"]
    os.environ.update(header["environ"])
    for name in set(os.environ) - set(header["environ"]):
        del os.environ[name]
    if header["threads"] is not None:
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(header["threads"])
    if header["cwd"] is not None:
        os.chdir(header["cwd"])
    # all that are forked off one process would draw the same numbers
    random.seed(header["seed"])
    np.random.seed(header["seed"] % _NUMPY_SEEDS)  # noqa: NPY002 - the one that users may use


class _Line:
    """The trial's line to the coordinator."""

    def __init__(self, channel: socket.socket, printer: Printed) -> None:
        self._channel = channel
        self._printer = printer

    def report(self, report: Report) -> bool:
        """Hand a report in; return whether to stop, when the coordinator has said so."""
        frame = {
            "kind": "report",
            "step": report.step,
            "values": dict(report.values),
            "printed": self._printer.position(),
            "at_s": time.monotonic(),
        }
        send_frame(self._channel, frame)
        answer = read_frame(self._channel)
        if answer is None:  # nobody waits for this trial any more
            os._exit(1)
        return bool(answer["stop"])
