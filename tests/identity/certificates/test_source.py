"""From a certificate to an agent: what it is known by, who may be named, and how long that holds."""

import time

import msgspec
import pytest

from doorward.config.identity import Certificates as Rules
from doorward.config.identity import Enrol
from doorward.domain.actors import ALL_SCOPES, AuthnMethod, Principal, Proof
from doorward.domain.ids import InstanceId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.certificates.trust import Embedded
from doorward.identity.chain import Chain
from tests.certificates import SPIFFE, Wanted, authority
from tests.identity.certificates.house import House, presented, seen
from tests.made import Clock

pytestmark = pytest.mark.anyio

ROOT = authority()


def house(rules: Rules | None = None, embedded: Embedded | None = None) -> House:
    return House(rules, embedded, Clock(time.time()))


async def test_certificate_alone_is_the_agent_its_spiffe_id_is_bound_to() -> None:
    here, certificate = house(), seen(ROOT.leaf(), ROOT)
    agent = await here.add()
    assert here.source.identify(presented(certificate)) == Principal(
        agent=agent,
        subject=None,
        actors=(),
        method=AuthnMethod.CERTIFICATE,
        instance=InstanceId(f"cert:{certificate.thumbprint}"),
        credential=certificate.thumbprint,
        network="10.0.0.9",
        proof=Proof(ALL_SCOPES, certificate=certificate.thumbprint),
    )


async def test_other_credential_on_the_connection_decides_itself() -> None:
    here = house()
    await here.add()
    assert here.source.identify(presented(seen(ROOT.leaf(), ROOT), authorization="")) is None
    assert here.source.identify(presented(None)) is None


async def test_certificate_that_is_not_registered_is_refused_unless_a_rule_enrols_it() -> None:
    here, certificate = house(), seen(ROOT.leaf(), ROOT)
    chain = Chain([here.source])
    with pytest.raises(Refused) as caught:
        await chain.identified(presented(certificate))
    assert caught.value.reason is Reason.UNAUTHENTICATED
    here.enrols(Enrol(spiffe="spiffe://example.org/agents/*", agent="w-{name}", team="ops", owner="ada"))
    principal = await chain.identified(presented(certificate))
    assert (principal.agent.id, [event.type for event in here.told]) == ("w-one", ["agent_enrolled"])


@pytest.mark.parametrize(
    ("names", "wanted", "identity"),
    [
        (("spiffe", "dns"), Wanted(dns=("one.example.org",)), SPIFFE),
        (("dns", "spiffe"), Wanted(dns=("One.Example.ORG",)), "dns:one.example.org"),
        (("spiffe", "dns"), Wanted(uris=("https://example.org/",), dns=("one.example.org",)), "dns:one.example.org"),
        (("spiffe", "subject"), Wanted("one", uris=()), "subject:CN=one"),
    ],
)
async def test_first_of_the_rules_names_is_the_identity(names: tuple, wanted: Wanted, identity: str) -> None:
    here = house(Rules(names=names))
    await here.add("one", identity)
    found = here.source.identify(presented(seen(ROOT.leaf(wanted), ROOT)))
    assert found is not None


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (("spiffe",), Wanted(uris=())),
        (("spiffe",), Wanted("one.example.org", uris=(), dns=("one.example.org",))),
        (("spiffe", "dns"), Wanted(uris=(SPIFFE, "spiffe://example.org/agents/two"), dns=("one.example.org",))),
        (("spiffe", "dns"), Wanted(uris=(SPIFFE, "https://example.org/"), dns=("one.example.org",))),
        (("spiffe",), Wanted(uris=("spiffe://example.org/agents/../one",))),
        (("spiffe",), Wanted(uris=("spiffe://Example.org/agents/one",))),
        (("spiffe",), Wanted(uris=("SPIFFE://example.org/agents/one",))),
        (("dns",), Wanted(dns=("*.example.org",))),
        (("dns",), Wanted(dns=("one.example.org", "two.example.org"))),
        (("dns",), Wanted("one.example.org", dns=())),
        (("subject",), Wanted("", uris=())),
    ],
)
async def test_certificate_without_one_clear_name_is_refused(names: tuple, wanted: Wanted) -> None:
    here = house(Rules(names=names))
    await here.add("one", SPIFFE, "dns:one.example.org", "subject:CN=one.example.org")
    with pytest.raises(Refused) as caught:
        here.source.identify(presented(seen(ROOT.leaf(wanted), ROOT)))
    assert caught.value.reason is Reason.UNAUTHENTICATED


async def test_trust_domain_that_is_not_accepted_is_refused() -> None:
    here = house(Rules(trust_domains=("example.com",)))
    await here.add()
    with pytest.raises(Refused):
        here.source.identify(presented(seen(ROOT.leaf(), ROOT)))


async def test_our_own_authority_alone_names_agents_of_its_trust_domain() -> None:
    ours, name = authority("ours"), "spiffe://doorward.local/agent/one"
    here = house(embedded=Embedded(ours.certificate, "doorward.local"))
    await here.add("one", "dns:unused.example.org")
    found = here.source.identify(presented(seen(ours.leaf(Wanted(uris=(name,))), ours)))
    assert found is not None
    assert found.agent.id == "one"
    for other in (ROOT.leaf(Wanted(uris=(name,))), ours.leaf(Wanted(uris=(SPIFFE,)))):
        by = ROOT if other.certificate.issuer == ROOT.certificate.subject else ours
        with pytest.raises(Refused):
            here.source.identify(presented(seen(other, by)))


async def test_agent_that_may_not_use_certificates_or_was_suspended_is_refused_at_once() -> None:
    here, certificate = house(), seen(ROOT.leaf(), ROOT)
    await here.add("keys", "spiffe://example.org/keys", methods=frozenset({AuthnMethod.AGENT_KEY}))
    with pytest.raises(Refused):
        here.source.identify(presented(seen(ROOT.leaf(Wanted(uris=("spiffe://example.org/keys",))), ROOT)))
    agent = await here.add()
    assert here.source.identify(presented(certificate)) is not None
    await here.registry.suspend(agent.id)
    with pytest.raises(Refused) as caught:
        here.source.identify(presented(certificate))
    assert caught.value.reason is Reason.REVOKED


async def test_agent_that_has_expired_is_refused_to_the_second() -> None:
    here, certificate = house(), seen(ROOT.leaf(), ROOT)
    agent = await here.add()
    record = here.registry.standing(agent.id)
    assert record is not None
    ends = here.clock() + 10
    msgspec.structs.force_setattr(record, "expires_at", ends)
    here.clock.at = ends - 0.001
    assert here.source.identify(presented(certificate)) is not None
    here.clock.at = ends
    with pytest.raises(Refused):
        here.source.identify(presented(certificate))


async def test_agent_is_seen_again_every_minute() -> None:
    here, certificate = house(), seen(ROOT.leaf(), ROOT)
    agent = await here.add()
    start = here.clock()
    for later in (0, 30, 59, 61):
        here.clock.at = start + later
        here.source.identify(presented(certificate))
    record = here.registry.agent(agent.id)
    assert record is not None
    assert record.seen_at == start + 61
