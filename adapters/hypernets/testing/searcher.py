"""The laws of the `Searcher` port."""

from collections.abc import Callable
from typing import Any

import attrs

from hypernets.domain.error import SearchExhausted, SpaceError
from hypernets.domain.history import Failure, Trial, TrialState
from hypernets.domain.searchers import Proposal, Searcher
from hypernets.domain.space import HyperSpace
from hypernets.testing.awkward_space import AWKWARD_SPACES
from hypernets.testing.example import finite_space, infinite_space
from hypernets.testing.law import Suite, raised

__all__ = ["SearcherSuite"]


class SearcherSuite(Suite):
    """What every search strategy must do. Subclass it, and say how searchers are made.

    Attributes:
        wide_space: a function that makes a space of more than 100 architectures; by default one
            with a continuous decision. For searchers of finite spaces alone, give another.
        finite_only: whether infinite spaces are refused, with a `SpaceError`.
    """

    wide_space: Callable[[], HyperSpace] = staticmethod(infinite_space)
    finite_only = False

    def make(self, space: Callable[[], HyperSpace], seed: int) -> Searcher:
        """Return a fresh searcher of a space, which a function makes, where more is better."""
        raise NotImplementedError("a suite must say how its searchers are made: define make()")

    def test_it_has_the_methods_of_the_port(self) -> None:
        """Every method of the protocol is there."""
        assert isinstance(self.make(finite_space, 0), Searcher)

    def test_it_is_deterministic_in_seed_and_interleaving(self) -> None:
        """The same asks and tells twice give the same answers, with trials pending or not."""
        for lag in (0, 3):
            first, second = (_driven(self.make(self.wide_space, 5), 20, lag) for _ in range(2))
            assert first == second

    def test_every_answer_lies_in_its_space(self) -> None:
        """And would be built by the space from its decisions."""
        space = self.wide_space()
        searcher = self.make(lambda: space, 1)
        for number in range(1, 21):
            proposal = _proposal_of(searcher.ask())
            architecture = proposal.architecture
            assert architecture == space.architecture(architecture.decisions)
            searcher.tell(_outcome_of(number, proposal, number - 1))

    def test_it_accepts_trials_in_every_state(self) -> None:
        """Failed, lost and without a reward."""
        searcher = self.make(self.wide_space, 2)
        for number, state in enumerate(TrialState, 1):
            proposal = _proposal_of(searcher.ask())
            failure = None if state is TrialState.COMPLETED else Failure("Error", "no")
            trial = attrs.evolve(
                _outcome_of(number, proposal, number - 1),
                state=state,
                objectives={},
                failure=failure,
            )
            try:
                searcher.tell(trial)
            except Exception as error:
                raise AssertionError(f"a trial that is {state.value} must be accepted") from error
        searcher.ask()

    def test_a_finite_space_ends(self) -> None:
        """With `SearchExhausted`, and stays at its end."""
        searcher = self.make(finite_space, 3)
        raised(SearchExhausted, _driven, searcher, 1_000)
        raised(SearchExhausted, searcher.ask)

    def test_what_is_pending_is_not_proposed_again(self) -> None:
        """While other networks are left; a replicate is another evaluation."""
        answers = [str(answer) for answer in _driven(self.make(finite_space, 4), 20, lag=20)]
        assert len(answers) == len(set(answers))

    def test_awkward_spaces_are_searched(self) -> None:
        """Of one architecture, deeply conditional, continuous, vast: 40 trials, or all there are.

        Where a space is infinite and only finite ones are searched, it is refused.
        """
        for what, space in AWKWARD_SPACES.items():
            if self.finite_only and not space().is_finite:
                raised(SpaceError, self.make, space, 6)
                continue
            searcher = self.make(space, 6)
            try:
                n = len(_driven(searcher, 40, lag=2))
            except SearchExhausted:
                count = space().count()
                n = 40 if count < 40 else 0
            assert n == 40, f"the space with {what} must be searched to its end, or 40 times"

    def test_it_goes_on_whatever_the_rewards(self) -> None:
        """All trials failing; rewards that are no numbers; all alike; infinite."""
        for what, rewards in _REWARDS.items():
            searcher = self.make(self.wide_space, 7)
            for number in range(1, 61):
                proposal = _proposal_of(searcher.ask())
                trial = _outcome_of(number, proposal, number - 1)
                reward = rewards[number % len(rewards)]
                failure = Failure("BuildError", "no") if reward is None else None
                try:
                    searcher.tell(
                        attrs.evolve(
                            trial,
                            state=TrialState.FAILED if reward is None else TrialState.COMPLETED,
                            objectives={} if reward is None else {"reward": reward},
                            failure=failure,
                        )
                    )
                except Exception as error:
                    raise AssertionError(f"rewards that are {what} must be accepted") from error

    def test_fifty_may_be_pending(self) -> None:
        """Trials end in any order, long after they were proposed."""
        searcher = self.make(self.wide_space, 8)
        pending: list[Trial] = []
        for number in range(1, 91):
            pending.append(_outcome_of(number, _proposal_of(searcher.ask()), 0))
            if len(pending) > 50:
                searcher.tell(pending.pop(number * 7 % len(pending)))
        for trial in pending:
            searcher.tell(trial)
        searcher.ask()


_REWARDS: dict[str, tuple[float | None, ...]] = {
    "missing": (None,),
    "not numbers": (float("nan"), 1.0),
    "all alike": (1.0,),
    "infinite": (float("inf"), 1.0, float("-inf")),
    "of very different size": (1e300, -1e300, 1e-300),
}


def _proposal_of(answer: Any) -> Proposal:
    return answer if isinstance(answer, Proposal) else Proposal(answer)


def _outcome_of(number: int, proposal: Proposal, n_told: int) -> Trial:
    """Return a trial whose reward depends on its decisions; every third one failed."""
    architecture = proposal.architecture
    reward = sum(len(str(value)) for value in architecture.decisions.values()) % 5
    failed = number % 3 == 0
    return Trial(
        number,
        architecture.decisions,
        architecture.signature,
        TrialState.FAILED if failed else TrialState.COMPLETED,
        {} if failed else {"reward": float(reward)},
        failure=Failure("BuildError", "no") if failed else None,
        fidelity=proposal.fidelity,
        replicate=proposal.replicate,
        parent=proposal.parent,
        asked_after=n_told,
        architecture=architecture,
    )


def _driven(searcher: Searcher, n: int, lag: int = 0) -> list[Any]:
    """Ask `n` times, telling of a trial when `lag` younger ones are pending; return the answers."""
    answers: list[Any] = []
    pending: list[Trial] = []
    n_told = 0
    for number in range(1, n + 1):
        proposal = _proposal_of(searcher.ask())
        decisions, fidelity = dict(proposal.architecture.decisions), dict(proposal.fidelity)
        answers.append((decisions, fidelity, proposal.replicate))
        pending.append(_outcome_of(number, proposal, n_told))
        if len(pending) > lag:
            searcher.tell(pending.pop(0))
            n_told += 1
    return answers
