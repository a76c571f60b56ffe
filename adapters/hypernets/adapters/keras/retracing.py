"""TensorFlow's warning that a function is traced over and over, which in a search is no news."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["retracing_expected"]


class _Expected(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything pass but that one warning."""
        return "triggered tf.function retracing" not in str(record.msg)


@contextmanager
def retracing_expected() -> Iterator[None]:
    """Keep that warning quiet meanwhile: every trial trains a model of its own, traced anew."""
    logger, expected = logging.getLogger("tensorflow"), _Expected()
    logger.addFilter(expected)
    try:
        yield
    finally:
        logger.removeFilter(expected)
