"""What an upstream does not take: another token, another scope, or another connection."""

import pytest

from doorward.credentials.connections.renewal import STILL_REFUSED
from doorward.domain.reasons import Reason, Refused
from tests.credentials.connections.world import ALICE, House, Service, a_use, broken
from tests.made import Clock

pytestmark = pytest.mark.anyio

INVALID = 'Bearer error="invalid_token"'


@pytest.fixture
async def house() -> House:
    wall = Clock(1_795_003_200.0)
    house = await House(Service(wall), wall=wall).open()
    await house.connect(ALICE, "alice")
    return house


async def test_a_token_that_is_not_taken_is_refreshed_once_for_all(house: House) -> None:
    lease = await house.lease(ALICE)
    for _ in range(10):
        house.mint.turned_down(a_use(ALICE), lease, INVALID)
    second = await house.shown(ALICE)
    # Late answers to calls with the old token say nothing of the new one.
    for _ in range(10):
        house.mint.turned_down(a_use(ALICE), lease, INVALID)
    assert await house.shown(ALICE) == second
    assert house.service.count("/token") == 2


async def test_a_lease_that_was_turned_down_is_not_current(house: House) -> None:
    minted = await house.mint.mint(a_use(ALICE))
    assert minted.is_current is not None
    lease = await house.lease(ALICE)
    house.mint.turned_down(a_use(ALICE), lease, INVALID)
    assert not minted.is_current()


async def test_a_token_that_is_not_taken_though_it_is_new_breaks_the_connection(house: House) -> None:
    house.mint.turned_down(a_use(ALICE), await house.lease(ALICE), INVALID)
    house.mint.turned_down(a_use(ALICE), await house.lease(ALICE), INVALID)
    with pytest.raises(Refused):
        await house.shown(ALICE)
    assert broken(house) == STILL_REFUSED
    assert house.service.count("/token") == 2


async def test_a_token_that_is_not_taken_much_later_is_refreshed_again(house: House) -> None:
    house.mint.turned_down(a_use(ALICE), await house.lease(ALICE), INVALID)
    await house.shown(ALICE)
    house.later(61)
    house.mint.turned_down(a_use(ALICE), await house.lease(ALICE), INVALID)
    assert await house.who(ALICE) == "alice"
    assert house.service.count("/token") == 3


async def test_more_scopes_are_asked_of_the_person_and_other_calls_go_on(house: House) -> None:
    lease = await house.lease(ALICE)
    house.mint.turned_down(a_use(ALICE, number=1), lease, 'Bearer error="insufficient_scope", scope="read write"')
    with pytest.raises(Refused) as raised:
        house.mint.holder(a_use(ALICE, number=1))
    assert raised.value.reason is Reason.CONSENT_NEEDED
    ask = house.connections.ask(str(raised.value.extra["connect"]))
    assert ask is not None
    assert ask.scopes == ("write",)
    assert await house.who(ALICE) == "alice"
    url, begun = await house.begin(ALICE)
    assert begun.scopes == ("read", "write")
    made = await house.connections.finish(begun, house.service.authorize(url, "alice"), ALICE)
    assert made.scopes == ("read", "write")
    assert house.connections.ask(ask.reference) is None


async def test_scopes_that_were_asked_for_and_not_given_are_not_asked_for_for_ever(house: House) -> None:
    house.service.grants = "read"
    for number in range(3):
        lease = await house.lease(ALICE)
        house.mint.turned_down(a_use(ALICE, number=number), lease, 'Bearer error="insufficient_scope", scope="write"')
        if number == 0:
            with pytest.raises(Refused):
                house.mint.holder(a_use(ALICE, number=number))
            await house.connect(ALICE, "alice")
        else:
            assert house.mint.holder(a_use(ALICE, number=number))
