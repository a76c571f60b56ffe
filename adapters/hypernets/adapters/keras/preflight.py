"""Finds a user's mistakes before the first epoch, in seconds.

A few architectures are sampled until one can be built and takes one step. If some cannot, that is
their own failure and the search goes on; if none can, what the most of them stumbled over is the
mistake. Each is tried where trials are run: in a process of its own, say.
"""

import warnings
from collections import Counter
from typing import Any

import attrs

from hypernets.adapters.keras.estimator import KerasEstimator
from hypernets.adapters.keras.measured_objective import MEASURED
from hypernets.adapters.keras.metric_direction import known_direction
from hypernets.adapters.keras.reward import choose_reward
from hypernets.adapters.keras.sampling import sampled, tell_acceptance
from hypernets.application.port import Executor, Job, Measurement, Outcome, TrialContext
from hypernets.domain.architecture.limit import LimitedSampler
from hypernets.domain.error import SearchError, SpaceError, TrainingError
from hypernets.domain.history import Direction, Failure

__all__ = ["preflight"]

_NUMBER = 0  # no trial has it


def preflight(
    estimator: KerasEstimator,
    space: Any,
    executor: Executor,
    sampler: LimitedSampler | None = None,
) -> str:
    """Return the name of the reward, having looked for mistakes.

    Args:
        estimator: what the search is going to measure with.
        space: what it samples from.
        executor: what is going to run its trials, with nothing to do yet.
        sampler: what samples within the limits on the cost, if there are any.

    Raises:
        SearchError: a mistake, or no sampled architecture can be built and trained.
        SpaceError: the definition of the space is wrong, or no architecture is found that keeps
            within the limits.
    """
    failures: list[Failure] = []
    if sampler is not None:
        tell_acceptance(sampler)
    for sample in sampled(space if sampler is None else sampler, failures):
        outcome = _outcome(executor, Job(_NUMBER, sample, _TryOut(estimator), seed=0))
        if outcome.measurement is not None:
            names = outcome.measurement.details
            return _reward(estimator, list(names["measured"]), tuple(names["outputs"]))
        failure = outcome.failure or Failure(outcome.state.value, "no reason was given")
        if failure.kind == _MistakeError.__name__:
            raise SearchError(failure.message)
        if failure.kind == SpaceError.__name__:
            raise SpaceError(failure.message)
        failures.append(failure)
    raise _commonest(failures)


class _MistakeError(SearchError):
    """A mistake that no architecture is to blame for."""


@attrs.frozen(eq=False)
class _TryOut:
    """Stands for an estimator, but for what it does: it has a model take its first step."""

    estimator: KerasEstimator

    @property
    def preload(self) -> tuple[str, ...]:
        """What a process imports before it begins."""
        return self.estimator.preload

    def prepare_process(self, threads: int | None) -> None:
        """Take no more than so many threads."""
        self.estimator.prepare_process(threads)

    def estimate(self, architecture: Any, context: TrialContext) -> Measurement:
        """Return no number, but the names of what a model measures and of its outputs.

        Raises:
            SearchError, TrialError: a mistake, or the architecture fails.
        """
        from hypernets.adapters.keras.first_step import heads_of, take_first_step

        try:
            self.estimator.settle()
            self.estimator.plan.require_good()  # now that Keras is there
            heads = heads_of(self.estimator)
        except SearchError as error:
            raise _MistakeError(str(error)) from error
        measured, outputs = take_first_step(self.estimator, architecture, heads)
        return Measurement({}, details={"measured": measured, "outputs": outputs})


def _outcome(executor: Executor, job: Job) -> Outcome:
    """Run a job; return its outcome."""
    ticket = executor.submit(job, lambda report: False)
    while True:
        for outcome in executor.completed():
            if outcome.ticket == ticket:
                return outcome


def _reward(estimator: KerasEstimator, names: list[str], outputs: tuple[str, ...]) -> str:
    try:
        reward = choose_reward(names, estimator.reward_metric)
    except TrainingError as error:
        raise SearchError(str(error)) from None
    for name in estimator.objectives:
        if name not in names and name not in MEASURED:
            raise SearchError(
                "objectives must be metrics that the model measures, or of "
                f"{', '.join(map(repr, MEASURED))}; received {name!r}; choose one of "
                f"{', '.join(map(repr, names))}, or add it to metrics"
            )
    known = known_direction(reward, outputs)
    if known is not None and known is not estimator.direction:
        better = "larger" if known is Direction.MAX else "smaller"
        warnings.warn(
            f"optimize_direction should suit the reward: {reward!r} is better when it is {better}; "
            f"received {estimator.direction.value!r}; write optimize_direction={known.value!r} in "
            "the searcher",
            UserWarning,
            stacklevel=5,  # the caller of search
        )
    return reward


def _commonest(failures: list[Failure]) -> SearchError:
    """Return the error of the search where every sampled architecture has failed."""
    (text, count), *_ = Counter(failure.message for failure in failures).most_common(1)
    failure = next(failure for failure in failures if failure.message == text)
    if failure.kind == SearchError.__name__:
        return SearchError(text)
    made = SearchError(
        f"some architecture of the space must train on the data; received {len(failures)} sampled "
        f"ones of which none does, most often ({count} times) for this {failure.kind}: {text}"
    )
    made.__cause__ = _TriedError(failure.traceback or f"{failure.kind}: {text}")
    return made


class _TriedError(Exception):
    """What went wrong where an architecture was tried: its text is the traceback from there."""
