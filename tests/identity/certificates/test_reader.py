"""What is read from a path, and what cannot be read."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from doorward.identity.certificate import Certificate
from doorward.identity.certificates.reader import CertificateError, read, thumbprint
from tests.certificates import DAY, Wanted, authority, named, now

ROOT = authority()


def test_names_serials_and_end_are_read_from_the_whole_path() -> None:
    between = ROOT.intermediate("between")
    leaf = between.leaf(Wanted("one", ("spiffe://example.org/a", "https://b/"), ("A.example", "b.example")))
    assert read([leaf.der, between.der, ROOT.der]) == Certificate(
        thumbprint=thumbprint(leaf.der),
        serial=leaf.certificate.serial_number,
        issuer="CN=between",
        subject="CN=one",
        uris=("spiffe://example.org/a", "https://b/"),
        dns=("a.example", "b.example"),
        not_after=leaf.certificate.not_valid_after_utc.timestamp(),
        authority=thumbprint(ROOT.der),
        path=(("CN=between", leaf.certificate.serial_number), ("CN=root", between.certificate.serial_number)),
    )


def test_certificate_that_is_a_root_itself_can_be_revoked_too() -> None:
    certificate = read([ROOT.der])
    assert (certificate.path, certificate.authority) == ((("CN=root", ROOT.certificate.serial_number),), thumbprint(ROOT.der))


@pytest.mark.parametrize("path", [[], [b""], [b"\x30\x03abc"], [ROOT.der + b"x"], [ROOT.der] * 11])
def test_what_is_no_path_of_certificates_is_refused(path: list[bytes]) -> None:
    with pytest.raises(CertificateError):
        read(path)


def test_name_that_cannot_be_decoded_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(named("a"), named("a"), key.public_key(), 1).not_valid_before(now()).not_valid_after(now() + DAY)
    broken = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"\x30\x03\x86\x01\xff")
    made = builder.add_extension(broken, critical=False).sign(key, hashes.SHA256())
    with pytest.raises(CertificateError):
        read([made.public_bytes(Encoding.DER)])
