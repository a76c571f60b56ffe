"""Models that predict what an architecture is worth, and what they see of it."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from hypernets.domain.searchers.surrogate.acquisition import (
    better_half,
    expected_improvement,
    normal_scores,
)
from hypernets.domain.searchers.surrogate.encoding import Encoder, encoder_for
from hypernets.domain.searchers.surrogate.gaussian_process import GaussianProcess, Kernel, _Fitting
from hypernets.domain.searchers.surrogate.network_ensemble import NetworkEnsemble
from hypernets.domain.space import (
    Choice,
    HyperSpace,
    Identity,
    Int,
    LayerModule,
    MultipleChoice,
    Or,
    Real,
)

# --- Gaussian process -----------------------------------------------------------------


def rows(n, seed=0, columns=3):
    return {"x": np.random.default_rng(seed).uniform(size=(n, columns)).astype(np.float32)}


def test_predictions_are_those_of_the_textbook():
    x, new = rows(12), rows(5, seed=1)
    values = np.random.default_rng(2).normal(size=12)
    kernel = Kernel(np.array([math.log(2.0)]), log_noise=math.log(0.1))
    mean, deviation = GaussianProcess(x, values, kernel, fit=False).predict(new)

    def covariance(a, b):
        d = ((a[:, None, :].astype(float) - b[None, :, :]) ** 2).sum(axis=2)
        return 0.9 * np.exp(-d / 0.5)

    k = covariance(x["x"], x["x"]) + 0.1 * np.eye(12)
    inverse, ones = np.linalg.inv(k), np.ones(12)
    offset = ones @ inverse @ values / (ones @ inverse @ ones)
    rest = values - offset
    variance = rest @ inverse @ rest / 12
    across = covariance(new["x"], x["x"])
    expected = offset + across @ inverse @ rest
    left = variance * (0.9 - np.einsum("ij,jk,ik->i", across, inverse, across))
    assert np.allclose(mean, expected, atol=1e-4)
    assert np.allclose(deviation**2, left, atol=1e-4)


def test_the_kernel_that_is_found_is_more_likely_and_tells_what_matters():
    x = rows(60, columns=1)
    x["noise"] = rows(60, seed=5, columns=4)["x"]
    values = np.sin(6.0 * x["x"][:, 0])
    process = GaussianProcess(x, values)
    new = rows(50, seed=7, columns=1)
    new["noise"] = rows(50, seed=8, columns=4)["x"]
    mean, _ = process.predict(new)
    assert np.sqrt(np.mean((mean - np.sin(6.0 * new["x"][:, 0])) ** 2)) < 0.1
    first, others = process.kernel.logs
    assert first > others + 1.0
    assert process.kernel.noise < 0.02


def test_each_section_of_the_columns_has_a_weight_of_its_own():
    x = rows(80, columns=4)
    values = np.sin(6.0 * x["x"][:, 2])
    process = GaussianProcess(x, values, sections={"x": np.arange(4)})
    assert int(np.argmax(process.kernel.logs)) == 2
    together = GaussianProcess(x, values)
    new = rows(100, seed=3, columns=4)
    truth = np.sin(6.0 * new["x"][:, 2])
    errors = [np.mean((p.predict(new)[0] - truth) ** 2) for p in (process, together)]
    assert errors[0] < 0.5 * errors[1]


@pytest.mark.parametrize("trend", [None, "x"])
@pytest.mark.parametrize("groups", [("x",), ("paths",), ("x", "paths"), ("x", "y", "paths")])
def test_the_gradient_of_the_density_is_that_of_finite_differences(groups, trend):
    rng = np.random.default_rng(0)
    x = {**rows(15), "y": rows(15, seed=4, columns=2)["x"]}
    x["paths"] = rng.integers(2, size=(15, 6)).astype(np.uint8)
    x = {name: x[name] for name in groups}
    process = GaussianProcess(x, rng.normal(size=15), trend=trend, fit=False)
    assert process._trending.any() == (trend in x)
    seen = process._numbers, process._sections, process._paths
    fitting = _Fitting(*seen, rng.normal(size=15), process._trending)
    point = fitting._point(fitting.prior) + 0.3 * rng.normal(size=len(process.kernel.logs) + 4)
    _, gradient = fitting._density(fitting._kernel(point))
    for place in range(len(point)):
        found = []
        for step in (1e-5, -1e-5):
            moved = point.copy()
            moved[place] += step
            found.append(fitting._density(fitting._kernel(moved))[0])
        assert gradient[place] == pytest.approx((found[0] - found[1]) / 2e-5, rel=1e-3, abs=1e-5)


def test_a_trend_goes_on_beyond_what_was_measured():
    x = {"x": rows(30, columns=2)["x"] - 0.5}
    values = 2.0 * x["x"][:, 0] - x["x"][:, 1]
    beyond = {"x": np.array([[3.0, -3.0], [-3.0, 3.0]], dtype=np.float32)}
    mean, _ = GaussianProcess(x, values, trend="x").predict(beyond)
    assert mean == pytest.approx([9.0, -9.0], rel=0.1)
    without, _ = GaussianProcess(x, values).predict(beyond)
    assert abs(without).max() < 5.0


def test_certainty_falls_with_the_distance_from_what_was_measured():
    x = {"x": np.linspace(0.0, 0.5, 20, dtype=np.float32)[:, None]}
    process = GaussianProcess(x, np.sin(6.0 * x["x"][:, 0]))
    _, deviation = process.predict({"x": np.array([[0.25], [0.7], [2.0]], dtype=np.float32)})
    assert deviation[0] < deviation[1] < deviation[2]


def test_values_all_alike_are_predicted():
    mean, deviation = GaussianProcess(rows(5), np.full(5, 3.0)).predict(rows(2, seed=1))
    assert np.allclose(mean, 3.0)
    assert np.isfinite(deviation).all()


# --- acquisition ------------------------------------------------------------------------


def test_expected_improvement_is_what_sampling_finds():
    rng = np.random.default_rng(0)
    draws = rng.normal(size=1_000_000)
    mean, deviation = np.array([0.5, -0.2, 1.0]), np.array([1.0, 0.3, 0.5])
    found = np.exp(expected_improvement(mean, deviation, 0.1))
    found_by_draws = [
        np.maximum(0.1 - (m + s * draws), 0.0).mean() for m, s in zip(mean, deviation, strict=True)
    ]
    assert np.allclose(found, found_by_draws, rtol=0.02)


def test_expected_improvement_has_an_order_far_out():
    mean = np.linspace(1.0, 40.0, 200)
    found = expected_improvement(mean, np.ones(200), 0.0)
    assert np.isfinite(found).all()
    assert (np.diff(found) < 0).all()


def test_normal_scores_keep_the_order_and_nothing_else():
    values = np.array([3.0, 1.0, 2.0, 1e9])
    quantiles = [NormalDist().inv_cdf(p) for p in (0.625, 0.125, 0.375, 0.875)]
    assert normal_scores(values) == pytest.approx(quantiles)
    tied = normal_scores(np.array([1.0, 1.0, 2.0, 5.0]))
    assert tied[0] == tied[1] == pytest.approx(NormalDist().inv_cdf(0.25))


def test_the_worse_half_is_no_worse_than_the_median():
    inf = math.inf
    assert better_half(np.array([5.0, 1.0, 9.0, 2.0, inf])).tolist() == [5.0, 1.0, 5.0, 2.0, 5.0]
    assert better_half(np.array([1.0, 1.0, 1.0, 2.0])).tolist() == [1.0, 1.0, 1.0, 2.0]
    assert better_half(np.array([1.0, 2.0, inf, inf, inf])).tolist() == [1.0, 2.0, 2.0, 2.0, 2.0]


# --- networks ------------------------------------------------------------------------------


def test_the_gradient_of_the_networks_is_that_of_their_loss():
    rng = np.random.default_rng(0)
    ensemble = NetworkEnsemble(5, rng, n_members=2, n_units=4)
    x, y, shares = rng.normal(size=(7, 5)), rng.normal(size=7), rng.uniform(size=(2, 7))
    gradients = ensemble.gradients(x, y, shares)
    for name, parameter in ensemble.parameters.items():
        for place in [tuple(rng.integers(s) for s in parameter.shape) for _ in range(5)]:
            before = parameter[place]
            found = []
            for step in (1e-6, -1e-6):
                parameter[place] = before + step
                found.append(ensemble.loss(x, y, shares))
            parameter[place] = before
            numeric = (found[0] - found[1]) / 2e-6
            assert gradients[name][place] == pytest.approx(numeric, rel=1e-4, abs=1e-7)


def test_networks_learn_and_are_unsure_where_they_have_seen_nothing():
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, size=(100, 2))
    y = x[:, 0] * x[:, 1] * 2
    ensemble = NetworkEnsemble(2, rng).fit(x, y, 400, rng)
    new = rng.uniform(-1, 1, size=(50, 2))
    mean, deviation = ensemble.predict(new)
    assert np.mean((mean - new[:, 0] * new[:, 1] * 2) ** 2) < 0.02
    assert ensemble.predict(new * 20)[1].mean() > 5 * deviation.mean()


# --- encoding -------------------------------------------------------------------------------


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def mixed_space():
    space = HyperSpace()
    with space.as_default():
        x = Input({"shape": (4,)}, name="in")
        x = Dense(
            {
                "units": Choice([8, 64, 16], name="units"),
                "kind": Choice([True, False], name="kind"),
                "names": MultipleChoice(["a", "b", "c"], name="names"),
                "rate": Real(1e-4, 1.0, prior="log_uniform", name="rate"),
                "many": Int(0, 1000, name="many"),
            }
        )(x)
        inner = Dense({"width": Choice([1, 2], name="width")})
        Or([inner, Dense({"width": 9})], hp_or=Choice([0, 1], name="either"))(x)
    return space


DECISIONS = {
    "units": 16,
    "kind": True,
    "names": ["a", "c"],
    "rate": 1e-2,
    "many": 250,
    "either": 1,
}


def test_a_row_says_what_was_decided():
    space = mixed_space()
    encoder = Encoder(space)
    architecture = space.architecture(DECISIONS)
    row = {name: values[0] for name, values in encoder.rows([architecture]).items()}
    half = math.sqrt(0.5)
    by_name = {}
    start = 0
    for block in encoder._blocks:
        by_name[block.decision.name] = row["decisions"][start : start + block.width].tolist()
        start += block.width
    assert by_name["units"] == pytest.approx([0, 0, half])
    assert by_name["names"] == [1, 0, 1]
    assert by_name["rate"] == pytest.approx([half])
    assert by_name["width"] == [0, 0]  # not active
    assert sorted(row["places"].tolist()) == pytest.approx(sorted([0.5, 0.5, 0.25]))


def test_two_values_are_one_apart_whatever_they_are():
    space = mixed_space()
    a, b = (space.architecture({**DECISIONS, "units": units}) for units in (8, 64))
    pair = Encoder(space).rows([a, b])["decisions"]
    assert ((pair[0] - pair[1]) ** 2).sum() == pytest.approx(1.0)


def test_a_row_depends_on_its_architecture_alone():
    space = mixed_space()
    some = [space.sample(seed) for seed in range(200)]
    one, other = Encoder(space), Encoder(space)
    first = one.rows(some)
    second = other.rows(some[::-1])
    for name, values in first.items():
        assert np.array_equal(values, second[name][::-1], equal_nan=True)


def test_searchers_of_a_space_share_what_is_encoded():
    space = mixed_space()
    assert encoder_for(space) is encoder_for(space)
    assert encoder_for(space) is not encoder_for(mixed_space())


def chain_space():
    space = HyperSpace()
    with space.as_default():
        x = Input({"shape": (4,)}, name="in")
        for name in "ab":
            options = [Dense({"k": 1}), Dense({"k": 2}), Identity()]
            x = Or(options, hp_or=Choice([0, 1, 2], name=name))(x)
    return space


def test_networks_that_are_alike_have_the_same_paths():
    space = chain_space()
    rows_of = Encoder(space).rows
    left, right, other = (
        rows_of([space.architecture(d)])["paths"]
        for d in ({"a": 0, "b": 2}, {"a": 2, "b": 0}, {"a": 1, "b": 2})
    )
    assert np.array_equal(left, right)
    assert not np.array_equal(left, other)
    assert left.sum() >= 1


def test_what_reaches_no_output_is_on_no_path():
    """Of two branches that are added, one puts out zeros: what leads to it does not count."""
    from hypernets.adapters.keras.spaces.nas_bench_201 import EDGES, nas_bench_201_cell_space

    space = nas_bench_201_cell_space()
    names = [f"edge_{a}_{b}" for a, b in EDGES]

    def paths(operations):
        architecture = space.architecture(dict(zip(names, operations, strict=True)))
        return Encoder(space).rows([architecture])["paths"][0]

    none, conv, pool = "none", "nor_conv_3x3", "avg_pool_3x3"
    by_name = dict(zip(names, range(6), strict=True))

    def cell(**chosen):
        operations = [none] * 6
        for name, operation in chosen.items():
            operations[by_name[name]] = operation
        return operations

    straight = paths(cell(edge_0_3=conv))
    dead_end = paths(cell(edge_0_3=conv, edge_0_1=pool))
    unfed = paths(cell(edge_0_3=conv, edge_1_3=pool))
    joined = paths(cell(edge_0_3=conv, edge_0_1=pool, edge_1_3=pool))
    assert np.array_equal(straight, dead_end)
    assert np.array_equal(straight, unfed)
    assert not np.array_equal(straight, joined)
