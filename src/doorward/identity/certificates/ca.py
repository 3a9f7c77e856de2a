"""Our own certificate authority: short-lived certificates for registered agents, from a signing request (RFC 2986) and nothing else of it.

LAW: of a request only the public key is taken, once its holder has proven to have the private one. Whatever else a certificate
says comes from us: the SPIFFE id of the agent that asked, how long it is valid, and that it is for clients.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from doorward.domain.errors import DoorwardError
from doorward.domain.ids import AgentId
from doorward.identity.certificates.naming import own_name
from doorward.identity.certificates.reader import thumbprint
from doorward.identity.certificates.trust import Embedded

REQUEST_BYTES = 16_384
"""A request for a P-256 key is half a kilobyte."""

_ROOT_DAYS = 3650
_ROOT_NAME = "Doorward agents"
_SKEW = timedelta(minutes=5)
"""How far an agent's clock may be behind ours when it first uses a certificate."""
_SERIAL_BYTES = 16
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


class CaError(DoorwardError):
    """A root that is not the one that the document asks for."""


class RequestError(DoorwardError):
    """A signing request that gets no certificate; the message may be told to whoever sent it."""


class IssuedRecord(msgspec.Struct, frozen=True):
    """A certificate that we gave out, as it is remembered. Times are Unix seconds."""

    id: str
    """Its thumbprint (RFC 8705): what `revoke certificate` names."""
    agent: AgentId
    serial: str
    """In hexadecimal: it is longer than a database's numbers."""
    issued_at: float
    not_after: float
    proven_by: str = ""
    """`agent_key ID` or `certificate ID`: what the agent proved itself with."""


class Issued(msgspec.Struct, frozen=True):
    """A certificate just made."""

    record: IssuedRecord
    chain: str
    """The certificate and the root above it (PEM)."""


@dataclass(frozen=True, slots=True, repr=False)
class Ca:
    """The root with its key; `opened` makes one."""

    embedded: Embedded
    _key: ec.EllipticCurvePrivateKey
    _draw: Callable[[int], bytes]

    def issue(self, agent: AgentId, request: bytes, now: float, ends: float) -> Issued:
        """A certificate for an agent, until `ends` at the latest; raises `RequestError`. Who proved itself to be the agent is not asked."""
        key, root = _requested(request), self.embedded.certificate
        begins = _moment(now)
        last = min(_moment(ends), root.not_valid_after_utc)
        if last <= begins:
            raise RequestError("expected an agent that goes on, and an authority whose root does")
        builder = x509.CertificateBuilder(root.subject, _name(agent), key, _serial(self._draw))
        builder = builder.not_valid_before(max(begins - _SKEW, root.not_valid_before_utc)).not_valid_after(last)
        for extension, is_critical in _said(key, own_name(self.embedded.trust_domain, agent), self._key.public_key()):
            builder = builder.add_extension(extension, critical=is_critical)
        made = builder.sign(self._key, hashes.SHA256())
        record = IssuedRecord(thumbprint(made.public_bytes(Encoding.DER)), agent, f"{made.serial_number:x}", now, last.timestamp())
        return Issued(record, (made.public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM)).decode("ascii"))


def new_root(secret: bytes, trust_domain: str, now: float, draw: Callable[[int], bytes]) -> str:
    """The certificate (PEM) of a new root over the key that a secret stands for: good for agents of one trust domain, and nothing else."""
    key, name = _derived(secret), _name(f"{_ROOT_NAME} {trust_domain}"[:64])
    begins = _moment(now) - _SKEW
    builder = x509.CertificateBuilder(name, name, key.public_key(), _serial(draw))
    builder = builder.not_valid_before(begins).not_valid_after(begins + timedelta(days=_ROOT_DAYS))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(_Use.SIGNS), critical=True)
    builder = builder.add_extension(_limits(trust_domain), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode("ascii")


def opened(secret: bytes, pem: str, trust_domain: str, draw: Callable[[int], bytes]) -> Ca:
    """The authority of a root that was made before; raises `CaError` where it is of another key or trust domain."""
    key = _derived(secret)
    try:
        root = x509.load_pem_x509_certificate(pem.encode())
        is_ours = root.public_key() == key.public_key()
        limits = root.extensions.get_extension_for_class(x509.NameConstraints).value
    except (ValueError, x509.ExtensionNotFound) as error:
        raise CaError("expected the root that was made on the first start (PEM)") from error
    if not is_ours:
        raise CaError("expected the root of the key that is kept with it, got another one")
    if limits != _limits(trust_domain):
        raise CaError(f"expected a root for the trust domain {trust_domain!r}, got one for another")
    return Ca(Embedded(root, trust_domain), key, draw)


def _requested(request: bytes) -> PublicKey:
    """The public key of a request whose sender has the private one; raises `RequestError`."""
    if len(request) > REQUEST_BYTES:
        raise RequestError(f"expected a signing request of at most {REQUEST_BYTES} bytes")
    try:
        found = x509.load_pem_x509_csr(request)
        is_signed, key = found.is_signature_valid, found.public_key()
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
        raise RequestError("expected a signing request (PKCS #10, PEM)") from error
    if not is_signed:
        raise RequestError("expected a signing request that its own key has signed")
    match key:
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()) | ed25519.Ed25519PublicKey():
            return key
        case _:
            raise RequestError("expected a key on P-256 or Ed25519")


def _said(key: PublicKey, uri: str, root: ec.EllipticCurvePublicKey) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    """What a certificate says besides names and times, and whether whoever does not understand it must refuse."""
    return (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(_Use.PROVES), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
        (x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), False),
        (x509.SubjectKeyIdentifier.from_public_key(key), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(root), False),
    )


class _Use(Enum):
    SIGNS = "signs"
    PROVES = "proves"


def _usage(use: _Use) -> x509.KeyUsage:
    signs = use is _Use.SIGNS
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _limits(trust_domain: str) -> x509.NameConstraints:
    return x509.NameConstraints([x509.UniformResourceIdentifier(trust_domain)], None)


def _derived(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """A key on P-256 from a kept secret (NIST SP 800-56A §5.6.1.2.1: more bits than the order has, reduced)."""
    wide = HKDFExpand(hashes.SHA256(), 48, b"doorward ca p-256").derive(secret)
    return ec.derive_private_key(1 + int.from_bytes(wide, "big") % (_P256_ORDER - 1), ec.SECP256R1())


def _serial(draw: Callable[[int], bytes]) -> int:
    """Positive, and of 127 random bits (RFC 5280 §4.1.2.2)."""
    return (int.from_bytes(draw(_SERIAL_BYTES), "big") >> 1) | 1 << 126


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=0)
