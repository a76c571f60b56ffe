"""Gaussian-process regression over groups of columns, in numpy."""

import math
from collections.abc import Mapping, Sequence

import attrs
import numpy as np
import numpy.typing as npt

__all__ = ["Columns", "GaussianProcess", "Kernel"]

Array = npt.NDArray[np.float64]
Columns = npt.NDArray[np.float32] | npt.NDArray[np.uint8]
Rows = Mapping[str, Columns]

_LENGTHS = (-6.0, 4.0)  # bounds of the logarithm (base e) of a squared length scale
_NOISES = (math.log(1e-4), math.log(1.0))  # of the share of the variance that is noise
_LOGITS = (-4.0, 4.0)  # of the share of the paths
APART = "paths"
_STEPS = (1.6, 0.8, 0.4)  # of the coordinate search, in logarithms
_JITTER = 1e-8
_BLOCK = 1_024  # rows predicted together, so that what is in between stays in the cache


@attrs.frozen
class Kernel:
    """How alike two architectures are.

    The covariance is `(1 - p) exp(-sum_g d_g / scale_g) + p exp(-d_paths / scale_paths)`, where
    `d_g` is the squared distance of two rows in group `g`, the paths apart: two networks may be
    alike in what was decided, or in what they compute. A share `noise` of the variance is of each
    measurement alone.

    Attributes:
        logs: name of a group → logarithm of its scale.
        log_noise: logarithm of the share of noise.
        logit: logit of `p`, the share of the paths.
    """

    logs: Mapping[str, float]
    log_noise: float = math.log(1e-2)
    logit: float = 0.0

    def of(self, distances: Mapping[str, npt.NDArray[np.floating]]) -> npt.NDArray[np.floating]:
        """Return the covariances of squared distances, without noise."""
        scaled = {name: d * math.exp(-self.logs[name]) for name, d in distances.items()}
        paths = scaled.pop(APART, None)
        if paths is None:
            return np.asarray(np.exp(-np.asarray(sum(scaled.values()))))
        if not scaled:
            return np.asarray(np.exp(-paths))
        share = 1.0 / (1.0 + math.exp(-self.logit))
        others = np.exp(-np.asarray(sum(scaled.values())))
        return np.asarray((1.0 - share) * others + share * np.exp(-paths))


class GaussianProcess:
    """Predicts a value and how certain that is, from architectures that have been measured.

    The scale of each group and the share of noise maximise the marginal likelihood, by a coordinate
    search from the kernel that was given; mean and variance of the values are estimated in closed
    form. Takes O(n^3) for n measurements.

    Args:
        rows: name of a group → `(n, columns)`, numbers, or bytes that are 0 or 1.
        values: `(n,)` what was measured; is standardised here.
        kernel: where the search begins.
        fit: whether to search; otherwise the kernel is taken as it is.

    Attributes:
        kernel: the kernel found.

    References:
        Rasmussen & Williams (2006), "Gaussian processes for machine learning", sections 2.2, 5.4.
    """

    def __init__(
        self, rows: Rows, values: Array, kernel: Kernel | None = None, *, fit: bool = True
    ) -> None:
        self._rows = dict(rows)
        distances = {name: _squared(x, x).astype(np.float64) for name, x in self._rows.items()}
        start = kernel or Kernel({name: _typical(d) for name, d in distances.items()})
        start = Kernel(
            {name: start.logs.get(name, _typical(d)) for name, d in distances.items()},
            start.log_noise,
            start.logit,
        )
        self._mean = float(values.mean())
        self._spread = float(values.std()) or 1.0
        y = (values - self._mean) / self._spread
        self.kernel = _fitted(start, distances, y) if fit else start
        self._condition(distances, y)

    def _condition(self, distances: Mapping[str, Array], y: Array) -> None:
        noise = math.exp(self.kernel.log_noise)
        k = (1.0 - noise) * self.kernel.of(distances)
        k[np.diag_indices_from(k)] += noise + _JITTER
        inverse = np.linalg.inv(k)
        ones = inverse.sum(axis=1)
        self._offset = float(ones @ y) / float(ones.sum())  # generalised least squares
        residual = y - self._offset
        self._alpha = (inverse @ residual).astype(np.float32)
        self._variance = max(float(residual @ inverse @ residual) / len(y), 1e-12)
        self._inverse = inverse.astype(np.float32)

    def predict(self, rows: Rows) -> tuple[Array, Array]:
        """Return mean and standard deviation of the value without noise, `(m,)` each.

        Args:
            rows: name of a group → `(m, columns)`, the groups that it was made from.
        """
        n = len(next(iter(rows.values())))
        blocks = [
            self._predict({name: rows[name][start : start + _BLOCK] for name in self._rows})
            for start in range(0, n, _BLOCK)
        ]
        mean, deviation = (np.concatenate(each) for each in zip(*blocks, strict=True))
        return mean, deviation

    def _predict(self, rows: Rows) -> tuple[Array, Array]:
        distances = {name: _squared(rows[name], x) for name, x in self._rows.items()}
        share = 1.0 - math.exp(self.kernel.log_noise)
        k = (share * self.kernel.of(distances)).astype(np.float32)
        mean = self._offset + (k @ self._alpha).astype(np.float64)
        explained = np.einsum("ij,ij->i", k @ self._inverse, k).astype(np.float64)
        variance = self._variance * np.maximum(share - explained, 1e-9)
        return self._mean + self._spread * mean, self._spread * np.sqrt(variance)


def _squared(a: Columns, b: Columns) -> npt.NDArray[np.float32]:
    """Return squared distances between rows, `(len(a), len(b))`."""
    met = np.flatnonzero(b.any(axis=0))  # the others add nothing to a product
    products = a[:, met].astype(np.float32) @ b[:, met].astype(np.float32).T
    squares = _norms(a)[:, None] + _norms(b)[None, :]
    return np.asarray(np.maximum(squares - 2.0 * products, 0.0))


def _norms(rows: Columns) -> npt.NDArray[np.float32]:
    """Return the squared length of each row, `(n,)`; bytes are 0 or 1, their own squares."""
    squares = rows if rows.dtype == np.uint8 else rows**2
    return np.asarray(squares.sum(axis=1, dtype=np.float32))


def _typical(distances: Array) -> float:
    """Return the logarithm of the mean squared distance: where the search for a scale begins."""
    mean = float(distances.mean())
    return min(max(math.log(mean * 2.0), _LENGTHS[0]), _LENGTHS[1]) if mean > 1e-9 else 0.0


def _fitted(kernel: Kernel, distances: Mapping[str, Array], y: Array) -> Kernel:
    names = list(kernel.logs)
    point = [*kernel.logs.values(), kernel.log_noise]
    bounds = [*[_LENGTHS] * len(names), _NOISES]
    if APART in names and len(names) > 1:
        point.append(kernel.logit)
        bounds.append(_LOGITS)

    def kernel_at(at: Sequence[float]) -> Kernel:
        return Kernel(dict(zip(names, at, strict=False)), *at[len(names) :])

    def value(at: Sequence[float]) -> float:
        return _likelihood(kernel_at(at), distances, y)

    best = value(point)
    for step in _STEPS:
        for _ in range(2):
            moved = False
            for place, (low, high) in enumerate(bounds):
                for sign in (-1.0, 1.0):
                    other = list(point)
                    other[place] = min(max(other[place] + sign * step, low), high)
                    found = value(other)
                    if found > best + 1e-3:
                        point, best, moved = other, found, True
                        break
            if not moved:
                break
    return kernel_at(point)


def _likelihood(kernel: Kernel, distances: Mapping[str, Array], y: Array) -> float:
    """Return the marginal likelihood, with mean and variance at their best, and a mild prior."""
    noise = math.exp(kernel.log_noise)
    k = (1.0 - noise) * kernel.of(distances)
    k[np.diag_indices_from(k)] += noise + _JITTER
    try:
        low = np.linalg.cholesky(k)
    except np.linalg.LinAlgError:
        return -math.inf
    solved = np.linalg.solve(low, np.stack([y, np.ones_like(y)], axis=1))
    a, b = solved[:, 0], solved[:, 1]
    offset = float(a @ b) / float(b @ b)
    variance = max(float((a - offset * b) @ (a - offset * b)) / len(y), 1e-12)
    half_determinant = float(np.log(np.diag(low)).sum())
    prior = sum(((log - 1.0) / 3.0) ** 2 for log in kernel.logs.values())
    prior += (kernel.logit / 2.0) ** 2
    prior += ((kernel.log_noise - math.log(1e-2)) / 2.0) ** 2
    return -0.5 * len(y) * math.log(variance) - half_determinant - 0.5 * prior
