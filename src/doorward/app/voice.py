"""What Doorward signs with when it speaks for itself: to upstreams about calls, to authorization servers about people.

Its keys are others than those of our authority's access tokens, so that neither can ever stand for the other.
"""

from collections.abc import Mapping
from pathlib import Path

from doorward.app import clocks
from doorward.credentials.port import CredentialError
from doorward.domain.secret import Secret
from doorward.identity.authority.key_file import KeyFile
from doorward.identity.authority.keys import ALGORITHM, SigningKeys
from doorward.net.oauth.jose import signed

NAME = "voice.keys"
"""In the state directory."""

KEY_DAYS = 90.0
"""How long a key signs: its successor is published a day before it does."""


class Voice:
    """Signs under one name, with keys that are made when they are first needed."""

    __slots__ = ("_directory", "_issuer", "_keys")

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._issuer = ""
        self._keys: SigningKeys | None = None

    def speak_as(self, origin: str) -> None:
        """From now on it is this issuer (`iss`): the gateway's public URL."""
        self._issuer = origin

    def sign(self, claims: Mapping[str, object], typ: str) -> Secret:
        """A JWT of these claims; raises a `DoorwardError` where the keys cannot be read or kept, or the listener has no address yet."""
        if not self._issuer:
            raise CredentialError("the gateway does not listen yet, so it has no name to sign with")
        kid, key = self._held().signer()
        return signed({"kid": kid, "typ": typ}, {"iss": self._issuer, **claims}, key, ALGORITHM)

    def jwks(self) -> dict[str, object]:
        """The public keys (RFC 7517); raises a `DoorwardError`."""
        return self._held().jwks()

    def _held(self) -> SigningKeys:
        if self._keys is None:
            keys = SigningKeys(KeyFile(self._directory / NAME), clocks.draw, clocks.now, KEY_DAYS)
            keys.load()
            self._keys = keys
        return self._keys
