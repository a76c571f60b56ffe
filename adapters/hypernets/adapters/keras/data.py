"""Training and validation data, prepared once and then used by every trial.

Arrays keep their memory: a split is a pair of views, and only what Keras itself would convert in
every `fit` (floats of another precision, text) is converted, once. None of this needs Keras.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from hypernets.adapters.keras.data_check import (
    require_examples,
    require_finite,
    require_same_length,
)
from hypernets.adapters.keras.presence import floatx, is_py_dataset
from hypernets.domain.error import SearchError

__all__ = [
    "Examples",
    "TrainingData",
    "as_examples",
    "is_factory",
    "is_text",
    "named_arrays",
    "prepare",
    "split",
]


@attrs.frozen(eq=False)
class Examples:
    """Examples to fit, evaluate or predict on.

    Attributes:
        x: an array, a list or a dict of arrays; or a dataset that yields everything.
        y: the labels, likewise; `None` with a dataset.
        weights: sample weights, likewise.
        where: what a message calls x and y.
        is_dataset: whether `x` is a `tf.data.Dataset` or a `keras.utils.PyDataset`.
        factory: the function of no arguments that made the dataset, if one did.
    """

    x: Any
    y: Any = None
    weights: Any = None
    where: tuple[str, str] = ("X", "y")
    is_dataset: bool = False
    factory: Callable[[], Any] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how another process comes by the same data; a dataset is made there anew.

        Raises:
            SearchError: it is a live `tf.data.Dataset`.
        """
        if self.factory is not None:
            return as_examples, (self.factory, None, None, self.where)
        self.require_portable()
        return Examples, (self.x, self.y, self.weights, self.where, self.is_dataset)

    def require_portable(self) -> None:
        """Refuse a dataset that cannot travel to the process of a trial.

        Raises:
            SearchError: it is a live `tf.data.Dataset` that no function has made.
        """
        if self.factory is None and self.is_dataset and not is_py_dataset(self.x):
            raise SearchError(
                f"{self.where[0]} must be fit to travel to the process of a trial; received a live "
                f"{type(self.x).__name__}; pass a function of no arguments that makes it, or run "
                'inline: HyperKeras(..., isolation="inline")'
            )

    @property
    def n_examples(self) -> int | None:
        """Number of examples; `None` for a dataset."""
        if self.is_dataset:
            return None
        return int(next(iter(named_arrays(self.x, "X").values())).shape[0])

    @property
    def feed(self) -> Any:
        """`x` as Keras takes it: text of several columns as tensors."""
        return self.x if self.is_dataset else _mapped(self.x, _fed)

    @property
    def fit_arguments(self) -> dict[str, Any]:
        """What `fit` and `evaluate` take of it."""
        given = {"x": self.feed, "y": self.y, "sample_weight": self.weights}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def validation_data(self) -> Any:
        """What `fit` takes of it as `validation_data`."""
        if self.is_dataset:
            return self.x
        triple = (self.feed, self.y, self.weights)
        return triple if self.weights is not None else triple[:2]

    def head(self, count: int) -> "Examples":
        """Return the first examples, at most `count`, as arrays (of a dataset: of a batch)."""
        x, y, weights = self._first_batch() if self.is_dataset else (self.x, self.y, self.weights)
        x, y, weights = (_mapped(part, lambda array: array[:count]) for part in (x, y, weights))
        return Examples(x, y, weights, self.where)

    def _first_batch(self) -> tuple[Any, Any, Any]:
        batch = self.x[0] if is_py_dataset(self.x) else next(iter(self.x))
        x, y, weights = (_mapped(part, np.asarray) for part in _unpacked(batch, self.where[0]))
        return x, y, weights


@attrs.frozen(eq=False)
class TrainingData:
    """What a search trains on, and what it measures rewards on."""

    train: Examples
    validation: Examples


def prepare(
    x: Any,
    y: Any = None,
    *,
    validation_data: Any = None,
    validation_split: float | None = None,
    sample_weight: Any = None,
) -> TrainingData:
    """Return the data of a search, checked.

    Args:
        x: an array, or a list or dict of arrays, of any kind that numpy reads; a
            `tf.data.Dataset` or `keras.utils.PyDataset` of batches; or a function of no arguments
            that returns one of these, called once.
        y: the labels of arrays.
        validation_data: `(x, y)`, `(x, y, sample_weight)`, or a dataset.
        validation_split: fraction of the arrays, from the end, to validate on instead.
        sample_weight: weights of the training examples.

    Raises:
        SearchError: something is missing, empty, not finite, or of another length.
    """
    train = as_examples(x, y, sample_weight)
    if validation_data is not None and validation_split is not None:
        raise SearchError(
            "validation must be given once; received validation data and "
            f"validation_split={validation_split!r}; leave one out"
        )
    if validation_data is not None:
        return TrainingData(train, _validation_examples(validation_data))
    if validation_split is None:
        raise SearchError(
            "a search must have validation data, for its rewards are measured on them; received "
            "none; pass X_val and y_val, validation_data=(X_val, y_val) or validation_split=0.2"
        )
    return split(train, validation_split)


def as_examples(
    x: Any, y: Any = None, weights: Any = None, where: tuple[str, str] = ("X", "y")
) -> Examples:
    """Return data in the form that Keras takes without another conversion, checked.

    Raises:
        SearchError: they are of no kind that can be read in every trial, or are no good.
    """
    name_x, name_y = where
    factory = x if is_factory(x) else None
    if factory is not None:
        x = factory()
        if isinstance(x, tuple) and y is None:
            x, y, weights = _unpacked(x, name_x)
    if _is_dataset(x):
        _require_alone(x, y, weights, where)
        return Examples(x, where=where, is_dataset=True, factory=factory)
    if x is None or hasattr(x, "__next__") or isinstance(x, (str, bytes)):
        raise SearchError(
            f"{name_x} must be arrays, or a dataset that can be read again in every trial; "
            f"received {x!r}; pass an array, a list or dict of arrays, a tf.data.Dataset, a "
            "keras.utils.PyDataset, or a function of no arguments that returns one of them"
        )
    examples = Examples(
        _converted(x, name_x),
        None if y is None else _converted(y, name_y),
        None if weights is None else _converted(weights, "sample_weight"),
        where,
    )
    _require_good(examples)
    return examples


def split(train: Examples, fraction: Any) -> TrainingData:
    """Return the last `fraction` of the examples as validation data, both parts as views.

    Raises:
        SearchError: the fraction is none, leaves nothing on one side, or the data are no arrays.
    """
    number = isinstance(fraction, (int, float)) and not isinstance(fraction, bool)
    if not number or not 0 < fraction < 1:
        raise SearchError(
            "validation_split must be a fraction between 0 and 1, both excluded; received "
            f"{fraction!r}; write validation_split=0.2, say"
        )
    n_examples = train.n_examples
    if n_examples is None:
        raise SearchError(
            "validation_split must be used with arrays; received a "
            f"{type(train.x).__name__}; pass validation_data= instead"
        )
    at = math.floor(n_examples * (1 - fraction))
    if at in (0, n_examples):
        raise SearchError(
            "validation_split must leave examples on both sides; received "
            f"{fraction!r} of {n_examples} examples; give more data or another fraction"
        )
    return TrainingData(_sliced(train, slice(None, at)), _sliced(train, slice(at, None)))


def _validation_examples(given: Any) -> Examples:
    where = ("X_val", "y_val")
    if isinstance(given, (tuple, list)) and 1 <= len(given) <= 3:
        x, y, weights = (*given, None, None)[:3]
        return as_examples(x, y, weights, where)
    if _is_dataset(given) or is_factory(given):
        return as_examples(given, where=where)
    raise SearchError(
        "validation_data must be (x, y), (x, y, sample_weight) or a dataset; received "
        f"{type(given).__name__}; write validation_data=(X_val, y_val)"
    )


def _require_good(examples: Examples) -> None:
    name_x, name_y = examples.where
    arrays = {
        **named_arrays(examples.x, name_x),
        **named_arrays(examples.y, name_y),
        **named_arrays(examples.weights, "sample_weight"),
    }
    require_same_length(arrays)
    require_examples(arrays)
    require_finite(arrays)


def _require_alone(dataset: Any, y: Any, weights: Any, where: tuple[str, str]) -> None:
    for name, value in ((where[1], y), ("sample_weight", weights)):
        if value is not None:
            raise SearchError(
                f"{name} must be left out where {where[0]} is a dataset, which yields it; received "
                f"{type(value).__name__} beside a {type(dataset).__name__}; put it in the dataset"
            )


def named_arrays(structure: Any, name: str) -> dict[str, Any]:
    """Return what a message calls each array of a structure → the array."""
    if structure is None:
        return {}
    if isinstance(structure, Mapping):
        return {f"{name}[{key!r}]": value for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return {f"{name}[{index}]": value for index, value in enumerate(structure)}
    return {name: structure}


def _sliced(examples: Examples, part: slice) -> Examples:
    x, y, weights = (
        _mapped(value, lambda array: array[part])
        for value in (examples.x, examples.y, examples.weights)
    )
    return attrs.evolve(examples, x=x, y=y, weights=weights)


def _unpacked(batch: Any, name: str) -> tuple[Any, Any, Any]:
    """Return x, y and weights of what a dataset or a function yields.

    Raises:
        SearchError: it has more parts, or none.
    """
    parts = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
    if not 1 <= len(parts) <= 3:
        raise SearchError(
            f"{name} must yield x, (x, y) or (x, y, sample_weight); received {len(parts)} parts; "
            "put several inputs into a dict or a tuple of their own"
        )
    x, y, weights = (*parts, None, None)[:3]
    return x, y, weights


def _mapped(structure: Any, function: Callable[[Any], Any]) -> Any:
    if structure is None:
        return None
    if isinstance(structure, Mapping):
        return {key: function(value) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return [function(value) for value in structure]
    return function(structure)


# --- what kind of data it is -------------------------------------------------


def _is_dataset(value: Any) -> bool:
    # a tf.data.Dataset is known by what it has, so that TensorFlow is not needed to ask
    return is_py_dataset(value) or (hasattr(value, "element_spec") and hasattr(value, "batch"))


def is_factory(value: Any) -> bool:
    """Say whether something is a function that makes data, rather than data."""
    return callable(value) and not hasattr(value, "shape") and not _is_dataset(value)


def _are_arrays(values: Sequence[Any]) -> bool:
    """Say whether a list is one of arrays, rather than an array written as a list."""
    return bool(values) and all(len(getattr(value, "shape", ())) > 0 for value in values)


def is_text(array: Any) -> bool:
    """Say whether an array or tensor holds text."""
    return "string" in str(array.dtype) or str(array.dtype) == "object"


# --- conversion --------------------------------------------------------------


def _converted(structure: Any, name: str) -> Any:
    if isinstance(structure, Mapping):
        return {key: _array(value, f"{name}[{key!r}]") for key, value in structure.items()}
    if isinstance(structure, (list, tuple)) and _are_arrays(structure):
        return [_array(value, f"{name}[{index}]") for index, value in enumerate(structure)]
    return _array(structure, name)


def _array(value: Any, name: str) -> Any:
    if hasattr(value, "shape") and not hasattr(value, "__array__"):
        return value  # sparse and ragged tensors, which only Keras can read
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise SearchError(
            f"{name} must be an array, every example of the same shape; received "
            f"{type(value).__name__}; pad or cut the examples: {error}"
        ) from error
    if array.ndim == 0:
        raise SearchError(
            f"{name} must be an array with one row an example; received {value!r}; "
            "wrap it in an array"
        )
    if array.dtype.kind in "US":
        return _text(array)
    if array.dtype == object:
        return _from_objects(array, name)
    if array.dtype.kind == "f" and array.dtype.name != floatx():
        return array.astype(floatx())
    return array


def _from_objects(array: Any, name: str) -> Any:
    if all(isinstance(item, (str, bytes)) for item in array.flat):
        return _text(array)
    try:
        return array.astype(floatx())
    except (TypeError, ValueError) as error:
        raise SearchError(
            f"{name} must hold numbers, or text only; received a mixture: {error}; encode the text "
            "by numbers, or give each column as an input of its own (a dict of arrays)"
        ) from error


def _text(array: Any) -> Any:
    """Return text as objects, a column of it without its second axis, as Keras takes it."""
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8")
    if array.ndim > 1 and math.prod(array.shape[1:]) == 1:
        array = array.reshape(len(array))
    return array.astype(object)


def _fed(array: Any) -> Any:
    """Return an array as Keras takes it: of text, it takes arrays of one column only."""
    if not isinstance(array, np.ndarray) or not array.dtype.hasobject or array.ndim == 1:
        return array
    import keras

    return keras.ops.convert_to_tensor(array, dtype="string")
