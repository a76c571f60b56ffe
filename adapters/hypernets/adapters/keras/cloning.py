"""Fresh copies of what a user made once: an optimizer, a loss or a metric serves one model only."""

import copy
import warnings
from collections.abc import Iterable
from typing import Any

import keras

from hypernets.domain.error import SearchError

__all__ = ["clone", "clone_callbacks", "clone_optimizer"]


def clone_optimizer(given: Any, learning_rate: Any = None) -> Any:
    """Return a new optimizer.

    Args:
        given: a name, a configuration (`{"class_name": …, "config": {…}}`), a class, or a live
            optimizer, which stays untouched.
        learning_rate: a number, a schedule, or the configuration of one, in place of its own.

    Raises:
        ValueError: Keras knows no such optimizer.
        SearchError: it has no learning rate, or cannot be copied.
    """
    optimizer = given if isinstance(given, keras.optimizers.Optimizer) else _made(given)
    config = optimizer.get_config()
    own = getattr(optimizer, "_learning_rate", None)
    if isinstance(own, keras.optimizers.schedules.LearningRateSchedule):
        config["learning_rate"] = own  # holds no state; one of the user's own is in no registry
    if learning_rate is not None:
        if "learning_rate" not in config:
            raise SearchError(
                "learning_rate must be given with an optimizer that has one; received "
                f"{type(optimizer).__name__}; put it in the optimizer's own configuration"
            )
        config["learning_rate"] = _schedule(learning_rate)
    elif optimizer is not given:
        return optimizer
    try:
        return type(optimizer).from_config(config)
    except Exception as error:
        raise _not_copied(optimizer, error) from error


def clone(given: Any, kind: str) -> Any:
    """Return losses or metrics with every live object copied and every configuration made one.

    Args:
        given: whatever `compile` takes: names, functions, objects, in lists and dicts.
        kind: `"losses"` or `"metrics"`.

    Raises:
        SearchError: an object cannot be copied.
    """
    if isinstance(given, dict):
        if "class_name" in given:
            return getattr(keras, kind).deserialize(dict(given))
        return {name: clone(item, kind) for name, item in given.items()}
    if isinstance(given, (list, tuple)):
        return [clone(item, kind) for item in given]
    if isinstance(given, (keras.losses.Loss, keras.metrics.Metric)):
        return _copied(given)
    return given


def clone_callbacks(callbacks: Iterable[Any]) -> list[Any]:
    """Return deep copies of Keras callbacks.

    Raises:
        SearchError: one is no Keras callback, or cannot be copied.
    """
    return [_copied_callback(callback) for callback in callbacks]


def _made(given: Any) -> Any:
    if isinstance(given, type):
        return given()
    return keras.optimizers.get(dict(given) if isinstance(given, dict) else given)


def _schedule(rate: Any) -> Any:
    if isinstance(rate, dict):
        return keras.optimizers.schedules.deserialize(dict(rate))
    is_schedule = isinstance(rate, keras.optimizers.schedules.LearningRateSchedule)
    return rate if is_schedule else float(rate)


def _copied(thing: Any) -> Any:
    if type(thing) is keras.metrics.MeanMetricWrapper:
        # by way of its configuration, a lambda would lose the module that it was written in
        return type(thing)(thing._fn, name=thing.name, dtype=thing.dtype, **thing._fn_kwargs)
    with warnings.catch_warnings():
        # Keras warns of a lambda in a configuration; this one never leaves the process
        warnings.simplefilter("ignore")
        try:
            return type(thing).from_config(thing.get_config())
        except Exception:  # no full configuration: a copy of an unused object is as good
            try:
                return copy.deepcopy(thing)
            except Exception as error:
                raise _not_copied(thing, error) from error


def _copied_callback(callback: Any) -> Any:
    if not isinstance(callback, keras.callbacks.Callback):
        hint = "make it: EarlyStopping()" if isinstance(callback, type) else "pass it to HyperKeras"
        raise SearchError(
            "callbacks given to search must be Keras callbacks; those of the search belong to "
            f"HyperKeras(callbacks=[...]); received {callback!r}; {hint}"
        )
    try:
        return copy.deepcopy(callback)
    except Exception as error:
        raise _not_copied(callback, error) from error


def _not_copied(thing: Any, error: Exception) -> SearchError:
    return SearchError(
        f"{type(thing).__name__}: what serves every trial must be one that can be copied for each; "
        f"received one that cannot ({type(error).__name__}: {error}); give its class get_config() "
        "and from_config(), or pass a name or a configuration instead"
    )
