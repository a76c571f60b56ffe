"""Policy gradient: a controller that learns what is rewarded, as those of NASNet and ENAS."""

import bisect
from collections.abc import Hashable
from statistics import NormalDist
from typing import Any

import attrs
import numpy as np

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.error import SearchError
from hypernets.domain.history.trial import Direction, Trial
from hypernets.domain.searchers.policy.adam import Adam
from hypernets.domain.searchers.policy.lstm import LstmPolicy
from hypernets.domain.searchers.policy.policy import Array, Policy, TabularPolicy, Token
from hypernets.domain.searchers.randomness import rng_for
from hypernets.domain.searchers.searcher import Proposal
from hypernets.domain.searchers.strategy import Strategy, require_count, require_number
from hypernets.domain.searchers.token import n_tokens, tokens_of, value_of
from hypernets.domain.space.hyperparameter import Decision

__all__ = ["PolicyGradient"]

_TRIES = 20  # sequences that are known before a random architecture takes their place
_CLIP = 0.2  # of the ratio of probabilities, in PPO
_RATES = {"lstm": 0.01, "table": 0.1}
_DECAY = 0.9  # of the moving baseline
_STANDARD = NormalDist()


@attrs.frozen
class _Said:
    """A sequence that the policy has said.

    Attributes:
        tokens: the sequence.
        probabilities: those that the tokens had, `(n,)`.
    """

    tokens: tuple[Token, ...]
    probabilities: Array


@attrs.frozen
class _Episode:
    said: _Said
    advantage: float


class PolicyGradient(Strategy):
    """Samples from a controller, and makes more likely what turns out better than expected.

    The controller says the decisions one after the other. Its reward is the normal quantile of the
    trial's rank among all so far, so that neither scale nor outliers matter, minus a moving
    average. After every `batch_size` trials it takes a few steps: PPO on these trials, with an
    entropy bonus; and towards the best trials so far. Failed trials have the lowest rank.

    Args:
        space: a `HyperSpace`, or a function of no arguments that returns one.
        optimize_direction: `"max"` or `"min"`, or a `Direction`.
        seed: a non-negative integer; `None` draws one.
        policy: `"lstm"`, where a decision depends on those before, or `"table"`, where not.
        update: `"ppo"`, or `"reinforce"`, which takes a single step for each batch.
        batch_size: trials between updates.
        n_steps: steps of an update, with PPO.
        learning_rate: of Adam; 0.01 for the LSTM and 0.1 for the table when absent.
        entropy_weight: of the entropy, in units of the reward, at each decision.
        n_best: how many of the best trials are imitated; 0 for the plain policy gradient.
        n_units: of the LSTM.

    Raises:
        SpaceError: `space` is no space and gives none.
        SearchError: an option is out of its range.

    The defaults were chosen on the tables of HPOLib and NAS-Bench-Graph and on generated ones.

    References:
        Zoph & Le (2017), "Neural architecture search with reinforcement learning"; Zoph,
        Vasudevan, Shlens & Le (2018), "Learning transferable architectures for scalable image
        recognition", appendix A.2 (NASNet: PPO); Pham, Guan, Zoph, Le & Dean (2018), "Efficient
        neural architecture search via parameter sharing", section 2.2 (ENAS: REINFORCE);
        Schulman et al. (2017), "Proximal policy optimization algorithms"; Abolafia, Norouzi,
        Shen, Zhao & Le (2018), "Neural program synthesis with priority queue training" (the best
        trials imitated).
    """

    def __init__(
        self,
        space: Any,
        optimize_direction: Direction | str = Direction.MAX,
        seed: int | None = None,
        *,
        policy: str = "lstm",
        update: str = "ppo",
        batch_size: int = 10,
        n_steps: int = 4,
        learning_rate: float | None = None,
        entropy_weight: float = 0.01,
        n_best: int = 10,
        n_units: int = 32,
    ) -> None:
        super().__init__(
            space,
            optimize_direction,
            seed,
            policy=policy,
            update=update,
            batch_size=batch_size,
            n_steps=n_steps,
            learning_rate=learning_rate,
            entropy_weight=entropy_weight,
            n_best=n_best,
            n_units=n_units,
        )
        where = type(self).__name__
        _require_one_of(where, "policy", policy, ("lstm", "table"))
        _require_one_of(where, "update", update, ("ppo", "reinforce"))
        self._kind, self._is_ppo = policy, update == "ppo"
        self._batch_size = require_count(where, "batch_size", batch_size)
        self._n_steps = require_count(where, "n_steps", n_steps) if self._is_ppo else 1
        self._n_best = require_count(where, "n_best", n_best, 0)
        self._n_units = require_count(where, "n_units", n_units)
        rate = _RATES[policy] if learning_rate is None else learning_rate
        self._learning_rate = require_number(where, "learning_rate", rate, positive=True)
        self._entropy_weight = require_number(where, "entropy_weight", entropy_weight)
        self._policy: Policy | None = None
        self._optimizer: Adam | None = None
        self._said: dict[Hashable, _Said] = {}
        self._costs: list[float] = []  # ascending
        self._n_failed = 0
        self._baseline: float | None = None
        self._batch: list[_Episode] = []
        self._best: list[tuple[float, int, tuple[Token, ...]]] = []  # cost, order, sequence

    def propose(self, rng: np.random.Generator) -> Proposal | None:
        """Return what the policy says; `None` where it says nothing new."""
        for _ in range(_TRIES):
            architecture, said = self._sample(rng)
            if self.is_new(architecture):
                self._said[architecture.key] = said
                return Proposal(architecture)
        return None

    def learn(self, trial: Trial, cost: float | None) -> None:
        """Note how good a trial was; update the policy where a batch is full."""
        reward = self._reward(cost)
        tokens = tuple(tokens_of(trial.architecture))
        if cost is not None and self._n_best:
            entry = (cost, self.n_asked + len(self._costs), tokens)
            bisect.insort(self._best, entry)
            del self._best[self._n_best :]
        said = self._said.pop(trial.architecture.key, None)
        if said is not None and said.tokens:
            baseline = 0.0 if self._baseline is None else self._baseline
            self._batch.append(_Episode(said, reward - baseline))
        start = reward if self._baseline is None else self._baseline
        self._baseline = _DECAY * start + (1.0 - _DECAY) * reward
        if len(self._batch) >= self._batch_size:
            for _ in range(self._n_steps):
                self._improve()
            self._batch.clear()

    # --- the policy ---------------------------------------------------------------

    def _controller(self) -> Policy:
        if self._policy is None:  # the seed is certain now
            sizes = [n_tokens(decision) for decision in self.space.freeze().decisions]
            rng = rng_for(self.seed, 0, "controller")
            table = self._kind == "table"
            self._policy = TabularPolicy(sizes) if table else LstmPolicy(sizes, self._n_units, rng)
            self._optimizer = Adam(self._policy.parameters, self._learning_rate)
        return self._policy

    def _sample(self, rng: np.random.Generator) -> tuple[Architecture, _Said]:
        policy = self._controller()
        ranks = self.space.freeze().ranks
        state, tokens, chances = policy.begin(), [], []

        def choose(decision: Decision) -> Any:
            nonlocal state
            rank = ranks[decision.index]
            probabilities, state = policy.probabilities(state, rank)
            below = np.cumsum(probabilities)
            token = min(
                int(np.searchsorted(below, rng.random() * below[-1], side="right")), len(below) - 1
            )
            state = policy.say(state, (rank, token))
            tokens.append((rank, token))
            chances.append(probabilities[token])
            return value_of(decision, token, rng)

        architecture = self.space.decide(choose)
        return architecture, _Said(tuple(tokens), np.array(chances))

    def _reward(self, cost: float | None) -> float:
        """Return the normal quantile of the rank of a cost among all so far, better ones above."""
        if cost is None:
            self._n_failed += 1
            worse = 0.5 * self._n_failed
        else:
            low = bisect.bisect_left(self._costs, cost)
            high = bisect.bisect_right(self._costs, cost)
            self._costs.insert(high, cost)
            ties = high - low + 1
            worse = len(self._costs) - high - 1 + 0.5 * ties + self._n_failed
        return _STANDARD.inv_cdf(worse / (len(self._costs) + self._n_failed))

    def _improve(self) -> None:
        policy = self._controller()
        assert self._optimizer is not None
        total: dict[str, Array] = {}

        def add(tokens: tuple[Token, ...], by_logits: list[Array], weight: float) -> None:
            for name, gradient in policy.gradients(tokens, by_logits).items():
                total[name] = total.get(name, 0.0) + weight * gradient

        for episode in self._batch:
            add(episode.said.tokens, self._by_logits(episode), 1.0 / len(self._batch))
        for _, _, tokens in self._best:
            if tokens:
                add(tokens, self._by_likelihood(tokens), 1.0 / len(self._best))
        self._optimizer.step(total)

    def _steps(self, tokens: tuple[Token, ...]) -> list[Array]:
        """Return the probabilities at each step of a sequence."""
        policy = self._controller()
        state, found = policy.begin(), []
        for token in tokens:
            probabilities, state = policy.probabilities(state, token[0])
            state = policy.say(state, token)
            found.append(probabilities)
        return found

    def _by_logits(self, episode: _Episode) -> list[Array]:
        """Return the gradient of the loss by the logits at each step."""
        gradients = []
        advantage = episode.advantage
        for (_, token), p, before in zip(
            episode.said.tokens,
            self._steps(episode.said.tokens),
            episode.said.probabilities,
            strict=True,
        ):
            logs = np.log(np.maximum(p, 1e-300))
            entropy = -float(p @ logs)
            gradient = self._entropy_weight * p * (logs + entropy)
            ratio = p[token] / before if self._is_ppo else 1.0
            beyond = ratio > 1.0 + _CLIP if advantage > 0.0 else ratio < 1.0 - _CLIP
            if not (self._is_ppo and beyond):
                gradient += advantage * ratio * p
                gradient[token] -= advantage * ratio
            gradients.append(gradient)
        return gradients

    def _by_likelihood(self, tokens: tuple[Token, ...]) -> list[Array]:
        gradients = []
        for (_, token), p in zip(tokens, self._steps(tokens), strict=True):
            gradient = p.copy()
            gradient[token] -= 1.0
            gradients.append(gradient)
        return gradients


def _require_one_of(where: str, name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SearchError(
            f"{where}: {name} must be one of {', '.join(map(repr, known))}; received {value!r}; "
            "leave it out for the default"
        )
