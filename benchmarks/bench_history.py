"""What a history is asked on every step: best, top, seen, known, front; and what adding costs.

Each is timed at two lengths, and its cost at 1,000,000 trials is set against that at 10,000.
Looking something up in a table costs what the caches of the machine make of it, and more in a large
table than in a small one; so `seen` and `lookup` are set against a bare dict of the same size and
keys.
"""

import argparse
import gc
import random
import time

from figure import figure

from hypernets.domain.history import History, Trial, TrialState

_REPEATS = 2_000
_BURST = 2_000
_TABLES = ("seen", "lookup")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1_000_000)
    longest = parser.parse_args().trials
    rng = random.Random(0)  # noqa: S311 - rewards, not secrets
    history = History({"accuracy": "max", "latency_s": "min"})
    history.front()
    costs = {}
    for length in (10_000, longest):
        while len(history) < length:
            history.add(_trial(len(history) + 1, rng))
        costs[length] = _costs(history, rng)
    for name, shortest in costs[10_000].items():
        long = costs[longest][name]
        if name in _TABLES:
            bare = costs[longest][f"dict for {name}"]
            figure(f"{name} at {longest} trials relative to a bare dict", long / bare, "ratio", 2.0)
        elif not name.startswith("dict"):
            figure(f"{name} at {longest} trials relative to 10000", long / shortest, "ratio", 3.0)
        if not name.startswith("dict"):
            target = 100.0 if name in ("add", "front") else 20.0
            figure(f"{name} at {longest} trials", long * 1e6, "us", target)


def _costs(history, rng) -> dict[str, float]:
    numbers = [rng.randrange(1, len(history) + 1) for _ in range(_REPEATS)]
    signatures = [history.trial(number).signature for number in numbers]
    keys = [history.trial(number).key for number in numbers]
    trials = [_trial(len(history) + i + 1, rng) for i in range(_BURST)]
    return {
        "best": _each(lambda _: history.best, numbers),
        "top(10)": _each(lambda _: history.top(10), numbers),
        "seen": _each(history.seen, signatures),
        "dict for seen": _each(dict.fromkeys(t.signature for t in history).get, signatures),
        "lookup": _each(history.lookup, keys),
        "dict for lookup": _each({trial.key: trial for trial in history}.get, keys),
        "front": _each(lambda _: history.front(), numbers[:100]),
        "add": _each(history.add, trials),
    }


def _each(function, arguments) -> float:
    """Return the seconds that a call takes, the least of three parts."""
    part = max(1, len(arguments) // 3)
    parts = [arguments[i : i + part] for i in range(0, part * 3, part)]
    gc.collect()
    gc.disable()
    try:
        taken = []
        for some in parts:
            begun = time.process_time()
            for argument in some:
                function(argument)
            taken.append((time.process_time() - begun) / len(some))
    finally:
        gc.enable()
    return min(taken)


def _trial(number: int, rng: random.Random) -> Trial:
    objectives = {"accuracy": rng.random(), "latency_s": rng.random()}
    return Trial(number, {"units": number}, f"1-{number:032x}", TrialState.COMPLETED, objectives)


if __name__ == "__main__":
    main()
