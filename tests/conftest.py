"""Settings shared by all tests."""

import os

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
