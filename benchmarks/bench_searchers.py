"""Every strategy on tables of trained networks: how good, after how many queries.

    python benchmarks/bench_searchers.py                    # everything; the last ones take long
    python benchmarks/bench_searchers.py random evolution   # these figures alone

The defaults were chosen on the other tables; the page on search strategies says what was changed
after a first run here.
Regret is the optimum's validation accuracy minus the best found, in percent points (means over the
table's seeds of training). Every figure is over as many runs as `N_RUNS` says, each from a seed of
its own; `low` and `high` are the bounds of a 95 % interval by bootstrap.
"""

import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")  # runs are spread over the cores

import numpy as np
from figure import report
from table_races import interval, regrets_at, runs_of, share_of_front

from hypernets.adapters.benchmark import TableEstimator, load_benchmark
from hypernets.application import make_searcher, search

DATASETS = ("cifar10", "cifar100", "imagenet16-120")


def figure(what, dataset, value, unit, target=None, met=None, **more):
    if met is None and target is not None:
        met = bool(value <= target)
    report(f"{what}, {dataset}", float(value), unit, target, met, **more)


# --- the figures ------------------------------------------------------------------------------


def random():
    """A check of the harness: what is found is what the table says is expected."""
    for dataset, expected in zip(DATASETS, (0.485, 1.795, 1.172), strict=True):
        found = regrets_at(runs_of("random", f"nas-bench-201/{dataset}", 150), 150)
        error = found.std(ddof=1) / np.sqrt(len(found))
        exact = load_benchmark(f"nas-bench-201/{dataset}").regret_of_random(150)
        what = "random search: regret after 150 queries"
        met = bool(abs(found.mean() - expected) <= 3 * error)
        more = {"standard_error": error, "expected_from_table": exact, **interval(found)}
        figure(what, dataset, found.mean(), "percent points", expected, met, **more)


def evolution():
    for dataset, target in zip(DATASETS, (0.10, 0.25, 0.28), strict=True):
        runs = runs_of("evolution", f"nas-bench-201/{dataset}", 300)
        found = regrets_at(runs, 150)
        what = "regularized evolution: regret after 150 queries"
        more = {"after_300": float(regrets_at(runs, 300).mean()), **interval(found)}
        figure(what, dataset, found.mean(), "percent points", target, **more)


def local_search():
    for dataset, target in zip(DATASETS, (None, 127, None), strict=True):
        runs = runs_of("local_search", f"nas-bench-201/{dataset}", 15_625, until=0.0)
        found = [run.queries_to(0.0) for run in runs]
        what = "local search: mean queries to the optimum"
        figure(what, dataset, np.mean(found), "queries", target, **interval(found))


def bayesian(options=(), label="Bayesian optimisation", targets=((35, 100), (25, 75), (75, 160))):
    for dataset, (median, most) in zip(DATASETS, targets, strict=True):
        table = load_benchmark(f"nas-bench-201/{dataset}")
        runs = runs_of("bayesian", f"nas-bench-201/{dataset}", 400, until=0.0, **dict(options))
        found = np.array([run.queries_to(0.0) for run in runs])
        near = np.array([run.queries_to(table.spread_at_optimum) for run in runs])
        more = interval(found, np.median)
        more["near_the_optimum"] = float(np.median(near))
        what = f"{label}: median queries to the optimum"
        figure(what, dataset, np.median(found), "queries", median, **more)
        share = float((found <= (most or 160)).mean())
        what = f"{label}: share of runs at the optimum after {most or 160} queries"
        met = None if most is None else bool(share >= 0.95)
        figure(what, dataset, share, "share", None if most is None else 0.95, met)


def bayesian_without_cost():
    options = {"groups": ("decisions", "places", "paths")}
    bayesian(options, "Bayesian optimisation without the cost", ((None, None),) * 3)


def bayesian_by_mutation():
    options = {"score_all": False}
    bayesian(options, "Bayesian optimisation, candidates by mutation", ((None, None),) * 3)


def largest_first():
    for dataset in DATASETS:
        runs = runs_of("largest_first", f"nas-bench-201/{dataset}", 15_625, until=0.0)
        found = [run.queries_to(0.0) for run in runs]
        what = "largest first: mean queries to the optimum"
        figure(what, dataset, np.mean(found), "queries", **interval(found))


def alphax():
    for dataset in DATASETS:
        target = load_benchmark(f"nas-bench-201/{dataset}").regret_of_random(150)
        found = regrets_at(runs_of("alphax", f"nas-bench-201/{dataset}", 50), 50)
        what = "AlphaX: regret after 50 queries (target: random search after 150)"
        figure(what, dataset, found.mean(), "percent points", target, **interval(found))


def make_taught(name, space, *, teacher, optimize_direction, seed, **options):
    """Return AlphaX whose network has learned from a random search on another table."""
    history = taught_history(teacher, seed)
    return make_searcher(
        name, space, optimize_direction=optimize_direction, seed=seed, history=history, **options
    )


def taught_history(teacher, seed, n_trials=150):
    table = load_benchmark(teacher)
    random_one = make_searcher("random", table.space, optimize_direction="max", seed=seed + 10_000)
    estimator = TableEstimator(table)
    return search(table.space, random_one, estimator, max_trials=n_trials, direction="max")


def alphax_transfer():
    """What 150 random trials on other images are worth: regrets after 20 queries."""
    pairs = zip(DATASETS, (*DATASETS[1:], DATASETS[0]), strict=True)
    for teacher, dataset in pairs:
        name = f"nas-bench-201/{dataset}"
        alone = regrets_at(runs_of("alphax", name, 20), 20)
        teaching = f"nas-bench-201/{teacher}"
        taught = regrets_at(runs_of("alphax", name, 20, make=make_taught, teacher=teaching), 20)
        what = f"AlphaX taught on {teacher}: regret after 20 queries (target: untaught)"
        target = float(alone.mean())
        figure(what, dataset, taught.mean(), "percent points", target, **interval(taught))


def policy_gradient():
    for policy in ("lstm", "table"):
        for dataset in DATASETS:
            evolved = runs_of("evolution", f"nas-bench-201/{dataset}", 300)
            target = float(regrets_at(evolved, 300).mean())
            runs = runs_of("policy_gradient", f"nas-bench-201/{dataset}", 500, policy=policy)
            found = regrets_at(runs, 500)
            what = f"policy gradient ({policy}): regret after 500 queries (target: evolution, 300)"
            more = {"after_150": float(regrets_at(runs, 150).mean()), **interval(found)}
            figure(what, dataset, found.mean(), "percent points", target, **more)


def nsga2():
    for dataset in DATASETS:
        name = f"nas-bench-201/{dataset}"
        share = share_of_front(name, ("accuracy", "latency_s"))
        drawn = [share(run.rows) for run in runs_of("random", name, 5_000, n_runs=20)]
        objectives = {"accuracy": "max", "latency_s": "min"}
        for label, options in (("", {}), (" without models", {"n_children": 1})):
            runs = runs_of("nsga2", name, 500, objectives=objectives, **options)
            found = [share(run.rows) for run in runs]
            what = f"NSGA-II{label}: share of the front's hypervolume after 500 queries"
            met = bool(np.mean(found) >= 0.985 and np.mean(found) > np.mean(drawn))
            more = {"random_after_5000": float(np.mean(drawn)), **interval(found)}
            figure(what, dataset, np.mean(found), "share", 0.985, met, **more)


FIGURES = {
    each.__name__: each
    for each in (
        random,
        evolution,
        local_search,
        largest_first,
        nsga2,
        alphax,
        alphax_transfer,
        bayesian,
        policy_gradient,
        bayesian_without_cost,
        bayesian_by_mutation,
    )
}


if __name__ == "__main__":
    for name in sys.argv[1:] or FIGURES:
        FIGURES[name]()
