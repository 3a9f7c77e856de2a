"""Signed texts in compact form (RFC 7515, RFC 7519), read so strictly that no two readers could read them differently.

LAW: nothing in a token says how it is to be verified. Its header is compared with what we expect; keys and algorithms come from us.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

from doorward.domain.reasons import Reason, Refused
from doorward.net.oauth.jose import ALGORITHMS, fits
from doorward.wire.jsonrpc import Limits, parse_value

SHOWN: Final = 120
"""Characters of outside text that are repeated to operators."""

LONGEST = 8192
"""Characters; as much as an `Authorization` header may have (`identity/bearer.py`)."""
_HEADER = Limits(body_bytes=2048, depth=4, nodes=64, string_bytes=2048)
_CLAIMS = Limits(body_bytes=LONGEST, depth=16, nodes=2048, string_bytes=LONGEST)
_LONG_CLAIMS = Limits(body_bytes=65_536, depth=16, nodes=8192, string_bytes=LONGEST)
_KID = 256

_DIRECTIONS = frozenset({"jku", "x5u", "jwk", "x5c", "crit", "b64", "zip", "enc"})
"""Header parameters that bring a key or change how the rest is read: whoever obeys them verifies what an attacker wants."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A well-formed token. INVARIANT: nothing in it is believed before `check_signature`."""

    header: dict[str, object]
    claims: dict[str, object]
    alg: str
    kid: str | None
    typ: str
    """In lower case without `application/` (RFC 7515 §4.1.9); empty where there is none."""
    input: bytes
    signature: bytes

    def __repr__(self) -> str:
        return f"Signed(alg={self.alg!r}, kid={self.kid!r}, typ={self.typ!r})"


def refused(detail: str) -> Refused:
    """What is raised for whatever is wrong with a token."""
    return Refused(Reason.UNAUTHENTICATED, detail)


def shown(value: object) -> str:
    """Outside text for operators: quoted and cut."""
    return repr(value if isinstance(value, str) else str(value))[:SHOWN]


def read(text: str) -> Signed:
    """The parts of a compact JWS whose header and payload are strict JSON objects; raises `Refused` UNAUTHENTICATED."""
    return _read(text, _DIRECTIONS)


def read_long(text: str) -> Signed:
    """The same of a token that came in a body, where it may be longer than in a header (an ID token with hundreds of groups)."""
    return _read(text, _DIRECTIONS, _LONG_CLAIMS)


def read_proof(text: str) -> Signed:
    """The same of a DPoP proof (RFC 9449 §4.2), which brings its own key as `jwk`: it proves that somebody has it, not who."""
    return _read(text, _DIRECTIONS - {"jwk"})


def _read(text: str, forbidden: frozenset[str], limits: Limits = _CLAIMS) -> Signed:
    parts = text.split(".") if len(text) <= limits.body_bytes else []
    if len(parts) != 3:
        raise refused(f"expected a signed token of three parts and at most {limits.body_bytes} characters")
    header = _object(_decoded(parts[0]), _HEADER, "header")
    alg, kid, typ = header.get("alg"), header.get("kid"), header.get("typ", "")
    if not isinstance(alg, str) or alg not in ALGORITHMS:
        raise refused(f"expected a token with an asymmetric signature, alg is {shown(alg)}")
    if not forbidden.isdisjoint(header):
        raise refused(f"expected a token header without {' and '.join(sorted(forbidden & header.keys()))}")
    if not (kid is None or (isinstance(kid, str) and len(kid) <= _KID)) or not isinstance(typ, str):
        raise refused(f"expected texts as kid (of at most {_KID} characters) and typ of a token")
    claims = _object(_decoded(parts[1]), limits, "payload")
    signed = text[: len(parts[0]) + 1 + len(parts[1])].encode("ascii")
    return Signed(header, claims, alg, kid, typ.lower().removeprefix("application/"), signed, _decoded(parts[2]))


def check_signature(signed: Signed, key: Key) -> None:
    """Raises `Refused` UNAUTHENTICATED unless the key, which must be of the token's algorithm, has signed it."""
    if not fits(key, signed.alg):
        raise refused(f"the key {shown(signed.kid)} is not for {signed.alg}")
    try:
        is_good = JWSRegistry.algorithms[signed.alg].verify(signed.input, signed.signature, key)
    except (JoseError, UnsupportedAlgorithm, ValueError) as error:
        raise refused("the token's signature cannot be checked") from error
    if is_good is not True:
        raise refused("the token's signature is wrong")


def seconds(claims: Mapping[str, object], name: str) -> float | None:
    """A NumericDate (RFC 7519 §2); None where it is absent; raises `Refused` for anything else than a number of this epoch."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if type(value) is not int and not isinstance(value, Decimal):
        raise refused(f"expected a number as {name}, got {shown(value)}")
    if not 0 <= value <= 2**53:
        raise refused(f"expected seconds since 1970 as {name}, got {shown(value)}")
    return float(value)


def text(claims: Mapping[str, object], name: str, longest: int) -> str | None:
    """A claim that is a text of 1 to `longest` printable characters; None where it is absent; raises `Refused` for anything else."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise refused(f"expected a text of 1 to {longest} printable characters as {name}")
    return value


def _decoded(part: str) -> bytes:
    """The bytes of unpadded base64url in its one spelling: a second spelling of a signature would be a second token."""
    try:
        raw = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError as error:
        raise refused("expected base64url in the parts of a token") from error
    if urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        raise refused("expected base64url without padding in the parts of a token, in its one spelling")
    return raw


def _object(raw: bytes, limits: Limits, what: str) -> dict[str, object]:
    try:
        value = parse_value(raw, limits)
    except Refused as error:
        raise refused(f"expected strict JSON as the {what} of a token: {error.detail}") from error
    if not isinstance(value, dict):
        raise refused(f"expected a JSON object as the {what} of a token")
    return value
