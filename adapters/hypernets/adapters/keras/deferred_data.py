"""Data that functions make, made where they are used: in the process of each trial.

So the process of the search needs neither the data nor the framework that reads them.
"""

from typing import Any

from hypernets.adapters.keras.data import Examples, TrainingData, is_factory, prepare

__all__ = ["DeferredData", "SearchData", "training_data"]


class DeferredData:
    """`TrainingData` that are prepared when they are first looked at, in each process anew.

    Args:
        arguments: of `prepare`, by name.
    """

    def __init__(self, arguments: dict[str, Any]) -> None:
        self._arguments = arguments
        self._prepared: TrainingData | None = None

    @property
    def train(self) -> Examples:
        """What a search trains on.

        Raises:
            SearchError: what was given, or what a function has made of it, is no good.
        """
        return self._data().train

    @property
    def validation(self) -> Examples:
        """What it measures rewards on.

        Raises:
            SearchError: what was given, or what a function has made of it, is no good.
        """
        return self._data().validation

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what another process prepares the data from."""
        return DeferredData, (self._arguments,)

    def _data(self) -> TrainingData:
        if self._prepared is None:
            self._prepared = prepare(**self._arguments)
        return self._prepared


SearchData = TrainingData | DeferredData
"""What a search trains on and measures on, read or to be read."""


def training_data(arguments: dict[str, Any], *, apart: bool) -> SearchData:
    """Return the data of a search, checked as far as they are there.

    Args:
        arguments: of `prepare`, by name.
        apart: whether trials have processes of their own. Functions are called there then, and not
            here.

    Raises:
        SearchError: they are no good, or cannot travel to such a process.
    """
    if not apart:
        return prepare(**arguments)
    given = (arguments["x"], *_parts(arguments["validation_data"]))
    if any(is_factory(part) for part in given):
        return DeferredData(arguments)
    data = prepare(**arguments)
    for examples in (data.train, data.validation):
        examples.require_portable()
    return data


def _parts(validation_data: Any) -> tuple[Any, ...]:
    is_several = isinstance(validation_data, (tuple, list))
    return tuple(validation_data) if is_several else (validation_data,)
