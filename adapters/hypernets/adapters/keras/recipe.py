"""Live objects of Keras as recipes, for another process to make them anew.

Keras pickles its objects by way of a saved file, which works for models only.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from hypernets.adapters.keras.presence import loaded_keras

__all__ = ["Recipe", "as_recipes", "made"]


@attrs.frozen
class Recipe:
    """How an object is made again.

    Attributes:
        kind: its class.
        config: what `from_config` takes; or, with `bare`, its attributes.
        bare: whether it is made by giving it its attributes.
    """

    kind: type
    config: Mapping[str, Any]
    bare: bool = False

    def make(self) -> Any:
        """Return a new object."""
        if self.bare:
            thing: Any = object.__new__(self.kind)
            vars(thing).update(self.config)
            return thing
        import keras

        if self.kind is keras.metrics.MeanMetricWrapper:
            return self.kind(**self.config)
        return self.kind.from_config(dict(self.config))  # type: ignore[attr-defined]


def as_recipes(structure: Any) -> Any:
    """Return a structure with a recipe in place of each optimizer, loss and metric."""
    keras = loaded_keras()
    return structure if keras is None else _with_recipes(structure, keras)


def made(structure: Any) -> Any:
    """Return a structure with the object of each recipe in its place."""
    if isinstance(structure, dict):
        return {key: made(value) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)([made(value) for value in structure])
    return structure.make() if isinstance(structure, Recipe) else structure


def _with_recipes(structure: Any, keras: Any) -> Any:
    if isinstance(structure, dict):
        return {key: _with_recipes(value, keras) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)([_with_recipes(value, keras) for value in structure])
    if isinstance(structure, keras.losses.Loss):
        return Recipe(type(structure), dict(vars(structure)), bare=True)  # it has no variables
    if type(structure) is keras.metrics.MeanMetricWrapper:
        own = {"fn": structure._fn, "name": structure.name, "dtype": structure.dtype}
        return Recipe(type(structure), {**own, **structure._fn_kwargs})
    if isinstance(structure, keras.metrics.Metric):
        return Recipe(type(structure), structure.get_config())
    if isinstance(structure, keras.optimizers.Optimizer):
        return _optimizer_recipe(structure, keras)
    return structure


def _optimizer_recipe(optimizer: Any, keras: Any) -> Recipe:
    config = dict(optimizer.get_config())
    rate = getattr(optimizer, "_learning_rate", None)
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        config["learning_rate"] = rate  # holds no state; one of the user's own is in no registry
    return Recipe(type(optimizer), config)
