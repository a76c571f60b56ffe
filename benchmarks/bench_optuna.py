"""This library beside Optuna, on the same tables, from the same seeds, in one run.

    python benchmarks/bench_optuna.py                # every table, 20 runs each
    N_RUNS=100 python benchmarks/bench_optuna.py hpolib/naval nas-bench-201/cifar10

Optuna gets what its users would give it: categorical decisions, numbers with an order as such, and
the space as a program that asks for what is active. It proposes the same again at times; that is
answered from the table and does not count as a query, so that it is not held against it. What is
compared is the regret after 100 queries, as a percentage of the median row's regret, and for
several objectives the share of the true front's hypervolume after 300. The target is the best of
Optuna's samplers.
"""

import os
import sys
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("N_RUNS", "20")

import numpy as np
import optuna
from figure import report
from table_races import interval, regrets_at, runs_of, share_of_front

from hypernets.adapters.benchmark import benchmark_names, load_benchmark
from hypernets.domain.searchers.surrogate.encoding import places_of_values

warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
optuna.logging.set_verbosity(optuna.logging.ERROR)

N_QUERIES, N_QUERIES_FRONT = 100, 300
REPEATS = 200  # of known architectures in one ask, which cost nothing, before one counts
OURS = ("default", "tpe", "evolution", "random")
FRONTS = {"hpolib": ("loss", "size"), "nas-bench-graph": ("accuracy", "latency_s")}
FRONTS["nas-bench-201"] = FRONTS["nas-bench-graph"]


def sampler(name, seed):
    samplers = {
        "default": lambda: None,
        "TPE": lambda: optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True),
        "NSGA-II": lambda: optuna.samplers.NSGAIISampler(seed=seed),
    }
    return samplers[name]() or optuna.samplers.TPESampler(seed=seed)  # what a study has by default


class OptunaSearcher:
    """A study of Optuna, asked and told as the strategies of this library are."""

    def __init__(self, name, space, optimize_direction, seed, objectives=None):
        self.space, self.objectives = space, objectives
        names = [optimize_direction] if objectives is None else list(objectives.values())
        directions = ["maximize" if each == "max" else "minimize" for each in names]
        self.study = optuna.create_study(directions=directions, sampler=sampler(name, seed))
        self.known, self.trial = {}, None

    def ask(self):
        for _ in range(REPEATS):
            self.trial = self.study.ask()
            architecture = self.space.decide(self._suggested)
            if architecture.key not in self.known:
                return architecture
            self._tell(self.known[architecture.key])
        self.trial = self.study.ask()
        return self.space.decide(self._suggested)

    def tell(self, trial):
        values = None
        if trial.succeeded and self.objectives is None:
            values = [trial.reward]
        elif trial.succeeded:
            values = [trial.objectives[name] for name in self.objectives]
        self.known[trial.architecture.key] = values
        self._tell(values)

    def _tell(self, values):
        if values is None:
            self.study.tell(self.trial, state=optuna.trial.TrialState.FAIL)
        else:
            self.study.tell(self.trial, values)

    def _suggested(self, decision):
        n = int(decision.size)
        if places_of_values(decision):  # numbers, in an order
            order = sorted(range(n), key=decision.value_at)
            return decision.value_at(order[self.trial.suggest_int(decision.name, 0, n - 1)])
        return decision.value_at(self.trial.suggest_categorical(decision.name, range(n)))


def make_optuna(name, space, optimize_direction, seed, **options):
    return OptunaSearcher(name, space, optimize_direction, seed, **options)


def one_objective(benchmark):
    """Compare regrets on one table."""
    races = {
        f"Optuna {name}": runs_of(name, benchmark, N_QUERIES, make=make_optuna)
        for name in ("default", "TPE", "NSGA-II")
    }
    scale = 100.0 / float(np.median(load_benchmark(benchmark).regrets))
    best = scale * min(float(regrets_at(runs, N_QUERIES).mean()) for runs in races.values())
    races |= {name: runs_of(name, benchmark, N_QUERIES) for name in OURS}
    for name, runs in races.items():
        found = scale * regrets_at(runs, N_QUERIES)
        is_ours = not name.startswith("Optuna")
        met = bool(found.mean() <= best + 1e-12) if is_ours else None
        what = f"regret after {N_QUERIES} queries, {benchmark}: {name}"
        more = {"after_50": scale * float(regrets_at(runs, 50).mean()), **interval(found)}
        report(what, float(found.mean()), "% of the median", best if is_ours else None, met, **more)


def several_objectives(benchmark):
    """Compare hypervolumes on one table."""
    names = FRONTS[benchmark.partition("/")[0]]
    directions = load_benchmark(benchmark).directions
    options = {"objectives": {name: directions[name] for name in names}}
    share = share_of_front(benchmark, names)
    races = {
        f"Optuna {name}": runs_of(name, benchmark, N_QUERIES_FRONT, make=make_optuna, **options)
        for name in ("TPE", "NSGA-II")
    }
    found = {name: [share(run.rows) for run in runs] for name, runs in races.items()}
    best = max(float(np.mean(each)) for each in found.values())
    ours = {"nsga2": {}, "nsga2 without models": {"n_children": 1}}
    for name, more in ours.items():
        runs = runs_of("nsga2", benchmark, N_QUERIES_FRONT, **options, **more)
        found[name] = [share(run.rows) for run in runs]
    for name, shares in found.items():
        mean = float(np.mean(shares))
        is_ours = name in ours
        met = bool(mean >= best - 1e-12) if is_ours else None
        what = f"hypervolume after {N_QUERIES_FRONT} queries, {benchmark}: {name}"
        report(what, mean, "share", best if is_ours else None, met, **interval(shares))


if __name__ == "__main__":
    for benchmark in sys.argv[1:] or benchmark_names():
        one_objective(benchmark)
        if benchmark.partition("/")[0] in FRONTS:
            several_objectives(benchmark)
