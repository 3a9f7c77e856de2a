"""Whose client certificates are believed, and which of them no more: read from files as one value, and replaced as one."""

from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from doorward.config import authorities
from doorward.config.model import Listen
from doorward.identity.certificate import Certificate
from doorward.identity.certificates.crl import Revocations, revocations
from doorward.identity.certificates.reader import thumbprint


class Embedded(msgspec.Struct, frozen=True):
    """Our own authority, as those see it who believe it."""

    certificate: x509.Certificate
    trust_domain: str

    @property
    def thumbprint(self) -> str:
        """What `Certificate.authority` says of what it issued."""
        return thumbprint(self.certificate.public_bytes(Encoding.DER))


class Trust(msgspec.Struct, frozen=True):
    """What a certificate is measured by at this moment."""

    roots: frozenset[str] = frozenset()
    """SHA-256 of every authority that a path may end in."""
    revocations: Revocations = msgspec.field(default_factory=Revocations)
    pem: str = ""
    """Those roots, and intermediates, for TLS."""

    def fault(self, certificate: Certificate, now: float) -> str | None:
        """Why a certificate does not hold any more; None where it does."""
        if now >= certificate.not_after:
            return "the certificate has expired"
        if certificate.authority and certificate.authority not in self.roots:
            return "the authority that the certificate comes from is not trusted any more"
        return self.revocations.fault(certificate.path, now)


def files(listen: Listen, root: Path) -> tuple[Path, ...]:
    """Every file whose change is a reason to read again."""
    tls = listen.tls
    return () if tls is None else tuple(root / name for name in (tls.certificate, tls.key, *tls.roots, *tls.crls))


def read(listen: Listen, root: Path, embedded: Embedded | None, now: float) -> Trust:
    """The trust that a document asks for; raises `AuthorityError` where a file cannot be read or a list is nobody's."""
    tls = listen.tls
    roots, crls = ((), ()) if tls is None or tls.clients == "off" else (tls.roots, tls.crls)
    found = [one for name in roots for one in authorities.certificates(root / name)]
    lists = [one for name in crls for one in authorities.lists(root / name)]
    if embedded is not None:
        found.append(embedded.certificate)
    return Trust(
        roots=frozenset(thumbprint(one.public_bytes(Encoding.DER)) for one in found),
        revocations=revocations(lists, found, now),
        pem="".join(one.public_bytes(Encoding.PEM).decode("ascii") for one in found),
    )
