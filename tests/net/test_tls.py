"""TLS towards upstreams: names and authorities are always checked."""

import datetime
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from doorward.domain.reasons import Ran
from doorward.net.addresses import Reach, Rule
from doorward.net.errors import NetError, Trouble
from doorward.net.http import Pool, Route
from doorward.net.tls import Renewing, Shown, client_context
from doorward.net.urls import parse_url
from tests.net.raw import Peer, response, scripted

pytestmark = pytest.mark.anyio

LOOPBACK = Rule(Reach.PRIVATE)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A self-signed certificate for good.example and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "good.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("good.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = tmp_path / "cert.pem", tmp_path / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return pem, secret


def server_context(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


async def here(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


async def echo(peer: Peer) -> None:
    while True:
        _, body = await peer.request()
        await peer.send(response(body))


async def test_https_is_spoken_to_the_checked_address_under_the_name(certificate: tuple[Path, Path]) -> None:
    async with scripted(echo, server_context(certificate)) as upstream:
        origin = parse_url(f"https://good.example:{upstream.port}/mcp")
        pool = Pool(Route(origin, LOOPBACK, Renewing(str(certificate[0])), here))
        bodies = [(await pool.post((), body)).body for body in (b"one", b"two", b"x" * 200_000)]
        pool.close()
    assert (bodies, upstream.connections) == ([b"one", b"two", b"x" * 200_000], 1)


@pytest.mark.parametrize("case", ["wrong name", "unknown authority"])
async def test_connection_that_cannot_be_trusted_is_refused_before_anything_is_sent(case: str, certificate: tuple[Path, Path]) -> None:
    host = "bad.example" if case == "wrong name" else "good.example"
    context = client_context(None if case == "unknown authority" else str(certificate[0]))
    async with scripted(echo, server_context(certificate)) as upstream:
        pool = Pool(Route(parse_url(f"https://{host}:{upstream.port}/"), LOOPBACK, lambda: context, here))
        with pytest.raises(NetError) as caught:
            await pool.post((), b"secret")
    assert (caught.value.trouble, caught.value.ran, upstream.requests) == (Trouble.TLS, Ran.NO, [])


async def test_nothing_older_than_tls_1_2_and_no_unverified_name_is_accepted() -> None:
    context = client_context()
    assert (context.minimum_version, context.verify_mode, context.check_hostname) == (ssl.TLSVersion.TLSv1_2, ssl.CERT_REQUIRED, True)


def replaced(source: tuple[Path, Path], directory: Path) -> tuple[Path, Path]:
    """Copies of a certificate and its key in places of their own."""
    copies = directory / "shown.pem", directory / "shown-key.pem"
    for original, copy in zip(source, copies, strict=True):
        copy.write_bytes(original.read_bytes())
    return copies


async def test_a_certificate_of_ours_is_shown_to_whoever_asks_for_one(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    asking = server_context(certificate)
    asking.verify_mode = ssl.CERT_REQUIRED
    asking.load_verify_locations(certificate[0])
    async with scripted(echo, asking) as peer:
        origin = parse_url(peer.url.replace("http://127.0.0.1", "https://good.example"))
        shown = Shown(*replaced(certificate, tmp_path))
        pool = Pool(Route(origin, LOOPBACK, Renewing(str(certificate[0]), shown), here))
        assert (await pool.post((), b"{}")).status == 200
        pool.close()


async def test_a_changed_certificate_is_used_for_the_next_connection_and_a_broken_one_is_not(
    certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    shown = Shown(*replaced(certificate, tmp_path))
    contexts = Renewing(str(certificate[0]), shown)
    first = contexts()
    assert contexts() is first
    good = shown.certificate.read_bytes()
    shown.certificate.write_bytes(b"half of it")
    assert contexts() is first
    shown.certificate.write_bytes(good + b"\n")
    assert contexts() is not first


async def test_what_cannot_be_shown_refuses_before_anything_is_sent(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    async with scripted(echo, server_context(certificate)) as peer:
        origin = parse_url(peer.url.replace("http://127.0.0.1", "https://good.example"))
        pool = Pool(Route(origin, LOOPBACK, Renewing(str(certificate[0]), Shown(tmp_path / "none.pem", tmp_path / "none.key")), here))
        with pytest.raises(NetError) as caught:
            await pool.post((), b"{}")
        assert (caught.value.trouble, caught.value.ran) == (Trouble.TLS, Ran.NO)
        pool.close()
