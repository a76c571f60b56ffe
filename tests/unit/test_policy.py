"""Policies over tokens, their gradients, and what a policy gradient learns."""

import numpy as np
import pytest

from hypernets.application import make_searcher
from hypernets.domain.error import SearchError
from hypernets.domain.history import Trial, TrialState
from hypernets.domain.searchers.policy.lstm import LstmPolicy
from hypernets.domain.searchers.policy.policy import TabularPolicy
from hypernets.domain.searchers.token import n_tokens, token_of, value_of
from hypernets.domain.space import Choice, HyperSpace, Int, LayerModule, Real
from hypernets.testing import AWKWARD_SPACES

SIZES = [3, 2, 4]
SEQUENCE = [(0, 2), (2, 1), (1, 0), (2, 3)]


def policies():
    return [LstmPolicy(SIZES, 5, np.random.default_rng(0)), TabularPolicy(SIZES)]


def log_likelihood(policy, sequence):
    state, total = policy.begin(), 0.0
    for token in sequence:
        p, state = policy.probabilities(state, token[0])
        state = policy.say(state, token)
        total += np.log(p[token[1]])
    return total


@pytest.mark.parametrize("policy", policies(), ids=["lstm", "table"])
def test_the_gradient_is_that_of_finite_differences(policy):
    rng = np.random.default_rng(1)
    for parameter in policy.parameters.values():
        parameter += rng.normal(0.0, 0.5, parameter.shape)
    by_logits, state = [], policy.begin()
    for token in SEQUENCE:
        p, state = policy.probabilities(state, token[0])
        state = policy.say(state, token)
        by_logits.append(np.eye(len(p))[token[1]] - p)
    gradients = policy.gradients(SEQUENCE, by_logits)
    assert gradients.keys() == policy.parameters.keys()
    for name, parameter in policy.parameters.items():
        for place in [tuple(rng.integers(s) for s in parameter.shape) for _ in range(12)]:
            before, found = parameter[place], []
            for step in (1e-6, -1e-6):
                parameter[place] = before + step
                found.append(log_likelihood(policy, SEQUENCE))
            parameter[place] = before
            numeric = (found[0] - found[1]) / 2e-6
            assert gradients[name][place] == pytest.approx(numeric, rel=1e-4, abs=1e-8)


@pytest.mark.parametrize("policy", policies(), ids=["lstm", "table"])
def test_probabilities_sum_to_one(policy):
    p, _ = policy.probabilities(policy.begin(), 2)
    assert p.shape == (4,)
    assert p.sum() == pytest.approx(1.0)


# --- tokens ---------------------------------------------------------------------------------


@pytest.mark.parametrize("space", AWKWARD_SPACES.values(), ids=AWKWARD_SPACES)
def test_the_value_of_a_token_has_that_token(space):
    rng = np.random.default_rng(0)
    for decision in space().freeze().decisions:
        for token in range(n_tokens(decision)):
            for _ in range(5):
                assert token_of(decision, value_of(decision, token, rng)) == token


def test_tokens_of_a_range_cover_it():
    space = HyperSpace()
    with space.as_default():
        low, many, log = Int(0, 99), Int(1, 7), Real(1e-3, 1.0, prior="log_uniform")
    rng = np.random.default_rng(0)
    assert (n_tokens(low), n_tokens(many), n_tokens(log)) == (10, 7, 10)
    assert {value_of(low, 3, rng) for _ in range(300)} == set(range(30, 40))
    assert [value_of(many, k, rng) for k in range(7)] == list(range(1, 8))
    assert all(1e-3 * 1.99 < value_of(log, 1, rng) < 1e-3 * 3.99 for _ in range(50))


# --- learning -----------------------------------------------------------------------------


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def toy_space():
    space = HyperSpace()
    with space.as_default():
        x = Input({"shape": (4,)}, name="in")
        for number in range(6):
            x = Dense({"units": Choice(range(8), name=f"x{number}")})(x)
    return space


def xor_space():
    """Two families; what is good in one is bad in the other."""
    space = HyperSpace()
    with space.as_default():
        x = Input({"shape": (4,)}, name="in")
        first = Dense({"units": Choice(range(6), name="a")})(x)
        Dense({"units": Choice(range(6), name="b")})(
            Dense({"units": Choice(range(6), name="c")})(first)
        )
    return space


def best_of(searcher, reward, n):
    found = []
    for number in range(1, n + 1):
        architecture = searcher.ask().architecture
        found.append(reward(architecture.decisions))
        searcher.tell(
            Trial(
                number,
                architecture.decisions,
                "",
                TrialState.COMPLETED,
                {"reward": found[-1]},
                asked_after=number - 1,
                architecture=architecture,
            )
        )
    return found


@pytest.mark.parametrize(
    ("options", "n"),
    [
        ({"policy": "table"}, 400),
        ({"policy": "lstm"}, 400),
        ({"policy": "table", "n_best": 0}, 1500),
        ({"policy": "lstm", "n_best": 0}, 1500),
        ({"policy": "table", "update": "reinforce", "n_best": 0, "batch_size": 1}, 1500),
    ],
    ids=str,
)
def test_the_optimum_of_a_toy_space_is_learned(options, n):
    """8^6 = 262,144 architectures; the best one is met."""
    target = [3, 1, 4, 1, 5, 2]

    def reward(decisions):
        return -float(sum((v - t) ** 2 for v, t in zip(decisions.values(), target, strict=True)))

    searcher = make_searcher("policy_gradient", toy_space, seed=0, **options)
    assert max(best_of(searcher, reward, n)) == 0.0


def test_the_controller_tells_one_context_from_another():
    """A table of probabilities cannot say "b as a", an LSTM can."""

    def reward(decisions):
        return float(decisions["a"] == decisions["b"]) + float(decisions["b"] == decisions["c"])

    searcher = make_searcher("policy_gradient", xor_space, seed=0, n_best=0, entropy_weight=0.05)
    best_of(searcher, reward, 150)
    policy = searcher._controller()
    ranks = {d.name: rank for rank, d in enumerate(searcher.space.freeze().decisions)}
    _, state = policy.probabilities(policy.begin(), ranks["a"])
    contexts = []
    for token in range(6):
        after = policy.say(state, (ranks["a"], token))
        contexts.append(policy.probabilities(after, ranks["b"])[0])
    assert np.std(contexts, axis=0).max() > 1e-3


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"policy": "tree"}, "policy must be one of 'lstm', 'table'"),
        ({"update": "sgd"}, "update must be one of 'ppo', 'reinforce'"),
        ({"learning_rate": 0}, "learning_rate must be a positive number"),
        ({"entropy_weight": -1}, "entropy_weight must be a number >= 0"),
        ({"batch_size": 0}, "batch_size must be an integer >= 1"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(options, wrong):
    with pytest.raises(SearchError, match=wrong):
        make_searcher("policy_gradient", toy_space, **options)
