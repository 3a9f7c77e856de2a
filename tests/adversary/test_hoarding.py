"""What one caller or one upstream can make the gateway keep in memory has an end."""

from __future__ import annotations

import asyncio
import tracemalloc
from dataclasses import replace
from datetime import UTC

import pytest

from doorward.call.sessions import SessionRow
from doorward.domain.catalog import Kind, Reversibility, Target
from doorward.domain.ids import TeamId, UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.policy.engine import Policies
from doorward.policy.engine import compile as compile_policies
from doorward.policy.question import Moment
from doorward.policy.rules import Source
from doorward.stores.memory import MemorySessions
from doorward.testing.playbook import playbook
from tests.call.steps import PLAN, policy
from tests.call.test_sessions import Desk
from tests.serving.asgi import principal
from tests.upstream.kit import Heard
from tests.upstream.test_link import Wire, settled

SLOW = replace(PLAN, document={"admission": {"calls_per_minute": 60, "burst": 5}})


class SlowSessions(MemorySessions):
    """A store that takes its time, as one on a disk does."""

    async def put(self, row: SessionRow) -> None:
        await asyncio.sleep(0)
        await super().put(row)


@pytest.mark.anyio
async def test_many_sessions_opened_at_once_are_no_more_than_one_principal_may_have() -> None:
    desk = Desk(store=SlowSessions())
    sessions = desk.sessions()
    await asyncio.gather(*[sessions.open(desk.row(f"s{number}")) for number in range(20)])
    assert len(sessions.rows()) == desk.bounds.per_principal


@pytest.mark.anyio
async def test_a_session_that_could_not_be_kept_takes_no_room() -> None:
    class Broken(MemorySessions):
        async def put(self, row: SessionRow) -> None:
            raise OSError("disk full")

    sessions = Desk(store=Broken()).sessions()
    with pytest.raises(OSError, match="disk full"):
        await sessions.open(Desk().row("s"))
    assert sessions.rows() == ()


@pytest.mark.anyio
@pytest.mark.parametrize("field", ["capabilities", "clientInfo"])
async def test_a_client_that_says_too_much_of_itself_gets_no_session(field: str) -> None:
    async with playbook(PLAN) as book:
        with pytest.raises(Refused) as refused:
            await book.house.dispatch.initialize(
                await book.principal(), None, {"protocolVersion": "2025-11-25", field: {"x": ["y" * 1000] * 20}}
            )
        assert (refused.value.reason, book.house.parts.sessions.rows()) == (Reason.INVALID_PARAMS, ())


@pytest.mark.anyio
async def test_sessions_are_opened_at_the_agents_pace() -> None:
    async with playbook(SLOW) as book:
        initialize = book.house.dispatch.initialize
        for _ in range(5):
            await initialize(await book.principal(), None, {"protocolVersion": "2025-11-25"})
        with pytest.raises(Refused) as refused:
            await initialize(await book.principal(), None, {"protocolVersion": "2025-11-25"})
        assert refused.value.reason is Reason.OVER_RATE


@pytest.mark.anyio
async def test_a_process_that_floods_a_slow_caller_with_progress_fills_no_memory() -> None:
    wire, release, heard = Wire(), asyncio.Event(), Heard()

    async def slow(notice: object) -> None:
        await release.wait()
        await heard(notice)  # type: ignore[arg-type]

    task = wire.ask(slow, wants_progress=True)
    await settled()
    for number in range(200):
        wire.say(method="notifications/progress", params={"progressToken": 1, "progress": number, "message": "x" * 50_000})
    wire.say(id=1, result={})
    release.set()
    assert (await task).body == {}
    assert 1 <= len(heard.notices) <= 21


def resource(uri: str) -> Target:
    return Target(UpstreamId("files"), Kind.RESOURCE, uri, None, TeamId("t"), frozenset({"read"}), Reversibility.READ)


def test_uris_that_callers_make_up_are_not_remembered() -> None:
    rules = policy('permit (principal, action, resource) when { context.input has uri && context.input.uri like "file:///srv/*" };', "srv")
    policies = compile_policies([Source("p", rules)], [], [UpstreamId("files")])
    assert isinstance(policies, Policies)
    who, at = principal("ada"), Moment(0, UTC)
    assert [policies.could_allow(who, resource(uri), at) for uri in ("file:///srv/a", "file:///etc/a")] == [True, False]
    tracemalloc.start()
    try:
        for number in range(300):
            policies.could_allow(who, resource(f"file:///srv/{number}/" + "é" * 4_000), at)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 300 * 4_000
