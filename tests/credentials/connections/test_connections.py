"""People connect their own accounts, use them, and end them."""

import pytest
from msgspec.structs import replace

from doorward.credentials.connections.connection import EVERY_AGENT, OWN, Place, Status, person
from doorward.credentials.connections.port import ConnectError, Offer, Trouble
from doorward.domain.errors import StoreError
from doorward.domain.ids import AgentId, SubjectId
from doorward.domain.reasons import Reason, Refused
from tests.credentials.connections.world import ALICE, AS, BOB, DOCUMENT, UPSTREAM, URL, House, Service, a_use
from tests.made import Clock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house() -> House:
    wall = Clock(1_795_003_200.0)
    return await House(Service(wall), wall=wall).open()


async def refused(house: House, holder: object, agent: str = "claude") -> Refused:
    with pytest.raises(Refused) as raised:
        await house.who(holder, agent)  # type: ignore[arg-type]
    return raised.value


async def test_a_person_connects_an_account_and_calls_are_made_with_it(house: House) -> None:
    made = await house.connect(ALICE, "alice")
    assert await house.who(ALICE) == "alice"
    assert (made.place, made.issuer, made.status, made.scopes) == (Place(ALICE, UPSTREAM, EVERY_AGENT), AS, Status.WORKING, ("read",))
    assert house.connections.of(ALICE) == (house.connections.find(made.id),)
    assert house.events() == ["connection_made"]


async def test_what_is_minted_hangs_on_the_connection_and_is_named_whole(house: House) -> None:
    made = await house.connect(ALICE, "alice")
    minted = await house.mint.mint(a_use(ALICE))
    family = house.service.families[0]
    assert (minted.account, minted.scope, minted.seconds) == (made.id, "read", 3600.0)
    assert {secret.reveal() for secret in minted.secrets} == {family.refresh, next(iter(house.service.access))}
    assert house.mint.holder(a_use(ALICE)) == made.id
    assert minted.is_current is not None
    assert minted.is_current()


async def test_whoever_has_not_connected_is_asked_to_and_by_the_same_link_each_time(house: House) -> None:
    first, second = await refused(house, ALICE), await refused(house, ALICE)
    assert (first.reason, first.extra) == (Reason.CONSENT_NEEDED, second.extra)
    ask = house.connections.ask(str(first.extra["connect"]))
    assert ask is not None
    assert (ask.place, ask.scopes) == (Place(ALICE, UPSTREAM, EVERY_AGENT), ())
    assert (await refused(house, BOB)).extra != first.extra


async def test_nobody_rides_on_what_another_has_connected(house: House) -> None:
    await house.connect(ALICE, "alice")
    await house.connect(OWN, "robot")
    for holder in (BOB, person(SubjectId("corp:alice ")), person(SubjectId("alice")), person(SubjectId("own"))):
        assert (await refused(house, holder)).reason is Reason.CONSENT_NEEDED
    assert (await refused(house, None)).reason is Reason.NO_CREDENTIAL


async def test_the_gateway_itself_uses_what_was_connected_for_it_and_nothing_else(house: House) -> None:
    await house.connect(ALICE, "alice")
    assert (await refused(house, OWN)).reason is Reason.NO_CREDENTIAL
    await house.connect(OWN, "robot")
    assert await house.who(OWN) == "robot"
    assert await house.who(ALICE) == "alice"


async def test_a_person_has_two_accounts_and_says_which_agent_uses_which(house: House) -> None:
    await house.connect(ALICE, "alice-work")
    await house.connect(ALICE, "alice-home", AgentId("cursor"))
    assert [await house.who(ALICE, agent) for agent in ("claude", "cursor", "other")] == ["alice-work", "alice-home", "alice-work"]


async def test_an_agent_with_a_broken_account_of_its_own_does_not_take_the_other_one(house: House) -> None:
    await house.connect(ALICE, "alice-work")
    await house.connect(ALICE, "alice-home", AgentId("cursor"))
    house.service.families[1].is_ended = True
    house.later(3600)
    again = await refused(house, ALICE, "cursor")
    assert again.reason is Reason.CONSENT_NEEDED
    ask = house.connections.ask(str(again.extra["connect"]))
    assert ask is not None
    assert ask.place.agent == "cursor"
    assert await house.who(ALICE) == "alice-work"


async def test_a_new_connection_takes_the_place_of_the_old_one(house: House) -> None:
    old = await house.connect(ALICE, "alice")
    new = await house.connect(ALICE, "alice2")
    assert house.connections.of(ALICE) == (house.connections.find(new.id),)
    assert house.connections.find(old.id) is None
    assert await house.who(ALICE) == "alice2"


async def test_the_account_that_was_exchanged_is_given_back_and_the_same_one_is_not(house: House) -> None:
    house.declare(account_url=f"{AS}/me")
    assert (await house.connect(ALICE, "alice")).account == "alice@crm"
    await house.connect(ALICE, "alice")
    assert house.service.revoked == []
    await house.connect(ALICE, "alice2")
    assert [token.rpartition("-")[0] for token in house.service.revoked] == ["rt-alice", "at-alice"]


async def test_a_revoked_connection_is_gone_here_at_once_and_given_back(house: House) -> None:
    made = await house.connect(ALICE, "alice")
    minted = await house.mint.mint(a_use(ALICE))
    ended = await house.connections.revoke(made.id, "ada")
    assert ended is not None
    assert ended.status is Status.REVOKED
    assert minted.is_current is not None
    assert not minted.is_current()
    assert (await refused(house, ALICE)).reason is Reason.CONSENT_NEEDED
    assert set(house.service.revoked) == {secret.reveal() for secret in minted.secrets}
    assert house.events() == ["connection_made", "connection_revoked"]
    assert await house.store.load() == ()
    assert await house.connections.revoke(made.id, "ada") is None


async def test_a_service_that_cannot_be_told_keeps_nobody_from_revoking(house: House) -> None:
    made = await house.connect(ALICE, "alice")
    house.service.is_down = True
    assert await house.connections.revoke(made.id, "ada") is not None
    assert house.events() == ["connection_made", "connection_revoked", "connection_not_given_back"]


async def test_whoever_is_revoked_loses_everything_and_others_nothing(house: House) -> None:
    for holder, who, agent in ((ALICE, "alice", EVERY_AGENT), (ALICE, "alice2", AgentId("cursor")), (BOB, "bob", AgentId("cursor"))):
        await house.connect(holder, who, agent)
    assert len(await house.connections.withdraw(ALICE, "ada", "she left")) == 2
    assert await house.who(BOB, "cursor") == "bob"
    assert len(await house.connections.withdraw_agent(AgentId("cursor"), "ada", "stolen")) == 1
    assert house.connections.every() == ()


async def test_whoever_is_stopped_is_given_nothing_and_connects_nothing_meanwhile(house: House) -> None:
    await house.connect(ALICE, "alice")
    _, begun = await house.begin(ALICE)
    house.barred.add(ALICE)
    assert (await refused(house, ALICE)).reason is Reason.NO_CREDENTIAL
    with pytest.raises(ConnectError) as raised:
        await house.begin(ALICE)
    assert raised.value.trouble is Trouble.BARRED
    with pytest.raises(ConnectError):
        await house.connections.finish(begun, {}, ALICE)
    house.barred.clear()
    assert await house.who(ALICE) == "alice"


async def test_connections_outlive_a_restart(house: House) -> None:
    made = await house.connect(ALICE, "alice")
    again = await House(house.service, store=house.store, wall=house.wall).open()
    assert again.connections.find(made.id) == made
    assert await again.who(ALICE) == "alice"
    assert house.service.count("/token") == 1


async def test_the_time_of_use_is_kept_to_the_hour(house: House) -> None:
    made = await house.connect(ALICE, "alice")
    await house.who(ALICE)
    await house.connections.upkeep()
    first = house.wall()
    house.later(600)
    await house.who(ALICE)
    await house.connections.upkeep()
    assert [used_at for _, used_at in await house.store.load()] == [first]
    shown = house.connections.find(made.id)
    assert shown is not None
    assert shown.used_at == house.wall()


async def test_operators_see_every_connection_and_no_account(house: House) -> None:
    house.declare(account_url=f"{AS}/me")
    await house.connect(ALICE, "alice")
    await house.connect(BOB, "bob")
    assert [(one.place.holder, one.account) for one in house.connections.every()] == [(ALICE, ""), (BOB, "")]
    assert house.connections.of(BOB)[0].account == "bob@crm"


async def test_nothing_that_is_told_or_shown_holds_a_token_a_code_or_a_name(house: House) -> None:
    house.declare(account_url=f"{AS}/me")
    made = await house.connect(ALICE, "alice")
    _, begun = await house.begin(ALICE)
    minted = await house.mint.mint(a_use(ALICE))
    await house.connections.revoke(made.id, "ada")
    texts = f"{house.told!r} {await house.store.load()!r} {begun!r} {minted!r}"
    for secret in (*house.service.access, *(one.refresh for one in house.service.families), begun.verifier, "code-"):
        assert secret not in texts
    assert "alice" not in f"{house.told!r}"


async def test_an_upstream_that_is_not_declared_any_more_takes_nothing_and_its_connections_can_be_ended(house: House) -> None:
    made = await house.connect(ALICE, "alice")
    house.connections.adopt({})
    with pytest.raises(ConnectError) as raised:
        await house.begin(ALICE)
    assert (raised.value.trouble, raised.value.public) == (Trouble.UNKNOWN, "Nothing of this name takes an account of yours.")
    assert await house.connections.revoke(made.id, "ada") is not None


async def test_people_are_offered_what_there_is_to_connect(house: House) -> None:
    house.declare(scopes=("read", "write"))
    assert house.connections.offers() == (Offer(UPSTREAM, URL, "crm.example.com", ("read", "write")),)


async def test_a_store_that_is_away_connects_nothing(house: House) -> None:
    class Away(type(house.store)):  # type: ignore[misc]
        async def put(self, kept: object) -> None:
            raise StoreError("the store is away")

    away = await House(house.service, store=Away(), wall=house.wall).open()
    with pytest.raises(StoreError):
        await away.connect(ALICE, "alice")
    assert (await refused(away, ALICE)).reason is Reason.CONSENT_NEEDED
    assert away.events() == ["connection_made", "change_failed"]


async def test_the_client_document_says_who_we_are(house: House) -> None:
    assert house.connections.client_document() is None
    house.document = DOCUMENT
    assert house.connections.client_document() == {
        "client_id": DOCUMENT,
        "client_name": "Doorward",
        "redirect_uris": ["https://doorward.example.com/connect/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "application_type": "web",
        "token_endpoint_auth_method": "none",
    }


async def test_what_was_connected_for_one_server_is_never_shown_another_that_takes_its_name(house: House) -> None:
    await house.connect(ALICE, "alice")
    before = house.plan
    for audience in (
        "https://other.example.com",
        before.audience.replace("https", "http"),
        f"{before.audience}.other.example",
        "stdio:crm",
    ):
        house.plan = replace(before, audience=audience)
        assert (await refused(house, ALICE)).reason is Reason.CONSENT_NEEDED
        with pytest.raises(Refused):
            await house.mint.mint(a_use(ALICE))
    house.plan = replace(before, audience=f"https://new.example.com {before.audience}")
    assert await house.who(ALICE) == "alice"
    await house.connect(OWN, "doorward")
    house.plan = replace(before, audience="https://other.example.com")
    assert (await refused(house, OWN)).reason is Reason.NO_CREDENTIAL


async def test_an_upstream_that_moves_while_somebody_connects_it_is_not_connected(house: House) -> None:
    url, begun = await house.begin(ALICE)
    house.connections.adopt(house.connections.parties({UPSTREAM: replace(house.plan, audience="https://other.example.com")}))
    with pytest.raises(ConnectError) as error:
        await house.connections.finish(begun, house.service.authorize(url, "alice"), ALICE)
    assert error.value.trouble is Trouble.AGAIN
    assert house.connections.of(ALICE) == ()
    assert house.service.families == []
