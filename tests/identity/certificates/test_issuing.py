"""Who gets a certificate of our own authority, and what is known of it before it leaves."""

import pytest

from doorward.domain.actors import Actor, AuthnMethod, Principal, Subject
from doorward.domain.errors import StoreError
from doorward.domain.ids import AgentId, SubjectId
from doorward.domain.reasons import Reason, Refused
from doorward.domain.receipts import Event, Scalar
from doorward.identity.certificates.ca import IssuedRecord, new_root, opened
from doorward.identity.certificates.issuing import Issuing, descended
from doorward.identity.records import Edit
from doorward.stores.memory_certificates import MemoryIssued
from tests.identity.certificates.house import House
from tests.identity.certificates.test_ca import HOUR, NOW, SECRET, request
from tests.identity.stores import Draws
from tests.made import Clock, principal

pytestmark = pytest.mark.anyio


class Desk(House):
    """A house with an authority of its own and the agent `one`."""

    def __init__(self) -> None:
        super().__init__(clock=Clock(NOW))
        draws = Draws()
        self.store = MemoryIssued()
        ca = opened(SECRET, new_root(SECRET, "doorward.local", NOW, draws), "doorward.local", draws)
        self.issuing = Issuing(ca, self.store, self.enrolment, self.registry, self._tell, self.clock)


def proven(method: AuthnMethod = AuthnMethod.AGENT_KEY) -> Principal:
    return principal("one", method=method, key="k1")


async def desk(**terms: object) -> Desk:
    made = Desk()
    await made.add("one", **terms)
    return made


@pytest.mark.parametrize("method", [AuthnMethod.AGENT_KEY, AuthnMethod.CERTIFICATE])
async def test_certificate_is_kept_and_told_before_it_leaves(method: AuthnMethod) -> None:
    here = await desk()
    here.issuing.lasting(2)
    await here.store.add(IssuedRecord("k1", AgentId("one"), "1", NOW - 1, NOW + 1))
    assert "BEGIN CERTIFICATE" in await here.issuing.issued(proven(method), request())
    record, _ = await here.store.all()
    assert (record.agent, record.not_after, record.proven_by) == ("one", NOW + 2 * HOUR, f"{method} k1")
    fields: dict[str, Scalar] = {
        "agent": "one",
        "certificate": record.id,
        "serial": record.serial,
        "not_after": int(NOW + 2 * HOUR),
        "proven_by": f"{method} k1",
    }
    assert here.told == [Event("certificate_issued", "doorward", fields)]


async def test_certificate_does_not_outlast_its_agent() -> None:
    here = await desk()
    await here.registry.edit(AgentId("one"), Edit(expires_at=NOW + 60))
    await here.issuing.issued(proven(), request())
    (record,) = await here.store.all()
    assert record.not_after == NOW + 60


async def refused(here: Desk, by: Principal) -> Reason:
    with pytest.raises(Refused) as caught:
        await here.issuing.issued(by, request())
    assert (await here.store.all(), here.told) == ((), [])
    return caught.value.reason


async def test_certificate_of_another_authority_is_no_proof() -> None:
    assert await refused(await desk(), proven(AuthnMethod.CERTIFICATE)) is Reason.FORBIDDEN


@pytest.mark.parametrize("method", [AuthnMethod.ACCESS_TOKEN, AuthnMethod.ANONYMOUS, AuthnMethod.OWN])
async def test_token_or_no_credential_gets_no_certificate(method: AuthnMethod) -> None:
    assert await refused(await desk(), proven(method)) is Reason.FORBIDDEN


async def test_whoever_acts_for_somebody_gets_no_certificate() -> None:
    here, plain = await desk(), proven()
    person = Subject(SubjectId("corp:ann"), frozenset())
    for by in (
        Principal(plain.agent, person, (), plain.method, plain.instance, plain.credential, plain.network),
        Principal(plain.agent, None, (Actor("two", "self", plain.agent),), plain.method, plain.instance, plain.credential, plain.network),
    ):
        assert await refused(here, by) is Reason.FORBIDDEN


async def test_agent_that_may_not_use_certificates_gets_none() -> None:
    here = await desk(methods=frozenset({AuthnMethod.AGENT_KEY}))
    assert await refused(here, proven()) is Reason.UNAUTHENTICATED


async def test_suspended_agent_gets_none() -> None:
    here = await desk()
    await here.registry.suspend(AgentId("one"))
    assert await refused(here, proven()) is Reason.REVOKED


async def test_certificate_that_cannot_be_kept_does_not_leave() -> None:
    here = await desk()

    async def fails(record: IssuedRecord) -> None:
        raise StoreError("away")

    here.store.add = fails  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        await here.issuing.issued(proven(), request())


def test_what_a_stolen_credential_got_is_found_through_renewals() -> None:
    def of(name: str, by: str) -> IssuedRecord:
        return IssuedRecord(name, AgentId("one"), "1", NOW, NOW + HOUR, by)

    records = [
        of("a", "agent_key k1"),
        of("b", "certificate a"),
        of("c", "certificate b"),
        of("d", "agent_key k2"),
        of("x", "certificate x"),
    ]
    assert descended(records, "k1") == {"a", "b", "c"}
    assert descended(records, "b") == {"c"}
    assert descended(records, "x") == {"x"}
    assert descended(records, "nobody") == frozenset()
