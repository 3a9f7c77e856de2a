"""What each upstream is shown, by its configuration."""

import inspect

import pytest

from doorward.config.model import Credential, Document, Stdio, Upstream
from doorward.credentials import broker, plan, static
from doorward.credentials.plan import Environment, Nothing, StaticHeader, kind, plans, pointers
from doorward.domain.ids import UpstreamId


def document(**upstreams: Upstream) -> Document:
    return Document(upstreams=upstreams)


def test_every_upstream_has_a_plan() -> None:
    found = plans(
        document(
            open=Upstream(url="https://Open.example:8443/mcp?x=1"),
            keyed=Upstream(url="https://user@keyed.example/mcp", credential=Credential(value="Bearer ${env:T}")),
            local=Upstream(stdio=Stdio(command=("run",), env={"MODE": "fast", "TOKEN": "${file:token}"})),
        )
    )
    assert found == {
        "open": Nothing("https://open.example:8443"),
        "keyed": StaticHeader("https://keyed.example", "Authorization", "Bearer ${env:T}"),
        "local": Environment("stdio:local", (("MODE", "fast"), ("TOKEN", "${file:token}"))),
    }


def test_the_audience_of_an_ipv6_upstream_is_a_url_again() -> None:
    assert plan.plan("v6", Upstream(url="http://[::1]:80/mcp")) == Nothing("http://[::1]:80")


@pytest.mark.parametrize(
    ("of", "name", "references"),
    [
        (Nothing("x"), "none", []),
        (StaticHeader("x", "X-Key", "${env:A}${file:b}"), "static", ["${env:A}", "${file:b}"]),
        (Environment("x", (("MODE", "fast"),)), "none", []),
        (Environment("x", (("T", "${env:A}"),)), "static", ["${env:A}"]),
    ],
)
def test_receipts_name_the_kind_and_the_plan_knows_its_references(of: plan.Plan, name: str, references: list[str]) -> None:
    assert (kind(of), [str(pointer) for pointer in pointers(of)]) == (name, references)


def test_no_header_of_a_client_can_stand_in_for_our_credential_cve_2026_110279() -> None:
    """The flaw was a request header (`X-Upstream-Authorization`) that replaced the credential that the gateway held.

    Nothing in this room takes a header, a request or a call: what is leased follows from the configuration and the upstream's id.
    """
    taken = {
        name
        for module in (plan, static, broker)
        for _, thing in inspect.getmembers(module, inspect.isfunction)
        if thing.__module__ == module.__name__
        for name in inspect.signature(thing).parameters
    } | set(inspect.signature(broker.Broker.lease).parameters)
    assert not taken & {"headers", "request", "presented", "call", "inbound", "meta"}
    assert set(inspect.signature(broker.Broker.lease).parameters) == {"self", "upstream", "principal"}
    assert UpstreamId("x") == "x"


def test_a_credential_of_several_addresses_is_for_each_of_them() -> None:
    urls = ("https://a.example.com/mcp", "https://b.example.com:8443/mcp", "https://a.example.com/other")
    assert plan.plan("a", Upstream(urls=urls)) == Nothing("https://a.example.com https://b.example.com:8443")
