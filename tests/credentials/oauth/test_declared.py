"""What the configuration says of a server, a person and a target becomes the plan, with defaults that narrow."""

from typing import Any

import pytest

from doorward.config.identity import Issuer
from doorward.config.model import Upstream
from doorward.credentials import plan
from doorward.credentials.oauth.plans import (
    Actor,
    Certified,
    ClientCredentials,
    IdJag,
    JwtBearer,
    Key,
    Keyed,
    OnBehalfOf,
    Presented,
    Secretly,
    Server,
    Shown,
    TokenExchange,
    Unproven,
    Vouched,
    Wanted,
    Way,
)
from doorward.credentials.plan import ForPeople, Nothing, StaticHeader
from doorward.credentials.port import CredentialError

CRM = "https://crm.example.com"
URL = f"{CRM}/mcp"
IDP = {"issuer": "https://idp.example.com", "client_id": "doorward", "client_secret": "${env:SECRET}"}
ISSUERS = {"other": Issuer(url="https://other.example.com"), "corp": Issuer(url="https://idp.example.com")}
ACCESS = "urn:ietf:params:oauth:token-type:access_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"
SERVER = Server("https://idp.example.com", None, "doorward", Secretly("${env:SECRET}", Shown.AUTO), Way())
WANTED = Wanted(None, URL, ())


def planned(url: str = URL, **credential: Any) -> plan.Plan:
    return plan.plan("crm", Upstream.model_validate({"url": url, "credential": {"server": IDP, **credential}}), ISSUERS)


def test_a_token_is_for_the_upstreams_url_without_its_query_unless_something_else_is_said() -> None:
    own = "client_credentials"
    assert planned(f"{URL}?tenant=7", kind=own) == ClientCredentials(CRM, SERVER, WANTED)
    said = planned(kind=own, resource="urn:crm", audience="crm", scopes=["a"], scopes_for={"write": ["b"]})
    assert said == ClientCredentials(CRM, SERVER, Wanted("crm", "urn:crm", ("a",), (("write", ("b",)),)))
    assert planned(kind=own, resource="") == ClientCredentials(CRM, SERVER, Wanted(None, None, ()))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"client_secret": "${env:S}", "secret_in": "post"}, Secretly("${env:S}", Shown.POST)),
        (
            {"client_key": "${file:k}", "key_id": "k1", "key_algorithm": "PS256", "key_certificate": "c.pem", "key_audience": "urn:a"},
            Keyed(Key("${file:k}", "k1", "PS256"), "c.pem", "urn:a"),
        ),
        ({"tls": {"certificate": "own.pem", "key": "own.key"}}, Certified()),
        ({}, Unproven()),
    ],
)
def test_a_client_proves_itself_as_is_said(changed: dict[str, Any], expected: object) -> None:
    server = {
        "token_url": "https://idp.example.com/t",
        "client_id": "d",
        "private": True,
        "plain_http": True,
        "ca_file": "ca.pem",
        **changed,
    }
    made = planned(kind="client_credentials", server=server)
    assert isinstance(made, ClientCredentials)
    certificate = ("own.pem", "own.key") if "tls" in changed else None
    assert made.server == Server(None, "https://idp.example.com/t", "d", expected, Way(True, True, "ca.pem", certificate))  # type: ignore[arg-type]


def test_presented_tokens_are_those_of_the_servers_own_issuer_or_of_the_one_that_is_named() -> None:
    made = planned(kind="token_exchange")
    assert made == ForPeople(CRM, TokenExchange(CRM, SERVER, WANTED, Presented("corp", ACCESS), Actor.NONE), Nothing(CRM))
    named = planned(kind="token_exchange", people_of="other", subject_token_type="urn:x", actor_token="signed")
    assert named == ForPeople(CRM, TokenExchange(CRM, SERVER, WANTED, Presented("other", "urn:x"), Actor.TOKEN), Nothing(CRM))
    with pytest.raises(CredentialError, match="people_of"):
        planned(kind="token_exchange", server={**IDP, "issuer": "https://nobodys.example.com"})


def test_a_signed_subject_is_signed_with_doorwards_own_key_unless_there_is_another() -> None:
    discovery = {"kind": "header", "value": "Bearer ${env:D}"}
    made = planned(kind="token_exchange", subject_token="signed", discovery=discovery)
    subject = Vouched(JWT, None, None, None, None)
    own = StaticHeader(CRM, "Authorization", "Bearer ${env:D}")
    assert made == ForPeople(CRM, TokenExchange(CRM, SERVER, WANTED, subject, Actor.NONE), own)
    signed = {"people_of": "corp", "audience": "urn:a", "key": "${file:k}", "key_id": "k1"}
    made = planned(kind="jwt_bearer", signed=signed)
    subject = Vouched(JWT, "corp", "urn:a", Key("${file:k}", "k1", None), "doorward")
    assert made == ForPeople(CRM, JwtBearer(CRM, SERVER, WANTED, subject), Nothing(CRM))


def test_entra_is_sent_no_resource() -> None:
    made = planned(kind="on_behalf_of", scopes=["api://crm/.default"])
    people = OnBehalfOf(CRM, SERVER, Wanted(None, None, ("api://crm/.default",)), Presented("corp", ACCESS))
    assert made == ForPeople(CRM, people, Nothing(CRM))


def test_an_identity_assertion_is_of_the_provider_and_for_the_server() -> None:
    theirs = {"issuer": CRM, "client_id": "door"}
    made = planned(kind="id_jag", provider=IDP, server=theirs, scopes=["mcp"])
    people = IdJag(CRM, SERVER, Server(CRM, None, "door", Unproven(), Way()), Wanted(None, URL, ("mcp",)), Presented("corp", ACCESS))
    assert made == ForPeople(CRM, people, Nothing(CRM))


@pytest.mark.parametrize(
    ("credential", "kind", "references"),
    [
        ({"kind": "client_credentials"}, "client_credentials", ["${env:SECRET}"]),
        ({"kind": "token_exchange", "discovery": {"kind": "header", "value": "${env:D}"}}, "token_exchange", ["${env:SECRET}", "${env:D}"]),
        ({"kind": "on_behalf_of", "scopes": ["a"]}, "on_behalf_of", ["${env:SECRET}"]),
        ({"kind": "jwt_bearer", "signed": {"key": "${file:k}"}}, "jwt_bearer", ["${env:SECRET}", "${file:k}"]),
        ({"kind": "id_jag", "provider": {**IDP, "client_secret": "${env:P}"}}, "id_jag", ["${env:P}", "${env:SECRET}"]),
    ],
)
def test_receipts_name_the_kind_and_the_plan_knows_its_references(credential: dict[str, Any], kind: str, references: list[str]) -> None:
    made = planned(**credential)
    assert (plan.kind(made), [str(pointer) for pointer in plan.pointers(made)]) == (kind, references)
