"""Access tokens, presented: who stands behind them, in which circumstances, and until when."""

import pytest

from doorward.domain.actors import Agent, AuthnMethod, Bound, Principal, Proof, Subject
from doorward.domain.ids import AgentId, InstanceId, SubjectId, TeamId, UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.chain import Chain, NotYetError, Presented
from doorward.identity.tokens.dpop import INVALID_PROOF
from doorward.identity.tokens.source import MOST_KNOWN, MOST_NETWORKS, Demand
from doorward.identity.tokens.trusted import Trusted, own_issuer
from tests.identity.tokens.mint import (
    AUDIENCE,
    CERTIFICATE,
    EC,
    ED,
    NOW,
    OTHER,
    URL,
    Held,
    House,
    claims,
    header,
    proof,
    signed,
    thumbprint,
    token,
)

pytestmark = pytest.mark.anyio

CLAUDE = Agent(AgentId("claude"), "ada", TeamId("support"), "client")


async def test_a_token_leads_to_the_agent_of_its_client_and_the_person_it_acts_for() -> None:
    house = await House(scopes={"mail": ["mcp:mail"]}).ready()
    text = token(scope="openid mail")
    found = house.identified(text)
    assert found == Principal(
        agent=CLAUDE,
        subject=Subject(SubjectId("corp:alice"), frozenset({"corp:sales"})),
        actors=(),
        method=AuthnMethod.ACCESS_TOKEN,
        instance=InstanceId("token:claude/corp:alice"),
        credential=found.credential,
        network="10.0.0.1",
        proof=Proof(scopes=frozenset({"openid", "mcp:mail"}), issuer="corp", client="abc"),
    )
    assert found.credential.startswith("token:")
    assert text not in found.credential


async def test_the_second_look_gives_the_very_same_principal_for_the_same_network_only() -> None:
    house, text = await House().ready(), token()
    first = house.identified(text)
    assert house.identified(text) is first
    assert house.identified(text, network="10.0.0.2").network == "10.0.0.2"
    assert len(house.known.asked) == 1


@pytest.mark.parametrize("authorization", [None, "Basic YTpi", "Bearer opaque", "Bearer dw_x", "Bearer a.b", "Bearer a.b.c.d", "DPoP x"])
async def test_what_is_no_signed_token_is_left_to_others(authorization: str | None) -> None:
    house = await House().ready()
    assert house.source.identify(Presented(authorization, "10.0.0.1", loopback=False)) is None


async def test_a_token_of_an_issuer_that_is_not_configured_is_refused_and_nobody_is_asked_about_it() -> None:
    house = House()
    assert "no issuer" in house.refusal(token(iss="https://idp.example.com/")).detail
    assert house.web.asked == []


async def test_keys_are_fetched_when_a_token_first_needs_them() -> None:
    house = House()
    chain = Chain([house.source])
    found = await chain.identified(house.shown(token()))
    assert found.agent == CLAUDE
    assert house.web.asked == [f"{URL}/.well-known/openid-configuration", f"{URL}/keys"]


async def test_two_tokens_that_share_a_prefix_never_share_an_identity() -> None:
    """CVE-2026-35030: the cache was keyed by the first twenty characters."""
    house = await House().ready()
    house.known.add("client:corp:xyz", "other")
    first, second = token(), token(client_id="xyz", sub="bob")
    assert first[:60] == second[:60]
    assert house.identified(first).id == "claude/corp:alice"
    assert house.identified(second).id == "other/corp:bob"
    cut = first[:-40]
    assert house.refusal(cut + signed(claims(), key=OTHER)[-40:]).reason is Reason.UNAUTHENTICATED


async def test_a_remembered_token_is_no_good_at_another_endpoint() -> None:
    house, text = await House().ready(), token()
    house.identified(text)
    assert "expected a token for" in house.refusal(text, endpoint=UpstreamId("git")).detail
    at_git = token(aud=f"{AUDIENCE}/git")
    assert house.identified(at_git, endpoint=UpstreamId("git")).agent == CLAUDE
    assert house.refusal(at_git).reason is Reason.UNAUTHENTICATED


async def test_a_remembered_token_ends_at_its_end() -> None:
    house, text = await House().ready(), token()
    house.identified(text)
    house.clock.at = NOW + 359.9
    house.identified(text)
    house.clock.at = NOW + 360
    assert "expired" in house.refusal(text).detail


async def test_a_remembered_token_falls_with_its_agent_at_once() -> None:
    house, text = await House().ready(), token()
    house.identified(text)
    house.known.out["claude"] = Reason.REVOKED
    assert house.refusal(text).reason is Reason.REVOKED


async def test_a_remembered_token_falls_when_its_client_becomes_another_agent() -> None:
    house, text = await House().ready(), token()
    house.identified(text)
    house.known.add("client:corp:abc", "next")
    assert house.identified(text).agent.id == "next"


async def test_a_remembered_token_falls_with_the_key_that_signed_it() -> None:
    house, text = await House().ready(), token()
    house.identified(text)
    house.web.pages[f"{URL}/keys"] = {"keys": [OTHER.as_dict(private=False)]}
    house.clock.at += 100
    remote = house.trust.of(URL)
    assert remote is not None
    await remote.keys.refresh()
    assert "signature is wrong" in house.refusal(text).detail


async def test_a_remembered_token_falls_with_its_issuer() -> None:
    house, text = await House().ready(), token()
    house.identified(text)
    house.trust.adopt({}, None)
    assert "no issuer" in house.refusal(text).detail


async def test_a_reload_that_leaves_an_issuer_alone_keeps_its_keys_and_its_tokens() -> None:
    house, text = await House().ready(), token()
    first = house.identified(text)
    house.trust.adopt({"corp": house.declared}, None)
    assert house.identified(text) is first
    assert len(house.web.asked) == 2


async def test_a_client_that_no_one_knows_is_refused() -> None:
    house = await House().ready()
    assert house.refusal(token(client_id="nobody")).reason is Reason.UNAUTHENTICATED


async def test_a_rule_enrols_a_client_on_its_first_call() -> None:
    house = await House().ready()
    house.known.enrols = lambda identity, said: CLAUDE if said.get("groups") == ["sales"] and identity.name == "new" else None
    found = await Chain([house.source]).identified(house.shown(token(client_id="new")))
    assert found.agent == CLAUDE


async def test_a_bad_token_enrols_nobody() -> None:
    house = await House().ready()
    house.known.enrols = lambda _identity, _claims: CLAUDE
    house.refusal(signed(claims(client_id="new"), key=OTHER))
    house.refusal(token(client_id="new", cnf={"x5t#S256": "of another certificate"}))
    assert house.known.asked == []


async def test_a_client_that_acts_for_itself_has_no_subject() -> None:
    house = await House().ready()
    found = house.identified(token(sub="abc"))
    assert (found.subject, found.id, found.instance) == (None, "claude", "token:claude")


# What a token is bound to.


async def test_a_token_bound_to_a_certificate_is_good_on_its_connection_alone() -> None:
    house, text = await House().ready(), token(cnf={"x5t#S256": "thumb"})
    found = house.identified(text, certificate=CERTIFICATE)
    assert (found.proof.bound, found.proof.certificate, found.instance) == (Bound.CERTIFICATE, "thumb", "certificate:thumb")
    assert "another client certificate" in house.refusal(text).detail


async def test_the_certificate_of_the_connection_is_noted_whoever_the_token_is_of() -> None:
    house = await House().ready()
    found = house.identified(token(), certificate=CERTIFICATE)
    assert (found.proof.bound, found.proof.certificate) == (Bound.NOTHING, "thumb")


async def test_a_stolen_bound_token_is_nothing_without_its_key() -> None:
    house, text = await House().ready(), token(cnf={"jkt": thumbprint(ED)})
    good = proof(text, ED, {"alg": "EdDSA"})
    assert house.identified(text, "DPoP", dpop=good).proof.bound is Bound.DPOP
    assert "expected the scheme DPoP" in house.refusal(text).detail
    assert "no proof" in house.refusal(text, "DPoP").detail
    assert "another key" in house.refusal(text, "DPoP", dpop=proof(text)).detail
    assert "shown before" in house.refusal(text, "DPoP", dpop=good).detail
    assert "another access token" in house.refusal(text, "DPoP", dpop=proof(token(), ED, {"alg": "EdDSA"}, jti="q")).detail


async def test_a_client_is_told_apart_whether_its_token_is_wrong_or_its_proof() -> None:
    house, text = await House().ready(), token(cnf={"jkt": thumbprint(ED)})
    assert house.refusal(text).extra == {}
    assert house.refusal(text, "DPoP").extra == house.refusal(text, "DPoP", dpop=proof(text)).extra == {"error": INVALID_PROOF}


async def test_a_proof_may_be_shown_again_by_the_same_request() -> None:
    house, text = await House().ready(), token(cnf={"jkt": thumbprint(EC)})
    shown = house.shown(text, "DPoP", dpop=proof(text))
    assert house.source.identify(shown) is house.source.identify(shown)


async def test_an_unbound_token_is_none_of_the_scheme_dpop() -> None:
    house, text = await House().ready(), token()
    assert "expected the scheme DPoP" in house.refusal(text, "DPoP", dpop=proof(text)).detail


async def test_a_binding_that_is_not_understood_is_no_licence() -> None:
    house = await House().ready()
    said: tuple[object, ...] = ({}, {"kid": "x"}, {"jwk": {}}, [], "x", {"jkt": 1}, {"jkt": ""})
    for cnf in said:
        assert house.refusal(token(cnf=cnf)).reason is Reason.UNAUTHENTICATED


async def test_where_bound_tokens_are_demanded_others_are_refused() -> None:
    house = await House(demand=Demand.BOUND).ready()
    assert "expected a token that is bound" in house.refusal(token()).detail
    assert house.identified(token(cnf={"x5t#S256": "thumb"}), certificate=CERTIFICATE).proof.bound is Bound.CERTIFICATE


# Delegation.


class Ours(House):
    """With our own authority beside the company's."""

    def ours(self) -> Trusted | None:
        return own_issuer("https://mcp.example.com", Held(ED))

    def token(self, **changed: object) -> str:
        said = claims(**({"iss": "https://mcp.example.com", "sub": "corp:alice", "groups": ["corp:sales"], "client_id": "cli"} | changed))
        return signed(said, header(alg="ES256", kid="own"), EC)


class OwnHouse(Ours):
    def ours(self) -> Trusted | None:
        held = Held()
        held.keys["own"] = EC
        return own_issuer("https://mcp.example.com", held)


async def test_tokens_of_our_own_name_people_groups_and_families_as_they_are_here() -> None:
    house = OwnHouse()
    house.known.add("client:self:cli", "claude")
    found = house.identified(house.token(fam="f1"))
    assert found.subject == Subject(SubjectId("corp:alice"), frozenset({"corp:sales"}))
    assert (found.proof.family, found.proof.issuer, found.instance) == ("f1", "self", "family:self:f1")


async def test_the_family_of_another_issuer_is_not_one_of_ours() -> None:
    house = await House().ready()
    assert house.identified(token(fam="f1")).proof.family == ""


async def test_a_delegated_token_speaks_for_the_nearest_actor_and_names_those_before() -> None:
    house = OwnHouse()
    house.known.add("client:self:cli", "inner")
    house.known.add("client:self:outer", "outer")
    found = house.identified(house.token(act={"sub": "inner", "act": {"sub": "outer"}}))
    assert found.agent.id == "inner"
    assert [(actor.id, actor.issuer, actor.agent.id) for actor in found.actors] == [("outer", "self", "outer")]


async def test_each_actor_must_stand_on_every_call() -> None:
    house = OwnHouse()
    house.known.add("client:self:cli", "inner")
    house.known.add("client:self:outer", "outer")
    text = house.token(act={"sub": "inner", "act": {"sub": "outer"}})
    house.identified(text)
    house.known.out["outer"] = Reason.REVOKED
    assert house.refusal(text).reason is Reason.REVOKED
    assert house.refusal(house.token(act={"sub": "inner", "act": {"sub": "unheard-of"}})).reason is Reason.UNAUTHENTICATED


async def test_a_client_that_is_not_in_its_own_chain_is_added_to_it() -> None:
    house = await House().ready()
    house.known.add("client:corp:sub", "sub")
    found = house.identified(token(act={"sub": "sub"}))
    assert (found.agent.id, [actor.agent.id for actor in found.actors]) == ("sub", ["claude"])


@pytest.mark.parametrize("act", ["x", [], {"sub": 1}, {}, {"sub": "sub", "iss": "https://elsewhere.example"}, {"sub": "sub", "act": 1}])
async def test_a_chain_that_cannot_be_told_is_refused(act: object) -> None:
    house = await House().ready()
    house.known.add("client:corp:sub", "sub")
    assert house.refusal(token(act=act)).reason is Reason.UNAUTHENTICATED


async def test_a_chain_without_end_is_refused() -> None:
    house = await House().ready()
    act: dict[str, object] = {"sub": "abc"}
    for number in range(9):
        act = {"sub": f"abc-{number}", "act": act}
    assert "at most 8" in house.refusal(token(act=act)).detail


async def test_a_chain_that_comes_back_to_whom_it_has_passed_is_a_loop() -> None:
    house = await House().ready()
    loop = {"sub": "one", "act": {"sub": "two", "act": {"sub": "one"}}}
    assert "'one' is there twice" in house.refusal(token(act=loop)).detail


async def test_a_chain_may_be_no_longer_than_its_issuer_is_allowed() -> None:
    house = await House(longest_chain=1).ready()
    assert "at most 1" in house.refusal(token(act={"sub": "one", "act": {"sub": "two"}})).detail


async def test_an_unknown_key_is_asked_for_once_and_then_refused() -> None:
    house = await House().ready()
    house.clock.at += 60
    text = signed(claims(), header(kid="../../etc/passwd"))
    with pytest.raises(NotYetError):
        house.source.identify(house.shown(text))
    with pytest.raises(Refused) as caught:
        await Chain([house.source]).identified(house.shown(text))
    assert "has no key" in caught.value.detail
    assert len(house.web.asked) == 4


async def test_neither_tokens_nor_networks_fill_the_memory() -> None:
    house = await House().ready()
    for number in range(MOST_KNOWN + 10):
        house.identified(token(jti=str(number)))
    assert len(house.source._remembered) == MOST_KNOWN
    text = token()
    for number in range(MOST_NETWORKS * 3):
        assert house.identified(text, network=str(number)).network == str(number)
    assert max(len(known.principals) for known in house.source._remembered.values()) <= MOST_NETWORKS
