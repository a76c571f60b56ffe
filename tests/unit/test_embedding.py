"""The engine within another program: silent, and gone without a trace."""

import subprocess
import sys

PROGRAM = """
import asyncio, contextvars, logging, signal, sys, threading, warnings

import structlog

from hypernets.application.service import SearchService
from hypernets.domain.space import Choice, HyperSpace, LayerModule


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


class Clock:
    def __init__(self):
        self.time_s = 0.0

    def now(self):
        self.time_s += 0.001
        return self.time_s


def space():
    space = HyperSpace()
    with space.as_default():
        Dense({"units": Choice(range(5_000), name="units")})(Input({"shape": (4,)}, name="in"))
    return space


def estimate(architecture, context):
    if architecture.decisions["units"] % 50 == 0:
        raise ValueError("one in fifty fails")
    return float(architecture.decisions["units"])


def state():
    root = logging.getLogger()
    return {
        "handlers": [repr(handler) for handler in root.handlers],
        "level": root.level,
        "own": [type(handler).__name__ for handler in logging.getLogger("hypernets").handlers],
        "disabled": logging.root.manager.disable,
        "signals": {each: signal.getsignal(each) for each in signal.valid_signals()},
        "structlog": structlog.is_configured(),
        "context": dict(contextvars.copy_context()),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "warnings": list(warnings.filters),
        "hooks": (sys.excepthook, threading.excepthook, sys.displayhook),
    }


def search(service, name, n):
    session = service.create(name, space, "random", estimate, seed=len(name))
    session.run(max_trials=n)


async def watched(service, name, n):
    session = service.create(name, space, "random", estimate, seed=len(name))
    counted = 0

    async def listen(events):
        nonlocal counted
        async for event in events:
            counted += 1 + getattr(event, "count", 1) - 1

    listener = asyncio.create_task(listen(session.events()))
    await asyncio.sleep(0)
    await session.run_async(max_trials=n)
    await listener
    assert counted == 2 * n + 4, counted


def main():
    service = SearchService(clock=Clock())
    threads = [
        threading.Thread(target=search, args=(service, "x" * k, 3_000)) for k in (1, 2)
    ]
    for thread in threads:
        thread.start()
    asyncio.run(watched(service, "awaited", 4_000))
    for thread in threads:
        thread.join()
    total = sum(session.result().n_evaluated for session in map(service.session, service.names()))
    assert total == 10_000, total
    service.close()


before = state()
main()
after = state()
for name in before:
    assert before[name] == after[name], (name, before[name], after[name])
assert not {"tensorflow", "keras", "h5py"} & set(sys.modules)
"""


def test_three_searches_in_threads_and_under_asyncio_say_nothing_and_leave_nothing():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert done.returncode == 0
