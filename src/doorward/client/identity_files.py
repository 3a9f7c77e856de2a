"""An agent's own key and certificate on its machine: the key is made here and never leaves, the certificate is renewed in place."""

import os
import stat
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

KEY_NAME = "agent.key"
CHAIN_NAME = "agent.pem"
_LEFT = 3
"""A certificate is renewed once less than this part of its life is left: time for a gateway to be down, and to be told."""


class IdentityFilesError(Exception):
    """The directory, key or certificate is not as it should be."""


class IdentityFiles(msgspec.Struct, frozen=True):
    """One agent's directory."""

    directory: Path

    @property
    def key_path(self) -> Path:
        """The private key (PEM), readable by its owner alone."""
        return self.directory / KEY_NAME

    @property
    def chain_path(self) -> Path:
        """The certificate and its root (PEM), replaced whole."""
        return self.directory / CHAIN_NAME

    def request(self) -> bytes:
        """A signing request (PKCS #10, PEM) for the key, which is made where there is none; raises `IdentityFilesError`."""
        key = self._key() if self.key_path.exists() else self._new_key()
        # The name says nothing: the gateway knows who asks, and takes the key alone.
        builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def certificate(self) -> x509.Certificate | None:
        """The certificate that is there; None if there is none. Raises `IdentityFilesError`."""
        try:
            return x509.load_pem_x509_certificates(self.chain_path.read_bytes())[0]
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise IdentityFilesError(f"a certificate was expected in {self.chain_path}") from error

    def keep(self, chain: bytes) -> x509.Certificate:
        """Puts a certificate in place of the one before, whole or not at all; raises `IdentityFilesError` if it is for another key."""
        try:
            leaf = x509.load_pem_x509_certificates(chain)[0]
            is_ours = leaf.public_key() == self._key().public_key()
        except ValueError as error:
            raise IdentityFilesError("the gateway answered with something that is no certificate") from error
        if not is_ours:
            raise IdentityFilesError("the gateway answered with a certificate for another key")
        self._write(self.chain_path, chain, 0o644)
        return leaf

    def _key(self) -> ec.EllipticCurvePrivateKey:
        try:
            mode = stat.S_IMODE(self.key_path.stat().st_mode)
            key = load_pem_private_key(self.key_path.read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            raise IdentityFilesError(f"a private key was expected in {self.key_path}") from error
        if mode & 0o077:
            raise IdentityFilesError(f"{self.key_path} must be readable by its owner alone (0600), its mode is {mode:04o}")
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise IdentityFilesError(f"a private key on P-256 was expected in {self.key_path}")
        return key

    def _new_key(self) -> ec.EllipticCurvePrivateKey:
        key = ec.generate_private_key(ec.SECP256R1())
        self._write(self.key_path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
        return key

    def _write(self, path: Path, text: bytes, mode: int) -> None:
        """Whole and durable, or not at all; never readable by more than it should be."""
        partial = path.with_name(f"{path.name}.new")
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial.unlink(missing_ok=True)
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(descriptor, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            partial.rename(path)
        except OSError as error:
            raise IdentityFilesError(f"{path} cannot be written: {error.strerror}") from error


def is_due(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether less than a third of its life is left."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return (ends - now) * _LEFT < ends - begins
