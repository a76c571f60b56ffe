"""Gaussian-process regression over what is seen of architectures, in numpy."""

import math
from collections.abc import Mapping

import attrs
import numpy as np
import numpy.typing as npt

__all__ = ["Columns", "GaussianProcess", "Kernel"]

Array = npt.NDArray[np.float64]
Columns = npt.NDArray[np.float32] | npt.NDArray[np.uint8]
Rows = Mapping[str, Columns]

_PATHS = "paths"
_SPREAD = 2.0  # standard deviation of the prior of a logarithmic weight
_NOISE, _NOISE_SPREAD = math.log(1e-2), 2.0  # prior of the logarithm of the share of noise
_NOISES = (math.log(1e-4), math.log(0.9))
_SHARE_SPREAD = 2.0  # of the prior of the logit of the share of the paths
_STEPS = 60  # of the search for a kernel
_TREND, _TREND_SPREAD = 0.0, 2.0  # prior of the logarithm of the weight of the trend
_LENGTHS = (1e-3, 1.0)  # of a step, in logarithms
_JITTER = 1e-8
_N_COMMON = 4  # hyperparameters beside the weights of the sections, in this order from the end:
_AT_PATHS, _AT_NOISE, _AT_SHARE, _AT_TREND = range(-_N_COMMON, 0)
_BLOCK = 1_024  # rows predicted together, so that what is in between stays in the cache


@attrs.frozen(eq=False)
class Kernel:
    """How alike two architectures are.

    The covariance is `(1 - p) exp(-sum_j w_j d_j) + p exp(-w d) + t l`: `d_j` is the squared
    distance of two rows in section `j` of the columns (one decision, one figure of the cost), `d`
    that of their paths, `l` the mean product of their columns that have a trend. So each decision
    has a weight of its own, two networks may be alike in what was decided or in what they compute,
    and what grows with a column goes on growing beyond what was measured. A share `noise` of the
    variance is of each measurement alone.

    Attributes:
        logs: `(n_sections,)` logarithms of the weights.
        log_paths: logarithm of the weight of the paths.
        log_noise: logarithm of the share of noise.
        logit: logit of `p`, the share of the paths.
        log_trend: logarithm of `t`, the weight of the trend.
    """

    logs: Array
    log_paths: float = 0.0
    log_noise: float = _NOISE
    logit: float = 0.0
    log_trend: float = _TREND

    @property
    def noise(self) -> float:
        """The share of noise."""
        return math.exp(self.log_noise)

    @property
    def share(self) -> float:
        """The share of the paths."""
        return 1.0 / (1.0 + math.exp(-self.logit))


class GaussianProcess:
    """Predicts a value and how certain that is, from architectures that have been measured.

    The kernel maximises the posterior density under wide priors, by gradient steps (Rprop); mean
    and variance of the values are estimated in closed form. Takes O(n^3) for n measurements.

    Args:
        rows: name of a group → `(n, columns)`: numbers; and `"paths"`, bytes that are 0 or 1.
        values: `(n,)` what was measured; is standardised here.
        sections: name of a group → `(columns,)` number of the section of each column, from 0; one
            section each when absent.
        trend: name of a group of which the value may be a linear function, besides: its columns
            about 0, of variance about 1.
        kernel: where the search begins.
        fit: whether to search; otherwise the kernel is taken as it is.

    Attributes:
        kernel: the kernel found.

    References:
        Rasmussen & Williams (2006), "Gaussian processes for machine learning", sections 2.2, 5.1
        (automatic relevance determination) and 5.4; Igel & Hüsken (2003), "Empirical evaluation of
        the improved Rprop learning algorithms" (iRprop-).
    """

    def __init__(
        self,
        rows: Rows,
        values: Array,
        kernel: Kernel | None = None,
        *,
        sections: Mapping[str, npt.NDArray[np.int64]] | None = None,
        trend: str | None = None,
        fit: bool = True,
    ) -> None:
        self._trend = trend if trend in rows else None
        self._names = [name for name in rows if name != _PATHS]
        self._sections = self._numbered(rows, sections)
        self._numbers = self._joined(rows)
        self._paths = rows.get(_PATHS)
        self._mean = float(values.mean())
        self._spread = float(values.std()) or 1.0
        y = (values - self._mean) / self._spread
        self._trending = self._trending_of(rows)
        fitting = _Fitting(self._numbers, self._sections, self._paths, y, self._trending)
        start = fitting.prior if kernel is None else kernel
        self.kernel = fitting.best(start) if fit else start
        self._condition(rows, y)

    def predict(self, rows: Rows) -> tuple[Array, Array]:
        """Return mean and standard deviation of the value without noise, `(m,)` each.

        Args:
            rows: name of a group → `(m, columns)`, the groups that it was made from.
        """
        n = len(next(iter(rows.values())))
        blocks = [
            self._predict({name: x[start : start + _BLOCK] for name, x in rows.items()})
            for start in range(0, n, _BLOCK)
        ]
        mean, deviation = (np.concatenate(each) for each in zip(*blocks, strict=True))
        return mean, deviation

    def _numbered(
        self, rows: Rows, sections: Mapping[str, npt.NDArray[np.int64]] | None
    ) -> npt.NDArray[np.int64]:
        """Return `(columns,)` the number of the section of each column of all groups."""
        numbers, first = [np.zeros(0, dtype=np.int64)], 0
        for name in self._names:
            width = rows[name].shape[1]
            own = np.zeros(width, dtype=np.int64) if sections is None else sections[name]
            numbers.append(own + first)
            first += int(own.max()) + 1 if width else 0
        return np.concatenate(numbers)

    def _joined(self, rows: Rows) -> npt.NDArray[np.float32]:
        n = len(next(iter(rows.values())))
        groups = [np.zeros((n, 0), dtype=np.float32)]
        groups += [rows[name].astype(np.float32, copy=False) for name in self._names]
        return np.concatenate(groups, axis=1)

    def _trending_of(self, rows: Rows) -> npt.NDArray[np.float32]:
        """Return the columns that have a trend, scaled so that `l` is their product."""
        if self._trend is None:
            return np.zeros((len(next(iter(rows.values()))), 0), dtype=np.float32)
        columns = rows[self._trend].astype(np.float32, copy=False)
        return np.asarray(columns / np.float32(math.sqrt(columns.shape[1])))

    def _covariances(self, rows: Rows) -> npt.NDArray[np.float32]:
        """Return the covariances with what was measured, without noise."""
        alike = self._alike(self._joined(rows), rows.get(_PATHS))
        weight = np.float32(math.exp(self.kernel.log_trend))
        return alike + weight * (self._trending_of(rows) @ self._trending.T)

    def _alike(
        self, numbers: npt.NDArray[np.float32], paths: Columns | None
    ) -> npt.NDArray[np.float32]:
        """Return the covariances that come from distances."""
        kernel = self.kernel
        found, share = None, 0.0
        if paths is not None and self._paths is not None:
            share = kernel.share if numbers.shape[1] else 1.0
            found = np.exp(_squared(paths, self._paths) * np.float32(-math.exp(kernel.log_paths)))
        if not numbers.shape[1]:
            assert found is not None
            return np.asarray(found)
        scale = np.exp(0.5 * kernel.logs[self._sections]).astype(np.float32)
        others = np.exp(-_squared(numbers * scale, self._numbers * scale))
        if found is None:
            return others
        return np.asarray(np.float32(1.0 - share) * others + np.float32(share) * found)

    def _condition(self, rows: Rows, y: Array) -> None:
        noise = self.kernel.noise
        k = (1.0 - noise) * self._covariances(rows).astype(np.float64)
        k[np.diag_indices_from(k)] += noise + _JITTER
        inverse = np.linalg.inv(k)
        ones = inverse.sum(axis=1)
        self._offset = float(ones @ y) / float(ones.sum())  # generalised least squares
        residual = y - self._offset
        self._alpha = (inverse @ residual).astype(np.float32)
        self._variance = max(float(residual @ inverse @ residual) / len(y), 1e-12)
        self._inverse = inverse.astype(np.float32)

    def _predict(self, rows: Rows) -> tuple[Array, Array]:
        share = 1.0 - self.kernel.noise
        k = np.float32(share) * self._covariances(rows)
        mean = self._offset + (k @ self._alpha).astype(np.float64)
        explained = np.einsum("ij,ij->i", k @ self._inverse, k).astype(np.float64)
        trending = (self._trending_of(rows).astype(np.float64) ** 2).sum(axis=1)
        prior = share * (1.0 + math.exp(self.kernel.log_trend) * trending)
        variance = self._variance * np.maximum(prior - explained, 1e-9)
        return self._mean + self._spread * mean, self._spread * np.sqrt(variance)


class _Fitting:
    """The search for a kernel.

    Args:
        numbers: `(n, columns)`.
        sections: `(columns,)` section of each.
        paths: `(n, columns)`, if any.
        y: `(n,)` values, standardised.
        trending: `(n, columns)` those with a trend, scaled.
    """

    def __init__(
        self,
        numbers: npt.NDArray[np.float32],
        sections: npt.NDArray[np.int64],
        paths: Columns | None,
        y: Array,
        trending: npt.NDArray[np.float32],
    ) -> None:
        self._y = y
        self._linear = (trending @ trending.T).astype(np.float64)
        n_sections = int(sections.max()) + 1 if len(sections) else 0
        each = [numbers[:, sections == j] for j in range(n_sections)]
        self._apart = np.array([_squared(x, x) for x in each], dtype=np.float64)
        self._apart = self._apart.reshape(n_sections, len(y), len(y))
        self._paths = None if paths is None else _squared(paths, paths).astype(np.float64)
        means = self._apart.mean(axis=(1, 2)) if n_sections else np.zeros(0)
        n_telling = max(1, int((means > 1e-9).sum()))
        logs = -np.log(np.maximum(means, 1e-3) * n_telling)
        mean = 1.0 if self._paths is None else max(float(self._paths.mean()), 1e-3)
        self.prior = Kernel(logs, -math.log(mean))
        self._n_free = n_sections

    def best(self, start: Kernel) -> Kernel:
        """Return the kernel of the largest posterior density that is found from `start`."""
        point = self._point(start)
        low, high = self._point(self.prior) - 6.0, self._point(self.prior) + 6.0
        low[_AT_NOISE], high[_AT_NOISE] = _NOISES
        lengths = np.full(len(point), 0.2)
        before = np.zeros(len(point))
        best, best_value = point, -math.inf
        for _ in range(_STEPS):
            value, gradient = self._density(self._kernel(point))
            if value > best_value:
                best, best_value = point, value
            turned = gradient * before
            lengths = np.where(
                turned > 0, lengths * 1.2, np.where(turned < 0, lengths / 2, lengths)
            )
            lengths = np.clip(lengths, *_LENGTHS)
            before = np.where(turned < 0, 0.0, gradient)
            point = np.clip(point + np.sign(before) * lengths, low, high)
            if lengths.max() < 0.01:
                break
        return self._kernel(best)

    @staticmethod
    def _point(kernel: Kernel) -> Array:
        k = kernel
        return np.array([*k.logs, k.log_paths, k.log_noise, k.logit, k.log_trend])

    def _kernel(self, point: Array) -> Kernel:
        return Kernel(point[:-_N_COMMON], *point[-_N_COMMON:].tolist())

    def _density(self, kernel: Kernel) -> tuple[float, Array]:
        """Return the logarithm of the posterior density, but for a constant, and its gradient."""
        n, noise = len(self._y), kernel.noise
        weights = np.exp(kernel.logs)
        a = np.exp(-np.tensordot(weights, self._apart, axes=1)) if self._n_free else None
        b = None if self._paths is None else np.exp(-math.exp(kernel.log_paths) * self._paths)
        share = kernel.share if a is not None and b is not None else float(a is None)
        trend = math.exp(kernel.log_trend)
        plain = trend * self._linear
        if a is not None:
            plain = plain + (1.0 - share) * a
        if b is not None and share:
            plain = plain + share * b
        k = (1.0 - noise) * plain
        k[np.diag_indices(n)] += noise + _JITTER
        inverse = np.linalg.inv(k)
        sign, determinant = np.linalg.slogdet(k)
        ones = inverse.sum(axis=1)
        residual = self._y - float(ones @ self._y) / float(ones.sum())
        alpha = inverse @ residual
        variance = max(float(residual @ alpha) / n, 1e-12)
        value = -0.5 * n * math.log(variance) - 0.5 * float(determinant)
        m = 0.5 * (np.outer(alpha, alpha) / variance - inverse)  # gradient by the covariances
        gradient = np.zeros(self._n_free + _N_COMMON)
        if a is not None:
            by_a = (1.0 - noise) * (1.0 - share) * m * a
            gradient[: self._n_free] = -weights * np.tensordot(self._apart, by_a, axes=2)
        if b is not None and self._paths is not None and share:
            by_b = (1.0 - noise) * share * m * b
            gradient[_AT_PATHS] = -math.exp(kernel.log_paths) * float((by_b * self._paths).sum())
            if a is not None:
                gradient[_AT_SHARE] = (
                    (1.0 - noise) * share * (1.0 - share) * float((m * (b - a)).sum())
                )
        gradient[_AT_TREND] = (1.0 - noise) * trend * float((m * self._linear).sum())
        gradient[_AT_NOISE] = noise * (float(np.trace(m)) - float((m * plain).sum()))
        point, centre = self._point(kernel), self._point(self.prior)
        centre[_AT_NOISE] = _NOISE
        spreads = np.full(len(point), _SPREAD)
        spreads[_AT_NOISE:] = _NOISE_SPREAD, _SHARE_SPREAD, _TREND_SPREAD
        away = (point - centre) / spreads
        if sign <= 0 or not math.isfinite(value):
            return -math.inf, -away / spreads
        return value - 0.5 * float(away @ away), gradient - away / spreads


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
