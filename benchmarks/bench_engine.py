"""What the engine adds to training: time per trial, and a whole search against a plain loop.

The plain loop builds, fits and evaluates the same ten architectures with Keras alone, in the same
process, one after each trial of the search or before it; each side of a pair takes at least a
minute in all. `--pairs` and `--seconds` make it shorter for a first look.
"""

import argparse
import math
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
    _seconds(train_plainly, data, architectures[0], 1, 1)  # TensorFlow starts
    first, sixth = (
        _seconds(search, data, searched, architectures, epochs=epochs) for epochs in (1, 6)
    )
    per_epoch = max((sixth - first) / 5, 0.1)
    epochs = 1 + max(0, round(1.5 * (options.seconds - first) / per_epoch))
    ratios: list[float] = []
    shortest_s = float("inf")
    while len(ratios) < options.pairs:
        plain = PlainLoop(data, architectures, epochs, len(ratios))
        both_s = _seconds(search, data, searched, architectures, epochs, [plain])
        search_s = both_s - plain.taken_s
        side_s = min(search_s, plain.taken_s)
        print(
            f"pair {len(ratios) + 1}: search {search_s:.1f} s, plain {plain.taken_s:.1f} s, "
            f"ratio {search_s / plain.taken_s:.4f}, {epochs} epochs",
            file=sys.stderr,
        )
        if side_s < options.seconds:  # the machine is faster than it was: again, and longer
            epochs = 1 + math.ceil(epochs * options.seconds / side_s)
            continue
        ratios.append(search_s / plain.taken_s)
        shortest_s = min(shortest_s, side_s)
    figure(
        "search of 10 fixed architectures relative to a plain Keras loop",
        statistics.median(ratios),
        "ratio",
        1.02,
        low=round(min(ratios), 4),
        high=round(max(ratios), 4),
        pairs=len(ratios),
        epochs=epochs,
        shortest_side_s=round(shortest_s, 1),
    )


class PlainLoop:
    """The plain loop, one architecture at a time between the trials of a search.

    A machine that is slow for a minute is slow for both sides then. Which side comes first changes
    from trial to trial, and from pair to pair.
    """

    def __init__(self, data, architectures, epochs, pair):
        self._data, self._architectures, self._epochs = data, architectures, epochs
        self._parity = pair % 2
        self.taken_s = 0.0

    def on_trial_begin(self, number, architecture):
        if number % 2 == self._parity:
            self._train(number)

    def on_trial_end(self, trial, improved):
        if trial.number % 2 != self._parity:
            self._train(trial.number)

    def _train(self, number):
        architecture = self._architectures[number - 1]
        self.taken_s += _seconds(train_plainly, self._data, architecture, self._epochs, number)


def train_plainly(data, architecture, epochs, number) -> None:
    x, y, x_val, y_val = data
    keras.utils.set_random_seed(number)
    model = build_model(architecture)
    model.compile(**COMPILE)
    model.fit(x, y, epochs=epochs, verbose=0)
    model.evaluate(x_val, y_val, verbose=0)


def search(data, searched, architectures, epochs, callbacks=()) -> None:
    strategy = FixedSearcher(searched, architectures)
    engine = HyperKeras(strategy, callbacks=callbacks, isolation="inline", **COMPILE)
    engine.search(*data, max_trials=len(architectures), epochs=epochs, verbose=0, seed=0)


def _seconds(function, *arguments, **keywords) -> float:
    start = time.perf_counter()
    function(*arguments, **keywords)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
