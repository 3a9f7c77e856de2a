"""Keys and algorithms of signed texts (RFC 7515, RFC 7518), of those who sign for us to verify and of our own as a client."""

from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

from doorward.domain.errors import DoorwardError
from doorward.domain.reasons import Refused
from doorward.domain.secret import Secret
from doorward.wire.jsonrpc import Limits, dump, parse_object

_KINDS: Final = {
    "ES256": "P-256",
    "ES384": "P-384",
    "ES512": "P-521",
    "EdDSA": "Ed25519",
    "Ed25519": "Ed25519",
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
}
"""Every algorithm that can be verified here, and the curve (or RSA) of its keys (RFC 7518 §3.1, RFC 8037, RFC 9864)."""
ALGORITHMS: Final = frozenset(_KINDS)

_USUAL: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA", "RSA": "RS256"}
"""What a key signs with where nobody says: the name that most verifiers know."""
_ED25519: Final = {"EdDSA", "Ed25519"}
"""Two names of one algorithm (RFC 9864)."""
_RSA_BITS: Final = range(2048, 8193)
"""RFC 7518 §3.3 says 2048 at least; larger ones than the upper bound only cost time."""
_RSA_EXPONENTS: Final = range(65537, 2**32)
"""FIPS 186-5 §5.4 asks for more than 2^16; larger ones than any in use only cost time."""
_JWK: Final = Limits(body_bytes=16_384, depth=4, nodes=128, string_bytes=8_192)


class UnfitKeyError(DoorwardError):
    """A key of ours that cannot sign; the message holds nothing of it."""


def fits(key: Key, alg: str) -> bool:
    """Whether a key may sign or verify with an algorithm, by its own `alg`, type, curve and size. INVARIANT: never for a symmetric key."""
    kind = _KINDS.get(alg)
    said = key.get("alg", alg)
    if kind is None or not (said == alg or {said, alg} == _ED25519):
        return False
    match key:
        case RSAKey():
            public = key.public_key
            return kind == "RSA" and public.key_size in _RSA_BITS and public.public_numbers().e in _RSA_EXPONENTS
        case ECKey() | OKPKey():
            return key.curve_name == kind
        case _:
            return False


def private_key(secret: Secret) -> Key:
    """A private key of ours, in PEM (PKCS #8 or older, not encrypted) or as a JWK; raises `UnfitKeyError`."""
    text = secret.reveal().strip()
    try:
        key = _jwk(text.encode()) if text.startswith("{") else _pem(text.encode())
    except (JoseError, UnsupportedAlgorithm, Refused, ValueError, TypeError, KeyError):
        # Without the cause: it may quote what is there.
        raise UnfitKeyError("a private key was expected (PEM without a password, or a JWK)") from None
    if not key.is_private or usual_algorithm(key) is None:
        raise UnfitKeyError("a private key was expected that is RSA (2048 bits or more), P-256, P-384, P-521 or Ed25519")
    return key


def usual_algorithm(key: Key) -> str | None:
    """What a key signs with: as its `alg` says, else what most verifiers know; None where it is of no kind that is used here."""
    said = key.get("alg")
    kind = key.curve_name if isinstance(key, ECKey | OKPKey) else "RSA"
    alg = said if isinstance(said, str) else _USUAL.get(kind, "")
    return alg if fits(key, alg) else None


def signed(header: dict[str, object], claims: Mapping[str, object], key: Key, alg: str) -> Secret:
    """A JWT in compact form; raises `UnfitKeyError` where the key is not for the algorithm."""
    if not fits(key, alg):
        raise UnfitKeyError(f"the key is not for {alg}")
    return Secret(jws.serialize_compact({**header, "alg": alg}, dump(claims), key, algorithms=[alg]))


def _jwk(raw: bytes) -> Key:
    found = parse_object(raw, _JWK)
    return import_key({name: value for name, value in found.items() if isinstance(value, str)})


def _pem(raw: bytes) -> Key:
    match load_pem_private_key(raw, password=None):
        case RSAPrivateKey():
            return RSAKey.import_key(raw)
        case EllipticCurvePrivateKey():
            return ECKey.import_key(raw)
        case Ed25519PrivateKey():
            return OKPKey.import_key(raw)
        case _:
            raise TypeError
