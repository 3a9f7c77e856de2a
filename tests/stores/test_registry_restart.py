"""What a registry knows is known after a restart, whichever store is under it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from doorward.config.identity import Enrol
from doorward.domain.actors import AuthnMethod
from doorward.domain.ids import AgentId
from doorward.domain.reasons import Reason, Refused
from doorward.domain.receipts import Event
from doorward.identity.chain import NotYetError
from doorward.identity.enrolment import Enrolment
from doorward.identity.identities import client
from doorward.identity.records import Edit
from doorward.identity.registry import AgentStore, Registry
from doorward.stores.memory import MemoryAgents
from doorward.stores.sqlite.agents import SqliteAgents
from doorward.stores.sqlite.database import open_database
from doorward.stores.sqlite.log import SqliteLog
from doorward.testing.stores.log import Clock as LogClock
from doorward.testing.stores.log import committer
from tests.identity.stores import Draws
from tests.made import Clock
from tests.sealing import envelope

Opening = Callable[[], AbstractAsyncContextManager[AgentStore]]
RULES = [Enrol(issuer="corp", agent="{name}", team="ci", owner="ada")]
FIRST, SECOND, THIRD = (client("corp", name) for name in ("first", "second", "third"))


def in_memory(path: Path) -> Opening:
    store = MemoryAgents()

    @asynccontextmanager
    async def opened() -> AsyncIterator[AgentStore]:
        yield store

    return opened


def in_sqlite(path: Path) -> Opening:
    @asynccontextmanager
    async def opened() -> AsyncIterator[AgentStore]:
        database = open_database(path / "state")
        log = SqliteLog(database, committer(), LogClock(), envelope())
        try:
            yield SqliteAgents(log.writer, envelope())
        finally:
            log.close()
            database.close()

    return opened


async def told(event: Event) -> None:
    """A log that is always there."""


async def started(store: AgentStore) -> tuple[Registry, Enrolment]:
    clock = Clock()
    registry = Registry(store, Draws(), clock)
    await registry.load()
    enrolment = Enrolment(registry, told, clock)
    enrolment.adopt(RULES, frozenset())
    return registry, enrolment


def reason(enrolment: Enrolment, name: str) -> Reason | None:
    try:
        enrolment.agent(client("corp", name), AuthnMethod.ACCESS_TOKEN, {})
    except Refused as refused:
        return refused.reason
    return None


@pytest.mark.anyio
@pytest.mark.parametrize("driver", [in_memory, in_sqlite], ids=["memory", "sqlite"])
async def test_who_was_enrolled_bound_edited_or_kept_out_still_is(driver: Callable[[Path], Opening], tmp_path: Path) -> None:
    opening = driver(tmp_path)
    async with opening() as store:
        registry, enrolment = await started(store)
        for identity in (FIRST, SECOND, THIRD):
            with pytest.raises(NotYetError) as wait:
                enrolment.agent(identity, AuthnMethod.ACCESS_TOKEN, {})
            await wait.value.prepare()
        await registry.edit(AgentId("first"), Edit(owner="ben", purpose="Reads."))
        await registry.bind(AgentId("first"), client("corp", "more"))
        await registry.revoke(AgentId("second"))
        await registry.owner_left("ada")
        before = registry.agents()
    async with opening() as store:
        registry, enrolment = await started(store)
        assert registry.agents() == before
        assert [reason(enrolment, name) for name in ("first", "more", "second", "third")] == [None, None, Reason.REVOKED, Reason.REVOKED]
        assert (registry.has_left("ada"), registry.enrolled("rule client:corp:* as {name}")) == (True, 3)
