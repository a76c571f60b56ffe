"""Hyperparameters whose value follows from others."""

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyperparameter.parameter import ParameterSpace, called

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["Cascade", "Dynamic"]


class _Derived(ParameterSpace):
    """A hyperparameter whose value is a pure function of others."""

    def __init__(
        self,
        lambda_fn: Callable[..., Any],
        dependencies: Mapping[str, Any],
        *,
        name: str | None,
        space: "HyperSpace | None",
    ) -> None:
        where = called(self, name)
        if not callable(lambda_fn):
            raise SpaceError(
                f"{where}: lambda_fn must be a function; received {lambda_fn!r}; "
                "write lambda x: ..., with the keywords of the hyperparameters"
            )
        _check_call(where, lambda_fn, dependencies)
        self.function = lambda_fn
        self.dependencies = dict(dependencies)
        super().__init__(name=name, space=space)
        for keyword, dependency in self.dependencies.items():
            if isinstance(dependency, ParameterSpace):
                where = f"{called(self, self.name)}, argument {keyword!r}"
                self.space.require_own(dependency, where)


class Dynamic(_Derived):
    """A value computed from other hyperparameters.

    Args:
        lambda_fn: a pure function of keyword arguments; may be called at every sample.
        name: name of the hyperparameter; made up when absent.
        space: the space it belongs to; the current one when absent.
        **dependencies: the hyperparameters (or plain values) handed to `lambda_fn` by keyword;
            another `Dynamic` is one too.

    Raises:
        SpaceError: `lambda_fn` does not take these keywords.
    """

    def __init__(
        self,
        lambda_fn: Callable[..., Any],
        name: str | None = None,
        space: "HyperSpace | None" = None,
        **dependencies: Any,
    ) -> None:
        super().__init__(lambda_fn, dependencies, name=name, space=space)


class Cascade(_Derived):
    """A choice of which hyperparameter comes next.

    Args:
        lambda_fn: a pure function of keyword arguments that returns a hyperparameter of the same
            space, which is then decided and gives the value, or a plain value.
        name: name of the hyperparameter; made up when absent.
        space: the space it belongs to; the current one when absent.
        **dependencies: the hyperparameters (or plain values) handed to `lambda_fn` by keyword.
            It is tabulated when the space is frozen, provided that they are finite.

    Raises:
        SpaceError: `lambda_fn` does not take these keywords.
    """

    def __init__(
        self,
        lambda_fn: Callable[..., Any],
        name: str | None = None,
        space: "HyperSpace | None" = None,
        **dependencies: Any,
    ) -> None:
        super().__init__(lambda_fn, dependencies, name=name, space=space)


def _check_call(where: str, function: Callable[..., Any], dependencies: Mapping[str, Any]) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a builtin without one: the first call will tell
        return
    try:
        signature.bind(**dependencies)
    except TypeError as error:
        raise SpaceError(
            f"{where}: lambda_fn must take the keywords {sorted(dependencies)}; "
            f"received a function of {signature} ({error}); give both the same names"
        ) from None
