"""What a credential proves an agent to be, before the registry says which agent that is: a client, a SPIFFE id, a DNS name, a subject."""

from enum import StrEnum
from typing import assert_never

import msgspec

from doorward.domain.errors import DoorwardError

_LONGEST = 2048
"""Characters of a name: as much as a SPIFFE id or the URL of a client's document may have."""

_SHOWN = 200
_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_DOMAIN = _LOWER | frozenset("-._")
_SEGMENT = _DOMAIN | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SPIFFE = "spiffe://"


class IdentityError(DoorwardError):
    """A text that names no identity."""


class IdentityKind(StrEnum):
    """What sort of name a credential proves."""

    CLIENT = "client"
    """An OAuth client of an issuer."""
    SPIFFE = "spiffe"
    """A SPIFFE id: the URI of a certificate."""
    DNS = "dns"
    """A DNS name of a certificate, in lower case."""
    SUBJECT = "subject"
    """The distinguished name of a certificate's subject (RFC 4514)."""


class Identity(msgspec.Struct, frozen=True):
    """One name that credentials can prove. Equal names are one identity: exact text, case included."""

    kind: IdentityKind
    issuer: str
    """Who vouches for it: the name of a token's issuer in the configuration (`self` for our own authority); empty for certificates."""
    name: str

    def __str__(self) -> str:
        match self.kind:
            case IdentityKind.CLIENT:
                return f"client:{self.issuer}:{self.name}"
            case _:
                return f"{self.kind}:{self.name}"


def client(issuer: str, name: str) -> Identity:
    """The OAuth client of an issuer."""
    return Identity(IdentityKind.CLIENT, issuer, name)


def parse(text: str) -> Identity:
    """The identity of `client:ISSUER:ID`, `spiffe:spiffe://…` (or the SPIFFE id alone), `dns:HOST` or `subject:NAME`; raises
    `IdentityError`."""
    head, _, rest = text.partition(":")
    if text.startswith(_SPIFFE):
        head, rest = IdentityKind.SPIFFE, text
    issuer = ""
    if head == IdentityKind.CLIENT:
        issuer, _, rest = rest.partition(":")
    if head not in tuple(IdentityKind):
        raise IdentityError(f"expected client:ISSUER:ID, spiffe://…, dns:HOST or subject:NAME, got {text[:_SHOWN]!r}")
    found = Identity(IdentityKind(head), issuer, rest)
    wrong = misnamed(found)
    if wrong is not None:
        raise IdentityError(wrong)
    return found


def shown(identity: Identity) -> str:
    """The identity for people who read a log: whatever its name holds, quoted and cut."""
    return repr(str(identity)[:_SHOWN])


def misnamed(identity: Identity) -> str | None:
    """Why a text cannot be such a name; None where it can. Whatever is bound or enrolled has passed here."""
    name = identity.name
    if not name or len(name) > _LONGEST or not name.isprintable() or name != name.strip():
        return f"expected a name of 1 to {_LONGEST} printable characters, got {name[:_SHOWN]!r}"
    match identity.kind:
        case IdentityKind.CLIENT:
            is_good, what = bool(identity.issuer), "client:ISSUER:ID"
        case IdentityKind.SPIFFE:
            is_good, what = _is_spiffe(name), "a SPIFFE id such as spiffe://example.org/agents/one"
        case IdentityKind.DNS:
            is_good, what = _is_host(name), "a DNS name in lower case without `*`"
        case IdentityKind.SUBJECT:
            is_good, what = "=" in name, "a distinguished name such as CN=one,O=Example"
        case _:
            assert_never(identity.kind)
    return None if is_good else f"expected {what}, got {name[:_SHOWN]!r}"


def _is_spiffe(name: str) -> bool:
    """SPIFFE-ID §2: a trust domain and a path, nothing that could be read in two ways."""
    domain, *path = name.removeprefix(_SPIFFE).split("/")
    is_whole = name.startswith(_SPIFFE) and bool(domain) and bool(path) and _DOMAIN.issuperset(domain)
    return is_whole and all(part and part not in {".", ".."} and _SEGMENT.issuperset(part) for part in path)


def _is_host(name: str) -> bool:
    labels = name.split(".")
    return all(label and _DOMAIN.issuperset(label) and _LOWER.issuperset((label[0], label[-1])) for label in labels)
