"""Addresses that run script, hide their host or belong to no name; icons and interfaces."""

import base64

import pytest

from doorward.catalog.poison.found import Rule
from doorward.catalog.poison.links import icons, interface, links
from doorward.domain.findings import Severity

SVG = "<svg xmlns='http://www.w3.org/2000/svg'>{}</svg>"


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("click javascript:alert(1)", Severity.HIGH),
        ("data:text/html;base64,PHNjcmlwdD4=", Severity.HIGH),
        ("see http://93.184.216.34/x", Severity.MEDIUM),
        ("see http://1572395042/x", Severity.MEDIUM),
        ("see https://xn--80ak6aa92e.com/", Severity.MEDIUM),
        ("![x](https://a.example/p?d={all})", Severity.MEDIUM),
        ("file:///etc/hosts", Severity.LOW),
        ("https://user@host.example/", Severity.LOW),
    ],
)
def test_an_odd_address_is_found(text: str, severity: Severity) -> None:
    assert [(said.rule, said.severity) for said in links(text)] == [(Rule.UNSAFE_LINK, severity)]


@pytest.mark.parametrize(
    "text",
    ["https://example.com/a?b=c", "http://localhost:8080", "http://127.0.0.1/", "http://10.0.0.1/", "a: b", "JavaScript: a language"],
)
def test_an_ordinary_one_is_not(text: str) -> None:
    assert Severity.HIGH not in {said.severity for said in links(text)}


@pytest.mark.parametrize(
    ("source", "severity"),
    [
        ("http://example.com/i.png", Severity.MEDIUM),
        ("javascript:alert(1)", Severity.HIGH),
        ("file:///i.png", Severity.HIGH),
        ("data:text/html,x", Severity.HIGH),
        ("data:image/svg+xml," + SVG.format("<script>x</script>"), Severity.HIGH),
        ("data:image/svg+xml;base64," + base64.b64encode(SVG.format("<a onclick='x'/>").encode()).decode(), Severity.HIGH),
        ("data:image/svg+xml;base64,!", Severity.HIGH),
    ],
)
def test_an_unsafe_icon_is_found(source: str, severity: Severity) -> None:
    assert [(one.rule, one.severity, one.pointer) for one in icons({"icons": [{"src": source}]})] == [
        (Rule.UNSAFE_ICON, severity, "/icons/0/src")
    ]


@pytest.mark.parametrize(
    "source", ["https://example.com/i.svg", "data:image/png;base64,iVBORw0KGgo=", "data:image/svg+xml," + SVG.format("<path d='M0'/>")]
)
def test_a_picture_is_none(source: str) -> None:
    assert list(icons({"icons": [{"src": source}]})) == []


def test_an_interface_that_asks_for_much_is_found() -> None:
    ui = {
        "resourceUri": "https://bad.example/ui",
        "csp": {"connectDomains": ["*", "https://api.example.com"]},
        "permissions": {"camera": {}},
    }
    assert [(one.severity, one.pointer) for one in interface({"_meta": {"ui": ui}})] == [
        (Severity.MEDIUM, "/_meta/ui/resourceUri"),
        (Severity.MEDIUM, "/_meta/ui/csp/connectDomains"),
        (Severity.LOW, "/_meta/ui/permissions"),
    ]


def test_an_interface_that_asks_for_little_is_not() -> None:
    ui = {"resourceUri": "ui://a/b", "csp": {"resourceDomains": ["https://*.example.com"]}, "permissions": {}}
    assert list(interface({"_meta": {"ui": ui}})) == []
