"""What is found about TLS, proxies and client certificates before anything is served."""

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from doorward.config.check_tls import tls, towards
from doorward.config.ground import Ground, Weight
from doorward.config.model import Document, UpstreamTls
from tests.certificates import DAY, FOR_SERVERS, Wanted, authority, named, now, pem, server

ROOT = authority()
BETWEEN = ROOT.intermediate("between")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    server(ROOT).written(tmp_path, "server")
    (tmp_path / "roots.pem").write_text(ROOT.pem + BETWEEN.pem)
    (tmp_path / "one.crl").write_text(pem(BETWEEN.crl()))
    return tmp_path


PLAIN: dict[str, Any] = {"certificate": "server.pem", "key": "server.key"}
MUTUAL = {**PLAIN, "clients": "required", "roots": ["roots.pem"], "crls": ["one.crl"]}


def found(root: Path, document: dict[str, Any]) -> list[tuple[str, str]]:
    """Where each finding is, and whether it is an error."""
    return [(".".join(map(str, one.path)), one.weight.value) for one in tls(Document.model_validate(document), Ground(root, {}))]


def listens(**rules: Any) -> dict[str, Any]:
    return {"listen": {"tls": {**MUTUAL, **rules}}}


ERROR, NOTE = Weight.ERROR.value, Weight.NOTE.value


def test_nothing_is_found_where_all_is_well(here: Path) -> None:
    assert found(here, {}) == []
    assert found(here, {"listen": {"tls": PLAIN, "public_url": "https://mcp.example.com"}}) == []
    assert found(here, listens()) == []
    assert found(here, {**listens(roots=[], crls=[], clients="optional"), "identity": {"ca": {}}}) == []
    assert found(here, {"listen": {"proxy": {"addresses": ["10.0.0.5/32", "2001:db8::/64"]}}, "identity": {"ca": {}}}) == []


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (listens(certificate="missing.pem"), [("listen.tls.certificate", ERROR)]),
        (listens(certificate="one.crl"), [("listen.tls.certificate", ERROR)]),
        ({**listens(roots=[], crls=[]), "identity": {"ca": {}}}, [("listen.tls.clients", NOTE)]),
        (listens(key="missing.key"), [("listen.tls.key", ERROR)]),
        (listens(key="server.pem"), [("listen.tls.key", ERROR)]),
        (listens(key="other.key"), [("listen.tls.key", ERROR)]),
        (listens(roots=[], crls=[]), [("listen.tls.roots", ERROR)]),
        (listens(roots=["missing.pem"], crls=[]), [("listen.tls.roots.0", ERROR)]),
        (listens(roots=["one.crl"], crls=[]), [("listen.tls.roots.0", ERROR)]),
        (listens(crls=["one.crl", "missing.crl"]), [("listen.tls.crls.1", ERROR)]),
        (listens(crls=["roots.pem"]), [("listen.tls.crls.0", ERROR)]),
        (listens(roots=["root.pem"]), [("listen.tls.crls.0", ERROR)]),
        (listens(crls=["ended.crl"]), [("listen.tls.crls.0", NOTE)]),
        (listens(certificate="old.pem", key="old.key"), [("listen.tls.certificate", NOTE)]),
        (listens(clients="off"), [("listen.tls.clients", NOTE)]),
        ({"listen": {"tls": PLAIN, "public_url": "http://mcp.example.com"}}, [("listen.public_url", ERROR)]),
        ({"listen": {"proxy": {"addresses": ["proxy.example.com"]}}}, [("listen.proxy.addresses.0", ERROR)]),
        ({"listen": {"proxy": {"addresses": ["10.0.0.5/8"]}}}, [("listen.proxy.addresses.0", ERROR)]),
        ({"listen": {"proxy": {"addresses": ["10.0.0.5", "0.0.0.0/0"]}}}, [("listen.proxy.addresses.1", ERROR)]),
        ({"listen": {"proxy": {"addresses": ["::/0"]}}}, [("listen.proxy.addresses.0", ERROR)]),
        ({"listen": {"proxy": {"addresses": ["10.0.0.5"]}, "tls": MUTUAL}}, [("listen.tls.clients", NOTE)]),
        (
            {"listen": {"proxy": {"addresses": ["127.0.0.1"]}}, "identity": {"anonymous": {"agent": "me"}}},
            [("identity.anonymous", ERROR)],
        ),
        (listens(roots=["between.pem"]), [("listen.tls.roots", ERROR)]),
        ({"identity": {"ca": {}}}, [("identity.ca", NOTE)]),
        ({**listens(), "identity": {"ca": {"trust_domain": "Example.org"}}}, [("identity.ca.trust_domain", ERROR)]),
        (
            {**listens(), "identity": {"certificates": {"trust_domains": ["example.org", "spiffe://a"]}}},
            [("identity.certificates.trust_domains.1", ERROR)],
        ),
        ({"control": {"listen": {"tls": {**PLAIN, "key": "other.key"}, "sign_in": "corp"}}}, [("control.listen.tls.key", ERROR)]),
        ({"control": {"listen": {"tls": MUTUAL, "sign_in": "corp"}}}, [("control.listen.tls.clients", ERROR)]),
    ],
)
def test_what_is_wrong_is_found_where_it_is(here: Path, document: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    server(ROOT).written(here, "other")
    ROOT.leaf(Wanted("localhost", (), ("localhost",), FOR_SERVERS, now() - 3 * DAY, now() - DAY)).written(here, "old")
    (here / "root.pem").write_text(ROOT.pem)
    (here / "between.pem").write_text(BETWEEN.pem)
    (here / "ended.crl").write_text(pem(ROOT.crl(begins=now() - 3 * DAY, ends=now() - DAY)))
    assert found(here, document) == expected


def test_key_that_others_can_read_is_noted(here: Path) -> None:
    (here / "server.key").chmod(0o644)
    assert found(here, listens()) == [("listen.tls.key", NOTE)]


def test_certificate_for_clients_alone_is_noted_and_one_of_a_weak_key_refused(here: Path) -> None:
    ROOT.leaf().written(here, "client")
    assert found(here, listens(certificate="client.pem", key="client.key")) == [("listen.tls.certificate", NOTE)]
    key, weak = rsa.generate_private_key(65_537, 1024), named("weak")
    builder = x509.CertificateBuilder(weak, weak, key.public_key(), 1).not_valid_before(now() - DAY).not_valid_after(now() + DAY)
    (here / "weak.pem").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    (here / "weak.key").touch(0o600)
    (here / "weak.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert found(here, listens(certificate="weak.pem", key="weak.key")) == [("listen.tls.certificate", ERROR)]


SHOWN = {"certificate": "server.pem", "key": "server.key"}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({**SHOWN, "ca_file": "roots.pem"}, []),
        ({"ca_file": "missing.pem"}, [("tls.ca_file", ERROR)]),
        ({"certificate": "server.pem"}, [("tls", ERROR)]),
        ({"key": "server.key"}, [("tls", ERROR)]),
        ({**SHOWN, "certificate": "missing.pem"}, [("tls.certificate", ERROR)]),
        ({**SHOWN, "key": "server.pem"}, [("tls.key", ERROR)]),
    ],
)
def test_what_tls_is_spoken_to_an_upstream_with(here: Path, rules: dict[str, str], expected: list[tuple[str, str]]) -> None:
    found = towards(UpstreamTls.model_validate(rules), here, ("tls",))
    assert [(".".join(map(str, one.path)), one.weight.value) for one in found] == expected
