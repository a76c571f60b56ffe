"""Labels that do not fit the loss, or the output that it is computed from."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from hypernets.adapters.keras.data import is_text
from hypernets.domain.error import SearchError

__all__ = ["loss_names", "require_labels"]

Shape = tuple[int | None, ...]

_SPARSE = frozenset({"sparse_categorical_crossentropy"})
_ONE_HOT = frozenset({"categorical_crossentropy", "categorical_focal_crossentropy"})
_BINARY = frozenset({"binary_crossentropy", "binary_focal_crossentropy"})
_ALIKE = frozenset(
    [
        "huber",
        "kl_divergence",
        "log_cosh",
        "mean_absolute_error",
        "mean_absolute_percentage_error",
        "mean_squared_error",
        "mean_squared_logarithmic_error",
        "poisson",
    ]
)


def loss_names(loss: Any, outputs: Sequence[str]) -> list[str | None]:
    """Return for each output of a model the name of its loss; `None` for one of the user's own.

    Args:
        loss: what `compile` takes.
        outputs: names of the outputs.
    """
    if isinstance(loss, Mapping) and "class_name" not in loss:
        return [_loss_name(loss.get(output)) for output in outputs]
    if isinstance(loss, (list, tuple)):
        return [_loss_name(item) for item in loss] if len(loss) == len(outputs) else []
    return [_loss_name(loss)] * len(outputs)


def require_labels(
    y: Any, loss: Any, outputs: Mapping[str, Shape], where: str, ignored: int | None = None
) -> None:
    """Refuse labels that do not fit.

    Args:
        y: the labels: an array, or a list or dict of arrays where there are several outputs.
        loss: what `compile` takes.
        outputs: name of an output → its shape, the batch first.
        where: what a message calls `y`.
        ignored: a class that a sparse loss leaves out.

    Raises:
        SearchError: they do not; the message says what would.
    """
    names = list(outputs)
    losses = loss_names(loss, names)
    for index, array in _by_output(y, names, where).items():
        label = where if len(names) == 1 else f"{where} of output {names[index]!r}"
        shape = outputs[names[index]]
        _require_numbers(array, label)
        name = losses[index] if index < len(losses) else None
        if name in _SPARSE:
            _require_sparse(array, shape, label, ignored)
        elif name in _ONE_HOT:
            _require_one_hot(array, shape, label, str(name))
        elif name in _BINARY:
            _require_binary(array, shape, label, str(name))
        elif name in _ALIKE:
            _require_shape(array, shape, label, str(name), "one column a number of the output")


def _by_output(y: Any, names: list[str], where: str) -> dict[int, Any]:
    if y is None:
        return {}
    if isinstance(y, Mapping):
        unknown = [key for key in y if key not in names]
        if unknown:
            raise SearchError(
                f"{where} must be named by the outputs of the network; received {unknown[0]!r}; "
                f"the outputs are {', '.join(map(repr, names))}"
            )
        return {names.index(key): value for key, value in y.items()}
    arrays = list(y) if isinstance(y, (list, tuple)) else [y]
    if len(arrays) != len(names):
        raise SearchError(
            f"{where} must hold one array an output of the network; received {len(arrays)} for the "
            f"{len(names)} outputs {', '.join(map(repr, names))}; pass a list or a dict of them"
        )
    return dict(enumerate(arrays))


def _require_numbers(array: Any, label: str) -> None:
    if is_text(array):
        first = np.asarray(array).flat[0]
        raise SearchError(
            f"{label} must hold numbers; received text, the first {first!r}; number the classes: "
            "numpy.unique(y, return_inverse=True)[1]"
        )


def _require_sparse(array: Any, shape: Shape, label: str, ignored: int | None) -> None:
    loss, units, got = "sparse_categorical_crossentropy", shape[-1], tuple(array.shape[1:])
    expected = shape[1:-1]
    if not (_fits(got, expected) or _fits(got, (*expected, 1))):
        hint = "give one integer an example"
        if _fits(got, shape[1:]):
            hint = "these look one-hot: use loss='categorical_crossentropy', or y.argmax(axis=-1)"
        raise SearchError(
            f"{label}: {loss} must have one integer an output of shape {shape}; received labels of "
            f"shape {tuple(array.shape)}; {hint}"
        )
    if not isinstance(array, np.ndarray) or units is None:
        return
    values = array if ignored is None else array[array != ignored]
    broken: Any = values[values != np.floor(values)] if values.dtype.kind == "f" else ()
    if len(broken):
        raise SearchError(
            f"{label}: {loss} must have integers; received {broken[0]}; use a loss for real "
            "numbers, or round them"
        )
    if values.size and (values.min() < 0 or values.max() >= units):
        raise SearchError(
            f"{label}: {loss} must have labels from 0 to {units - 1}, for the output has {units} "
            f"units; received labels from {values.min()} to {values.max()}; number the classes "
            "from 0, or give the output as many units as there are classes"
        )


def _require_one_hot(array: Any, shape: Shape, label: str, loss: str) -> None:
    got = tuple(array.shape[1:])
    if not _fits(got, shape[1:]):
        hint = "give one column a class, and as many units"
        if got in ((), (1,)):
            hint = (
                "these look like integers: use loss='sparse_categorical_crossentropy', or "
                "keras.utils.to_categorical(y)"
            )
        raise SearchError(
            f"{label}: {loss} must have one-hot labels of the shape of the output, {shape}; "
            f"received labels of shape {tuple(array.shape)}; {hint}"
        )
    _require_range(array, label, loss)


def _require_binary(array: Any, shape: Shape, label: str, loss: str) -> None:
    units = shape[-1] or 1
    hint = "one column a unit"
    if tuple(array.shape[1:]) in ((), (1,)) and units > 1:
        hint = (
            "give the output one unit, or use loss='sparse_categorical_crossentropy' for one class "
            "an example"
        )
    _require_shape(array, shape, label, loss, hint)
    _require_range(array, label, loss)


def _require_shape(array: Any, shape: Shape, label: str, loss: str, hint: str) -> None:
    got, expected = tuple(array.shape[1:]), shape[1:]
    one_column = bool(expected) and expected[-1] == 1 and _fits(got, expected[:-1])
    if _fits(got, expected) or one_column or (got[-1:] == (1,) and _fits(got[:-1], expected)):
        return
    raise SearchError(
        f"{label}: {loss} must have labels of the shape of the output, {shape}; received labels of "
        f"shape {tuple(array.shape)}; {hint}"
    )


def _require_range(array: Any, label: str, loss: str) -> None:
    if isinstance(array, np.ndarray) and array.dtype.kind in "biuf":
        low, high = array.min(), array.max()
        if low < 0 or high > 1:
            raise SearchError(
                f"{label}: {loss} must have labels between 0 and 1; received labels from {low} to "
                f"{high}; encode the classes by 0 and 1, or use another loss"
            )


def _fits(got: tuple[Any, ...], expected: Shape) -> bool:
    return len(got) == len(expected) and all(
        want is None or size is None or size == want
        for size, want in zip(got, expected, strict=True)
    )


def _loss_name(loss: Any) -> str | None:
    if isinstance(loss, Mapping):
        loss = loss.get("class_name")
    if isinstance(loss, str):
        try:
            loss = keras.losses.get(loss)
        except ValueError:
            return None
    if loss is None:
        return None
    if isinstance(loss, keras.losses.Loss):
        loss = type(loss)
    elif getattr(keras.losses, getattr(loss, "__name__", ""), None) is not loss:
        return None
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", loss.__name__).lower()
