"""With a lag, the trials are the same however many processes run them, and whatever hashes are."""

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import json, sys

from hypernets.adapters.process import ProcessExecutor
from hypernets.application import search
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.searchers import Proposal, RandomSearcher
from hypernets.frameworks.keras.layers import Dense, Input

n_workers, method = int(sys.argv[1]), sys.argv[2]

space = HyperSpace()
with space.as_default():
    x = Dense(units=Choice(range(1, 10), name="a"), name="x")(Input(shape=2))
    Dense(units=Choice(range(1, 10), name="b"), name="y")(x)


class Climber(RandomSearcher):
    best = None

    def ask(self):
        if self.best is None or self.best.number % 2:
            return super().ask()
        decisions = dict(self.best.decisions)
        decisions["a"] = 1 + (decisions["a"] + decisions["b"]) % 9
        return Proposal(self.space.architecture(decisions))

    def tell(self, trial):
        super().tell(trial)
        if self.best is None or (trial.reward or 0) > self.best.reward:
            self.best = trial


def estimate(architecture, context):
    a, b = architecture.decisions.values()
    sum(range(100_000 * (a % 3)))  # some take longer, and are overtaken
    if b == 4:
        raise ValueError("four")
    context.report(1, {"seed": context.seed})
    return {"reward": a * b % 11, "seed": context.seed}


with ProcessExecutor(n_workers, preload=(), method=method) as executor:
    history = search(space, Climber(space, seed=3), estimate, max_trials=14, lag=3, seed=5,
                     n_workers=n_workers, executor=executor)
rows = [
    (t.number, t.asked_after, t.seed, t.signature, dict(t.decisions), t.state.value,
     dict(t.objectives), [(r.step, dict(r.values)) for r in t.curve], t.answered_by, t.pending,
     t.failure and (t.failure.kind, t.failure.message))
    for t in history
]
print(json.dumps(rows))
"""


def table(n_workers, method, hash_seed):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(n_workers), method],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def first():
    rows = table(1, "fork", 1)
    assert len(rows) >= 14
    return rows


@pytest.mark.parametrize(
    ("n_workers", "method", "hash_seed"),
    [(1, "fork", 2), (2, "fork", 3), (1, "fresh", 4), (2, "fresh", 5)],
)
def test_the_same_seed_gives_the_same_table(first, n_workers, method, hash_seed):
    assert table(n_workers, method, hash_seed) == first
