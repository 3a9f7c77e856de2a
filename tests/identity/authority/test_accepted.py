"""What our authority gives is what our resource server takes: agent, person, chain, limits and binding arrive as they were meant."""

from collections.abc import Mapping

import pytest

from doorward.domain.actors import Actor, Agent, AuthnMethod, Bound, Proof, Subject
from doorward.domain.ids import AgentId, SubjectId, TeamId, UpstreamId
from doorward.domain.reasons import Refused
from doorward.identity.authority.grants.exchange import ACCESS_TOKEN
from doorward.identity.authority.groups import FamilyGroups
from doorward.identity.authority.port import Grant
from doorward.identity.chain import Chain, Presented
from doorward.identity.identities import Identity
from doorward.identity.resources import Resources
from doorward.identity.tokens.dpop import Proofs
from doorward.identity.tokens.source import AccessTokens, Demand, Registered
from doorward.identity.tokens.trusted import Means, Trust, own_issuer
from tests.identity.authority.made import ANN, ISSUER, RESOURCE, SUB_KEY, House, Person, answer, certificate

pytestmark = pytest.mark.anyio


def agent(name: str) -> Agent:
    """An agent of the registry."""
    return Agent(AgentId(name), "ann", TeamId("support"), "client")


class Known:
    """Every client of ours is the agent that the authority's registry says."""

    def agent(self, identity: Identity, method: AuthnMethod, claims: Mapping[str, object]) -> Agent:
        assert identity.issuer == "self"
        return agent(f"agent-{identity.name}")

    def standing(self, name: AgentId, method: AuthnMethod) -> Agent:
        return agent(name)


def source(house: House) -> AccessTokens:
    """The resource server of the same house."""

    def never(*asked: object) -> None:
        raise AssertionError(f"{asked} should not be asked for")

    trust = Trust(Means(never, never, house.time))  # type: ignore[arg-type]
    trust.adopt({}, own_issuer(ISSUER, house.keys, FamilyGroups(house.store, house.time)))
    resources = Resources(ISSUER)
    return AccessTokens(trust, Registered(Known(), lambda: 0), resources.of, Proofs(house.time), Demand.ANY, house.time)


def presented(answered: Mapping[str, object], **more: object) -> Presented:
    """A request with the access token of an answer."""
    return Presented(f"Bearer {answered['access_token']}", "192.0.2.1", False, **more)  # type: ignore[arg-type]


async def test_a_persons_token_is_the_agents_acting_for_the_person() -> None:
    house = House()
    answered = await house.redeemed(scope="mcp:read")
    principal = source(house).identify(presented(answered))
    assert principal is not None
    family = str(house.claims(answered)["fam"])
    assert (principal.agent, principal.actors) == (agent("agent-desk"), ())
    assert principal.subject == Subject(SubjectId("corp:ann"), frozenset({"corp:sales", "corp:all"}))
    assert principal.proof == Proof(frozenset({"mcp:read"}), "self", "desk", family)


async def test_a_token_is_for_its_endpoint_alone() -> None:
    house = House()
    answered = await house.redeemed()
    with pytest.raises(Refused):
        source(house).identify(presented(answered, endpoint=UpstreamId("git")))


async def test_a_clients_own_token_has_no_person() -> None:
    house = House()
    answered = await house.token({"grant_type": "client_credentials", "resource": RESOURCE, **house.signed()})
    principal = source(house).identify(presented(answered))
    assert principal is not None
    assert (principal.agent, principal.subject) == (agent("agent-agent"), None)


async def test_an_exchanged_token_names_who_speaks_and_who_handed_on() -> None:
    house = House()
    token = (await house.redeemed())["access_token"]
    answered: dict[str, object] = {}
    for _ in range(2):
        fields = {"grant_type": Grant.EXCHANGE.wire, "subject_token": str(token), "subject_token_type": ACCESS_TOKEN, "scope": "mcp:read"}
        answered = await house.token({**fields, **house.signed("sub", SUB_KEY)})
        token = answered["access_token"]
    principal = source(house).identify(presented(answered))
    assert principal is not None
    handed_on = tuple(Actor(name, "self", agent(f"agent-{name}")) for name in ("sub", "desk"))
    assert (principal.agent, principal.actors) == (agent("agent-sub"), handed_on)
    assert principal.subject is not None
    assert (principal.subject.id, principal.proof.client) == (SubjectId("corp:ann"), "sub")
    assert principal.proof.scopes == frozenset({"mcp:read"})


async def test_a_tied_token_is_good_with_its_certificate_alone() -> None:
    house = House()
    mine = certificate("t1")
    answered = await house.token(house.redemption(await house.code()), certificate=mine)
    principal = source(house).identify(presented(answered, certificate=mine))
    assert principal is not None
    assert (principal.proof.bound, principal.proof.certificate) == (Bound.CERTIFICATE, "t1")
    for other in (None, certificate("t2")):
        with pytest.raises(Refused):
            source(house).identify(presented(answered, certificate=other))


async def test_a_token_outlives_neither_its_end_nor_its_key() -> None:
    house = House()
    answered = await house.redeemed()
    accepting = source(house)
    assert accepting.identify(presented(answered)) is not None
    house.now += 605
    with pytest.raises(Refused):
        accepting.identify(presented(answered))


async def test_no_other_token_of_ours_is_an_access_token() -> None:
    house = House()
    answered = await house.redeemed()
    for text in (answered["refresh_token"], await house.code(), house.signed()["client_assertion"], house.id_jag()):
        try:
            assert source(house).identify(presented({"access_token": text})) is None
        except Refused:
            continue


async def test_a_person_of_many_groups_keeps_them_all_and_a_token_that_fits() -> None:
    house = House()
    groups = frozenset(f"corp:{number:08}-aaaa-bbbb-cccc-dddddddddddd" for number in range(900))
    person = Person(Subject(ANN.subject.id, groups))
    asked = await house.server.asked(house.question())
    code = answer(await house.server.granted(asked, person))["code"]
    answered = await house.token(house.redemption(code))
    assert len(str(answered["access_token"])) < 2_000
    assert house.claims(answered)["hasgroups"] is True
    principal = await Chain([source(house)]).identified(presented(answered))
    assert principal.subject == Subject(SubjectId("corp:ann"), groups)


async def test_a_person_whose_groups_cannot_be_told_has_no_access() -> None:
    house = House()
    person = Person(Subject(ANN.subject.id, frozenset(f"corp:{number:050}" for number in range(100))))
    code = answer(await house.server.granted(await house.server.asked(house.question()), person))["code"]
    answered = await house.token(house.redemption(code))
    await house.store.end_subject("corp:ann", "operator", house.now)
    with pytest.raises(Refused):
        await Chain([source(house)]).identified(presented(answered))


async def test_whatever_a_token_says_fits_into_its_header() -> None:
    house = House()
    house.hold("desk", frozenset(f"mcp:{chr(97 + number)}{'x' * 30}:read" for number in range(24)))
    person = Person(Subject(SubjectId("corp:" + "a" * 250), frozenset({"corp:" + "g" * 2_300})))
    code = answer(await house.server.granted(await house.server.asked(house.question(scope="")), person))["code"]
    answered = await house.token(house.redemption(code), dpop="key-" + "k" * 39)
    assert len(str(answered["access_token"])) < 8_000
