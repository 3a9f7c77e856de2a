"""Tokens stay fresh: single flight, rotation, crashes, outages, clocks, and upstreams that do not take what they are shown."""

import asyncio

import pytest

from doorward.credentials.connections.renewal import ENDED, OTHER_CLIENT, OTHER_SERVER, REFUSED, VOID
from doorward.credentials.connections.store import Kept
from doorward.credentials.port import CredentialError
from doorward.domain.errors import DoorwardError, StoreError
from doorward.domain.reasons import Reason, Refused
from doorward.stores.memory_connections import MemoryConnections
from tests.credentials.connections.world import ALICE, AS, BOB, House, Service, a_use, broken
from tests.made import Clock

pytestmark = pytest.mark.anyio

INVALID = 'Bearer error="invalid_token"'


class Failing(MemoryConnections):
    """A store whose next writes of what is there fail."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.written: list[str] = []

    async def update(self, kept: Kept) -> bool:
        if self.is_away:
            raise StoreError("the disk is full")
        self.written.append(kept.refresh)
        return await super().update(kept)


@pytest.fixture
async def house() -> House:
    wall = Clock(1_795_003_200.0)
    house = await House(Service(wall), wall=wall, store=Failing()).open()
    await house.connect(ALICE, "alice")
    return house


async def test_a_token_is_used_while_it_holds_and_refreshed_before_it_ends(house: House) -> None:
    first = await house.shown(ALICE)
    house.later(3400)
    assert await house.shown(ALICE) == first
    house.later(100)
    assert await house.shown(ALICE) != first
    assert house.service.count("/token") == 2


async def test_a_hundred_calls_wait_for_one_refresh(house: House) -> None:
    house.later(3590)
    house.service.held = asyncio.Event()
    calls = [asyncio.create_task(house.shown(ALICE)) for _ in range(100)]
    await asyncio.sleep(0.01)
    house.service.held.set()
    assert len(set(await asyncio.gather(*calls))) == 1
    assert house.service.count("/token") == 2


async def test_a_call_that_is_given_up_does_not_stop_the_refresh_that_others_wait_for(house: House) -> None:
    house.later(3590)
    house.service.held = asyncio.Event()
    first, second = (asyncio.create_task(house.shown(ALICE)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    house.service.held.set()
    assert await second
    assert not house.service.families[0].is_ended


async def test_refresh_tokens_rotate_for_ever(house: House) -> None:
    for _ in range(5):
        house.later(3600)
        assert await house.who(ALICE) == "alice"
    assert house.service.count("/token") == 6
    assert len(set(house.store.written)) == 5  # type: ignore[attr-defined]


async def test_a_service_that_does_not_rotate_keeps_its_refresh_token(house: House) -> None:
    house.service.rotates = False
    for _ in range(3):
        house.later(3600)
        assert await house.who(ALICE) == "alice"


async def test_the_new_refresh_token_is_durable_before_the_new_access_token_is_used(house: House) -> None:
    house.store.is_away = True  # type: ignore[attr-defined]
    house.later(3600)
    with pytest.raises(DoorwardError, match="the disk is full"):
        await house.shown(ALICE)
    family = house.service.families[0]
    assert house.service.count("/token") == 2
    # What was given is stored first of all; the old refresh token, which is void, is not shown again.
    with pytest.raises(DoorwardError, match="the disk is full"):
        await house.shown(ALICE)
    assert house.service.count("/token") == 2
    house.store.is_away = False  # type: ignore[attr-defined]
    assert await house.who(ALICE) == "alice"
    assert house.service.count("/token") == 2
    assert [kept.refresh for kept, _ in await house.store.load()] == [family.refresh]


async def test_a_crash_between_refresh_and_store_breaks_the_connection_and_says_so(house: House) -> None:
    house.store.is_away = True  # type: ignore[attr-defined]
    house.later(3600)
    with pytest.raises(DoorwardError):
        await house.shown(ALICE)
    house.store.is_away = False  # type: ignore[attr-defined]
    after = await House(house.service, store=house.store, wall=house.wall).open()
    with pytest.raises(Refused) as raised:
        await after.shown(ALICE)
    assert raised.value.reason is Reason.CONSENT_NEEDED
    assert broken(after) == VOID
    await after.connect(ALICE, "alice")
    assert await after.who(ALICE) == "alice"


async def test_an_answer_that_is_lost_on_its_way_breaks_the_connection_where_tokens_rotate(house: House) -> None:
    house.later(3600)
    house.service.loses = True
    with pytest.raises(CredentialError, match="could not be renewed"):
        await house.shown(ALICE)
    house.later(5)
    with pytest.raises(Refused):
        await house.shown(ALICE)
    assert broken(house) == VOID


async def test_a_grant_that_was_ended_at_the_service_breaks_the_connection_for_good(house: House) -> None:
    house.service.families[0].is_ended = True
    house.later(3600)
    for _ in range(3):
        with pytest.raises(Refused) as raised:
            await house.shown(ALICE)
        assert raised.value.reason is Reason.CONSENT_NEEDED
    assert house.service.count("/token") == 2
    assert broken(house) == VOID
    ((kept, _),) = await house.store.load()
    assert (kept.access, kept.refresh) == ("", "")


async def test_an_old_token_goes_on_through_an_outage_while_it_holds(house: House) -> None:
    house.later(3500)
    house.service.is_down = True
    first = await house.shown(ALICE)
    asked = len(house.service.asked)
    assert await house.shown(ALICE) == first
    assert len(house.service.asked) == asked, "a server that is down is not asked at each call"
    house.later(101)
    with pytest.raises(CredentialError, match="could not be renewed"):
        await house.shown(ALICE)
    house.service.is_down = False
    house.later(5)
    assert await house.shown(ALICE) != first


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_server_that_is_not_well_breaks_nothing(house: House, status: int) -> None:
    house.later(3600)
    house.service.status = status
    with pytest.raises(CredentialError, match=f"answered {status}"):
        await house.shown(ALICE)
    house.service.status = 200
    house.later(5)
    assert await house.who(ALICE) == "alice"


async def test_a_server_that_has_forgotten_our_registration_breaks_the_connection_and_is_registered_with_anew(house: House) -> None:
    house.service.registered.clear()
    house.later(3600)
    with pytest.raises(Refused):
        await house.shown(ALICE)
    assert broken(house) == OTHER_CLIENT
    await house.connect(ALICE, "alice")
    assert await house.who(ALICE) == "alice"
    assert house.service.count("/register") == 2


async def test_a_declared_client_that_the_server_does_not_know_for_a_while_breaks_nothing() -> None:
    wall = Clock(1_795_003_200.0)
    house = await House(Service(wall, client=("door", "a secret")), wall=wall).open(
        issuer=AS, client_id="door", client_secret="${env:a secret}"
    )
    await house.connect(ALICE, "alice")
    house.service.client = ("door", "another")
    house.later(3600)
    with pytest.raises(CredentialError, match="invalid_client"):
        await house.shown(ALICE)
    house.service.client = ("door", "a secret")
    house.later(5)
    assert await house.who(ALICE) == "alice"


async def test_a_token_that_was_given_without_a_successor_ends_the_connection_with_it() -> None:
    wall = Clock(1_795_003_200.0)
    house = await House(Service(wall, gives_refresh=False), wall=wall).open()
    await house.connect(ALICE, "alice")
    house.later(3500)
    assert await house.who(ALICE) == "alice"
    house.later(100)
    with pytest.raises(Refused):
        await house.shown(ALICE)
    assert broken(house) == ENDED


async def test_a_token_without_an_end_is_used_until_it_is_refused() -> None:
    wall = Clock(1_795_003_200.0)
    house = await House(Service(wall, gives_refresh=False, lifetime=None), wall=wall).open()
    await house.connect(ALICE, "alice")
    house.later(365 * 86_400)
    lease = await house.lease(ALICE)
    house.mint.turned_down(a_use(ALICE), lease, INVALID)
    with pytest.raises(Refused):
        await house.shown(ALICE)
    assert broken(house) == REFUSED


async def test_another_authorization_server_gets_nothing_of_the_one_before(house: House) -> None:
    house.declare(issuer="https://evil.example.com", resource="https://crm.example.com/mcp", scopes=("read",))
    house.service.issuer = "https://evil.example.com"
    house.later(3600)
    forms = len(house.service.forms)
    with pytest.raises(Refused):
        await house.shown(ALICE)
    assert broken(house) == OTHER_SERVER
    assert len(house.service.forms) == forms


# Clocks.


@pytest.mark.parametrize("jump", [-86_400.0, -3_600.0, 3_600.0, 86_400.0 * 3650])
async def test_a_wall_clock_that_jumps_changes_nothing_while_the_process_runs(house: House, jump: float) -> None:
    first = await house.shown(ALICE)
    house.wall.at += jump
    assert await house.shown(ALICE) == first
    house.ticks.at += 3590
    assert await house.shown(ALICE) != first


async def test_a_wall_clock_that_was_set_back_over_a_restart_makes_no_token_live_longer(house: House) -> None:
    first = await house.shown(ALICE)
    house.later(1800)
    house.wall.at -= 7200
    again = await House(house.service, store=house.store, wall=house.wall).open()
    assert await again.shown(ALICE) != first


async def test_a_restart_counts_the_time_that_has_passed(house: House) -> None:
    first = await house.shown(ALICE)
    house.wall.at += 3000
    again = await House(house.service, store=house.store, wall=house.wall).open()
    assert await again.shown(ALICE) == first
    again.ticks.at += 500
    assert await again.shown(ALICE) != first


# Races.


async def test_a_refresh_that_ends_after_a_revocation_brings_nothing_back(house: House) -> None:
    house.later(3600)
    house.service.held = asyncio.Event()
    waiting = asyncio.create_task(house.shown(ALICE))
    await asyncio.sleep(0.01)
    (shown,) = house.connections.of(ALICE)
    revoking = asyncio.create_task(house.connections.revoke(shown.id, "ada"))
    await asyncio.sleep(0.01)
    house.service.held.set()
    await revoking
    with pytest.raises(Refused) as raised:
        await waiting
    assert raised.value.reason is Reason.CONSENT_NEEDED
    assert await house.store.load() == ()
    assert house.service.families[0].refresh in house.service.revoked, "what was given meanwhile is given back"


async def test_a_refresh_of_what_was_exchanged_meanwhile_touches_the_new_connection_in_nothing(house: House) -> None:
    house.later(3600)
    house.service.held = asyncio.Event()
    waiting = asyncio.create_task(house.shown(ALICE))
    await asyncio.sleep(0.01)
    made = await house.connect(ALICE, "alice2")
    house.service.held.set()
    with pytest.raises(Refused):
        await waiting
    assert await house.who(ALICE) == "alice2"
    assert [kept.id for kept, _ in await house.store.load()] == [made.id]


async def test_a_slow_refresh_of_one_person_holds_up_nobody_else(house: House) -> None:
    await house.connect(BOB, "bob")
    house.later(3590)
    house.service.held = asyncio.Event()
    waiting = asyncio.create_task(house.shown(ALICE))
    await asyncio.sleep(0.01)
    house.service.held.set()
    assert await asyncio.wait_for(house.who(BOB), 1) == "bob"
    assert await waiting


async def test_a_refresh_may_narrow_the_scopes(house: House) -> None:
    house.service.grants = "read:own"
    house.later(3600)
    await house.shown(ALICE)
    assert house.connections.of(ALICE)[0].scopes == ("read:own",)


async def test_a_connection_of_another_client_than_we_are_now_says_so(house: House) -> None:
    house.service.client = ("door", "a secret")
    house.declare(issuer=AS, client_id="door", client_secret="${env:a secret}")
    await house.store.unregister(AS, "dyn-1")
    house.later(3600)
    with pytest.raises(Refused):
        await house.shown(ALICE)
    assert broken(house) == OTHER_CLIENT


async def test_a_refresh_that_is_under_way_is_stored_before_the_house_closes(house: House) -> None:
    house.later(3600)
    house.service.held = asyncio.Event()
    waiting = asyncio.create_task(house.shown(ALICE))
    await asyncio.sleep(0.01)
    waiting.cancel()
    closing = asyncio.create_task(house.connections.close())
    await asyncio.sleep(0.01)
    assert not closing.done()
    house.service.held.set()
    await closing
    assert [kept.refresh for kept, _ in await house.store.load()] == [house.service.families[0].refresh]
