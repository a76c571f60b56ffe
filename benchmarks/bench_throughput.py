"""How many trials a second the engine manages when measuring costs nothing.

Random search over a space of dense networks that is too large to be used up, a store in memory, an
estimator that returns a number. Every trial is a network of its own. The rate is that of the whole
run; that of its last tenth, relative to the first, says whether it is flat. `--trials` makes the
run shorter for a first look, and `--cpu` counts the time of the process in place of the wall clock.
"""

import argparse
import statistics
import time

from figure import figure

from hypernets.application import Search
from hypernets.application.port import Measurement
from hypernets.domain.searchers import RandomSearcher
from hypernets.frameworks.keras.dnn_search_space import dnn_search_space


class Free:
    """Measures nothing."""

    name = "free"

    def __init__(self):
        self.n = 0

    def estimate(self, architecture, context):
        self.n += 1
        return Measurement({"reward": (self.n * 7919 % 10_007) / 10_007})


class Marks:
    """Notes the time after every thousandth trial."""

    def __init__(self, clock):
        self.clock, self.at_s = clock, []

    def on_search_begin(self, search):
        self.at_s.append(self.clock())

    def on_trial_end(self, trial, improved):
        if trial.number % 1_000 == 0:
            self.at_s.append(self.clock())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--cpu", action="store_true", help="count the time of the process")
    options = parser.parse_args()
    marks = Marks(time.process_time if options.cpu else time.perf_counter)
    space = dnn_search_space(10, 2, "softmax", units_choices=tuple(range(100, 2_100)))
    search = Search(RandomSearcher(space, seed=0), Free(), callbacks=[marks])
    history = search.run(max_trials=options.trials)
    gaps = [b - a for a, b in zip(marks.at_s[:-1], marks.at_s[1:], strict=True)]
    part = max(1, len(gaps) // 10)
    rate = 1_000 * len(gaps) / sum(gaps)
    figure(f"trials a second over {len(history)} trials", rate, "1/s", 2_000, at_least=True)
    # medians of thousands: a minute in which the machine is busy elsewhere says nothing of the loop
    first, last = statistics.median(gaps[:part]), statistics.median(gaps[-part:])
    figure("time of the last tenth of the trials relative to the first", last / first, "ratio", 1.2)


if __name__ == "__main__":
    main()
