"""The laws of the `Searcher` port, held against every searcher, and against broken ones."""

import random

import pytest

from hypernets.domain.error import SearchExhausted
from hypernets.domain.history import Failure, Trial, TrialState
from hypernets.domain.searchers import Proposal, RandomSearcher, Searcher
from hypernets.domain.space import Choice, HyperSpace, LayerModule, Optional, Real, Repeat


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def finite_space():
    """2 x (3 + 9) = 24 architectures."""
    space = HyperSpace()
    with space.as_default():
        x = Optional(Dense({"units": 7}), keep_link=True)(Input({"shape": (4,)}, name="in"))
        Repeat(lambda step: Dense({"units": Choice([1, 2, 3])}), [1, 2])(x)
    return space


def infinite_space():
    space = HyperSpace()
    with space.as_default():
        Dense({"units": Choice([1, 2]), "rate": Real(0.0, 1.0)})(Input({"shape": (4,)}, name="in"))
    return space


def proposal_of(answer):
    return answer if isinstance(answer, Proposal) else Proposal(answer)


def outcome_of(number, architecture, n_told):
    """A trial with a reward that depends on its decisions, every third one failed."""
    reward = sum(len(str(value)) for value in architecture.decisions.values()) % 5
    failed = number % 3 == 0
    return Trial(
        number,
        architecture.decisions,
        architecture.signature,
        TrialState.FAILED if failed else TrialState.COMPLETED,
        {} if failed else {"reward": float(reward)},
        failure=Failure("BuildError", "no") if failed else None,
        asked_after=n_told,
        architecture=architecture,
    )


def drive(searcher, n, lag=0):
    """Ask `n` times, telling of a trial when `lag` younger ones are pending; return the answers."""
    answers, pending, told = [], [], 0
    for number in range(1, n + 1):
        proposal = proposal_of(searcher.ask())
        answers.append((dict(proposal.architecture.decisions), dict(proposal.fidelity)))
        pending.append(outcome_of(number, proposal.architecture, told))
        if len(pending) > lag:
            searcher.tell(pending.pop(0))
            told += 1
    return answers


# --- the laws; `make(space, seed)` returns a fresh searcher --------------------


def check_it_has_the_methods_of_the_port(make):
    assert isinstance(make(finite_space, 0), Searcher)


def check_it_is_deterministic_in_seed_and_interleaving(make):
    for lag in (0, 3):
        first, second = (drive(make(infinite_space, 5), 20, lag) for _ in range(2))
        assert first == second


def check_every_answer_lies_in_its_space(make):
    space = infinite_space()
    searcher = make(space, 1)
    for number in range(1, 21):
        architecture = proposal_of(searcher.ask()).architecture
        assert architecture == space.architecture(architecture.decisions)
        searcher.tell(outcome_of(number, architecture, number - 1))


def check_it_accepts_trials_in_every_state(make):
    searcher = make(infinite_space, 2)
    for number, state in enumerate(TrialState, 1):
        architecture = proposal_of(searcher.ask()).architecture
        failure = None if state is TrialState.COMPLETED else Failure("Error", "no")
        searcher.tell(
            Trial(
                number, architecture.decisions, "", state, failure=failure, asked_after=number - 1
            )
        )
    searcher.ask()


def check_a_finite_space_ends(make):
    searcher = make(finite_space, 3)
    with pytest.raises(SearchExhausted):
        drive(searcher, 1_000)
    with pytest.raises(SearchExhausted):
        searcher.ask()


def check_what_is_pending_is_not_proposed_again(make):
    answers = [str(answer) for answer in drive(make(finite_space, 4), 20, lag=20)]
    assert len(answers) == len(set(answers))


LAWS = [value for name, value in sorted(globals().items()) if name.startswith("check_")]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("make", [lambda space, seed: RandomSearcher(space, "max", seed)])
def test_every_searcher_keeps_the_laws(make, law):
    law(make)


# --- broken ones ---------------------------------------------------------------


class Broken:
    def __init__(self, space, seed):
        self.inner = RandomSearcher(space, "max", seed)

    def ask(self):
        return self.inner.ask()

    def tell(self, trial):
        self.inner.tell(trial)


class Mute:
    def __init__(self, space, seed):
        self.ask = RandomSearcher(space, "max", seed).ask


class Unseeded(Broken):
    def __init__(self, space, seed):
        super().__init__(space, None)


class Astray(Broken):
    def ask(self):
        return infinite_space().sample(1)


class Fragile(Broken):
    def tell(self, trial):
        if trial.failure:
            raise AssertionError("a failed trial was not accepted")


class Endless(Broken):
    def __init__(self, space, seed):
        super().__init__(space, seed)
        self.rng = random.Random(seed)  # noqa: S311 - no secret

    def ask(self):
        return self.inner.space.sample(self.rng)


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (Mute, check_it_has_the_methods_of_the_port),
        (Unseeded, check_it_is_deterministic_in_seed_and_interleaving),
        (Astray, check_every_answer_lies_in_its_space),
        (Fragile, check_it_accepts_trials_in_every_state),
        (Endless, check_a_finite_space_ends),
        (Endless, check_what_is_pending_is_not_proposed_again),
    ],
)
def test_a_broken_searcher_is_found_out(broken, law):
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        law(broken)
