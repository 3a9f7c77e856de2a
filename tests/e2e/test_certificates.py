"""Agents known by client certificates, through a running gateway: made known by hand and by rules, refused, decided about and recorded."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import DAY, FOR_SERVERS, Wanted, authority, now
from tests.e2e.client import REVISIONS, Client
from tests.e2e.commands import asked, ordered, told
from tests.e2e.log import events, until
from tests.e2e.secured import DOMAIN, Place, client, is_turned_away, named, principal, print_of, said, url
from tests.e2e.witness import Witness, witnessing
from tests.gateway import PERMIT_ALL, Running, doorward, http_upstream

POLICY = (
    PERMIT_ALL
    + """
@id("certified")
@reason("Only over a connection with a certificate.")
forbid (principal, action == Action::"up/other", resource) unless { context.certificate };
"""
)
IDENTITY = {
    "certificates": {"names": ["spiffe", "dns", "subject"], "trust_domains": ["example.org"]},
    "enrol": [{"spiffe": f"{DOMAIN}/fleet/*", "agent": "fleet-{name}", "team": "ci", "owner": "ada"}],
}


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    with witnessing() as made:
        yield made


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def gateway(place: Place, witness: Witness) -> Iterator[Running]:
    document = {"listen": place.listen(), "identity": IDENTITY, "upstreams": {"up": http_upstream(witness.url)}}
    with doorward(place.directory, document, POLICY) as running:
        yield running


@pytest.mark.parametrize(
    ("agent", "identity", "wanted"),
    [
        ("by-spiffe", f"{DOMAIN}/agents/by-spiffe", named("by-spiffe")),
        ("by-dns", "dns:by-dns.agents.example.org", Wanted(uris=(), dns=("by-dns.agents.example.org",))),
        ("by-subject", "subject:CN=by subject", Wanted("by subject", uris=())),
    ],
)
def test_agent_is_known_by_the_identity_in_its_certificate(
    gateway: Running, place: Place, agent: str, identity: str, wanted: Wanted
) -> None:
    ordered(gateway, "agent", "add", agent, "--team", "ci", "--method", "certificate", "--identity", identity)
    shown = place.root.leaf(wanted)
    for revision in REVISIONS:
        got = said(gateway, place.context(shown), revision=revision)
        who = principal(gateway, got)
        assert (who["agent"], who["team"], who["subject"]) == (agent, "ci", None)
        assert (who["method"], who["credential_id"], who["certificate"]) == ("certificate", print_of(shown), print_of(shown))
    [record] = [one for one in asked(gateway, "agent", "list")["agents"] if one["id"] == agent]
    assert record["seen_at"]
    assert record["keys"] == []


def test_certificate_of_nobody_is_refused_and_the_log_hears_of_it(gateway: Running, place: Place) -> None:
    refused = said(gateway, place.context(place.root.leaf(named("nobody"))))
    [heard, *_] = until(lambda: events(gateway.directory / "state", "turned_away"))
    assert f"{DOMAIN}/agents/nobody' is not registered" in heard["fields"]["detail"]
    assert refused.status == 401
    assert refused.headers["www-authenticate"].startswith("Bearer ")
    assert said(gateway, place.context()).status == 401
    with client(gateway, place.context(place.root.leaf(Wanted(uris=("spiffe://example.com/fleet/one",))))) as elsewhere:
        assert elsewhere.call("up__echo").status == 401


def test_session_goes_on_with_the_next_certificate_of_its_agent_and_is_unknown_to_others(gateway: Running, place: Place) -> None:
    first, renewed, other = (Wanted(uris=(f"{DOMAIN}/fleet/{name}",)) for name in ("renews", "renews", "other"))
    with client(gateway, place.context(place.root.leaf(first)), revision="2025-11-25") as one:
        assert one.call("up__echo").text
        for wanted, status in ((renewed, 200), (other, 404)):
            assert said(gateway, place.context(place.root.leaf(wanted)), revision="2025-11-25", session=one.session).status == status


def test_rule_enrols_whoever_comes_from_its_path(gateway: Running, place: Place) -> None:
    shown = place.context(place.root.leaf(Wanted(uris=(f"{DOMAIN}/fleet/one",))))
    with client(gateway, shown) as one:
        who = principal(gateway, one.call("up__echo"))
        assert (who["agent"], who["team"], who["method"]) == ("fleet-one", "ci", "certificate")
        enrolled = events(gateway.directory / "state", "agent_enrolled")
        assert "fleet-one" in {leaf["fields"]["agent"] for leaf in enrolled}
        ordered(gateway, "agent", "suspend", "fleet-one")
        assert one.call("up__echo").status == 401
        ordered(gateway, "agent", "resume", "fleet-one")
        assert one.call("up__echo").status == 200


def test_key_on_a_connection_with_a_certificate_decides_who_calls_and_policy_sees_the_certificate(gateway: Running, place: Place) -> None:
    key = gateway.key("with-key")
    shown = place.root.leaf(named("nobody"))
    both, bare = said(gateway, place.context(shown), key), said(gateway, place.context(), key)
    who = principal(gateway, both)
    assert (who["agent"], who["method"], who["certificate"]) == ("with-key", "agent_key", print_of(shown))
    assert "certificate" not in principal(gateway, bare)
    with client(gateway, place.context(), key) as without, client(gateway, place.context(shown), key) as certified:
        assert "up__other" in {tool["name"] for tool in certified.ask("tools/list").result["tools"]}
        assert certified.call("up__other").text
        assert "up__other" not in {tool["name"] for tool in without.ask("tools/list").result["tools"]}
        assert without.call("up__other").reason == "unknown_target"


def test_agent_that_may_not_use_certificates_is_refused_with_a_good_one(gateway: Running, place: Place) -> None:
    wanted = ("--method", "access_token", "--identity", f"{DOMAIN}/agents/tokens")
    code, warned = told(gateway, "agent", "add", "tokens", "--team", "ci", *wanted)
    assert (code, "may not prove itself by certificate" in warned) == (3, True)
    with client(gateway, place.context(place.root.leaf(named("tokens")))) as one:
        assert one.call("up__echo").status == 401
        ordered(gateway, "agent", "edit", "tokens", "--method", "certificate")
        assert one.call("up__echo").status == 200
        ordered(gateway, "agent", "unbind", "tokens", f"{DOMAIN}/agents/tokens")
        assert one.call("up__echo").status == 401


def test_certificate_that_is_not_ours_does_not_get_past_the_handshake(gateway: Running, place: Place) -> None:
    stranger = authority("stranger").leaf(named("by-spiffe"))
    between = place.root.intermediate("between")
    for wrong in (
        stranger,
        place.root.leaf(Wanted(usages=FOR_SERVERS)),
        place.root.leaf(Wanted(begins=now() - 2 * DAY, ends=now() - DAY)),
        between.leaf(named("by-spiffe")).alone(),
    ):
        assert is_turned_away(gateway, place.context(wrong))
    ordered(gateway, "agent", "add", "below", "--team", "ci", "--method", "certificate", "--identity", f"{DOMAIN}/agents/below")
    assert said(gateway, place.context(between.leaf(named("below")))).status == 200


def test_plain_http_and_old_tls_are_not_spoken(gateway: Running, place: Place) -> None:
    with pytest.raises(OSError):
        said(gateway, place.context(newest=ssl.TLSVersion.TLSv1_2))
    with Client(f"http://localhost:{gateway.port}/mcp", gateway.key()) as plain, pytest.raises(OSError):
        plain.call("up__echo")


def test_receipts_are_found_by_the_certificate(gateway: Running, place: Place) -> None:
    shown = place.root.leaf(Wanted(uris=(f"{DOMAIN}/fleet/found",)))
    got = said(gateway, place.context(shown))
    found = asked(gateway, "log", "list", "--certificate", print_of(shown))
    assert {one["leaf"].get("call") for one in found["leaves"]} == {got.receipt}


def test_required_certificate_keeps_everybody_else_out_before_http(tmp_path: Path, witness: Witness) -> None:
    place = Place(tmp_path)
    with doorward(tmp_path, {"listen": place.listen("required"), "upstreams": {"up": http_upstream(witness.url)}}) as running:
        ordered(running, "agent", "add", "builder", "--team", "ci", "--method", "certificate", "--identity", f"{DOMAIN}/agents/builder")
        assert is_turned_away(running, place.context())
        got = said(running, place.context(place.root.leaf(named("builder"))))
        assert principal(running, got)["agent"] == "builder"
        key = running.key()
        assert principal(running, said(running, place.context(place.root.leaf()), key))["method"] == "agent_key"
        assert told(running, "status")[0] == 0
        with Client(url(running, "up"), key, tls=place.context(place.root.leaf())) as one:
            assert one.call("echo").text
