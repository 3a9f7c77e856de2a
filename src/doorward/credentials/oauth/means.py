"""What tokens are asked for with, given by whoever puts the house together."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from doorward.credentials.oauth.plans import Way
from doorward.credentials.port import Sign
from doorward.domain.secret import Secret
from doorward.net.fetch import Web


class Means(msgspec.Struct, frozen=True):
    """Secrets, the way outside, our own signature, time and chance."""

    resolve: Callable[[str], Secret]
    """Gives a text with every reference replaced; raises a `DoorwardError` whose message names the reference, never a value."""
    root: Path
    """What paths of files are relative to."""
    web: Callable[[Way], Web]
    """What fetches from servers that may be reached in this way; raises `NetError`."""
    sign: Sign
    now: Callable[[], float]
    """Unix seconds."""
    monotonic: Callable[[], float]
    draw: Callable[[int], bytes]
