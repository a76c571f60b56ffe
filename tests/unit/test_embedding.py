"""The engine within another program: silent, and gone without a trace."""

import subprocess
import sys

PROGRAM = """
import asyncio, atexit, collections, contextvars, gc, logging, os, random, signal, sys, threading
import warnings, weakref

import numpy as np
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
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "random": (random.getstate(), repr(np.random.get_state())),
        "process": (os.getcwd(), dict(os.environ), list(sys.path), os.listdir("/proc/self/fd")),
        "limits": (gc.get_threshold(), sys.getrecursionlimit(), sys.getswitchinterval()),
        "at exit": atexit._ncallbacks(),
    }


COLLECTIONS = (dict, list, set, collections.deque, weakref.WeakKeyDictionary,
               weakref.WeakValueDictionary, weakref.WeakSet)


def held():
    "How much the modules of the engine hold: their global collections and caches."
    gc.collect()
    found = {}
    for module in [name for name in sys.modules if name.startswith("hypernets.")]:
        for name, value in vars(sys.modules[module]).items():
            if isinstance(value, COLLECTIONS) and not name.startswith("__"):
                found[module, name] = len(value)
            elif hasattr(value, "cache_info"):
                found[module, name] = value.cache_info().currsize
    return found


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


def main(in_threads, awaited):
    service = SearchService(clock=Clock())
    threads = [
        threading.Thread(target=search, args=(service, "x" * k, in_threads)) for k in (1, 2)
    ]
    for thread in threads:
        thread.start()
    asyncio.run(watched(service, "awaited", awaited))
    for thread in threads:
        thread.join()
    total = sum(session.result().n_evaluated for session in map(service.session, service.names()))
    assert total == 2 * in_threads + awaited, total
    service.close()


before = state()
main(30, 40)
held_by_few = held()
main(3_000, 4_000)
held_by_many = held()
memo = ("hypernets.domain.architecture.signature.label", "_known")
assert held_by_many.pop(memo) <= 4096  # texts of layers, which are the same for everybody
grown = {name: n for name, n in held_by_many.items() if n != held_by_few.get(name)}
assert not grown, grown
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
