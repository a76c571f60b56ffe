"""The error of this room."""

from hypernets.domain.error import HypernetsError

__all__ = ["DatasetError"]


class DatasetError(HypernetsError):
    """A data set cannot be had, or is not what it should be; says what was tried and what to do."""
