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
from doorward.net.tls import client_context
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
        pool = Pool(Route(origin, LOOPBACK, client_context(str(certificate[0])), here))
        bodies = [(await pool.post((), body)).body for body in (b"one", b"two", b"x" * 200_000)]
        pool.close()
    assert (bodies, upstream.connections) == ([b"one", b"two", b"x" * 200_000], 1)


@pytest.mark.parametrize("case", ["wrong name", "unknown authority"])
async def test_connection_that_cannot_be_trusted_is_refused_before_anything_is_sent(case: str, certificate: tuple[Path, Path]) -> None:
    host = "bad.example" if case == "wrong name" else "good.example"
    context = client_context(None if case == "unknown authority" else str(certificate[0]))
    async with scripted(echo, server_context(certificate)) as upstream:
        pool = Pool(Route(parse_url(f"https://{host}:{upstream.port}/"), LOOPBACK, context, here))
        with pytest.raises(NetError) as caught:
            await pool.post((), b"secret")
    assert (caught.value.trouble, caught.value.ran, upstream.requests) == (Trouble.TLS, Ran.NO, [])


async def test_nothing_older_than_tls_1_2_and_no_unverified_name_is_accepted() -> None:
    context = client_context()
    assert (context.minimum_version, context.verify_mode, context.check_hostname) == (ssl.TLSVersion.TLSv1_2, ssl.CERT_REQUIRED, True)
