"""Arguments of a module, prepared at freezing so that deciding one costs little.

An argument that needs an integer and comes from a hyperparameter may be a float that stands for
one: within 1e-6 of an integer it is that integer, else it is truncated, as Keras 2 did with
`int(units)`. Anything else is an error.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from hypernets.domain.architecture.graph import LayerSpec
from hypernets.domain.error import BuildError, SpaceError
from hypernets.domain.layers import rule_for
from hypernets.domain.space.hyperparameter import Choice, ParameterSpace
from hypernets.domain.space.layer import LayerModule
from hypernets.domain.space.module import ModuleSpace, parameters_in

__all__ = ["INTEGER_ARGUMENTS", "ArgumentTemplate", "Evaluate", "template_of", "training_template"]

Evaluate = Callable[[ParameterSpace], Any]
"""Gives the decided value of a hyperparameter."""

Whole = Callable[[Any, str, str], Any]
"""Makes an integer (or a list or tuple of some) of a value, given the keyword and the module."""

INTEGER_ARGUMENTS = frozenset(
    [
        "units",
        "filters",
        "kernel_size",
        "strides",
        "pool_size",
        "dilation_rate",
        "groups",
        "depth_multiplier",
        "rank",
        "input_dim",
        "output_dim",
        "num_heads",
        "key_dim",
        "value_dim",
        "num_bins",
        "num_tokens",
        "n",
    ]
)
"""What needs integers in a layer that no rule describes, by the names that frameworks share."""

_TRAINING_INTEGERS = frozenset(
    [
        "batch_size",
        "epochs",
        "steps_per_epoch",
        "validation_steps",
        "validation_batch_size",
        "validation_freq",
        "initial_epoch",
        "steps_per_execution",
    ]
)


@attrs.frozen(slots=True)
class ArgumentTemplate:
    """The arguments of one module.

    Attributes:
        where: what a message calls the module.
        fixed: the arguments that hold no hyperparameter, ready for use.
        searched: keyword, argument and what makes its value an integer, for those that hold one.
        parameters: the hyperparameters held, in order.
    """

    where: str
    fixed: Mapping[str, Any]
    searched: tuple[tuple[str, Any, Whole | None], ...]
    parameters: tuple[ParameterSpace, ...]

    def fill(self, evaluate: Evaluate) -> Mapping[str, Any]:
        """Return the decided arguments; the same mapping every time where nothing is searched.

        Raises:
            BuildError: an argument that needs an integer has no such value.
        """
        if not self.searched:
            return self.fixed
        filled = dict(self.fixed)
        for keyword, argument, whole in self.searched:
            if isinstance(argument, ParameterSpace):
                value = evaluate(argument)
            else:
                value = _filled(argument, evaluate)
            if whole is not None and type(value) is not int:
                value = whole(value, keyword, self.where)
            filled[keyword] = value
        return filled


def template_of(module: ModuleSpace) -> ArgumentTemplate:
    """Return the prepared arguments of a module.

    Raises:
        SpaceError: an argument that needs an integer is given as something else.
    """
    integers = _integer_arguments(module) if isinstance(module, LayerModule) else {}
    return _template(repr(module.name), module.arguments, integers)


def training_template(arguments: Mapping[str, Any]) -> ArgumentTemplate:
    """Return the prepared arguments of the training."""
    return _template("the training", arguments, dict.fromkeys(_TRAINING_INTEGERS, _whole_or_none))


def _template(
    where: str, arguments: Mapping[str, Any], integers: Mapping[str, Whole]
) -> ArgumentTemplate:
    fixed: dict[str, Any] = {}
    searched: list[tuple[str, Any, Whole | None]] = []
    parameters: list[ParameterSpace] = []
    for keyword, argument in arguments.items():
        held = list(parameters_in(argument))
        parameters.extend(held)
        if held:
            if keyword in integers and isinstance(argument, Choice):
                _check_options(argument, keyword, where, integers[keyword])
            searched.append((keyword, argument, integers.get(keyword)))
            continue
        value = _filled(argument, _nothing_to_evaluate)
        if keyword in integers and value is not None:
            try:
                value = _whole(value, keyword, where, truncate=False)
            except BuildError as error:
                raise SpaceError(str(error)) from None
        fixed[keyword] = value
    return ArgumentTemplate(where, fixed, tuple(searched), tuple(dict.fromkeys(parameters)))


def _check_options(choice: Choice, keyword: str, where: str, whole: Whole) -> None:
    """Refuse an option that no architecture can use, before any is built."""
    for option in choice.options:
        try:
            whole(option, keyword, where)
        except BuildError as error:
            raise SpaceError(f"{error}; it is an option of {choice.name!r}") from None


def _integer_arguments(module: LayerModule) -> Mapping[str, Whole]:
    """Return what makes integers of the arguments of a layer that needs some."""
    if module.factory is not None:
        return {}
    rule = rule_for(module.layer)
    if rule is None:  # whether None is welcome, the framework knows
        return dict.fromkeys(INTEGER_ARGUMENTS, _whole_or_none)
    return {
        keyword: _whole_or_none if rule.defaults.get(keyword, 0) is None else _whole
        for keyword in rule.integer_arguments
    }


def _filled(argument: Any, evaluate: Evaluate) -> Any:
    if isinstance(argument, ParameterSpace):
        return evaluate(argument)
    if isinstance(argument, list):
        return [_filled(item, evaluate) for item in argument]
    if isinstance(argument, tuple):
        items = [_filled(item, evaluate) for item in argument]
        # a named tuple takes its items one by one
        return type(argument)(*items) if hasattr(argument, "_fields") else tuple(items)
    if isinstance(argument, dict):
        return {key: _filled(item, evaluate) for key, item in argument.items()}
    if isinstance(argument, LayerModule):
        return LayerSpec(
            argument.layer,
            template_of(argument).fill(evaluate),
            argument.name,
            argument.factory,
        )
    return argument


def _nothing_to_evaluate(parameter: ParameterSpace) -> Any:
    raise AssertionError(f"{parameter!r} is held by an argument that holds none")


def _whole_or_none(value: Any, keyword: str, where: str) -> Any:
    return None if value is None else _whole(value, keyword, where)


def _whole(value: Any, keyword: str, where: str, *, truncate: bool = True) -> Any:
    if hasattr(value, "tolist"):  # of numpy
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        items = [
            item if item is None else _whole(item, keyword, where, truncate=truncate)
            for item in value
        ]
        return items if isinstance(value, list) else tuple(items)
    if hasattr(value, "__index__") and not isinstance(value, bool):
        return int(value)
    if isinstance(value, (float, int)) or hasattr(value, "__float__"):
        number = float(value)
        if math.isfinite(number) and not isinstance(value, bool):
            nearest = round(number)
            if abs(number - nearest) <= 1e-6:
                return nearest
            if truncate:
                return int(number)
    raise BuildError(
        f"{where}: {keyword} must be an integer; received {value!r} of type "
        f"{type(value).__name__}; give a number that stands for one"
    )
