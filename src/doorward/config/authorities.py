"""Files of authorities and of what they revoke, as an operator names them: certificates and revocation lists (RFC 5280), read and vouched for."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from doorward.config.problems import quoted
from doorward.domain.errors import DoorwardError

FILE_BYTES = 64 * 2**20
"""A revocation list of a million certificates is half of that."""

SKEW_SECONDS = 300
"""How far an authority's clock may be ahead of ours."""

_LIST = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)
_SIGNS = (dsa.DSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey, ed448.Ed448PublicKey, rsa.RSAPublicKey)


class AuthorityError(DoorwardError):
    """A file, certificate or list that nothing can be verified with."""


def certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """The certificates in a PEM file, at least one; raises `AuthorityError`."""
    try:
        return tuple(x509.load_pem_x509_certificates(_read(path)))
    except ValueError as error:
        raise AuthorityError(f"expected certificates (PEM) in {path}") from error


def lists(path: Path) -> tuple[x509.CertificateRevocationList, ...]:
    """The revocation lists in a file, at least one; raises `AuthorityError`."""
    raw = _read(path)
    try:
        if raw.startswith(b"\x30"):
            return (x509.load_der_x509_crl(raw),)
        found = tuple(x509.load_pem_x509_crl(match[0]) for match in _LIST.finditer(raw))
    except ValueError as error:
        raise AuthorityError(f"expected revocation lists (PEM or DER) in {path}") from error
    if not found:
        raise AuthorityError(f"expected revocation lists (PEM or DER) in {path}")
    return found


def vouch(revocations: x509.CertificateRevocationList, authorities: Sequence[x509.Certificate], now: float) -> x509.Certificate:
    """The authority that has signed this list; raises `AuthorityError` if there is none, or the list is not a whole one of now.

    That it has ended is no fault of the list: it is read, and its authority is closed then.
    """
    name = quoted(revocations.issuer.rfc4514_string())
    signer = next((one for one in authorities if _has_signed(revocations, one)), None)
    if signer is None:
        raise AuthorityError(f"expected a list that one of the roots has signed, nobody among them signed the one of {name}")
    if revocations.next_update_utc is None:
        raise AuthorityError(f"expected a list that says when the next one comes, the one of {name} does not")
    if revocations.last_update_utc > datetime.fromtimestamp(now + SKEW_SECONDS, UTC):
        raise AuthorityError(
            f"expected a list that has begun, the one of {name} begins at {revocations.last_update_utc:%Y-%m-%d %H:%M} UTC"
        )
    try:
        wrong = next((one.oid.dotted_string for one in revocations.extensions if one.critical and not _is_whole(one.value)), None)
    except ValueError as error:
        raise AuthorityError(f"expected extensions that can be read in the list of {name}") from error
    if wrong is not None:
        raise AuthorityError(f"expected a whole list, the one of {name} is a delta, indirect, or for some reasons only (extension {wrong})")
    return signer


def _has_signed(revocations: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    key = authority.public_key()
    if authority.subject != revocations.issuer or not isinstance(key, _SIGNS) or not _may_sign_lists(authority):
        return False
    try:
        return revocations.is_signature_valid(key)
    except (InvalidSignature, UnsupportedAlgorithm, TypeError, ValueError):
        return False


def _may_sign_lists(authority: x509.Certificate) -> bool:
    try:
        return authority.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True
    except ValueError:
        return False


def _is_whole(extension: x509.ExtensionType) -> bool:
    """Whether a critical extension leaves the list one that can be read by itself, of certificates of its own issuer."""
    match extension:
        case x509.IssuingDistributionPoint():
            return not extension.indirect_crl and extension.only_some_reasons is None and not extension.only_contains_attribute_certs
        case x509.CRLNumber() | x509.AuthorityKeyIdentifier():
            return True
        case _:
            return False


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES + 1)
    except OSError as error:
        raise AuthorityError(f"the file {path} cannot be read: {error.strerror}") from error
    if len(raw) > FILE_BYTES:
        raise AuthorityError(f"the file {path} is larger than {FILE_BYTES} bytes")
    return raw
