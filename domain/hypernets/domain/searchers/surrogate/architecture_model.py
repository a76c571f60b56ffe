"""A Gaussian process over the architectures of a space, as an encoder sees them."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from hypernets.domain.architecture.architecture import Architecture
from hypernets.domain.searchers.surrogate.encoding import Encoder
from hypernets.domain.searchers.surrogate.gaussian_process import Columns, GaussianProcess, Kernel

__all__ = ["GROUPS", "ArchitectureModel"]

Array = npt.NDArray[np.float64]

GROUPS = ("decisions", "places", "paths", "cost")
_TREND = "cost"  # larger networks go on being better, or worse


class ArchitectureModel:
    """What is expected of architectures, from some that have been measured.

    Args:
        encoder: of the space.
        architectures: those that have been measured.
        values: `(n,)` what was measured.
        groups: what the model sees, of `GROUPS`; what says nothing of these is left out.
        kernel: where the search for a kernel begins, if it is one of the same groups.
        used: the groups that `kernel` is of.
        fit: whether to search for a kernel; one is searched for where there is none to begin with.

    Attributes:
        used: the groups that it sees.
    """

    def __init__(
        self,
        encoder: Encoder,
        architectures: Sequence[Architecture],
        values: Array,
        groups: Sequence[str] = GROUPS,
        *,
        kernel: Kernel | None = None,
        used: tuple[str, ...] = (),
        fit: bool = True,
    ) -> None:
        self._encoder, self._values = encoder, values
        raw = encoder.rows(architectures)
        cost = raw["cost"]
        known = np.isfinite(cost).all(axis=1)
        self._cost_centre = cost[known].mean(axis=0) if known.any() else np.zeros(3, np.float32)
        spread = cost[known].std(axis=0) if known.any() else np.zeros(3, np.float32)
        self._cost_scale = np.where(spread > 1e-6, spread, 1.0).astype(np.float32)
        self.used = tuple(
            name
            for name in groups
            if name in raw and (known.any() if name == "cost" else bool(raw[name].any()))
        )
        self._rows = self._seen(raw)
        start = kernel if used == self.used else None
        self._process = self._made(self._rows, values, start, fit=fit or start is None)

    @property
    def kernel(self) -> Kernel:
        """The kernel that was found."""
        return self._process.kernel

    def believe(self, pending: Sequence[Architecture]) -> None:
        """Go on as if each of these had given what the model expects."""
        rows = self._seen(self._encoder.rows(pending))
        expected, _ = self._process.predict(rows)
        both = {name: np.concatenate([x, rows[name]]) for name, x in self._rows.items()}
        values = np.concatenate([self._values, expected])
        self._process = self._made(both, values, self.kernel, fit=False)

    def predict(self, rows: Mapping[str, Columns]) -> tuple[Array, Array]:
        """Return mean and standard deviation of the value, `(n,)` each, from the encoder's rows."""
        return self._process.predict(self._seen(rows))

    def _seen(self, raw: Mapping[str, Columns]) -> dict[str, Columns]:
        """Return the groups that the model sees, costs on a common scale."""
        seen = {name: raw[name] for name in self.used}
        if "cost" in seen:
            scaled = (seen["cost"] - self._cost_centre) / self._cost_scale
            seen["cost"] = np.nan_to_num(scaled, nan=0.0).astype(np.float32)
        return seen

    def _made(
        self, rows: Mapping[str, Columns], values: Array, kernel: Kernel | None, *, fit: bool
    ) -> GaussianProcess:
        sections = self._encoder.sections
        return GaussianProcess(rows, values, kernel, sections=sections, trend=_TREND, fit=fit)
