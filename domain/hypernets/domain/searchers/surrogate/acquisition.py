"""How much there is to gain from a measurement; and values on a scale fit for a model."""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

__all__ = ["better_half", "expected_improvement", "normal_scores"]

Array = npt.NDArray[np.float64]

_HUGE = 1e100
_SQRT_2 = math.sqrt(2.0)


def expected_improvement(mean: Array, deviation: Array, best: float) -> Array:
    """Return the logarithm of the expected improvement of small values, `(n,)`.

    Args:
        mean: `(n,)` expected values.
        deviation: `(n,)` their standard deviations, positive.
        best: the smallest value so far.

    References:
        Jones, Schonlau & Welch (1998), equation 15; Ament, Daulton, Eriksson, Balandat & Bakshy
        (2023), "Unexpected improvements to expected improvement", for its logarithm.
    """
    z = (best - mean) / deviation
    density = np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
    plain = density + z * _below(z)
    far = -0.5 * z**2 - 0.5 * math.log(2.0 * math.pi) - 2.0 * np.log(np.maximum(-z, 1.0))
    return np.asarray(
        np.where(z > -5.0, np.log(np.maximum(plain, 1e-300)), far) + np.log(deviation)
    )


def better_half(values: Array) -> Array:
    """Return values of which the worse (larger) half is no worse than their median.

    How bad a bad one is tells little of where the best are, and would decide the scale. Failures,
    which are infinite, count like the worst that did not fail.
    """
    values = np.minimum(values, values[np.isfinite(values)].max())
    if (largest := float(np.abs(values).max())) > _HUGE:
        values = values / largest  # a sum of squares would overflow
    median = float(np.quantile(values, 0.5, method="lower"))
    return np.minimum(values, median) if median > values.min() else values


def normal_scores(values: Array) -> Array:
    """Return values replaced by normal quantiles of their ranks; equal ones stay equal.

    What is left is the order: no measurement that is far off decides the scale.

    References:
        Salinas, Shen & Perrone (2020), "A quantile-based approach for hyperparameter transfer
        learning", section 4.
    """
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle = last - 0.5 * counts  # half of the equal ones below
    return _quantiles(middle / len(values))[inverse]


def _below(z: Array) -> Array:
    """Return the share of the standard normal distribution below `z`."""
    return np.array([0.5 * math.erfc(-each / _SQRT_2) for each in z.tolist()])


def _quantiles(share: Array) -> Array:
    """Return the standard normal quantiles of shares between 0 and 1."""
    standard = NormalDist()
    return np.array([standard.inv_cdf(float(each)) for each in share])
