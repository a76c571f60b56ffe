"""What a process of its own adds to a tiny trial: time, and memory of what stays.

The same dense networks on digits are trained by the same estimator in this process and in processes
of their own. A trial's own fit is what it takes inside its process, so the rest is: forking,
sending the job, unpacking it, building the first context of TensorFlow, saving the weights, the
way back. The figure is the median over the trials, the first one left out: it waits for the zygote.
"""

import argparse
import pathlib
import statistics
import sys
import time

import attrs
from figure import figure
from fixed_search import COMPILE, digits

from hypernets.adapters.keras.spaces.dnn import dnn_search_space
from hypernets.adapters.process import ProcessExecutor
from hypernets.application.port import Job, Measurement


class Empty:
    """Measures nothing: what remains is the process."""

    def estimate(self, architecture, context):
        return Measurement({"x": 1.0})


class Timed:
    """Measures with another estimator, and how long that takes in its process."""

    def __init__(self, estimator):
        self.estimator = estimator
        self.preload = estimator.preload

    def estimate(self, architecture, context):
        begun_s = time.perf_counter()
        measured = self.estimator.estimate(architecture, context)
        spent_s = time.perf_counter() - begun_s
        return attrs.evolve(measured, details={"spent_s": spent_s})


def beyond(executor, estimator, architectures):
    """Return the seconds of each trial beyond those in its estimator, the first left out."""
    found = []
    for number, architecture in enumerate(architectures, 1):
        begun_s = time.perf_counter()
        executor.submit(Job(number, architecture, estimator, seed=number), lambda report: False)
        (outcome,) = executor.completed()
        took_s = time.perf_counter() - begun_s
        assert outcome.failure is None, outcome.failure
        found.append(took_s - outcome.measurement.details.get("spent_s", 0.0))
    return found[1:]


def resident_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def keras_estimator():
    from hypernets.adapters.keras.data import prepare
    from hypernets.adapters.keras.estimator import KerasEstimator
    from hypernets.adapters.keras.training import TrainingPlan

    x, y, x_val, y_val = digits()
    data = prepare(x.reshape(-1, 64), y, validation_data=(x_val.reshape(-1, 64), y_val))
    plan = TrainingPlan({**COMPILE, "epochs": 1, "batch_size": 128, "verbose": 0})
    return KerasEstimator(data, plan)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=20)
    trials = parser.parse_args().trials
    space = dnn_search_space(64, 10, "softmax", units_choices=(16, 32, 64))
    architectures = [space.sample(seed) for seed in range(trials + 1)]
    met = True
    with ProcessExecutor(preload=()) as executor:
        spent = beyond(executor, Empty(), architectures)
        met &= figure("empty trial", statistics.median(spent), "s", 0.060, worst=max(spent))
    with ProcessExecutor() as executor:
        estimator = Timed(keras_estimator())
        spent = beyond(executor, estimator, architectures)
        met &= figure("tiny trial beyond its fit", statistics.median(spent), "s", 0.060)
        zygote = executor._house.launcher._zygote.process.pid
        before = resident_bytes(zygote)
        beyond(executor, estimator, architectures)
        growth = resident_bytes(zygote) / before - 1
        met &= figure("growth of the zygote", growth, "ratio", 0.02)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
