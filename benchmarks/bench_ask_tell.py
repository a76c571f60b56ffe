"""What a strategy itself takes: ask and tell on the ENAS space, as trials accumulate.

Nothing is trained. The simple ones are driven through many trials, and the last tenth is compared
with the first; the model-based one to 1,000 trials.
"""

import time

import numpy as np
from figure import figure, report

from hypernets.adapters.keras.spaces.enas_micro import enas_micro_search_space
from hypernets.application import make_searcher
from hypernets.domain.history import Trial, TrialState
from hypernets.domain.searchers import Proposal

SIMPLE = ("random", "quasi_random", "evolution", "local_search")
LEARNING = {"alphax": 1_000, "policy_gradient": 1_000, "bayesian": 1_000}
N_SIMPLE = 100_000


def space():
    return enas_micro_search_space(arch="NR", input_shape=(32, 32, 3), classes=10)


def durations(searcher, n):
    """Return the seconds of each ask and tell, `(n,)`; rewards are of the decisions."""
    found = np.empty(n)
    for number in range(1, n + 1):
        begun = time.perf_counter()
        answer = searcher.ask()
        asked = time.perf_counter() - begun
        proposal = answer if isinstance(answer, Proposal) else Proposal(answer)
        decisions = proposal.architecture.decisions
        reward = sum(len(str(value)) * (k % 7) for k, value in enumerate(decisions.values())) % 97
        trial = Trial(
            number,
            decisions,
            "",
            TrialState.COMPLETED,
            {"reward": float(reward)},
            parent=proposal.parent,
            asked_after=number - 1,
            architecture=proposal.architecture,
        )
        begun = time.perf_counter()
        searcher.tell(trial)
        found[number - 1] = asked + time.perf_counter() - begun
    return found * 1e3


def main():
    for name in SIMPLE:
        found = durations(make_searcher(name, space(), seed=0), N_SIMPLE)
        tenth = len(found) // 10
        figure(f"{name}: ask and tell, ENAS space", float(np.median(found)), "ms", 1.0)
        ratio = float(np.median(found[-tenth:]) / np.median(found[:tenth]))
        figure(f"{name}: last tenth of {N_SIMPLE:,} to the first", ratio, "ratio", 1.25)
    for name, n in LEARNING.items():
        found = durations(make_searcher(name, space(), seed=0), n)
        target = 500.0 if name == "bayesian" else None
        for at in (100, 400, n):
            value = float(np.mean(found[at - 50 : at]))
            is_last = at == n
            met = value <= target if target and is_last else None
            what = f"{name}: ask and tell, ENAS space, about trial {at:,}"
            worst = float(found[at - 50 : at].max())
            report(what, value, "ms", target if is_last else None, met, worst=worst)


if __name__ == "__main__":
    main()
