"""Authorities, certificates and revocation lists as tests need them: everything has a plain default, what matters is said."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
SPIFFE = "spiffe://example.org/agents/one"
FOR_CLIENTS = (ExtendedKeyUsageOID.CLIENT_AUTH,)
FOR_SERVERS = (ExtendedKeyUsageOID.SERVER_AUTH,)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])


@dataclass(frozen=True)
class Issued:
    """A certificate, its key, and those above it that its holder shows along with it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    above: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> str:
        return "".join(one.public_bytes(Encoding.PEM).decode() for one in (self.certificate, *self.above))

    @property
    def key_pem(self) -> str:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def alone(self) -> "Issued":
        """Without those above it."""
        return replace(self, above=())

    def written(self, directory: Path, name: str) -> tuple[Path, Path]:
        """The paths of its chain and key."""
        chain, key = directory / f"{name}.pem", directory / f"{name}.key"
        chain.write_text(self.pem)
        key.touch(0o600)
        key.write_text(self.key_pem)
        return chain, key


@dataclass(frozen=True)
class Wanted:
    """What a leaf says."""

    common_name: str = ""
    uris: Sequence[str] = (SPIFFE,)
    dns: Sequence[str] = ()
    usages: Sequence[x509.ObjectIdentifier] = FOR_CLIENTS
    begins: datetime.datetime = field(default_factory=lambda: now() - DAY)
    ends: datetime.datetime = field(default_factory=lambda: now() + DAY)


@dataclass(frozen=True)
class Authority:
    """Something that issues."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    above: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def leaf(self, wanted: Wanted | None = None) -> Issued:
        """A certificate for an agent, unless something else is wanted."""
        said, key = wanted or Wanted(), ec.generate_private_key(ec.SECP256R1())
        builder = _builder(self, named(said.common_name), key.public_key(), (said.begins, said.ends))
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        names = [*map(x509.UniformResourceIdentifier, said.uris), *map(x509.DNSName, said.dns)]
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if said.usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(said.usages), critical=False)
        return Issued(builder.sign(self.key, hashes.SHA256()), key, self.above)

    def intermediate(self, name: str) -> "Authority":
        """An authority below this one."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(self, named(name), key.public_key(), (now() - DAY, now() + 30 * DAY))
        made = _as_authority(builder, key).sign(self.key, hashes.SHA256())
        return Authority(made, key, (made, *self.above))

    def crl(
        self,
        revoked: Iterable[x509.Certificate] = (),
        *,
        ends: datetime.datetime | None = None,
        begins: datetime.datetime | None = None,
        extension: x509.ExtensionType | None = None,
    ) -> x509.CertificateRevocationList:
        """The list of what this authority has revoked."""
        builder = x509.CertificateRevocationListBuilder(self.certificate.subject).last_update(begins or now() - DAY)
        builder = builder.next_update(ends or now() + DAY)
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.serial_number).revocation_date(now() - DAY)
            builder = builder.add_revoked_certificate(entry.build())
        if extension is not None:
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(self.key, hashes.SHA256())


def authority(name: str = "root") -> Authority:
    """A new root."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(named(name), named(name), key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now() - DAY).not_valid_after(now() + 30 * DAY)
    return Authority(_as_authority(builder, key).sign(key, hashes.SHA256()), key)


def server(root: Authority) -> Issued:
    """The certificate of a listener on this machine."""
    return root.leaf(Wanted("localhost", (), ("localhost",), FOR_SERVERS))


def pem(revocations: x509.CertificateRevocationList) -> str:
    return revocations.public_bytes(Encoding.PEM).decode()


def _as_authority(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    """With what strict verifiers (Python 3.13 and later by default) ask of authorities."""
    usage = x509.KeyUsage(
        key_cert_sign=True,
        crl_sign=True,
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).add_extension(usage, critical=True)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _builder(
    by: Authority, subject: x509.Name, key: ec.EllipticCurvePublicKey, valid: tuple[datetime.datetime, datetime.datetime]
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(by.certificate.subject, subject, key, x509.random_serial_number())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key())
    return builder.not_valid_before(valid[0]).not_valid_after(valid[1]).add_extension(issuer, critical=False)
