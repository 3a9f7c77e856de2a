"""A gateway behind a reverse proxy that tells who the client is (RFC 9440), and impostors who say the same."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.certificates import FOR_SERVERS, Issued, Wanted, authority
from tests.e2e.client import Client, Said
from tests.e2e.commands import ordered
from tests.e2e.log import until
from tests.e2e.secured import named, principal, print_of
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream

_DER = Encoding.DER
PROXY = "127.0.0.2"
ROOT = authority()


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    with witnessing() as made:
        yield made


@pytest.fixture(scope="module")
def gateway(witness: Witness, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    place: Path = tmp_path_factory.mktemp("proxy")
    document = {
        "listen": {"port": 0, "public_url": "https://mcp.example.com", "proxy": {"addresses": [f"{PROXY}/32"]}},
        "upstreams": {"up": http_upstream(witness.url)},
    }
    with doorward(place, document) as running:
        identity = "spiffe://example.org/agents/builder"
        ordered(running, "agent", "add", "builder", "--team", "ci", "--method", "certificate", "--identity", identity)
        yield running


def header(shown: Issued) -> str:
    return f":{b64encode(shown.der).decode()}:"


def through(gateway: Running, source: str, key: str = "", **headers: str) -> Said:
    """What a call got that came from an address, with headers."""
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    with Client(gateway.url(), key, source=source, extra=extra) as one:
        return one.call("up__echo")


def test_certificate_that_the_trusted_proxy_tells_of_is_the_clients(gateway: Running) -> None:
    shown, above = ROOT.leaf(named("builder")), ROOT.intermediate("between")
    got = through(gateway, PROXY, Client_Cert=header(shown))
    who = principal(gateway, got)
    assert (who["agent"], who["method"], who["certificate"]) == ("builder", "certificate", print_of(shown))
    below = above.leaf(named("builder"))
    chain = ", ".join(f":{b64encode(one.public_bytes(_DER)).decode()}:" for one in below.above)
    assert through(gateway, PROXY, Client_Cert=header(below), Client_Cert_Chain=chain).status == 200


def test_the_same_header_from_anywhere_else_is_refused_whatever_comes_with_it(gateway: Running) -> None:
    shown = header(ROOT.leaf(named("builder")))
    for source in ("127.0.0.1", "127.0.0.3"):
        assert through(gateway, source, Client_Cert=shown).status == 400
        assert through(gateway, source, gateway.key(), Client_Cert=shown).status == 400
        assert through(gateway, source, gateway.key(), Client_Cert_Chain=shown).status == 400
        assert through(gateway, source, Client_Cert=shown, X_Forwarded_For=PROXY, Forwarded=f"for={PROXY}").status == 400


def test_proxy_that_tells_of_nobody_is_nobody(gateway: Running) -> None:
    assert through(gateway, PROXY).status == 401
    assert through(gateway, PROXY, gateway.key()).status == 200


@pytest.mark.parametrize("wrong", ["", "::", ":bm8gY2VydGlmaWNhdGU=:", "not in colons"])
def test_header_that_is_no_certificate_is_refused(gateway: Running, wrong: str) -> None:
    assert through(gateway, PROXY, gateway.key(), Client_Cert=wrong).status == 400


def test_certificate_for_servers_or_of_nobody_is_refused(gateway: Running) -> None:
    assert through(gateway, PROXY, Client_Cert=header(ROOT.leaf(named("nobody")))).status == 401
    assert through(gateway, PROXY, Client_Cert=header(ROOT.leaf(Wanted(usages=FOR_SERVERS)))).status == 400


def test_revoked_certificate_is_refused_and_what_it_has_in_flight_is_cut(gateway: Running, witness: Witness) -> None:
    shown = ROOT.leaf(named("builder"))
    extra = {"Client-Cert": header(shown)}
    with Client(gateway.url(), source=PROXY, extra=extra) as one:
        pending = one.begin_call("up__wait", {"mark": "behind a proxy"})
        witness.has_seen("behind a proxy")
        ordered(gateway, "revoke", "certificate", print_of(shown), "--reason", "A leak")
        assert pending.said().reason == "revoked_meanwhile"
        until(lambda: "behind a proxy" in witness.ended)
        assert one.call("up__echo").status == 401
    assert through(gateway, PROXY, gateway.key(), Client_Cert=header(shown)).status == 401
    assert through(gateway, PROXY, Client_Cert=header(ROOT.leaf(named("builder")))).status == 200
