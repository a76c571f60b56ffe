"""What it costs to keep a trial on the disk: appending, and opening a long history.

An append is compared with a bare write of as many bytes and one sync, in turn, on the same disk
(`--folder`; the working directory by default, for a temporary folder may be in memory). `--trials`
makes it shorter for a first look.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from figure import figure

from hypernets.adapters.store.hdf5 import Hdf5Store
from hypernets.adapters.store.hdf5.writer import document_of
from hypernets.domain.history import Trial, TrialState

_ROUND = 1_000


def trial(number: int) -> Trial:
    """Return a trial of ordinary size: ten decisions with labels, two objectives."""
    names = [f"Module_Dense_{i}.units" for i in range(1, 11)]
    return Trial(
        number,
        {name: 8 * (i + number % 7) for i, name in enumerate(names)},
        f"1-{number:032x}",
        TrialState.COMPLETED,
        {"accuracy": number % 997 / 997, "latency_s": 0.001 * (number % 89)},
        labels={name: name.removeprefix("Module_").lower() for name in names},
        timings={"build_s": 0.05, "fit_s": 2.5, "evaluate_s": 0.1},
        elapsed_s=2.7,
        seed=number * 7919 % 2**31,
        estimator="keras",
        asked_after=number - 1,
    )


class Bare:
    """A file of its own size to which the same bytes are written, and synced."""

    def __init__(self, folder: Path, n_trials: int, n_bytes: int) -> None:
        self.n_bytes, self.at = n_bytes, 0
        self.descriptor = os.open(folder / "bare", os.O_RDWR | os.O_CREAT)
        os.pwrite(self.descriptor, bytes(n_trials * n_bytes), 0)
        os.fsync(self.descriptor)

    def append(self) -> None:
        os.pwrite(self.descriptor, b"x" * self.n_bytes, self.at)
        os.fdatasync(self.descriptor)
        self.at += self.n_bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--folder", default=".", help="on the disk to be measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        appending(folder, options.trials)
        opening(folder / "store", options.trials)


def appending(folder: Path, n_trials: int) -> None:
    bare = Bare(folder, n_trials, 256 + len(document_of(trial(12_345))))
    ratios, bare_s, store_s, slowest = [], [], [], 0.0
    with Hdf5Store(folder / "store") as store:
        for first in range(1, n_trials + 1, _ROUND):
            numbers = range(first, min(first + _ROUND, n_trials + 1))
            one, other = [], []
            for each in map(trial, numbers):  # in turn, so that both meet the same disk
                one.append(_seconds(bare.append))
                other.append(_seconds(store.append, each))
            bare_s.append(statistics.fmean(one))
            store_s.append(statistics.fmean(other))
            ratios.append(store_s[-1] / bare_s[-1])
            slowest = max(slowest, *other)
            print(f"{numbers[-1]} trials, {ratios[-1]:.2f} x bare", file=sys.stderr)
    tenth = max(1, len(store_s) // 10)
    figure(
        "append, relative to a bare write and sync of the same bytes",
        statistics.median(ratios),
        "ratio",
        3,
        append_ms=round(1e3 * statistics.median(store_s), 4),
        bare_ms=round(1e3 * statistics.median(bare_s), 4),
        slowest_ms=round(1e3 * slowest, 2),
    )
    figure(
        f"last tenth of {n_trials} appends relative to the first, each over bare",
        statistics.median(ratios[-tenth:]) / statistics.median(ratios[:tenth]),
        "ratio",
        1.5,
    )


def opening(folder: Path, n_trials: int) -> None:
    def open_for_writing() -> None:
        Hdf5Store(folder).close()

    with Hdf5Store(folder, "r") as store:
        loads = [_seconds(store.load) for _ in range(3)]
        assert len(store.load()) == n_trials
    opens = [_seconds(open_for_writing) for _ in range(5)]
    figure(
        f"opening {n_trials} trials, every one checked",
        statistics.median(opens),
        "s",
        1,
        load_s=round(statistics.median(loads), 3),
    )


def _seconds(function, *arguments) -> float:
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
