"""The bounded map of sessions, without an upstream."""

import asyncio

import pytest

from doorward.domain.reasons import Reason, Refused
from doorward.upstream.order import Order
from doorward.upstream.sessions import Key, Session, Sessions, own_key, shared_key
from doorward.upstream.sight import Introduction
from tests.upstream.kit import DEMO, KEYED, order

pytestmark = pytest.mark.anyio


class Held:
    """Sessions with a clock that stands until it is moved."""

    def __init__(self, most: int = 3) -> None:
        self.time = 0.0
        self.opened: list[str] = []
        self.ended: list[str] = []
        self.refusing = False
        self.sessions = Sessions(most, 100.0, self.open, self.end, lambda: self.time)

    async def open(self, key: Key, asked: Order) -> Session:
        await asyncio.sleep(0)
        if self.refusing:
            raise Refused(Reason.UPSTREAM_UNREACHABLE, str(DEMO))
        self.opened.append(key.principal)
        return Session(key, f"s{len(self.opened)}", "v", Introduction(("v",), {}, {}, None), (), ())

    def end(self, session: Session) -> None:
        self.ended.append(session.key.principal)

    async def use(self, principal: str) -> Session:
        session = await self.enter(principal)
        self.sessions.leave(session)
        return session

    async def enter(self, principal: str) -> Session:
        asked = order(principal=principal)
        return await self.sessions.enter(own_key(asked), asked)


async def test_session_that_nobody_used_for_long_is_ended() -> None:
    held = Held()
    await held.use("old")
    busy = await held.enter("busy")
    held.time = 101.0
    held.sessions.sweep()
    assert (held.ended, len(held.sessions)) == (["old"], 1)
    assert await held.enter("busy") is busy


async def test_session_unused_longest_makes_room() -> None:
    held = Held()
    for held.time, principal in enumerate(("a", "b", "c"), 1):
        await held.use(principal)
    held.time = 4.0
    await held.use("a")
    await held.use("d")
    assert (held.ended, held.opened, len(held.sessions)) == (["b"], ["a", "b", "c", "d"], 3)


async def test_sessions_in_use_are_never_ended_for_room() -> None:
    held = Held(most=2)
    await held.enter("a")
    await held.enter("b")
    with pytest.raises(Refused) as caught:
        await held.enter("c")
    assert (caught.value.reason, held.ended) == (Reason.OVERLOADED, [])


async def test_session_that_could_not_be_opened_leaves_nothing_behind() -> None:
    held = Held()
    held.refusing = True
    with pytest.raises(Refused):
        await held.use("a")
    held.refusing = False
    assert len(held.sessions) == 0
    assert (await held.use("a")).id == "s1"


async def test_lost_session_is_forgotten_only_if_it_is_still_the_one() -> None:
    held = Held()
    first = await held.use("a")
    held.sessions.lose(first)
    second = await held.use("a")
    held.sessions.lose(first)
    assert await held.use("a") is second


async def test_opening_goes_on_when_the_one_who_began_it_is_cancelled() -> None:
    held = Held()
    first, second = (asyncio.create_task(held.use("a")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).id == "s1"
    assert held.opened == ["a"]


def test_key_tells_credentials_principals_and_capabilities_apart() -> None:
    orders = [order(), order(principal="other"), order(lease=KEYED), order(capabilities={"extensions": {"x/y": {}}})]
    assert len({own_key(asked) for asked in orders}) == 4
    assert len({shared_key(asked) for asked in orders}) == 2
    assert own_key(order(capabilities={"sampling": {}})) == own_key(order())
