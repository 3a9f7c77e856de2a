"""Our own authority: what it takes of a request, what it says in a certificate, and what its root is good for."""

import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from doorward.domain.ids import AgentId
from doorward.identity.certificates.ca import Ca, CaError, RequestError, new_root, opened
from doorward.identity.certificates.kept import kept
from doorward.identity.certificates.reader import is_for_clients, thumbprint
from tests.certificates import named
from tests.identity.stores import Draws

NOW = 1_800_000_000.0
HOUR = 3600.0
SECRET = bytes(range(32))
ONE = AgentId("one")


def ca() -> Ca:
    draws = Draws()
    return opened(SECRET, new_root(SECRET, "doorward.local", NOW, draws), "doorward.local", draws)


def request(key: object = None, **said: object) -> bytes:
    """A signing request that asks for as much as it can."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder(named("root of all"))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    uri = x509.UniformResourceIdentifier("spiffe://doorward.local/agent/two")
    builder = builder.add_extension(x509.SubjectAlternativeName([uri, x509.DNSName("bank.example")]), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=True)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey) else hashes.SHA256()
    return builder.sign(key, algorithm).public_bytes(Encoding.PEM)  # type: ignore[arg-type]


def public(key: object) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]


@pytest.mark.parametrize("make", [lambda: ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate])
def test_nothing_but_the_key_is_taken_from_a_request(make: object) -> None:
    authority, key = ca(), make()  # type: ignore[operator]
    made = authority.issue(ONE, request(key), NOW, NOW + HOUR)
    leaf, root = x509.load_pem_x509_certificates(made.chain.encode())
    leaf.verify_directly_issued_by(root)
    assert public(leaf.public_key()) == public(key.public_key())
    assert leaf.subject == named("one")
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.UniformResourceIdentifier("spiffe://doorward.local/agent/one")]
    usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert (list(usages), is_for_clients(leaf)) == ([ExtendedKeyUsageOID.CLIENT_AUTH], True)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert leaf.not_valid_after_utc.timestamp() == NOW + HOUR
    assert made.record.id == thumbprint(leaf.public_bytes(Encoding.DER))
    assert (made.record.agent, made.record.serial, made.record.not_after) == (ONE, f"{leaf.serial_number:x}", NOW + HOUR)


def test_serials_are_random_positive_and_never_the_same() -> None:
    authority, asked = ca(), request()
    serials = [int(authority.issue(ONE, asked, NOW, NOW + HOUR).record.serial, 16) for _ in range(20)]
    assert len(set(serials)) == 20
    assert all(serial.bit_length() == 127 for serial in serials)


def with_another_key() -> bytes:
    """A request for a key whose private half its sender does not have."""
    mine, theirs = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    asked = x509.load_pem_x509_csr(request(mine)).public_bytes(Encoding.DER)
    forged = asked.replace(public(mine.public_key()), public(theirs.public_key()))
    assert forged != asked
    return x509.load_der_x509_csr(forged).public_bytes(Encoding.PEM)


REFUSED = {
    "empty": lambda: b"",
    "no request": lambda: b"abc",
    "a certificate": lambda: new_root(SECRET, "doorward.local", NOW, Draws()).encode(),
    "too large": lambda: request() + b" " * 20_000,
    "a key of somebody else": with_another_key,
    "RSA": lambda: request(rsa.generate_private_key(65537, 2048)),
    "P-384": lambda: request(ec.generate_private_key(ec.SECP384R1())),
    "secp256k1": lambda: request(ec.generate_private_key(ec.SECP256K1())),
    "Ed448": lambda: request(ed448.Ed448PrivateKey.generate()),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED.keys())
def test_other_requests_get_no_certificate(make: object) -> None:
    with pytest.raises(RequestError):
        ca().issue(ONE, make(), NOW, NOW + HOUR)  # type: ignore[operator]


def test_certificate_ends_with_its_agent_and_its_root_at_the_latest() -> None:
    authority = ca()
    root = authority.embedded.certificate
    made = authority.issue(ONE, request(), NOW, float(2**33))
    assert made.record.not_after == root.not_valid_after_utc.timestamp()
    with pytest.raises(RequestError):
        authority.issue(ONE, request(), NOW, NOW)
    with pytest.raises(RequestError):
        authority.issue(ONE, request(), NOW + 4000 * 86_400, NOW + 4001 * 86_400)


def test_root_is_kept_and_opened_again_as_it_was(tmp_path: Path) -> None:
    first = kept(tmp_path, SECRET, "doorward.local", NOW, Draws())
    again = kept(tmp_path, SECRET, "doorward.local", NOW + 1, Draws())
    assert first.embedded == again.embedded
    assert [path.name for path in tmp_path.iterdir()] == ["ca.pem"]
    assert stat.S_IMODE((tmp_path / "ca.pem").stat().st_mode) & 0o022 == 0
    chain = again.issue(ONE, request(), NOW, NOW + HOUR).chain
    leaf, root = x509.load_pem_x509_certificates(chain.encode())
    leaf.verify_directly_issued_by(first.embedded.certificate)
    assert root == first.embedded.certificate


def test_root_of_another_key_or_trust_domain_is_not_taken(tmp_path: Path) -> None:
    kept(tmp_path, SECRET, "doorward.local", NOW, Draws())
    for secret, domain in ((bytes(32), "doorward.local"), (SECRET, "example.org")):
        with pytest.raises(CaError):
            kept(tmp_path, secret, domain, NOW, Draws())
    (tmp_path / "ca.pem").write_text("abc")
    with pytest.raises(CaError):
        kept(tmp_path, SECRET, "doorward.local", NOW, Draws())
    with pytest.raises(CaError):
        kept(tmp_path / "missing", SECRET, "doorward.local", NOW, Draws())


def test_openssl_takes_the_root_for_an_authority() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_verify_locations(cadata=new_root(SECRET, "doorward.local", NOW, Draws()))
    assert context.cert_store_stats() == {"x509": 1, "crl": 0, "x509_ca": 1}


def test_authority_shows_no_key() -> None:
    assert "Private" not in repr(ca())
