"""What every test stands on: asyncio under anyio, and property tests that neither hurry nor vary where they gate."""

import os

import pytest
from hypothesis import HealthCheck, settings

# A loaded machine is no finding, so examples have no deadline; the time-out of pytest-timeout is the bound.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The gate must give the same answer for the same tree; exploring is for developers' own runs.
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, the only loop Doorward serves on."""
    return "asyncio"
