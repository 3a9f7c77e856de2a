"""Signed JWTs that are handed to our authority (RFC 7519, read as RFC 8725 advises): one type, one of few algorithms, one key, then claims."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final, Protocol

import msgspec
from joserfc.jwk import Key

from doorward.domain.errors import DoorwardError
from doorward.domain.reasons import Refused
from doorward.identity.tokens import jws
from doorward.identity.tokens.jws import Signed

ALGORITHMS: Final = frozenset({"ES256", "ES384", "ES512", "EdDSA", "Ed25519", "PS256", "RS256"})
"""What clients may sign with."""


class SignedError(DoorwardError):
    """A token that proves nothing; the message may be shown to whoever sent it."""


class Keys(Protocol):
    """Somebody's public keys (also what `identity.tokens` and `identity.provider_keys` give)."""

    def find(self, kid: str | None, alg: str) -> Key | None:
        """The key of an id (None: the only one) for an algorithm, of those that are known now."""
        ...

    async def refresh(self) -> None:
        """Asks for them again, at most so often; raises a `DoorwardError` or `Refused`."""
        ...


class Wanted(msgspec.Struct, frozen=True):
    """What the header of a token must say."""

    what: str
    """What it is called in errors, such as `client assertion`."""
    types: frozenset[str]
    """In lower case without `application/`; an empty text stands for a token that names no type."""
    algorithms: frozenset[str]


class Times(msgspec.Struct, frozen=True):
    """When a token is good."""

    now: float
    leeway_seconds: float
    longest_seconds: float
    """From now to its end, and from its making to now."""


def read(token: str, what: str) -> Signed:
    """A well-formed token, nothing of it believed yet: good for looking up whose keys must verify it. Raises `SignedError`."""
    try:
        return jws.read(token)
    except Refused as refused:
        raise SignedError(f"the {what} cannot be read: {refused.detail}") from refused


async def verified(signed: Signed, keys: Keys, wanted: Wanted) -> Mapping[str, object]:
    """The claims of a token whose signature is good; an unknown key is asked for once. Raises `SignedError`."""
    if signed.typ not in wanted.types:
        raise SignedError(f"typ of the {wanted.what} was expected to be {' or '.join(sorted(wanted.types - {''})) or 'absent'}")
    if signed.alg not in wanted.algorithms:
        raise SignedError(f"the {wanted.what} was expected to be signed with {', '.join(sorted(wanted.algorithms))}")
    key = await _key(signed, keys, wanted.what)
    try:
        jws.check_signature(signed, key)
    except Refused as refused:
        raise SignedError(f"the {wanted.what} proves nothing: {refused.detail}") from refused
    return signed.claims


async def _key(signed: Signed, keys: Keys, what: str) -> Key:
    try:
        key = keys.find(signed.kid, signed.alg)
        if key is None:
            await keys.refresh()
            key = keys.find(signed.kid, signed.alg)
    except (DoorwardError, Refused) as error:
        # Why is for nobody outside: it would map the network behind us.
        raise SignedError(f"the keys that verify the {what} cannot be had") from error
    if key is None:
        raise SignedError(f"the {what} is signed with a key that is not known")
    return key


def text(claims: Mapping[str, object], name: str, what: str) -> str:
    """A claim that is a text of 1 to 2048 characters; raises `SignedError`."""
    value = claims.get(name)
    if isinstance(value, str) and 0 < len(value) <= 2048:
        return value
    raise SignedError(f"a text was expected in {name} of the {what}")


def check_audience(claims: Mapping[str, object], audience: str, what: str) -> None:
    """Raises `SignedError` unless a token is for one party alone: with one for two, either can pass for its sender at the other."""
    if claims.get("aud") not in (audience, [audience]):
        raise SignedError(f"the issuer identifier, alone, was expected in aud of the {what}")


def check_times(claims: Mapping[str, object], times: Times, what: str) -> float:
    """Its end, in Unix seconds; raises `SignedError` unless it is good now and was made for a short while."""
    ends, made, starts = (_seconds(claims, name, what) for name in ("exp", "iat", "nbf"))
    if ends is None:
        raise SignedError(f"a time was expected in exp of the {what}")
    if ends + times.leeway_seconds <= times.now:
        raise SignedError(f"the {what} has expired")
    if max(made or 0, starts or 0) - times.leeway_seconds > times.now:
        raise SignedError(f"the {what} is of the future")
    longest = times.longest_seconds + times.leeway_seconds
    if ends - times.now > longest or (made is not None and times.now - made > longest):
        raise SignedError(f"the {what} was expected to be made now, for at most {times.longest_seconds:g} seconds")
    return ends


def once(kind: str, *parts: str) -> str:
    """The name under which a token is remembered to have been used: bounded, whatever its claims hold."""
    whole = b"".join(sha256(part.encode()).digest() for part in parts)
    return f"{kind}:{sha256(whole).hexdigest()}"


def _seconds(claims: Mapping[str, object], name: str, what: str) -> float | None:
    try:
        return jws.seconds(dict(claims), name)
    except Refused as refused:
        raise SignedError(f"a time was expected in {name} of the {what}") from refused
