"""An envelope for tests: one store key, one key of marks, real randomness."""

import os

from doorward.credentials.envelope import Envelope

STORE_KEY = b"store-01"


def envelope() -> Envelope:
    """The same keys each time, so that what one has sealed another opens."""
    return Envelope({STORE_KEY: b"s" * 32}, STORE_KEY, b"i" * 32, os.urandom)
