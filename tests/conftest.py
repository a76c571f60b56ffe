"""Settings shared by all tests."""

import os

import pytest
import structlog
from hypothesis import HealthCheck, settings

# The gate draws the same examples on every machine; HYPOTHESIS_PROFILE=explore draws new ones.
settings.register_profile(
    "gate",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "explore", deadline=None, max_examples=2000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))


@pytest.fixture(autouse=True)
def events_unheard():
    """Leave structlog as a program has it that has not configured it; capturing events does not."""
    yield
    structlog.reset_defaults()
