"""Matters: what can be stopped or revoked, and which of them a call touches (RULINGS 11).

INVARIANT: whatever a principal was verified by, and everybody in its chain, is a matter: to withdraw any of them ends all that is
done with it. Names are compared whole; none is ever a pattern.
"""

import base64
import re
from enum import StrEnum

import msgspec

from doorward.domain.actors import Actor, AuthnMethod, Principal
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import AgentId, KeyId, SessionId, UpstreamId


class MatterKind(StrEnum):
    """What sort of thing is stopped or revoked."""

    ALL = "all"
    AGENT = "agent"
    KEY = "key"
    USER = "user"
    CLIENT = "client"
    ISSUER = "issuer"
    FAMILY = "family"
    CERTIFICATE = "certificate"
    SESSION = "session"
    UPSTREAM = "upstream"
    TOOL = "tool"


FOR_GOOD = frozenset({MatterKind.AGENT, MatterKind.KEY, MatterKind.FAMILY, MatterKind.CERTIFICATE, MatterKind.SESSION})
"""Kinds whose revocation is never lifted: there is always a new one to be had, and an old one may be in anybody's hands."""


class Matter(msgspec.Struct, frozen=True):
    """What is stopped or revoked: everything, or one thing of a kind.

    Names: of a user and a client with their issuer's before it (`corp:alice`), of a tool with its upstream's (`git/commit`), of a
    certificate its thumbprint as RFC 8705 has it.
    """

    kind: MatterKind
    name: str = ""


class StopError(DoorwardError):
    """A stop that cannot be named, set or lifted."""


Named = tuple[MatterKind, str]
"""A matter as it is looked up: a pair costs a tenth of a dataclass, and every call needs some."""

EVERYTHING = Matter(MatterKind.ALL)

_EVERYTHING: Named = (MatterKind.ALL, "")
_AGENT, _KEY, _USER, _CLIENT = MatterKind.AGENT, MatterKind.KEY, MatterKind.USER, MatterKind.CLIENT
_ISSUER, _FAMILY, _CERTIFICATE = MatterKind.ISSUER, MatterKind.FAMILY, MatterKind.CERTIFICATE
_SESSION, _UPSTREAM, _TOOL = MatterKind.SESSION, MatterKind.UPSTREAM, MatterKind.TOOL

_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}")
"""The same 32 bytes as OpenSSL prints them."""


def agent(name: AgentId) -> Matter:
    """All that one agent does, and all that is done in its chain."""
    return Matter(_AGENT, name)


def key(name: KeyId) -> Matter:
    """All that is done with one key."""
    return Matter(_KEY, name)


def session(name: SessionId) -> Matter:
    """All that is done in one session."""
    return Matter(_SESSION, name)


def family(name: str) -> Matter:
    """All that is done with the tokens of one grant."""
    return Matter(_FAMILY, name)


def upstream(name: UpstreamId) -> Matter:
    """All that goes to one upstream."""
    return Matter(_UPSTREAM, name)


def tool(at: UpstreamId, name: str) -> Matter:
    """All calls of one tool."""
    return Matter(_TOOL, f"{at}/{name}")


def parse(text: str) -> Matter:
    """`all`, or a kind and a name such as `agent:NAME`, `user:ISSUER:NAME` or `tool:UPSTREAM/TOOL`, as a matter; raises `StopError`."""
    kind, _, name = text.partition(":")
    if kind not in MatterKind.__members__.values():
        raise StopError(f"expected one of {', '.join(MatterKind)}, got {kind[:32]!r}")
    found = MatterKind(kind)
    if (found is MatterKind.ALL) is bool(name):
        raise StopError(f"expected {'no name' if name else 'a name'} after {kind!r}, got {name[:64]!r}")
    match found:
        case MatterKind.TOOL:
            _check_parts(name, "/", "UPSTREAM/TOOL")
        case MatterKind.USER | MatterKind.CLIENT:
            _check_parts(name, ":", "ISSUER:NAME")
        case MatterKind.CERTIFICATE:
            name = _thumbprint(name)
        case _:
            pass
    return Matter(found, name)


def written(matter: Matter) -> str:
    """A matter as `parse` reads it."""
    return f"{matter.kind}:{matter.name}" if matter.name else str(matter.kind)


def told(matter: Matter) -> str:
    """A matter as the log may name it: a person is not named there in clear."""
    match matter.kind:
        case MatterKind.ALL:
            return "everything"
        case MatterKind.USER:
            return "the user"
        case _:
            return f"{matter.kind} {matter.name!r}"


def matters(call: Call) -> tuple[Matter, ...]:
    """Everything that a stop could name to catch this call."""
    return tuple(Matter(*one) for one in touched(call))


def touched(call: Call) -> list[Named]:
    """The same, as it is looked up."""
    target = call.target
    found = of_principal(call.principal)
    found.append((_UPSTREAM, target.upstream))
    if target.kind is Kind.TOOL:
        found.append((_TOOL, f"{target.upstream}/{target.name}"))
    if call.session is not None:
        found.append((_SESSION, call.session))
    return found


def of_principal(principal: Principal) -> list[Named]:
    """Everything that a stop could name to catch whatever this principal does."""
    found = [_EVERYTHING, (_AGENT, principal.agent.id)]
    if principal.method is AuthnMethod.AGENT_KEY:
        found.append((_KEY, principal.credential))
    subject, proof = principal.subject, principal.proof
    if subject is not None:
        found.append((_USER, subject.id))
        # Our own authority speaks of people whom another issuer vouched for: who withdraws that one means them too.
        vouching, colon, _ = subject.id.partition(":")
        if colon and vouching != proof.issuer:
            found.append((_ISSUER, vouching))
    if proof.issuer:
        found.append((_ISSUER, proof.issuer))
        if proof.client:
            found.append((_CLIENT, f"{proof.issuer}:{proof.client}"))
    if proof.family:
        found.append((_FAMILY, proof.family))
    if proof.certificate:
        found.append((_CERTIFICATE, proof.certificate))
    for actor in principal.actors:
        found += _of_actor(actor)
    return found


def _of_actor(actor: Actor) -> tuple[Named, ...]:
    """Who handed its rights on, by each name that it is known by."""
    return (_AGENT, actor.agent.id), (_ISSUER, actor.issuer), (_CLIENT, f"{actor.issuer}:{actor.id}")


def _check_parts(name: str, separator: str, shape: str) -> None:
    before, found, after = name.partition(separator)
    if not (before and found and after):
        raise StopError(f"expected {shape}, got {name[:64]!r}")


def _thumbprint(text: str) -> str:
    """SHA-256 of a certificate in base64url, also where it was given in hexadecimal."""
    if _FINGERPRINT.fullmatch(text):
        return base64.urlsafe_b64encode(bytes.fromhex(text.replace(":", ""))).rstrip(b"=").decode()
    if not _THUMBPRINT.fullmatch(text):
        raise StopError(f"expected the SHA-256 of a certificate in base64url or hexadecimal, got {text[:96]!r}")
    return text
