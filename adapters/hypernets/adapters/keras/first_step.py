"""One architecture, tried out: built, held against the data, and given one step.

The step is taken eagerly and on a handful of examples, so it takes a fraction of a second.
"""

from collections.abc import Mapping
from typing import Any

from hypernets.adapters.keras.data import Examples, is_text, named_arrays
from hypernets.adapters.keras.data_check import require_finite
from hypernets.adapters.keras.epoch_watch import metric_names
from hypernets.adapters.keras.estimator import KerasEstimator
from hypernets.adapters.keras.fault import reason_of, trial_error
from hypernets.adapters.keras.label import require_labels
from hypernets.adapters.keras.model_builder import release
from hypernets.adapters.keras.training import TrainingCall
from hypernets.domain.error import SearchError

__all__ = ["heads_of", "take_first_step"]

_EXAMPLES = 8

Heads = tuple[Examples, Examples]
"""The first examples to train on, and the first to validate on, as arrays."""


def heads_of(estimator: KerasEstimator) -> Heads:
    """Return the first examples of the data, having read them.

    Raises:
        SearchError: they cannot be read, or are not finite.
    """
    try:
        train, validation = estimator.data.train, estimator.data.validation
        heads = train.head(_EXAMPLES), validation.head(_EXAMPLES)
    except SearchError:
        raise
    except Exception as error:
        raise SearchError(
            "the data must be such that they can be read in every trial; received an error from "
            f"what reads them ({type(error).__name__}: {reason_of(error)}); call the function, or "
            "iterate over the dataset, by hand to see it happen"
        ) from error
    for head in heads:
        require_finite(
            {**named_arrays(head.x, head.where[0]), **named_arrays(head.y, head.where[1])}
        )
    return heads


def take_first_step(
    estimator: KerasEstimator, architecture: Any, heads: Heads
) -> tuple[list[str], tuple[str, ...]]:
    """Return the names of what a model measures, and of its outputs, after one step of it.

    Raises:
        TrialError: it cannot be built or trained.
        SearchError: the data do not fit it.
    """
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


def _step(model: Any, call: TrainingCall, heads: Heads) -> list[str]:
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
        values = model.predict(head.feed, verbose=0)
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
