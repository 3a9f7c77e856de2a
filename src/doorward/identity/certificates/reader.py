"""From the bytes of a verified path (RFC 5280) to the one value that the house knows of a client certificate."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from doorward.domain.errors import DoorwardError
from doorward.identity.certificate import Certificate

MOST_PATH = 10
"""Certificates of one path: what OpenSSL walks by default is far more than anybody issues."""


class CertificateError(DoorwardError):
    """A certificate that cannot be read, or names what nobody could check."""


def thumbprint(der: bytes) -> str:
    """SHA-256 of a certificate, base64url without padding (RFC 8705 §3.1)."""
    return urlsafe_b64encode(sha256(der).digest()).rstrip(b"=").decode("ascii")


def read(path: Sequence[bytes]) -> Certificate:
    """The leaf of a path that TLS has verified, given whole: leaf first, root last (DER). Raises `CertificateError`."""
    if not path or len(path) > MOST_PATH:
        raise CertificateError(f"expected a path of 1 to {MOST_PATH} certificates, got {len(path)}")
    below_root = path[:-1] or path
    return described(tuple(parsed(der) for der in below_root), authority=thumbprint(path[-1]))


def described(path: Sequence[x509.Certificate], authority: str) -> Certificate:
    """The value for a parsed path, the leaf first, every element of which can be revoked; raises `CertificateError`."""
    leaf = path[0]
    try:
        uris, dns = _names(leaf)
        return Certificate(
            thumbprint=thumbprint(leaf.public_bytes(serialization.Encoding.DER)),
            serial=leaf.serial_number,
            issuer=leaf.issuer.rfc4514_string(),
            subject=leaf.subject.rfc4514_string(),
            uris=uris,
            dns=dns,
            not_after=leaf.not_valid_after_utc.timestamp(),
            authority=authority,
            path=tuple((one.issuer.rfc4514_string(), one.serial_number) for one in path),
        )
    except ValueError as error:
        # Its parts are parsed when they are read.
        raise CertificateError("expected an X.509 certificate whose names and extensions can be read") from error


def parsed(der: bytes) -> x509.Certificate:
    """One certificate; raises `CertificateError`. What is wrong with a part of it may show only when that is read, as `ValueError`."""
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise CertificateError("expected an X.509 certificate") from error


def is_for_clients(leaf: x509.Certificate) -> bool:
    """Whether its extended key usage lets it stand for a client (RFC 5280 §4.2.1.12); a certificate without one is for everything."""
    try:
        usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    except ValueError as error:
        raise CertificateError("expected extensions that can be read") from error
    return ExtendedKeyUsageOID.CLIENT_AUTH in usages or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usages


def _names(leaf: x509.Certificate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """URIs and DNS names; the common name is never taken for a host (RFC 9525)."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return (), ()
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    dns = names.get_values_for_type(x509.DNSName)
    return tuple(uris), tuple(name.lower() for name in dns)
