"""Layers of the user's own: a class, a class registered with Keras, or a function over tensors."""

import inspect
import sys
import types
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from hypernets.adapters.keras.layer_vocabulary import KerasLayer, check_call
from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import ParameterSpace

if TYPE_CHECKING:
    import keras

__all__ = ["CustomLayer", "Function", "custom", "make_function_layer"]


def _any_keywords(**arguments: Any) -> None:
    """Has the signature of a class that is not known yet."""


_ANYTHING = inspect.signature(_any_keywords)


class CustomLayer(KerasLayer):
    """A layer of the user's own; made by `custom`, which gives it the signature of its class."""

    layer: ClassVar[str] = ""
    takes: ClassVar[inspect.Signature] = _ANYTHING

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        takes = type(self).takes
        own = {"space": kwargs.pop("space", None)}
        if "name" not in takes.parameters:
            own["name"] = kwargs.pop("name", None)
        bound = check_call(type(self).__name__, takes, args, kwargs).arguments
        given: dict[str, Any] = {"name": None}
        for name, value in bound.items():
            kind = takes.parameters[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                given.update(value)
            elif kind is inspect.Parameter.VAR_POSITIONAL:
                raise SpaceError(
                    f"{type(self).__name__} must get its arguments by keyword, for an architecture "
                    f"keeps their names; received {', '.join(map(repr, value))} by position"
                )
            else:
                given[name] = value
        self.author({**given, **own})

    @classmethod
    def signature(cls) -> inspect.Signature:
        """Return the signature of the user's class, without `self`."""
        return cls.takes


def custom(layer: type | str) -> type[CustomLayer]:
    """Return the module class of a layer of the user's own.

    Any argument of the layer may be a hyperparameter, and its calls are checked against its
    `__init__`. Several inputs reach `call` by position if it has several parameters for tensors,
    else as one list.

    Args:
        layer: a subclass of `keras.Layer`, or the name, `"package>Name"`, under which one is
            registered with Keras.

    Raises:
        SpaceError: it is neither, or its `__init__` takes arguments by position only.

    Example:
        `custom(Swish)(beta=Real(0.5, 2.0))(previous)`
    """
    if isinstance(layer, str):
        registered = _registered(layer)
        members: dict[str, Any] = {"layer": layer}
        name = layer.rpartition(">")[2]
        if not name.isidentifier():
            raise SpaceError(
                f"custom: a registered layer must be named like 'package>Name'; received {layer!r}"
            )
    elif _is_layer_class(layer):
        registered, name = layer, layer.__name__
        members = {"layer": name, "factory": layer}
    else:
        raise SpaceError(
            "custom must be given a subclass of keras.Layer, or the name of a registered one; "
            f"received {layer!r}; for a function over tensors use Function"
        )
    if registered is not None:
        members["takes"] = _signature_of(registered)
    members["__doc__"] = f"`{name}` of the user; any argument may be a hyperparameter."
    members["__module__"] = getattr(layer, "__module__", __name__)
    return types.new_class(name, (CustomLayer,), exec_body=lambda body: body.update(members))


def make_function_layer(
    function: Callable[..., Any],
    arguments: Mapping[str, Any] | None = None,
    output_shape: Any = None,
    name: str | None = None,
) -> "keras.Layer":
    """Return the Keras layer of a `Function`."""
    from hypernets.adapters.keras.function_layer import FunctionLayer

    return FunctionLayer(function, output_shape=output_shape, arguments=arguments, name=name)


class Function(KerasLayer):
    """A function over tensors, as a layer without weights.

    Several inputs reach the function as that many tensors, by position.

    Args:
        function: takes tensors and returns a tensor or several; written with `keras.ops`.
        arguments: further keyword arguments of the function; they may hold hyperparameters.
        output_shape: shape of the output without the batch, where Keras cannot infer it.
        name: name of the layer; made up when absent.
        space: the space it belongs to; the current one when absent.

    Example:
        `Function(lambda x, scale: x * scale, arguments={"scale": Choice([1.0, 2.0])})(previous)`
    """

    factory = staticmethod(make_function_layer)

    def __init__(
        self,
        function: Callable[..., Any] | ParameterSpace,
        arguments: Mapping[str, Any] | None = None,
        output_shape: Any = None,
        *,
        name: str | None = None,
        space: HyperSpace | None = None,
    ) -> None:
        if not callable(function) and not isinstance(function, ParameterSpace):
            raise SpaceError(
                f"Function: function must be callable; received {function!r} "
                f"of type {type(function).__name__}"
            )
        given = {"function": function, "output_shape": output_shape, "name": name, "space": space}
        if arguments:
            given["arguments"] = dict(arguments)
        self.author(given)


def _is_layer_class(candidate: Any) -> bool:
    # told by name: asking `keras.Layer` itself would import Keras
    return isinstance(candidate, type) and any(
        base.__name__ == "Layer" and base.__module__.partition(".")[0] == "keras"
        for base in candidate.__mro__
    )


def _registered(name: str) -> type | None:
    """Return the class of that registered name; `None` as long as Keras is not loaded."""
    keras = sys.modules.get("keras")
    saving = getattr(keras, "saving", None)
    found = saving.get_registered_object(name) if saving is not None else None
    return found if isinstance(found, type) else None


def _signature_of(layer: Any) -> inspect.Signature:
    signature = inspect.signature(layer.__init__)
    parameters = list(signature.parameters.values())[1:]
    if any(parameter.kind is parameter.POSITIONAL_ONLY for parameter in parameters):
        raise SpaceError(
            f"custom: the arguments of {layer.__name__} must have names, for an architecture keeps "
            f"them; received a signature of {signature}; make them ordinary parameters"
        )
    if "space" in signature.parameters:
        raise SpaceError(
            f"custom: no argument of {layer.__name__} may be called 'space', the search space that "
            f"every module is given; received a signature of {signature}; rename it"
        )
    return signature.replace(parameters=parameters)
