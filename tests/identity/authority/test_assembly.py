"""A server from its declaration: every line of it counts, and a reload is answered for by the new one alone."""

from pathlib import Path

import msgspec
import pytest

from doorward.config.identity import Identity
from doorward.domain.actors import Agent, AuthnMethod
from doorward.domain.ids import AgentId, TeamId
from doorward.identity.authority.assembly import Means, Place, assembled
from doorward.identity.authority.clients import DeclaredError
from doorward.identity.authority.port import OAuthError
from doorward.identity.authority.server import AuthorizationServer
from doorward.identity.identities import Identity as Proven
from doorward.identity.resources import Resources
from doorward.identity.tokens.dpop import Proofs
from doorward.identity.tokens.trusted import Means as TrustMeans
from doorward.identity.tokens.trusted import Trust
from doorward.wire.sealed import Seal
from tests.identity.authority.made import AGENT_KEY, ANN, CHALLENGE, ISSUER, House, answer

pytestmark = pytest.mark.anyio

ISSUERS = {"corp": {"url": "https://idp.example.com", "sign_in": {"client_id": "gate"}}}
DESK = {"name": "Desk", "redirect_uris": ["https://desk.example/cb"]}


class Known:
    """Everybody is an agent."""

    def agent(self, identity: Proven, method: AuthnMethod, claims: object) -> Agent:
        return Agent(AgentId("desk"), "ann", TeamId("support"), "client")

    def standing(self, agent: AgentId, method: AuthnMethod) -> Agent:
        return Agent(agent, "ann", TeamId("support"), "client")


def made(house: House, root: Path = Path("/nowhere"), *, is_bound: bool = False, **fields: object) -> AuthorizationServer:
    """The server of a declaration, in the surroundings of a house."""
    rules = {"sign_in": "corp", "known": {"desk": DESK}, **fields}
    identity = Identity.model_validate({"issuers": ISSUERS, "authority": rules, "require_bound": is_bound})
    assert identity.authority is not None

    async def done(*said: object) -> None:
        house.ended.append((str(said[0]), str(said[-1])))

    trust = Trust(TrustMeans(lambda issuer: house.net, lambda name: None, house.time))
    trust.adopt(identity.issuers, None)
    proofs = Proofs(house.time)
    means = Means(house.store, house.keys, Seal((b"k" * 32,)), Known(), proofs, done, done, str.upper, house.draws, house.time)
    place = Place(identity, Resources(ISSUER), knows_certificates=True, root=root, trust=trust, web=house.net)
    return assembled(identity.authority, place, means)


def question(**changes: str) -> dict[str, str]:
    """A good authorization request, with changes."""
    return {
        "response_type": "code",
        "client_id": "desk",
        "redirect_uri": "https://desk.example/cb",
        "resource": f"{ISSUER}/mcp",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }


async def error_of(server: AuthorizationServer, **changes: str) -> str:
    """What an authorization request is refused with."""
    with pytest.raises(OAuthError) as caught:
        await server.asked(question(**changes))
    return caught.value.error


async def test_declared_lives_are_those_of_tokens() -> None:
    house = House()
    server = made(house, token_seconds=120, refresh_days=2)
    code = answer(await server.granted(await server.asked(question()), ANN))["code"]
    house.server = server
    answered = await house.token(house.redemption(code))
    assert answered["expires_in"] == 120
    family = await house.store.family(str(house.claims(answered)["fam"]))
    assert family is not None
    assert family.expires_at - family.created_at == 2 * 86_400


async def test_a_resource_is_any_endpoint_that_could_be_here() -> None:
    server = made(House())
    for name in ("mcp", "mcp/git", "mcp/nobody-knows", f"mcp/{'a' * 31}"):
        assert (await server.asked(question(resource=f"{ISSUER}/{name}"))).resource == f"{ISSUER}/{name}"
    for name in ("", "mcp/", "mcp/Git", "mcp/git/", "mcp/git/x", "mcp/-a", "mcp/a--b", "mcp/a?b", f"mcp/{'a' * 32}", "mcpx", "mcp/git\n"):
        assert await error_of(server, resource=f"{ISSUER}/{name}") == "invalid_target"


async def test_what_is_off_is_off() -> None:
    house = House()
    server = made(house, clients={"documents": False})
    assert await error_of(server, client_id="https://tool.example/c") == "invalid_client"
    assert house.net.asked == []
    said = server.metadata()
    assert (said["client_id_metadata_document_supported"], "registration_endpoint" in said) == (False, False)
    with pytest.raises(OAuthError):
        await server.register({"client_name": "c", "redirect_uris": ["https://a.example/cb"]})
    dynamic = made(house, clients={"dynamic": True})
    registered = await dynamic.register({"client_name": "c", "redirect_uris": ["https://a.example/cb"]})
    assert await error_of(server, client_id=str(registered["client_id"])) == "invalid_client"


async def test_assertions_count_of_the_issuers_that_are_named() -> None:
    house = House()
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert grant not in str(made(house).metadata()["grant_types_supported"])
    assert grant in str(made(house, assertions=["corp"]).metadata()["grant_types_supported"])


async def test_no_token_is_free_where_all_must_be_bound() -> None:
    house = House()
    server = made(house, is_bound=True)
    code = answer(await server.granted(await server.asked(question()), ANN))["code"]
    house.server = server
    with pytest.raises(OAuthError) as caught:
        await house.token(house.redemption(code))
    assert caught.value.error == "invalid_request"


async def test_keys_of_a_declared_client_are_read_from_its_file(tmp_path: Path) -> None:
    house = House()
    bot = {"name": "Bot", "grants": ["client_credentials"], "jwks_file": "bot.json", "scopes": ["mcp:read"]}
    with pytest.raises(DeclaredError):
        made(house, tmp_path, known={"agent": bot})
    (tmp_path / "bot.json").write_bytes(msgspec.json.encode({"keys": [AGENT_KEY.as_dict(private=False)]}))
    house.server = made(house, tmp_path, known={"agent": bot})
    request = {"grant_type": "client_credentials", "resource": f"{ISSUER}/mcp", **house.signed()}
    assert (await house.token(request))["scope"] == "mcp:read"


async def test_a_reload_is_answered_for_by_the_new_server() -> None:
    house = House()
    before = made(house)
    asked = await before.asked(question())
    code = answer(await before.granted(asked, ANN))["code"]
    current = made(house, known={"desk": {**DESK, "redirect_uris": ["https://desk.example/new"]}})
    with pytest.raises(OAuthError):
        await current.asked(question())
    # What was granted before stays granted: codes and families outlive a reload.
    house.server = current
    answered = await house.token(house.redemption(code))
    assert await house.refreshed(answered["refresh_token"])
