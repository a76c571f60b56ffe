"""What the classes of the Keras vocabulary share: arguments are checked when a layer is authored.

Keras itself is not imported: a layer is a class name and arguments until a model is built.
"""

import difflib
import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from hypernets.adapters.keras.shape_oracle import KerasShapeOracle
from hypernets.domain.error import SpaceError
from hypernets.domain.layers.oracle import ShapeOracle
from hypernets.domain.space.hyperparameter import ParameterSpace
from hypernets.domain.space.layer import LayerModule
from hypernets.domain.space.module import ModuleSpace

__all__ = [
    "AnyArgument",
    "BoolArgument",
    "FloatArgument",
    "IntArgument",
    "KerasInput",
    "KerasLayer",
    "LayerArgument",
    "SizeArgument",
    "TextArgument",
]

AnyArgument = Any
"""An argument of more than one type, or a hyperparameter."""
BoolArgument = bool | ParameterSpace
FloatArgument = float | ParameterSpace
IntArgument = int | ParameterSpace
TextArgument = str | ParameterSpace
SizeArgument = int | Sequence[Any] | ParameterSpace
"""One integer, or one for each dimension; any of them may be a hyperparameter."""
LayerArgument = LayerModule | Sequence[LayerModule]
"""A layer, or layers, that a wrapper takes; they are not connected."""

_BOOKKEEPING = frozenset({"self", "name", "space"})
_MISSING = object()


class _CheckedCall(type):
    """Turns a call that does not fit the signature into an error that says what would."""

    # type checkers are to see the signatures of the classes, not this one
    if not TYPE_CHECKING:

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            try:
                return super().__call__(*args, **kwargs)
            except TypeError:
                check_call(cls.__name__, _signature_of_init(cls), args, kwargs)
                raise  # the arguments fit: it is an error of another kind

        @property
        def __signature__(cls) -> inspect.Signature:
            return cls.signature()


class KerasLayer(LayerModule, metaclass=_CheckedCall):
    """A layer of Keras.

    Subclasses only add a signature and hand their arguments to `author`. A class derived from
    one of them stands for the same Keras layer.

    Attributes:
        defaults: keyword → default of the signature.
        always_given: arguments that have a default here and none in Keras.
    """

    layer: ClassVar[str] = ""
    oracle: ClassVar[ShapeOracle | None] = KerasShapeOracle()
    defaults: ClassVar[Mapping[str, Any]] = {}
    always_given: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Keep the layer of a class derived from a layer; note the defaults of a new one."""
        derived = bool(cls.layer)
        if derived and "layer" not in cls.__dict__:
            cls.layer = cls.layer
        super().__init_subclass__(**kwargs)
        if not derived and "__init__" in cls.__dict__:
            cls.defaults = _defaults_of(cls.__dict__["__init__"])

    def author(self, given: Mapping[str, Any]) -> None:
        """Take in what `__init__` was called with; an argument left at its default is not given.

        Args:
            given: the local names of `__init__`, before it does anything else.

        Raises:
            SpaceError: the name is one that Keras refuses.
        """
        defaults = self.defaults
        arguments = {
            keyword: value
            for keyword, value in given.items()
            if keyword not in _BOOKKEEPING
            and (value is not defaults.get(keyword, _MISSING) or keyword in self.always_given)
        }
        name = given["name"]
        if isinstance(name, str) and "/" in name:
            raise SpaceError(
                f"{type(self).__name__}: the name of a layer must not contain '/', which Keras "
                f"refuses; received {name!r}; use '_' instead"
            )
        LayerModule.__init__(self, arguments, name=name, space=given["space"])

    @classmethod
    def signature(cls) -> inspect.Signature:
        """Return the signature that a call must fit, without `self`."""
        return _signature_of_init(cls)


class KerasInput(KerasLayer):
    """An input of the network."""

    layer: ClassVar[str] = ""
    is_input: ClassVar[bool] = True

    def author(self, given: Mapping[str, Any]) -> None:
        """Take in the arguments; a shape of one dimension may be given as an integer."""
        shape = given["shape"]
        if isinstance(shape, int) and not isinstance(shape, bool):
            given = {**given, "shape": (shape,)}
        elif isinstance(shape, list):
            given = {**given, "shape": tuple(shape)}
        super().author(given)

    def __call__(self, inputs: ModuleSpace | Sequence[ModuleSpace]) -> Self:
        """Refuse: nothing feeds an input.

        Raises:
            SpaceError: always.
        """
        raise SpaceError(
            f"{self.name!r}: an Input must not be fed by other modules; received a call on "
            f"{inputs!r}; call the other way round, `layer({self.name})`"
        )


def check_call(
    layer: str,
    signature: inspect.Signature,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> inspect.BoundArguments:
    """Return how a call binds to the signature of a layer.

    Raises:
        SpaceError: it does not fit; the message names the argument, and the nearest right one.
    """
    try:
        return signature.bind(*args, **kwargs)
    except TypeError as error:
        problem = _problem(signature, args, kwargs) or str(error)
    names = _keywords(signature)
    if _takes_any_keyword(signature):
        names.append("further keywords")
    takes = f"it takes {', '.join(names) or 'no arguments'}"
    raise SpaceError(f"{layer} {problem}; {takes}")


def _problem(
    signature: inspect.Signature, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> str | None:
    names = _keywords(signature)
    parameters = signature.parameters
    positional = [
        name
        for name, parameter in parameters.items()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    by_position = positional[: len(args)]
    missing = [
        name
        for name in names
        if parameters[name].default is inspect.Parameter.empty
        and name not in by_position
        and name not in kwargs
    ]
    for keyword, value in kwargs.items():
        if keyword in by_position:
            return f"must get {keyword!r} once; received it by position and as a keyword"
        # where any keyword is accepted, only one that seems meant for a missing one is wrong
        candidates = missing if _takes_any_keyword(signature) else names
        nearest = difflib.get_close_matches(keyword, candidates, n=1, cutoff=0.5)
        if keyword not in names and (nearest or not _takes_any_keyword(signature)):
            hint = f"did you mean {nearest[0]!r}? " if nearest else ""
            return f"has no argument {keyword!r}; {hint}received {keyword}={value!r}"
    if len(args) > len(positional):
        return (
            f"must get at most {len(positional)} arguments by position; received {len(args)}: "
            f"{', '.join(map(repr, args))}"
        )
    if missing:
        needed = " and ".join(map(repr, missing))
        received = [*map(repr, args), *(f"{key}={value!r}" for key, value in kwargs.items())]
        return f"must get the argument {needed}; received {', '.join(received) or 'none'}"
    return None


def _keywords(signature: inspect.Signature) -> list[str]:
    variable = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [name for name, given in signature.parameters.items() if given.kind not in variable]


def _takes_any_keyword(signature: inspect.Signature) -> bool:
    return any(p.kind is inspect.Parameter.VAR_KEYWORD for p in signature.parameters.values())


def _signature_of_init(layer: Any) -> inspect.Signature:
    signature = inspect.signature(layer.__init__)
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def _defaults_of(function: Any) -> dict[str, Any]:
    """Return the defaults of a plain function, a hundred times faster than its signature."""
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    defaults = function.__defaults__ or ()
    named = dict(zip(positional[len(positional) - len(defaults) :], defaults, strict=True))
    return {**named, **(function.__kwdefaults__ or {})}
