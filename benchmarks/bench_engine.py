"""What the engine adds to training: time per trial, and a whole search against a plain loop.

The plain loop builds, fits and evaluates the same ten architectures with Keras alone, in the same
process, in turn with the search; each side takes at least a minute. `--pairs` and `--seconds` make
it shorter for a first look.
"""

import argparse
import statistics
import sys
import time

import keras
from figure import figure
from fixed_search import COMPILE, FixedSearcher, digits, fixed_architectures, space

from hypernets.adapters.keras.model_builder import build_model
from hypernets.frameworks.keras.models import HyperKeras


class EndOfTrials:
    """Notes when each trial has been announced."""

    def __init__(self):
        self.at_s, self.trials = [], []

    def on_trial_end(self, trial, improved):
        self.at_s.append(time.perf_counter())
        self.trials.append(trial)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=60.0, help="least duration of a side")
    options = parser.parse_args()
    data, searched = digits(), space()
    architectures = fixed_architectures(searched)
    engine_time_per_trial(data, searched, architectures)
    against_a_plain_loop(data, searched, architectures, options)


def engine_time_per_trial(data, searched, architectures) -> None:
    """Everything between two ends of trials that is not build, fit or evaluate."""
    ends = EndOfTrials()
    search(data, searched, architectures, epochs=1, callbacks=[ends])
    gaps_ms = [
        1e3 * (after - before - sum(trial.timings.values()))
        for before, after, trial in zip(ends.at_s[:-1], ends.at_s[1:], ends.trials[1:], strict=True)
    ]
    figure("engine time of a trial", statistics.median(gaps_ms), "ms", 5, worst=max(gaps_ms))


def against_a_plain_loop(data, searched, architectures, options) -> None:
    _seconds(plain_loop, data, architectures[:1], 1)  # TensorFlow starts
    first, sixth = (_seconds(plain_loop, data, architectures, epochs) for epochs in (1, 6))
    per_epoch = max((sixth - first) / 5, 0.1)
    epochs = 1 + max(0, round(1.1 * (options.seconds - first) / per_epoch))
    ratios, shortest = [], float("inf")
    for pair in range(options.pairs):
        sides = {
            "plain": lambda: _seconds(plain_loop, data, architectures, epochs),
            "search": lambda: _seconds(search, data, searched, architectures, epochs=epochs),
        }
        order = ("plain", "search") if pair % 2 == 0 else ("search", "plain")
        taken = {side: sides[side]() for side in order}
        ratios.append(taken["search"] / taken["plain"])
        print(f"pair {pair + 1}: {taken}, {epochs} epochs", file=sys.stderr)
        shortest = min(shortest, *taken.values())
    figure(
        "search of 10 fixed architectures relative to a plain Keras loop",
        statistics.median(ratios),
        "ratio",
        1.02,
        low=round(min(ratios), 4),
        high=round(max(ratios), 4),
        pairs=len(ratios),
        epochs=epochs,
        shortest_side_s=round(shortest, 1),
    )


def plain_loop(data, architectures, epochs) -> None:
    x, y, x_val, y_val = data
    best = 0.0
    for number, architecture in enumerate(architectures, start=1):
        keras.utils.set_random_seed(number)
        model = build_model(architecture)
        model.compile(**COMPILE)
        model.fit(x, y, epochs=epochs, verbose=0)
        best = max(best, model.evaluate(x_val, y_val, verbose=0)[1])


def search(data, searched, architectures, epochs, callbacks=()) -> None:
    engine = HyperKeras(FixedSearcher(searched, architectures), callbacks=callbacks, **COMPILE)
    engine.search(*data, max_trials=len(architectures), epochs=epochs, verbose=0, seed=0)


def _seconds(function, *arguments, **keywords) -> float:
    start = time.perf_counter()
    function(*arguments, **keywords)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
