"""What the configuration makes of an upstream with accounts of people's own."""

from doorward.config.credentials_oauth import ClientCredentials, OAuthServer
from doorward.config.credentials_user import UserCredential
from doorward.config.model import Document, Upstream, UpstreamTls
from doorward.credentials.connections.declared import PerUser
from doorward.credentials.oauth.plans import Way
from doorward.credentials.plan import ForPeople, connected, kind, plans, pointers
from doorward.domain.ids import UpstreamId

CRM, URL = UpstreamId("crm"), "https://crm.example.com/mcp"


def test_an_upstream_of_peoples_own_accounts_has_a_plan_of_its_own() -> None:
    credential = UserCredential(kind="user", issuer="https://as.example.com", client_id="door", client_secret="${env:S}", private=True)
    tls = UpstreamTls(ca_file="ca.pem", certificate="own.pem", key="own.key")
    found = plans(Document(upstreams={"crm": Upstream(url=URL, private=True, tls=tls, credential=credential)}))
    plan = PerUser(
        "https://crm.example.com", CRM, URL, Way(is_private=True, ca_file="ca.pem", certificate=("own.pem", "own.key")), credential
    )
    assert found == {CRM: plan}
    assert plan.provider_way == Way(is_private=True)
    assert (kind(plan), [str(pointer) for pointer in pointers(plan)]) == ("user", ["${env:S}"])
    assert connected(found) == {CRM: plan}


def test_discovery_may_be_made_with_a_credential_of_the_gateways_own() -> None:
    server = OAuthServer(issuer="https://as.example.com", client_id="door", client_secret="${env:T}")
    own = ClientCredentials(kind="client_credentials", server=server)
    document = Document(
        upstreams={"crm": Upstream(url=URL, credential=UserCredential(kind="user", discovery=own)), "open": Upstream(url=URL)}
    )
    found = plans(document)
    plan = found[CRM]
    assert isinstance(plan, ForPeople)
    assert connected(found) == {CRM: plan.people}
    assert (kind(plan), kind(plan.own), [str(pointer) for pointer in pointers(plan)]) == ("user", "client_credentials", ["${env:T}"])
