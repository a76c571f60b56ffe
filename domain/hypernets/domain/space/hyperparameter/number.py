"""Numbers: integers and reals in a range."""

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyperparameter.parameter import Decision, Rng, called

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["Int", "Real", "is_integer"]


class Int(Decision):
    """An integer from `low` to `high`, both included, in steps of `step`.

    Args:
        low: the smallest value.
        high: the largest value; reached when a multiple of `step` leads there.
        step: distance of neighbours, at least 1.
        name: name of the hyperparameter; made up when absent.
        space: the space it belongs to; the current one when absent.

    Raises:
        SpaceError: the bounds are no integers or reversed, or the step is not positive.
    """

    def __init__(
        self,
        low: int,
        high: int,
        step: int = 1,
        *,
        name: str | None = None,
        space: "HyperSpace | None" = None,
    ) -> None:
        where = called(self, name)
        for keyword, value in (("low", low), ("high", high), ("step", step)):
            if not is_integer(value):
                raise SpaceError(
                    f"{where}: {keyword} must be an integer; received {value!r}; "
                    "round it, or use Real"
                )
        if low > high:
            raise SpaceError(
                f"{where}: low must be <= high; received low={low}, high={high}; swap them"
            )
        if step < 1:
            raise SpaceError(f"{where}: step must be >= 1; received {step}; leave it out for 1")
        self.low, self.high, self.step = int(low), int(high), int(step)
        super().__init__(name=name, space=space)

    @property
    def size(self) -> int:
        """Number of integers."""
        return (self.high - self.low) // self.step + 1

    def value_at(self, index: int) -> int:
        """Return integer number `index`."""
        if not 0 <= index < self.size:
            raise IndexError(index)
        return self.low + index * self.step

    def index_of(self, value: Any) -> int:
        """Return the position of an integer."""
        if isinstance(value, bool) or (
            not isinstance(value, (int, float)) and not is_integer(value)
        ):
            raise self._illegal(value)
        if not math.isfinite(value) or value != int(value):
            raise self._illegal(value)
        index, rest = divmod(int(value) - self.low, self.step)
        if rest or not 0 <= index < self.size:
            raise self._illegal(value)
        return index

    def describe(self) -> str:
        """Return the range."""
        step = f" in steps of {self.step}" if self.step != 1 else ""
        return f"{self.low} to {self.high}{step}"


class Real(Decision):
    """A number from `low` to `high`, both included.

    Args:
        low: the smallest value.
        high: the largest value.
        step: distance of neighbours; `None` for a continuous range.
        prior: `"uniform"` or `"log_uniform"` (uniform in the logarithm; `low` must be positive).
            The bounds are values, not exponents, for both.
        name: name of the hyperparameter; made up when absent.
        space: the space it belongs to; the current one when absent.

    Raises:
        SpaceError: the bounds are no finite numbers or reversed, the step is not positive, the
            prior is unknown, or a logarithmic range does not start above 0.
    """

    def __init__(
        self,
        low: float,
        high: float,
        step: float | None = None,
        prior: str = "uniform",
        *,
        name: str | None = None,
        space: "HyperSpace | None" = None,
    ) -> None:
        where = called(self, name)
        _check_range(where, low, high, step)
        if prior not in ("uniform", "log_uniform"):
            raise SpaceError(
                f"{where}: prior must be 'uniform' or 'log_uniform'; received {prior!r}; "
                "leave it out for 'uniform'"
            )
        if prior == "log_uniform" and low <= 0:
            raise SpaceError(
                f"{where}: a log_uniform range must start above 0; received low={low}; "
                "give the smallest value itself: the bounds are values, not exponents"
            )
        self.low, self.high, self.prior = float(low), float(high), prior
        self.step = None if step is None else float(step)
        self._grid = None if step is None else _grid(where, self.low, self.high, self.step or 1.0)
        super().__init__(name=name, space=space)

    @property
    def size(self) -> int | float:
        """Number of values, `inf` for a continuous range."""
        if self._grid is not None:
            return len(self._grid)
        return 1 if self.low == self.high else math.inf

    def value_at(self, index: int) -> float:
        """Return value number `index` of a stepped range."""
        if self._grid is None:
            if self.low == self.high and index == 0:
                return self.low
            raise self._continuous()
        if not 0 <= index < len(self._grid):
            raise IndexError(index)
        return self._grid[index]

    def index_of(self, value: Any) -> int:
        """Return the number of a value of a stepped range."""
        self._check(value)
        if self._grid is None:
            if self.low == self.high:
                return 0
            raise self._continuous()
        assert self.step is not None
        number = float(value)
        index = round((number - self.low) / self.step)
        if not 0 <= index < len(self._grid) or not _near(self._grid[index], number, self.step):
            raise self._illegal(value)
        return index

    def normalise(self, value: Any) -> float:
        """Return the value as a float; on the grid for a stepped range."""
        if self._grid is not None:
            return self._grid[self.index_of(value)]
        self._check(value)
        return min(max(float(value), self.low), self.high)

    def sample(self, rng: Rng) -> float:
        """Return a value drawn from the prior."""
        if self._grid is not None and self.prior == "uniform":
            return float(super().sample(rng))
        if self.prior == "log_uniform":
            low, high = math.log(self.low), math.log(self.high)
            value = math.exp(low + rng.random() * (high - low))
        else:
            value = self.low + rng.random() * (self.high - self.low)
        value = min(max(value, self.low), self.high)
        if self._grid is None:
            return value
        assert self.step is not None
        return self._grid[min(round((value - self.low) / self.step), len(self._grid) - 1)]

    def describe(self) -> str:
        """Return the range."""
        step = f" in steps of {self.step:g}" if self.step is not None else ""
        prior = ", log_uniform" if self.prior == "log_uniform" else ""
        return f"{self.low:g} to {self.high:g}{step}{prior}"

    def _continuous(self) -> SpaceError:
        return SpaceError(
            f"only a finite hyperparameter has numbered values; received {self.label!r}, which is "
            "continuous; give it a step"
        )

    def _check(self, value: Any) -> None:
        if not _is_number(value) or not math.isfinite(value):
            raise self._illegal(value)
        slack = 1e-9 * max(abs(self.low), abs(self.high), self.high - self.low)
        if not self.low - slack <= value <= self.high + slack:
            raise self._illegal(value)


def is_integer(value: Any) -> bool:
    """Say whether a value is an integer, of Python or of numpy; `True` is none."""
    return hasattr(value, "__index__") and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, (bool, str))


def _check_range(where: str, low: Any, high: Any, step: Any) -> None:
    for keyword, value in (("low", low), ("high", high)):
        if not _is_number(value) or not math.isfinite(value):
            raise SpaceError(
                f"{where}: {keyword} must be a finite number; received {value!r}; "
                "give the bound of what is worth trying"
            )
    if low > high:
        raise SpaceError(
            f"{where}: low must be <= high; received low={low}, high={high}; swap them"
        )
    if step is not None and (not _is_number(step) or not 0 < step < math.inf):
        raise SpaceError(
            f"{where}: step must be a positive number; received {step!r}; "
            "leave it out for a continuous range"
        )


def _near(a: float, b: float, step: float) -> bool:
    return abs(a - b) <= 1e-6 * step


def _grid(where: str, low: float, high: float, step: float) -> list[float]:
    # Decimal arithmetic: 0 to 0.5 in steps of 0.1 holds 0.3, not 0.30000000000000004.
    first, last, distance = Decimal(repr(low)), Decimal(repr(high)), Decimal(repr(step))
    count = int((last - first) / distance * (1 + Decimal("1e-12"))) + 1
    if count > 10_000_000:
        raise SpaceError(
            f"{where}: a stepped range must have at most 10,000,000 values; received {count} "
            f"({low:g} to {high:g} in steps of {step:g}); leave step out for a continuous range"
        )
    return [float(first + i * distance) for i in range(count)]
