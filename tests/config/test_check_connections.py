"""People must be able to sign in, with one issuer, where they are to connect accounts."""

from typing import Any

import pytest

from doorward.config.check_connections import connections
from doorward.config.model import Document
from doorward.config.problems import dotted

ISSUER = {"url": "https://login.example.com", "algorithms": ["RS256"]}
IDENTITY = {"issuers": {"corp": {**ISSUER, "sign_in": {"client_id": "doorward"}}, "robots": ISSUER}}
AUTHORITY = {**IDENTITY, "authority": {"sign_in": "corp"}}
PUBLIC = {"public_url": "https://gateway.example.com"}
CRM = {"crm": {"url": "https://crm.example.com/mcp", "credential": {"kind": "user"}}}


def found(**document: Any) -> list[tuple[str, str]]:
    whole = Document.model_validate({"listen": PUBLIC, "identity": IDENTITY, "upstreams": CRM, **document})
    return [(dotted(one.path), one.message) for one in connections(whole)]


@pytest.mark.parametrize(
    "document",
    [
        {"connections": {"sign_in": "corp"}},
        {"identity": AUTHORITY},
        {"identity": AUTHORITY, "connections": {"sign_in": "corp"}},
        {"upstreams": {}},
        {"connections": {"sign_in": "corp"}, "listen": {"host": "127.0.0.1"}},
    ],
)
def test_people_can_sign_in(document: dict[str, Any]) -> None:
    assert found(**document) == []


@pytest.mark.parametrize(
    ("document", "where", "said"),
    [
        ({}, "upstreams.crm.credential", "nobody can sign in"),
        ({"connections": {"sign_in": "corps"}}, "connections.sign_in", "no issuer"),
        ({"connections": {"sign_in": "robots"}}, "connections.sign_in", "cannot sign in"),
        ({"identity": AUTHORITY, "connections": {"sign_in": "robots"}}, "connections.sign_in", "expected no other"),
        ({"connections": {"sign_in": "corp"}, "listen": {"public_url": "http://gateway.example.com"}}, "listen.public_url", "https"),
    ],
)
def test_it_is_said_where_they_cannot(document: dict[str, Any], where: str, said: str) -> None:
    [(path, sentence)] = found(**document)
    assert (path, said in sentence) == (where, True)
