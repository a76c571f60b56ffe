"""Finds a user's mistakes before the first epoch, in seconds.

A few architectures are sampled until one can be built and takes one step, eagerly and on a handful
of examples. If some cannot, that is their own failure and the search goes on; if none can, what the
most of them stumbled over is the mistake.
"""

import warnings
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np

from hypernets.adapters.keras.data import Examples, is_text, named_arrays
from hypernets.adapters.keras.data_check import require_finite
from hypernets.adapters.keras.epoch_watch import metric_names
from hypernets.adapters.keras.estimator import KerasEstimator, choose_reward
from hypernets.adapters.keras.fault import trial_error
from hypernets.adapters.keras.label import require_labels
from hypernets.adapters.keras.metric_direction import known_direction
from hypernets.adapters.keras.model_builder import release
from hypernets.adapters.keras.training import TrainingCall
from hypernets.application.log import EventLog
from hypernets.domain.architecture.limit import LimitedSampler
from hypernets.domain.error import BuildError, SearchError, TrainingError, TrialError
from hypernets.domain.history import Direction

__all__ = ["knows_cost", "preflight"]

_MOST_ARCHITECTURES = 10
_MOST_DRAWS = 30  # a small space gives the same architecture again and again
_EXAMPLES = 8
_ACCEPTANCE_DRAWS = 50
_ON_PURPOSE = (TrialError, SearchError)
_log = EventLog(__name__)


def preflight(estimator: KerasEstimator, space: Any, sampler: LimitedSampler | None = None) -> str:
    """Return the name of the reward, having looked for mistakes.

    Args:
        estimator: what the search is going to measure with.
        space: what it samples from.
        sampler: what samples within the limits on the cost, if there are any.

    Raises:
        SearchError: a mistake, or no sampled architecture can be built and trained.
        SpaceError: no architecture is found that keeps within the limits.
    """
    train, validation = estimator.data.train, estimator.data.validation
    heads = train.head(_EXAMPLES), validation.head(_EXAMPLES)
    for head in heads:
        require_finite(
            {**named_arrays(head.x, head.where[0]), **named_arrays(head.y, head.where[1])}
        )
    failures: list[Exception] = []
    if sampler is not None:
        _tell_acceptance(sampler)
    for sample in _architectures(space if sampler is None else sampler, failures):
        try:
            names, outputs = _try_out(estimator, sample, heads)
        except _ON_PURPOSE as error:
            failures.append(error)
            continue
        return _reward(estimator, names, outputs)
    raise _commonest(failures)


def knows_cost(space: Any) -> bool:
    """Say whether the cost of some sampled architecture is known without building it."""
    for architecture in _architectures(space, []):
        try:
            architecture.cost()
        except BuildError:
            continue
        return True
    return False


def _tell_acceptance(sampler: LimitedSampler) -> None:
    rng = np.random.default_rng(0)
    for _ in range(_ACCEPTANCE_DRAWS):
        sampler.draw(rng)
    _log.info(
        "limits leave out a part of the space",
        limit=str(sampler.limit),
        acceptance_rate=sampler.acceptance_rate,
        least=sampler.least,
    )


def _architectures(space: Any, failures: list[Exception]) -> Iterator[Any]:
    """Yield different architectures; those that cannot be decided join the failures."""
    rng = np.random.default_rng(0)
    seen: set[Hashable] = set()
    for _ in range(_MOST_DRAWS):
        if len(seen) + len(failures) >= _MOST_ARCHITECTURES:
            return
        try:
            architecture = space.sample(rng)
        except TrialError as error:
            failures.append(error)
            continue
        if architecture.key not in seen:
            seen.add(architecture.key)
            yield architecture


def _try_out(
    estimator: KerasEstimator, architecture: Any, heads: tuple[Examples, Examples]
) -> tuple[list[str], tuple[str, ...]]:
    """Return the names of what a model measures, and of its outputs, after one step of it."""
    model, call = estimator.build(architecture)
    try:
        for examples, head in zip(
            (estimator.data.train, estimator.data.validation), heads, strict=True
        ):
            _require_inputs(head, architecture.graph.inputs, model)
            _require_labels(examples, head, model, call.compile.get("loss"))
        return _step(model, call, heads), tuple(model.output_names)
    finally:
        release(model)


def _step(model: Any, call: TrainingCall, heads: tuple[Examples, Examples]) -> list[str]:
    compiled = {**call.compile, "run_eagerly": True, "jit_compile": False, "steps_per_execution": 1}
    train, validation = heads
    try:
        model.compile(**compiled)
        # one step by hand: fit would set up a pipeline for eight examples
        model.train_on_batch(**train.fit_arguments, class_weight=call.fit.get("class_weight"))
        model.test_on_batch(**validation.fit_arguments)
    except Exception as error:
        raise trial_error(error, "training") from error
    return metric_names(model)


def _require_labels(examples: Examples, head: Examples, model: Any, loss: Any) -> None:
    labels = head.y if examples.is_dataset else examples.y
    inferred: dict[str, tuple[int | None, ...]] = {
        name: tuple(tensor.shape)
        for name, tensor in zip(model.output_names, model.outputs, strict=True)
    }
    where, ignored = examples.where[1], getattr(loss, "ignore_class", None)
    try:
        require_labels(labels, loss, inferred, where, ignored)
    except SearchError:
        # Keras infers shapes of some text layers that are not those of their values
        measured = _measured_shapes(model, head)
        if [len(shape) for shape in measured.values()] == [len(s) for s in inferred.values()]:
            raise
        require_labels(labels, loss, measured, where, ignored)


def _measured_shapes(model: Any, head: Examples) -> dict[str, tuple[int | None, ...]]:
    """Return the shapes of what a model really puts out."""
    model.run_eagerly = True
    try:
        values = model.predict(head.x, verbose=0)
    except Exception as error:
        raise trial_error(error, "predicting with") from error
    arrays = values if isinstance(values, list) else [values]
    shapes = [(None, *array.shape[1:]) for array in arrays]
    return dict(zip(model.output_names, shapes, strict=True))


def _require_inputs(head: Examples, names: tuple[str, ...], model: Any) -> None:
    """Refuse data whose number, names, kind or shapes are not those of the inputs."""
    where = head.where[0]
    x = head.x
    if isinstance(x, Mapping):
        missing = [name for name in names if name not in x]
        if missing:
            raise SearchError(
                f"{where} must hold an array for each input of the network; received "
                f"{', '.join(map(repr, x))} without {missing[0]!r}; name the arrays as the inputs: "
                f"{', '.join(map(repr, names))}"
            )
        arrays = [x[name] for name in names]
    else:
        arrays = list(x) if isinstance(x, (list, tuple)) else [x]
    if len(arrays) != len(names):
        raise SearchError(
            f"{where} must hold one array an input of the network; received {len(arrays)} for the "
            f"{len(names)} inputs {', '.join(map(repr, names))}; pass a list or a dict of them"
        )
    for name, array, tensor in zip(names, arrays, model.inputs, strict=True):
        label = where if len(names) == 1 else f"{where} for input {name!r}"
        _require_kind(array, tensor, label)
        _require_shape(tuple(array.shape), tuple(tensor.shape), label, name)


def _require_kind(array: Any, tensor: Any, label: str) -> None:
    if is_text(array) and str(tensor.dtype) != "string":
        raise SearchError(
            f"{label} must hold numbers, for its Input is of dtype {tensor.dtype}; received text; "
            "encode it, or write Input(shape=(1,), dtype='string') before a TextVectorization or "
            "StringLookup"
        )


def _require_shape(
    got: tuple[int, ...], expected: tuple[int | None, ...], label: str, name: str
) -> None:
    if _fits(got, expected):
        return
    # Keras adds or takes away a last axis of size 1
    if got[-1:] == (1,) and _fits(got[:-1], expected):
        return
    if expected[-1:] == (1,) and _fits(got, expected[:-1]):
        return
    raise SearchError(
        f"{label} must have the shape of the Input {name!r}, {('n', *expected[1:])}; received "
        f"{('n', *got[1:])}; write Input(shape={tuple(got[1:])}), or reshape the data"
    )


def _fits(got: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    return len(got) == len(expected) and all(
        want is None or size == want for size, want in zip(got[1:], expected[1:], strict=True)
    )


def _reward(estimator: KerasEstimator, names: list[str], outputs: tuple[str, ...]) -> str:
    try:
        reward = choose_reward(names, estimator.reward_metric)
    except TrainingError as error:
        raise SearchError(str(error)) from None
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


def _commonest(failures: list[Exception]) -> SearchError:
    """Return the error of the search where every sampled architecture has failed."""
    (text, count), *_ = Counter(str(error) for error in failures).most_common(1)
    error = next(error for error in failures if str(error) == text)
    if isinstance(error, SearchError):
        return error
    made = SearchError(
        f"some architecture of the space must train on the data; received {len(failures)} sampled "
        f"ones of which none does, most often ({count} times) for this {type(error).__name__}: "
        f"{text}"
    )
    made.__cause__ = error
    return made
