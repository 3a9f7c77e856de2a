"""A network door that nobody could use, or not as it is meant, is found before anything is served."""

from typing import Any

import pytest

from doorward.config.check_operators import operators
from doorward.config.model import Document
from doorward.config.problems import dotted

TLS = {"certificate": "c.pem", "key": "c.key"}
ADMINS = {"admins": {"role": "admin"}}


def found(door: dict[str, Any], *, sign_in: Any = "corp", **fields: Any) -> list[tuple[str, str]]:
    corp = {"url": "https://idp.example.com", "sign_in": {"client_id": "doorward"}}
    declared = {"corp": corp, "robots": {"url": "https://robots.example.com"}, "world": {**corp, "preset": "google"}}
    document = {
        "identity": {"issuers": declared},
        "control": {"listen": {"tls": TLS, "sign_in": sign_in, "groups": ADMINS, **door}},
        **fields,
    }
    return [(one.weight.value, dotted(one.path).removeprefix("control.listen.")) for one in operators(Document.model_validate(document))]


def test_a_document_without_the_door_has_no_findings() -> None:
    assert list(operators(Document())) == []


@pytest.mark.parametrize(
    "listen",
    [
        {},
        {"host": "0.0.0.0", "public_url": "https://doorward.example.com:8421/"},
        {"groups": {"a": {"role": "owner", "teams": ["web"]}, "b": {"role": "approver", "teams": ["web"]}, "c": {"role": "viewer"}}},
        {"port": 0},
    ],
    ids=str,
)
def test_a_sound_door_has_none_either(listen: dict[str, Any]) -> None:
    assert found(listen) == []


@pytest.mark.parametrize(
    ("listen", "findings"),
    [
        ({"host": "no host"}, [("error", "host")]),
        ({"host": "0.0.0.0"}, [("error", "host")]),
        ({"port": 8420}, [("error", "port")]),
        ({"host": "::", "port": 8420, "public_url": "https://a.example.com"}, [("error", "port")]),
        ({"public_url": "http://doorward.example.com"}, [("error", "public_url")]),
        ({"public_url": "https://doorward.example.com/admin"}, [("error", "public_url")]),
        ({"public_url": "doorward.example.com"}, [("error", "public_url")]),
        ({"groups": {}}, [("note", "groups")]),
        ({"groups": {"a": {"role": "owner"}}}, [("note", "groups.a.teams")]),
        ({"groups": {"a": {"role": "admin", "teams": ["web"]}}}, [("note", "groups.a.teams")]),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_found(listen: dict[str, Any], findings: list[tuple[str, str]]) -> None:
    assert found(listen) == findings


def test_operators_and_agents_do_not_share_a_place() -> None:
    url = "https://mcp.example.com"
    assert found({"public_url": f"{url}/"}, listen={"public_url": url}) == [("error", "public_url")]


@pytest.mark.parametrize(
    ("sign_in", "findings"), [("crop", [("error", "sign_in")]), ("robots", [("error", "sign_in")]), ("world", [("note", "sign_in")])]
)
def test_operators_sign_in_with_an_issuer_that_people_can_sign_in_with(sign_in: str, findings: list[tuple[str, str]]) -> None:
    assert found({}, sign_in=sign_in) == findings
