"""Whether it is known already: what a search asks of its history before every trial.

A history of 1,000 trials grows by 100,000. Before each thousand is added, it is asked for each of
them, and for as many that are known: `seen` by signature, `lookup` by key, the key built each time.
Only the asking is timed, in slices of 10,000 trials; the figures are the time of one check in the
last slice, and that slice relative to the first, each the median of several histories. A dictionary
that no longer fits the caches of the processor is slower than a small one: hence a ratio above 1 at
constant cost.
"""

import random
import statistics
import sys
import time

from figure import figure

from hypernets.domain.history import History, Trial, TrialState, trial_key

N_TRIALS, SLICE, CHUNK, HISTORIES = 100_000, 10_000, 1_000, 5
FIDELITY, TRAINING, ESTIMATOR = {"epochs": 3}, {"batch_size": 32}, "keras"


def main() -> int:
    runs = [_slices(seed) for seed in range(HISTORIES)]
    check_us = 1e6 * statistics.median(slices[-1] / (2 * SLICE) for slices in runs)
    ratios = [slices[-1] / slices[0] for slices in runs]
    met = [
        figure("seen-before check among 100,000 trials", check_us, "us", 20.0),
        figure(
            "last 10,000 of 100,000 seen-before checks relative to the first",
            statistics.median(ratios),
            "ratio",
            2.0,
            low=round(min(ratios), 3),
            high=round(max(ratios), 3),
        ),
    ]
    return 0 if all(met) else 1


def _slices(seed: int) -> list[float]:
    """Return the seconds of asking, by slice of trials; two checks a trial."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    history = History()
    taken = [0.0] * (N_TRIALS // SLICE)
    signatures = [_signature(rng) for _ in range(CHUNK)]
    _add(history, signatures)
    for place in range(0, N_TRIALS, CHUNK):
        fresh = [_signature(rng) for _ in range(CHUNK)]
        asked = [*fresh, *rng.sample(signatures, CHUNK)]
        rng.shuffle(asked)
        start = time.perf_counter()
        n_new = sum([_is_new(history, signature) for signature in asked])
        taken[place // SLICE] += time.perf_counter() - start
        assert n_new == CHUNK
        _add(history, fresh)
        signatures += fresh
    return taken


def _signature(rng: random.Random) -> str:
    return f"1-{rng.getrandbits(128):032x}"


def _add(history: History, signatures: list[str]) -> None:
    for signature in signatures:
        history.add(_trial(len(history) + 1, signature))


def _is_new(history: History, signature: str) -> bool:
    key = trial_key(signature, TRAINING, FIDELITY, 0, ESTIMATOR)
    return not history.seen(signature) and history.lookup(key) is None


def _trial(number: int, signature: str) -> Trial:
    return Trial(
        number,
        {},
        signature,
        TrialState.COMPLETED,
        objectives={"reward": number % 97 / 97},
        training=TRAINING,
        fidelity=FIDELITY,
        estimator=ESTIMATOR,
    )


if __name__ == "__main__":
    sys.exit(main())
