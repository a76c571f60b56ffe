"""Randomness keyed by what it is for.

Every random draw of a search comes from a generator that is keyed by (seed of the search, number,
purpose). There is no generator that is shared, handed on or moved along, so what one trial draws
cannot depend on what another one drew, nor on how many workers there are. The keys go into
`numpy.random.SeedSequence`, whose output is the same on every machine and in every process.
"""

import secrets
import zlib
from typing import Any

import numpy as np

from hypernets.domain.error import SearchError

__all__ = ["draw_seed", "parse_seed", "rng_for", "seed_for"]


def rng_for(seed: int, number: int, purpose: str) -> np.random.Generator:
    """Return the generator for one purpose.

    Args:
        seed: of the search, a non-negative integer.
        number: of the trial, or of the ask; `0 <= number < 2**32`.
        purpose: what is drawn; different purposes are independent.

    Example:
        >>> rng_for(1, 2, "ask").random() == rng_for(1, 2, "ask").random()
        True
    """
    return np.random.Generator(np.random.PCG64(_sequence(seed, number, purpose)))


def seed_for(seed: int, number: int, purpose: str) -> int:
    """Return a seed for one purpose, a non-negative 31-bit integer (see `rng_for`)."""
    return int(_sequence(seed, number, purpose).generate_state(1)[0]) & 0x7FFFFFFF


def draw_seed() -> int:
    """Return a seed that cannot be foreseen, a non-negative 31-bit integer."""
    return secrets.randbits(31)


def parse_seed(value: Any) -> int:
    """Return the seed that a user gave, or a new one for `None`.

    Raises:
        SearchError: it is no integer >= 0.
    """
    if value is None:
        return draw_seed()
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 0:
        raise SearchError(
            f"seed must be an integer >= 0, or None; received {value!r}; "
            "the same integer gives the same search, None a new one"
        )
    return int(value)


def _sequence(seed: int, number: int, purpose: str) -> np.random.SeedSequence:
    # two words of 32 bits, always: no two keys run together
    return np.random.SeedSequence(seed, spawn_key=(number, zlib.crc32(purpose.encode())))
