"""What each upstream is shown, by its configuration."""

import inspect
from dataclasses import fields

import pytest

from doorward.config.credentials import BasicCredential, HeaderCredential, NoCredential
from doorward.config.model import Document, Stdio, Upstream, UpstreamTls
from doorward.credentials import broker, minting, plan, static
from doorward.credentials.plan import Basic, Certificate, Environment, Nothing, StaticHeader, kind, plans, pointers
from doorward.credentials.port import Use


def document(**upstreams: Upstream) -> Document:
    return Document(upstreams=upstreams)


def test_every_upstream_has_a_plan() -> None:
    found = plans(
        document(
            open=Upstream(url="https://Open.example:8443/mcp?x=1"),
            keyed=Upstream(url="https://user@keyed.example/mcp", credential=HeaderCredential(value="Bearer ${env:T}")),
            named=Upstream(url="https://n.example/mcp", credential=BasicCredential(kind="basic", username="ci", password="${env:P}")),
            bare=Upstream(url="https://b.example/mcp", credential=NoCredential(kind="none")),
            local=Upstream(stdio=Stdio(command=("run",), env={"MODE": "fast", "TOKEN": "${file:token}"})),
        )
    )
    assert found == {
        "open": Nothing("https://open.example:8443"),
        "keyed": StaticHeader("https://keyed.example", "Authorization", "Bearer ${env:T}"),
        "named": Basic("https://n.example", "ci", "${env:P}"),
        "bare": Nothing("https://b.example"),
        "local": Environment("stdio:local", (("MODE", "fast"), ("TOKEN", "${file:token}"))),
    }


def test_a_certificate_that_tls_shows_is_a_credential_where_there_is_no_other() -> None:
    tls = UpstreamTls(certificate="own.pem", key="own.key")
    shown = Upstream(url="https://a.example/mcp", tls=tls)
    assert plan.plan("a", shown, {}) == Certificate("https://a.example", "own.pem")
    assert kind(plan.plan("a", shown, {})) == "certificate"
    both = Upstream(url="https://a.example/mcp", tls=tls, credential=HeaderCredential(value="${env:T}"))
    assert kind(plan.plan("a", both, {})) == "static"
    assert kind(plan.plan("a", Upstream(url="https://a.example/mcp", tls=UpstreamTls(ca_file="ca.pem")), {})) == "none"


def test_the_audience_of_an_ipv6_upstream_is_a_url_again() -> None:
    assert plan.plan("v6", Upstream(url="http://[::1]:80/mcp"), {}) == Nothing("http://[::1]:80")


@pytest.mark.parametrize(
    ("of", "name", "references"),
    [
        (Nothing("x"), "none", []),
        (StaticHeader("x", "X-Key", "${env:A}${file:b}"), "static", ["${env:A}", "${file:b}"]),
        (Basic("x", "ci-${env:A}", "${file:b}"), "basic", ["${env:A}", "${file:b}"]),
        (Environment("x", (("MODE", "fast"),)), "none", []),
        (Environment("x", (("T", "${env:A}"),)), "static", ["${env:A}"]),
    ],
)
def test_receipts_name_the_kind_and_the_plan_knows_its_references(of: plan.Plan, name: str, references: list[str]) -> None:
    assert (kind(of), [str(pointer) for pointer in pointers(of)]) == (name, references)


def test_no_header_of_a_client_can_stand_in_for_our_credential_cve_2026_110279() -> None:
    """The flaw was a request header (`X-Upstream-Authorization`) that replaced the credential that the gateway held.

    Nothing that makes a credential is given a header or a request: what is leased follows from the configuration, the call that was
    decided on, and the one token that says who calls.
    """
    taken = {
        name
        for module in (plan, static, broker, minting)
        for _, thing in inspect.getmembers(module, inspect.isfunction)
        if thing.__module__ == module.__name__
        for name in inspect.signature(thing).parameters
    } | set(inspect.signature(broker.Broker.lease).parameters)
    assert not taken & {"headers", "request", "presented", "inbound", "meta"}
    assert {field.name for field in fields(Use)} == {"call", "presented"}


def test_a_credential_of_several_addresses_is_for_each_of_them() -> None:
    urls = ("https://a.example.com/mcp", "https://b.example.com:8443/mcp", "https://a.example.com/other")
    assert plan.plan("a", Upstream(urls=urls), {}) == Nothing("https://a.example.com https://b.example.com:8443")
