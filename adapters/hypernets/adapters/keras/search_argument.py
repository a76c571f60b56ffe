"""What may be given to `HyperKeras` and its `search`."""

from collections.abc import Iterable, Mapping
from typing import Any

from hypernets.adapters.keras.presence import loaded_keras
from hypernets.application.port import Searcher
from hypernets.application.registry import make_searcher
from hypernets.domain.error import SearchError
from hypernets.domain.history import Direction
from hypernets.domain.searchers.objective import Objectives

__all__ = [
    "max_trials_of",
    "objectives_of",
    "require_choice",
    "require_count",
    "require_engine_callbacks",
    "require_searcher",
    "searcher_from",
    "validation_of",
]

_DEFAULT_TRIALS = 10
_SEVERAL = ("nsga2", "parego")  # searchers that take several objectives


def max_trials_of(
    max_trails: int | None, max_trials: int | None, *other_limits: float | None
) -> int | None:
    """Return how many trials to evaluate; 10 where nothing limits the search.

    Raises:
        SearchError: both spellings are given.
    """
    if max_trails is not None and max_trials is not None:
        raise SearchError(
            "max_trials and max_trails are two spellings of one argument; received "
            f"max_trials={max_trials!r} and max_trails={max_trails!r}; give max_trials only"
        )
    given = max_trials if max_trails is None else max_trails
    if given is None and all(limit is None for limit in other_limits):
        return _DEFAULT_TRIALS
    return given


def validation_of(x_val: Any, y_val: Any, validation_data: Any) -> Any:
    """Return the validation data in one form, `None` if there are none.

    Raises:
        SearchError: they are given twice, or half.
    """
    if x_val is None and y_val is None:
        return validation_data
    if validation_data is not None:
        raise SearchError(
            "validation data must be given once; received X_val or y_val, and validation_data; "
            "leave one out"
        )
    if x_val is None:
        raise SearchError(
            "X_val must be given with y_val; received y_val only; pass X_val, or validation_data="
        )
    return (x_val,) if y_val is None else (x_val, y_val)


def require_searcher(searcher: Any) -> Any:
    """Return the searcher.

    Raises:
        SearchError: it is none.
    """
    if isinstance(searcher, type) or not isinstance(searcher, Searcher):
        raise SearchError(
            f"searcher must be an object with the methods ask and tell; received {searcher!r}; "
            "write RandomSearcher(lambda: my_space(), optimize_direction='max'), say"
        )
    return searcher


def objectives_of(objectives: Any, reward_metric: str | None) -> dict[str, Direction]:
    """Return the direction of each objective that is traded off; nothing where none was given.

    Raises:
        SearchError: there are less than two, one has no direction, or the first is not the reward.
    """
    if objectives is None:
        return {}
    directions = dict(Objectives("HyperKeras", objectives).directions)
    first = next(iter(directions))
    if reward_metric is not None and reward_metric.removeprefix("val_") != first:
        raise SearchError(
            f"the first of the objectives must be the reward; received {first!r} first, and "
            f"reward_metric={reward_metric!r}; put that first, or leave reward_metric out"
        )
    return directions


def searcher_from(
    searcher: Any,
    space: Any,
    optimize_direction: Direction | str | None,
    options: Mapping[str, Any] | None,
    objectives: Mapping[str, Direction] | None = None,
) -> Any:
    """Return the searcher that was given, or one made by its name.

    A searcher by its name takes the direction of the first objective, and those that trade off
    several (`"nsga2"`, `"parego"`) all of them, unless they were told otherwise.

    Raises:
        SearchError: it is neither; what goes with a name alone was given without one, or a name
            without a space; or an option of the searcher makes no sense.
    """
    beside = {
        "space": space,
        "optimize_direction": optimize_direction,
        "searcher_options": options,
    }
    if not isinstance(searcher, str):
        given = [name for name, value in beside.items() if value is not None]
        if given:
            raise SearchError(
                f"{', '.join(given)} must go with the name of a searcher; received {searcher!r}; "
                "give them to the searcher itself, or write HyperKeras('evolution', space=...)"
            )
        return require_searcher(searcher)
    if space is None:
        raise SearchError(
            f"a searcher by its name needs a space; received {searcher!r} and no space; write "
            f"HyperKeras({searcher!r}, ..., space=my_space)"
        )
    arguments = dict(options or {})
    if optimize_direction is not None:
        arguments["optimize_direction"] = optimize_direction
    if objectives:
        arguments.setdefault("optimize_direction", next(iter(objectives.values())))
        if searcher in _SEVERAL:
            arguments.setdefault("objectives", objectives)
    return make_searcher(searcher, space, **arguments)


def require_engine_callbacks(callbacks: Any) -> tuple[Any, ...]:
    """Return the callbacks of a search.

    Raises:
        SearchError: one is a Keras callback.
    """
    keras = loaded_keras()
    given = tuple(callbacks) if isinstance(callbacks, Iterable) else (callbacks,)
    for callback in given:
        if keras is not None and isinstance(callback, keras.callbacks.Callback):
            raise SearchError(
                "callbacks of HyperKeras must be callbacks of the search; received the Keras "
                f"callback {type(callback).__name__}; pass it to search(callbacks=[...]), which "
                "copies it for each trial"
            )
    return given


def require_choice(value: Any, name: str, choices: tuple[str, ...]) -> Any:
    """Return the value.

    Raises:
        SearchError: it is none of the choices.
    """
    if value not in choices:
        raise SearchError(
            f"{name} must be one of {', '.join(map(repr, choices))}; received {value!r}; "
            f"leave it out for {choices[0]!r}"
        )
    return value


def require_count(value: Any, name: str, least: int) -> int:
    """Return the value as an integer.

    Raises:
        SearchError: it is no integer, or less than `least`.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise SearchError(
            f"{name} must be an integer >= {least}; received {value!r}; "
            f"write {name}={max(least, 3)}, say"
        )
    return int(value)
