"""Trials an hour of a search of digits networks with two workers, against a plain Keras loop.

Both train the same convolutional networks on the same data for as many epochs. The plain loop is
what one would write by hand: one process, all cores, one network after another is built, compiled,
fitted and evaluated, and its variable is then bound to the next one. The search is `HyperKeras`
with its usual loop, each trial in a process of its own, two at a time, the best weights kept.

A side is a program of its own, so that neither finds what the other has left. Its time runs from
when everything is imported until the last trial is known; so the search pays for the process that
its trials are forked off, which imports TensorFlow once more. The line gives the ratio without
that as well. Sides come in pairs, and which is first changes from pair to pair.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

from figure import figure

_TARGET = 1.5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--side", choices=sorted(_SIDES), help="run one side and print its times")
    options = parser.parse_args()
    if options.side is not None:
        print(json.dumps(_SIDES[options.side](options)))
        return 0
    return 0 if compared(options) else 1


def compared(options) -> bool:
    """Run the pairs and state the figure."""
    pairs = []
    for number in range(1, options.pairs + 1):
        order = ("plain", "search") if number % 2 else ("search", "plain")
        found = {side: _run(side, options) for side in order}
        pairs.append((found["plain"], found["search"]))
        plain_s, search_s = (found[side]["spent_s"] for side in ("plain", "search"))
        print(
            f"pair {number}: plain {plain_s:.1f} s, search {search_s:.1f} s of which "
            f"{found['search']['start_s']:.1f} s to start, ratio {plain_s / search_s:.3f}",
            file=sys.stderr,
        )
    ratios = [plain["spent_s"] / search["spent_s"] for plain, search in pairs]
    started = [
        (plain["spent_s"] - plain["start_s"]) / (search["spent_s"] - search["start_s"])
        for plain, search in pairs
    ]
    return figure(
        f"trials an hour on digits, {options.workers} workers, relative to a plain Keras loop",
        statistics.median(ratios),
        "ratio",
        _TARGET,
        at_least=True,
        low=round(min(ratios), 3),
        high=round(max(ratios), 3),
        without_start=round(statistics.median(started), 3),
        plain_per_hour=_per_hour(options, [plain for plain, _ in pairs]),
        search_per_hour=_per_hour(options, [search for _, search in pairs]),
        pairs=len(pairs),
        trials=options.trials,
        epochs=options.epochs,
    )


def _run(side, options):
    numbers = {name: getattr(options, name) for name in ("trials", "epochs", "workers")}
    arguments = [text for name, value in numbers.items() for text in (f"--{name}", str(value))]
    done = subprocess.run(
        [sys.executable, __file__, "--side", side, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _per_hour(options, sides) -> int:
    return round(3_600 * options.trials / statistics.median(side["spent_s"] for side in sides))


# --- the sides -----------------------------------------------------------------


def plain(options):
    """Train by hand."""
    import keras
    from fixed_search import COMPILE, digits, fixed_architectures, space

    from hypernets.adapters.keras.model_builder import build_model

    x, y, x_val, y_val = digits()
    architectures = fixed_architectures(space(), options.trials)
    begun_s = time.perf_counter()
    keras.utils.set_random_seed(0)
    for architecture in architectures:
        model = build_model(architecture)
        model.compile(**COMPILE)
        model.fit(x, y, epochs=options.epochs, verbose=0)
        model.evaluate(x_val, y_val, verbose=0)
    return {"spent_s": time.perf_counter() - begun_s, "start_s": 0.0}


def search(options):
    """Train by a search."""
    from fixed_search import COMPILE, FixedSearcher, digits, fixed_architectures, space

    from hypernets.frameworks.keras.models import HyperKeras

    data, searched = digits(), space()
    architectures = fixed_architectures(searched, options.trials)
    engine = HyperKeras(
        FixedSearcher(searched, architectures),
        isolation="process",
        n_workers=options.workers,
        **COMPILE,
    )
    begun_s = time.perf_counter()
    history = engine.search(
        *data, max_trials=options.trials, epochs=options.epochs, verbose=0, seed=0
    )
    spent_s = time.perf_counter() - begun_s
    assert history.n_evaluated == options.trials
    assert not history.n_failed
    first = history[0]
    return {"spent_s": spent_s, "start_s": first.elapsed_s - sum(first.timings.values())}


_SIDES = {"plain": plain, "search": search}


if __name__ == "__main__":
    sys.exit(main())
